//! The file of cursors: one for each Node that is at work.
//!
//! Law: a cursor that was left behind keeps its place until the Node that it speaks of has one
//! again. It is found by the number of its record, which names its Node too.

use super::{record::Lsn, strikes::Cursor};
use crate::storage::{FileName, FileNameError, Storage, StorageError};

const FILE: &str = "cursors";

/// The place of one cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorSlot(u32);

/// The cursors of a store whose lock is held.
#[derive(Debug)]
pub struct Cursors {
    file: FileName,
    /// For each place, whether somebody has it, and what was left there.
    slots: Vec<(bool, Option<Cursor>)>,
}

/// Why cursors cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorsError {
    /// The disk does not do what it is to.
    #[error("the cursors cannot be read")]
    Storage(#[from] StorageError),
    /// The name of the file is none.
    #[error(transparent)]
    Name(#[from] FileNameError),
}

impl Cursors {
    /// Reads what a dead process has left behind.
    pub fn open(storage: &mut impl Storage) -> Result<Self, CursorsError> {
        let file = FileName::new(FILE)?;
        if !storage.list()?.contains(&file) {
            storage.create(&file, 0)?;
            storage.sync_dir()?;
        }
        let count = storage.size(&file)?.div_ceil(Cursor::LEN as u64);
        let mut slots = Vec::new();
        for place in 0..count {
            let mut bytes = Cursor::CLEAR;
            storage.read(&file, place.saturating_mul(Cursor::LEN as u64), &mut bytes)?;
            slots.push((false, Cursor::read(&bytes)));
        }
        Ok(Self { file, slots })
    }

    /// A place for the Node whose history ends with this batch, and what was left behind of it.
    pub fn take(&mut self, last: Lsn) -> (CursorSlot, Option<Cursor>) {
        let own = |(is_taken, left): &(bool, Option<Cursor>)| {
            !is_taken && left.is_some_and(|cursor| cursor.at == last)
        };
        let free = |(is_taken, left): &(bool, Option<Cursor>)| !is_taken && left.is_none();
        let place = self.slots.iter().position(own).or_else(|| self.slots.iter().position(free));
        let place = place.unwrap_or(self.slots.len());
        if place == self.slots.len() {
            self.slots.push((false, None));
        }
        let left = self.slots.get_mut(place).and_then(|(is_taken, left)| {
            *is_taken = true;
            left.take()
        });
        (CursorSlot(u32::try_from(place).unwrap_or(u32::MAX)), left)
    }

    /// Gives a place back, of a Node that has left.
    pub fn give_back(&mut self, slot: CursorSlot) {
        if let Some((is_taken, _)) = self.slots.get_mut(slot.0 as usize) {
            *is_taken = false;
        }
    }

    /// Writes what is at work, before it is; `None` when it has succeeded.
    pub fn write(
        &self,
        storage: &mut impl Storage,
        slot: CursorSlot,
        cursor: Option<Cursor>,
    ) -> Result<(), StorageError> {
        let at = u64::from(slot.0).saturating_mul(Cursor::LEN as u64);
        storage.write_at(&self.file, at, &cursor.map_or(Cursor::CLEAR, Cursor::to_bytes))
    }
}
