//! Writes programs of differing features as `.onnx` files, for the public checker and for Netron:
//! `cargo run -p samsara-examples --example emit_onnx -- DIR`.
//!
//! Law: what it writes opens again as the same program.

use std::{env, error::Error, fs, path::Path, sync::Arc};

use samsara::{
    proto::{Address, PeerId},
    runtime::{
        compiler::Compiler,
        component::{Component, Ops},
        graph::{Graph, Wire},
        module::Draft,
        program::Program,
        schema::PortType,
        tensor::{Dtype, Tensor},
        time::seconds,
        value::{TypeId, Value},
    },
};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    total: u64,
}

impl Component for Counter {
    const TYPE_NAME: &'static str = "demo.counter@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |counter: &mut Self, n: u64| {
            counter.total += n;
            counter.total
        });
        ops.on("pair", |_: &mut Self, left: Value, right: Option<Value>| (left, right.is_some()));
    }
}

fn main() -> Result<()> {
    let directory = env::args_os().nth(1).ok_or("wanted a directory to write to")?;
    let directory = Path::new(&directory);
    fs::create_dir_all(directory)?;
    for (name, draft) in [
        ("count", count()?),
        ("calls", calls()?),
        ("requests", requests()?),
        ("types", types()?),
        ("tensors", tensors()?),
        ("places", places()?),
    ] {
        let program = Compiler::new().bind::<Counter>("counter").compile(draft)?;
        let path = directory.join(name).with_extension("onnx");
        fs::write(&path, program.bytes())?;
        let opened = Program::open(fs::read(&path)?, Arc::clone(program.registry()))?;
        assert_eq!(opened.draft(), program.draft());
        println!("{} {}", opened.content_hash(), path.display());
    }
    Ok(())
}

/// The smallest program.
fn count() -> Result<Draft> {
    let g = Graph::new("Count");
    g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
    g.export("n");
    Ok(g.build()?)
}

/// A module that is called twice and has a bootstrap, and ports that share a name.
fn calls() -> Result<Draft> {
    let leaf = Graph::new("Leaf");
    leaf.output("n", leaf.slot("counter").op("add", [leaf.input::<u64>("n")]));
    leaf.bootstrap(|b| {
        let begun = b.slot("counter").named("begin").op("add", [b.constant(7_u64)]);
        b.output("begun", begun);
    });
    let leaf = leaf.build()?;
    let g = Graph::new("Twice");
    let n = g.input::<u64>("n");
    let [once] = g.call(&leaf, [n]);
    let [twice] = g.call(&leaf, [once]);
    g.output("n", n);
    g.output("once", once);
    g.output("again", once);
    g.output("twice", twice);
    Ok(g.build()?)
}

/// Requests to the engine, with inputs that may be missing and ops that wait for some only.
fn requests() -> Result<Draft> {
    let g = Graph::new("Remind");
    let (text, stop) = (g.input::<String>("text"), g.input::<()>("stop"));
    let (first, winner) = g.race([("time", g.sleep(text, seconds(30))), ("stop", stop)]);
    let counter = g.slot("counter");
    let [left, both] = counter.clone().any().op_n("pair", [text, stop]);
    let [_, late] = counter.count(1).op_n("pair", [stop, Wire::ABSENT]);
    g.emit("first", first);
    g.emit("tick", g.interval(seconds(1)));
    for (name, wire) in [("winner", winner), ("left", left), ("both", both), ("late", late)] {
        g.output(name, wire);
    }
    Ok(g.build()?)
}

/// A port of every type.
fn types() -> Result<Draft> {
    let g = Graph::new("Types");
    let bounded = PortType::tensor(Dtype::F32, [None, Some(3)]);
    for (name, ty) in [
        ("any", PortType::Any),
        ("unit", PortType::Unit),
        ("bool", PortType::Bool),
        ("i64", PortType::I64),
        ("u64", PortType::U64),
        ("f64", PortType::F64),
        ("text", PortType::Text),
        ("bytes", PortType::Bytes),
        ("peer", PortType::Peer),
        ("address", PortType::Address),
        ("record", PortType::Record),
        ("native", PortType::Native(TypeId::new("demo.matrix@2")?)),
        ("bounded", bounded.clone()),
        ("list", PortType::list(PortType::list(bounded))),
        ("tensors", PortType::list(PortType::Tensor(Default::default()))),
    ] {
        g.output(&format!("{name} out"), g.pass_through(g.input_of(name, ty)));
    }
    Ok(g.build()?)
}

/// A program over several places, which goes round by its channels.
fn places() -> Result<Draft> {
    let g = Graph::new("Tune");
    let (hub, leaf) = (g.place("hub"), g.place("leaf"));
    let (model, [weights]) = g.channel("model").from(hub).to(leaf).ahead([PortType::U64]);
    let round = g.at(leaf).clock(weights);
    let better = g.at(leaf).slot("counter").op("add", [weights]);
    let seen = g.channel("update").from(leaf).to(hub).best_effort().send([round, better]);
    let all = g.at(hub).gather(seen).by(round).count(3).deadline(seconds(30));
    g.at(hub).output("all", all);
    g.at(leaf).export("weights");
    g.at(leaf).emit("weights", g.at(leaf).input::<u64>("weights"));
    g.bootstrap(|b| b.at(b.place("leaf")).emit("up", b.constant(true)));
    model.broadcast(g.at(hub).slot("counter").op("add", [g.at(hub).input::<u64>("first")]));
    Ok(g.build()?)
}

/// Constants of every kind.
fn tensors() -> Result<Draft> {
    let g = Graph::new("Tensors");
    let address: Address = "/ip4/127.0.0.1/tcp/4001".parse()?;
    let row = Tensor::from_slice(&[2, 2], &[0.5_f32, -0.0, 1.5, 2.0])?;
    let list = Value::list;
    for (at, value) in [
        Value::Unit,
        Value::Bool(true),
        Value::I64(-1),
        Value::U64(u64::MAX),
        Value::F64(0.5),
        Value::F64(0.1),
        Value::from(PeerId::from(12)),
        Value::from(address),
        Value::from(row.clone()),
        Value::from(Tensor::zeros(Dtype::I64, &[0, 3])?),
        list(vec![])?,
        list(vec![Value::I64(1), Value::I64(2)])?,
        list(vec![Value::F64(0.5), Value::F64(0.1)])?,
        list(vec![Value::from("a"), Value::from("")])?,
        Value::record([("weights", Value::from(row)), ("name", Value::from("größe"))])?,
    ]
    .into_iter()
    .enumerate()
    {
        g.output(&format!("constant {at}"), g.constant(value));
    }
    Ok(g.build()?)
}
