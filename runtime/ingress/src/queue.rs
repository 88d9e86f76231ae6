//! The mailbox itself, owned by whoever outlives its readers.
//!
//! Law: lives rise. Opening one ends the one before, at once and for good.

use std::{collections::BTreeSet, fmt};

use crate::{
    handle::IngressHandle,
    inbox::{Inbox, Pass, Wakes},
    limits::{IngressLimits, LimitError},
    reader::IngressReader,
    refusal::{Fenced, Refusal, RefusalCounts},
    shared::Shared,
};

/// A bounded mailbox for many producers and one reader, see the [crate] page.
///
/// `T` is what it carries, `K` names the peers that share it. Keys are compared, cloned and dropped
/// under the lock: let them be plain data.
pub struct IngressQueue<T, K: Ord + Clone = ()> {
    handle: IngressHandle<T, K>,
}

/// What a mailbox holds at one moment, for people and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IngressStats {
    /// Pushed events whose place is taken.
    pub items: usize,
    /// Answers that wait.
    pub answers: usize,
    /// Bytes charged: waiting, and held by charges that are alive.
    pub bytes: u64,
    /// Open tickets.
    pub tickets: usize,
    /// Peers with an account.
    pub peers: usize,
    /// Producers that wait for room.
    pub waiting: usize,
    /// The life that reads, 0 before the first.
    pub life: u64,
    /// Whether it was closed.
    pub is_closed: bool,
    /// What was refused.
    pub refused: RefusalCounts,
}

impl<T, K> IngressQueue<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    /// A mailbox with these limits.
    pub fn new(limits: IngressLimits) -> Result<Self, LimitError> {
        limits.validate()?;
        let shared = Shared::new(limits);
        Ok(Self { handle: IngressHandle::open(&shared, Pass::default()) })
    }

    fn shared(&self) -> &Shared<T, K> {
        &self.handle.door.shared
    }

    /// A way in, for the host: without a peer's share and without an end.
    pub fn handle(&self) -> IngressHandle<T, K> {
        self.handle.clone()
    }

    /// Begins `life`, which must be higher than any before: the reader of the life before is fenced
    /// off, its open tickets end, and what it took without a commit is read again. If the life
    /// before is inside [`inspect`](IngressReader::inspect), this waits until it has looked.
    ///
    /// ```
    /// use samsara_ingress::{IngressLimits, IngressQueue, TurnLimits};
    ///
    /// let queue = IngressQueue::<&str>::new(IngressLimits::default())?;
    /// let handle = queue.handle();
    /// let mut first = queue.open(1)?;
    /// handle.try_push("work", 4)?;
    /// assert_eq!(first.take(TurnLimits::default())?, 1);
    ///
    /// let mut second = queue.open(2)?; // the first died with the event in hand
    /// let mut events = Vec::new();
    /// let charge = second.read(TurnLimits::default(), &mut events)?;
    /// assert_eq!((events[0].event, charge.bytes()), ("work", 4));
    /// assert!(first.commit(&mut events).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(&self, life: u64) -> Result<IngressReader<T, K>, Fenced> {
        let shared = self.shared();
        let mut wakes = Wakes::default();
        let mut hand = shared.hand.lock();
        if life <= hand.life {
            return Err(Fenced { life, current: hand.life });
        }
        hand.life = life;
        hand.turn = 0;
        hand.is_fresh = false;
        let mut inbox = shared.inbox.lock();
        inbox.life = life;
        let ended_tickets = std::mem::take(&mut inbox.tickets);
        // The reader of the ended life may sleep: it wakes to learn that it is fenced.
        wakes.reader = inbox.armed.take();
        inbox.expel(&mut wakes);
        drop(inbox);
        drop(hand);
        drop(ended_tickets);
        wakes.wake();
        Ok(IngressReader::new(&self.handle.door.shared, life))
    }

    /// Admits no push any more. What was admitted can be read, and open tickets can be settled.
    pub fn close(&self) {
        let mut wakes = Wakes::default();
        let mut inbox = self.shared().inbox.lock();
        inbox.is_closed = true;
        inbox.expel(&mut wakes);
        if inbox.has_ended() {
            wakes.reader = inbox.armed.take();
        }
        drop(inbox);
        wakes.wake();
    }

    /// Refuses the pushes of a peer. When it has returned, no push of that peer is admitted any
    /// more; what was admitted before stays.
    pub fn block(&self, key: &K) -> Result<(), Refusal> {
        let mut wakes = Wakes::default();
        let mut inbox = self.shared().inbox.lock();
        let cap = inbox.limits.peers;
        if inbox.peers.block(key, cap).is_none() {
            return Err(Refusal::TooManyPeers { cap });
        }
        inbox.expel(&mut wakes);
        drop(inbox);
        wakes.wake();
        Ok(())
    }

    /// Admits the pushes of a peer again.
    pub fn unblock(&self, key: &K) {
        self.shared().inbox.lock().peers.unblock(key);
    }

    /// Admits the pushes of these peers and of no other, or those of every peer. When it has
    /// returned, no push of another peer is admitted any more; what was admitted before stays.
    /// Pushes of the host are no peer's.
    pub fn allow(&self, allowed: Option<BTreeSet<K>>) {
        let mut wakes = Wakes::default();
        let mut inbox = self.shared().inbox.lock();
        let before = inbox.peers.allow(allowed);
        inbox.expel(&mut wakes);
        drop(inbox);
        drop(before);
        wakes.wake();
    }

    /// What it holds now.
    pub fn stats(&self) -> IngressStats {
        let inbox = self.shared().inbox.lock();
        let Inbox { items, answers, bytes, life, is_closed, refused, .. } = *inbox;
        IngressStats {
            items,
            answers,
            bytes,
            tickets: inbox.tickets.len(),
            peers: inbox.peers.len(),
            waiting: inbox.line.len(),
            life,
            is_closed,
            refused,
        }
    }
}

impl<T, K: Ord + Clone> fmt::Debug for IngressQueue<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngressQueue").finish_non_exhaustive()
    }
}
