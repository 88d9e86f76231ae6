//! Clients that ask, get no answer in time, and ask again.
//!
//! Law: a request that is remembered is carried out once, and whoever repeats it gets the first
//! answer. One that may have been forgotten is refused and never carried out again. Plain data: the
//! same calls leave the same table.
//!
//! A client counts its requests from 1. A client that is not known and begins further on was
//! forgotten; it has to become a new one.
//!
//! ```
//! use samsara_runtime::config::SessionConfig;
//! use samsara_runtime::framework::{Asked, ClientId, SessionError, Sessions};
//! use samsara_runtime::time::Nanos;
//!
//! let mut sessions = Sessions::new(SessionConfig::default());
//! let (client, now) = (ClientId([7; 16]), Nanos::ZERO);
//! assert_eq!(sessions.ask(client, 1, now), Ok(Asked::New));
//! assert_eq!(sessions.ask(client, 1, now), Ok(Asked::Pending));
//! sessions.settle(client, 1, "paid", 4);
//! assert_eq!(sessions.ask(client, 1, now), Ok(Asked::Answered(&"paid")));
//!
//! let stranger = ClientId([8; 16]);
//! assert_eq!(sessions.ask(stranger, 2, now), Err(SessionError::Forgotten));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use super::CapReached;
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable, saved},
    config::SessionConfig,
    time::Nanos,
};

/// Who asks: drawn by the client, once for each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub [u8; 16]);

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a, R> {
    /// It is new: carry it out.
    New,
    /// It is being carried out.
    Pending,
    /// It was carried out, and this is what came of it.
    Answered(&'a R),
    /// It was carried out; what came of it had to make room for other answers.
    Gone,
}

/// Why a request is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// It is older than what is remembered of its client.
    #[error("request {request} is too old, {oldest} is the oldest that may be asked")]
    TooOld {
        /// The request.
        request: u64,
        /// The oldest that could still be answered.
        oldest: u64,
    },
    /// The client was forgotten, or never began.
    #[error("the client is not known: its first request is number 1")]
    Forgotten,
    /// Too much is under way; later may do.
    #[error(transparent)]
    Full(#[from] CapReached),
}

/// What is remembered of clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Sessions<R> {
    config: SessionConfig,
    clients: BTreeMap<ClientId, Client<R>>,
    /// Whose answers are kept, in the order in which they came.
    answered: BTreeMap<u64, (ClientId, u64)>,
    answers: u64,
    /// What the kept answers take.
    bytes: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Client<R> {
    heard_at: Nanos,
    /// All up to here are forgotten.
    floor: u64,
    requests: BTreeMap<u64, Request<R>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Request<R> {
    Pending,
    Answered { reply: R, bytes: u64, place: u64 },
    Gone,
}

impl<R> Sessions<R> {
    /// A table that knows nobody.
    pub const fn new(config: SessionConfig) -> Self {
        Self { config, clients: BTreeMap::new(), answered: BTreeMap::new(), answers: 0, bytes: 0 }
    }

    /// Judges a request; a new one is pending from now on. A refusal changes nothing.
    pub fn ask(
        &mut self,
        id: ClientId,
        request: u64,
        now: Nanos,
    ) -> Result<Asked<'_, R>, SessionError> {
        if !self.clients.contains_key(&id) {
            if request != 1 {
                return Err(SessionError::Forgotten);
            }
            self.make_room(now)?;
        }
        let client = self.clients.entry(id).or_insert_with(|| Client::new(now));
        if request <= client.floor {
            let oldest = client.floor.saturating_add(1);
            return Err(SessionError::TooOld { request, oldest });
        }
        let is_new = !client.requests.contains_key(&request);
        let dropped = if is_new { client.shift(&self.config, request)? } else { None };
        if let Some((bytes, place)) = dropped {
            self.bytes = self.bytes.saturating_sub(bytes);
            self.answered.remove(&place);
        }
        client.heard_at = client.heard_at.max(now);
        if is_new {
            client.requests.insert(request, Request::Pending);
            return Ok(Asked::New);
        }
        Ok(match client.requests.get(&request) {
            Some(Request::Answered { reply, .. }) => Asked::Answered(reply),
            Some(Request::Gone) => Asked::Gone,
            Some(Request::Pending) | None => Asked::Pending,
        })
    }

    /// Keeps what came of a pending request, which takes so many bytes; true if there was one.
    /// Answers that were given longest ago make room for it.
    pub fn settle(&mut self, id: ClientId, request: u64, reply: R, bytes: u64) -> bool {
        let pending =
            self.clients.get_mut(&id).and_then(|client| client.requests.get_mut(&request));
        let Some(pending @ Request::Pending) = pending else { return false };
        if bytes > self.config.reply_bytes {
            *pending = Request::Gone;
            return true;
        }
        self.answers = self.answers.saturating_add(1);
        let place = self.answers;
        *pending = Request::Answered { reply, bytes, place };
        self.answered.insert(place, (id, request));
        self.bytes = self.bytes.saturating_add(bytes);
        while self.bytes > self.config.reply_bytes
            && let Some((_, (id, request))) = self.answered.pop_first()
        {
            let client = self.clients.get_mut(&id);
            let Some(old) = client.and_then(|client| client.requests.get_mut(&request)) else {
                continue;
            };
            if let Request::Answered { bytes, .. } = std::mem::replace(old, Request::Gone) {
                self.bytes = self.bytes.saturating_sub(bytes);
            }
        }
        true
    }

    /// Notes that what came of a pending request is not kept.
    pub fn lose(&mut self, id: ClientId, request: u64) {
        let client = self.clients.get_mut(&id);
        let pending = client.and_then(|client| client.requests.get_mut(&request));
        if let Some(pending @ Request::Pending) = pending {
            *pending = Request::Gone;
        }
    }

    /// Whether a request is being carried out.
    pub fn is_pending(&self, id: ClientId, request: u64) -> bool {
        let client = self.clients.get(&id);
        let request = client.and_then(|client| client.requests.get(&request));
        matches!(request, Some(Request::Pending))
    }

    /// Forgets a client that will not ask again.
    pub fn close(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else { return };
        for request in client.requests.into_values() {
            if let Request::Answered { bytes, place, .. } = request {
                self.bytes = self.bytes.saturating_sub(bytes);
                self.answered.remove(&place);
            }
        }
    }

    /// How many clients are known.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Forgets the client that was silent longest, if one has to go and one was silent long enough.
    fn make_room(&mut self, now: Nanos) -> Result<(), CapReached> {
        let cap = self.config.max_clients;
        if self.clients.len() < cap as usize {
            return Ok(());
        }
        let silent = self.clients.iter().filter(|(_, client)| client.is_settled());
        let silent = silent.map(|(id, client)| (client.heard_at, *id)).min();
        let idle = silent.filter(|(at, _)| now - *at >= self.config.client_idle);
        let (_, id) = idle.ok_or(CapReached { what: "clients", cap })?;
        self.close(id);
        Ok(())
    }
}

impl<R> Client<R> {
    fn new(now: Nanos) -> Self {
        Self { heard_at: now, floor: 0, requests: BTreeMap::new() }
    }

    fn is_settled(&self) -> bool {
        !self.requests.values().any(|request| matches!(request, Request::Pending))
    }

    /// Makes room for one more request, by forgetting the oldest; tells of an answer that goes.
    fn shift(
        &mut self,
        config: &SessionConfig,
        request: u64,
    ) -> Result<Option<(u64, u64)>, SessionError> {
        let cap = config.max_requests_per_client;
        if self.requests.len() < cap as usize {
            return Ok(None);
        }
        let full = CapReached { what: "requests of a client", cap };
        let Some(oldest) = self.requests.first_entry() else { return Ok(None) };
        if request < *oldest.key() {
            let oldest = *oldest.key();
            return Err(SessionError::TooOld { request, oldest });
        }
        if matches!(oldest.get(), Request::Pending) {
            return Err(full.into());
        }
        let (number, gone) = oldest.remove_entry();
        self.floor = number;
        Ok(match gone {
            Request::Answered { bytes, place, .. } => Some((bytes, place)),
            Request::Pending | Request::Gone => None,
        })
    }
}

saved! {
    Client<R> { heard_at, floor, requests }
}

impl<R: Saved> Saved for Request<R> {
    fn save(&self, out: &mut Saver) {
        match self {
            Self::Pending => 0_u8.save(out),
            Self::Gone => 1_u8.save(out),
            Self::Answered { reply, bytes, place } => {
                2_u8.save(out);
                reply.save(out);
                (*bytes, *place).save(out);
            }
        }
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(match u8::load(from)? {
            0 => Self::Pending,
            1 => Self::Gone,
            2 => {
                let reply = R::load(from)?;
                let (bytes, place) = Saved::load(from)?;
                Self::Answered { reply, bytes, place }
            }
            tag => return Err(Unreadable::invalid("request", format!("no variant {tag}"))),
        })
    }
}

impl<R: Saved> Kept for Sessions<R> {
    fn save(&self, out: &mut Saver) {
        self.answers.save(out);
        self.clients.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let answers = u64::load(from)?;
        let clients: BTreeMap<ClientId, Client<R>> = Saved::load(from)?;
        let SessionConfig { max_clients, max_requests_per_client, reply_bytes, .. } = self.config;
        let most = clients.values().map(|client| client.requests.len()).max();
        let too_many = |count: usize, cap: u32| {
            let reason = format!("{count} of them, the cap is {cap}");
            if count > cap as usize { Err(Unreadable::invalid("sessions", reason)) } else { Ok(()) }
        };
        too_many(clients.len(), max_clients)?;
        too_many(most.unwrap_or(0), max_requests_per_client)?;
        let (mut answered, mut total) = (BTreeMap::new(), 0_u64);
        for (id, client) in &clients {
            for (number, request) in &client.requests {
                let Request::Answered { bytes, place, .. } = request else { continue };
                total = total.saturating_add(*bytes);
                let is_taken = answered.insert(*place, (*id, *number)).is_some();
                if is_taken || *place > answers || total > reply_bytes {
                    return Err(Unreadable::invalid("sessions", "an answer has no place"));
                }
            }
        }
        (self.clients, self.answered) = (clients, answered);
        (self.answers, self.bytes) = (answers, total);
        Ok(())
    }
}

impl Saved for ClientId {
    fn save(&self, out: &mut Saver) {
        self.0.save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self(Saved::load(from)?))
    }
}

#[cfg(test)]
mod tests;
