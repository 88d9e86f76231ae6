//! Two links to one host, and which Nodes hear each other over them.
//!
//! Law: what is said between two Nodes is said in order. All but a stream that began large goes by
//! the control link, and a stream never leaves the link that it began on. Two Nodes are apart on
//! both sides before they are linked anew, so that nothing that was said before holds on.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard},
};

use samsara_proto::{EnvelopeCodec, PeerId, WireEnvelope};
use samsara_transport::Class;
use tokio::{sync::Semaphore, task::AbortHandle};

use super::{
    bond::SessionId,
    config::LinkConfig,
    queue::{NotPut, Queue},
    word::HostWord,
};
use crate::{
    slot::{Mail, Slot},
    store::locked,
};

pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// The host at the other end.
    pub(crate) peer: PeerId,
    pub(crate) control: Queue,
    pub(crate) bulk: Queue,
    pub(crate) codec: EnvelopeCodec,
    /// Bytes of the host that wait for Nodes here.
    pub(crate) inbound: Arc<Semaphore>,
    tasks: Mutex<Vec<AbortHandle>>,
    table: Mutex<Table>,
}

/// Who hears whom.
#[derive(Default)]
pub(crate) struct Table {
    is_over: bool,
    /// Nodes here that the host was told of.
    pub(crate) local: BTreeSet<PeerId>,
    /// Nodes of the host, and whether they live.
    pub(crate) names: BTreeMap<PeerId, bool>,
    pairs: BTreeMap<Pair, Line>,
    /// Pairs that wait for room.
    held: BTreeSet<Pair>,
    /// The link of each stream.
    streams: BTreeMap<(Pair, u64), Class>,
}

/// Two Nodes that may hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) local: PeerId,
    pub(crate) remote: PeerId,
}

#[derive(Default)]
struct Line {
    slot: std::sync::Weak<Slot>,
    /// The host has said something for it: so it knows the Node that is here.
    is_heard: bool,
}

/// Whether two Nodes hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linking {
    Linked,
    /// When there is room they will.
    Held,
    /// One of them is not there.
    Absent,
}

/// Why an envelope does not go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The two are not linked.
    Apart,
    /// There is no room: they are apart until there is some.
    Held,
    /// Whatever is done, it cannot be sent.
    Unsendable(String),
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        peer: PeerId,
        (control, bulk): (Queue, Queue),
        config: &LinkConfig,
    ) -> Self {
        let inbound = Arc::new(Semaphore::new(config.inbound_bytes as usize));
        let (tasks, table) = (Mutex::default(), Mutex::default());
        let codec = EnvelopeCodec::default();
        Self { id, peer, control, bulk, codec, inbound, tasks, table }
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        locked(&self.table)
    }

    /// Has these tasks end with it.
    pub(crate) fn keep(&self, tasks: Vec<AbortHandle>) {
        let table = self.table();
        if table.is_over {
            tasks.iter().for_each(AbortHandle::abort);
        }
        *locked(&self.tasks) = tasks;
    }

    pub(crate) fn say(&self, word: &HostWord) {
        // Only a name that is longer than any frame cannot be said, and such a Node has no peers.
        if let Ok(frame) = self.codec.encode(&word.envelope()) {
            self.control.put_word(frame);
        }
    }

    pub(crate) fn beat(&self) {
        if let Ok(frame) = self.codec.encode(&HostWord::Beat.envelope()) {
            self.bulk.put_word(frame.clone());
            self.control.put_word(frame);
        }
    }

    /// Sends what a Node says to another.
    pub(crate) fn send(
        &self,
        from: &Slot,
        remote: PeerId,
        envelope: &WireEnvelope,
        config: &LinkConfig,
    ) -> Result<(), NotSent> {
        let pair = Pair { local: from.peer, remote };
        let frame = match self.codec.encode(envelope) {
            Ok(frame) => frame,
            Err(error) => return Err(NotSent::Unsendable(error.to_string())),
        };
        let mut table = self.table();
        let Some(line) = table.pairs.get(&pair) else { return Err(NotSent::Apart) };
        let is_large = frame.len() as u64 >= config.bulk_bytes;
        let class = match (envelope.stream, is_large) {
            (0, true) if line.is_heard => Class::Bulk,
            (0, _) => Class::Control,
            (stream, _) => table.link_of(pair, stream, is_large, config),
        };
        let queue = match class {
            Class::Control => &self.control,
            Class::Bulk => &self.bulk,
        };
        match queue.put(frame) {
            Ok(()) => Ok(()),
            Err(NotPut::TooLong) => Err(NotSent::Unsendable("no link takes so much".to_owned())),
            // Whoever reads the link finds out, and parts all.
            Err(NotPut::Closed) => Err(NotSent::Apart),
            Err(NotPut::Full) => {
                table.held.insert(pair);
                self.cut(&mut table, pair);
                Err(NotSent::Held)
            }
        }
    }

    /// Parts two Nodes on both sides, since something between them was lost.
    pub(crate) fn cut(&self, table: &mut Table, pair: Pair) {
        if table.part(pair) {
            self.say(&HostWord::Cut(pair.local, pair.remote));
        }
    }

    /// Ends: all are apart. Tells who was linked.
    pub(crate) fn end(&self) -> Vec<Pair> {
        let mut table = self.table();
        table.is_over = true;
        let pairs: Vec<Pair> = table.pairs.keys().copied().collect();
        pairs.iter().for_each(|pair| _ = table.part(*pair));
        table.held.clear();
        drop(table);
        self.control.close();
        self.bulk.close();
        locked(&self.tasks).drain(..).for_each(|task| task.abort());
        pairs
    }
}

impl Table {
    /// The link that a stream goes by: that of its first envelope.
    fn link_of(&mut self, pair: Pair, stream: u64, is_large: bool, config: &LinkConfig) -> Class {
        if let Some(class) = self.streams.get(&(pair, stream)) {
            return *class;
        }
        if self.streams.len() >= config.streams as usize {
            return Class::Control;
        }
        let class = if is_large { Class::Bulk } else { Class::Control };
        self.streams.insert((pair, stream), class);
        class
    }

    /// Tells a Node here that it hears a peer, if both live and nothing holds them back.
    pub(crate) fn link(&mut self, slot: &Arc<Slot>, remote: PeerId) -> Linking {
        let pair = Pair { local: slot.peer, remote };
        if self.held.contains(&pair) {
            return Linking::Held;
        }
        let is_there = !self.is_over
            && self.local.contains(&pair.local)
            && self.names.get(&remote).is_some_and(|lives| *lives);
        if !is_there {
            return Linking::Absent;
        }
        if let Entry::Vacant(line) = self.pairs.entry(pair) {
            line.insert(Line { slot: Arc::downgrade(slot), is_heard: false });
            slot.note_far(remote, true);
        }
        Linking::Linked
    }

    /// Takes note that a Node there has said something to one here: whether they hear each other.
    pub(crate) fn hear(&mut self, slot: &Arc<Slot>, remote: PeerId) -> bool {
        let pair = Pair { local: slot.peer, remote };
        self.link(slot, remote);
        let line = self.pairs.get_mut(&pair);
        line.map(|line| line.is_heard = true).is_some()
    }

    /// Tells a Node here that it does not hear a peer any more, if it has.
    pub(crate) fn part(&mut self, pair: Pair) -> bool {
        let Some(line) = self.pairs.remove(&pair) else { return false };
        if let Some(slot) = line.slot.upgrade() {
            slot.note_far(pair.remote, false);
        }
        true
    }

    /// A life of a Node here has ended.
    pub(crate) fn leave(&mut self, local: &PeerId) {
        self.local.remove(local);
        let pairs: Vec<Pair> =
            self.pairs.keys().filter(|pair| pair.local == *local).copied().collect();
        pairs.into_iter().for_each(|pair| _ = self.part(pair));
        self.held.retain(|pair| pair.local != *local);
    }

    /// A life of a Node there has ended.
    pub(crate) fn left(&mut self, remote: &PeerId) {
        if let Some(lives) = self.names.get_mut(remote) {
            *lives = false;
        }
        let pairs: Vec<Pair> =
            self.pairs.keys().filter(|pair| pair.remote == *remote).copied().collect();
        pairs.into_iter().for_each(|pair| _ = self.part(pair));
        self.held.retain(|pair| pair.remote != *remote);
    }

    /// Those who were held back, as there is room.
    pub(crate) fn take_held(&mut self) -> BTreeSet<Pair> {
        std::mem::take(&mut self.held)
    }
}

impl Slot {
    /// Tells the Node whether it hears a peer at another host.
    fn note_far(&self, remote: PeerId, is_linked: bool) {
        self.set_linked(remote, is_linked);
        let word = if is_linked { Mail::LinkUp(remote) } else { Mail::LinkDown(remote) };
        // A word always has room.
        drop(self.deliver(word));
    }
}
