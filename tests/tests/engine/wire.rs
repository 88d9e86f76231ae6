//! Nodes on the wire: what goes out, what comes in, and what becomes of requests.
//!
//! Law: Nodes meet here by the bytes of their envelopes alone.

use samsara_proto::{
    Address, EnvelopeCodec, PeerId, WireEnvelope,
    wire::{Correlation, Fill, SCHEMA},
};
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    error::OpErrorKind,
    event::SendFailure,
    framework::Delivery,
    graph::Graph,
    node::{Node, Wakeup, install},
    schema::encode,
    step::{DropReason, EngineStep, WireRefusal},
    time::{Nanos, millis, seconds},
    value::{IntoValue, Value},
};

use super::parts::Parts;

pub(crate) fn peer(number: u64) -> PeerId {
    PeerId::from(number)
}

pub(crate) fn address() -> Address {
    "/memory/1".parse().expect("it is an address")
}

/// A Node of these modules.
pub(crate) fn node_of(own: u64, config: NodeConfig, drafts: Vec<Graph>) -> Node {
    let drafts = drafts.into_iter().map(|graph| graph.build().expect("the module is sound"));
    let program = Compiler::new().bind::<Parts>("parts").compile_all(drafts);
    let program = program.expect("the program is sound");
    let targets: Vec<_> = program.targets().collect();
    install(peer(own), [], &program, &targets, config).expect("it installs")
}

/// A Node of this one module, which knows the peers 1 to 4.
pub(crate) fn node_with(own: u64, config: NodeConfig, record: impl FnOnce(&Graph)) -> Node {
    let graph = Graph::new("Main");
    record(&graph);
    let mut node = node_of(own, config, vec![graph]);
    for other in (1..=4).filter(|other| *other != own) {
        node.add_peer(peer(other), [address()]).expect("there is room");
    }
    node.run_until_idle(Nanos::ZERO);
    node
}

pub(crate) fn node(own: u64, record: impl FnOnce(&Graph)) -> Node {
    node_with(own, NodeConfig::default(), record)
}

/// The envelopes among the steps, and where they go.
pub(crate) fn sent(steps: &[EngineStep]) -> Vec<(PeerId, Delivery, WireEnvelope)> {
    let mut sent = Vec::new();
    for step in steps {
        if let EngineStep::SendEnvelope { to, class, envelope } = step {
            sent.push((*to, *class, (**envelope).clone()));
        }
    }
    sent
}

/// Carries envelopes as bytes, until neither Node has anything to say.
pub(crate) fn carry(a: &mut Node, b: &mut Node, now: Nanos) -> [Vec<EngineStep>; 2] {
    let codec = EnvelopeCodec::default();
    let mut told = [Vec::new(), Vec::new()];
    loop {
        let mut any = false;
        for (turn, told) in told.iter_mut().enumerate() {
            let (from, to) = if turn == 0 { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
            let steps = from.run_until_idle(now).0;
            for (peer, _, envelope) in sent(&steps) {
                assert_eq!(peer, to.peer_id());
                let frame = codec.encode(&envelope).expect("it keeps the caps").to_bytes();
                to.deliver_inbound(from.peer_id(), frame).expect("it is admitted");
                any = true;
            }
            told.extend(steps);
        }
        if !any {
            return told;
        }
    }
}

pub(crate) fn fill(port: &str, value: impl IntoValue) -> Fill {
    let encoded = encode(&value.into_value().expect("shallow"));
    Fill {
        port: port.into(),
        type_id: encoded.type_id.into(),
        payload: encoded.payload,
        blobs: encoded.blobs,
    }
}

/// The envelope of this number of the first reliable stream.
pub(crate) fn envelope(seq: u64, fills: Vec<Fill>) -> WireEnvelope {
    WireEnvelope { schema: SCHEMA, stream: 1, stream_epoch: 1, seq, fills, ..Default::default() }
}

fn adds(g: &Graph) {
    g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
    g.export("n");
}

/// Doubles what it is asked.
fn server(g: &Graph) {
    g.reply(g.slot("parts").op("double", [g.input::<u64>("n")]));
    g.export("n");
}

fn client(g: &Graph) {
    g.output("answer", g.request("Main/n", g.input::<PeerId>("server"), g.input::<u64>("n")));
}

fn ask(client: &mut Node, server: u64, n: u64) {
    let inputs = [("server", Value::from(peer(server))), ("n", Value::from(n))];
    client.invoke("Main", inputs).expect("it is admitted");
}

fn outputs(steps: &[EngineStep]) -> Vec<Value> {
    super::parts::outputs(steps).into_iter().map(|(_, value)| value).collect()
}

fn refusals(steps: &[EngineStep]) -> Vec<(Option<u32>, WireRefusal)> {
    let refusal = |step: &EngineStep| match step {
        EngineStep::WireReceiveFailed { fill, reason, .. } => Some((*fill, *reason)),
        _ => None,
    };
    steps.iter().filter_map(refusal).collect()
}

#[test]
pub(crate) fn a_value_sent_to_peers_reaches_each_of_them() {
    let mut sender = node(1, |g| {
        g.net_out("Main/n", g.input::<Vec<PeerId>>("peers"), g.input::<u64>("n"));
    });
    let peers = Value::list(vec![Value::from(peer(2)), Value::from(peer(3))]).expect("shallow");
    sender.invoke("Main", [("peers", peers), ("n", Value::from(5_u64))]).expect("admitted");
    let envelopes = sent(&sender.run_until_idle(Nanos::ZERO).0);
    assert_eq!(envelopes.iter().map(|(to, ..)| *to).collect::<Vec<_>>(), [peer(2), peer(3)]);
    for (own, (_, class, envelope)) in [2, 3].into_iter().zip(envelopes) {
        assert_eq!((class, envelope.stream, envelope.seq), (Delivery::Effective, 1, 1));
        let mut receiver = node(own, adds);
        receiver.deliver_envelope(peer(1), envelope, None).expect("it is admitted");
        assert_eq!(receiver.run_until_idle(Nanos::ZERO).output("total"), Some(5_u64));
    }
}

#[test]
fn destinations_share_the_bytes_of_a_payload() {
    let mut sender = node(1, |g| {
        let value = g.input::<bytes::Bytes>("value");
        g.net_out("Main/n", g.input::<Vec<PeerId>>("peers"), value);
    });
    let peers = Value::list(vec![Value::from(peer(2)), Value::from(peer(3))]).expect("shallow");
    let value = bytes::Bytes::from(vec![7; 4_096]);
    let inputs = [("peers", peers), ("value", Value::from(value.clone()))];
    sender.invoke("Main", inputs).expect("it is admitted");
    let envelopes = sent(&sender.run_until_idle(Nanos::ZERO).0);
    assert_eq!(envelopes.len(), 2);
    for (.., envelope) in envelopes {
        assert_eq!(envelope.fills[0].payload.as_ptr(), value.as_ptr(), "it was copied");
    }
}

#[test]
fn a_peer_that_cannot_be_sent_to_keeps_nothing_from_the_others() {
    let mut sender = node(1, |g| {
        g.net_out("Main/n", g.input::<Vec<PeerId>>("peers"), g.input::<u64>("n"));
    });
    sender.block_peer(peer(3)).expect("there is room");
    let peers = [9, 3, 2].map(|number| Value::from(peer(number))).to_vec();
    let peers = Value::list(peers).expect("shallow");
    sender.invoke("Main", [("peers", peers), ("n", Value::from(5_u64))]).expect("admitted");
    let steps = sender.run_until_idle(Nanos::ZERO).0;
    let told = |step: &EngineStep| match step {
        EngineStep::PeerBlocked { peer } => format!("blocked {peer}"),
        EngineStep::PeerResolveFailed { peer, .. } => format!("unknown {peer}"),
        EngineStep::OutboundDropped { peer, reason, .. } => format!("{peer}: {reason}"),
        EngineStep::SendEnvelope { to, .. } => format!("sent to {to}"),
        other => format!("{other:?}"),
    };
    assert_eq!(
        steps.iter().map(told).collect::<Vec<_>>(),
        [
            format!("blocked {}", peer(3)),
            format!("unknown {}", peer(9)),
            format!("{}: the peer is blocked", peer(3)),
            format!("sent to {}", peer(2)),
        ]
    );
}

#[test]
pub(crate) fn a_request_is_answered_by_the_one_who_was_asked() {
    let (mut asking, mut serving) = (node(1, client), node(2, server));
    for (n, seq) in [(21, 1), (4, 2)] {
        ask(&mut asking, 2, n);
        let [told, _] = carry(&mut asking, &mut serving, Nanos::ZERO);
        assert_eq!(outputs(&told), [Value::from(n * 2)]);
        assert_eq!(sent(&told)[0].2.seq, seq);
    }
    assert_eq!((asking.pending_async_count(), asking.execution_count()), (0, 0));
    assert_eq!((serving.pending_async_count(), serving.execution_count()), (0, 0));
    assert_eq!(asking.next_wakeup(), Wakeup::Never);
}

#[test]
fn an_answer_of_another_peer_or_another_request_is_ignored_and_reported() {
    let mut asking = node(1, client);
    ask(&mut asking, 2, 21);
    let request = sent(&asking.run_until_idle(Nanos::ZERO).0).remove(0).2;
    let answer = |seq: u64, id: u64, port: &str| {
        let mut answer = envelope(seq, vec![fill(port, 1_u64)]);
        answer.set_correlation(Correlation::Response);
        answer.request_id = id;
        answer
    };
    let id = request.request_id;
    for (from, envelope) in [
        (3, answer(1, id, "Main/n")),
        (2, answer(1, id + 1, "Main/n")),
        (2, answer(2, id, "Main/m")),
        (2, answer(3, 0, "Main/n")),
    ] {
        asking.deliver_envelope(peer(from), envelope, None).expect("it is admitted");
        let steps = asking.run_until_idle(Nanos::ZERO).0;
        assert_eq!(refusals(&steps), [(None, WireRefusal::NotAwaited)]);
    }
    asking.deliver_envelope(peer(2), answer(4, id, "Main/n"), None).expect("it is admitted");
    assert_eq!(asking.run_until_idle(Nanos::ZERO).output("answer"), Some(1_u64));
}

#[test]
fn a_request_that_nobody_answers_fails_when_its_budget_is_used_up() {
    let mut asking = node(1, client);
    ask(&mut asking, 2, 21);
    asking.run_until_idle(seconds(1));
    let due = seconds(1) + millis(100);
    assert_eq!(asking.next_wakeup(), Wakeup::At(due));
    assert_eq!(asking.run_until_idle(due - Nanos::new(1)).0, []);
    let steps = asking.run_until_idle(due);
    assert!(matches!(steps.0[..], [EngineStep::WireTimeout { .. }, EngineStep::OpFailed { .. }]));
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::TimedOut));
    let health = asking.peer_health(&peer(2)).expect("it has failed");
    assert_eq!((health.consecutive_failures, health.down), (1, false));
    assert_eq!(asking.execution_count(), 0);
}

#[test]
fn at_the_instant_of_its_deadline_an_answer_is_too_late() {
    let (mut asking, mut serving) = (node(1, client), node(2, server));
    ask(&mut asking, 2, 21);
    let request = sent(&asking.run_until_idle(Nanos::ZERO).0).remove(0).2;
    serving.deliver_envelope(peer(1), request, None).expect("it is admitted");
    let answer = sent(&serving.run_until_idle(Nanos::ZERO).0).remove(0).2;
    asking.deliver_envelope(peer(2), answer, None).expect("it is admitted");
    let steps = asking.run_until_idle(millis(100));
    assert_eq!(refusals(&steps.0), [(None, WireRefusal::NotAwaited)]);
    assert_eq!(outputs(&steps.0), []);
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::TimedOut));
}

#[test]
fn a_request_whose_send_fails_fails_at_once() {
    let mut asking = node(1, client);
    ask(&mut asking, 2, 21);
    let request = sent(&asking.run_until_idle(Nanos::ZERO).0).remove(0).2;
    let id = samsara_runtime::id::RequestId::new(request.request_id);
    asking.note_send_result(peer(3), id, Err(SendFailure::Unreachable)).expect("there is room");
    assert_eq!(asking.run_until_idle(Nanos::ZERO).failures().count(), 0, "of another peer");
    asking.note_send_result(peer(2), id, Err(SendFailure::Unreachable)).expect("there is room");
    let steps = asking.run_until_idle(Nanos::ZERO);
    let reasons: Vec<_> = steps.failures().map(|error| error.reason().to_owned()).collect();
    assert_eq!(reasons, ["the peer cannot be reached"]);
    assert_eq!(asking.next_wakeup(), Wakeup::Never);
}

#[test]
fn round_trips_shorten_and_lengthen_what_the_next_answer_may_take() {
    let (mut asking, mut serving) = (node(1, client), node(2, server));
    let mut now = seconds(1);
    for _ in 0..3 {
        ask(&mut asking, 2, 1);
        let request = sent(&asking.run_until_idle(now).0).remove(0).2;
        serving.deliver_envelope(peer(1), request, None).expect("it is admitted");
        let answer = sent(&serving.run_until_idle(now).0).remove(0).2;
        now = now + millis(16);
        asking.deliver_envelope(peer(2), answer, None).expect("it is admitted");
        assert_eq!(outputs(&asking.run_until_idle(now).0), [Value::from(2_u64)]);
    }
    ask(&mut asking, 2, 1);
    let request = sent(&asking.run_until_idle(now).0).remove(0).2;
    // 16 ms, and four times a variance that began at the half and shrank by a quarter twice.
    assert_eq!(request.deadline_ns, Some(millis(34).get()));
    assert_eq!(asking.next_wakeup(), Wakeup::At(now + millis(34)));
}

#[test]
fn the_time_that_is_left_shrinks_by_what_was_spent_here_and_at_zero_nothing_is_sent() {
    let forward = |g: &Graph| {
        let n = g.sleep(g.input::<u64>("n"), millis(30));
        g.net_out("Main/n", g.constant(peer(2)), n);
        g.export("n");
    };
    let mut middle = node(3, forward);
    for (seq, left, wanted) in [(1, 50, Some(20)), (2, 31, Some(1))] {
        let mut envelope = envelope(seq, vec![fill("Main/n", 1_u64)]);
        envelope.deadline_ns = Some(millis(left).get());
        middle.deliver_envelope(peer(1), envelope, None).expect("it is admitted");
        let start = seconds(seq);
        middle.run_until_idle(start);
        let sent = sent(&middle.run_until_idle(start + millis(30)).0);
        assert_eq!(sent[0].2.deadline_ns, wanted.map(|left| millis(left).get()));
    }
    let mut late = envelope(3, vec![fill("Main/n", 1_u64)]);
    late.deadline_ns = Some(millis(20).get());
    middle.deliver_envelope(peer(1), late, None).expect("it is admitted");
    middle.run_until_idle(seconds(3));
    let steps = middle.run_until_idle(seconds(3) + millis(20));
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::TimedOut));
    assert_eq!((sent(&steps.0).len(), middle.execution_count()), (0, 0));
    assert_eq!(middle.run_until_idle(seconds(9)).0, [], "its sleep ended with it");
}

#[test]
fn a_send_after_the_deadline_is_dropped_and_told() {
    let mut middle = node(3, |g| {
        let stay = g.slot("parts").op("later", [g.input::<u64>("n")]);
        g.emit("never", stay);
        let [_, late] = g.deadline(g.slot("parts").op("later", [g.input::<u64>("m")]), millis(20));
        g.net_out("Main/n", g.constant(peer(2)), late);
        g.export("n");
        g.export("m");
    });
    let mut envelope = envelope(1, vec![fill("Main/n", 801_u64), fill("Main/m", 802_u64)]);
    envelope.deadline_ns = Some(millis(20).get());
    middle.deliver_envelope(peer(1), envelope, None).expect("it is admitted");
    middle.run_until_idle(Nanos::ZERO);
    let steps = middle.run_until_idle(millis(20)).0;
    let dropped = |step: &EngineStep| {
        matches!(step, EngineStep::OutboundDropped { reason: DropReason::Expired, .. })
    };
    assert_eq!(steps.iter().filter(|step| dropped(step)).count(), 1, "{steps:?}");
    assert_eq!(sent(&steps), []);
    drop([801, 802].map(super::parts::completion));
}

#[test]
fn an_envelope_whose_time_was_up_when_it_was_sent_does_nothing() {
    let mut node = node(2, adds);
    let mut envelope = envelope(1, vec![fill("Main/n", 1_u64)]);
    envelope.deadline_ns = Some(0);
    node.deliver_envelope(peer(1), envelope, None).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    assert_eq!(refusals(&steps), [(None, WireRefusal::Expired)]);
    assert_eq!(outputs(&steps), []);
}

#[test]
fn a_send_to_oneself_comes_back_by_the_door() {
    let mut node = node(1, |g| {
        g.net_out("Main/m", g.constant(peer(1)), g.input::<u64>("n"));
        g.output("m", g.input::<u64>("m"));
        g.export("m");
    });
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let (to, _, envelope) = sent(&node.run_until_idle(Nanos::ZERO).0).remove(0);
    node.deliver_envelope(to, envelope, None).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("m"), Some(5_u64));
}

#[test]
fn a_chain_of_sends_counts_its_hops() {
    let mut first = node(1, |g| {
        g.net_out("Main/n", g.constant(peer(2)), g.input::<u64>("n"));
    });
    let mut second = node(2, |g| {
        g.net_out("Main/n", g.constant(peer(3)), g.input::<u64>("n"));
        g.export("n");
    });
    first.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let hop = sent(&first.run_until_idle(Nanos::ZERO).0).remove(0).2;
    let begun = hop.chain.expect("it is stamped");
    second.deliver_envelope(peer(1), hop, None).expect("it is admitted");
    let chain = sent(&second.run_until_idle(Nanos::ZERO).0)[0].2.chain.expect("it is stamped");
    assert_eq!((begun.hop_index, chain.hop_index), (0, 1));
    assert_eq!(begun.chain_id, chain.chain_id);
}

#[test]
fn a_send_that_no_peer_could_take_fails_before_it_is_sent() {
    let caps = samsara_proto::EnvelopeCaps { payload_bytes: 8, ..Default::default() };
    let config = NodeConfig { envelope_caps: caps, ..NodeConfig::default() };
    let mut node = node_with(1, config, |g| {
        g.net_out("Main/n", g.constant(peer(2)), g.input::<String>("text"));
    });
    node.invoke("Main", [("text", "12345678")]).expect("it is admitted");
    assert_eq!(sent(&node.run_until_idle(Nanos::ZERO).0).len(), 1);
    node.invoke("Main", [("text", "123456789")]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::Limit));
    assert_eq!(sent(&steps.0), []);
}

#[test]
pub(crate) fn who_sent_an_envelope_is_known_to_every_op_and_nobody_else_is_asked() {
    let record = |g: &Graph| {
        let n = g.input::<u64>("n");
        let [source, request] = g.receive(g.slot("parts").op("double", [n]));
        g.output("source", source);
        g.output("request", request);
        g.export("n");
    };
    let mut receiver = node(2, record);
    let mut asked = envelope(1, vec![fill("Main/n", 1_u64)]);
    asked.set_correlation(Correlation::Request);
    asked.request_id = 77;
    receiver.deliver_envelope(peer(1), asked, None).expect("it is admitted");
    let steps = receiver.run_until_idle(Nanos::ZERO).0;
    assert_eq!(outputs(&steps), [Value::from(peer(1)), Value::from(77_u64)]);

    receiver.deliver_envelope(peer(1), envelope(2, vec![fill("Main/n", 1_u64)]), None).expect("ok");
    let steps = receiver.run_until_idle(Nanos::ZERO).0;
    assert_eq!(outputs(&steps), [Value::from(peer(1)), Value::from(0_u64)]);

    receiver.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(receiver.run_until_idle(Nanos::ZERO).failures().count(), 1);
}

#[test]
fn a_reply_without_a_request_fails() {
    let mut node = node(2, server);
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.deliver_envelope(peer(1), envelope(1, vec![fill("Main/n", 1_u64)]), None).expect("ok");
    let steps = node.run_until_idle(Nanos::ZERO);
    let reasons: Vec<_> = steps.failures().map(|error| error.reason().to_owned()).collect();
    assert_eq!(reasons, ["no envelope is behind this execution", "nothing was asked"]);
    assert_eq!(sent(&steps.0), []);
}
