//! Two Nodes that know each other by their envelopes alone: one asks, the other answers, and this
//! program carries the bytes between them, as a network would.

use samsara::{
    prelude::*,
    proto::{EnvelopeCaps, EnvelopeCodec},
};

fn greeter() -> Result<Program> {
    let g = Graph::new("Greeter");
    let name = g.input::<String>("name");
    let [who, _] = g.receive(name);
    g.emit("asked_by", who);
    g.reply(name);
    g.export("name");
    Ok(Compiler::new().compile(g.build()?)?)
}

fn visitor() -> Result<Program> {
    let g = Graph::new("Visitor");
    let answer = g.request("Greeter/name", g.input::<PeerId>("greeter"), g.input::<String>("name"));
    g.output("answer", answer);
    Ok(Compiler::new().compile(g.build()?)?)
}

/// Moves a Node and carries what it sends to the other one.
fn carry(from: &mut Node, to: &mut Node) -> Result<Steps> {
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let steps = from.run_until_idle(Nanos::ZERO);
    for step in &steps.0 {
        if let EngineStep::SendEnvelope { to: peer, envelope, .. } = step {
            assert_eq!(*peer, to.peer_id());
            let frame = codec.encode(envelope)?.to_bytes();
            println!("{} bytes from {} to {peer}", frame.len(), from.peer_id());
            to.deliver_inbound(from.peer_id(), frame)?;
        }
    }
    Ok(steps)
}

fn main() -> Result<()> {
    let (here, there) = (PeerId::from(1), PeerId::from(2));
    let config = NodeConfig::default();
    let mut visitor = install(here, [], &visitor()?, &["Visitor"], config)?;
    let mut greeter = install(there, [], &greeter()?, &["Greeter"], config)?;

    visitor.add_peer(there, ["/memory/2".parse::<Address>()?])?;
    visitor.run_until_idle(Nanos::ZERO);
    visitor.invoke("Visitor", [("greeter", Value::from(there)), ("name", Value::from("Ada"))])?;

    carry(&mut visitor, &mut greeter)?;
    let told = carry(&mut greeter, &mut visitor)?;
    let asked_by = told.0.iter().find_map(|step| match step {
        EngineStep::AppEmitted { value, .. } => Some(value.clone()),
        _ => None,
    });
    assert_eq!(asked_by, Some(Value::from(here)), "who asked is what the transport has proved");

    let answer = carry(&mut visitor, &mut greeter)?.output::<String>("answer");
    assert_eq!(answer.as_deref(), Some("Ada"));
    assert_eq!(visitor.pending_async_count(), 0);
    println!("answered");
    Ok(())
}
