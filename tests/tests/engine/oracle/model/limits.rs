//! Permits: who holds them and who waits, as two lists.
//!
//! Law: a freed permit goes to the head of its line at once, and the line moves by nothing else.

use samsara_runtime::{
    error::OpError,
    id::{CommandId, ExecId},
    module::Op,
    value::Value,
};

use super::{Answer, Fired, Model, Parked, call::number, places};

#[derive(Default)]
pub(super) struct Limit {
    /// One entry for each permit that is taken.
    holders: Vec<ExecId>,
    line: Vec<(ExecId, CommandId)>,
}

fn name(op: &Op) -> &str {
    match &op.attributes["name"] {
        Value::Text(name) => name,
        _ => panic!("a name is text"),
    }
}

impl Model<'_> {
    pub(super) fn acquire(&mut self, exec: ExecId, op: &Op, input: Value) -> Fired {
        self.with_command(|model, command| {
            let gate = model.limits.entry(name(op).to_owned()).or_default();
            if (gate.holders.len() as u64) < number(&op.attributes["permits"]) {
                gate.holders.push(exec);
                return Fired::Now(vec![input]);
            }
            gate.line.push((exec, command));
            Fired::Waits(command, input)
        })
    }

    pub(super) fn release(&mut self, exec: ExecId, op: &Op, input: Value) -> Fired {
        let name = name(op);
        let gate = self.limits.entry(name.to_owned()).or_default();
        let Some(held) = gate.holders.iter().position(|holder| *holder == exec) else {
            let reason = format!("{exec:?} holds no permit of gate {name:?}");
            return Fired::Fails(OpError::failed(reason));
        };
        gate.holders.remove(held);
        let next = gate.next();
        self.answered.extend(next.map(|command| (command, Answer::ItsInput)));
        Fired::Now(vec![input])
    }

    /// Gives on a permit that came too late for the op that waits under this command.
    pub(super) fn give_permit_back(&mut self, command: CommandId) {
        let Parked { exec, op, .. } = &self.parked[&command];
        let gate = self.limits.get_mut(name(places::op(self.modules, op))).expect("it was granted");
        let held = gate.holders.iter().rposition(|holder| holder == exec).expect("it is held");
        gate.holders.remove(held);
        let next = gate.next();
        self.answered.extend(next.map(|command| (command, Answer::ItsInput)));
    }

    /// Takes an execution that ends out of every line, and its permits to those who wait.
    pub(super) fn leave_limits(&mut self, exec: ExecId) {
        for gate in self.limits.values_mut() {
            gate.line.retain(|(waiting, _)| *waiting != exec);
            let before = gate.holders.len();
            gate.holders.retain(|holder| *holder != exec);
            for _ in gate.holders.len()..before {
                let next = gate.next();
                self.answered.extend(next.map(|command| (command, Answer::ItsInput)));
            }
        }
    }
}

impl Limit {
    pub(super) fn leave(&mut self, command: CommandId) {
        self.line.retain(|(_, waiting)| *waiting != command);
    }

    /// Gives a free permit to the head of the line.
    fn next(&mut self) -> Option<CommandId> {
        if self.line.is_empty() {
            return None;
        }
        let (exec, command) = self.line.remove(0);
        self.holders.push(exec);
        Some(command)
    }
}
