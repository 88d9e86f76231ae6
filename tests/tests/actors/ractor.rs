//! What we lean on in ractor, at the version that we pin: a new one has to show it again.
//!
//! Law: each test is a fact that the hosting of Nodes would break without, or must guard against.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent,
    concurrency::JoinHandle,
};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

/// What an actor is told to do.
enum Order {
    Say(u32),
    Panic,
    Fail,
    /// Waits inside of the handler, where a kill can reach it.
    Await(oneshot::Receiver<()>),
    /// Waits without an await, where nothing can.
    Spin {
        began: oneshot::Sender<()>,
        until: Arc<AtomicBool>,
    },
    /// Stops itself, and sends itself one more.
    StopAndSay(u32),
}

/// What became known, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Said(u32),
    /// A message was taken by the mailbox of an actor that stops.
    Accepted(bool),
    PostStop,
    StateDropped,
    Started(ActorId),
    Failed(ActorId),
    Terminated {
        id: ActorId,
        with_state: bool,
    },
}

type Log = UnboundedSender<Seen>;

struct Child;

struct State(Log);

impl State {
    fn see(&self, seen: Seen) {
        self.0.send(seen).expect("the test listens");
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The test may have ended.
        let _ = self.0.send(Seen::StateDropped);
    }
}

impl Actor for Child {
    type Msg = Order;
    type State = State;
    type Arguments = Option<Log>;

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        log: Option<Log>,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State(log.ok_or("no log")?))
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Say(number) => state.see(Seen::Said(number)),
            Order::Panic => panic!("as it was told"),
            Order::Fail => return Err("as it was told".into()),
            Order::Await(word) => word.await?,
            Order::Spin { began, until } => {
                began.send(()).map_err(|()| "the test listens")?;
                while !until.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
            }
            Order::StopAndSay(number) => {
                myself.stop(None);
                let is_ok = myself.send_message(Order::Say(number)).is_ok();
                state.see(Seen::Accepted(is_ok));
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Order>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.see(Seen::PostStop);
        Ok(())
    }
}

/// A supervisor that only looks on.
struct Watcher;

impl Actor for Watcher {
    type Msg = ();
    type State = Log;
    type Arguments = Log;

    async fn pre_start(&self, _: ActorRef<()>, log: Log) -> Result<Log, ActorProcessingErr> {
        Ok(log)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        log: &mut Log,
    ) -> Result<(), ActorProcessingErr> {
        let seen = match event {
            SupervisionEvent::ActorStarted(who) => Seen::Started(who.get_id()),
            SupervisionEvent::ActorFailed(who, _) => Seen::Failed(who.get_id()),
            SupervisionEvent::ActorTerminated(who, state, _) => {
                let with_state = state.is_some();
                // The state goes with this event, and is not what these tests look at.
                if let Some(mut state) = state
                    && let Ok(state) = state.take::<State>()
                {
                    std::mem::forget(state);
                }
                Seen::Terminated { id: who.get_id(), with_state }
            }
            SupervisionEvent::ProcessGroupChanged(_) => return Ok(()),
        };
        log.send(seen)?;
        Ok(())
    }
}

/// A supervisor as ractor has it.
struct Plain;

impl Actor for Plain {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

struct Stage {
    supervisor: ActorRef<()>,
    child: ActorRef<Order>,
    join: JoinHandle<()>,
    seen: UnboundedReceiver<Seen>,
}

impl Stage {
    async fn set() -> Self {
        let (log, seen) = unbounded_channel();
        let (supervisor, _) = Actor::spawn(None, Watcher, log.clone()).await.expect("it starts");
        let (child, join) = Actor::spawn_linked(None, Child, Some(log), supervisor.get_cell())
            .await
            .expect("it starts");
        let mut stage = Self { supervisor, child, join, seen };
        assert_eq!(stage.next().await, Seen::Started(stage.child.get_id()));
        stage
    }

    async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the log is open")
    }

    fn send(&self, order: Order) {
        self.child.send_message(order).expect("it takes messages");
    }

    /// Holds the child inside a handler, so that what is sent next is queued behind it.
    fn hold(&self) -> oneshot::Sender<()> {
        let (go, word) = oneshot::channel();
        self.send(Order::Await(word));
        go
    }

    /// All that was seen until the supervisor heard of the child's end, and until its task ended.
    async fn until_end(mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while !matches!(seen.last(), Some(Seen::Failed(_) | Seen::Terminated { .. })) {
            seen.push(self.next().await);
        }
        self.join.await.expect("its task ends");
        while let Ok(late) = self.seen.try_recv() {
            seen.push(late);
        }
        self.supervisor.stop(None);
        seen
    }
}

fn said(seen: &[Seen]) -> Vec<u32> {
    let number = |seen: &Seen| if let Seen::Said(number) = seen { Some(*number) } else { None };
    seen.iter().filter_map(number).collect()
}

#[tokio::test]
async fn a_panic_fails_the_actor_and_drops_what_waits_in_silence() {
    for fault in [Order::Panic, Order::Fail] {
        let stage = Stage::set().await;
        let (id, go) = (stage.child.get_id(), stage.hold());
        stage.send(Order::Say(1));
        stage.send(fault);
        stage.send(Order::Say(2));
        go.send(()).expect("it waits");
        let seen = stage.until_end().await;
        assert!(seen.contains(&Seen::Failed(id)), "{seen:?}");
        assert_eq!(said(&seen), [1], "the second was accepted and is lost");
        assert!(!seen.contains(&Seen::PostStop), "nothing of safety may be in post_stop");
        assert!(seen.contains(&Seen::StateDropped), "after the join the state is gone");
    }
}

#[tokio::test]
async fn a_stop_drops_what_waits_and_accepts_more_all_the_same() {
    let stage = Stage::set().await;
    let (id, go) = (stage.child.get_id(), stage.hold());
    stage.send(Order::StopAndSay(1));
    stage.send(Order::Say(2));
    go.send(()).expect("it waits");
    let seen = stage.until_end().await;
    assert_eq!(said(&seen), [0_u32; 0]);
    assert!(seen.contains(&Seen::Accepted(true)), "{seen:?}");
    assert!(seen.contains(&Seen::PostStop));
    assert!(seen.contains(&Seen::Terminated { id, with_state: true }));
}

#[tokio::test]
async fn a_drain_handles_all_that_waits_and_admits_no_more() {
    let stage = Stage::set().await;
    let (id, go) = (stage.child.get_id(), stage.hold());
    (1..=100).for_each(|number| stage.send(Order::Say(number)));
    stage.child.drain().expect("it takes messages");
    assert!(stage.child.send_message(Order::Say(101)).is_err(), "the door is closed at once");
    go.send(()).expect("it waits");
    let seen = stage.until_end().await;
    assert_eq!(said(&seen), (1..=100).collect::<Vec<u32>>());
    assert!(seen.contains(&Seen::Terminated { id, with_state: true }));
}

#[tokio::test]
async fn a_kill_cuts_an_await_and_drops_what_waits() {
    let stage = Stage::set().await;
    let (id, go) = (stage.child.get_id(), stage.hold());
    stage.send(Order::Say(1));
    stage.child.kill();
    let seen = stage.until_end().await;
    assert_eq!(said(&seen), [0_u32; 0]);
    assert!(!seen.contains(&Seen::PostStop));
    let ended = |seen: &Seen| matches!(seen, Seen::Terminated { id: who, .. } if *who == id);
    assert!(seen.iter().any(ended), "as if it had stopped in good order: {seen:?}");
    drop(go);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_does_not_reach_code_that_does_not_await() {
    let stage = Stage::set().await;
    let (began, has_begun) = oneshot::channel();
    let until = Arc::new(AtomicBool::new(false));
    stage.send(Order::Spin { began, until: Arc::clone(&until) });
    has_begun.await.expect("it spins");
    stage.child.kill();
    let (id, cell) = (stage.child.get_id(), stage.child.get_cell());
    let ended = tokio::spawn(async move { cell.wait(None).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!ended.is_finished(), "it runs on, killed or not");
    until.store(true, Ordering::SeqCst);
    let seen = stage.until_end().await;
    ended.await.expect("no panic").expect("no deadline");
    let ended = |seen: &Seen| matches!(seen, Seen::Terminated { id: who, .. } if *who == id);
    assert!(seen.iter().any(ended), "{seen:?}");
}

#[tokio::test]
async fn the_children_of_a_supervisor_that_dies_are_killed() {
    let stage = Stage::set().await;
    let go = stage.hold();
    stage.supervisor.kill();
    stage.join.await.expect("its task ends");
    assert!(stage.child.send_message(Order::Say(1)).is_err());
    drop(go);
}

#[tokio::test]
async fn a_fault_before_the_start_is_told_to_the_spawner_alone() {
    let (log, mut seen) = unbounded_channel();
    let (supervisor, join) = Actor::spawn(None, Watcher, log.clone()).await.expect("it starts");
    let spawned = Actor::spawn_linked(None, Child, None, supervisor.get_cell()).await;
    assert!(matches!(spawned, Err(SpawnErr::StartupFailed(_))));
    supervisor.stop(None);
    join.await.expect("its task ends");
    drop(log);
    while let Ok(seen) = seen.try_recv() {
        assert!(!matches!(seen, Seen::Failed(_)), "{seen:?}");
    }
}

#[tokio::test]
async fn a_supervisor_that_says_nothing_else_dies_with_any_child() {
    let (log, _seen) = unbounded_channel();
    let (supervisor, join) = Actor::spawn(None, Plain, ()).await.expect("it starts");
    let cell: ActorCell = supervisor.get_cell();
    let (child, _) = Actor::spawn_linked(None, Child, Some(log), cell).await.expect("it starts");
    child.send_message(Order::Panic).expect("it takes messages");
    join.await.expect("its task ends");
    assert!(supervisor.send_message(()).is_err());
}
