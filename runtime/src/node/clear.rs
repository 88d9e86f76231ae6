//! Clearing a Node: what waits in its mailbox is discarded, then what is under way is dropped.
//!
//! Law: the events that waited when the clear was asked for are discarded, those that come later
//! are not; the batches say which.

use super::Node;

impl Node {
    /// Drops executions, parked ops, what is queued, what ops keep, and the counters, each told as
    /// [`Cancelled`](crate::step::Cancelled) by the turns that follow. Components, peers, ids and
    /// which bootstraps have finished stay, and so do intervals. It needs no room in the mailbox.
    pub fn clear(&mut self) {
        let waiting = self.queue.stats();
        let waiting = waiting.items.saturating_add(waiting.answers);
        self.beside().clearing = Some(waiting.saturating_add(self.reader.in_hand()));
    }
}
