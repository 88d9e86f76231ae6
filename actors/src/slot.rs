//! The place of a Node outside of any actor: what outlives its falls in this process.
//!
//! Law: an actor only runs turns of what is here. It may end at any instruction, and the next one
//! finds calls, mailbox, history and those who wait where they were. Whoever brings something puts
//! it down first and rings then; a ring that is heard is taken down before anything is looked at.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

use ractor::ActorRef;
use samsara_proto::{PeerId, WireEnvelope};
use samsara_runtime::{
    event::SendFailure,
    hosting::{Fallen, Resident},
    id::Incarnation,
    recovery::{Act, NodeSpec},
    supervision::ChildId,
    time::Nanos,
};

use crate::{
    call::{Busy, Call, CallError},
    ears::Ears,
    host::Host,
    ledger::Ledger,
    links::Charge,
    node_actor::Word,
    store::locked,
};

/// Where a Node lives.
pub(crate) struct Slot {
    pub(crate) spec: NodeSpec,
    pub(crate) peer: PeerId,
    pub(crate) child: ChildId,
    pub(crate) host: Arc<Host>,
    /// Outputs wait until somebody says that they were taken.
    pub(crate) retains: bool,
    /// Peers that were told of a link.
    links: Mutex<BTreeSet<PeerId>>,
    /// Held for a turn, by whoever runs it.
    pub(crate) core: Mutex<Core>,
    pub(crate) door: Mutex<Door>,
    bell: Mutex<Option<ActorRef<Word>>>,
    /// A ring is under way, and nobody has taken it down.
    is_rung: AtomicBool,
    is_up: AtomicBool,
    life: AtomicU64,
    who: u64,
}

/// What a turn works on.
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) ledger: Ledger,
    pub(crate) ears: Ears,
}

pub(crate) enum State {
    /// Between two lives, or before the first, or after the last.
    Down(Option<Box<Fallen>>),
    Up(Box<Resident>),
}

impl Core {
    /// Whether the next act of the Node writes a snapshot.
    pub(crate) fn is_capture_due(&self, now: Nanos) -> bool {
        matches!(&self.state, State::Up(resident) if resident.next(now) == Act::Capture)
    }
}

impl State {
    /// Takes a Node down, whose life has ended.
    pub(crate) fn fell(&mut self) {
        *self = match std::mem::replace(self, Self::Down(None)) {
            Self::Up(resident) => Self::Down(Some(Box::new(resident.into_fallen()))),
            down @ Self::Down(_) => down,
        };
    }
}

/// What has come and was not looked at by a turn.
#[derive(Default)]
pub(crate) struct Door {
    pub(crate) calls: VecDeque<Call>,
    bytes: u64,
    pub(crate) mail: VecDeque<Mail>,
    pub(crate) standing: Standing,
    /// Why new calls are not taken though the Node is well.
    pub(crate) busy: Option<Busy>,
}

/// What comes from other Nodes.
pub(crate) enum Mail {
    Envelope {
        from: PeerId,
        envelope: Box<WireEnvelope>,
        charge: Option<Charge>,
    },
    LinkUp(PeerId),
    LinkDown(PeerId),
    /// Whether a peer was reached, as its links tell.
    Fate(PeerId, Result<(), SendFailure>),
}

/// Whether calls are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    #[default]
    Open,
    /// What was taken is done, and nothing more is taken.
    Draining,
    Stopped,
    Quarantined,
    StoreFailed,
}

impl Standing {
    fn refusal(self) -> Option<CallError> {
        match self {
            Self::Open => None,
            Self::Draining | Self::Stopped => Some(CallError::Stopped),
            Self::Quarantined => Some(CallError::Quarantined),
            Self::StoreFailed => Some(CallError::StoreFailed),
        }
    }
}

/// Mail that may wait for a turn. Reliable envelopes are bounded by the credit that the Node gives,
/// so only a sender without need of any comes here.
const MAIL_MAX: usize = 65_536;

impl Slot {
    pub(crate) fn new(
        spec: NodeSpec,
        child: ChildId,
        host: &Arc<Host>,
        (who, retains): (u64, bool),
    ) -> Arc<Self> {
        let ledger = Ledger::of(&spec, host);
        let core = Core { state: State::Down(None), ledger, ears: Ears::default() };
        Arc::new(Self {
            peer: spec.peer_id(&host.peer),
            spec,
            child,
            host: Arc::clone(host),
            retains,
            links: Mutex::default(),
            core: Mutex::new(core),
            door: Mutex::default(),
            bell: Mutex::default(),
            is_rung: AtomicBool::new(false),
            is_up: AtomicBool::new(false),
            life: AtomicU64::new(0),
            who,
        })
    }

    /// Puts a call down for the next turn, or gives it back.
    pub(crate) fn call(&self, call: Call) -> Result<(), CallError> {
        let config = self.spec.settings();
        let weight = call.weight();
        let mut door = locked(&self.door);
        if let Some(refusal) = door.standing.refusal() {
            return Err(refusal);
        }
        let is_full = door.calls.len() >= config.ingress_capacity as usize
            || (!door.calls.is_empty()
                && door.bytes.saturating_add(weight) > config.ingress_byte_budget);
        let why = if is_full { Some(Busy::Full) } else { door.busy };
        if let Some(why) = why {
            return Err(CallError::Busy { inputs: call.inputs, why });
        }
        door.bytes = door.bytes.saturating_add(weight);
        door.calls.push_back(call);
        drop(door);
        self.ring();
        Ok(())
    }

    /// Puts mail down for the next turn. Without room it is not taken, and its link has to close.
    pub(crate) fn deliver(&self, mail: Mail) -> Result<(), Mail> {
        let mut door = locked(&self.door);
        let is_word = !matches!(mail, Mail::Envelope { .. });
        if !is_word && door.mail.len() >= MAIL_MAX {
            return Err(mail);
        }
        door.mail.push_back(mail);
        drop(door);
        self.ring();
        Ok(())
    }

    /// Takes no more calls, for this reason. Those that no turn has seen are told so.
    pub(crate) fn shut(&self, standing: Standing) {
        let mut door = locked(&self.door);
        door.standing = standing;
        door.bytes = 0;
        let calls = std::mem::take(&mut door.calls);
        drop(door);
        for call in calls {
            call.end(standing.refusal().unwrap_or(CallError::Unknown));
        }
    }

    /// Takes no more calls, and does those that it has taken.
    pub(crate) fn drain(&self) {
        locked(&self.door).standing = Standing::Draining;
    }

    pub(crate) fn open(&self) {
        let mut door = locked(&self.door);
        if door.standing == Standing::Quarantined {
            door.standing = Standing::Open;
        }
    }

    /// Whether something was put down.
    pub(crate) fn has_mail(&self) -> bool {
        let door = locked(&self.door);
        !door.calls.is_empty() || !door.mail.is_empty()
    }

    /// Whether no other life follows by itself.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.standing(), Standing::Open | Standing::Draining)
    }

    pub(crate) fn standing(&self) -> Standing {
        locked(&self.door).standing
    }

    /// What has come since the last turn, calls as long as the Node has room for them.
    pub(crate) fn take_mail(&self, into: &mut VecDeque<Mail>) {
        let mut door = locked(&self.door);
        if !door.mail.is_empty() {
            into.append(&mut door.mail);
        }
    }

    /// Up to so many calls.
    pub(crate) fn take_calls(&self, max: usize, into: &mut Vec<Call>) {
        let mut door = locked(&self.door);
        let count = door.calls.len().min(max);
        into.extend(door.calls.drain(..count));
        if door.calls.is_empty() {
            door.bytes = 0;
        } else {
            let weight: u64 = into.iter().map(Call::weight).sum();
            door.bytes = door.bytes.saturating_sub(weight);
        }
    }

    pub(crate) fn set_busy(&self, busy: Option<Busy>) {
        locked(&self.door).busy = busy;
    }

    /// Has a turn run soon, unless one is about to anyway.
    pub(crate) fn ring(&self) {
        // The lock of whatever was put down before orders this with the turn that looks.
        if self.is_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let bell = locked(&self.bell);
        match &*bell {
            // An actor that is dying loses this ring; the one that follows rings itself.
            Some(actor) => drop(actor.send_message(Word::Ring)),
            None => {
                drop(bell);
                self.host.wake(self.child);
            }
        }
    }

    /// Takes the ring down: what is put down from now on rings again.
    pub(crate) fn take_ring_down(&self) {
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// Gives rings to this actor, or to whoever starts one. A new actor rings itself once, since
    /// its predecessor may have died between taking a ring down and looking.
    pub(crate) fn hang(&self, actor: Option<ActorRef<Word>>) {
        let is_there = actor.is_some();
        *locked(&self.bell) = actor;
        self.take_ring_down();
        if is_there {
            self.ring();
        }
    }

    /// Tells this Node and a peer that they can hear each other.
    pub(crate) fn link(&self, other: &Self) {
        for (one, peer) in [(self, other), (other, self)] {
            locked(&one.links).insert(peer.peer);
            // A word always has room.
            drop(one.deliver(Mail::LinkUp(peer.peer)));
        }
    }

    /// Tells this Node and a peer that they cannot, since something between them was lost.
    pub(crate) fn unlink(&self, other: &Self) {
        for (one, peer) in [(self, other), (other, self)] {
            locked(&one.links).remove(&peer.peer);
            drop(one.deliver(Mail::LinkDown(peer.peer)));
        }
    }

    /// Notes whether the Node hears a peer at another host.
    pub(crate) fn set_linked(&self, peer: PeerId, is_linked: bool) {
        let mut links = locked(&self.links);
        if is_linked {
            links.insert(peer);
        } else {
            links.remove(&peer);
        }
    }

    pub(crate) fn linked(&self) -> BTreeSet<PeerId> {
        locked(&self.links).clone()
    }

    /// What wakes it from anywhere.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::new(Rope(Arc::downgrade(self))))
    }

    /// What tells it from the other Nodes of its System, never zero.
    pub(crate) fn who(&self) -> u64 {
        self.who
    }

    /// Whether a life of it is there to hear.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    pub(crate) fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::Release);
    }

    pub(crate) fn life(&self) -> Incarnation {
        Incarnation::new(self.life.load(Ordering::Acquire))
    }

    pub(crate) fn set_life(&self, life: Incarnation) {
        self.life.store(life.get(), Ordering::Release);
    }
}

/// It does not hold the slot, since it hangs in the mailbox that is in there.
struct Rope(Weak<Slot>);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(slot) = self.0.upgrade() {
            slot.ring();
        }
    }
}
