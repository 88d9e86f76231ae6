//! Every row, in the order of the report.
//!
//! Law: names are unique and none is the prefix of a longer word, so that `--only` means one thing.
//!
//! A new row is a [`Row`](crate::row::Row) in the `rows` of a [`Group`], and a figure at the same place
//! of what the group's `run` gives. A new group is a constant in a file of its own below `rows/`, and a
//! line in [`GROUPS`]: its rows bear its name, a dot, and a word. `run` hands what takes turns to
//! [`interleave`](crate::rounds::interleave), asks [`Context::amount`](crate::row::Context::amount) how
//! much to do, and gives `Err` where the subject did not do what was measured.

mod actors;
mod engine;
mod hostile;
mod hosting;
mod ingress;
mod lanes;
mod recovery;
mod sim;
mod snapshot;
mod wire;

use crate::row::Group;

/// All that is measured.
pub(crate) const GROUPS: &[Group] = &[
    engine::CHAIN,
    engine::BESIDE,
    engine::FAN,
    engine::INVOKE,
    engine::OVERLOAD,
    engine::PINGPONG,
    engine::SUSPENDED,
    engine::ASYNC,
    engine::NODE,
    ingress::ONE,
    ingress::TWO,
    wire::ENCODE,
    wire::DECODE,
    hostile::HOSTILE,
    hosting::HOSTING,
    actors::INVOKE,
    actors::ASK,
    actors::SPAWN,
    actors::RESTART,
    actors::RECOVER_ALL,
    actors::DURABLE,
    actors::OVERHEAD,
    actors::SCALE,
    snapshot::SNAPSHOT,
    recovery::REPLAY,
    sim::EVENTS,
    sim::HOSTS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_start_with_their_group() {
        let mut names = Vec::new();
        for group in GROUPS {
            for row in group.rows {
                assert!(row.name.starts_with(group.name), "{} is not of {}", row.name, group.name);
                names.push(row.name);
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
