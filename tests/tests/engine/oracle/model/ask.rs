//! What the engine does itself, said a second time.
//!
//! Law: each request stands in its own arm and does only what its row in the table says.

use samsara_runtime::{id::ExecId, module::Op, step::EngineStep, time::Nanos, value::Value};

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
            "AppEmit" => {
                let Value::Text(topic) = op.attributes["topic"].clone() else {
                    panic!("a topic is text")
                };
                self.steps.push(EngineStep::AppEmitted { exec, topic, value: first() });
                Fired::Now(Vec::new())
            }
            "Deadline" => {
                self.execution(exec).open_deadlines.remove(path);
                let own = Wakes::Deadline(exec, path.clone());
                self.timers.retain(|timer| timer.wakes != own);
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

    fn sleep(&mut self, time: Nanos, input: Value) -> Fired {
        self.with_command(|model, command| {
            model.set_timer(model.now + time, Wakes::Command(command));
            Fired::Waits(command, input)
        })
    }
}
