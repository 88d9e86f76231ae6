//! Accounts in two Systems pay each other while both are killed again and again: no money is lost,
//! and none is made.

use std::time::Duration;

use samsara::{actors::Switch, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Account {
    balance: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self { balance: 1_000 }
    }
}

impl Component for Account {
    const TYPE_NAME: &'static str = "demo.account@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("withdraw", |account: &mut Self, amount: u64| -> Result<u64, OpError> {
            let left = account.balance.checked_sub(amount);
            account.balance = left.ok_or_else(|| OpError::failed("not that much is there"))?;
            Ok(amount)
        });
        ops.on("deposit", |account: &mut Self, amount: u64| {
            account.balance += amount;
            account.balance
        });
        ops.on("balance", |account: &mut Self, _: u64| account.balance);
    }
}

/// Each place can pay the other, and be looked at.
fn program() -> Result<Program> {
    let g = Graph::new("Bank");
    let (east, west) = (g.place("east"), g.place("west"));
    for (here, there, name) in [(east, west, "from_east"), (west, east, "from_west")] {
        let pay = g.at(here).input::<u64>(&format!("pay_{name}"));
        let sent = g.at(here).slot("account").op("withdraw", [pay]);
        let money = g.channel(name).from(here).to(there).send(sent);
        g.at(there).emit("got", g.at(there).slot("account").op("deposit", [money[0]]));
        let look = g.at(here).input::<u64>(&format!("look_{name}"));
        g.at(here)
            .output(&format!("balance_{name}"), g.at(here).slot("account").op("balance", [look]));
    }
    Ok(Compiler::new().bind::<Account>("account").compile(g.build()?)?)
}

async fn balance(node: &NodeRef, place: &str) -> Result<u64> {
    let input = format!("look_from_{place}");
    Ok(node.ask("Bank", [(&*input, 0_u64)]).await?.get(&format!("balance_from_{place}"))?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let (switch, program) = (Switch::default(), program()?);
    let hosts = [("east", PeerId::from(1)), ("west", PeerId::from(2))];
    let mut accounts = Vec::new();
    for (at, (place, host)) in hosts.into_iter().enumerate() {
        let (other, there) = hosts[1 - at];
        let system = System::builder().switch(&switch).identity(host).start().await?;
        let spec = NodeSpec::new(place, program.clone()).place(place);
        let node = system.spawn(spec.bind(other, [there.derive(other)])).await?;
        accounts.push((place, system, node));
    }

    for round in 1..=100_u64 {
        for (place, _, node) in &accounts {
            let input = format!("pay_from_{place}");
            node.ask("Bank", [(&*input, round % 7)]).await?;
            if round % 30 == 0 {
                node.kill();
            }
        }
    }

    // What is on its way arrives.
    loop {
        let mut total = 0;
        for (place, _, node) in &accounts {
            total += balance(node, place).await?;
        }
        assert!(total <= 2_000, "money was made: {total}");
        if total == 2_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for (place, system, node) in accounts {
        println!("{place}: {} in life {}", balance(&node, place).await?, node.incarnation().get());
        system.stop().await?;
    }
    Ok(())
}
