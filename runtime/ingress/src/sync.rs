//! The one place where a lock comes from: std in a program, loom in a model.
//!
//! Law: everything in this crate that two threads share goes through here, so that what loom
//! explores is what ships. It is public because your code has races of its own: build it on this
//! shim and a model of it can hold a real [`IngressHandle`](crate::IngressHandle).
//!
//! Build with `RUSTFLAGS="--cfg loom"` and run `model` around the racing threads; the example
//! `model_your_own_code` does so.
#![cfg_attr(
    not(loom),
    expect(clippy::disallowed_types, reason = "the one place that may name std's lock")
)]

#[cfg(not(loom))]
pub use std::{sync::atomic, thread};

#[cfg(loom)]
pub use loom::{sync::atomic, thread};

/// Reference counts are std's in both worlds: the data behind them is only reached through
/// [`Mutex`] or [`atomic`], which loom does explore.
pub use std::sync::Arc;

#[cfg(not(loom))]
use std::sync as imp;

#[cfg(loom)]
use loom::sync as imp;

/// The guard of a [`Mutex`].
pub type MutexGuard<'a, T> = imp::MutexGuard<'a, T>;

/// A mutex without poison: what it guards in this crate is whole again before any code of others
/// runs that could panic.
#[derive(Debug, Default)]
pub struct Mutex<T>(imp::Mutex<T>);

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    /// Waits for the lock. A holder that panicked is no reason to lose a mailbox.
    #[cfg(loom)]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits for the lock. A holder that panicked is no reason to lose a mailbox.
    #[cfg(not(loom))]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        use std::sync::TryLockError;

        match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(TryLockError::WouldBlock) => self.lock_contended(),
        }
    }

    /// Holders are in for tens of nanoseconds, so going to sleep would cost a hundred times what it
    /// waits for: look again for a while, and only then sleep.
    #[cfg(not(loom))]
    #[cold]
    fn lock_contended(&self) -> MutexGuard<'_, T> {
        for _ in 0..LOOKS {
            std::hint::spin_loop();
            if let Ok(guard) = self.0.try_lock() {
                return guard;
            }
        }
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How often something that changes within nanoseconds is looked at before its thread sleeps.
/// In a model every look would be one more interleaving, and show nothing.
pub(crate) const LOOKS: u32 = if cfg!(loom) { 1 } else { 64 };

/// Explores every interleaving of the threads that `body` starts, at most `preemptions` forced
/// switches each, and tells how many executions that took.
///
/// # Panics
///
/// When any execution panics, deadlocks or leaks: that is the bug the model was written to find.
#[cfg(loom)]
pub fn model(preemptions: usize, body: impl Fn() + Send + Sync + 'static) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    let executions = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    executions.load(Ordering::Relaxed)
}

/// Waits for a future on the calling thread.
#[cfg(loom)]
pub use loom::future::block_on;

/// Waits for a future on the calling thread; no async runtime is needed for that.
#[cfg(not(loom))]
pub fn block_on<F: Future>(future: F) -> F::Output {
    use std::task::{Context, Poll, Waker};

    std::thread_local! {
        static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
    }
    let mut future = std::pin::pin!(future);
    UNPARK.with(|unpark| {
        let mut cx = Context::from_waker(unpark);
        loop {
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    })
}

#[cfg(not(loom))]
struct Unpark(thread::Thread);

#[cfg(not(loom))]
impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
