//! How a Node is installed: which program, at which place, who is elsewhere.
//!
//! Law: a Node that sends to a place knows who is there before it runs, and a send that is no
//! broadcast has one receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use samsara_proto::{Address, PeerId};

use super::{InstallError, Node, install::make};
use crate::{
    config::NodeConfig,
    module::{Channel, Reach, part_name, place_of_part},
    plan::{Call, Plan},
    program::Program,
    services::bindings::Bindings,
};

/// What a Node is made of.
///
/// ```
/// use samsara_proto::PeerId;
/// use samsara_runtime::{
///     compiler::Compiler, graph::Graph, node::Installation, time::Nanos,
/// };
///
/// let g = Graph::new("Hail");
/// let (ship, shore) = (g.place("ship"), g.place("shore"));
/// let heard = g.channel("radio").from(ship).to(shore).send(g.at(ship).input::<String>("text"));
/// g.at(shore).output("heard", heard[0]);
/// let program = Compiler::new().compile(g.build()?)?;
///
/// let (sailor, keeper) = (PeerId::from(1), PeerId::from(2));
/// let ship = Installation::new(sailor, &program).place("ship").bind("shore", [keeper]);
/// assert_eq!(ship.install()?.loaded_modules().collect::<Vec<_>>(), ["Hail@ship"]);
///
/// let mut shore = Installation::new(keeper, &program).place("shore").install()?;
/// shore.invoke("Hail", [("radio", "ahoy")])?;
/// assert_eq!(shore.run_until_idle(Nanos::ZERO).output::<String>("heard").as_deref(), Some("ahoy"));
///
/// let alone = Installation::new(sailor, &program).place("ship").install();
/// let refused = alone.expect_err("nobody is said to be on the shore");
/// assert!(refused.to_string().contains("\"shore\" is not bound"), "{refused}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is installed until `install`"]
pub struct Installation<'p> {
    peer: PeerId,
    addresses: Vec<Address>,
    program: &'p Program,
    targets: Vec<&'p str>,
    place: Option<&'p str>,
    bound: BTreeMap<&'p str, BTreeSet<PeerId>>,
    config: Arc<NodeConfig>,
    memory: u64,
}

impl<'p> Installation<'p> {
    /// This program on a Node of this id.
    pub fn new(peer: PeerId, program: &'p Program) -> Self {
        Self {
            peer,
            addresses: Vec::new(),
            program,
            targets: Vec::new(),
            place: None,
            bound: BTreeMap::new(),
            config: Arc::default(),
            memory: 1,
        }
    }

    /// The modules that the Node runs, by their plain names; else all that its place has.
    pub fn targets(mut self, targets: impl IntoIterator<Item = &'p str>) -> Self {
        self.targets.extend(targets);
        self
    }

    /// The place that the Node is at: of a module with places it runs the part there.
    pub fn place(mut self, place: &'p str) -> Self {
        self.place = Some(place);
        self
    }

    /// The peers that are at a place. A place that is bound twice has them all.
    pub fn bind(mut self, place: &'p str, peers: impl IntoIterator<Item = PeerId>) -> Self {
        self.bound.entry(place).or_default().extend(peers);
        self
    }

    /// The addresses that the Node is reached at.
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.addresses.extend(addresses);
        self
    }

    /// Its settings; many Nodes may share one `Arc` of them.
    pub fn config(mut self, config: impl Into<Arc<NodeConfig>>) -> Self {
        self.config = config.into();
        self
    }

    /// How often a Node of this id has begun with nothing remembered, this time included: more than
    /// at any time before, for each process of a Node whose history does not outlive it. Its
    /// streams are new ones then, and its peers drop the old ones and report it. A Node that has
    /// never lost its history leaves it at 1.
    pub fn memory(mut self, times: u64) -> Self {
        self.memory = times.max(1);
        self
    }

    /// A Node that is ready, or all that is wrong.
    pub fn install(self) -> Result<Node, InstallError> {
        let memory = self.memory;
        let mut node = self.install_at_first()?;
        node.services.memory = memory;
        Ok(node)
    }

    fn install_at_first(self) -> Result<Node, InstallError> {
        let places = self.places();
        let named = self.place.iter().chain(self.bound.keys());
        if let Some(place) = named.copied().find(|place| !places.contains(place)) {
            let available = places.into_iter().map(str::to_owned).collect();
            return Err(InstallError::UnknownPlace { place: place.to_owned(), available });
        }
        let targets = self.resolve();
        let bindings = self.bindings(&targets)?;
        let Self { peer, addresses, program, config, .. } = self;
        if places.is_empty() {
            return make(peer, addresses, program, &targets, config, &BTreeSet::new());
        }
        let foreign = foreign_slots(program.plan(), &targets);
        let mut node = make(peer, addresses, program, &targets, config, &foreign)?;
        node.services.bindings = Some(Box::new(bindings));
        Ok(node)
    }

    /// The places of the program.
    fn places(&self) -> BTreeSet<&'p str> {
        let ends = self.program.channels().flat_map(|channel| [&*channel.from, &*channel.to]);
        ends.chain(self.program.targets().filter_map(place_of_part)).collect()
    }

    /// The targets by their names in the program.
    fn resolve(&self) -> Vec<&'p str> {
        let Some(place) = self.place else { return self.targets.clone() };
        let known = || self.program.targets();
        if self.targets.is_empty() {
            return known().filter(|name| place_of_part(name) == Some(place)).collect();
        }
        let part = |name: &&'p str| {
            let part = part_name(name, place);
            known().find(|known| *known == part).unwrap_or(name)
        };
        self.targets.iter().map(part).collect()
    }

    /// Who is where, if that is all that the sends of these targets need.
    fn bindings(&self, targets: &[&str]) -> Result<Bindings, InstallError> {
        let mut bindings = Bindings::at(self.place);
        let cap = self.config.peers.max_peers;
        for (place, peers) in &self.bound {
            let too_many =
                || InstallError::TooManyPeers { place: (*place).to_owned(), got: peers.len(), cap };
            if peers.len() > cap as usize {
                return Err(too_many());
            }
            bindings.bind(place, peers).map_err(|_| too_many())?;
        }
        let sends = |channel: &&Channel| targets.contains(&&*channel.sends());
        for channel in self.program.channels().filter(sends) {
            let (place, name) = (channel.to.clone(), channel.name.clone());
            let Some(peers) = self.bound.get(&*place) else {
                let available = self.bound.keys().map(|place| (*place).to_owned()).collect();
                return Err(InstallError::UnboundPlace { place, channel: name, available });
            };
            let count = peers.len();
            if channel.reach == Reach::One && count != 1 {
                return Err(InstallError::NotOnePeer { channel: name, place, count });
            }
        }
        Ok(bindings)
    }
}

/// The slots whose ops all run elsewhere, and that no component here depends on: what they hold need
/// not be made.
fn foreign_slots(plan: &Plan, targets: &[&str]) -> BTreeSet<u32> {
    let (mut here, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    for module in &plan.modules {
        let used = if targets.contains(&&*module.name) { &mut here } else { &mut elsewhere };
        used.extend(module.ops.iter().filter_map(|op| match &op.call {
            Call::Component { slot, .. } => Some(*slot),
            Call::Constant(_) | Call::Request(_) | Call::Session(_) => None,
        }));
    }
    let mut foreign: BTreeSet<u32> = elsewhere.difference(&here).copied().collect();
    let slots = || (0..).zip(&plan.slots);
    let mut kept: Vec<_> = slots().filter(|(at, _)| !foreign.contains(at)).collect();
    while let Some((_, slot)) = kept.pop() {
        for dependency in &slot.kind.wants().dependencies {
            let found = slots().find(|(_, other)| *other.name == *dependency.slot);
            kept.extend(found.filter(|(at, _)| foreign.remove(at)));
        }
    }
    foreign
}

impl Node {
    /// The place that it is at, if it was told one.
    pub fn place(&self) -> Option<&str> {
        self.services.bindings.as_ref()?.place.as_deref()
    }

    /// How often it has begun with nothing remembered: what its
    /// [courier](crate::delivery::Station::memory) speaks of too.
    pub fn memory(&self) -> u64 {
        self.services.memory()
    }

    /// The peers that are at a place, in the order of their ids.
    pub fn peers_at(&self, place: &str) -> impl Iterator<Item = PeerId> {
        self.services.bindings.iter().flat_map(move |bindings| bindings.peers(place))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        compiler::Compiler,
        component::{Component, Ops},
        graph::Graph,
        module::Draft,
    };

    #[derive(Default, Serialize, Deserialize)]
    struct Part;

    impl Component for Part {
        const TYPE_NAME: &'static str = "test.part@1";

        fn ops(ops: &mut Ops<Self>) {
            ops.on("pass", |_: &mut Self, n: u64| n);
        }
    }

    #[derive(Default, Serialize, Deserialize)]
    struct Dependent;

    impl Component for Dependent {
        const TYPE_NAME: &'static str = "test.dependent@1";

        fn ops(ops: &mut Ops<Self>) {
            ops.depends_on::<Part>("there");
            ops.on("pass", |_: &mut Self, n: u64| n);
        }
    }

    fn apart() -> Draft {
        let g = Graph::new("Apart");
        for place in ["here", "there"] {
            let at = g.at(g.place(place));
            at.emit("n", at.slot(place).op("pass", [at.input::<u64>(place)]));
        }
        g.build().expect("the module is sound")
    }

    /// Which slots hold something on a Node at this place.
    fn held(compiler: Compiler, place: &str) -> Vec<bool> {
        let program = compiler.compile(apart()).expect("the program is sound");
        let node = Installation::new(PeerId::from(1), &program).place(place).install();
        let components = &node.expect("it sends to nobody").components;
        components.iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_node_has_the_components_of_its_own_place_and_those_that_no_op_names() {
        let all = || {
            let slots = ["aside", "here", "there"].into_iter();
            slots.fold(Compiler::new(), |all, slot| all.bind::<Part>(slot))
        };
        assert_eq!(held(all(), "here"), [true, true, false]);
        assert_eq!(held(all(), "there"), [true, false, true]);
    }

    #[test]
    fn a_node_has_what_its_components_depend_on() {
        let all = || Compiler::new().bind::<Dependent>("here").bind::<Part>("there");
        assert_eq!(held(all(), "here"), [true, true]);
        assert_eq!(held(all(), "there"), [false, true]);
    }
}
