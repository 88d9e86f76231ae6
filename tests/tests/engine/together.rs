//! Parts that were built alone, used together: clears, bootstraps, requests, deadlines, timers, the
//! bus.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::Promise,
    component::{Component, Ops},
    config::NodeConfig,
    context::{ComponentTimerKind, Cx},
    error::{OpError, OpErrorKind},
    event::SendFailure,
    graph::Graph,
    id::{CommandId, RequestId},
    module::Draft,
    node::{BootstrapStatus, BootstrapTarget, Node, Wakeup, install},
    step::{Cancelled, EngineStep, Steps, WireRefusal},
    time::{Nanos, millis, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};

use super::{
    parts::{completion, outputs},
    wire::{self, envelope, fill, peer, sent},
};

const NOW: Nanos = Nanos::ZERO;

/// Uses what syscall ops use, sets timers and makes up commands.
#[derive(Default, Serialize, Deserialize)]
struct Meddler {
    rings: u64,
}

impl Component for Meddler {
    const TYPE_NAME: &'static str = "test.meddler@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("enqueue", |_: &mut Self, cx: &mut Cx<'_>, n: u64| {
            cx.syscalls().enqueue("line", n).map(|()| n)
        });
        ops.on("claim", |_: &mut Self, n: u64| -> Result<Promise<u64>, OpError> {
            Ok(Promise::under(CommandId::new(n).ok_or("zero is no command")?))
        });
        ops.on("ring_at", |_: &mut Self, cx: &mut Cx<'_>, at: u64| {
            cx.time().schedule(ComponentTimerKind::new(1), Nanos::new(at)).map(|()| at)
        });
        ops.on("add", |meddler: &mut Self, n: u64| {
            meddler.rings += n;
            meddler.rings
        });
        ops.on_timer(|meddler, cx, kind| {
            meddler.rings += 1;
            // For now, whenever that is: each ring would bring the next.
            let now = cx.now();
            cx.time().schedule(kind, now).ok();
        });
    }
}

fn install_all(drafts: Vec<Draft>, targets: &[&str]) -> Node {
    let compiler = Compiler::new().bind::<super::parts::Parts>("parts").bind::<Meddler>("meddler");
    let program = compiler.compile_all(drafts).expect("the program is sound");
    install(peer(1), [], &program, targets, NodeConfig::default()).expect("it installs")
}

fn draft(name: &str, record: impl FnOnce(&Graph)) -> Draft {
    let g = Graph::new(name);
    record(&g);
    g.build().expect("the module is sound")
}

fn one(record: impl FnOnce(&Graph)) -> Node {
    install_all(vec![draft("Main", record)], &["Main"])
}

fn invoke(node: &mut Node, input: &str, value: impl Into<Value>, now: Nanos) -> Steps {
    node.invoke("Main", [(input, value.into())]).expect("it is admitted");
    node.run_until_idle(now)
}

fn client(g: &Graph) {
    g.output("answer", g.request("Main/n", g.constant(peer(2)), g.input::<u64>("n")));
    g.output("up", g.on_event("infra.peer_up"));
    g.output("blocked", g.on_event("infra.peer_blocked"));
    g.peers_block(g.input::<PeerId>("foe"));
}

/// A Node that asks, with one request under way, and that request.
fn asking() -> (Node, samsara_proto::WireEnvelope) {
    let mut node = wire::node(1, client);
    let steps = invoke(&mut node, "n", 3_u64, NOW);
    let request = sent(&steps.0).remove(0).2;
    (node, request)
}

/// What the peer 2 answers.
fn answer_to(request: &samsara_proto::WireEnvelope, seq: u64) -> samsara_proto::WireEnvelope {
    let mut answer = envelope(seq, vec![fill("Main/n", 7_u64)]);
    answer.set_correlation(samsara_proto::wire::Correlation::Response);
    answer.request_id = request.request_id;
    answer
}

#[test]
fn a_clear_ends_requests_and_their_peer_is_not_to_blame() {
    let (mut node, request) = asking();
    node.clear();
    node.run_until_idle(NOW);
    assert_eq!(node.next_wakeup(), Wakeup::Never, "nothing waits for an answer");
    assert_eq!(node.run_until_idle(seconds(9)).0, []);
    assert_eq!(node.peer_health(&peer(2)), None, "nobody failed");
    node.deliver_envelope(peer(2), answer_to(&request, 1), None).expect("it is admitted");
    let steps = node.run_until_idle(seconds(9)).0;
    assert!(
        matches!(
            steps[..],
            [EngineStep::WireReceiveFailed { reason: WireRefusal::NotAwaited, .. }]
        ),
        "{steps:?}"
    );
}

#[test]
fn an_answer_that_a_clear_discards_is_told_and_its_peer_is_not_to_blame() {
    let (mut node, request) = asking();
    node.deliver_envelope(peer(2), answer_to(&request, 1), None).expect("it is admitted");
    node.clear();
    let steps = node.run_until_idle(NOW).0;
    let told = Cancelled::Request { what: "envelope" };
    assert!(steps.contains(&EngineStep::Cancelled(told)), "{steps:?}");
    assert_eq!(node.run_until_idle(seconds(9)).0, []);
    assert_eq!(node.watermark(&peer(2), 1).map(|mark| mark.next), Some(2), "it has its place");
}

#[test]
fn a_stream_that_begins_anew_while_a_clear_discards_is_told() {
    let mut node = wire::node(1, client);
    for (epoch, clears) in [(1, false), (4, true)] {
        let mut anew = envelope(1, vec![]);
        anew.stream_epoch = epoch;
        node.deliver_envelope(peer(2), anew, None).expect("it is admitted");
        if clears {
            node.clear();
        }
        let steps = node.run_until_idle(NOW).0;
        let reset = EngineStep::StreamReset { peer: peer(2), stream: 1, ended: 1 };
        assert_eq!(steps.contains(&reset), clears, "{steps:?}");
    }
}

#[test]
fn a_peer_that_answers_again_is_heard_of_inside_the_node() {
    let mut node = wire::node(1, client);
    for _ in 0..5 {
        node.note_send_result(peer(2), None, Err(SendFailure::LinkLost)).expect("there is room");
    }
    node.run_until_idle(NOW);
    let request = sent(&invoke(&mut node, "n", 3_u64, seconds(60)).0).remove(0).2;
    node.deliver_envelope(peer(2), answer_to(&request, 1), None).expect("it is admitted");
    let steps = node.run_until_idle(seconds(60)).0;
    assert!(steps.contains(&EngineStep::PeerUp { peer: peer(2) }), "{steps:?}");
    let heard: Vec<_> = outputs(&steps).into_iter().map(|(port, _)| port).collect();
    assert_eq!(heard, ["answer", "up"]);
}

#[test]
fn a_peer_that_a_program_blocks_is_heard_of_inside_the_node() {
    let mut node = wire::node(1, client);
    let steps = invoke(&mut node, "foe", peer(3), NOW).0;
    assert!(steps.contains(&EngineStep::PeerBlocked { peer: peer(3) }), "{steps:?}");
    assert_eq!(outputs(&steps).len(), 1, "{steps:?}");
}

#[test]
fn a_send_that_tells_of_a_send_that_failed_does_not_call_itself_up_for_ever() {
    let mut node = one(|g| {
        let lost = g.on_event("wire.resolve_failed");
        g.net_out("Main/n", g.constant(peer(9)), lost);
        g.output("lost", lost);
        g.net_out("Main/n", g.constant(peer(8)), g.input::<u64>("n"));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    (0..9).for_each(|_| node.step(NOW, &mut steps));
    let failed = |step: &&EngineStep| matches!(step, EngineStep::PeerResolveFailed { .. });
    assert_eq!(steps.iter().filter(failed).count(), 2, "the second is told as a step alone");
    assert_eq!((node.execution_count(), node.next_wakeup()), (0, Wakeup::Never));
}

#[test]
fn an_item_of_a_component_goes_past_those_whose_time_is_up() {
    let mut node = one(|g| {
        let taken = g.dequeue("line", g.input::<u64>("take"));
        g.output("taken", g.within(taken, seconds(1)));
        g.output("put", g.slot("meddler").op("enqueue", [g.input::<u64>("n")]));
    });
    invoke(&mut node, "take", 0_u64, NOW);
    // At the instant of its deadline the one that waits is too late, and the item stays.
    let steps = invoke(&mut node, "n", 5_u64, seconds(1));
    assert_eq!(steps.output::<u64>("taken"), None);
    assert_eq!(invoke(&mut node, "take", 0_u64, seconds(1)).output("taken"), Some(5_u64));
}

#[test]
fn an_op_cannot_wait_under_a_command_that_was_never_given() {
    let mut node = one(|g| {
        g.output("claimed", g.slot("meddler").op("claim", [g.input::<u64>("command")]));
        g.output("slept", g.sleep(g.input::<u64>("n"), seconds(1)));
    });
    let steps = invoke(&mut node, "command", 1_u64, NOW);
    let reasons: Vec<_> = steps.failures().map(|error| (error.kind(), error.reason())).collect();
    assert_eq!(reasons, [(OpErrorKind::BadOutput, "command 1 was never given")]);
    invoke(&mut node, "n", 5_u64, NOW);
    assert_eq!(outputs(&node.run_until_idle(seconds(1)).0), [("slept", Value::U64(5))]);
}

#[test]
fn a_timer_that_rings_at_the_end_of_time_rings_once() {
    let mut node = one(|g| {
        g.output("set", g.slot("meddler").op("ring_at", [g.input::<u64>("at")]));
        g.output("rings", g.slot("meddler").op("add", [g.input::<u64>("n")]));
    });
    invoke(&mut node, "at", u64::MAX, NOW);
    let mut steps = Vec::new();
    (0..9).for_each(|_| node.step(Nanos::MAX, &mut steps));
    assert_eq!(node.next_wakeup(), Wakeup::Never);
    assert_eq!(invoke(&mut node, "n", 0_u64, Nanos::MAX).output("rings"), Some(1_u64));
    let late = invoke(&mut node, "at", 5_u64, Nanos::MAX);
    assert_eq!(late.failures().map(OpError::kind).collect::<Vec<_>>(), [OpErrorKind::Limit]);
}

#[test]
fn a_dispatch_that_needs_a_bootstrap_with_inputs_is_refused_when_it_is_compiled() {
    let lower = draft("Lower", |g| {
        g.bootstrap(|b| b.emit("lower", b.input::<u64>("n")));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let upper = draft("Upper", |g| {
        g.bootstrap(|b| b.emit("upper", b.constant(1_u64)));
        let [n] = g.call(&lower, [g.input::<u64>("n")]);
        g.output("n", n);
    });
    let main = draft("Main", |g| g.dispatch_bootstrap("Upper", g.input::<()>("go")));
    let refused = Compiler::new().compile_all([main, upper]).expect_err("it could never run");
    assert!(refused.to_string().contains("takes inputs"), "{refused}");
}

/// `Keeper` has a bootstrap that waits on `parts`, `Main` uses `parts` too and has none.
fn keeper_and_user(number: u64) -> Node {
    let keeper = draft("Keeper", |g| {
        g.bootstrap(|b| {
            let begun = b.slot("parts").op("later", [b.constant(number)]);
            b.output("first", b.slot("parts").op("add", [begun]));
        });
        g.output("n", g.pass_through(g.input::<u64>("n")));
        g.export("n");
    });
    let user = draft("Main", |g| {
        let n = g.input::<u64>("n");
        g.export("n");
        g.output("total", g.slot("parts").op("add", [n]));
        g.output("later", g.within(g.slot("parts").op("later", [g.input::<u64>("m")]), seconds(1)));
        g.export("m");
        let [in_time, late] =
            g.deadline(g.slot("parts").op("double", [g.input::<u64>("d")]), seconds(1));
        g.output("in_time", in_time);
        g.output("late", late);
    });
    install_all(vec![keeper, user], &["Keeper", "Main"])
}

#[test]
fn a_bootstrap_holds_back_the_ops_of_another_target_that_shares_its_component() {
    let mut node = keeper_and_user(701);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    assert_eq!(invoke(&mut node, "n", 5_u64, NOW).output::<u64>("total"), None);
    completion(701).complete(10).expect("there is a place");
    let steps = node.run_until_idle(NOW).0;
    assert_eq!(outputs(&steps), [("first", Value::U64(10)), ("total", Value::U64(15))]);
}

#[test]
fn a_clear_opens_the_gate_and_leaves_no_op_behind_it() {
    let mut node = keeper_and_user(702);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    invoke(&mut node, "n", 5_u64, NOW);
    invoke(&mut node, "d", 5_u64, NOW);
    assert_eq!(node.engine_stats().depths.gated, 2);
    node.clear();
    let steps = node.run_until_idle(NOW).0;
    let dropped = steps.iter().filter(|step| matches!(step, EngineStep::Cancelled(_))).count();
    assert_eq!(dropped, 5, "an op, three executions and the bootstrap: {steps:?}");
    let depths = node.engine_stats().depths;
    assert_eq!((depths.gated, depths.executions, depths.timers, depths.parked), (0, 0, 0, 0));
    assert_eq!(
        (node.bootstrap_status(), node.next_wakeup()),
        (BootstrapStatus::Idle, Wakeup::Never)
    );
    assert_eq!(invoke(&mut node, "n", 5_u64, NOW).output("total"), Some(5_u64));
    // The answer to what the clear has dropped goes nowhere, and ends no later bootstrap.
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it may be asked for again");
    let stale = completion(702);
    stale.complete(1).expect("there is a place");
    let steps = node.run_until_idle(NOW).0;
    assert!(matches!(steps[..], [EngineStep::CompletionIgnored { .. }]), "{steps:?}");
    completion(702).complete(2).expect("there is a place");
    assert_eq!(node.run_until_idle(NOW).output("first"), Some(7_u64));
}

#[test]
fn a_deadline_passes_while_its_op_waits_behind_a_bootstrap() {
    let mut node = keeper_and_user(703);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    invoke(&mut node, "d", 5_u64, NOW);
    assert_eq!(outputs(&node.run_until_idle(seconds(1)).0), [("late", Value::Unit)]);
    completion(703).complete(10).expect("there is a place");
    assert_eq!(outputs(&node.run_until_idle(seconds(1)).0), [("first", Value::U64(10))]);
    assert_eq!((node.execution_count(), node.next_wakeup()), (0, Wakeup::Never));
}

#[test]
fn an_op_waits_behind_a_bootstrap_for_its_turn_and_then_no_longer_than_its_sender() {
    let mut node = keeper_and_user(704);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    let mut timed = envelope(1, vec![fill("Main/m", 705_u64)]);
    timed.deadline_ns = Some(millis(100).get());
    node.deliver_envelope(peer(2), timed, None).expect("it is admitted");
    node.run_until_idle(NOW);
    assert_eq!(node.engine_stats().depths.gated, 1);
    completion(704).complete(10).expect("there is a place");
    let steps = node.run_until_idle(millis(150));
    assert_eq!(steps.failures().map(OpError::kind).collect::<Vec<_>>(), [OpErrorKind::TimedOut]);
    assert_eq!(node.pending_async_count(), 0);
    completion(705).complete(10).expect("there is a place");
    let steps = node.run_until_idle(millis(150)).0;
    assert!(matches!(steps[..], [EngineStep::CompletionIgnored { .. }]), "{steps:?}");
}

#[test]
fn what_is_due_at_one_instant_comes_once_each() {
    let mut node = wire::node(1, |g| {
        let n = g.input::<u64>("n");
        g.output("answer", g.request("Main/n", g.constant(peer(2)), n));
        g.output("tick", g.interval(millis(100)));
        g.output("slept", g.sleep(n, millis(100)));
        let later = g.slot("parts").op("later", [n]);
        g.output("later", g.within(later, millis(100)));
        let [_, late] = g.deadline(later, millis(100));
        g.output("late", late);
    });
    let request = sent(&invoke(&mut node, "n", 706_u64, NOW).0).remove(0).2;
    completion(706).complete(1).expect("there is a place");
    node.deliver_envelope(peer(2), answer_to(&request, 1), None).expect("it is admitted");
    let steps = node.run_until_idle(millis(100));
    let mut ports: Vec<_> = outputs(&steps.0).into_iter().map(|(port, _)| port).collect();
    ports.sort_unstable();
    assert_eq!(ports, ["late", "slept", "tick"]);
    let timed_out = |error: &OpError| error.kind() == OpErrorKind::TimedOut;
    assert_eq!(steps.failures().filter(|error| timed_out(error)).count(), 2);
    assert_eq!(steps.failures().count(), 2);
    // What the tick began has a deadline of its own.
    assert_eq!((node.execution_count(), node.pending_async_count()), (1, 0));
    assert_eq!(node.next_wakeup(), Wakeup::At(millis(200)));
}

#[test]
fn sources_begin_in_installed_modules_alone_and_once_for_each_call_of_their_module() {
    let ticker = draft("Ticker", |g| {
        g.output("tick", g.interval(seconds(1)));
        g.output("heard", g.on_event("app.news"));
        g.emit("pulse", g.pulse());
    });
    let main = draft("Main", |g| {
        for at in ["a", "b"] {
            let [tick, heard] = g.call(&ticker, []);
            g.output(at, tick);
            g.output(&format!("{at} heard"), heard);
        }
        g.notify("news", g.input::<u64>("n"));
    });
    let mut node = install_all(vec![main, ticker], &["Main"]);
    let pulses = |steps: &Steps| {
        steps.0.iter().filter(|step| matches!(step, EngineStep::AppEmitted { .. })).count()
    };
    assert_eq!(pulses(&node.run_until_idle(NOW)), 2);
    let steps = invoke(&mut node, "n", 4_u64, NOW).0;
    assert_eq!(outputs(&steps), [("a heard", Value::U64(4)), ("b heard", Value::U64(4))]);
    let steps = node.run_until_idle(seconds(1)).0;
    assert_eq!(outputs(&steps), [("a", Value::U64(1)), ("b", Value::U64(1))]);
}

#[test]
fn a_request_inside_a_called_module_is_answered_there() {
    let asker = draft("Asker", |g| {
        let n = g.input::<u64>("n");
        g.output("answer", g.request("Main/n", g.constant(peer(2)), n));
        let [_, late] = g.deadline(n, seconds(5));
        g.emit("late", late);
    });
    let main = draft("Main", |g| {
        let n = g.input::<u64>("n");
        let [first] = g.call(&asker, [n]);
        let [second] = g.call(&asker, [n]);
        g.output("both", g.bundle([first, second]));
    });
    let mut node = install_all(vec![main, asker], &["Main"]);
    node.add_peer(peer(2), [wire::address()]).expect("there is room");
    let requests = sent(&invoke(&mut node, "n", 4_u64, NOW).0);
    let ids: Vec<_> = requests.iter().map(|(.., request)| request.request_id).collect();
    assert_eq!(ids, [1, 2]);
    for (seq, (.., request)) in (1..).zip(requests.iter().rev()) {
        let mut answer = answer_to(request, 0);
        (answer.stream, answer.stream_epoch, answer.seq) = (0, 0, seq);
        node.deliver_envelope(peer(2), answer, None).expect("it is admitted");
    }
    assert_eq!(node.run_until_idle(NOW).output::<Vec<u64>>("both"), Some(vec![7, 7]));
    assert_eq!((node.execution_count(), node.next_wakeup()), (0, Wakeup::Never));
    let failed = node.note_send_result(peer(2), RequestId::new(1), Err(SendFailure::LinkLost));
    failed.expect("there is room");
    assert_eq!(node.run_until_idle(NOW).0, [], "it was answered");
}
