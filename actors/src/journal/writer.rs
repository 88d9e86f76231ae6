//! The thread of a journal.
//!
//! Law: one write and one sync for all that has gathered, and only then the word that it is durable.
//! However the thread ends, those who wait are told.

use std::{
    sync::{Arc, PoisonError, mpsc},
    time::Duration,
};

use samsara_runtime::{
    recovery::{LogBack, LogError, LogGroup, LogView, Lsn},
    storage::Storage,
};

use super::{Health, JournalStopped, Order, Shared};

/// How long what nobody waits for is left to gather.
const LINGER: Duration = Duration::from_millis(5);
/// How long a full disk is left alone: somebody has to make room, which takes people.
const RETRY: Duration = Duration::from_millis(100);

pub(super) struct Writer<D> {
    disk: D,
    back: LogBack,
    group: LogGroup,
    /// Those who want to know what is written, once it is.
    views: Vec<mpsc::Sender<LogView>>,
    shared: Arc<Shared>,
}

/// Tells those who wait when the thread ends by a panic.
struct LastWord<'s>(&'s Shared);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        // After a stop in good order this changes nothing.
        self.0.stop(JournalStopped::Fell);
    }
}

impl<D: Storage> Writer<D> {
    pub(super) fn new(disk: D, back: LogBack, shared: Arc<Shared>) -> Self {
        Self { disk, back, group: LogGroup::default(), views: Vec::new(), shared }
    }

    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _last_word = LastWord(&shared);
        let cause = loop {
            let (truncate, is_last) = self.wait();
            match self.turn(truncate) {
                Ok(()) if is_last => break JournalStopped::Closed,
                Ok(()) => {}
                Err(full @ LogError::Full(_)) if is_last => break JournalStopped::Failed(full),
                Err(LogError::Full(full)) => {
                    shared.lock().health = Health::Full(full);
                    self.pause();
                }
                Err(failed) => break JournalStopped::Failed(failed),
            }
        };
        shared.stop(cause);
    }

    /// Sleeps until there is something to do, takes all of it, and says whether that is the end.
    fn wait(&mut self) -> (Option<Lsn>, bool) {
        let mut work = self.shared.lock();
        while !work.is_urgent && self.group.is_empty() && work.orders.is_empty() && !work.is_closing
        {
            if !work.front.has_pending() {
                work = self.shared.bell.wait(work).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let lingered = self.shared.bell.wait_timeout(work, LINGER);
            let (woken, timeout) = lingered.unwrap_or_else(PoisonError::into_inner);
            work = woken;
            if timeout.timed_out() {
                break;
            }
        }
        work.is_urgent = false;
        work.front.hand_over(&mut self.group);
        let mut truncate = None;
        for order in work.orders.drain(..) {
            match order {
                Order::Truncate(keep) => truncate = truncate.max(Some(keep)),
                Order::View(answer) => self.views.push(answer),
            }
        }
        (truncate, work.is_closing)
    }

    fn turn(&mut self, truncate: Option<Lsn>) -> Result<(), LogError> {
        // First of all, since a full disk may wait for just this.
        if let Some(keep) = truncate {
            self.back.truncate(&mut self.disk, keep)?;
        }
        self.commit()?;
        for answer in self.views.drain(..) {
            // Who does not wait any more needs no answer.
            drop(answer.send(self.back.view()));
        }
        self.prepare()
    }

    fn commit(&mut self) -> Result<(), LogError> {
        if self.group.is_empty() {
            return Ok(());
        }
        self.back.write(&mut self.disk, &mut self.group)?;
        let durable = self.back.sync(&mut self.disk)?;
        let mut work = self.shared.lock();
        work.front.note_written(&self.group);
        work.groups = work.groups.saturating_add(1);
        work.health = Health::Well;
        drop(work);
        self.shared.durable.rise(durable.get());
        Ok(())
    }

    /// Makes the zeros of the next segment when nobody waits, since that takes long.
    fn prepare(&mut self) -> Result<(), LogError> {
        if !self.back.is_half_full() {
            return Ok(());
        }
        match self.back.prepare(&mut self.disk) {
            // It is trouble only when the segment is needed.
            Ok(()) | Err(LogError::Full(_)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }

    /// Leaves the disk alone for a while, unless it is the end.
    fn pause(&self) {
        let work = self.shared.lock();
        let woken = self.shared.bell.wait_timeout_while(work, RETRY, |work| !work.is_closing);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }
}
