//! Two hosted Nodes, one of which its process takes all from.

use samsara_proto::{PeerId, WireEnvelope};
use samsara_runtime::{
    compiler::Compiler,
    config::HostConfig,
    delivery::{CourierStep, Undelivered},
    graph::Graph,
    hosting::{Birth, Did, Ground, Resident, Store, Word},
    id::Incarnation,
    node::Wakeup,
    recovery::{Durability, NodeSpec, StoreLife},
    rng::Rng,
    step::EngineStep,
    storage::MemoryDisk,
    time::{Nanos, millis},
    value::{IntoValue, Value},
};

/// What a Node stands on, and what it told.
struct Floor {
    store: Store<MemoryDisk>,
    sent: Vec<WireEnvelope>,
    dropped: Vec<(u64, u64, Undelivered)>,
    heard: Vec<Value>,
}

impl Ground for Floor {
    type Journal = Store<MemoryDisk>;

    fn journal(&mut self) -> &mut Self::Journal {
        &mut self.store
    }

    fn hear(&mut self, _: &PeerId, word: Word<'_>) {
        match word {
            Word::Carry(CourierStep::Send { envelope, .. }) => self.sent.push(*envelope),
            Word::Carry(CourierStep::Dropped { epoch, count, reason, .. }) => {
                self.dropped.push((epoch, count, reason));
            }
            Word::Carry(CourierStep::Dial { .. }) => {}
            Word::Carry(other) => panic!("{other:?}"),
            Word::Left { step: EngineStep::AppEvent { value, .. }, .. } => {
                self.heard.push(value.clone());
            }
            _ => {}
        }
    }
}

struct Host {
    resident: Resident,
    floor: Floor,
}

impl Host {
    fn boot(name: &str, life: u64, durability: Durability) -> Self {
        let g = Graph::new("Main");
        g.net_out("Main/n", g.input::<PeerId>("to"), g.input::<u64>("say"));
        g.output("heard", g.input::<u64>("n"));
        g.export("n");
        let program = Compiler::new().compile(g.build().expect("it is sound")).expect("and this");
        let spec = NodeSpec::new(name, program).durability(durability);
        let (config, mut rng) = (HostConfig::default(), Rng::from_seed(life));
        let store =
            Store::open(MemoryDisk::default(), config.journal, &mut rng).expect("it is new");
        let (sent, dropped, heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut floor = Floor { store: store.0, sent, dropped, heard };
        let life = StoreLife { incarnation: Incarnation::new(life), boot_nonce: rng.next_u64() };
        let birth = Birth { host: &PeerId::from(7), life, config: &config, now: Nanos::ZERO };
        let raised = Resident::raise(&spec, &birth, &mut floor, None);
        Self { resident: raised.map_err(|not| not.error).expect("it is new"), floor }
    }

    fn peer(&self) -> PeerId {
        self.resident.peer_id()
    }

    fn say(&mut self, to: PeerId, n: u64) {
        let inputs = [("to", to.into_value()), ("say", n.into_value())];
        let inputs = inputs.map(|(name, value)| (name, value.expect("it is shallow")));
        self.resident.node_mut().invoke("Main", inputs).expect("there is room");
    }

    fn settle(&mut self, now: Nanos) {
        while !matches!(
            self.resident.act(&mut self.floor, now),
            Ok(Did::Rest(Wakeup::Never | Wakeup::At(_)))
        ) {}
    }
}

fn meet(hosts: &mut [Host; 2]) {
    let peers = hosts.each_ref().map(Host::peer);
    for (host, other) in hosts.iter_mut().zip(peers.into_iter().rev()) {
        let address = "/memory/1".parse().expect("it is an address");
        host.resident.node_mut().add_peer(other, [address]).expect("there is room");
        host.resident.link_down(&other);
        host.resident.link_up(other).expect("there is room");
    }
    settle(hosts);
}

fn settle(hosts: &mut [Host; 2]) {
    let peers = hosts.each_ref().map(Host::peer);
    for round in 1..40 {
        let now = millis(round);
        for at in 0..2 {
            hosts[at].settle(now);
            for envelope in std::mem::take(&mut hosts[at].floor.sent) {
                let _ = hosts[1 - at].resident.receive(peers[at], Box::new(envelope), None, now);
            }
        }
    }
}

#[test]
fn a_node_that_its_process_took_all_from_goes_on_with_those_that_remember_it() {
    let mut hosts =
        [Host::boot("ada", 1, Durability::Durable), Host::boot("bob", 4, Durability::Memory)];
    let [ada, bob] = hosts.each_ref().map(Host::peer);
    meet(&mut hosts);
    for n in 1..=3 {
        hosts[0].say(bob, n);
        hosts[1].say(ada, 10 + n);
    }
    settle(&mut hosts);
    assert_eq!(hosts[1].floor.heard, [1, 2, 3].map(Value::U64));
    let memory = |host: &Host| {
        let memory = host.resident.node().memory();
        assert_eq!(memory, host.resident.courier().station().memory, "as its courier says");
        memory
    };
    let before = memory(&hosts[1]);

    hosts[1] = Host::boot("bob", 5, Durability::Memory);
    assert!(memory(&hosts[1]) > before + 1_000, "it may begin streams anew in between");
    meet(&mut hosts);
    hosts[0].say(bob, 4);
    hosts[1].say(ada, 14);
    settle(&mut hosts);
    assert_eq!(hosts[0].floor.dropped, [(1, 0, Undelivered::PeerAnew)]);
    assert_eq!(hosts[1].floor.heard, [Value::U64(4)], "the host has done nothing for it");
    assert_eq!(hosts[0].floor.heard, [11, 12, 13, 14].map(Value::U64));
    assert!(hosts.iter().all(|host| host.resident.courier().is_settled()));
}
