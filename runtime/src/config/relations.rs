//! Which settings must not exceed which others.
//!
//! Law: whatever passes its own cap also fits where it has to go next; otherwise it would be
//! admitted and then never get through.

use super::{ConfigError, NodeConfig};

/// Every relation that this tree breaks.
pub(super) fn broken(config: &NodeConfig) -> Vec<ConfigError> {
    let relations = relations(config);
    let broken = relations.into_iter().filter(|relation| relation.value > relation.limit);
    broken
        .map(|Relation { path, value, limit_path, limit }| ConfigError::AboveLimit {
            path,
            value,
            limit_path,
            limit,
        })
        .collect()
}

/// `path` must be at most `limit_path`.
struct Relation {
    path: &'static str,
    value: u64,
    limit_path: &'static str,
    limit: u64,
}

fn relations(config: &NodeConfig) -> [Relation; 10] {
    let caps = &config.envelope_caps;
    let budget = config.ingress_byte_budget;
    let share = u64::from(config.peers.ingress_share_percent);
    let peer_budget = (u128::from(budget) * u128::from(share) / 100).min(u128::from(u64::MAX));
    let within_budget =
        |path, value| Relation { path, value, limit_path: "ingress_byte_budget", limit: budget };
    [
        within_budget("max_app_event_bytes", config.max_app_event_bytes),
        within_budget("max_invoke_bytes", config.max_invoke_bytes),
        within_budget("max_completion_result_bytes", config.max_completion_result_bytes),
        Relation {
            path: "max_completion_detail_bytes",
            value: config.max_completion_detail_bytes,
            limit_path: "max_completion_result_bytes",
            limit: config.max_completion_result_bytes,
        },
        Relation {
            path: "envelope_caps.payload_bytes",
            value: caps.payload_bytes,
            limit_path: "envelope_caps.envelope_bytes",
            limit: caps.envelope_bytes,
        },
        Relation {
            path: "envelope_caps.envelope_bytes",
            value: caps.envelope_bytes,
            limit_path: "peers.ingress_share_percent of ingress_byte_budget",
            limit: peer_budget as u64,
        },
        Relation {
            path: "backoff.base",
            value: config.backoff.base.get(),
            limit_path: "backoff.cap",
            limit: config.backoff.cap.get(),
        },
        Relation {
            path: "state.max_component_timers",
            value: u64::from(config.state.max_component_timers),
            limit_path: "state.max_timers",
            limit: u64::from(config.state.max_timers),
        },
        Relation {
            path: "state.max_job_request_bytes",
            value: config.state.max_job_request_bytes,
            limit_path: "state.max_job_bytes",
            limit: config.state.max_job_bytes,
        },
        Relation {
            path: "envelope_caps.path_bytes",
            value: u64::from(caps.path_bytes),
            limit_path: "envelope_caps.envelope_bytes",
            limit: caps.envelope_bytes,
        },
    ]
}
