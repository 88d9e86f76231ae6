//! The supervisor of a System's Nodes: an actor around [`supervision::Supervisor`], which decides.
//!
//! Law: nothing is decided here. What is to be done is done in the order that was decided, and said
//! when it is; what takes long is done elsewhere, so that nobody waits behind it. All it knows
//! stands outside of the actor: one that dies is followed by another, which goes on from there.
//!
//! [`supervision::Supervisor`]: samsara_runtime::supervision::Supervisor

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use samsara_runtime::supervision::{Cause, ChildId, ChildState, Decision, Event, Life, Step};
use tokio::sync::oneshot;

use crate::{
    error::SpawnError,
    host::Host,
    reign::{Order, Reign, Ring},
    slot::{Slot, Standing},
    store::locked,
    turn::Fall,
};

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
                let fall = error.downcast_ref::<Fall>();
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
            Order::NotBegun(actor) => return self.ended(actor, Cause::StartFault),
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

    pub(crate) fn slot(&self, child: ChildId) -> Option<Arc<Slot>> {
        locked(&self.reign).children.get(&child).map(|child| Arc::clone(&child.slot))
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
                    // However it ended, it has.
                    let _ = remains.await;
                    host.order(joined);
                });
            }
        }
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
