//! What is under way, written down and read back.
//!
//! Law: everything at its place, since timers and lines name places; and nothing that names an op
//! which the plan does not have.

use samsara_ingress::Charge;

use super::{Counters, Engine, OpAt, Parked, held::CALLBACK, pool::Pool};
use crate::{
    codec::{Loader, Saved, Saver, Unreadable, saved},
    plan::Plan,
};

/// What executions are read against.
pub(crate) struct Around<'a> {
    pub(crate) plan: &'a Plan,
    /// Charges so many bytes to the mailbox again.
    pub(crate) charge: &'a mut dyn FnMut(u64) -> Option<Charge>,
}

saved! {
    OpAt { exec, op }
    Counters { turns, events, ops_fired, ops_failed, bus_events }
}

/// The part without which there are no others of an engine.
pub(crate) const EXECUTIONS: &str = "executions";

/// What is done with a part that is written, by its name.
pub(crate) type Part<'p> = &'p mut dyn FnMut(&'static str, &dyn Fn(&mut Saver));

/// How a part is read.
pub(crate) type Load<'l> = &'l mut dyn FnMut(&mut Loader<'_>) -> Result<(), Unreadable>;

impl Engine {
    /// Writes each part down by its name.
    pub(crate) fn save_parts(&self, part: Part<'_>) {
        part(EXECUTIONS, &|out| self.pool.save(out));
        part("frontier", &|out| self.frontier.save(out));
        part("parked", &|out| self.parked.save(out));
        part("bootstraps", &|out| self.bootstraps.save(out));
        part("gate", &|out| {
            self.gate.save(out);
            self.held.save(out);
        });
        part("counters", &|out| {
            self.counters.save(out);
            self.ignored_completions.save(out);
        });
    }

    /// Reads each part by its name.
    pub(crate) fn load_parts<E>(
        part: &mut dyn FnMut(&'static str, Load<'_>) -> Result<(), E>,
        around: &mut Around<'_>,
    ) -> Result<Self, E> {
        let mut engine = Self::default();
        part(EXECUTIONS, &mut |from| set(&mut engine.pool, Pool::load(from, around)))?;
        part("frontier", &mut |from| set(&mut engine.frontier, Saved::load(from)))?;
        part("parked", &mut |from| set(&mut engine.parked, Saved::load(from)))?;
        part("bootstraps", &mut |from| {
            set(&mut engine.bootstraps, Saved::load(from))?;
            engine.charge_inputs(&mut *around.charge);
            Ok(())
        })?;
        part("gate", &mut |from| {
            set(&mut engine.gate, Saved::load(from))?;
            set(&mut engine.held, Saved::load(from))?;
            engine.check(around.plan)
        })?;
        part("counters", &mut |from| {
            set(&mut engine.counters, Saved::load(from))?;
            set(&mut engine.ignored_completions, Saved::load(from))
        })?;
        Ok(engine)
    }

    /// Whether every op that is named is one of an execution that lives.
    fn check(&self, plan: &Plan) -> Result<(), Unreadable> {
        let parked = self.parked.values().map(Parked::place);
        let gated = self.gate.iter().flat_map(|gate| gate.places());
        let callbacks = self.frontier.iter().filter(|at| **at == CALLBACK).count();
        if callbacks != self.held.len() {
            return Err(Unreadable::invalid("ops", "their callbacks differ in number"));
        }
        let ready = self.frontier.iter().copied().filter(|at| *at != CALLBACK);
        let places = ready.chain(parked).chain(gated);
        for at in places {
            if !self.pool.has(plan, at) {
                return Err(Unreadable::invalid("ops", "one is of no execution that lives"));
            }
        }
        Ok(())
    }
}

fn set<T>(place: &mut T, read: Result<T, Unreadable>) -> Result<(), Unreadable> {
    *place = read?;
    Ok(())
}
