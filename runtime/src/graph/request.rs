//! What a program asks of the engine, one method a request.
//!
//! Law: each method records the row of [`syscalls`](super::syscalls) that its comment names.
//!
//! ```
//! use samsara_runtime::graph::Graph;
//! use samsara_runtime::time::seconds;
//!
//! let g = Graph::new("Remind");
//! let text = g.input::<String>("text");
//! let stop = g.input::<()>("stop");
//! let (first, which) = g.race([("time", g.sleep(text, seconds(30))), ("stop", stop)]);
//! g.emit("reminder", first);
//! g.output("stopped", which);
//! assert!(g.build().is_ok());
//! ```

mod events;

use super::{Graph, NewOp, Wire};
use crate::{
    module::{Activation, OpKind},
    time::Nanos,
    value::Value,
};

impl Graph {
    /// Tells the host a value under a topic (`AppEmit`).
    pub fn emit(&self, topic: &str, value: Wire<'_>) {
        let [] = self.ask("AppEmit", [value], [("topic", topic.into())]);
    }

    /// Gives the value on (`PassThrough`).
    pub fn pass_through<'g>(&'g self, value: Wire<'g>) -> Wire<'g> {
        self.one("PassThrough", [value], [])
    }

    /// Gives the value on twice (`Tee`).
    pub fn tee<'g>(&'g self, value: Wire<'g>) -> [Wire<'g>; 2] {
        self.ask("Tee", [value], [])
    }

    /// Gives the value that arrives first (`Any`).
    pub fn any<'g>(&'g self, values: impl IntoIterator<Item = Wire<'g>>) -> Wire<'g> {
        self.race_indexed(values).0
    }

    /// Gives the value that arrives first, and the name of its arm (`Race`).
    pub fn race<'g, 'n>(
        &'g self,
        arms: impl IntoIterator<Item = (&'n str, Wire<'g>)>,
    ) -> (Wire<'g>, Wire<'g>) {
        self.named_arms("Race", arms, [])
    }

    /// Gives the value that arrives first, and the name of its arm; or, if none comes within this
    /// time of the execution's start, the trigger and the name `deadline` (`DeadlineMatch`).
    pub fn deadline_match<'g, 'n>(
        &'g self,
        arms: impl IntoIterator<Item = (&'n str, Wire<'g>)>,
        within: Nanos,
    ) -> (Wire<'g>, Wire<'g>) {
        self.named_arms("DeadlineMatch", arms, [nanos(within)])
    }

    fn named_arms<'g, 'n, const A: usize>(
        &'g self,
        name: &str,
        arms: impl IntoIterator<Item = (&'n str, Wire<'g>)>,
        attributes: [(&str, Value); A],
    ) -> (Wire<'g>, Wire<'g>) {
        let (names, values): (Vec<Value>, Vec<_>) =
            arms.into_iter().map(|(name, value)| (Value::from(name), value)).unzip();
        let mut op = syscall(name, attributes);
        op.activation = Activation::Any;
        // A list of texts is never too deep.
        op.attributes.insert("names".to_owned(), Value::list(names).unwrap_or(Value::Unit));
        let [first, winner] = self.record(op, values);
        (first, winner)
    }

    /// Gives the value that arrives first, and its position among them (`Any`).
    pub fn race_indexed<'g>(
        &'g self,
        values: impl IntoIterator<Item = Wire<'g>>,
    ) -> (Wire<'g>, Wire<'g>) {
        let mut op = syscall("Any", []);
        op.activation = Activation::Any;
        let [first, winner] = self.record(op, values);
        (first, winner)
    }

    /// Gives a list of the values (`Bundle`).
    pub fn bundle<'g>(&'g self, values: impl IntoIterator<Item = Wire<'g>>) -> Wire<'g> {
        self.one("Bundle", values, [])
    }

    /// Gives the items of a list of `N` (`Unbundle`).
    pub fn unbundle<'g, const N: usize>(&'g self, list: Wire<'g>) -> [Wire<'g>; N] {
        self.ask("Unbundle", [list], [])
    }

    /// Gives the value on once `open` has arrived too (`Gate`).
    pub fn gate<'g>(&'g self, value: Wire<'g>, open: Wire<'g>) -> Wire<'g> {
        self.one("Gate", [value, open], [])
    }

    /// Gives the value on by the first wire, or triggers the second if it has not come within this
    /// time of the execution's start (`Deadline`).
    pub fn deadline<'g>(&'g self, value: Wire<'g>, within: Nanos) -> [Wire<'g>; 2] {
        self.ask("Deadline", [value], [nanos(within)])
    }

    /// Gives the value on after this time (`Sleep`).
    pub fn sleep<'g>(&'g self, value: Wire<'g>, time: Nanos) -> Wire<'g> {
        self.one("Sleep", [value], [nanos(time)])
    }

    /// Gives the value on after as many nanoseconds as `delay` says (`After`).
    pub fn after<'g>(&'g self, value: Wire<'g>, delay: Wire<'g>) -> Wire<'g> {
        self.one("After", [value, delay], [])
    }

    /// Starts an execution each period and gives how many ticks have passed (`Interval`).
    pub fn interval(&self, period: Nanos) -> Wire<'_> {
        self.one("Interval", [], [nanos(period)])
    }

    /// Triggers once in the life of the program on its Node (`Pulse`).
    pub fn pulse(&self) -> Wire<'_> {
        self.one("Pulse", [], [])
    }

    /// Gives logical now in nanoseconds (`Clock`).
    pub fn clock<'g>(&'g self, trigger: Wire<'g>) -> Wire<'g> {
        self.one("Clock", [trigger], [])
    }

    /// Gives a random number (`RngU64`).
    pub fn rng_u64<'g>(&'g self, trigger: Wire<'g>) -> Wire<'g> {
        self.one("RngU64", [trigger], [])
    }

    /// Keeps the value under a name until a flush (`Hold.Stash`).
    pub fn stash(&self, name: &str, value: Wire<'_>) {
        let [] = self.ask("Hold.Stash", [value], [named(name)]);
    }

    /// Gives what was stashed under a name, in order, and forgets it (`Hold.Flush`).
    pub fn flush<'g>(&'g self, name: &str, trigger: Wire<'g>) -> Wire<'g> {
        self.one("Hold.Flush", [trigger], [named(name)])
    }

    /// Appends to a queue of the Node (`Serialize.Enqueue`).
    pub fn enqueue(&self, queue: &str, value: Wire<'_>) {
        let [] = self.ask("Serialize.Enqueue", [value], [named(queue)]);
    }

    /// Gives the oldest value of a queue, now or when there is one (`Serialize.Dequeue`).
    pub fn dequeue<'g>(&'g self, queue: &str, trigger: Wire<'g>) -> Wire<'g> {
        self.one("Serialize.Dequeue", [trigger], [named(queue)])
    }

    /// Appends to a ring that the host can read (`Record`).
    pub fn record_as(&self, ring: &str, value: Wire<'_>) {
        let [] = self.ask("Record", [value], [named(ring)]);
    }

    /// Adds a signed number to a counter of the Node (`IncrMetric`).
    pub fn incr_metric(&self, counter: &str, by: Wire<'_>) {
        let [] = self.ask("IncrMetric", [by], [named(counter)]);
    }

    /// Gives the value on once the execution holds one of so many permits (`Limit.Acquire`).
    pub fn acquire<'g>(&'g self, limit: &str, permits: u64, value: Wire<'g>) -> Wire<'g> {
        self.one("Limit.Acquire", [value], [named(limit), ("permits", permits.into())])
    }

    /// Gives the value on and the permit back (`Limit.Release`).
    pub fn release<'g>(&'g self, limit: &str, value: Wire<'g>) -> Wire<'g> {
        self.one("Limit.Release", [value], [named(limit)])
    }

    /// Gives the peers that the Node has bound to a place, when it is triggered (`Place.Peers`).
    pub fn peers_at<'g>(&'g self, place: &str, trigger: Wire<'g>) -> Wire<'g> {
        self.one("Place.Peers", [trigger], [("place", place.into())])
    }

    pub(super) fn one<'g, const A: usize>(
        &'g self,
        name: &str,
        inputs: impl IntoIterator<Item = Wire<'g>>,
        attributes: [(&str, Value); A],
    ) -> Wire<'g> {
        let [output] = self.ask(name, inputs, attributes);
        output
    }

    pub(super) fn ask<'g, const N: usize, const A: usize>(
        &'g self,
        name: &str,
        inputs: impl IntoIterator<Item = Wire<'g>>,
        attributes: [(&str, Value); A],
    ) -> [Wire<'g>; N] {
        self.record(syscall(name, attributes), inputs)
    }
}

pub(super) fn syscall<const A: usize>(name: &str, attributes: [(&str, Value); A]) -> NewOp {
    let mut op = NewOp::unnamed(name, OpKind::Syscall(name.to_owned()));
    op.attributes = attributes.map(|(key, value)| (key.to_owned(), value)).into();
    op
}

fn nanos(time: Nanos) -> (&'static str, Value) {
    ("nanos", time.get().into())
}

fn named(name: &str) -> (&'static str, Value) {
    ("name", name.into())
}
