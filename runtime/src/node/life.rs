//! The lives of a Node: what each of them is handed, and how it begins.
//!
//! Law: what outlives a life is its history and its mailbox. A life begins with a batch that says
//! so, and whose answers of earlier ones are lost.

use samsara_ingress::Fenced;

use super::Node;
use crate::{
    event::{Control, IngressEvent, NodeIngress},
    id::{ExecId, IdCounter, Incarnation},
    planted::{self, Bug},
};

use super::Batch;

/// What of a Node outlives its fall: what was admitted and is in no batch yet.
#[derive(Debug)]
pub struct Mailbox {
    queue: NodeIngress,
    admissions: IdCounter<ExecId>,
}

impl Node {
    /// Takes the mailbox out of a Node that has fallen.
    pub fn into_mailbox(self) -> Mailbox {
        Mailbox { queue: self.queue, admissions: self.admissions }
    }

    /// Begins a life, which must be higher than any before, on a Node that was brought up to the
    /// end of its history: the next turn says so. A mailbox that has outlived an earlier life takes
    /// the place of the Node's own.
    ///
    /// Answers that free completions of earlier lives would have given are lost, and fail their ops
    /// as [`Lost`](crate::error::OpErrorKind::Lost); jobs that nobody has answered can be taken
    /// again.
    pub fn begin_life(
        &mut self,
        incarnation: Incarnation,
        outlived: Option<Mailbox>,
    ) -> Result<(), Fenced> {
        let life = incarnation.get();
        // A restore has begun the life already, in a mailbox that stays.
        if self.incarnation != incarnation || outlived.is_some() {
            let queue = outlived.as_ref().map_or(&self.queue, |mailbox| &mailbox.queue);
            self.reader = queue.open(life)?;
        }
        if let Some(Mailbox { queue, admissions }) = outlived {
            let minted = self.admissions.minted().max(admissions.minted());
            self.admissions = IdCounter::resume(minted);
            self.handle = queue.handle();
            self.queue = queue;
            self.reset_doors();
        }
        self.services.handle = self.handle.for_life(life);
        self.incarnation = incarnation;
        self.is_beginning = true;
        Ok(())
    }

    /// Takes note of what a batch of the history has admitted, so that it is not admitted again.
    pub(super) fn note_history(&mut self, batch: &Batch) {
        for admitted in &batch.events {
            match &admitted.event {
                IngressEvent::AppEvent { .. } | IngressEvent::Invoke { .. }
                    if planted::is(Bug::IdsAnew) => {}
                IngressEvent::AppEvent { exec, .. } | IngressEvent::Invoke { exec, .. } => {
                    self.admissions.note(*exec);
                }
                IngressEvent::InvokeAs(asked) => self.admissions.note(asked.exec),
                IngressEvent::Control(Control::Start) => self.is_starting = false,
                _ => {}
            }
        }
    }
}
