//! Random programs: plain data that any numbers make a sound one of.
//!
//! Law: a recipe names earlier wires only, by numbers that are taken modulo what there is; so every
//! recipe can be authored, and a smaller one is simpler.

use proptest::{collection::vec, option, prelude::*};
use samsara_runtime::{
    compiler::Compiler,
    graph::{Graph, Wire},
    module::Draft,
    program::Program,
    time::Nanos,
};

use super::lab::Lab;

/// Which wire an op reads.
type Pick = u8;

/// Inputs of the module that runs.
pub(super) const INPUTS: [&str; 3] = ["a", "b", "c"];
/// Limits, each with its permits.
const LIMITS: [(&str, u64); 2] = [("one", 1), ("two", 2)];

/// Modules in the order of calling: each may call those before it, and the last one runs.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    modules: Vec<ModuleRecipe>,
}

#[derive(Clone, Debug)]
struct ModuleRecipe {
    ops: Vec<OpRecipe>,
    outputs: [Pick; 2],
}

#[derive(Clone, Debug)]
enum OpRecipe {
    One(&'static str, Pick),
    Both(Pick),
    Plus(bool, [Pick; 2]),
    Mix(u16, [Option<Pick>; 3]),
    Constant(u64),
    Pass(Pick),
    Tee(Pick),
    Race(Vec<Pick>),
    RaceByName(Vec<Pick>),
    /// A race against a deadline.
    Match(Vec<Pick>, u64),
    /// A list that comes apart in two, whatever it holds.
    List(Vec<Pick>),
    Gate(Pick, Pick, bool),
    Sleep(Pick, u64),
    After(Pick, Pick),
    Deadline(Pick, u64),
    Clock(Pick),
    Emit(Pick),
    Keep(Keep, Pick),
    Call(usize, [Pick; 2]),
    /// An op that may wait, for so long.
    Within(Box<Self>, u64),
}

/// What the arms of a race are called.
const ARMS: [&str; 3] = ["left", "middle", "right"];

/// What outlasts an execution.
#[derive(Clone, Copy, Debug)]
enum Keep {
    Acquire(usize),
    Release(usize),
    Enqueue,
    Dequeue,
}

fn op() -> impl Strategy<Value = OpRecipe> {
    use self::Keep::{Acquire, Dequeue, Enqueue, Release};
    use OpRecipe::{
        After, Both, Call, Clock, Constant, Deadline, Emit, Gate, Keep, List, Match, Mix, One,
        Pass, Plus, Race, RaceByName, Sleep, Tee, Within,
    };
    let pick = any::<Pick>;
    let one = prop::sample::select(vec!["add", "even", "later", "later", "twice", "poke", "spoil"]);
    let waits = prop_oneof![
        4 => (prop::sample::select(vec!["later", "twice", "add"]), pick())
            .prop_map(|(op, of)| One(op, of)),
        2 => (pick(), 0..9_u64).prop_map(|(of, time)| Sleep(of, time)),
        1 => any::<[Pick; 2]>().prop_map(|[of, delay]| After(of, delay)),
        2 => (pick(), 0..LIMITS.len()).prop_map(|(of, limit)| Keep(Acquire(limit), of)),
        2 => pick().prop_map(|of| Keep(Dequeue, of)),
    ];
    prop_oneof![
        4 => (waits, 0..9_u64).prop_map(|(op, time)| Within(Box::new(op), time)),
        1 => vec(pick(), 1..4).prop_map(RaceByName),
        1 => (vec(pick(), 1..4), 0..9_u64).prop_map(|(of, time)| Match(of, time)),
        1 => prop_oneof![3 => vec(pick(), 2..3), 1 => vec(pick(), 1..4)].prop_map(List),
        6 => (one, pick()).prop_map(|(op, of)| One(op, of)),
        1 => pick().prop_map(Both),
        2 => (prop::bool::weighted(0.1), any::<[Pick; 2]>()).prop_map(|(any, of)| Plus(any, of)),
        3 => (0..3_u16, [option::of(pick()), option::of(pick()), option::of(pick())])
            .prop_map(|(count, of)| Mix(count, of)),
        1 => (0..9_u64).prop_map(Constant),
        1 => pick().prop_map(Pass),
        1 => pick().prop_map(Tee),
        2 => vec(pick(), 1..4).prop_map(Race),
        1 => any::<(Pick, Pick, bool)>().prop_map(|(of, open, by)| Gate(of, open, by)),
        2 => (pick(), 0..9_u64).prop_map(|(of, time)| Sleep(of, time)),
        1 => any::<[Pick; 2]>().prop_map(|[of, delay]| After(of, delay)),
        2 => (pick(), 0..9_u64).prop_map(|(of, time)| Deadline(of, time)),
        1 => pick().prop_map(Clock),
        1 => pick().prop_map(Emit),
        2 => (pick(), 0..LIMITS.len()).prop_map(|(of, limit)| Keep(Acquire(limit), of)),
        1 => (pick(), 0..LIMITS.len()).prop_map(|(of, limit)| Keep(Release(limit), of)),
        1 => pick().prop_map(|of| Keep(Enqueue, of)),
        1 => pick().prop_map(|of| Keep(Dequeue, of)),
        2 => (0..4_usize, any::<[Pick; 2]>()).prop_map(|(callee, of)| Call(callee, of)),
    ]
}

pub(crate) fn recipe() -> impl Strategy<Value = Recipe> {
    let module = |ops| {
        (vec(op(), ops), any::<[Pick; 2]>())
            .prop_map(|(ops, outputs)| ModuleRecipe { ops, outputs })
    };
    (vec(module(0..5), 0..3), module(1..12)).prop_map(|(mut modules, main)| {
        modules.push(main);
        Recipe { modules }
    })
}

impl Recipe {
    /// Compiles the program; the module that runs is called `Main`.
    pub(crate) fn program(&self) -> Program {
        let mut drafts = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            let is_main = at + 1 == self.modules.len();
            let name = if is_main { "Main".to_owned() } else { format!("Sub{at}") };
            drafts.push(module.author(name, if is_main { 3 } else { 2 }, &drafts));
        }
        let main = drafts.pop().expect("a recipe has a module that runs");
        Compiler::new().bind::<Lab>("lab").compile(main).expect("every recipe is sound")
    }

    /// Whether an execution may wait for ever: for a permit that it holds itself, or an item that
    /// nobody brings.
    pub(super) fn may_wait_for_ever(&self) -> bool {
        let mut ops = self.modules.iter().flat_map(|module| &module.ops);
        ops.any(|op| matches!(op, OpRecipe::Keep(Keep::Acquire(_) | Keep::Dequeue, _)))
    }
}

impl ModuleRecipe {
    fn author(&self, name: String, inputs: usize, callees: &[Draft]) -> Draft {
        let g = Graph::new(name);
        let numbers = INPUTS.iter().take(inputs).map(|name| g.input::<u64>(name)).collect();
        let mut author = Author { g: &g, callees, numbers, triggers: Vec::new() };
        self.ops.iter().for_each(|op| author.op(op));
        for (name, pick) in ["x", "y"].into_iter().zip(self.outputs) {
            g.output(name, author.at(pick));
        }
        g.build().expect("every recipe is sound")
    }
}

/// A module while it is authored.
struct Author<'g> {
    g: &'g Graph,
    callees: &'g [Draft],
    /// Wires of numbers, never none.
    numbers: Vec<Wire<'g>>,
    /// Wires that are no numbers, and can only trigger.
    triggers: Vec<Wire<'g>>,
}

impl<'g> Author<'g> {
    /// A wire: one of the youngest for half of the picks, so that programs become deep.
    fn at(&self, pick: Pick) -> Wire<'g> {
        let count = self.numbers.len();
        let (pick, is_recent) = (usize::from(pick / 2), pick.is_multiple_of(2));
        let back = if is_recent { pick % count.min(3) } else { pick % count };
        self.numbers[count - 1 - back]
    }

    fn op(&mut self, op: &OpRecipe) {
        let given = self.given(op);
        self.numbers.extend(given);
    }

    fn arms(&self, of: &[Pick]) -> Vec<(&'static str, Wire<'g>)> {
        ARMS.into_iter().zip(of.iter().map(|of| self.at(*of))).collect()
    }

    fn given(&mut self, op: &OpRecipe) -> Vec<Wire<'g>> {
        let (g, lab) = (self.g, self.g.slot("lab"));
        match op {
            OpRecipe::RaceByName(of) => {
                let (first, winner) = g.race(self.arms(of));
                g.emit("winner", winner);
                self.triggers.push(winner);
                vec![first]
            }
            OpRecipe::Match(of, time) => {
                let (first, winner) = g.deadline_match(self.arms(of), Nanos::new(*time));
                g.emit("first", first);
                g.emit("winner", winner);
                self.triggers.push(first);
                Vec::new()
            }
            OpRecipe::List(of) => {
                let list = g.bundle(of.iter().map(|of| self.at(*of)).collect::<Vec<_>>());
                g.unbundle::<2>(list).to_vec()
            }
            OpRecipe::Within(op, time) => {
                let given = self.given(op);
                let waits = given.first().or(self.triggers.last()).copied();
                g.within(waits.expect("what waits gives something"), Nanos::new(*time));
                given
            }
            OpRecipe::One(op, of) => vec![lab.op(op, [self.at(*of)])],
            OpRecipe::Both(of) => lab.op_n::<2>("both", [self.at(*of)]).to_vec(),
            OpRecipe::Plus(any, of) => {
                let lab = if *any { lab.any() } else { lab };
                vec![lab.op("plus", of.map(|of| self.at(of)))]
            }
            OpRecipe::Mix(count, of) => {
                let given = of.iter().flatten().count();
                let lab = match *count {
                    count if count > 0 && usize::from(count) <= given => lab.count(count),
                    _ => lab,
                };
                vec![lab.op("mix", of.map(|of| of.map_or(Wire::ABSENT, |of| self.at(of))))]
            }
            OpRecipe::Constant(value) => vec![g.constant(*value)],
            OpRecipe::Pass(of) => vec![g.pass_through(self.at(*of))],
            OpRecipe::Tee(of) => g.tee(self.at(*of)).to_vec(),
            OpRecipe::Race(of) => {
                let (first, winner) =
                    g.race_indexed(of.iter().map(|of| self.at(*of)).collect::<Vec<_>>());
                vec![first, winner]
            }
            OpRecipe::Gate(of, open, by_trigger) => {
                let trigger = self.triggers.last().filter(|_| *by_trigger).copied();
                vec![g.gate(self.at(*of), trigger.unwrap_or_else(|| self.at(*open)))]
            }
            OpRecipe::Sleep(of, time) => vec![g.sleep(self.at(*of), Nanos::new(*time))],
            OpRecipe::After(of, delay) => vec![g.after(self.at(*of), self.at(*delay))],
            OpRecipe::Deadline(of, time) => {
                let [in_time, late] = g.deadline(self.at(*of), Nanos::new(*time));
                g.emit("late", late);
                self.triggers.push(late);
                vec![in_time]
            }
            OpRecipe::Clock(of) => vec![g.clock(self.at(*of))],
            OpRecipe::Emit(of) => {
                g.emit("told", self.at(*of));
                Vec::new()
            }
            OpRecipe::Keep(what, of) => self.keep(*what, self.at(*of)),
            OpRecipe::Call(callee, of) => self.call(*callee, *of),
        }
    }

    fn keep(&mut self, what: Keep, wire: Wire<'g>) -> Vec<Wire<'g>> {
        let g = self.g;
        match what {
            Keep::Acquire(limit) => {
                let (name, permits) = LIMITS[limit];
                vec![g.acquire(name, permits, wire)]
            }
            Keep::Release(limit) => vec![g.release(LIMITS[limit].0, wire)],
            Keep::Enqueue => {
                g.enqueue("line", wire);
                Vec::new()
            }
            Keep::Dequeue => {
                let taken = g.dequeue("line", wire);
                g.emit("taken", taken);
                self.triggers.push(taken);
                Vec::new()
            }
        }
    }

    fn call(&self, callee: usize, of: [Pick; 2]) -> Vec<Wire<'g>> {
        match callee.checked_rem(self.callees.len()).and_then(|at| self.callees.get(at)) {
            Some(callee) => self.g.call::<2>(callee, of.map(|of| self.at(of))).to_vec(),
            None => Vec::new(),
        }
    }
}
