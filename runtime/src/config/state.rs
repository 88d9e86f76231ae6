//! Limits on what ops and components keep between executions.

use super::settings::settings;

settings! {
    /// State of the syscall ops and timers.
    StateConfig {
        /// Timers of the whole Node; at the cap the op that asks for one more fails.
        max_timers: u32, DEFAULT_MAX_TIMERS = 65_536, EDGE_MAX_TIMERS = 1_024;
        /// Timers of one component: it cannot use up everyone's.
        max_component_timers: u32,
        DEFAULT_MAX_COMPONENT_TIMERS = 4_096, EDGE_MAX_COMPONENT_TIMERS = 128;
        /// Items in one serialize queue; beyond, the oldest goes and is counted.
        serialize_capacity: u32, DEFAULT_SERIALIZE_CAPACITY = 4_096, EDGE_SERIALIZE_CAPACITY = 256;
        /// Names in the hold table.
        hold_names: u32, DEFAULT_HOLD_NAMES = 1_024, EDGE_HOLD_NAMES = 64;
        /// Items stashed under one name; beyond, the op that stashes fails.
        hold_items: u32, DEFAULT_HOLD_ITEMS = 4_096, EDGE_HOLD_ITEMS = 256;
        /// Items in one record ring: the recent past, for a host to read.
        record_capacity: u32, DEFAULT_RECORD_CAPACITY = 1_024, EDGE_RECORD_CAPACITY = 128;
        /// Rounds that one gather op keeps open: late senders of a few rounds still fit.
        gather_rounds: u32, DEFAULT_GATHER_ROUNDS = 64, EDGE_GATHER_ROUNDS = 8;
        /// Of those, rounds that one sender has opened: it cannot keep everyone else out.
        gather_sender_rounds: u32,
        DEFAULT_GATHER_SENDER_ROUNDS = 16, EDGE_GATHER_SENDER_ROUNDS = 2;
        /// Senders that one round of a gather waits for: what they sent is held until all are there.
        gather_senders: u32, DEFAULT_GATHER_SENDERS = 16_384, EDGE_GATHER_SENDERS = 256;
        /// Bytes of a value that tells rounds apart; it is kept for every round that is remembered.
        gather_round_bytes: u32,
        DEFAULT_GATHER_ROUND_BYTES = 256, EDGE_GATHER_ROUND_BYTES = 64;
        /// Names of serialize queues, record rings and counters, and gather ops, each kind by itself.
        max_names: u32, DEFAULT_MAX_NAMES = 1_024, EDGE_MAX_NAMES = 64;
        /// Latches that are set in executions which have not ended.
        max_latches: u32, DEFAULT_MAX_LATCHES = 65_536, EDGE_MAX_LATCHES = 1_024;
        /// Bytes of one job's request: it is kept until its answer is there, and captured.
        max_job_request_bytes: u64 in 1..=16_777_216,
        DEFAULT_MAX_JOB_REQUEST_BYTES = 1024 * 1024, EDGE_MAX_JOB_REQUEST_BYTES = 64 * 1024;
        /// Bytes of the requests of all jobs that wait; at the cap the op that asks for one more
        /// fails.
        max_job_bytes: u64,
        DEFAULT_MAX_JOB_BYTES = 256 * 1024 * 1024, EDGE_MAX_JOB_BYTES = 4 * 1024 * 1024;
        /// Bus subscriptions of the whole Node.
        max_subscriptions: u32, DEFAULT_MAX_SUBSCRIPTIONS = 1_024, EDGE_MAX_SUBSCRIPTIONS = 64;
        /// Sources and kinds of refused calls that one turn tells of; further ones are counted.
        max_refusals: u32, DEFAULT_MAX_REFUSALS = 64, EDGE_MAX_REFUSALS = 16;
        /// Invokes whose outputs nobody has collected yet.
        max_invocations: u32, DEFAULT_MAX_INVOCATIONS = 10_000, EDGE_MAX_INVOCATIONS = 256;
    }
}
