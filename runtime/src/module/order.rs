//! An order for things that wait for each other.
//!
//! Law: what is in order already stays as it is, and no input costs more than a walk over its
//! edges: nothing here recurses.

use std::collections::BTreeSet;

/// The result of [`order`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// All of them; each after those that it waits for, where that can be.
    pub(crate) sorted: Vec<usize>,
    /// Some that wait for each other in a circle, each for the next; empty if there are none.
    pub(crate) cycle: Vec<usize>,
}

/// Puts things in order; entry `i` names those that `i` waits for.
pub(crate) fn order(waits_for: &[Vec<usize>]) -> Order {
    let count = waits_for.len();
    let mut readers = vec![Vec::new(); count];
    let mut missing = vec![0_usize; count];
    for (at, sources) in waits_for.iter().enumerate() {
        for source in sources {
            let (Some(readers), Some(missing)) = (readers.get_mut(*source), missing.get_mut(at))
            else {
                continue;
            };
            readers.push(at);
            *missing += 1;
        }
    }
    let free = missing.iter().enumerate().filter(|(_, missing)| **missing == 0);
    let mut ready: BTreeSet<usize> = free.map(|(at, _)| at).collect();
    let mut sorted = Vec::with_capacity(count);
    while let Some(next) = ready.pop_first() {
        sorted.push(next);
        for reader in readers.get(next).into_iter().flatten() {
            let Some(missing) = missing.get_mut(*reader) else { continue };
            *missing -= 1;
            if *missing == 0 {
                ready.insert(*reader);
            }
        }
    }
    let is_stuck = |at: &usize| missing.get(*at).is_some_and(|missing| *missing > 0);
    let stuck: Vec<usize> = (0..count).filter(is_stuck).collect();
    let cycle = stuck.first().map_or_else(Vec::new, |first| circle(*first, waits_for, is_stuck));
    sorted.extend(stuck);
    Order { sorted, cycle }
}

/// Whoever is stuck waits for somebody who is stuck; so the walk comes round.
fn circle(first: usize, waits_for: &[Vec<usize>], is_stuck: impl Fn(&usize) -> bool) -> Vec<usize> {
    let mut place = vec![None; waits_for.len()];
    let mut walk = Vec::new();
    let mut next = Some(first);
    while let Some(at) = next {
        let Some(place) = place.get_mut(at) else { break };
        if let Some(start) = *place {
            return walk.split_off(start);
        }
        *place = Some(walk.len());
        walk.push(at);
        next = waits_for.get(at).and_then(|sources| sources.iter().copied().find(&is_stuck));
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_order_stays_and_the_rest_moves_as_little_as_it_must() {
        let in_order = [vec![], vec![0], vec![], vec![1, 2]];
        assert_eq!(order(&in_order), Order { sorted: vec![0, 1, 2, 3], cycle: vec![] });
        let backwards = [vec![3], vec![], vec![0], vec![]];
        assert_eq!(order(&backwards), Order { sorted: vec![1, 3, 0, 2], cycle: vec![] });
    }

    #[test]
    fn a_circle_is_named_without_those_that_only_wait_for_it() {
        let waits_for = [vec![1], vec![2], vec![3], vec![1], vec![]];
        assert_eq!(order(&waits_for), Order { sorted: vec![4, 0, 1, 2, 3], cycle: vec![1, 2, 3] });
        assert_eq!(order(&[vec![0]]).cycle, [0]);
    }

    #[test]
    fn edges_to_nowhere_are_nobodys() {
        assert_eq!(order(&[vec![7]]), Order { sorted: vec![0], cycle: vec![] });
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_use_up_the_stack() {
        let chain: Vec<_> = (1..100_000).map(|next| vec![next]).chain([vec![]]).collect();
        assert_eq!(order(&chain).sorted.first(), Some(&99_999));
    }
}
