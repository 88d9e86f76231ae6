//! Limits of one turn and of the engine that walks in it.

use super::settings::settings;
use crate::time::Nanos;

settings! {
    /// What one poll takes from the mailbox, so that one flood cannot hold the thread.
    ///
    /// At least one event is always taken, however large: else it would block those behind it.
    TurnConfig {
        /// Events: enough to spread the cost of one journal write, few enough to stay fair.
        events: u32, DEFAULT_TURN_EVENTS = 256, EDGE_TURN_EVENTS = 32;
        /// Bytes: what one journal write takes without delaying the other Nodes of the store.
        bytes: u64, DEFAULT_TURN_BYTES = 4 * 1024 * 1024, EDGE_TURN_BYTES = 256 * 1024;
    }
}

settings! {
    /// What the engine holds and walks.
    EngineConfig {
        /// Live executions from which on, while ops are ready, events stay in the mailbox: more than
        /// a poll serves would only hold memory, some KiB each in a large module, and wait longer.
        /// Executions that only wait for the outside keep nobody out.
        max_executions: u32, DEFAULT_MAX_EXECUTIONS = 1_024, EDGE_MAX_EXECUTIONS = 128;
        /// Ready ops, over all executions, from which on events stay in the mailbox: many polls of
        /// work. A fan-out may exceed it, and nothing comes on top.
        max_ready_ops: u32, DEFAULT_MAX_READY_OPS = 65_536, EDGE_MAX_READY_OPS = 4_096;
        /// Static cost in nanoseconds from which a region leaves the turn as a job: a shorter one
        /// would cost more to hand over than to run.
        job_cost: Nanos,
        DEFAULT_JOB_COST = Nanos::from_millis(1), EDGE_JOB_COST = Nanos::from_millis(1);
        /// Fuel of one run of a tensor op, in nanoseconds of static cost: a large model fits, a
        /// loop without end does not hold the thread.
        run_fuel: Nanos,
        DEFAULT_RUN_FUEL = Nanos::from_secs(10), EDGE_RUN_FUEL = Nanos::from_secs(1);
    }
}

settings! {
    /// What an encoded value may claim, over all its parts.
    ValueConfig {
        /// Levels of lists and records within each other: data is broad, attacks are deep.
        max_depth: u32 in 1..=16, DEFAULT_VALUE_DEPTH = 16, EDGE_VALUE_DEPTH = 16;
        /// List items and record fields: two bytes on the wire may become forty in memory.
        max_items: u32, DEFAULT_VALUE_ITEMS = 65_536, EDGE_VALUE_ITEMS = 4_096;
    }
}
