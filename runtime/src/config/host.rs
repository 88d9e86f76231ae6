//! Limits of a host: what it does with the Nodes it carries, none of it visible inside one.
//!
//! Law: as for the tree of a Node: no setting is without a limit, and none is left out of the walk.

use super::settings::{Settings, Visitor, settings};
use super::{ConfigError, ConfigErrors, DeliveryConfig, SessionConfig, out_of_range};
use crate::time::Nanos;

/// Every limit of a host.
///
/// ```
/// use samsara_runtime::config::{HostConfig, SupervisionConfig};
/// use samsara_runtime::time::Nanos;
///
/// let hasty = SupervisionConfig { window: Nanos::ZERO, ..SupervisionConfig::default() };
/// let errors = HostConfig { supervision: hasty, ..HostConfig::default() }.validate().expect_err("no window");
/// assert_eq!(errors.to_string(), "invalid config: supervision.window is 0, wanted at least 1");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostConfig {
    /// When a child is started again, and when no more.
    pub supervision: SupervisionConfig,
    /// How the log of a store is laid out.
    pub journal: JournalConfig,
    /// What is done about events that bring their Node down.
    pub poison: PoisonConfig,
    /// What is kept between Nodes.
    pub delivery: DeliveryConfig,
    /// What is kept for clients.
    pub sessions: SessionConfig,
}

settings! {
    /// What is done about events that bring their Node down.
    PoisonConfig {
        /// Times that a batch may bring its Node or its process down before what did it is given
        /// up: more than a stray kill, few enough to go on soon.
        strikes_max: u32, DEFAULT_STRIKES_MAX = 3, EDGE_STRIKES_MAX = 3;
        /// Dead letters of one Node; beyond, nothing more is given up and the Node stays down.
        letters_max: u32, DEFAULT_LETTERS_MAX = 1_024, EDGE_LETTERS_MAX = 64;
    }
}

settings! {
    /// How the log of a store is laid out on its disk.
    JournalConfig {
        /// Bytes of one segment, reserved ahead: few files, and none so large that a Node which
        /// pins it keeps much of others.
        segment_bytes: u64 in 4_096..=4_294_967_296,
        DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024, EDGE_SEGMENT_BYTES = 4 * 1024 * 1024;
        /// Bytes of the payload of one record: a batch whose only event is the largest there is.
        max_record_bytes: u64,
        DEFAULT_MAX_RECORD_BYTES = 32 * 1024 * 1024, EDGE_MAX_RECORD_BYTES = 2 * 1024 * 1024;
        /// Bytes that were appended and wait to be written: a turn of several Nodes.
        pending_bytes: u64,
        DEFAULT_PENDING_BYTES = 64 * 1024 * 1024, EDGE_PENDING_BYTES = 4 * 1024 * 1024;
        /// Nodes with records in one log, each a chain to be remembered.
        max_nodes: u32, DEFAULT_MAX_JOURNAL_NODES = 1_048_576, EDGE_MAX_JOURNAL_NODES = 1_024;
    }
}

/// What a segment and a record hold besides a payload, at most.
const JOURNAL_OVERHEAD: u64 = 256;

settings! {
    /// How a supervisor treats children that fall.
    SupervisionConfig {
        /// Children of one supervisor: the Nodes of a large host.
        max_children: u32, DEFAULT_MAX_CHILDREN = 65_536, EDGE_MAX_CHILDREN = 256;
        /// Restarts within the window; one more is too many, and restarting has not helped.
        max_restarts: u32, DEFAULT_MAX_RESTARTS = 5, EDGE_MAX_RESTARTS = 5;
        /// How long a fall counts, in nanoseconds, its last instant included.
        window: Nanos,
        DEFAULT_RESTART_WINDOW = Nanos::from_secs(60), EDGE_RESTART_WINDOW = Nanos::from_secs(60);
        /// Wait before the second restart, in nanoseconds, doubled for each after it. The first
        /// comes at once: most faults do not repeat.
        backoff_base: Nanos,
        DEFAULT_RESTART_BACKOFF_BASE = Nanos::from_millis(100),
        EDGE_RESTART_BACKOFF_BASE = Nanos::from_millis(100);
        /// Where doubling ends, in nanoseconds; the jitter is added to this too.
        backoff_cap: Nanos,
        DEFAULT_RESTART_BACKOFF_CAP = Nanos::from_secs(30),
        EDGE_RESTART_BACKOFF_CAP = Nanos::from_secs(30);
        /// Percent by which a wait is longer or shorter, so that those who fell together do not
        /// come back together.
        jitter_percent: u32 in 1..=100,
        DEFAULT_RESTART_JITTER_PERCENT = 20, EDGE_RESTART_JITTER_PERCENT = 20;
        /// Time in good health after which the next restart is a first one again, in nanoseconds.
        healthy_after: Nanos,
        DEFAULT_HEALTHY_AFTER = Nanos::from_secs(60), EDGE_HEALTHY_AFTER = Nanos::from_secs(60);
        /// How long one child may take to stop or to be joined before it is killed, in nanoseconds:
        /// a turn and a last snapshot.
        stop_timeout: Nanos,
        DEFAULT_STOP_TIMEOUT = Nanos::from_secs(5), EDGE_STOP_TIMEOUT = Nanos::from_secs(5);
    }
}

impl HostConfig {
    /// The preset for small devices.
    pub fn edge() -> Self {
        Self {
            supervision: SupervisionConfig::edge(),
            journal: JournalConfig::edge(),
            poison: PoisonConfig::edge(),
            delivery: DeliveryConfig::edge(),
            sessions: SessionConfig::edge(),
        }
    }

    /// Every problem of this tree, or none.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = out_of_range(&mut { *self });
        let SupervisionConfig { backoff_base, backoff_cap, .. } = self.supervision;
        let JournalConfig { segment_bytes, max_record_bytes, pending_bytes, .. } = self.journal;
        let record = max_record_bytes.saturating_add(JOURNAL_OVERHEAD);
        let (base, cap) = (backoff_base.get(), backoff_cap.get());
        let relations = [
            ("supervision.backoff_base", base, "supervision.backoff_cap", cap),
            ("journal.max_record_bytes", record, "journal.segment_bytes", segment_bytes),
            ("journal.max_record_bytes", record, "journal.pending_bytes", pending_bytes),
        ];
        let broken = relations.into_iter().filter(|(_, value, _, limit)| value > limit);
        errors.extend(broken.map(|(path, value, limit_path, limit)| ConfigError::AboveLimit {
            path,
            value,
            limit_path,
            limit,
        }));
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors { errors }) }
    }
}

impl Settings for HostConfig {
    fn walk(&mut self, _: &'static str, visit: &mut Visitor<'_>) {
        // Taken apart by name, so that a group which is added is missed here by the compiler.
        let Self { supervision, journal, poison, delivery, sessions } = self;
        supervision.walk("supervision", visit);
        journal.walk("journal", visit);
        poison.walk("poison", visit);
        delivery.walk("delivery", visit);
        sessions.walk("sessions", visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_presets_are_sound_and_edge_never_allows_more() {
        HostConfig::default().validate().expect("the default preset");
        HostConfig::edge().validate().expect("the edge preset");
        let numbers = |mut tree: HostConfig| {
            let mut list = Vec::new();
            tree.walk("", &mut |path, number, _| list.push((path.to_string(), number.number())));
            list
        };
        let (default, edge) = (numbers(HostConfig::default()), numbers(HostConfig::edge()));
        for ((path, default), (_, edge)) in default.into_iter().zip(edge) {
            assert!(edge <= default, "{path}: {edge} > {default}");
        }
    }

    #[test]
    fn every_setting_at_zero_is_refused_by_name() {
        let mut paths = Vec::new();
        HostConfig::default().walk("", &mut |path, _, _| paths.push(path.to_string()));
        for path in paths {
            let mut tree = HostConfig::default();
            tree.walk("", &mut |at, number, _| {
                if at.to_string() == path {
                    number.set(0);
                }
            });
            let errors = tree.validate().expect_err(&path);
            assert!(errors.iter().any(|error| error.path() == path), "{path} gives {errors}");
        }
    }

    #[test]
    fn a_first_wait_above_the_last_is_refused_naming_both() {
        let mut config = HostConfig::default();
        config.supervision.backoff_base = Nanos::from_secs(31);
        let errors = config.validate().expect_err("waits cannot shrink");
        let text = errors.to_string();
        assert!(text.contains("backoff_base") && text.contains("backoff_cap"), "{text}");
    }

    #[test]
    fn a_record_that_fits_nowhere_is_refused_naming_both_places() {
        let mut config = HostConfig::default();
        config.journal.max_record_bytes = config.journal.segment_bytes;
        let text = config.validate().expect_err("a segment has a header").to_string();
        assert!(text.contains("segment_bytes") && text.contains("pending_bytes"), "{text}");
    }
}
