//! What a program may ask of the engine: one table, read by the compiler and by the engine.
//!
//! Law: a request that is not a row here does not exist. Attributes are all required; what depends
//! on the run is an input.
//!
//! ```
//! use samsara_runtime::graph::syscalls::syscall;
//!
//! let gate = syscall("Gate").expect("a row of the table");
//! assert!(gate.takes(2) && !gate.takes(1));
//! assert!(syscall("Shout").is_none());
//! ```

use crate::schema::PortType;

/// One kind of request.
#[derive(Debug)]
pub struct Syscall {
    /// Its name in a program.
    pub name: &'static str,
    /// What it takes.
    pub inputs: &'static [SysIn],
    /// What it gives.
    pub outputs: &'static [SysOut],
    /// What is fixed when it is authored.
    pub attributes: &'static [(&'static str, PortType)],
}

/// An input of a request.
#[derive(Debug)]
pub enum SysIn {
    /// One value of this type.
    One(PortType),
    /// At least one value of this type; always the last.
    Rest(PortType),
}

/// An output of a request.
#[derive(Debug)]
pub enum SysOut {
    /// A value of this type.
    Of(PortType),
    /// A value of the type of this input.
    Same(usize),
    /// A value of the type that all inputs share; of any type if they share none.
    Common,
    /// A list of values of any type.
    List,
    /// An item of the list that the first input is, for as many outputs as the op has; always the
    /// only one.
    Items,
    /// What an event of the kind that the attribute `kind` names is given as.
    Event,
    /// A list of values of the type of the second input; if there are more, of lists of such.
    Gathered,
}

use PortType::{Any as AnyType, I64, Peer, Text, U64, Unit};
use SysIn::{One, Rest};
use SysOut::{Common, Event, Gathered, Items, List, Of, Same};

const NAME: (&str, PortType) = ("name", Text);
const PORT: (&str, PortType) = ("port", Text);
const NANOS: (&str, PortType) = ("nanos", U64);
// A list of texts, one for each input; the link step checks it.
const NAMES: (&str, PortType) = ("names", AnyType);

/// Requests that may wait for what others do, so that a time can be set for it.
pub(crate) const WAITING: &[&str] = &["After", "Limit.Acquire", "Serialize.Dequeue", "Sleep"];

macro_rules! rows {
    ($($name:literal: $inputs:expr => $outputs:expr, $attributes:expr;)*) => {
        /// All requests, in the order of their names.
        pub static SYSCALLS: &[Syscall] = &[$(Syscall {
            name: $name,
            inputs: $inputs,
            outputs: $outputs,
            attributes: $attributes,
        }),*];
    };
}

rows! {
    // Gives its first input on after the time that its second one says, in nanoseconds.
    "After": &[One(AnyType), One(U64)] => &[Same(0)], &[];
    // Gives the first of its inputs to arrive, and that input's position.
    "Any": &[Rest(AnyType)] => &[Common, Of(U64)], &[];
    // Tells the host a value under a topic.
    "AppEmit": &[One(AnyType)] => &[], &[("topic", Text)];
    // Tells the modules of this Node a value under a topic.
    "AppNotify": &[One(AnyType)] => &[], &[("topic", Text)];
    // Triggered: asks for a module's bootstrap, which runs unless it has.
    "Bootstrap.Dispatch": &[One(AnyType)] => &[], &[("module", Text)];
    // Gives a list of its inputs.
    "Bundle": &[Rest(AnyType)] => &[List], &[];
    // Gives logical now, in nanoseconds, when it is triggered.
    "Clock": &[One(AnyType)] => &[Of(U64)], &[];
    // Gives its input on by the first output if it comes within the time, counted from the start
    // of the execution; else it triggers the second. Exactly one of them fires.
    "Deadline": &[One(AnyType)] => &[Same(0), Of(Unit)], &[NANOS];
    // Gives the first of its inputs to arrive and that input's name; or, if none comes within the
    // time, counted from the start of the execution, the trigger and the name `deadline`.
    "DeadlineMatch": &[Rest(AnyType)] => &[Of(AnyType), Of(Text)], &[NAMES, NANOS];
    // Starts an execution for each event of this kind on the bus, and gives the event.
    "EventSource": &[] => &[Event], &[("kind", Text)];
    // Gives its first input on once the second has arrived too.
    "Gate": &[One(AnyType), One(AnyType)] => &[Same(0)], &[];
    // Joins what senders send in a round, which the first input tells: the values of each sender are
    // an item of what it gives. It gives nothing while others are missing.
    "Gather": &[One(AnyType), Rest(AnyType)] => &[Gathered],
        &[("count", U64), ("late", Text), NANOS, ("on_deadline", Text)];
    // Triggered: gives what was stashed under a name, in order, and forgets it.
    "Hold.Flush": &[One(AnyType)] => &[List], &[NAME];
    // Keeps a value under a name until a flush.
    "Hold.Stash": &[One(AnyType)] => &[], &[NAME];
    // Adds to a counter of the Node.
    "IncrMetric": &[One(I64)] => &[], &[NAME];
    // Starts an execution each period, on a fixed grid; gives how many ticks have passed.
    "Interval": &[] => &[Of(U64)], &[NANOS];
    // Triggers when the host says that this phase has come.
    "LifecyclePhase": &[] => &[Of(Unit)], &[("phase", Text)];
    // Gives its input on once the execution holds one of so many permits.
    "Limit.Acquire": &[One(AnyType)] => &[Same(0)], &[NAME, ("permits", U64)];
    // Gives its input on and the execution's permit back, before the execution ends.
    "Limit.Release": &[One(AnyType)] => &[Same(0)], &[NAME];
    // Gives who sent the envelope behind the execution, and the number of its request or 0.
    "Net.Receive": &[One(AnyType)] => &[Of(Peer), Of(U64)], &[];
    // Answers the request behind the execution.
    "Net.Reply": &[One(AnyType)] => &[], &[];
    // Asks a port of a peer with a value, and gives the answer.
    "Net.Send": &[One(Peer), One(AnyType)] => &[Of(AnyType)], &[PORT];
    // Sends a value to a port of a peer, or of each of a list of peers; several values go together,
    // to its numbered ports.
    "NetOut": &[One(AnyType), Rest(AnyType)] => &[], &[PORT, ("class", Text)];
    // Gives its input on.
    "PassThrough": &[One(AnyType)] => &[Same(0)], &[];
    // Refuses a peer from now on.
    "Peers.Block": &[One(Peer)] => &[], &[];
    // Adds an owner, and an address or a list of them, to a peer.
    "Peers.Insert": &[One(Peer), One(AnyType)] => &[], &[];
    // Gives the addresses of a peer.
    "Peers.Lookup": &[One(Peer)] => &[List], &[];
    // Refuses a peer no more.
    "Peers.Unblock": &[One(Peer)] => &[], &[];
    // Triggered: gives the peers that are bound to a place.
    "Place.Peers": &[One(AnyType)] => &[List], &[("place", Text)];
    // Triggers once in the life of the program on its Node.
    "Pulse": &[] => &[Of(Unit)], &[];
    // Gives the first of its inputs to arrive, and that input's name.
    "Race": &[Rest(AnyType)] => &[Common, Of(Text)], &[NAMES];
    // Appends to a ring that the host can read.
    "Record": &[One(AnyType)] => &[], &[NAME];
    // Gives a random number when it is triggered.
    "RngU64": &[One(AnyType)] => &[Of(U64)], &[];
    // Triggered: gives the oldest value of a queue, now or when there is one.
    "Serialize.Dequeue": &[One(AnyType)] => &[Of(AnyType)], &[NAME];
    // Appends to a queue of the Node.
    "Serialize.Enqueue": &[One(AnyType)] => &[], &[NAME];
    // Gives its input on after a fixed time.
    "Sleep": &[One(AnyType)] => &[Same(0)], &[NANOS];
    // Gives its input on twice.
    "Tee": &[One(AnyType)] => &[Same(0), Same(0)], &[];
    // Gives the items of a list, each by its own output; fails if they are more or fewer.
    "Unbundle": &[One(AnyType)] => &[Items], &[];
}

/// The request of this name.
pub fn syscall(name: &str) -> Option<&'static Syscall> {
    SYSCALLS.iter().find(|row| row.name == name)
}

impl Syscall {
    /// The type of the input at this position.
    pub fn input(&self, at: usize) -> Option<&'static PortType> {
        match (self.inputs.get(at), self.inputs.last()) {
            (Some(One(ty) | Rest(ty)), _) | (None, Some(Rest(ty))) => Some(ty),
            _ => None,
        }
    }

    /// The output at this position.
    pub fn output(&self, at: usize) -> Option<&'static SysOut> {
        match (self.outputs.get(at), self.outputs.last()) {
            (Some(output), _) | (None, Some(output @ Items)) => Some(output),
            _ => None,
        }
    }

    /// Whether it gives so many outputs.
    pub fn gives(&self, count: usize) -> bool {
        matches!(self.outputs, [Items]) || count == self.outputs.len()
    }

    /// Whether it takes so many inputs.
    pub fn takes(&self, count: usize) -> bool {
        match self.inputs.last() {
            Some(Rest(_)) => count >= self.inputs.len(),
            _ => count == self.inputs.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_and_hang_together() {
        assert!(SYSCALLS.is_sorted_by(|left, right| left.name < right.name));
        for row in SYSCALLS {
            let rests = row.inputs.iter().filter(|input| matches!(input, Rest(_)));
            assert!(rests.count() <= 1, "{}", row.name);
            let fed = |output: &SysOut| match output {
                Same(at) => row.input(*at).is_some(),
                Common => !row.inputs.is_empty(),
                Of(_) | List | Event | Gathered => true,
                Items => row.outputs.len() == 1 && !row.inputs.is_empty(),
            };
            assert!(row.outputs.iter().all(fed), "{}", row.name);
        }
    }

    #[test]
    fn a_request_takes_as_many_inputs_as_its_row_says() {
        let any = syscall("Any").expect("a row");
        assert_eq!([0, 1, 5].map(|count| any.takes(count)), [false, true, true]);
        let gate = syscall("Gate").expect("a row");
        assert_eq!([1, 2, 3].map(|count| gate.takes(count)), [false, true, false]);
        assert_eq!((any.input(9), gate.input(2)), (Some(&PortType::Any), None));
    }
}
