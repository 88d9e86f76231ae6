//! What the mailbox promises, one claim a test, and a stress of a million racing rounds.
#![cfg(not(loom))]

mod mailbox {
    mod limits;
    mod lives;
    mod marks;
    mod stress;
    mod tickets;
    mod waiting;

    use samsara_ingress::{IngressLimits, IngressQueue, IngressReader, TurnLimits};

    /// What these tests carry, and how they name peers.
    pub(crate) type Queue = IngressQueue<u32, &'static str>;

    pub(crate) fn queue(items: usize, bytes: u64) -> Queue {
        let limits = IngressLimits { items, bytes, ..IngressLimits::default() };
        IngressQueue::new(limits).expect("the limits are valid")
    }

    /// Everything that waits, its charge dropped.
    pub(crate) fn read(reader: &mut IngressReader<u32, &'static str>) -> Vec<u32> {
        let mut events = Vec::new();
        let _charge = reader.read(TurnLimits::default(), &mut events).expect("this life reads");
        events.into_iter().map(|held| held.event).collect()
    }
}
