//! Gathers: joins over what many senders send, round by round.
//!
//! Law: a gather always has a deadline, so no round waits for ever.

use super::{Graph, Received, Wire, request::syscall};
use crate::{
    framework::{LatePolicy, OnDeadline},
    module::PlaceProblem,
    time::Nanos,
};

/// A gather that is being recorded, see [`Graph::gather`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a gather is recorded with its deadline"]
pub struct Gather<'g, const N: usize> {
    graph: &'g Graph,
    received: Received<'g, N>,
    by: Option<Wire<'g>>,
    count: u32,
    late: LatePolicy,
    on_deadline: OnDeadline,
}

impl Graph {
    /// Joins what a channel brings from several senders: one value of each sender, once a round.
    ///
    /// What the Node's own host gives to such a channel's input counts as sent by the Node itself.
    ///
    /// ```
    /// use samsara_runtime::{framework::LatePolicy, graph::Graph, time::seconds};
    ///
    /// let g = Graph::new("Vote");
    /// let (booth, hall) = (g.place("booth"), g.place("hall"));
    /// let day = g.at(booth).input::<u64>("day");
    /// let vote = g.at(booth).input::<bool>("vote");
    /// let seen = g.channel("votes").from(booth).to(hall).send([day, vote]);
    /// let five = g.at(hall).gather(seen).by(day).count(5).late(LatePolicy::Count);
    /// g.at(hall).output("votes", five.deadline(seconds(30)));
    /// assert!(g.build().is_ok());
    /// ```
    pub fn gather<'g, const N: usize>(&'g self, received: Received<'g, N>) -> Gather<'g, N> {
        Gather {
            graph: self,
            received,
            by: None,
            count: 0,
            late: LatePolicy::Drop,
            on_deadline: OnDeadline::Partial,
        }
    }
}

impl<'g, const N: usize> Gather<'g, N> {
    /// The value that tells rounds apart, by its wire at either end; else it is the first one.
    pub fn by(mut self, round: Wire<'g>) -> Self {
        self.by = Some(round);
        self
    }

    /// How many senders make a round whole.
    pub fn count(mut self, senders: u32) -> Self {
        self.count = senders;
        self
    }

    /// What happens to what comes after its round has ended; else it is dropped, with a step that
    /// says so.
    pub fn late(mut self, policy: LatePolicy) -> Self {
        self.late = policy;
        self
    }

    /// What a round is that ends by its deadline; else it is a result of those who came.
    pub fn on_deadline(mut self, outcome: OnDeadline) -> Self {
        self.on_deadline = outcome;
        self
    }

    /// Gives the values of a round, ordered by sender, once all are there or this long after the
    /// first one (`Gather`). Beside the round value, one value of each sender is an item itself;
    /// several are a list in the list.
    pub fn deadline(self, within: Nanos) -> Wire<'g> {
        let Self { graph, received, by, count, late, on_deadline } = self;
        let name = format!("gather.{}", graph.op_name(received.channel));
        let is_round = |end: &[Wire<'g>; N], at: usize| {
            let round = by.and_then(|wire| wire.value_in(graph));
            let wire = end.get(at).and_then(|wire| wire.value_in(graph));
            round.is_some() && round == wire
        };
        let found = (0..N).find(|at| is_round(&received.sent, *at) || is_round(&received, *at));
        let round = if by.is_none() { Some(0) } else { found };
        let wanted = match round {
            None => "the round among what its channel carries",
            Some(_) if count == 0 => "a count of at least one sender",
            Some(_) if N < 2 => "a value beside the round",
            Some(_) => "",
        };
        if !wanted.is_empty() {
            graph.mistake(&name, PlaceProblem::BadGather { wanted }.into());
        }
        let round = round.unwrap_or(0);
        let others = received.iter().enumerate().filter(|(at, _)| *at != round);
        let wires: Vec<_> = { received.get(round).into_iter() }
            .chain(others.map(|(_, wire)| wire))
            .copied()
            .collect();
        let attributes = [
            ("count", u64::from(count).into()),
            ("late", late.word().into()),
            ("nanos", within.get().into()),
            ("on_deadline", on_deadline.word().into()),
        ];
        let mut op = syscall("Gather", attributes);
        op.name = Err(name);
        let [gathered] = graph.record(op, wires);
        gathered
    }
}

impl Graph {
    fn op_name(&self, at: usize) -> String {
        let ops = &self.recorded.borrow().body.ops;
        ops.get(at).map(|op| op.name.clone()).unwrap_or_default()
    }
}
