//! The hosts that this one knows, and how each of them stands and behaves.
//!
//! Law: as many are known as may be; one without a session, an address or a block makes room.

use std::{collections::BTreeMap, sync::Arc};

use samsara_proto::{Address, PeerId};
use samsara_runtime::{rng::Rng, time::Nanos};
use samsara_transport::{Class, LinkReceiver, LinkSender};
use tokio::sync::Notify;

use super::{
    bond::{Bond, SessionId},
    conduct::Conduct,
    config::LinkConfig,
    stats::HostStatus,
};

#[derive(Default)]
pub(crate) struct Hosts(BTreeMap<PeerId, Host>);

/// One of them.
pub(crate) struct Host {
    pub(crate) bond: Bond,
    pub(crate) conduct: Conduct,
    /// Where it is, as was written.
    pub(crate) addresses: Vec<Address>,
    /// The first link of a session whose second one has not come.
    pub(crate) half: Option<(SessionId, Class, (LinkSender, LinkReceiver))>,
    /// Rings when it may be time to dial.
    pub(crate) bell: Arc<Notify>,
    pub(crate) trouble: Option<String>,
}

impl Hosts {
    /// What is known of a host; nothing if there is no room for one more.
    pub(crate) fn meet(
        &mut self,
        (here, there): (&PeerId, &PeerId),
        now: Nanos,
        config: &LinkConfig,
    ) -> Option<&mut Host> {
        if self.0.len() >= config.hosts as usize && !self.0.contains_key(there) {
            let idle = self.0.iter().find(|(_, host)| host.is_idle(now)).map(|(peer, _)| *peer)?;
            self.0.remove(&idle);
        }
        Some(self.0.entry(*there).or_insert_with(|| Host {
            bond: Bond::new(here, there, false),
            conduct: Conduct::new(config, now),
            addresses: Vec::new(),
            half: None,
            bell: Arc::default(),
            trouble: None,
        }))
    }

    pub(crate) fn find(&mut self, peer: &PeerId) -> Option<&mut Host> {
        self.0.get_mut(peer)
    }

    /// Those whose places are known.
    pub(crate) fn aims(&self) -> Vec<PeerId> {
        let known = self.0.iter().filter(|(_, host)| !host.addresses.is_empty());
        known.map(|(peer, _)| *peer).collect()
    }

    pub(crate) fn is_blocked(&self, peer: &PeerId, now: Nanos) -> bool {
        self.0.get(peer).is_some_and(|host| host.conduct.is_blocked(now))
    }

    /// A session has ended, or never came to be.
    pub(crate) fn lost(
        &mut self,
        (peer, session): (&PeerId, SessionId),
        now: Nanos,
        config: &LinkConfig,
        rng: &mut Rng,
    ) {
        let Some(host) = self.0.get_mut(peer) else { return };
        host.bond.lost(session, now, config, rng);
        if host.half.as_ref().is_some_and(|(half, ..)| *half == session) {
            host.half = None;
        }
        host.bell.notify_one();
    }

    pub(crate) fn status(
        &self,
        now: Nanos,
        lives: impl Fn(&PeerId) -> Option<usize>,
    ) -> Vec<HostStatus> {
        let status = |(peer, host): (&PeerId, &Host)| HostStatus {
            peer: *peer,
            is_linked: host.bond.session().is_some(),
            nodes: lives(peer).unwrap_or_default(),
            is_blocked: host.conduct.is_blocked(now),
            trouble: host.trouble.clone(),
        };
        self.0.iter().map(status).collect()
    }
}

impl Host {
    /// Notes where it is.
    pub(crate) fn aim(&mut self, address: Address) {
        self.addresses.push(address);
        self.bond.may_dial = true;
    }

    fn is_idle(&self, now: Nanos) -> bool {
        self.addresses.is_empty()
            && self.bond.session().is_none()
            && self.half.is_none()
            && !self.conduct.is_blocked(now)
    }
}
