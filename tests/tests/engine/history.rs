//! Random histories of everything that can move a Node: the batches alone say what it does.
//!
//! Law: what a mailbox holds, how much it may hold and what runs outside the Node is nowhere in a
//! step that no batch brings.

mod crew;
mod stage;

use std::collections::BTreeSet;

use samsara_runtime::{
    config::NodeConfig,
    event::{Control, IngressEvent, PeerChange},
    node::Node,
    program::ContentHash,
    rng::Rng,
    step::EngineStep,
};

use self::stage::{Stage, Turn, config, happen};

const HISTORIES: u64 = 60;

/// The hash of all steps, as [`determinism`](super::determinism) has one for its stories.
const FROZEN: &str = "d36417e30234e71c85a99107b07040ae700e85769312946eaa268daf53950b1a";

/// Moves another Node by the same batches.
fn retell(
    node: &mut Node,
    turns: &[Turn],
    move_by: impl Fn(&mut Node, &Turn, &mut Vec<EngineStep>),
) {
    for (at, turn) in turns.iter().enumerate() {
        let mut steps = Vec::new();
        move_by(node, turn, &mut steps);
        assert_eq!(steps, turn.steps, "turn {at}");
    }
}

/// What can be seen of a Node between turns, its mailbox left out.
fn sight(node: &Node) -> String {
    let stats = node.engine_stats();
    let mut depths = stats.depths;
    (depths.ingress_items, depths.ingress_answers, depths.ingress_bytes) = (0, 0, 0);
    let peers = (1..12).map(|number| {
        let peer = crew::peer(number);
        (node.watermark(&peer, 1), node.peer_health(&peer), node.resolve_peer_addresses(&peer))
    });
    let kept = ["rung", "kept"].map(|ring| node.record(ring).cloned().collect::<Vec<_>>());
    let status = (node.bootstrap_status(), node.jobs().collect::<Vec<_>>());
    let peers: Vec<_> = peers.collect();
    format!("{node:?} {depths:?} {:?} {peers:?} {kept:?} {status:?}", stats.counters)
}

#[test]
fn batches_move_a_node_alike_whatever_is_in_its_mailbox_and_around_it() {
    for seed in 0..HISTORIES {
        let (turns, told) = happen(seed);
        let wanted = sight(&told);

        let mut replayed = Stage::new(config()).node;
        retell(&mut replayed, &turns, |node, turn, steps| node.replay(&turn.batch, steps));
        assert_eq!(sight(&replayed), wanted, "history {seed}, replayed");

        // A mailbox of another size that is full, of a host that is done with it.
        let narrow = NodeConfig { ingress_byte_budget: 64 << 20, ..config() };
        let mut crowded = Stage::new(narrow).node;
        while crowded.invoke("Main", [("n", 1_u64)]).is_ok() {}
        crowded.ingress().close();
        retell(&mut crowded, &turns, |node, turn, steps| node.apply(&turn.batch, steps));
        assert_eq!(sight(&crowded), wanted, "history {seed}, in a full mailbox");
    }
}

#[test]
fn the_steps_of_histories_are_those_that_were_written_down() {
    let mut text = String::new();
    for seed in 0..HISTORIES {
        for turn in happen(seed).0 {
            text += &format!("{:?}\n", turn.steps);
        }
    }
    assert_eq!(ContentHash::of(text.as_bytes()).to_string(), FROZEN, "left is what happens now");
}

#[test]
fn a_history_that_is_cut_goes_on_as_if_it_had_not_been() {
    for seed in 0..HISTORIES {
        let (turns, told) = happen(seed);
        let mut whole = Stage::new(config()).node;
        let wanted = sight(&told);
        let mut cuts = Rng::from_seed(seed);
        for (at, turn) in turns.iter().enumerate() {
            if cuts.chance(1, 16) {
                let snapshot = whole.snapshot().expect("its components can be written");
                let mut restored = Stage::new(config()).node;
                restored.restore(&snapshot).expect("it is of this Node");
                retell(&mut restored, &turns[at..], |node, turn, steps| {
                    node.replay(&turn.batch, steps);
                });
                // Counters are of a life, and so is what the first turns refused.
                assert_eq!(lasting(&sight(&restored)), lasting(&wanted), "history {seed} at {at}");
            }
            whole.replay(&turn.batch, &mut Vec::new());
        }
    }
}

/// What is seen of a Node, but its life and its counters.
fn lasting(sight: &str) -> String {
    let (_, rest) = sight.split_once("modules").expect("a Node shows its modules");
    let counters = rest.find("Counters").expect("they are shown");
    let (depths, rest) = rest.split_at(counters);
    format!("{depths}{}", rest.split_once('}').expect("they end").1)
}

#[test]
fn after_any_history_a_clear_gives_back_every_place_and_every_byte() {
    for seed in 0..HISTORIES {
        let (turns, mut node) = happen(seed);
        let now = turns.last().expect("a history has turns").batch.now;
        node.clear();
        node.run_until_idle(now);
        // Nobody waits for these any more; handed out, their places are free again.
        drop(node.take_jobs());
        node.run_until_idle(now);
        let depths = node.engine_stats().depths;
        assert_eq!((depths.executions, depths.parked, depths.gated), (0, 0, 0), "history {seed}");
        assert_eq!((depths.ingress_items, depths.ingress_bytes), (0, 0), "history {seed}");
        let (most, waits_each) = (node.config().max_pending_async, 4);
        for _ in 0..most / waits_each {
            node.invoke("Main", [("wait", 1_u64)]).expect("it is admitted");
        }
        let steps = node.run_until_idle(now);
        assert_eq!(steps.failures().count(), 0, "history {seed}: {steps:?}");
        assert_eq!(node.pending_async_count(), most as usize, "history {seed}");
    }
}

fn kind(event: &IngressEvent) -> &'static str {
    match event {
        IngressEvent::AppEvent { .. } => "event",
        IngressEvent::Invoke { .. } => "invoke",
        IngressEvent::Completion { .. } => "completion",
        IngressEvent::CompletionFailed { .. } => "completion failed",
        IngressEvent::EnvelopeFrom(_) => "envelope",
        IngressEvent::SendFailed(_) => "send failed",
        IngressEvent::AppIngressError { .. } => "refusals",
        IngressEvent::Control(control) => match control {
            Control::Start => "start",
            Control::Bootstrap(_) => "bootstrap",
            Control::Lifecycle(_) => "lifecycle",
            Control::Clear => "clear",
            Control::Peers(change) => match **change {
                PeerChange::Block(_) => "block",
                PeerChange::Unblock(_) => "unblock",
                PeerChange::Allow(_) => "allow",
                PeerChange::Add { .. } => "add",
                PeerChange::Drop(_) => "drop",
                PeerChange::Register { .. } => "register",
                PeerChange::Forget { .. } => "forget",
                PeerChange::AddOwn(_) => "add own",
                PeerChange::ForgetOwn(_) => "forget own",
                PeerChange::Reached(_) => "reached",
                _ => "unknown",
            },
            _ => "unknown",
        },
        _ => "unknown",
    }
}

/// The variant of a step, by its name.
fn name(step: &EngineStep) -> String {
    let text = format!("{step:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

#[test]
fn histories_bring_every_kind_of_event_and_nearly_every_kind_of_step() {
    let (mut events, mut steps, mut discards) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for seed in 0..HISTORIES {
        for turn in happen(seed).0 {
            let kinds = turn.batch.events.iter().map(|admitted| kind(&admitted.event));
            let kinds = kinds.collect::<Vec<_>>();
            if turn.batch.discard {
                discards.extend(kinds.clone());
            }
            events.extend(kinds);
            steps.extend(turn.steps.iter().map(name));
        }
    }
    assert!(!events.contains("unknown"));
    assert_eq!(events.len(), 21, "{events:?}");
    assert!(discards.len() > 12, "{discards:?}");
    let wanted = [
        "AddressBookUnchanged",
        "AppEmitted",
        "AppEvent",
        "AsyncSuspended",
        "BootstrapComplete",
        "Cancelled",
        "CompletionIgnored",
        "CycleBudgetExceeded",
        "JobStarted",
        "LifecycleFired",
        "OpFailed",
        "OutboundDropped",
        "PeerBlocked",
        "PeerDown",
        "PeerResolveFailed",
        "PeerUp",
        "SendEnvelope",
        "Starved",
        "StreamReset",
        "WaitingOnBootstrap",
        "WireDecodeFailed",
        "WireReceiveFailed",
        "WireTimeout",
    ];
    let missing: Vec<_> = wanted.iter().filter(|name| !steps.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
