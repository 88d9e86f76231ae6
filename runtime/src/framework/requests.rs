//! Requests to peers that nobody has answered yet.
//!
//! Law: a request ends exactly once, by the answer of the peer it went to, by its deadline or by
//! its send failing; at one instant the deadline wins. Whatever else arrives changes nothing.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::framework::{Request, RequestKind, RequestTracker};
//! use samsara_runtime::id::CommandId;
//! use samsara_runtime::peer::PeerTable;
//! use samsara_runtime::time::seconds;
//!
//! let peer = PeerTable::new(4).acquire(&PeerId::from(2))?;
//! let command = CommandId::new(7).ok_or("not zero")?;
//! let (sent_at, deadline) = (seconds(1), seconds(3));
//! let request = Request { peer, kind: RequestKind::new(0), command, sent_at, deadline };
//!
//! let mut requests = RequestTracker::new(16);
//! let id = requests.open(request)?;
//! assert_eq!(id.get(), 1);
//! assert_eq!(requests.answer(id, peer, RequestKind::new(0), seconds(2)), Ok(request));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use super::bounded::CapReached;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::id::{CommandId, IdCounter, IdsExhausted, MintedId, RequestId};
use crate::peer::PeerIx;
use crate::time::Nanos;

/// The open requests of a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTracker {
    cap: u32,
    ids: IdCounter<RequestId>,
    open: BTreeMap<RequestId, Request>,
    deadlines: BTreeSet<(Nanos, RequestId)>,
    commands: BTreeSet<(CommandId, RequestId)>,
}

/// What a request asks for: the index of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKind(u32);

impl RequestKind {
    /// The kind of this index.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The kind of what is asked of a port, by its path: the same on every Node, and different for
    /// different ports but by accident, which confuses two channels and nothing else.
    pub fn of_port(path: impl AsRef<[u8]>) -> Self {
        let mix = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        Self(path.as_ref().iter().fold(0x811c_9dc5, mix))
    }

    /// The index.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who is asked.
    pub peer: PeerIx,
    /// For what.
    pub kind: RequestKind,
    /// What the parked op waits for.
    pub command: CommandId,
    /// When it was sent, from which the round trip follows.
    pub sent_at: Nanos,
    /// When waiting ends.
    pub deadline: Nanos,
}

/// Why a request could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There are as many open as may be.
    #[error(transparent)]
    Full(#[from] CapReached),
    /// Every number was used.
    #[error(transparent)]
    IdsExhausted(#[from] IdsExhausted),
}

/// Why an answer was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ignored {
    /// No such request is open: it has ended, or there never was one.
    #[error("request {request} is not open")]
    NotOpen {
        /// What was answered.
        request: RequestId,
    },
    /// Another peer was asked.
    #[error("{got:?} answered request {request} to {asked:?}")]
    OtherPeer {
        /// What was answered.
        request: RequestId,
        /// Who was asked.
        asked: PeerIx,
        /// Who answered.
        got: PeerIx,
    },
    /// Something else was asked for.
    #[error("request {request} is of kind {}, the answer of {}", .asked.0, .got.0)]
    OtherKind {
        /// What was answered.
        request: RequestId,
        /// What was asked for.
        asked: RequestKind,
        /// What the answer is for.
        got: RequestKind,
    },
    /// It came when the time was up.
    #[error("request {request} was to be answered before {deadline}")]
    Late {
        /// What was answered.
        request: RequestId,
        /// When waiting ended.
        deadline: Nanos,
    },
}

impl RequestTracker {
    /// No requests yet, and at most `cap` at once.
    pub const fn new(cap: u32) -> Self {
        Self {
            cap,
            ids: IdCounter::new(),
            open: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            commands: BTreeSet::new(),
        }
    }

    /// Begins to wait for an answer.
    pub fn open(&mut self, request: Request) -> Result<RequestId, RequestError> {
        if self.open.len() >= self.cap as usize {
            return Err(CapReached { what: "open requests", cap: self.cap }.into());
        }
        let id = self.ids.mint()?;
        self.open.insert(id, request);
        self.deadlines.insert((request.deadline, id));
        self.commands.insert((request.command, id));
        Ok(id)
    }

    /// Ends a request with the answer of `from`, or says why that is none.
    pub fn answer(
        &mut self,
        id: RequestId,
        from: PeerIx,
        kind: RequestKind,
        now: Nanos,
    ) -> Result<Request, Ignored> {
        let request = *self.open.get(&id).ok_or(Ignored::NotOpen { request: id })?;
        if request.peer != from {
            return Err(Ignored::OtherPeer { request: id, asked: request.peer, got: from });
        }
        if request.kind != kind {
            return Err(Ignored::OtherKind { request: id, asked: request.kind, got: kind });
        }
        if request.deadline <= now {
            return Err(Ignored::Late { request: id, deadline: request.deadline });
        }
        self.close(id);
        Ok(request)
    }

    /// Whether an answer of `from` to this request is awaited.
    pub fn awaits(&self, id: RequestId, from: PeerIx) -> bool {
        self.open.get(&id).is_some_and(|request| request.peer == from)
    }

    /// Ends a request without an answer: its send failed, or nobody waits any more.
    pub fn close(&mut self, id: RequestId) -> Option<Request> {
        let request = self.open.remove(&id)?;
        self.deadlines.remove(&(request.deadline, id));
        self.commands.remove(&(request.command, id));
        Some(request)
    }

    /// Ends the request whose answer this command waits for: somebody else has given it.
    pub fn settle(&mut self, command: CommandId) -> Option<Request> {
        let first = (command, RequestId::from_number(NonZeroU64::MIN));
        let &(of, id) = self.commands.range(first..).next()?;
        if of == command { self.close(id) } else { None }
    }

    /// Ends the next request whose time is up: by deadline, then by age.
    pub fn pop_expired(&mut self, now: Nanos) -> Option<(RequestId, Request)> {
        let &(deadline, id) = self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        Some((id, self.close(id)?))
    }

    /// When the next request is out of time.
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// How many requests are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether no request is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

saved! {
    RequestKind { 0 }
    Request { peer, kind, command, sent_at, deadline }
}

impl Kept for RequestTracker {
    fn save(&self, out: &mut Saver) {
        self.ids.save(out);
        self.open.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let (ids, cap) = (IdCounter::load(from)?, self.cap);
        let open = BTreeMap::<RequestId, Request>::load(from)?;
        if open.len() > cap as usize {
            let reason = format!("{} of them, the cap is {cap}", open.len());
            return Err(Unreadable::invalid("open requests", reason));
        }
        if open.last_key_value().is_some_and(|(id, _)| id.get() > ids.minted()) {
            return Err(Unreadable::invalid("open requests", "their ids were never minted"));
        }
        let deadlines = open.iter().map(|(id, request)| (request.deadline, *id)).collect();
        let commands = open.iter().map(|(id, request)| (request.command, *id)).collect();
        *self = Self { cap, ids, open, deadlines, commands };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
