//! Hosts, the links between them, and an onlooker who knows all that was ever said.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use samsara_proto::WireEnvelope;
use samsara_runtime::delivery::CourierStep;
use samsara_runtime::time::{Nanos, millis};

use super::host::{Cut, Host, Order};
use super::{CREDIT, OUTBOX, cost, number, peer};

/// What happens. Numbers pick among what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    Order {
        at: usize,
        to: usize,
        hops: u8,
        size: usize,
    },
    Turn {
        at: usize,
        events: usize,
    },
    Poll(usize),
    Flow {
        link: usize,
        frames: usize,
    },
    Close {
        link: usize,
        heard: bool,
    },
    Join(usize),
    /// An old frame comes again.
    Ghost {
        link: usize,
        frame: usize,
    },
    Capture(usize),
    /// A Node has no place for what it was given.
    KeepOut {
        at: usize,
        events: usize,
    },
    /// The process, or only the Node, dies in a turn.
    Crash {
        at: usize,
        cut: Cut,
        whole: bool,
    },
    Pass(u64),
}

/// One direction of a link.
#[derive(Debug, Default)]
struct Wire {
    frames: VecDeque<Box<WireEnvelope>>,
    /// All that it ever bore.
    past: Vec<WireEnvelope>,
}

/// What was said of one stream.
#[derive(Debug, Default)]
struct Told {
    /// By number, and what all up to it cost.
    said: Vec<(Bytes, u64)>,
    /// Whether it was sent.
    sent: Vec<bool>,
    /// The most that the receiver ever gave leave for.
    leave: u64,
}

/// How often what happened, over all hosts.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) envelopes: u64,
    pub(super) redelivered: u64,
    pub(super) fenced: u64,
    /// Work was refused, since an outbox was filling.
    pub(super) busy: u64,
    /// A Node stood still, since its outbox was full.
    pub(super) full: u64,
    /// A mailbox had no room.
    pub(super) no_room: u64,
    /// A Node kept out what it was given.
    pub(super) kept_out: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.envelopes += other.envelopes;
        self.redelivered += other.redelivered;
        self.fenced += other.fenced;
        self.busy += other.busy;
        self.full += other.full;
        self.no_room += other.no_room;
        self.kept_out += other.kept_out;
    }
}

#[derive(Debug)]
pub(super) struct World {
    now: Nanos,
    pub(super) hosts: Vec<Host>,
    wires: BTreeMap<(usize, usize), Wire>,
    is_up: BTreeMap<(usize, usize), bool>,
    told: BTreeMap<(usize, usize), Told>,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new(count: usize) -> Self {
        let pairs = (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
        let pairs: Vec<_> = pairs.filter(|(a, b)| a != b).collect();
        Self {
            now: millis(1),
            hosts: (0..count).map(|own| Host::new(own, count)).collect(),
            wires: pairs.iter().map(|pair| (*pair, Wire::default())).collect(),
            is_up: pairs.iter().filter(|(a, b)| a < b).map(|pair| (*pair, false)).collect(),
            told: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    fn link(&self, number: usize) -> (usize, usize) {
        let at = number % self.is_up.len();
        *self.is_up.keys().nth(at).expect("it is among them")
    }

    fn wire(&self, number: usize) -> (usize, usize) {
        let at = number % self.wires.len();
        *self.wires.keys().nth(at).expect("it is among them")
    }

    pub(super) fn make(&mut self, what: Move) {
        self.now = self.now + Nanos::from_micros(50);
        let count = self.hosts.len();
        match what {
            Move::Order { at, to, hops, size } => {
                let (at, to) = (at % count, to % count);
                let to = if at == to { (to + 1) % count } else { to };
                let host = &mut self.hosts[at];
                if host.courier.is_busy() {
                    self.seen.busy += 1;
                } else {
                    host.orders.push_back(Order { to, hops, size });
                }
            }
            Move::Turn { at, events } => {
                self.turn(at % count, events, Cut::Nowhere);
            }
            Move::Poll(at) => self.poll(at % count),
            Move::Flow { link, frames } => self.flow(self.wire(link), frames),
            Move::Close { link, heard } => self.close(self.link(link), heard),
            Move::Join(link) => self.join(self.link(link)),
            Move::Ghost { link, frame } => self.haunt(self.wire(link), frame),
            Move::Capture(at) => self.hosts[at % count].capture(),
            Move::KeepOut { at, events } => {
                self.seen.kept_out += u64::from(self.hosts[at % count].keep_out(events));
            }
            Move::Crash { at, cut, whole } => self.crash(at % count, cut, whole),
            Move::Pass(micros) => self.now = self.now + Nanos::from_micros(micros),
        }
    }

    fn turn(&mut self, at: usize, events: usize, cut: Cut) {
        let mut steps = Vec::new();
        self.hosts[at].turn(events, cut, self.now, &mut steps);
        assert_eq!(steps, [], "nothing is given up");
        // One batch may be on its way into an outbox that was nearly full.
        let bytes = self.hosts[at].courier.outbox_bytes();
        assert!(bytes <= OUTBOX + 64 * 1024, "{at} keeps {bytes} bytes");
        self.seen.full += u64::from(self.hosts[at].courier.is_full());
    }

    fn poll(&mut self, at: usize) {
        let mut steps = Vec::new();
        let room = self.hosts[at].room();
        self.hosts[at].courier.poll(self.now, room, &mut steps);
        self.take(at, steps);
    }

    fn take(&mut self, at: usize, steps: Vec<CourierStep>) {
        for step in steps {
            match step {
                CourierStep::Send { to, envelope } => self.send(at, to, envelope),
                CourierStep::Refuse { to, envelope, .. } => {
                    self.seen.fenced += 1;
                    self.send(at, to, envelope);
                }
                CourierStep::Dial { .. } | CourierStep::Busy | CourierStep::Free => {}
                other => panic!("{at}: {other:?}"),
            }
        }
    }

    fn send(&mut self, at: usize, to: samsara_proto::PeerId, envelope: Box<WireEnvelope>) {
        let to = number(to, self.hosts.len());
        self.watch(at, to, &envelope);
        let link = (at.min(to), at.max(to));
        let wire = self.wires.get_mut(&(at, to)).expect("they are linked");
        wire.past.push((*envelope).clone());
        if self.is_up[&link] {
            wire.frames.push_back(envelope);
        }
    }

    /// Holds what is sent against all that is known.
    fn watch(&mut self, at: usize, to: usize, envelope: &WireEnvelope) {
        for ack in &envelope.acks {
            let durable = self.hosts[at].durable_of(to);
            assert!(ack.durable <= durable, "{at} acknowledges {} of {durable}", ack.durable);
            assert!(ack.credit_bytes <= CREDIT, "{at} gives {} bytes", ack.credit_bytes);
            let told = self.told.entry((to, at)).or_default();
            let before = match ack.durable.checked_sub(1) {
                Some(last) => told.said[last as usize].1,
                None => 0,
            };
            told.leave = told.leave.max(before + ack.credit_bytes);
        }
        if envelope.fills.is_empty() {
            return;
        }
        let told = self.told.entry((at, to)).or_default();
        let (index, payload) = (envelope.seq as usize - 1, &envelope.fills[0].payload);
        let before = index.checked_sub(1).map_or(0, |last| told.said[last].1);
        let end = before + cost(envelope);
        assert!(end <= told.leave, "{at} sends {end} bytes to {to}, with leave for {}", told.leave);
        match told.said.get(index) {
            Some((known, _)) => assert_eq!(known, payload, "one place, one content"),
            None => {
                assert_eq!(told.said.len(), index, "no place is left out");
                told.said.push((payload.clone(), end));
                told.sent.push(false);
            }
        }
        let is_inherited =
            self.hosts[at].inherited.get(&to).is_some_and(|last| envelope.seq <= *last);
        let expected = told.sent[index] || is_inherited;
        assert_eq!(envelope.redelivered, expected, "{at} to {to}: number {}", envelope.seq);
        told.sent[index] = true;
        self.seen.envelopes += 1;
        self.seen.redelivered += u64::from(envelope.redelivered);
    }

    fn flow(&mut self, (from, to): (usize, usize), frames: usize) {
        let mut steps = Vec::new();
        for _ in 0..frames {
            let wire = self.wires.get_mut(&(from, to)).expect("they are linked");
            let Some(frame) = wire.frames.pop_front() else { break };
            let has_room = self.hosts[to].receive(from, frame, self.now, &mut steps);
            self.seen.no_room += u64::from(!has_room);
        }
        self.take(to, steps);
    }

    fn close(&mut self, (a, b): (usize, usize), heard: bool) {
        self.is_up.insert((a, b), false);
        for pair in [(a, b), (b, a)] {
            self.wires.get_mut(&pair).expect("they are linked").frames.clear();
        }
        self.hosts[a].courier.link_down(&peer(b));
        if heard {
            self.hosts[b].courier.link_down(&peer(a));
        }
    }

    fn join(&mut self, (a, b): (usize, usize)) {
        if !self.is_up[&(a, b)] {
            self.is_up.insert((a, b), true);
            self.hosts[a].courier.link_up(peer(b)).expect("there is room");
            self.hosts[b].courier.link_up(peer(a)).expect("there is room");
        }
    }

    fn haunt(&mut self, pair: (usize, usize), frame: usize) {
        let link = (pair.0.min(pair.1), pair.0.max(pair.1));
        let wire = self.wires.get_mut(&pair).expect("they are linked");
        if self.is_up[&link] && !wire.past.is_empty() {
            let old = wire.past[frame % wire.past.len()].clone();
            wire.frames.push_back(Box::new(old));
        }
    }

    fn crash(&mut self, at: usize, cut: Cut, whole: bool) {
        let mut steps = Vec::new();
        if !whole && cut == Cut::BeforeSync {
            return;
        }
        self.hosts[at].turn(4, cut, self.now, &mut steps);
        if whole {
            for other in (0..self.hosts.len()).filter(|other| *other != at) {
                self.close((at.min(other), at.max(other)), true);
            }
            self.hosts[at].reboot(self.now, &mut steps);
        } else {
            self.hosts[at].revive(self.now, &mut steps);
        }
        assert_eq!(steps, [], "nothing is given up");
    }

    /// Stops all faults, and lets everything come to rest.
    pub(super) fn settle(&mut self) {
        for link in self.is_up.keys().copied().collect::<Vec<_>>() {
            self.join(link);
        }
        for _ in 0..2_000 {
            self.now = self.now + Nanos::from_micros(500);
            for at in 0..self.hosts.len() {
                self.turn(at, 8, Cut::Nowhere);
                self.poll(at);
            }
            for pair in self.wires.keys().copied().collect::<Vec<_>>() {
                self.flow(pair, usize::MAX);
            }
            let is_quiet = self.wires.values().all(|wire| wire.frames.is_empty());
            if is_quiet && self.hosts.iter().all(|host| host.is_idle() && host.courier.is_settled())
            {
                return;
            }
        }
        for host in &self.hosts {
            let waits = host.courier.outbox_bytes();
            eprintln!("{}: idle {}, {waits} bytes wait", host.own, host.is_idle());
        }
        panic!("it never settles");
    }

    /// Each stream was taken as it was said: once, in order, to its end.
    pub(super) fn judge(&self) {
        for source in &self.hosts {
            for (to, last) in &source.node.sent {
                let nothing = Vec::new();
                let taken = self.hosts[*to].node.effects.get(&source.own).unwrap_or(&nothing);
                assert_eq!(taken.len() as u64, *last, "{} to {to}", source.own);
                let said = &self.told[&(source.own, *to)].said;
                assert!(taken.iter().eq(said.iter().map(|(payload, _)| payload)));
            }
            assert!(!source.courier.is_busy() && !source.courier.is_full());
        }
    }
}
