//! What a Node keeps for its host, beside the state that batches move.
//!
//! Law: nothing here is part of the history: what matters of it enters by the next batch.

use std::{collections::BTreeMap, sync::Arc};

use samsara_ingress::Charge;

use super::{Batch, Node, Screened, refused::Refused, tap::Tap};
use crate::{reserve::Reserve, snapshot::Block};

/// What few Nodes ever need, so that the others do not carry it.
#[derive(Default)]
pub(super) struct Beside {
    /// Events that a clear has yet to discard, if one is under way.
    pub(super) clearing: Option<usize>,
    pub(super) refused: Refused,
    /// What was kept out of batches.
    pub(super) screened: Screened,
    /// Bytes of the batch that was taken last.
    pub(super) held: Option<Charge>,
    pub(super) memory: Reserve,
    /// Kept for its capacity.
    pub(super) batch: Batch,
    pub(super) tap: Option<Tap>,
    /// The components as they were last written, block for block.
    pub(super) written: Vec<Block>,
    /// The settings as snapshots say them.
    pub(super) settings: Option<Arc<BTreeMap<String, u64>>>,
}

impl Node {
    pub(super) fn beside(&mut self) -> &mut Beside {
        self.beside.get_or_insert_default()
    }

    pub(super) fn is_clearing(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| beside.clearing.is_some())
    }

    pub(super) fn tells_refusals(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| beside.refused.is_telling())
    }
}
