//! What all Nodes of a System share.
//!
//! Law: it knows no Node's state. Orders for whoever supervises them wait here, outside of any
//! actor, so that none is lost with one.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use ractor::ActorRef;
use samsara_proto::PeerId;
use samsara_runtime::{
    config::HostConfig,
    delivery::CourierStep,
    hosting::StoreFault,
    id::Incarnation,
    recovery::{Durability, StoreLife},
    supervision::ChildId,
    time::Nanos,
};

use crate::{
    jobs::Jobs,
    links::Links,
    reign::{Order, Ring},
    slot::Slot,
    store::{DiskStore, locked},
    switch::Switch,
};

pub(crate) struct Host {
    pub(crate) peer: PeerId,
    pub(crate) config: HostConfig,
    pub(crate) store: Option<DiskStore>,
    pub(crate) jobs: Jobs,
    pub(crate) switch: Switch,
    links: OnceLock<Arc<Links>>,
    clock: Clock,
    /// Lives of Nodes that do not outlive the process: they rise over its restarts all the same.
    lives: AtomicU64,
    nonce: u64,
    orders: Mutex<VecDeque<Order>>,
    bell: Mutex<Option<ActorRef<Ring>>>,
}

/// The time that Nodes are told: that of the wall when the host began, and then what has passed.
struct Clock {
    began: Instant,
    wall: Nanos,
}

impl Clock {
    fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), wall: nanos(wall) }
    }

    fn now(&self) -> Nanos {
        self.wall + nanos(self.began.elapsed())
    }
}

fn nanos(duration: std::time::Duration) -> Nanos {
    Nanos::new(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

impl Host {
    pub(crate) fn new(
        (peer, store): (PeerId, Option<DiskStore>),
        config: HostConfig,
        (jobs, switch): (Jobs, Switch),
        nonce: u64,
    ) -> Arc<Self> {
        let clock = Clock::start();
        let lives = AtomicU64::new(clock.wall.get() / 1_000_000);
        Arc::new(Self {
            peer,
            config,
            store,
            jobs,
            switch,
            links: OnceLock::new(),
            clock,
            lives,
            nonce,
            orders: Mutex::default(),
            bell: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Begins a life of a Node. For one that is to outlive the process this waits for the disk.
    pub(crate) fn begin_life(&self, outlives: Durability) -> Result<StoreLife, StoreFault> {
        match (&self.store, outlives) {
            (Some(store), Durability::Durable) => Ok(store.begin_life()?),
            _ => {
                let number = self.lives.fetch_add(1, Ordering::AcqRel).saturating_add(1);
                let incarnation = Incarnation::new(number);
                Ok(StoreLife { incarnation, boot_nonce: self.nonce })
            }
        }
    }

    /// Its links to other hosts.
    pub(crate) fn links(&self) -> &Arc<Links> {
        self.links.get_or_init(|| Arc::new(Links::none(self.peer)))
    }

    /// Gives it its links, before it has Nodes.
    pub(crate) fn set_links(&self, links: Arc<Links>) {
        // Nobody has asked for them yet.
        let _ = self.links.set(links);
    }

    pub(crate) fn carry(&self, from: &Arc<Slot>, steps: Vec<CourierStep>) {
        if !steps.is_empty() {
            self.switch.carry(from, steps);
        }
    }

    /// Has an actor started for a Node that has none.
    pub(crate) fn wake(&self, child: ChildId) {
        self.order(Order::Wake(child));
    }

    pub(crate) fn order(&self, order: Order) {
        let mut orders = locked(&self.orders);
        orders.push_back(order);
        // One ring for all that wait; whoever takes the last one down looks again.
        let is_first = orders.len() == 1;
        drop(orders);
        if is_first {
            self.ring();
        }
    }

    pub(crate) fn ring(&self) {
        if let Some(chief) = &*locked(&self.bell) {
            // One that is dying is followed by another, which looks at once.
            drop(chief.send_message(Ring));
        }
    }

    pub(crate) fn next_order(&self) -> Option<Order> {
        locked(&self.orders).pop_front()
    }

    pub(crate) fn hang(&self, chief: Option<ActorRef<Ring>>) {
        *locked(&self.bell) = chief;
        self.ring();
    }
}
