//! One turn of a hosted Node, on whatever thread.
//!
//! Law: what has come is looked at after the ring for it was taken down, so that nothing is put down
//! unseen. The order of acts is the cycle's; here it is only kept short.

use std::{
    collections::BTreeSet,
    sync::Arc,
    task::{Context, Waker},
};

use samsara_runtime::{
    hosting::{self, Birth, Breach, Did, Halt, NotRaised, RaiseError, Resident, StoreFault},
    node::Wakeup,
    recovery::{Act, Durability, Lsn, StoreLife},
    supervision::Cause,
    time::Nanos,
};

use crate::{
    call::{Busy, Call, CallError, Waiters, Way},
    ears::{Ears, Stand},
    ledger::Ledger,
    slot::{Core, Mail, Slot, Standing, State},
    store::locked,
};

/// Batches of one turn: then the actor looks whether it is to stop.
const BATCHES: usize = 8;

/// What a Node waits for after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing: it has more to do.
    More,
    /// Time, or whoever rings.
    Rest(Wakeup),
    /// Its journal.
    Waits(Lsn),
    /// Room in its store.
    NoRoom,
    /// Its next life: it is down.
    Down,
    /// All that was wanted is done and captured.
    Drained,
}

/// Why a life has ended.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Fall {
    pub(crate) cause: Cause,
    pub(crate) what: String,
}

impl Slot {
    /// Runs some batches. Whoever holds the waker is woken when there is more after a rest.
    pub(crate) fn turn(self: &Arc<Self>, waker: &Waker) -> Result<After, Fall> {
        let mut core = locked(&self.core);
        self.take_ring_down();
        let Core { state, ledger, ears } = &mut *core;
        let State::Up(resident) = state else { return Ok(After::Down) };
        let done = match ledger {
            Ledger::Disk(desk) => self.batches(resident, desk, ears),
            Ledger::Memory(journal) => self.batches(resident, &mut **journal, ears),
        };
        if std::mem::take(&mut ears.has_captured) {
            let needs = resident.needs_from();
            match (ledger, needs) {
                (Ledger::Disk(desk), needs) => desk.journal().keep(&self.peer, needs),
                (Ledger::Memory(journal), Some(keep)) => journal.truncate(&self.peer, keep),
                (Ledger::Memory(_), None) => {}
            }
        }
        let after = match done {
            Ok(After::Rest(wakeup)) => {
                let is_ready =
                    resident.node_mut().poll_mail(&mut Context::from_waker(waker)).is_ready();
                if is_ready { Ok(After::More) } else { Ok(After::Rest(wakeup)) }
            }
            other => other,
        };
        let carried = std::mem::take(&mut ears.carried);
        let after = after.or_else(|halt| self.halt(halt, state, ears));
        drop(core);
        self.host.carry(self, carried);
        after
    }

    fn batches<J: hosting::Journal>(
        &self,
        resident: &mut Resident,
        journal: &mut J,
        ears: &mut Ears,
    ) -> Result<After, Halt> {
        let (now, mut had_calls) = (self.host.now(), false);
        for _ in 0..BATCHES {
            self.receive(resident, ears, now);
            had_calls |= self.admit(resident, &mut ears.waiters);
            loop {
                match resident.act(&mut Stand { journal, ears }, now)? {
                    Did::Act(Act::Release) => break,
                    Did::Act(_) => {}
                    Did::Waits(lsn) => return Ok(After::Waits(lsn)),
                    Did::Rest(wakeup) => {
                        let after = self.rest(resident, journal, ears, wakeup, now)?;
                        // Who was answered may have the next call ready: falling asleep and being
                        // woken costs both sides more than one look.
                        let is_at_rest = matches!(after, After::Rest(_));
                        return Ok(if had_calls && is_at_rest { After::More } else { after });
                    }
                }
            }
            self.released(resident, journal, ears)?;
        }
        Ok(After::More)
    }

    fn rest<J: hosting::Journal>(
        &self,
        resident: &mut Resident,
        journal: &mut J,
        ears: &mut Ears,
        wakeup: Wakeup,
        now: Nanos,
    ) -> Result<After, Halt> {
        self.set_busy(None);
        if self.standing() != Standing::Draining {
            return Ok(After::Rest(wakeup));
        }
        if resident.spec().outlives() == Durability::Volatile {
            return Ok(After::Drained);
        }
        resident.ask_capture();
        match resident.act(&mut Stand { journal, ears }, now)? {
            Did::Waits(lsn) => Ok(After::Waits(lsn)),
            Did::Act(_) | Did::Rest(_) => Ok(After::Drained),
        }
    }

    /// What follows from a batch that was let out.
    fn released<J: hosting::Journal>(
        &self,
        resident: &mut Resident,
        journal: &mut J,
        ears: &mut Ears,
    ) -> Result<(), Halt> {
        settle(resident, &mut ears.waiters);
        if !self.retains && resident.offers().iter().next().is_some() {
            let all = resident.outputs();
            resident.took_outputs(&mut Stand { journal, ears }, all)?;
        }
        while let Some(job) = resident.node_mut().take_job() {
            self.host.jobs.run(job);
        }
        Ok(())
    }

    fn receive(&self, resident: &mut Resident, ears: &mut Ears, now: Nanos) {
        let mut mail = std::collections::VecDeque::new();
        self.take_mail(&mut mail);
        for mail in mail {
            match mail {
                // What is refused the courier tells its sender.
                Mail::Envelope { from, envelope, charge } => {
                    let arrival = resident.receive(from, envelope, None, now);
                    if charge.is_some() {
                        self.host.links().note_arrival(&arrival);
                    }
                }
                Mail::Fate(peer, result) => {
                    // A Node without room for it has others to hear it from.
                    drop(resident.node_mut().note_send_result(peer, None, result));
                }
                Mail::LinkUp(peer) => {
                    if let Err(full) = resident.link_up(peer) {
                        ears.note_trouble(format!("no link to {peer}: {full}"));
                    }
                }
                Mail::LinkDown(peer) => resident.link_down(&peer),
            }
        }
    }

    /// Brings calls to the Node's own door, as far as it has room, and says whether there were any.
    fn admit(&self, resident: &mut Resident, waiters: &mut Waiters) -> bool {
        let node = resident.node_mut();
        let capacity = node.config().ingress_capacity as usize;
        let room = capacity.saturating_sub(node.ingress().stats().items);
        let mut calls = Vec::new();
        self.take_calls(room, &mut calls);
        if calls.is_empty() {
            return false;
        }
        // What is pushed here is looked at in this turn, so nobody needs to be woken for it.
        let _ = node.poll_mail(&mut Context::from_waker(Waker::noop()));
        for Call { module, inputs, way, asker } in calls {
            let values = || inputs.iter().map(|(name, value)| (&**name, value.clone()));
            let admitted = match (way, &inputs[..]) {
                (Way::As { client, request }, _) => {
                    node.invoke_as(client, request, &module, values()).map(|()| None)
                }
                (Way::Event, [(input, value)]) => {
                    node.deliver_event(&module, input, value.clone()).map(Some)
                }
                (Way::Event | Way::Invoke, _) => node.invoke(&module, values()).map(Some),
            };
            let Some(asker) = asker else { continue };
            match (admitted, way) {
                (Ok(Some(exec)), _) => waiters.put(exec, asker),
                (Ok(None), Way::As { client, request }) => waiters.put_as(client, request, asker),
                (Ok(None), Way::Event | Way::Invoke) => {}
                // Whoever does not wait any more is not told.
                (Err(error), _) => asker.end(CallError::Refused(error)),
            }
        }
        true
    }

    /// What an act that was not done means.
    fn halt(&self, halt: Halt, state: &mut State, ears: &mut Ears) -> Result<After, Fall> {
        let what = halt.to_string();
        let cause = match halt {
            Halt::Store(fault) if fault.may_pass() => {
                self.set_busy(Some(Busy::Store));
                return Ok(After::NoRoom);
            }
            Halt::Store(fault) if fault.has_stopped() => {
                ears.note_trouble(what);
                ears.waiters.end();
                self.shut(Standing::StoreFailed);
                return Ok(After::Down);
            }
            Halt::Fell { .. } => Cause::Panic,
            _ => Cause::Error,
        };
        ears.note_trouble(what.clone());
        state.fell();
        Err(Fall { cause, what })
    }

    /// Brings the Node to the end of its history, in this life.
    pub(crate) fn raise(&self, life: StoreLife) -> Result<(), RaiseError> {
        let mut core = locked(&self.core);
        // What an actor has left in the middle of a turn is not to be used any more.
        core.state.fell();
        let Core { state, ledger, ears } = &mut *core;
        let State::Down(fallen) = state else { return Err(StoreFault::Stopped.into()) };
        let host = &self.host;
        let birth = Birth { host: &host.peer, life, config: &host.config, now: host.now() };
        let (spec, fallen) = (&self.spec, fallen.take().map(|fallen| *fallen));
        let raised = match ledger {
            Ledger::Disk(desk) => {
                Resident::raise(spec, &birth, &mut Stand { journal: desk, ears }, fallen)
            }
            Ledger::Memory(journal) => {
                let journal = &mut **journal;
                Resident::raise(spec, &birth, &mut Stand { journal, ears }, fallen)
            }
        };
        match raised {
            Ok(mut resident) => {
                if spec.outlives() == Durability::Volatile {
                    ears.forget();
                }
                // Whoever is answered now finds the life that has answered.
                self.set_life(life.incarnation);
                settle(&mut resident, &mut ears.waiters);
                *state = State::Up(Box::new(resident));
                Ok(())
            }
            Err(not_raised) => {
                let NotRaised { error, fallen } = *not_raised;
                *state = State::Down(Some(Box::new(fallen)));
                ears.note_trouble(error.to_string());
                Err(error)
            }
        }
    }

    /// Ends for good: nobody who waits is answered any more.
    pub(crate) fn end(&self, standing: Standing) {
        self.shut(standing);
        let mut core = locked(&self.core);
        core.state.fell();
        core.ears.waiters.end();
    }
}

/// Answers those whose executions have ended.
fn settle(resident: &mut Resident, waiters: &mut Waiters) {
    if waiters.wait_for_ends() {
        let alive: BTreeSet<_> = resident.node().executions().collect();
        waiters.settle(|exec| alive.contains(exec));
    }
}

/// Whether a life that has ended so may be followed by another one that does better.
pub(crate) fn may_do_better(error: &RaiseError) -> bool {
    match error {
        RaiseError::Fell { .. } => true,
        RaiseError::Store(fault) => fault.may_pass(),
        _ => false,
    }
}

impl From<Breach> for Fall {
    fn from(breach: Breach) -> Self {
        Self { cause: Cause::Error, what: breach.to_string() }
    }
}
