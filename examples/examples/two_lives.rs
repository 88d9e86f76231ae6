//! The mailbox alone: a reader dies with an event in hand, and the next life reads it.

use samsara::ingress::{IngressLimits, IngressQueue, TurnLimits};
use samsara::proto::PeerId;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = IngressQueue::<&str, PeerId>::new(IngressLimits::default())?;
    let alice = queue.handle().for_peer(&PeerId::from(1))?; // her share: a quarter of the queue

    let mut first_life = queue.open(1)?;
    alice.try_push("pay the rent", 12)?; // admitted, or handed back with the reason
    first_life.take(TurnLimits::default())?; // in hand, not yet committed…
    drop(first_life); // …when the reader dies

    alice.try_push("feed the cat", 12)?; // the handle does not care
    let mut second_life = queue.open(2)?; // fences life 1 off, inherits everything
    let mut events = Vec::new();
    let charge = second_life.read(TurnLimits::default(), &mut events)?;
    assert_eq!(
        events.iter().map(|held| held.event).collect::<Vec<_>>(),
        ["pay the rent", "feed the cat"]
    );
    println!("both lives had what was pushed, and nothing twice");
    drop(charge); // 24 bytes go back to the budget
    Ok(())
}
