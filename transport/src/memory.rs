//! Links within a process: for tests, and for hosts that share one.
//!
//! Law: the same contract as any other transport, gates and limits included, without bytes in
//! between. Who joins a hub says who it is, since nobody else is there to be deceived.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use samsara_proto::{Address, PeerId, Protocol};
use tokio::sync::mpsc;

use crate::{
    Later, Listener, Transport,
    closed::{Closed, Ending},
    error::{DialError, ListenError},
    gate::Gate,
    limits::{LinkLimits, ListenLimits},
    link::{Class, Link},
    receive::LinkReceiver,
    send::LinkSender,
};

const LIKE: &str = "/memory/7";

/// Where those meet who are to reach each other.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<Mutex<BTreeMap<u64, Port>>>);

#[derive(Debug)]
struct Port {
    peer: PeerId,
    gate: Gate,
    limits: LinkLimits,
    links: mpsc::Sender<Link>,
}

/// The transport of one peer at a hub.
#[derive(Clone, Debug)]
pub struct Memory {
    hub: Hub,
    peer: PeerId,
    limits: LinkLimits,
}

impl Hub {
    /// The transport of a peer.
    pub fn join(&self, peer: PeerId, limits: LinkLimits) -> Memory {
        Memory { hub: self.clone(), peer, limits }
    }

    fn ports(&self) -> MutexGuard<'_, BTreeMap<u64, Port>> {
        // Nothing under this lock can fail halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port of an address of this kind.
fn port(address: &Address) -> Option<u64> {
    match address.protocols().next()? {
        Protocol::Memory(port) => Some(port),
        _ => None,
    }
}

impl Memory {
    fn open(&self, at: &Address, gate: Gate) -> Result<Listener, ListenError> {
        let foreign = || ListenError::Foreign { address: at.clone(), like: LIKE };
        let wanted = port(at).ok_or_else(foreign)?;
        let mut ports = self.hub.ports();
        // Zero asks for any, as with sockets.
        let any = ports.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        let number = if wanted == 0 { any } else { wanted };
        if ports.contains_key(&number) {
            return Err(ListenError::Taken { address: at.clone() });
        }
        let address = Address::from_protocols([Protocol::Memory(number)]);
        let address = address.map_err(|_| foreign())?;
        let (sender, links) = mpsc::channel(ListenLimits::default().backlog);
        let limits = self.limits.clone();
        ports.insert(number, Port { peer: self.peer, gate, limits, links: sender });
        let hub = self.hub.clone();
        Ok(Listener::new(address, links, move || {
            hub.ports().remove(&number);
        }))
    }

    async fn reach(&self, to: &Address, expect: &PeerId, class: Class) -> Result<Link, DialError> {
        let address = || to.clone();
        let Some(number) = port(to) else {
            return Err(DialError::Foreign { address: address(), like: LIKE });
        };
        let unreachable =
            |detail: &str| DialError::Unreachable { address: address(), detail: detail.to_owned() };
        let (links, pair) = {
            let ports = self.hub.ports();
            let Some(port) = ports.get(&number) else {
                return Err(unreachable("nobody listens there"));
            };
            if port.peer != *expect {
                let (wanted, found) = (*expect, port.peer);
                return Err(DialError::WrongPeer { address: address(), wanted, found });
            }
            if !port.gate.admits(&self.peer) {
                return Err(DialError::Denied { address: address(), peer: port.peer });
            }
            let here = End { peer: self.peer, limits: &self.limits };
            let there = End { peer: port.peer, limits: &port.limits };
            (port.links.clone(), pair(&here, &there, class))
        };
        let (here, there) = pair.map_err(|closed| unreachable(&closed.to_string()))?;
        let waited = self.limits.handshake;
        match tokio::time::timeout(waited, links.send(there)).await {
            Ok(Ok(())) => Ok(here),
            Ok(Err(_)) => Err(unreachable("nobody listens there any more")),
            Err(_) => Err(DialError::TimedOut { address: address(), waited }),
        }
    }
}

/// One end of a link to be.
struct End<'a> {
    peer: PeerId,
    limits: &'a LinkLimits,
}

/// The two ends of a new link.
fn pair(here: &End<'_>, there: &End<'_>, class: Class) -> Result<(Link, Link), Closed> {
    let (near, far) = (Ending::default(), Ending::default());
    let (to_there, at_there) = LinkSender::new(here.limits, near.clone())?;
    let (to_here, at_here) = LinkSender::new(there.limits, far.clone())?;
    let ends = || vec![to_there.outgoing(), to_here.outgoing()];
    let receiver_here = LinkReceiver::from_memory(at_here, near.clone(), ends());
    let receiver_there = LinkReceiver::from_memory(at_there, far.clone(), ends());
    let link_here = Link::new(there.peer, class, near, to_there, receiver_here);
    let link_there = Link::new(here.peer, class, far, to_here, receiver_there);
    Ok((link_here, link_there))
}

impl Transport for Memory {
    fn peer(&self) -> PeerId {
        self.peer
    }

    fn speaks(&self, address: &Address) -> bool {
        port(address).is_some()
    }

    fn listen<'a>(
        &'a self,
        at: &'a Address,
        gate: Gate,
    ) -> Later<'a, Result<Listener, ListenError>> {
        Box::pin(async move { self.open(at, gate) })
    }

    fn dial<'a>(
        &'a self,
        to: &'a Address,
        expect: &'a PeerId,
        class: Class,
    ) -> Later<'a, Result<Link, DialError>> {
        Box::pin(self.reach(to, expect, class))
    }
}
