//! Values that hold values.
//!
//! Law: no value is deeper than [`MAX_DEPTH`]. It is checked where one is built, so every walk
//! over a value, its drop included, ends before the stack does.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Value;

/// Levels of lists and records within each other at most.
pub const MAX_DEPTH: u8 = 16;

/// Values in a row.
#[derive(Clone, PartialEq, Eq)]
pub struct List {
    items: Arc<[Value]>,
    depth: u8,
}

/// Named values in a fixed order.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    fields: Arc<[(Arc<str>, Value)]>,
    depth: u8,
}

/// Why values cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NestError {
    /// Too many levels.
    #[error("values are nested deeper than {cap} levels")]
    TooDeep {
        /// Levels allowed.
        cap: u8,
    },
    /// Two fields of one record bear one name.
    #[error("a record has two fields {name:?}")]
    DuplicateField {
        /// Their name.
        name: Arc<str>,
    },
}

impl List {
    /// These values in a row.
    pub fn new(items: Vec<Value>) -> Result<Self, NestError> {
        let depth = depth_above(items.iter())?;
        Ok(Self { items: items.into(), depth })
    }

    /// The values.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// Levels of lists and records, this one included.
    pub const fn depth(&self) -> u8 {
        self.depth
    }
}

impl Record {
    /// These fields in this order.
    pub fn new(fields: Vec<(Arc<str>, Value)>) -> Result<Self, NestError> {
        let mut names = BTreeSet::new();
        if let Some((name, _)) = fields.iter().find(|(name, _)| !names.insert(&**name)) {
            return Err(NestError::DuplicateField { name: Arc::clone(name) });
        }
        let depth = depth_above(fields.iter().map(|(_, value)| value))?;
        Ok(Self { fields: fields.into(), depth })
    }

    /// The fields.
    pub fn fields(&self) -> &[(Arc<str>, Value)] {
        &self.fields
    }

    /// The value of this field.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(at, _)| **at == *name).map(|(_, value)| value)
    }

    /// Levels of lists and records, this one included.
    pub const fn depth(&self) -> u8 {
        self.depth
    }
}

fn depth_above<'a>(values: impl Iterator<Item = &'a Value>) -> Result<u8, NestError> {
    let below = values.map(Value::depth).max().unwrap_or(0);
    if below < MAX_DEPTH { Ok(below + 1) } else { Err(NestError::TooDeep { cap: MAX_DEPTH }) }
}
