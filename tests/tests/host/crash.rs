//! A process that ends at any of its steps, and power with it or not: what was acknowledged has its
//! effect once, and what leaves is what would have left anyway.

use std::collections::BTreeMap;

use samsara_runtime::{recovery::Durability, rng::Rng, step::EngineStep, storage::PowerLoss};

use super::{
    driver::{End, Host, World},
    tally::{spec, tally},
};

/// Numbers that the client brings, one after the other.
const NUMBERS: u64 = 9;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    Kept,
    Torn,
    Lost,
}

/// One process: it goes on where the client finds that the last one has ended.
fn live(world: &mut World) -> Result<(), End> {
    let mut host = Host::boot(world)?;
    let seen: Vec<u64> = host.seen().to_vec();
    assert!(
        seen.iter().copied().eq(1..=seen.len() as u64),
        "an effect is lost or doubled: {seen:?}"
    );
    for n in &world.acked {
        assert!(seen.contains(n), "{n} was acknowledged and is lost; there are {seen:?}");
    }
    host.settle(world)?;
    for n in seen.len() as u64 + 1..=NUMBERS {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
        host.settle(world)?;
    }
    Ok(())
}

fn lose(world: &World, loss: Loss, seed: u64) {
    let mut rng = Rng::from_seed(seed);
    world.disk.crash(match loss {
        Loss::Kept => PowerLoss::Nothing,
        Loss::Torn => PowerLoss::Chance(&mut rng),
        Loss::Lost => PowerLoss::Unsynced,
    });
}

/// Lives on until one process ends by itself; the first ones end at these points.
fn live_through(cuts: &[u64], loss: Loss, takes: bool) -> (BTreeMap<u64, EngineStep>, u64) {
    let mut world = World::new(spec(tally(), Durability::Durable));
    world.takes = takes;
    // Who is killed again and again inside of one batch has it given up, which is another story.
    world.poison.strikes_max = u32::MAX;
    let mut passed = 0;
    for fuse in cuts.iter().copied().map(Some).chain([None]) {
        world.disk.set_fuse(fuse);
        match live(&mut world) {
            Ok(()) => {
                passed = world.disk.passed();
                break;
            }
            Err(End::Cut) => lose(&world, loss, cuts.iter().sum()),
            Err(other) => panic!("{cuts:?} {loss:?}: {other:?}"),
        }
    }
    assert!(world.acked.is_sorted_by(|one, next| one < next), "twice: {:?}", world.acked);
    (world.released, passed)
}

#[test]
fn a_process_that_ends_at_any_step_loses_and_doubles_nothing() {
    let (wanted, points) = live_through(&[], Loss::Kept, true);
    assert!(points > 200, "{points} points");
    for loss in [Loss::Kept, Loss::Torn, Loss::Lost] {
        for cut in 0..points {
            let (released, _) = live_through(&[cut], loss, true);
            assert_eq!(released, wanted, "cut at {cut}, {loss:?}");
        }
    }
}

#[test]
fn a_process_that_ends_again_while_it_recovers_loses_and_doubles_nothing() {
    let (wanted, points) = live_through(&[], Loss::Kept, true);
    for loss in [Loss::Kept, Loss::Torn, Loss::Lost] {
        for cut in (0..points).step_by(11) {
            for again in (0..40).step_by(3) {
                let (released, _) = live_through(&[cut, again, again / 2], loss, true);
                assert_eq!(released, wanted, "cut at {cut} and {again}, {loss:?}");
            }
        }
    }
}

#[test]
fn outputs_that_the_host_has_not_taken_are_offered_again_in_every_life() {
    let mut world = World::new(spec(tally(), Durability::Durable));
    world.takes = false;
    live(&mut world).expect("nothing ends it");
    let left = std::mem::take(&mut world.released);
    let outputs = left.into_iter().filter(|(_, step)| matches!(step, EngineStep::AppEvent { .. }));
    let outputs: BTreeMap<_, _> = outputs.collect();
    assert_eq!(outputs.len() as u64, 2 * NUMBERS);
    for _ in 0..2 {
        world.disk.crash(PowerLoss::Unsynced);
        let mut host = Host::boot(&mut world).expect("nothing ends it");
        assert_eq!(std::mem::take(&mut world.released), outputs);
        host.settle(&mut world).expect("nothing ends it");
    }
}
