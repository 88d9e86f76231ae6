//! A job: an op leaves slow work to the host as a plain request. The Node dies meanwhile, and its
//! next life asks for what was not answered again, under the same key.

use std::sync::Mutex;

use samsara::prelude::*;
use serde::{Deserialize, Serialize};

/// A service outside: it does the work of a key once, however often it is asked.
#[derive(Default)]
struct Printer {
    printed: Mutex<Vec<(IdempotencyKey, String)>>,
}

impl Printer {
    fn print(&self, key: IdempotencyKey, text: &str) -> Result<u64, OpError> {
        let mut printed = self.printed.lock().map_err(|_| "the printer is broken")?;
        if !printed.iter().any(|(known, _)| *known == key) {
            printed.push((key, text.to_owned()));
        }
        Ok(text.len() as u64)
    }
}

/// What is to be done, in full: the component is not at hand where it is done.
#[derive(Serialize, Deserialize)]
struct Print {
    key: IdempotencyKey,
    text: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Office {
    letters: u64,
}

impl Component for Office {
    const TYPE_NAME: &'static str = "demo.office@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.job(
            "print",
            |office: &mut Self, cx: &mut Cx<'_>, text: String| {
                office.letters += 1;
                let text = format!("{}: {text}", office.letters);
                Print { key: cx.call().idempotency_key(), text }
            },
            |print: Print, host: &Resources| host.get::<Printer>()?.print(print.key, &print.text),
        );
    }
}

fn start() -> Result<Node> {
    let g = Graph::new("Write");
    g.output("bytes", g.slot("office").op("print", [g.input::<String>("text")]));
    let program = Compiler::new().bind::<Office>("office").compile(g.build()?)?;
    Ok(install(PeerId::from(1), [], &program, &["Write"], NodeConfig::default())?)
}

fn main() -> Result<()> {
    let mut host = Resources::default();
    host.insert(Printer::default());

    let mut first = start()?;
    first.invoke("Write", [("text", "dear reader")])?;
    let batch = first.intake(Nanos::ZERO);
    first.apply(&batch, &mut Vec::new());
    let history = [batch];
    for job in first.take_jobs() {
        job.run(&host)?;
    }
    drop(first); // The letter is printed, and the answer dies with the Node.

    let mut second = start()?;
    let mut steps = Vec::new();
    history.iter().for_each(|batch| second.replay(batch, &mut steps));
    assert!(matches!(steps[..], [_, EngineStep::JobStarted { .. }]));
    assert_eq!(second.run_jobs(&host)?, 1);
    assert_eq!(second.run_until_idle(Nanos::ZERO).output("bytes"), Some(14_u64));

    let printed = host.get::<Printer>()?.printed.lock().map_err(|_| "the printer is broken")?;
    let texts: Vec<_> = printed.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["1: dear reader"], "asked for twice, printed once");
    println!("one letter, two lives: {texts:?}");
    Ok(())
}
