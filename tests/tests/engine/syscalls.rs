//! Every request of the table, from a recorded module to what comes of it.
//!
//! Law: a row without an entry fails the test, so does an entry without a row. An entry is the
//! row's name and a story that panics if it does not end as the row says.

use std::collections::BTreeSet;

use samsara_proto::{Address, PeerId};
use samsara_runtime::{
    error::OpErrorKind,
    graph::{Graph, syscalls::SYSCALLS},
    node::Node,
    step::{EngineStep, Steps},
    time::{Nanos, seconds},
    value::{IntoValue, Value},
};

use super::{
    gather,
    parts::{node, outputs},
    places, wire,
};

/// A row's name and its story.
type Entry = (&'static str, fn());

const ENTRIES: &[Entry] = &[
    ("After", || {
        let mut node = node(|g| g.output("n", g.after(number(g), g.constant(seconds(3).get()))));
        assert_eq!(given(&ask(&mut node, 5_u64)), []);
        assert_eq!(given(&node.run_until_idle(seconds(3))), [("n", Value::U64(5))]);
    }),
    ("Any", || {
        let mut node = node(|g| {
            let (first, position) = g.race_indexed([g.sleep(number(g), seconds(1)), number_2(g)]);
            g.output("first", first);
            g.output("position", position);
        });
        node.invoke("Main", [("n", 5_u64), ("m", 6)]).expect("it is admitted");
        let steps = node.run_until_idle(Nanos::ZERO);
        assert_eq!(given(&steps), [("first", Value::U64(6)), ("position", Value::U64(1))]);
    }),
    ("AppEmit", || {
        let steps = ask(&mut node(|g| g.emit("news", number(g))), 5_u64);
        let told = matches!(&steps.0[..], [EngineStep::AppEmitted { topic, value, .. }]
            if &**topic == "news" && *value == Value::U64(5));
        assert!(told, "{steps:?}");
    }),
    ("AppNotify", hearing),
    ("Bootstrap.Dispatch", || {
        let mut node = node(|g| {
            g.bootstrap(|b| b.emit("begun", b.constant(1_u64)));
            g.dispatch_bootstrap("Main", number(g));
        });
        let steps = ask(&mut node, 5_u64).0;
        let is_over = |step: &EngineStep| matches!(step, EngineStep::BootstrapComplete { .. });
        assert!(steps.iter().any(is_over), "{steps:?}");
    }),
    ("Bundle", || {
        let mut node = node(|g| {
            let n = number(g);
            g.output("list", g.bundle([n, g.constant("text"), n]));
        });
        let items = vec![Value::U64(5), "text".into(), Value::U64(5)];
        let list = Value::list(items).expect("it is shallow");
        assert_eq!(given(&ask(&mut node, 5_u64)), [("list", list)]);
    }),
    ("Clock", || {
        let mut node = node(|g| g.output("now", g.clock(number(g))));
        node.run_until_idle(seconds(4));
        assert_eq!(given(&ask(&mut node, 5_u64)), [("now", Value::U64(seconds(4).get()))]);
    }),
    ("Deadline", || {
        let mut node = node(|g| {
            let [in_time, late] = g.deadline(g.sleep(number(g), seconds(2)), seconds(1));
            g.output("in_time", in_time);
            g.output("late", late);
        });
        ask(&mut node, 5_u64);
        assert_eq!(given(&node.run_until_idle(seconds(2))), [("late", Value::Unit)]);
    }),
    ("DeadlineMatch", || {
        let mut node = node(|g| {
            let slept = g.sleep(number(g), seconds(2));
            let arms = [("slow", slept), ("told", g.input::<u64>("m"))];
            let (first, winner) = g.deadline_match(arms, seconds(1));
            g.output("first", first);
            g.output("winner", winner);
        });
        node.invoke("Main", [("n", 5_u64), ("m", 6)]).expect("it is admitted");
        let told = [("first", Value::U64(6)), ("winner", "told".into())];
        assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), told);
        ask(&mut node, 5_u64);
        let late = [("first", Value::Unit), ("winner", "deadline".into())];
        assert_eq!(given(&node.run_until_idle(seconds(9))), late);
        assert_eq!(node.execution_count(), 0);
    }),
    ("EventSource", hearing),
    ("Gate", || {
        let mut node = node(|g| g.output("n", g.gate(number(g), g.sleep(number_2(g), seconds(1)))));
        node.invoke("Main", [("n", 5_u64), ("m", 6)]).expect("it is admitted");
        assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), []);
        assert_eq!(given(&node.run_until_idle(seconds(1))), [("n", Value::U64(5))]);
    }),
    ("Gather", gather::a_whole_round_goes_on_in_the_execution_that_completed_it),
    ("Hold.Flush", || hold()),
    ("Hold.Stash", || hold()),
    ("IncrMetric", || {
        let mut node = node(|g| g.incr_metric("sum", g.input::<i64>("n")));
        ask(&mut node, 5_i64);
        ask(&mut node, -7_i64);
        assert_eq!(node.metric("sum"), Some(-2));
    }),
    ("Interval", || {
        let mut node = node(|g| g.output("ticks", g.interval(seconds(2))));
        node.run_until_idle(Nanos::ZERO);
        assert_eq!(given(&node.run_until_idle(seconds(5))), [("ticks", Value::U64(2))]);
    }),
    ("LifecyclePhase", || {
        let mut node = node(|g| g.output("stopped", g.on_lifecycle("Shutdown")));
        node.fire_lifecycle("Shutdown").expect("every node has it");
        assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), [("stopped", Value::Unit)]);
    }),
    ("Limit.Acquire", || limit()),
    ("Limit.Release", || limit()),
    ("Net.Receive", wire::who_sent_an_envelope_is_known_to_every_op_and_nobody_else_is_asked),
    ("Net.Reply", wire::a_request_is_answered_by_the_one_who_was_asked),
    ("Net.Send", wire::a_request_is_answered_by_the_one_who_was_asked),
    ("NetOut", wire::a_value_sent_to_peers_reaches_each_of_them),
    ("PassThrough", || {
        let mut node = node(|g| g.output("n", g.pass_through(number(g))));
        assert_eq!(given(&ask(&mut node, 5_u64)), [("n", Value::U64(5))]);
    }),
    ("Peers.Block", peers),
    ("Peers.Insert", peers),
    ("Peers.Lookup", peers),
    ("Peers.Unblock", peers),
    ("Place.Peers", places::the_peers_at_a_place_are_known_to_the_node_and_to_its_ops),
    ("Pulse", || {
        let mut node = node(|g| g.output("begun", g.pulse()));
        assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), [("begun", Value::Unit)]);
        assert_eq!(given(&node.run_until_idle(seconds(9))), []);
    }),
    ("Race", || {
        let mut node = node(|g| {
            let slept = g.sleep(number(g), seconds(1));
            let (first, winner) = g.race([("slept", slept), ("told", g.input::<u64>("m"))]);
            g.output("first", first);
            g.output("winner", winner);
        });
        node.invoke("Main", [("n", 5_u64), ("m", 6)]).expect("it is admitted");
        let told = [("first", Value::U64(6)), ("winner", "told".into())];
        assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), told);
        ask(&mut node, 5_u64);
        let slept = [("first", Value::U64(5)), ("winner", "slept".into())];
        assert_eq!(given(&node.run_until_idle(seconds(1))), slept);
    }),
    ("Record", || {
        let mut node = node(|g| g.record_as("seen", number(g)));
        ask(&mut node, 5_u64);
        ask(&mut node, 6_u64);
        assert_eq!(node.record("seen").cloned().collect::<Vec<_>>(), [5_u64, 6].map(Value::U64));
    }),
    ("RngU64", || {
        let mut node = node(|g| g.output("drawn", g.rng_u64(number(g))));
        let [first, second] = [1_u64, 2].map(|n| ask(&mut node, n).output::<u64>("drawn"));
        assert!(first.is_some() && first != second);
    }),
    ("Serialize.Dequeue", || queue()),
    ("Serialize.Enqueue", || queue()),
    ("Sleep", || {
        let mut node = node(|g| g.output("n", g.sleep(number(g), seconds(1))));
        assert_eq!(given(&ask(&mut node, 5_u64)), []);
        assert_eq!(given(&node.run_until_idle(seconds(1))), [("n", Value::U64(5))]);
    }),
    ("Tee", || {
        let mut node = node(|g| {
            let [left, right] = g.tee(number(g));
            g.output("left", left);
            g.output("right", right);
        });
        let both = [("left", Value::U64(5)), ("right", Value::U64(5))];
        assert_eq!(given(&ask(&mut node, 5_u64)), both);
    }),
    ("Unbundle", || {
        let mut node = node(|g| {
            let [left, right] = g.unbundle(g.input::<Vec<u64>>("n"));
            g.output("left", left);
            g.output("right", right);
        });
        let both = [("left", Value::U64(5)), ("right", Value::U64(6))];
        assert_eq!(given(&ask(&mut node, vec![5_u64, 6])), both);
        let steps = ask(&mut node, vec![5_u64, 6, 7]);
        let failed: Vec<_> =
            steps.failures().map(|error| (error.kind(), error.reason().to_owned())).collect();
        let reason = "argument 0: expected a list of 2 items, got 3".to_owned();
        assert_eq!(failed, [(OpErrorKind::BadArgument, reason)]);
    }),
];

fn number(g: &Graph) -> samsara_runtime::graph::Wire<'_> {
    g.input::<u64>("n")
}

fn number_2(g: &Graph) -> samsara_runtime::graph::Wire<'_> {
    g.input::<u64>("m")
}

fn ask(node: &mut Node, n: impl IntoValue) -> Steps {
    node.invoke("Main", [("n", n)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO)
}

fn given(steps: &Steps) -> Vec<(&str, Value)> {
    outputs(&steps.0)
}

fn hold() {
    let mut node = node(|g| {
        g.stash("basket", number(g));
        g.output("all", g.flush("basket", g.input::<()>("flush")));
    });
    ask(&mut node, 5_u64);
    ask(&mut node, 6_u64);
    node.deliver_event("Main", "flush", ()).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("all"), Some(vec![5_u64, 6]));
}

fn peers() {
    let mut node = node(|g| {
        let peer = g.input::<PeerId>("peer");
        g.peers_insert(peer, g.input::<Address>("address"));
        g.output("known", g.peers_lookup(g.input::<PeerId>("of")));
        g.peers_block(g.input::<PeerId>("foe"));
        g.peers_unblock(g.input::<PeerId>("friend"));
    });
    let (peer, address) = (wire::peer(2), wire::address());
    let inputs = [("peer", Value::from(peer)), ("address", address.clone().into())];
    node.invoke("Main", inputs).expect("it is admitted");
    let mut tell = |input, peer: PeerId| {
        node.deliver_event("Main", input, peer).expect("it is admitted");
        node.run_until_idle(Nanos::ZERO)
    };
    assert_eq!(tell("of", peer).output("known"), Some(vec![address]));
    let blocked = tell("foe", peer).0;
    assert!(matches!(blocked[..], [EngineStep::PeerBlocked { .. }]), "{blocked:?}");
    assert_eq!(tell("foe", peer).0, [], "once for each transition");
    tell("friend", peer);
    assert_eq!(tell("foe", peer).0.len(), 1, "it was no more blocked");
}

fn hearing() {
    let mut node = node(|g| {
        g.notify("news", number(g));
        g.output("heard", g.on_event("app.news"));
    });
    assert_eq!(given(&ask(&mut node, 5_u64)), [("heard", Value::U64(5))]);
}

fn queue() {
    let mut node = node(|g| {
        g.enqueue("line", number(g));
        g.output("next", g.dequeue("line", g.input::<()>("take")));
    });
    ask(&mut node, 5_u64);
    for _ in 0..2 {
        node.deliver_event("Main", "take", ()).expect("it is admitted");
    }
    assert_eq!(given(&node.run_until_idle(Nanos::ZERO)), [("next", Value::U64(5))]);
    assert_eq!(given(&ask(&mut node, 6_u64)), [("next", Value::U64(6))]);
}

fn limit() {
    let mut node = node(|g| {
        let inside = g.acquire("door", 1, number(g));
        let rested = g.sleep(inside, seconds(1));
        let outside = g.release("door", rested);
        g.output("out", g.sleep(outside, seconds(1)));
    });
    ask(&mut node, 5_u64);
    ask(&mut node, 6_u64);
    // The first gives its permit back at 1 s and rests outside; so the second is done at 3 s.
    for (at, out) in [(1, None), (2, Some(5_u64)), (3, Some(6))] {
        assert_eq!(node.run_until_idle(seconds(at)).output("out"), out, "at {at} s");
    }
}

#[test]
fn every_request_does_what_its_row_says() {
    let rows: BTreeSet<&str> = SYSCALLS.iter().map(|row| row.name).collect();
    let entries: BTreeSet<&str> = ENTRIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(entries, rows, "each row has an entry here, and each entry a row");
    assert_eq!(entries.len(), ENTRIES.len(), "no row has two");
    for (name, story) in ENTRIES {
        println!("{name}");
        story();
    }
}
