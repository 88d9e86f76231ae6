//! What the ops of the test component do, said a second time.
//!
//! Law: an input that is missing and not optional fails the op, the first of them by position.

use samsara_runtime::{
    error::{OpError, OpErrorKind},
    id::CommandId,
    value::Value,
};

use super::{
    super::lab::{some_command, strange_outputs},
    Answer, Fired, Model,
};

impl Model<'_> {
    pub(super) fn call(&mut self, op: &str, arguments: &[Option<Value>]) -> Fired {
        let numbers: Vec<Option<u64>> =
            arguments.iter().map(|value| value.as_ref().map(number)).collect();
        if op == "mix" {
            let sum = |(n, factor): (&Option<u64>, u64)| n.unwrap_or(6).wrapping_mul(factor);
            return one(numbers.iter().zip([3, 5, 7]).map(sum).fold(0, u64::wrapping_add));
        }
        if let Some(missing) = numbers.iter().position(Option::is_none) {
            let reason = format!("argument {missing}: it is missing");
            return Fired::Fails(OpError::new(OpErrorKind::BadArgument, reason));
        }
        let n = numbers[0].expect("none is missing");
        match op {
            "add" => {
                self.total = self.total.wrapping_add(n);
                one(self.total)
            }
            "plus" => one(n.wrapping_add(numbers[1].expect("none is missing"))),
            "even" if n % 2 == 1 => Fired::Fails(OpError::failed(format!("{n} is odd"))),
            "even" => one(n / 2),
            "both" => Fired::Now([n.wrapping_add(1), n.wrapping_mul(3)].map(Value::U64).into()),
            "later" => self.later(),
            "twice" => self.with_command(|model, command| {
                for n in [n, n.wrapping_add(1)] {
                    let outputs = Answer::Outputs(vec![Value::U64(n)]);
                    model.answered.push_back((command, outputs));
                }
                Fired::Waits(command, Value::Unit)
            }),
            "poke" => self.strange(n, Answer::Outputs(strange_outputs(n))),
            "spoil" => self.strange(n, Answer::Failed(OpError::failed("spoilt"))),
            _ => panic!("no op {op}"),
        }
    }

    fn later(&mut self) -> Fired {
        let awaited = self.awaited.len();
        if awaited >= self.config.max_pending_async as usize {
            return Fired::Fails(limit(format!("{awaited} answers are awaited already")));
        }
        self.with_command(|model, command| {
            model.awaited.insert(command);
            model.desk.push(command);
            Fired::Waits(command, Value::Unit)
        })
    }

    fn strange(&mut self, n: u64, answer: Answer) -> Fired {
        let command = some_command(n).expect("it is not zero");
        self.answered.push_back((command, answer));
        one(n)
    }

    /// Does this under a new command, if not too many ops wait already.
    pub(super) fn with_command(
        &mut self,
        wait: impl FnOnce(&mut Self, CommandId) -> Fired,
    ) -> Fired {
        let waiting = self.parked.len();
        if waiting >= self.config.max_pending_async as usize {
            return Fired::Fails(limit(format!("{waiting} ops wait already")));
        }
        self.commands += 1;
        wait(self, CommandId::new(self.commands).expect("it is not zero"))
    }
}

pub(super) fn limit(reason: String) -> OpError {
    OpError::new(OpErrorKind::Limit, reason)
}

pub(super) fn bad_output(given: usize, wanted: usize) -> OpError {
    OpError::new(OpErrorKind::BadOutput, format!("gave {given} outputs, declares {wanted}"))
}

pub(super) fn number(value: &Value) -> u64 {
    match value {
        Value::U64(n) => *n,
        _ => panic!("these ops take numbers"),
    }
}

pub(super) fn one(n: u64) -> Fired {
    Fired::Now(vec![Value::U64(n)])
}
