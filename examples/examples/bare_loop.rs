//! The loop of a host, written out: take a batch, keep it, apply it. A second Node that is fed the
//! same batches does the same things, which is what a journal is for.

use samsara::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Dice {
    thrown: u64,
}

impl Component for Dice {
    const TYPE_NAME: &'static str = "demo.dice@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("throw", |dice: &mut Self, cx: &mut Cx<'_>, sides: u64| {
            dice.thrown += 1;
            (cx.rng().below(sides.max(1)) + 1, dice.thrown)
        });
    }
}

fn node() -> Result<Node> {
    let g = Graph::new("Dice");
    let [eyes, thrown] = g.slot("dice").op_n("throw", [g.input::<u64>("sides")]);
    g.output("eyes", eyes);
    g.output("thrown", thrown);
    let program = Compiler::new().bind::<Dice>("dice").compile(g.build()?)?;
    Ok(install(PeerId::from(7), [], &program, &["Dice"], NodeConfig::default())?)
}

fn main() -> Result<()> {
    let (mut first, mut journal, mut steps) = (node()?, Vec::new(), Vec::new());
    for tick in 1..=20_u64 {
        first.invoke("Dice", [("sides", 6 * tick)])?;
        let batch = first.intake(seconds(tick)); // all that can influence the Node
        journal.push(batch.clone()); // a host would sync this before it acknowledges
        first.apply(&batch, &mut steps);
    }

    let (mut second, mut again) = (node()?, Vec::new());
    for batch in &journal {
        second.replay(batch, &mut again);
    }
    assert_eq!(steps, again);
    let thrown = Steps(again).output::<u64>("thrown");
    assert_eq!(thrown, Some(20));
    println!("twenty throws, and twenty the same on replay");
    Ok(())
}
