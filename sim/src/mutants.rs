//! Every bug that can be planted, and the seed that finds it.
//!
//! Law: a bug that no seed finds is told as that; what is not looked for is not there.

use std::time::Duration;

use samsara_runtime::planted::Bug;

use crate::{failure::Failure, stories, world::World};

/// What came of looking for one bug.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hunt {
    /// The name of the bug.
    pub name: &'static str,
    /// The story, the seed and the law that it broke; nothing if no seed found it.
    pub found: Option<(&'static str, u64, String)>,
}

/// Looks for a bug in the banks, the books and the relapses of so many seeds.
pub fn hunt(name: &'static str, bug: Bug, seeds: u64) -> Hunt {
    let mut found = None;
    for seed in 0..seeds {
        let worlds = [
            ("bank", stories::bank(seed)),
            ("books", stories::books(seed)),
            ("relapses", stories::relapses(seed)),
        ];
        for (story, world) in worlds {
            let Some(law) = world.ok().and_then(|world| broken(&world, bug)) else { continue };
            found = Some((story, seed, law));
            return Hunt { name, found };
        }
    }
    Hunt { name, found }
}

/// The law that a world breaks with a bug in it.
fn broken(world: &World, bug: Bug) -> Option<String> {
    match world.clone().plant(bug).try_once(TIME) {
        Err(Failure::Broken(broken)) => Some(broken.law),
        Ok(_) | Err(_) => None,
    }
}

/// As long as the command simulates: long enough for the log to be cut.
const TIME: Duration = Duration::from_secs(5);
