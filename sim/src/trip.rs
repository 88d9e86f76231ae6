//! A fall inside of a component, behind so many calls of one batch.
//!
//! Law: it falls once, without a word, and only in the act that it was set for.

use std::cell::Cell;

std::thread_local! {
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    static HAS_TRIPPED: Cell<bool> = const { Cell::new(false) };
}

/// Sets it for the act that comes, or not at all.
pub(crate) fn set(behind: Option<u64>) {
    LEFT.set(behind);
    HAS_TRIPPED.set(false);
}

/// Whether it fell.
pub(crate) fn take() -> bool {
    LEFT.set(None);
    HAS_TRIPPED.replace(false)
}

/// A component is called.
pub(crate) fn step() {
    match LEFT.get() {
        None => {}
        Some(0) => {
            LEFT.set(None);
            HAS_TRIPPED.set(true);
            std::panic::resume_unwind(Box::new("a fall was planted"));
        }
        Some(left) => LEFT.set(Some(left - 1)),
    }
}
