//! What the engine does itself, said a second time.
//!
//! Law: each request stands in its own arm and does only what its row in the table says.

use samsara_runtime::{
    error::{OpError, OpErrorKind},
    id::ExecId,
    module::Op,
    step::EngineStep,
    time::Nanos,
    value::Value,
};

use super::{
    Fired, Model, Wakes,
    call::{number, one},
    places::{self, Path},
};

impl Model<'_> {
    pub(super) fn ask(
        &mut self,
        exec: ExecId,
        path: &Path,
        name: &str,
        op: &Op,
        arguments: &[Option<Value>],
    ) -> Fired {
        let first = || arguments[0].clone().expect("it has arrived");
        match name {
            "PassThrough" | "Gate" => Fired::Now(vec![first()]),
            "Tee" => Fired::Now(vec![first(), first()]),
            "Clock" => one(self.now.get()),
            "Any" => {
                let winner = arguments.iter().position(Option::is_some).expect("one has arrived");
                let value = arguments[winner].clone().expect("it has arrived");
                Fired::Now(vec![value, Value::U64(winner as u64)])
            }
            "Race" => Fired::Now(winner(op, arguments)),
            "DeadlineMatch" => {
                self.close_deadline(exec, path);
                Fired::Now(winner(op, arguments))
            }
            "Bundle" => {
                let items = arguments.iter().map(|item| item.clone().expect("it has arrived"));
                Fired::Now(vec![Value::list(items.collect()).expect("it is shallow")])
            }
            "Unbundle" => match first() {
                Value::List(list) if list.items().len() == op.outputs.len() => {
                    Fired::Now(list.items().to_vec())
                }
                Value::List(list) => {
                    let (wanted, got) = (op.outputs.len(), list.items().len());
                    let what = format!("argument 0: expected a list of {wanted} items, got {got}");
                    Fired::Fails(OpError::new(OpErrorKind::BadArgument, what))
                }
                other => panic!("{other:?} is no list"),
            },
            "AppEmit" => {
                let Value::Text(topic) = op.attributes["topic"].clone() else {
                    panic!("a topic is text")
                };
                self.steps.push(EngineStep::AppEmitted { exec, topic, value: first() });
                Fired::Now(Vec::new())
            }
            "Deadline" => {
                self.close_deadline(exec, path);
                Fired::Only(0, first())
            }
            "Sleep" => self.sleep(places::nanos(op), first()),
            "After" => {
                let delay = arguments[1].as_ref().expect("it has arrived");
                self.sleep(Nanos::new(number(delay)), first())
            }
            "Limit.Acquire" => self.acquire(exec, op, first()),
            "Limit.Release" => self.release(exec, op, first()),
            "Serialize.Enqueue" => self.enqueue(first()),
            "Serialize.Dequeue" => self.dequeue(),
            _ => panic!("no request {name}"),
        }
    }

    fn close_deadline(&mut self, exec: ExecId, path: &Path) {
        self.execution(exec).open_deadlines.remove(path);
        let own = Wakes::Deadline(exec, path.clone());
        self.timers.retain(|timer| timer.wakes != own);
    }

    fn sleep(&mut self, time: Nanos, input: Value) -> Fired {
        self.with_command(|model, command| {
            model.set_timer(model.now + time, Wakes::Command(command));
            Fired::Waits(command, input)
        })
    }
}

/// The value that has arrived, and the name of its arm.
fn winner(op: &Op, arguments: &[Option<Value>]) -> Vec<Value> {
    let winner = arguments.iter().position(Option::is_some).expect("one has arrived");
    let Value::List(names) = &op.attributes["names"] else { panic!("names are a list") };
    vec![arguments[winner].clone().expect("it has arrived"), names.items()[winner].clone()]
}
