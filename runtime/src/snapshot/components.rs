//! What components were, in blocks that snapshots share.
//!
//! Law: a block is shared whole: where one component of it was called, only that block is new, so
//! that a snapshot costs what has changed and not what is there.

use std::sync::Arc;

use super::NamedComponentSnapshot;
use crate::codec::{Loader, Saved, Saver, Unreadable};

/// Components in one block: fewer would be more to share, more would be more to write anew.
pub(crate) const BLOCK: usize = 32;

/// Some components that follow each other.
pub(crate) type Block = Arc<[Arc<NamedComponentSnapshot>]>;

/// All components of a Node, in the order of their slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components(Vec<Block>);

impl Components {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<NamedComponentSnapshot>> + Clone {
        self.0.iter().flat_map(|block| block.iter())
    }
}

impl From<Vec<Block>> for Components {
    fn from(blocks: Vec<Block>) -> Self {
        Self(blocks)
    }
}

impl FromIterator<Arc<NamedComponentSnapshot>> for Components {
    fn from_iter<I: IntoIterator<Item = Arc<NamedComponentSnapshot>>>(components: I) -> Self {
        let all: Vec<_> = components.into_iter().collect();
        Self(all.chunks(BLOCK).map(Block::from).collect())
    }
}

/// How they are cut into blocks says nothing.
impl PartialEq for Components {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Components {}

impl Saved for Components {
    fn save(&self, out: &mut Saver) {
        self.0.iter().map(|block| block.len() as u64).sum::<u64>().save(out);
        self.iter().for_each(|component| component.save(out));
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Vec::<Arc<NamedComponentSnapshot>>::load(from)?.into_iter().collect())
    }
}
