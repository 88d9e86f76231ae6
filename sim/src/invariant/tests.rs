//! Each invariant is broken once by hand, so that none is there for show.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler, graph::Graph, id::ExecId, node::Node, recovery::Lsn, recovery::NodeSpec,
    time::Nanos,
};

use super::{
    Invariant, budget::Budget, calm::Calm, conservation::Conservation, durability::Durability,
    fencing::Fencing, identity::Identity, lives::Lives, order::Order, outputs::Outputs,
    promises::Promises, replay::ReplayEquality, settles::Settles, streams::Streams,
};
use crate::{fact::Fact, ledger::Ledger, sight::Sight};

const NOBODY: Sight<'_> = Sight { nodes: Vec::new(), is_settled: true, unsent: 0 };

/// A Node whose ledger has noted these calls.
fn noted(calls: &[u64]) -> Node {
    let g = Graph::new("Note");
    g.output("noted", g.slot(Ledger::SLOT).op("note", [g.input::<u64>("call")]));
    let modules = g.build().expect("the module is sound");
    let compiler = Compiler::new().bind::<Ledger>(Ledger::SLOT);
    let program = compiler.compile(modules).expect("the program is sound");
    let mut node = NodeSpec::new("book", program).install(&PeerId::from(1)).expect("it is sound");
    for call in calls {
        node.invoke("Note", [("call", *call)]).expect("there is room");
    }
    node.run_until_idle(Nanos::ZERO);
    node
}

/// How the settled world of this Node breaks the invariant, after these facts.
fn settle(mut invariant: impl Invariant, facts: &[Fact], node: &Node) -> Option<String> {
    for fact in facts {
        invariant.hear(fact).expect("facts alone break nothing");
    }
    invariant.settled(&Sight { nodes: vec![("book", node)], is_settled: true, unsent: 0 }).err()
}

fn acked(call: u64) -> Fact {
    Fact::Acked { node: 0, call, exec: ExecId::new(call).expect("calls begin at one") }
}

fn left(number: u64, turn: Option<u64>, content: u8) -> Fact {
    Fact::Left { node: 0, number, turn, hash: [content; 32] }
}

/// How the last of these facts breaks the invariant, and that none before it does.
fn hear(mut invariant: impl Invariant, facts: &[Fact]) -> Option<String> {
    let (last, before) = facts.split_last().expect("there are facts");
    for fact in before {
        invariant.hear(fact).expect("only the last fact may break it");
    }
    invariant.hear(last).err()
}

#[test]
fn an_acknowledged_call_that_is_lost_doubled_or_also_dead_is_seen() {
    let facts = [acked(1), acked(2)];
    let dead = [acked(1), acked(2), Fact::Lettered { node: 0, call: 2 }];
    let see = |facts: &[Fact], calls: &[u64]| settle(Durability::default(), facts, &noted(calls));
    assert_eq!(see(&facts, &[1, 2, 3]), None, "the third was not acknowledged");
    assert_eq!(see(&dead, &[1]), None);
    assert!(see(&facts, &[1]).is_some_and(|how| how.contains("call 2 was acknowledged")));
    assert!(see(&facts, &[1, 2, 2]).is_some_and(|how| how.contains("2 times")));
    assert!(see(&dead, &[1, 2]).is_some_and(|how| how.contains("is dead")));
}

#[test]
fn effects_out_of_order_are_seen() {
    assert_eq!(settle(Order, &[], &noted(&[1, 3, 4])), None);
    assert!(settle(Order, &[], &noted(&[1, 4, 3])).is_some());
}

#[test]
fn a_call_that_ends_twice_or_never_is_seen() {
    let offered = Fact::Offered { node: 0, call: 1 };
    let refused = Fact::Refused { node: 0, call: 1 };
    assert_eq!(hear(Conservation::default(), &[offered.clone(), acked(1)]), None);
    assert!(hear(Conservation::default(), &[offered.clone(), acked(1), refused]).is_some());
    let mut open = Conservation::default();
    open.hear(&offered).expect("it may end yet");
    assert!(open.settled(&NOBODY).is_err());
}

#[test]
fn whatever_a_life_that_is_over_achieves_is_seen() {
    let zombie = |is_refused| Fact::Zombie { node: 0, is_refused };
    let second = |is_refused| Fact::SecondOwner { host: 0, is_refused };
    assert_eq!(hear(Fencing::default(), &[zombie(true), second(true)]), None);
    assert!(hear(Fencing::default(), &[zombie(false)]).is_some());
    assert!(hear(Fencing::default(), &[second(false)]).is_some());
}

#[test]
fn a_replay_that_makes_another_node_is_seen() {
    let applied = Fact::Applied { node: 0, batch: Lsn::new(3), digest: [1; 32] };
    let replayed = |digest| Fact::Replayed { node: 0, batch: Lsn::new(3), digest: [digest; 32] };
    assert_eq!(hear(ReplayEquality::default(), &[applied.clone(), replayed(1)]), None);
    assert!(hear(ReplayEquality::default(), &[applied, replayed(2)]).is_some());
}

#[test]
fn outputs_that_are_missing_others_or_told_again_are_seen() {
    let see = |facts: &[Fact]| hear(Outputs::default(), facts);
    let told = Fact::Told { node: 0, up_to: 1 };
    assert_eq!(see(&[left(1, Some(1), 1), left(2, Some(1), 2)]), None);
    assert_eq!(see(&[left(1, Some(1), 1), left(1, None, 1)]), None, "it may not have left");
    assert!(see(&[left(1, Some(1), 1), left(3, Some(3), 3)]).is_some());
    assert!(see(&[left(1, Some(1), 1), left(1, None, 9)]).is_some());
    assert!(see(&[left(1, Some(1), 1), left(1, Some(1), 1)]).is_some());
    let turns = [left(1, Some(1), 1), told, left(2, Some(2), 2), left(1, None, 1)];
    assert!(see(&turns).is_some());
}

#[test]
fn a_world_that_does_not_settle_is_seen() {
    assert_eq!(Settles.settled(&NOBODY), Ok(()));
    assert!(Settles.settled(&Sight { is_settled: false, ..NOBODY }).is_err());
}

const PEER: u64 = 9;

fn said(seq: u64, hash: u8, is_again: bool) -> Fact {
    let (to, hash) = (PeerId::from(PEER), [hash; 32]);
    Fact::Said { node: 0, to, stream: 1, epoch: 1, seq, hash, is_again }
}

#[test]
fn what_is_said_otherwise_or_again_as_new_is_seen() {
    let see = |facts: &[Fact]| hear(Identity::default(), facts);
    assert_eq!(see(&[said(1, 1, false), said(2, 2, false), said(1, 1, true)]), None);
    assert!(see(&[said(1, 1, false), said(1, 2, true)]).is_some());
    assert!(see(&[said(1, 1, false), said(1, 1, false)]).is_some());
}

fn taken(epoch: u64, seq: u64) -> Fact {
    Fact::Taken { node: 0, from: PeerId::from(PEER), stream: 1, epoch, seq }
}

fn admitted(life: u64, seq: u64) -> Fact {
    Fact::Admitted { node: 0, from: PeerId::from(PEER), life, stream: 1, epoch: 1, seq }
}

#[test]
fn a_stream_that_is_taken_twice_or_with_a_gap_is_seen() {
    let see = |facts: &[Fact]| hear(Streams::default(), facts);
    let fell = || Fact::Fell { node: 0 };
    assert_eq!(see(&[taken(1, 1), taken(1, 2), taken(2, 1)]), None);
    assert_eq!(see(&[taken(1, 1), fell(), taken(1, 4)]), None, "more may have been kept");
    assert!(see(&[taken(1, 1), taken(1, 3)]).is_some());
    assert!(see(&[taken(1, 2), fell(), taken(1, 2)]).is_some());
    assert!(see(&[taken(2, 1), taken(1, 2)]).is_some());
    assert_eq!(see(&[admitted(1, 1), admitted(1, 2)]), None);
    assert!(see(&[admitted(1, 1), admitted(1, 1)]).is_some());
    assert!(see(&[admitted(1, 1), admitted(1, 3)]).is_some());
}

#[test]
fn a_life_that_is_heard_behind_a_later_one_is_seen() {
    let see = |facts: &[Fact]| hear(Lives::default(), facts);
    assert_eq!(see(&[admitted(1, 1), admitted(2, 2)]), None);
    assert!(see(&[admitted(2, 1), admitted(1, 2)]).is_some());
    let heard = |life| Fact::Heard { node: 0, from: PeerId::from(PEER), life };
    let ended = || Fact::Ended { host: 0, how: "it was cut" };
    assert_eq!(see(&[heard(2), ended(), heard(1)]), None, "it may not remember");
    assert!(see(&[heard(2), heard(1)]).is_some());
}

#[test]
fn a_promise_that_is_taken_back_or_was_never_true_is_seen() {
    let promised =
        |durable| Fact::Promised { node: 0, to: PeerId::from(PEER), stream: 1, epoch: 1, durable };
    assert_eq!(hear(Promises::default(), &[promised(1), promised(2)]), None);
    assert!(hear(Promises::default(), &[promised(2), promised(1)]).is_some());
    assert!(settle(Promises::default(), &[promised(1)], &noted(&[])).is_some());
}

#[test]
fn an_alarm_or_a_loss_without_a_reason_is_seen() {
    let peer = PeerId::from(PEER);
    let alarmed = || Fact::Alarmed { node: 0, peer, what: "it forgot".to_owned() };
    let spoiled = || Fact::Spoiled { node: 0, how: "it was read".to_owned() };
    let lost = |stream| {
        let reason = "it was given up".to_owned();
        Fact::Undelivered { node: 0, to: peer, stream, epoch: 1, count: 1, reason }
    };
    let see = |facts: &[Fact]| hear(Calm::default(), facts);
    assert_eq!(see(&[lost(0)]), None, "best effort may be dropped");
    assert_eq!(see(&[Fact::Forgot { node: 1 }, alarmed(), lost(1)]), None);
    assert!([alarmed(), spoiled(), lost(1)].into_iter().all(|fact| see(&[fact]).is_some()));
}

#[test]
fn bytes_that_are_left_in_the_end_are_seen() {
    let mut node = noted(&[1]);
    assert_eq!(settle(Budget, &[], &node), None);
    node.invoke("Note", [("call", 2_u64)]).expect("there is room");
    assert!(settle(Budget, &[], &node).is_some());
    assert!(Budget.settled(&Sight { unsent: 1, ..NOBODY }).is_err());
}
