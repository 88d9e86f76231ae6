//! The engine again, told as plainly as can be.
//!
//! Law: nothing here is dense, pooled or shared with the engine. Modules are walked as they were
//! authored, each value looks for its readers anew, and a name or a path is a key.

mod ask;
mod call;
mod limits;
mod places;
mod queues;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use samsara_runtime::{
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    id::{CommandId, ExecId},
    module::{Activation, Module, Op, OpKind, ValueId},
    node::Wakeup,
    program::Program,
    step::EngineStep,
    time::Nanos,
    value::Value,
};

use self::{
    limits::Limit,
    places::{Path, Reader, ops, readers, title},
    queues::Queue,
};

/// What waits in the mailbox.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Arrival(ExecId, Vec<(&'static str, u64)>),
    Answer(CommandId, Answer),
}

impl Event {
    /// Bytes of the mailbox's budget; a dropped completion costs none.
    fn weight(&self) -> u64 {
        match self {
            Self::Arrival(_, inputs) => 8 * inputs.len() as u64,
            Self::Answer(_, Answer::Outputs(outputs)) => 8 * outputs.len() as u64,
            Self::Answer(_, Answer::Failed(error)) if error.kind() == OpErrorKind::Cancelled => 0,
            Self::Answer(_, Answer::Failed(error)) => error.reason().len() as u64,
            Self::Answer(_, Answer::ItsInput) => 0,
        }
    }
}

/// What an op goes on with.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Outputs(Vec<Value>),
    ItsInput,
    Failed(OpError),
}

/// What became of a fired op.
enum Fired {
    Now(Vec<Value>),
    /// Only this output.
    Only(usize, Value),
    /// It waits under this command, and goes on with this value if it is told to.
    Waits(CommandId, Value),
    Fails(OpError),
}

struct Execution {
    /// Bytes that its arrival holds.
    weight: u64,
    /// What has arrived at each op.
    arrived: BTreeMap<Path, Vec<Option<Value>>>,
    /// Ops that were made ready, each for good.
    woken: BTreeSet<Path>,
    open_deadlines: BTreeSet<Path>,
    /// Ops that are ready or parked.
    busy: u32,
    has_failed: bool,
}

struct Parked {
    exec: ExecId,
    op: Path,
    input: Value,
    expires: Option<Nanos>,
}

struct Timer {
    due: Nanos,
    number: u64,
    wakes: Wakes,
}

#[derive(PartialEq)]
enum Wakes {
    Command(CommandId),
    Deadline(ExecId, Path),
}

/// A Node as it should be.
pub(super) struct Model<'p> {
    modules: &'p BTreeMap<String, Module>,
    config: NodeConfig,
    now: Nanos,
    pub(super) mailbox: VecDeque<Event>,
    /// Completions that nobody has answered yet, oldest first.
    pub(super) desk: Vec<CommandId>,
    /// Commands that the host has answered nothing yet to, or whose answer waits in the mailbox.
    awaited: BTreeSet<CommandId>,
    commands: u64,
    timers_set: u64,
    total: u64,
    executions: BTreeMap<ExecId, Execution>,
    ready: VecDeque<(ExecId, Path)>,
    parked: BTreeMap<CommandId, Parked>,
    answered: VecDeque<(CommandId, Answer)>,
    timers: Vec<Timer>,
    limits: BTreeMap<String, Limit>,
    queue: Queue,
    steps: Vec<EngineStep>,
    /// Answers that went nowhere.
    pub(super) ignored: u64,
}

impl<'p> Model<'p> {
    pub(super) fn new(program: &'p Program, config: NodeConfig) -> Self {
        Self {
            modules: program.modules(),
            config,
            now: Nanos::ZERO,
            mailbox: VecDeque::new(),
            desk: Vec::new(),
            awaited: BTreeSet::new(),
            commands: 0,
            timers_set: 0,
            total: 0,
            executions: BTreeMap::new(),
            ready: VecDeque::new(),
            parked: BTreeMap::new(),
            answered: VecDeque::new(),
            timers: Vec::new(),
            limits: BTreeMap::new(),
            queue: Queue::default(),
            steps: Vec::new(),
            ignored: 0,
        }
    }

    /// How many executions have begun and not ended, and how many ops are parked.
    pub(super) fn alive(&self) -> (usize, usize) {
        (self.executions.len(), self.parked.len())
    }

    /// Bytes that wait, and that executions hold which have begun and not ended.
    pub(super) fn bytes(&self) -> u64 {
        let waiting: u64 = self.mailbox.iter().map(Event::weight).sum();
        waiting + self.executions.values().map(|execution| execution.weight).sum::<u64>()
    }

    pub(super) fn next_wakeup(&self) -> Wakeup {
        let timers = self.timers.iter().map(|timer| timer.due);
        match timers.chain(self.parked.values().filter_map(|parked| parked.expires)).min() {
            _ if !self.ready.is_empty() || !self.mailbox.is_empty() => Wakeup::Now,
            Some(due) if due <= self.now => Wakeup::Now,
            Some(due) => Wakeup::At(due),
            None => Wakeup::Never,
        }
    }

    /// Takes one turn of so many events, and tells what it did.
    pub(super) fn turn(&mut self, now: Nanos, events: usize) -> Vec<EngineStep> {
        self.now = self.now.max(now);
        let mut answers = Vec::new();
        for event in self.mailbox.drain(..events).collect::<Vec<_>>() {
            let weight = event.weight();
            match event {
                Event::Arrival(exec, inputs) => self.begin(exec, inputs, weight),
                Event::Answer(command, answer) => answers.push((command, answer)),
            }
        }
        let mut left = self.config.cycle_op_budget;
        self.fire_ready(&mut left);
        self.ring(&mut left);
        // What is due comes before answers of the same moment.
        for (command, answer) in answers {
            self.awaited.remove(&command);
            self.answer(command, answer);
        }
        self.fire_ready(&mut left);
        if !self.ready.is_empty() {
            self.steps.push(EngineStep::CycleBudgetExceeded { ready: self.ready.len() });
        }
        std::mem::take(&mut self.steps)
    }

    fn begin(&mut self, exec: ExecId, inputs: Vec<(&'static str, u64)>, weight: u64) {
        let execution = Execution {
            weight,
            arrived: BTreeMap::new(),
            woken: BTreeSet::new(),
            open_deadlines: BTreeSet::new(),
            busy: 0,
            has_failed: false,
        };
        self.executions.insert(exec, execution);
        for (path, op) in ops(self.modules) {
            if let Some(time) = places::deadline(op) {
                self.set_timer(self.now + time, Wakes::Deadline(exec, path.clone()));
                self.execution(exec).open_deadlines.insert(path.clone());
            }
            if needed(op) == 0 {
                self.wake(exec, path);
            }
        }
        for (name, value) in inputs {
            let ports = &self.modules["Main"].body.inputs;
            let port = ports.iter().find(|port| port.name == name).expect("a declared input");
            self.flow(exec, &[], port.value, &Value::U64(value));
        }
        self.end_if_done(exec);
    }

    fn fire_ready(&mut self, left: &mut u32) {
        self.answer_all();
        while *left > 0 {
            let Some((exec, path)) = self.ready.pop_front() else { break };
            *left -= 1;
            self.fire(exec, &path);
            self.answer_all();
        }
    }

    /// Does what is due, the longest due first.
    fn ring(&mut self, left: &mut u32) {
        while *left > 0 {
            let first = self.timers.iter().map(|timer| (timer.due, timer.number)).min();
            let first = first.filter(|(due, _)| *due <= self.now);
            let expiry =
                |(command, parked): (&CommandId, &Parked)| Some((parked.expires?, *command));
            if let Some((at, command)) = self.parked.iter().filter_map(expiry).min()
                && at <= self.now
                && first.is_none_or(|(due, _)| at <= due)
            {
                *left -= 1;
                self.go_on(command, time_is_up(at));
                self.answer_all();
                continue;
            }
            let Some((_, number)) = first else { break };
            let place = self.timers.iter().position(|timer| timer.number == number);
            let timer = self.timers.remove(place.expect("it was just found"));
            *left -= 1;
            match timer.wakes {
                Wakes::Command(command) => self.go_on(command, Answer::ItsInput),
                Wakes::Deadline(exec, path) => self.pass_deadline(exec, &path),
            }
            self.answer_all();
        }
    }

    fn pass_deadline(&mut self, exec: ExecId, path: &Path) {
        let execution = self.execution(exec);
        if execution.woken.contains(path) {
            // Its value came first, and it will fire for that.
            return;
        }
        execution.woken.insert(path.clone());
        execution.open_deadlines.remove(path);
        if places::is_named(self.modules, path, "DeadlineMatch") {
            self.give(exec, path, 0, &Value::Unit);
            self.give(exec, path, 1, &Value::from("deadline"));
        } else {
            self.give(exec, path, 1, &Value::Unit);
        }
        self.end_if_done(exec);
    }

    fn fire(&mut self, exec: ExecId, path: &Path) {
        let op = places::op(self.modules, path);
        let arrived = self.execution(exec).arrived.remove(path);
        let arguments = arrived.unwrap_or_else(|| vec![None; op.inputs.len()]);
        let fired = match &op.kind {
            OpKind::Component { op, .. } => self.call(op, &arguments),
            OpKind::Constant => Fired::Now(vec![op.attributes["value"].clone()]),
            OpKind::Syscall(name) => self.ask(exec, path, name, op, &arguments),
            OpKind::Call { .. } | OpKind::Tensor { .. } => unreachable!("it is never ready"),
        };
        if let Fired::Waits(command, input) = fired {
            let expires = places::within(op).map(|time| self.now + time);
            self.parked.insert(command, Parked { exec, op: path.clone(), input, expires });
            let op = title(self.modules, path);
            return self.steps.push(EngineStep::AsyncSuspended { exec, op, command });
        }
        self.finish(exec, path, fired);
    }

    fn answer_all(&mut self) {
        while let Some((command, answer)) = self.answered.pop_front() {
            self.answer(command, answer);
        }
    }

    fn answer(&mut self, command: CommandId, answer: Answer) {
        match self.parked.get(&command).and_then(|parked| parked.expires) {
            Some(at) if at <= self.now => {
                if let Answer::ItsInput = answer {
                    self.give_permit_back(command);
                }
                self.go_on(command, time_is_up(at));
            }
            _ => self.go_on(command, answer),
        }
    }

    fn is_too_late(&self, command: CommandId) -> bool {
        let expires = self.parked.get(&command).and_then(|parked| parked.expires);
        expires.is_some_and(|at| at <= self.now)
    }

    fn go_on(&mut self, command: CommandId, answer: Answer) {
        let Some(Parked { exec, op, input, .. }) = self.parked.remove(&command) else {
            self.ignored += 1;
            return self.steps.push(EngineStep::CompletionIgnored { command });
        };
        self.timers.retain(|timer| timer.wakes != Wakes::Command(command));
        // Whoever was answered waits no more, whoever answered.
        self.limits.values_mut().for_each(|limit| limit.leave(command));
        self.queue.leave(command);
        let fired = match answer {
            Answer::Outputs(outputs) => Fired::Now(outputs),
            Answer::ItsInput => Fired::Now(vec![input]),
            Answer::Failed(error) => Fired::Fails(error),
        };
        self.finish(exec, &op, fired);
    }

    fn finish(&mut self, exec: ExecId, path: &Path, fired: Fired) {
        let wanted = places::op(self.modules, path).outputs.len();
        match fired {
            Fired::Now(outputs) if outputs.len() == wanted => {
                for (output, value) in outputs.iter().enumerate() {
                    self.give(exec, path, output, value);
                }
            }
            Fired::Now(outputs) => self.fail(exec, path, call::bad_output(outputs.len(), wanted)),
            Fired::Only(output, value) => self.give(exec, path, output, &value),
            Fired::Fails(error) => self.fail(exec, path, error),
            Fired::Waits(..) => unreachable!("who waits has not finished"),
        }
        self.execution(exec).busy -= 1;
        self.end_if_done(exec);
    }

    fn fail(&mut self, exec: ExecId, path: &Path, error: OpError) {
        self.execution(exec).has_failed = true;
        let op = title(self.modules, path);
        self.steps.push(EngineStep::OpFailed { exec, op, error });
    }

    fn give(&mut self, exec: ExecId, path: &Path, output: usize, value: &Value) {
        let id = places::op(self.modules, path).outputs[output];
        let (_, place) = path.split_last().expect("an op stands in a body");
        self.flow(exec, place, id, value);
    }

    /// Gives a value of the body at `place` to all who read it, in the order of the program.
    fn flow(&mut self, exec: ExecId, place: &[usize], id: ValueId, value: &Value) {
        for reader in readers(self.modules, place, id) {
            match reader {
                Reader::Operand(path, operand) => self.arrive(exec, path, operand, value.clone()),
                Reader::Output(port) => {
                    let (module, value) = ("Main".into(), value.clone());
                    let port = self.modules["Main"].body.outputs[port].name.as_str().into();
                    self.steps.push(EngineStep::AppEvent { exec, module, port, value });
                }
            }
        }
    }

    fn arrive(&mut self, exec: ExecId, path: Path, operand: usize, value: Value) {
        let op = places::op(self.modules, &path);
        let execution = self.execution(exec);
        if execution.woken.contains(&path) {
            return;
        }
        let none = || vec![None; op.inputs.len()];
        let arrived = execution.arrived.entry(path.clone()).or_insert_with(none);
        arrived[operand] = Some(value);
        if arrived.iter().flatten().count() == needed(op) {
            self.wake(exec, path);
        }
    }

    fn wake(&mut self, exec: ExecId, path: Path) {
        let execution = self.execution(exec);
        execution.busy += 1;
        execution.woken.insert(path.clone());
        self.ready.push_back((exec, path));
    }

    fn end_if_done(&mut self, exec: ExecId) {
        let execution = self.execution(exec);
        if execution.busy > 0 || !execution.open_deadlines.is_empty() {
            return;
        }
        let is_half_fed = |path: &&Path| !execution.woken.contains(*path);
        let half_fed: Vec<Path> = execution.arrived.keys().filter(is_half_fed).cloned().collect();
        if !half_fed.is_empty() && !execution.has_failed {
            let ops = half_fed.iter().map(|path| title(self.modules, path)).collect();
            self.steps.push(EngineStep::Starved { exec, ops });
        }
        self.executions.remove(&exec);
        self.leave_limits(exec);
    }

    fn execution(&mut self, exec: ExecId) -> &mut Execution {
        self.executions.get_mut(&exec).expect("what is under way has not ended")
    }

    fn set_timer(&mut self, due: Nanos, wakes: Wakes) {
        self.timers_set += 1;
        self.timers.push(Timer { due, number: self.timers_set, wakes });
    }
}

fn time_is_up(at: Nanos) -> Answer {
    let reason = format!("nobody answered by {at}");
    Answer::Failed(OpError::new(OpErrorKind::TimedOut, reason))
}

/// How many arrivals an op waits for.
fn needed(op: &Op) -> usize {
    match op.activation {
        Activation::All => op.inputs.iter().flatten().count(),
        Activation::Any => 1,
        Activation::Count(count) => count.into(),
    }
}
