//! Promised answers: each arrives once, whatever fills the mailbox.

use std::task::{Context, Poll, Waker};

use samsara_ingress::{IngressLimits, Readiness, Refusal};

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
