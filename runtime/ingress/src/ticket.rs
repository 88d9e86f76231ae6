//! A promised answer: one place in the mailbox, kept until somebody uses it.
//!
//! Law: every ticket of a life ends in exactly one event of that life, an answer or the word that
//! it was dropped; the first to settle it wins, and everyone else is told so.

use std::fmt;

use crate::{
    handle::IngressHandle,
    inbox::{Inbox, Origin},
    planted::{Bug, gap},
    refusal::{PushError, Refusal},
};

/// The right to answer, see [`IngressHandle::ticket`]. Dropping it delivers its `if_dropped`.
///
/// ```
/// use samsara_ingress::{IngressLimits, IngressQueue, TurnLimits};
///
/// let queue = IngressQueue::<&str>::new(IngressLimits::default())?;
/// let mut reader = queue.open(1)?;
/// let ticket = queue.handle().ticket("nobody answered")?;
/// let settler = ticket.settler();
/// settler.settle("the answer", 10)?;
/// drop(ticket);
///
/// let mut events = Vec::new();
/// let _charge = reader.read(TurnLimits::default(), &mut events)?;
/// assert_eq!(events.iter().map(|held| held.event).collect::<Vec<_>>(), ["the answer"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a ticket answers it with its `if_dropped`"]
pub struct Ticket<T, K = ()>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    settler: Settler<T, K>,
}

/// A ticket's number, to settle it from somewhere else; dropping it settles nothing.
pub struct Settler<T, K = ()>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    handle: IngressHandle<T, K>,
    id: u64,
    life: u64,
}

impl<T, K> Ticket<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    pub(crate) fn open(handle: &IngressHandle<T, K>, if_dropped: T) -> Result<Self, PushError<T>> {
        let mut inbox = handle.door.shared.inbox.lock();
        let cap = inbox.limits.tickets;
        let mut may = inbox.may_speak(handle.door.pass);
        if inbox.is_over {
            may = Err(Refusal::Closed);
        }
        if may.is_ok() && inbox.tickets.len() + inbox.answers >= cap {
            may = Err(Refusal::TooManyTickets { cap });
        }
        if let Err(refusal) = may {
            inbox.refused.count(refusal);
            return Err(PushError { event: if_dropped, refusal });
        }
        inbox.last_ticket += 1;
        let (id, life) = (inbox.last_ticket, inbox.life);
        inbox.tickets.insert(id, if_dropped);
        drop(inbox);
        Ok(Self { settler: Settler { handle: handle.clone(), id, life } })
    }

    /// Answers with `event`. While the budget does not cover it the ticket stays open, and the
    /// event comes back.
    pub fn settle(&self, event: T, weight: u64) -> Result<(), PushError<T>> {
        self.settler.settle(event, weight)
    }

    /// Its number, for others who may answer too.
    pub fn settler(&self) -> Settler<T, K> {
        self.settler.clone()
    }
}

impl<T, K> Drop for Ticket<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    fn drop(&mut self) {
        let Settler { handle, id, .. } = &self.settler;
        let mut inbox = handle.door.shared.inbox.lock();
        if let Some(if_dropped) = inbox.tickets.remove(id) {
            answer(&mut inbox, if_dropped, 0);
            handle.door.shared.ring(inbox);
        }
    }
}

impl<T, K> Settler<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    /// As [`Ticket::settle`].
    pub fn settle(&self, event: T, weight: u64) -> Result<(), PushError<T>> {
        let mutex = &self.handle.door.shared.inbox;
        let mut inbox = mutex.lock();
        let mut may = inbox.budget(weight);
        if !inbox.tickets.contains_key(&self.id) {
            let Inbox { life: current, .. } = *inbox;
            may = Err(if self.life < current {
                Refusal::Fenced { life: self.life, current }
            } else {
                Refusal::Settled
            });
        }
        if let Err(refusal) = may {
            inbox.refused.count(refusal);
            return Err(PushError { event, refusal });
        }
        let mut inbox = gap(Bug::Settle, mutex, inbox);
        let if_dropped = inbox.tickets.remove(&self.id);
        answer(&mut inbox, event, weight);
        self.handle.door.shared.ring(inbox);
        drop(if_dropped);
        Ok(())
    }
}

fn answer<T, K: Ord + Clone>(inbox: &mut Inbox<T, K>, event: T, weight: u64) {
    inbox.answers += 1;
    inbox.bytes += weight;
    inbox.enqueue(event, weight, Origin::Answer);
}

impl<T, K> Clone for Settler<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), id: self.id, life: self.life }
    }
}

impl<T, K> fmt::Debug for Settler<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, life, .. } = self;
        f.debug_struct("Settler").field("id", id).field("life", life).finish_non_exhaustive()
    }
}

impl<T, K> fmt::Debug for Ticket<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settler.fmt(f)
    }
}
