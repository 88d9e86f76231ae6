//! samsara: an actor-model multi-node runtime.
//!
//! A program is a dataflow graph. A Node runs one as a deterministic state machine; when it
//! crashes it comes back under a higher incarnation, and what it had acknowledged is still there.
//!
//! What stands today is the ground: the [`proto`] words that Nodes share on the wire, the
//! [`runtime`] words that programs are made of, and the [`ingress`] mailbox that outlives its
//! reader.
//!
//! ```
//! use samsara::{
//!     ingress::{IngressLimits, IngressQueue, TurnLimits},
//!     proto::PeerId,
//! };
//!
//! let queue = IngressQueue::<u64, PeerId>::new(IngressLimits::default())?;
//! let from_alice = queue.handle().for_peer(&PeerId::from(1))?;
//! from_alice.try_push(42, 8)?;
//!
//! let mut reader = queue.open(1)?; // incarnation 1
//! reader.take(TurnLimits::default())?;
//! drop(reader); // it crashes with the event in hand
//!
//! let mut reader = queue.open(2)?; // incarnation 2 goes on where 1 had committed
//! let mut events = Vec::new();
//! let _charge = reader.read(TurnLimits::default(), &mut events)?;
//! assert_eq!(events[0].event, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use samsara_ingress as ingress;
pub use samsara_proto as proto;
pub use samsara_runtime as runtime;
