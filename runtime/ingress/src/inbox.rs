//! Everything behind the mailbox's one lock, as plain data.
//!
//! Law: `room`, `reserve` and `release` are the only arithmetic on places and bytes, so what is
//! charged and what is held cannot drift apart. Nothing here waits or wakes, and the only foreign
//! code is how a peer's key compares and clones.

use std::{collections::BTreeMap, collections::VecDeque, task::Waker};

use crate::{
    limits::IngressLimits,
    line::Line,
    peers::{PeerIndex, Peers},
    refusal::{Refusal, RefusalCounts},
};

/// On whose behalf a door pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    pub(crate) peer: Option<PeerIndex>,
    pub(crate) life: Option<u64>,
}

/// Which account an event's place belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Host,
    Peer(PeerIndex),
    Answer,
}

impl From<Option<PeerIndex>> for Origin {
    fn from(peer: Option<PeerIndex>) -> Self {
        peer.map_or(Self::Host, Self::Peer)
    }
}

/// An event in its place.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) event: T,
    pub(crate) weight: u64,
    pub(crate) origin: Origin,
}

/// Who is to be woken once the lock is let go.
#[derive(Debug, Default)]
#[must_use = "whoever is owed a wake must get it"]
pub(crate) struct Wakes {
    pub(crate) reader: Option<Waker>,
    pub(crate) producers: Vec<Waker>,
}

impl Wakes {
    pub(crate) fn wake(self) {
        if let Some(reader) = self.reader {
            reader.wake();
        }
        for producer in self.producers {
            producer.wake();
        }
    }
}

/// The mailbox's state.
#[derive(Debug)]
pub(crate) struct Inbox<T, K> {
    pub(crate) limits: IngressLimits,
    pub(crate) queue: VecDeque<Entry<T>>,
    /// Places taken by pushes that wait, or granted to pushes that are on their way.
    pub(crate) items: usize,
    /// Answers that wait.
    pub(crate) answers: usize,
    /// Pushes of peers that wait.
    pub(crate) from_peers: usize,
    /// Bytes charged, until their charge is dropped.
    pub(crate) bytes: u64,
    pub(crate) peers: Peers<K>,
    pub(crate) line: Line,
    /// Open tickets, each with the event that says it was dropped.
    pub(crate) tickets: BTreeMap<u64, T>,
    pub(crate) last_ticket: u64,
    pub(crate) life: u64,
    pub(crate) is_closed: bool,
    /// The reader was told that the end has come, so nothing may be promised any more.
    pub(crate) is_over: bool,
    /// Ways in that are alive.
    pub(crate) doors: usize,
    /// The sleeping reader.
    pub(crate) armed: Option<Waker>,
    pub(crate) refused: RefusalCounts,
}

impl<T, K: Ord + Clone> Inbox<T, K> {
    pub(crate) fn new(limits: IngressLimits) -> Self {
        Self {
            limits,
            queue: VecDeque::new(),
            items: 0,
            answers: 0,
            from_peers: 0,
            bytes: 0,
            peers: Peers::new(),
            line: Line::default(),
            tickets: BTreeMap::new(),
            last_ticket: 0,
            life: 0,
            is_closed: false,
            is_over: false,
            doors: 0,
            armed: None,
            refused: RefusalCounts::default(),
        }
    }

    /// Whether whoever holds `pass` may push at all.
    pub(crate) fn may_enter(&self, pass: Pass) -> Result<(), Refusal> {
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        self.may_speak(pass)
    }

    /// Whether the life and the peer behind `pass` may still act; a close does not matter here.
    pub(crate) fn may_speak(&self, pass: Pass) -> Result<(), Refusal> {
        if let Some(life) = pass.life
            && life < self.life
        {
            return Err(Refusal::Fenced { life, current: self.life });
        }
        pass.peer.map_or(Ok(()), |peer| self.peers.may_speak(peer))
    }

    /// Whether the budget covers `bytes` more.
    pub(crate) fn budget(&self, bytes: u64) -> Result<(), Refusal> {
        let cap = self.limits.bytes;
        if bytes > cap {
            return Err(Refusal::TooLarge { bytes, cap });
        }
        let remaining = cap.saturating_sub(self.bytes);
        if bytes > remaining {
            return Err(Refusal::OverBudget { bytes, remaining });
        }
        Ok(())
    }

    /// Whether there is a place for one event more of `peer`.
    pub(crate) fn place(&self, peer: Option<PeerIndex>, weight: u64) -> Result<(), Refusal> {
        if let Some(peer) = peer {
            let (items, bytes) = (self.limits.peer_items(), self.limits.peer_bytes());
            if weight > bytes {
                return Err(Refusal::TooLarge { bytes: weight, cap: bytes });
            }
            let (items_now, bytes_now) = self.peers.waiting(peer);
            if items_now >= items || weight > bytes.saturating_sub(bytes_now) {
                return Err(Refusal::OverShare { items, bytes });
            }
        }
        if self.items >= self.limits.items {
            return Err(Refusal::Full { capacity: self.limits.items });
        }
        Ok(())
    }

    /// Whether a newcomer may push `weight` bytes now.
    pub(crate) fn admit(&self, pass: Pass, weight: u64) -> Result<(), Refusal> {
        self.may_enter(pass)?;
        self.place(pass.peer, weight)?;
        self.budget(weight)?;
        self.has_no_line()
    }

    /// Whether a newcomer would not push in ahead of those who wait.
    pub(crate) fn has_no_line(&self) -> Result<(), Refusal> {
        if self.line.is_contended {
            return Err(Refusal::Full { capacity: self.limits.items });
        }
        Ok(())
    }

    pub(crate) fn reserve(&mut self, peer: Option<PeerIndex>, weight: u64) {
        self.items += 1;
        self.bytes += weight;
        if let Some(peer) = peer {
            self.peers.add(peer, weight);
        }
    }

    fn release_place(&mut self, peer: Option<PeerIndex>, weight: u64) {
        self.items = self.items.saturating_sub(1);
        if let Some(peer) = peer {
            self.peers.remove(peer, weight);
        }
    }

    /// Gives all that waits into the reader's hand. Its places are free from now on.
    pub(crate) fn hand_over(&mut self, hand: &mut VecDeque<Entry<T>>, wakes: &mut Wakes) {
        self.items = self.items.saturating_sub(self.queue.len().saturating_sub(self.answers));
        self.answers = 0;
        if std::mem::take(&mut self.from_peers) > 0 {
            for entry in &self.queue {
                if let Origin::Peer(peer) = entry.origin {
                    self.peers.remove(peer, entry.weight);
                }
            }
        }
        if hand.is_empty() {
            std::mem::swap(&mut self.queue, hand);
        } else {
            hand.append(&mut self.queue);
        }
        self.grant(wakes);
    }

    /// Gives a reservation back that was not used.
    pub(crate) fn unreserve(&mut self, peer: Option<PeerIndex>, weight: u64) {
        self.release_place(peer, weight);
        self.bytes = self.bytes.saturating_sub(weight);
    }

    pub(crate) fn enqueue(&mut self, event: T, weight: u64, origin: Origin) {
        self.from_peers += usize::from(matches!(origin, Origin::Peer(_)));
        self.queue.push_back(Entry { event, weight, origin });
    }

    /// Gives room that came free to whoever waits for it, in order.
    pub(crate) fn grant(&mut self, wakes: &mut Wakes) {
        if self.line.len() == 0 {
            self.line.is_contended = false;
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        let mut is_contended = false;
        for waiter in line.ungranted() {
            let peer = waiter.pass.peer;
            match self.place(peer, waiter.weight).and_then(|()| self.budget(waiter.weight)) {
                Ok(()) => {
                    self.reserve(peer, waiter.weight);
                    waiter.granted = true;
                    wakes.producers.extend(waiter.waker.take());
                }
                Err(Refusal::OverShare { .. }) => {}
                Err(_) => {
                    is_contended = true;
                    break;
                }
            }
        }
        line.is_contended = is_contended;
        self.line = line;
    }

    /// Sends away everyone in the line who may not enter any more.
    pub(crate) fn expel(&mut self, wakes: &mut Wakes) {
        let mut line = std::mem::take(&mut self.line);
        for waiter in line.expel(|pass| self.may_enter(pass).is_ok()) {
            if waiter.granted {
                self.unreserve(waiter.pass.peer, waiter.weight);
            }
            wakes.producers.extend(waiter.waker);
        }
        self.line = line;
        self.grant(wakes);
    }

    /// Nothing waits and nothing can come any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.doors == 0 || (self.is_closed && self.tickets.is_empty())
    }
}
