//! Nodes in memory that fall in mid-work, and one that is fed poison.
//!
//! Law: who calls notices nothing of a fall but the time it takes.

use std::time::{Duration, Instant};

use super::{
    Finding,
    tally::{FAULT, POISON, add, plant, program},
};
use crate::{cli::Failure, prelude::*, runtime::config::HostConfig};

const NODES: usize = 8;
/// Callers of each Node, and the calls of each caller.
const CALLERS: usize = 16;
const CALLS: u64 = 1_500;
const FALLS: usize = 40;

pub(super) async fn show() -> Result<Vec<Finding>, Failure> {
    let called = (NODES * CALLERS) as u64 * CALLS;
    println!("{NODES} Nodes, {} callers, {called} calls; {FALLS} times a Node", NODES * CALLERS);
    println!("panics in mid-work and comes back behind the same handle:\n");
    // More falls than a Node would be forgiven in earnest.
    let mut limits = HostConfig::default();
    limits.supervision.max_restarts = FALLS as u32;
    limits.supervision.backoff_base = millis(1);
    limits.supervision.backoff_cap = millis(5);
    let system = System::builder().limits(limits).start().await?;
    let (program, mut nodes) = (program()?, Vec::new());
    for number in 0..NODES {
        let spec = NodeSpec::new(format!("tally-{number}"), program.clone());
        nodes.push(system.spawn(spec).await?);
    }

    let began = Instant::now();
    let callers: Vec<_> = nodes
        .iter()
        .flat_map(|node| std::iter::repeat_n(node, CALLERS))
        .map(|node| tokio::spawn(call(node.clone())))
        .collect();
    let risen = fall_and_rise(&nodes).await?;
    let mut answered = 0;
    for caller in callers {
        answered += caller.await??;
    }
    let rate = called as f64 / began.elapsed().as_secs_f64() / 1e3;
    println!("\n  {rate:.0} thousand calls and answers a second, falls included");

    let mut findings = feed_poison(&nodes).await?;
    let mut total = 0;
    for node in &nodes {
        total += add(node, FAULT).await?;
    }
    system.stop().await?;
    findings.splice(
        0..0,
        [
            Finding::exactly("falls with a new, higher life after them", risen, FALLS as u64),
            Finding::exactly("calls that were answered", answered, called),
            Finding::exactly("calls that the Nodes have counted", total, called),
        ],
    );
    Ok(findings)
}

async fn call(node: NodeRef) -> Result<u64, Failure> {
    let mut answered = 0;
    for _ in 0..CALLS {
        add(&node, 1).await?;
        answered += 1;
    }
    Ok(answered)
}

/// Has one Node after the other fall, and tells how often that brought a higher life.
async fn fall_and_rise(nodes: &[NodeRef]) -> Result<u64, Failure> {
    let mut risen = 0;
    let mut times = Vec::with_capacity(FALLS);
    for (number, node) in (1..=FALLS).zip(nodes.iter().cycle()) {
        let (life, began) = (node.incarnation(), Instant::now());
        plant();
        let total = add(node, FAULT).await?;
        times.push(began.elapsed());
        risen += u64::from(node.incarnation() > life);
        if number.is_multiple_of(FALLS / 4) {
            println!("  fall {number:>2}: {} is back, with {total} calls counted", node.name());
        }
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).map_or(0, Duration::as_micros);
    println!("  Half of them answered the call that they fell over within {median} us.");
    Ok(risen)
}

/// Brings a Node down with the same call until that is given up, between two calls that are good.
async fn feed_poison(nodes: &[NodeRef]) -> Result<Vec<Finding>, Failure> {
    let Some(node) = nodes.first() else { return Ok(Vec::new()) };
    println!("\nPoison: a call that brings {} down whenever it is tried.", node.name());
    let reply = node.ask("Tally", [("n", POISON)]).await?;
    let letters = node.dead_letters();
    for (_, letter) in &letters {
        println!("  given up, and kept as a dead letter: {}", letter.reason);
    }
    let given_up = u64::from(reply.is_aborted);
    Ok(vec![
        Finding::exactly("calls that were given up as poison", given_up, 1),
        Finding::exactly("dead letters", letters.len() as u64, 1),
    ])
}
