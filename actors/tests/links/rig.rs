//! A source that counts, and a ledger at another host that tells back each number it has noted.
//!
//! Law: both take note of every number that is not the next one. So if both ends are at the last
//! number and neither has noted anything, each had its effect once, and in order.

use std::{
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use samsara_actors::{Disk, LinkConfig, NodeRef, System, SystemBuilder};
use samsara_proto::{Address, PeerId};
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{HostConfig, JournalConfig},
    graph::Graph,
    program::Program,
    recovery::NodeSpec,
    time::Nanos,
};
use samsara_transport::{Hub, Identity, LinkLimits};
use serde::{Deserialize, Serialize};

/// The name of the module.
pub(crate) const ROUND: &str = "Round";

#[derive(Default, Serialize, Deserialize)]
struct Ledger {
    last: u64,
    astray: u64,
}

impl Component for Ledger {
    const TYPE_NAME: &'static str = "test.ledger@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("note", |ledger: &mut Self, n: u64| {
            if n == ledger.last + 1 {
                ledger.last = n;
            } else {
                ledger.astray += 1;
            }
            ledger.last
        });
        ops.on("next", |ledger: &mut Self, _: u64| {
            ledger.last += 1;
            ledger.last
        });
        ops.on("last", |ledger: &mut Self, _: u64| ledger.last);
        ops.on("astray", |ledger: &mut Self, _: u64| ledger.astray);
    }
}

/// `say` the next number with a load at the source; `look` at either place.
pub(crate) fn program() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
        let g = Graph::new(ROUND);
        let (source, ledger) = (g.place("source"), g.place("ledger"));
        let (say, load) = (g.at(source).input::<u64>("say"), g.at(source).input::<Bytes>("load"));
        let next = g.at(source).slot("count").op("next", [say]);
        let items = g.channel("items").from(source).to(ledger).send([next, load]);
        let noted = g.at(ledger).slot("ledger").op("note", [items[0]]);
        let back = g.channel("noted").from(ledger).to(source).send([noted]);
        g.at(source).slot("heard").op("note", [back[0]]);
        for (place, slot) in [(source, "count"), (source, "heard"), (ledger, "ledger")] {
            let look = g.at(place).input::<u64>(&format!("look-{slot}"));
            for op in ["last", "astray"] {
                let seen = g.at(place).slot(slot).op(op, [look]);
                g.at(place).output(&format!("{slot}-{op}"), seen);
            }
        }
        let draft = g.build().expect("the module is sound");
        let compiler = Compiler::new().bind::<Ledger>("ledger").bind::<Ledger>("heard");
        compiler.bind::<Ledger>("count").compile(draft).expect("the program is sound")
    });
    PROGRAM.clone()
}

/// What a place has noted: the last number, and how many were not the next one.
pub(crate) async fn noted(node: &NodeRef, slot: &str) -> (u64, u64) {
    let look = format!("look-{slot}");
    let Ok(reply) = node.ask(ROUND, [(look.as_str(), 0_u64)]).await else {
        // Between two lives, or at its end: asked again by whoever waits.
        return (0, 0);
    };
    let read = |what: &str| reply.get::<u64>(&format!("{slot}-{what}")).expect("it was asked");
    (read("last"), read("astray"))
}

/// Says this number, with a load of so many bytes.
pub(crate) async fn say(node: &NodeRef, n: u64, load: usize) {
    let load = Bytes::from(vec![7_u8; load]);
    let said = async {
        loop {
            let inputs = vec![("say".into(), n.into()), ("load".into(), load.clone().into())];
            match node.invoke_with(ROUND, inputs).await {
                Ok(_) => return,
                Err(samsara_actors::CallError::Busy { .. }) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    said.await;
}

/// Waits until both ends have noted so many numbers, and finds that none went astray.
pub(crate) async fn all_noted(source: &NodeRef, ledger: &NodeRef, count: u64) {
    for _ in 0..30_000 {
        let (there, back) = (noted(ledger, "ledger").await, noted(source, "heard").await);
        assert_eq!(
            (there.1, back.1),
            (0, 0),
            "one was lost, doubled or overtaken: {there:?} {back:?}"
        );
        if there.0 == count && back.0 == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (there, back) = (noted(ledger, "ledger").await, noted(source, "heard").await);
    panic!("never {count}: {there:?} there, {back:?} back");
}

/// Waits until this holds, and fails if it never does.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

/// Links that come back soon.
pub(crate) fn quick() -> LinkConfig {
    let mut config = LinkConfig::default();
    config.dial_base = Nanos::from_millis(2);
    config.dial_cap = Nanos::from_millis(20);
    config.beat = Nanos::from_millis(50);
    config
}

pub(crate) fn limits() -> HostConfig {
    let mut limits = HostConfig::default();
    limits.supervision.backoff_base = Nanos::from_millis(1);
    limits.supervision.backoff_cap = Nanos::from_millis(2);
    limits.journal = JournalConfig {
        segment_bytes: 4 << 20,
        max_record_bytes: 2 << 20,
        ..JournalConfig::edge()
    };
    limits
}

pub(crate) fn builder() -> SystemBuilder {
    System::builder().limits(limits()).link_limits(quick())
}

pub(crate) fn key(number: u8) -> Identity {
    Identity::from_seed([number; 32]).expect("a seed is a key")
}

/// What two hosts reach each other by.
#[derive(Clone)]
pub(crate) enum Net {
    Hub(Hub),
    Tcp,
}

impl Net {
    pub(crate) fn hub() -> Self {
        Self::Hub(Hub::default())
    }

    /// Who host number `n` is.
    pub(crate) fn peer(&self, n: u8) -> PeerId {
        key(n).peer()
    }

    /// Host number `n`, that is reached where it says.
    pub(crate) fn host(&self, n: u8) -> SystemBuilder {
        match self {
            Self::Hub(hub) => builder().transport(hub.join(self.peer(n), LinkLimits::default())),
            Self::Tcp => builder().identity(key(n)),
        }
    }

    /// Any free place to listen at.
    pub(crate) fn anywhere(&self) -> &'static str {
        match self {
            Self::Hub(_) => "/memory/0",
            Self::Tcp => "/ip4/127.0.0.1/tcp/0/tls",
        }
    }
}

pub(crate) fn address(system: &System) -> Address {
    system.addresses().first().expect("it listens").clone()
}

pub(crate) fn source_spec(ledger_host: PeerId) -> NodeSpec {
    source_bound(ledger_host.derive("ledger"))
}

pub(crate) fn source_bound(ledger: PeerId) -> NodeSpec {
    NodeSpec::new("source", program()).place("source").bind("ledger", [ledger])
}

pub(crate) fn ledger_spec(source_host: PeerId) -> NodeSpec {
    ledger_named("ledger", source_host)
}

pub(crate) fn ledger_named(name: &str, source_host: PeerId) -> NodeSpec {
    let source = source_host.derive("source");
    NodeSpec::new(name, program()).place("ledger").bind("source", [source])
}

/// A directory of its own, which is gone when it is dropped.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("samsara-links-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn disk(&self) -> Disk {
        Disk::open(&self.0).expect("a directory")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed the machine's owner removes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
