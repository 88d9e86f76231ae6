//! `hosting.*`: what a host costs its Node, in turns of 256 invokes.
//!
//! Law: the bare Node takes and applies the same turns; what a host does beside is the difference.

use std::time::Instant;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::HostConfig,
    hosting::{Birth, Did, Ground, MemoryJournal, Resident, Word},
    id::Incarnation,
    recovery::{Act, Durability, NodeSpec, StoreLife},
    time::Nanos,
};

use super::engine::{chain, node, payload, program};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

/// Invokes of one turn.
const TURN: usize = 256;

/// Whole turns: admitted, kept, acknowledged, applied, released, and taken by the host.
pub(crate) const HOSTING: Group = Group {
    name: "hosting",
    what: "hosted invokes of 64 bytes and one op, in turns of 256",
    rows: &[row("hosting.memory"), row("hosting.volatile")],
    run,
};

const fn row(name: &'static str) -> Row {
    Row { name, unit: "M/s", baseline: "bare node", promise: Promise::RatioAtLeast(0.8) }
}

struct Process {
    journal: MemoryJournal,
    outputs: u64,
    has_captured: bool,
}

impl Ground for Process {
    type Journal = MemoryJournal;

    fn journal(&mut self) -> &mut Self::Journal {
        &mut self.journal
    }

    fn hear(&mut self, _: &PeerId, word: Word<'_>) {
        match word {
            Word::Left { .. } => self.outputs += 1,
            Word::Captured { .. } => self.has_captured = true,
            _ => {}
        }
    }
}

struct Hosted {
    process: Process,
    resident: Resident,
}

impl Hosted {
    fn new(durability: Durability) -> Result<Self, String> {
        let (config, host) = (HostConfig::default(), PeerId::from(7));
        let life = StoreLife { incarnation: Incarnation::new(1), boot_nonce: 1 };
        let journal = MemoryJournal::default();
        let mut process = Process { journal, outputs: 0, has_captured: false };
        let spec = NodeSpec::new("one", program([chain("One", 1)?])?).durability(durability);
        let birth = Birth { host: &host, life, config: &config, now: Nanos::ZERO };
        let raised = Resident::raise(&spec, &birth, &mut process, None);
        let resident = raised.map_err(|not| not.error.to_string())?;
        Ok(Self { process, resident })
    }

    fn turn(&mut self) -> Result<(), String> {
        let Self { process, resident } = self;
        loop {
            match resident.act(process, Nanos::ZERO).map_err(|error| error.to_string())? {
                Did::Act(Act::Release) => {
                    let last = resident.outputs();
                    let took = resident.took_outputs(process, last);
                    took.map_err(|error| error.to_string())?;
                }
                Did::Rest(_) => break,
                Did::Act(_) | Did::Waits(_) => {}
            }
        }
        if std::mem::take(&mut process.has_captured)
            && let Some(keep) = resident.needs_from()
        {
            process.journal.truncate(&resident.peer_id(), keep);
        }
        Ok(())
    }

    fn rate(&mut self, turns: usize) -> Result<f64, String> {
        let before = self.process.outputs;
        let start = Instant::now();
        for _ in 0..turns {
            for _ in 0..TURN {
                let admitted = self.resident.node_mut().invoke("One", [("in", payload())]);
                admitted.map_err(|error| error.to_string())?;
            }
            self.turn()?;
        }
        let rate = millions_a_second(turns, start);
        let wanted = (turns * TURN) as u64;
        if self.process.outputs - before < wanted {
            return Err("an output is missing".to_owned());
        }
        Ok(rate)
    }
}

fn millions_a_second(turns: usize, start: Instant) -> f64 {
    (turns * TURN) as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let turns = context.amount(2_000, 4);
    let mut bare = node(&program([chain("One", 1)?])?)?;
    let mut memory = Hosted::new(Durability::Memory)?;
    let mut volatile = Hosted::new(Durability::Volatile)?;
    let mut steps = Vec::new();
    let mut contenders: [Contender<'_>; 3] = [
        Box::new(|| memory.rate(turns)),
        Box::new(|| volatile.rate(turns)),
        Box::new(|| {
            let start = Instant::now();
            for _ in 0..turns {
                for _ in 0..TURN {
                    let admitted = bare.invoke("One", [("in", payload())]);
                    admitted.map_err(|error| error.to_string())?;
                }
                steps.clear();
                bare.step(Nanos::ZERO, &mut steps);
                if steps.len() != TURN {
                    return Err("a turn gave not all of its outputs".to_owned());
                }
            }
            Ok(millions_a_second(turns, start))
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [memory, volatile, bare] = figures[..] else { return Err("no contender ran".to_owned()) };
    let over = |value| Figure { value, baseline: Some(bare) };
    Ok(vec![over(memory), over(volatile)])
}
