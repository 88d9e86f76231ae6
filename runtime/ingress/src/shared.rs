//! What all ends of a mailbox share: the inbox behind its lock, and the reader's hand behind one
//! of its own.
//!
//! Law: whoever takes both locks takes the hand first; nobody is woken under either.

use std::collections::VecDeque;

use crate::{
    inbox::{Entry, Inbox, Origin, Pass, Wakes},
    limits::IngressLimits,
    planted::{Bug, gap},
    refusal::Fenced,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

#[derive(Debug)]
pub(crate) struct Shared<T, K> {
    pub(crate) inbox: Mutex<Inbox<T, K>>,
    pub(crate) hand: Mutex<Hand<T>>,
    /// Whether the inbox holds anything, for a reader that only looks. It changes under the inbox's
    /// lock, together with what it tells; its order with anything else does not matter.
    pub(crate) may_have_events: AtomicBool,
}

/// Events on their way from the inbox to a life of the reader. They stay here until a turn is
/// committed, so that they outlive the life that took them.
#[derive(Debug)]
pub(crate) struct Hand<T> {
    pub(crate) life: u64,
    pub(crate) events: VecDeque<Entry<T>>,
    /// How many of the first events are in the current turn.
    pub(crate) turn: usize,
    /// All that waited was taken in hand a moment ago: no need to look again.
    pub(crate) is_fresh: bool,
}

impl<T> Hand<T> {
    pub(crate) fn check(&self, life: u64) -> Result<(), Fenced> {
        if life == self.life { Ok(()) } else { Err(Fenced { life, current: self.life }) }
    }
}

impl<T, K: Ord + Clone> Shared<T, K> {
    pub(crate) fn new(limits: IngressLimits) -> Arc<Self> {
        Arc::new(Self {
            inbox: Mutex::new(Inbox::new(limits)),
            hand: Mutex::new(Hand { life: 0, events: VecDeque::new(), turn: 0, is_fresh: false }),
            may_have_events: AtomicBool::new(false),
        })
    }

    /// Lets go of the lock, then wakes the reader if it sleeps: many pushes, one wake.
    pub(crate) fn ring(&self, mut inbox: MutexGuard<'_, Inbox<T, K>>) {
        if inbox.queue.len() == 1 {
            self.may_have_events.store(true, Ordering::Relaxed);
        }
        #[cfg(loom)]
        if crate::planted::is(Bug::Disarm) {
            let armed = inbox.armed.clone();
            drop(inbox);
            Wakes { reader: armed, producers: Vec::new() }.wake();
            self.inbox.lock().armed = None;
            return;
        }
        let armed = inbox.armed.take();
        drop(inbox);
        if let Some(reader) = armed {
            reader.wake();
        }
    }

    /// Moves all that waits into the hand, and tells whether the hand holds anything.
    pub(crate) fn fill(
        &self,
        hand: &mut Hand<T>,
        inbox: &mut Inbox<T, K>,
        wakes: &mut Wakes,
    ) -> bool {
        // A hand that is not empty is topped up only as far as a full mailbox reaches.
        let held = hand.events.len();
        let fits = held == 0 || held + inbox.queue.len() <= inbox.limits.items;
        if fits && !inbox.queue.is_empty() {
            inbox.hand_over(&mut hand.events, wakes);
            self.may_have_events.store(false, Ordering::Relaxed);
        }
        hand.is_fresh = !hand.events.is_empty();
        hand.is_fresh
    }

    /// Moves the answers that wait to the front of the hand, and tells how many are there.
    pub(crate) fn fill_answers(&self, hand: &mut Hand<T>) -> usize {
        let is_answer = |entry: &Entry<T>| entry.origin == Origin::Answer;
        let held = hand.events.iter().filter(|entry| is_answer(entry)).count();
        let mut inbox = self.inbox.lock();
        let waiting = std::mem::take(&mut inbox.answers);
        if held + waiting == 0 {
            return 0;
        }
        let queued = match waiting {
            0 => VecDeque::new(),
            _ => std::mem::take(&mut inbox.queue),
        };
        let (of_hand, stays) = std::mem::take(&mut hand.events).into_iter().partition(is_answer);
        let (of_queue, queue): (VecDeque<_>, _) = queued.into_iter().partition(is_answer);
        hand.events = of_hand;
        hand.events.extend(of_queue);
        hand.events.extend::<VecDeque<_>>(stays);
        if waiting > 0 {
            let is_left = !queue.is_empty();
            inbox.queue = queue;
            let _inbox = gap(Bug::Answers, &self.inbox, inbox);
            self.may_have_events.store(is_left, Ordering::Relaxed);
        }
        held + waiting
    }

    /// Gives `bytes` of the budget back.
    pub(crate) fn release(&self, bytes: u64) {
        let mut wakes = Wakes::default();
        let inbox = self.inbox.lock();
        let left = inbox.bytes.saturating_sub(bytes);
        let mut inbox = gap(Bug::Release, &self.inbox, inbox);
        inbox.bytes = left;
        inbox.grant(&mut wakes);
        drop(inbox);
        wakes.wake();
    }
}

/// One way in, counted while any clone of it lives.
#[derive(Debug)]
pub(crate) struct Door<T, K: Ord + Clone> {
    pub(crate) shared: Arc<Shared<T, K>>,
    pub(crate) pass: Pass,
}

impl<T, K: Ord + Clone> Door<T, K> {
    pub(crate) fn open(shared: &Arc<Shared<T, K>>, pass: Pass) -> Arc<Self> {
        shared.inbox.lock().doors += 1;
        Arc::new(Self { shared: Arc::clone(shared), pass })
    }
}

impl<T, K: Ord + Clone> Drop for Door<T, K> {
    fn drop(&mut self) {
        let mut wakes = Wakes::default();
        let mut inbox = self.shared.inbox.lock();
        inbox.doors = inbox.doors.saturating_sub(1);
        if let Some(peer) = self.pass.peer {
            inbox.peers.close_door(peer);
        }
        if inbox.has_ended() {
            wakes.reader = inbox.armed.take();
        }
        drop(inbox);
        wakes.wake();
    }
}
