//! Lives that ended, lives that are two, and peers without memory.

use samsara_proto::WireEnvelope;
use samsara_runtime::delivery::{
    Alarm, Courier, CourierStep, Life, Received, Station, Undelivered, Unheard,
};
use samsara_runtime::id::Incarnation;

use super::super::{config, peer, said, station};
use super::ends::{ADA, BOB, End, join, pair, part, settle, talk};

fn life(incarnation: u64, boot_nonce: u64) -> Life {
    Life { incarnation: Incarnation::new(incarnation), boot_nonce }
}

fn refusals(told: &[CourierStep]) -> Vec<(Life, WireEnvelope)> {
    let refused = told.iter().filter_map(|step| match step {
        CourierStep::Refuse { life, envelope, .. } => Some((*life, (**envelope).clone())),
        _ => None,
    });
    refused.collect()
}

#[test]
fn a_life_that_was_replaced_is_not_heard_and_learns_why() {
    let (mut zombie, mut bob) = pair();
    zombie.say(1, 10);
    settle(&mut zombie, &mut bob);
    zombie.say(2, 10);
    let mut late = zombie.poll();
    let section = zombie.courier.section();
    part(&mut zombie, &mut bob);
    let mut ada = zombie.restored(ADA, 2, &section);
    join(&mut ada, &mut bob);
    settle(&mut ada, &mut bob);
    let before = bob.seqs();

    let late = late.pop().expect("it was sent");
    assert_eq!(bob.hear(late.clone()), Received::Dropped(Unheard::Fenced));
    let _ = bob.hear(late);
    assert_eq!(bob.seqs(), before);
    bob.poll();
    let told = refusals(&bob.take_told());
    let [(refused, envelope)] = &told[..] else { panic!("once a turn, not {told:?}") };
    assert_eq!(*refused, life(1, 10));
    let _ = zombie.hear(envelope.clone());
    let alarm = Alarm::Fenced;
    assert_eq!(zombie.take_told(), [CourierStep::Alarm { peer: peer(BOB), alarm }]);
    let _ = ada.hear(envelope.clone());
    assert_eq!(ada.take_told(), [], "it is about another life");
}

#[test]
fn what_is_fenced_stays_fenced_over_a_restart_of_the_one_who_fences() {
    let (mut zombie, mut bob) = pair();
    zombie.say(1, 10);
    let late = zombie.poll().pop().expect("it asks");
    let mut ada = zombie.restored(ADA, 2, &zombie.courier.section());
    join(&mut ada, &mut bob);
    settle(&mut ada, &mut bob);
    let mut bob = bob.restored(BOB, 2, &bob.courier.section());
    assert_eq!(bob.hear(late), Received::Dropped(Unheard::Fenced));
}

#[test]
fn of_two_with_one_life_neither_is_heard_both_are_told_and_somebody_is_called() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    let mut twin = End::of(Courier::new(station(ADA, 1, 77), config()), BOB);
    twin.courier.link_up(peer(BOB)).expect("there is room");
    twin.say(1, 10);
    let asks = twin.poll().pop().expect("it asks");
    assert_eq!(bob.hear(asks), Received::Dropped(Unheard::Fenced));
    ada.say(2, 10);
    assert_eq!(
        ada.poll().into_iter().map(|it| bob.hear(it)).next(),
        Some(Received::Dropped(Unheard::Fenced))
    );
    assert_eq!(bob.poll(), [], "and nothing is sent to either");
    let told = bob.take_told();
    let alarm = Alarm::Twin { first: life(1, 10), second: life(1, 77) };
    assert_eq!(told.first(), Some(&CourierStep::Alarm { peer: peer(ADA), alarm }));
    let refused = refusals(&told);
    assert_eq!(
        refused.iter().map(|(life, _)| *life).collect::<Vec<_>>(),
        [life(1, 10), life(1, 77)]
    );
    for (end, (_, envelope)) in [&mut ada, &mut twin].into_iter().zip(refused) {
        let _ = end.hear(envelope);
        let alarm = Alarm::Fenced;
        assert_eq!(end.take_told(), [CourierStep::Alarm { peer: peer(BOB), alarm }]);
    }

    // A later life says which of them went on.
    let mut ada = ada.restored(ADA, 2, &ada.courier.section());
    join(&mut ada, &mut bob);
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1, 2]);
}

#[test]
fn a_peer_that_began_anew_ends_what_it_has_forgotten_and_gets_what_it_never_had() {
    let (mut ada, mut bob) = pair();
    ada.say(1, 10);
    settle(&mut ada, &mut bob);
    part(&mut ada, &mut bob);
    (2..=3).for_each(|seq| ada.say(seq, 10));
    let anew = Station { memory: 2, ..station(BOB, 2, 99) };
    let mut bob = End::of(Courier::new(anew, config()), ADA);
    join(&mut ada, &mut bob);
    talk(&mut ada, &mut bob);
    let (to, stream, epoch, count) = (peer(BOB), 1, 1, 2);
    let reason = Undelivered::PeerAnew;
    let told: Vec<_> = ada.take_told();
    let dropped = CourierStep::Dropped { to, stream, epoch, count, reason };
    assert_eq!(told, [CourierStep::Dial { peer: to }, dropped][usize::from(told.len() == 1)..]);
    assert_eq!((bob.seqs(), ada.courier.outbox_bytes()), (vec![], 0));
    ada.offer(said(2, 1, vec![9].into())).expect("a new epoch");
    settle(&mut ada, &mut bob);
    assert_eq!(bob.seqs(), [1]);
}
