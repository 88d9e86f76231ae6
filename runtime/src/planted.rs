//! Bugs that a simulator plants in shipped code, to see that it would find them.
//!
//! Law: each breaks one rule and nothing else, and holds on one thread while it is planted. Without
//! the feature `planted` there is no switch: [`is`] is `false`, and the compiler strikes the bug out.

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "planted"),
    expect(unreachable_pub, reason = "public and used only where simulators are")
)]
pub enum Bug {
    /// A turn is acknowledged when it was written and not synced.
    AckBeforeSync,
    /// The number of a life is not kept, so that the next one bears it too.
    NoBump,
    /// A replay lets out again what has left long ago.
    LoudReplay,
    /// A snapshot is relied on that was not synced.
    UnsyncedSnapshot,
}

#[cfg(feature = "planted")]
impl Bug {
    /// All of them, with their names.
    pub const ALL: &[(&'static str, Self)] = &[
        ("ack-before-sync", Self::AckBeforeSync),
        ("no-bump", Self::NoBump),
        ("loud-replay", Self::LoudReplay),
        ("unsynced-snapshot", Self::UnsyncedSnapshot),
    ];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Runs `run` with this bug planted on this thread, or with none.
#[cfg(feature = "planted")]
pub fn with<R>(bug: Option<Bug>, run: impl FnOnce() -> R) -> R {
    struct Uproot(Option<Bug>);
    impl Drop for Uproot {
        fn drop(&mut self) {
            PLANTED.set(self.0);
        }
    }
    let _uproot = Uproot(PLANTED.replace(bug));
    run()
}

#[cfg(feature = "planted")]
std::thread_local! {
    static FALLS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Has the next Node of this thread that a host applies a batch to fall over it, once.
#[cfg(feature = "planted")]
pub fn fall_next() {
    FALLS.set(true);
}

/// Falls, if that was asked for: as a component's panic would, and without a word of it.
#[cfg(feature = "planted")]
pub(crate) fn may_fall() {
    if FALLS.replace(false) {
        std::panic::resume_unwind(Box::new("a fall was planted"));
    }
}

/// Nothing falls here.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn may_fall() {}

/// Whether this bug is planted.
#[cfg(feature = "planted")]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// No bug is planted.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn is(_: Bug) -> bool {
    false
}
