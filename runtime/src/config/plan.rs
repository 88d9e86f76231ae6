//! Limits on programs, and how often their state is captured.

use super::settings::settings;

settings! {
    /// What a program may expand to when it is installed.
    PlanConfig {
        /// Ops after expansion of all calls: a large exported model has some ten thousand.
        max_nodes: u32, DEFAULT_PLAN_NODES = 100_000, EDGE_PLAN_NODES = 10_000;
        /// Calls within calls: modules are written by people.
        max_depth: u32, DEFAULT_PLAN_DEPTH = 16, EDGE_PLAN_DEPTH = 16;
        /// Steps of the expansion itself: a small file may call itself up exponentially.
        expansion_steps: u64,
        DEFAULT_EXPANSION_STEPS = 1_000_000, EDGE_EXPANSION_STEPS = 100_000;
    }
}

settings! {
    /// When a host captures a Node: whichever comes first. It bounds what recovery replays.
    SnapshotConfig {
        /// Events since the last snapshot.
        every_events: u64, DEFAULT_SNAPSHOT_EVENTS = 10_000, EDGE_SNAPSHOT_EVENTS = 1_000;
        /// Bytes of journal since the last snapshot.
        every_bytes: u64,
        DEFAULT_SNAPSHOT_BYTES = 64 * 1024 * 1024, EDGE_SNAPSHOT_BYTES = 1024 * 1024;
    }
}
