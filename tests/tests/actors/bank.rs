//! Money between Nodes of two Systems: under any deaths none of it is lost or doubled.

use samsara_actors::{NodeRef, Switch, System};
use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    error::OpError,
    graph::Graph,
    program::Program,
    recovery::NodeSpec,
};
use serde::{Deserialize, Serialize};

use super::tally::{builder, until};

/// What each account begins with.
const FORTUNE: u64 = 1_000;

#[derive(Serialize, Deserialize)]
struct Account {
    balance: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self { balance: FORTUNE }
    }
}

impl Component for Account {
    const TYPE_NAME: &'static str = "test.account@1";

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

fn program() -> Program {
    let g = Graph::new("Bank");
    let (left, right) = (g.place("left"), g.place("right"));
    for (here, there, name) in [(left, right, "east"), (right, left, "west")] {
        let pay = g.at(here).input::<u64>(&format!("pay_{name}"));
        let sent = g.at(here).slot("account").op("withdraw", [pay]);
        let money = g.channel(name).from(here).to(there).send(sent);
        let balance = g.at(there).slot("account").op("deposit", [money[0]]);
        g.at(there).output(&format!("got_{name}"), balance);
        let look = g.at(here).input::<u64>(&format!("look_{name}"));
        let seen = g.at(here).slot("account").op("balance", [look]);
        g.at(here).output(&format!("seen_{name}"), seen);
    }
    let draft = g.build().expect("the module is sound");
    Compiler::new().bind::<Account>("account").compile(draft).expect("the program is sound")
}

struct Bank {
    systems: [System; 2],
    nodes: [NodeRef; 2],
}

impl Bank {
    async fn open() -> Self {
        let (switch, program) = (Switch::default(), program());
        let hosts = [PeerId::from(1), PeerId::from(2)];
        let places = ["left", "right"];
        let mut made = Vec::new();
        for at in 0..2 {
            let other = 1 - at;
            let system = builder().switch(&switch).identity(hosts[at]).start().await;
            let system = system.expect("it starts");
            let spec = NodeSpec::new(places[at], program.clone())
                .place(places[at])
                .bind(places[other], [hosts[other].derive(places[other])]);
            let node = system.spawn(spec).await.expect("it lives");
            made.push((system, node));
        }
        let (systems, nodes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let two = "there are two";
        Self { systems: systems.try_into().expect(two), nodes: nodes.try_into().expect(two) }
    }

    async fn pay(node: &NodeRef, way: &str, amount: u64) {
        let input = format!("pay_{way}");
        node.ask("Bank", [(input.as_str(), amount)]).await.expect("it answers");
    }

    async fn balance(node: &NodeRef, way: &str) -> u64 {
        let input = format!("look_{way}");
        let reply = node.ask("Bank", [(input.as_str(), 0_u64)]).await.expect("it answers");
        reply.get(&format!("seen_{way}")).expect("it looks")
    }

    async fn total(&self) -> u64 {
        let [left, right] = &self.nodes;
        Self::balance(left, "east").await + Self::balance(right, "west").await
    }

    /// Waits until nothing is under way any more.
    async fn settle(&self) {
        for _ in 0..5_000 {
            let total = self.total().await;
            assert!(total <= 2 * FORTUNE, "money was made: {total}");
            if total == 2 * FORTUNE {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let troubles: Vec<_> = self.systems.iter().map(System::tree).collect();
        panic!("money was lost: {} is left, {troubles:?}", self.total().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_cross_from_system_to_system() {
    let bank = Bank::open().await;
    let [left, right] = &bank.nodes;
    Bank::pay(left, "east", 300).await;
    Bank::pay(right, "west", 50).await;
    bank.settle().await;
    assert_eq!(Bank::balance(left, "east").await, FORTUNE - 300 + 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_conserved_under_deaths_at_both_ends() {
    let bank = Bank::open().await;
    let payers: Vec<_> = bank
        .nodes
        .iter()
        .zip(["east", "west"])
        .map(|(node, way)| {
            let node = node.clone();
            tokio::spawn(async move {
                for amount in 1..=200_u64 {
                    Bank::pay(&node, way, amount % 7).await;
                }
            })
        })
        .collect();
    for round in 0..4 {
        let node = &bank.nodes[round % 2];
        let life = node.incarnation();
        until("it has an actor", || node.kill()).await;
        until("a new life", || node.incarnation() > life).await;
    }
    for payer in payers {
        payer.await.expect("no panic");
    }
    bank.settle().await;
    let (left, right): (u64, u64) =
        (Bank::balance(&bank.nodes[0], "east").await, Bank::balance(&bank.nodes[1], "west").await);
    assert_eq!((left, right), (FORTUNE, FORTUNE), "both have paid the same");
}
