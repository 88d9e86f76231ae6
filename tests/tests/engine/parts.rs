//! What these tests are made of: one component with an op of each kind, and short ways to a Node.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    config::NodeConfig,
    context::Cx,
    error::OpError,
    graph::Graph,
    id::CommandId,
    node::{Node, install},
    program::Program,
    step::EngineStep,
    value::Value,
};
use serde::{Deserialize, Serialize};

/// Hands its completions to the test, by a name that the op is called with.
pub(crate) type Desk = std::sync::Mutex<Vec<(u64, CompletionHandle<u64>)>>;

/// Completions that ops have opened, for the test to finish; each test takes its own numbers.
pub(crate) static DESK: Desk = Desk::new(Vec::new());

/// Takes the completion that the op opened for this number.
pub(crate) fn completion(number: u64) -> CompletionHandle<u64> {
    let mut desk = DESK.lock().expect("no test panics while it holds the desk");
    let place = desk.iter().position(|(for_number, _)| *for_number == number);
    desk.swap_remove(place.expect("the op has opened it")).1
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Parts {
    total: u64,
}

impl Parts {
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

impl Component for Parts {
    const TYPE_NAME: &'static str = "test.parts@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |parts: &mut Self, n: u64| {
            parts.total += n;
            parts.total
        });
        ops.on("double", |_: &mut Self, n: u64| n * 2);
        ops.on("plus", |_: &mut Self, a: u64, b: u64| a + b);
        ops.on("or", |_: &mut Self, a: Option<u64>, b: Option<u64>| {
            a.unwrap_or(100) + b.unwrap_or(1_000)
        });
        ops.on("scale", |_: &mut Self, cx: &mut Cx<'_>, n: u64| match cx.attribute("by") {
            Some(Value::U64(by)) => Ok(n * by),
            _ => Err("no attribute `by`"),
        });
        ops.on("both", |_: &mut Self, n: u64| (n + 1, n + 2));
        ops.on(
            "even",
            |_: &mut Self, n: u64| {
                if n.is_multiple_of(2) { Ok(n) } else { Err(format!("{n} is odd")) }
            },
        );
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<Promise<u64>, OpError> {
            let (handle, promise) = cx.open_completion::<u64>()?;
            DESK.lock().map_err(|_| "a test panicked")?.push((n, handle));
            Ok(promise)
        });
        ops.on("claim", |_: &mut Self, n: u64| -> Result<Promise<u64>, OpError> {
            let command = CommandId::new(n).ok_or("zero is no command")?;
            Ok(Promise::under(command))
        });
        ops.on("poke", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<u64, OpError> {
            let command = CommandId::new(n).ok_or("zero is no command")?;
            cx.complete_command(command, vec![Value::U64(7)]);
            Ok(n)
        });
        ops.on("tell", |_: &mut Self, cx: &mut Cx<'_>, topic: String| -> Result<_, String> {
            let said = cx.publish_bus(&topic, Value::from(topic.as_str()));
            said.map(|()| "told".to_owned()).map_err(|reserved| reserved.to_string())
        });
        ops.on("echo", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<Promise<u64>, OpError> {
            let command = cx.allocate_command_id()?;
            cx.complete_command(command, vec![Value::U64(n)]);
            Ok(Promise::under(command))
        });
        ops.on("say", |_: &mut Self, cx: &mut Cx<'_>, command: u64, text: String| {
            let command = CommandId::new(command).ok_or("no command")?;
            cx.complete_command(command, vec![text.clone().into()]);
            Ok::<_, &str>(text)
        });
    }
}

/// The program of one recorded module, with the slot `parts` bound.
pub(crate) fn program(record: impl FnOnce(&Graph)) -> Program {
    let graph = Graph::new("Main");
    record(&graph);
    let modules = graph.build().expect("the module is sound");
    Compiler::new().bind::<Parts>("parts").compile(modules).expect("the program is sound")
}

/// A Node that runs the module.
pub(crate) fn node(record: impl FnOnce(&Graph)) -> Node {
    node_with(NodeConfig::default(), record)
}

/// The same, with settings of its own.
pub(crate) fn node_with(config: NodeConfig, record: impl FnOnce(&Graph)) -> Node {
    install(PeerId::from(1), [], &program(record), &["Main"], config).expect("it installs")
}

/// What the module's outputs gave, in order.
pub(crate) fn outputs(steps: &[EngineStep]) -> Vec<(&str, Value)> {
    let mut outputs = Vec::new();
    for step in steps {
        if let EngineStep::AppEvent { port, value, .. } = step {
            outputs.push((&**port, value.clone()));
        }
    }
    outputs
}
