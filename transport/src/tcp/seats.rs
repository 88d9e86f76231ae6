//! How many connections one address or one peer may have.
//!
//! Law: a seat is counted from when it is taken to when it is dropped, and a full table refuses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Seats by whom they are for.
#[derive(Debug)]
pub(super) struct Seats<K: Ord + Clone>(Arc<Mutex<BTreeMap<K, u32>>>);

impl<K: Ord + Clone> Default for Seats<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One connection's seat.
#[derive(Debug)]
pub(super) struct Seat<K: Ord + Clone> {
    seats: Seats<K>,
    of: K,
}

impl<K: Ord + Clone> Seats<K> {
    /// A seat, if fewer than so many are taken by the same.
    pub(super) fn take(&self, of: K, cap: u32) -> Option<Seat<K>> {
        let mut taken = self.lock();
        let count = taken.entry(of.clone()).or_default();
        if *count >= cap {
            if *count == 0 {
                taken.remove(&of);
            }
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Seat { seats: Self(Arc::clone(&self.0)), of })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, u32>> {
        // Nothing under this lock can fail halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(count) = taken.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.of);
            }
        }
    }
}
