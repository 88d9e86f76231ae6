//! Who is restarted, when, in which order, and when it is enough: decided, never done.
//!
//! Law: a decision is a function of policy, history, event and time. A child has one life at a time:
//! the next begins when the task of the last is joined. Whatever is asked of the host is asked once.
//!
//! The strategies and kinds are those of Erlang/OTP. Three things differ on purpose: restarts wait
//! longer and longer, what falls too often may be put aside instead of ending its supervisor, and
//! children that do not depend on each other start and stop side by side.
//!
//! ```
//! use samsara_runtime::config::SupervisionConfig;
//! use samsara_runtime::rng::Rng;
//! use samsara_runtime::supervision::{
//!     Cause, ChildKind, Decision, Event, Policy, Step, Supervisor,
//! };
//! use samsara_runtime::time::seconds;
//!
//! let mut supervisor = Supervisor::new(Policy::default(), SupervisionConfig::default());
//! let (mut rng, now) = (Rng::from_seed(1), seconds(1));
//! let child = supervisor.add(ChildKind::Permanent)?;
//!
//! // A host does what it is told, and says when it is done.
//! let mut decisions = supervisor.handle(Event::Start { child }, now, &mut rng);
//! let mut steps = Vec::new();
//! while let [Decision::Do { child, life, step }] = decisions[..] {
//!     steps.push(step);
//!     decisions = supervisor.handle(Event::Done { child, life, step }, now, &mut rng);
//! }
//! assert_eq!(steps, [Step::Bump, Step::Restore, Step::Replay, Step::Start]);
//!
//! // A dead task may still own its state: it is joined before anything else.
//! let life = supervisor.life(child).expect("it was added");
//! let fall = Event::Exited { child, life, cause: Cause::Panic };
//! assert!(matches!(supervisor.handle(fall, now, &mut rng)[..], [Decision::Join { .. }]));
//! let decisions = supervisor.handle(Event::Joined { child, life }, now, &mut rng);
//! assert!(matches!(decisions[..], [Decision::Do { step: Step::Bump, .. }]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod child;
mod history;
mod policy;
mod settle;
mod word;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

pub use self::child::{ChildId, ChildState, Life, Next, Step};
pub use self::policy::{Cause, ChildKind, OnLimit, Policy, Strategy};
pub use self::word::{Decision, Event};

use self::history::{History, Verdict};
use crate::config::SupervisionConfig;
use crate::framework::CapReached;
use crate::rng::Rng;
use crate::time::{LogicalClock, Nanos};

/// Decides over a group of children.
#[derive(Clone, Debug, PartialEq)]
pub struct Supervisor {
    policy: Policy,
    config: SupervisionConfig,
    clock: LogicalClock,
    children: BTreeMap<ChildId, Child>,
    added: u64,
    /// What is due by time alone, kept beside the states so that nobody searches for it.
    agenda: BTreeSet<(Nanos, ChildId)>,
    /// How many children others must wait for, and how many may have a task: kept likewise.
    unsettled: usize,
    live: usize,
    /// The falls of all children, where they are counted together.
    history: History,
    phase: Phase,
    unheard: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Child {
    kind: ChildKind,
    state: ChildState,
    life: Life,
    history: History,
    /// Why its last life ended, if by itself.
    cause: Option<Cause>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Open,
    Closing(Decision),
    Closed,
}

/// A child that may still have a task cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the child is {state:?}, wanted one that has ended or is in quarantine")]
#[non_exhaustive]
pub struct StillThere {
    /// Where it stands.
    pub state: ChildState,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(policy: Policy, config: SupervisionConfig) -> Self {
        Self {
            policy,
            config,
            clock: LogicalClock::default(),
            children: BTreeMap::new(),
            added: 0,
            agenda: BTreeSet::new(),
            unsettled: 0,
            live: 0,
            history: History::default(),
            phase: Phase::Open,
            unheard: 0,
        }
    }

    /// A new child, which has to be started. It comes after all others in the order of starting.
    pub fn add(&mut self, kind: ChildKind) -> Result<ChildId, CapReached> {
        let cap = self.config.max_children;
        if self.children.len() >= cap as usize {
            return Err(CapReached { what: "children", cap });
        }
        // As many as there are nanoseconds in 584 years are never added.
        self.added = self.added.saturating_add(1);
        let id = ChildId(self.added);
        let (state, life) = (ChildState::Ended, Life::default());
        let history = History::default();
        self.children.insert(id, Child { kind, state, life, history, cause: None });
        Ok(id)
    }

    /// Forgets a child, its history included. One that is not known is forgotten already.
    pub fn remove(&mut self, child: ChildId) -> Result<(), StillThere> {
        match self.state(child) {
            None => Ok(()),
            Some(ChildState::Ended | ChildState::Quarantined) => {
                self.children.remove(&child);
                Ok(())
            }
            Some(state) => Err(StillThere { state }),
        }
    }

    /// What follows from an event.
    pub fn handle(&mut self, event: Event, now: Nanos, rng: &mut Rng) -> Vec<Decision> {
        let now = self.clock.observe(now);
        let mut out = Vec::new();
        let touched = match event {
            Event::Start { child } => self.on_start(child, now),
            Event::Stop { child } => self.on_stop(child, &mut out),
            Event::Release { child } => self.on_release(child, now),
            Event::Done { child, life, step } => self.on_done(child, life, step, now, &mut out),
            Event::Exited { child, life, cause } => {
                self.on_exited(child, life, cause, rng, &mut out)
            }
            Event::Joined { child, life } => self.on_joined(child, life, &mut out),
            Event::Tick => self.on_tick(now, &mut out),
            Event::Shutdown => self.close(Decision::Closed, &mut out),
        };
        self.settle(touched, now, &mut out);
        out
    }

    /// When to send a [`Event::Tick`] if nothing else happens, as of the last event.
    pub fn next_wakeup(&self) -> Option<Nanos> {
        // What was due by then and is still there waits for somebody's word, not for time.
        let past = Bound::Excluded((self.clock.last(), ChildId(u64::MAX)));
        self.agenda.range((past, Bound::Unbounded)).next().map(|(at, _)| *at)
    }

    /// Where a child stands.
    pub fn state(&self, child: ChildId) -> Option<ChildState> {
        self.children.get(&child).map(|child| child.state)
    }

    /// The life of a child that began last.
    pub fn life(&self, child: ChildId) -> Option<Life> {
        self.children.get(&child).map(|child| child.life)
    }

    /// The children, in the order of starting.
    pub fn children(&self) -> impl Iterator<Item = (ChildId, ChildState)> {
        self.children.iter().map(|(id, child)| (*id, child.state))
    }

    /// Whether all children were stopped for good.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Events that changed nothing: about a life that is over, or something not asked for.
    pub const fn unheard(&self) -> u64 {
        self.unheard
    }

    fn on_start(&mut self, child: ChildId, now: Nanos) -> Vec<ChildId> {
        if self.phase != Phase::Open || self.state(child) != Some(ChildState::Ended) {
            return self.not_heard();
        }
        self.enter(child, ChildState::Waiting { at: now });
        vec![child]
    }

    fn on_stop(&mut self, child: ChildId, out: &mut Vec<Decision>) -> Vec<ChildId> {
        match self.state(child) {
            None | Some(ChildState::Ended | ChildState::Quarantined) => self.not_heard(),
            Some(_) => {
                self.doom(child, Next::End, out);
                vec![child]
            }
        }
    }

    fn on_release(&mut self, child: ChildId, now: Nanos) -> Vec<ChildId> {
        if self.phase != Phase::Open || self.state(child) != Some(ChildState::Quarantined) {
            return self.not_heard();
        }
        let released = if self.policy.counts_together() { self.ids() } else { vec![child] };
        self.history.forgive();
        for id in &released {
            if self.state(*id) == Some(ChildState::Quarantined) {
                self.enter(*id, ChildState::Waiting { at: now });
            }
            if let Some(child) = self.children.get_mut(id) {
                child.history.forgive();
            }
        }
        released
    }

    fn on_done(
        &mut self,
        child: ChildId,
        life: Life,
        step: Step,
        now: Nanos,
        out: &mut Vec<Decision>,
    ) -> Vec<ChildId> {
        let Some(state) = self.current(child, life).and_then(|state| state.done(step)) else {
            return self.not_heard();
        };
        self.enter(child, state);
        match state {
            ChildState::Reviving { step } => out.push(Decision::Do { child, life, step }),
            ChildState::Running => self.well(child, now),
            _ => {}
        }
        vec![child]
    }

    fn on_exited(
        &mut self,
        child: ChildId,
        life: Life,
        cause: Cause,
        rng: &mut Rng,
        out: &mut Vec<Decision>,
    ) -> Vec<ChildId> {
        let hangs = cause == Cause::Hang;
        match self.current(child, life) {
            Some(state) if state.is_up() => self.fall(child, cause, rng, out),
            Some(ChildState::Condemned { next } | ChildState::Stopping { next, .. }) => {
                self.part(child, cause, next, out);
                vec![child]
            }
            Some(ChildState::Joining { next, .. }) if hangs => {
                self.part(child, cause, next, out);
                vec![child]
            }
            Some(_) | None => self.not_heard(),
        }
    }

    /// A child that was wanted is no more.
    fn fall(
        &mut self,
        child: ChildId,
        cause: Cause,
        rng: &mut Rng,
        out: &mut Vec<Decision>,
    ) -> Vec<ChildId> {
        let (now, together) = (self.clock.last(), self.policy.counts_together());
        let Some(entry) = self.children.get_mut(&child) else {
            return self.not_heard();
        };
        if !entry.kind.restarts_after(cause) {
            self.part(child, cause, Next::End, out);
            return vec![child];
        }
        let history = if together { &mut self.history } else { &mut entry.history };
        let next = match (history.fall(now, &self.config, rng), self.policy.on_limit) {
            (Verdict::Restart { at }, _) => Next::Revive { at },
            (Verdict::TooMany, OnLimit::Quarantine) => Next::Quarantine,
            (Verdict::TooMany, OnLimit::Escalate) => {
                self.part(child, cause, Next::End, out);
                return self.close(Decision::Escalate { child, cause }, out);
            }
        };
        self.part(child, cause, next, out);
        let affected: Vec<ChildId> = match self.policy.strategy {
            Strategy::OneForOne => vec![child],
            Strategy::OneForAll => self.ids(),
            Strategy::RestForOne => self.children.range(child..).map(|(id, _)| *id).collect(),
        };
        for other in affected.iter().filter(|id| **id != child) {
            self.doom(*other, next, out);
        }
        affected
    }

    fn on_joined(&mut self, child: ChildId, life: Life, out: &mut Vec<Decision>) -> Vec<ChildId> {
        let Some(next) = self.current(child, life).and_then(ChildState::joined) else {
            return self.not_heard();
        };
        self.leave(child, next.state(), out);
        vec![child]
    }

    fn on_tick(&mut self, now: Nanos, out: &mut Vec<Decision>) -> Vec<ChildId> {
        let due = self.agenda.range(..=(now, ChildId(u64::MAX)));
        let mut due: Vec<ChildId> = due.map(|(_, id)| *id).collect();
        due.sort_unstable();
        for id in &due {
            let Some(Child { state, life, .. }) = self.children.get(id) else { continue };
            let (life, next) = (*life, state.joined());
            if let Some(next) = next {
                self.enter(*id, ChildState::Killing { next });
                out.push(Decision::Kill { child: *id, life });
            }
        }
        due
    }

    /// Stops all children for good, and says so at the end.
    fn close(&mut self, last_word: Decision, out: &mut Vec<Decision>) -> Vec<ChildId> {
        let last_word = match self.phase {
            Phase::Open => last_word,
            // Who is told of the group hears of it even if it is being stopped anyway.
            Phase::Closing(first) => first,
            Phase::Closed => return self.not_heard(),
        };
        self.phase = Phase::Closing(last_word);
        let ids = self.ids();
        for id in &ids {
            self.doom(*id, Next::End, out);
        }
        ids
    }

    fn not_heard(&mut self) -> Vec<ChildId> {
        self.unheard = self.unheard.saturating_add(1);
        Vec::new()
    }
}
