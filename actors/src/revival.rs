//! Bringing Nodes to life: the steps that a supervisor has decided on, done.
//!
//! Law: in the order that was decided, each said when it is done. What waits for a disk, or runs a
//! Node's own code for long, is done where blocking is allowed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ractor::{ActorCell, ActorRuntime};
use samsara_runtime::{
    hosting::RaiseError,
    node::Wakeup,
    recovery::Durability,
    supervision::{Cause, ChildId, ChildState, Event, Life, Step},
};
use tokio::task::spawn_blocking;

use crate::{
    chief::Court,
    error::SpawnError,
    node_actor::NodeActor,
    panics,
    reign::{Body, Child, Order},
    slot::Slot,
    store::locked,
    turn::{After, may_do_better},
};

impl Court {
    pub(crate) fn revive(&self, child: ChildId, life: Life, step: Step, myself: &ActorCell) {
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
                self.somewhere(child, life, slot, move |slot| {
                    let cause = match slot.turn(&slot.waker()) {
                        Ok(after) => {
                            let needs_actor = after != After::Rest(Wakeup::Never);
                            return Order::Begun { child, life, needs_actor };
                        }
                        Err(fall) => fall.cause,
                    };
                    Order::Said(Event::Exited { child, life, cause })
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
        act: impl FnOnce(&Arc<Slot>) -> Order + Send + 'static,
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
    pub(crate) fn begin(&self, child: ChildId, needs_actor: bool, myself: &ActorCell) {
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

    pub(crate) fn give_actor(&self, child: ChildId, myself: &ActorCell) {
        let slot = {
            let reign = locked(&self.reign);
            let live = reign.supervisor.state(child).is_some_and(|state| {
                matches!(state, ChildState::Running | ChildState::Stopping { .. })
            });
            let entry = reign.children.get(&child);
            // Where one has ended the supervisor is about to hear of it, and another life follows.
            let is_free = |entry: &&Child| live && entry.body.is_none() && entry.remains.is_none();
            entry.filter(is_free).map(|entry| Arc::clone(&entry.slot))
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
            Ok((actor, begun)) => {
                let (host, id) = (Arc::clone(&self.host), actor.get_id());
                let join = tokio::spawn(async move {
                    match begun.await {
                        // However it ends, it does.
                        Ok(Ok(task)) => drop(task.await),
                        Ok(Err(_)) | Err(_) => host.order(Order::NotBegun(id)),
                    }
                });
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

    pub(crate) fn not_raised(&self, child: ChildId, life: Life, error: RaiseError) -> Event {
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
        if let Some(spawned) = spawned {
            // Who asked for it learns why it cannot be, and it is not tried again. That has to be
            // heard before the word that the life is over, which comes of this.
            drop(spawned.send(Err(SpawnError::NotRaised(error))));
            self.host.order(Order::Said(Event::Stop { child }));
        }
        Event::Exited { child, life, cause }
    }
}
