//! What is said, said again, and taken.

use samsara_proto::WireEnvelope;
use samsara_proto::wire::{Refusal, RefusalReason};
use samsara_runtime::delivery::{
    Alarm, CourierStep, Decision, OfferError, Received, Undelivered, Unheard,
};
use samsara_runtime::framework::Watermark;
use samsara_runtime::time::millis;

use super::super::{peer, said};
use super::ends::{ADA, BOB, End, join, pair, part, settle, talk};

fn carried(all: &[WireEnvelope]) -> Vec<(u64, bool)> {
    let carried = all.iter().filter(|envelope| !envelope.fills.is_empty());
    carried.map(|envelope| (envelope.seq, envelope.redelivered)).collect()
}

#[test]
fn the_first_send_bears_no_mark_and_every_further_one_does() {
    let (mut ada, mut bob) = pair();
    (1..=3).for_each(|seq| ada.say(seq, 10));
    assert_eq!(carried(&talk(&mut ada, &mut bob)), [(1, false), (2, false), (3, false)]);
    part(&mut ada, &mut bob);
    join(&mut ada, &mut bob);
    ada.say(4, 10);
    let sent = carried(&settle(&mut ada, &mut bob));
    assert_eq!(sent, [(1, true), (2, true), (3, true), (4, false)]);
    assert_eq!(bob.seqs(), [1, 2, 3, 4], "and is taken once");
}

#[test]
fn only_what_is_durable_is_acknowledged_and_a_duplicate_is_again() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    let sent = talk(&mut ada, &mut bob);
    assert!(!ada.courier.is_settled(), "it is taken, and not durable");
    let copy =
        sent.iter().find(|envelope| !envelope.fills.is_empty()).expect("it was sent").clone();
    assert_eq!(bob.hear(copy.clone()), Received::Dropped(Unheard::Duplicate));
    let acks: Vec<_> = bob.poll().iter().flat_map(|envelope| envelope.acks.clone()).collect();
    assert_eq!(acks.iter().map(|ack| ack.durable).collect::<Vec<_>>(), [0]);
    bob.sync();
    assert_eq!(bob.hear(copy), Received::Dropped(Unheard::Duplicate));
    let acks: Vec<_> = bob.poll().iter().flat_map(|envelope| envelope.acks.clone()).collect();
    assert_eq!(acks.iter().map(|ack| ack.durable).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_restart_sends_what_is_not_acknowledged_as_redelivered_and_what_is_new_as_new() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    ada.say(2, 10);
    let section = ada.courier.section();
    talk(&mut ada, &mut bob);
    part(&mut ada, &mut bob);
    let mut ada = ada.restored(ADA, 2, &section);
    ada.offer_again(said(1, 3, vec![7; 10].into())).expect("the replay goes on");
    ada.say(4, 10);
    join(&mut ada, &mut bob);
    assert_eq!(carried(&settle(&mut ada, &mut bob)), [(2, true), (3, true), (4, false)]);
    assert_eq!(bob.seqs(), [1, 2, 3, 4]);
}

#[test]
fn a_replay_that_says_the_same_is_silent_and_one_that_does_not_is_a_fault() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    ada.say(2, 10);
    let before = ada.courier.section();
    ada.offer_again(said(1, 1, vec![7; 10].into())).expect("the peer has it");
    ada.offer_again(said(1, 2, vec![7; 10].into())).expect("it is the same");
    let other = ada.offer_again(said(1, 2, vec![8; 10].into()));
    assert_eq!(other, Err(OfferError::Diverged { stream: 1, epoch: 1, seq: 2 }));
    let gap = ada.offer_again(said(1, 4, vec![7; 10].into()));
    let wanted = OfferError::OutOfOrder { stream: 1, current: 1, wanted: 3, epoch: 1, seq: 4 };
    assert_eq!(gap, Err(wanted));
    assert_eq!(ada.courier.section(), before);
}

#[test]
fn a_receiver_that_forgot_stops_the_stream_until_an_operator_decides() {
    let (mut ada, mut bob) = pair();
    let old_disk = bob.courier.section();
    (1..=2).for_each(|seq| ada.say(seq, 10));
    settle(&mut ada, &mut bob);
    let disk = bob.courier.section();
    part(&mut ada, &mut bob);
    let mut amnesic = bob.restored(BOB, 2, &old_disk);
    join(&mut ada, &mut amnesic);
    ada.say(3, 10);
    let sent = talk(&mut ada, &mut amnesic);
    assert_eq!(carried(&sent), []);
    let alarm = Alarm::Forgot { stream: 1, acked: 2, durable: 0 };
    assert_eq!(ada.take_told(), [CourierStep::Alarm { peer: peer(BOB), alarm }]);

    // A new link changes nothing: whoever has the right disk comes back with it.
    part(&mut ada, &mut amnesic);
    let mut whole = bob.restored(BOB, 3, &disk);
    join(&mut ada, &mut whole);
    assert_eq!(talk(&mut ada, &mut whole), []);
    let decide =
        |ada: &mut End, decision| ada.courier.decide(&peer(BOB), 1, decision, &mut ada.told);
    decide(&mut ada, Decision::Retry).expect("it has stopped");
    settle(&mut ada, &mut whole);
    assert_eq!((whole.seqs(), ada.take_told()), (vec![3], vec![]));
    decide(&mut ada, Decision::Retry).expect_err("it flows");
}

#[test]
fn a_stream_that_is_given_up_ends_and_each_envelope_of_it_is_told() {
    let (mut ada, mut bob) = pair();
    let old_disk = bob.courier.section();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    part(&mut ada, &mut bob);
    let mut bob = bob.restored(BOB, 2, &old_disk);
    join(&mut ada, &mut bob);
    (2..=3).for_each(|seq| ada.say(seq, 10));
    talk(&mut ada, &mut bob);
    ada.take_told();
    let (to, stream, epoch) = (peer(BOB), 1, 1);
    ada.courier.decide(&to, 1, Decision::GiveUp, &mut ada.told).expect("it has stopped");
    let reason = Undelivered::GivenUp;
    assert_eq!(ada.take_told(), [CourierStep::Dropped { to, stream, epoch, count: 2, reason }]);
    assert_eq!(ada.courier.outbox_bytes(), 0);
    ada.say(4, 10);
    let reason = Undelivered::PeerAnew;
    assert_eq!(ada.take_told(), [CourierStep::Dropped { to, stream, epoch, count: 1, reason }]);
    ada.offer(said(2, 1, vec![9].into())).expect("a new epoch begins at 1");
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1]);
}

#[test]
fn a_receiver_that_has_more_than_was_said_stops_the_stream() {
    let (mut ada, mut bob) = pair();
    let old_disk = ada.courier.section();
    (1..=3).for_each(|seq| ada.say(seq, 10));
    settle(&mut ada, &mut bob);
    part(&mut ada, &mut bob);
    let mut ada = ada.restored(ADA, 2, &old_disk);
    join(&mut ada, &mut bob);
    ada.say(1, 10);
    assert_eq!(carried(&talk(&mut ada, &mut bob)), []);
    let alarm = Alarm::Ahead { stream: 1, offered: 1, durable: 3 };
    assert_eq!(ada.take_told(), [CourierStep::Alarm { peer: peer(BOB), alarm }]);
}

#[test]
fn a_courier_knows_when_its_own_node_remembers_less_than_was_acknowledged() {
    let (mut ada, mut bob) = pair();
    (1..=2).for_each(|seq| ada.say(seq, 10));
    settle(&mut ada, &mut bob);
    let at = |next| move |_: &_, _| Some(Watermark { epoch: 1, next });
    bob.courier.verify(at(3)).expect("it remembers all");
    let amnesia = bob.courier.verify(at(2)).expect_err("one is missing");
    assert_eq!((amnesia.acked, amnesia.known), (2, 1));
    bob.courier.verify(|_, _| None).expect_err("it knows of nothing");
    bob.courier.verify(|_, _| Some(Watermark { epoch: 2, next: 1 })).expect("a later epoch");
}

#[test]
fn a_new_epoch_of_the_node_drops_the_old_stream_and_tells_how_much_of_it() {
    let (mut ada, mut bob) = pair();
    part(&mut ada, &mut bob);
    (1..=2).for_each(|seq| ada.say(seq, 10));
    ada.poll();
    ada.take_told();
    ada.offer(said(2, 1, vec![9].into())).expect("a new epoch");
    let (to, stream, epoch, count) = (peer(BOB), 1, 1, 2);
    let reason = Undelivered::Anew;
    assert_eq!(ada.take_told(), [CourierStep::Dropped { to, stream, epoch, count, reason }]);
    join(&mut ada, &mut bob);
    settle(&mut ada, &mut bob);
    assert_eq!((bob.seqs(), ada.courier.outbox_bytes()), (vec![1], 0));
    let stale =
        bob.hear(WireEnvelope { boot_nonce: 10, incarnation: 1, ..said(1, 1, vec![7].into()) });
    assert_eq!(stale, Received::Dropped(Unheard::StaleEpoch { current: 2 }));
}

#[test]
fn a_refusal_for_good_stops_the_stream_and_one_that_passes_rests_it() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    let sent = |ada: &mut End, bob: &mut End| -> Vec<_> {
        let sent = ada.poll();
        sent.into_iter().for_each(|envelope| drop(bob.hear(envelope)));
        let back = bob.poll();
        back.into_iter().for_each(|envelope| drop(ada.hear(envelope)));
        ada.poll().into_iter().filter(|envelope| !envelope.fills.is_empty()).collect()
    };
    let first = sent(&mut ada, &mut bob);
    let _ = bob.hear(first[0].clone());
    bob.delivered.clear();
    bob.courier.refuse(&peer(ADA), 1, 1, RefusalReason::Busy);
    talk(&mut ada, &mut bob);
    assert!(bob.seqs().is_empty(), "it rests");
    assert!(ada.courier.next_due().is_some_and(|due| due > ada.now));
    ada.now = ada.now + millis(20);
    assert_eq!(carried(&talk(&mut ada, &mut bob)), [(1, true)]);
    bob.courier.refuse(&peer(ADA), 1, 1, RefusalReason::TooLarge);
    talk(&mut ada, &mut bob);
    let (stream, seq, reason) = (1, 1, RefusalReason::TooLarge);
    let alarm = Alarm::Refused { stream, seq, reason };
    assert_eq!(ada.take_told(), [CourierStep::Alarm { peer: peer(BOB), alarm }]);
    assert_eq!(ada.courier.next_due(), None);
}

#[test]
fn a_deadline_shrinks_while_an_envelope_waits_and_one_of_best_effort_that_ends_is_told() {
    let (mut ada, mut bob) = pair();
    part(&mut ada, &mut bob);
    let left = |millis: u64| Some(millis * 1_000_000);
    let stream = WireEnvelope { deadline_ns: left(5), ..said(1, 1, vec![7].into()) };
    ada.offer(stream).expect("it is the first");
    for (seq, millis) in [(1, 5), (2, 3)] {
        let loose =
            WireEnvelope { stream: 0, deadline_ns: left(millis), ..said(0, seq, vec![7].into()) };
        ada.offer(loose).expect("there is room");
    }
    ada.now = ada.now + millis(3);
    join(&mut ada, &mut bob);
    talk(&mut ada, &mut bob);
    let got: Vec<_> = bob.delivered.iter().map(|it| (it.stream, it.seq, it.deadline_ns)).collect();
    assert_eq!(got, [(0, 1, left(2)), (1, 1, left(2))]);
    let (to, stream, epoch, count) = (peer(BOB), 0, 0, 1);
    let reason = Undelivered::Expired;
    assert_eq!(ada.take_told(), [CourierStep::Dropped { to, stream, epoch, count, reason }]);
}

#[test]
fn what_a_node_refuses_reaches_the_other_node_and_stops_no_stream() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    ada.say(2, 10);
    let reason = RefusalReason::Quarantined.into();
    let refusals = vec![Refusal { stream: 1, stream_epoch: 1, seq: 2, reason }];
    let notice = WireEnvelope { fills: vec![], refusals, ..said(1, 1, vec![].into()) };
    bob.offer(notice.clone()).expect("it is the first");
    settle(&mut ada, &mut bob);
    assert_eq!(ada.delivered[0].refusals, notice.refusals);
    assert_eq!((bob.seqs(), ada.take_told()), (vec![1, 2], vec![]));
}

#[test]
fn what_was_dropped_behind_a_refusal_comes_again_though_a_copy_closes_the_gap_first() {
    let (mut ada, mut bob) = pair();
    (1..=3).for_each(|seq| ada.say(seq, 10));
    ada.poll().into_iter().for_each(|it| drop(bob.hear(it)));
    bob.poll().into_iter().for_each(|it| drop(ada.hear(it)));
    let frames = ada.poll();
    assert_eq!(carried(&frames), [(1, false), (2, false), (3, false)]);
    frames[..2].iter().for_each(|it| drop(bob.hear(it.clone())));
    bob.courier.refuse(&peer(ADA), 1, 2, RefusalReason::Busy);
    bob.delivered.pop();
    let gap = Received::Dropped(Unheard::Gap { expected: 2 });
    assert_eq!(bob.hear(frames[2].clone()), gap);
    assert!(matches!(bob.hear(frames[1].clone()), Received::Deliver(_)));
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1, 2, 3]);
}
