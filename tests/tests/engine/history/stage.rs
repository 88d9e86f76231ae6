//! A Node, and all that may happen to it, by chance.
//!
//! Law: everything goes in by the public door, and what is refused there is part of the history.

use std::collections::BTreeSet;

use samsara_proto::{
    Address, PeerId, WireEnvelope,
    wire::{Correlation, Fill},
};
use samsara_runtime::{
    completion::CompletionHandle,
    config::{BackpressureConfig, NodeConfig, PeerConfig, TurnConfig},
    event::SendFailure,
    id::RequestId,
    job::{Job, Resources},
    node::{Batch, BootstrapTarget, Node, install},
    rng::Rng,
    step::EngineStep,
    time::Nanos,
};

use super::{
    super::wire::{envelope, fill},
    crew::{INPUTS, peer, program, take_desk},
};

const ACTIONS: u64 = 150;

/// What moved a Node once, and what it did.
pub(super) struct Turn {
    pub(super) batch: Batch,
    pub(super) steps: Vec<EngineStep>,
}

/// Settings whose limits are met.
pub(super) fn config() -> NodeConfig {
    NodeConfig {
        cycle_op_budget: 24,
        max_pending_async: 12,
        ingress_capacity: 32,
        bus_capacity: 8,
        turn: TurnConfig { events: 8, ..TurnConfig::default() },
        peers: PeerConfig {
            max_peers: 12,
            max_listed: 3,
            failure_threshold: 2,
            probe_after: Nanos::new(500),
            ..PeerConfig::default()
        },
        backpressure: BackpressureConfig {
            high_percent: 30,
            mute_after: 1,
            notice_interval: Nanos::new(50),
            quiet: Nanos::new(300),
        },
        ..NodeConfig::default()
    }
}

/// A Node and what its host has in hand.
pub(super) struct Stage {
    pub(super) node: Node,
    now: Nanos,
    rng: Rng,
    desk: Vec<CompletionHandle<u64>>,
    jobs: Vec<Job>,
    /// Requests that the Node has sent.
    asked: Vec<WireEnvelope>,
    turns: Vec<Turn>,
}

/// Lets a history happen; the same for the same seed.
pub(super) fn happen(seed: u64) -> (Vec<Turn>, Node) {
    let mut stage = Stage::new(config());
    stage.rng = Rng::from_seed(seed);
    for _ in 0..ACTIONS {
        stage.act();
    }
    for _ in 0..40 {
        stage.turn(200);
    }
    (stage.turns, stage.node)
}

fn at(number: u64) -> Address {
    format!("/memory/{number}").parse().expect("it is an address")
}

impl Stage {
    pub(super) fn new(config: NodeConfig) -> Self {
        let node = install(peer(1), [at(1)], &program(), &["Main", "Side"], config);
        // What an earlier history of this thread left on the desk is not this one's.
        drop(take_desk());
        let (desk, jobs, asked, turns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (now, rng) = (Nanos::ZERO, Rng::from_seed(0));
        Self { node: node.expect("it installs"), now, rng, desk, jobs, asked, turns }
    }

    fn peer(&mut self) -> PeerId {
        peer(self.rng.between(2..=5))
    }

    fn turn(&mut self, most: u64) {
        self.now = self.now + Nanos::new(self.rng.below(most + 1));
        let batch = self.node.intake(self.now);
        let mut steps = Vec::new();
        self.node.apply(&batch, &mut steps);
        self.desk.extend(take_desk());
        for step in &steps {
            if let EngineStep::SendEnvelope { envelope, .. } = step
                && envelope.correlation() == Correlation::Request
            {
                self.asked.push((**envelope).clone());
            }
        }
        self.turns.push(Turn { batch, steps });
    }

    /// One thing happens. What the Node refuses it refuses: that is a history too.
    fn act(&mut self) {
        match self.rng.below(24) {
            0..5 => self.feed(),
            5..9 => self.hear(),
            9..11 => self.answer(),
            11 => self.work(),
            12 => self.tell_sent(),
            13..15 => self.change_peers(),
            15 => drop(self.node.request_bootstrap(BootstrapTarget::All)),
            16 => {
                let phase = ["Snapshot", "Drain", "Shutdown"][self.rng.below(3) as usize];
                self.node.fire_lifecycle(phase).ok();
            }
            17 if self.rng.chance(1, 3) => self.node.clear(),
            _ => self.turn(60),
        }
    }

    fn feed(&mut self) {
        let n = self.rng.below(9);
        let input = INPUTS[self.rng.below(INPUTS.len() as u64) as usize];
        match self.rng.below(10) {
            0 => drop(self.node.deliver_event("Side", "n", n)),
            1 => drop(self.node.deliver_event("Main", "go", ())),
            2 => drop(self.node.invoke("Main", [("foe", peer(4))])),
            3 => drop(self.node.invoke("Main", [("friend", peer(4))])),
            4 => drop(self.node.invoke("Mian", [("n", n)])),
            _ => drop(self.node.invoke("Main", [(input, n)])),
        }
    }

    fn hear(&mut self) {
        let (from, n) = (self.peer(), self.rng.below(9));
        let input = INPUTS[self.rng.below(INPUTS.len() as u64) as usize];
        let mut fills = vec![fill(&format!("Main/{input}"), n)];
        if self.rng.chance(1, 4) {
            fills.push(fill("Main/m", "no number"));
            fills.push(Fill { payload: "short".into(), ..fill("Main/n", 1_u64) });
        }
        let mark = self.node.watermark(&from, 1);
        let mut told = envelope(mark.map_or(1, |mark| mark.next), fills);
        told.stream_epoch = mark.map_or(1, |mark| mark.epoch);
        told.deadline_ns = self.rng.chance(1, 3).then(|| self.rng.below(200));
        match self.rng.below(8) {
            0 => told.seq += 1,
            1 => (told.seq, told.stream_epoch) = (1, told.stream_epoch + 1),
            2..4 => {
                (told.stream, told.stream_epoch, told.seq) = (0, 0, self.rng.below(6) + 1);
            }
            _ => {}
        }
        if self.rng.chance(1, 3) {
            told.set_correlation(Correlation::Request);
            told.request_id = n + 1;
        }
        if let Some(asked) = self.asked.pop() {
            told.set_correlation(Correlation::Response);
            (told.request_id, told.chain) = (asked.request_id, asked.chain);
            told.fills = vec![fill("Main/m", n)];
        }
        self.node.deliver_envelope(from, told, Some(at(n))).ok();
    }

    fn answer(&mut self) {
        let Some(place) = self.rng.below(100).checked_rem(self.desk.len() as u64) else { return };
        let handle = self.desk.remove(place as usize);
        match self.rng.below(3) {
            0 => handle.complete(self.rng.below(9)).expect("an answer has its place"),
            1 => handle.fail("no luck").expect("an answer has its place"),
            _ => drop(handle),
        }
    }

    fn work(&mut self) {
        self.jobs.extend(self.node.take_jobs());
        let Some(place) = self.rng.below(100).checked_rem(self.jobs.len() as u64) else { return };
        let job = self.jobs.remove(place as usize);
        job.run(&Resources::default()).expect("an answer has its place");
    }

    fn tell_sent(&mut self) {
        let to = self.peer();
        let request = self.asked.last().and_then(|asked| RequestId::new(asked.request_id));
        let request = request.filter(|_| self.rng.chance(1, 2));
        let result = if self.rng.chance(1, 3) { Ok(()) } else { Err(SendFailure::LinkLost) };
        self.node.note_send_result(to, request, result).expect("there is room");
    }

    fn change_peers(&mut self) {
        let (who, address) = (self.peer(), at(self.rng.below(5)));
        let node = &mut self.node;
        // A change that is refused is none, and one of two that do not go together is told.
        match self.rng.below(10) {
            0 => node.block_peer(who).ok(),
            1 => node.unblock_peer(who).ok(),
            2 => node.set_allowlist(Some(BTreeSet::from([peer(2), who]))).ok(),
            3 => node.set_allowlist(None).ok(),
            4 => node.drop_peer(who).ok().and_then(|()| node.drop_peer(who).ok()),
            5 => node.register_address(who, address).ok(),
            6 => node.forget_address(who, address).ok(),
            7 => node.add_local_address(address).ok(),
            8 => node.forget_local_address(address).ok(),
            _ => node.add_peer(who, [address]).ok(),
        };
    }
}
