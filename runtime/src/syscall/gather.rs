//! Requests about the places of a program: who is there, and the join of what they send.
//!
//! Law: of the executions that bring a round together, the one that brings the last value goes on;
//! the others end there without a word. What does not count in its round is told by a step.

use std::{collections::BTreeMap, sync::Arc};

use super::{Fired, Site};
use crate::{
    error::{OpError, OpErrorKind},
    framework::{GatherRule, Gathering, LatePolicy, OnDeadline, Place},
    services::gathers::{GatherAt, GatherError, Round, RoundKey, Sent},
    step::{EngineStep, NotGathered},
    time::Nanos,
    value::Value,
};

/// The rule that these attributes give; `None` if they give none.
pub(super) fn rule(attributes: &BTreeMap<String, Value>) -> Option<GatherRule> {
    let number = |key: &str| match attributes.get(key) {
        Some(Value::U64(number)) => Some(*number),
        _ => None,
    };
    let word = |key: &str| match attributes.get(key) {
        Some(Value::Text(text)) => Some(&**text),
        _ => None,
    };
    Some(GatherRule {
        count: u32::try_from(number("count")?).ok().filter(|count| *count > 0)?,
        wait: Nanos::new(number("nanos")?),
        late: LatePolicy::from_word(word("late")?)?,
        on_deadline: OnDeadline::from_word(word("on_deadline")?)?,
    })
}

/// What a gather gives for a round.
pub(crate) fn gathered(round: Round) -> Result<Value, OpError> {
    let values = round.values.into_iter().map(|(_, sent)| sent.value).collect();
    list(values)
}

fn list(values: Vec<Value>) -> Result<Value, OpError> {
    Value::list(values).map_err(|deep| OpError::new(OpErrorKind::BadArgument, deep.to_string()))
}

impl Site<'_> {
    /// Gives the peers that are bound to a place.
    pub(super) fn peers_at(&mut self, place: &str) -> Result<Fired, OpError> {
        self.argument(0);
        let bound = self.services.bindings.as_ref().and_then(|bindings| bindings.list(place));
        match bound.cloned() {
            Some(peers) => Ok(self.give(peers)),
            None => Err(OpError::failed(format!("the place {place:?} is not bound"))),
        }
    }

    /// Gives the values of the round if this one was the last.
    pub(super) fn gather(&mut self, rule: &GatherRule) -> Result<Fired, OpError> {
        let round = self.argument(0);
        let mut values: Vec<_> = (1..self.arguments.len()).map(|at| self.argument(at)).collect();
        let value = match values.len() {
            1 => values.pop().unwrap_or(Value::Unit),
            _ => list(values)?,
        };
        // It must fit into a list, which is better known before others wait for it.
        list(vec![value.clone()])?;
        // What the host gives counts as the Node's own.
        let sender = self.inbound.map_or(self.services.peer, |inbound| inbound.source);
        let limit = |error: GatherError| OpError::new(OpErrorKind::Limit, error.to_string());
        let cap = self.services.config.state.gather_round_bytes;
        let key = RoundKey::of(&round, cap).map_err(limit)?;
        let channel = GatherAt { module: self.module, op: self.op };
        let place = Place { channel, round: key, sender };
        let (reason, sent) = match self.services.gather(place, Sent { round, value }, rule) {
            Ok(Gathering::Ended(round)) => return Ok(self.give(gathered(round)?)),
            Ok(Gathering::Waits { .. }) => return Ok(Fired::Nothing),
            Ok(Gathering::Late(sent)) => (NotGathered::Late, sent),
            Ok(Gathering::Duplicate(sent)) => (NotGathered::Duplicate, sent),
            Ok(Gathering::Crowded(sent)) => {
                let cap = self.services.config.state.gather_sender_rounds;
                (NotGathered::Crowded { cap }, sent)
            }
            Err(error) => return Err(limit(error)),
        };
        let (exec, op, round) = (self.exec, Arc::clone(self.op_name), sent.round);
        self.steps.push(EngineStep::GatherRefused { exec, op, round, sender, reason });
        Ok(Fired::Nothing)
    }
}
