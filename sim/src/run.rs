//! One run of a world: time goes from one thing that is due to the next.
//!
//! Law: what is due first happens first, and of what is due at once faults before calls before
//! hosts, in their order. Whatever happens is a fact.

mod inject;
mod note;

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::PeerId;
use samsara_runtime::{id::ExecId, rng::Rng, time::Nanos};

use crate::{
    fact::Fact,
    failure::{Failure, Report},
    fault::Injected,
    host::Host,
    invariant::Invariant,
    net::Net,
    points,
    process::{Did, End},
    sight::Sight,
    world::{Planned, World},
};

/// How long a healed world may take to come to rest.
const SETTLE: Nanos = Nanos::from_secs(30);
/// How much slower a slow host is.
const SLOW: u64 = 20;
/// Host ids begin here, so that none is that of another thing.
const FIRST_HOST: u64 = 1_000;

/// The id of the host at this place of a world.
pub(crate) fn host_id(place: u64) -> PeerId {
    PeerId::from(FIRST_HOST.saturating_add(place))
}

/// How a run ended.
pub(crate) enum Outcome {
    Settled(Box<Report>),
    Broken { law: String, how: String, at: Nanos },
}

struct Broke {
    law: String,
    how: String,
}

pub(crate) struct Run<'w> {
    world: &'w World,
    invariants: Vec<Box<dyn Invariant>>,
    hosts: Vec<Host>,
    names: BTreeMap<String, (usize, usize)>,
    now: Nanos,
    rng: Rng,
    net: Net,
    trace: blake3::Hasher,
    report: Report,
    /// Calls that have not ended, by Node.
    open: BTreeSet<(usize, u64)>,
    /// Acknowledged executions, to know the calls of dead letters.
    acked: BTreeMap<(usize, ExecId), u64>,
}

impl<'w> Run<'w> {
    pub(crate) fn new(
        world: &'w World,
        invariants: Vec<Box<dyn Invariant>>,
    ) -> Result<Self, Failure> {
        let (mut hosts, mut names, mut id) = (Vec::new(), BTreeMap::new(), 0_usize);
        let mut nodes = Vec::new();
        for (place, specs) in world.hosts.iter().enumerate() {
            let peer = host_id(place as u64);
            let mut own = Vec::new();
            for spec in specs {
                let unsound = |error| Failure::Unsound(format!("{}: {error}", spec.name()));
                spec.install(&peer).map_err(unsound)?;
                if names.insert(spec.name().to_owned(), (place, id)).is_some() {
                    return Err(Failure::Unsound(format!("two nodes are named {}", spec.name())));
                }
                own.push((id, spec.clone()));
                nodes.push((spec.peer_id(&peer), place));
                id = id.saturating_add(1);
            }
            hosts.push(Host::new(peer, own));
        }
        if world.is_linked {
            let peers: Vec<PeerId> = nodes.iter().map(|(peer, _)| *peer).collect();
            hosts.iter_mut().for_each(|host| host.peers.clone_from(&peers));
        }
        let rng = Rng::from_seed(world.seed);
        if names.is_empty() {
            return Err(Failure::Unsound("there is no node in it".to_owned()));
        }
        Ok(Self {
            world,
            invariants,
            hosts,
            names,
            now: Nanos::ZERO,
            net: Net::new(nodes, rng.fork("net")),
            rng: rng.fork("run"),
            trace: blake3::Hasher::new(),
            report: Report::default(),
            open: BTreeSet::new(),
            acked: BTreeMap::new(),
        })
    }

    pub(crate) fn go(mut self, faults: &[Injected], calls: &[Planned], end: Nanos) -> Outcome {
        match self.try_go(faults, calls, end) {
            Ok(()) => {
                self.report.trace = *self.trace.finalize().as_bytes();
                self.report.settled = self.now;
                Outcome::Settled(Box::new(self.report))
            }
            Err(Broke { law, how }) => Outcome::Broken { law, how, at: self.now },
        }
    }

    fn try_go(&mut self, faults: &[Injected], calls: &[Planned], end: Nanos) -> Result<(), Broke> {
        let (mut faults, mut calls) = (faults.iter().peekable(), calls.iter().peekable());
        loop {
            let host = self.next_host();
            let fault = faults.peek().map_or(end, |fault| fault.at);
            let call = calls.peek().map_or(end, |call| call.at);
            let due = host.map_or(end, |(due, _)| due);
            let net = self.net.due().unwrap_or(end);
            let first = fault.min(call).min(due).min(net);
            if first >= end {
                break;
            }
            self.now = self.now.max(first);
            if fault == first {
                faults.next().map_or(Ok(()), |fault| self.inject(*fault))?;
            } else if call == first {
                calls.next().map_or(Ok(()), |call| self.offer(*call))?;
            } else if net == first {
                self.net_acts()?;
            } else if let Some((_, host)) = host {
                self.host_acts(host)?;
            }
        }
        self.heal(end)?;
        self.settle(end.checked_add(SETTLE).unwrap_or(end))
    }

    /// The host that does something first.
    fn next_host(&self) -> Option<(Nanos, usize)> {
        let hosts = self.hosts.iter().enumerate();
        hosts.filter_map(|(place, host)| Some((host.due?, place))).min()
    }

    /// Nothing goes wrong any more.
    fn heal(&mut self, end: Nanos) -> Result<(), Broke> {
        self.now = self.now.max(end);
        self.net.heal();
        for place in 0..self.hosts.len() {
            let Some(host) = self.hosts.get_mut(place) else { continue };
            host.again = None;
            host.full_until = Nanos::ZERO;
            host.slow_until = Nanos::ZERO;
            host.disk.set_full(false);
            host.disk.fail_syncs(0);
            // A process that was to end and has not goes on.
            host.disk.set_fuse(None);
            host.due = Some(host.due.map_or(self.now, |due| due.min(self.now)));
        }
        Ok(())
    }

    fn settle(&mut self, until: Nanos) -> Result<(), Broke> {
        loop {
            let host = self.next_host().filter(|(due, _)| *due <= until);
            let net = self.net.due().filter(|due| *due <= until);
            match (host, net) {
                (Some((due, place)), net) if net.is_none_or(|net| due < net) => {
                    self.now = self.now.max(due);
                    self.host_acts(place)?;
                }
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    self.net_acts()?;
                }
                (_, None) => break,
            }
        }
        self.tell_letters()?;
        let now = self.now;
        let rests = |host: &Host| host.process.as_ref().is_some_and(|it| it.rests(now));
        let is_settled = self.hosts.iter().all(rests) && self.net.is_quiet();
        let Some(sight) = sight(&self.hosts, is_settled) else {
            return Err(broke("the world settles", "a host is still down, 30 s after".to_owned()));
        };
        for invariant in &mut self.invariants {
            let settled = invariant.settled(&sight);
            settled.map_err(|how| broke(invariant.name(), how))?;
        }
        for (name, holds) in self.world.always.iter().chain(&self.world.at_last) {
            if !holds(&sight) {
                return Err(broke(name, "it does not hold when all has settled".to_owned()));
            }
        }
        Ok(())
    }

    fn tell_letters(&mut self) -> Result<(), Broke> {
        let mut told = Vec::new();
        for process in self.hosts.iter().filter_map(|host| host.process.as_ref()) {
            for node in &process.nodes {
                let execs = node.resident.letters().iter().filter_map(|(_, letter)| letter.exec);
                let calls = execs.filter_map(|exec| self.acked.get(&(node.id, exec)));
                told.extend(calls.map(|call| Fact::Lettered { node: node.id, call: *call }));
            }
        }
        told.into_iter().try_for_each(|fact| self.tell(fact))
    }

    fn offer(&mut self, planned: Planned) -> Result<(), Broke> {
        let Some(call) = self.world.call(planned) else { return Ok(()) };
        let Some((place, node)) = self.names.get(&call.node).copied() else {
            return Err(broke("calls are for nodes", format!("there is no node {}", call.node)));
        };
        let number = planned.number;
        self.tell(Fact::Offered { node, call: number })?;
        let now = self.now;
        let admitted = self.hosts.get_mut(place).and_then(|host| {
            let process = host.process.as_mut()?;
            host.due = Some(now.max(host.paused_until));
            let hosted = process.nodes.iter_mut().find(|hosted| hosted.id == node)?;
            let exec = hosted.invoke(&call)?;
            process.note_call(node, exec, number);
            Some(())
        });
        match admitted {
            Some(()) => Ok(()),
            None => self.tell(Fact::Refused { node, call: number }),
        }
    }

    /// A host does its next act, or its next process begins.
    fn host_acts(&mut self, place: usize) -> Result<(), Broke> {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(place) else { return Ok(()) };
        if host.full_until > Nanos::ZERO && now >= host.full_until {
            host.full_until = Nanos::ZERO;
            host.disk.set_full(false);
        }
        let (did, facts) = match &mut host.process {
            Some(process) => {
                let did = process.act(now);
                (did, std::mem::take(&mut process.shared.facts))
            }
            None => host.boot(place, self.world.seed, now),
        };
        let process = host.process.as_mut();
        let carried = process.map(|it| std::mem::take(&mut it.shared.carried)).unwrap_or_default();
        for fact in facts {
            // A Node that has forgotten all has forgotten its links.
            if let Fact::Forgot { node } = fact {
                self.net.forget_node(node, &mut self.hosts, now);
            }
            self.tell(fact)?;
        }
        carried.into_iter().for_each(|(node, step)| self.net.carry(node, step, now));
        self.go_on(place, did)?;
        self.tell_net()?;
        self.look()
    }

    /// The network does what is due.
    fn net_acts(&mut self) -> Result<(), Broke> {
        if let Some(due) = self.net.due() {
            self.now = self.now.max(due);
        }
        self.net.act(self.now, &mut self.hosts);
        self.tell_net()
    }

    fn tell_net(&mut self) -> Result<(), Broke> {
        std::mem::take(&mut self.net.facts).into_iter().try_for_each(|fact| self.tell(fact))
    }

    /// Decides when the host is due again, and what becomes of it when it has ended.
    fn go_on(&mut self, place: usize, did: Result<Did, End>) -> Result<(), Broke> {
        let now = self.now;
        let wait = |rng: &mut Rng, low, high| {
            now.checked_add(Nanos::from_micros(rng.between(low..=high))).unwrap_or(now)
        };
        let Some(host) = self.hosts.get_mut(place) else { return Ok(()) };
        let slow = if now < host.slow_until { SLOW } else { 1 };
        let how = match did {
            Ok(Did::Act) => {
                host.due = Some(wait(&mut self.rng, 1, 50 * slow));
                return Ok(());
            }
            Ok(Did::Sync) => {
                host.due = Some(wait(&mut self.rng, 100, 12_000 * slow));
                return Ok(());
            }
            Ok(Did::Rest(at)) => {
                // A fuse that burns is looked at again, so that a host at rest can end too.
                host.due = at.map(|at| at.max(now));
                return Ok(());
            }
            Err(End::Full) if host.process.is_some() => {
                host.due = Some(wait(&mut self.rng, 1_000, 20_000));
                return Ok(());
            }
            Err(End::Full) => "its disk was full",
            Err(End::Cut) => "it was cut",
            Err(End::Failed) => "its disk has failed",
            Err(End::Fell) => "a node fell in its replay",
            Err(End::Broken(how)) => return Err(broke("a store reads back what it has kept", how)),
        };
        host.due = Some(wait(&mut self.rng, 1_000, 300_000));
        let cut = host.disk.is_cut().then(|| points::name(host.phase.get(), host.disk.take_cut()));
        host.end(how, &mut self.rng);
        if let Some(point) = cut.filter(|point| !point.is_empty()) {
            self.tell(Fact::CutAt { host: place, point })?;
        }
        self.net.forget_host(place, &mut self.hosts, now);
        let Some(host) = self.hosts.get_mut(place) else { return Ok(()) };
        let nodes: BTreeSet<usize> = host.specs.iter().map(|(id, _)| *id).collect();
        let left: Vec<_> = self.open.iter().filter(|(node, _)| nodes.contains(node)).collect();
        let left: Vec<(usize, u64)> = left.into_iter().copied().collect();
        self.tell(Fact::Ended { host: place, how })?;
        left.into_iter().try_for_each(|(node, call)| self.tell(Fact::Unanswered { node, call }))
    }

    fn look(&mut self) -> Result<(), Broke> {
        let Some(sight) = sight(&self.hosts, false) else { return Ok(()) };
        for invariant in &mut self.invariants {
            invariant.look(&sight).map_err(|how| broke(invariant.name(), how))?;
        }
        match self.world.always.iter().find(|(_, holds)| !holds(&sight)) {
            Some((name, _)) => Err(broke(name, "it does not hold".to_owned())),
            None => Ok(()),
        }
    }

    /// Writes a fact down and lets all invariants hear it.
    fn tell(&mut self, fact: Fact) -> Result<(), Broke> {
        let text = format!("{} {fact:?}\n", self.now);
        self.trace.update(text.as_bytes());
        self.note(&fact);
        for invariant in &mut self.invariants {
            invariant.hear(&fact).map_err(|how| broke(invariant.name(), how))?;
        }
        Ok(())
    }
}

fn sight(hosts: &[Host], is_settled: bool) -> Option<Sight<'_>> {
    let (mut nodes, mut unsent) = (Vec::new(), 0_u64);
    for host in hosts {
        let process = host.process.as_ref()?;
        let couriers = process.nodes.iter().map(|hosted| hosted.resident.courier());
        unsent = couriers.map(|it| it.outbox_bytes()).fold(unsent, u64::saturating_add);
        nodes.extend(process.nodes.iter().map(|hosted| (hosted.id, hosted.name(), hosted.node())));
    }
    nodes.sort_by_key(|(id, ..)| *id);
    let nodes = nodes.into_iter().map(|(_, name, node)| (name, node)).collect();
    Some(Sight { nodes, is_settled, unsent })
}

fn broke(law: &str, how: String) -> Broke {
    Broke { law: law.to_owned(), how }
}
