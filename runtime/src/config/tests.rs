//! Tests of the tree as a whole, all through the one walk.

use super::*;

/// Sets one setting of a sound tree.
fn with(path: &str, value: u64) -> NodeConfig {
    let mut config = NodeConfig::default();
    let mut found = false;
    config.walk("", &mut |at, number, _| {
        if at.to_string() == path {
            number.set(value);
            found = true;
        }
    });
    assert!(found, "there is no setting {path}");
    config
}

#[test]
fn both_presets_are_sound() {
    NodeConfig::default().validate().expect("the default preset");
    NodeConfig::edge().validate().expect("the edge preset");
}

#[test]
fn every_setting_at_zero_is_refused_by_name_unless_zero_is_a_rule() {
    let may_be_zero = ["envelope_caps.claimed_addresses", "envelope_caps.unknown_fields"];
    let settings = NodeConfig::default().settings();
    assert!(settings.len() > 50, "the walk covers the tree");
    for (path, _) in settings {
        let result = with(&path, 0).validate();
        if may_be_zero.contains(&path.as_str()) {
            assert_eq!(result, Ok(()), "{path}");
            continue;
        }
        let errors = result.expect_err(&path);
        let named = errors.iter().any(|error| {
            matches!(error, ConfigError::OutOfRange { path: at, value: 0, .. } if *at == path)
        });
        assert!(named, "{path} at zero gives only {errors}");
    }
}

#[test]
fn the_walk_shows_every_number_that_debug_shows() {
    // A group that the walk left out would show here: the derived text knows every field.
    let text = format!("{:?}", NodeConfig::default());
    let shown = text.matches(": ").count();
    let groups = text.matches(" { ").count() - 1;
    assert_eq!(NodeConfig::default().settings().len(), shown - groups);
}

#[test]
fn the_edge_preset_never_allows_more_than_the_default() {
    let waits = ["peers.probe_after"];
    let (default, edge) = (NodeConfig::default().settings(), NodeConfig::edge().settings());
    for ((path, default), (_, edge)) in default.into_iter().zip(edge) {
        assert!(edge <= default || waits.contains(&path.as_str()), "{path}: {edge} > {default}");
    }
}

#[test]
fn a_cap_above_what_it_must_fit_into_is_refused_naming_both() {
    let cases = [
        ("max_app_event_bytes", "ingress_byte_budget"),
        ("max_invoke_bytes", "ingress_byte_budget"),
        ("max_completion_result_bytes", "ingress_byte_budget"),
        ("max_completion_detail_bytes", "max_completion_result_bytes"),
        ("envelope_caps.payload_bytes", "envelope_caps.envelope_bytes"),
        ("envelope_caps.envelope_bytes", "peers.ingress_share_percent of ingress_byte_budget"),
        ("backoff.base", "backoff.cap"),
        ("state.max_component_timers", "state.max_timers"),
        ("state.max_job_request_bytes", "state.max_job_bytes"),
    ];
    for (path, limit_path) in cases {
        let errors = with(path, u64::MAX).validate().expect_err(path);
        let named = errors.iter().any(|error| {
            matches!(error, ConfigError::AboveLimit { path: at, limit_path: limit, .. }
                if *at == path && *limit == limit_path)
        });
        assert!(named, "{path} at its most gives only {errors}");
    }
}

#[test]
fn a_cap_equal_to_what_it_must_fit_into_is_sound() {
    let budget = NodeConfig::default().ingress_byte_budget;
    assert_eq!(with("max_invoke_bytes", budget).validate(), Ok(()));
    assert_eq!(with("envelope_caps.envelope_bytes", budget / 4).validate(), Ok(()));
    with("envelope_caps.envelope_bytes", budget / 4 + 1).validate().expect_err("above the share");
}

#[test]
fn a_percentage_above_a_hundred_is_refused() {
    let errors = with("backpressure.high_percent", 101).validate().expect_err("above 100");
    assert_eq!(
        errors.to_string(),
        "invalid config: backpressure.high_percent is 101, wanted 1 to 100"
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let config = NodeConfig { bus_capacity: 0, ingress_byte_budget: 0, ..NodeConfig::default() };
    let errors = config.validate().expect_err("two zeros");
    let paths: Vec<&str> = errors.iter().map(ConfigError::path).collect();
    assert_eq!(
        paths,
        [
            "bus_capacity",
            "ingress_byte_budget",
            "max_app_event_bytes",
            "max_invoke_bytes",
            "max_completion_result_bytes",
            "envelope_caps.envelope_bytes",
        ]
    );
}
