//! The line of producers that wait for room.
//!
//! Law: first come, first served, except that nobody waits behind a peer that only waits for its
//! own share; a place is granted before its producer is woken, so a newcomer cannot take it.

use std::{collections::VecDeque, task::Waker};

use crate::inbox::Pass;

/// A producer in the line.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) id: u64,
    pub(crate) pass: Pass,
    pub(crate) weight: u64,
    pub(crate) waker: Option<Waker>,
    pub(crate) granted: bool,
}

/// The line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiters: VecDeque<Waiter>,
    last_id: u64,
    /// Someone waits for room that a newcomer would take away.
    pub(crate) is_contended: bool,
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn join(&mut self, pass: Pass, weight: u64, waker: Waker) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.waiters.push_back(Waiter { id, pass, weight, waker: Some(waker), granted: false });
        id
    }

    pub(crate) fn find(&mut self, id: u64) -> Option<&mut Waiter> {
        self.waiters.iter_mut().find(|waiter| waiter.id == id)
    }

    pub(crate) fn leave(&mut self, id: u64) -> Option<Waiter> {
        let place = self.waiters.iter().position(|waiter| waiter.id == id)?;
        self.waiters.remove(place)
    }

    /// Takes out everyone who may not enter any more.
    pub(crate) fn expel(&mut self, mut may_enter: impl FnMut(Pass) -> bool) -> Vec<Waiter> {
        let mut out = Vec::new();
        let mut place = 0;
        while let Some(waiter) = self.waiters.get(place) {
            if may_enter(waiter.pass) {
                place += 1;
            } else if let Some(waiter) = self.waiters.remove(place) {
                out.push(waiter);
            }
        }
        out
    }

    /// Everyone without a grant, in order.
    pub(crate) fn ungranted(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.waiters.iter_mut().filter(|waiter| !waiter.granted)
    }
}
