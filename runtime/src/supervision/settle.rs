//! How states change, and what becomes possible when they have.
//!
//! Law: in an ordered group one child stops at a time, the last started first; nobody is revived or
//! started while a task is still to go; and nobody starts before those it builds on run.

use super::child::{ChildId, ChildState, Life, Next, Step};
use super::policy::{Cause, ChildKind};
use super::word::Decision;
use super::{Phase, Supervisor};
use crate::time::Nanos;

impl Supervisor {
    /// The state of a child, if this is its life.
    pub(super) fn current(&self, child: ChildId, life: Life) -> Option<ChildState> {
        self.children.get(&child).filter(|child| child.life == life).map(|child| child.state)
    }

    pub(super) fn ids(&self) -> Vec<ChildId> {
        self.children.keys().copied().collect()
    }

    /// Puts a child into a state. Everything that is kept beside the states is kept here.
    pub(super) fn enter(&mut self, child: ChildId, state: ChildState) {
        let Some(entry) = self.children.get_mut(&child) else { return };
        let before = std::mem::replace(&mut entry.state, state);
        if let Some(at) = before.due() {
            self.agenda.remove(&(at, child));
        }
        if let Some(at) = state.due() {
            self.agenda.insert((at, child));
        }
        let step = |count: usize, was: bool, is: bool| {
            count.saturating_sub(usize::from(was)).saturating_add(usize::from(is))
        };
        self.unsettled = step(self.unsettled, !before.is_settled(), !state.is_settled());
        self.live = step(self.live, before.is_live(), state.is_live());
    }

    /// Puts a child into a state without a task, and says so if it stays in it.
    pub(super) fn leave(&mut self, child: ChildId, state: ChildState, out: &mut Vec<Decision>) {
        let cause = self.children.get(&child).and_then(|child| child.cause);
        self.enter(child, state);
        match state {
            ChildState::Ended => out.push(Decision::Ended { child, cause }),
            ChildState::Quarantined => out.push(Decision::Quarantine { child, cause }),
            _ => {}
        }
    }

    /// A child is no more and its task is to be waited for, unless it cannot be.
    pub(super) fn part(
        &mut self,
        child: ChildId,
        cause: Cause,
        next: Next,
        out: &mut Vec<Decision>,
    ) {
        let deadline = self.clock.last() + self.config.stop_timeout;
        let Some(entry) = self.children.get_mut(&child) else { return };
        entry.cause = Some(cause);
        let life = entry.life;
        if cause == Cause::Hang {
            self.enter(child, ChildState::Killing { next });
            out.push(Decision::Kill { child, life });
        } else {
            self.enter(child, ChildState::Joining { deadline, next });
            out.push(Decision::Join { child, life, deadline });
        }
    }

    /// Has this become of a child because of another one, or by order.
    pub(super) fn doom(&mut self, child: ChildId, next: Next, out: &mut Vec<Decision>) {
        let Some(entry) = self.children.get(&child) else { return };
        let next = if entry.kind == ChildKind::Temporary { Next::End } else { next };
        let (before, state) = (entry.state, entry.state.doomed(next));
        if state == before {
            return;
        }
        self.leave(child, state, out);
    }

    /// A child runs: its health counts from now, or that of all once all do.
    pub(super) fn well(&mut self, child: ChildId, now: Nanos) {
        if self.policy.counts_together() {
            if self.unsettled == 0 {
                self.history.well(now);
            }
        } else if let Some(entry) = self.children.get_mut(&child) {
            entry.history.well(now);
        }
    }

    /// Does what has become possible. Without an order a child concerns nobody but itself.
    pub(super) fn settle(&mut self, touched: Vec<ChildId>, now: Nanos, out: &mut Vec<Decision>) {
        let ids = if self.policy.strategy.is_ordered() { self.ids() } else { touched };
        self.stop_condemned(&ids, now, out);
        match self.phase {
            Phase::Open => {
                self.revive_waiting(&ids, now, out);
                self.start_ready(&ids, out);
            }
            Phase::Closing(last_word) if self.live == 0 => {
                self.phase = Phase::Closed;
                out.push(last_word);
            }
            Phase::Closing(_) | Phase::Closed => {}
        }
    }

    fn stop_condemned(&mut self, ids: &[ChildId], now: Nanos, out: &mut Vec<Decision>) {
        let (ordered, mut later_is_ending) = (self.policy.strategy.is_ordered(), false);
        let deadline = now + self.config.stop_timeout;
        for id in ids.iter().rev() {
            let Some(entry) = self.children.get(id) else { continue };
            let (state, life) = (entry.state, entry.life);
            if let ChildState::Condemned { next } = state
                && !(ordered && later_is_ending)
            {
                self.enter(*id, ChildState::Stopping { deadline, next });
                out.push(Decision::Stop { child: *id, life, deadline });
            }
            later_is_ending |= state.is_ending();
        }
    }

    fn revive_waiting(&mut self, ids: &[ChildId], now: Nanos, out: &mut Vec<Decision>) {
        if self.must_wait(ids) {
            return;
        }
        for id in ids {
            let Some(entry) = self.children.get_mut(id) else { continue };
            match entry.state {
                ChildState::Waiting { at } if at <= now => {
                    entry.life = Life(entry.life.0.saturating_add(1));
                    entry.cause = None;
                    let (child, life, step) = (*id, entry.life, Step::Bump);
                    self.enter(child, ChildState::Reviving { step });
                    out.push(Decision::Do { child, life, step });
                }
                _ => {}
            }
        }
    }

    fn start_ready(&mut self, ids: &[ChildId], out: &mut Vec<Decision>) {
        if self.must_wait(ids) {
            return;
        }
        let (ordered, mut earlier_is_on_the_way) = (self.policy.strategy.is_ordered(), false);
        for id in ids {
            let Some(entry) = self.children.get(id) else { continue };
            let (state, life) = (entry.state, entry.life);
            if state == ChildState::Ready && !(ordered && earlier_is_on_the_way) {
                self.enter(*id, ChildState::Starting);
                out.push(Decision::Do { child: *id, life, step: Step::Start });
            }
            earlier_is_on_the_way |= !state.is_settled();
        }
    }

    /// Whether a task of an ordered group is still to go.
    fn must_wait(&self, ids: &[ChildId]) -> bool {
        let is_ending = |id: &ChildId| self.state(*id).is_some_and(ChildState::is_ending);
        self.policy.strategy.is_ordered() && ids.iter().any(is_ending)
    }
}
