//! The simulator on its own world: seeds that break nothing, and bugs that are found.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use samsara_sim::{Broken, Fact, Failure, Faults, Invariant, Mutant, Report, World, stories};

const SECONDS: Duration = Duration::from_secs(2);
/// As long as the command simulates: long enough for the log to be cut.
const LONG: Duration = Duration::from_secs(5);

fn books(seed: u64) -> World {
    stories::books(seed).expect("the program is sound")
}

fn broken(failure: Failure) -> Broken {
    match failure {
        Failure::Broken(broken) => *broken,
        other => panic!("{other}"),
    }
}

#[test]
fn sixty_seeds_break_no_law_and_are_the_same_twice() {
    let mut traces = BTreeSet::new();
    for seed in 0..60 {
        let run = || -> Report { books(seed).run(SECONDS).unwrap_or_else(|it| panic!("{it}")) };
        let report = run();
        assert_eq!(report, run(), "seed {seed}");
        assert_eq!(report.offered, report.refused + report.acked + report.unanswered);
        assert!(report.acked > 0, "seed {seed}");
        traces.insert(report.trace);
    }
    assert_eq!(traces.len(), 60, "two seeds are one");
}

#[test]
fn a_world_without_faults_acknowledges_every_call_in_one_life_of_each_host() {
    let report = books(1).faults(Faults::none()).run(SECONDS).expect("nothing goes wrong");
    assert_eq!((report.faults, report.lives, report.acked), (0, 2, report.offered));
}

/// How many seeds it takes until this bug is found, and as what.
fn found(mutant: Mutant) -> (u64, Broken) {
    for seed in 0..60 {
        if let Err(failure) = books(seed).plant(mutant).run(LONG) {
            return (seed, broken(failure));
        }
    }
    panic!("{mutant:?} was not found in 60 seeds");
}

#[test]
fn every_bug_that_is_planted_is_found_within_a_few_seeds() {
    let [outputs, store] =
        ["outputs leave in order and once", "a store reads back what it has kept"];
    let laws = [
        (Mutant::AckBeforeSync, vec![outputs]),
        (Mutant::NoBump, vec!["a life that is over does nothing", store]),
        (Mutant::LoudReplay, vec![outputs]),
        (Mutant::UnsyncedSnapshot, vec![store]),
    ];
    for (mutant, laws) in laws {
        let (seed, broken) = found(mutant);
        assert!(seed < 5, "{mutant:?} takes {seed} seeds");
        assert!(laws.contains(&&*broken.law), "{mutant:?}: {broken}");
    }
}

#[test]
fn a_failure_is_shrunk_and_says_how_to_see_it_again() {
    let (seed, broken) = found(Mutant::NoBump);
    let (faults, calls) = broken.whole;
    assert!((faults, calls) > (3, 50), "there is nothing to shrink in {broken}");
    assert_eq!(broken.faults.len(), 1, "{broken}");
    assert!(broken.calls.len() * 10 < calls, "{broken}");
    let command = format!("cargo run --release -p samsara-sim -- --seed {seed}");
    assert!(broken.to_string().ends_with(&command), "{broken}");
    let again = books(seed).plant(Mutant::NoBump).run(LONG).expect_err("it fails again");
    assert_eq!(self::broken(again), broken);
}

/// Notes by their names which facts there are.
struct Seen(Rc<RefCell<BTreeSet<String>>>);

impl Invariant for Seen {
    fn name(&self) -> &str {
        "all is seen"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        let text = match fact {
            Fact::Faulted(injected) => format!("{:?}", injected.fault),
            Fact::Ended { how, .. } => (*how).to_owned(),
            other => format!("{other:?}"),
        };
        let name = text.split([' ', '(']).next().unwrap_or_default().to_owned();
        self.0.borrow_mut().insert(if matches!(fact, Fact::Ended { .. }) { text } else { name });
        Ok(())
    }
}

#[test]
fn every_kind_of_fault_sets_in_and_every_kind_of_fact_is_told() {
    let seen = Rc::new(RefCell::new(BTreeSet::new()));
    for seed in 0..60 {
        let seen = Rc::clone(&seen);
        let world = books(seed).invariant(move || Seen(Rc::clone(&seen)));
        world.run(SECONDS).unwrap_or_else(|it| panic!("{it}"));
    }
    let faults = ["Crash", "Full", "FailedSync", "Rot", "Fall", "Pause", "SecondOwner"];
    let ends = ["it was cut", "its disk has failed"];
    let facts = [
        "Acked",
        "Applied",
        "Began",
        "Captured",
        "Fell",
        "Left",
        "Offered",
        "Refused",
        "Replayed",
        "Told",
        "Unanswered",
        "Zombie",
    ];
    for name in faults.iter().chain(&ends).chain(&facts) {
        assert!(seen.borrow().contains(*name), "{name} is missing in {:?}", seen.borrow());
    }
}

#[test]
fn what_a_user_says_must_hold_is_looked_at() {
    let never = books(1).always("nothing lives", |_| false).run(SECONDS).expect_err("it lives");
    let never = broken(never);
    assert_eq!((&*never.law, never.faults.len(), never.calls.len()), ("nothing lives", 0, 0));
    let last = books(1).at_last("it settles", |sight| !sight.is_settled()).run(SECONDS);
    assert_eq!(broken(last.expect_err("it has settled")).law, "it settles");
    let nobody = World::new(1).run(SECONDS).expect_err("nobody is there");
    assert!(matches!(nobody, Failure::Unsound(_)), "{nobody}");
}
