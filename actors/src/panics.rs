//! What a Node fell of, written down where it fell.
//!
//! Law: a fall costs its Node no more than it must. The stack is noted as addresses, and given names
//! only if somebody reads it, since naming takes a hundred times as long as a restart. Panics of
//! anything else are reported as they were before.
//!
//! ```
//! use std::panic::catch_unwind;
//!
//! use samsara_actors::panics;
//!
//! panics::install();
//! let (outcome, fall) = panics::within(|| catch_unwind(|| panic!("no ink")));
//! assert!(outcome.is_err());
//! let fall = fall.expect("it was written down");
//! assert_eq!(fall.message, "no ink");
//! assert!(fall.place.contains("panics.rs") || !fall.place.is_empty());
//! ```

use std::{
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    panic::{self, PanicHookInfo},
    sync::Once,
};

/// A panic of a Node.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fall {
    /// What it said.
    pub message: String,
    /// File, line and column.
    pub place: String,
    /// The stack. Its frames get their names when it is written out.
    pub stack: Backtrace,
}

thread_local! {
    static IS_WITHIN: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Fall>> = const { RefCell::new(None) };
}

/// Takes the process's panic hook, once. What panics outside of [`within`] goes to the hook that was
/// there before.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_WITHIN.get() {
                LAST.set(Some(Fall::of(info)));
            } else {
                before(info);
            }
        }));
    });
}

/// Runs a Node's code on this thread, and gives the last panic in it, if the hook is
/// [installed](install). Panics are caught by whoever catches them, not here.
pub fn within<R>(run: impl FnOnce() -> R) -> (R, Option<Fall>) {
    struct Outside(bool);
    impl Drop for Outside {
        fn drop(&mut self) {
            IS_WITHIN.set(self.0);
        }
    }
    let outside = Outside(IS_WITHIN.replace(true));
    let done = run();
    drop(outside);
    (done, LAST.take())
}

impl Fall {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no text").to_owned();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        Self { message, place, stack: Backtrace::force_capture() }
    }
}
