//! A program over several Nodes, whose envelopes the test carries.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    framework::{Delivery, LatePolicy},
    graph::Graph,
    node::{Installation, Node},
    snapshot::NodeSnapshot,
    step::{EngineStep, NotGathered, Steps},
    time::{Nanos, seconds},
    value::{FromValue, Value},
};

use super::parts::outputs;

const SERVER: u64 = 100;

/// A server, and clients of these ids, of a program in which the server tells all of them what so
/// many of them sent for a round.
struct World(Vec<Node>);

impl World {
    fn new<const N: usize>(clients: [u64; N], count: u32, late: LatePolicy) -> Self {
        let g = Graph::new("Round");
        let (server, client) = (g.place("server"), g.place("client"));
        let round = g.at(client).input::<u64>("round");
        let n = g.at(client).input::<u64>("n");
        let seen = g.channel("update").from(client).to(server).send([round, n]);
        let gather = g.at(server).gather(seen).by(round).count(count).late(late);
        let all = gather.deadline(seconds(30));
        let told = g.channel("all").from(server).to(client).best_effort().broadcast(all);
        g.at(client).output("all", told[0]);
        let program = Compiler::new().compile(g.build().expect("sound")).expect("sound");
        let server = PeerId::from(SERVER);
        let at = |peer, place| Installation::new(peer, &program).place(place);
        let first = at(server, "server").bind("client", clients.map(PeerId::from)).install();
        let client = |id| at(PeerId::from(id), "client").bind("server", [server]).install();
        let nodes = [first].into_iter().chain(clients.map(client));
        Self(nodes.map(|node| node.expect("all is bound")).collect())
    }

    fn node(&mut self, peer: PeerId) -> &mut Node {
        self.0.iter_mut().find(|node| node.peer_id() == peer).expect("it is one of the world")
    }

    /// Lets a client send, and carries that.
    fn send(&mut self, client: u64, round: u64, n: u64, now: Nanos) -> Vec<(PeerId, Steps)> {
        let node = self.node(PeerId::from(client));
        node.invoke("Round", [("round", round), ("n", n)]).expect("it is admitted");
        self.carry(now)
    }

    /// Runs all Nodes until nobody sends, and tells what they did beside sending.
    fn carry(&mut self, now: Nanos) -> Vec<(PeerId, Steps)> {
        let mut told = Vec::new();
        loop {
            let mut sent = Vec::new();
            for node in &mut self.0 {
                let from = node.peer_id();
                for step in node.run_until_idle(now).0 {
                    match step {
                        EngineStep::SendEnvelope { to, class, envelope } => {
                            sent.push((from, to, class, envelope));
                        }
                        step => told.push((from, Steps(vec![step]))),
                    }
                }
            }
            if sent.is_empty() {
                return told;
            }
            for (from, to, class, envelope) in sent {
                let is_server = from == PeerId::from(SERVER);
                let promised = if is_server { Delivery::BestEffort } else { Delivery::Effective };
                assert_eq!(class, promised);
                self.node(to).deliver_envelope(from, *envelope, None).expect("it is let in");
            }
        }
    }
}

/// What clients were told, by their ids.
fn heard(told: &[(PeerId, Steps)]) -> Vec<(PeerId, Vec<u64>)> {
    let heard = |(peer, steps): &(PeerId, Steps)| {
        let (port, value) = outputs(&steps.0).pop()?;
        assert_eq!(port, "all");
        Some((*peer, Vec::from_value(value).ok()?))
    };
    told.iter().filter_map(heard).collect()
}

#[test]
fn a_round_is_whole_with_its_last_sender_and_all_hear_of_it_in_the_order_of_ids() {
    let mut world = World::new([3, 1, 2], 3, LatePolicy::Drop);
    assert_eq!(world.send(3, 7, 30, Nanos::ZERO), []);
    assert_eq!(world.send(1, 7, 10, Nanos::ZERO), []);
    let told = world.send(2, 7, 20, Nanos::ZERO);
    let all = vec![10, 20, 30];
    assert_eq!(heard(&told), [3, 1, 2].map(|id| (PeerId::from(id), all.clone())));
    assert_eq!(told.len(), 3);
}

#[test]
fn a_round_that_is_half_full_goes_on_after_a_restore() {
    let mut world = World::new([1, 2], 2, LatePolicy::Drop);
    let start = world.node(PeerId::from(SERVER)).snapshot().expect("it has no components");
    world.send(1, 7, 10, Nanos::ZERO);
    let server = world.node(PeerId::from(SERVER));
    let half = server.snapshot().expect("it has no components").encode();
    let half = NodeSnapshot::decode(half).expect("it was just written");
    server.restore(&half).expect("it is its own");
    assert_eq!(heard(&world.send(2, 7, 20, Nanos::ZERO))[0].1, [10, 20]);
    let server = world.node(PeerId::from(SERVER));
    assert!(server.restore(&half.clone().with_part_of("gathers", &start)).is_err());
}

#[test]
fn a_sender_counts_once_however_often_it_sends() {
    let mut world = World::new([1, 2], 2, LatePolicy::Drop);
    world.send(1, 7, 10, Nanos::ZERO);
    let told = world.send(1, 7, 11, Nanos::ZERO);
    let [(server, steps)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*server, PeerId::from(SERVER));
    let [EngineStep::GatherRefused { op, round, sender, reason, .. }] = &steps.0[..] else {
        panic!("{steps:?}");
    };
    assert_eq!((&**op, round, *sender), ("gather.update", &Value::U64(7), PeerId::from(1)));
    assert_eq!(*reason, NotGathered::Duplicate);
    assert_eq!(heard(&world.send(2, 7, 20, Nanos::ZERO))[0].1, [10, 20]);
}

#[test]
fn those_who_came_are_told_to_all_at_the_deadline() {
    let mut world = World::new([1, 2, 3], 3, LatePolicy::Drop);
    world.send(2, 7, 20, seconds(1));
    assert_eq!(world.carry(seconds(30)), []);
    let told = world.carry(seconds(31));
    assert_eq!(heard(&told), [1, 2, 3].map(|id| (PeerId::from(id), vec![20])));
}

#[test]
fn what_is_late_counts_in_the_next_open_round_by_number() {
    let mut world = World::new([1, 2, 3], 2, LatePolicy::Next);
    for client in [1, 2] {
        world.send(client, 255, 0, Nanos::ZERO);
    }
    // As little-endian bytes 256 would stand before 255, and 511 be the next.
    world.send(1, 511, 12, Nanos::ZERO);
    world.send(1, 256, 11, Nanos::ZERO);
    let told = world.send(3, 255, 30, Nanos::ZERO);
    assert_eq!(heard(&told)[0].1, [11, 30]);
}
