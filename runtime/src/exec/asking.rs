//! Carrying out what clients ask, once.
//!
//! Law: an execution that answers a request is watched from before its first op, so that no end of
//! it is missed.

use super::Walk;
use crate::event::InvokeAs;

impl Walk<'_> {
    /// Begins the execution of a new request; of any other, tells what is known.
    pub(crate) fn ask(&mut self, asked: &InvokeAs, weight: u64) {
        let plan = self.plan;
        let InvokeAs { exec, module: module_index, ref inputs, .. } = *asked;
        let Some(module) = plan.modules.get(module_index as usize) else { return };
        let now = self.services.now;
        if let Some(known) = self.services.asking().ask(asked, now) {
            self.steps.push(known);
            return;
        }
        if self.is_given_up(exec) {
            return;
        }
        let index = self.engine.pool.begin(exec, module_index, module);
        self.engine.pool.at(index).into_iter().for_each(|execution| execution.is_watched = true);
        self.engine.born.push((index, exec, weight));
        self.feed(module, index, exec, inputs.iter().map(|(input, value)| (*input, value)));
    }

    /// Tells the answers that this turn, whose steps begin at `first`, has made whole.
    pub(crate) fn tell_replies(&mut self, first: usize) {
        if let Some(asking) = self.services.asked() {
            asking.settle(self.steps, first);
        }
    }
}
