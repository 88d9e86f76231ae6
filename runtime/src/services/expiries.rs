//! Until when parked ops may be answered.
//!
//! Law: at most one time for each parked op, so there are never more than may be parked; the time
//! itself is too late.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    codec::{Loader, Saved, Saver, Unreadable},
    id::CommandId,
    time::Nanos,
};

/// The times of parked ops. A Node whose ops wait without end keeps none.
#[derive(Debug, Default)]
pub(crate) struct Expiries(Option<Box<Table>>);

#[derive(Debug, Default)]
struct Table {
    by_command: BTreeMap<CommandId, Nanos>,
    by_time: BTreeSet<(Nanos, CommandId)>,
}

impl Expiries {
    /// Sets the time of an op that was just parked.
    pub(crate) fn set(&mut self, command: CommandId, at: Nanos) {
        let table = self.0.get_or_insert_default();
        table.by_command.insert(command, at);
        table.by_time.insert((at, command));
    }

    /// Forgets the time of an op that waits no more.
    pub(crate) fn clear(&mut self, command: CommandId) {
        if let Some(table) = &mut self.0
            && let Some(at) = table.by_command.remove(&command)
        {
            table.by_time.remove(&(at, command));
        }
    }

    /// Until when this op may be answered.
    pub(crate) fn of(&self, command: CommandId) -> Option<Nanos> {
        self.0.as_ref()?.by_command.get(&command).copied()
    }

    /// The op whose time is up first.
    pub(crate) fn first(&self) -> Option<(Nanos, CommandId)> {
        self.0.as_ref()?.by_time.first().copied()
    }
}

impl Saved for Expiries {
    fn save(&self, out: &mut Saver) {
        self.0.as_ref().map_or(&BTreeMap::new(), |table| &table.by_command).save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let by_command = BTreeMap::<CommandId, Nanos>::load(from)?;
        let by_time = by_command.iter().map(|(command, at)| (*at, *command)).collect();
        let is_used = !by_command.is_empty();
        Ok(Self(is_used.then(|| Box::new(Table { by_command, by_time }))))
    }
}
