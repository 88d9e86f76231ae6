//! Every primitive is written down and read back as what it was, and not beyond its limits.

use std::fmt::Debug;

use samsara_proto::{Address, PeerId};

use super::*;
use crate::{
    codec::{Kept, Loader, Saver, Types},
    config::{BackoffConfig, BackpressureConfig, PeerConfig, RttConfig},
    peer::PeerTable,
    rng::Rng,
    time::{millis, seconds},
};

/// Writes `full` and fills `empty` with it, which must then be the same; cut short it is refused.
fn there_and_back<T: Kept + Clone + PartialEq + Debug>(full: &T, empty: &T) {
    assert_ne!(full, empty, "it holds something");
    let mut out = Saver::default();
    full.save(&mut out);
    let (bytes, types) = (out.into_bytes(), Types::default());
    let mut filled = empty.clone();
    let mut from = Loader::new(&bytes, &types);
    filled.fill(&mut from).expect("it was written by its own kind");
    from.end().expect("all of it was read");
    assert_eq!(&filled, full);
    for end in 0..bytes.len() {
        let part = bytes.slice(..end);
        assert!(empty.clone().fill(&mut Loader::new(&part, &types)).is_err(), "cut at {end}");
    }
}

#[test]
fn what_ops_keep_comes_back() {
    let (mut full, empty) = (HoldTable::new(2, 2), HoldTable::new(2, 2));
    full.stash("a", 7_u64).expect("there is room");
    there_and_back(&full, &empty);
    let (mut full, empty) = (Metrics::new(2), Metrics::new(2));
    full.add("a", -7).expect("there is room");
    there_and_back(&full, &empty);
    let (mut full, empty) = (RecordBuffer::new(2, 2), RecordBuffer::new(2, 2));
    (0..3_u64).for_each(|n| drop(full.record("a", n)));
    there_and_back(&full, &empty);
    let (mut full, empty) = (SerializeQueue::new(2, 2, 2), SerializeQueue::new(2, 2, 2));
    full.enqueue("a", 7_u64).expect("there is room");
    full.dequeue("b", waiter(1, 2)).expect("there is room");
    there_and_back(&full, &empty);
    let (mut full, empty) = (PeerGate::new(2, 2), PeerGate::new(2, 2));
    for exec in 1..=3 {
        full.acquire("a", 2, waiter(exec, exec)).expect("there is room");
    }
    there_and_back(&full, &empty);
}

#[test]
fn what_waits_comes_back() {
    let (mut full, empty) = (Scheduler::new(3), Scheduler::new(3));
    full.schedule(seconds(2), 7_u64).expect("there is room");
    full.schedule_every(seconds(1), millis(3), 8).expect("there is room");
    there_and_back(&full, &empty);
    let [a] = peers();
    let (mut full, empty) = (RequestTracker::new(2), RequestTracker::new(2));
    let command = waiter(1, 2).command;
    let (sent_at, deadline, kind) = (seconds(1), seconds(2), RequestKind::new(3));
    full.open(Request { peer: a, kind, command, sent_at, deadline }).expect("there is room");
    there_and_back(&full, &empty);
    let (mut full, empty) = (GatherTable::new(2, 2), GatherTable::new(2, 2));
    let (late, on_deadline) = (LatePolicy::Next, OnDeadline::Partial);
    for (round, count) in [(1_u64, 2), (2, 1)] {
        let rule = GatherRule { count, wait: seconds(3), late, on_deadline };
        let place = Place { channel: 1_u32, round, sender: PeerId::from(2) };
        full.arrive(place, 7_u64, seconds(1), &rule).expect("there is room");
    }
    there_and_back(&full, &empty);
    let (mut full, empty) = (OutboundQueue::new(2, 75), OutboundQueue::new(2, 75));
    full.push(Delivery::BestEffort, 7_u64).expect("there is room");
    there_and_back(&full, &empty);
}

#[test]
fn what_is_known_of_peers_comes_back() {
    let [a, b] = peers();
    let (peer, other) = (PeerId::from(1), PeerId::from(2));
    let new = || InboundDedup::new(2, 2, 64);
    let mut full = new();
    full.accept(StreamKey { source: a, stream: 1 }, 5, FIRST_SEQ).expect("there is room");
    full.accept_id(b, 9).expect("there is room");
    there_and_back(&full, &new());
    let new = || PeerGovernor::new(PeerConfig { failure_threshold: 1, ..PeerConfig::default() });
    let mut full = new();
    full.record_failure(&peer, seconds(1));
    full.record_success(&other, seconds(2));
    full.block(&other).expect("there is room");
    full.set_allowlist(Some([peer].into())).expect("there is room");
    there_and_back(&full, &new());
    let new = || BackoffTable::new(BackoffConfig::default(), 2);
    let mut full = new();
    full.record_failure(&peer, seconds(1), &mut Rng::from_seed(1));
    there_and_back(&full, &new());
    let new = || BackpressureTracker::new(BackpressureConfig::default(), 4, 4);
    let mut full = new();
    full.on_arrival(a, Traffic::Unasked, 4, seconds(1));
    there_and_back(&full, &new());
    let new = || RttTracker::new(RttConfig::default(), 8);
    let mut full = new();
    let chain = Some(ChainContext { chain_id: 1, hop_index: 2 });
    full.observe(Route { peer: a, channel: 3, chain }, millis(4));
    there_and_back(&full, &new());
    let new = || AddressBook::new(peer, 2, 2);
    let mut full = new();
    let address: Address = "/ip4/10.0.0.1/tcp/1".parse().expect("an address");
    full.add_peer(&other, std::slice::from_ref(&address)).expect("there is room");
    full.learn(&peer, &address).expect("there is room");
    there_and_back(&full, &new());
}

#[test]
fn a_table_of_peers_keeps_its_indices_and_its_gaps() {
    let mut full = PeerTable::new(4);
    let held: Vec<_> = (1..=3).map(|n| full.acquire(&PeerId::from(n)).expect("room")).collect();
    full.release(held[1]);
    let mut out = Saver::default();
    full.save(&mut out);
    let (bytes, types) = (out.into_bytes(), Types::default());
    let mut filled = PeerTable::new(4);
    filled.fill(&mut Loader::new(&bytes, &types)).expect("it was written by its own kind");
    assert_eq!(filled.lookup(&PeerId::from(3)), Some(held[2]));
    assert_eq!(filled.acquire(&PeerId::from(9)), Ok(held[1]));
    assert!(PeerTable::new(1).fill(&mut Loader::new(&bytes, &types)).is_err());
}

#[test]
fn what_was_written_under_larger_limits_is_refused() {
    let mut full = HoldTable::new(2, 2);
    (0..2).for_each(|_| full.stash("a", 7_u64).expect("there is room"));
    let mut out = Saver::default();
    full.save(&mut out);
    let (bytes, types) = (out.into_bytes(), Types::default());
    assert!(HoldTable::<u64>::new(2, 1).fill(&mut Loader::new(&bytes, &types)).is_err());
}
