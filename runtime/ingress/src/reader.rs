//! The reading end, held by one life at a time.
//!
//! Law: an event leaves the mailbox only by a commit, and only to the life that reads now; what an
//! ended life took and did not commit is the first thing its successor sees.

use std::{
    fmt,
    task::{Context, Poll},
};

use crate::{
    charge::Charge,
    inbox::{Entry, Wakes},
    limits::TurnLimits,
    planted::{Bug, gap},
    refusal::Fenced,
    shared::{Hand, Shared},
    sync::{Arc, LOOKS, atomic::Ordering, block_on},
};

/// What a reader that asked finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Events wait.
    Events,
    /// Nothing waits and nothing can come: closed with every ticket settled, or the queue and all
    /// handles are gone.
    Ended,
}

/// An event that was taken, and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted<T> {
    /// The event.
    pub event: T,
    /// Its bytes, which are part of the turn's [`Charge`].
    pub weight: u64,
}

/// The reading end of one life, see [`IngressQueue::open`](crate::IngressQueue::open).
pub struct IngressReader<T, K = ()> {
    shared: Arc<Shared<T, K>>,
    life: u64,
    /// Whether the hand may hold events of this life. Nobody else puts any there, so that one who
    /// only looks needs no lock.
    may_hold: bool,
}

impl<T, K> IngressReader<T, K>
where
    T: Send + 'static,
    K: Ord + Clone + Send + 'static,
{
    pub(crate) fn new(shared: &Arc<Shared<T, K>>, life: u64) -> Self {
        // The life before may have left events in hand.
        Self { shared: Arc::clone(shared), life, may_hold: true }
    }

    /// The life that it reads for.
    pub fn life(&self) -> u64 {
        self.life
    }

    /// Takes what waits in hand and tells whether there is anything; if not, the waker is left and
    /// one push from now on wakes it.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<Readiness, Fenced>> {
        // Cloned before the locks: a waker is foreign code.
        let waker = cx.waker().clone();
        let mut hand = self.shared.hand.lock();
        if let Err(fenced) = hand.check(self.life) {
            return Poll::Ready(Err(fenced));
        }
        if !hand.events.is_empty() {
            return Poll::Ready(Ok(Readiness::Events));
        }
        let mut wakes = Wakes::default();
        let mut inbox = self.shared.inbox.lock();
        if self.shared.fill(&mut hand, &mut inbox, &mut wakes) {
            drop(inbox);
            drop(hand);
            self.may_hold = true;
            wakes.wake();
            return Poll::Ready(Ok(Readiness::Events));
        }
        let mut inbox = gap(Bug::End, &self.shared.inbox, inbox);
        if inbox.has_ended() {
            inbox.is_over = true;
            return Poll::Ready(Ok(Readiness::Ended));
        }
        let mut inbox = gap(Bug::Arm, &self.shared.inbox, inbox);
        let replaced = inbox.armed.replace(waker);
        drop(inbox);
        drop(hand);
        drop(replaced);
        Poll::Pending
    }

    /// Waits on this thread until events wait or the end has come.
    ///
    /// It looks for a few microseconds before it sleeps, since going to sleep and being woken costs
    /// more than that. When events begin to come it gives their producers as long again, since
    /// handing them over one by one between two cores costs both sides several times more.
    pub fn wait(&mut self) -> Result<Readiness, Fenced> {
        let has_any = || self.shared.may_have_events.load(Ordering::Relaxed);
        for _ in 0..LOOKS {
            std::hint::spin_loop();
            if has_any() {
                (0..LOOKS).for_each(|_| std::hint::spin_loop());
                break;
            }
        }
        block_on(self.ready())
    }

    /// Whether events wait, or are in hand.
    pub fn has_events(&self) -> bool {
        let waits = self.shared.may_have_events.load(Ordering::Relaxed);
        if !self.may_hold && !waits {
            return false;
        }
        let hand = self.shared.hand.lock();
        hand.check(self.life).is_ok() && (waits || !hand.events.is_empty())
    }

    /// How many events are in hand, those of the turn included; none once the life has ended.
    pub fn in_hand(&self) -> usize {
        if !self.may_hold {
            return 0;
        }
        let hand = self.shared.hand.lock();
        hand.check(self.life).map_or(0, |()| hand.events.len())
    }

    /// Waits until events wait or the end has come. May be cancelled.
    pub async fn ready(&mut self) -> Result<Readiness, Fenced> {
        std::future::poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Takes the next turn in hand and tells how many events it has. A turn that was not committed
    /// is the same turn again, whatever the limits.
    pub fn take(&mut self, limits: TurnLimits) -> Result<usize, Fenced> {
        self.take_and(limits, |turn| turn.len())
    }

    /// As [`take`](Self::take), and looks at the turn under the same lock, as
    /// [`inspect`](Self::inspect) does.
    pub fn take_and<R>(
        &mut self,
        limits: TurnLimits,
        look: impl FnOnce(Turn<'_, T>) -> R,
    ) -> Result<R, Fenced> {
        let mut hand = self.shared.hand.lock();
        hand.check(self.life)?;
        let mut wakes = Wakes::default();
        if hand.turn == 0 {
            if !hand.is_fresh && hand.events.len() < limits.items.max(1) {
                self.shared.fill(&mut hand, &mut self.shared.inbox.lock(), &mut wakes);
            }
            hand.is_fresh = false;
            hand.turn = turn_length(&hand, limits);
        }
        let turn = hand.turn;
        let seen = look(Turn { entries: hand.events.range(..turn) });
        drop(hand);
        self.may_hold = turn > 0;
        wakes.wake();
        Ok(seen)
    }

    /// As [`take_and`](Self::take_and), but of what waits only answers make the turn: for a reader
    /// that has no room for more work, and must still hear what the work it has waits for. Answers
    /// go ahead of what stays; all else keeps its order.
    pub fn take_answers_and<R>(
        &mut self,
        limits: TurnLimits,
        look: impl FnOnce(Turn<'_, T>) -> R,
    ) -> Result<R, Fenced> {
        let mut hand = self.shared.hand.lock();
        hand.check(self.life)?;
        if hand.turn == 0 {
            let answers = self.shared.fill_answers(&mut hand);
            hand.is_fresh = false;
            hand.turn = turn_length(&hand, limits).min(answers);
        }
        let turn = hand.turn;
        let seen = look(Turn { entries: hand.events.range(..turn) });
        self.may_hold = !hand.events.is_empty();
        Ok(seen)
    }

    /// Shows the turn in hand, for a journal to write it down. Producers are not held up, but the
    /// next life is: encode in here, and wait for disks outside.
    pub fn inspect<R>(&self, look: impl FnOnce(Turn<'_, T>) -> R) -> Result<R, Fenced> {
        let hand = self.shared.hand.lock();
        hand.check(self.life)?;
        Ok(look(Turn { entries: hand.events.range(..hand.turn) }))
    }

    /// Moves the turn in hand to the end of `into`: from now on it is this life's alone. Its bytes
    /// are free again when the charge is dropped.
    pub fn commit(&mut self, into: &mut Vec<Admitted<T>>) -> Result<Charge, Fenced> {
        let hand = self.shared.hand.lock();
        hand.check(self.life)?;
        let mut hand = gap(Bug::Commit, &self.shared.hand, hand);
        let turn = std::mem::take(&mut hand.turn);
        let mut bytes = 0;
        into.extend(hand.events.drain(..turn).map(|Entry { event, weight, .. }| {
            bytes += weight;
            Admitted { event, weight }
        }));
        self.may_hold = !hand.events.is_empty();
        drop(hand);
        Ok(Charge::adopt(&self.shared, bytes))
    }

    /// Takes and commits in one go, for a reader that keeps no journal.
    pub fn read(
        &mut self,
        limits: TurnLimits,
        into: &mut Vec<Admitted<T>>,
    ) -> Result<Charge, Fenced> {
        self.take(limits)?;
        self.commit(into)
    }
}

/// How many of the events in hand make a turn.
fn turn_length<T>(hand: &Hand<T>, limits: TurnLimits) -> usize {
    let mut bytes = 0_u64;
    let fits = |entry: &&Entry<T>| {
        bytes = bytes.saturating_add(entry.weight);
        bytes <= limits.bytes
    };
    let fitting = hand.events.iter().take(limits.items.max(1)).take_while(fits).count();
    fitting.max(1).min(hand.events.len())
}

/// The events of the turn in hand, oldest first.
#[derive(Debug)]
pub struct Turn<'a, T> {
    entries: std::collections::vec_deque::Iter<'a, Entry<T>>,
}

impl<'a, T> Turn<'a, T> {
    /// The events, each with what it weighs.
    pub fn weighed(self) -> impl ExactSizeIterator<Item = (&'a T, u64)> {
        self.entries.map(|entry| (&entry.event, entry.weight))
    }
}

impl<'a, T> Iterator for Turn<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|entry| &entry.event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<T> ExactSizeIterator for Turn<'_, T> {}

impl<T, K> fmt::Debug for IngressReader<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngressReader").field("life", &self.life).finish_non_exhaustive()
    }
}
