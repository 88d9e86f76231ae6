//! A world to be simulated: its hosts, its clients, its faults, and what must hold in it.
//!
//! Law: a world is data, and one seed draws all chance in it. Running it twice is the same run.

use std::{fmt, rc::Rc, time::Duration};

use samsara_runtime::{
    planted::{self, Bug as Mutant},
    recovery::{Durability, NodeSpec},
    rng::Rng,
    time::Nanos,
    value::{IntoValue, Value},
};

use crate::{
    failure::{Broken, Failure, Report},
    fault::{Faults, Injected},
    invariant::Invariant,
    run::{Outcome, Run},
    shrink::shrink,
    sight::Sight,
};

/// What a client asks of a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub(crate) node: String,
    pub(crate) module: String,
    pub(crate) inputs: Vec<(String, Value)>,
}

impl Call {
    /// A call of this module of the Node of this name.
    pub fn new(node: impl Into<String>, module: impl Into<String>) -> Self {
        Self { node: node.into(), module: module.into(), inputs: Vec::new() }
    }

    /// With this input. A value that is nested too deep is left out, and the Node will say so.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, value: impl IntoValue) -> Self {
        if let Ok(value) = value.into_value() {
            self.inputs.push((name.into(), value));
        }
        self
    }
}

type Calls = Rc<dyn Fn(&mut Rng, u64) -> Call>;
type Predicate = Rc<dyn Fn(&Sight<'_>) -> bool>;
type MakeInvariant = Rc<dyn Fn() -> Box<dyn Invariant>>;

/// A call in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Planned {
    pub(crate) at: Nanos,
    client: usize,
    pub(crate) number: u64,
}

/// A world: see the [crate](crate) for one.
#[derive(Clone)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) hosts: Vec<Vec<NodeSpec>>,
    clients: Vec<(Duration, Calls)>,
    faults: Faults,
    /// Faults that set in beside those.
    given: Vec<Injected>,
    /// Whether its Nodes know of each other.
    pub(crate) is_linked: bool,
    pub(crate) always: Vec<(String, Predicate)>,
    pub(crate) at_last: Vec<(String, Predicate)>,
    invariants: Vec<MakeInvariant>,
    mutant: Option<Mutant>,
    again: String,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.seed)
            .field("hosts", &self.hosts.len())
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl World {
    /// An empty world without faults.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            hosts: Vec::new(),
            clients: Vec::new(),
            faults: Faults::none(),
            given: Vec::new(),
            is_linked: false,
            always: Vec::new(),
            at_last: Vec::new(),
            invariants: Vec::new(),
            mutant: None,
            again: format!("World::new({seed})"),
        }
    }

    /// Adds a host that carries these Nodes. It has a store, so all of them are durable.
    #[must_use]
    pub fn host(mut self, nodes: impl IntoIterator<Item = NodeSpec>) -> Self {
        let durable = |spec: NodeSpec| spec.durability(Durability::Durable);
        self.hosts.push(nodes.into_iter().map(durable).collect());
        self
    }

    /// Adds a host whose Nodes outlive what their specs say, and no more.
    #[must_use]
    pub fn mixed_host(mut self, nodes: impl IntoIterator<Item = NodeSpec>) -> Self {
        self.hosts.push(nodes.into_iter().collect());
        self
    }

    /// Adds so many hosts of one Node each.
    #[must_use]
    pub fn hosts(self, count: usize, mut node: impl FnMut(usize) -> NodeSpec) -> Self {
        (0..count).fold(self, |world, place| world.host([node(place)]))
    }

    /// Adds a client that makes a call about once in this time. Calls are numbered in the order of
    /// time, over all clients; what the call is may be drawn.
    #[must_use]
    pub fn client(
        mut self,
        every: Duration,
        call: impl Fn(&mut Rng, u64) -> Call + 'static,
    ) -> Self {
        self.clients.push((every, Rc::new(call)));
        self
    }

    /// Lets all Nodes know of each other. What they say is carried over links, which then are among
    /// what goes wrong.
    #[must_use]
    pub fn linked(mut self) -> Self {
        self.is_linked = true;
        self
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// One fault more, in its place.
    #[must_use]
    pub fn fault(mut self, fault: Injected) -> Self {
        self.given.push(fault);
        self
    }

    /// Something that must hold between any two acts, whenever all Nodes are up.
    #[must_use]
    pub fn always(
        mut self,
        name: impl Into<String>,
        holds: impl Fn(&Sight<'_>) -> bool + 'static,
    ) -> Self {
        self.always.push((name.into(), Rc::new(holds)));
        self
    }

    /// Something that must hold when the world has settled.
    #[must_use]
    pub fn at_last(
        mut self,
        name: impl Into<String>,
        holds: impl Fn(&Sight<'_>) -> bool + 'static,
    ) -> Self {
        self.at_last.push((name.into(), Rc::new(holds)));
        self
    }

    /// An invariant that hears all that happens.
    #[must_use]
    pub fn invariant<I: Invariant + 'static>(mut self, make: impl Fn() -> I + 'static) -> Self {
        self.invariants.push(Rc::new(move || Box::new(make())));
        self
    }

    /// Plants a bug in the hosts, to see that it is found.
    #[must_use]
    pub fn plant(mut self, mutant: Mutant) -> Self {
        self.mutant = Some(mutant);
        self
    }

    /// What a failure tells its reader to do to see it again.
    #[must_use]
    pub fn shown_again_by(mut self, command: impl Into<String>) -> Self {
        self.again = command.into();
        self
    }

    /// Lets so much time go by with faults and calls, heals the world, and waits until it has
    /// settled. A failure is shrunk before it is told.
    pub fn run(&self, time: Duration) -> Result<Report, Failure> {
        let end = Nanos::from(time);
        let (faults, calls) = self.draw(end);
        let broken = match self.run_with(&faults, &calls, end)? {
            Outcome::Settled(report) => return Ok(*report),
            Outcome::Broken { law, .. } => law,
        };
        let fails = |faults: &[Injected], calls: &[Planned]| matches!(self.run_with(faults, calls, end), Ok(Outcome::Broken { law, .. }) if law == broken);
        let few = shrink(faults.clone(), |some| fails(some, &calls));
        let short = shrink(calls.clone(), |some| fails(&few, some));
        let few = shrink(few, |some| fails(some, &short));
        let Outcome::Broken { law, how, at } = self.run_with(&few, &short, end)? else {
            return Err(Failure::Unsound("it fails in one run and not in the next".to_owned()));
        };
        Err(Failure::Broken(Box::new(Broken {
            seed: self.seed,
            law,
            how,
            at,
            whole: (faults.len(), calls.len()),
            faults: few,
            calls: short.iter().map(|call| call.number).collect(),
            again: self.again.clone(),
        })))
    }

    /// As [`run`](Self::run), with a failure told as it came.
    pub(crate) fn try_once(&self, time: Duration) -> Result<Report, Failure> {
        let end = Nanos::from(time);
        let (faults, calls) = self.draw(end);
        match self.run_with(&faults, &calls, end)? {
            Outcome::Settled(report) => Ok(*report),
            Outcome::Broken { law, how, at } => Err(Failure::Broken(Box::new(Broken {
                seed: self.seed,
                law,
                how,
                at,
                whole: (faults.len(), calls.len()),
                calls: calls.iter().map(|call| call.number).collect(),
                faults,
                again: self.again.clone(),
            }))),
        }
    }

    /// The faults and the calls of so much time.
    fn draw(&self, end: Nanos) -> (Vec<Injected>, Vec<Planned>) {
        let mut rng = Rng::from_seed(self.seed);
        let mut draw = rng.fork("faults");
        let mut faults = self.faults.draw(&mut draw, self.hosts.len(), self.is_linked, end);
        faults.extend(self.given.iter().filter(|fault| fault.at < end));
        faults.sort_by_key(|fault| fault.at);
        (faults, self.plan(&mut rng, end))
    }

    fn run_with(
        &self,
        faults: &[Injected],
        calls: &[Planned],
        end: Nanos,
    ) -> Result<Outcome, Failure> {
        let mut invariants = crate::invariant::all();
        invariants.extend(self.invariants.iter().map(|make| make()));
        planted::with(self.mutant, || Ok(Run::new(self, invariants)?.go(faults, calls, end)))
    }

    /// The calls of all clients, in order.
    fn plan(&self, rng: &mut Rng, end: Nanos) -> Vec<Planned> {
        let mut planned = Vec::new();
        for (client, (every, _)) in self.clients.iter().enumerate() {
            let mut draw = rng.fork(&format!("client {client}"));
            let gap = Nanos::from(*every).get().saturating_mul(2).max(1);
            let mut at = Nanos::ZERO;
            while let Some(next) = at.checked_add(Nanos::new(draw.between(1..=gap))) {
                at = next;
                if at >= end {
                    break;
                }
                planned.push(Planned { at, client, number: 0 });
            }
        }
        planned.sort();
        for (number, call) in (1..).zip(&mut planned) {
            call.number = number;
        }
        planned
    }

    /// What a planned call asks.
    pub(crate) fn call(&self, planned: Planned) -> Option<Call> {
        let (_, call) = self.clients.get(planned.client)?;
        let mut draw = Rng::from_seed(self.seed).fork(&format!("call {}", planned.number));
        Some(call(&mut draw, planned.number))
    }
}
