//! Limits on what peers cost: remembering them, waiting for them, and being flooded by them.

use super::settings::settings;
use crate::time::Nanos;

settings! {
    /// Who is known, and when a peer counts as down.
    PeerConfig {
        /// Peers in the address book: a large mesh, at about 4 KiB each when all are full.
        max_peers: u32, DEFAULT_MAX_PEERS = 16_384, EDGE_MAX_PEERS = 256;
        /// Addresses of one peer: several networks and relays of one host.
        max_addresses: u32, DEFAULT_MAX_ADDRESSES = 16, EDGE_MAX_ADDRESSES = 4;
        /// Entries of the block list, and likewise of the allow list.
        max_listed: u32, DEFAULT_MAX_LISTED = 16_384, EDGE_MAX_LISTED = 256;
        /// Failures in a row after which a peer is down: one bad link is not a dead peer.
        failure_threshold: u32, DEFAULT_FAILURE_THRESHOLD = 5, EDGE_FAILURE_THRESHOLD = 5;
        /// Wait of a down peer before one attempt is let through, in nanoseconds.
        probe_after: Nanos,
        DEFAULT_PROBE_AFTER = Nanos::from_secs(10), EDGE_PROBE_AFTER = Nanos::from_secs(30);
        /// Percent of the mailbox, items and bytes, that one peer may fill: a flood leaves room
        /// for the others. At least one item is always allowed.
        ingress_share_percent: u32 in 1..=100,
        DEFAULT_INGRESS_SHARE_PERCENT = 25, EDGE_INGRESS_SHARE_PERCENT = 25;
    }
}

settings! {
    /// How long to wait before trying a peer again.
    BackoffConfig {
        /// First wait, in nanoseconds: a hiccup of the network passes within it.
        base: Nanos,
        DEFAULT_BACKOFF_BASE = Nanos::from_millis(10), EDGE_BACKOFF_BASE = Nanos::from_millis(10);
        /// Longest wait, in nanoseconds; a peer's own advice is cut to it too.
        cap: Nanos,
        DEFAULT_BACKOFF_CAP = Nanos::from_secs(60), EDGE_BACKOFF_CAP = Nanos::from_secs(60);
    }
}

settings! {
    /// When peers that send without credit are asked to slow down, and when they are muted.
    BackpressureConfig {
        /// Percent of the mailbox above which notices are sent: early enough to be heard.
        high_percent: u32 in 1..=100,
        DEFAULT_BACKPRESSURE_HIGH_PERCENT = 75, EDGE_BACKPRESSURE_HIGH_PERCENT = 75;
        /// Least time between two notices to one peer, in nanoseconds.
        notice_interval: Nanos,
        DEFAULT_NOTICE_INTERVAL = Nanos::from_secs(1), EDGE_NOTICE_INTERVAL = Nanos::from_secs(1);
        /// Notices after which a peer that goes on is muted.
        mute_after: u32, DEFAULT_MUTE_AFTER = 3, EDGE_MUTE_AFTER = 3;
        /// Quiet after which a muted peer is heard again, in nanoseconds.
        quiet: Nanos,
        DEFAULT_MUTE_QUIET = Nanos::from_secs(5), EDGE_MUTE_QUIET = Nanos::from_secs(5);
    }
}

settings! {
    /// How long an answer may take.
    RttConfig {
        /// Round trips measured before the estimate is trusted.
        warm_samples: u32, DEFAULT_RTT_WARM_SAMPLES = 3, EDGE_RTT_WARM_SAMPLES = 3;
        /// Budget for each hop while nothing is measured, in nanoseconds: across an ocean.
        per_hop: Nanos,
        DEFAULT_RTT_PER_HOP = Nanos::from_millis(100), EDGE_RTT_PER_HOP = Nanos::from_millis(100);
        /// Least budget, however fast the last answers came, in nanoseconds: a pause of the other
        /// host's scheduler passes within it.
        least: Nanos,
        DEFAULT_RTT_LEAST = Nanos::from_millis(10), EDGE_RTT_LEAST = Nanos::from_millis(10);
        /// Estimates that are kept, of peers and of channels to them; beyond, the one used longest
        /// ago goes.
        max_estimates: u32, DEFAULT_RTT_ESTIMATES = 16_384, EDGE_RTT_ESTIMATES = 256;
    }
}

settings! {
    /// What is under way between this Node and its peers.
    ExchangeConfig {
        /// Requests without an answer yet; each holds a parked op.
        max_requests: u32, DEFAULT_MAX_REQUESTS = 10_000, EDGE_MAX_REQUESTS = 256;
        /// Message ids remembered of one peer for best-effort traffic: what a network reorders.
        dedup_window: u32, DEFAULT_DEDUP_WINDOW = 8_192, EDGE_DEDUP_WINDOW = 512;
        /// Peers that this Node sends to reliably, and likewise reliable streams that reach it: how
        /// far each has come is never forgotten, so one more is refused.
        max_streams: u32, DEFAULT_MAX_STREAMS = 16_384, EDGE_MAX_STREAMS = 256;
        /// Reliable streams that reach this Node from one peer: a Node sends on one, and a stranger
        /// cannot use up what is for all.
        max_peer_streams: u32, DEFAULT_MAX_PEER_STREAMS = 16, EDGE_MAX_PEER_STREAMS = 4;
        /// Percent of the outbound queue at which new external work is refused: what was
        /// acknowledged keeps the rest.
        outbound_high_percent: u32 in 1..=100,
        DEFAULT_OUTBOUND_HIGH_PERCENT = 75, EDGE_OUTBOUND_HIGH_PERCENT = 75;
        /// Names of gates, each with permits of its own.
        max_gates: u32, DEFAULT_MAX_GATES = 1_024, EDGE_MAX_GATES = 64;
        /// Executions that wait for one gate.
        max_gate_waiters: u32, DEFAULT_MAX_GATE_WAITERS = 4_096, EDGE_MAX_GATE_WAITERS = 128;
    }
}
