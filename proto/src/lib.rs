//! The words that samsara Nodes share: identities, addresses, the wire envelope and its frames,
//! and the ONNX and snapshot messages.
//!
//! Law: no behaviour, no clock, no socket; and no input makes any decoder here panic.

mod address;
pub mod caps;
mod codec;
mod frame;
mod name;
mod peer_id;
mod varint;

pub mod onnx;
pub mod snapshot;
pub mod wire;

pub use address::{Address, AddressError, Protocol};
pub use caps::EnvelopeCaps;
pub use codec::{DecodeError, EncodeError, EnvelopeCodec};
pub use frame::{EncodedFrame, Frame, FrameError, FrameKind, FramePrefix};
pub use name::Name;
pub use peer_id::{PeerId, PeerIdError};
pub use wire::WireEnvelope;
