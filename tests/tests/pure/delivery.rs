//! Couriers among hosts that crash and links that close: every reliable envelope has its effect
//! once and in order, and when the faults stop everything settles.

mod courses;
mod host;
mod laws;
mod stories;
mod world;

use bytes::Bytes;
use samsara_proto::PeerId;
use samsara_proto::WireEnvelope;
use samsara_proto::wire::{Fill, SCHEMA};
use samsara_runtime::config::DeliveryConfig;
use samsara_runtime::delivery::{Life, Station};
use samsara_runtime::id::Incarnation;

/// Bytes of a mailbox here: a few envelopes, so that it is often full.
const MAILBOX: u64 = 16 * 1024;
/// What one peer may have under way.
const CREDIT: u64 = MAILBOX / 4;
const OUTBOX: u64 = 24 * 1024;

fn config() -> DeliveryConfig {
    DeliveryConfig { outbox_bytes: OUTBOX, ack_every: 4, ..DeliveryConfig::default() }
}

fn peer(number: usize) -> PeerId {
    PeerId::from(number as u64)
}

fn number(peer: PeerId, among: usize) -> usize {
    (0..among).find(|at| self::peer(*at) == peer).expect("nobody else is there")
}

fn station(host: usize, life: u64, boot_nonce: u64) -> Station {
    let life = Life { incarnation: Incarnation::new(life), boot_nonce };
    Station { peer: peer(host), life, memory: 1, mailbox_bytes: MAILBOX }
}

/// The `seq`th envelope of a stream, as a Node says it.
fn said(epoch: u64, seq: u64, payload: Bytes) -> WireEnvelope {
    let fills = vec![Fill { port: "m/p".into(), payload, ..Fill::default() }];
    let stream_epoch = epoch;
    WireEnvelope { schema: SCHEMA, stream: 1, stream_epoch, seq, fills, ..WireEnvelope::default() }
}

/// What an envelope costs of credit.
fn cost(envelope: &WireEnvelope) -> u64 {
    256 + envelope.fills.iter().map(|fill| 128 + 3 + fill.payload.len() as u64).sum::<u64>()
}
