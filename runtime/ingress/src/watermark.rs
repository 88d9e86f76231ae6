//! A number that rises, and those who wait for it.
//!
//! Law: who waits is woken once the number has reached what is waited for, and not before; nobody
//! who left a waker while it was lower sleeps on.
//!
//! ```
//! use std::{sync::Arc, task::{Context, Poll, Waker}};
//!
//! use samsara_ingress::{Stopped, Watermark};
//!
//! let durable = Watermark::new(0);
//! let mut cx = Context::from_waker(Waker::noop());
//! assert!(durable.poll_reached(2, 7, &mut cx).is_pending());
//! durable.rise(1);
//! assert!(durable.poll_reached(2, 7, &mut cx).is_pending());
//! durable.rise(2);
//! assert_eq!(durable.poll_reached(2, 7, &mut cx), Poll::Ready(Ok(2)));
//! durable.stop();
//! assert_eq!(durable.poll_reached(3, 7, &mut cx), Poll::Ready(Err(Stopped { level: 2 })));
//! ```

use std::{
    collections::BTreeMap,
    fmt,
    task::{Context, Poll, Waker},
};

use crate::{
    planted::{Bug, gap},
    sync::Mutex,
};

/// A number that rises, see the law of its module: how far a journal is durable.
pub struct Watermark {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    level: u64,
    is_stopped: bool,
    /// By what is waited for, and by whom.
    waiting: BTreeMap<(u64, u64), Waker>,
}

/// The number rises no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Where it stays.
    pub level: u64,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mark stays at {}", self.level)
    }
}

impl std::error::Error for Stopped {}

impl Watermark {
    /// One that stands at this level.
    pub fn new(level: u64) -> Self {
        Self { inner: Mutex::new(Inner { level, ..Inner::default() }) }
    }

    /// Where it stands.
    pub fn level(&self) -> u64 {
        self.inner.lock().level
    }

    /// Where it stands, once that is `mark`. Until then the waker is left for `who`, in place of
    /// the one that `who` left for the same mark before; so there are no more than there are names.
    pub fn poll_reached(
        &self,
        mark: u64,
        who: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Stopped>> {
        // Cloned before the lock: a waker is foreign code.
        let waker = cx.waker().clone();
        let inner = self.inner.lock();
        let Inner { level, is_stopped, .. } = *inner;
        if level >= mark {
            return Poll::Ready(Ok(level));
        }
        if is_stopped {
            return Poll::Ready(Err(Stopped { level }));
        }
        let mut inner = gap(Bug::Wait, &self.inner, inner);
        let replaced = inner.waiting.insert((mark, who), waker);
        drop(inner);
        drop(replaced);
        Poll::Pending
    }

    /// Raises it to this level, and wakes who waits for no more than that. It never falls.
    pub fn rise(&self, level: u64) {
        let mut inner = self.inner.lock();
        inner.level = inner.level.max(level);
        let above = match inner.level.checked_add(1) {
            Some(next) => inner.waiting.split_off(&(next, 0)),
            None => BTreeMap::new(),
        };
        let reached = std::mem::replace(&mut inner.waiting, above);
        drop(inner);
        reached.into_values().for_each(Waker::wake);
    }

    /// It rises no more: everybody is woken to learn that.
    pub fn stop(&self) {
        let mut inner = self.inner.lock();
        inner.is_stopped = true;
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_values().for_each(Waker::wake);
    }
}

impl fmt::Debug for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watermark").field("level", &self.level()).finish_non_exhaustive()
    }
}
