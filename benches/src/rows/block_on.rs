//! A thread that waits for a future, with the least that can be in between.
//!
//! Law: the waker is made once a thread; waiting allocates nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// This thread, as something that waits.
pub(crate) struct Waiting(Waker);

impl Waiting {
    pub(crate) fn here() -> Self {
        Self(Waker::from(Arc::new(Unpark(thread::current()))))
    }

    pub(crate) fn on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut context = Context::from_waker(&self.0);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }
}
