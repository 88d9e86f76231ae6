//! What an envelope sets in motion: one execution that all its good fills feed, or the end of a
//! request.
//!
//! Law: a fill is delivered or reported by its position; a bad one keeps nothing from the others.
//! All fills feed the module of the first good one.

use samsara_proto::{
    Name, PeerId, WireEnvelope,
    wire::{Correlation, Fill, Refusal, RefusalReason, SCHEMA},
};

use super::Walk;
use crate::{
    bus::{NodeEvent, WireEvent},
    context::InboundCtx,
    error::OpError,
    event::EnvelopeFrom,
    framework::{ChainContext, Delivery},
    id::RequestId,
    peer::PeerIx,
    plan::{Export, Reached},
    schema::{DecodeError, PortType, decode},
    services::{Answer, Arrival, Parcel},
    step::{EngineStep, WireRefusal},
    time::Nanos,
    value::Value,
};

/// Why a fill is bad.
enum BadFill {
    Refused(WireRefusal),
    Undecodable(DecodeError),
}

impl<'a> Walk<'a> {
    /// Takes an envelope in, with `depth` items in the mailbox; `targets` are the modules that run
    /// here.
    pub(crate) fn receive(
        &mut self,
        targets: &[u32],
        from: &EnvelopeFrom,
        weight: u64,
        depth: u64,
    ) {
        let (peer, envelope) = (from.src_peer, &from.envelope);
        let arrival = match self.services.take_in(from, depth) {
            Ok(arrival) => arrival,
            Err(reason) => return self.refuse(peer, None, reason),
        };
        self.tell_ended(from, arrival.ended);
        if arrival.notice.is_some() {
            self.notify(peer, envelope.seq);
        }
        match envelope.correlation() {
            Correlation::Response => self.take_response(peer, arrival.source, envelope),
            Correlation::None | Correlation::Request => self.open(targets, from, arrival, weight),
        }
    }

    /// Takes the place of an envelope in its stream and nothing else: the peer goes on behind it.
    pub(crate) fn pass_over(&mut self, from: &EnvelopeFrom, depth: u64) {
        let ended = self.services.take_in(from, depth).ok().and_then(|arrival| arrival.ended);
        self.tell_ended(from, ended);
    }

    fn tell_ended(&mut self, from: &EnvelopeFrom, ended: Option<u64>) {
        if let Some(ended) = ended {
            let (peer, stream) = (from.src_peer, from.envelope.stream);
            self.steps.push(EngineStep::StreamReset { peer, stream, ended });
        }
    }

    fn open(&mut self, targets: &[u32], from: &EnvelopeFrom, arrival: Arrival, weight: u64) {
        let (peer, envelope) = (from.src_peer, &from.envelope);
        if envelope.deadline_ns == Some(0) {
            return self.refuse(peer, None, WireRefusal::Expired);
        }
        let mut first: Option<&Export> = None;
        let mut inputs = std::mem::take(&mut self.engine.inputs);
        for (at, fill) in (0..).zip(&envelope.fills) {
            match self.read(targets, fill, first.map(|first| first.module), &inputs) {
                Ok((export, value)) => {
                    first.get_or_insert(export);
                    inputs.push((export.input, value));
                }
                Err(bad) => self.report(peer, at, bad),
            }
        }
        if let Some(first) = first {
            self.begin_fed(from, arrival, weight, first, inputs.drain(..));
        }
        inputs.clear();
        self.engine.inputs = inputs;
    }

    fn begin_fed(
        &mut self,
        from: &EnvelopeFrom,
        arrival: Arrival,
        weight: u64,
        first: &Export,
        inputs: impl Iterator<Item = (u32, Value)>,
    ) {
        let Ok(exec) = self.services.inner_execs.mint() else {
            return self.refuse(from.src_peer, None, WireRefusal::NoExecution);
        };
        let inbound = self.inbound(from, arrival.class, &first.path);
        self.begin_behind(exec, first.module, weight, Some(inbound), inputs);
        if self.guard.as_ref().is_some_and(|guard| guard.has_ended(exec)) {
            self.tell_quarantine(from.src_peer, &from.envelope);
        }
    }

    /// The value of a fill, and the input that it feeds.
    fn read(
        &self,
        targets: &[u32],
        fill: &Fill,
        module: Option<u32>,
        fed: &[(u32, Value)],
    ) -> Result<(&'a Export, Value), BadFill> {
        let refused = |reason| Err(BadFill::Refused(reason));
        let plan = self.plan;
        let export = match plan.reach(&fill.port) {
            Reached::Exported(export) if targets.contains(&export.module) => export,
            Reached::Exported(_) | Reached::Nothing => return refused(WireRefusal::UnknownPort),
            Reached::Inner => return refused(WireRefusal::Denied),
        };
        if module.is_some_and(|module| module != export.module) {
            return refused(WireRefusal::OtherModule);
        }
        if fed.iter().any(|(input, _)| *input == export.input) {
            return refused(WireRefusal::FedTwice);
        }
        let inputs = self.plan.modules.get(export.module as usize).map(|module| &module.inputs);
        let Some(port) = inputs.and_then(|inputs| inputs.get(export.input as usize)) else {
            return refused(WireRefusal::UnknownPort);
        };
        let value = self.value_of(&port.ty, fill).map_err(BadFill::Undecodable)?;
        Ok((export, value))
    }

    fn value_of(&self, port: &PortType, fill: &Fill) -> Result<Value, DecodeError> {
        let (payload, limits) = (fill.payload.clone(), &self.services.config.value);
        decode(port, &fill.type_id, payload, &fill.blobs, &self.plan.natives, limits)
    }

    fn inbound(&self, from: &EnvelopeFrom, class: Delivery, port: &Name) -> InboundCtx {
        let (envelope, arrived) = (&from.envelope, self.services.now);
        let request = match envelope.correlation() {
            Correlation::Request => RequestId::new(envelope.request_id),
            Correlation::None | Correlation::Response => None,
        };
        let chain = envelope
            .chain
            .map(|chain| ChainContext { chain_id: chain.chain_id, hop_index: chain.hop_index });
        InboundCtx {
            source: from.src_peer,
            request,
            port: port.clone(),
            class,
            arrived,
            deadline: envelope.deadline_ns.map(|left| arrived + Nanos::new(left)),
            chain,
        }
    }

    fn take_response(&mut self, peer: PeerId, source: PeerIx, envelope: &WireEnvelope) {
        let Some(request) = self.services.take_answer(source, envelope) else {
            return self.refuse(peer, None, WireRefusal::NotAwaited);
        };
        let change = self.services.note_success(&peer);
        self.announce(peer, change);
        let value = match envelope.fills.first() {
            Some(fill) => self.value_of(&PortType::Any, fill),
            None => Ok(Value::Unit),
        };
        for (at, _) in (0..).zip(&envelope.fills).skip(1) {
            self.refuse(peer, Some(at), WireRefusal::Surplus);
        }
        let answer = match value {
            Ok(value) => Answer::Output(value),
            Err(error) => {
                let failed = OpError::failed(format!("the answer is no value: {error}"));
                self.report(peer, 0, BadFill::Undecodable(error));
                Answer::Failed(failed)
            }
        };
        self.answer(request.command, answer);
    }

    /// Asks a peer that floods this Node for a pause.
    #[cold]
    fn notify(&mut self, peer: PeerId, seq: u64) {
        let reason = RefusalReason::Busy.into();
        let refusal = Refusal { stream: 0, stream_epoch: 0, seq, reason };
        self.send_refusal(peer, Delivery::BestEffort, refusal);
    }

    /// Tells a peer that what it sent was set aside, so that it need not wait for what follows.
    #[cold]
    fn tell_quarantine(&mut self, peer: PeerId, envelope: &WireEnvelope) {
        let WireEnvelope { stream, stream_epoch, seq, .. } = *envelope;
        let reason = RefusalReason::Quarantined.into();
        let refusal = Refusal { stream, stream_epoch, seq, reason };
        self.send_refusal(peer, Delivery::Effective, refusal);
    }

    fn send_refusal(&mut self, peer: PeerId, class: Delivery, refusal: Refusal) {
        let Ok(Parcel { stream, epoch, seq }) = self.services.next_parcel(&peer, class) else {
            return;
        };
        let envelope = WireEnvelope {
            schema: SCHEMA,
            stream,
            stream_epoch: epoch,
            seq,
            refusals: vec![refusal],
            ..WireEnvelope::default()
        };
        self.steps.push(EngineStep::SendEnvelope { to: peer, class, envelope: Box::new(envelope) });
    }

    #[cold]
    fn report(&mut self, peer: PeerId, fill: u32, bad: BadFill) {
        match bad {
            BadFill::Refused(reason) => self.refuse(peer, Some(fill), reason),
            BadFill::Undecodable(reason) => {
                self.publish(|| {
                    let (fill, reason) = (fill.into(), reason.to_string().into());
                    NodeEvent::Wire(WireEvent::DecodeFailed { peer, fill, reason })
                });
                let reason = Box::new(reason);
                self.steps.push(EngineStep::WireDecodeFailed { peer, fill, reason });
            }
        }
    }

    #[cold]
    fn refuse(&mut self, peer: PeerId, fill: Option<u32>, reason: WireRefusal) {
        self.publish(|| {
            let (fill, reason) = (fill.map(u64::from), reason.to_string().into());
            NodeEvent::Wire(WireEvent::ReceiveFailed { peer, fill, reason })
        });
        self.steps.push(EngineStep::WireReceiveFailed { peer, fill, reason });
    }
}
