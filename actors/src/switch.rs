//! Envelopes between Nodes of one process: straight from a turn of one to the mailbox of another.
//!
//! Law: a link here is as a link anywhere, ordered and lossless until it closes. It closes when a
//! life of either end does, or when a peer has more underway than may be; what was lost with it is
//! sent again on the next one.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use dashmap::DashMap;
use samsara_proto::PeerId;
use samsara_runtime::delivery::CourierStep;

use crate::{
    call::Busy,
    slot::{Mail, Slot},
    store::locked,
};

/// Where the Nodes of one process find each other, also those of several Systems that share it.
///
/// ```
/// use samsara_actors::{Switch, System};
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let switch = Switch::default();
/// let one = System::builder().switch(&switch).start().await?;
/// let other = System::builder().switch(&switch).start().await?;
/// // What is spawned in one reaches what is spawned in the other.
/// # one.stop().await?;
/// # other.stop().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Switch(Arc<Lines>);

#[derive(Default)]
struct Lines {
    nodes: DashMap<PeerId, Weak<Slot>>,
    /// Who has called a Node that is not there, or is down.
    callers: DashMap<PeerId, BTreeSet<PeerId>>,
}

impl std::fmt::Debug for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switch").field("nodes", &self.0.nodes.len()).finish_non_exhaustive()
    }
}

impl Switch {
    pub(crate) fn find(&self, peer: &PeerId) -> Option<Arc<Slot>> {
        self.0.nodes.get(peer).and_then(|slot| slot.upgrade())
    }

    /// A Node is there, in a new life: whoever has called it is connected.
    pub(crate) fn connect(&self, slot: &Arc<Slot>) {
        self.0.nodes.insert(slot.peer, Arc::downgrade(slot));
        slot.host.links().here(slot);
        let callers = self.0.callers.remove(&slot.peer).map(|(_, callers)| callers);
        for caller in callers.unwrap_or_default() {
            if let Some(caller) = self.find(&caller) {
                caller.link(slot);
            }
        }
    }

    /// A life of a Node has ended: its links have, too.
    pub(crate) fn cut(&self, slot: &Slot) {
        slot.host.links().gone(slot);
        for peer in slot.linked() {
            match self.find(&peer) {
                Some(other) => slot.unlink(&other),
                None => drop(slot.deliver(Mail::LinkDown(peer))),
            }
        }
    }

    /// A Node is gone.
    pub(crate) fn forget(&self, slot: &Slot) {
        self.cut(slot);
        self.0.nodes.remove(&slot.peer);
    }

    /// Carries what a Node's courier has decided.
    pub(crate) fn carry(&self, from: &Arc<Slot>, steps: Vec<CourierStep>) {
        for step in steps {
            match step {
                CourierStep::Send { to, envelope } => self.send(from, to, envelope),
                CourierStep::Refuse { to, envelope, .. } => {
                    self.send(from, to, envelope);
                    match self.find(&to) {
                        Some(other) => from.unlink(&other),
                        None => from.host.links().part(from, to),
                    }
                }
                CourierStep::Dial { peer } => self.dial(from, peer),
                CourierStep::Busy => from.set_busy(Some(Busy::Outbox)),
                CourierStep::Free => from.set_busy(None),
                CourierStep::Alarm { peer, alarm } => {
                    locked(&from.core).ears.note_trouble(format!("{peer}: {alarm}"));
                }
                CourierStep::Dropped { to, count, reason, .. } => {
                    let trouble = format!("{count} envelopes for {to}: {reason}");
                    locked(&from.core).ears.note_trouble(trouble);
                }
                _ => {}
            }
        }
    }

    fn send(&self, from: &Slot, to: PeerId, envelope: Box<samsara_proto::WireEnvelope>) {
        let Some(other) = self.find(&to) else {
            return from.host.links().carry(from, to, &envelope);
        };
        if other.deliver(Mail::Envelope { from: from.peer, envelope, charge: None }).is_err() {
            from.unlink(&other);
        }
    }

    fn dial(&self, from: &Arc<Slot>, peer: PeerId) {
        match self.find(&peer).filter(|other| other.is_up()) {
            Some(other) => from.link(&other),
            None => {
                self.0.callers.entry(peer).or_default().insert(from.peer);
                from.host.links().dial(from, peer);
                // It may have come up between the look and the note.
                if let Some(other) = self.find(&peer).filter(|other| other.is_up()) {
                    self.connect(&other);
                }
            }
        }
    }
}
