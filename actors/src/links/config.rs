//! What the links of a host may hold and how long they may wait.
//!
//! Law: every queue has an end, every wait has one, and none of them is nothing.

use samsara_runtime::time::{Nanos, millis, seconds};

/// The limits of a host's links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkConfig {
    /// The first pause before a host is dialled again: as long as a process takes to come back.
    pub dial_base: Nanos,
    /// The longest pause: a host that was away for a day is found within it.
    pub dial_cap: Nanos,
    /// How long a greeting may take on a link that is proved.
    pub greeting: Nanos,
    /// How often a host that has nothing to say says so: well below the silence that ends a link.
    pub beat: Nanos,
    /// Bytes from which on an envelope goes by the bulk link, so that no word waits behind it.
    pub bulk_bytes: u64,
    /// Bytes that wait for one link. Past them a Node is held back until half of them are gone.
    pub queue_bytes: u64,
    /// Bytes of one host that wait for Nodes here: then nothing more of it is read.
    pub inbound_bytes: u32,
    /// Bytes of all hosts that wait for Nodes here.
    pub inbound_bytes_total: u32,
    /// Bytes a second that are read of one host. More than a fast network carries, so that only
    /// who asks for less gets less.
    pub rate_bytes: u64,
    /// Bytes that one host may send at once beyond its rate.
    pub rate_burst: u64,
    /// Hosts that are known at once.
    pub hosts: u32,
    /// Nodes that one host may name.
    pub names: u32,
    /// Streams of a host that keep to one link. Those past it go by the control link, all of them.
    pub streams: u32,
    /// Offences that a host may commit before it is blocked.
    pub strikes: u32,
    /// How long it is blocked at first, each time twice as long.
    pub block_base: Nanos,
    /// The longest block.
    pub block_cap: Nanos,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            dial_base: millis(100),
            dial_cap: seconds(30),
            greeting: seconds(5),
            beat: seconds(10),
            bulk_bytes: 64 << 10,
            queue_bytes: 64 << 20,
            inbound_bytes: 8 << 20,
            inbound_bytes_total: 256 << 20,
            rate_bytes: 4 << 30,
            rate_burst: 64 << 20,
            hosts: 1_024,
            names: 65_536,
            streams: 65_536,
            strikes: 10,
            block_base: seconds(600),
            block_cap: seconds(86_400),
        }
    }
}

impl LinkConfig {
    /// The first field that is zero: with nothing of it nothing would ever move.
    pub(crate) fn zero(&self) -> Option<&'static str> {
        let fields = [
            ("dial_base", self.dial_base.get()),
            ("greeting", self.greeting.get()),
            ("beat", self.beat.get()),
            ("queue_bytes", self.queue_bytes),
            ("inbound_bytes", self.inbound_bytes.into()),
            ("inbound_bytes_total", self.inbound_bytes_total.into()),
            ("rate_bytes", self.rate_bytes),
            ("rate_burst", self.rate_burst),
            ("hosts", self.hosts.into()),
            ("names", self.names.into()),
            ("strikes", self.strikes.into()),
        ];
        fields.into_iter().find(|(_, value)| *value == 0).map(|(name, _)| name)
    }
}
