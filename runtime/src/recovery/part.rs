//! What a snapshot holds beside the Node: how far its outputs go, what of them waits for the host,
//! the dead letters, and what its courier keeps.
//!
//! Law: no part of the Node's state, and of no influence on it.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    cycle::HostCycle,
    letters::DeadLetters,
    offers::Offers,
    outputs::{OutputMark, StepMarks},
    record::{Head, Lsn},
};
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable, saved},
    config::NodeConfig,
    node::journal_types,
    schema::TypeTable,
};

/// Where a replay begins.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPart {
    /// The last record that the snapshot holds the effects of; zero before any.
    pub lsn: Lsn,
    /// How far the Node's records go with it.
    pub head: Head,
    pub(super) mark: OutputMark,
    pub(super) marks: StepMarks,
    pub(super) offers: Offers,
    pub(super) letters: DeadLetters,
    /// The [section](crate::delivery::Courier::section) of its courier; empty if it has none.
    pub courier: Bytes,
}

saved! { Head { count, chain } }

impl HostPart {
    /// The part of a Node without a history.
    pub fn new(config: &NodeConfig, letters_max: u32) -> Self {
        Self {
            lsn: Lsn::ZERO,
            head: Head::default(),
            mark: OutputMark::default(),
            marks: StepMarks::default(),
            offers: Offers::new(config.state.max_invocations),
            letters: DeadLetters::new(letters_max),
            courier: Bytes::new(),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Saver::default();
        self.lsn.save(&mut out);
        self.head.save(&mut out);
        self.mark.save(&mut out);
        self.marks.save(&mut out);
        self.offers.save(&mut out);
        self.letters.save(&mut out);
        self.courier.save(&mut out);
        out.into_bytes()
    }

    /// Takes over what these bytes say, within the limits that are now.
    pub fn fill(&mut self, bytes: &Bytes, natives: &Arc<TypeTable>) -> Result<(), Unreadable> {
        let types = journal_types(natives);
        let mut from = Loader::new(bytes, &types);
        let mut read = self.clone();
        (read.lsn, read.head) = (Saved::load(&mut from)?, Saved::load(&mut from)?);
        (read.mark, read.marks) = (Saved::load(&mut from)?, Saved::load(&mut from)?);
        read.offers.fill(&mut from)?;
        read.letters.fill(&mut from)?;
        read.courier = Saved::load(&mut from)?;
        from.end()?;
        *self = read;
        Ok(())
    }
}

impl HostCycle {
    /// What a snapshot of the Node holds beside it, between two turns: `lsn` and `head` are those of
    /// the Node's last record, and `courier` is the section of its courier.
    pub fn part(&self, lsn: Lsn, head: Head, letters: &DeadLetters, courier: Bytes) -> HostPart {
        let (mark, marks, offers) = self.parts();
        let letters = letters.clone();
        HostPart { lsn, head, mark, marks, offers, letters, courier }
    }
}
