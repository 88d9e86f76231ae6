//! A bank of two hosts, east and west: accounts are Nodes, each pays its partner on the other host,
//! and Nodes are killed all the while. Each transfer has its effect once, so the money stays what it
//! was.

use std::time::Duration;

use samsara::{prelude::*, runtime::config::HostConfig};
use serde::{Deserialize, Serialize};

const PAIRS: usize = 8;
const ACCOUNTS: usize = 2 * PAIRS;
const START: u64 = 1_000;
const TRANSFERS: usize = 4_000;
/// A Node is killed before every such transfer.
const KILL_EVERY: usize = 40;

#[derive(Serialize, Deserialize)]
struct Account {
    balance: u64,
    sent: u64,
    received: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self { balance: START, sent: 0, received: 0 }
    }
}

impl Component for Account {
    const TYPE_NAME: &'static str = "demo.account@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("withdraw", |account: &mut Self, sum: u64| {
            let sum = sum.min(account.balance);
            account.balance -= sum;
            account.sent += 1;
            sum
        });
        ops.on("pay_in", |account: &mut Self, sum: u64| {
            account.balance += sum;
            account.received += 1;
            account.balance
        });
    }
}

/// The two places of a pair: each can pay the other.
const PLACES: [&str; 2] = ["east", "west"];

fn program() -> Result<Program> {
    let g = Graph::new("Bank");
    let places = PLACES.map(|place| g.place(place));
    for (at, name) in PLACES.into_iter().enumerate() {
        let (here, there) = (places[at], places[1 - at]);
        let pay = g.at(here).input::<u64>(&format!("pay_from_{name}"));
        let sum = g.at(here).slot("account").op("withdraw", [pay]);
        let paid = g.channel(&format!("from_{name}")).from(here).to(there).send(sum);
        let balance = g.at(there).slot("account").op("pay_in", [paid[0]]);
        g.at(there).output(&format!("balance_by_{name}"), balance);
    }
    Ok(Compiler::new().bind::<Account>("account").compile(g.build()?)?)
}

/// A drawing of numbers that is the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

/// Balances, transfers that were sent and transfers that were received, of all accounts; nothing
/// while one of them is between two lives.
fn audit(accounts: &[NodeRef]) -> Option<(u64, u64, u64)> {
    let mut sum = (0, 0, 0);
    for account in accounts {
        let seen = account.look(|node| {
            let account = node.slot::<Account>("account")?;
            Some((account.balance, account.sent, account.received))
        });
        let (balance, sent, received) = seen??;
        sum = (sum.0 + balance, sum.1 + sent, sum.2 + received);
    }
    Some(sum)
}

async fn transfer_and_kill(accounts: &[NodeRef]) -> Result<(u64, usize)> {
    let mut draw = Draw(42);
    let (mut sent, mut kills) = (Vec::new(), 0);
    for number in 0..TRANSFERS {
        let at = draw.below(ACCOUNTS);
        let (from, sum) = (accounts[at].clone(), draw.below(50) as u64);
        let pay = format!("pay_from_{}", PLACES[at % 2]);
        sent.push(tokio::spawn(async move { from.invoke("Bank", [(&*pay, sum)]).await }));
        if number % KILL_EVERY == KILL_EVERY - 1 {
            kills += usize::from(accounts[draw.below(ACCOUNTS)].kill());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut kept = 0;
    for transfer in sent {
        transfer.await??;
        kept += 1;
    }
    Ok((kept, kills))
}

async fn run() -> Result<()> {
    // More kills than an account would survive in earnest: who falls so often is put aside.
    let mut limits = HostConfig::default();
    limits.supervision.max_restarts = TRANSFERS as u32;
    limits.supervision.backoff_base = millis(1);
    limits.supervision.backoff_cap = millis(5);
    let switch = Switch::default();
    let start = || System::builder().limits(limits).switch(&switch).start();
    let hosts = [start().await?, start().await?];

    // The accounts of a pair lie side by side.
    let (program, mut accounts) = (program()?, Vec::new());
    for pair in 0..PAIRS {
        for (at, place) in PLACES.into_iter().enumerate() {
            let (other, partner) = (PLACES[1 - at], hosts[1 - at].peer_id());
            let spec = NodeSpec::new(format!("{place}-{pair}"), program.clone()).place(place);
            let spec = spec.bind(other, [partner.derive(&format!("{other}-{pair}"))]);
            accounts.push(hosts[at].spawn(spec).await?);
        }
    }
    let (kept, kills) = transfer_and_kill(&accounts).await?;

    // What was sent is still on its way to Nodes that were down: it arrives.
    let mut seen = audit(&accounts);
    while seen.is_none_or(|(_, sent, received)| sent < kept || received < kept) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        seen = audit(&accounts);
    }
    println!("{kept} transfers of {ACCOUNTS} accounts on two hosts, {kills} kills: {seen:?}");
    assert_eq!(seen, Some((ACCOUNTS as u64 * START, kept, kept)));
    for host in hosts {
        host.stop().await?;
    }
    Ok(())
}

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}
