//! Models of the mailbox: every interleaving of two to four threads, on the code that ships.
//!
//! Law: each model states one property, tells how many executions it took, and is seen to fail
//! with a bug planted in the shipped code. Build with `RUSTFLAGS="--cfg loom"`.
#![cfg(loom)]

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Wake, Waker},
};

use samsara_ingress::{
    IngressHandle, IngressLimits, IngressQueue, IngressReader, Readiness, TurnLimits, Watermark,
    planted::{self, Bug},
    sync::{Arc, atomic::AtomicU64, block_on, model, thread},
};

type Queue = IngressQueue<u32, u8>;
type Reader = IngressReader<u32, u8>;

/// Names the bug to plant, in the child process that is expected to fail.
const PLANT: &str = "SAMSARA_PLANT";

/// The model holds in every execution, and there were enough of them to mean something.
fn holds(name: &str, bound: usize, bug: Bug, body: fn()) {
    if std::env::var_os(PLANT).is_some() {
        planted::with(bug, || model(bound, body));
        return;
    }
    let executions = model(bound, body);
    println!("{name}: {executions} executions");
    assert!(executions >= 100, "{name} explored only {executions} executions");
}

/// The same model fails with the bug planted. A deadlock in a model ends its process, so the
/// failing one gets a process of its own.
fn breaks(test: &str) {
    let binary = std::env::current_exe().expect("this test has a binary");
    let child = Command::new(binary)
        .args(["--exact", test, "--test-threads", "1"])
        .env(PLANT, "1")
        .output()
        .expect("the binary runs again");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(said.contains("running 1 test"), "no test is named {test}");
    assert!(!child.status.success(), "no execution of {test} was broken by the planted bug");
}

fn queue(items: usize, bytes: u64) -> Queue {
    let limits = IngressLimits { items, bytes, peer_share_percent: 100, ..Default::default() };
    IngressQueue::new(limits).expect("the limits are not zero")
}

fn open(queue: &Queue, life: u64) -> Reader {
    queue.open(life).expect("lives rise")
}

fn read(reader: &mut Reader) -> Vec<u32> {
    let mut events = Vec::new();
    let _charge = reader.read(TurnLimits::default(), &mut events).expect("this life reads");
    events.into_iter().map(|held| held.event).collect()
}

/// Tries to push each event and counts those that were accepted.
fn push_each(handle: &IngressHandle<u32, u8>, events: &[u32], weight: u64) -> usize {
    events.iter().filter(|event| handle.try_push(**event, weight).is_ok()).count()
}

/// Two threads that push two events each, and in the end how many were accepted.
fn two_pushers(handle: &IngressHandle<u32, u8>, weight: u64) -> impl FnOnce() -> usize + use<> {
    let pushers = [handle.clone(), handle.clone()]
        .map(|handle| thread::spawn(move || push_each(&handle, &[1, 2], weight)));
    || pushers.into_iter().map(|pusher| pusher.join().expect("no panic")).sum()
}

/// Reads until the end has come.
fn read_to_end(reader: &mut Reader) -> Vec<u32> {
    let mut events = Vec::new();
    while block_on(reader.ready()) == Ok(Readiness::Events) {
        events.extend(read(reader));
    }
    events
}

/// Two producers race for the last bytes of the budget while the reader gives some back.
fn l1_budget() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let accepted = two_pushers(&queue.handle(), 6);
    let mut seen = read(&mut reader).len();
    let accepted = accepted();
    assert!(queue.stats().bytes <= 10, "the budget is never overdrawn");
    seen += read(&mut reader).len();
    assert_eq!(seen, accepted);
    assert_eq!(queue.stats().bytes, 0);
}

/// Pushes race with a close.
fn l2_close() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let accepted = two_pushers(&queue.handle(), 1);
    let mut drained = read(&mut reader).len();
    queue.close();
    drained += read(&mut reader).len();
    assert_eq!(drained, accepted(), "an accepted push is drained");
    assert!(read(&mut reader).is_empty(), "nothing appears after the close");
}

/// Two pushes race with the reader going to sleep.
fn l3_sleep() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let pushers = [queue.handle(), queue.handle()]
        .map(|handle| thread::spawn(move || push_each(&handle, &[1], 1)));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        assert_eq!(block_on(reader.ready()), Ok(Readiness::Events));
        seen.extend(read(&mut reader));
    }
    assert_eq!(seen, [1, 1]);
    pushers.into_iter().for_each(|pusher| pusher.join().map(drop).expect("no panic"));
}

/// Pushes race with a drain that gives its bytes back.
fn l4_drain() {
    let queue = queue(8, 100);
    let mut reader = open(&queue, 1);
    let accepted = two_pushers(&queue.handle(), 7);
    let mut seen = read(&mut reader).len();
    seen += read(&mut reader).len();
    assert_eq!(accepted(), 4);
    assert_eq!(queue.stats().bytes, 7 * (4 - seen as u64), "what waits is what is charged");
    seen += read(&mut reader).len();
    assert_eq!(seen, 4);
    assert_eq!((queue.stats().bytes, queue.stats().items), (0, 0));
}

/// Pushes for an ended life race with the begin of the next.
fn l5_fence() {
    let queue = queue(8, 10);
    let mut first = open(&queue, 1);
    let accepted = two_pushers(&queue.handle().for_life(1), 1);
    let mut seen = read(&mut first).len();
    let mut second = open(&queue, 2);
    seen += read(&mut second).len();
    assert_eq!(seen, accepted(), "what was admitted before is inherited");
    assert!(read(&mut second).is_empty(), "the old life never lands after the new one began");
}

/// The last producer pushes and leaves while the reader drains.
fn l6_last_producer() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let handle = queue.handle();
    drop(queue);
    let pusher = thread::spawn(move || handle.try_push(1, 1).expect("there is room"));
    assert_eq!(read_to_end(&mut reader), [1]);
    pusher.join().expect("no panic");
}

/// Two answers race with the drop of their ticket.
fn l7_completion() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    let (mine, theirs) = (ticket.settler(), ticket.settler());
    let dropper = thread::spawn(move || drop(ticket));
    let other = thread::spawn(move || theirs.settle(2, 1).is_ok());
    let answered = mine.settle(1, 1).is_ok();
    assert_eq!(block_on(reader.ready()), Ok(Readiness::Events));
    dropper.join().expect("no panic");
    let expected = match (answered, other.join().expect("no panic")) {
        (true, true) => panic!("both answers were told that they won"),
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 0,
    };
    assert_eq!(read(&mut reader), [expected], "exactly one wins");
}

struct CountedWakes(AtomicUsize);

impl Wake for CountedWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Six pushes ring a sleeping reader.
fn l8_one_ring() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let wakes = Arc::new(CountedWakes(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    assert!(reader.poll_ready(&mut cx).is_pending());
    let accepted = two_pushers(&queue.handle(), 1);
    push_each(&queue.handle(), &[5, 6], 1);
    assert_eq!(accepted(), 4);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "many pushes, one wake");
    assert_eq!(reader.poll_ready(&mut cx), Poll::Ready(Ok(Readiness::Events)));
}

/// The reader falls asleep again while pushes ring.
fn l8_never_zero() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let handle = queue.handle();
    let pusher = thread::spawn(move || {
        handle.try_push(1, 1).expect("there is room");
        handle.try_push(2, 1).expect("there is room");
    });
    let mut seen = Vec::new();
    while seen.len() < 2 {
        assert_eq!(block_on(reader.ready()), Ok(Readiness::Events));
        seen.extend(read(&mut reader));
    }
    assert_eq!(seen, [1, 2]);
    pusher.join().expect("no panic");
}

/// A block races with the pushes of the blocked peer.
fn l12_block() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let accepted = two_pushers(&queue.handle().for_peer(&7).expect("accounts are left"), 1);
    let mut before = read(&mut reader).len();
    queue.block(&7).expect("the account exists");
    before += read(&mut reader).len();
    assert_eq!(before, accepted());
    assert!(read(&mut reader).is_empty(), "nothing is admitted after the block returned");
}

/// Three producers push while the mailbox is closed and drained.
fn l13_close_and_drain() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let pushers: Vec<_> = (1..=3)
        .map(|n| {
            let handle = queue.handle();
            thread::spawn(move || handle.try_push(n, 1).is_ok())
        })
        .collect();
    queue.close();
    let drained = read_to_end(&mut reader).len();
    let accepted = pushers.into_iter().filter_map(|pusher| pusher.join().ok()).filter(|ok| *ok);
    assert_eq!(drained, accepted.count(), "what was accepted was drained before the end");
}

/// The old life commits while the new one takes over and a producer pushes on.
fn l14_restart() {
    let queue = queue(8, 10);
    let mut first = open(&queue, 1);
    queue.handle().try_push(1, 1).expect("there is room");
    assert_eq!(first.take(TurnLimits::default()), Ok(1));
    let handle = queue.handle();
    let pusher = thread::spawn(move || handle.try_push(2, 1).expect("there is room"));
    let dying = thread::spawn(move || {
        let mut events = Vec::new();
        let committed = first.commit(&mut events).is_ok();
        assert_eq!(events.len(), usize::from(committed));
        events.len()
    });

    let mut second = open(&queue, 2);
    let in_hand = second.take(TurnLimits::default()).expect("this life reads");
    let mut events = Vec::new();
    let _charge = second.commit(&mut events).expect("this life reads");
    assert_eq!(events.len(), in_hand, "nobody reaches into the hand of the new life");
    let seen_by_first = dying.join().expect("no panic");
    pusher.join().expect("no panic");
    let rest = read(&mut second).len();
    assert_eq!(seen_by_first + events.len() + rest, 2, "no event lost or seen twice");
}

/// Two producers wait for room while the reader makes some.
fn awaiting_push() {
    let queue = queue(1, 10);
    let mut reader = open(&queue, 1);
    queue.handle().try_push(1, 1).expect("there is room");
    let pushers = [queue.handle(), queue.handle()]
        .map(|handle| thread::spawn(move || block_on(handle.push(2, 1)).expect("room is made")));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        assert_eq!(block_on(reader.ready()), Ok(Readiness::Events));
        seen.extend(read(&mut reader));
    }
    assert_eq!(seen, [1, 2, 2]);
    pushers.into_iter().for_each(|pusher| pusher.join().expect("the producer was woken"));
}

/// Two turns wait for what a writer makes durable, one record after the other.
fn l9_durable() {
    let mark = Arc::new(Watermark::new(0));
    let synced = Arc::new(AtomicU64::new(0));
    let waiters = [1, 2].map(|lsn| {
        let (mark, synced) = (Arc::clone(&mark), Arc::clone(&synced));
        thread::spawn(move || {
            let level = block_on(poll_fn(|cx| mark.poll_reached(lsn, lsn, cx)));
            assert!(level.expect("it was not stopped") >= lsn);
            assert!(synced.load(Ordering::Relaxed) >= lsn, "woken before it was durable");
        })
    });
    for lsn in 1..=2 {
        synced.store(lsn, Ordering::Relaxed);
        mark.rise(lsn);
    }
    waiters.into_iter().for_each(|waiter| waiter.join().expect("no panic"));
}

/// A producer gives up waiting while the one behind it waits on.
fn cancelled_push() {
    let queue = queue(1, 10);
    let mut reader = open(&queue, 1);
    queue.handle().try_push(1, 1).expect("there is room");
    let (fickle, patient) = (queue.handle(), queue.handle());
    let fickle = thread::spawn(move || {
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(&mut fickle.push(2, 1)).poll(&mut cx).is_ready()
    });
    let patient = thread::spawn(move || block_on(patient.push(3, 1)).expect("the place is free"));
    let mut seen = Vec::new();
    while !seen.contains(&3) {
        assert_eq!(block_on(reader.ready()), Ok(Readiness::Events));
        seen.extend(read(&mut reader));
    }
    patient.join().expect("the grant was passed on");
    let was_quick = fickle.join().expect("no panic");
    seen.extend(read(&mut reader));
    assert_eq!(seen.contains(&2), was_quick, "what was given up is not admitted");
    assert_eq!((queue.stats().bytes, queue.stats().items, queue.stats().waiting), (0, 0, 0));
}

/// Two answers race with a reader that takes answers alone.
fn answers_alone() {
    let queue = queue(8, 10);
    let mut reader = open(&queue, 1);
    let settlers = [1, 2].map(|n| {
        let ticket = queue.handle().ticket(0).expect("tickets are left");
        thread::spawn(move || ticket.settle(n, 1).expect("it is open"))
    });
    let mut events = Vec::new();
    let took = reader.take_answers_and(TurnLimits::default(), |turn| turn.len());
    let _charge = reader.commit(&mut events).expect("this life reads");
    assert_eq!(took, Ok(events.len()));
    settlers.into_iter().for_each(|settler| settler.join().expect("no panic"));
    assert_eq!(reader.has_events(), events.len() < 2, "what was not taken is seen");
    assert_eq!(events.len() + read(&mut reader).len(), 2);
}

macro_rules! models {
    ($($name:ident: $body:ident, $bug:ident, bound $bound:expr;)+) => {
        mod the_mailbox {
            $(#[test]
            fn $name() {
                super::holds(stringify!($body), $bound, super::Bug::$bug, super::$body);
            })+
        }

        mod the_model_fails_with_its_bug_planted {
            $(#[test]
            fn $name() {
                super::breaks(concat!("the_mailbox::", stringify!($name)));
            })+
        }
    };
}

models! {
    gives_the_last_bytes_to_one_producer: l1_budget, Admit, bound 3;
    drains_what_it_accepted_before_a_close: l2_close, Admit, bound 3;
    loses_no_wake_while_the_reader_falls_asleep: l3_sleep, Arm, bound 3;
    returns_its_budget_to_zero: l4_drain, Release, bound 3;
    never_lands_a_push_of_an_ended_life: l5_fence, Admit, bound 3;
    ends_only_after_the_last_event: l6_last_producer, End, bound 3;
    shows_the_answers_that_come_while_others_are_taken: answers_alone, Answers, bound 3;
    settles_a_ticket_once: l7_completion, Settle, bound 3;
    wakes_a_sleeping_reader_once: l8_one_ring, Disarm, bound 3;
    never_sleeps_on_waiting_events: l8_never_zero, Disarm, bound 3;
    admits_nothing_after_a_block: l12_block, Admit, bound 3;
    drains_three_producers_before_its_end: l13_close_and_drain, Admit, bound 2;
    hands_its_events_over_to_the_next_life: l14_restart, Commit, bound 3;
    wakes_a_producer_when_there_is_room: awaiting_push, QueueUp, bound 3;
    wakes_who_waits_once_it_is_durable: l9_durable, Wait, bound 3;
    passes_a_cancelled_grant_on: cancelled_push, Cancel, bound 3;
}
