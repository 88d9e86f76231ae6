//! A million racing rounds on real threads: pushes, waits, crashes and a close; then answers.

use std::{sync::Arc, thread};

use samsara_ingress::{IngressHandle, IngressQueue, Readiness, TurnLimits, sync::block_on};

use super::queue;

const PRODUCERS: u32 = 4;
const ROUNDS: u32 = 250_000;
/// A life of the reader ends after so many turns, with a turn in hand.
const TURNS_PER_LIFE: u64 = 50;

/// Pushes `producer, 0`, `producer, 1`, … by every way there is.
fn produce(producer: u32, handle: &IngressHandle<(u32, u32), u32>) {
    let as_peer = handle.for_peer(&producer).expect("accounts are left");
    for round in 0..ROUNDS {
        let event = (producer, round);
        match round % 4 {
            0 => block_on(handle.push(event, 3)).expect("the mailbox is open"),
            1 => block_on(as_peer.push(event, 3)).expect("the mailbox is open"),
            2 => {
                if let Err(back) = as_peer.try_push(event, 3) {
                    block_on(handle.push(back.event, 3)).expect("the mailbox is open");
                }
            }
            // A weight of zero fits into any budget, and still needs a place.
            _ => block_on(handle.push(event, 0)).expect("the mailbox is open"),
        }
    }
}

#[test]
fn a_million_racing_rounds_lose_double_and_reorder_nothing() {
    let queue = IngressQueue::<(u32, u32), u32>::new(samsara_ingress::IngressLimits {
        items: 64,
        bytes: 128,
        ..Default::default()
    })
    .expect("the limits are valid");
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let handle = queue.handle();
            thread::spawn(move || produce(producer, &handle))
        })
        .collect();
    let queue = Arc::new(queue);
    let to_close = Arc::clone(&queue);
    let closer = thread::spawn(move || {
        producers.into_iter().for_each(|producer| producer.join().expect("no panic"));
        to_close.close();
    });

    let mut next = [0_u32; PRODUCERS as usize];
    let (mut life, mut turns) = (1, 0_u64);
    let mut reader = queue.open(life).expect("the first life");
    let mut events = Vec::new();
    while reader.wait().expect("this life reads") == Readiness::Events {
        reader.take(TurnLimits { items: 16, bytes: 64 }).expect("this life reads");
        turns += 1;
        if turns.is_multiple_of(TURNS_PER_LIFE) {
            life += 1;
            reader = queue.open(life).expect("lives rise");
            continue;
        }
        let charge = reader.commit(&mut events).expect("this life reads");
        for (producer, round) in events.drain(..).map(|held| held.event) {
            let expected = &mut next[producer as usize];
            assert_eq!(round, *expected, "producer {producer} is read in its own order");
            *expected += 1;
        }
        drop(charge);
    }
    closer.join().expect("no panic");
    assert_eq!(next, [ROUNDS; PRODUCERS as usize]);
    assert!(life > 100, "only {life} lives");
    let stats = queue.stats();
    assert_eq!((stats.items, stats.bytes, stats.waiting, stats.answers), (0, 0, 0, 0));
}

#[test]
fn answers_race_with_drops_and_each_ticket_ends_once() {
    let queue = queue(8, 1000);
    let mut reader = queue.open(1).expect("the first life");
    let (mut answered, mut dropped) = (0, 0);
    for _ in 0..20_000 {
        let ticket = queue.handle().ticket(0).expect("one ticket is out at a time");
        let settler = ticket.settler();
        let won = thread::scope(|scope| {
            let dropper = scope.spawn(move || drop(ticket));
            let won = settler.settle(1, 1).is_ok();
            dropper.join().expect("no panic");
            won
        });
        assert_eq!(super::read(&mut reader), [u32::from(won)]);
        if won { answered += 1 } else { dropped += 1 }
    }
    assert!(answered > 0, "no answer ever won against {dropped} drops");
}
