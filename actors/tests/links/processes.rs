//! Three processes on a bad network, of which one is killed now and then.
//!
//! Law: whatever is killed and whatever the network does, in the end each number was noted once, in
//! its order, at both ends.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use samsara_actors::{NodeRef, System};
use samsara_proto::Address;
use samsara_runtime::rng::Rng;
use samsara_transport::{LinkLimits, Tcp};

use super::{
    proxy::Proxy,
    rig::{Place, address, builder, key, ledger_named, noted, say, source_bound},
};

/// The host that has the ledgers, and those that have a source each.
const LEDGERS: u8 = 2;
const SOURCES: [u8; 2] = [1, 3];
/// Numbers that each source says for each second that the network is bad.
const COUNT: u64 = 70;

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How long the network is bad and processes are killed.
fn bad_time() -> Duration {
    let seconds = setting("SAMSARA_FAULT_SECONDS").and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(6))
}

/// What a process has said of itself.
#[derive(Clone, Debug, Default)]
struct Heard {
    at: Option<Address>,
    /// The last state of each of its Nodes, one word each.
    state: String,
}

struct Process {
    child: Child,
    heard: Arc<Mutex<Heard>>,
}

impl Process {
    fn start(host: u8, store: &Path, proxy: &Proxy) -> Self {
        let own = std::env::current_exe().expect("this runs");
        let mut child = Command::new(own)
            .args(["processes::a_process_of_its_own", "--exact", "--ignored", "--nocapture"])
            .env("SAMSARA_COUNT", (COUNT * bad_time().as_secs()).to_string())
            .env("SAMSARA_HOST", host.to_string())
            .env("SAMSARA_STORE", store)
            .env("SAMSARA_AT", proxy.address())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (out, hears) = (child.stdout.take().expect("it is piped"), Arc::clone(&heard));
        let proxy = proxy.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let mut heard = hears.lock().expect("nobody panics with it");
                if let Some(at) = line.strip_prefix("at ") {
                    let at: Address = at.parse().expect("an address");
                    proxy.lead_to(&at);
                    heard.at = Some(at);
                } else if let Some(state) = line.strip_prefix("state ") {
                    heard.state = state.to_owned();
                }
            }
        });
        Self { child, heard }
    }

    fn state(&self) -> String {
        self.heard.lock().expect("nobody panics with it").state.clone()
    }

    /// As kill -9 does.
    fn kill(&mut self) {
        // It may have ended by itself, which its successor makes good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_that_are_killed_on_a_bad_network_keep_exact_totals() {
    let seed = setting("SAMSARA_SEED").and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut rng = Rng::from_seed(seed);
    let proxy = Proxy::start(rng.next_u64()).await;
    let places = [1, 2, 3].map(|host: u8| (host, Place::new()));
    let mut processes: Vec<_> =
        places.iter().map(|(host, place)| Process::start(*host, place.path(), &proxy)).collect();
    let until = Instant::now() + bad_time();
    let mut kills = 0;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(rng.between(300..=1_500))).await;
        let at = rng.below(3) as usize;
        processes[at].kill();
        processes[at] = Process::start(places[at].0, places[at].1.path(), &proxy);
        kills += 1;
    }
    proxy.behave();
    for _ in 0..3_000 {
        let states: Vec<String> = processes.iter().map(Process::state).collect();
        assert!(states.iter().all(|state| !state.contains("astray")), "seed {seed}: {states:?}");
        let [first, ledgers, third] = &states[..] else { panic!("three") };
        let is_done = |state: &str| state.starts_with("done ");
        if is_done(first) && is_done(third) {
            let totals = format!("{} {}", &first[5..], &third[5..]);
            if *ledgers == totals {
                println!("{kills} kills, {:?} faults, totals {totals}", proxy.faults());
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let states: Vec<String> = processes.iter().map(Process::state).collect();
    panic!("seed {seed}: they never come to rest: {states:?}");
}

#[test]
#[ignore = "it is run by the test above, as another process"]
fn a_process_of_its_own() {
    let host: u8 = setting("SAMSARA_HOST").and_then(|text| text.parse().ok()).expect("a host");
    // Without whoever started it there is nobody to do this for.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let live = async {
        if host == LEDGERS { live_as_ledgers().await } else { live_as_source(host).await }
    };
    threads.expect("threads").block_on(live);
}

fn host(n: u8) -> samsara_actors::SystemBuilder {
    let store = setting("SAMSARA_STORE").expect("a store");
    let links = LinkLimits {
        silence: Duration::from_millis(600),
        handshake: Duration::from_secs(1),
        ..LinkLimits::default()
    };
    let disk = samsara_actors::Disk::open(store).expect("a directory");
    builder().transport(Tcp::new(key(n)).links(links)).store(disk)
}

async fn live_as_ledgers() {
    let sources = SOURCES.map(|n| key(n).peer());
    let at = "/ip4/127.0.0.1/tcp/0/tls";
    let system = host(LEDGERS).listen(at).allow(sources).start().await.expect("it starts");
    let mut ledgers = Vec::new();
    for (n, source) in SOURCES.into_iter().zip(sources) {
        let spec = ledger_named(&format!("ledger-{n}"), source);
        ledgers.push(system.spawn(spec).await.expect("it lives"));
    }
    println!("\nat {}", address(&system));
    loop {
        let mut state = Vec::new();
        for ledger in &ledgers {
            state.push(told(noted(ledger, "ledger").await));
        }
        println!("\nstate {}", state.join(" "));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The last number, or that one went astray.
fn told((last, astray): (u64, u64)) -> String {
    if astray == 0 { last.to_string() } else { format!("astray-{astray}-at-{last}") }
}

async fn live_as_source(n: u8) {
    let count: u64 = setting("SAMSARA_COUNT").and_then(|text| text.parse().ok()).expect("a number");
    let (ledgers, at) = (key(LEDGERS).peer(), setting("SAMSARA_AT").expect("an address"));
    let system: System = host(n).peer(ledgers, at).start().await.expect("it starts");
    let spec = source_bound(ledgers.derive(&format!("ledger-{n}")));
    let source: NodeRef = system.spawn(spec).await.expect("it lives");
    loop {
        let (said, _) = noted(&source, "count").await;
        if said < count {
            say(&source, said + 1, 200).await;
            // Some numbers are still to be said when it is killed.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        let heard = noted(&source, "heard").await;
        let is_done = heard.0 == said && heard.1 == 0;
        let state = if is_done { format!("done {said}") } else { told(heard) };
        println!("\nstate {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
