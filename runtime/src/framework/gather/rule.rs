//! What a gather wants of a round.
//!
//! Law: every way a round can end, and everything that can come after, has an answer here.

use crate::codec::{saved, saved_enum};
use crate::time::Nanos;

/// What a gather wants. A round keeps the rule that it was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherRule {
    /// How many senders make a round whole.
    pub count: u32,
    /// How long a round waits for them after the first.
    pub wait: Nanos,
    /// What happens to what comes after the end.
    pub late: LatePolicy,
    /// What a round that ends without all of them is.
    pub on_deadline: OnDeadline,
}

/// What happens to what comes after its round has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePolicy {
    /// It is handed back.
    Drop,
    /// It is handed back, and counted for the host to see.
    Count,
    /// It counts in the next round that is open, if one is.
    Next,
}

impl LatePolicy {
    /// The word that it is written as.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Count => "count",
            Self::Next => "next",
        }
    }

    /// What this word says.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Drop, Self::Count, Self::Next].into_iter().find(|policy| policy.word() == word)
    }
}

/// What a round that ends by its deadline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeadline {
    /// A result of those who came.
    Partial,
    /// A failure.
    Fail,
}

impl OnDeadline {
    /// The word that it is written as.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Fail => "fail",
        }
    }

    /// What this word says.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Partial, Self::Fail].into_iter().find(|outcome| outcome.word() == word)
    }
}

saved! { GatherRule { count, wait, late, on_deadline } }
saved_enum! { LatePolicy: "late policy" { 0 = Drop, 1 = Count, 2 = Next } }
saved_enum! { OnDeadline: "end of a round" { 0 = Partial, 1 = Fail } }
