//! Nodes of Systems that are linked, and what they are to each other.

use super::rig::{Net, address, all_noted, ledger_spec, noted, quick, say, source_spec, until};

/// Two hosts, of which the second one is dialled.
async fn two(net: &Net) {
    let (a, b) = (net.peer(1), net.peer(2));
    let second = net.host(2).listen(net.anywhere()).allow([a]).start().await.expect("it starts");
    let first = net.host(1).peer(b, address(&second)).start().await.expect("it starts");
    assert_eq!((first.peer_id(), second.peer_id()), (a, b));
    let source = first.spawn(source_spec(b)).await.expect("it lives");
    for n in 1..=20 {
        say(&source, n, 10).await;
    }
    // Who is spoken to comes later.
    let ledger = second.spawn(ledger_spec(a)).await.expect("it lives");
    for n in 21..=200 {
        say(&source, n, 10).await;
    }
    all_noted(&source, &ledger, 200).await;
    let stats = second.link_stats();
    assert_eq!((stats.forged, stats.malformed, stats.sessions), (0, 0, 1), "{stats:?}");
    assert!(stats.received >= 200 && stats.hosts[0].is_linked && stats.hosts[0].nodes == 1);
    first.stop().await.expect("there is no store");
    until("the other one notices", || !second.link_stats().hosts[0].is_linked).await;
    second.stop().await.expect("there is no store");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_systems_exchange_in_order_over_memory() {
    two(&Net::hub()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_systems_exchange_in_order_over_tcp() {
    two(&Net::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_loads_go_by_the_bulk_link_and_stay_in_order() {
    let net = Net::Tcp;
    let (a, b) = (net.peer(1), net.peer(2));
    let second = net.host(2).listen(net.anywhere()).allow([a]).start().await.expect("it starts");
    let first = net.host(1).peer(b, address(&second)).start().await.expect("it starts");
    let source = first.spawn(source_spec(b)).await.expect("it lives");
    let ledger = second.spawn(ledger_spec(a)).await.expect("it lives");
    for n in 1..=60 {
        // The stream keeps to the link that it began on, whatever comes later.
        say(&source, n, if n % 3 == 1 { 300_000 } else { 10 }).await;
    }
    all_noted(&source, &ledger, 60).await;
    for stats in [first.link_stats(), second.link_stats()] {
        assert_eq!((stats.unheard, stats.held), (0, 0), "none overtook another: {stats:?}");
    }
    first.stop().await.expect("there is no store");
    second.stop().await.expect("there is no store");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_systems_that_all_dial_each_other_agree_on_their_links() {
    let net = Net::hub();
    let peers = [1, 2, 3].map(|n| net.peer(n));
    let at = |n: u8| format!("/memory/{n}");
    let mut systems = Vec::new();
    for n in 1..=3_u8 {
        let mut host = net.host(n).listen(at(n)).allow(peers);
        for other in (1..=3).filter(|other| *other != n) {
            host = host.peer(net.peer(other), at(other));
        }
        systems.push(host.start().await.expect("it starts"));
    }
    let mut pairs = Vec::new();
    for n in 0..3 {
        let next = (n + 1) % 3;
        let source = systems[n].spawn(source_spec(peers[next])).await.expect("it lives");
        let ledger = systems[next].spawn(ledger_spec(peers[n])).await.expect("it lives");
        pairs.push((source, ledger));
    }
    for n in 1..=100 {
        for (source, _) in &pairs {
            say(source, n, 10).await;
        }
    }
    for (source, ledger) in &pairs {
        all_noted(source, ledger, 100).await;
    }
    for system in &systems {
        let stats = system.link_stats();
        assert!(stats.hosts.len() == 2 && stats.hosts.iter().all(|host| host.is_linked));
        assert_eq!((stats.forged, stats.malformed), (0, 0), "{stats:?}");
    }
    for system in systems {
        system.stop().await.expect("there is no store");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_without_room_holds_its_producer_back_and_loses_nothing() {
    let net = Net::Tcp;
    let (a, b) = (net.peer(1), net.peer(2));
    let mut narrow = quick();
    (narrow.rate_bytes, narrow.rate_burst) = (20 << 20, 1 << 20);
    narrow.inbound_bytes = 1 << 20;
    let second = net.host(2).link_limits(narrow).listen(net.anywhere()).allow([a]);
    let second = second.start().await.expect("it starts");
    let mut small = quick();
    small.queue_bytes = 1 << 20;
    let limits = samsara_transport::LinkLimits {
        queue_bytes: 1 << 20,
        ..samsara_transport::LinkLimits::default()
    };
    let tcp = samsara_transport::Tcp::new(super::rig::key(1)).links(limits);
    let first = super::rig::builder().link_limits(small).transport(tcp).peer(b, address(&second));
    let first = first.start().await.expect("it starts");
    let source = first.spawn(source_spec(b)).await.expect("it lives");
    let ledger = second.spawn(ledger_spec(a)).await.expect("it lives");
    say(&source, 1, 10).await;
    all_noted(&source, &ledger, 1).await;
    for n in 2..=120 {
        say(&source, n, 200_000).await;
    }
    all_noted(&source, &ledger, 120).await;
    let stats = first.link_stats();
    assert!(stats.held > 0, "its queue was never full: {stats:?}");
    assert_eq!(stats.unsendable, 0);
    assert_eq!(noted(&ledger, "ledger").await, (120, 0));
    first.stop().await.expect("there is no store");
    second.stop().await.expect("there is no store");
}
