//! What arrives on a link, before the Node's mailbox.
//!
//! Law: who is fenced moves nothing; what rides along is heard, whatever becomes of the envelope
//! that it rides on; and what the Node gets is in order, once, and bears nothing of the link.

use samsara_proto::{
    PeerId, WireEnvelope,
    wire::{Ack, Refusal, RefusalReason},
};

use super::{
    Alarm, Courier, CourierStep, Life, Received, Unheard,
    correspondent::{Correspondent, is_passing},
    desk::life_of,
    life::Heard,
    outbox::{Outbox, Phase},
    word::{Word, cost, fenced_life},
};
use crate::{
    config::DeliveryConfig,
    framework::{CapReached, StreamArrival},
    time::Nanos,
};

impl Courier {
    /// Takes an envelope from a link on which `from` has proved to be who speaks.
    pub fn receive(
        &mut self,
        from: PeerId,
        mut envelope: Box<WireEnvelope>,
        now: Nanos,
        steps: &mut Vec<CourierStep>,
    ) -> Received {
        let (own, config) = (self.station.life, self.config);
        let known = match self.meet(from) {
            Ok(known) => known,
            Err(full) => return Received::Dropped(full.into()),
        };
        if let Err(fenced) = known.admit(from, life_of(&envelope), steps) {
            self.stirred.insert(from);
            return Received::Dropped(fenced);
        }
        let before = known.outbox_bytes();
        let word = Word::of(&envelope);
        if let Word::Answer { .. } = word {
            known.hear_memory(from, envelope.stream_epoch, steps);
        }
        let mut hearing = Hearing { from, known, steps };
        for ack in std::mem::take(&mut envelope.acks) {
            hearing.hear_ack(word, &ack);
        }
        // What a Node refuses it tells the other Node; couriers refuse on envelopes of their own.
        if matches!(word, Word::Note) {
            for refusal in &envelope.refusals {
                hearing.hear_refusal(refusal, own, &config, now);
            }
        }
        let known = hearing.known;
        let after = known.outbox_bytes();
        let received = known.take(word, envelope, &config);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        self.stirred.insert(from);
        received
    }
}

/// What rides along is being heard.
struct Hearing<'a> {
    from: PeerId,
    known: &'a mut Correspondent,
    steps: &'a mut Vec<CourierStep>,
}

impl Hearing<'_> {
    fn alarm(&mut self, alarm: Alarm) {
        self.steps.push(CourierStep::Alarm { peer: self.from, alarm });
    }

    fn hear_ack(&mut self, word: Word, ack: &Ack) {
        let Some(outbox) = self.known.outboxes.get_mut(&ack.stream) else { return };
        let heard = match word {
            Word::Answer { id } => outbox.hear_answer(id, ack),
            Word::Question { .. } | Word::Note | Word::Stream | Word::Loose => outbox.hear(ack),
        };
        if let Err(alarm) = heard {
            self.alarm(alarm);
        }
    }

    fn hear_refusal(&mut self, refusal: &Refusal, own: Life, config: &DeliveryConfig, now: Nanos) {
        if fenced_life(refusal) == Some(own) {
            self.alarm(Alarm::Fenced);
        }
        let (stream, seq, reason) = (refusal.stream, refusal.seq, refusal.reason());
        let waits = |outbox: &&mut Outbox| {
            outbox.epoch == refusal.stream_epoch
                && seq > outbox.acked
                && matches!(outbox.phase, Phase::Asked(_) | Phase::Open)
        };
        if let Some(outbox) = self.known.outboxes.get_mut(&stream).filter(waits) {
            if is_passing(reason) {
                outbox.phase = Phase::Resting(now + config.busy_rest);
            } else {
                outbox.phase = Phase::Stopped;
                self.alarm(Alarm::Refused { stream, seq, reason });
            }
        }
    }
}

impl Correspondent {
    fn outbox_bytes(&self) -> u64 {
        self.outboxes.values().map(|outbox| outbox.bytes).fold(0, u64::saturating_add)
    }

    /// Whether a life of the peer is heard.
    fn admit(
        &mut self,
        peer: PeerId,
        life: Life,
        steps: &mut Vec<CourierStep>,
    ) -> Result<(), Unheard> {
        match self.fence.hear(life) {
            Heard::Same | Heard::First => Ok(()),
            Heard::Later => {
                // What was said to the process before is gone with it.
                self.relink();
                Ok(())
            }
            Heard::Fenced => {
                self.tell_unheard(life);
                Err(Unheard::Fenced)
            }
            Heard::Twin { other } => {
                self.tell_unheard(other);
                self.tell_unheard(life);
                let alarm = Alarm::Twin { first: other, second: life };
                steps.push(CourierStep::Alarm { peer, alarm });
                Err(Unheard::Fenced)
            }
        }
    }

    fn hear_memory(&mut self, peer: PeerId, memory: u64, steps: &mut Vec<CourierStep>) {
        if memory > self.memory && self.memory > 0 {
            self.forget_with(peer, steps);
        }
        self.memory = self.memory.max(memory);
    }

    fn take(
        &mut self,
        word: Word,
        envelope: Box<WireEnvelope>,
        config: &DeliveryConfig,
    ) -> Received {
        let (stream, epoch, seq) = (envelope.stream, envelope.stream_epoch, envelope.seq);
        match word {
            Word::Answer { .. } | Word::Note => Received::Done,
            Word::Loose => Received::Deliver(envelope),
            Word::Question { id } => match self.inbox(stream, epoch, config) {
                Ok(inbox) => {
                    inbox.ask(epoch, id);
                    Received::Done
                }
                Err(full) => self.refuse_stream(&envelope, full, config),
            },
            Word::Stream => match self.inbox(stream, epoch, config) {
                Ok(inbox) => match inbox.arrive(epoch, seq, cost(&envelope)) {
                    StreamArrival::Fresh | StreamArrival::FreshEpoch { .. } => {
                        Received::Deliver(envelope)
                    }
                    StreamArrival::Duplicate => Received::Dropped(Unheard::Duplicate),
                    StreamArrival::Gap { expected } => Received::Dropped(Unheard::Gap { expected }),
                    StreamArrival::StaleEpoch { current } => {
                        Received::Dropped(Unheard::StaleEpoch { current })
                    }
                },
                Err(full) => self.refuse_stream(&envelope, full, config),
            },
        }
    }

    fn refuse_stream(
        &mut self,
        envelope: &WireEnvelope,
        full: CapReached,
        config: &DeliveryConfig,
    ) -> Received {
        let WireEnvelope { stream, stream_epoch, seq, .. } = *envelope;
        let reason = RefusalReason::Busy.into();
        self.tell_refusal(Refusal { stream, stream_epoch, seq, reason }, config);
        Received::Dropped(full.into())
    }
}
