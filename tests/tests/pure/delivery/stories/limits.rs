//! Credit, rooms that are full, and what is told of it.

use samsara_proto::WireEnvelope;
use samsara_runtime::codec::Unreadable;
use samsara_runtime::config::DeliveryConfig;
use samsara_runtime::delivery::{Courier, CourierStep, OfferError, Received, Undelivered, Unheard};
use samsara_runtime::time::{Nanos, millis};

use super::super::{CREDIT, MAILBOX, OUTBOX, config, cost, peer, said, station};
use super::ends::{ADA, BOB, End, join, pair, part, settle, talk};

#[test]
fn acknowledgements_are_gathered_and_go_by_themselves_when_they_are_due() {
    let (mut ada, mut bob) = pair();
    (1..=3).for_each(|seq| ada.say(seq, 1));
    talk(&mut ada, &mut bob);
    bob.sync();
    assert_eq!(bob.poll(), [], "an envelope may come that they can ride on");
    assert_eq!(bob.courier.next_due(), Some(bob.now + Nanos::from_micros(200)));
    bob.now = bob.now + Nanos::from_micros(200);
    let alone = bob.poll();
    assert_eq!(alone.len(), 1);
    assert_eq!(alone[0].acks.iter().map(|ack| ack.durable).collect::<Vec<_>>(), [3]);

    // At the fourth it does not wait.
    alone.into_iter().for_each(|it| drop(ada.hear(it)));
    (4..=7).for_each(|seq| ada.say(seq, 1));
    talk(&mut ada, &mut bob);
    bob.sync();
    assert_eq!(bob.poll().len(), 1);
}

#[test]
fn an_acknowledgement_rides_on_what_goes_that_way() {
    let (mut ada, mut bob) = pair();
    bob.say(1, 1);
    settle(&mut ada, &mut bob);
    ada.say(1, 1);
    talk(&mut ada, &mut bob);
    bob.sync();
    bob.say(2, 1);
    let sent = bob.poll();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].seq, sent[0].acks.len()), (2, 1));
}

#[test]
fn a_sender_stops_at_the_credit_and_goes_on_as_it_grows() {
    let (mut ada, mut bob) = pair();
    let each = cost(&said(1, 1, vec![7; 600].into()));
    let most = CREDIT / each;
    (1..=most + 3).for_each(|seq| ada.say(seq, 600));
    talk(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), (1..=most).collect::<Vec<_>>());
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), (1..=most + 3).collect::<Vec<_>>());
}

#[test]
fn a_receiver_without_room_gives_no_credit_and_tells_when_there_is_some() {
    let (mut ada, mut bob) = pair();
    bob.room = 0;
    ada.say(1, 10);
    talk(&mut ada, &mut bob);
    assert_eq!((bob.seqs(), ada.courier.next_due()), (vec![], None));
    bob.room = MAILBOX;
    talk(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1]);
}

#[test]
fn an_envelope_that_takes_nearly_all_credit_goes_when_there_is_room_for_it() {
    let (mut ada, mut bob) = pair();
    let large = 3_000;
    bob.room = cost(&said(1, 1, vec![7; large].into())) - 1;
    ada.say(1, large);
    talk(&mut ada, &mut bob);
    assert!(bob.seqs().is_empty(), "it lacks one byte");
    bob.room = MAILBOX;
    talk(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1]);
}

#[test]
fn new_work_is_refused_from_the_high_mark_and_reliable_output_is_never_dropped() {
    let (mut ada, mut bob) = pair();
    part(&mut ada, &mut bob);
    let each = cost(&said(1, 1, vec![7; 600].into()));
    let high = (OUTBOX / 2).div_ceil(each);
    (1..high).for_each(|seq| ada.say(seq, 600));
    ada.poll();
    assert_eq!(
        (ada.courier.is_busy(), ada.take_told()),
        (false, vec![CourierStep::Dial { peer: peer(BOB) }])
    );
    ada.say(high, 600);
    ada.poll();
    assert_eq!((ada.courier.is_busy(), ada.take_told()), (true, vec![CourierStep::Busy]));
    let full = OUTBOX.div_ceil(each);
    (high + 1..=full + 5).for_each(|seq| ada.say(seq, 600));
    assert!(ada.courier.is_full());
    join(&mut ada, &mut bob);
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), (1..=full + 5).collect::<Vec<_>>());
    ada.poll();
    assert_eq!((ada.courier.is_busy(), ada.take_told()), (false, vec![CourierStep::Free]));
}

#[test]
fn a_missing_link_is_asked_for_once() {
    let (mut ada, mut bob) = pair();
    part(&mut ada, &mut bob);
    ada.say(1, 1);
    ada.poll();
    ada.say(2, 1);
    ada.poll();
    let dial = CourierStep::Dial { peer: peer(BOB) };
    assert_eq!(ada.take_told(), std::slice::from_ref(&dial));
    join(&mut ada, &mut bob);
    talk(&mut ada, &mut bob);
    part(&mut ada, &mut bob);
    ada.poll();
    assert_eq!(ada.take_told(), [dial], "it was lost again");
}

#[test]
fn the_oldest_best_effort_makes_room_and_is_told_and_none_is_repeated() {
    let small = DeliveryConfig { max_best_effort: 2, ..config() };
    let (mut ada, mut bob) = (End::new(ADA, BOB, small), End::new(BOB, ADA, config()));
    let loose = |seq| WireEnvelope { stream: 0, ..said(0, seq, vec![7].into()) };
    (1..=3).for_each(|seq| ada.offer(loose(seq)).expect("there is room"));
    let (to, stream, epoch, count) = (peer(BOB), 0, 0, 1);
    let dropped = |reason| CourierStep::Dropped { to, stream, epoch, count, reason };
    assert_eq!(ada.take_told(), [dropped(Undelivered::Evicted)]);
    let class = samsara_runtime::framework::Delivery::BestEffort;
    ada.courier.offer_again(to, class, loose(9), ada.now, &mut ada.told).expect("it is dropped");
    assert_eq!(ada.take_told(), [dropped(Undelivered::Replayed)]);
    join(&mut ada, &mut bob);
    talk(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [2, 3]);
}

#[test]
fn one_peer_and_one_stream_over_the_cap_are_refused_with_a_type() {
    let small = DeliveryConfig { max_peers: 2, max_streams_per_peer: 1, ..config() };
    let mut ada = End::new(ADA, BOB, small);
    ada.courier.link_up(peer(1)).expect("there is room");
    ada.courier.link_up(peer(2)).expect("there is room");
    let full = ada.courier.link_up(peer(3)).expect_err("two are linked");
    assert_eq!((full.what, full.cap), ("peers of a courier", 2));
    ada.courier.link_down(&peer(2));
    ada.courier.link_up(peer(3)).expect("nothing is open with the one that left");

    ada.say(1, 1);
    let second = WireEnvelope { stream: 2, ..said(1, 1, vec![7].into()) };
    let Err(OfferError::Full(full)) = ada.offer(second.clone()) else { panic!("a second stream") };
    assert_eq!((full.what, full.cap), ("outbound streams of a peer", 1));
    let Received::Deliver(_) = ada.hear(said(1, 1, vec![7].into())) else { panic!("the first") };
    let Received::Dropped(Unheard::Full(full)) = ada.hear(second) else {
        panic!("a second stream")
    };
    assert_eq!((full.what, full.cap), ("inbound streams of a peer", 1));
    let told: Vec<_> = ada.poll().into_iter().flat_map(|envelope| envelope.refusals).collect();
    assert_eq!(told.iter().map(|refusal| refusal.stream).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_section_is_read_back_and_nothing_else_is() {
    let (mut ada, mut bob) = pair();
    bob.say(1, 100);
    settle(&mut ada, &mut bob);
    (1..=2).for_each(|seq| ada.say(seq, 100));
    let section = ada.courier.section();
    let restore = |bytes| Courier::restore(station(ADA, 2, 9), config(), &bytes);
    assert_eq!(restore(section.clone()).expect("it was written here").section(), section);
    for end in 0..section.len() {
        restore(section.slice(..end)).expect_err("it was cut");
    }
    let longer = [&section[..], b"x"].concat();
    assert!(matches!(restore(longer.into()), Err(Unreadable::Trailing { extra: 1 })));
    let few = DeliveryConfig { max_peers: 1, ..config() };
    let mut two = ada.courier.clone();
    let third = samsara_runtime::framework::Delivery::Effective;
    let envelope = said(1, 1, vec![7].into());
    two.offer(peer(3), third, envelope, millis(1), &mut ada.told).expect("there is room");
    Courier::restore(station(ADA, 2, 9), few, &two.section()).expect_err("it is for more peers");
}
