//! Making a story short: leaving out faults and calls as long as it still ends in the same way.
//!
//! Law: what is left fails. A bounded number of tries, so that a failure is told soon.

/// Tries for one list.
const TRIES_MAX: u32 = 200;

/// The shortest list that was found to fail, by leaving out ever smaller parts.
pub(crate) fn shrink<T: Clone>(mut list: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut tries = TRIES_MAX;
    let mut size = list.len();
    while size > 0 && tries > 0 {
        let mut at = 0;
        let before = list.len();
        while at < list.len() && tries > 0 {
            tries -= 1;
            let rest = list.iter().take(at).chain(list.iter().skip(at.saturating_add(size)));
            let rest: Vec<T> = rest.cloned().collect();
            if fails(&rest) {
                list = rest;
            } else {
                at = at.saturating_add(size);
            }
        }
        if size == 1 && list.len() == before {
            break;
        }
        size = (size / 2).max(1);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_does_not_need_is_left_out() {
        let needs = |list: &[u32]| list.contains(&7) && list.contains(&60);
        assert_eq!(shrink((0..100).collect(), needs), [7, 60]);
    }
}
