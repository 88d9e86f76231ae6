//! What couriers say to each other, beside what they carry.
//!
//! Law: nothing new on the wire. A question is an envelope of a stream without fills that bears the
//! number to come next and asks for a response; the answer is one without stream and number that
//! bears the acknowledgement. A refusal of a life has stream 0, its nonce for an epoch and its
//! incarnation for a number. One that has begun anew says so first on each link, with an answer to
//! nothing.

use samsara_proto::{
    WireEnvelope,
    wire::{Ack, Correlation, Refusal, RefusalReason, SCHEMA},
};

use super::Life;
use crate::id::Incarnation;

/// What an envelope is to a courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The source asks how far its stream is.
    Question { id: u64 },
    /// The peer answers.
    Answer { id: u64 },
    /// It bears only what rides along.
    Note,
    /// It is the next of a stream.
    Stream,
    /// It is for the Node and has no stream.
    Loose,
}

impl Word {
    pub(super) fn of(envelope: &WireEnvelope) -> Self {
        let (correlation, id) = (envelope.correlation(), envelope.request_id);
        if !envelope.fills.is_empty() || (envelope.stream, envelope.seq) == (0, 0) {
            return match (envelope.stream, envelope.seq, correlation) {
                (0, 0, Correlation::Response) => Self::Answer { id },
                (0, 0, Correlation::None | Correlation::Request) => Self::Note,
                (0, _, _) => Self::Loose,
                (_, _, _) => Self::Stream,
            };
        }
        match (envelope.stream, correlation) {
            (0, _) => Self::Loose,
            (_, Correlation::Request) => Self::Question { id },
            (_, Correlation::None | Correlation::Response) => Self::Stream,
        }
    }
}

/// An envelope that bears nothing yet.
pub(super) fn note() -> WireEnvelope {
    WireEnvelope { schema: SCHEMA, ..WireEnvelope::default() }
}

/// Asks how far a stream is, whose next new envelope will be `seq`.
pub(super) fn question(stream: u64, stream_epoch: u64, seq: u64, id: u64) -> WireEnvelope {
    let mut envelope = WireEnvelope { stream, stream_epoch, seq, request_id: id, ..note() };
    envelope.set_correlation(Correlation::Request);
    envelope
}

/// Answers question `id`; `memory` is how often the one who speaks began anew.
pub(super) fn answer(id: u64, memory: u64, ack: Ack) -> WireEnvelope {
    let mut envelope =
        WireEnvelope { stream_epoch: memory, request_id: id, acks: vec![ack], ..note() };
    envelope.set_correlation(Correlation::Response);
    envelope
}

/// Says unasked how often the one who speaks began anew.
pub(super) fn memory(memory: u64) -> WireEnvelope {
    let mut envelope = WireEnvelope { stream_epoch: memory, ..note() };
    envelope.set_correlation(Correlation::Response);
    envelope
}

/// Says that a life is not heard any more.
pub(super) fn fenced(life: Life) -> WireEnvelope {
    let Life { incarnation, boot_nonce } = life;
    let reason = RefusalReason::Fenced.into();
    let refusal = Refusal { stream: 0, stream_epoch: boot_nonce, seq: incarnation.get(), reason };
    WireEnvelope { refusals: vec![refusal], ..note() }
}

/// The life that a refusal is about, if it is about one.
pub(super) fn fenced_life(refusal: &Refusal) -> Option<Life> {
    let is_life = refusal.stream == 0 && refusal.reason() == RefusalReason::Fenced;
    let incarnation = Incarnation::new(refusal.seq);
    is_life.then_some(Life { incarnation, boot_nonce: refusal.stream_epoch })
}

/// What an envelope takes before it is split up, and likewise each of its fills.
const HEAD_BYTES: u64 = 256;
const FILL_BYTES: u64 = 128;

/// What an envelope costs of credit and of the outbox: the same at both ends, whatever rides along.
pub(super) fn cost(envelope: &WireEnvelope) -> u64 {
    let fills = envelope.fills.iter().map(|fill| {
        let blobs = fill.blobs.iter().map(|blob| blob.len() as u64);
        let parts = [fill.port.len() as u64, fill.type_id.len() as u64, fill.payload.len() as u64];
        blobs.chain(parts).fold(FILL_BYTES, u64::saturating_add)
    });
    fills.fold(HEAD_BYTES, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use samsara_proto::{EnvelopeCodec, wire::Fill};

    use super::*;

    #[test]
    fn every_word_is_told_from_the_others_after_the_wire() {
        let ack = Ack { stream: 1, stream_epoch: 2, durable: 3, credit_bytes: 4 };
        let carried = WireEnvelope { stream: 1, seq: 1, fills: vec![Fill::default()], ..note() };
        let asks = WireEnvelope { correlation: Correlation::Request.into(), ..carried.clone() };
        let words = [
            (question(1, 2, 3, 9), Word::Question { id: 9 }),
            (answer(9, 1, ack), Word::Answer { id: 9 }),
            (memory(2), Word::Answer { id: 0 }),
            (WireEnvelope { acks: vec![ack], ..note() }, Word::Note),
            (carried, Word::Stream),
            (asks, Word::Stream),
            (WireEnvelope { seq: 1, ..note() }, Word::Loose),
        ];
        let codec = EnvelopeCodec::default();
        for (envelope, word) in words {
            let frame = codec.encode(&envelope).expect("it fits").to_bytes();
            let read = codec.decode_capped(frame).expect("it was written here");
            assert_eq!(Word::of(&read), word);
        }
    }

    #[test]
    fn a_life_that_is_refused_knows_itself_and_no_refusal_of_a_message_is_one() {
        let life = Life { incarnation: Incarnation::new(7), boot_nonce: 9 };
        let told = fenced(life);
        assert_eq!(told.refusals.first().and_then(fenced_life), Some(life));
        let reason = RefusalReason::Busy.into();
        let message = Refusal { stream: 0, stream_epoch: 9, seq: 7, reason };
        assert_eq!(fenced_life(&message), None);
    }
}
