//! The panic hook: what falls inside is written down, what falls outside is reported as ever.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
};

use samsara_actors::panics;

/// Names what the child process is to do.
const PANIC: &str = "SAMSARA_PANIC";

#[test]
fn a_fall_is_written_down_with_its_place_and_its_stack() {
    panics::install();
    let (outcome, fall) = panics::within(|| catch_unwind(|| panic!("at {}", 7)));
    assert!(outcome.is_err());
    let fall = fall.expect("it was written down");
    assert_eq!(fall.message, "at 7");
    assert!(fall.place.contains("panics.rs"), "{}", fall.place);
    assert!(fall.stack.to_string().contains("a_fall_is_written_down"), "{}", fall.stack);
    let ((), none) = panics::within(|| ());
    assert!(none.is_none(), "it is of one fall");
}

#[test]
fn a_panic_that_leaves_takes_the_state_with_it() {
    panics::install();
    let left = catch_unwind(AssertUnwindSafe(|| panics::within(|| panic!("out"))));
    assert!(left.is_err());
    let ((), fall) = panics::within(|| ());
    assert_eq!(fall.map(|fall| fall.message), Some("out".to_owned()), "told at the next chance");
}

/// Not a test of its own: what the child of the next one does.
#[test]
fn child_that_panics() {
    match std::env::var(PANIC).as_deref() {
        Ok("inside") => {
            panics::install();
            let _ = panics::within(|| catch_unwind(|| panic!("said inside")));
        }
        Ok("outside") => {
            panics::install();
            let _ = catch_unwind(|| panic!("said outside"));
        }
        _ => {}
    }
}

#[test]
fn only_what_falls_outside_is_reported() {
    let child = |what: &str| {
        let binary = std::env::current_exe().expect("this test has a binary");
        let mut child = Command::new(binary);
        child.args(["--exact", "actors::panics::child_that_panics", "--nocapture"]);
        let output = child.env(PANIC, what).output().expect("it runs again");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(child("outside").contains("said outside"));
    assert!(!child("inside").contains("said inside"));
}
