//! Places: where parts of a program run.
//!
//! Law: a view records into its graph and nowhere else; what differs is only the place that is
//! noted beside it.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    fmt,
    rc::Rc,
};

use super::{Graph, Recorded};
use crate::module::PlaceProblem;

/// How many places a graph may name: each becomes a module of its own.
pub const PLACES: usize = 256;

/// A place of the graph that named it.
///
/// ```
/// use samsara_runtime::graph::Graph;
///
/// let g = Graph::new("Relay");
/// let (near, far) = (g.place("near"), g.place("far"));
/// let sent = g.at(near).slot("lens").op("focus", [g.at(near).input::<f64>("light")]);
/// let [seen] = *g.channel("beam").from(near).to(far).send([sent]);
/// g.at(far).emit("seen", seen);
/// assert!(g.build().is_ok());
/// ```
#[derive(Clone, Copy)]
pub struct Place<'g> {
    view: &'g Graph,
}

impl Place<'_> {
    /// Its name.
    pub(super) fn name(&self) -> Option<&str> {
        self.view.place.as_deref()
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place {:?} of {}", self.name().unwrap_or_default(), self.view.name)
    }
}

impl Graph {
    /// A place of this name. It is the same one however often it is named.
    pub fn place(&self, name: &str) -> Place<'_> {
        let mut view = self;
        for _ in 0..PLACES {
            view = view.next.get_or_init(|| {
                let recorded = Rc::clone(&self.recorded);
                Box::new(Self::view(self.name.clone(), self.prefix, recorded, Some(name.into())))
            });
            if view.place.as_deref() == Some(name) {
                return Place { view };
            }
        }
        self.mistake(name, PlaceProblem::NoPlace { cap: PLACES }.into());
        Place { view: self }
    }

    /// The graph, as it records at this place.
    pub fn at<'g>(&'g self, place: Place<'g>) -> &'g Self {
        if self.records_with(place.view) {
            return place.view;
        }
        self.mistake(
            place.name().unwrap_or_default(),
            PlaceProblem::NoPlace { cap: PLACES }.into(),
        );
        self
    }

    pub(super) fn view(
        name: String,
        prefix: &'static str,
        recorded: Rc<RefCell<Recorded>>,
        place: Option<Rc<str>>,
    ) -> Self {
        Self { name, prefix, recorded, place, next: OnceCell::new() }
    }

    /// Whether both are views of one graph.
    pub(super) fn records_with(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.recorded, &other.recorded)
    }

    /// Notes that a part of this name stands at the view's place.
    pub(super) fn note(&self, places: &mut BTreeMap<String, String>, part: &str) {
        if let Some(place) = &self.place {
            places.insert(part.to_owned(), (**place).to_owned());
        }
    }
}
