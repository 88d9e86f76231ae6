//! What comes in: who may speak, what is taken once, and what becomes of each fill.

use bytes::Bytes;
use samsara_proto::{
    EnvelopeCaps, EnvelopeCodec,
    wire::{Fill, WireEnvelope},
};
use samsara_runtime::{
    config::{BackpressureConfig, ExchangeConfig, NodeConfig, PeerConfig},
    error::{DeliveryError, Denial},
    graph::Graph,
    node::{Node, Screened},
    step::EngineStep,
    time::{Nanos, millis, seconds},
    value::Value,
};

use super::{
    parts::outputs,
    wire::{envelope, fill, node, node_of, node_with, peer, sent},
};

fn adds(g: &Graph) {
    g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
    g.export("n");
}

/// What was said of envelopes and fills that were not taken, in order.
fn bad(steps: &[EngineStep]) -> Vec<String> {
    let told = |step: &EngineStep| match step {
        EngineStep::WireReceiveFailed { fill: Some(at), reason, .. } => {
            Some(format!("{at}: {reason}"))
        }
        EngineStep::WireReceiveFailed { fill: None, reason, .. } => Some(reason.to_string()),
        EngineStep::WireDecodeFailed { fill, reason, .. } => Some(format!("{fill}: {reason}")),
        _ => None,
    };
    steps.iter().filter_map(told).collect()
}

fn take(node: &mut Node, from: u64, fills: Vec<Fill>) -> Vec<EngineStep> {
    let seq = node.watermark(&peer(from), 1).map_or(1, |mark| mark.next);
    node.deliver_envelope(peer(from), envelope(seq, fills), None).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO).0
}

#[test]
fn all_fills_of_an_envelope_join_in_one_execution() {
    let mut node = node(2, |g| {
        let (a, b) = (g.input::<u64>("a"), g.input::<u64>("b"));
        g.output("sum", g.slot("parts").op("plus", [a, b]));
        g.export("a");
        g.export("b");
    });
    let steps = take(&mut node, 1, vec![fill("Main/a", 4_u64), fill("Main/b", 5_u64)]);
    assert_eq!(outputs(&steps), [("sum", Value::U64(9))]);
    let steps = take(&mut node, 1, vec![fill("Main/a", 4_u64)]);
    assert!(matches!(steps[..], [EngineStep::Starved { .. }]), "{steps:?}");
}

#[test]
fn a_bad_fill_is_reported_by_its_position_and_the_others_are_delivered() {
    let other = Graph::new("Other");
    other.output("n", other.input::<u64>("n"));
    other.export("n");
    let main = Graph::new("Main");
    main.output("inner", main.input::<u64>("inner"));
    adds(&main);
    let mut node = node_of(2, NodeConfig::default(), vec![main, other]);
    let fills = vec![
        fill("Main/inner", 1_u64),
        fill("Main/m", 1_u64),
        fill("", 1_u64),
        fill("Main/n", "text"),
        fill("Main/n", 5_u64),
        fill("Main/n", 6_u64),
        fill("Other/n", 7_u64),
        Fill { payload: Bytes::from_static(b"short"), ..fill("Main/n", 1_u64) },
    ];
    let steps = take(&mut node, 1, fills);
    assert_eq!(outputs(&steps), [("total", Value::U64(5))]);
    let told = bad(&steps);
    let wanted = [
        "0: the port is not exported",
        "1: there is no such port",
        "2: there is no such port",
        "3: expected u64, got text@1",
        "5: the port is fed twice",
        "6: the port is of another module than the first",
        "7: the port is fed twice",
    ];
    assert_eq!(told, wanted);
    let fills = vec![Fill { payload: Bytes::from_static(b"short"), ..fill("Main/n", 1_u64) }];
    assert_eq!(bad(&take(&mut node, 1, fills)), ["0: 8 bytes were wanted at byte 0, 5 are left"]);
}

#[test]
fn a_module_that_is_not_installed_here_is_not_reached() {
    let other = Graph::new("Other");
    other.output("n", other.input::<u64>("n"));
    other.export("n");
    let main = Graph::new("Main");
    adds(&main);
    let drafts = [main, other].map(|graph| graph.build().expect("the module is sound"));
    let program = samsara_runtime::compiler::Compiler::new()
        .bind::<super::parts::Parts>("parts")
        .compile_all(drafts)
        .expect("the program is sound");
    let installed =
        samsara_runtime::node::install(peer(2), [], &program, &["Main"], NodeConfig::default());
    let mut node = installed.expect("it installs");
    let steps = take(&mut node, 1, vec![fill("Other/n", 7_u64)]);
    assert_eq!(
        (bad(&steps).join(""), outputs(&steps).len()),
        ("0: there is no such port".into(), 0)
    );
}

#[test]
fn what_was_taken_before_or_comes_too_early_enters_no_batch() {
    let mut node = node(2, adds);
    let one = |seq| envelope(seq, vec![fill("Main/n", 1_u64)]);
    for seq in [1, 1, 3, 2, 2, 4, 3] {
        node.deliver_envelope(peer(1), one(seq), None).expect("it is admitted");
    }
    node.deliver_envelope(peer(3), one(1), None).expect("another peer counts by itself");
    let batch = node.intake(Nanos::ZERO);
    assert_eq!(batch.events.len(), 4);
    assert_eq!(batch.depth, 8);
    let mut steps = Vec::new();
    node.apply(&batch, &mut steps);
    assert_eq!(outputs(&steps).last(), Some(&("total", Value::U64(4))));
    assert_eq!(bad(&steps), [""; 0]);
    node.deliver_envelope(peer(1), one(1), None).expect("it is admitted");
    node.deliver_envelope(peer(1), one(5), None).expect("it is admitted");
    assert_eq!(node.intake(Nanos::ZERO).events.len(), 0);
    let Screened { duplicates, gaps, stale, .. } = node.screened();
    assert_eq!((duplicates, gaps, stale), (3, 3, 0));
    assert_eq!(node.watermark(&peer(1), 1).map(|mark| mark.next), Some(4));
}

#[test]
fn a_batch_that_was_taken_beside_another_is_judged_again() {
    let mut node = node(2, adds);
    let one = || envelope(1, vec![fill("Main/n", 1_u64)]);
    node.deliver_envelope(peer(1), one(), None).expect("it is admitted");
    let first = node.intake(Nanos::ZERO);
    node.deliver_envelope(peer(1), one(), None).expect("it is admitted");
    let second = node.intake(Nanos::ZERO);
    assert_eq!((first.events.len(), second.events.len()), (1, 1));
    let mut steps = Vec::new();
    node.apply(&first, &mut steps);
    node.apply(&second, &mut steps);
    assert_eq!(bad(&steps), ["it was taken before"]);
    assert_eq!(outputs(&steps), [("total", Value::U64(1))]);
}

#[test]
fn a_stream_that_begins_anew_is_told_and_its_old_epoch_is_over() {
    let mut node = node(2, adds);
    take(&mut node, 1, vec![fill("Main/n", 1_u64)]);
    let mut anew = envelope(1, vec![fill("Main/n", 1_u64)]);
    anew.stream_epoch = 4;
    node.deliver_envelope(peer(1), anew, None).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    let reset = EngineStep::StreamReset { peer: peer(1), stream: 1, ended: 1 };
    assert_eq!(steps[0], reset);
    node.deliver_envelope(peer(1), envelope(2, vec![]), None).expect("it is admitted");
    assert_eq!(node.intake(Nanos::ZERO).events.len(), 0);
    assert_eq!(node.screened().stale, 1);
}

#[test]
fn a_best_effort_message_is_taken_once_in_whatever_order() {
    let mut node = node(2, adds);
    for seq in [5, 3, 5, 4, 3] {
        let mut message = envelope(seq, vec![fill("Main/n", 1_u64)]);
        (message.stream, message.stream_epoch) = (0, 0);
        node.deliver_envelope(peer(1), message, None).expect("it is admitted");
    }
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(bad(&steps.0), ["it was taken before"; 2]);
    assert_eq!(steps.output("total"), Some(3_u64));
}

#[test]
fn a_blocked_peer_is_refused_before_its_bytes_are_read() {
    let mut node = node(2, adds);
    node.deliver_envelope(peer(1), envelope(1, vec![fill("Main/n", 1_u64)]), None).expect("ok");
    node.block_peer(peer(1)).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
    let refused = node.deliver_inbound(peer(1), "these bytes are no frame");
    assert!(matches!(refused, Err(DeliveryError::Denied(Denial::Blocklisted))), "{refused:?}");
    let refused = node.deliver_inbound(peer(3), "these bytes are no frame");
    assert!(matches!(refused, Err(DeliveryError::InvalidEnvelope(_))), "{refused:?}");
    let stats = node.ingress().stats();
    assert_eq!((stats.items, stats.bytes), (0, 0));
}

#[test]
fn a_peer_that_was_blocked_meanwhile_is_refused_in_the_batch() {
    let mut node = node(2, adds);
    node.block_peer(peer(1)).expect("there is room");
    let one = envelope(1, vec![fill("Main/n", 1_u64)]);
    node.deliver_envelope(peer(1), one.clone(), None).expect("it is not blocked yet");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    assert_eq!(bad(&steps), ["the peer is blocked"]);
    node.unblock_peer(peer(1)).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
    let two = WireEnvelope { seq: 2, ..one.clone() };
    for envelope in [one, two] {
        node.deliver_envelope(peer(1), envelope, None).expect("it is heard again");
    }
    let steps = node.run_until_idle(Nanos::ZERO);
    // What was in a batch was acknowledged: it is not taken again, and the stream goes on behind it.
    assert_eq!(outputs(&steps.0), [("total", Value::U64(1))]);
    assert_eq!(node.screened().duplicates, 1);
}

#[test]
fn only_the_allowed_are_heard_until_the_list_is_taken_away() {
    let mut node = node(2, adds);
    node.set_allowlist(Some([peer(3)].into())).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
    let one = || envelope(1, vec![fill("Main/n", 1_u64)]);
    let refused = node.deliver_envelope(peer(1), one(), None);
    assert!(matches!(refused, Err(DeliveryError::Denied(Denial::NotAllowlisted))), "{refused:?}");
    node.deliver_envelope(peer(3), one(), None).expect("it is on the list");
    node.set_allowlist(None).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
    node.deliver_envelope(peer(1), one(), None).expect("the list is gone");
}

#[test]
fn an_envelope_that_names_another_source_or_destination_is_refused() {
    let mut node = node(2, adds);
    let named = |source: &[u8], destination: &[u8]| {
        let mut envelope = envelope(1, vec![fill("Main/n", 1_u64)]);
        envelope.source = Bytes::copy_from_slice(source);
        envelope.destination = Bytes::copy_from_slice(destination);
        envelope
    };
    let (one, two, three) = (peer(1).to_bytes(), peer(2).to_bytes(), peer(3).to_bytes());
    for (envelope, wanted) in
        [(named(&three, &two), "source"), (named(&one, &three), "destination")]
    {
        let refused = node.deliver_envelope(peer(1), envelope, None);
        assert!(
            matches!(refused, Err(DeliveryError::Misdirected { field }) if field == wanted),
            "{refused:?}"
        );
    }
    node.deliver_envelope(peer(1), named(&one, &two), None).expect("it names both rightly");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(1_u64));
}

#[test]
fn a_door_for_peers_works_from_another_thread() {
    let mut node = node(2, adds);
    let door = node.wire_door();
    let codec = EnvelopeCodec::default();
    let frame = codec.encode(&envelope(1, vec![fill("Main/n", 5_u64)])).expect("within the caps");
    let frame = frame.to_bytes();
    let pushed = std::thread::spawn(move || door.peer(&peer(1))?.deliver_inbound(frame)).join();
    pushed.expect("it did not panic").expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(5_u64));
}

#[test]
fn a_flooding_peer_fills_its_share_and_leaves_room_for_others() {
    let config = NodeConfig { ingress_capacity: 8, ..NodeConfig::default() };
    let mut node = node_with(2, config, adds);
    let one = |seq| envelope(seq, vec![fill("Main/n", 1_u64)]);
    for seq in [1, 2] {
        node.deliver_envelope(peer(1), one(seq), None).expect("a quarter of eight");
    }
    let refused = node.deliver_envelope(peer(1), one(3), None);
    assert!(matches!(refused, Err(DeliveryError::IngressFull { .. })), "{refused:?}");
    node.deliver_envelope(peer(3), one(1), None).expect("there is room for another peer");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(3_u64));
}

#[test]
fn an_envelope_is_taken_up_to_its_caps_by_either_door() {
    let caps = EnvelopeCaps { payload_bytes: 4, ..EnvelopeCaps::default() };
    let config = NodeConfig { envelope_caps: caps, ..NodeConfig::default() };
    let mut node = node_with(2, config, |g| {
        g.output("text", g.input::<String>("text"));
        g.export("text");
    });
    let refused =
        node.deliver_envelope(peer(1), envelope(1, vec![fill("Main/text", "12345")]), None);
    assert!(matches!(refused, Err(DeliveryError::EnvelopeOverCaps(_))), "{refused:?}");
    let codec = EnvelopeCodec::default();
    let frame = codec.encode(&envelope(1, vec![fill("Main/text", "12345")])).expect("its own caps");
    let refused = node.deliver_inbound(peer(1), frame.to_bytes());
    assert!(matches!(refused, Err(DeliveryError::InvalidEnvelope(_))), "{refused:?}");
    assert_eq!(node.ingress().stats().bytes, 0);
    let steps = take(&mut node, 1, vec![fill("Main/text", "1234")]);
    assert_eq!(outputs(&steps), [("text", Value::from("1234"))]);
}

#[test]
fn what_a_peer_claims_of_itself_is_a_hint_and_never_of_another() {
    let mut node = node(2, adds);
    let claimed = "/ip4/10.0.0.9/tcp/1".parse::<samsara_proto::Address>().expect("an address");
    let of_other = claimed.with_peer(peer(3)).expect("it names nobody");
    let mut told = envelope(1, vec![fill("Main/n", 1_u64)]);
    told.claimed_addresses =
        [&claimed, &of_other].map(|address| Bytes::copy_from_slice(address.as_bytes())).to_vec();
    told.claimed_addresses.push(Bytes::from_static(b"no address"));
    let seen = "/ip4/10.0.0.9/tcp/999".parse::<samsara_proto::Address>().expect("an address");
    node.deliver_envelope(peer(8), told, Some(seen.clone())).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(1_u64));
    let known = node.resolve_peer_addresses(&peer(8));
    let known: Vec<_> = known.into_iter().map(|known| known.address.clone()).collect();
    assert_eq!(known, [seen, claimed]);
    assert!(node.drop_peer(peer(8)).is_err(), "a hint owns nothing");
}

#[test]
fn a_peer_that_floods_without_credit_is_told_and_then_muted_until_it_is_quiet() {
    let pressure = BackpressureConfig { mute_after: 2, ..BackpressureConfig::default() };
    let config =
        NodeConfig { ingress_capacity: 8, backpressure: pressure, ..NodeConfig::default() };
    let mut node = node_with(2, config, adds);
    let mut seq = 0;
    let mut flood = |node: &mut Node, now| {
        // The host's own events fill the mailbox; the last one comes from the peer.
        for _ in 0..7 {
            node.invoke("Main", [("n", 0_u64)]).expect("there is room");
        }
        seq += 1;
        let mut message = envelope(seq, vec![fill("Main/n", 1_u64)]);
        (message.stream, message.stream_epoch) = (0, 0);
        node.deliver_envelope(peer(1), message, None).expect("it is admitted");
        node.run_until_idle(now).0
    };
    for now in [seconds(1), seconds(2)] {
        let steps = flood(&mut node, now);
        let told = sent(&steps);
        assert_eq!(told.len(), 1, "{steps:?}");
        assert_eq!((told[0].0, told[0].2.refusals.len()), (peer(1), 1));
        assert_eq!(bad(&steps), [""; 0]);
    }
    assert_eq!(bad(&flood(&mut node, seconds(3))), ["the peer is muted"]);
    assert_eq!(bad(&flood(&mut node, seconds(9))), [""; 0], "it was quiet");
}

#[test]
fn a_peer_that_asks_for_a_pause_gets_it_from_best_effort_sends_alone() {
    let mut node = node(2, |g| {
        let n = g.input::<u64>("n");
        g.net_out_best_effort("Main/n", g.constant(peer(1)), n);
        g.net_out("Main/n", g.constant(peer(1)), n);
        g.export("n");
    });
    let mut notice = envelope(1, vec![]);
    (notice.stream, notice.stream_epoch) = (0, 0);
    notice.refusals = vec![samsara_proto::wire::Refusal {
        reason: samsara_proto::wire::RefusalReason::Busy.into(),
        ..Default::default()
    }];
    node.deliver_envelope(peer(1), notice, None).expect("it is admitted");
    node.run_until_idle(seconds(1));
    for (now, count) in [(millis(1_999), 1), (seconds(2), 2)] {
        node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
        let steps = node.run_until_idle(now).0;
        assert_eq!(sent(&steps).len(), count, "{steps:?}");
    }
}

#[test]
fn the_first_of_one_stream_too_many_is_kept_out_and_not_acknowledged() {
    let exchange = ExchangeConfig { max_streams: 1, ..ExchangeConfig::default() };
    let config = NodeConfig { exchange, ..NodeConfig::default() };
    let mut node = node_with(2, config, adds);
    assert_eq!(bad(&take(&mut node, 1, vec![fill("Main/n", 1_u64)])), [""; 0]);
    let steps = take(&mut node, 3, vec![fill("Main/n", 1_u64)]);
    assert_eq!((&steps[..], node.screened().unopened), (&[][..], 1));
    assert_eq!(node.watermark(&peer(3), 1), None);
}

#[test]
fn peers_that_only_pass_by_make_room_and_those_with_a_stream_stay() {
    let peers = PeerConfig { max_peers: 2, ..PeerConfig::default() };
    let g = Graph::new("Main");
    adds(&g);
    let mut node = node_of(9, NodeConfig { peers, ..NodeConfig::default() }, vec![g]);
    take(&mut node, 1, vec![fill("Main/n", 1_u64)]);
    for from in 100..110 {
        let mut message = envelope(1, vec![fill("Main/n", 1_u64)]);
        (message.stream, message.stream_epoch) = (0, 0);
        node.deliver_envelope(peer(from), message, None).expect("it is admitted");
        assert_eq!(bad(&node.run_until_idle(Nanos::ZERO).0), [""; 0]);
    }
    assert_eq!(node.watermark(&peer(1), 1).map(|mark| mark.next), Some(2));
    assert_eq!(bad(&take(&mut node, 2, vec![fill("Main/n", 1_u64)])), [""; 0]);
    assert_eq!(bad(&take(&mut node, 3, vec![])), [""; 0]);
    assert_eq!(node.screened().unopened, 1, "there is no room for a third");
}

#[test]
fn a_batch_opens_as_many_streams_as_there_is_room_for() {
    let exchange = ExchangeConfig { max_streams: 2, ..ExchangeConfig::default() };
    let config = NodeConfig { exchange, ..NodeConfig::default() };
    let mut node = node_with(2, config, adds);
    for stream in 1..=3 {
        let one = WireEnvelope { stream, ..envelope(1, vec![fill("Main/n", stream)]) };
        node.deliver_envelope(peer(1), one, None).expect("it is admitted");
    }
    let steps = node.run_until_idle(Nanos::ZERO).0;
    assert_eq!(outputs(&steps), [("total", Value::U64(1)), ("total", Value::U64(3))]);
    assert_eq!(node.screened().unopened, 1);
}
