//! Random programs and arrivals: the engine does what a plain interpreter does, step by step.
//!
//! Law: what is compared is everything that leaves a Node, in its order, and what stays in it.

mod lab;
mod model;
mod recipe;
mod trace;

use proptest::prelude::*;
use samsara_runtime::{
    error::{OpError, OpErrorKind},
    id::ExecId,
    node::{Batch, Wakeup},
    step::EngineStep,
    time::{Nanos, seconds},
    value::Value,
};

pub(super) use self::trace::{Action, Stage, Story, story};
use self::{
    model::{Answer, Event, Model},
    recipe::INPUTS,
    trace::Answering,
};
use super::parts::{node, outputs};

/// Turns that any story needs at most to come to rest.
const REST_TURNS: usize = 10_000;

/// A Node and its model, to which the same things happen.
struct Pair<'p> {
    stage: Stage,
    model: Model<'p>,
    /// Executions that were admitted.
    execs: u64,
}

impl Pair<'_> {
    fn act(&mut self, action: &Action) -> Result<(), TestCaseError> {
        match action {
            Action::Invoke(values) => {
                let inputs = INPUTS.into_iter().zip(values);
                self.arrival(inputs.filter_map(|(name, n)| Some((name, (*n)?))).collect());
            }
            Action::Deliver(input, value) => self.arrival(vec![(INPUTS[*input], *value)]),
            Action::Answer(pick, how) => self.answer(*pick, how),
            Action::Turn(_) => {}
        }
        match self.stage.act(action) {
            Some((batch, steps)) => self.compare(&batch, &steps),
            None => Ok(()),
        }
    }

    fn arrival(&mut self, inputs: Vec<(&'static str, u64)>) {
        self.execs += 1;
        let exec = ExecId::new(self.execs).expect("it is not zero");
        self.model.mailbox.push_back(Event::Arrival(exec, inputs));
    }

    fn answer(&mut self, pick: usize, how: &Answering) {
        let Some(place) = pick.checked_rem(self.model.desk.len()) else { return };
        let answer = match how {
            Answering::Complete(n) => Answer::Outputs(vec![Value::U64(*n)]),
            Answering::Fail => Answer::Failed(OpError::failed("no luck")),
            Answering::Drop => {
                let kind = OpErrorKind::Cancelled;
                Answer::Failed(OpError::new(kind, "its completion was dropped"))
            }
        };
        self.model.mailbox.push_back(Event::Answer(self.model.desk.remove(place), answer));
    }

    /// How much a turn takes is the mailbox's business; that it takes the oldest is compared here.
    fn compare(&mut self, batch: &Batch, steps: &[EngineStep]) -> Result<(), TestCaseError> {
        let (node, model) = (&self.stage.node, &mut self.model);
        let taken = batch.events.len();
        prop_assert!(taken <= model.mailbox.len().min(node.config().turn.events as usize));
        prop_assert_eq!(steps, model.turn(self.stage.now, taken));
        prop_assert_eq!((node.execution_count(), node.pending_async_count()), model.alive());
        prop_assert_eq!(node.ingress().stats().bytes, model.bytes());
        prop_assert_eq!(node.ignored_completion_count(), model.ignored);
        prop_assert_eq!(node.next_wakeup(), model.next_wakeup());
        Ok(())
    }

    /// Answers everything and lets time end, until nothing happens any more.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..REST_TURNS {
            while !self.model.desk.is_empty() {
                self.act(&Action::Answer(0, Answering::Complete(4)))?;
            }
            let (batch, steps) = self.stage.turn(Nanos::MAX);
            self.compare(&batch, &steps)?;
            if self.stage.node.next_wakeup() == Wakeup::Never && self.model.desk.is_empty() {
                return Ok(());
            }
        }
        Err(TestCaseError::fail("it never comes to rest"))
    }
}

fn agree(story: &Story) -> Result<(), TestCaseError> {
    let program = story.recipe.program();
    let stage = Stage::new(&program, story.config());
    let mut pair = Pair { stage, model: Model::new(&program, story.config()), execs: 0 };
    story.actions.iter().try_for_each(|action| pair.act(action))?;
    pair.settle()?;
    prop_assert_eq!(pair.stage.node.ingress().stats().items, 0);
    if !story.recipe.may_wait_for_ever() {
        prop_assert_eq!(pair.model.alive(), (0, 0), "something is left");
    }
    Ok(())
}

/// Some thousand stories, or as many as `PROPTEST_CASES` says if that is more.
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    ProptestConfig { cases: given.cases.max(4_000), failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_node_does_what_the_plain_model_does(story in story()) {
        agree(&story)?;
    }
}

#[test]
fn a_value_that_comes_before_its_deadline_is_in_time_however_late_the_turn() {
    let mut node = node(|g| {
        let slept = g.sleep(g.input::<u64>("n"), seconds(1));
        let [in_time, late] = g.deadline(slept, seconds(2));
        g.output("in_time", in_time);
        g.output("late", late);
    });
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(0));
    let steps = node.run_until_idle(seconds(9));
    assert_eq!(outputs(&steps.0), [("in_time", Value::U64(5))]);
}
