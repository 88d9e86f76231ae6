//! How a session comes to be: two links are dialled, greeted on, answered, and held to.
//!
//! Law: a link on which nobody greets in time is closed, and so is each of a session that the other
//! side does not hold to. At most one half of a session is kept of a host.

use std::{sync::Arc, time::Duration};

use samsara_proto::{Address, EnvelopeCodec, PeerId};
use samsara_transport::{Class, DialError, Link, LinkReceiver, LinkSender, Listener, Transport};
use tokio::time::timeout;

use super::{Links, bond::SessionId, queue::Queue, session::Session, word::HostWord};
use crate::store::locked;

/// Both links of a session, split up: control, then bulk.
type Both = [(LinkSender, LinkReceiver); 2];

impl Links {
    /// Dials a host whenever there is no session with it, until it is aborted.
    pub(super) async fn seek(self: Arc<Self>, peer: PeerId) {
        loop {
            let now = self.now();
            let (session, due, bell, addresses) = {
                let mut hosts = locked(&self.hosts);
                let Some(host) = hosts.find(&peer) else { return };
                let is_blocked = host.conduct.is_blocked(now);
                let mut rng = locked(&self.rng);
                let session = if is_blocked { None } else { host.bond.dial(now, &mut rng) };
                let due = host.bond.next_due();
                (session, due, Arc::clone(&host.bell), host.addresses.clone())
            };
            let Some(session) = session else {
                let wait = match due {
                    Some(due) => Duration::from((due - now).max(self.config.dial_base)),
                    None => self.config.dial_cap.into(),
                };
                // Whichever comes first: both mean to look again.
                let _ = timeout(wait, bell.notified()).await;
                continue;
            };
            let trouble = self.try_all(&peer, session, &addresses).await;
            if trouble.is_some() {
                self.counters.unreached.add();
            }
            let mut hosts = locked(&self.hosts);
            if let Some(host) = hosts.find(&peer) {
                host.trouble.clone_from(&trouble);
            }
            if trouble.is_some() {
                let now = self.now();
                hosts.lost((&peer, session), now, &self.config, &mut locked(&self.rng));
            }
        }
    }

    /// Dials the addresses of a host in their order; says what was wrong with the last one.
    async fn try_all(
        self: &Arc<Self>,
        peer: &PeerId,
        session: SessionId,
        addresses: &[Address],
    ) -> Option<String> {
        let mut trouble = Some("it has no address".to_owned());
        for address in addresses {
            let speaks = |transport: &&Arc<dyn Transport>| transport.speaks(address);
            let Some(transport) = self.transports.iter().find(speaks) else {
                trouble = Some(format!("no transport speaks {address}"));
                continue;
            };
            match self.reach(transport.as_ref(), (peer, address), session).await {
                Ok(()) => return None,
                Err(why) => trouble = Some(why),
            }
        }
        trouble
    }

    async fn reach(
        self: &Arc<Self>,
        transport: &dyn Transport,
        (peer, address): (&PeerId, &Address),
        session: SessionId,
    ) -> Result<(), String> {
        let told = |error: DialError| error.to_string();
        let control = transport.dial(address, peer, Class::Control).await.map_err(told)?.split();
        let bulk = transport.dial(address, peer, Class::Bulk).await.map_err(told)?.split();
        let mut both: Both = [control, bulk];
        greet(&both, session).map_err(|()| "a link ended at once".to_owned())?;
        let answers = async {
            for (_, link) in &mut both {
                if hear(link).await != Some(HostWord::Hello(session)) {
                    return false;
                }
            }
            true
        };
        let is_answered = timeout(self.config.greeting.into(), answers).await.unwrap_or(false);
        if !is_answered {
            return Err("it did not greet back".to_owned());
        }
        let holds = locked(&self.hosts).find(peer).is_some_and(|host| host.bond.answered(session));
        if !holds {
            self.counters.declined.add();
            // The other side has dialled too, and its session goes on.
            return Ok(());
        }
        self.adopt(*peer, session, both, true);
        Ok(())
    }

    /// Takes the links that arrive, until it is aborted.
    pub(super) async fn accept(self: Arc<Self>, mut listener: Listener) {
        while let Some(link) = listener.next().await {
            let links = Arc::clone(&self);
            self.keep(tokio::spawn(async move { links.welcome(link).await }).abort_handle());
        }
    }

    async fn welcome(self: Arc<Self>, link: Link) {
        let (peer, class) = (link.peer(), link.class());
        let mut link = link.split();
        let greeting: Duration = self.config.greeting.into();
        let Ok(Some(HostWord::Hello(session))) = timeout(greeting, hear(&mut link.1)).await else {
            self.counters.declined.add();
            return;
        };
        let Some(both) = self.pair(peer, session, (class, link)) else {
            // Whoever brings the other one goes on; this one is not kept for ever.
            tokio::time::sleep(greeting).await;
            self.forget_half(&peer, session);
            return;
        };
        let now = self.now();
        let is_wanted =
            locked(&self.hosts).find(&peer).is_some_and(|host| host.bond.greeted(session, now));
        let mut both = both;
        if !is_wanted || greet(&both, session).is_err() {
            return self.decline(&peer, session);
        }
        let [(_, control), _] = &mut both;
        let goes = timeout(greeting, hear(control)).await;
        let goes = goes.is_ok_and(|word| word == Some(HostWord::Go));
        let holds = goes
            && locked(&self.hosts).find(&peer).is_some_and(|host| host.bond.confirmed(session));
        if !holds {
            return self.decline(&peer, session);
        }
        self.adopt(peer, session, both, false);
    }

    fn decline(&self, peer: &PeerId, session: SessionId) {
        self.counters.declined.add();
        let now = self.now();
        let ended = (peer, session);
        locked(&self.hosts).lost(ended, now, &self.config, &mut locked(&self.rng));
    }

    /// Both links of a session, if this is the second.
    fn pair(
        &self,
        peer: PeerId,
        session: SessionId,
        (class, link): (Class, (LinkSender, LinkReceiver)),
    ) -> Option<Both> {
        let mut hosts = locked(&self.hosts);
        let host = hosts.meet((&self.here, &peer), self.now(), &self.config)?;
        match host.half.take() {
            Some((of, other, half)) if of == session && other != class => {
                Some(if class == Class::Control { [link, half] } else { [half, link] })
            }
            _ => {
                host.half = Some((session, class, link));
                None
            }
        }
    }

    fn forget_half(&self, peer: &PeerId, session: SessionId) {
        let mut hosts = locked(&self.hosts);
        let Some(host) = hosts.find(peer) else { return };
        if host.half.as_ref().is_some_and(|(of, ..)| *of == session) {
            host.half = None;
            self.counters.declined.add();
        }
    }

    /// A session is there: it takes the place of the one before.
    fn adopt(self: &Arc<Self>, peer: PeerId, id: SessionId, both: Both, is_own: bool) {
        let [(control, from_control), (bulk, from_bulk)] = both;
        let most = self.config.queue_bytes;
        let queues = (Queue::new(control, most), Queue::new(bulk, most));
        let session = Arc::new(Session::new(id, peer, queues, &self.config));
        if is_own {
            session.say(&HostWord::Go);
        }
        let before = {
            let mut presence = locked(&self.presence);
            if presence.is_over {
                return;
            }
            session.table().local.extend(presence.names.keys().copied());
            for word in HostWord::all_here(presence.names.values().cloned()) {
                session.say(&word);
            }
            presence.sessions.insert(peer, Arc::clone(&session))
        };
        if let Some(before) = before {
            self.lose(&before);
        }
        self.counters.sessions.add();
        if let Some(host) = locked(&self.hosts).find(&peer) {
            host.trouble = None;
        }
        self.run(&session, [(Class::Control, from_control), (Class::Bulk, from_bulk)]);
    }

    fn run(self: &Arc<Self>, session: &Arc<Session>, receivers: [(Class, LinkReceiver); 2]) {
        let mut tasks = Vec::new();
        for (class, receiver) in receivers {
            let (links, of) = (Arc::clone(self), Arc::clone(session));
            tasks.push(tokio::spawn(links.read(of, class, receiver)).abort_handle());
            let (links, of) = (Arc::clone(self), Arc::clone(session));
            let pump = async move {
                let queue = if class == Class::Control { &of.control } else { &of.bulk };
                queue.run(|| links.release(&of)).await;
            };
            tasks.push(tokio::spawn(pump).abort_handle());
        }
        let (every, of) = (Duration::from(self.config.beat), Arc::clone(session));
        let beat = async move {
            loop {
                tokio::time::sleep(every).await;
                of.beat();
            }
        };
        tasks.push(tokio::spawn(beat).abort_handle());
        session.keep(tasks);
    }
}

/// Greets on both links of a session.
fn greet(both: &Both, session: SessionId) -> Result<(), ()> {
    let hello = EnvelopeCodec::default().encode(&HostWord::Hello(session).envelope());
    let hello = hello.map_err(drop)?;
    both.iter().try_for_each(|(link, _)| link.try_send(hello.clone()).map_err(drop))
}

/// The next word of a host, if it is one.
async fn hear(link: &mut LinkReceiver) -> Option<HostWord> {
    let frame = link.recv().await.ok()?;
    let envelope = EnvelopeCodec::default().decode_capped(frame).ok()?;
    let is_hosts = envelope.source.is_empty() && envelope.destination.is_empty();
    if is_hosts { HostWord::of(&envelope) } else { None }
}
