//! Model-checks code of your own that holds an `IngressHandle`, and finds its bug.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo run -p samsara-ingress --release --example model_your_own_code
//! ```
//!
//! The code below lets one request of a tenant into the mailbox. One version looks, then
//! counts; the other does both in one step. Each is right as long as one thread runs it.

use samsara_ingress::{
    IngressHandle, IngressLimits, IngressQueue,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
};

const IN_FLIGHT_MAX: usize = 1;

/// Your code: a limit of its own in front of the mailbox.
struct Tenant {
    handle: IngressHandle<&'static str>,
    in_flight: AtomicUsize,
}

impl Tenant {
    /// Looks, then counts: between the two another thread may look as well.
    fn send_carelessly(&self, request: &'static str) -> bool {
        if self.in_flight.load(Ordering::Relaxed) >= IN_FLIGHT_MAX {
            return false;
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.handle.try_push(request, 0).is_ok()
    }

    /// Counts and looks in one step.
    fn send(&self, request: &'static str) -> bool {
        let room = |now| (now < IN_FLIGHT_MAX).then_some(now + 1);
        // Relaxed is enough: the mailbox's own lock orders the requests themselves.
        let counted = self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        counted.is_ok() && self.handle.try_push(request, 0).is_ok()
    }
}

/// The property: two threads at once never get more than one request in.
fn two_threads_send(send: fn(&Tenant, &'static str) -> bool) {
    let queue = IngressQueue::new(IngressLimits::default()).expect("the limits are valid");
    let tenant = Arc::new(Tenant { handle: queue.handle(), in_flight: AtomicUsize::new(0) });
    let other = Arc::clone(&tenant);
    let thread = thread::spawn(move || send(&other, "theirs"));
    send(&tenant, "mine");
    thread.join().expect("no panic");
    let waiting = queue.stats().items;
    assert!(waiting <= IN_FLIGHT_MAX, "{waiting} requests in flight, at most {IN_FLIGHT_MAX} may");
}

#[cfg(loom)]
fn main() {
    use samsara_ingress::sync::model;

    let executions = model(3, || two_threads_send(Tenant::send));
    println!("send: holds in all {executions} executions");

    let found = std::panic::catch_unwind(|| model(3, || two_threads_send(Tenant::send_carelessly)));
    let story = found.expect_err("the careless version must be caught");
    let story = story.downcast_ref::<String>().map_or("a panic", String::as_str);
    println!("send_carelessly: an execution breaks it: {story}");
}

#[cfg(not(loom))]
fn main() {
    for _ in 0..1_000 {
        two_threads_send(Tenant::send);
    }
    // A thousand lucky runs prove nothing, which is the point of the model.
    let _untested = Tenant::send_carelessly;
    println!("1000 lucky runs; model every interleaving with RUSTFLAGS=\"--cfg loom\"");
}
