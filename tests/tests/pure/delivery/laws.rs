//! Laws of delivery under any course of faults.

use proptest::prelude::{ProptestConfig, any, prop};
use proptest::strategy::Strategy;
use proptest::{prop_oneof, proptest};
use samsara_runtime::rng::Rng;

use super::host::Cut;
use super::world::{Move, Seen, World};

fn cuts() -> impl Strategy<Value = Cut> {
    prop::sample::select(vec![
        Cut::BeforeSync,
        Cut::BeforeAck,
        Cut::BeforeApply,
        Cut::Releasing(0),
        Cut::Releasing(1),
        Cut::Nowhere,
    ])
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (at, pick) = (0_usize..4, any::<usize>());
    // Up to what takes nearly all credit.
    let order =
        (at.clone(), 0_usize..4, 0_u8..6, prop_oneof![3 => 1_usize..1500, 1 => 1_500_usize..3_600])
            .prop_map(|(at, to, hops, size)| Move::Order { at, to, hops, size });
    let turn = (at.clone(), 0_usize..6).prop_map(|(at, events)| Move::Turn { at, events });
    let flow = (pick, 1_usize..12).prop_map(|(link, frames)| Move::Flow { link, frames });
    let close = (pick, any::<bool>()).prop_map(|(link, heard)| Move::Close { link, heard });
    let ghost = (pick, pick).prop_map(|(link, frame)| Move::Ghost { link, frame });
    let keep_out = (at.clone(), 1_usize..6).prop_map(|(at, events)| Move::KeepOut { at, events });
    let crash = (at.clone(), cuts(), any::<bool>()).prop_map(|(at, cut, whole)| Move::Crash {
        at,
        cut,
        whole,
    });
    let one = prop_oneof![
        16 => order,
        20 => turn,
        20 => at.clone().prop_map(Move::Poll),
        30 => flow,
        2 => close,
        8 => pick.prop_map(Move::Join),
        4 => ghost,
        2 => at.prop_map(Move::Capture),
        2 => crash,
        1 => keep_out,
        2 => (0_u64..50_000).prop_map(Move::Pass),
    ];
    prop::collection::vec(one, 1..400)
}

fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    ProptestConfig { cases: given.cases.max(1_000), failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_envelope_has_its_effect_once_and_in_order_whatever_fails(
        count in 2_usize..5,
        moves in moves(),
    ) {
        let mut world = World::new(count);
        moves.into_iter().for_each(|what| world.make(what));
        world.settle();
        world.judge();
    }
}

fn draw(rng: &mut Rng) -> Move {
    let (at, pick) = (rng.below(4) as usize, rng.below(1 << 20) as usize);
    match rng.below(100) {
        0..8 => {
            let (to, hops) = (rng.below(4) as usize, rng.below(6) as u8);
            Move::Order { at, to, hops, size: rng.between(1..=900) as usize }
        }
        8..42 => Move::Turn { at, events: rng.below(6) as usize },
        42..62 => Move::Poll(at),
        62..83 => Move::Flow { link: pick, frames: rng.between(1..=12) as usize },
        83 => Move::Close { link: pick, heard: rng.chance(1, 2) },
        84..92 => Move::Join(pick),
        92..95 => Move::Ghost { link: pick, frame: rng.below(1 << 20) as usize },
        95 if rng.chance(1, 4) => Move::KeepOut { at, events: rng.between(1..=6) as usize },
        95 => Move::Capture(at),
        96 => {
            let cuts = [Cut::BeforeSync, Cut::BeforeAck, Cut::BeforeApply, Cut::Releasing(1)];
            let cut = cuts[rng.below(4) as usize];
            Move::Crash { at, cut, whole: rng.chance(1, 2) }
        }
        _ => Move::Pass(rng.below(30_000)),
    }
}

#[test]
fn long_courses_meet_every_trouble_and_settle() {
    let mut all = Seen::default();
    for seed in 0..20 {
        let mut rng = Rng::from_seed(seed);
        let mut world = World::new(2 + seed as usize % 3);
        for _ in 0..4_000 {
            world.make(draw(&mut rng));
        }
        world.settle();
        world.judge();
        all.add(&world.seen);
    }
    let Seen { envelopes, redelivered, fenced, busy, full, no_room, kept_out } = all;
    assert!(envelopes > 8_000 && redelivered > 2_000, "{all:?}");
    assert!([fenced, busy, full, no_room, kept_out].into_iter().all(|count| count > 20), "{all:?}");
}

#[test]
fn rings_whose_every_queue_is_full_drain_and_nothing_is_dropped() {
    for seed in 0..20 {
        let mut rng = Rng::from_seed(seed);
        let mut world = World::new(4);
        (0..12).for_each(|link| world.make(Move::Join(link)));
        for _ in 0..4_000 {
            // No turn takes much, while everyone is fed what makes a round.
            let (at, link) = (rng.below(4) as usize, rng.below(12) as usize);
            world.make(Move::Order { at, to: at + 1, hops: 8, size: 1_400 });
            world.make(Move::Turn { at, events: 1 });
            world.make(Move::Poll(at));
            world.make(Move::Flow { link, frames: 4 });
        }
        assert!(world.seen.busy > 1_000 && world.seen.full > 100, "{:?}", world.seen);
        world.settle();
        world.judge();
    }
}
