//! What is remembered of clients, and for how long.

use super::*;
use crate::{codec::Types, rng::Rng, time::seconds};

const CLIENT: ClientId = ClientId([1; 16]);
const OTHER: ClientId = ClientId([2; 16]);

fn sessions() -> Sessions<u64> {
    Sessions::new(SessionConfig {
        max_clients: 2,
        max_requests_per_client: 3,
        reply_bytes: 100,
        client_idle: seconds(10),
    })
}

fn full(what: &'static str, cap: u32) -> SessionError {
    CapReached { what, cap }.into()
}

#[test]
fn a_retry_gets_the_first_answer_and_a_second_answer_is_not_kept() {
    let mut sessions = sessions();
    assert_eq!(sessions.ask(CLIENT, 1, seconds(0)), Ok(Asked::New));
    assert_eq!(sessions.ask(CLIENT, 1, seconds(1)), Ok(Asked::Pending));
    assert!(sessions.settle(CLIENT, 1, 7, 10));
    assert!(!sessions.settle(CLIENT, 1, 8, 10), "it has its answer");
    assert!(!sessions.settle(CLIENT, 2, 8, 10) && !sessions.settle(OTHER, 1, 8, 10));
    assert_eq!(sessions.ask(CLIENT, 1, seconds(2)), Ok(Asked::Answered(&7)));
}

#[test]
fn a_request_older_than_the_window_is_refused_and_one_under_way_is_never_pushed_out() {
    let mut sessions = sessions();
    for request in 1..=3 {
        assert_eq!(sessions.ask(CLIENT, request, seconds(0)), Ok(Asked::New));
    }
    let before = sessions.clone();
    assert_eq!(sessions.ask(CLIENT, 4, seconds(0)), Err(full("requests of a client", 3)));
    assert_eq!(sessions, before);
    sessions.settle(CLIENT, 1, 7, 10);
    assert_eq!(sessions.ask(CLIENT, 4, seconds(0)), Ok(Asked::New));
    let too_old = SessionError::TooOld { request: 1, oldest: 2 };
    assert_eq!(sessions.ask(CLIENT, 1, seconds(0)), Err(too_old));
    assert_eq!(sessions.ask(CLIENT, 2, seconds(0)), Ok(Asked::Pending));
    assert_eq!(sessions.bytes, 0, "the answer went with its request");
}

#[test]
fn answers_beyond_the_budget_go_oldest_first_and_are_never_carried_out_again() {
    let mut sessions = sessions();
    for request in 1..=3 {
        sessions.ask(CLIENT, request, seconds(0)).expect("there is room");
    }
    sessions.settle(CLIENT, 2, 2, 60);
    sessions.settle(CLIENT, 1, 1, 40);
    assert_eq!(sessions.ask(CLIENT, 2, seconds(0)), Ok(Asked::Answered(&2)), "exactly full");
    sessions.settle(CLIENT, 3, 3, 1);
    assert_eq!(sessions.ask(CLIENT, 2, seconds(0)), Ok(Asked::Gone));
    assert_eq!(sessions.ask(CLIENT, 1, seconds(0)), Ok(Asked::Answered(&1)));
    sessions.ask(OTHER, 1, seconds(0)).expect("there is room");
    assert!(sessions.settle(OTHER, 1, 9, 101), "too large to keep at all");
    assert_eq!(sessions.ask(OTHER, 1, seconds(0)), Ok(Asked::Gone));
    assert_eq!(sessions.ask(CLIENT, 1, seconds(0)), Ok(Asked::Answered(&1)));
}

#[test]
fn one_client_too_many_is_refused_until_one_was_silent_long_enough() {
    let mut sessions = sessions();
    let third = ClientId([3; 16]);
    sessions.ask(CLIENT, 1, seconds(0)).expect("there is room");
    sessions.ask(OTHER, 1, seconds(1)).expect("there is room");
    sessions.settle(OTHER, 1, 7, 10);
    assert_eq!(sessions.ask(third, 1, seconds(10)), Err(full("clients", 2)));
    assert_eq!(sessions.ask(third, 1, seconds(11)), Ok(Asked::New));
    assert_eq!((sessions.len(), sessions.bytes), (2, 0));
    assert_eq!(sessions.ask(CLIENT, 1, seconds(11)), Ok(Asked::Pending), "it has work under way");
    assert_eq!(sessions.ask(OTHER, 2, seconds(11)), Err(SessionError::Forgotten));
    sessions.close(third);
    assert_eq!(sessions.ask(OTHER, 1, seconds(11)), Ok(Asked::New));
}

#[test]
fn whatever_is_asked_and_answered_nothing_is_carried_out_twice() {
    let (mut sessions, mut rng) = (sessions(), Rng::from_seed(1));
    let mut done = std::collections::BTreeSet::new();
    for step in 0..50_000_u64 {
        let client = if rng.below(2) == 0 { CLIENT } else { OTHER };
        let request = 1 + step / 2_000 + rng.below(8);
        match rng.below(3) {
            0 => drop(sessions.settle(client, request, request, rng.below(60))),
            _ => match sessions.ask(client, request, seconds(step)) {
                Ok(Asked::New) => assert!(done.insert((client, request)), "{request} again"),
                Ok(Asked::Answered(reply)) => assert_eq!(*reply, request),
                Ok(Asked::Pending | Asked::Gone) => assert!(done.contains(&(client, request))),
                Err(_) => {}
            },
        }
        assert!(sessions.bytes <= 100 && sessions.answered.len() <= 6);
    }
    assert!(done.len() > 20, "{} requests", done.len());
}

#[test]
fn the_table_is_read_back_and_not_beyond_its_limits() {
    let mut full = sessions();
    for request in 1..=3 {
        full.ask(CLIENT, request, seconds(0)).expect("there is room");
    }
    full.ask(OTHER, 1, seconds(3)).expect("there is room");
    full.settle(CLIENT, 2, 7, 60);
    full.settle(CLIENT, 1, 8, 60);
    let mut out = Saver::default();
    full.save(&mut out);
    let (bytes, types) = (out.into_bytes(), Types::default());
    let fill = |mut empty: Sessions<u64>, bytes: &bytes::Bytes| {
        let mut from = Loader::new(bytes, &types);
        empty.fill(&mut from)?;
        from.end().map(|()| empty)
    };
    assert_eq!(fill(sessions(), &bytes), Ok(full));
    for end in 0..bytes.len() {
        assert!(fill(sessions(), &bytes.slice(..end)).is_err(), "cut at {end}");
    }
    let with = |change: fn(&mut SessionConfig)| {
        let mut smaller = sessions();
        change(&mut smaller.config);
        fill(smaller, &bytes)
    };
    assert!(with(|config| config.max_clients = 1).is_err());
    assert!(with(|config| config.max_requests_per_client = 2).is_err());
    assert!(with(|config| config.reply_bytes = 59).is_err());
}
