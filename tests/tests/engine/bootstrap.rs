//! Bootstraps: what was asked for, in order, each once, and before the ops that need it.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::{EngineConfig, NodeConfig},
    error::OpErrorKind,
    graph::Graph,
    module::Draft,
    node::{
        BootstrapError, BootstrapRequest, BootstrapStatus, BootstrapTarget, Node, Wakeup, install,
    },
    step::{EngineStep, Steps},
    time::{Nanos, seconds},
    value::Value,
};

use super::parts::{Parts, completion};

const NOW: Nanos = Nanos::ZERO;

fn install_all(graphs: Vec<Draft>, targets: &[&str], config: NodeConfig) -> Node {
    let compiler = Compiler::new().bind::<Parts>("parts").bind::<Parts>("spare");
    let program = compiler.compile_all(graphs).expect("the program is sound");
    install(PeerId::from(1), [], &program, targets, config).expect("it installs")
}

fn graph(name: &str, record: impl FnOnce(&Graph)) -> Draft {
    let g = Graph::new(name);
    record(&g);
    g.build().expect("the module is sound")
}

fn named<const N: usize>(names: [&str; N]) -> BootstrapTarget {
    BootstrapTarget::ModuleNames(names.map(str::to_owned).into())
}

fn request(target: &str, inputs: Vec<(&str, Value)>) -> BootstrapRequest {
    let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    BootstrapRequest { target: target.to_owned(), inputs }
}

/// Topics that were emitted, and the ends of bootstraps, in order.
fn told(steps: &Steps) -> Vec<String> {
    let tell = |step: &EngineStep| match step {
        EngineStep::AppEmitted { topic, .. } => Some(topic.as_ref().to_owned()),
        EngineStep::BootstrapComplete { module } => Some(format!("{module} complete")),
        EngineStep::BootstrapFailed { module } => Some(format!("{module} failed")),
        EngineStep::WaitingOnBootstrap { module } => Some(format!("{module} waits")),
        _ => None,
    };
    steps.0.iter().filter_map(tell).collect()
}

/// `Upper` calls `Lower`; `Alone` calls nobody. Each has a bootstrap.
fn family() -> Node {
    let lower = graph("Lower", |g| {
        g.bootstrap(|b| b.emit("lower", b.constant(1_u64)));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let upper = graph("Upper", |g| {
        g.bootstrap(|b| b.emit("upper", b.constant(1_u64)));
        let [n] = g.call(&lower, [g.input::<u64>("n")]);
        g.output("n", n);
    });
    let alone = graph("Alone", |g| {
        g.bootstrap(|b| b.emit("alone", b.constant(1_u64)));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    install_all(vec![upper, alone], &["Upper", "Alone"], NodeConfig::default())
}

#[test]
fn all_run_in_the_order_of_names_and_those_of_called_modules_first() {
    let mut node = family();
    let steps = node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    let wanted = ["alone", "Alone complete", "lower", "Lower complete", "upper", "Upper complete"];
    assert_eq!(told(&steps), wanted);
    assert_eq!(node.bootstrap_status(), BootstrapStatus::Idle);
}

#[test]
fn exactly_what_was_asked_for_runs_and_never_again() {
    let mut node = family();
    let steps = node.run_bootstrap(NOW, named(["Upper"])).expect("it is asked for");
    assert_eq!(told(&steps), ["lower", "Lower complete", "upper", "Upper complete"]);
    for target in [named(["Upper"]), named(["Lower"])] {
        assert_eq!(node.run_bootstrap(NOW, target).expect("it is done").0, []);
    }
    assert_eq!(node.ingress().stats().items, 0, "nothing was asked for");
    let steps = node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    assert_eq!(told(&steps), ["alone", "Alone complete"]);
}

#[test]
fn the_order_of_a_request_is_kept() {
    let mut node = family();
    let steps = node.run_bootstrap(NOW, named(["Upper", "Alone"])).expect("it is asked for");
    let wanted = ["lower", "Lower complete", "upper", "Upper complete", "alone", "Alone complete"];
    assert_eq!(told(&steps), wanted);
}

#[test]
fn turns_start_no_bootstrap() {
    let mut node = family();
    node.invoke("Upper", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(told(&node.run_until_idle(NOW)), [] as [String; 0]);
}

#[test]
fn a_request_is_refused_as_a_whole() {
    let mut node = family();
    let refused = node.run_bootstrap(NOW, named(["Alone", "Alnoe"])).expect_err("misspelt");
    let text = "no \"Alnoe\" to bootstrap, there are [\"Alone\", \"Lower\", \"Upper\"]";
    assert_eq!(refused.to_string(), text);
    let twice = node.run_bootstrap(NOW, named(["Alone", "Alone"])).expect_err("twice");
    let brought = node.run_bootstrap(NOW, named(["Upper", "Lower"])).expect_err("brought");
    for (refused, name) in [(twice, "Alone"), (brought, "Lower")] {
        assert!(
            matches!(&refused, BootstrapError::AlreadyTransitivelyQueued { target_name }
                if target_name == name),
            "{refused}"
        );
    }
    let slots = BootstrapTarget::Slots(vec!["prats".to_owned()]);
    let refused = node.run_bootstrap(NOW, slots).expect_err("misspelt");
    assert!(refused.to_string().contains("[\"parts\", \"spare\"]"), "{refused}");
    assert_eq!(node.ingress().stats().items, 0);
    assert_eq!(told(&node.run_until_idle(NOW)), [] as [String; 0]);
}

/// A module whose bootstrap adds a number, and whose body adds one.
fn adding() -> Node {
    let main = graph("Main", |g| {
        g.bootstrap(|b| b.output("first", b.slot("parts").op("add", [b.input::<u64>("n")])));
        g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
    });
    install_all(vec![main], &["Main"], NodeConfig::default())
}

#[test]
fn a_bootstrap_takes_inputs_and_gives_outputs() {
    let mut node = adding();
    let asked = BootstrapTarget::ModuleRequests(vec![request("Main", vec![("n", 40_u64.into())])]);
    let steps = node.run_bootstrap(NOW, asked).expect("it is asked for");
    assert_eq!(steps.output("first"), Some(40_u64));
    node.invoke("Main", [("n", 2_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(NOW).output("total"), Some(42_u64));
    assert_eq!(node.ingress().stats().bytes, 0);
}

#[test]
fn inputs_that_do_not_fit_are_refused_by_name() {
    let mut node = adding();
    let mut refusal = |inputs| {
        let asked = BootstrapTarget::ModuleRequests(vec![request("Main", inputs)]);
        node.run_bootstrap(NOW, asked).expect_err("it does not fit").to_string()
    };
    let one: Value = 1_u64.into();
    let texts = [
        refusal(vec![]),
        refusal(vec![("m", one.clone())]),
        refusal(vec![("n", true.into())]),
        refusal(vec![("n", one.clone()), ("n", one)]),
    ];
    let wanted = [
        "the bootstrap of \"Main\" is not given its input \"n\"",
        "the bootstrap of \"Main\" has no input \"m\", it has [\"n\"]",
        "input \"n\" of the bootstrap of \"Main\" takes u64, got bool@1",
        "input \"n\" of the bootstrap of \"Main\" is given twice",
    ];
    assert_eq!(texts, wanted);
    let refused = node.run_bootstrap(NOW, BootstrapTarget::All).expect_err("it takes an input");
    assert!(matches!(refused, BootstrapError::MissingInput { .. }));
    let stats = node.ingress().stats();
    assert_eq!((stats.items, stats.bytes), (0, 0));
}

#[test]
fn inputs_are_charged_until_their_bootstrap_has_ended() {
    let bootstrap = |b: &Graph| {
        let later = b.slot("parts").op("later", [b.input::<u64>("n")]);
        b.output("text", b.gate(b.input::<String>("text"), later));
    };
    let modules = ["First", "Second"].map(|name| {
        graph(name, |g| {
            g.bootstrap(bootstrap);
            g.output("n", g.pass_through(g.input::<u64>("n")));
        })
    });
    let mut node = install_all(modules.into(), &["First", "Second"], NodeConfig::default());
    let inputs = |n: u64, text: &str| vec![("n", n.into()), ("text", text.into())];
    let asked = BootstrapTarget::ModuleRequests(vec![
        request("First", inputs(301, "0123456789")),
        request("Second", inputs(302, "01234")),
    ]);
    let steps = node.run_bootstrap(NOW, asked).expect("it is asked for");
    assert_eq!(told(&steps), ["First waits"]);
    assert_eq!(node.ingress().stats().bytes, 18 + 13);
    completion(301).complete(1).expect("there is room for an answer");
    assert_eq!(told(&node.run_until_idle(NOW)), ["First complete", "Second waits"]);
    assert_eq!(node.ingress().stats().bytes, 13);
    completion(302).complete(1).expect("there is room for an answer");
    assert_eq!(told(&node.run_until_idle(NOW)), ["Second complete"]);
    assert_eq!(node.ingress().stats().bytes, 0);
}

#[test]
fn oversized_inputs_are_refused_with_both_numbers() {
    let main = graph("Main", |g| {
        g.bootstrap(|b| b.emit("text", b.input::<String>("text")));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let config = NodeConfig { max_invoke_bytes: 4, ..NodeConfig::default() };
    let mut node = install_all(vec![main], &["Main"], config);
    let asked = |text: &str| {
        BootstrapTarget::ModuleRequests(vec![request("Main", vec![("text", text.into())])])
    };
    let refused = node.run_bootstrap(NOW, asked("fives")).expect_err("five bytes");
    assert_eq!(refused.to_string(), "5 bytes, the cap is 4");
    node.run_bootstrap(NOW, asked("four")).expect("four bytes are the cap");
}

/// A bootstrap that waits for the completion `number`, or for a second if that is zero, and touches
/// the slot `parts`.
fn waiting(number: u64, config: NodeConfig) -> Node {
    let main = graph("Main", |g| {
        g.bootstrap(|b| {
            let begun = match number {
                0 => b.sleep(b.constant(0_u64), seconds(1)),
                _ => b.slot("spare").op("later", [b.constant(number)]),
            };
            b.output("first", b.slot("parts").op("add", [b.gate(b.constant(100_u64), begun)]));
        });
        let n = g.input::<u64>("n");
        g.output("total", g.slot("parts").op("add", [n]));
        g.output("passed", g.pass_through(n));
    });
    let free = graph("Free", |g| g.output("n", g.pass_through(g.input::<u64>("n"))));
    install_all(vec![main, free], &["Main", "Free"], config)
}

#[test]
fn ops_that_touch_what_a_bootstrap_touches_wait_in_order_and_others_run() {
    let mut node = waiting(303, NodeConfig::default());
    let steps = node.run_bootstrap(NOW, named(["Main"])).expect("it is asked for");
    assert_eq!(told(&steps), ["Main waits"]);
    assert_eq!(node.bootstrap_status(), BootstrapStatus::WaitingForInput);
    for n in [1_u64, 10] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let steps = node.run_until_idle(NOW);
    assert_eq!((steps.output("passed"), steps.output::<u64>("total")), (Some(10_u64), None));
    assert_eq!(node.next_wakeup(), Wakeup::Never, "it waits and does not spin");
    assert_eq!(node.engine_stats().depths.gated, 2);

    completion(303).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(NOW);
    let totals: Vec<_> = super::parts::outputs(&steps.0)
        .into_iter()
        .map(|(port, value)| (port.to_owned(), value))
        .collect();
    let wanted = [("first", 100_u64), ("total", 101), ("total", 111)];
    assert_eq!(totals, wanted.map(|(port, n)| (port.to_owned(), Value::U64(n))));
    assert_eq!(node.bootstrap_status(), BootstrapStatus::Idle);
    assert_eq!((node.engine_stats().depths.gated, node.execution_count()), (0, 0));
}

#[test]
fn turns_finish_a_bootstrap_that_waits_for_a_time() {
    let mut node = waiting(0, NodeConfig::default());
    node.run_bootstrap(NOW, named(["Main"])).expect("it is asked for");
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(1)));
    assert_eq!(node.run_bootstrap(NOW, named(["Main"])).expect("it waits").0, []);
    let steps = node.run_until_idle(seconds(1));
    assert_eq!(told(&steps), ["Main complete"]);
    assert_eq!(steps.output("first"), Some(100_u64));
}

#[test]
fn beyond_the_cap_an_op_that_would_wait_fails() {
    let engine = EngineConfig { max_ready_ops: 1, ..EngineConfig::default() };
    let mut node = waiting(304, NodeConfig { engine, ..NodeConfig::default() });
    node.run_bootstrap(NOW, named(["Main"])).expect("it is asked for");
    for n in [1_u64, 10] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
        node.run_until_idle(NOW);
    }
    let stats = node.engine_stats();
    assert_eq!((stats.depths.gated, stats.counters.ops_failed), (1, 1));
    completion(304).complete(1).expect("there is room for an answer");
    assert_eq!(node.run_until_idle(NOW).output("total"), Some(101_u64));
}

#[test]
fn a_failed_bootstrap_takes_those_with_it_that_need_it_and_may_be_asked_for_again() {
    let lower = graph("Lower", |g| {
        g.bootstrap(|b| b.output("half", b.slot("parts").op("even", [b.input::<u64>("n")])));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let upper = graph("Upper", |g| {
        g.bootstrap(|b| b.emit("upper", b.constant(1_u64)));
        let [n] = g.call(&lower, [g.input::<u64>("n")]);
        g.output("n", n);
    });
    let alone = graph("Alone", |g| {
        g.bootstrap(|b| b.emit("alone", b.constant(1_u64)));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let mut node = install_all(vec![upper, alone], &["Upper", "Alone"], NodeConfig::default());
    let asked = |n: u64| {
        BootstrapTarget::ModuleRequests(vec![
            request("Lower", vec![("n", n.into())]),
            request("Upper", vec![]),
            request("Alone", vec![]),
        ])
    };
    let steps = node.run_bootstrap(NOW, asked(7)).expect("it is asked for");
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::Failed));
    assert_eq!(told(&steps), ["Lower failed", "Upper failed", "alone", "Alone complete"]);
    let steps = node.run_bootstrap(NOW, asked(8)).expect("it is asked for again");
    assert_eq!(told(&steps), ["Lower complete", "upper", "Upper complete"]);
}

#[test]
fn those_that_touch_a_slot_are_found_by_it() {
    let touching = |name: &str, slot: &'static str| {
        graph(name, |g| {
            g.bootstrap(|b| b.output("first", b.slot(slot).op("add", [b.constant(1_u64)])));
            g.output("n", g.pass_through(g.input::<u64>("n")));
        })
    };
    let modules = vec![touching("A", "parts"), touching("B", "spare")];
    let mut node = install_all(modules, &["A", "B"], NodeConfig::default());
    let slots = BootstrapTarget::Slots(vec!["spare".to_owned()]);
    let steps = node.run_bootstrap(NOW, slots).expect("it is asked for");
    assert_eq!(told(&steps), ["B complete"]);
}

#[test]
fn a_program_asks_for_a_bootstrap_itself() {
    let worker = graph("Worker", |g| {
        g.bootstrap(|b| b.emit("worker", b.constant(1_u64)));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let main = graph("Main", |g| g.dispatch_bootstrap("Worker", g.input::<()>("go")));
    let mut node = install_all(vec![main, worker], &["Main", "Worker"], NodeConfig::default());
    for wanted in [vec!["worker", "Worker complete"], vec![]] {
        node.invoke("Main", [("go", ())]).expect("it is admitted");
        assert_eq!(told(&node.run_until_idle(NOW)), wanted);
    }
}

#[test]
fn a_dispatch_that_could_never_run_is_refused_when_it_is_compiled() {
    let takes = graph("Takes", |g| {
        g.bootstrap(|b| b.emit("n", b.input::<u64>("n")));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    for (name, wanted) in [("Mian", "has no bootstrap"), ("Takes", "takes inputs")] {
        let main = graph("Main", |g| g.dispatch_bootstrap(name, g.input::<()>("go")));
        let refused = Compiler::new().compile_all([main, takes.clone()]).expect_err("refused");
        assert!(refused.to_string().contains(wanted), "{refused}");
    }
}

#[test]
fn a_source_in_a_bootstrap_is_refused_by_name() {
    let main = graph("Main", |g| {
        g.bootstrap(|b| b.emit("tick", b.interval(seconds(1))));
        g.output("n", g.pass_through(g.input::<u64>("n")));
    });
    let refused = Compiler::new().compile(main).expect_err("it would never tick");
    assert!(refused.to_string().contains("nothing in a bootstrap may"), "{refused}");
}

#[test]
fn a_host_that_takes_turns_itself_only_asks() {
    let mut node = family();
    node.request_bootstrap(named(["Alone"])).expect("it is asked for");
    assert_eq!((node.next_wakeup(), node.bootstrap_status()), (Wakeup::Now, BootstrapStatus::Idle));
    let (batch, mut steps) = (node.intake(NOW), Vec::new());
    node.apply(&batch, &mut steps);
    assert_eq!(told(&Steps(steps.clone())), ["alone", "Alone complete"]);

    let mut fresh = family();
    let mut replayed = Vec::new();
    fresh.replay(&batch, &mut replayed);
    assert_eq!(replayed, steps);
    assert_eq!(fresh.run_bootstrap(NOW, named(["Alone"])).expect("it is done").0, []);
}
