//! Channels: how values get from one place to another.
//!
//! Law: what is received has the types of what is sent, in the same order. A send to several peers
//! is always an explicit broadcast.

use std::ops::Deref;

use super::{Graph, NewOp, Place, Wire};
use crate::{
    framework::Delivery,
    module::{CHANNEL, MAIN_PLACE, OpKind, Problem, Reach},
    schema::PortType,
};

/// A channel that is being recorded.
///
/// Where a program goes round, what comes back is asked for [ahead](Self::ahead):
///
/// ```
/// use samsara_runtime::{graph::Graph, schema::PortType};
///
/// let g = Graph::new("Tune");
/// let (hub, leaf) = (g.place("hub"), g.place("leaf"));
/// let (model, [weights]) = g.channel("model").from(hub).to(leaf).ahead([PortType::F64]);
/// let better = g.at(leaf).slot("model").op("train", [weights]);
/// let [update] = *g.channel("update").from(leaf).to(hub).send([better]);
/// model.broadcast(g.at(hub).slot("mean").op("add", [update]));
/// assert!(g.build().is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a channel carries nothing until something is sent"]
pub struct Channel<'g, 'n> {
    graph: &'g Graph,
    name: &'n str,
    from: Option<Place<'g>>,
    to: Option<Place<'g>>,
    class: Delivery,
}

/// What arrives at the other end of a channel: the wires of what was sent, in order.
#[derive(Clone, Copy, Debug)]
pub struct Received<'g, const N: usize> {
    pub(super) sent: [Wire<'g>; N],
    pub(super) wires: [Wire<'g>; N],
    pub(super) channel: usize,
}

/// A channel whose receiving end is in use, and whose sending end is not yet.
#[derive(Debug)]
#[must_use = "what nobody sends is never received"]
pub struct Ahead<'g, 'n, const N: usize> {
    channel: Channel<'g, 'n>,
    wires: [Wire<'g>; N],
}

impl Graph {
    /// A channel of this name, which is the same at both ends.
    pub fn channel<'n>(&self, name: &'n str) -> Channel<'_, 'n> {
        Channel { graph: self, name, from: None, to: None, class: Delivery::Effective }
    }
}

impl<'g, 'n> Channel<'g, 'n> {
    /// The place that sends.
    pub fn from(mut self, place: Place<'g>) -> Self {
        self.from = Some(place);
        self
    }

    /// The place that receives; it may be the one that sends, which then means its peers there.
    pub fn to(mut self, place: Place<'g>) -> Self {
        self.to = Some(place);
        self
    }

    /// Lets messages be dropped where they would cost more than they are worth.
    pub fn best_effort(mut self) -> Self {
        self.class = Delivery::BestEffort;
        self
    }

    /// Sends to the one peer that is bound to the place.
    pub fn send<const N: usize>(self, values: impl Into<[Wire<'g>; N]>) -> Received<'g, N> {
        self.receive([const { None }; N]).record(values.into(), Reach::One)
    }

    /// Sends to every peer that is bound to the place.
    pub fn broadcast<const N: usize>(self, values: impl Into<[Wire<'g>; N]>) -> Received<'g, N> {
        self.receive([const { None }; N]).record(values.into(), Reach::All)
    }

    /// The receiving end, before anything of these types is sent: so a program may go round.
    pub fn ahead<const N: usize>(self, types: [PortType; N]) -> (Ahead<'g, 'n, N>, [Wire<'g>; N]) {
        let ahead = self.receive(types.map(Some));
        let wires = ahead.wires;
        (ahead, wires)
    }

    fn receive<const N: usize>(self, types: [Option<PortType>; N]) -> Ahead<'g, 'n, N> {
        let recorded = &mut *self.graph.recorded.borrow_mut();
        let wires = types.map(|ty| Wire::new(self.graph, recorded.value(self.name, ty)));
        Ahead { channel: self, wires }
    }

    /// The name of an end's place.
    fn end(&self, place: Option<Place<'g>>) -> String {
        let name = place.map_or(Some(MAIN_PLACE), |place| {
            // Going there reports a place of another graph.
            self.graph.at(place).place.as_deref()
        });
        name.unwrap_or(MAIN_PLACE).to_owned()
    }
}

impl<'g, const N: usize> Ahead<'g, '_, N> {
    /// Sends to the one peer that is bound to the place.
    pub fn send(self, values: impl Into<[Wire<'g>; N]>) {
        self.record(values.into(), Reach::One);
    }

    /// Sends to every peer that is bound to the place.
    pub fn broadcast(self, values: impl Into<[Wire<'g>; N]>) {
        self.record(values.into(), Reach::All);
    }

    fn record(self, sent: [Wire<'g>; N], reach: Reach) -> Received<'g, N> {
        let Self { channel, wires } = self;
        let Channel { graph, name, class, .. } = channel;
        let (from, to) = (channel.end(channel.from), channel.end(channel.to));
        let mut op = NewOp::unnamed(name, OpKind::Syscall(CHANNEL.to_owned()));
        let words =
            [("from", &*from), ("to", &to), ("class", class.word()), ("reach", reach.word())];
        op.attributes = words.map(|(key, word)| (key.to_owned(), word.into())).into();
        let inputs = sent.iter().map(|wire| graph.value_of(*wire, name)).collect();
        let outputs = wires.iter().filter_map(|wire| wire.value_in(graph)).collect();
        if N == 0 {
            graph.mistake(name, Problem::EmptyOp);
        }
        let recorded = &mut *graph.recorded.borrow_mut();
        let at = recorded.body.ops.len();
        graph.push(recorded, name.to_owned(), op, inputs, outputs);
        Received { sent, wires, channel: at }
    }
}

impl<'g, const N: usize> Deref for Received<'g, N> {
    type Target = [Wire<'g>; N];

    fn deref(&self) -> &Self::Target {
        &self.wires
    }
}

/// One wire is as good as a row of one.
impl<'g> From<Wire<'g>> for [Wire<'g>; 1] {
    fn from(wire: Wire<'g>) -> Self {
        [wire]
    }
}
