//! What an engine leans on between executions, one primitive a file.
//!
//! Law: plain ordered data. Time and chance are arguments; every collection has a cap, and what
//! meets it is refused with a type or dropped with a count; nothing here calls out.
//!
//! | primitive | answers |
//! |---|---|
//! | [`Scheduler`] | what is due now |
//! | [`AddressBook`] | where a peer can be reached, and who wants to know it |
//! | [`PeerGovernor`] | who may be talked to |
//! | [`BackoffTable`] | how long a troubled peer is left alone |
//! | [`PeerGate`] | how many executions may be somewhere at once |
//! | [`BackpressureTracker`] | who is told to slow down, and who is not heard |
//! | [`RttTracker`] | how long an answer may take |
//! | [`RequestTracker`] | what was asked of peers and is not answered |
//! | [`InboundDedup`] | what arrived before |
//! | [`OutboundQueue`] | what waits to be sent |
//! | [`SerializeQueue`] | what one op left for another, one at a time |
//! | [`HoldTable`] | what was put aside, all at once |
//! | [`RecordBuffer`] | what was seen of late |
//! | [`Metrics`] | what was counted |
//! | [`GatherTable`] | who has sent for a round |
//! | [`Sessions`] | what clients have asked before, and what came of it |
//!
//! Underneath are four: a map that refuses when it is full, a map that forgets what was used
//! longest ago, a ring that hands its oldest item back, and lines of waiting ops.

mod address_book;
mod backoff;
mod backpressure;
mod bounded;
mod dedup;
mod gate;
mod gather;
mod governor;
mod hold;
#[cfg(test)]
mod kept;
mod metrics;
mod outbound;
mod recent;
mod record;
mod requests;
mod ring;
mod rtt;
mod scheduler;
mod serialize_queue;
mod sessions;
mod wait_lines;

pub use self::address_book::{AddressBook, AddressBookError, KnownAddress, Origin};
pub use self::backoff::{BackoffState, BackoffTable};
pub use self::backpressure::{BackoffNotice, BackpressureTracker, Pressure, Traffic};
pub use self::bounded::{CapReached, Refused};
pub use self::dedup::{FIRST_SEQ, InboundDedup, StreamArrival, StreamKey, Watermark};
pub use self::gate::{Acquired, GateError, PeerGate};
pub use self::gather::{
    GatherOutcome, GatherRule, GatherTable, Gathered, Gathering, LatePolicy, OnDeadline, Place,
};
pub use self::governor::{PeerGovernor, PeerHealth, PeerTransition};
pub use self::hold::HoldTable;
pub use self::metrics::Metrics;
pub use self::outbound::{Delivery, OutboundQueue};
pub use self::record::RecordBuffer;
pub use self::requests::{Ignored, Request, RequestError, RequestKind, RequestTracker};
pub use self::rtt::{ChainContext, Route, RttTracker};
pub use self::scheduler::{Due, ScheduleError, Scheduler, TimerId};
pub use self::serialize_queue::{Dequeued, Enqueued, SerializeQueue};
pub use self::sessions::{Asked, ClientId, SessionError, Sessions};
pub use self::wait_lines::Waiter;
pub use crate::error::Denial;

/// The first peers of a table, for tests.
#[cfg(test)]
fn peers<const N: usize>() -> [crate::peer::PeerIx; N] {
    let mut table = crate::peer::PeerTable::new(u32::MAX);
    std::array::from_fn(|number| {
        let peer = samsara_proto::PeerId::from(number as u64);
        table.acquire(&peer).expect("there is room")
    })
}

/// A parked op, for tests.
#[cfg(test)]
fn waiter(exec: u64, command: u64) -> Waiter {
    let exec = crate::id::ExecId::new(exec).expect("not zero");
    Waiter { exec, command: crate::id::CommandId::new(command).expect("not zero") }
}
