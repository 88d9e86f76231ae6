//! The bus: what happens inside a Node, as events that its own modules may hear.
//!
//! Law: bounded. Beyond its capacity the oldest event goes and is counted, here and not on the bus.
//! An app event cannot pass for one of the Node's own: its kind begins with `app.`.
//!
//! ```
//! use samsara_runtime::bus::{NodeEvent, TypedBus, check_topic};
//! use samsara_runtime::value::Value;
//!
//! let said = |topic: &str| NodeEvent::App { topic: topic.into(), value: Value::Unit };
//! let mut bus = TypedBus::new(1);
//! bus.publish(said("first"));
//! bus.publish(said("second"));
//! assert_eq!((bus.take().map(|event| event.kind().into_owned()), bus.dropped()),
//!     (Some("app.second".to_owned()), 1));
//! assert!(check_topic("infra.op_failed").is_err());
//! ```

mod event;

use std::{borrow::Cow, collections::VecDeque};

use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

pub use self::event::{InfraEvent, NodeEvent, WireEvent};

/// What stands before the topic in the kind of an app event.
pub const APP_PREFIX: &str = "app.";

/// How a topic must not begin: what begins like this is the Node's own to say.
pub const RESERVED_PREFIXES: [&str; 3] = ["infra.", "wire.", "samsara."];

/// A topic begins as only the Node's own events may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the topic {topic:?} begins with {prefix:?}, which is the framework's own")]
pub struct ReservedPrefix {
    /// The topic.
    pub topic: String,
    /// How it begins.
    pub prefix: &'static str,
}

/// Whether a program may use this topic.
pub fn check_topic(topic: &str) -> Result<(), ReservedPrefix> {
    match RESERVED_PREFIXES.into_iter().find(|prefix| topic.starts_with(prefix)) {
        Some(prefix) => Err(ReservedPrefix { topic: topic.to_owned(), prefix }),
        None => Ok(()),
    }
}

/// Whether there is an event of this kind.
pub fn is_kind(kind: &str) -> bool {
    match kind.strip_prefix(APP_PREFIX) {
        Some(topic) => !topic.is_empty() && check_topic(topic).is_ok(),
        None => kinds().any(|known| known == kind),
    }
}

/// The kinds of the Node's own events.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    InfraEvent::KINDS.iter().chain(WireEvent::KINDS).copied()
}

/// Events on their way to those who subscribed.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedBus {
    cap: u32,
    events: VecDeque<NodeEvent>,
    dropped: u64,
}

impl TypedBus {
    /// An empty bus for so many events.
    pub const fn new(cap: u32) -> Self {
        Self { cap, events: VecDeque::new(), dropped: 0 }
    }

    /// Adds an event; the oldest makes room if there is none.
    pub fn publish(&mut self, event: NodeEvent) {
        self.events.push_back(event);
        if self.events.len() > self.cap as usize {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Takes the oldest event.
    pub fn take(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many events had to make room.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl NodeEvent {
    /// What subscribers call it.
    pub fn kind(&self) -> Cow<'static, str> {
        match self {
            Self::Infra(event) => event.kind().into(),
            Self::Wire(event) => event.kind().into(),
            Self::App { topic, .. } => format!("{APP_PREFIX}{topic}").into(),
        }
    }
}

impl Kept for TypedBus {
    fn save(&self, out: &mut Saver) {
        self.events.save(out);
        self.dropped.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.events = from.row("events of the bus", self.cap as usize)?.into();
        self.dropped = Saved::load(from)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_kind_for_every_topic_that_is_not_reserved() {
        assert!(kinds().all(is_kind));
        assert!(is_kind("app.news"));
        for none in ["", "app", "app.", "news", "infra.", "infra.news", "app.infra.op_failed"] {
            assert!(!is_kind(none), "{none}");
        }
    }
}
