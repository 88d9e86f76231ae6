//! The bus of a Node and those who listen to it.
//!
//! Law: an event that nobody listens for costs one look and takes no place. What a failure brought
//! about through the bus is an echo: a failure in an echo is a step and no event, so that a
//! subscriber of failures that fails itself cannot call itself up for ever.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use samsara_proto::PeerId;

use super::Services;
use crate::{
    bus::{APP_PREFIX, InfraEvent, NodeEvent, TypedBus},
    codec::{Kept, Loader, Saved, Saver, Unreadable},
    framework::PeerTransition,
    id::ExecId,
};

/// Who is told of each event of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subscriber {
    /// An op, which begins an execution.
    Op { module: u32, op: u32 },
    /// The component in this slot.
    Component { slot: u32 },
}

type Subscribers = BTreeMap<Arc<str>, Arc<[Subscriber]>>;

/// A bus with its subscribers, who follow from the plan alone.
#[derive(Debug)]
pub(crate) struct Bus {
    events: TypedBus,
    /// For each event that waits, whether it is an echo.
    echoing: VecDeque<bool>,
    /// Executions that are alive and were begun by an echo.
    echoes: BTreeSet<ExecId>,
    /// By the kinds of the Node's own events.
    kinds: Subscribers,
    /// By the topics of app events.
    topics: Subscribers,
}

/// What the subscribers of one event are told.
pub(crate) struct Heard {
    pub(crate) event: NodeEvent,
    pub(crate) is_echo: bool,
    pub(crate) subscribers: Arc<[Subscriber]>,
}

impl Bus {
    /// An empty bus for these subscribers, in the order in which they are to hear.
    pub(crate) fn new(capacity: u32, subscribers: &[(Arc<str>, Subscriber)]) -> Self {
        let mut lists = BTreeMap::<&str, Vec<Subscriber>>::new();
        for (kind, subscriber) in subscribers {
            lists.entry(kind).or_default().push(*subscriber);
        }
        let (mut kinds, mut topics) = (Subscribers::new(), Subscribers::new());
        for (kind, list) in lists {
            match kind.strip_prefix(APP_PREFIX) {
                Some(topic) => topics.insert(topic.into(), list.into()),
                None => kinds.insert(kind.into(), list.into()),
            };
        }
        let (echoing, echoes) = (VecDeque::new(), BTreeSet::new());
        Self { events: TypedBus::new(capacity), echoing, echoes, kinds, topics }
    }

    /// An empty bus for the same subscribers.
    pub(super) fn afresh(&self, capacity: u32) -> Self {
        let (kinds, topics) = (self.kinds.clone(), self.topics.clone());
        let (echoing, echoes) = (VecDeque::new(), BTreeSet::new());
        Self { events: TypedBus::new(capacity), echoing, echoes, kinds, topics }
    }

    /// Publishes an event that this execution brought about, if somebody listens.
    pub(crate) fn publish(&mut self, exec: Option<ExecId>, event: NodeEvent) {
        if self.subscribers(&event).is_none() {
            return;
        }
        let is_echo = exec.is_some_and(|exec| self.echoes.contains(&exec));
        self.put(event, is_echo);
    }

    /// Publishes what went wrong in this execution, if somebody listens for that kind and it is no
    /// echo.
    pub(crate) fn publish_failure(
        &mut self,
        exec: ExecId,
        kind: &str,
        failure: impl FnOnce() -> NodeEvent,
    ) {
        if self.hears(kind) && !self.echoes.contains(&exec) {
            self.put(failure(), true);
        }
    }

    fn put(&mut self, event: NodeEvent, is_echo: bool) {
        self.events.publish(event);
        self.echoing.push_back(is_echo);
        if self.echoing.len() > self.events.len() {
            self.echoing.pop_front();
        }
    }

    fn subscribers(&self, event: &NodeEvent) -> Option<&Arc<[Subscriber]>> {
        match event {
            NodeEvent::Infra(event) => self.kinds.get(event.kind()),
            NodeEvent::Wire(event) => self.kinds.get(event.kind()),
            NodeEvent::App { topic, .. } => self.topics.get(topic),
        }
    }

    /// Takes the oldest event.
    pub(crate) fn take(&mut self) -> Option<Heard> {
        let event = self.events.take()?;
        let is_echo = self.echoing.pop_front().unwrap_or_default();
        let subscribers = self.subscribers(&event).cloned().unwrap_or_default();
        Some(Heard { event, is_echo, subscribers })
    }

    /// Notes that an echo has begun this execution.
    pub(crate) fn note_echo(&mut self, exec: ExecId) {
        self.echoes.insert(exec);
    }

    /// Whether an echo has begun this execution.
    pub(crate) fn is_echo(&self, exec: ExecId) -> bool {
        self.echoes.contains(&exec)
    }

    /// Notes that an execution has ended.
    pub(crate) fn note_end(&mut self, exec: ExecId) {
        self.echoes.remove(&exec);
    }

    /// Whether somebody listens for events of this kind of the Node's own.
    pub(crate) fn hears(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// How many events wait, and how many had to make room.
    pub(crate) fn depth(&self) -> (usize, u64) {
        (self.events.len(), self.events.dropped())
    }

    /// How many ops and components listen.
    pub(crate) fn subscriptions(&self) -> usize {
        self.kinds.values().chain(self.topics.values()).map(|list| list.len()).sum()
    }

    /// Takes all events, and forgets who was an echo and what was counted.
    pub(crate) fn clear(&mut self, capacity: u32) -> TypedBus {
        self.echoing.clear();
        self.echoes.clear();
        std::mem::replace(&mut self.events, TypedBus::new(capacity))
    }
}

impl Kept for Bus {
    fn save(&self, out: &mut Saver) {
        self.events.save(out);
        self.echoing.save(out);
        self.echoes.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.events.fill(from)?;
        self.echoing = Saved::load(from)?;
        self.echoes = Saved::load(from)?;
        if self.echoing.len() != self.events.len() {
            return Err(Unreadable::invalid("bus", "its events and their echoes differ in number"));
        }
        Ok(())
    }
}

impl Services {
    /// Publishes a change in the standing of a peer that this execution brought about.
    pub(crate) fn publish_transition(
        &mut self,
        exec: Option<ExecId>,
        peer: PeerId,
        transition: PeerTransition,
    ) {
        let event = match transition {
            PeerTransition::Down => InfraEvent::PeerDown { peer },
            PeerTransition::Up => InfraEvent::PeerUp { peer },
            PeerTransition::Blocked => InfraEvent::PeerBlocked { peer },
            PeerTransition::Unblocked => return,
        };
        if let Some(bus) = &mut self.bus {
            bus.publish(exec, NodeEvent::Infra(event));
        }
    }
}
