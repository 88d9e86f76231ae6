//! The door for envelopes, from any thread.
//!
//! Law: who speaks is what the transport has proved. What is refused here was not decoded further
//! than needed to refuse it, and left nothing charged. Once the batch that blocks a peer is applied,
//! or one that leaves it off the allow list, no door lets anything of it in, on whatever thread; and
//! the Node asks again whether the peer may speak when it applies a batch.
//!
//! ```
//! use samsara_proto::{PeerId, WireEnvelope};
//! use samsara_runtime::{
//!     compiler::Compiler, config::NodeConfig, error::DeliveryError, graph::Graph, node::install,
//! };
//!
//! let g = Graph::new("Greet");
//! g.emit("greeting", g.input::<String>("text"));
//! g.export("text");
//! let program = Compiler::new().compile(g.build()?)?;
//! let node = install(PeerId::from(1), [], &program, &["Greet"], NodeConfig::default())?;
//!
//! let door = node.wire_door().peer(&PeerId::from(2))?;
//! let refused = door.deliver_inbound("no frame".into());
//! assert!(matches!(refused, Err(DeliveryError::InvalidEnvelope(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::Bytes;
use samsara_proto::{Address, EnvelopeCodec, PeerId, WireEnvelope};

use super::Node;
use crate::{
    error::{AppIngressSource, DeliveryError, Denial},
    event::{EnvelopeFrom, IngressEvent, NodeIngressHandle},
    services::Services,
};

/// A way into a Node for its peers.
#[derive(Clone, Debug)]
pub struct WireDoor {
    own: PeerId,
    handle: NodeIngressHandle,
    codec: EnvelopeCodec,
}

/// A way into a Node for one peer, which fills no more than its share.
#[derive(Clone, Debug)]
pub struct PeerDoor {
    peer: PeerId,
    door: WireDoor,
}

impl WireDoor {
    /// The same for one peer, whose id the transport has proved.
    pub fn peer(&self, peer: &PeerId) -> Result<PeerDoor, DeliveryError> {
        let door = Self { handle: self.handle.for_peer(peer)?, ..self.clone() };
        Ok(PeerDoor { peer: *peer, door })
    }
}

impl PeerDoor {
    /// Delivers one whole frame.
    pub fn deliver_inbound(&self, frame: Bytes) -> Result<(), DeliveryError> {
        let (door, len) = (&self.door, frame.len() as u64);
        let cap = door.codec.caps().envelope_bytes;
        if len > cap {
            return Err(DeliveryError::OversizePayload { byte_count: len, cap });
        }
        let charge = door.handle.charge(len)?;
        let event = self.event(door.codec.decode_capped(frame)?, None)?;
        let pushed = door.handle.try_push_charged(event, charge);
        Ok(pushed.map_err(|refused| refused.refusal)?)
    }

    /// Delivers an envelope that comes decoded, as from another Node of the same process.
    pub fn deliver_envelope(
        &self,
        envelope: WireEnvelope,
        observed: Option<Address>,
    ) -> Result<(), DeliveryError> {
        self.door.codec.check(&envelope)?;
        let event = self.event(envelope, observed)?;
        let weight = event.weight();
        let cap = self.door.codec.caps().envelope_bytes;
        if weight > cap {
            return Err(DeliveryError::OversizePayload { byte_count: weight, cap });
        }
        Ok(self.door.handle.try_push(event, weight).map_err(|refused| refused.refusal)?)
    }

    fn event(
        &self,
        envelope: WireEnvelope,
        src_observed_address: Option<Address>,
    ) -> Result<IngressEvent, DeliveryError> {
        let names = |bytes: &Bytes, peer: &PeerId| {
            bytes.is_empty() || PeerId::from_bytes(bytes).is_ok_and(|named| named == *peer)
        };
        let src_peer = self.peer;
        for (field, bytes, peer) in [
            ("source", &envelope.source, &src_peer),
            ("destination", &envelope.destination, &self.door.own),
        ] {
            if !names(bytes, peer) {
                return Err(DeliveryError::Misdirected { field });
            }
        }
        let from = EnvelopeFrom { src_peer, envelope, src_observed_address };
        Ok(IngressEvent::EnvelopeFrom(Box::new(from)))
    }
}

impl Node {
    /// Has the mailbox refuse whom this turn has blocked, and hear whom it has unblocked: a door
    /// that is open on another thread lets nothing in any more. Where the mailbox has no account
    /// left for a block, what it lets in is refused by the batch.
    pub(super) fn set_doors(&mut self) {
        for (peer, is_blocked) in self.services.take_doors() {
            if is_blocked {
                self.queue.block(&peer).ok();
            } else {
                self.queue.unblock(&peer);
            }
        }
        if let Some(allowed) = self.services.take_list() {
            self.queue.allow(allowed);
        }
    }

    /// Has the mailbox hear those again whom the Node has refused before it was set to another
    /// state.
    pub(super) fn open_doors(&self, before: &Services) {
        let blocked = before.peers().into_iter().flat_map(|peering| peering.governor.blocked());
        let is_blocked = |peer: &&PeerId| self.services.may_hear(peer) == Err(Denial::Blocklisted);
        blocked.filter(|peer| !is_blocked(peer)).for_each(|peer| self.queue.unblock(peer));
    }

    /// Has the mailbox refuse those whom the Node refuses, as it was brought to its state without
    /// this mailbox.
    pub(super) fn reset_doors(&self) {
        let peers = self.services.peers();
        for peer in peers.into_iter().flat_map(|peering| peering.governor.blocked()) {
            self.queue.block(peer).ok();
        }
        self.queue.allow(self.services.allowed().cloned());
    }

    /// A way in for peers, from any thread.
    pub fn wire_door(&self) -> WireDoor {
        let codec = EnvelopeCodec::new(self.config().envelope_caps);
        WireDoor { own: self.peer_id(), handle: self.handle.clone(), codec }
    }

    /// Delivers one whole frame of a peer, whose id the transport has proved.
    pub fn deliver_inbound(
        &mut self,
        peer: PeerId,
        frame: impl Into<Bytes>,
    ) -> Result<(), DeliveryError> {
        self.hear(peer, |door| door.deliver_inbound(frame.into()))
    }

    /// Delivers an envelope of a peer that comes decoded, and says where it was seen to come from.
    pub fn deliver_envelope(
        &mut self,
        peer: PeerId,
        envelope: WireEnvelope,
        observed: Option<Address>,
    ) -> Result<(), DeliveryError> {
        self.hear(peer, |door| door.deliver_envelope(envelope, observed))
    }

    fn hear(
        &mut self,
        peer: PeerId,
        deliver: impl FnOnce(PeerDoor) -> Result<(), DeliveryError>,
    ) -> Result<(), DeliveryError> {
        let may = self.services.may_hear(&peer).map_err(DeliveryError::from);
        let heard = may.and_then(|()| self.wire_door().peer(&peer)).and_then(deliver);
        if let Err(error) = &heard {
            self.note_refusal(error, || AppIngressSource::Envelope { peer: Box::new(peer) });
        }
        heard
    }
}
