//! `wire.encode`, `wire.decode`: the envelope codec beside plain prost on the same envelope.
//!
//! Law: prost carries the payload inline and checks nothing; the codec frames it, checks every cap
//! and copies no large payload, which the `flat` rows show.

use std::hint::black_box;

use bytes::Bytes;
use prost::Message;
use samsara_proto::wire::{Fill, SCHEMA, TraceContext, WireEnvelope};
use samsara_proto::{EnvelopeCaps, EnvelopeCodec, PeerId};

use crate::{
    rounds::{Contender, interleave, nanos_each},
    row::{Context, Figure, Group, Promise, Row},
};

const KIB: usize = 1024;
/// Payloads: a small event, a page, a large tensor.
const SIZES: [usize; 3] = [64, 4 * KIB, KIB * KIB];

const fn row(name: &'static str, baseline: &'static str, promise: Promise) -> Row {
    Row { name, unit: "ns", baseline, promise }
}

/// Envelope to frame.
pub(crate) const ENCODE: Group = Group {
    name: "wire.encode",
    what: "an envelope into a frame, payloads of 64 B, 4 KiB and 1 MiB",
    rows: &[
        row("wire.encode.64", "prost", Promise::Orientation),
        row("wire.encode.4k", "prost", Promise::Orientation),
        row("wire.encode.1m", "prost", Promise::Orientation),
        row("wire.encode.flat", "4 KiB of the same", Promise::RatioAtMost(1.5)),
    ],
    run: |context| run(context, encode_nanos, prost_encode_nanos),
};

/// Frame to envelope, under all caps.
pub(crate) const DECODE: Group = Group {
    name: "wire.decode",
    what: "a frame into an envelope under all caps, payloads of 64 B, 4 KiB and 1 MiB",
    rows: &[
        row("wire.decode.64", "prost", Promise::RatioAtMost(1.5)),
        row("wire.decode.4k", "prost", Promise::Orientation),
        row("wire.decode.1m", "prost", Promise::Orientation),
        row("wire.decode.flat", "4 KiB of the same", Promise::RatioAtMost(1.5)),
    ],
    run: |context| run(context, decode_nanos, prost_decode_nanos),
};

/// Nanoseconds of one call, measured over so many.
type Measure = fn(&WireEnvelope, usize) -> f64;

fn run(context: &Context, subject: Measure, baseline: Measure) -> Result<Vec<Figure>, String> {
    let count = context.amount(200_000, 1000);
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for size in SIZES {
        let envelope = envelope(size);
        let beside = envelope.clone();
        // prost copies what it encodes, and a megabyte takes its time.
        let fewer = if size == KIB * KIB { count / 100 } else { count };
        contenders.push(Box::new(move || Ok(subject(&envelope, count))));
        contenders.push(Box::new(move || Ok(baseline(&beside, fewer))));
    }
    let figures = interleave(context, &mut contenders)?;
    let mut readings: Vec<Figure> = figures
        .chunks_exact(2)
        .filter_map(|pair| Some(Figure { value: *pair.first()?, baseline: pair.last().copied() }))
        .collect();
    let [_, page, large] = readings[..] else { return Err("a size was not measured".to_owned()) };
    readings.push(Figure { value: large.value, baseline: Some(page.value) });
    Ok(readings)
}

/// What one Node says to another in the steady state: ids, stream and trace, and one fill.
fn envelope(size: usize) -> WireEnvelope {
    let host = PeerId::from_ed25519_public_key(&[7; 32]);
    WireEnvelope {
        schema: SCHEMA,
        source: host.to_bytes().into(),
        destination: PeerId::from_ed25519_public_key(&[9; 32]).to_bytes().into(),
        incarnation: 3,
        boot_nonce: 0x0123_4567_89ab_cdef,
        stream: 12,
        stream_epoch: 1,
        seq: 123_456,
        trace: Some(TraceContext { trace_high: 1, trace_low: 2, span: 3, flags: 1 }),
        fills: vec![Fill {
            port: "trainer/gradient".to_owned(),
            type_id: "bytes@1".to_owned(),
            payload: vec![0x5a; size].into(),
            blobs: Vec::new(),
        }],
        ..WireEnvelope::default()
    }
}

fn codec() -> EnvelopeCodec {
    EnvelopeCodec::new(EnvelopeCaps::default())
}

fn encode_nanos(envelope: &WireEnvelope, count: usize) -> f64 {
    let codec = codec();
    nanos_each(count, || {
        black_box(codec.encode(black_box(envelope)).expect("its own caps allow it"));
    })
}

fn prost_encode_nanos(envelope: &WireEnvelope, count: usize) -> f64 {
    nanos_each(count, || {
        black_box(black_box(envelope).encode_to_vec());
    })
}

fn decode_nanos(envelope: &WireEnvelope, count: usize) -> f64 {
    let codec = codec();
    let frame = codec.encode(envelope).expect("its own caps allow it").to_bytes();
    assert_eq!(codec.decode_capped(frame.clone()).as_ref(), Ok(envelope));
    nanos_each(count, || {
        black_box(codec.decode_capped(black_box(&frame).clone()).expect("it decoded before"));
    })
}

fn prost_decode_nanos(envelope: &WireEnvelope, count: usize) -> f64 {
    let bytes = Bytes::from(envelope.encode_to_vec());
    nanos_each(count, || {
        black_box(WireEnvelope::decode(black_box(&bytes).clone()).expect("prost wrote it"));
    })
}
