//! One program over several Nodes: clients train, a server averages what eight of them send in a
//! round and tells all of them. The envelopes are carried by hand.

use samsara::{
    prelude::*,
    proto::{EnvelopeCaps, EnvelopeCodec},
};
use serde::{Deserialize, Serialize};

const CLIENTS: u64 = 8;

/// A model of two weights, which training moves towards its batch.
#[derive(Default, Serialize, Deserialize)]
struct Model {
    weights: [f32; 2],
}

impl Component for Model {
    const TYPE_NAME: &'static str = "demo.model@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("train", |model: &mut Self, batch: Tensor| -> Result<Tensor, OpError> {
            for (weight, sample) in model.weights.iter_mut().zip(numbers(&batch)?) {
                *weight += (sample - *weight) / 2.0;
            }
            tensor(model.weights)
        });
        ops.on("load", |model: &mut Self, weights: Tensor| {
            model.weights = numbers(&weights)?;
            Ok::<f64, OpError>(model.weights.iter().sum::<f32>().into())
        });
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Mean;

impl Component for Mean {
    const TYPE_NAME: &'static str = "demo.mean@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("average", |_: &mut Self, updates: Vec<Tensor>| -> Result<Tensor, OpError> {
            let mut mean = [0.0_f32; 2];
            for update in &updates {
                for (sum, weight) in mean.iter_mut().zip(numbers(update)?) {
                    *sum += weight / updates.len() as f32;
                }
            }
            tensor(mean)
        });
    }
}

fn numbers(tensor: &Tensor) -> Result<[f32; 2], OpError> {
    // What was received lies where the frame has it, which need not be aligned.
    let aligned = tensor.aligned().map_err(|error| error.to_string())?;
    let numbers = aligned.as_slice().map_err(|error| error.to_string())?;
    Ok(numbers.try_into().map_err(|_| "wanted two weights")?)
}

fn tensor(numbers: [f32; 2]) -> Result<Tensor, OpError> {
    Ok(Tensor::from_slice(&[2], &numbers).map_err(|error| error.to_string())?)
}

fn program() -> Result<Program> {
    let g = Graph::new("Round");
    let (server, client) = (g.place("server"), g.place("client"));
    let round = g.at(client).input::<u64>("round");
    let update = g.at(client).slot("model").op("train", [g.at(client).input::<Tensor>("batch")]);
    let seen = g.channel("update").from(client).to(server).send([round, update]);
    let eight = g.at(server).gather(seen).by(round).count(8).deadline(seconds(30));
    let mean = g.at(server).slot("mean").op("average", [eight]);
    let told = g.channel("model").from(server).to(client).broadcast(mean);
    g.at(client).output("norm", g.at(client).slot("model").op("load", [told[0]]));
    let compiler = Compiler::new().bind::<Model>("model").bind::<Mean>("mean");
    Ok(compiler.compile(g.build()?)?)
}

fn main() -> Result<()> {
    let (program, server) = (program()?, PeerId::from(100));
    let clients: Vec<_> = (1..=CLIENTS).map(PeerId::from).collect();
    let mut nodes = Nodes(vec![
        Installation::new(server, &program)
            .place("server")
            .bind("client", clients.iter().copied())
            .install()?,
    ]);
    for client in &clients {
        let node = Installation::new(*client, &program).place("client").bind("server", [server]);
        nodes.0.push(node.install()?);
    }

    // All eight train, and all eight get the mean of what they trained: (1 + … + 8) / 8 / 2 each.
    nodes.train(1, CLIENTS as usize)?;
    assert_eq!(nodes.carry(seconds(1))?, [4.5; 8]);

    // One is silent: nothing until the deadline, then the mean of the other seven.
    nodes.train(2, 7)?;
    assert_eq!(nodes.carry(seconds(2))?, [0.0; 0]);
    assert_eq!(nodes.carry(seconds(31))?, [0.0; 0]);
    let told = nodes.carry(seconds(32))?;
    assert_eq!(told, [6.25; 8]);
    println!("eight clients and a server agree on a model, with and without the eighth");
    Ok(())
}

/// The server, and behind it the clients.
struct Nodes(Vec<Node>);

impl Nodes {
    /// Gives the first clients a batch each, of their own number.
    fn train(&mut self, round: u64, count: usize) -> Result<()> {
        for (at, client) in (0_u8..).zip(self.0.iter_mut().skip(1).take(count)) {
            let batch = tensor([f32::from(at + 1); 2])?;
            client.invoke("Round", [("round", Value::U64(round)), ("batch", batch.into())])?;
        }
        Ok(())
    }

    /// Runs all Nodes and carries what they send, as frames, until nobody sends anything; tells
    /// what the clients' models come to.
    fn carry(&mut self, now: Nanos) -> Result<Vec<f64>> {
        let codec = EnvelopeCodec::new(EnvelopeCaps::default());
        let mut told = Vec::new();
        loop {
            let mut frames = Vec::new();
            for node in &mut self.0 {
                for step in node.run_until_idle(now).0 {
                    match step {
                        EngineStep::SendEnvelope { to, envelope, .. } => {
                            let frame = codec.encode(&envelope)?.to_bytes();
                            frames.push((node.peer_id(), to, frame));
                        }
                        EngineStep::AppEvent { value, .. } => told.push(f64::from_value(value)?),
                        other => return Err(format!("unexpected: {other:?}").into()),
                    }
                }
            }
            if frames.is_empty() {
                return Ok(told);
            }
            for (from, to, frame) in frames {
                let node = self.0.iter_mut().find(|node| node.peer_id() == to);
                node.ok_or("sent to a stranger")?.deliver_inbound(from, frame)?;
            }
        }
    }
}
