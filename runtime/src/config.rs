//! One validated tree of settings: every limit of a Node, with its unit and its reason.
//!
//! Law: "no limit" does not exist. A zero is refused, so are numbers that contradict each other,
//! and all that is wrong is reported at once.
//!
//! ```
//! use samsara_runtime::config::{NodeConfig, TurnConfig};
//!
//! let config = NodeConfig {
//!     cycle_op_budget: 0,
//!     turn: TurnConfig { events: 0, ..TurnConfig::default() },
//!     ..NodeConfig::edge()
//! };
//! let errors = config.validate().expect_err("two zeros");
//! let paths: Vec<&str> = errors.iter().map(|error| error.path()).collect();
//! assert_eq!(paths, ["cycle_op_budget", "turn.events"]);
//! ```

mod delivery;
mod host;
mod peers;
mod plan;
mod relations;
mod settings;
mod state;
mod turn;

use std::fmt;

use samsara_proto::EnvelopeCaps;

use self::settings::{Allowed, Path, Settings, Visitor, settings};

pub use self::delivery::*;
pub use self::host::*;
pub use self::peers::*;
pub use self::plan::*;
pub use self::state::*;
pub use self::turn::*;

settings! {
    /// Every limit of a Node.
    NodeConfig {
        /// Ops fired in one poll: about a millisecond of small ops.
        cycle_op_budget: u32, DEFAULT_CYCLE_OP_BUDGET = 1_000, EDGE_CYCLE_OP_BUDGET = 250;
        /// Parked ops; at the cap a new one fails before it has any effect.
        max_pending_async: u32, DEFAULT_MAX_PENDING_ASYNC = 10_000, EDGE_MAX_PENDING_ASYNC = 256;
        /// Envelopes that wait to be sent: what a link loses while it reconnects.
        max_outbound_queue: u32, DEFAULT_MAX_OUTBOUND_QUEUE = 10_000, EDGE_MAX_OUTBOUND_QUEUE = 512;
        /// Events on the bus; beyond, the oldest goes and is counted.
        bus_capacity: u32, DEFAULT_BUS_CAPACITY = 1_024, EDGE_BUS_CAPACITY = 128;
        /// Items in the mailbox: some turns ahead of the walk.
        ingress_capacity: u32, DEFAULT_INGRESS_CAPACITY = 4_096, EDGE_INGRESS_CAPACITY = 256;
        /// Bytes in the mailbox: what a Node may pin while it is behind.
        ingress_byte_budget: u64,
        DEFAULT_INGRESS_BYTE_BUDGET = 256 * 1024 * 1024, EDGE_INGRESS_BYTE_BUDGET = 8 * 1024 * 1024;
        /// Bytes of one app event from the host.
        max_app_event_bytes: u64,
        DEFAULT_MAX_APP_EVENT_BYTES = 1024 * 1024, EDGE_MAX_APP_EVENT_BYTES = 64 * 1024;
        /// Inputs of one invoke: the ports of a large module.
        max_invoke_inputs: u32, DEFAULT_MAX_INVOKE_INPUTS = 100, EDGE_MAX_INVOKE_INPUTS = 16;
        /// Bytes of one invoke, all inputs together.
        max_invoke_bytes: u64,
        DEFAULT_MAX_INVOKE_BYTES = 10 * 1024 * 1024, EDGE_MAX_INVOKE_BYTES = 256 * 1024;
        /// Bytes of one completion's result, all outputs together.
        max_completion_result_bytes: u64,
        DEFAULT_MAX_COMPLETION_RESULT_BYTES = 4 * 1024 * 1024,
        EDGE_MAX_COMPLETION_RESULT_BYTES = 64 * 1024;
        /// Bytes of the text of a failed completion; longer text is cut.
        max_completion_detail_bytes: u64,
        DEFAULT_MAX_COMPLETION_DETAIL_BYTES = crate::error::COMPLETION_DETAIL_CAP as u64,
        EDGE_MAX_COMPLETION_DETAIL_BYTES = crate::error::COMPLETION_DETAIL_CAP as u64;
    }
    with {
        /// Caps on one received envelope.
        envelope_caps: EnvelopeCaps;
        /// What one poll takes.
        turn: TurnConfig;
        /// What the engine holds.
        engine: EngineConfig;
        /// What an encoded value may claim.
        value: ValueConfig;
        /// Who is known.
        peers: PeerConfig;
        /// Waits between attempts.
        backoff: BackoffConfig;
        /// Notices and muting.
        backpressure: BackpressureConfig;
        /// Estimates of round trips.
        rtt: RttConfig;
        /// Requests and sends under way.
        exchange: ExchangeConfig;
        /// State of ops and timers.
        state: StateConfig;
        /// Size of programs.
        plan: PlanConfig;
        /// Cadence of snapshots.
        snapshot: SnapshotConfig;
        /// What is remembered of clients.
        sessions: SessionConfig;
    }
}

impl NodeConfig {
    /// Every problem of this tree, or none.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = out_of_range(&mut { *self });
        errors.extend(relations::broken(self));
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors { errors }) }
    }

    /// Every setting by its path, in the order of declaration; times in nanoseconds.
    pub fn settings(&self) -> Vec<(String, u64)> {
        let mut list = Vec::new();
        let mut tree = *self;
        tree.walk("", &mut |path, number, _| list.push((path.to_string(), number.number())));
        list
    }
}

/// Every setting of a tree that stands outside of what makes sense there.
fn out_of_range(tree: &mut impl Settings) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    tree.walk("", &mut |path, number, allowed| {
        let (value, Allowed { low, high }) = (number.number(), allowed);
        if value < low || value > high {
            errors.push(ConfigError::OutOfRange { path: path.to_string(), value, low, high });
        }
    });
    errors
}

impl Settings for EnvelopeCaps {
    fn walk(&mut self, group: &'static str, visit: &mut Visitor<'_>) {
        // Taken apart by name, so that a cap which is added there is missed here by the compiler.
        let Self {
            envelope_bytes,
            fills,
            payload_bytes,
            path_bytes,
            claimed_addresses,
            address_bytes,
            acks,
            unknown_fields,
        } = self;
        let any = Allowed { low: 1, high: u64::MAX };
        let may_be_zero = Allowed { low: 0, high: u64::MAX };
        visit(Path { group, name: "envelope_bytes" }, envelope_bytes, any);
        visit(Path { group, name: "fills" }, fills, any);
        visit(Path { group, name: "payload_bytes" }, payload_bytes, any);
        visit(Path { group, name: "path_bytes" }, path_bytes, any);
        // Zero is a rule here: a Node may take no claims, and nothing from newer versions.
        visit(Path { group, name: "claimed_addresses" }, claimed_addresses, may_be_zero);
        visit(Path { group, name: "address_bytes" }, address_bytes, any);
        visit(Path { group, name: "acks" }, acks, any);
        visit(Path { group, name: "unknown_fields" }, unknown_fields, may_be_zero);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(self.name)
        } else {
            write!(f, "{}.{}", self.group, self.name)
        }
    }
}

/// One problem of a [`NodeConfig`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number stands outside of what makes sense there.
    #[error("{path} is {value}, wanted {}", range_text(*.low, *.high))]
    OutOfRange {
        /// The setting.
        path: String,
        /// Its value.
        value: u64,
        /// The least that is allowed.
        low: u64,
        /// The most that is allowed.
        high: u64,
    },
    /// Two settings contradict each other.
    #[error("{path} is {value}, wanted at most {limit}, which is {limit_path}")]
    AboveLimit {
        /// The setting that is too large.
        path: &'static str,
        /// Its value.
        value: u64,
        /// What it must not exceed.
        limit_path: &'static str,
        /// The value of that.
        limit: u64,
    },
}

impl ConfigError {
    /// The setting at fault.
    pub fn path(&self) -> &str {
        match self {
            Self::OutOfRange { path, .. } => path,
            Self::AboveLimit { path, .. } => path,
        }
    }
}

fn range_text(low: u64, high: u64) -> String {
    match high {
        u64::MAX => format!("at least {low}"),
        _ => format!("{low} to {high}"),
    }
}

/// Every problem of a [`NodeConfig`], at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// The problems, in the order of declaration.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.errors.iter()
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid config")?;
        let mut between = ": ";
        for error in &self.errors {
            write!(f, "{between}{error}")?;
            between = "; ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
