//! What arrives from a host, in the order in which it is judged.
//!
//! Law: who speaks was proved and let in before there was a link. Then its rate, then the caps, then
//! in whose name it speaks, then room for what it says; and only then a Node hears of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use samsara_proto::{PeerId, WireEnvelope};
use samsara_runtime::event::SendFailure;
use samsara_transport::{Class, LinkReceiver};

use super::{
    Charge, Links,
    session::{Pair, Session},
    stats::Count,
    word::HostWord,
};
use crate::{
    slot::{Mail, Slot},
    store::locked,
};

/// What a host does that no honest one does.
struct Offence<'a>(&'a Count);

impl Links {
    /// Reads a link until that, or its host, is at an end.
    pub(super) async fn read(
        self: Arc<Self>,
        session: Arc<Session>,
        class: Class,
        mut link: LinkReceiver,
    ) {
        while let Ok(frame) = link.recv().await {
            let wait = self.heard(&session.peer, frame.len() as u64);
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            if let Err(Offence(count)) = self.judge(&session, class, frame).await {
                count.add();
                if self.strike(&session.peer) {
                    break;
                }
            }
        }
        self.lose(&session);
    }

    fn heard(&self, peer: &PeerId, bytes: u64) -> Option<Duration> {
        let now = self.now();
        let mut hosts = locked(&self.hosts);
        let wait = hosts.find(peer)?.conduct.heard(bytes, now, &self.config);
        (wait.get() > 0).then(|| wait.into())
    }

    /// Takes note of an offence: whether the host is blocked for it.
    pub(super) fn strike(&self, peer: &PeerId) -> bool {
        let now = self.now();
        let mut hosts = locked(&self.hosts);
        let Some(host) = hosts.find(peer) else { return false };
        let is_blocked = host.conduct.strike(now, &self.config);
        if is_blocked {
            self.counters.blocked.add();
            host.trouble = Some("it is blocked for what it sent".to_owned());
        }
        is_blocked
    }

    async fn judge(
        &self,
        session: &Arc<Session>,
        class: Class,
        frame: Bytes,
    ) -> Result<(), Offence<'_>> {
        let malformed = || Offence(&self.counters.malformed);
        let bytes = frame.len();
        let envelope = session.codec.decode_capped(frame).map_err(|_| malformed())?;
        if envelope.source.is_empty() && envelope.destination.is_empty() {
            let word = HostWord::of(&envelope).ok_or_else(malformed)?;
            return self.heed(session, class, word);
        }
        let from = PeerId::from_bytes(&envelope.source).map_err(|_| malformed())?;
        let to = PeerId::from_bytes(&envelope.destination).map_err(|_| malformed())?;
        if !session.table().names.contains_key(&from) {
            return Err(Offence(&self.counters.forged));
        }
        let own = self.switch.find(&to).filter(|slot| slot.host.peer == self.here);
        let Some(slot) = own else {
            self.counters.absent.add();
            return Ok(());
        };
        let Some(charge) = self.charge(session, bytes).await else { return Ok(()) };
        self.deliver(session, &slot, from, (envelope, charge));
        Ok(())
    }

    /// Waits for room for so many bytes: until there is, nothing more is read.
    async fn charge(&self, session: &Session, bytes: usize) -> Option<Charge> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let own = bytes.min(self.config.inbound_bytes);
        let all = bytes.min(self.config.inbound_bytes_total);
        let own = Arc::clone(&session.inbound).acquire_many_owned(own).await.ok()?;
        let all = Arc::clone(&self.inbound).acquire_many_owned(all).await.ok()?;
        Some((own, all))
    }

    fn deliver(
        &self,
        session: &Session,
        slot: &Arc<Slot>,
        from: PeerId,
        (envelope, charge): (WireEnvelope, Charge),
    ) {
        let mut table = session.table();
        if !table.hear(slot, from) {
            drop(table);
            self.counters.absent.add();
            return;
        }
        let mail = Mail::Envelope { from, envelope: Box::new(envelope), charge: Some(charge) };
        let delivered = slot.deliver(mail);
        if delivered.is_err() {
            self.counters.refused.add();
            session.cut(&mut table, Pair { local: slot.peer, remote: from });
        } else {
            self.counters.received.add();
        }
        drop(table);
        self.tell_reached(slot, from);
    }

    /// Does what a host's word says.
    fn heed(
        &self,
        session: &Arc<Session>,
        class: Class,
        word: HostWord,
    ) -> Result<(), Offence<'_>> {
        match (class, word) {
            (_, HostWord::Beat) => Ok(()),
            (Class::Control, HostWord::Here(names)) => {
                names.iter().try_for_each(|name| self.found(session, name))
            }
            (Class::Control, HostWord::Gone(names)) => {
                for name in names {
                    let remote = session.peer.derive(&name);
                    self.routes.remove_if(&remote, |_, of| Arc::ptr_eq(of, session));
                    session.table().left(&remote);
                }
                Ok(())
            }
            (Class::Control, HostWord::Cut(remote, local)) => {
                session.table().part(Pair { local, remote });
                Ok(())
            }
            (_, HostWord::Hello(_) | HostWord::Go)
            | (Class::Bulk, HostWord::Here(_) | HostWord::Gone(_) | HostWord::Cut(..)) => {
                Err(Offence(&self.counters.malformed))
            }
        }
    }

    /// A Node lives at a host.
    fn found(&self, session: &Arc<Session>, name: &str) -> Result<(), Offence<'_>> {
        let remote = session.peer.derive(name);
        {
            let mut table = session.table();
            let is_full = table.names.len() >= self.config.names as usize;
            if is_full && !table.names.contains_key(&remote) {
                return Err(Offence(&self.counters.malformed));
            }
            table.names.insert(remote, true);
        }
        self.routes.insert(remote, Arc::clone(session));
        self.connect(session, remote);
        Ok(())
    }

    /// A session is over: all that went by it are apart.
    pub(super) fn lose(&self, session: &Arc<Session>) {
        {
            let mut presence = locked(&self.presence);
            let sessions = &mut presence.sessions;
            if sessions.get(&session.peer).is_some_and(|of| Arc::ptr_eq(of, session)) {
                sessions.remove(&session.peer);
            }
        }
        self.routes.retain(|_, of| !Arc::ptr_eq(of, session));
        let pairs = session.end();
        self.tell_lost(&pairs, SendFailure::LinkLost);
        let ended = (&session.peer, session.id);
        locked(&self.hosts).lost(ended, self.now(), &self.config, &mut locked(&self.rng));
    }
}
