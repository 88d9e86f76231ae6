//! Every limit, reached at its edge.

use samsara_ingress::{IngressLimits, IngressQueue, LimitError, Refusal, TurnLimits};

use super::{Queue, queue, read};

fn refused(limits: IngressLimits) -> Option<LimitError> {
    IngressQueue::<u32>::new(limits).err()
}

#[test]
fn a_limit_of_zero_is_refused_by_name() {
    let whole = IngressLimits::default();
    let zeros = [
        ("items", IngressLimits { items: 0, ..whole }),
        ("bytes", IngressLimits { bytes: 0, ..whole }),
        ("peers", IngressLimits { peers: 0, ..whole }),
        ("tickets", IngressLimits { tickets: 0, ..whole }),
        ("waiting", IngressLimits { waiting: 0, ..whole }),
    ];
    for (limit, limits) in zeros {
        assert_eq!(refused(limits), Some(LimitError { limit, got: 0, wanted: "at least 1" }));
    }
    for got in [0, 101] {
        let limits = IngressLimits { peer_share_percent: got, ..whole };
        let wanted = "1 to 100";
        let error = LimitError { limit: "peer_share_percent", got: got.into(), wanted };
        assert_eq!(refused(limits), Some(error));
    }
}

#[test]
fn a_full_mailbox_returns_the_event_and_charges_nothing() {
    let queue = queue(2, 100);
    let handle = queue.handle();
    handle.try_push(1, 10).expect("the first fits");
    handle.try_push(2, 10).expect("the second fits");
    let back = handle.try_push(3, 10).expect_err("there are two places");
    assert_eq!((back.event, back.refusal), (3, Refusal::Full { capacity: 2 }));
    assert_eq!((queue.stats().items, queue.stats().bytes), (2, 20));
    assert_eq!(queue.stats().refused.full, 1);
}

#[test]
fn a_push_over_the_budget_returns_the_event_and_charges_nothing() {
    let queue = queue(10, 100);
    let handle = queue.handle();
    handle.try_push(1, 60).expect("60 of 100 fit");
    let back = handle.try_push(2, 41).expect_err("41 do not");
    assert_eq!(back.refusal, Refusal::OverBudget { bytes: 41, remaining: 40 });
    assert_eq!(queue.stats().bytes, 60);
    handle.try_push(3, 40).expect("40 do");
}

#[test]
fn an_event_that_could_never_fit_is_told_so() {
    let queue = queue(10, 100);
    let back = queue.handle().try_push(1, 101).expect_err("the whole budget is 100");
    assert_eq!(back.refusal, Refusal::TooLarge { bytes: 101, cap: 100 });
    assert!(!back.refusal.may_pass());
    let huge = queue.handle().try_push(1, u64::MAX).expect_err("nor does anything larger");
    assert_eq!(huge.refusal, Refusal::TooLarge { bytes: u64::MAX, cap: 100 });
}

#[test]
fn a_closed_mailbox_returns_the_event_and_still_gives_what_it_holds() {
    let queue = queue(2, 100);
    let mut reader = queue.open(1).expect("the first life");
    queue.handle().try_push(1, 1).expect("it is open");
    queue.close();
    let back = queue.handle().try_push(2, 1).expect_err("it is closed");
    assert_eq!((back.event, back.refusal), (2, Refusal::Closed));
    assert_eq!(read(&mut reader), [1]);
}

#[test]
fn a_flooding_peer_fills_its_share_and_leaves_the_rest() {
    let queue = queue(8, 800);
    let flood = queue.handle().for_peer(&"flood").expect("accounts are left");
    let honest = queue.handle().for_peer(&"honest").expect("accounts are left");
    flood.try_push(1, 100).expect("a quarter of eight is two");
    flood.try_push(2, 100).expect("a quarter of eight is two");
    let back = flood.try_push(3, 1).expect_err("three is more");
    assert_eq!(back.refusal, Refusal::OverShare { items: 2, bytes: 200 });
    honest.try_push(4, 100).expect("the honest peer has its own share");
    queue.handle().try_push(5, 100).expect("and the host has no share to fill");

    let again = queue.handle().for_peer(&"flood").expect("the account exists");
    let back = again.try_push(6, 1).expect_err("another door, the same account");
    assert_eq!(back.refusal, Refusal::OverShare { items: 2, bytes: 200 });
}

#[test]
fn a_share_counts_bytes_too_and_opens_again_when_read() {
    let queue = queue(100, 400);
    let mut reader = queue.open(1).expect("the first life");
    let peer = queue.handle().for_peer(&"peer").expect("accounts are left");
    peer.try_push(1, 100).expect("a quarter of the bytes");
    let back = peer.try_push(2, 1).expect_err("one byte more");
    assert_eq!(back.refusal, Refusal::OverShare { items: 25, bytes: 100 });
    let back = peer.try_push(2, 101).expect_err("more than the share at once");
    assert_eq!(back.refusal, Refusal::TooLarge { bytes: 101, cap: 100 });
    read(&mut reader);
    peer.try_push(2, 100).expect("what was read makes room");
}

#[test]
fn peers_are_bounded_in_number() {
    let limits = IngressLimits { peers: 1, ..IngressLimits::default() };
    let queue = Queue::new(limits).expect("the limits are valid");
    let first = queue.handle().for_peer(&"a").expect("one account fits");
    let refusal = queue.handle().for_peer(&"b").expect_err("two do not");
    assert_eq!(refusal, Refusal::TooManyPeers { cap: 1 });
    assert_eq!(queue.block(&"b"), Err(Refusal::TooManyPeers { cap: 1 }));
    drop(first);
    queue.handle().for_peer(&"b").expect("an account without use is given up");
}

#[test]
fn a_blocked_peer_is_refused_until_it_is_unblocked() {
    let queue = queue(8, 100);
    let peer = queue.handle().for_peer(&"peer").expect("accounts are left");
    queue.block(&"peer").expect("the account exists");
    let back = peer.try_push(1, 1).expect_err("it is blocked");
    assert_eq!((back.event, back.refusal), (1, Refusal::Blocked));
    assert_eq!(queue.stats().refused.blocked, 1);
    queue.unblock(&"peer");
    peer.try_push(1, 1).expect("it is not blocked any more");
}

#[test]
fn a_turn_stops_at_its_events_and_at_its_bytes_but_takes_one() {
    let queue = queue(10, 1000);
    let mut reader = queue.open(1).expect("the first life");
    for n in 0..5 {
        queue.handle().try_push(n, 100).expect("five fit");
    }
    let mut events = Vec::new();
    let by_items = TurnLimits { items: 2, bytes: 1000 };
    assert_eq!(reader.read(by_items, &mut events).map(|charge| charge.bytes()), Ok(200));
    let by_bytes = TurnLimits { items: 10, bytes: 299 };
    assert_eq!(reader.read(by_bytes, &mut events).map(|charge| charge.bytes()), Ok(200));
    let tiny = TurnLimits { items: 0, bytes: 1 };
    assert_eq!(reader.read(tiny, &mut events).map(|charge| charge.bytes()), Ok(100));
    assert_eq!(events.iter().map(|held| held.event).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(reader.take(tiny), Ok(0));
}

#[test]
fn a_place_is_free_when_it_is_taken_in_hand_and_the_bytes_after_the_charge() {
    let queue = queue(1, 10);
    let mut reader = queue.open(1).expect("the first life");
    queue.handle().try_push(1, 5).expect("it fits");
    assert_eq!((queue.stats().items, queue.stats().bytes), (1, 5));
    reader.take(TurnLimits::default()).expect("this life reads");
    assert_eq!((queue.stats().items, queue.stats().bytes), (0, 5));
    queue.handle().try_push(2, 5).expect("there is a place and budget");
    let charge = reader.commit(&mut Vec::new()).expect("this life reads");
    assert_eq!((queue.stats().items, queue.stats().bytes), (1, 10));
    drop(charge);
    assert_eq!(queue.stats().bytes, 5);
}

#[test]
fn a_charge_made_ahead_is_handed_over_with_the_push() {
    let queue = queue(1, 10);
    let handle = queue.handle();
    let charge = handle.charge(8).expect("8 of 10 fit");
    assert_eq!(handle.charge(3).map(|_| ()), Err(Refusal::OverBudget { bytes: 3, remaining: 2 }));
    handle.try_push_charged(1, charge).expect("there is a place");
    assert_eq!((queue.stats().items, queue.stats().bytes), (1, 8));

    let charge = handle.charge(2).expect("2 of 10 are left");
    let back = handle.try_push_charged(2, charge).expect_err("the place is taken");
    let (event, charge) = back.event;
    assert_eq!((event, charge.bytes(), back.refusal), (2, 2, Refusal::Full { capacity: 1 }));
    drop(charge);
    assert_eq!(queue.stats().bytes, 8);
}

#[test]
fn a_charge_splits_into_what_it_holds_and_no_more() {
    let queue = queue(1, 10);
    let mut charge = queue.handle().charge(10).expect("10 of 10 fit");
    assert!(charge.split(11).is_none());
    let part = charge.split(10).expect("10 are there");
    assert_eq!((charge.bytes(), part.bytes()), (0, 10));
    drop(charge);
    assert_eq!(queue.stats().bytes, 10);
    drop(part);
    assert_eq!(queue.stats().bytes, 0);
}

#[test]
fn a_charge_of_another_mailbox_is_refused_and_handed_back() {
    let (mine, other) = (queue(1, 10), queue(1, 10));
    let charge = other.handle().charge(4).expect("4 of 10 fit");
    let back = mine.handle().try_push_charged(1, charge).expect_err("it is not of this mailbox");
    assert_eq!(back.refusal, Refusal::ForeignCharge);
    assert_eq!((mine.stats().bytes, other.stats().bytes), (0, 4));
    drop(back);
    assert_eq!(other.stats().bytes, 0);
}

#[test]
fn a_turn_of_no_items_is_read_as_one() {
    let queue = queue(8, 100);
    let mut reader = queue.open(1).expect("the first life");
    queue.handle().try_push(1, 1).expect("there is room");
    assert_eq!(reader.take(TurnLimits { items: 0, bytes: 0 }), Ok(1));
}

#[test]
fn a_slow_reader_holds_no_more_than_its_hand_and_the_mailbox() {
    let queue = queue(8, 1_000);
    let mut reader = queue.open(1).expect("the first life");
    let (mut pushed, mut events) = (0, Vec::new());
    for _ in 0..50 {
        while queue.handle().try_push(pushed, 1).is_ok() {
            pushed += 1;
        }
        let one = TurnLimits { items: 256, bytes: 1 };
        reader.read(one, &mut events).map(drop).expect("this life reads");
    }
    let held = pushed as usize - events.len();
    assert!(held <= 16, "{held} events are held by a mailbox of 8");
}

#[test]
fn a_peer_cannot_charge_ahead_past_its_share() {
    let queue = queue(8, 400);
    let peer = queue.handle().for_peer(&"peer").expect("accounts are left");
    let refused = peer.charge(101).map(|_| ());
    assert_eq!(refused, Err(Refusal::TooLarge { bytes: 101, cap: 100 }));
}

#[test]
fn the_largest_weights_do_not_overflow() {
    let limits = IngressLimits { bytes: u64::MAX, peer_share_percent: 100, ..Default::default() };
    let queue = Queue::new(limits).expect("the limits are valid");
    let peer = queue.handle().for_peer(&"peer").expect("accounts are left");
    peer.try_push(1, u64::MAX - 1).expect("it fits once");
    let back = peer.try_push(2, u64::MAX - 1).expect_err("and not twice");
    assert_eq!(back.refusal, Refusal::OverShare { items: 4096, bytes: u64::MAX });
}
