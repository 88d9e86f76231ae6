//! The same program and the same batches give the same steps, in whatever process.
//!
//! Law: what is compared is the text of every step, so that nothing which could be seen is left out.

use std::{collections::BTreeSet, process::Command};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use samsara_runtime::{
    config::NodeConfig,
    node::Batch,
    program::{ContentHash, Program},
    step::EngineStep,
    time::Nanos,
};

use super::oracle::{Stage, Story, story};

/// How many stories a process tells.
const STORIES: u8 = 200;

/// The hash of all steps of these stories, whatever the profile, the machine and the day.
///
/// When it changes on purpose (another step, another order, another text of one, another generator
/// or release of it), write down what the failing test says, and say in the commit message why.
const FROZEN: &str = "ef592aee63baab001d74f91cab99552337807e2c36bbab16aef734a15352d7a8";

/// The child's line, before the hash.
const MARK: &str = "stories: ";

/// What a Node was moved by, and what it did.
type Turn = (Batch, Vec<EngineStep>);

/// The same story for the same seed.
pub(super) fn story_of(seed: u8) -> Story {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    story().new_tree(&mut runner).expect("nothing is filtered out").current()
}

/// Lets the story happen, and time end; gives each turn's batch and steps.
pub(super) fn perform(story: &Story, program: &Program, config: NodeConfig) -> Vec<Turn> {
    let mut stage = Stage::new(program, config);
    let mut turns: Vec<_> = story.actions.iter().filter_map(|action| stage.act(action)).collect();
    turns.extend((1..=16).map(|past| stage.turn(Nanos::new(past * 1_000))));
    turns
}

/// The hash of what is told of every story.
fn digest(tell: impl Fn(&Program, &[Turn]) -> String) -> String {
    let mut text = String::new();
    for seed in 0..STORIES {
        let story = story_of(seed);
        let program = story.program();
        text += &tell(&program, &perform(&story, &program, story.config()));
    }
    ContentHash::of(text.as_bytes()).to_string()
}

/// The hash of programs, batches and steps.
fn digest_of_all() -> String {
    digest(|program, turns| format!("{} {turns:?}", program.content_hash()))
}

/// What another process says: this one's binary again, with nothing but the one test.
fn digest_of_a_child() -> String {
    let binary = std::env::current_exe().expect("a test runs from a file");
    let told = Command::new(binary)
        .args(["--exact", "engine::determinism::tells_its_hash", "--ignored", "--nocapture"])
        .output()
        .expect("the child starts");
    let text = String::from_utf8_lossy(&told.stdout);
    let (_, hash) = text.split_once(MARK).expect("the child says its hash");
    hash.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[test]
#[ignore = "it only speaks to the test that starts it"]
fn tells_its_hash() {
    println!("{MARK}{}", digest_of_all());
}

#[test]
fn every_process_takes_the_same_steps() {
    let own = digest_of_all();
    let children = [(); 2].map(|()| digest_of_a_child());
    assert_eq!(children, [own.clone(), own]);
}

#[test]
fn the_steps_are_those_that_were_written_down() {
    let steps = |turns: &[Turn]| turns.iter().map(|(_, steps)| format!("{steps:?}\n")).collect();
    assert_eq!(digest(|_, turns| steps(turns)), FROZEN, "left is what happens now");
}

#[test]
fn recorded_batches_move_a_fresh_node_through_the_same_steps() {
    for seed in 0..STORIES {
        let story = story_of(seed);
        let config = story.config();
        let turns = perform(&story, &story.program(), config);
        let mut replayed = Stage::new(&story.program(), config);
        for (turn, (batch, wanted)) in turns.iter().enumerate() {
            let mut steps = Vec::new();
            replayed.node.replay(batch, &mut steps);
            assert_eq!(steps, *wanted, "turn {turn} of story {seed}");
        }
    }
}

#[test]
fn the_stories_reach_every_kind_of_step_and_failure() {
    let mut seen = BTreeSet::new();
    for seed in 0..STORIES {
        let story = story_of(seed);
        for (_, steps) in perform(&story, &story.program(), story.config()) {
            seen.extend(steps.iter().map(kind));
        }
    }
    let wanted = [
        "app event",
        "budget exceeded",
        "emitted",
        "failed: BadArgument",
        "failed: BadOutput",
        "failed: Cancelled",
        "failed: Failed",
        "failed: Limit",
        "failed: TimedOut",
        "ignored",
        "starved",
        "suspended",
    ];
    assert_eq!(seen, BTreeSet::from(wanted.map(str::to_owned)));
}

fn kind(step: &EngineStep) -> String {
    match step {
        EngineStep::AppEvent { .. } => "app event".to_owned(),
        EngineStep::AppEmitted { .. } => "emitted".to_owned(),
        EngineStep::AsyncSuspended { .. } => "suspended".to_owned(),
        EngineStep::OpFailed { error, .. } => format!("failed: {:?}", error.kind()),
        EngineStep::Starved { .. } => "starved".to_owned(),
        EngineStep::CompletionIgnored { .. } => "ignored".to_owned(),
        EngineStep::CycleBudgetExceeded { .. } => "budget exceeded".to_owned(),
        other => format!("{other:?}"),
    }
}
