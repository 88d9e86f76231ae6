//! A counter in a System with a store: it is killed, stopped and started again, and goes on counting.

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
    g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
    Ok(Compiler::new().bind::<Counter>("counter").compile(g.build()?)?)
}

/// One process: it counts to where it was told, with a death in between.
async fn process(data: &std::path::Path, from: u64) -> Result<()> {
    let system = System::builder().store(Disk::open(data)?).start().await?;
    let count = system.spawn(NodeSpec::new("count-42", program()?)).await?; // restores if it lived before
    for n in 1..=10 {
        let reply = count.ask("Count", [("n", 1_u64)]).await?; // kept before it is answered
        println!("{} in life {}", reply.get::<u64>("total")?, count.incarnation().get());
        assert_eq!(reply.get::<u64>("total")?, from + n);
        if n == 5 {
            count.kill();
        }
    }
    system.stop().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let data = std::env::temp_dir().join(format!("samsara-counter-{}", std::process::id()));
    process(&data, 0).await?;
    process(&data, 10).await?;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}
