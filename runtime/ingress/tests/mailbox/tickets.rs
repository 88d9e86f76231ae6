//! Promised answers: each arrives once, whatever fills the mailbox.

use std::task::{Context, Poll, Waker};

use samsara_ingress::{IngressLimits, IngressReader, Readiness, Refusal, TurnLimits};

use super::{Queue, queue, read};

#[test]
fn an_answer_finds_room_in_a_full_mailbox() {
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    queue.handle().try_push(1, 1).expect("there is room");
    ticket.settle(2, 1).expect("an answer needs no place of the others");
    assert_eq!(read(&mut reader), [1, 2]);
}

#[test]
fn a_dropped_ticket_is_answered_with_its_last_word() {
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    drop(queue.handle().ticket(7).expect("tickets are left"));
    assert_eq!(read(&mut reader), [7]);
}

#[test]
fn a_second_answer_comes_back() {
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    ticket.settle(1, 1).expect("the first answer");
    let back = ticket.settle(2, 1).expect_err("the second answer");
    assert_eq!((back.event, back.refusal), (2, Refusal::Settled));
    drop(ticket);
    assert_eq!(read(&mut reader), [1]);
}

#[test]
fn an_answer_over_the_budget_leaves_the_ticket_open() {
    let queue = queue(1, 10);
    let mut reader = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    queue.handle().try_push(1, 8).expect("there is room");
    let back = ticket.settle(2, 3).expect_err("two bytes are left");
    assert_eq!(back.refusal, Refusal::OverBudget { bytes: 3, remaining: 2 });
    read(&mut reader);
    ticket.settle(back.event, 3).expect("now there is budget");
    assert_eq!(read(&mut reader), [2]);
}

#[test]
fn tickets_are_bounded_until_their_answer_is_read() {
    let limits = IngressLimits { tickets: 1, ..IngressLimits::default() };
    let queue = Queue::new(limits).expect("the limits are valid");
    let mut reader = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("one ticket fits");
    let back = queue.handle().ticket(9).expect_err("two do not");
    assert_eq!((back.event, back.refusal), (9, Refusal::TooManyTickets { cap: 1 }));
    drop(ticket);
    assert!(queue.handle().ticket(9).is_err(), "its last word waits");
    read(&mut reader);
    queue.handle().ticket(9).map(drop).expect("its last word was read");
}

#[test]
fn a_ticket_ends_with_the_life_that_it_was_opened_in() {
    let queue = queue(1, 100);
    let _first = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    let mut second = queue.open(2).expect("the second life");
    let back = ticket.settle(1, 1).expect_err("its life has ended");
    assert_eq!(back.refusal, Refusal::Fenced { life: 1, current: 2 });
    drop(ticket);
    assert_eq!(read(&mut second), []);
}

#[test]
fn a_closed_mailbox_ends_only_after_its_promised_answers() {
    let mut cx = Context::from_waker(Waker::noop());
    let queue = queue(1, 100);
    let mut reader = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    queue.close();
    assert_eq!(reader.poll_ready(&mut cx), Poll::Pending);
    ticket.settle(1, 1).expect("a promise is kept after the close");
    assert_eq!(read(&mut reader), [1]);
    assert_eq!(reader.poll_ready(&mut cx), Poll::Ready(Ok(Readiness::Ended)));
}

/// The answers alone, and then all else.
fn answers_and_the_rest(reader: &mut IngressReader<u32, &'static str>) -> (Vec<u32>, Vec<u32>) {
    let mut events = Vec::new();
    reader.take_answers_and(TurnLimits::default(), |_| ()).expect("this life reads");
    let _charge = reader.commit(&mut events).expect("this life reads");
    (events.into_iter().map(|held| held.event).collect(), read(reader))
}

#[test]
fn answers_can_be_taken_without_what_waits_before_them() {
    let queue = queue(8, 100);
    let mut reader = queue.open(1).expect("the first life");
    let tickets = [10, 11].map(|_| queue.handle().ticket(0).expect("tickets are left"));
    queue.handle().try_push(1, 1).expect("there is room");
    tickets[0].settle(10, 1).expect("it is open");
    // What was taken in hand before, and what comes behind it.
    reader.take(TurnLimits { items: 1, ..TurnLimits::default() }).expect("this life reads");
    assert_eq!(read_one(&mut reader), 1);
    queue.handle().try_push(2, 1).expect("there is room");
    tickets[1].settle(11, 1).expect("it is open");
    queue.handle().try_push(3, 1).expect("there is room");
    assert_eq!(answers_and_the_rest(&mut reader), (vec![10, 11], vec![2, 3]));
    assert_eq!(answers_and_the_rest(&mut reader), (vec![], vec![]));
    let stats = queue.stats();
    assert_eq!((stats.items, stats.answers, stats.bytes), (0, 0, 0));
}

#[test]
fn answers_that_were_taken_and_not_committed_are_seen_by_the_next_life() {
    let queue = queue(8, 100);
    let mut first = queue.open(1).expect("the first life");
    let ticket = queue.handle().ticket(0).expect("tickets are left");
    queue.handle().try_push(1, 1).expect("there is room");
    ticket.settle(10, 1).expect("it is open");
    let took = first.take_answers_and(TurnLimits::default(), |turn| turn.len());
    assert_eq!(took, Ok(1));
    let mut second = queue.open(2).expect("the next life");
    assert_eq!(read(&mut second), [10, 1]);
}

fn read_one(reader: &mut IngressReader<u32, &'static str>) -> u32 {
    let mut events = Vec::new();
    let _charge = reader.commit(&mut events).expect("this life reads");
    events.remove(0).event
}
