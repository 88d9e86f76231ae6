//! The network of a world: links between its Nodes, and what becomes of frames on them.
//!
//! Law: a link is ordered and loses nothing until it closes. Nodes meet by the bytes of their frames
//! alone; what a link has lost may come back on a later one.

mod link;
mod trouble;

use std::collections::{BTreeMap, VecDeque};

use samsara_proto::{EnvelopeCodec, PeerId, WireEnvelope};
use samsara_runtime::{
    delivery::{CourierStep, Unheard},
    hosting::Arrival,
    rng::Rng,
    time::Nanos,
};

use self::link::{Frame, Link};
use crate::{fact::Fact, host::Host, hosted::Hosted, points::Phase};

/// Two Nodes, the lower one first.
pub(crate) type Pair = (usize, usize);

/// Frames that may come back.
const GHOSTS_MAX: usize = 256;

/// What is due in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Somebody wants a link.
    Dial,
    /// A link ends.
    End,
    /// A frame arrives, from the lower Node or from the other.
    Frame { from_lower: bool },
}

pub(crate) struct Net {
    codec: EnvelopeCodec,
    /// The Nodes, by their places in the world, and the hosts that they are on.
    nodes: Vec<(PeerId, usize)>,
    places: BTreeMap<PeerId, usize>,
    links: BTreeMap<Pair, Link>,
    dials: BTreeMap<Pair, Nanos>,
    /// No link can be made before.
    parted: BTreeMap<Pair, Nanos>,
    ghosts: VecDeque<(usize, usize, Frame)>,
    haunted_until: Nanos,
    rng: Rng,
    pub(crate) facts: Vec<Fact>,
}

impl Net {
    pub(crate) fn new(nodes: Vec<(PeerId, usize)>, rng: Rng) -> Self {
        let places = (0..).zip(&nodes).map(|(place, (peer, _))| (*peer, place)).collect();
        Self {
            codec: EnvelopeCodec::default(),
            nodes,
            places,
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            parted: BTreeMap::new(),
            ghosts: VecDeque::new(),
            haunted_until: Nanos::ZERO,
            rng,
            facts: Vec::new(),
        }
    }

    /// Every pair of Nodes on different hosts or on one.
    fn pair(&self, pick: u64) -> Option<Pair> {
        let count = self.nodes.len() as u64;
        let pairs = count.saturating_mul(count.saturating_sub(1)) / 2;
        let mut left = pick.checked_rem(pairs)?;
        for lower in 0..self.nodes.len() {
            let here = (self.nodes.len() - lower - 1) as u64;
            if left < here {
                return Some((lower, lower + 1 + usize::try_from(left).ok()?));
            }
            left -= here;
        }
        None
    }

    /// Does what a courier says.
    pub(crate) fn carry(&mut self, from: usize, step: CourierStep, now: Nanos) {
        match step {
            CourierStep::Send { to, envelope } => self.send(from, to, &envelope, now),
            CourierStep::Refuse { to, envelope, .. } => {
                self.send(from, to, &envelope, now);
                let Some(link) = self.link(from, &to) else { return };
                link.end_after_last();
            }
            CourierStep::Dial { peer } => {
                let Some(to) = self.places.get(&peer).copied() else { return };
                let at = now + Nanos::from_micros(self.rng.between(50..=2_000));
                self.dials.entry(ordered(from, to)).or_insert(at);
            }
            CourierStep::Alarm { peer, alarm } => {
                self.facts.push(Fact::Alarmed { node: from, peer, what: alarm.to_string() });
            }
            CourierStep::Dropped { to, stream, epoch, count, reason } => {
                let reason = reason.to_string();
                self.facts.push(Fact::Undelivered { node: from, to, stream, epoch, count, reason });
            }
            _ => {}
        }
    }

    fn link(&mut self, from: usize, to: &PeerId) -> Option<&mut Link> {
        let to = self.places.get(to).copied()?;
        self.links.get_mut(&ordered(from, to))
    }

    fn send(&mut self, from: usize, to: PeerId, envelope: &WireEnvelope, now: Nanos) {
        self.facts.extend(said(from, to, envelope));
        let Some(to) = self.places.get(&to).copied() else { return };
        let most = if self.rng.chance(1, 16) { 20_000 } else { 400 };
        let latency = Nanos::from_micros(self.rng.between(20..=most));
        let encoded = self.codec.encode(envelope);
        let Some(link) = self.links.get_mut(&ordered(from, to)) else { return };
        match encoded {
            Ok(frame) => link.put(from < to, Frame::new(frame.to_bytes()), now, latency),
            Err(error) => self.facts.push(Fact::Spoiled { node: from, how: error.to_string() }),
        }
    }

    /// When it does something next.
    pub(crate) fn due(&self) -> Option<Nanos> {
        self.next().map(|(at, ..)| at)
    }

    fn next(&self) -> Option<(Nanos, Pair, Due)> {
        let dials = self.dials.iter().map(|(pair, at)| (*at, *pair, Due::Dial));
        let links = self.links.iter().flat_map(|(pair, link)| {
            let end = link.ends_at.map(|at| (at, *pair, Due::End));
            let frames = [true, false].into_iter().filter_map(|from_lower| {
                Some((link.due(from_lower)?, *pair, Due::Frame { from_lower }))
            });
            end.into_iter().chain(frames)
        });
        dials.chain(links).min()
    }

    /// Does what is due first.
    pub(crate) fn act(&mut self, now: Nanos, hosts: &mut [Host]) {
        let Some((_, pair, due)) = self.next() else { return };
        match due {
            Due::Dial => self.dial(pair, now, hosts),
            Due::End => self.close(pair, hosts, now),
            Due::Frame { from_lower } => self.arrive(pair, from_lower, now, hosts),
        }
    }

    fn dial(&mut self, pair: Pair, now: Nanos, hosts: &mut [Host]) {
        let is_parted = self.parted.get(&pair).is_some_and(|until| now < *until);
        let is_up = |node: usize| self.hosted(node, hosts).is_some();
        if is_parted || !is_up(pair.0) || !is_up(pair.1) {
            let wait = Nanos::from_millis(self.rng.between(1..=100));
            self.dials.insert(pair, now + wait);
            return;
        }
        self.dials.remove(&pair);
        if self.links.contains_key(&pair) {
            return;
        }
        self.links.insert(pair, Link::default());
        for (own, other) in [pair, (pair.1, pair.0)] {
            let Some(peer) = self.peer(other) else { continue };
            // A courier has room for all Nodes of a world.
            self.with(own, hosts, now, |hosted| hosted.resident.link_up(peer).is_ok());
        }
        self.facts.push(Fact::Linked { pair });
        self.haunt_new(pair, now);
    }

    /// Closes a link; what is on its way is lost with it.
    fn close(&mut self, pair: Pair, hosts: &mut [Host], now: Nanos) {
        let Some(link) = self.links.remove(&pair) else { return };
        for (from_lower, frame) in link.into_frames() {
            let (from, to) = if from_lower { pair } else { (pair.1, pair.0) };
            self.keep_ghost(from, to, frame);
        }
        for (own, other) in [pair, (pair.1, pair.0)] {
            let Some(peer) = self.peer(other) else { continue };
            self.with(own, hosts, now, |hosted| hosted.resident.link_down(&peer));
        }
        self.facts.push(Fact::Unlinked { pair });
    }

    fn keep_ghost(&mut self, from: usize, to: usize, frame: Frame) {
        if frame.is_spoiled {
            return;
        }
        if self.ghosts.len() >= GHOSTS_MAX {
            self.ghosts.pop_front();
        }
        self.ghosts.push_back((from, to, frame));
    }

    fn arrive(&mut self, pair: Pair, from_lower: bool, now: Nanos, hosts: &mut [Host]) {
        let (from, to) = if from_lower { pair } else { (pair.1, pair.0) };
        let home = self.nodes.get(to).map_or(0, |(_, home)| *home);
        let paused = hosts.get(home).map_or(Nanos::ZERO, |host| host.paused_until);
        let Some(link) = self.links.get_mut(&pair) else { return };
        if paused > now {
            link.hold(from_lower, paused);
            return;
        }
        let Some(frame) = link.take(from_lower) else { return };
        let Some(peer) = self.peer(from) else { return };
        let envelope = match self.codec.decode_capped(frame.bytes.clone()) {
            Ok(envelope) => envelope,
            Err(_) => {
                // What cannot be read is the end of a link: nothing behind it can be trusted.
                self.facts.push(Fact::Garbled { node: to });
                return self.close(pair, hosts, now);
            }
        };
        if frame.is_spoiled {
            let how = "a frame was read that was not written".to_owned();
            self.facts.push(Fact::Spoiled { node: to, how });
        }
        let arrived = (envelope.incarnation, envelope.stream, envelope.stream_epoch, envelope.seq);
        let is_ghost = frame.is_ghost;
        if !is_ghost && self.rng.chance(1, 8) {
            self.keep_ghost(from, to, frame);
        }
        let is_alive = self.with(to, hosts, now, |_| ()).is_some();
        let host = hosts.get(home).filter(|_| is_alive);
        if let Some(host) = host {
            host.phase.set(Phase::Receiving);
            if host.disk.point().is_err() {
                // Its process ends when it is looked at next.
                return;
            }
        }
        let envelope = Box::new(envelope);
        let arrival =
            self.with(to, hosts, now, |hosted| hosted.resident.receive(peer, envelope, None, now));
        let (life, stream, epoch, seq) = arrived;
        self.facts.push(match arrival {
            Some(Arrival::Admitted) => {
                Fact::Admitted { node: to, from: peer, life, stream, epoch, seq }
            }
            Some(Arrival::Unheard(Unheard::Fenced)) => {
                Fact::FencedOff { node: to, from: peer, life }
            }
            Some(Arrival::Unheard(Unheard::Duplicate)) => Fact::Duplicate { node: to, from: peer },
            Some(Arrival::Done) => Fact::Heard { node: to, from: peer, life },
            _ => return,
        });
    }

    fn peer(&self, node: usize) -> Option<PeerId> {
        self.nodes.get(node).map(|(peer, _)| *peer)
    }

    fn hosted<'h>(&self, node: usize, hosts: &'h [Host]) -> Option<&'h Hosted> {
        let (_, home) = self.nodes.get(node)?;
        let process = hosts.get(*home)?.process.as_ref()?;
        process.nodes.iter().find(|hosted| hosted.id == node)
    }

    /// Does something with a Node that is up, whose host looks at it then.
    fn with<R>(
        &self,
        node: usize,
        hosts: &mut [Host],
        now: Nanos,
        act: impl FnOnce(&mut Hosted) -> R,
    ) -> Option<R> {
        let (_, home) = self.nodes.get(node)?;
        let host = hosts.get_mut(*home)?;
        let process = host.process.as_mut()?;
        let hosted = process.nodes.iter_mut().find(|hosted| hosted.id == node)?;
        let done = act(hosted);
        let at = now.max(host.paused_until);
        host.due = Some(host.due.map_or(at, |due| due.min(at)));
        Some(done)
    }

    /// A host has ended: its links are no more.
    pub(crate) fn forget_host(&mut self, place: usize, hosts: &mut [Host], now: Nanos) {
        let is_of = |node: usize| self.nodes.get(node).is_some_and(|(_, home)| *home == place);
        let pairs = self.links.keys().copied();
        let gone: Vec<Pair> = pairs.filter(|pair| is_of(pair.0) || is_of(pair.1)).collect();
        gone.into_iter().for_each(|pair| self.close(pair, hosts, now));
    }

    /// A Node has forgotten its links.
    pub(crate) fn forget_node(&mut self, node: usize, hosts: &mut [Host], now: Nanos) {
        let pairs = self.links.keys().copied();
        let gone: Vec<Pair> = pairs.filter(|pair| pair.0 == node || pair.1 == node).collect();
        gone.into_iter().for_each(|pair| self.close(pair, hosts, now));
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.links.values().all(|link| !link.is_busy())
    }
}

fn ordered(one: usize, other: usize) -> Pair {
    (one.min(other), one.max(other))
}

/// What an envelope says, as facts.
fn said(node: usize, to: PeerId, envelope: &WireEnvelope) -> Vec<Fact> {
    let promised = envelope.acks.iter().map(|ack| Fact::Promised {
        node,
        to,
        stream: ack.stream,
        epoch: ack.stream_epoch,
        durable: ack.durable,
    });
    let mut facts: Vec<Fact> = promised.collect();
    if envelope.stream != 0 && !envelope.fills.is_empty() {
        let hash = *blake3::hash(format!("{:?}", envelope.fills).as_bytes()).as_bytes();
        let (stream, epoch, seq) = (envelope.stream, envelope.stream_epoch, envelope.seq);
        let is_again = envelope.redelivered;
        facts.push(Fact::Said { node, to, stream, epoch, seq, hash, is_again });
    }
    facts
}
