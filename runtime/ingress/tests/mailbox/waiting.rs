//! Back-pressure: the line of producers, first come, first served.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use samsara_ingress::{IngressLimits, Refusal};

use super::{Queue, queue, read};

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn a_push_waits_for_room_and_keeps_its_turn() {
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    let handle = queue.handle();
    handle.try_push(1, 1).expect("there is room");
    let (mut second, mut third) = (pin!(handle.push(2, 1)), pin!(handle.push(3, 1)));
    assert!(second.as_mut().poll(&mut cx()).is_pending());
    assert!(third.as_mut().poll(&mut cx()).is_pending());
    assert_eq!(read(&mut reader), [1]);
    assert!(third.as_mut().poll(&mut cx()).is_pending(), "the place is granted to the second");
    assert!(handle.try_push(9, 1).is_err(), "nobody pushes in ahead of the line");
    assert_eq!(second.as_mut().poll(&mut cx()), Poll::Ready(Ok(())));
    assert_eq!(read(&mut reader), [2]);
    assert_eq!(third.as_mut().poll(&mut cx()), Poll::Ready(Ok(())));
    assert_eq!(read(&mut reader), [3]);
}

#[test]
fn a_heavy_push_is_not_starved_by_light_ones() {
    let queue = queue(10, 10);
    let mut reader = queue.open(1).expect("the first life");
    let handle = queue.handle();
    handle.try_push(1, 5).expect("5 of 10 fit");
    let mut heavy = pin!(handle.push(2, 10));
    assert!(heavy.as_mut().poll(&mut cx()).is_pending());
    let back = handle.try_push(3, 1).expect_err("a light one would fit, but waits behind");
    assert_eq!(back.refusal, Refusal::Full { capacity: 10 });
    read(&mut reader);
    assert_eq!(heavy.as_mut().poll(&mut cx()), Poll::Ready(Ok(())));
}

#[test]
fn nobody_waits_behind_a_peer_that_waits_for_its_own_share() {
    let queue = queue(8, 800);
    let flood = queue.handle().for_peer(&"flood").expect("accounts are left");
    flood.try_push(1, 1).expect("its share is two");
    flood.try_push(2, 1).expect("its share is two");
    let mut waiting = pin!(flood.push(3, 1));
    assert!(waiting.as_mut().poll(&mut cx()).is_pending());
    queue.handle().try_push(4, 1).expect("the others go on");
}

#[test]
fn a_dropped_push_has_not_happened_and_its_place_goes_on() {
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    let handle = queue.handle();
    handle.try_push(1, 1).expect("there is room");
    let mut patient = pin!(handle.push(3, 1));
    {
        let mut fickle = pin!(handle.push(2, 1));
        assert!(fickle.as_mut().poll(&mut cx()).is_pending());
        assert!(patient.as_mut().poll(&mut cx()).is_pending());
        assert_eq!(read(&mut reader), [1]);
    }
    assert_eq!(patient.as_mut().poll(&mut cx()), Poll::Ready(Ok(())));
    assert_eq!(read(&mut reader), [3]);
    assert_eq!((queue.stats().items, queue.stats().bytes, queue.stats().waiting), (0, 0, 0));
    handle.try_push(4, 1).expect("nobody waits any more");
}

#[test]
fn those_who_wait_learn_of_a_close_a_fence_and_a_block() {
    let queue = queue(1, 100);
    let _first = queue.open(1).expect("the first life");
    let handle = queue.handle();
    let (of_life, of_peer) = (handle.for_life(1), handle.for_peer(&"peer").expect("there is room"));
    handle.try_push(1, 1).expect("there is room");
    let (mut closed, mut fenced) = (pin!(handle.push(2, 1)), pin!(of_life.push(3, 1)));
    let mut blocked = pin!(of_peer.push(4, 1));
    assert!(closed.as_mut().poll(&mut cx()).is_pending());
    assert!(fenced.as_mut().poll(&mut cx()).is_pending());
    assert!(blocked.as_mut().poll(&mut cx()).is_pending());

    queue.block(&"peer").expect("the account exists");
    let why = |polled| match polled {
        Poll::Ready(Err(samsara_ingress::PushError { event, refusal })) => (event, refusal),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(why(blocked.as_mut().poll(&mut cx())), (4, Refusal::Blocked));
    let _second = queue.open(2).expect("the second life");
    let refusal = Refusal::Fenced { life: 1, current: 2 };
    assert_eq!(why(fenced.as_mut().poll(&mut cx())), (3, refusal));
    queue.close();
    assert_eq!(why(closed.as_mut().poll(&mut cx())), (2, Refusal::Closed));
}

#[test]
fn those_who_wait_are_bounded_in_number() {
    let limits = IngressLimits { items: 1, waiting: 1, ..IngressLimits::default() };
    let queue = Queue::new(limits).expect("the limits are valid");
    let handle = queue.handle();
    handle.try_push(1, 1).expect("there is room");
    let (mut first, mut second) = (pin!(handle.push(2, 1)), pin!(handle.push(3, 1)));
    assert!(first.as_mut().poll(&mut cx()).is_pending());
    let Poll::Ready(Err(back)) = second.as_mut().poll(&mut cx()) else {
        panic!("one may wait");
    };
    assert_eq!((back.event, back.refusal), (3, Refusal::TooManyWaiting { cap: 1 }));
}

#[test]
fn what_could_never_fit_does_not_wait() {
    let queue = queue(1, 10);
    let handle = queue.handle();
    let Poll::Ready(Err(back)) = pin!(handle.push(1, 11)).as_mut().poll(&mut cx()) else {
        panic!("eleven never fit into ten");
    };
    assert_eq!(back.refusal, Refusal::TooLarge { bytes: 11, cap: 10 });
}
