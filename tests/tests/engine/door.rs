//! Bad input at the door: refused with a type and a reason, and nothing is charged.

use samsara_proto::{EnvelopeCaps, PeerId};
use samsara_runtime::{
    config::NodeConfig,
    error::DeliveryError,
    graph::Graph,
    node::{InstallError, Node, Wakeup, install},
    time::Nanos,
};

use super::parts::{node, node_with, program};

fn module(g: &Graph) {
    g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
}

fn is_untouched(node: &Node) {
    let stats = node.ingress().stats();
    assert_eq!((stats.items, stats.bytes), (0, 0));
    assert_eq!(node.next_wakeup(), Wakeup::Never);
}

#[test]
fn an_unknown_module_or_input_is_named_with_what_there_is() {
    let mut node = node(module);
    let refused = node.invoke("Mian", [("n", 1_u64)]).expect_err("it is misspelt");
    assert_eq!(refused.to_string(), "no module \"Mian\", there are [\"Main\"]");
    let refused = node.invoke("Main", [("m", 1_u64)]).expect_err("it is misspelt");
    assert_eq!(refused.to_string(), "module \"Main\" has no input \"m\", it has [\"n\"]");
    is_untouched(&node);
}

#[test]
fn a_value_of_another_type_is_refused_by_port_and_types() {
    let mut node = node(module);
    let refused = node.deliver_event("Main", "n", true).expect_err("it takes a number");
    assert_eq!(refused.to_string(), "input Main/n takes u64, got bool@1");
    is_untouched(&node);
}

#[test]
fn an_event_is_taken_up_to_its_cap() {
    let config = NodeConfig { max_app_event_bytes: 4, ..NodeConfig::default() };
    let mut node = node_with(config, |g| g.emit("text", g.input::<String>("text")));
    node.deliver_event("Main", "text", "four").expect("four bytes are the cap");
    node.run_until_idle(Nanos::ZERO);
    let refused = node.deliver_event("Main", "text", "fives").expect_err("five are more");
    assert!(matches!(refused, DeliveryError::OversizePayload { byte_count: 5, cap: 4 }));
    is_untouched(&node);
}

#[test]
fn an_invoke_is_taken_up_to_its_caps() {
    let config = NodeConfig { max_invoke_inputs: 2, max_invoke_bytes: 16, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        for name in ["a", "b", "c"] {
            g.emit(name, g.input::<String>(name));
        }
    });
    let refused = node.invoke("Main", [("a", ""), ("b", ""), ("c", "")]).expect_err("three");
    assert!(matches!(refused, DeliveryError::TooManyInputs { count: 3, cap: 2 }));
    let refused = node.invoke("Main", [("a", "12345678"), ("b", "123456789")]);
    let refused = refused.expect_err("seventeen bytes");
    assert!(matches!(refused, DeliveryError::OversizePayload { byte_count: 17, cap: 16 }));
    is_untouched(&node);
    node.invoke("Main", [("a", "12345678"), ("b", "12345678")]).expect("sixteen bytes");
}

#[test]
fn a_full_mailbox_refuses_and_takes_again_after_a_turn() {
    let config = NodeConfig { ingress_capacity: 2, ..NodeConfig::default() };
    let mut node = node_with(config, module);
    for n in [1_u64, 2] {
        node.invoke("Main", [("n", n)]).expect("two fit");
    }
    let refused = node.invoke("Main", [("n", 4_u64)]).expect_err("three do not");
    assert!(matches!(refused, DeliveryError::IngressFull { cap: 2 }));
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(3_u64));
    node.invoke("Main", [("n", 4_u64)]).expect("there is room again");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(7_u64));
    is_untouched(&node);
}

#[test]
fn bytes_over_the_budget_are_refused_until_they_are_released() {
    let caps = EnvelopeCaps {
        envelope_bytes: 8,
        payload_bytes: 8,
        path_bytes: 8,
        address_bytes: 8,
        ..EnvelopeCaps::edge()
    };
    let config = NodeConfig {
        ingress_byte_budget: 32,
        max_app_event_bytes: 32,
        max_invoke_bytes: 32,
        max_completion_result_bytes: 32,
        max_completion_detail_bytes: 32,
        envelope_caps: caps,
        ..NodeConfig::default()
    };
    let mut node = node_with(config, |g| g.emit("text", g.input::<String>("text")));
    node.deliver_event("Main", "text", "0123456789abcdef").expect("16 of 32");
    let refused = node.deliver_event("Main", "text", "0123456789abcdefg").expect_err("17 of 16");
    let wanted = DeliveryError::BudgetExceeded { byte_count: 17, budget_remaining: 16 };
    assert_eq!(refused.to_string(), wanted.to_string());
    node.run_until_idle(Nanos::ZERO);
    is_untouched(&node);
    node.deliver_event("Main", "text", "0123456789abcdefg").expect("all 32 are free");
}

#[test]
fn a_refused_invoke_uses_up_no_execution_id() {
    let mut node = node(module);
    node.invoke("Main", [("m", 1_u64)]).expect_err("no such input");
    let exec = node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(exec.get(), 1);
}

#[test]
fn an_install_names_what_is_wrong() {
    let program = program(module);
    let install = |targets: &[&str], config| {
        install(PeerId::from(1), [], &program, targets, config).map(|_| ())
    };
    let available = vec!["Main".to_owned()];
    assert_eq!(
        install(&[], NodeConfig::default()),
        Err(InstallError::EmptyTargets { available: available.clone() })
    );
    let unknown = vec!["Other".to_owned()];
    assert_eq!(
        install(&["Main", "Other"], NodeConfig::default()),
        Err(InstallError::UnknownTarget { unknown, available })
    );
    let config = NodeConfig { ingress_capacity: 0, ..NodeConfig::default() };
    let refused = install(&["Main"], config).expect_err("a mailbox of no places");
    assert!(refused.to_string().contains("ingress_capacity"), "{refused}");
}

#[test]
fn an_input_that_is_given_twice_is_refused_by_name() {
    let mut node = node(module);
    let refused = node.invoke("Main", [("n", 1_u64), ("n", 2)]).expect_err("twice");
    assert_eq!(refused.to_string(), "input Main/n is given twice");
    is_untouched(&node);
}
