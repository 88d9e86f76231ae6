//! A snapshot as the protobuf message that other languages read.
//!
//! Law: headers are typed, bodies are the same opaque bytes; there and back is the same snapshot.
//! What carries no checksum here must be carried by what has one.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use samsara_proto::{PeerId, snapshot as proto};

use super::{
    CURRENT_SNAPSHOT_SPEC_VERSION, DecodeError, NamedComponentSnapshot, NodeSnapshot,
    SnapshotHeader,
};
use crate::{
    codec::{Types, Unreadable, from_bytes, to_bytes},
    id::Incarnation,
    program::ContentHash,
    time::Nanos,
};

/// The part that bears the logical time, which stands in the header here.
const CLOCK: &str = "clock";

impl From<&NodeSnapshot> for proto::NodeSnapshot {
    fn from(snapshot: &NodeSnapshot) -> Self {
        let NodeSnapshot { header, components, parts } = snapshot;
        let version = CURRENT_SNAPSHOT_SPEC_VERSION;
        let hash = Bytes::copy_from_slice(header.plan_hash.as_bytes());
        let graph = |name: &String| proto::NamedGraphSnapshot {
            name: name.clone(),
            hash: hash.clone(),
            // The program is kept beside its Nodes, not in each of them.
            model_bytes: Bytes::new(),
        };
        let clock = (CLOCK.to_owned(), to_bytes(&header.now));
        let parts = std::iter::once(clock)
            .chain(parts.iter().map(|(name, body)| (name.clone(), body.clone())))
            .map(|(name, body)| proto::SnapshotPart { name, version, body });
        Self {
            spec_version: version,
            peer_id: header.peer.to_bytes().into(),
            incarnation: header.incarnation.get(),
            plan_hash: hash.clone(),
            config: Some(proto::NodeConfigSnapshot { version, body: to_bytes(&header.config) }),
            graphs: header.targets.iter().map(graph).collect(),
            components: components.iter().map(|it| component(it)).collect(),
            transient: Some(proto::TransientSnapshot { parts: parts.collect() }),
        }
    }
}

fn component(snapshot: &NamedComponentSnapshot) -> proto::NamedComponentSnapshot {
    let type_name = snapshot.type_name.as_str();
    let (name, version) = type_name.split_once('@').unwrap_or((type_name, ""));
    let (package, _) = name.rsplit_once('.').unwrap_or((name, ""));
    proto::NamedComponentSnapshot {
        type_name: type_name.to_owned(),
        instance_id: snapshot.slot.clone(),
        package: package.to_owned(),
        version: version.to_owned(),
        state_bytes: snapshot.state_bytes.clone(),
    }
}

impl TryFrom<proto::NodeSnapshot> for NodeSnapshot {
    type Error = DecodeError;

    fn try_from(mirror: proto::NodeSnapshot) -> Result<Self, DecodeError> {
        let expected = CURRENT_SNAPSHOT_SPEC_VERSION;
        let of_version = |got: u32| match got {
            got if got == expected => Ok(()),
            got => Err(DecodeError::SpecVersionMismatch { got, expected }),
        };
        let lacks = |what: &'static str| Unreadable::invalid(what, "it is not there");
        of_version(mirror.spec_version)?;
        let config = mirror.config.ok_or_else(|| lacks("settings"))?;
        of_version(config.version)?;
        let mut parts = BTreeMap::new();
        for part in mirror.transient.ok_or_else(|| lacks("parts"))?.parts {
            of_version(part.version)?;
            let name = part.name.clone();
            if parts.insert(part.name, part.body).is_some() {
                let twice = format!("{name:?} is there twice");
                return Err(Unreadable::invalid("parts", twice).into());
            }
        }
        let clock = parts.remove(CLOCK).ok_or_else(|| lacks("clock"))?;
        let types = Types::default();
        let hash = <[u8; 32]>::try_from(&*mirror.plan_hash);
        let header = SnapshotHeader {
            peer: PeerId::from_bytes(&mirror.peer_id)
                .map_err(|error| Unreadable::invalid("peer id", error))?,
            incarnation: Incarnation::new(mirror.incarnation),
            plan_hash: ContentHash::from_bytes(
                hash.map_err(|_| Unreadable::invalid("plan hash", "wanted 32 bytes"))?,
            ),
            targets: mirror.graphs.into_iter().map(|graph| graph.name).collect(),
            now: from_bytes::<Nanos>(&clock, &types)?,
            config: from_bytes(&config.body, &types)?,
        };
        let components = mirror.components.into_iter().map(|component| {
            Arc::new(NamedComponentSnapshot {
                slot: component.instance_id,
                type_name: component.type_name,
                state_bytes: component.state_bytes,
            })
        });
        Ok(Self { header, components: components.collect(), parts })
    }
}
