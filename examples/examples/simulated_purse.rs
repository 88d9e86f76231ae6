//! A module of one's own in the simulator, which finds what its author forgot to keep.

use std::time::Duration;

use samsara::prelude::*;
use samsara_sim::{Call, Failure, Faults, World};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const COINS: u64 = 1_000;

trait Purse: Component + Default {
    fn counted(&self) -> u64;
}

#[derive(Serialize, Deserialize)]
struct Careful {
    coins: u64,
    spent: u64,
}

/// The bug: what was spent is in no snapshot.
#[derive(Serialize, Deserialize)]
struct Forgetful {
    coins: u64,
    #[serde(skip)]
    spent: u64,
}

macro_rules! purse {
    ($purse:ident, $name:literal) => {
        impl Default for $purse {
            fn default() -> Self {
                Self { coins: COINS, spent: 0 }
            }
        }

        impl Component for $purse {
            const TYPE_NAME: &'static str = $name;

            fn ops(ops: &mut Ops<Self>) {
                ops.on("spend", |purse: &mut Self, n: u64| {
                    let n = n.min(purse.coins);
                    purse.coins -= n;
                    purse.spent += n;
                    purse.coins
                });
            }
        }

        impl Purse for $purse {
            fn counted(&self) -> u64 {
                self.coins + self.spent
            }
        }
    };
}

purse!(Careful, "demo.careful_purse@1");
purse!(Forgetful, "demo.forgetful_purse@1");

fn world<P: Purse + Serialize + DeserializeOwned>(seed: u64) -> Result<World> {
    let g = Graph::new("Spend");
    g.output("left", g.slot("purse").op("spend", [g.input::<u64>("n")]));
    let program = Compiler::new().bind::<P>("purse").compile(g.build()?)?;
    let snapshot = samsara::runtime::config::SnapshotConfig { every_events: 5, every_bytes: 4_096 };
    let config = NodeConfig { snapshot, ..NodeConfig::default() };
    Ok(World::new(seed)
        .hosts(3, |i| {
            let name = format!("purse-{i}");
            NodeSpec::new(name, program.clone()).config(config)
        })
        .client(Duration::from_millis(20), |draw, _| {
            Call::new(format!("purse-{}", draw.below(3)), "Spend").input("n", draw.below(9))
        })
        .faults(Faults::swarm())
        .always("no coin is lost", |sight| {
            sight.models::<P>("purse").all(|purse| purse.counted() == COINS)
        }))
}

fn main() -> Result<()> {
    for seed in 0..10 {
        world::<Careful>(seed)?.run(Duration::from_secs(2))?;
    }
    let mut failures = Vec::new();
    for seed in 0..10 {
        failures.extend(world::<Forgetful>(seed)?.run(Duration::from_secs(2)).err());
    }
    let Some(Failure::Broken(broken)) = failures.first() else {
        return Err("the bug was not found".into());
    };
    println!("{broken}");
    assert_eq!(broken.law, "no coin is lost");
    assert!(broken.faults.len() < 3, "the story is short");
    Ok(())
}
