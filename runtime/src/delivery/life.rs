//! Lives of a Node as its peers see them, and the fence between them.
//!
//! Law: nothing of a life is heard after a later one was; and of two that claim to be the same one
//! neither is heard, until a later life settles which of them went on.

use std::cmp::Ordering;

use crate::planted::{self, Bug};
use crate::{codec::saved_enum, id::Incarnation};

/// What tells a life of a Node from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// Its number.
    pub incarnation: Incarnation,
    /// Drawn when its process started.
    pub boot_nonce: u64,
}

/// What is known of the lives of one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fence {
    /// It was never heard of.
    #[default]
    Open,
    /// The latest of them.
    At { incarnation: u64, boot_nonce: u64 },
    /// Two were alive at once under this number.
    Twins { incarnation: u64 },
}

/// What hearing of a life means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is of the process that is known, and no earlier life of it.
    Same,
    /// It is the first that is heard of.
    First,
    /// It is of a later process than the one that was known.
    Later,
    /// A later one is known.
    Fenced,
    /// It was seen now that there are two of them; the other one is here.
    Twin { other: Life },
}

impl Fence {
    /// Takes note of a life.
    pub(super) fn hear(&mut self, life: Life) -> Heard {
        let Life { incarnation, boot_nonce } = life;
        let number = incarnation.get();
        let heard = match *self {
            Self::Open => Heard::First,
            Self::At { incarnation: known, boot_nonce: nonce } => {
                match (number.cmp(&known), nonce == boot_nonce) {
                    (Ordering::Less, _) if planted::is(Bug::NoFence) => Heard::Later,
                    (Ordering::Less, _) => return Heard::Fenced,
                    (Ordering::Equal, false) => {
                        *self = Self::Twins { incarnation: known };
                        return Heard::Twin { other: Life { incarnation, boot_nonce: nonce } };
                    }
                    (Ordering::Equal | Ordering::Greater, true) => Heard::Same,
                    (Ordering::Greater, false) => Heard::Later,
                }
            }
            Self::Twins { incarnation: known } if number <= known => return Heard::Fenced,
            Self::Twins { .. } => Heard::Later,
        };
        *self = Self::At { incarnation: number, boot_nonce };
        heard
    }

    /// Whether nobody can say which of two lives is the peer.
    pub(super) fn is_disputed(self) -> bool {
        matches!(self, Self::Twins { .. })
    }
}

saved_enum! { Fence: "lives of a peer" {
    0 = Open, 1 = At { incarnation, boot_nonce }, 2 = Twins { incarnation },
} }

#[cfg(test)]
mod tests {
    use super::*;

    fn life(incarnation: u64, boot_nonce: u64) -> Life {
        Life { incarnation: Incarnation::new(incarnation), boot_nonce }
    }

    #[test]
    fn a_lower_life_is_fenced_once_a_higher_one_was_heard() {
        let mut fence = Fence::default();
        assert_eq!(fence.hear(life(3, 7)), Heard::First);
        assert_eq!(fence.hear(life(3, 7)), Heard::Same);
        assert_eq!(fence.hear(life(4, 7)), Heard::Same, "its process goes on");
        assert_eq!(fence.hear(life(3, 7)), Heard::Fenced);
        assert_eq!(fence.hear(life(5, 8)), Heard::Later);
        assert_eq!(fence.hear(life(4, 7)), Heard::Fenced);
        assert_eq!(fence.hear(life(5, 8)), Heard::Same);
    }

    #[test]
    fn of_twins_neither_is_heard_until_a_later_life() {
        let mut fence = Fence::default();
        fence.hear(life(3, 7));
        assert_eq!(fence.hear(life(3, 8)), Heard::Twin { other: life(3, 7) });
        assert!(fence.is_disputed());
        assert_eq!(fence.hear(life(3, 7)), Heard::Fenced);
        assert_eq!(fence.hear(life(3, 8)), Heard::Fenced);
        assert_eq!(fence.hear(life(4, 7)), Heard::Later);
        assert!(!fence.is_disputed());
    }
}
