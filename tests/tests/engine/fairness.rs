//! Gathers under a sender that wants all of their rounds, and what comes too late for one.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    framework::{LatePolicy, OnDeadline},
    graph::Graph,
    node::{Installation, Node},
    snapshot::NodeSnapshot,
    step::{EngineStep, NotGathered, Steps},
    time::{Nanos, seconds},
    value::Value,
};

use super::wire::{envelope, fill};

const ROUNDS: u32 = 4;
const OF_ONE: u32 = 2;

/// A server with four rounds, of which one sender opens at most two.
struct Server {
    node: Node,
    sent: [u64; 4],
}

impl Server {
    fn new() -> Self {
        let g = Graph::new("Round");
        let (server, client) = (g.place("server"), g.place("client"));
        let sent = [g.at(client).input::<u64>("round"), g.at(client).input::<u64>("n")];
        let seen = g.channel("update").from(client).to(server).send(sent);
        let two = g.at(server).gather(seen).by(sent[0]).count(2).late(LatePolicy::Count);
        g.at(server).output("all", two.on_deadline(OnDeadline::Partial).deadline(seconds(30)));
        let program = Compiler::new().compile(g.build().expect("sound")).expect("sound");
        let mut config = NodeConfig::default();
        config.state.gather_rounds = ROUNDS;
        config.state.gather_sender_rounds = OF_ONE;
        let server = Installation::new(PeerId::from(100), &program).place("server").config(config);
        Self { node: server.install().expect("it sends to nobody"), sent: [0; 4] }
    }

    /// What this client sends for a round.
    fn send(&mut self, client: u64, round: u64, n: u64, now: Nanos) -> Steps {
        let seq = &mut self.sent[client as usize];
        *seq += 1;
        let fills = [("Round@server/update:0", round), ("Round@server/update:1", n)];
        let fills = fills.map(|(port, value)| fill(port, value));
        let envelope = envelope(*seq, fills.into());
        let from = PeerId::from(client);
        self.node.deliver_envelope(from, envelope, None).expect("it is let in");
        self.node.run_until_idle(now)
    }
}

/// Why something did not count, by round and sender.
fn refusals(steps: &Steps) -> Vec<(Value, PeerId, NotGathered)> {
    let refused = |step: &EngineStep| match step {
        EngineStep::GatherRefused { round, sender, reason, .. } => {
            Some((round.clone(), *sender, *reason))
        }
        _ => None,
    };
    steps.0.iter().filter_map(refused).collect()
}

fn crowded(round: u64, client: u64) -> Vec<(Value, PeerId, NotGathered)> {
    vec![(round.into(), PeerId::from(client), NotGathered::Crowded { cap: OF_ONE })]
}

#[test]
fn a_sender_that_opens_round_after_round_keeps_nobody_out() {
    let mut server = Server::new();
    for round in 0..10 {
        let steps = server.send(1, round, 1, Nanos::ZERO);
        let wanted = if round < u64::from(OF_ONE) { vec![] } else { crowded(round, 1) };
        assert_eq!((refusals(&steps), steps.0.len()), (wanted.clone(), wanted.len()));
    }
    assert_eq!(server.send(2, 20, 2, Nanos::ZERO), Steps::default());
    let steps = server.send(1, 20, 1, Nanos::ZERO);
    assert_eq!(steps.output("all"), Some(vec![1_u64, 2]), "it may join what others opened");
}

#[test]
fn a_round_that_ends_is_counted_for_its_opener_no_more() {
    let mut server = Server::new();
    for round in [0, 1] {
        server.send(1, round, 1, Nanos::ZERO);
    }
    assert_eq!(refusals(&server.send(1, 2, 1, Nanos::ZERO)), crowded(2, 1));
    server.send(2, 1, 2, Nanos::ZERO);
    assert_eq!(server.send(1, 3, 1, Nanos::ZERO), Steps::default(), "by its count");
    server.node.run_until_idle(seconds(30));
    assert_eq!(server.send(1, 4, 1, seconds(30)), Steps::default(), "by its deadline");
}

#[test]
fn who_has_opened_a_round_is_known_after_a_restore() {
    let mut server = Server::new();
    for round in [0, 1] {
        server.send(1, round, 1, Nanos::ZERO);
    }
    server.send(2, 2, 2, Nanos::ZERO);
    server.send(1, 2, 2, Nanos::ZERO);
    let bytes = server.node.snapshot().expect("it has no components").encode();
    let snapshot = NodeSnapshot::decode(bytes).expect("it was just written");
    let mut restored = Server::new();
    restored.sent = server.sent;
    restored.node.restore(&snapshot).expect("it is its own");
    assert_eq!(refusals(&restored.send(1, 5, 1, Nanos::ZERO)), crowded(5, 1));
}

#[test]
fn what_comes_too_late_is_counted_for_the_host_to_see() {
    let mut server = Server::new();
    let late = |server: &Server| server.node.engine_stats().drops.gathered_late;
    for client in [1, 2] {
        server.send(client, 7, client, Nanos::ZERO);
    }
    assert_eq!(late(&server), 0);
    for n in 1..=3 {
        let steps = server.send(3, 7, n, Nanos::ZERO);
        assert_eq!(refusals(&steps), [(7_u64.into(), PeerId::from(3), NotGathered::Late)]);
        assert_eq!(late(&server), n);
    }
}
