//! The tests of delivery that the acceptance suite names, each by its number.
//!
//! Law: what is counted is what the receiver's Node would get; a count that a test is about is never
//! zero. `SAMSARA_DELIVERY` sets how many envelopes go over, `1000000` is the suite's own number.

use std::collections::VecDeque;

use samsara_proto::WireEnvelope;
use samsara_proto::wire::Fill;
use samsara_runtime::delivery::{Alarm, CourierStep, Life, Received, Unheard};
use samsara_runtime::framework::Watermark;
use samsara_runtime::id::Incarnation;
use samsara_runtime::rng::Rng;
use samsara_runtime::time::millis;

use super::super::{peer, said};
use super::ends::{ADA, BOB, End, join, pair, part, settle, talk};

/// Envelopes that a test sends, unless the environment says how many.
const ENVELOPES: u64 = 10_000;

fn envelopes() -> u64 {
    std::env::var("SAMSARA_DELIVERY").ok().and_then(|text| text.parse().ok()).unwrap_or(ENVELOPES)
}

/// How often what happened.
#[derive(Debug, Default)]
struct Count {
    sent: u64,
    resent: u64,
    lost: u64,
    replayed: u64,
    duplicates: u64,
    cuts: u64,
    restarts: u64,
}

/// One stream over links that are cut; what is on its way is either lost or comes again later.
struct Line {
    ada: End,
    bob: End,
    life: u64,
    make: fn(u64) -> WireEnvelope,
    rng: Rng,
    /// What Ada's Node has said, and what of it was sent, may have been, or has had its effect.
    said: u64,
    sent: u64,
    inherited: u64,
    effects: u64,
    wire: VecDeque<WireEnvelope>,
    count: Count,
}

impl Line {
    fn new(seed: u64, make: fn(u64) -> WireEnvelope) -> Self {
        let ((ada, bob), rng) = (pair(), Rng::from_seed(seed));
        let (wire, count) = (VecDeque::new(), Count::default());
        Self {
            ada,
            bob,
            life: 1,
            make,
            rng,
            said: 0,
            sent: 0,
            inherited: 0,
            effects: 0,
            wire,
            count,
        }
    }

    fn say(&mut self, most: u64) {
        while self.said < most && !self.ada.courier.is_busy() {
            self.said += 1;
            self.ada.offer((self.make)(self.said)).expect("it is the next");
        }
    }

    fn send(&mut self) {
        for envelope in self.ada.poll() {
            if !envelope.fills.is_empty() {
                self.count.sent += 1;
                // D36: never on a first send, unless an earlier process may have made it.
                let is_repeated = envelope.seq <= self.sent.max(self.inherited);
                assert_eq!(envelope.redelivered, is_repeated, "number {}", envelope.seq);
                self.count.resent += u64::from(is_repeated);
                self.sent = self.sent.max(envelope.seq);
            }
            self.wire.push_back(envelope);
        }
    }

    fn arrive(&mut self, frames: usize) {
        for envelope in self.wire.drain(..frames.min(self.wire.len())) {
            match self.bob.hear(envelope) {
                Received::Dropped(Unheard::Duplicate) => self.count.duplicates += 1,
                Received::Dropped(Unheard::Gap { .. } | Unheard::Fenced) | Received::Done => {}
                Received::Deliver(envelope) => {
                    self.effects += 1;
                    assert_eq!(envelope.seq, self.effects, "once and in order");
                }
                Received::Dropped(other) => panic!("{other}"),
            }
        }
        for envelope in self.bob.poll() {
            let _ = self.ada.hear(envelope);
        }
    }

    fn sync(&mut self) {
        self.bob.sync();
        self.bob.delivered.clear();
        self.bob.synced = 0;
    }

    /// Cuts the link under what is on its way: up to 30 in 100 are lost, and every second of those
    /// comes again on the next link.
    fn cut(&mut self) {
        self.count.cuts += 1;
        let lost = self.wire.len() * self.rng.below(31) as usize / 100;
        self.arrive(self.wire.len() - lost);
        part(&mut self.ada, &mut self.bob);
        if self.rng.chance(1, 3) {
            self.count.restarts += 1;
            self.life += 1;
            let section = self.ada.courier.section();
            let now = self.ada.now;
            self.ada = self.ada.restored(ADA, self.life, &section);
            self.ada.now = now;
            self.inherited = self.said;
        }
        join(&mut self.ada, &mut self.bob);
        self.count.lost += lost as u64;
        self.wire = std::mem::take(&mut self.wire).into_iter().step_by(2).collect();
        self.count.replayed += self.wire.len() as u64;
    }

    /// Says and carries so many, with a cut now and then.
    fn run(&mut self, most: u64, cuts: bool) {
        while self.effects < most || !self.ada.courier.is_settled() {
            self.ada.now = self.ada.now + millis(1);
            self.bob.now = self.ada.now;
            let burst = self.rng.below(12);
            self.say(most.min(self.said + burst));
            self.send();
            let frames = self.rng.below(8) as usize;
            self.arrive(frames);
            if self.rng.chance(1, 2) {
                self.sync();
            }
            if cuts && self.rng.chance(1, 25) {
                self.cut();
            }
        }
    }
}

fn plain(seq: u64) -> WireEnvelope {
    said(1, seq, seq.to_le_bytes().to_vec().into())
}

/// D31: links cut at random with up to 30 in 100 of what is on its way lost, half of that replayed.
/// D36: what was sent before is marked, over links and restarts, and nothing else.
#[test]
fn as_many_effects_as_envelopes_over_links_that_lose_and_repeat() {
    let most = envelopes();
    let mut line = Line::new(31, plain);
    line.run(most, true);
    assert_eq!((line.effects, line.said, line.sent), (most, most, most));
    let Count { sent, resent, lost, replayed, duplicates, cuts, restarts } = line.count;
    let all = [resent, lost, replayed, duplicates, cuts, restarts];
    assert!(all.into_iter().all(|count| count > most / 1_000), "{:?}", line.count);
    assert!(sent - resent <= most && sent - resent > most / 2, "{:?}", line.count);
}

/// D32: values that are all alike, and fills that only trigger, are all delivered.
#[test]
fn equal_values_and_bare_triggers_are_each_delivered() {
    let makes: [fn(u64) -> WireEnvelope; 2] = [
        |seq| said(1, seq, vec![7; 8].into()),
        |seq| WireEnvelope {
            fills: vec![Fill { port: "m/p".into(), ..Fill::default() }],
            ..said(1, seq, vec![].into())
        },
    ];
    for make in makes {
        let mut line = Line::new(32, make);
        line.run(envelopes(), true);
        assert_eq!(line.effects, envelopes());
        assert!(line.count.duplicates > 0, "{:?}", line.count);
    }
}

/// D33: duplicates held back behind all later messages and a restart.
#[test]
fn a_duplicate_is_known_however_late_it_comes() {
    let mut line = Line::new(33, plain);
    line.say(5);
    line.send();
    line.arrive(9);
    line.send();
    let held: Vec<_> =
        line.wire.iter().filter(|envelope| !envelope.fills.is_empty()).cloned().collect();
    assert_eq!(held.len(), 5);
    let more = envelopes();
    line.run(more, false);
    line.sync();
    let section = line.bob.courier.section();
    let (mut bob, effects) = (line.bob.restored(BOB, 2, &section), line.effects);
    for envelope in &held {
        assert_eq!(line.bob.hear(envelope.clone()), Received::Dropped(Unheard::Duplicate));
        assert_eq!(bob.hear(envelope.clone()), Received::Dropped(Unheard::Duplicate));
    }
    assert_eq!(effects, more);
}

/// D34: a receiver that comes back on an older disk is found out each time, and gets nothing that
/// would leave a gap.
#[test]
fn a_receiver_on_an_older_disk_raises_an_alarm_each_time() {
    let (mut alarms, mut own) = (0, 0);
    for seed in 0..100 {
        let mut rng = Rng::from_seed(seed);
        let (mut ada, mut bob) = pair();
        let (before, after) = (rng.below(5), rng.between(1..=5));
        (1..=before).for_each(|seq| ada.say(seq, 10));
        settle(&mut ada, &mut bob);
        let old_disk = bob.courier.section();
        (before + 1..=before + after).for_each(|seq| ada.say(seq, 10));
        settle(&mut ada, &mut bob);
        part(&mut ada, &mut bob);

        let mut amnesic = bob.restored(BOB, 2, &old_disk);
        join(&mut ada, &mut amnesic);
        ada.say(before + after + 1, 10);
        talk(&mut ada, &mut amnesic);
        assert_eq!(amnesic.delivered, [], "no gap, {before} and {after}");
        let (acked, durable) = (before + after, before);
        let alarm = Alarm::Forgot { stream: 1, acked, durable };
        alarms += u64::from(ada.take_told() == [CourierStep::Alarm { peer: peer(BOB), alarm }]);
        // Its own courier, had it a newer disk than its Node, stops before it says anything.
        let next = before + 1;
        let node = |_: &_, _| Some(Watermark { epoch: 1, next });
        own += u64::from(bob.courier.verify(node).is_err());
    }
    assert_eq!((alarms, own), (100, 100));
}

/// D35: one identity that lives twice is found out by the first word of the second.
#[test]
fn an_identity_that_lives_twice_is_found_out_at_once() {
    let mut found = 0;
    for seed in 0..100 {
        let mut rng = Rng::from_seed(seed);
        let (mut ada, mut bob) = pair();
        ada.say(1, 10);
        settle(&mut ada, &mut bob);
        let section = ada.courier.section();
        let life = rng.between(2..=9);
        let mut twins = [(); 2].map(|()| {
            let mut twin = ada.restored(ADA, life, &section);
            let life = Life { incarnation: Incarnation::new(life), boot_nonce: rng.next_u64() };
            twin.courier.begin_life(life);
            twin.courier.link_up(twin.other).expect("there is room");
            twin.say(2, 10);
            twin
        });
        let words = twins.each_mut().map(|twin| twin.poll().pop().expect("it asks"));
        let [first, second] = words;
        let _ = bob.hear(first.clone());
        assert_eq!(bob.take_told(), []);
        assert_eq!(bob.hear(second.clone()), Received::Dropped(Unheard::Fenced));
        let told = bob.take_told();
        let is_found = matches!(told[..], [CourierStep::Alarm { alarm: Alarm::Twin { .. }, .. }]);
        let neither = [first, second].map(|word| bob.hear(word));
        found +=
            u64::from(is_found && neither == [const { Received::Dropped(Unheard::Fenced) }; 2]);
    }
    assert_eq!(found, 100);
}
