//! What the suites stand on: transports by kind, frames by number.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use samsara_proto::{
    Address, EncodedFrame, EnvelopeCodec, PeerId, WireEnvelope,
    wire::{Fill, SCHEMA},
};
use samsara_transport::{
    Class, Gate, Hub, Identity, Link, LinkLimits, ListenLimits, Listener, Tcp, Transport,
};

pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(test)
}

/// A kind of transport under test: the suite knows nothing else of it.
pub(crate) struct Kind {
    hub: Option<Hub>,
}

impl Kind {
    pub(crate) fn memory() -> Self {
        Self { hub: Some(Hub::default()) }
    }

    pub(crate) fn tcp() -> Self {
        Self { hub: None }
    }

    pub(crate) fn peer(&self, seed: u8, limits: LinkLimits) -> Arc<dyn Transport> {
        match &self.hub {
            Some(hub) => Arc::new(hub.join(identity(seed).peer(), limits)),
            None => Arc::new(tcp(seed).links(limits)),
        }
    }

    pub(crate) fn any(&self) -> Address {
        address(if self.hub.is_some() { "/memory/0" } else { "/ip4/127.0.0.1/tcp/0/tls" })
    }

    pub(crate) fn foreign(&self) -> Address {
        address(if self.hub.is_some() { "/ip4/127.0.0.1/tcp/0/tls" } else { "/memory/1" })
    }

    /// Two peers with a link between them.
    pub(crate) async fn pair(&self, limits: LinkLimits) -> Pair {
        let (ada, bob) = (self.peer(1, limits.clone()), self.peer(2, limits));
        let mut listener =
            bob.listen(&self.any(), Gate::only([ada.peer()])).await.expect("it listens");
        let here = ada.dial(listener.address(), &bob.peer(), Class::Bulk).await.expect("it dials");
        let there = listener.next().await.expect("a link arrives");
        Pair { ada, listener, here, there }
    }
}

pub(crate) struct Pair {
    pub(crate) ada: Arc<dyn Transport>,
    pub(crate) listener: Listener,
    pub(crate) here: Link,
    pub(crate) there: Link,
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("it is an address")
}

pub(crate) fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32]).expect("any seed is a key")
}

pub(crate) fn peer(seed: u8) -> PeerId {
    identity(seed).peer()
}

pub(crate) fn tcp(seed: u8) -> Tcp {
    let many = ListenLimits { per_ip: 10_000, ..ListenLimits::default() };
    Tcp::new(identity(seed)).listening(many)
}

/// A frame of this number with a payload of so many bytes.
pub(crate) fn frame(seq: u64, len: usize) -> EncodedFrame {
    let payload = Bytes::from(vec![u8::try_from(seq % 251).expect("it is small"); len]);
    let fills = vec![Fill { payload, ..Fill::default() }];
    let envelope = WireEnvelope { schema: SCHEMA, seq, fills, ..WireEnvelope::default() };
    EnvelopeCodec::default().encode(&envelope).expect("it is within the caps")
}

/// The number of a frame, whose payload has to be that of it.
pub(crate) fn number(frame: Bytes) -> u64 {
    let envelope = EnvelopeCodec::default().decode_capped(frame).expect("it is a frame of ours");
    let wanted = u8::try_from(envelope.seq % 251).expect("it is small");
    let fill = envelope.fills.first().expect("it has a fill");
    assert!(fill.payload.iter().all(|byte| *byte == wanted), "the payload is whole");
    envelope.seq
}
