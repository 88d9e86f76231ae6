//! Falls: of Nodes, of their actors, of their supervisor. What was taken is done once.

use samsara_actors::{CallError, Disk, NodeRef, System};
use samsara_runtime::{
    framework::ClientId,
    recovery::{Durability, NodeSpec},
    supervision::ChildState,
};

use super::{
    place::Place,
    tally::{FATAL, add, builder, limits, program, until},
};

async fn tally(system: &System, durability: Durability) -> NodeRef {
    let spec = NodeSpec::new("tally", program()).durability(durability);
    system.spawn(spec).await.expect("it lives")
}

async fn next_life(node: &NodeRef, end: impl Fn(&NodeRef) -> bool) {
    let life = node.incarnation();
    until("it has an actor", || end(node)).await;
    until("a new life", || node.incarnation() > life).await;
}

/// A System for each durability that outlives a fall.
async fn systems(place: &Place) -> Vec<(System, Durability)> {
    let disk = Disk::open(place.path()).expect("a directory");
    // Deaths are wanted here, and no quarantine.
    let mut limits = limits();
    limits.supervision.max_restarts = 100;
    let builder = || builder().limits(limits);
    let stored = builder().store(disk).start().await.expect("nobody has it");
    let plain = builder().start().await.expect("it starts");
    vec![(stored, Durability::Durable), (plain, Durability::Memory)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_or_falls_comes_back_behind_the_same_handle() {
    let place = Place::new();
    for (system, durability) in systems(&place).await {
        let node = tally(&system, durability).await;
        let mut total = 0;
        for n in 1..=3 {
            total += n;
            assert_eq!(add(&node, n).await, total, "{durability:?}");
            next_life(&node, NodeRef::kill).await;
        }
        assert_eq!(add(&node, 1).await, total + 1, "{durability:?}");
        next_life(&node, NodeRef::fall).await;
        assert_eq!(add(&node, 1).await, total + 2, "{durability:?}");
        system.stop().await.expect("all is kept");
    }
}

#[tokio::test]
async fn a_volatile_node_begins_anew() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system, Durability::Volatile).await;
    assert_eq!(add(&node, 5).await, 5);
    next_life(&node, NodeRef::kill).await;
    assert_eq!(add(&node, 5).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_falls_over_is_given_up_after_three_strikes_and_the_rest_is_done() {
    let place = Place::new();
    for (system, durability) in systems(&place).await {
        let node = tally(&system, durability).await;
        let calls: Vec<_> = [1, FATAL, 2]
            .map(|n| {
                let node = node.clone();
                tokio::spawn(async move { node.ask("Tally", [("add", n)]).await })
            })
            .into();
        let mut aborted = 0;
        for call in calls {
            let reply = call.await.expect("no panic").expect("it is answered");
            aborted += usize::from(reply.is_aborted);
            assert_eq!(reply.outputs.len(), usize::from(!reply.is_aborted), "{reply:?}");
        }
        assert_eq!(aborted, 1, "{durability:?}");
        assert_eq!(add(&node, 0).await, 3, "{durability:?}: what did not fall was done");
        assert_eq!(node.dead_letters().len(), 1, "{durability:?}");
        let (id, _) = node.dead_letters()[0];
        let again = node.offer_letter(id).await.expect("it is offered").expect("it has an event");
        assert!(again.reply().await.expect("it is answered").is_aborted, "it is no better now");
        assert_eq!(node.dead_letters().len(), 1, "the first is gone, and another is there");
        let (id, _) = node.dead_letters()[0];
        assert!(node.take_letter(id).expect("it is journaled").is_some());
        next_life(&node, NodeRef::kill).await;
        assert_eq!(add(&node, 0).await, 3);
        assert!(node.dead_letters().is_empty(), "what was taken out stays out");
        system.stop().await.expect("all is kept");
    }
}

#[tokio::test]
async fn who_falls_too_often_is_put_aside_until_it_is_released() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system, Durability::Memory).await;
    for fall in 1..=5 {
        assert_eq!(add(&node, 1).await, fall);
        next_life(&node, NodeRef::fall).await;
    }
    assert_eq!(add(&node, 1).await, 6);
    until("it has an actor", || node.fall()).await;
    until("it is put aside", || system.tree()[0].state == Some(ChildState::Quarantined)).await;
    let refused = node.ask("Tally", [("add", 1_u64)]).await;
    assert!(matches!(refused, Err(CallError::Quarantined)), "{refused:?}");
    node.release();
    until("it is back", || system.tree()[0].state == Some(ChildState::Running)).await;
    assert_eq!(add(&node, 1).await, 7, "with all that it had");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_under_random_deaths_has_its_effect_once() {
    let place = Place::new();
    for (system, durability) in systems(&place).await {
        let node = tally(&system, durability).await;
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let node = node.clone();
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    for _ in 0..100 {
                        done.push(add(&node, 1).await);
                    }
                    done
                })
            })
            .collect();
        // A Node that rests has no actor that could die.
        node.invoke("Tally", [("refuse", 1_u64)]).await.expect("it is kept");
        for _ in 0..10 {
            next_life(&node, NodeRef::kill).await;
        }
        let mut totals = Vec::new();
        for caller in callers {
            totals.extend(caller.await.expect("no panic"));
        }
        totals.sort_unstable();
        assert_eq!(totals, (1..=800).collect::<Vec<u64>>(), "{durability:?}: each once");
        system.stop().await.expect("all is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_dies_is_followed_and_nothing_is_lost() {
    let system = builder().start().await.expect("it starts");
    let nodes: Vec<_> = {
        let mut nodes = Vec::new();
        for n in 0..10 {
            let spec = NodeSpec::new(format!("tally-{n}"), program());
            nodes.push(system.spawn(spec).await.expect("it lives"));
        }
        nodes
    };
    for round in 1..=3 {
        for node in &nodes {
            assert_eq!(add(node, 1).await, round);
        }
        let lives: Vec<_> = nodes.iter().map(NodeRef::incarnation).collect();
        system.kill_supervisor();
        until("all are back", || {
            let back = |(node, life): (&NodeRef, _)| node.incarnation() > life;
            nodes.iter().zip(lives.iter().copied()).all(back)
        })
        .await;
    }
    for node in &nodes {
        assert_eq!(add(node, 1).await, 4);
    }
    system.stop().await.expect("there is no store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_repeated_is_answered_as_before_and_not_done_again() {
    let place = Place::new();
    for (system, durability) in systems(&place).await {
        let node = tally(&system, durability).await;
        let client = ClientId([7; 16]);
        for request in 1..=3 {
            let mut answers = Vec::new();
            for _ in 0..3 {
                let asked = node.ask_as(client, request, "Tally", [("add", 1_u64)]).await;
                answers.push(asked.expect("it answers").get::<u64>("added"));
                if request == 2 {
                    next_life(&node, NodeRef::kill).await;
                }
            }
            assert_eq!(answers, vec![Ok(request); 3], "{durability:?}");
        }
        assert_eq!(add(&node, 0).await, 3, "{durability:?}");
        let both = tokio::join!(
            node.ask_as(client, 4, "Tally", [("add", 1_u64)]),
            node.ask_as(client, 4, "Tally", [("add", 1_u64)]),
        );
        assert_eq!(both.0.expect("it answers"), both.1.expect("so does it to the other"));
        assert_eq!(add(&node, 0).await, 4, "{durability:?}");
        let again = node.ask_as(client, 4, "Nothing", [("add", 1_u64)]).await;
        assert!(matches!(again, Err(CallError::Refused(_))), "{again:?}");
        system.stop().await.expect("all is kept");
    }
}

#[tokio::test]
async fn a_fall_is_told_with_its_place() {
    let system = builder().start().await.expect("it starts");
    let node = tally(&system, Durability::Memory).await;
    node.ask("Tally", [("add", FATAL)]).await.expect("it is answered");
    let troubles = system.tree()[0].troubles.join("\n");
    assert!(troubles.contains("what it cannot take"), "{troubles}");
    assert!(troubles.contains("tally.rs"), "{troubles}");
}
