//! Limits of what a host keeps between Nodes: envelopes on their way, and answers to clients.
//!
//! Law: as for every group: a limit on each, none left out of the walk.

use super::settings::settings;
use crate::time::Nanos;

settings! {
    /// What a courier keeps for its Node.
    DeliveryConfig {
        /// Peers that are remembered: as many as the Node itself knows.
        max_peers: u32, DEFAULT_MAX_COURIER_PEERS = 65_536, EDGE_MAX_COURIER_PEERS = 1_024;
        /// Reliable streams of one peer, each way, which share its credit: a Node has one, and one
        /// that takes over.
        max_streams_per_peer: u32,
        DEFAULT_MAX_STREAMS_PER_PEER = 2, EDGE_MAX_STREAMS_PER_PEER = 2;
        /// Bytes of reliable output that wait for their receivers: what a Node says while a peer
        /// restarts.
        outbox_bytes: u64,
        DEFAULT_OUTBOX_BYTES = 256 * 1024 * 1024, EDGE_OUTBOX_BYTES = 8 * 1024 * 1024;
        /// Percent of the outbox from which new work from outside is refused; the rest is for what
        /// was acknowledged before.
        outbox_high_percent: u32 in 1..=100,
        DEFAULT_OUTBOX_HIGH_PERCENT = 50, EDGE_OUTBOX_HIGH_PERCENT = 50;
        /// Best-effort envelopes that wait for one peer; beyond, the oldest goes and is told.
        max_best_effort: u32, DEFAULT_MAX_BEST_EFFORT = 1_024, EDGE_MAX_BEST_EFFORT = 64;
        /// Percent of the mailbox's bytes that one peer may have under way: four may be fast at
        /// once, and none can starve the rest.
        credit_percent: u32 in 1..=25, DEFAULT_CREDIT_PERCENT = 25, EDGE_CREDIT_PERCENT = 25;
        /// Acknowledgements, and likewise refusals, that one envelope bears.
        max_acks_per_envelope: u32,
        DEFAULT_MAX_ACKS_PER_ENVELOPE = 64, EDGE_MAX_ACKS_PER_ENVELOPE = 16;
        /// Envelopes of a stream after which it is acknowledged even if nothing goes that way.
        ack_every: u32, DEFAULT_ACK_EVERY = 32, EDGE_ACK_EVERY = 8;
        /// How long an acknowledgement may wait for an envelope that goes that way, in nanoseconds:
        /// far less than a round trip between hosts.
        ack_delay: Nanos,
        DEFAULT_ACK_DELAY = Nanos::from_micros(200), EDGE_ACK_DELAY = Nanos::from_micros(200);
        /// How long a stream rests after its receiver had no room, in nanoseconds: some turns of a
        /// busy Node.
        busy_rest: Nanos,
        DEFAULT_BUSY_REST = Nanos::from_millis(20), EDGE_BUSY_REST = Nanos::from_millis(20);
    }
}

settings! {
    /// What is remembered of clients that ask and may ask again.
    SessionConfig {
        /// Clients that are remembered.
        max_clients: u32, DEFAULT_MAX_CLIENTS = 16_384, EDGE_MAX_CLIENTS = 256;
        /// Requests of one client that are remembered: as many as it has under way at once.
        max_requests_per_client: u32,
        DEFAULT_MAX_REQUESTS_PER_CLIENT = 64, EDGE_MAX_REQUESTS_PER_CLIENT = 16;
        /// Bytes of replies that are kept for those who ask again; beyond, the oldest goes.
        reply_bytes: u64,
        DEFAULT_REPLY_BYTES = 64 * 1024 * 1024, EDGE_REPLY_BYTES = 2 * 1024 * 1024;
        /// How long a silent client is surely remembered, in nanoseconds: longer than anyone keeps
        /// asking for one answer.
        client_idle: Nanos,
        DEFAULT_CLIENT_IDLE = Nanos::from_secs(3_600), EDGE_CLIENT_IDLE = Nanos::from_secs(600);
    }
}
