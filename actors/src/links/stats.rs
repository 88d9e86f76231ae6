//! What became of all that links brought and took.
//!
//! Law: nothing is dropped without a count of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use samsara_proto::PeerId;

/// How it stands with the links of a System, and what became of what they brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// The hosts that are known.
    pub hosts: Vec<HostStatus>,
    /// Envelopes that went to links.
    pub sent: u64,
    /// Envelopes that came from links and went to Nodes.
    pub received: u64,
    /// Sessions that came to be, of two links each.
    pub sessions: u64,
    /// Times that a host was not reached.
    pub unreached: u64,
    /// Those who knocked and are not let in.
    pub denied: u64,
    /// Links that came to nothing, since nobody greeted on them or both sides had dialled.
    pub declined: u64,
    /// Frames that are no envelope, or no word of a host.
    pub malformed: u64,
    /// Envelopes in the name of a Node that is not the host's that sent it.
    pub forged: u64,
    /// Envelopes for a Node that is not here, or between two lives. They are sent again.
    pub absent: u64,
    /// Envelopes that the Node's courier did not hear, as one that was there before.
    pub unheard: u64,
    /// Envelopes that the Node's door did not let in. Their senders are told.
    pub refused: u64,
    /// Times that a Node was held back since a link had no room.
    pub held: u64,
    /// Envelopes that no link takes, whatever is done.
    pub unsendable: u64,
    /// Hosts that were blocked for what they did.
    pub blocked: u64,
}

/// How it stands with one other host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostStatus {
    /// Who it is.
    pub peer: PeerId,
    /// Whether there is a session with it.
    pub is_linked: bool,
    /// Its Nodes that live, as far as it has said.
    pub nodes: usize,
    /// It is not let in because of what it did.
    pub is_blocked: bool,
    /// Why it was not reached the last time; nothing once it was.
    pub trouble: Option<String>,
}

/// Each count stands for itself: nothing is read from one about another.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Count),* }

        impl Counters {
            pub(crate) fn read(&self, hosts: Vec<HostStatus>) -> LinkStats {
                LinkStats { hosts, $($name: self.$name.read()),* }
            }
        }
    };
}

counters! {
    sent, received, sessions, unreached, denied, declined, malformed, forged, absent, unheard,
    refused, held, unsendable, blocked,
}
