//! A push that waits for room.
//!
//! Law: the event is in the future until it is in the mailbox; so dropping the future takes back
//! nothing that was admitted and admits nothing that was taken back.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use crate::{
    handle::IngressHandle,
    inbox::Wakes,
    planted::{Bug, gap},
    refusal::{PushError, Refusal},
};

enum Stage<T> {
    Fresh(T),
    InLine { event: T, id: u64 },
    Done,
}

/// The future of [`IngressHandle::push`].
#[must_use = "a push happens only while it is awaited"]
pub struct Push<'a, T, K: Ord + Clone = ()> {
    handle: &'a IngressHandle<T, K>,
    weight: u64,
    stage: Stage<T>,
}

/// The event is only ever moved, never pinned.
impl<T, K: Ord + Clone> Unpin for Push<'_, T, K> {}

impl<'a, T, K: Ord + Clone> Push<'a, T, K> {
    pub(crate) fn new(handle: &'a IngressHandle<T, K>, event: T, weight: u64) -> Self {
        Self { handle, weight, stage: Stage::Fresh(event) }
    }

    fn start(&mut self, event: T, waker: Waker) -> Poll<Result<(), PushError<T>>> {
        let (pass, mutex) = (self.handle.door.pass, &self.handle.door.shared.inbox);
        let mut inbox = mutex.lock();
        let mut refusal = match inbox.admit(pass, self.weight) {
            Ok(()) => {
                inbox.reserve(pass.peer, self.weight);
                inbox.enqueue(event, self.weight, pass.peer.into());
                self.handle.door.shared.ring(inbox);
                return Poll::Ready(Ok(()));
            }
            Err(refusal) => refusal,
        };
        if refusal.may_pass() {
            if inbox.line.len() < inbox.limits.waiting {
                let mut inbox = gap(Bug::QueueUp, mutex, inbox);
                if !matches!(refusal, Refusal::OverShare { .. }) {
                    inbox.line.is_contended = true;
                }
                let id = inbox.line.join(pass, self.weight, waker);
                self.stage = Stage::InLine { event, id };
                return Poll::Pending;
            }
            refusal = Refusal::TooManyWaiting { cap: inbox.limits.waiting };
        }
        inbox.refused.count(refusal);
        Poll::Ready(Err(PushError { event, refusal }))
    }

    fn resume(&mut self, event: T, id: u64, waker: Waker) -> Poll<Result<(), PushError<T>>> {
        let mut inbox = self.handle.door.shared.inbox.lock();
        match inbox.line.find(id) {
            Some(waiter) if !waiter.granted => {
                let replaced = waiter.waker.replace(waker);
                self.stage = Stage::InLine { event, id };
                drop(inbox);
                drop(replaced);
                Poll::Pending
            }
            Some(waiter) => {
                let (peer, weight) = (waiter.pass.peer, waiter.weight);
                inbox.line.leave(id);
                inbox.enqueue(event, weight, peer.into());
                self.handle.door.shared.ring(inbox);
                Poll::Ready(Ok(()))
            }
            None => {
                // Only a close, a fence or a block takes a producer out of the line.
                let refusal =
                    inbox.may_enter(self.handle.door.pass).err().unwrap_or(Refusal::Closed);
                inbox.refused.count(refusal);
                Poll::Ready(Err(PushError { event, refusal }))
            }
        }
    }
}

impl<T, K: Ord + Clone> Future for Push<'_, T, K> {
    type Output = Result<(), PushError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        // Cloned before the lock: a waker is foreign code.
        let waker = cx.waker().clone();
        match std::mem::replace(&mut this.stage, Stage::Done) {
            Stage::Fresh(event) => this.start(event, waker),
            Stage::InLine { event, id } => this.resume(event, id, waker),
            Stage::Done => Poll::Pending,
        }
    }
}

impl<T, K: Ord + Clone> Drop for Push<'_, T, K> {
    fn drop(&mut self) {
        let Stage::InLine { id, .. } = self.stage else {
            return;
        };
        let mut wakes = Wakes::default();
        let mut inbox = self.handle.door.shared.inbox.lock();
        let left = inbox.line.leave(id);
        if let Some(waiter) = &left
            && waiter.granted
        {
            inbox.unreserve(waiter.pass.peer, waiter.weight);
        }
        #[cfg(loom)]
        if crate::planted::is(Bug::Cancel) {
            return;
        }
        inbox.grant(&mut wakes);
        drop(inbox);
        drop(left);
        wakes.wake();
    }
}

impl<T, K: Ord + Clone> fmt::Debug for Push<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("weight", &self.weight).finish_non_exhaustive()
    }
}
