//! Bytes of the budget, as an owned value.
//!
//! Law: what is charged is held by exactly one owner and comes back when that owner drops it,
//! however that happens.

use std::fmt;

use crate::{shared::Shared, sync::Arc};

trait Budget: Send + Sync {
    fn release(&self, bytes: u64);
}

impl<T: Send, K: Ord + Clone + Send> Budget for Shared<T, K> {
    fn release(&self, bytes: u64) {
        Self::release(self, bytes);
    }
}

/// Bytes of a mailbox's budget; they come back when this is dropped.
///
/// ```
/// use samsara_ingress::{IngressLimits, IngressQueue};
///
/// let queue = IngressQueue::<u32>::new(IngressLimits::default())?;
/// let mut whole = queue.handle().charge(100)?;
/// let part = whole.split(30).expect("100 bytes cover 30");
/// drop(whole);
/// assert_eq!(queue.stats().bytes, 30);
/// drop(part);
/// assert_eq!(queue.stats().bytes, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a dropped charge gives its bytes back at once"]
pub struct Charge {
    budget: Arc<dyn Budget>,
    bytes: u64,
}

impl Charge {
    /// Takes over bytes that were charged under the lock.
    pub(crate) fn adopt<T, K>(shared: &Arc<Shared<T, K>>, bytes: u64) -> Self
    where
        T: Send + 'static,
        K: Ord + Clone + Send + 'static,
    {
        let budget: Arc<dyn Budget> = Arc::<Shared<T, K>>::clone(shared);
        Self { budget, bytes }
    }

    /// Whether it is a charge of this mailbox.
    pub(crate) fn is_of<T, K>(&self, shared: &Arc<Shared<T, K>>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.budget), Arc::as_ptr(shared))
    }

    /// Hands the bytes on to another owner under the lock.
    pub(crate) fn forget(mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }

    /// What it holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Cuts `bytes` off into a charge of their own; `None`, and nothing changes, if it holds less.
    pub fn split(&mut self, bytes: u64) -> Option<Self> {
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(Self { budget: Arc::clone(&self.budget), bytes })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.release(self.bytes);
        }
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
