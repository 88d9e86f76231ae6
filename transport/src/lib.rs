//! Bytes between peers: authenticated framed links, over whatever carries them.
//!
//! Law: a link says who is at its other end before it takes or gives a byte of theirs. It is ordered
//! and loses nothing until it closes, every queue of it is bounded, and it knows nothing of what its
//! frames mean.
//!
//! ```
//! use samsara_proto::{Address, EnvelopeCodec, PeerId, wire::{SCHEMA, WireEnvelope}};
//! use samsara_transport::{Class, Gate, Hub, LinkLimits, Transport};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let (ada, bob) = (PeerId::from(1), PeerId::from(2));
//! let hub = Hub::default();
//! let (at_ada, at_bob) = (hub.join(ada, LinkLimits::default()), hub.join(bob, LinkLimits::default()));
//!
//! let mut listener = at_bob.listen(&"/memory/7".parse()?, Gate::only([ada])).await?;
//! let here = at_ada.dial(listener.address(), &bob, Class::Control).await?;
//! let there = listener.next().await.ok_or("closed")?;
//! assert_eq!((here.peer(), there.peer()), (bob, ada));
//!
//! let envelope = WireEnvelope { schema: SCHEMA, seq: 42, ..WireEnvelope::default() };
//! let codec = EnvelopeCodec::default();
//! here.split().0.send(codec.encode(&envelope)?).await?;
//! let frame = there.split().1.recv().await?;
//! assert_eq!(codec.decode_capped(frame)?, envelope);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod closed;
mod error;
mod gate;
#[cfg(feature = "tcp")]
mod identity;
mod limits;
mod link;
mod memory;
mod receive;
mod send;
#[cfg(feature = "tcp")]
mod tcp;

use std::{future::Future, pin::Pin};

use samsara_proto::{Address, PeerId};
use tokio::sync::mpsc;

pub use self::{
    closed::Closed,
    error::{DialError, ListenError, SendError, Unsent},
    gate::Gate,
    limits::{LinkLimits, ListenLimits},
    link::{Class, Link},
    memory::{Hub, Memory},
    receive::LinkReceiver,
    send::LinkSender,
};
#[cfg(feature = "tcp")]
pub use self::{
    identity::{Identity, IdentityError},
    tcp::{ListenCounts, Tcp},
};

/// What comes of a call that waits.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to reach peers and to be reached.
pub trait Transport: Send + Sync + 'static {
    /// Who speaks from here.
    fn peer(&self) -> PeerId;

    /// Whether this address is one of its kind.
    fn speaks(&self, address: &Address) -> bool;

    /// Takes links of whom the gate lets in, until the listener is dropped.
    fn listen<'a>(
        &'a self,
        at: &'a Address,
        gate: Gate,
    ) -> Later<'a, Result<Listener, ListenError>>;

    /// Makes a link to this peer there, or to nobody. It may be cancelled.
    fn dial<'a>(
        &'a self,
        to: &'a Address,
        expect: &'a PeerId,
        class: Class,
    ) -> Later<'a, Result<Link, DialError>>;
}

/// Where links arrive. Dropped, it takes no more; those that were taken stay.
#[derive(Debug)]
pub struct Listener {
    address: Address,
    links: mpsc::Receiver<Link>,
    /// What ends with it.
    _guard: Guard,
}

impl Listener {
    pub(crate) fn new(
        address: Address,
        links: mpsc::Receiver<Link>,
        on_drop: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self { address, links, _guard: Guard(Some(Box::new(on_drop))) }
    }

    /// Where it is reached, with the port that it was given.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The next link. It may be cancelled, and no link is lost. Nothing comes when what carried it
    /// has ended.
    pub async fn next(&mut self) -> Option<Link> {
        self.links.recv().await
    }
}

/// Does one thing when it is dropped.
struct Guard(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}
