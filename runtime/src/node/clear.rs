//! Clearing a Node: what waits in its mailbox is discarded, then what is under way is dropped.
//!
//! Law: the events that waited when the clear was asked for are discarded, those that come later
//! are not; the batches say which.

use samsara_ingress::{Admitted, TurnLimits};

use super::{Batch, Node};
use crate::event::{Control, IngressEvent};

impl Node {
    /// Drops executions, parked ops, what is queued, what ops keep, and the counters, each told as
    /// [`Cancelled`](crate::step::Cancelled) by the turns that follow. Components, peers, ids and
    /// which bootstraps have finished stay, and so do intervals. It needs no room in the mailbox.
    pub fn clear(&mut self) {
        let waiting = self.queue.stats();
        self.beside().clearing = Some(waiting.items.saturating_add(waiting.answers));
    }

    /// Takes the next events to discard; behind the last of them comes the clear itself.
    pub(super) fn take_discarded(&mut self, batch: &mut Batch) {
        let turn = self.config().turn;
        let left = self.beside().clearing.take().unwrap_or_default();
        let items = left.min(turn.events as usize);
        self.held = None;
        if items > 0 && self.reader.has_events() {
            let limits = TurnLimits { items, bytes: turn.bytes };
            self.held = self.reader.read(limits, &mut batch.events).ok();
        }
        let taken = batch.events.len();
        self.screen(batch);
        match left.saturating_sub(taken) {
            left if left > 0 && taken > 0 => self.beside().clearing = Some(left),
            _ => {
                let event = IngressEvent::Control(Control::Clear);
                batch.events.push(Admitted { event, weight: 0 });
            }
        }
    }
}
