//! A durable counter in a service that is killed in mid-work, five times: each life goes on where
//! the last one was, and nothing that was acknowledged is lost.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use samsara::prelude::*;
use serde::{Deserialize, Serialize};

/// Times that the service is killed, and acknowledgements that each life is left to give.
const KILLS: u64 = 5;
const ACKS: usize = 200;
/// Callers of the service, each with one call at a time.
const CALLERS: u64 = 4;

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

/// All there is to a durable counter.
async fn count_five(data: &Path) -> Result<u64> {
    let system = System::builder().store(Disk::open(data)?).start().await?;
    let count = system.spawn(NodeSpec::new("count-42", program()?)).await?;
    let reply = count.ask("Count", [("n", 5u64)]).await?;
    println!("{} in life {}", reply.get::<u64>("total")?, count.incarnation());
    system.stop().await?;
    Ok(reply.get("total")?)
}

/// The service: says each acknowledgement, until it is killed.
async fn serve(data: &Path) -> Result<()> {
    let system = System::builder().store(Disk::open(data)?).start().await?;
    let count = system.spawn(NodeSpec::new("count-42", program()?)).await?;
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let count = count.clone();
            tokio::spawn(async move {
                while count.invoke("Count", [("n", 1u64)]).await.is_ok() {
                    println!("kept");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await?;
    }
    Err("the counter takes nothing more".into())
}

/// Lets one life of the service give so many acknowledgements, kills it, and tells how many it gave.
fn live_and_die(data: &Path) -> Result<u64> {
    let mut service = Command::new(env::current_exe()?);
    let mut service: Child = service.arg(data).stdout(Stdio::piped()).spawn()?;
    let output = service.stdout.take().ok_or("it has no output")?;
    let mut kept = 0;
    for (at, line) in BufReader::new(output).lines().enumerate() {
        kept += u64::from(line? == "kept");
        if at == ACKS {
            service.kill()?; // no signal handler, no goodbye: SIGKILL
        }
    }
    service.wait()?;
    Ok(kept)
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(data) = env::args().nth(1) {
        return runtime.block_on(serve(data.as_ref()));
    }
    let data = env::temp_dir().join(format!("samsara-counter-{}", std::process::id()));
    let mut total = runtime.block_on(count_five(&data))?;
    for life in 1..=KILLS {
        let kept = live_and_die(&data)?;
        assert!(kept >= ACKS as u64, "life {life} ended by itself, after {kept} calls");
        let counted = runtime.block_on(count_five(&data))? - 5;
        // What was under way when the kill came may have been kept without a word of it.
        let possible = total + kept..=total + kept + CALLERS;
        assert!(possible.contains(&counted), "{counted} is not in {possible:?}");
        println!("killed after {kept} acknowledged calls: none is lost");
        total = counted + 5;
    }
    fs::remove_dir_all(&data)?;
    Ok(())
}
