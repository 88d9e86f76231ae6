//! Falls that no batch repeats, Nodes that do not repeat themselves, and what a life takes with it.

use std::sync::atomic::Ordering;

use samsara_runtime::{
    error::OpErrorKind,
    recovery::{Durability, ReplayError},
    step::EngineStep,
    storage::PowerLoss,
    time::millis,
};

use super::{
    driver::{End, Host, World},
    tally::{ARMED, FRAGILE, program, spec, tally},
};

fn boot(world: &mut World) -> Host {
    let mut host = Host::boot(world).expect("it lives");
    host.settle(world).expect("it goes on");
    host
}

#[test]
fn a_node_in_memory_that_falls_goes_on_with_its_records_and_its_mailbox() {
    let mut world = World::new(spec(tally(), Durability::Memory));
    let mut host = boot(&mut world);
    // More than one turn takes: some are in the batch that falls, some are still in the mailbox.
    for n in (1..=20).map(|n| if n == 7 { FRAGILE } else { n + 1_000 }) {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    ARMED.with(|armed| armed.store(true, Ordering::Relaxed));
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    assert_eq!(world.acked.len(), 8);
    let mut host = host.rise(&mut world).expect("it lives");
    host.settle(&mut world).expect("it goes on");
    let wanted = (1..=20).map(|n| if n == 7 { FRAGILE } else { n + 1_000 });
    assert!(host.seen().iter().copied().eq(wanted), "{:?}", host.seen());
    assert_eq!((world.acked.len(), host.letters().iter().count()), (20, 0));
    let exec = host.node_mut().invoke("Main", [("n", 1_u64)]).expect("there is room");
    assert_eq!(exec.get(), 21, "an id is given twice");
}

#[test]
fn a_volatile_node_keeps_no_record() {
    let mut world = World::new(spec(tally(), Durability::Volatile));
    let mut host = boot(&mut world);
    host.node_mut().invoke("Main", [("n", 1_u64)]).expect("there is room");
    world.takes = false;
    host.settle(&mut world).expect("it goes on");
    assert_eq!((world.acked.len(), host.seen()), (1, &[1][..]));
    assert_eq!(host.log().appended().get(), 0);
}

#[test]
fn a_component_that_does_not_repeat_itself_is_found_at_the_first_replay() {
    let whim = program(|g| g.output("whim", g.slot("tally").op("whim", [g.input::<u64>("n")])));
    let mut world = World::new(spec(whim, Durability::Durable));
    let mut host = boot(&mut world);
    for n in [1_u64, 2] {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
        host.settle(&mut world).expect("it goes on");
    }
    world.disk.crash(PowerLoss::Unsynced);
    match Host::boot(&mut world).map(drop) {
        Err(End::Replay(ReplayError::Diverged { at, op })) => {
            assert_eq!((at.get(), &*op), (2, "whim"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_that_only_an_earlier_life_could_give_is_lost_in_the_next() {
    let later = program(|g| g.output("n", g.slot("tally").op("later", [g.input::<u64>("n")])));
    let mut world = World::new(spec(later, Durability::Durable));
    let mut host = boot(&mut world);
    host.node_mut().invoke("Main", [("n", 1_u64)]).expect("there is room");
    host.settle(&mut world).expect("it goes on");
    assert_eq!(host.node().pending_async_count(), 1);
    for _ in 0..2 {
        world.disk.crash(PowerLoss::Unsynced);
        let host = boot(&mut world);
        assert_eq!((host.node().pending_async_count(), host.node().execution_count()), (0, 0));
    }
    let kinds = world.released.values().filter_map(|step| match step {
        EngineStep::OpFailed { error, .. } => Some(error.kind()),
        _ => None,
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [OpErrorKind::Lost]);
}

#[test]
fn what_begins_of_itself_begins_once_whatever_the_number_of_lives() {
    let ticking = || program(|g| g.emit("tick", g.interval(millis(5))));
    // Cut before the beginning is kept, behind it, and behind a snapshot.
    for acts in [1, 3, 12, 80] {
        let mut world = World::new(spec(ticking(), Durability::Durable));
        for _ in 0..4 {
            let mut host = Host::boot(&mut world).expect("it lives");
            for _ in 0..acts {
                host.act(&mut world).expect("it goes on");
            }
            world.disk.crash(PowerLoss::Unsynced);
        }
        let mut host = Host::boot(&mut world).expect("it lives");
        for _ in 0..80 {
            host.act(&mut world).expect("it goes on");
        }
        assert_eq!(host.node().engine_stats().depths.timers, 1, "{acts} acts a life");
        assert!(!world.released.is_empty());
    }
}
