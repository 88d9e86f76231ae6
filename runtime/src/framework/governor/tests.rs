//! The governor's lists, its breaker, and that each change is told once.

use super::*;
use crate::config::BackoffConfig;
use crate::rng::Rng;
use crate::time::{millis, seconds};

const PEER: u64 = 1;

fn governor() -> PeerGovernor {
    PeerGovernor::new(PeerConfig {
        max_peers: 2,
        max_listed: 2,
        failure_threshold: 3,
        probe_after: seconds(10),
        ..PeerConfig::default()
    })
}

fn calm() -> BackoffTable {
    BackoffTable::new(BackoffConfig::default(), 8)
}

fn fail(governor: &mut PeerGovernor, peer: u64, times: u32, now: Nanos) -> Vec<PeerTransition> {
    let peer = PeerId::from(peer);
    (0..times).filter_map(|_| governor.record_failure(&peer, now)).collect()
}

#[test]
fn a_peer_is_down_from_the_threshold_on_and_told_so_once() {
    let (mut governor, peer) = (governor(), PeerId::from(PEER));
    assert_eq!(fail(&mut governor, PEER, 2, seconds(1)), []);
    assert_eq!(governor.check_outbound(&peer, seconds(1), &calm()), Ok(()));
    assert_eq!(fail(&mut governor, PEER, 3, seconds(2)), [PeerTransition::Down]);
    assert_eq!(governor.check_outbound(&peer, seconds(2), &calm()), Err(Denial::Down));
    let health = PeerHealth { consecutive_failures: 5, last_event_ns: seconds(2), down: true };
    assert_eq!(governor.health(&peer), Some(health));
    assert_eq!(governor.record_success(&peer, seconds(3)), Some(PeerTransition::Up));
    assert_eq!(governor.record_success(&peer, seconds(3)), None);
    assert_eq!(governor.check_outbound(&peer, seconds(3), &calm()), Ok(()));
}

#[test]
fn a_success_starts_the_count_again() {
    let mut governor = governor();
    for _ in 0..3 {
        assert_eq!(fail(&mut governor, PEER, 2, Nanos::ZERO), []);
        assert_eq!(governor.record_success(&PeerId::from(PEER), Nanos::ZERO), None);
    }
}

#[test]
fn one_attempt_a_turn_reaches_a_peer_that_is_down() {
    let (mut governor, peer) = (governor(), PeerId::from(PEER));
    fail(&mut governor, PEER, 3, seconds(1));
    let mut check = |at| governor.check_outbound(&peer, at, &calm());
    assert_eq!(check(seconds(11) - Nanos::new(1)), Err(Denial::Down));
    assert_eq!(check(seconds(11)), Ok(()));
    assert_eq!(check(seconds(12)), Err(Denial::Down));
    // Nobody said how the attempt ended: the next turn comes all the same.
    assert_eq!(check(seconds(21)), Ok(()));
    fail(&mut governor, PEER, 1, seconds(30));
    let mut check = |at| governor.check_outbound(&peer, at, &calm());
    assert_eq!(check(seconds(31)), Err(Denial::Down));
    assert_eq!(check(seconds(40)), Ok(()));
}

#[test]
fn a_pause_holds_back_sends_and_does_not_use_up_the_attempt() {
    let (mut governor, peer, mut backoff) = (governor(), PeerId::from(PEER), calm());
    fail(&mut governor, PEER, 3, Nanos::ZERO);
    backoff.record_failure(&peer, seconds(10), &mut Rng::from_seed(1));
    backoff.advise(&peer, seconds(10), millis(500));
    let until = seconds(10) + millis(500);
    assert_eq!(
        governor.check_outbound(&peer, seconds(10), &backoff),
        Err(Denial::Cooldown { until })
    );
    assert_eq!(governor.check_inbound(&peer), Ok(()));
    assert_eq!(governor.check_outbound(&peer, until, &backoff), Ok(()));
}

#[test]
fn the_lists_hold_both_ways_and_blocking_comes_first() {
    let mut governor = governor();
    let (on, off) = (PeerId::from(1), PeerId::from(2));
    governor.set_allowlist(Some([on].into())).expect("there is room");
    assert_eq!(governor.check_inbound(&on), Ok(()));
    assert_eq!(governor.check_inbound(&off), Err(Denial::NotAllowlisted));
    assert_eq!(governor.check_outbound(&off, Nanos::ZERO, &calm()), Err(Denial::NotAllowlisted));
    assert_eq!(governor.block(&off), Ok(Some(PeerTransition::Blocked)));
    assert_eq!(governor.check_inbound(&off), Err(Denial::Blocklisted));
    assert_eq!(governor.unblock(&off), Some(PeerTransition::Unblocked));
    assert_eq!(governor.unblock(&off), None);
    governor.set_allowlist(Some(BTreeSet::new())).expect("there is room");
    assert_eq!(governor.check_inbound(&on), Err(Denial::NotAllowlisted));
    governor.set_allowlist(None).expect("there is room");
    assert_eq!(governor.check_inbound(&off), Ok(()));
}

#[test]
fn a_full_list_refuses_and_stays_as_it_was() {
    let mut governor = governor();
    for peer in [1, 2] {
        governor.block(&PeerId::from(peer)).expect("there is room");
    }
    let before = governor.clone();
    assert_eq!(governor.block(&PeerId::from(3)), Err(CapReached { what: "blocked peers", cap: 2 }));
    assert_eq!(
        governor.set_allowlist(Some([1, 2, 3].map(PeerId::from).into())),
        Err(CapReached { what: "allowed peers", cap: 2 })
    );
    assert_eq!(governor.block(&PeerId::from(1)), Ok(None));
    assert_eq!(governor, before);
}

#[test]
fn peers_that_are_down_are_never_forgotten_so_each_comes_up_again() {
    let mut governor = governor();
    for peer in [1, 2] {
        fail(&mut governor, peer, 3, Nanos::ZERO);
    }
    assert_eq!(fail(&mut governor, 3, 3, Nanos::ZERO), []);
    assert_eq!(governor.untracked(), 3);
    for peer in [1, 2] {
        let peer = PeerId::from(peer);
        assert_eq!(governor.record_success(&peer, Nanos::ZERO), Some(PeerTransition::Up));
    }
    assert_eq!(fail(&mut governor, 3, 3, Nanos::ZERO), [PeerTransition::Down]);
}
