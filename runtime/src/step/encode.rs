//! Steps as bytes, to be hashed.
//!
//! Law: equal steps give equal bytes in every build, whatever their texts for people are: of what
//! the engine itself refuses the kind of step counts, of what a component says every byte.

use super::{Cancelled, EngineStep};
use crate::{
    codec::{Saved, Saver},
    framework::Delivery,
};

macro_rules! put {
    ($out:expr, $tag:literal $(, $part:expr)*) => {{
        let out: &mut Saver = $out;
        Saved::save(&($tag as u8), out);
        $(Saved::save($part, out);)*
    }};
}

impl EngineStep {
    /// Writes it down.
    pub(crate) fn write(&self, out: &mut Saver) {
        match self {
            Self::AppEvent { exec, module, port, value } => put!(out, 1, exec, module, port, value),
            Self::AppEmitted { exec, topic, value } => put!(out, 2, exec, topic, value),
            Self::AsyncSuspended { exec, op, command } => put!(out, 3, exec, op, command),
            Self::JobStarted { exec, op, command, key } => put!(out, 4, exec, op, command, key),
            Self::OpFailed { exec, op, error } => put!(out, 5, exec, op, error),
            Self::Starved { exec, ops } => put!(out, 6, exec, ops),
            Self::CompletionIgnored { command } => put!(out, 7, command),
            Self::Aborted { exec } => put!(out, 8, exec),
            Self::LifecycleFired { phase, ops } => put!(out, 9, phase, ops),
            Self::BootstrapComplete { module } => put!(out, 10, module),
            Self::BootstrapFailed { module } => put!(out, 11, module),
            Self::WaitingOnBootstrap { module } => put!(out, 12, module),
            Self::Cancelled(dropped) => {
                put!(out, 13);
                dropped.write(out);
            }
            Self::CycleBudgetExceeded { ready } => put!(out, 14, ready),
            Self::GatherRefused { exec, op, round, sender, reason: _ } => {
                put!(out, 15, exec, op, round, sender);
            }
            Self::GatherTimedOut { op, round, senders } => put!(out, 16, op, round, senders),
            Self::Answered { client, request, reply } => put!(out, 17, client, request, reply),
            Self::Unanswered { client, request, reason: _ } => put!(out, 18, client, request),
            Self::SendEnvelope { .. }
            | Self::OutboundDropped { .. }
            | Self::PeerResolveFailed { .. }
            | Self::WireDecodeFailed { .. }
            | Self::WireReceiveFailed { .. }
            | Self::StreamReset { .. }
            | Self::WireTimeout { .. }
            | Self::PeerBlocked { .. }
            | Self::PeerDown { .. }
            | Self::PeerUp { .. }
            | Self::AddressBookUnchanged { .. }
            | Self::PeerListUnchanged { .. } => self.write_wire(out),
        }
    }

    fn write_wire(&self, out: &mut Saver) {
        match self {
            Self::SendEnvelope { to, class, envelope } => {
                put!(out, 32, to, &(*class == Delivery::Effective), &**envelope);
            }
            Self::OutboundDropped { exec, peer, reason: _ } => put!(out, 33, exec, peer),
            Self::PeerResolveFailed { exec, peer } => put!(out, 34, exec, peer),
            Self::WireDecodeFailed { peer, fill, reason: _ } => put!(out, 35, peer, fill),
            Self::WireReceiveFailed { peer, fill, reason: _ } => put!(out, 36, peer, fill),
            Self::StreamReset { peer, stream, ended } => put!(out, 37, peer, stream, ended),
            Self::WireTimeout { peer, request } => put!(out, 38, peer, request),
            Self::PeerBlocked { peer } => put!(out, 39, peer),
            Self::PeerDown { peer } => put!(out, 40, peer),
            Self::PeerUp { peer } => put!(out, 41, peer),
            Self::AddressBookUnchanged { reason: _ } => put!(out, 42),
            Self::PeerListUnchanged { reason: _ } => put!(out, 43),
            Self::AppEvent { .. }
            | Self::AppEmitted { .. }
            | Self::AsyncSuspended { .. }
            | Self::JobStarted { .. }
            | Self::OpFailed { .. }
            | Self::Starved { .. }
            | Self::CompletionIgnored { .. }
            | Self::Aborted { .. }
            | Self::LifecycleFired { .. }
            | Self::BootstrapComplete { .. }
            | Self::BootstrapFailed { .. }
            | Self::WaitingOnBootstrap { .. }
            | Self::Cancelled(_)
            | Self::GatherRefused { .. }
            | Self::GatherTimedOut { .. }
            | Self::Answered { .. }
            | Self::Unanswered { .. }
            | Self::CycleBudgetExceeded { .. } => {}
        }
    }

    /// What it is about, for people: an op, a port or a topic.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::AppEvent { port, .. } => port,
            Self::AppEmitted { topic, .. } => topic,
            Self::AsyncSuspended { op, .. }
            | Self::JobStarted { op, .. }
            | Self::GatherRefused { op, .. }
            | Self::GatherTimedOut { op, .. }
            | Self::OpFailed { op, .. } => op,
            Self::Starved { ops, .. } | Self::LifecycleFired { ops, .. } => {
                ops.first().map_or("", |op| op)
            }
            Self::SendEnvelope { envelope, .. } => {
                envelope.fills.first().map_or("", |fill| &fill.port)
            }
            Self::BootstrapComplete { module }
            | Self::BootstrapFailed { module }
            | Self::WaitingOnBootstrap { module } => module,
            _ => "",
        }
    }
}

impl Cancelled {
    fn write(&self, out: &mut Saver) {
        match self {
            Self::Event { exec } => put!(out, 1, exec),
            Self::Answer { command } => put!(out, 2, command),
            Self::Request { what } => {
                put!(out, 3);
                out.raw(what.as_bytes());
            }
            Self::Execution { exec } => put!(out, 4, exec),
            Self::Op { exec, op, command } => put!(out, 5, exec, op, command),
            Self::BusEvent { kind } => put!(out, 6, kind),
            Self::Bootstrap { module } => put!(out, 7, module),
        }
    }
}
