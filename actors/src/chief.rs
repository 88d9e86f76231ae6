//! The supervisor of a System's Nodes: an actor around [`supervision::Supervisor`], which decides.
//!
//! Law: nothing is decided here. What is to be done is done in the order that was decided, and said
//! when it is; what takes long is done elsewhere, so that nobody waits behind it. All it knows
//! stands outside of the actor: one that dies is followed by another, which goes on from there.
//!
//! [`supervision::Supervisor`]: samsara_runtime::supervision::Supervisor

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr,
    SupervisionEvent,
};
use samsara_runtime::{
    hosting::RaiseError,
    node::Wakeup,
    recovery::{Durability, StoreLife},
    rng::Rng,
    supervision::{Cause, ChildId, ChildState, Decision, Event, Life, Step, Supervisor},
    time::Nanos,
};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    error::SpawnError,
    host::Host,
    node_actor::{NodeActor, Word},
    panics,
    slot::{Slot, Standing},
    store::locked,
    turn::{After, may_do_better},
};

/// What the supervisor is told. Orders wait in the [`Host`]; its mailbox carries only this.
#[derive(Debug)]
pub(crate) struct Ring;

/// What is to be done, or was done.
#[derive(Debug)]
pub(crate) enum Order {
    /// A Node is to be brought to life, whose slot is there.
    Start(ChildId),
    /// Something has come for a Node that has no actor.
    Wake(ChildId),
    Stop(ChildId, oneshot::Sender<()>),
    Release(ChildId),
    Said(Event),
    /// A life was given to a child.
    Born(ChildId, Life, StoreLife),
    /// The first turn of a life is over. Whoever has more to do needs an actor.
    Begun {
        child: ChildId,
        life: Life,
        needs_actor: bool,
    },
    NotRaised {
        child: ChildId,
        life: Life,
        error: Box<RaiseError>,
    },
    /// A supervisor died, and its children with it.
    Adopt,
    Shutdown(oneshot::Sender<()>),
}

/// What a supervisor knows.
pub(crate) struct Reign {
    pub(crate) supervisor: Supervisor,
    rng: Rng,
    children: BTreeMap<ChildId, Child>,
    actors: BTreeMap<ActorId, ChildId>,
    closing: Vec<oneshot::Sender<()>>,
    /// When the next tick is due, and what brings it.
    due: Option<Nanos>,
    timer: Option<JoinHandle<()>>,
    /// No other supervisor follows.
    pub(crate) is_over: bool,
}

struct Child {
    slot: Arc<Slot>,
    body: Option<Body>,
    /// The task of an actor that has ended.
    remains: Option<Task>,
    birth: Option<StoreLife>,
    /// Who spawned it waits for the word that it lives.
    spawned: Option<oneshot::Sender<Result<(), SpawnError>>>,
    stopped: Vec<oneshot::Sender<()>>,
}

struct Body {
    actor: ActorRef<Word>,
    join: Task,
}

/// That of an actor, once it has begun.
type Task = JoinHandle<Result<JoinHandle<()>, SpawnErr>>;

impl Reign {
    pub(crate) fn new(supervisor: Supervisor, rng: Rng) -> Self {
        Self {
            supervisor,
            rng,
            children: BTreeMap::new(),
            actors: BTreeMap::new(),
            closing: Vec::new(),
            due: None,
            timer: None,
            is_over: false,
        }
    }

    pub(crate) fn put(
        &mut self,
        slot: Arc<Slot>,
        spawned: oneshot::Sender<Result<(), SpawnError>>,
    ) {
        let spawned = Some(spawned);
        let (body, remains, birth, stopped) = (None, None, None, Vec::new());
        self.children.insert(slot.child, Child { slot, body, remains, birth, spawned, stopped });
    }

    /// Forgets a Node that has ended.
    pub(crate) fn remove(&mut self, child: ChildId) -> Option<Arc<Slot>> {
        self.supervisor.remove(child).ok()?;
        self.children.remove(&child).map(|child| child.slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (&Arc<Slot>, Option<ChildState>, bool)> {
        self.children
            .iter()
            .map(|(id, child)| (&child.slot, self.supervisor.state(*id), child.body.is_some()))
    }

    /// The actor of a Node, if it has one.
    pub(crate) fn actor(&self, child: ChildId) -> Option<ActorRef<Word>> {
        Some(self.children.get(&child)?.body.as_ref()?.actor.clone())
    }

    /// Takes note that an actor has ended, and says whose it was.
    fn bury(&mut self, actor: ActorId) -> Option<ChildId> {
        let child = self.actors.remove(&actor)?;
        let entry = self.children.get_mut(&child)?;
        entry.remains = entry.body.take().map(|body| body.join);
        Some(child)
    }
}

pub(crate) struct Chief;

#[derive(Clone)]
pub(crate) struct Court {
    pub(crate) host: Arc<Host>,
    pub(crate) reign: Arc<Mutex<Reign>>,
}

impl Actor for Chief {
    type Msg = Ring;
    type State = Court;
    type Arguments = Court;

    async fn pre_start(
        &self,
        _: ActorRef<Ring>,
        court: Court,
    ) -> Result<Court, ActorProcessingErr> {
        Ok(court)
    }

    async fn handle(
        &self,
        myself: ActorRef<Ring>,
        _: Ring,
        court: &mut Court,
    ) -> Result<(), ActorProcessingErr> {
        while let Some(order) = court.host.next_order() {
            court.obey(order, &myself.get_cell());
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Ring>,
        event: SupervisionEvent,
        court: &mut Court,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(who, error) => {
                let fall = error.downcast_ref::<crate::turn::Fall>();
                let cause = fall.map_or(Cause::Panic, |fall| fall.cause);
                court.ended(who.get_id(), cause);
            }
            SupervisionEvent::ActorTerminated(who, _, _) => {
                court.ended(who.get_id(), Cause::Killed);
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl Court {
    fn obey(&self, order: Order, myself: &ActorCell) {
        let event = match order {
            Order::Said(event) => event,
            Order::Start(child) => Event::Start { child },
            Order::Release(child) => {
                if let Some(child) = locked(&self.reign).children.get(&child) {
                    child.slot.open();
                }
                Event::Release { child }
            }
            Order::Wake(child) => return self.give_actor(child, myself),
            Order::Stop(child, answer) => {
                if !self.must_stop(child, answer) {
                    return;
                }
                Event::Stop { child }
            }
            Order::Born(child, life, birth) => {
                if let Some(child) = locked(&self.reign).children.get_mut(&child) {
                    child.birth = Some(birth);
                }
                Event::Done { child, life, step: Step::Bump }
            }
            Order::Begun { child, life, needs_actor } => {
                self.begin(child, needs_actor, myself);
                Event::Done { child, life, step: Step::Start }
            }
            Order::NotRaised { child, life, error } => self.not_raised(child, life, *error),
            Order::Adopt => return self.adopt(),
            Order::Shutdown(answer) => {
                locked(&self.reign).closing.push(answer);
                Event::Shutdown
            }
        };
        self.tell(event, myself);
    }

    fn tell(&self, event: Event, myself: &ActorCell) {
        let decisions = {
            let reign = &mut *locked(&self.reign);
            let now = self.host.now();
            let mut decisions = reign.supervisor.handle(event, now, &mut reign.rng);
            // Whatever was due by now is heard of now: no timer is set for the past.
            if reign.due.is_some_and(|due| due <= now) {
                decisions.extend(reign.supervisor.handle(Event::Tick, now, &mut reign.rng));
            }
            if reign.supervisor.is_closed() {
                reign.closing.drain(..).for_each(|answer| {
                    let _ = answer.send(());
                });
            }
            decisions
        };
        for decision in decisions {
            self.perform(decision, myself);
        }
        self.set_timer();
    }

    /// Has the next tick come when it is due.
    fn set_timer(&self) {
        let mut reign = locked(&self.reign);
        let due = reign.supervisor.next_wakeup();
        reign.due = due;
        let timer = due.map(|due| {
            let left = due.get().saturating_sub(self.host.now().get());
            let host = Arc::clone(&self.host);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_nanos(left)).await;
                host.order(Order::Said(Event::Tick));
            })
        });
        if let Some(before) = std::mem::replace(&mut reign.timer, timer) {
            before.abort();
        }
    }

    fn perform(&self, decision: Decision, myself: &ActorCell) {
        match decision {
            Decision::Do { child, life, step } => self.revive(child, life, step, myself),
            Decision::Stop { child, .. } => {
                let Some(slot) = self.slot(child) else { return };
                slot.drain();
                self.give_actor(child, myself);
                slot.ring();
            }
            Decision::Join { child, life, .. } => self.join(child, life),
            Decision::Kill { child, life } => {
                if let Some(actor) = locked(&self.reign).actor(child) {
                    actor.kill();
                }
                self.host.order(Order::Said(Event::Joined { child, life }));
            }
            Decision::Ended { child, .. } => self.leave(child, Standing::Stopped),
            Decision::Quarantine { child, .. } => self.leave(child, Standing::Quarantined),
            // All are stopped, and who asked for it was told where that became so.
            Decision::Escalate { .. } | Decision::Closed => {}
        }
    }

    fn slot(&self, child: ChildId) -> Option<Arc<Slot>> {
        locked(&self.reign).children.get(&child).map(|child| Arc::clone(&child.slot))
    }

    fn revive(&self, child: ChildId, life: Life, step: Step, myself: &ActorCell) {
        let Some(slot) = self.slot(child) else { return };
        match step {
            Step::Bump => self.somewhere(child, life, slot, move |slot| {
                match slot.host.begin_life(slot.spec.outlives()) {
                    Ok(birth) => Order::Born(child, life, birth),
                    Err(fault) => Order::NotRaised { child, life, error: Box::new(fault.into()) },
                }
            }),
            Step::Restore => {
                let birth = locked(&self.reign).children.get(&child).and_then(|child| child.birth);
                let Some(birth) = birth else { return };
                self.somewhere(child, life, slot, move |slot| match slot.raise(birth) {
                    Ok(()) => Order::Said(Event::Done { child, life, step }),
                    Err(error) => Order::NotRaised { child, life, error: Box::new(error) },
                });
            }
            // It was replayed when it was restored.
            Step::Replay => self.host.order(Order::Said(Event::Done { child, life, step })),
            Step::Start => {
                let is_first =
                    locked(&self.reign).children.get(&child).is_some_and(|it| it.spawned.is_some());
                if !is_first {
                    self.begin(child, true, myself);
                    self.host.order(Order::Said(Event::Done { child, life, step }));
                    return;
                }
                // Many Nodes rest after their first turn: those need no actor.
                spawn_blocking(move || {
                    let turn = || slot.turn(&slot.waker());
                    let (turned, _) = panics::within(|| catch_unwind(AssertUnwindSafe(turn)));
                    let cause = match turned {
                        Ok(Ok(after)) => {
                            let needs_actor = after != After::Rest(Wakeup::Never);
                            slot.host.order(Order::Begun { child, life, needs_actor });
                            return;
                        }
                        Ok(Err(fall)) => fall.cause,
                        Err(_) => Cause::Panic,
                    };
                    slot.host.order(Order::Said(Event::Exited { child, life, cause }));
                });
            }
        }
    }

    /// Does something here if it is quick, and where blocking is allowed if it waits for a disk.
    fn somewhere(
        &self,
        child: ChildId,
        life: Life,
        slot: Arc<Slot>,
        act: impl FnOnce(&Slot) -> Order + Send + 'static,
    ) {
        let waits = slot.spec.outlives() == Durability::Durable;
        let run = move || {
            let act = AssertUnwindSafe(|| act(&slot));
            let (done, _) = panics::within(|| catch_unwind(act));
            let cause = Cause::StartFault;
            let order = done.unwrap_or(Order::Said(Event::Exited { child, life, cause }));
            slot.host.order(order);
        };
        if waits { drop(spawn_blocking(run)) } else { run() }
    }

    /// A life is there: it hears rings, and peers are told.
    fn begin(&self, child: ChildId, needs_actor: bool, myself: &ActorCell) {
        let Some(slot) = self.slot(child) else { return };
        slot.open();
        slot.set_up(true);
        if needs_actor {
            self.start_actor(&slot, myself);
        } else {
            slot.hang(None);
            if slot.has_mail() {
                slot.ring();
            }
        }
        self.host.switch.connect(&slot);
        let spawned =
            locked(&self.reign).children.get_mut(&child).and_then(|child| child.spawned.take());
        // Whoever spawned it may not wait any more.
        spawned.map(|spawned| spawned.send(Ok(())));
    }

    fn give_actor(&self, child: ChildId, myself: &ActorCell) {
        let slot = {
            let reign = locked(&self.reign);
            let live = reign.supervisor.state(child).is_some_and(|state| {
                matches!(state, ChildState::Running | ChildState::Stopping { .. })
            });
            let entry = reign.children.get(&child);
            entry.filter(|entry| live && entry.body.is_none()).map(|entry| Arc::clone(&entry.slot))
        };
        if let Some(slot) = slot {
            self.start_actor(&slot, myself);
        }
    }

    fn start_actor(&self, slot: &Arc<Slot>, myself: &ActorCell) {
        let child = slot.child;
        // Nothing is waited for: a supervisor that is killed is so between two orders.
        let supervisor = myself.clone();
        match ActorRuntime::spawn_linked_instant(None, NodeActor, Arc::clone(slot), supervisor) {
            Ok((actor, join)) => {
                {
                    let mut reign = locked(&self.reign);
                    reign.actors.insert(actor.get_id(), child);
                    if let Some(child) = reign.children.get_mut(&child) {
                        child.body = Some(Body { actor: actor.clone(), join });
                    }
                }
                slot.hang(Some(actor));
            }
            Err(_) => {
                let Some(life) = locked(&self.reign).supervisor.life(child) else { return };
                let cause = Cause::StartFault;
                self.host.order(Order::Said(Event::Exited { child, life, cause }));
            }
        }
    }

    /// An actor has ended. What it was a turn of is in its slot.
    fn ended(&self, actor: ActorId, cause: Cause) {
        let mut reign = locked(&self.reign);
        let Some(child) = reign.bury(actor) else { return };
        let (state, life) = (reign.supervisor.state(child), reign.supervisor.life(child));
        let slot = reign.children.get(&child).map(|child| Arc::clone(&child.slot));
        drop(reign);
        let (Some(life), Some(slot)) = (life, slot) else { return };
        slot.set_up(false);
        slot.hang(None);
        self.host.switch.cut(&slot);
        match state {
            Some(ChildState::Stopping { .. }) => self.join(child, life),
            _ => self.host.order(Order::Said(Event::Exited { child, life, cause })),
        }
    }

    /// Says when nothing of a life runs any more.
    fn join(&self, child: ChildId, life: Life) {
        let remains = {
            let mut reign = locked(&self.reign);
            reign.children.get_mut(&child).and_then(|child| child.remains.take())
        };
        let host = Arc::clone(&self.host);
        let joined = Order::Said(Event::Joined { child, life });
        match remains {
            None => host.order(joined),
            Some(remains) => {
                tokio::spawn(async move {
                    if let Ok(Ok(task)) = remains.await {
                        // However it ended, it has.
                        let _ = task.await;
                    }
                    host.order(joined);
                });
            }
        }
    }

    fn not_raised(&self, child: ChildId, life: Life, error: RaiseError) -> Event {
        let cause = match error {
            RaiseError::Fell { .. } => Cause::Panic,
            _ => Cause::StartFault,
        };
        if may_do_better(&error) {
            return Event::Exited { child, life, cause };
        }
        let spawned = {
            let mut reign = locked(&self.reign);
            reign.children.get_mut(&child).and_then(|child| child.spawned.take())
        };
        match spawned {
            // Who asked for it learns why it cannot be, and it is not tried again.
            Some(spawned) => {
                drop(spawned.send(Err(SpawnError::NotRaised(error))));
                // It has to be heard before the word that the life is over, which comes of this.
                self.host.order(Order::Said(Event::Stop { child }));
            }
            None => {}
        }
        Event::Exited { child, life, cause }
    }

    /// Whether a Node is there to be stopped; if not, who waits is told at once.
    fn must_stop(&self, child: ChildId, answer: oneshot::Sender<()>) -> bool {
        let mut reign = locked(&self.reign);
        let state = reign.supervisor.state(child);
        match (state, reign.children.get_mut(&child)) {
            (None | Some(ChildState::Ended | ChildState::Quarantined), _) | (_, None) => {
                // Whoever asked may not wait any more.
                let _ = answer.send(());
                false
            }
            (Some(_), Some(entry)) => {
                entry.stopped.push(answer);
                true
            }
        }
    }

    /// A Node does not come back by itself.
    fn leave(&self, child: ChildId, standing: Standing) {
        let left = {
            let mut reign = locked(&self.reign);
            reign.children.get_mut(&child).map(|child| {
                let stopped = std::mem::take(&mut child.stopped);
                (Arc::clone(&child.slot), child.spawned.take(), stopped)
            })
        };
        let Some((slot, spawned, stopped)) = left else { return };
        slot.set_up(false);
        self.host.switch.forget(&slot);
        let error = match standing {
            Standing::Quarantined => SpawnError::Quarantined,
            _ => SpawnError::Closed,
        };
        spawned.map(|spawned| spawned.send(Err(error)));
        // The core is free: whatever held it was joined.
        slot.end(standing);
        stopped.into_iter().for_each(|answer| {
            let _ = answer.send(());
        });
    }

    /// The actors of a supervisor that died were killed with it.
    fn adopt(&self) {
        let actors: Vec<ActorId> = locked(&self.reign).actors.keys().copied().collect();
        actors.into_iter().for_each(|actor| self.ended(actor, Cause::Killed));
    }
}
