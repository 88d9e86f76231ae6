//! Who is at the places of a program, as this Node was told when it was installed.
//!
//! Law: fixed for the life of the Node; each place lists a peer once, in the order of ids.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use samsara_proto::PeerId;

use crate::value::{NestError, Value};

/// The Node's own place, and the peers at places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bindings {
    pub(crate) place: Option<Box<str>>,
    peers: BTreeMap<Box<str>, Value>,
}

impl Bindings {
    /// Of a Node at this place, if it was told one.
    pub(crate) fn at(place: Option<&str>) -> Self {
        Self { place: place.map(Into::into), peers: BTreeMap::new() }
    }

    /// Binds a place to these peers and no others.
    pub(crate) fn bind(&mut self, place: &str, peers: &BTreeSet<PeerId>) -> Result<(), NestError> {
        let list = Value::list(peers.iter().copied().map(Value::from).collect())?;
        self.peers.insert(place.into(), list);
        Ok(())
    }

    /// The peers at a place, as a list; `None` if it is not bound.
    pub(crate) fn list(&self, place: &str) -> Option<&Value> {
        self.peers.get(place)
    }

    /// Whether the peer is at any place.
    pub(crate) fn has(&self, peer: &PeerId) -> bool {
        // The lists are in the order of ids.
        let by_id = |value: &Value| match value {
            Value::Peer(other) => (**other).cmp(peer),
            _ => Ordering::Less,
        };
        self.peers.values().any(|list| match list {
            Value::List(list) => list.items().binary_search_by(by_id).is_ok(),
            _ => false,
        })
    }

    /// The peers at a place.
    pub(crate) fn peers(&self, place: &str) -> impl Iterator<Item = PeerId> {
        let list = match self.peers.get(place) {
            Some(Value::List(list)) => list.items(),
            _ => &[],
        };
        list.iter().filter_map(|peer| match peer {
            Value::Peer(peer) => Some(**peer),
            _ => None,
        })
    }
}
