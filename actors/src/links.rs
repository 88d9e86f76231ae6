//! Links to other hosts: which there are, whose Nodes live there, and what goes by which.
//!
//! Law: one layer for all transports. Nobody is heard who was not proved and let in, nobody speaks
//! for a Node that is not its own, and what does not go through is told to whom it concerns.

mod bond;
mod build;
mod conduct;
mod config;
mod greet;
mod hosts;
mod inbound;
mod queue;
mod session;
mod stats;
mod word;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use dashmap::DashMap;
use samsara_proto::{Address, PeerId, WireEnvelope};
use samsara_runtime::{event::SendFailure, hosting::Arrival, rng::Rng, time::Nanos};
use samsara_transport::Transport;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::AbortHandle,
};

pub use self::{
    build::{LinkError, Who},
    config::LinkConfig,
    stats::{HostStatus, LinkStats},
};

pub(crate) use self::build::Plan;

use self::{
    hosts::Hosts,
    session::{Linking, NotSent, Pair, Session},
    stats::Counters,
    word::HostWord,
};
use crate::{
    slot::{Mail, Slot},
    store::locked,
    switch::Switch,
};

/// The links of one System.
pub(crate) struct Links {
    here: PeerId,
    config: LinkConfig,
    transports: Vec<Arc<dyn Transport>>,
    switch: Switch,
    began: Instant,
    rng: Mutex<Rng>,
    hosts: Mutex<Hosts>,
    presence: Mutex<Presence>,
    /// Where Nodes of other hosts live.
    routes: DashMap<PeerId, Arc<Session>>,
    /// Nodes here that wait for one that is nowhere, by it.
    callers: Mutex<BTreeMap<PeerId, BTreeSet<PeerId>>>,
    /// Pairs whose Node here was told that its peer is not reached.
    troubled: Mutex<BTreeSet<(PeerId, PeerId)>>,
    inbound: Arc<Semaphore>,
    counters: Counters,
    addresses: Mutex<Vec<Address>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// Room that an envelope takes until its Node has it.
pub(crate) type Charge = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// Which Nodes live here, and who is told.
#[derive(Default)]
struct Presence {
    is_over: bool,
    names: BTreeMap<PeerId, String>,
    sessions: BTreeMap<PeerId, Arc<Session>>,
}

impl Links {
    /// Of a System that has none.
    pub(crate) fn none(here: PeerId) -> Self {
        Self::new(here, LinkConfig::default(), (Vec::new(), Switch::default()), Rng::from_seed(0))
    }

    pub(crate) fn new(
        here: PeerId,
        config: LinkConfig,
        (transports, switch): (Vec<Arc<dyn Transport>>, Switch),
        rng: Rng,
    ) -> Self {
        Self {
            here,
            config,
            transports,
            switch,
            began: Instant::now(),
            rng: Mutex::new(rng),
            hosts: Mutex::default(),
            presence: Mutex::default(),
            routes: DashMap::new(),
            callers: Mutex::default(),
            troubled: Mutex::default(),
            inbound: Arc::new(Semaphore::new(config.inbound_bytes_total as usize)),
            counters: Counters::default(),
            addresses: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    fn now(&self) -> Nanos {
        Nanos::from(self.began.elapsed())
    }

    fn keep(&self, task: AbortHandle) {
        let mut tasks = locked(&self.tasks);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// Where it is reached.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        locked(&self.addresses).clone()
    }

    pub(crate) fn stats(&self) -> LinkStats {
        let sessions = locked(&self.presence).sessions.clone();
        let lives = |peer: &PeerId| {
            let session = sessions.get(peer)?;
            Some(session.table().names.values().filter(|lives| **lives).count())
        };
        self.counters.read(locked(&self.hosts).status(self.now(), lives))
    }

    fn is_blocked(&self, peer: &PeerId) -> bool {
        locked(&self.hosts).is_blocked(peer, self.now())
    }

    /// Notes where a host is.
    fn aim(&self, peer: PeerId, address: Address) {
        let mut hosts = locked(&self.hosts);
        if let Some(host) = hosts.meet((&self.here, &peer), self.now(), &self.config) {
            host.aim(address);
        }
    }

    /// Dials all hosts whose places are known.
    fn seek_all(self: &Arc<Self>) {
        let aims = locked(&self.hosts).aims();
        for peer in aims {
            self.keep(tokio::spawn(Arc::clone(self).seek(peer)).abort_handle());
        }
    }

    /// Ends all of them, for good.
    pub(crate) fn end(&self) {
        let sessions = {
            let mut presence = locked(&self.presence);
            presence.is_over = true;
            std::mem::take(&mut presence.sessions)
        };
        locked(&self.tasks).drain(..).for_each(|task| task.abort());
        self.routes.clear();
        sessions.values().for_each(|session| drop(session.end()));
    }

    /// A life of a Node has begun here.
    pub(crate) fn here(&self, slot: &Slot) {
        if self.transports.is_empty() {
            return;
        }
        let mut presence = locked(&self.presence);
        let name = slot.spec.name().to_owned();
        presence.names.insert(slot.peer, name.clone());
        for session in presence.sessions.values() {
            // Said first: what the Node says from now on is heard behind it.
            let mut table = session.table();
            session.say(&HostWord::Here(vec![name.clone()]));
            table.local.insert(slot.peer);
        }
    }

    /// It has ended. What has come for it from elsewhere will be sent again.
    pub(crate) fn gone(&self, slot: &Slot) {
        if self.transports.is_empty() {
            return;
        }
        let mut presence = locked(&self.presence);
        let Some(name) = presence.names.remove(&slot.peer) else { return };
        for session in presence.sessions.values() {
            let mut table = session.table();
            table.leave(&slot.peer);
            session.say(&HostWord::Gone(vec![name.clone()]));
        }
        // Before it may be here again: what comes for its next life is not to be forgotten.
        slot.forget_far();
        drop(presence);
    }

    /// Carries what a Node here says to one elsewhere.
    pub(crate) fn carry(&self, from: &Slot, to: PeerId, envelope: &WireEnvelope) {
        let session = self.routes.get(&to).map(|session| Arc::clone(&session));
        let sent = match &session {
            Some(session) => session.send(from, to, envelope, &self.config),
            None => Err(NotSent::Apart),
        };
        match sent {
            Ok(()) => self.counters.sent.add(),
            Err(NotSent::Held) => self.counters.held.add(),
            // A word always has room.
            Err(NotSent::Apart) => drop(from.deliver(Mail::LinkDown(to))),
            Err(NotSent::Unsendable(why)) => {
                self.counters.unsendable.add();
                locked(&from.core).ears.note_trouble(format!("nothing reaches {to}: {why}"));
            }
        }
    }

    /// Links a Node here to one elsewhere, as soon as that is found.
    pub(crate) fn dial(&self, from: &Arc<Slot>, to: PeerId) {
        if self.transports.is_empty() {
            return;
        }
        locked(&self.callers).entry(to).or_default().insert(from.peer);
        // It may have been found before the note.
        let session = self.routes.get(&to).map(|session| Arc::clone(&session));
        if let Some(session) = session {
            self.connect(&session, to);
        }
    }

    /// Links all who wait for a Node that is there.
    fn connect(&self, session: &Session, remote: PeerId) {
        let mut linked = Vec::new();
        {
            let mut all = locked(&self.callers);
            let Some(callers) = all.get_mut(&remote) else { return };
            callers.retain(|local| {
                let slot = self.switch.find(local).filter(|slot| slot.host.peer == self.here);
                let Some(slot) = slot else { return false };
                let done = session.table().link(&slot, remote);
                if done == Linking::Linked {
                    linked.push(slot);
                }
                // One that is not there after all may come back.
                done == Linking::Absent
            });
            if callers.is_empty() {
                all.remove(&remote);
            }
        }
        linked.iter().for_each(|slot| self.tell_reached(slot, remote));
    }

    /// Parts two Nodes, one of which does not hear the other any more.
    pub(crate) fn part(&self, from: &Slot, to: PeerId) {
        let session = self.routes.get(&to).map(|session| Arc::clone(&session));
        if let Some(session) = session {
            session.cut(&mut session.table(), Pair { local: from.peer, remote: to });
        }
    }

    /// Those whom a link had no room for may go on.
    fn release(&self, session: &Session) {
        let mut table = session.table();
        for pair in table.take_held() {
            // What the other side has said meanwhile was not heard.
            session.say(&HostWord::Cut(pair.local, pair.remote));
            if let Some(slot) = self.switch.find(&pair.local) {
                table.link(&slot, pair.remote);
            }
        }
    }

    pub(crate) fn note_arrival(&self, arrival: &Arrival) {
        match arrival {
            Arrival::Unheard(_) => self.counters.unheard.add(),
            Arrival::Refused(_) => self.counters.refused.add(),
            Arrival::Admitted | Arrival::Done => {}
            _ => {}
        }
    }

    /// The Nodes of a host are not reached: their peers here are told once.
    fn tell_lost(&self, pairs: &[Pair], why: SendFailure) {
        for Pair { local, remote } in pairs {
            if let Some(slot) = self.switch.find(local)
                && locked(&self.troubled).insert((*local, *remote))
            {
                // A word always has room.
                drop(slot.deliver(Mail::Fate(*remote, Err(why))));
            }
        }
    }

    fn tell_reached(&self, slot: &Slot, remote: PeerId) {
        if locked(&self.troubled).remove(&(slot.peer, remote)) {
            drop(slot.deliver(Mail::Fate(remote, Ok(()))));
        }
    }
}

impl Slot {
    /// Forgets what waits from elsewhere, whose senders were told that it is lost.
    fn forget_far(&self) {
        let is_far = |mail: &Mail| matches!(mail, Mail::Envelope { charge: Some(_), .. });
        locked(&self.door).mail.retain(|mail| !is_far(mail));
    }
}
