//! Nodes in a System: what they answer, what they refuse, and what is left when it has ended.

use std::collections::BTreeSet;

use samsara_actors::{
    Busy, CallError, Disk, NodeRef, SpawnError, StartError, StoreError, System, inspect,
};
use samsara_proto::PeerId;
use samsara_runtime::{
    config::NodeConfig,
    error::DeliveryError,
    recovery::{Durability, NodeSpec, RecordKind},
    supervision::ChildState,
    value::Value,
};

use super::{
    place::Place,
    tally::{add, builder, program, until},
};

async fn stored(place: &Place) -> System {
    let disk = Disk::open(place.path()).expect("a directory");
    builder().store(disk).start().await.expect("nobody has it")
}

async fn tally(system: &System) -> NodeRef {
    system.spawn(NodeSpec::new("tally", program())).await.expect("it lives")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_answers_and_a_later_process_goes_on_where_it_was() {
    let place = Place::new();
    let mut lives = BTreeSet::new();
    for total in [5, 10, 15] {
        let system = stored(&place).await;
        let node = tally(&system).await;
        assert!(lives.insert(node.incarnation()), "lives rise: {lives:?}");
        assert_eq!(lives.last(), Some(&node.incarnation()));
        assert_eq!(add(&node, 5).await, total);
        system.stop().await.expect("all is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_kept_without_a_stop() {
    let place = Place::new();
    {
        let system = stored(&place).await;
        let node = tally(&system).await;
        for _ in 0..20 {
            node.invoke("Tally", [("add", 1_u64)]).await.expect("it is kept");
        }
        // Nobody stops it: the last owner is gone, as if the process had ended.
        drop((system, node));
    }
    let disk = Disk::open(place.path()).expect("a directory");
    let mut started = builder().store(disk.clone()).start().await;
    while let Err(StartError::Store(StoreError::Locked { .. })) = started {
        tokio::task::yield_now().await;
        started = builder().store(disk.clone()).start().await;
    }
    let system = started.expect("it is free now");
    let node = tally(&system).await;
    assert_eq!(add(&node, 1).await, 21);
    drop(system);
    until("who has a way to a node is told", || node.look(|_| ()).is_none()).await;
    let refused = node.ask("Tally", [("add", 1_u64)]).await;
    assert!(matches!(refused, Err(CallError::Stopped)), "{refused:?}");
}

#[tokio::test]
async fn failures_timers_and_jobs_end_in_replies() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system).await;
    let ask = |input: &'static str| node.ask("Tally", [(input, 21_u64)]);
    let refused = ask("refuse").await.expect("it answers");
    assert_eq!(refused.failures.len(), 1, "{refused:?}");
    let error = refused.get::<u64>("refuseed").expect_err("there is none").to_string();
    assert!(error.contains("as it was told"), "{error}");
    assert_eq!(ask("later").await.expect("it answers").get::<u64>("late"), Ok(21));
    assert_eq!(ask("double").await.expect("it answers").get::<u64>("doubleed"), Ok(42));
    let event = node.deliver_event("Tally", "add", 4_u64).await.expect("it is kept");
    assert_eq!(event.reply().await.expect("it answers").get::<u64>("added"), Ok(4));
    system.stop().await.expect("there is no store");
}

#[tokio::test]
async fn what_a_node_does_not_know_is_refused_by_name() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system).await;
    let refused = node.ask("Nothing", [("add", 1_u64)]).await.expect_err("there is no such");
    let CallError::Refused(DeliveryError::UnknownModule { available, .. }) = refused else {
        panic!("{refused}");
    };
    assert_eq!(available, ["Tally"]);
    let refused = node.ask("Tally", [("add", "text")]).await.expect_err("it adds numbers");
    assert!(matches!(refused, CallError::Refused(DeliveryError::TypeMismatch { .. })));
    assert_eq!(add(&node, 1).await, 1, "and goes on");
    assert!(system.node("nobody").is_none());
    assert_eq!(system.node("tally").map(|found| found.peer_id()), Some(node.peer_id()));
}

#[tokio::test]
async fn a_full_ingress_gives_the_inputs_back_and_keeps_what_it_took() {
    let system = builder().start().await.expect("it starts");
    let config = NodeConfig { ingress_capacity: 8, ..NodeConfig::default() };
    let spec = NodeSpec::new("small", program()).config(config);
    let node = system.spawn(spec).await.expect("it lives");
    // On one thread the Node gets no turn before this one waits.
    let mut calls: Vec<_> = (0..20)
        .map(|n| {
            let node = node.clone();
            Box::pin(
                async move { node.invoke_with("Tally", vec![("add".into(), Value::U64(n))]).await },
            )
        })
        .collect();
    let waker = std::task::Waker::noop();
    let mut cx = std::task::Context::from_waker(waker);
    let mut refused = Vec::new();
    let mut taken = Vec::new();
    for (n, mut call) in calls.drain(..).enumerate() {
        match call.as_mut().poll(&mut cx) {
            std::task::Poll::Pending => taken.push((n, call)),
            std::task::Poll::Ready(outcome) => refused.push((n, outcome)),
        }
    }
    assert_eq!((taken.len(), refused.len()), (8, 12));
    for (n, outcome) in refused {
        let Err(CallError::Busy { inputs, why: Busy::Full }) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(inputs, [("add".to_owned(), Value::U64(n as u64))]);
    }
    let mut sum = 0;
    for (n, call) in taken {
        call.await.expect("it was taken").reply().await.expect("it answers");
        sum += n as u64;
    }
    assert_eq!(add(&node, 0).await, sum);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_what_was_taken_and_takes_no_more() {
    let place = Place::new();
    let system = stored(&place).await;
    let node = tally(&system).await;
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { node.ask("Tally", [("add", 1_u64)]).await })
        })
        .collect();
    node.stop().await;
    let mut kept = 0;
    for call in calls {
        match call.await.expect("no panic") {
            Ok(reply) => kept += u64::from(reply.get::<u64>("added").is_ok()),
            Err(CallError::Stopped) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(matches!(node.ask("Tally", [("add", 1_u64)]).await, Err(CallError::Stopped)));
    let again = tally(&system).await;
    assert!(again.incarnation() > node.incarnation());
    assert_eq!(add(&again, 0).await, kept, "exactly what was answered was done");
    system.stop().await.expect("all is kept");
}

#[tokio::test]
async fn a_stopped_node_in_memory_is_spawned_again_with_its_state() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system).await;
    assert_eq!(add(&node, 7).await, 7);
    node.stop().await;
    assert_eq!(add(&tally(&system).await, 1).await, 8);
}

#[tokio::test]
async fn names_are_taken_once_and_a_closed_system_spawns_nothing() {
    let system = builder().start().await.expect("it starts");
    let _node = tally(&system).await;
    let taken = system.spawn(NodeSpec::new("tally", program())).await.expect_err("it is there");
    assert!(matches!(taken, SpawnError::Taken { .. }), "{taken}");
    let durable = NodeSpec::new("durable", program()).durability(Durability::Durable);
    let homeless = system.spawn(durable).await.expect_err("there is no store");
    assert!(matches!(homeless, SpawnError::NoStore { .. }), "{homeless}");
    let clone = system.clone();
    system.stop().await.expect("there is no store");
    let closed = clone.spawn(NodeSpec::new("late", program())).await.expect_err("it is closed");
    assert!(matches!(closed, SpawnError::Closed), "{closed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_owner_or_another_host_is_refused() {
    let place = Place::new();
    let system = stored(&place).await;
    let owner = system.peer_id();
    let open = || Disk::open(place.path()).expect("a directory");
    let locked = builder().store(open()).start().await.expect_err("it is taken");
    let StartError::Store(StoreError::Locked { process, .. }) = locked else { panic!("{locked}") };
    assert_eq!(process, Some(std::process::id()));
    system.stop().await.expect("all is kept");
    let other = builder().store(open()).identity(PeerId::from(9)).start().await;
    let error = other.expect_err("it is another's");
    assert!(matches!(&error, StartError::Store(StoreError::OtherIdentity { .. })), "{error}");
    let system = builder().store(open()).identity(owner).start().await.expect("it is its own");
    assert_eq!(system.peer_id(), owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_tells_what_it_holds_when_nobody_has_it() {
    let place = Place::new();
    let open = || Disk::open(place.path()).expect("a directory");
    let system = stored(&place).await;
    let node = tally(&system).await;
    for n in 0..5 {
        add(&node, n).await;
    }
    let (owner, peer, life) = (system.peer_id(), node.peer_id(), node.incarnation());
    let taken = inspect(open()).expect_err("somebody has it");
    assert!(matches!(taken, StoreError::Locked { .. }), "{taken}");
    system.stop().await.expect("all is kept");
    let report = inspect(open()).expect("nobody has it");
    assert_eq!((report.owner, report.incarnation, &report.torn), (Some(owner), life, &None));
    let [found] = &report.nodes[..] else { panic!("{report:?}") };
    assert_eq!((found.peer, found.last), (peer, report.last));
    assert!(found.kinds[&RecordKind::Batch] >= 5, "{found:?}");
    assert_eq!(found.snapshots, [report.last], "a stop captures");
    assert_eq!(inspect(open()).expect("nobody has it"), report, "looking changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_systems_live_side_by_side() {
    let mut all = Vec::new();
    for n in 100..120_u64 {
        let system = builder().start().await.expect("it starts");
        let node = tally(&system).await;
        add(&node, n).await;
        all.push((n, system, node));
    }
    for (n, system, node) in all {
        assert_eq!(add(&node, 0).await, n, "names are a system's own");
        system.stop().await.expect("there is no store");
    }
}

#[tokio::test]
async fn a_node_at_rest_needs_no_actor_until_something_comes() {
    let system = builder().start().await.expect("it starts");
    for n in 0..100 {
        let spec = NodeSpec::new(format!("idle-{n}"), program());
        system.spawn(spec).await.expect("it lives");
    }
    let actors = || system.tree().iter().filter(|node| node.has_actor).count();
    assert_eq!(actors(), 0);
    let node = system.node("idle-7").expect("it was spawned");
    assert_eq!(add(&node, 3).await, 3);
    assert_eq!(actors(), 1);
    assert!(system.tree().iter().all(|node| node.state == Some(ChildState::Running)));
}

#[tokio::test]
async fn retained_outputs_wait_over_lives_until_they_are_taken() {
    let system = builder().start().await.expect("it starts");
    let spec = NodeSpec::new("tally", program());
    let node = system.spawn_retaining(spec).await.expect("it lives");
    assert_eq!(add(&node, 1).await, 1);
    assert_eq!(add(&node, 2).await, 3);
    let before = node.outputs();
    assert_eq!(before.len(), 2);
    let life = node.incarnation();
    until("it has an actor", || node.kill()).await;
    until("a new life", || node.incarnation() > life).await;
    until("it offers again", || node.outputs() == before).await;
    node.take_outputs(before[0].number).expect("it is journaled");
    assert_eq!(node.outputs(), before[1..]);
    let life = node.incarnation();
    until("it has an actor", || node.kill()).await;
    until("a new life", || node.incarnation() > life).await;
    until("it offers what was not taken", || node.outputs() == before[1..]).await;
}
