//! Streams of several peers in one turn, as links deliver them: by turns, and some of it twice.
//!
//! Law: each is judged by what came of it before, wherever that stands in the turn.

use samsara_runtime::{node::Screened, time::Nanos};

use super::wire::{envelope, fill, node, peer};

#[test]
fn streams_that_take_turns_in_one_batch_are_each_taken_in_order_and_once() {
    let mut node = node(9, |g| {
        g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
        g.export("n");
    });
    // Known streams, so that nothing of them is new to the turn.
    for from in [1, 2, 3] {
        let first = envelope(1, vec![fill("Main/n", 1_u64)]);
        node.deliver_envelope(peer(from), first, None).expect("it is admitted");
    }
    node.run_until_idle(Nanos::ZERO);
    let told = [(1, 2), (1, 3), (2, 2), (1, 4), (3, 2), (2, 3), (2, 3), (1, 4), (3, 4), (1, 5)];
    for (from, seq) in told {
        let next = envelope(seq, vec![fill("Main/n", 1_u64)]);
        node.deliver_envelope(peer(from), next, None).expect("it is admitted");
    }
    assert_eq!(node.intake(Nanos::ZERO).events.len(), 7);
    let Screened { duplicates, gaps, .. } = node.screened();
    assert_eq!((duplicates, gaps), (2, 1));
}
