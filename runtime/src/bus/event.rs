//! The events of a bus, each with its kind and its form as a value.
//!
//! Law: the Node's own events are flat records whose fields have one type each, whatever happened.

use std::sync::Arc;

use samsara_proto::PeerId;

use crate::{
    codec::saved_enum,
    error::{AppIngressError, OpError},
    id::{ExecId, RequestId},
    value::Value,
};

/// One thing that happened inside a Node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// The Node tells of itself.
    Infra(InfraEvent),
    /// The Node tells of its links.
    Wire(WireEvent),
    /// A program tells something; its kind is `app.` and the topic.
    App {
        /// The topic.
        topic: Arc<str>,
        /// What it tells.
        value: Value,
    },
}

/// What a Node tells of itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InfraEvent {
    /// An op failed (`infra.op_failed`): `execution`, `op`, `kind`, `reason`.
    OpFailed {
        /// The execution.
        exec: ExecId,
        /// The op.
        op: Arc<str>,
        /// Why.
        error: OpError,
    },
    /// Calls were refused at the door (`infra.ingress_error`): `source`, `kind`, `bytes`, `count`,
    /// `reason`.
    IngressError {
        /// The last of them.
        error: AppIngressError,
        /// How many of its source and kind.
        count: u64,
    },
    /// A peer does not answer (`infra.peer_down`): `peer`.
    PeerDown {
        /// The peer.
        peer: PeerId,
    },
    /// A peer answers again (`infra.peer_up`): `peer`.
    PeerUp {
        /// The peer.
        peer: PeerId,
    },
    /// A peer is kept out (`infra.peer_blocked`): `peer`.
    PeerBlocked {
        /// The peer.
        peer: PeerId,
    },
}

/// What a Node tells of its links.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WireEvent {
    /// A payload was not of its port's type (`wire.decode_failed`): `peer`, `fill`, `reason`.
    DecodeFailed {
        /// The sender.
        peer: PeerId,
        /// The position in its envelope.
        fill: u64,
        /// Why.
        reason: Arc<str>,
    },
    /// A payload was for no port that the sender may reach (`wire.receive_failed`): `peer`,
    /// `fill`, `reason`.
    ReceiveFailed {
        /// The sender.
        peer: PeerId,
        /// The position in its envelope; of a whole envelope the record has no `fill`.
        fill: Option<u64>,
        /// Why.
        reason: Arc<str>,
    },
    /// A request was not answered in time (`wire.timeout`): `peer`, `request`.
    Timeout {
        /// Who was asked.
        peer: PeerId,
        /// The request.
        request: RequestId,
    },
    /// A peer cannot be found (`wire.resolve_failed`): `peer`.
    ResolveFailed {
        /// The peer.
        peer: PeerId,
    },
}

impl InfraEvent {
    pub(super) const KINDS: &[&str] = &[
        "infra.ingress_error",
        "infra.op_failed",
        "infra.peer_blocked",
        "infra.peer_down",
        "infra.peer_up",
    ];

    /// What subscribers call it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OpFailed { .. } => "infra.op_failed",
            Self::IngressError { .. } => "infra.ingress_error",
            Self::PeerDown { .. } => "infra.peer_down",
            Self::PeerUp { .. } => "infra.peer_up",
            Self::PeerBlocked { .. } => "infra.peer_blocked",
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::OpFailed { exec, op, error } => flat([
                ("execution", exec.get().into()),
                ("op", op.into()),
                ("kind", error.kind().name().into()),
                ("reason", error.reason().into()),
            ]),
            Self::IngressError { error, count } => flat([
                ("source", error.source.to_string().into()),
                ("kind", error.kind.name().into()),
                ("bytes", error.byte_count.into()),
                ("count", count.into()),
                ("reason", error.to_string().into()),
            ]),
            Self::PeerDown { peer } | Self::PeerUp { peer } | Self::PeerBlocked { peer } => {
                flat([("peer", peer.into())])
            }
        }
    }
}

impl WireEvent {
    pub(super) const KINDS: &[&str] =
        &["wire.decode_failed", "wire.receive_failed", "wire.resolve_failed", "wire.timeout"];

    /// What subscribers call it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::DecodeFailed { .. } => "wire.decode_failed",
            Self::ReceiveFailed { .. } => "wire.receive_failed",
            Self::Timeout { .. } => "wire.timeout",
            Self::ResolveFailed { .. } => "wire.resolve_failed",
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::DecodeFailed { peer, fill, reason }
            | Self::ReceiveFailed { peer, fill: Some(fill), reason } => {
                flat([("peer", peer.into()), ("fill", fill.into()), ("reason", reason.into())])
            }
            Self::ReceiveFailed { peer, fill: None, reason } => {
                flat([("peer", peer.into()), ("reason", reason.into())])
            }
            Self::Timeout { peer, request } => {
                flat([("peer", peer.into()), ("request", request.get().into())])
            }
            Self::ResolveFailed { peer } => flat([("peer", peer.into())]),
        }
    }
}

impl NodeEvent {
    /// What subscribers are given: a record, or what the program told.
    pub fn into_value(self) -> Value {
        match self {
            Self::Infra(event) => event.into_value(),
            Self::Wire(event) => event.into_value(),
            Self::App { value, .. } => value,
        }
    }
}

/// A record of scalars, which cannot be nested too deep.
fn flat<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::record(fields).unwrap_or(Value::Unit)
}

saved_enum! { NodeEvent: "event of the bus" {
    0 = Infra(event), 1 = Wire(event), 2 = App { topic, value },
} }

saved_enum! { InfraEvent: "event of the Node" {
    0 = OpFailed { exec, op, error }, 1 = IngressError { error, count }, 2 = PeerDown { peer },
    3 = PeerUp { peer }, 4 = PeerBlocked { peer },
} }

saved_enum! { WireEvent: "event of the wire" {
    0 = DecodeFailed { peer, fill, reason }, 1 = ReceiveFailed { peer, fill, reason },
    2 = Timeout { peer, request }, 3 = ResolveFailed { peer },
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_of_a_listed_kind_and_becomes_a_record() {
        let peer = PeerId::from(1);
        let infra = [
            InfraEvent::PeerDown { peer },
            InfraEvent::PeerUp { peer },
            InfraEvent::PeerBlocked { peer },
        ];
        let request = RequestId::new(1).expect("not zero");
        let wire = [
            WireEvent::DecodeFailed { peer, fill: 0, reason: "short".into() },
            WireEvent::ReceiveFailed { peer, fill: Some(0), reason: "denied".into() },
            WireEvent::Timeout { peer, request },
            WireEvent::ResolveFailed { peer },
        ];
        assert!(infra.iter().all(|event| InfraEvent::KINDS.contains(&event.kind())));
        assert!(wire.iter().all(|event| WireEvent::KINDS.contains(&event.kind())));
        let events = infra.map(NodeEvent::Infra).into_iter().chain(wire.map(NodeEvent::Wire));
        for event in events {
            assert!(matches!(event.into_value(), Value::Record(_)));
        }
    }
}
