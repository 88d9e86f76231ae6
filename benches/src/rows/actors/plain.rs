//! The baseline: an actor of ractor that does nothing with what it is sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::said;
use crate::rows::engine::payload;

pub(crate) enum Word {
    Cast(Bytes),
    Call(Bytes, oneshot::Sender<Bytes>),
}

pub(crate) struct Idle;

impl Actor for Idle {
    type Msg = Word;
    type State = Arc<AtomicUsize>;
    type Arguments = Arc<AtomicUsize>;

    async fn pre_start(
        &self,
        _: ActorRef<Word>,
        seen: Arc<AtomicUsize>,
    ) -> Result<Arc<AtomicUsize>, ActorProcessingErr> {
        Ok(seen)
    }

    async fn handle(
        &self,
        _: ActorRef<Word>,
        word: Word,
        seen: &mut Arc<AtomicUsize>,
    ) -> Result<(), ActorProcessingErr> {
        match word {
            Word::Cast(bytes) => drop(bytes),
            // Who has called waits.
            Word::Call(bytes, answer) => drop(answer.send(bytes)),
        }
        seen.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Plain {
    actor: ActorRef<Word>,
    seen: Arc<AtomicUsize>,
}

impl Plain {
    pub(crate) async fn start() -> Result<Self, String> {
        let seen = Arc::new(AtomicUsize::new(0));
        let (actor, _) = Actor::spawn(None, Idle, Arc::clone(&seen)).await.map_err(said)?;
        Ok(Self { actor, seen })
    }

    /// Ends it, and waits until it has.
    pub(crate) async fn stop(self) -> Result<(), String> {
        self.actor.stop_and_wait(None, None).await.map_err(said)
    }

    /// Casts so many, and waits until all were seen; in millions a second.
    pub(crate) async fn flood(&self, count: usize) -> Result<f64, String> {
        let before = self.seen.load(Ordering::Relaxed);
        let start = Instant::now();
        for _ in 0..count {
            self.actor.send_message(Word::Cast(payload())).map_err(said)?;
        }
        while self.seen.load(Ordering::Relaxed) < before + count {
            tokio::task::yield_now().await;
        }
        Ok(count as f64 / start.elapsed().as_secs_f64() / 1e6)
    }

    pub(crate) async fn call(&self, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let (answer, answered) = oneshot::channel();
            self.actor.send_message(Word::Call(payload(), answer)).map_err(said)?;
            answered.await.map_err(said)?;
        }
        Ok(())
    }
}
