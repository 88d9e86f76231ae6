//! What was done once in an execution.
//!
//! Law: a latch is set once, and is gone with its execution.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable},
    id::ExecId,
};

/// One more latch would be one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for more latches, the cap is {cap}")]
pub(crate) struct LatchesFull {
    cap: u32,
}

/// One latch: its op and its name.
type Latch = (Arc<str>, Arc<str>);

/// The latches that are set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latches {
    cap: u32,
    count: usize,
    by_exec: BTreeMap<ExecId, BTreeSet<Latch>>,
}

impl Latches {
    pub(super) const fn new(cap: u32) -> Self {
        Self { cap, count: 0, by_exec: BTreeMap::new() }
    }

    /// Sets a latch; false if it is set already.
    pub(crate) fn set(
        &mut self,
        exec: ExecId,
        op: &Arc<str>,
        name: &str,
    ) -> Result<bool, LatchesFull> {
        let latch = (Arc::clone(op), Arc::from(name));
        if self.by_exec.get(&exec).is_some_and(|set| set.contains(&latch)) {
            return Ok(false);
        }
        if self.count >= self.cap as usize {
            return Err(LatchesFull { cap: self.cap });
        }
        self.count += 1;
        Ok(self.by_exec.entry(exec).or_default().insert(latch))
    }

    /// Forgets those of an execution that has ended.
    pub(crate) fn end(&mut self, exec: ExecId) {
        if self.count > 0 {
            self.count -= self.by_exec.remove(&exec).map_or(0, |set| set.len());
        }
    }
}

impl Kept for Latches {
    fn save(&self, out: &mut Saver) {
        self.by_exec.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let by_exec = BTreeMap::<ExecId, BTreeSet<Latch>>::load(from)?;
        let (cap, count) = (self.cap, by_exec.values().map(BTreeSet::len).sum());
        if count > cap as usize {
            return Err(Unreadable::invalid(
                "latches",
                format!("{count} of them, the cap is {cap}"),
            ));
        }
        *self = Self { cap, count, by_exec };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Types;

    #[test]
    fn a_latch_is_set_once_by_op_and_execution_and_ends_with_it() {
        let mut latches = Latches::new(2);
        let (op, other) = (Arc::from("a"), Arc::from("b"));
        let [first, second] = [1, 2].map(|number| ExecId::new(number).expect("not zero"));
        assert_eq!(latches.set(first, &op, "x"), Ok(true));
        assert_eq!(latches.set(first, &other, "x"), Ok(true));
        assert_eq!(latches.set(second, &op, "x"), Err(LatchesFull { cap: 2 }));
        assert_eq!(latches.set(first, &op, "x"), Ok(false), "at the cap too");
        let mut out = Saver::default();
        latches.save(&mut out);
        let (bytes, types) = (out.into_bytes(), Types::default());
        let mut filled = Latches::new(2);
        filled.fill(&mut Loader::new(&bytes, &types)).expect("it was written by its own kind");
        assert_eq!(filled, latches);
        assert!(Latches::new(1).fill(&mut Loader::new(&bytes, &types)).is_err());

        latches.end(first);
        assert_eq!(latches, Latches::new(2));
        assert_eq!(latches.set(second, &op, "x"), Ok(true));
    }
}
