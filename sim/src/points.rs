//! Where processes end: the crash points that are counted.
//!
//! Law: a point is told by what the process was about to do to its disk, and for which act. Each cut
//! is at one point.

use samsara_runtime::{recovery::Act, storage::FileName};

/// What a disk was asked for when its process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Call {
    /// Nothing: it was between two of them.
    #[default]
    None,
    /// Nothing more: the act was done.
    Done,
    Create(Kind),
    Write(Kind),
    Sync(Kind),
    Rename(Kind),
    SyncDir,
    Remove(Kind),
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lives,
    Cursors,
    Log,
    Snapshot,
}

impl Kind {
    pub(crate) fn of(file: &FileName) -> Self {
        match file.as_str() {
            name if name.starts_with("lives") => Self::Lives,
            name if name.starts_with("cursors") => Self::Cursors,
            name if name.starts_with("snap-") => Self::Snapshot,
            _ => Self::Log,
        }
    }
}

/// What a process was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It opened its store.
    Opening,
    /// It raised a Node, which it had struck so often before.
    Raising,
    /// It had raised all Nodes, or one that fell.
    Raised,
    /// It was about to do this act, with outputs that the host has and the log does not say so.
    Before { act: Act, owes_word: bool },
    /// It did this act.
    During(Act),
    /// It took a frame in.
    Receiving,
    /// It cut the log.
    Truncating,
}

/// The name of a point; it is empty for one that the list of points does not have.
pub(crate) fn name(phase: Phase, call: Call) -> &'static str {
    match (phase, call) {
        (Phase::Receiving, Call::Done) => "C2",
        (Phase::Receiving, _) => "C1",
        (Phase::During(act), Call::Done) => behind(act),
        (Phase::Before { act: Act::Take, owes_word: false }, _) => "C2",
        (Phase::Before { act: Act::Append, .. }, _) => "C3",
        (Phase::During(Act::Sync(_)), Call::Sync(_)) => "C5",
        (Phase::During(Act::Sync(_)), _) => "C4",
        (Phase::Before { act: Act::Sync(_), .. }, _) => "C5",
        (Phase::Before { act: Act::Ack(_), .. }, _) => "C6",
        (Phase::Before { act: Act::Apply(_), .. }, _) => "C7",
        (Phase::During(Act::Apply(_)), _) => "C10",
        (Phase::Before { act: Act::Release, .. }, _) => "C10",
        (Phase::During(Act::Release), _) => "C11",
        (Phase::Before { owes_word: true, .. }, _) => "C12",
        (Phase::Before { act: Act::Capture, .. }, _) => "C13",
        (Phase::During(Act::Capture), call) => captured(call),
        (Phase::Truncating, _) => "C20",
        (Phase::Opening, Call::Write(Kind::Lives) | Call::Sync(Kind::Lives)) => "C24",
        (Phase::Opening, Call::Write(Kind::Log) | Call::Sync(_) | Call::SyncDir) => "C23",
        (Phase::Raising, Call::Write(Kind::Cursors)) => "C22",
        (Phase::Raising, Call::Write(Kind::Log) | Call::Sync(Kind::Log)) => "C28",
        (Phase::Raising, Call::None | Call::Done) => "C26",
        (Phase::Raised, _) => "C25",
        _ => "",
    }
}

/// Where a process is that has just done this act.
fn behind(act: Act) -> &'static str {
    match act {
        Act::Take => "C3",
        Act::Append => "C5",
        Act::Sync(_) => "C6",
        Act::Ack(_) => "C7",
        Act::Apply(_) => "C10",
        Act::Release => "C12",
        Act::Capture => "C19",
        Act::Rest(_) => "",
    }
}

fn captured(call: Call) -> &'static str {
    match call {
        Call::Write(Kind::Snapshot) => "C14",
        Call::Sync(Kind::Snapshot) => "C15",
        Call::Rename(_) => "C16",
        Call::SyncDir => "C17",
        Call::Remove(Kind::Snapshot) => "C19",
        _ => "C13",
    }
}
