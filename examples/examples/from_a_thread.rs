//! An op that answers later: a thread does the work, the Node goes on meanwhile, and an answer that
//! never comes is a failure with a reason.

use std::{sync::mpsc, thread};

use samsara::prelude::*;
use serde::{Deserialize, Serialize};

/// What the worker thread gets: a text to count, and the right to answer.
type Job = (String, Completion<u64>);

#[derive(Default, Serialize, Deserialize)]
struct Counting {
    /// Where jobs go; code, not state, so it is neither saved nor restored.
    #[serde(skip)]
    worker: Option<mpsc::Sender<Job>>,
}

impl Component for Counting {
    const TYPE_NAME: &'static str = "demo.counting@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on(
            "words",
            |counting: &mut Self, cx: &mut Cx<'_>, text: String| -> Result<_, OpError> {
                let worker = counting.worker.get_or_insert_with(start_worker);
                let (completion, promise) = cx.open_completion::<u64>()?;
                worker.send((text, completion)).map_err(|_| "the worker is gone")?;
                Ok(promise)
            },
        );
    }
}

/// A thread that counts words, and walks away from texts that it does not like.
fn start_worker() -> mpsc::Sender<Job> {
    let (jobs, inbox) = mpsc::channel::<Job>();
    thread::spawn(move || {
        for (text, completion) in inbox {
            if text != "boring" {
                let words = text.split_whitespace().count() as u64;
                completion.complete(words).expect("eight bytes are within the budget");
            }
        }
    });
    jobs
}

fn main() -> Result<()> {
    let g = Graph::new("Words");
    let text = g.input::<String>("text");
    g.output("at_once", text);
    g.output("words", g.slot("counting").op("words", [text]));
    let program = Compiler::new().bind::<Counting>("counting").compile(g.build()?)?;
    let mut node = install(PeerId::from(1), [], &program, &["Words"], NodeConfig::default())?;

    node.invoke("Words", [("text", "one two three")])?;
    node.invoke("Words", [("text", "boring")])?;
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(steps.output::<String>("at_once").as_deref(), Some("boring"));
    assert_eq!(node.pending_async_count(), 2);

    let mut later = Vec::new();
    while node.pending_async_count() > 0 {
        thread::yield_now();
        later.extend(node.run_until_idle(Nanos::ZERO).0);
    }
    let later = Steps(later);
    assert_eq!(later.output::<u64>("words"), Some(3));
    let reasons: Vec<_> = later.failures().map(OpError::reason).collect();
    assert_eq!(reasons, ["its completion was dropped"]);
    println!("three words, and one answer that never came: {}", reasons.join(", "));
    Ok(())
}
