//! Bugs that a simulator plants in shipped code, to see that it would find them.
//!
//! Law: each breaks one rule and nothing else, and holds on one thread while it is planted. Without
//! the feature `planted` there is no switch: it is `false`, and the compiler strikes the bug out.

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
    /// The tail of a log is acted on before it was synced again.
    UnsyncedTail,
    /// The log says that it is durable, and was not synced.
    SyncLies,
    /// The log is cut to the newer of two snapshots.
    CutTooFar,
    /// A snapshot is trusted whatever its checksum.
    RottenTrusted,
    /// A replay also goes through what the snapshot holds.
    ReplayedTwice,
    /// The outputs of a life are numbered from the beginning.
    NumbersAnew,
    /// Executions of a history are admitted once more.
    IdsAnew,
    /// A Node that fell comes back with an empty mailbox.
    LostMailbox,
    /// What a Node says is not offered to its courier.
    LostOffer,
    /// A snapshot leaves out what the courier keeps.
    SnapshotWithoutCourier,
    /// The courier does not hear what a replay shows to be durable.
    ReplayWithoutSynced,
    /// What a replay says is not offered to the courier again.
    ReplayWithoutOffers,
    /// What a replay says is offered to the courier as new.
    OfferedAsNew,
    /// The courier does not hear that the mailbox has refused something.
    SwallowedRefusal,
    /// A new link goes on where the one before has ended.
    NoRelink,
    /// A link that was lost is not asked for again.
    DialledOnce,
    /// Some questions are not answered.
    Unanswered,
    /// The answer to any question is taken for the answer to this one.
    AnyAnswer,
    /// Nobody is given credit.
    NoCredit,
    /// Lives that are over are heard.
    NoFence,
    /// What was taken before is taken again.
    TakenTwice,
    /// What comes too early is taken.
    GapTaken,
    /// An acknowledgement only goes where something else goes.
    NeverByItself,
    /// What was let in is acknowledged, durable or not.
    AckAdmitted,
    /// Some envelopes of a stream are passed over.
    SkippedEntry,
    /// What is sent again is not marked as that.
    Unmarked,
}

#[cfg(feature = "planted")]
impl Bug {
    /// All of them, with their names.
    pub const ALL: &[(&'static str, Self)] = &[
        ("ack-before-sync", Self::AckBeforeSync),
        ("no-bump", Self::NoBump),
        ("loud-replay", Self::LoudReplay),
        ("unsynced-snapshot", Self::UnsyncedSnapshot),
        ("unsynced-tail", Self::UnsyncedTail),
        ("sync-lies", Self::SyncLies),
        ("cut-too-far", Self::CutTooFar),
        ("rotten-trusted", Self::RottenTrusted),
        ("replayed-twice", Self::ReplayedTwice),
        ("numbers-anew", Self::NumbersAnew),
        ("ids-anew", Self::IdsAnew),
        ("lost-mailbox", Self::LostMailbox),
        ("lost-offer", Self::LostOffer),
        ("snapshot-without-courier", Self::SnapshotWithoutCourier),
        ("replay-without-synced", Self::ReplayWithoutSynced),
        ("replay-without-offers", Self::ReplayWithoutOffers),
        ("offered-as-new", Self::OfferedAsNew),
        ("swallowed-refusal", Self::SwallowedRefusal),
        ("no-relink", Self::NoRelink),
        ("dialled-once", Self::DialledOnce),
        ("unanswered", Self::Unanswered),
        ("any-answer", Self::AnyAnswer),
        ("no-credit", Self::NoCredit),
        ("no-fence", Self::NoFence),
        ("taken-twice", Self::TakenTwice),
        ("gap-taken", Self::GapTaken),
        ("never-by-itself", Self::NeverByItself),
        ("ack-admitted", Self::AckAdmitted),
        ("skipped-entry", Self::SkippedEntry),
        ("unmarked", Self::Unmarked),
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
