//! A component and a program in 25 lines: no actor, no network, the engine as a library.

use samsara::prelude::*;
use serde::{Deserialize, Serialize};

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
    }
}

fn program() -> Result<Program> {
    let g = Graph::new("Count");
    let n = g.input::<u64>("n");
    g.output("total", g.slot("counter").op("add", [n]));
    Ok(Compiler::new().bind::<Counter>("counter").compile(g.build()?)?)
}

fn main() -> Result<()> {
    let mut node = install(PeerId::from(1), [], &program()?, &["Count"], NodeConfig::default())?;
    node.invoke("Count", [("n", 5u64)])?;
    assert_eq!(node.run_until_idle(Nanos::ZERO).output::<u64>("total"), Some(5));
    println!("counted to 5");
    Ok(())
}
