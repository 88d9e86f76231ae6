//! Bugs that a model plants, to see that it would find them.
//!
//! Law: most are a lock let go and taken again where the shipped code holds it. In a program there
//! is no switch: [`gap`] is the identity.

use crate::sync::{Mutex, MutexGuard};

/// Where a planted bug lets go of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(loom),
    expect(dead_code, unreachable_pub, reason = "public and used only where models are")
)]
pub enum Bug {
    /// A push is checked, then admitted under another lock.
    Admit,
    /// The reader finds nothing, then leaves its waker under another lock.
    Arm,
    /// The reader finds nothing, then looks under another lock whether the end has come.
    End,
    /// A push wakes the reader, then marks it awake under another lock.
    Disarm,
    /// A charge reads the bytes in use, then writes what is left under another lock.
    Release,
    /// A ticket is found open, then settled under another lock.
    Settle,
    /// A turn is found to be this life's, then given out under another lock.
    Commit,
    /// Answers are taken out, and what is left is told under another lock.
    Answers,
    /// A producer finds no room, then joins the line under another lock.
    QueueUp,
    /// A mark is found too low, then the waker is left under another lock.
    Wait,
    /// A producer that gives up leaves its grant lying.
    Cancel,
}

#[cfg(loom)]
std::thread_local! {
    // The threads of one model are coroutines of one real thread, so this is "per model".
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Runs `model` with `bug` planted.
#[cfg(loom)]
pub fn with<R>(bug: Bug, model: impl FnOnce() -> R) -> R {
    struct Uproot;
    impl Drop for Uproot {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
    PLANTED.set(Some(bug));
    let _uproot = Uproot;
    model()
}

/// Whether `bug` is planted.
#[cfg(loom)]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// The same lock, let go and taken again if `bug` is planted.
#[cfg(loom)]
pub(crate) fn gap<'a, T>(
    bug: Bug,
    mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
) -> MutexGuard<'a, T> {
    if !is(bug) {
        return guard;
    }
    drop(guard);
    mutex.lock()
}

/// The same lock.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn gap<'a, T>(_: Bug, _: &'a Mutex<T>, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    guard
}
