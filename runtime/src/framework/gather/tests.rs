//! Rounds at their count, at their deadline and at their caps.

use super::*;

const RULE: GatherRule = GatherRule {
    count: 3,
    wait: Nanos::new(10),
    late: LatePolicy::Drop,
    on_deadline: OnDeadline::Partial,
};

const fn place(round: u64, sender: PeerId) -> Place<u32, u64> {
    Place { channel: 0, round, sender }
}

fn peers<const N: usize>() -> [PeerId; N] {
    std::array::from_fn(|number| PeerId::from(number as u64))
}

fn late(late: LatePolicy) -> GatherRule {
    GatherRule { count: 1, late, ..RULE }
}

#[test]
fn a_round_ends_with_its_last_sender_in_the_order_of_senders() {
    let ([a, b, c], mut table) = (peers(), GatherTable::new(2, 2));
    for (have, sender) in [(1, c), (2, a)] {
        let waits = Ok(Gathering::Waits { have });
        assert_eq!(table.arrive(place(7, sender), 'x', Nanos::ZERO, &RULE), waits);
    }
    let ended = Gathered {
        channel: 0,
        round: 7,
        outcome: GatherOutcome::Whole,
        values: vec![(a, 'x'), (b, 'y'), (c, 'x')],
    };
    assert_eq!(table.arrive(place(7, b), 'y', Nanos::ZERO, &RULE), Ok(Gathering::Ended(ended)));
    assert!(table.is_empty());
    assert_eq!(table.arrive(place(7, b), 'z', Nanos::ZERO, &RULE), Ok(Gathering::Late('z')));
}

#[test]
fn a_sender_counts_once_and_what_it_sent_first_stands() {
    let ([a], mut table) = (peers(), GatherTable::new(2, 2));
    table.arrive(place(7, a), 'x', Nanos::ZERO, &RULE).expect("there is room");
    for _ in 0..5 {
        let duplicate = Ok(Gathering::Duplicate('y'));
        assert_eq!(table.arrive(place(7, a), 'y', Nanos::ZERO, &RULE), duplicate);
    }
    let ended = table.pop_expired(Nanos::new(10)).expect("its time is up");
    assert_eq!(ended.values, [(a, 'x')]);
}

#[test]
fn rounds_and_channels_do_not_mix() {
    let ([a, b, c], mut table) = (peers(), GatherTable::new(2, 2));
    for (channel, round, sender) in [(0, 1, a), (0, 2, b), (1, 1, c)] {
        let waits = Ok(Gathering::Waits { have: 1 });
        let place = Place { channel, round, sender };
        assert_eq!(table.arrive(place, 'x', Nanos::ZERO, &RULE), waits);
    }
    assert_eq!(table.len(), 3);
}

#[test]
fn at_the_deadline_the_rule_says_what_those_who_came_are() {
    for (on_deadline, outcome) in
        [(OnDeadline::Partial, GatherOutcome::Partial), (OnDeadline::Fail, GatherOutcome::TimedOut)]
    {
        let ([a, b], mut table) = (peers(), GatherTable::new(2, 2));
        let rule = GatherRule { on_deadline, ..RULE };
        table.arrive(place(7, a), 'x', Nanos::new(5), &rule).expect("there is room");
        assert_eq!(table.next_deadline(), Some(Nanos::new(15)));
        assert_eq!(table.pop_expired(Nanos::new(14)), None);
        let late = Ok(Gathering::Late('y'));
        assert_eq!(table.arrive(place(7, b), 'y', Nanos::new(15), &rule), late);
        let ended = table.pop_expired(Nanos::new(15)).expect("its time is up");
        assert_eq!((ended.outcome, ended.values), (outcome, vec![(a, 'x')]));
        assert_eq!((table.pop_expired(Nanos::MAX), table.next_deadline()), (None, None));
    }
}

#[test]
fn rounds_expire_by_deadline() {
    let ([a], mut table) = (peers(), GatherTable::new(2, 4));
    for (round, at) in [(1, 3), (2, 1), (3, 2)] {
        table.arrive(place(round, a), 'x', Nanos::new(at), &RULE).expect("there is room");
    }
    let expired: Vec<u64> =
        std::iter::from_fn(|| table.pop_expired(Nanos::new(12))).map(|ended| ended.round).collect();
    assert_eq!((expired, table.len()), (vec![2, 3], 1));
}

#[test]
fn what_is_late_goes_where_the_rule_says() {
    let [a, b] = peers();
    let ended = || {
        let mut table = GatherTable::new(2, 4);
        let whole = table.arrive(place(1, a), 'x', Nanos::ZERO, &late(LatePolicy::Drop));
        assert!(matches!(whole, Ok(Gathering::Ended(_))));
        table
    };
    for (policy, count) in [(LatePolicy::Drop, 0), (LatePolicy::Count, 1), (LatePolicy::Next, 0)] {
        let mut table = ended();
        let arrived = table.arrive(place(1, b), 'y', Nanos::ZERO, &late(policy));
        assert_eq!((arrived, table.late(0)), (Ok(Gathering::Late('y')), count));
    }
    let mut table = ended();
    for round in [5, 3] {
        table.arrive(place(round, a), 'x', Nanos::ZERO, &RULE).expect("there is room");
    }
    let waits = Ok(Gathering::Waits { have: 2 });
    let next = late(LatePolicy::Next);
    assert_eq!(table.arrive(place(1, b), 'y', Nanos::ZERO, &next), waits);
    let Some(third) = table.pop_expired(Nanos::new(10)) else { panic!("its time is up") };
    assert_eq!((third.round, third.values), (3, vec![(a, 'x'), (b, 'y')]));
}

#[test]
fn the_round_one_over_the_cap_is_refused_until_one_ends() {
    let ([a], mut table) = (peers(), GatherTable::new(1, 2));
    for round in [1, 2] {
        table.arrive(place(round, a), 'x', Nanos::ZERO, &RULE).expect("there is room");
    }
    let reason = CapReached { what: "open rounds", cap: 2 };
    assert_eq!(
        table.arrive(place(3, a), 'z', Nanos::ZERO, &RULE),
        Err(Refused { given: 'z', reason })
    );
    let reason = CapReached { what: "gathering channels", cap: 1 };
    let elsewhere = Place { channel: 1, ..place(1, a) };
    assert_eq!(
        table.arrive(elsewhere, 'z', Nanos::ZERO, &RULE),
        Err(Refused { given: 'z', reason })
    );
    table.pop_expired(Nanos::new(10));
    assert!(table.arrive(place(3, a), 'z', Nanos::ZERO, &RULE).is_ok());
}
