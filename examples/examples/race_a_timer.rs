//! Timers and a race: a reminder rings unless somebody stops it first. Time is an argument, so the
//! example takes no time at all.

use samsara::prelude::*;

fn program() -> Result<Program> {
    let g = Graph::new("Remind");
    let text = g.input::<String>("text");
    let stop = g.input::<String>("stop");
    let (said, which) =
        g.race([("time", g.sleep(text, seconds(30))), ("stop", g.sleep(stop, seconds(10)))]);
    g.output("said", said);
    g.output("which", which);
    Ok(Compiler::new().compile(g.build()?)?)
}

fn main() -> Result<()> {
    let program = program()?;
    let mut node = install(PeerId::from(1), [], &program, &["Remind"], NodeConfig::default())?;

    node.invoke("Remind", [("text", "feed the cat")])?;
    node.run_until_idle(seconds(0));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(30)));
    let rung = node.run_until_idle(seconds(30));
    assert_eq!(rung.output::<String>("said").as_deref(), Some("feed the cat"));

    node.invoke("Remind", [("text", "feed the cat"), ("stop", "it is fed")])?;
    node.run_until_idle(seconds(100));
    let stopped = node.run_until_idle(seconds(110));
    assert_eq!(stopped.output::<String>("said").as_deref(), Some("it is fed"));
    assert_eq!(stopped.output::<String>("which").as_deref(), Some("stop"));
    let rung = node.run_until_idle(seconds(130));
    assert_eq!(rung.output::<String>("said"), None, "a race fires once");
    println!("rung once, stopped once");
    Ok(())
}
