//! Cut between any two turns, written down, read back on a fresh Node, gone on: nothing shows.
//!
//! Law: what is compared is every step that follows, and the state at each cut as its digest.

mod everything;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use samsara_proto::{PeerId, snapshot as mirror};
use samsara_runtime::{
    config::NodeConfig,
    graph::Graph,
    node::{Batch, Node, install},
    program::Program,
    snapshot::{DecodeError, NodeSnapshot, RestoreError},
    step::EngineStep,
    time::{millis, seconds},
};

use self::everything::{Everything, history, seen};
use super::{
    determinism::{perform, story_of},
    oracle::Stage,
    parts::{completion, node, node_with},
};

/// What a Node was moved by, and what it did.
type Turn = (Batch, Vec<EngineStep>);

/// How many of the random stories are cut at each of their turns.
const STORIES: u8 = 60;

/// The snapshot as its own bytes and as the message that other languages read.
fn there_and_back(snapshot: &NodeSnapshot) -> NodeSnapshot {
    let message = mirror::NodeSnapshot::from(snapshot).encode_to_vec();
    let message = mirror::NodeSnapshot::decode(&*message).expect("it was just written");
    assert_eq!(NodeSnapshot::try_from(message).as_ref(), Ok(snapshot));
    NodeSnapshot::decode(snapshot.encode()).expect("it was just written")
}

/// What a Node does in these turns.
fn replay(node: &mut Node, turns: &[Turn]) -> Vec<Vec<EngineStep>> {
    let step = |(batch, _): &Turn| {
        let mut steps = Vec::new();
        node.replay(batch, &mut steps);
        steps
    };
    turns.iter().map(step).collect()
}

/// Cuts a history between all its turns and tells each cut to `look`, with the turns that follow.
fn cut(fresh: impl Fn() -> Node, turns: &[Turn], mut look: impl FnMut(&NodeSnapshot, &[Turn])) {
    let mut whole = fresh();
    for place in 0..=turns.len() {
        let snapshot = whole.snapshot().expect("its components can be written");
        let mut restored = fresh();
        restored.restore(&there_and_back(&snapshot)).expect("it is of this Node");
        let again = restored.snapshot().expect("its components can be written");
        assert_eq!(again.digest(), snapshot.digest(), "at cut {place}");
        let wanted: Vec<_> = turns[place..].iter().map(|(_, steps)| steps.clone()).collect();
        assert_eq!(replay(&mut restored, &turns[place..]), wanted, "after cut {place}");
        look(&snapshot, &turns[place..]);
        if let Some(turn) = turns.get(place) {
            replay(&mut whole, std::slice::from_ref(turn));
        }
    }
}

#[test]
fn a_story_that_is_cut_anywhere_goes_on_as_if_it_had_not_been() {
    for seed in 0..STORIES {
        let story = story_of(seed);
        let program = story.program();
        let turns = perform(&story, &program, story.config());
        cut(|| Stage::new(&program, story.config()).node, &turns, |_, _| {});
    }
}

#[test]
fn a_node_with_everything_under_way_goes_on_from_any_cut() {
    let everything = Everything::new();
    let turns = history(&everything);
    let mut most = everything::UnderWay::default();
    cut(
        || everything.node(),
        &turns,
        |snapshot, _| {
            let mut node = everything.node();
            node.restore(snapshot).expect("it is of this Node");
            most.note(&node);
        },
    );
    println!("under way at the cuts, at most: {most:?}");
    most.assert_all();
}

/// All that shows of a Node which is set to this snapshot and then goes on.
fn shown(everything: &Everything, snapshot: &NodeSnapshot, rest: &[Turn]) -> Option<String> {
    let mut node = everything.node();
    node.restore(snapshot).ok()?;
    let steps = replay(&mut node, rest);
    Some(format!("{steps:?} {} {}", seen(&mut node), next_id(&mut node)))
}

#[test]
fn no_part_of_a_snapshot_can_be_left_as_it_was_at_the_start() {
    let everything = Everything::new();
    let turns = history(&everything);
    let start = everything.node().snapshot().expect("its components can be written");
    let (mut parts, mut missed) = (BTreeMap::new(), BTreeSet::new());
    parts.extend(start.parts().map(|(part, _)| (part.to_owned(), start.clone())));
    let look = |snapshot: &NodeSnapshot, rest: &[Turn]| {
        let whole = shown(&everything, snapshot, rest);
        assert!(whole.is_some(), "it is of this Node");
        for (part, _) in snapshot.parts() {
            // As it was when it first was there.
            let first = parts.entry(part.to_owned()).or_insert_with(|| snapshot.clone());
            let mutant = snapshot.clone().with_part_of(part, first);
            if shown(&everything, &mutant, rest) != whole {
                missed.insert(part.to_owned());
            }
        }
    };
    cut(|| everything.node(), &turns, look);
    // The first is shown by the test below, which reaches the cap on them; the second beside the
    // other tests of gathers; an op fires once, so of latches only their number can show later; an
    // epoch is the same until a Node loses its state.
    let others = ["awaited answers", "gathers", "latches", "stream epoch"];
    missed.extend(others.map(str::to_owned));
    let idle: Vec<_> = parts.keys().filter(|part| !missed.contains(*part)).collect();
    assert!(idle.is_empty(), "nothing shows when these are not restored: {idle:?}");
}

#[test]
fn a_message_of_another_version_or_without_a_part_is_no_snapshot() {
    let message = mirror::NodeSnapshot::from(&echo().snapshot().expect("no components"));
    let other = mirror::NodeSnapshot { spec_version: 2, ..message.clone() };
    let refused = Err(DecodeError::SpecVersionMismatch { got: 2, expected: 1 });
    assert_eq!(NodeSnapshot::try_from(other), refused);
    let other = mirror::NodeSnapshot { transient: None, ..message.clone() };
    assert!(NodeSnapshot::try_from(other).is_err());
    let other = mirror::NodeSnapshot { plan_hash: vec![1].into(), ..message };
    assert!(NodeSnapshot::try_from(other).is_err());
}

#[test]
fn answers_that_are_owed_still_count_after_a_restore() {
    let config = NodeConfig { max_pending_async: 2, ..NodeConfig::default() };
    let new = || {
        node_with(config, |g| {
            let later = g.slot("parts").within(seconds(1)).op("later", [g.input::<u64>("n")]);
            g.output("later", later);
        })
    };
    let mut first = new();
    for n in [601_u64, 602] {
        first.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    first.run_until_idle(seconds(0));
    first.run_until_idle(seconds(1));
    assert_eq!(first.pending_async_count(), 0, "their time was up");
    let snapshot = first.snapshot().expect("they can be written");
    let mut idle = new();
    idle.invoke("Main", [("n", 604_u64)]).expect("it is admitted");
    idle.run_until_idle(seconds(0));
    completion(604).complete(1).expect("it has a place");
    idle.run_until_idle(seconds(0));
    let idle = idle.snapshot().expect("they can be written");
    for (snapshot, wanted) in [
        (snapshot.clone(), Some("2 answers are awaited already")),
        (snapshot.with_part_of("awaited answers", &idle), None),
    ] {
        let mut second = new();
        second.restore(&snapshot).expect("it is of this Node");
        second.invoke("Main", [("n", 603_u64)]).expect("it is admitted");
        let steps = second.run_until_idle(seconds(1));
        assert_eq!(steps.failures().next().map(|error| error.reason()), wanted);
    }
}

/// The id that the Node gives at its door next.
fn next_id(node: &mut Node) -> u64 {
    node.invoke("Main", [("m", 0_u64)]).expect("it is admitted").get()
}

fn echo() -> Node {
    node(|g| g.output("later", g.sleep(g.input::<String>("text"), seconds(3))))
}

#[test]
fn every_flipped_bit_missing_byte_and_trailing_byte_is_noticed() {
    let mut node = echo();
    node.invoke("Main", [("text", "hello")]).expect("it is admitted");
    node.run_until_idle(seconds(0));
    let bytes = node.snapshot().expect("it has no components").encode();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1 << bit;
            assert!(NodeSnapshot::decode(flipped).is_err(), "bit {bit} of byte {at}");
        }
        assert!(NodeSnapshot::decode(bytes.slice(..at)).is_err(), "cut at {at}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    let (got, expected) = (longer.len() as u64 - 52, longer.len() as u64 - 53);
    assert_eq!(NodeSnapshot::decode(longer), Err(DecodeError::Length { got, expected }));
    let mut other = bytes.to_vec();
    other[8] = 2;
    let refused = Err(DecodeError::SpecVersionMismatch { got: 2, expected: 1 });
    assert_eq!(NodeSnapshot::decode(other), refused);
}

fn program(name: &str) -> Program {
    let g = Graph::new(name);
    g.output("later", g.sleep(g.input::<String>("text"), seconds(3)));
    samsara_runtime::compiler::Compiler::new()
        .compile(g.build().expect("it is sound"))
        .expect("it is sound")
}

#[test]
fn a_snapshot_of_another_node_or_program_is_refused_and_the_live_node_goes_on() {
    let install = |peer: u64, program: &Program, target: &str| {
        install(PeerId::from(peer), [], program, &[target], NodeConfig::default())
            .expect("it installs")
    };
    let (echo, other) = (program("Echo"), program("Other"));
    let mut live = install(1, &echo, "Echo");
    live.invoke("Echo", [("text", "hello")]).expect("it is admitted");
    live.run_until_idle(seconds(0));
    let mut of = |mut node: Node| live.restore(&node.snapshot().expect("no components"));
    let refused = of(install(2, &echo, "Echo"));
    assert!(matches!(refused, Err(RestoreError::OtherNode { .. })), "{refused:?}");
    let refused = of(install(1, &other, "Other"));
    assert!(matches!(refused, Err(RestoreError::OtherPlan { .. })), "{refused:?}");
    let mut own = install(1, &echo, "Echo");
    let start = own.snapshot().expect("no components");
    own.invoke("Echo", [("text", "x")]).expect("it is admitted");
    own.run_until_idle(seconds(0));
    let broken = own.snapshot().expect("no components").with_part_of("executions", &start);
    let refused = live.restore(&broken);
    assert!(matches!(refused, Err(RestoreError::UnknownPart { .. })), "{refused:?}");
    assert_eq!((live.execution_count(), live.incarnation().get()), (1, 1));
    let steps = live.run_until_idle(seconds(3));
    assert_eq!(steps.output::<String>("later").as_deref(), Some("hello"));
}

#[test]
fn a_restored_node_lives_above_both_and_keeps_its_mailbox_and_its_charges() {
    let mut first = echo();
    first.invoke("Main", [("text", "hello")]).expect("it is admitted");
    first.run_until_idle(seconds(0));
    let charged = first.ingress().stats().bytes;
    let snapshot = first.snapshot().expect("no components");
    let mut second = echo();
    second.invoke("Main", [("text", "waits")]).expect("it is admitted");
    second.restore(&snapshot).expect("it is of this Node");
    assert_eq!(second.incarnation().get(), 2);
    assert_eq!(second.ingress().stats().bytes, charged + 5);
    second.restore(&snapshot).expect("it may go back once more");
    assert_eq!((second.incarnation().get(), second.ingress().stats().bytes), (3, charged + 5));
    second.run_until_idle(seconds(1));
    let steps = second.run_until_idle(seconds(9));
    assert_eq!(steps.output::<String>("later").as_deref(), Some("waits"));
    assert_eq!(second.ingress().stats().bytes, 0);
    assert!(second.invoke("Main", [("text", "x")]).expect("it is admitted").get() > 1);
}

#[test]
fn a_component_that_was_not_called_is_not_serialised_again() {
    let everything = Everything::new();
    let mut node = everything.node();
    let first = node.snapshot().expect("they can be written");
    let again = node.snapshot().expect("they can be written");
    for (first, again) in first.components().zip(again.components()) {
        assert!(std::sync::Arc::ptr_eq(first, again), "{}", first.slot);
    }
    node.invoke("Main", [("m", 5_u64)]).expect("it is admitted");
    node.run_until_idle(millis(1));
    let changed = node.snapshot().expect("they can be written");
    let pairs = first.components().zip(changed.components());
    let shared = pairs.filter(|(a, b)| std::sync::Arc::ptr_eq(a, b));
    assert_eq!(shared.count(), first.components().count() - 1, "one was called");
}
