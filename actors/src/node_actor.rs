//! The actor of one Node: it hears rings, and runs turns of what is in the slot.
//!
//! Law: it owns nothing that matters. After a turn it rings itself rather than going on, so that a
//! stop, a kill or a word from above gets its turn; a fault is returned, and its supervisor acts.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use samsara_runtime::{
    node::Wakeup,
    recovery::{Durability, Lsn},
    time::Nanos,
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::JoinHandle,
};

use crate::{
    ledger::Ledger,
    panics,
    slot::{Slot, Standing},
    store::locked,
    turn::{After, Fall},
};

/// How long a Node without room in its store waits before it tries again.
const RETRY: Duration = Duration::from_millis(50);

/// What an actor is told. Data never comes this way.
#[derive(Debug)]
pub(crate) enum Word {
    /// Something has come.
    Ring,
    /// It is to fall, as if its Node had.
    Fall,
}

pub(crate) struct NodeActor;

/// What an actor has: a way to its slot.
pub(crate) struct Body {
    slot: Arc<Slot>,
    waker: Waker,
    /// One timer, for what is due next.
    timer: Option<(Nanos, JoinHandle<()>)>,
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
    }
}

impl Actor for NodeActor {
    type Msg = Word;
    type State = Body;
    type Arguments = Arc<Slot>;

    async fn pre_start(
        &self,
        _: ActorRef<Word>,
        slot: Arc<Slot>,
    ) -> Result<Body, ActorProcessingErr> {
        let waker = slot.waker();
        Ok(Body { slot, waker, timer: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<Word>,
        word: Word,
        body: &mut Body,
    ) -> Result<(), ActorProcessingErr> {
        if matches!(word, Word::Fall) {
            let cause = samsara_runtime::supervision::Cause::Error;
            return Err(Fall { cause, what: "it was told to fall".to_owned() }.into());
        }
        let (after, fall) = panics::within(|| body.turn());
        if let Some(fall) = fall {
            let stack = format!("{} at {}", fall.message, fall.place);
            locked(&body.slot.core).ears.note_trouble(stack);
        }
        match after? {
            After::More => body.slot.ring(),
            After::Rest(Wakeup::Now) => body.slot.ring(),
            After::Rest(Wakeup::At(due)) => body.wake_at(due),
            After::Down if body.slot.standing() == Standing::Draining => myself.drain()?,
            After::Rest(Wakeup::Never) | After::Down => {}
            After::Waits(lsn) => body.wait_for(lsn),
            After::NoRoom => {
                body.wake_at(body.slot.host.now() + Nanos::from_millis(RETRY.as_millis() as u64))
            }
            After::Drained => myself.drain()?,
        }
        Ok(())
    }
}

impl Body {
    fn turn(&self) -> Result<After, Fall> {
        let is_durable = self.slot.spec.outlives() == Durability::Durable;
        // A turn of a durable Node may write a snapshot: other tasks should not wait for that.
        let may_block = is_durable
            && self.slot.is_capture_due()
            && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        if may_block {
            tokio::task::block_in_place(|| self.slot.turn(&self.waker))
        } else {
            self.slot.turn(&self.waker)
        }
    }

    fn wake_at(&mut self, due: Nanos) {
        if self.timer.as_ref().is_some_and(|(at, timer)| *at == due && !timer.is_finished()) {
            return;
        }
        let left = due.get().saturating_sub(self.slot.host.now().get());
        let slot = Arc::clone(&self.slot);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_nanos(left)).await;
            slot.ring();
        });
        if let Some((_, before)) = self.timer.replace((due, timer)) {
            before.abort();
        }
    }

    fn wait_for(&self, lsn: Lsn) {
        let Some(store) = &self.slot.host.store else { return self.slot.ring() };
        let mut cx = Context::from_waker(&self.waker);
        match store.journal().poll_durable(lsn, self.slot.who(), &mut cx) {
            Poll::Pending => {}
            // Durable meanwhile, or stopped: the turn finds out which.
            Poll::Ready(_) => self.slot.ring(),
        }
    }
}

impl Slot {
    /// Whether the next act writes a snapshot.
    fn is_capture_due(&self) -> bool {
        let core = locked(&self.core);
        let now = self.host.now();
        matches!(core.ledger, Ledger::Disk(_)) && core.is_capture_due(now)
    }
}
