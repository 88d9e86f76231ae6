//! What the process of a host shares among its Nodes, and what it hears of them.
//!
//! Law: what is heard becomes a fact, unless the process has ended before it could be.

use std::{cell::Cell, collections::BTreeMap, rc::Rc};

use samsara_proto::{PeerId, WireEnvelope};
use samsara_runtime::{
    delivery::CourierStep,
    event::IngressEvent,
    hosting::{Ground, MemoryJournal, Store, Word},
    recovery::Lsn,
    step::EngineStep,
};

use crate::{disk::Disk, fact::Fact, hosted::left, points::Phase, process::OpenCalls};

/// The store of a process, and what its Nodes have said in it.
pub(crate) struct Shared {
    pub(crate) disk: Disk,
    pub(crate) store: Store<Disk>,
    pub(crate) memory: MemoryJournal,
    pub(crate) host: PeerId,
    pub(crate) phase: Rc<Cell<Phase>>,
    /// The places of its Nodes in the world.
    ids: BTreeMap<PeerId, usize>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) calls: OpenCalls,
    /// Records that say how far outputs were taken, and are not durable yet.
    pub(crate) told: Vec<(Lsn, usize, u64)>,
    /// The first output of the act at work; outputs of a recovery are of no turn.
    pub(crate) turn: Option<u64>,
    is_new: bool,
    /// The last batch of the Node that was raised last.
    pub(crate) raised: Lsn,
    pub(crate) has_captured: bool,
    /// What couriers want to have done.
    pub(crate) carried: Vec<(usize, CourierStep)>,
}

impl Shared {
    pub(crate) fn new(
        disk: Disk,
        store: Store<Disk>,
        memory: MemoryJournal,
        host: PeerId,
        phase: Rc<Cell<Phase>>,
        ids: BTreeMap<PeerId, usize>,
    ) -> Self {
        Self {
            disk,
            store,
            memory,
            host,
            phase,
            ids,
            facts: Vec::new(),
            calls: BTreeMap::new(),
            told: Vec::new(),
            turn: None,
            is_new: false,
            raised: Lsn::ZERO,
            has_captured: false,
            carried: Vec::new(),
        }
    }

    /// An act begins, or a recovery.
    pub(crate) fn begin_turn(&mut self, is_new: bool) {
        (self.turn, self.is_new) = (None, is_new);
    }

    /// Tells which words of what was taken have become durable.
    pub(crate) fn note_told(&mut self) {
        let durable = self.store.log().durable();
        let facts = &mut self.facts;
        self.told.retain(|(lsn, node, up_to)| {
            if *lsn <= durable {
                facts.push(Fact::Told { node: *node, up_to: *up_to });
            }
            *lsn > durable
        });
    }

    fn hear_output(&mut self, node: usize, number: u64, step: &EngineStep) {
        if self.disk.point().is_err() {
            return;
        }
        if self.is_new {
            self.turn.get_or_insert(number);
        }
        self.facts.push(left(node, number, self.turn, step));
    }

    fn hear_acknowledged(&mut self, node: usize, event: &IngressEvent) {
        match event {
            IngressEvent::Invoke { exec, .. } | IngressEvent::AppEvent { exec, .. } => {
                let call = self.calls.remove(&(node, *exec));
                self.facts.extend(call.map(|call| Fact::Acked { node, call, exec: *exec }));
            }
            IngressEvent::EnvelopeFrom(heard) if heard.envelope.stream != 0 => {
                let WireEnvelope { stream, stream_epoch: epoch, seq, .. } = heard.envelope;
                let from = heard.src_peer;
                self.facts.push(Fact::Taken { node, from, stream, epoch, seq });
            }
            _ => {}
        }
    }
}

impl Ground for Shared {
    type Journal = Store<Disk>;

    fn journal(&mut self) -> &mut Self::Journal {
        &mut self.store
    }

    fn hear(&mut self, node: &PeerId, word: Word<'_>) {
        self.listen(node, word);
    }
}

/// The same process, as Nodes stand in it that it takes with it.
pub(crate) struct InMemory<'s>(pub(crate) &'s mut Shared);

impl Ground for InMemory<'_> {
    type Journal = MemoryJournal;

    fn journal(&mut self) -> &mut Self::Journal {
        &mut self.0.memory
    }

    fn hear(&mut self, node: &PeerId, word: Word<'_>) {
        self.0.listen(node, word);
    }
}

impl Shared {
    fn listen(&mut self, node: &PeerId, word: Word<'_>) {
        let Some(node) = self.ids.get(node).copied() else { return };
        if self.disk.is_cut() {
            // The output that its process did not live to let out says where it has ended.
            if matches!(word, Word::Left { .. }) {
                let _ = self.disk.point();
            }
            return;
        }
        match word {
            Word::Acked { events, .. } => {
                events.iter().for_each(|admitted| self.hear_acknowledged(node, &admitted.event));
            }
            Word::Left { number, step, .. } => self.hear_output(node, number, step),
            Word::Captured { lsn } => {
                self.has_captured = true;
                self.facts.push(Fact::Captured { node, lsn });
            }
            Word::Raised { batch, .. } => self.raised = batch,
            Word::Carry(step) if self.disk.point().is_ok() => self.carried.push((node, step)),
            _ => {}
        }
    }
}
