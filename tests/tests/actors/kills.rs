//! Processes that are killed at any moment: what they said is kept is there for the next one.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use samsara_actors::Disk;
use samsara_runtime::{recovery::NodeSpec, rng::Rng};

use super::{
    place::Place,
    tally::{add, builder, program},
};

/// Names the store of the child process.
const STORE: &str = "SAMSARA_STORE";

/// Not a test of its own: what the children of the next one do, until they are killed.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_counts() {
    let Some(store) = env::var_os(STORE) else { return };
    let disk = Disk::open(store).expect("a directory");
    let system = builder().store(disk).start().await.expect("nobody has it");
    let node = system.spawn(NodeSpec::new("tally", program())).await.expect("it lives");
    let say = |what: &str, total: u64| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{what} {total} .").and_then(|()| out.flush()).expect("somebody listens");
    };
    say("found", add(&node, 0).await);
    loop {
        say("kept", add(&node, 1).await);
    }
}

fn start(place: &Place) -> Child {
    let binary = env::current_exe().expect("this test has a binary");
    let mut child = Command::new(binary);
    child.args(["--exact", "actors::kills::child_that_counts", "--nocapture"]);
    child.env(STORE, place.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    child.spawn().expect("it runs again")
}

/// The number of a line that was written to its end.
fn whole(rest: &str) -> Option<u64> {
    rest.strip_suffix(" .")?.parse().ok()
}

#[test]
fn a_killed_process_has_kept_all_that_it_acknowledged_and_done_nothing_twice() {
    let (place, mut rng) = (Place::new(), Rng::from_seed(21));
    let mut acknowledged = 0;
    for round in 0..12 {
        let mut child = start(&place);
        let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let (mut found, mut left) = (None, rng.below(40) + 1);
        for line in lines {
            // What it said before it was killed is read to the end: the last line may be cut.
            let Ok(line) = line else { break };
            let word = |what: &str| line.strip_prefix(what).and_then(whole);
            if let Some(total) = word("found ") {
                found = Some(total);
            } else if let Some(total) = word("kept ") {
                acknowledged = total;
                left = left.saturating_sub(1);
            }
            if found.is_some() && left == 0 {
                // No signal is stronger, and nothing of the process runs after it.
                child.kill().expect("it runs");
            }
        }
        child.wait().expect("it ends");
        let found: u64 = found.expect("it came up");
        assert!(acknowledged >= found, "round {round}: {acknowledged} after {found}");
        // The next one finds what was said to be kept, and at most the one call behind it.
        let mut next = start(&place);
        let mut lines = BufReader::new(next.stdout.take().expect("it was asked for")).lines();
        let found: u64 = lines
            .find_map(|line| whole(line.expect("it writes text").strip_prefix("found ")?))
            .expect("it comes up");
        next.kill().expect("it runs");
        next.wait().expect("it ends");
        let may_be = acknowledged..=acknowledged + 1;
        assert!(may_be.contains(&found), "round {round}: {found}, wanted {may_be:?}");
        acknowledged = found;
    }
}
