//! The numbers that name things inside one Node: minted ones that rise, dense ones that index.
//!
//! Law: a minted number starts at 1, rises by one and is never used twice within a Node's life,
//! restores included; when they run out minting fails, it does not wrap.
//!
//! ```
//! use samsara_runtime::id::{ExecId, IdCounter};
//!
//! let mut ids = IdCounter::<ExecId>::new();
//! assert_eq!(ids.mint()?.get(), 1);
//!
//! let mut after_restore = IdCounter::<ExecId>::resume(ids.minted());
//! assert_eq!(after_restore.mint()?.get(), 2);
//! # Ok::<(), samsara_runtime::id::IdsExhausted>(())
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;

/// A kind of minted number: [`ExecId`], [`CommandId`] or [`RequestId`].
pub trait MintedId: Copy + Ord + fmt::Debug + sealed::Sealed {
    /// What the number names, for error texts.
    const NAMES: &'static str;
    /// The id of this number.
    fn from_number(number: NonZeroU64) -> Self;
    /// The number of this id.
    fn get(self) -> u64;
}

/// Mints one kind of id. What it holds is one number, so that a snapshot is that number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdCounter<Id> {
    minted: u64,
    kind: PhantomData<Id>,
}

impl<Id: MintedId> IdCounter<Id> {
    /// A counter that has minted nothing.
    pub const fn new() -> Self {
        Self::resume(0)
    }

    /// A counter that goes on after the `minted` ids of an earlier run.
    pub const fn resume(minted: u64) -> Self {
        Self { minted, kind: PhantomData }
    }

    /// The next id, never given before.
    pub fn mint(&mut self) -> Result<Id, IdsExhausted> {
        let number = self.minted.checked_add(1).and_then(NonZeroU64::new);
        let number = number.ok_or(IdsExhausted { names: Id::NAMES })?;
        self.minted = number.get();
        Ok(Id::from_number(number))
    }

    /// How many ids were minted, which is also the last of them; all that a snapshot needs.
    pub const fn minted(&self) -> u64 {
        self.minted
    }

    /// Takes note of an id that was minted elsewhere, so that it is not minted again here.
    pub fn note(&mut self, id: Id) {
        self.minted = self.minted.max(id.get());
    }
}

impl<Id: MintedId> Default for IdCounter<Id> {
    fn default() -> Self {
        Self::new()
    }
}

/// Every number of this kind was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {names} id is left, wanted one more than {}", u64::MAX)]
#[non_exhaustive]
pub struct IdsExhausted {
    /// What the ids name.
    pub names: &'static str,
}

/// A dense index could not hold this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{names} index {position} is above {}", u32::MAX)]
#[non_exhaustive]
pub struct IndexTooLarge {
    /// What the index names.
    pub names: &'static str,
    /// The position that was asked for.
    pub position: usize,
}

mod sealed {
    /// Keeps the minted kinds to this file: a snapshot lists them.
    pub trait Sealed {}
}

macro_rules! minted {
    ($(#[$doc:meta])* $name:ident, $names:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The id of this number, or nothing for 0, which names nothing.
            pub const fn new(number: u64) -> Option<Self> {
                match NonZeroU64::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl sealed::Sealed for $name {}

        impl MintedId for $name {
            const NAMES: &'static str = $names;

            fn from_number(number: NonZeroU64) -> Self {
                Self(number)
            }

            fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($names, "#{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

minted! {
    /// One execution: everything that one entry set in motion.
    ExecId, "execution"
}
minted! {
    /// One parked op's promise of a completion.
    CommandId, "command"
}
minted! {
    /// One request to a peer that expects a response.
    RequestId, "request"
}

macro_rules! dense {
    ($(#[$doc:meta])* $name:ident, $names:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The index of this number.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The index of a position in a table.
            pub fn from_position(position: usize) -> Result<Self, IndexTooLarge> {
                match u32::try_from(position) {
                    Ok(number) => Ok(Self(number)),
                    Err(_) => Err(IndexTooLarge { names: $names, position }),
                }
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The position in its table.
            pub const fn position(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($names, "[{}]"), self.0)
            }
        }
    };
}

dense! {
    /// One op of a plan.
    OpId, "op"
}
dense! {
    /// One value slot of an execution.
    SlotId, "slot"
}
dense! {
    /// One component of a Node.
    ComponentRef, "component"
}
dense! {
    /// One port of a plan.
    PortId, "port"
}

// `position` widens, which is lossless only where an address has at least 32 bits.
const _: () = assert!(usize::BITS >= u32::BITS);

/// The life of a Node, counted over crashes and hosts: a fence against what an earlier life sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(u64);

impl Incarnation {
    /// The life of this number. A Node without a store begins at its host's clock in milliseconds.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next life, or nothing after the last: a life that does not rise would fence nothing.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_ids_begin_at_one_and_rise_by_one() {
        let mut ids = IdCounter::<CommandId>::new();
        let minted: Vec<u64> = (0..3).map(|_| ids.mint().expect("plenty are left").get()).collect();
        assert_eq!(minted, [1, 2, 3]);
    }

    #[test]
    fn a_resumed_counter_never_mints_an_old_id_again() {
        let mut first = IdCounter::<ExecId>::new();
        let last = (0..5).map(|_| first.mint().expect("plenty are left")).last();
        let mut second = IdCounter::<ExecId>::resume(first.minted());
        assert!(Some(second.mint().expect("plenty are left")) > last);
    }

    #[test]
    fn an_id_noted_from_elsewhere_is_not_minted_again() {
        let mut ids = IdCounter::<RequestId>::new();
        ids.note(RequestId::new(41).expect("not zero"));
        ids.note(RequestId::new(7).expect("not zero"));
        assert_eq!(ids.mint().expect("plenty are left").get(), 42);
    }

    #[test]
    fn minting_past_the_last_id_fails_and_stays_failed() {
        let mut ids = IdCounter::<ExecId>::resume(u64::MAX - 1);
        assert_eq!(ids.mint().expect("one is left").get(), u64::MAX);
        assert_eq!(ids.mint(), Err(IdsExhausted { names: "execution" }));
        assert_eq!(ids.mint(), Err(IdsExhausted { names: "execution" }));
    }

    #[test]
    fn an_index_past_32_bits_is_refused() {
        assert_eq!(OpId::from_position(7).map(OpId::position), Ok(7));
        let position = u32::MAX as usize + 1;
        assert_eq!(OpId::from_position(position), Err(IndexTooLarge { names: "op", position }));
    }

    #[test]
    fn a_life_rises_and_the_last_has_no_next() {
        assert_eq!(Incarnation::new(4).next(), Some(Incarnation::new(5)));
        assert_eq!(Incarnation::new(u64::MAX).next(), None);
    }
}
