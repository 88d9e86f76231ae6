//! Requests about who is known and who is talked to.
//!
//! Law: a change holds from the next op on, and what it changes in a peer's standing is told once.

use std::collections::BTreeMap;

use samsara_proto::{Address, PeerId};

use super::{Fired, Site, wire::wrong};
use crate::{
    error::{OpError, OpErrorKind},
    framework::PeerTransition,
    step::EngineStep,
    value::Value,
};

/// What is asked about peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerRequest {
    Block,
    Insert,
    Lookup,
    Unblock,
}

impl PeerRequest {
    /// Reads a request; `None` if there is no such request.
    pub(super) fn read(name: &str, _: &BTreeMap<String, Value>) -> Option<Self> {
        Some(match name {
            "Peers.Block" => Self::Block,
            "Peers.Insert" => Self::Insert,
            "Peers.Lookup" => Self::Lookup,
            "Peers.Unblock" => Self::Unblock,
            _ => return None,
        })
    }
}

impl Site<'_> {
    pub(super) fn peers(&mut self, request: PeerRequest) -> Result<Fired, OpError> {
        let peer = match self.argument(0) {
            Value::Peer(peer) => *peer,
            other => return Err(wrong(0, "peer", &other)),
        };
        match request {
            PeerRequest::Block => {
                let changed = self.services.block(&peer).map_err(limit)?;
                self.tell_transition(&peer, changed);
            }
            PeerRequest::Unblock => {
                let changed = self.services.unblock(&peer);
                self.tell_transition(&peer, changed);
            }
            PeerRequest::Insert => {
                let addresses = addresses(self.argument(1))?;
                let added = self.services.peering().book.add_peer(&peer, &addresses);
                added.map_err(limit)?;
            }
            PeerRequest::Lookup => {
                let known = self.services.addresses_of(&peer);
                let known = known.map(|known| Value::Address(known.address.clone())).collect();
                let known = Value::list(known);
                let known =
                    known.map_err(|deep| OpError::new(OpErrorKind::BadOutput, deep.to_string()))?;
                return Ok(self.give(known));
            }
        }
        Ok(Fired::All)
    }

    fn tell_transition(&mut self, peer: &PeerId, changed: Option<PeerTransition>) {
        let Some(changed) = changed else { return };
        self.services.publish_transition(Some(self.exec), *peer, changed);
        self.steps.extend(EngineStep::of_transition(*peer, changed));
    }
}

fn addresses(value: Value) -> Result<Vec<Address>, OpError> {
    let one = |value: &Value| match value {
        Value::Address(address) => Ok(address.clone()),
        other => Err(wrong(1, "an address or a list of addresses", other)),
    };
    match &value {
        Value::List(list) => list.items().iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

fn limit(reached: impl ToString) -> OpError {
    OpError::new(OpErrorKind::Limit, reached.to_string())
}
