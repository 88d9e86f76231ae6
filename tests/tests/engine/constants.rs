//! Constants: a value of any kind is part of a program, and comes out of it as it went in.

use std::sync::Arc;

use bytes::Bytes;
use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    graph::Graph,
    node::install,
    program::Program,
    tensor::Tensor,
    time::Nanos,
    value::{Kind, NativeCodec, TypeId, Value},
};

/// A native object of the test.
#[derive(Debug)]
struct Colour([u8; 3]);

impl NativeCodec for Colour {
    const TYPE_ID: TypeId = TypeId::from_static("test.colour@1");

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        bytes.try_into().map(Self).map_err(|_| format!("wanted 3 bytes, got {}", bytes.len()))
    }

    fn byte_size(&self) -> u64 {
        3
    }
}

/// A value of this kind, none that encodes as nothing.
fn value_of(kind: Kind) -> Value {
    match kind {
        Kind::Unit => Value::Unit,
        Kind::Bool => Value::Bool(true),
        Kind::I64 => Value::I64(i64::MIN),
        Kind::U64 => Value::U64(u64::MAX),
        Kind::F64 => Value::F64(-0.0),
        Kind::Text => "größe".into(),
        Kind::Bytes => Bytes::from_static(&[0, 255]).into(),
        Kind::Peer => PeerId::from(12).into(),
        Kind::Address => {
            Value::Address("/ip4/127.0.0.1/tcp/4001".parse().expect("it is an address"))
        }
        Kind::List => Value::list(vec![Value::Unit, Value::Bool(false)]).expect("it is shallow"),
        Kind::Record => Value::record([("left", Value::U64(1))]).expect("it is shallow"),
        Kind::Tensor => Tensor::from_slice(&[2], &[0.5_f32, 1.5]).expect("it is small").into(),
        Kind::Native => Value::native_of(Colour([1, 2, 3])),
    }
}

#[test]
fn a_constant_of_any_kind_comes_out_as_it_went_in() {
    for kind in Kind::ALL {
        let value = value_of(*kind);
        let g = Graph::new("Main");
        g.output("value", g.gate(g.constant(value.clone()), g.input::<()>("go")));
        let modules = g.build().expect("the module is sound");
        let compiler = Compiler::new().native::<Colour>();
        let compiled = compiler.compile(modules).expect("the program is sound");
        let opened = Program::open(compiled.bytes().clone(), Arc::clone(compiled.registry()));
        for program in [compiled, opened.expect("it was just sealed")] {
            let config = NodeConfig::default();
            let mut node =
                install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs");
            node.deliver_event("Main", "go", ()).expect("it is admitted");
            let steps = node.run_until_idle(Nanos::ZERO);
            assert_eq!(steps.output::<Value>("value"), Some(value.clone()), "{kind:?}");
        }
    }
}
