//! Doors on other threads, and the list of those that may use them.

use std::collections::BTreeSet;

use samsara_runtime::{
    error::{DeliveryError, Denial},
    graph::Graph,
    id::Incarnation,
    node::{Node, PeerDoor},
    time::Nanos,
};

use super::wire::{envelope, node, peer};

fn made() -> Node {
    node(1, |g: &Graph| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
    })
}

fn allow(node: &mut Node, allowed: Option<&[u64]>) {
    let list = allowed.map(|list| list.iter().copied().map(peer).collect::<BTreeSet<_>>());
    node.set_allowlist(list).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
}

/// Whether bytes are refused before they are read, as the list has it; else they are read.
fn is_shut(door: &PeerDoor) -> bool {
    match door.deliver_inbound("these bytes are no frame".into()) {
        Err(DeliveryError::Denied(Denial::NotAllowlisted)) => true,
        Err(DeliveryError::InvalidEnvelope(_)) => false,
        other => panic!("{other:?}"),
    }
}

fn doors(node: &Node) -> [PeerDoor; 2] {
    [2, 3].map(|number| node.wire_door().peer(&peer(number)).expect("there is room"))
}

#[test]
fn a_door_on_another_thread_reads_nothing_of_a_peer_that_is_off_the_list() {
    let mut node = made();
    let before = doors(&node);
    assert_eq!(before.each_ref().map(is_shut), [false, false]);
    allow(&mut node, Some(&[2]));
    let after = doors(&node);
    std::thread::scope(|threads| {
        let told = threads.spawn(|| [&before, &after].map(|doors| doors.each_ref().map(is_shut)));
        assert_eq!(told.join().expect("it does not panic"), [[false, true]; 2]);
    });
    let pushed = after[1].deliver_envelope(envelope(1, vec![]), None);
    assert!(matches!(pushed, Err(DeliveryError::Denied(Denial::NotAllowlisted))), "{pushed:?}");
    assert_eq!((node.ingress().stats().items, node.ingress().stats().refused.blocked), (0, 3));

    allow(&mut node, Some(&[3]));
    assert_eq!(before.each_ref().map(is_shut), [true, false]);
    allow(&mut node, Some(&[]));
    assert_eq!(after.each_ref().map(is_shut), [true, true]);
    node.invoke("Main", [("n", 1_u64)]).expect("the host is no peer");
    allow(&mut node, None);
    assert_eq!(before.each_ref().map(is_shut), [false, false]);
}

#[test]
fn a_node_that_is_set_back_has_the_list_that_it_had() {
    let mut node = made();
    allow(&mut node, Some(&[2]));
    let snapshot = node.snapshot().expect("it can be written");
    allow(&mut node, Some(&[3]));
    let doors = doors(&node);
    node.restore(&snapshot).expect("it is of this Node");
    assert_eq!(doors.each_ref().map(is_shut), [false, true]);
    assert_eq!(
        made().snapshot().map(|free| node.restore(&free)).map(|told| told.is_ok()),
        Ok(true)
    );
    assert_eq!(doors.each_ref().map(is_shut), [false, false]);
}

#[test]
fn a_mailbox_that_has_outlived_its_node_gets_the_lists_of_the_next_life() {
    let mut fallen = made();
    fallen.block_peer(peer(2)).expect("there is room");
    let doors = doors(&fallen);
    // It falls in the batch that changes its lists.
    let batch = {
        fallen.set_allowlist(Some(BTreeSet::from([peer(2)]))).expect("there is room");
        fallen.intake(Nanos::ZERO)
    };
    let mailbox = fallen.into_mailbox();
    let mut node = made();
    node.replay(&batch, &mut Vec::new());
    node.begin_life(Incarnation::new(5), Some(mailbox)).expect("it is higher");
    assert!(is_shut(&doors[1]));
    let blocked = doors[0].deliver_inbound("these bytes are no frame".into());
    assert!(matches!(blocked, Err(DeliveryError::Denied(Denial::Blocklisted))), "{blocked:?}");
}
