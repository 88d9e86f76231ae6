//! Polling a Node, for embedders with a waker.
//!
//! Law: pending means that nothing is ready and that one push from now on wakes; time alone is told
//! by [`next_wakeup`](Node::next_wakeup).

use std::task::{Context, Poll};

use samsara_ingress::Readiness;

use super::{Node, Wakeup};
use crate::{step::EngineStep, time::Nanos};

impl Node {
    /// Whether events wait in the mailbox; if not, the waker is left and one push from now on wakes
    /// it. A mailbox from which nothing can come any more is pending for good.
    pub fn poll_mail(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reader.poll_ready(cx) {
            Poll::Ready(Ok(Readiness::Events)) => Poll::Ready(()),
            Poll::Ready(Ok(Readiness::Ended) | Err(_)) | Poll::Pending => Poll::Pending,
        }
    }

    /// Takes a turn if there is anything to do at `now`, and gives its steps, which may be none.
    ///
    /// Of a mailbox that was closed and is empty no wake will come.
    pub fn poll(&mut self, now: Nanos, cx: &mut Context<'_>) -> Poll<Vec<EngineStep>> {
        let is_due = match self.next_wakeup() {
            Wakeup::Now => true,
            Wakeup::At(due) => due <= now,
            Wakeup::Never => false,
        };
        // Registering looks once more, under the lock that a push takes.
        if !is_due && !matches!(self.reader.poll_ready(cx), Poll::Ready(Ok(Readiness::Events))) {
            return Poll::Pending;
        }
        let mut steps = Vec::new();
        self.step(now, &mut steps);
        Poll::Ready(steps)
    }
}
