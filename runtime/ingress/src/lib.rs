//! A mailbox that outlives its reader.
//!
//! Many producers push, one reader takes turns, and the reader may die at any moment: handles stay
//! valid, what was admitted is still there, and the next life of the reader goes on where the last
//! commit was. Everything is bounded, by events and by bytes, and every refusal hands the event
//! back with a typed reason.
//!
//! ```
//! use samsara_ingress::{IngressLimits, IngressQueue, TurnLimits};
//!
//! let queue = IngressQueue::<u32>::new(IngressLimits::default())?;
//! let handle = queue.handle();
//! let mut reader = queue.open(1)?; // the first life
//!
//! let producer = std::thread::spawn(move || {
//!     for n in 1..=10 {
//!         handle.try_push(n, 4).expect("ten events fit");
//!     }
//! });
//! producer.join().expect("the producer ends");
//!
//! let mut events = Vec::new();
//! let charge = reader.read(TurnLimits::default(), &mut events)?;
//! assert_eq!(events.iter().map(|held| held.event).sum::<u32>(), 55);
//! assert_eq!(queue.stats().bytes, 40); // held until the charge is dropped
//! drop(charge);
//! assert_eq!(queue.stats().bytes, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | you want | you use |
//! |---|---|
//! | to push, or be told why not | [`IngressHandle::try_push`] |
//! | back-pressure | [`IngressHandle::push`], which waits its turn |
//! | one peer not to starve the rest | [`IngressHandle::for_peer`], [`IngressQueue::block`] |
//! | an answer to find a place however full it is | [`IngressHandle::ticket`] |
//! | the words of an ended life to be refused | [`IngressHandle::for_life`], [`IngressQueue::open`] |
//! | to write a turn down before it counts | [`IngressReader::take`], `inspect`, `commit` |
//! | to sleep until a journal has caught up | [`Watermark`] |
//! | to model-check your own code around it | [`sync`] |
//!
//! Law: one lock guards all that producers see, and loom explores exactly the code that ships.

mod charge;
mod handle;
mod inbox;
mod limits;
mod line;
mod peers;
#[cfg(not(loom))]
mod planted;
#[cfg(loom)]
pub mod planted;
mod push;
mod queue;
mod reader;
mod refusal;
mod shared;
pub mod sync;
mod ticket;
mod watermark;

pub use charge::Charge;
pub use handle::IngressHandle;
pub use limits::{
    DEFAULT_BYTES, DEFAULT_ITEMS, DEFAULT_PEER_SHARE_PERCENT, DEFAULT_PEERS, DEFAULT_TICKETS,
    DEFAULT_WAITING, IngressLimits, LimitError, TurnLimits,
};
pub use push::Push;
pub use queue::{IngressQueue, IngressStats};
pub use reader::{Admitted, IngressReader, Readiness, Turn};
pub use refusal::{Fenced, PushError, Refusal, RefusalCounts};
pub use ticket::{Settler, Ticket};
pub use watermark::{Stopped, Watermark};
