//! Events that bring their Node down: three times, and no more.

use samsara_proto::{
    PeerId, WireEnvelope,
    wire::{Fill, RefusalReason, SCHEMA},
};
use samsara_runtime::{
    event::IngressEvent,
    graph::Graph,
    program::Program,
    recovery::{DeadLetter, Durability, LetterId, LetterOf, LetterSource, Lsn},
    schema::encode,
    step::EngineStep,
    storage::PowerLoss,
    time::{millis, seconds},
    value::Value,
};

use super::{
    driver::{End, Host, World, number},
    tally::{POISON, SLOW_POISON, program, spec, tally},
};

fn world() -> World {
    World::new(spec(tally(), Durability::Durable))
}

/// Starts processes until one lives, and tells how many have died.
fn boot(world: &mut World) -> (Host, usize) {
    for deaths in 0..10 {
        world.disk.crash(PowerLoss::Nothing);
        match Host::boot(world).and_then(|mut host| host.settle(world).map(|()| host)) {
            Ok(host) => return (host, deaths),
            Err(End::Fell) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("it never lives");
}

fn letters(host: &Host) -> Vec<&DeadLetter> {
    host.letters().iter().map(|(_, letter)| letter).collect()
}

fn is_aborted(world: &World) -> usize {
    let is_abort = |step: &&EngineStep| matches!(step, EngineStep::Aborted { .. });
    world.released.values().filter(is_abort).count()
}

#[test]
fn a_poison_event_is_given_up_at_its_third_strike_and_all_others_have_their_effect() {
    let mut world = world();
    let (mut host, _) = boot(&mut world);
    for n in [1, POISON, 2] {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (mut host, deaths) = boot(&mut world);
    assert_eq!(deaths, 2, "with the first, three");
    assert_eq!(host.seen(), [1, 2]);
    let [letter] = letters(&host)[..] else { panic!("{:?}", letters(&host)) };
    assert_eq!(letter.event.as_ref().and_then(number), Some(POISON));
    assert_eq!((letter.source, is_aborted(&world)), (LetterSource::Host, 1));

    host.node_mut().invoke("Main", [("n", 3_u64)]).expect("there is room");
    host.settle(&mut world).expect("it is healthy again");
    let (host, deaths) = boot(&mut world);
    assert_eq!((host.seen(), deaths, host.letters().iter().count()), (&[1, 2, 3][..], 0, 1));
}

#[test]
fn an_execution_that_falls_later_is_ended_where_it_lives() {
    let mut world = world();
    let (mut host, _) = boot(&mut world);
    for n in [1, SLOW_POISON, 2] {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (host, deaths) = boot(&mut world);
    assert_eq!((deaths, host.seen()), (2, &[1, SLOW_POISON, 2][..]));
    let [letter] = letters(&host)[..] else { panic!("{:?}", letters(&host)) };
    assert_eq!((&letter.event, host.node().execution_count()), (&None, 0));
    let again = |n: u64| {
        let is_it = |step: &&EngineStep| match step {
            EngineStep::AppEvent { port, value, .. } => {
                &**port == "again" && *value == Value::U64(n)
            }
            _ => false,
        };
        world.released.values().filter(is_it).count()
    };
    assert_eq!([1, SLOW_POISON, 2].map(again), [1, 0, 1]);
}

#[test]
fn two_poisons_of_one_batch_are_given_up_one_after_the_other() {
    let mut world = world();
    let (mut host, _) = boot(&mut world);
    for n in [POISON, 1, POISON] {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (host, deaths) = boot(&mut world);
    assert_eq!((deaths, host.seen(), host.letters().iter().count()), (5, &[1][..], 2));
}

#[test]
fn a_healthy_node_is_never_given_up_however_often_its_process_is_killed() {
    let mut world = world();
    let (mut host, _) = boot(&mut world);
    host.node_mut().invoke("Main", [("n", 1_u64)]).expect("there is room");
    // Killed at each point of the turn, and then again and again with that turn as the last one.
    for cut in 0..24 {
        world.disk.set_fuse(Some(cut));
        let _ = host.settle(&mut world);
        for _ in 0..5 {
            world.disk.set_fuse(None);
            world.disk.crash(PowerLoss::Nothing);
            host = Host::boot(&mut world).expect("it is healthy");
            assert_eq!(host.letters().iter().count(), 0, "killed at {cut}");
        }
        let n = cut + 2;
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    assert_eq!(is_aborted(&world), 0);
}

#[test]
fn a_letter_that_was_taken_stays_gone_and_its_event_can_be_offered_once_more() {
    let mut world = world();
    let (mut host, _) = boot(&mut world);
    host.node_mut().invoke("Main", [("n", POISON)]).expect("there is room");
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (mut host, _) = boot(&mut world);
    let (id, _) = host.letters().iter().next().expect("there is one");
    let letter = host.take_letter(&mut world, id);

    let event = letter.event.expect("it began there");
    let exec = host.node_mut().offer_again(event).expect("there is room");
    assert!(Some(exec) != letter.exec, "it is an execution of its own");
    assert!(matches!(host.settle(&mut world), Err(End::Fell)), "it is no better now");
    let (host, deaths) = boot(&mut world);
    let left: Vec<_> = host.letters().iter().map(|(id, _)| id).collect();
    assert_eq!((deaths, left.len()), (2, 1));
    assert_ne!(left[0], id);
}

/// A tally whose input may be fed by peers.
fn exported() -> Program {
    program(|g: &Graph| {
        g.output("sum", g.slot("tally").op("add", [g.input::<u64>("n")]));
        g.export("n");
    })
}

#[test]
fn the_peer_that_sent_a_poison_is_told_once() {
    let mut world = World::new(spec(exported(), Durability::Durable));
    let (mut host, _) = boot(&mut world);
    let peer = PeerId::from(9);
    for (seq, n) in [(1, 1), (2, POISON), (3, 2)] {
        let value = encode(&Value::U64(n));
        let fill = Fill {
            port: "Main/n".into(),
            type_id: value.type_id.as_str().into(),
            payload: value.payload,
            ..Fill::default()
        };
        let (stream, stream_epoch) = (1, 1);
        let fills = vec![fill];
        let envelope = WireEnvelope {
            schema: SCHEMA,
            stream,
            stream_epoch,
            seq,
            fills,
            ..WireEnvelope::default()
        };
        host.node_mut().deliver_envelope(peer, envelope, None).expect("it is let in");
    }
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (host, deaths) = boot(&mut world);
    assert_eq!((deaths, host.seen()), (2, &[1, 2][..]));
    let told = world.released.values().filter_map(|step| match step {
        EngineStep::SendEnvelope { to, envelope, .. } => Some((*to, envelope.refusals.clone())),
        _ => None,
    });
    let [(to, refusals)] = &told.collect::<Vec<_>>()[..] else { panic!("not told once") };
    assert_eq!((*to, refusals[0].seq), (peer, 2));
    assert_eq!(refusals[0].reason(), RefusalReason::Quarantined);
    let [letter] = letters(&host)[..] else { panic!("{:?}", letters(&host)) };
    assert_eq!(letter.source, LetterSource::Peer(peer));
    assert!(matches!(letter.event, Some(IngressEvent::EnvelopeFrom(_))));
}

#[test]
fn nothing_of_an_execution_that_was_given_up_is_left_and_others_get_what_it_held() {
    let spread = program(|g: &Graph| {
        let n = g.input::<u64>("n");
        g.output("lit", g.acquire("lamp", 1, n));
        g.output("late", g.sleep(n, seconds(1)));
        let [_, missed] = g.deadline(g.sleep(n, seconds(9)), seconds(2));
        g.output("missed", missed);
        g.output("again", g.slot("tally").op("recall", [g.sleep(n, millis(5))]));
        g.output("echo", g.pass_through(g.sleep(n, millis(5))));
    });
    let mut world = World::new(spec(spread, Durability::Durable));
    let (mut host, _) = boot(&mut world);
    let given_up = host.node_mut().invoke("Main", [("n", SLOW_POISON)]).expect("there is room");
    let next = host.node_mut().invoke("Main", [("n", 1_u64)]).expect("there is room");
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let (host, deaths) = boot(&mut world);
    let depths = host.node().engine_stats().depths;
    assert_eq!((deaths, depths.executions, depths.parked, depths.timers), (2, 0, 0, 0));
    let given = |wanted| {
        let port = |step: &EngineStep| match step {
            EngineStep::AppEvent { exec, port, .. } if *exec == wanted => Some(port.to_string()),
            _ => None,
        };
        world.released.values().filter_map(port).collect::<Vec<_>>()
    };
    assert_eq!(given(given_up), ["lit"]);
    assert_eq!(given(next), ["lit", "again", "echo", "late", "missed"]);
}

#[test]
fn without_room_for_its_letter_a_poison_is_not_given_up_until_there_is_some() {
    let mut world = world();
    world.poison.letters_max = 1;
    let (mut host, _) = boot(&mut world);
    for n in [POISON, 1, POISON] {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
    }
    assert!(matches!(host.settle(&mut world), Err(End::Fell)));
    let down = |world: &mut World| loop {
        world.disk.crash(PowerLoss::Nothing);
        match Host::boot(world) {
            Err(End::Fell) => {}
            other => return other.map(drop),
        }
    };
    for _ in 0..3 {
        assert!(matches!(down(&mut world), Err(End::Stuck)));
        world.disk.crash(PowerLoss::Nothing);
    }
    assert_eq!((is_aborted(&world), world.acked.len()), (0, 3));
    let first = LetterId { at: Lsn::new(2), what: LetterOf::Event(0) };
    Host::throw_away(&mut world, first).expect("nothing ends it");
    let (host, deaths) = boot(&mut world);
    let left: Vec<_> = host.letters().iter().map(|(id, _)| id.what).collect();
    assert_eq!((deaths, host.seen(), left), (0, &[1][..], vec![LetterOf::Event(2)]));
}
