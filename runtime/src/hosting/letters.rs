//! Dead letters of a hosted Node, taken out.
//!
//! Law: a letter is gone when the history says so, and not before.

use samsara_proto::PeerId;

use super::{Ground, Journal, Resident, StoreFault};
use crate::recovery::{DeadLetter, Durability, LetterId, Lsn, RecordKind, gone_payload};

impl Resident {
    /// Takes a letter out, to be thrown away or to be offered once more:
    /// [`Node::offer_again`](crate::node::Node::offer_again).
    pub fn take_letter<G: Ground>(
        &mut self,
        ground: &mut G,
        letter: LetterId,
    ) -> Result<Option<DeadLetter>, StoreFault> {
        if self.letters.read(letter).is_none() {
            return Ok(None);
        }
        if self.spec.outlives() != Durability::Volatile {
            self.last = append(ground.journal(), &self.peer, letter)?;
        }
        Ok(self.letters.take(letter))
    }
}

/// Throws a letter away of a Node that is down, as one whose letters leave no room for another.
pub fn throw_away(
    journal: &mut impl Journal,
    node: &PeerId,
    letter: LetterId,
) -> Result<(), StoreFault> {
    let lsn = append(journal, node, letter)?;
    journal.force(lsn)
}

fn append(journal: &mut impl Journal, node: &PeerId, letter: LetterId) -> Result<Lsn, StoreFault> {
    journal.append(node, RecordKind::DeadLetter, &gone_payload(letter))
}
