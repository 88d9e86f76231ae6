//! Requests that speak to other Nodes, and that read what they said.
//!
//! Law: a value is encoded once, however many peers it goes to; and one peer that cannot be sent to
//! keeps nothing from the others.

use std::collections::BTreeMap;

use samsara_proto::{
    EnvelopeCodec, Name, PeerId, WireEnvelope,
    wire::{ChainContext as WireChain, Correlation, Fill, SCHEMA},
};

use super::{Fired, Site};
use crate::{
    bus::{NodeEvent, WireEvent},
    context::InboundCtx,
    error::{OpError, OpErrorKind},
    framework::{Delivery, RequestKind},
    id::RequestId,
    module::numbered_port,
    schema::{Encoded, encode},
    services::{Parcel, Unsent},
    step::{DropReason, EngineStep},
    time::Nanos,
    value::Value,
};

/// What is asked of the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NetRequest {
    /// Tells peers a value.
    Out { port: Remote, class: Delivery },
    /// Asks a peer.
    Send(Remote),
    /// Gives who sent the envelope behind the execution, and its request.
    Receive,
    /// Answers it.
    Reply,
}

/// A port of another Node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remote {
    path: Name,
    kind: RequestKind,
}

impl NetRequest {
    /// Reads a request; `None` if there is no such request, or an attribute is missing or senseless.
    pub(super) fn read(name: &str, attributes: &BTreeMap<String, Value>) -> Option<Self> {
        let text = |key: &str| match attributes.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let port = || Remote::new(text("port")?);
        Some(match name {
            "Net.Receive" => Self::Receive,
            "Net.Reply" => Self::Reply,
            "Net.Send" => Self::Send(port()?),
            "NetOut" => Self::Out { port: port()?, class: class_named(text("class")?)? },
            _ => return None,
        })
    }
}

fn class_named(name: &str) -> Option<Delivery> {
    match name {
        "effective" => Some(Delivery::Effective),
        "best_effort" => Some(Delivery::BestEffort),
        _ => None,
    }
}

impl Remote {
    fn new(path: &str) -> Option<Self> {
        let (module, port) = path.split_once('/')?;
        let is_path = !module.is_empty() && !port.is_empty() && !port.contains('/');
        is_path.then(|| Self { path: path.into(), kind: RequestKind::of_port(path) })
    }
}

impl<'a> Site<'a> {
    pub(super) fn net(&mut self, request: &NetRequest) -> Result<Fired, OpError> {
        match request {
            NetRequest::Out { port, class } => self.tell(port, *class),
            NetRequest::Send(port) => self.ask(port),
            NetRequest::Receive => self.receive(),
            NetRequest::Reply => self.reply(),
        }
    }

    fn tell(&mut self, port: &Remote, class: Delivery) -> Result<Fired, OpError> {
        let to = self.argument(0);
        if let Value::Peer(peer) = &to {
            let envelope = self.envelope(port)?;
            self.send_or_report(peer, class, envelope);
            return Ok(Fired::All);
        }
        let peers = peers(&to)?;
        let envelope = self.envelope(port)?;
        let Some((last, others)) = peers.split_last() else { return Ok(Fired::All) };
        for peer in others {
            self.send_or_report(peer, class, envelope.clone());
        }
        self.send_or_report(last, class, envelope);
        Ok(Fired::All)
    }

    fn ask(&mut self, port: &Remote) -> Result<Fired, OpError> {
        let peer = match self.argument(0) {
            Value::Peer(peer) => peer,
            other => return Err(wrong(0, "peer", &other)),
        };
        let mut envelope = self.envelope(port)?;
        let (class, latest) = (Delivery::Effective, self.inbound.and_then(|from| from.deadline));
        let command = self.services.new_command()?;
        let admitted = self.in_time_left().map(drop);
        let admitted = admitted.and_then(|()| self.services.may_send(&peer, class, true));
        admitted.map_err(|unsent| self.fail_send(&peer, unsent))?;
        let opened = self.services.open_request(&peer, port.kind, command, latest);
        let (id, deadline) =
            opened.map_err(|error| OpError::new(OpErrorKind::Limit, error.to_string()))?;
        envelope.set_correlation(Correlation::Request);
        envelope.request_id = id.get();
        envelope.deadline_ns = Some((deadline - self.services.now).get());
        match self.services.next_parcel(&peer, class) {
            Ok(parcel) => self.post(&peer, class, parcel, envelope),
            Err(full) => {
                self.services.close_request(id);
                return Err(self.fail_send(&peer, full.into()));
            }
        }
        Ok(Fired::Waits(command))
    }

    fn receive(&mut self) -> Result<Fired, OpError> {
        self.argument(0);
        let InboundCtx { source, request, .. } = self.behind()?;
        let request = request.map_or(0, RequestId::get);
        self.outputs.push(Value::from(*source));
        Ok(self.give(request))
    }

    fn reply(&mut self) -> Result<Fired, OpError> {
        let InboundCtx { source, request, port, class, .. } = self.behind()?;
        let (peer, class) = (*source, *class);
        let asked = request.ok_or_else(|| OpError::failed("nothing was asked"))?;
        let fill = fill(port.clone(), &self.argument(0));
        let mut envelope = self.envelope_of(RequestKind::of_port(port.as_bytes()), vec![fill])?;
        envelope.set_correlation(Correlation::Response);
        envelope.request_id = asked.get();
        // The answer goes back the way that the request came: nothing need be known of the peer
        // but that it may still be talked to.
        let sent = self.services.may_hear(&peer).map_err(Unsent::from);
        let sent = sent.and_then(|()| self.in_time_left());
        let sent = sent.and_then(|left| {
            envelope.deadline_ns = left.map(Nanos::get);
            Ok(self.services.next_parcel(&peer, class)?)
        });
        match sent {
            Ok(parcel) => self.post(&peer, class, parcel, envelope),
            Err(unsent) => return Err(self.fail_send(&peer, unsent)),
        }
        Ok(Fired::All)
    }

    /// The envelope behind the execution.
    fn behind(&self) -> Result<&'a InboundCtx, OpError> {
        self.inbound.ok_or_else(|| OpError::failed("no envelope is behind this execution"))
    }

    /// What is left of the deadline of whoever sent for this, if there is one.
    fn in_time_left(&self) -> Result<Option<Nanos>, Unsent> {
        let Some(deadline) = self.inbound.and_then(|from| from.deadline) else { return Ok(None) };
        match deadline - self.services.now {
            Nanos::ZERO => Err(Unsent::Dropped(DropReason::Expired)),
            left => Ok(Some(left)),
        }
    }

    fn send_or_report(&mut self, peer: &PeerId, class: Delivery, envelope: Box<WireEnvelope>) {
        if let Err(unsent) = self.send(peer, class, envelope) {
            self.report(peer, unsent);
        }
    }

    fn send(
        &mut self,
        peer: &PeerId,
        class: Delivery,
        mut envelope: Box<WireEnvelope>,
    ) -> Result<(), Unsent> {
        envelope.deadline_ns = self.in_time_left()?.map(Nanos::get);
        self.services.may_send(peer, class, false)?;
        let parcel = self.services.next_parcel(peer, class)?;
        self.post(peer, class, parcel, envelope);
        Ok(())
    }

    fn post(
        &mut self,
        to: &PeerId,
        class: Delivery,
        parcel: Parcel,
        mut envelope: Box<WireEnvelope>,
    ) {
        let Parcel { stream, epoch, seq } = parcel;
        (envelope.stream, envelope.stream_epoch, envelope.seq) = (stream, epoch, seq);
        self.steps.push(EngineStep::SendEnvelope { to: *to, class, envelope });
    }

    /// An envelope of all arguments but the first for a port, within the caps: each is a fill, of
    /// the port, or where there are several of the numbered ports of its name.
    fn envelope(&mut self, to: &Remote) -> Result<Box<WireEnvelope>, OpError> {
        let values = self.arguments.get_mut(1..).unwrap_or_default();
        let is_alone = values.len() == 1;
        let fills = values.iter_mut().enumerate().map(|(at, value)| {
            let port = if is_alone { to.path.clone() } else { numbered_port(&to.path, at).into() };
            fill(port, &value.take().unwrap_or(Value::Unit))
        });
        let fills = fills.collect();
        self.envelope_of(to.kind, fills)
    }

    fn envelope_of(
        &self,
        kind: RequestKind,
        fills: Vec<Fill>,
    ) -> Result<Box<WireEnvelope>, OpError> {
        let chain = match self.inbound.and_then(|from| from.chain) {
            Some(chain) => {
                WireChain { chain_id: chain.chain_id, hop_index: chain.hop_index.saturating_add(1) }
            }
            None => WireChain { chain_id: kind.get().into(), hop_index: 0 },
        };
        let chain = Some(chain);
        let envelope = WireEnvelope { schema: SCHEMA, fills, chain, ..WireEnvelope::default() };
        let envelope = Box::new(envelope);
        let codec = EnvelopeCodec::new(self.services.config.envelope_caps);
        let fits = codec.check(&envelope);
        fits.map_err(|error| OpError::new(OpErrorKind::Limit, error.to_string()))?;
        Ok(envelope)
    }

    fn report(&mut self, peer: &PeerId, unsent: Unsent) {
        let (exec, peer) = (self.exec, *peer);
        if let (Unsent::Unresolved, Some(bus)) = (&unsent, &mut self.services.bus) {
            bus.publish_failure(exec, "wire.resolve_failed", || {
                NodeEvent::Wire(WireEvent::ResolveFailed { peer })
            });
        }
        self.steps.push(match unsent {
            Unsent::Unresolved => EngineStep::PeerResolveFailed { exec, peer },
            Unsent::Dropped(reason) => EngineStep::OutboundDropped { exec, peer, reason },
        });
    }

    /// Reports it, and fails the op that waits for the outcome.
    #[cold]
    fn fail_send(&mut self, peer: &PeerId, unsent: Unsent) -> OpError {
        self.report(peer, unsent);
        match unsent {
            Unsent::Unresolved => OpError::failed("nothing is known of the peer"),
            Unsent::Dropped(reason) => {
                let kind = match reason {
                    DropReason::Denied(_) => OpErrorKind::Failed,
                    DropReason::Expired => OpErrorKind::TimedOut,
                    DropReason::Full(_) => OpErrorKind::Limit,
                };
                OpError::new(kind, reason.to_string())
            }
        }
    }
}

fn fill(port: Name, value: &Value) -> Fill {
    let Encoded { type_id, payload, blobs } = encode(value);
    Fill { port, type_id: type_id.into(), payload, blobs }
}

fn peers(value: &Value) -> Result<Vec<PeerId>, OpError> {
    let one = |value: &Value| match value {
        Value::Peer(peer) => Ok(**peer),
        other => Err(wrong(0, "a peer or a list of peers", other)),
    };
    match value {
        Value::List(list) => list.items().iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

pub(super) fn wrong(at: usize, wanted: &str, got: &Value) -> OpError {
    let reason = format!("argument {at}: expected {wanted}, got {}", got.kind().name());
    OpError::new(OpErrorKind::BadArgument, reason)
}
