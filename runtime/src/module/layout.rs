//! Where the parts of a program run, and the channels between its places.
//!
//! Law: a place is a name. What was recorded at one is listed here until the compiler has cut the
//! module there; from then on each place is a module of its own, and only channels are left.
//!
//! ```
//! use samsara_runtime::{compiler::Compiler, graph::Graph};
//!
//! let g = Graph::new("Hail");
//! let (ship, shore) = (g.place("ship"), g.place("shore"));
//! let text = g.at(ship).input::<String>("text");
//! let heard = g.channel("radio").from(ship).to(shore).send([text]);
//! g.at(shore).output("heard", heard[0]);
//!
//! let program = Compiler::new().compile(g.build()?)?;
//! assert_eq!(program.targets().collect::<Vec<_>>(), ["Hail@ship", "Hail@shore"]);
//! let channel = program.channels().next().expect("there is one");
//! assert_eq!((channel.name.as_str(), channel.receives().as_str()), ("radio", "Hail@shore"));
//! # Ok::<(), samsara_runtime::module::Diagnostics>(())
//! ```

use std::collections::BTreeMap;

use super::PortPath;
use crate::{framework::Delivery, schema::PortType};

/// The place of everything that was recorded at none.
pub const MAIN_PLACE: &str = "main";

/// Between the name of a module and that of a place in the name of what runs there.
const AT: char = '@';

/// Places and channels of a draft.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// What was recorded at places, by module; for a bootstrap `bootstrap/` stands before its
    /// module's name. Empty once the modules are cut.
    pub placed: BTreeMap<String, Placement>,
    /// The channels of modules that are cut, by the module's own name and the channel's.
    pub channels: BTreeMap<PortPath, Channel>,
}

impl Layout {
    /// Keeps where the parts of this body were recorded, if any was at a place.
    pub(crate) fn record(&mut self, key: String, placement: Placement) {
        if placement != Placement::default() {
            self.placed.insert(key, placement);
        }
    }
}

/// The places of a body's parts, by the parts' names. What is not named is at [`MAIN_PLACE`],
/// except constants: they are wherever they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Of ops.
    pub ops: BTreeMap<String, String>,
    /// Of inputs.
    pub inputs: BTreeMap<String, String>,
    /// Of outputs.
    pub outputs: BTreeMap<String, String>,
}

/// A way for values from one place of a module to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// The module, by the name that it was authored under.
    pub module: String,
    /// Its name, the same at both ends.
    pub name: String,
    /// The place that sends.
    pub from: String,
    /// The place that receives.
    pub to: String,
    /// What is promised about what it carries.
    pub class: Delivery,
    /// To whom it sends.
    pub reach: Reach,
    /// What it carries, in order.
    pub types: Vec<PortType>,
}

/// To whom a channel sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// To the one peer that is bound to the place.
    #[default]
    One,
    /// To every peer that is bound to the place.
    All,
}

impl Channel {
    /// The module that sends on it.
    pub fn sends(&self) -> String {
        part_name(&self.module, &self.from)
    }

    /// The module that receives from it.
    pub fn receives(&self) -> String {
        part_name(&self.module, &self.to)
    }

    /// The inputs that it feeds: one bears its name, several are numbered.
    pub fn ports(&self) -> impl Iterator<Item = String> {
        port_names(&self.name, self.types.len())
    }
}

/// The input names of a channel that carries so many values.
pub(crate) fn port_names(name: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |at| match count {
        1 => name.to_owned(),
        _ => numbered_port(name, at),
    })
}

/// One of several ports of this name.
pub(crate) fn numbered_port(name: &str, at: usize) -> String {
    format!("{name}:{at}")
}

/// The module that a place runs of this module.
pub(crate) fn part_name(module: &str, place: &str) -> String {
    format!("{module}{AT}{place}")
}

/// The place that a module was cut for.
pub(crate) fn place_of_part(module: &str) -> Option<&str> {
    module.rsplit_once(AT).map(|(_, place)| place)
}

impl Reach {
    /// The word that it is written as.
    pub const fn word(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::All => "all",
        }
    }

    /// What this word says.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::One, Self::All].into_iter().find(|reach| reach.word() == word)
    }
}
