//! Bugs to plant in a host, to see that the simulator finds them.
//!
//! Law: none is there unless it was asked for. Each breaks one rule of the host, and nothing else.

/// A bug of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mutant {
    /// Calls are acknowledged when they are written and not synced.
    AckBeforeSync,
    /// The number of a life is not kept, so the next one bears it too.
    NoBump,
    /// A replay lets out again what has left long ago.
    LoudReplay,
    /// The log is cut behind a snapshot that was not synced.
    UnsyncedSnapshot,
}

impl Mutant {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("ack-before-sync", Self::AckBeforeSync),
        ("no-bump", Self::NoBump),
        ("loud-replay", Self::LoudReplay),
        ("unsynced-snapshot", Self::UnsyncedSnapshot),
    ];
}
