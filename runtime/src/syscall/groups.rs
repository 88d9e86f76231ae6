//! Requests about several values as one, or one of several.
//!
//! Law: what was put together in an order comes apart in that order; and who won is told by name.

use std::sync::Arc;

use super::{Fired, Names, Site};
use crate::{
    error::{OpError, OpErrorKind},
    value::Value,
};

/// What a deadline is called among the arms that it competes with.
pub(crate) const DEADLINE_ARM: &str = "deadline";

/// The names that an attribute lists.
pub(super) fn names(attribute: &Value) -> Option<Names> {
    let Value::List(list) = attribute else { return None };
    let name = |item: &Value| match item {
        Value::Text(name) => Some(Arc::clone(name)),
        _ => None,
    };
    list.items().iter().map(name).collect()
}

impl Site<'_> {
    /// Gives its inputs as one list.
    pub(super) fn bundle(&mut self) -> Result<Fired, OpError> {
        let items = (0..self.arguments.len()).map(|at| self.argument(at)).collect();
        let list = Value::list(items)
            .map_err(|deep| OpError::new(OpErrorKind::BadOutput, deep.to_string()))?;
        Ok(self.give(list))
    }

    /// Gives the items of a list, one an output.
    pub(super) fn unbundle(&mut self) -> Result<Fired, OpError> {
        let bad = |reason| OpError::new(OpErrorKind::BadArgument, reason);
        let list = match self.argument(0) {
            Value::List(list) => list,
            other => {
                let got = other.kind().name();
                return Err(bad(format!("argument 0: expected list, got {got}")));
            }
        };
        let (items, wanted) = (list.items(), self.output_count);
        if items.len() != wanted {
            let got = items.len();
            return Err(bad(format!("argument 0: expected a list of {wanted} items, got {got}")));
        }
        self.outputs.extend_from_slice(items);
        Ok(Fired::All)
    }

    /// Gives the input that arrived, and its name.
    pub(super) fn race(&mut self, names: &Names, fired: Fired) -> Fired {
        let (position, value) = self.winner();
        let name = names.get(position).map(Arc::clone).unwrap_or_default();
        self.outputs.extend([value, Value::Text(name)]);
        fired
    }
}
