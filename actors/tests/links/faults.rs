//! Systems and Nodes that end in the middle of work.

use samsara_actors::{StartError, StoreError, System, SystemBuilder};
use samsara_runtime::rng::Rng;

use super::rig::{Net, Place, address, all_noted, ledger_spec, noted, say, source_spec};

/// Starts it as soon as its store is free: a dropped System lets go of it a little later.
async fn start(builder: impl Fn() -> SystemBuilder) -> System {
    loop {
        match builder().start().await {
            Ok(system) => return system,
            Err(StartError::Store(StoreError::Locked { .. }) | StartError::Links(_)) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_dropped_and_comes_back_has_each_effect_once_and_in_order() {
    let net = Net::hub();
    let (a, b) = (net.peer(1), net.peer(2));
    let (place_a, place_b) = (Place::new(), Place::new());
    let second = || net.host(2).store(place_b.disk()).listen("/memory/2").allow([a]);
    let first = net.host(1).store(place_a.disk()).peer(b, "/memory/2");
    let first = first.start().await.expect("it starts");
    let source = first.spawn(source_spec(b)).await.expect("it lives");
    let mut said = 0;
    for life in 0..5 {
        let system = start(second).await;
        let ledger = system.spawn(ledger_spec(a)).await.expect("it lives");
        for _ in 0..40 {
            said += 1;
            say(&source, said, 100).await;
        }
        while noted(&ledger, "ledger").await.0 < life * 40 + 10 {
            tokio::task::yield_now().await;
        }
        // Dropped, not stopped: what was under way is lost.
        drop((system, ledger));
    }
    let system = start(second).await;
    let ledger = system.spawn(ledger_spec(a)).await.expect("it lives");
    all_noted(&source, &ledger, said).await;
    system.stop().await.expect("all is kept");
    first.stop().await.expect("all is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_dropped_and_comes_back_says_what_it_has_not_said() {
    let net = Net::Tcp;
    let (a, b) = (net.peer(1), net.peer(2));
    let (place_a, place_b) = (Place::new(), Place::new());
    let second = net.host(2).store(place_b.disk()).listen(net.anywhere()).allow([a]);
    let second = second.start().await.expect("it starts");
    let ledger = second.spawn(ledger_spec(a)).await.expect("it lives");
    let at = address(&second);
    let first = || net.host(1).store(place_a.disk()).peer(b, &at);
    let mut said = 0;
    for _ in 0..5 {
        let system = start(first).await;
        let source = system.spawn(source_spec(b)).await.expect("it lives");
        for _ in 0..40 {
            said += 1;
            say(&source, said, 100).await;
        }
        drop((system, source));
    }
    let system = start(first).await;
    let source = system.spawn(source_spec(b)).await.expect("it lives");
    all_noted(&source, &ledger, said).await;
    system.stop().await.expect("all is kept");
    second.stop().await.expect("all is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_fall_on_either_side_lose_nothing() {
    let net = Net::Tcp;
    let (a, b) = (net.peer(1), net.peer(2));
    let second = net.host(2).listen(net.anywhere()).allow([a]).start().await.expect("it starts");
    let first = net.host(1).peer(b, address(&second)).start().await.expect("it starts");
    let source = first.spawn(source_spec(b)).await.expect("it lives");
    let ledger = second.spawn(ledger_spec(a)).await.expect("it lives");
    let mut rng = Rng::from_seed(3);
    for n in 1..=300 {
        say(&source, n, 50).await;
        if rng.chance(1, 100) {
            source.kill();
        }
        if rng.chance(1, 60) {
            ledger.kill();
        }
    }
    all_noted(&source, &ledger, 300).await;
    first.stop().await.expect("there is no store");
    second.stop().await.expect("there is no store");
}
