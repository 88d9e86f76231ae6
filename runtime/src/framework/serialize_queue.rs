//! Named queues between ops: what is put in first comes out first, to whoever asked first.
//!
//! Law: nobody waits while something is there; when a queue is full its oldest item makes room,
//! and is handed to the caller and counted.
//!
//! ```
//! use samsara_runtime::framework::{Dequeued, Enqueued, SerializeQueue, Waiter};
//! use samsara_runtime::id::{CommandId, ExecId};
//!
//! let exec = ExecId::new(1).ok_or("not zero")?;
//! let waiter = Waiter { exec, command: CommandId::new(1).ok_or("not zero")? };
//! let mut queues = SerializeQueue::new(16, 4, 16);
//! assert_eq!(queues.enqueue("work", "first")?, Enqueued::Stored { dropped: None });
//! assert_eq!(queues.dequeue("work", waiter)?, Dequeued::Item("first"));
//! assert_eq!(queues.dequeue("work", waiter)?, Dequeued::Waits);
//! assert_eq!(queues.enqueue("work", "second")?, Enqueued::Handed { to: waiter, item: "second" });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use super::bounded::{Bounded, CapReached, Refused};
use super::ring::Ring;
use super::wait_lines::{WaitLines, Waiter};
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};
use crate::id::ExecId;

/// The queues of a Node. A name is taken from its first item on.
#[derive(Clone, Debug, PartialEq)]
pub struct SerializeQueue<V> {
    capacity: u32,
    queues: Bounded<Arc<str>, Ring<V>>,
    waiting: WaitLines,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued<V> {
    /// It waits to be asked for.
    Stored {
        /// The oldest item, if there was no room for both.
        dropped: Option<V>,
    },
    /// It goes to an op that waited for it.
    Handed {
        /// The op.
        to: Waiter,
        /// The item.
        item: V,
    },
}

/// What became of asking for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dequeued<V> {
    /// The oldest item.
    Item(V),
    /// There is none, and the op waits in line.
    Waits,
}

impl<V> SerializeQueue<V> {
    /// At most `max_names` queues of `capacity` items, each with at most `max_waiters` in line.
    pub const fn new(max_names: u32, capacity: u32, max_waiters: u32) -> Self {
        Self {
            capacity,
            queues: Bounded::new("serialize queues", max_names),
            waiting: WaitLines::new("waiters of a serialize queue", max_waiters),
        }
    }

    /// Puts an item into a queue; refused if the name is new and there are too many.
    pub fn enqueue(&mut self, name: &str, item: V) -> Result<Enqueued<V>, Refused<V>> {
        if let Some(to) = self.waiting.pop(name) {
            return Ok(Enqueued::Handed { to, item });
        }
        let capacity = self.capacity;
        match self.queues.open(name, Arc::from, || Ring::new(capacity)) {
            Ok(queue) => Ok(Enqueued::Stored { dropped: queue.push(item) }),
            Err(reason) => Err(Refused { given: item, reason }),
        }
    }

    /// Takes the oldest item of a queue, or waits for one.
    pub fn dequeue(&mut self, name: &str, waiter: Waiter) -> Result<Dequeued<V>, CapReached> {
        if let Some(item) = self.take(name) {
            return Ok(Dequeued::Item(item));
        }
        self.waiting.join(name, waiter)?;
        Ok(Dequeued::Waits)
    }

    /// Takes the oldest item of a queue, if there is one.
    pub fn take(&mut self, name: &str) -> Option<V> {
        self.queues.get_mut(name).and_then(Ring::pop)
    }

    /// Leaves the line, as when the op's deadline has passed; false if it did not wait.
    pub fn leave(&mut self, waiter: Waiter) -> bool {
        self.waiting.leave(waiter)
    }

    /// Takes every waiter of an execution that ends out of every line.
    pub fn leave_all(&mut self, exec: ExecId) {
        self.waiting.leave_all(exec);
    }

    /// How many items of this queue had to make room.
    pub fn dropped(&self, name: &str) -> u64 {
        self.queues.get(name).map_or(0, Ring::dropped)
    }

    /// How many items wait in this queue.
    pub fn len(&self, name: &str) -> usize {
        self.queues.get(name).map_or(0, Ring::len)
    }
}

impl<V: Saved> Kept for SerializeQueue<V> {
    fn save(&self, out: &mut Saver) {
        self.queues.save_with(out, Ring::save);
        self.waiting.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let capacity = self.capacity;
        self.queues.fill_with(from, |_, from| {
            let mut ring = Ring::new(capacity);
            ring.fill(from)?;
            Ok(ring)
        })?;
        self.waiting.fill(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::waiter;

    fn queues() -> SerializeQueue<u8> {
        SerializeQueue::new(2, 2, 2)
    }

    fn stored<V>() -> Enqueued<V> {
        Enqueued::Stored { dropped: None }
    }

    #[test]
    fn items_come_out_in_order_and_each_queue_by_itself() {
        let mut queues = queues();
        for (name, item) in [("a", 1), ("b", 9), ("a", 2)] {
            assert_eq!(queues.enqueue(name, item), Ok(stored()));
        }
        assert_eq!(queues.dequeue("a", waiter(1, 1)), Ok(Dequeued::Item(1)));
        assert_eq!(queues.dequeue("a", waiter(1, 1)), Ok(Dequeued::Item(2)));
        assert_eq!(queues.dequeue("a", waiter(1, 1)), Ok(Dequeued::Waits));
        assert_eq!(queues.dequeue("b", waiter(1, 2)), Ok(Dequeued::Item(9)));
    }

    #[test]
    fn waiting_ops_are_served_in_order_and_those_that_left_are_not() {
        let mut queues = SerializeQueue::new(2, 2, 4);
        for (exec, command) in [(1, 1), (2, 2), (3, 3), (3, 4)] {
            assert_eq!(queues.dequeue("a", waiter(exec, command)), Ok(Dequeued::Waits));
        }
        assert!(queues.leave(waiter(1, 1)));
        queues.leave_all(waiter(3, 3).exec);
        assert_eq!(queues.enqueue("a", 1), Ok(Enqueued::Handed { to: waiter(2, 2), item: 1 }));
        assert_eq!(queues.enqueue("a", 2), Ok(stored()));
        assert_eq!(queues.len("a"), 1);
    }

    #[test]
    fn the_oldest_item_of_a_full_queue_comes_back_and_is_counted() {
        let mut queues = queues();
        for item in [1, 2] {
            assert_eq!(queues.enqueue("a", item), Ok(stored()));
        }
        assert_eq!(queues.enqueue("a", 3), Ok(Enqueued::Stored { dropped: Some(1) }));
        assert_eq!((queues.dropped("a"), queues.len("a")), (1, 2));
    }

    #[test]
    fn a_name_and_a_waiter_too_many_are_refused() {
        let mut queues = queues();
        for name in ["a", "b"] {
            assert_eq!(queues.enqueue(name, 1), Ok(stored()));
        }
        let reason = CapReached { what: "serialize queues", cap: 2 };
        assert_eq!(queues.enqueue("c", 7), Err(Refused { given: 7, reason }));
        for number in [1, 2] {
            assert_eq!(queues.dequeue("c", waiter(number, number)), Ok(Dequeued::Waits));
        }
        let full = CapReached { what: "waiters of a serialize queue", cap: 2 };
        assert_eq!(queues.dequeue("c", waiter(3, 3)), Err(full));
    }
}
