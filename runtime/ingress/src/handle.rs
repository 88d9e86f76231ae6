//! The way in: cheap to clone, valid on any thread and over any number of the reader's lives.
//!
//! Law: a push that is refused hands its event back and charges nothing; a push that returned `Ok`
//! is admitted, and only a reader takes it out again.

use std::fmt;

use crate::{
    charge::Charge,
    inbox::{Origin, Pass},
    planted::{Bug, gap},
    push::Push,
    refusal::{PushError, Refusal},
    shared::{Door, Shared},
    sync::Arc,
    ticket::Ticket,
};

/// A way into the mailbox, see the [crate] page.
pub struct IngressHandle<T, K: Ord + Clone = ()> {
    pub(crate) door: Arc<Door<T, K>>,
}

impl<T, K: Ord + Clone> Clone for IngressHandle<T, K> {
    fn clone(&self) -> Self {
        Self { door: Arc::clone(&self.door) }
    }
}

impl<T, K: Ord + Clone> fmt::Debug for IngressHandle<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngressHandle").field("pass", &self.door.pass).finish_non_exhaustive()
    }
}

impl<T, K> IngressHandle<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    pub(crate) fn open(shared: &Arc<Shared<T, K>>, pass: Pass) -> Self {
        Self { door: Door::open(shared, pass) }
    }

    /// Admits `event`, which weighs `weight` bytes, or hands it back.
    ///
    /// ```
    /// use samsara_ingress::{IngressLimits, IngressQueue, Refusal};
    ///
    /// let limits = IngressLimits { items: 1, ..IngressLimits::default() };
    /// let queue = IngressQueue::<&str>::new(limits)?;
    /// let handle = queue.handle();
    /// handle.try_push("first", 5)?;
    /// let back = handle.try_push("second", 6).expect_err("there is one place");
    /// assert_eq!((back.event, back.refusal), ("second", Refusal::Full { capacity: 1 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_push(&self, event: T, weight: u64) -> Result<(), PushError<T>> {
        let pass = self.door.pass;
        let mut inbox = self.door.shared.inbox.lock();
        if let Err(refusal) = inbox.admit(pass, weight) {
            inbox.refused.count(refusal);
            return Err(PushError { event, refusal });
        }
        let mut inbox = gap(Bug::Admit, &self.door.shared.inbox, inbox);
        inbox.reserve(pass.peer, weight);
        inbox.enqueue(event, weight, pass.peer.into());
        self.door.shared.ring(inbox);
        Ok(())
    }

    /// Admits `event` as soon as there is room for it; gives it back when waiting cannot help.
    ///
    /// May be cancelled: a dropped push has not happened, and its place goes to the next in line.
    pub fn push(&self, event: T, weight: u64) -> Push<'_, T, K> {
        Push::new(self, event, weight)
    }

    /// Charges the budget ahead of a push, so that nothing is copied which would then be refused.
    pub fn charge(&self, bytes: u64) -> Result<Charge, Refusal> {
        let mut inbox = self.door.shared.inbox.lock();
        let pass = self.door.pass;
        let mut may = inbox.may_enter(pass).and_then(|()| inbox.budget(bytes));
        if pass.peer.is_some() {
            // Else a peer could hold ahead of its pushes what it may not push.
            may = may.and_then(|()| inbox.place(pass.peer, bytes));
        }
        if let Err(refusal) = may.and_then(|()| inbox.has_no_line()) {
            inbox.refused.count(refusal);
            return Err(refusal);
        }
        inbox.bytes += bytes;
        drop(inbox);
        Ok(Charge::adopt(&self.door.shared, bytes))
    }

    /// Admits `event` against what was charged before; on refusal both come back.
    pub fn try_push_charged(&self, event: T, charge: Charge) -> Result<(), PushError<(T, Charge)>> {
        let Pass { peer, .. } = self.door.pass;
        let mut inbox = self.door.shared.inbox.lock();
        let mut may = inbox.may_enter(self.door.pass);
        if !charge.is_of(&self.door.shared) {
            may = Err(Refusal::ForeignCharge);
        }
        let may = may.and_then(|()| inbox.place(peer, charge.bytes()));
        if let Err(refusal) = may.and_then(|()| inbox.has_no_line()) {
            inbox.refused.count(refusal);
            return Err(PushError { event: (event, charge), refusal });
        }
        let weight = charge.forget();
        inbox.bytes -= weight;
        inbox.reserve(peer, weight);
        inbox.enqueue(event, weight, Origin::from(peer));
        self.door.shared.ring(inbox);
        Ok(())
    }

    /// Promises one answer, for which a place is kept whatever else fills the mailbox.
    /// `if_dropped` is what the reader gets when nobody answers.
    pub fn ticket(&self, if_dropped: T) -> Result<Ticket<T, K>, PushError<T>> {
        Ticket::open(self, if_dropped)
    }

    /// A handle whose pushes count against the share of the peer `key`.
    pub fn for_peer(&self, key: &K) -> Result<Self, Refusal> {
        let mut inbox = self.door.shared.inbox.lock();
        let cap = inbox.limits.peers;
        let Some(peer) = inbox.peers.open_door(key, cap) else {
            let refusal = Refusal::TooManyPeers { cap };
            inbox.refused.count(refusal);
            return Err(refusal);
        };
        drop(inbox);
        let pass = Pass { peer: Some(peer), ..self.door.pass };
        Ok(Self::open(&self.door.shared, pass))
    }

    /// A handle that speaks for one life of the reader: from the next life on it is refused.
    pub fn for_life(&self, life: u64) -> Self {
        let mut inbox = self.door.shared.inbox.lock();
        if let Some(peer) = self.door.pass.peer {
            inbox.peers.add_door(peer);
        }
        drop(inbox);
        Self::open(&self.door.shared, Pass { life: Some(life), ..self.door.pass })
    }
}
