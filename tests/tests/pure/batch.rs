//! Batches as a journal has them: every kind of event, bit for bit.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use proptest::prelude::*;
use samsara_ingress::Admitted;
use samsara_proto::{
    Address, PeerId,
    wire::{
        Ack, ChainContext, Correlation, Fill, Refusal, RefusalReason, SCHEMA, TraceContext,
        WireEnvelope,
    },
};
use samsara_runtime::{
    error::{AppIngressError, AppIngressKind, AppIngressSource, OpError, OpErrorKind},
    event::{
        BootstrapInputs, Control, EnvelopeFrom, IngressEvent, InputIndex, InvokeAs, PeerChange,
        SendFailed, SendFailure,
    },
    framework::ClientId,
    id::{CommandId, ExecId, Incarnation, RequestId},
    node::Batch,
    schema::TypeTable,
    time::Nanos,
    value::Value,
};

use super::golden::assert_frozen;

fn exec(number: u64) -> ExecId {
    ExecId::new(number).expect("not zero")
}

fn command(number: u64) -> CommandId {
    CommandId::new(number).expect("not zero")
}

fn address() -> Address {
    "/ip4/10.0.0.2/tcp/4001".parse().expect("an address")
}

fn envelope() -> WireEnvelope {
    let fill = Fill {
        port: "Main/n".into(),
        type_id: "u64@1".into(),
        payload: Bytes::from_static(&[7]),
        blobs: vec![Bytes::from_static(b"blob")],
    };
    WireEnvelope {
        schema: SCHEMA,
        source: PeerId::from(2).to_bytes().into(),
        incarnation: 3,
        boot_nonce: 4,
        stream: 1,
        stream_epoch: 2,
        seq: 9,
        redelivered: true,
        acks: vec![Ack { stream: 1, stream_epoch: 1, durable: 5, credit_bytes: 6 }],
        correlation: Correlation::Request.into(),
        request_id: 8,
        deadline_ns: Some(10),
        fills: vec![fill],
        refusals: vec![Refusal {
            stream: 1,
            stream_epoch: 1,
            seq: 2,
            reason: RefusalReason::Busy.into(),
        }],
        trace: Some(TraceContext { trace_high: 1, trace_low: 2, span: 3, flags: 1 }),
        chain: Some(ChainContext { chain_id: 4, hop_index: 5 }),
        claimed_addresses: vec![address().to_bytes().into()],
        ..WireEnvelope::default()
    }
}

/// One event of each kind, by the name that its bytes are frozen under.
fn events() -> Vec<(&'static str, IngressEvent)> {
    let input = InputIndex { module: 1, input: 2 };
    let refused = AppIngressError {
        source: AppIngressSource::Invoke { module: "Main".into(), input_count: 2 },
        byte_count: 3,
        kind: AppIngressKind::TooManyInputs { count: 2, cap: 1 },
    };
    let from = EnvelopeFrom {
        src_peer: PeerId::from(2),
        envelope: envelope(),
        src_observed_address: Some(address()),
    };
    let failed = SendFailed {
        peer: PeerId::from(2),
        request: RequestId::new(4),
        reason: SendFailure::LinkLost,
    };
    let error = OpError::new(OpErrorKind::Failed, "no");
    let asked = vec![BootstrapInputs { module: 1, inputs: vec![(0, Value::from(true))] }];
    let control = IngressEvent::Control;
    let peers = |change| IngressEvent::Control(Control::Peers(Box::new(change)));
    let peer = PeerId::from(2);
    let text = Value::from("hello");
    vec![
        ("app event", IngressEvent::AppEvent { exec: exec(1), input, value: text.clone() }),
        (
            "invoke",
            IngressEvent::Invoke {
                exec: exec(2),
                module: 1,
                inputs: vec![(0, Value::U64(7)), (1, text)],
            },
        ),
        (
            "completion",
            IngressEvent::Completion { command: command(3), outputs: vec![Value::Unit] },
        ),
        ("failed completion", IngressEvent::CompletionFailed { command: command(3), error }),
        ("envelope", IngressEvent::EnvelopeFrom(Box::new(from))),
        ("failed send", IngressEvent::SendFailed(Box::new(failed))),
        ("refusal", IngressEvent::AppIngressError { error: refused, count: 5 }),
        ("start", control(Control::Start)),
        ("bootstrap", control(Control::Bootstrap(asked))),
        ("lifecycle", control(Control::Lifecycle("Shutdown".into()))),
        ("clear", control(Control::Clear)),
        ("begin", control(Control::Begin { incarnation: Incarnation::new(6) })),
        ("block", peers(PeerChange::Block(peer))),
        ("unblock", peers(PeerChange::Unblock(peer))),
        ("allow", peers(PeerChange::Allow(Some(BTreeSet::from([peer]))))),
        ("add", peers(PeerChange::Add { peer, addresses: vec![address()] })),
        ("drop", peers(PeerChange::Drop(peer))),
        ("register", peers(PeerChange::Register { peer, address: address() })),
        ("forget", peers(PeerChange::Forget { peer, address: address() })),
        ("add own", peers(PeerChange::AddOwn(address()))),
        ("forget own", peers(PeerChange::ForgetOwn(address()))),
        ("reached", peers(PeerChange::Reached(peer))),
        ("begin anew", peers(PeerChange::BeginAnew(peer))),
        (
            "invoke as",
            IngressEvent::InvokeAs(Box::new(InvokeAs {
                client: ClientId([9; 16]),
                request: 8,
                exec: exec(2),
                module: 1,
                inputs: vec![(0, Value::U64(7))],
            })),
        ),
    ]
}

fn batch_of(event: IngressEvent) -> Batch {
    let events = vec![Admitted { event, weight: 3 }];
    Batch { now: Nanos::new(5), depth: 2, events, discard: false }
}

fn read(bytes: &[u8]) -> Option<Batch> {
    Batch::read(&Bytes::copy_from_slice(bytes), &Arc::new(TypeTable::default())).ok()
}

#[test]
fn the_bytes_of_each_kind_of_event_are_frozen() {
    let file = include_str!("../../golden/batch.hex");
    for (name, event) in events() {
        let batch = batch_of(event);
        assert_frozen(file, name, &batch.to_bytes());
        assert_eq!(read(&batch.to_bytes()), Some(batch), "{name}");
    }
}

#[test]
fn a_flipped_or_missing_or_added_byte_is_another_batch_or_none() {
    for (name, event) in events() {
        let batch = batch_of(event);
        let bytes = batch.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Some(other) = read(&flipped) {
                assert_ne!(other, batch, "{name}: bit {bit}");
            }
        }
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "{name}: cut at {end}");
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None, "{name}: one byte more");
    }
}

fn event() -> impl Strategy<Value = IngressEvent> {
    let value = prop_oneof![
        any::<u64>().prop_map(Value::U64),
        ".*".prop_map(|text: String| Value::from(&*text)),
        Just(Value::Unit),
    ];
    let ids = 1..=u64::MAX;
    let number = any::<u32>();
    let values = proptest::collection::vec((number, value.clone()), 0..4);
    let fills = proptest::collection::vec((".*", any::<Vec<u8>>()), 0..3);
    let stream = (any::<u64>(), any::<u64>(), any::<u64>());
    prop_oneof![
        (ids.clone(), number, number, value.clone()).prop_map(|(id, module, input, value)| {
            IngressEvent::AppEvent { exec: exec(id), input: InputIndex { module, input }, value }
        }),
        (ids.clone(), number, values).prop_map(|(id, module, inputs)| IngressEvent::Invoke {
            exec: exec(id),
            module,
            inputs,
        }),
        (ids.clone(), proptest::collection::vec(value, 0..4)).prop_map(|(id, outputs)| {
            IngressEvent::Completion { command: command(id), outputs }
        }),
        (ids, ".*").prop_map(|(id, reason)| IngressEvent::CompletionFailed {
            command: command(id),
            error: OpError::failed(reason),
        }),
        (fills, stream).prop_map(|(fills, (stream, stream_epoch, seq))| {
            let fill = |(port, payload): (String, Vec<u8>)| Fill {
                port,
                payload: payload.into(),
                ..Fill::default()
            };
            let fills = fills.into_iter().map(fill).collect();
            let envelope = WireEnvelope { stream, stream_epoch, seq, fills, ..envelope() };
            let (src_peer, src_observed_address) = (PeerId::from(3), None);
            let from = EnvelopeFrom { src_peer, envelope, src_observed_address };
            IngressEvent::EnvelopeFrom(Box::new(from))
        }),
        proptest::sample::select(events()).prop_map(|(_, event)| event),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        events in proptest::collection::vec((event(), any::<u64>()), 0..8),
        now in any::<u64>(),
        depth in any::<u64>(),
        discard in any::<bool>(),
    ) {
        let events = events.into_iter().map(|(event, weight)| Admitted { event, weight }).collect();
        let batch = Batch { now: Nanos::new(now), depth, events, discard };
        prop_assert_eq!(read(&batch.to_bytes()), Some(batch));
    }
}

#[test]
fn a_value_that_is_larger_than_peers_may_send_is_read_back() {
    let list = Value::list((0..70_000).map(Value::U64).collect()).expect("it is flat");
    let event = IngressEvent::Completion { command: command(1), outputs: vec![list] };
    let batch = batch_of(event);
    assert_eq!(read(&batch.to_bytes()), Some(batch));
}
