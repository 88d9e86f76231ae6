//! Crash and hand-over: handles outlive readers, and nothing is lost or read twice.

use std::task::{Context, Poll, Waker};

use samsara_ingress::{Fenced, IngressQueue, Readiness, Refusal, TurnLimits};

use super::{queue, read};

#[test]
fn lives_only_rise() {
    let queue = queue(8, 100);
    assert_eq!(queue.open(0).map(|_| ()), Err(Fenced { life: 0, current: 0 }));
    queue.open(5).expect("five is more than none");
    assert_eq!(queue.open(5).map(|_| ()), Err(Fenced { life: 5, current: 5 }));
    assert_eq!(queue.stats().life, 5);
}

#[test]
fn handles_stay_valid_and_what_was_queued_is_still_there() {
    let queue = queue(8, 100);
    let handle = queue.handle();
    let first = queue.open(1).expect("the first life");
    handle.try_push(1, 1).expect("there is room");
    drop(first);
    handle.try_push(2, 1).expect("nobody reads, and still there is room");
    let mut second = queue.open(2).expect("the second life");
    handle.try_push(3, 1).expect("the same handle");
    assert_eq!(read(&mut second), [1, 2, 3]);
}

#[test]
fn a_turn_that_was_not_committed_is_the_next_lifes_first() {
    let queue = queue(8, 100);
    let mut first = queue.open(1).expect("the first life");
    for n in 1..=3 {
        queue.handle().try_push(n, 1).expect("there is room");
    }
    let two = TurnLimits { items: 2, bytes: 100 };
    assert_eq!(first.take(two), Ok(2));
    assert_eq!(first.inspect(|turn| turn.copied().collect::<Vec<_>>()), Ok(vec![1, 2]));
    assert_eq!(first.take(TurnLimits::default()), Ok(2), "the same turn again");

    let mut second = queue.open(2).expect("the second life");
    let fenced = Fenced { life: 1, current: 2 };
    assert_eq!(first.take(two), Err(fenced));
    assert_eq!(first.inspect(|_| ()), Err(fenced));
    assert_eq!(first.commit(&mut Vec::new()).map(|_| ()), Err(fenced));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(first.poll_ready(&mut cx), Poll::Ready(Err(fenced)));
    assert_eq!(read(&mut second), [1, 2, 3]);
    assert_eq!((queue.stats().items, queue.stats().bytes), (0, 0));
}

#[test]
fn a_committed_turn_is_not_read_again() {
    let queue = queue(8, 100);
    let mut first = queue.open(1).expect("the first life");
    queue.handle().try_push(1, 1).expect("there is room");
    assert_eq!(read(&mut first), [1]);
    let mut second = queue.open(2).expect("the second life");
    assert_eq!(read(&mut second), []);
}

#[test]
fn a_handle_of_an_ended_life_is_refused() {
    let queue = queue(8, 100);
    let _first = queue.open(1).expect("the first life");
    let of_first = queue.handle().for_life(1);
    of_first.try_push(1, 1).expect("its life reads");
    let _second = queue.open(2).expect("the second life");
    let back = of_first.try_push(2, 1).expect_err("its life has ended");
    assert_eq!((back.event, back.refusal), (2, Refusal::Fenced { life: 1, current: 2 }));
    assert_eq!(of_first.charge(1).map(|_| ()), Err(Refusal::Fenced { life: 1, current: 2 }));
    assert_eq!(queue.stats().refused.fenced, 2);
}

#[test]
fn the_end_is_seen_only_after_the_last_event() {
    let mut cx = Context::from_waker(Waker::noop());
    let queue = IngressQueue::<u32>::new(Default::default()).expect("the limits are valid");
    let mut reader = queue.open(1).expect("the first life");
    let handle = queue.handle();
    drop(queue);
    assert_eq!(reader.poll_ready(&mut cx), Poll::Pending, "a handle is alive");
    handle.try_push(1, 1).expect("there is room");
    drop(handle);
    assert_eq!(reader.poll_ready(&mut cx), Poll::Ready(Ok(Readiness::Events)));
    reader.read(TurnLimits::default(), &mut Vec::new()).map(drop).expect("this life reads");
    assert_eq!(reader.poll_ready(&mut cx), Poll::Ready(Ok(Readiness::Ended)));
}

#[test]
fn a_panic_while_a_turn_is_looked_at_loses_nothing() {
    let queue = queue(8, 100);
    let mut first = queue.open(1).expect("the first life");
    queue.handle().try_push(1, 1).expect("there is room");
    first.take(TurnLimits::default()).expect("this life reads");
    let look = std::panic::AssertUnwindSafe(|| first.inspect(|_| panic!("a broken encoder")));
    assert!(std::panic::catch_unwind(look).is_err());
    let mut second = queue.open(2).expect("the second life");
    queue.handle().try_push(2, 1).expect("there is room");
    assert_eq!(read(&mut second), [1, 2]);
}

#[test]
fn after_the_end_nothing_can_be_promised() {
    let mut cx = Context::from_waker(Waker::noop());
    let queue = queue(8, 100);
    let mut reader = queue.open(1).expect("the first life");
    queue.close();
    queue.handle().ticket(0).map(drop).expect("a closed mailbox still promises");
    assert_eq!(read(&mut reader), [0]);
    assert_eq!(reader.poll_ready(&mut cx), Poll::Ready(Ok(Readiness::Ended)));
    let back = queue.handle().ticket(7).expect_err("the reader was told of the end");
    assert_eq!((back.event, back.refusal), (7, Refusal::Closed));
}
