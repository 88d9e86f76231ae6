//! A life that is over does nothing any more.
//!
//! Law: the lives of a host rise; a store has one owner; and what speaks for a life that is over is
//! turned away.

use std::collections::BTreeMap;

use samsara_runtime::id::Incarnation;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Fencing {
    lives: BTreeMap<usize, Incarnation>,
}

impl Invariant for Fencing {
    fn name(&self) -> &str {
        "a life that is over does nothing"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Began { host, life } => match self.lives.insert(*host, *life) {
                Some(last) if last >= *life => {
                    Err(format!("host {host} began life {life:?} after {last:?}"))
                }
                Some(_) | None => Ok(()),
            },
            Fact::Zombie { node, is_refused: false } => {
                Err(format!("node {node} took an event for a life that is over"))
            }
            Fact::SecondOwner { host, is_refused: false } => {
                Err(format!("the store of host {host} has two owners"))
            }
            _ => Ok(()),
        }
    }
}
