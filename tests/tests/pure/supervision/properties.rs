//! Laws of supervision under any course of events, answers late, early and out of order.

use std::collections::BTreeMap;

use proptest::prelude::{Just, ProptestConfig, any, prop};
use proptest::strategy::Strategy as Generator;
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};
use samsara_runtime::supervision::{ChildId, Life};

use super::host::answer;
use super::*;

/// What a course is made of. Numbers pick among what there is.
#[derive(Clone, Copy, Debug)]
enum Move {
    Answer(usize),
    Exit(usize, usize),
    Pass(u64),
    Wake,
    Start(usize),
    Stop(usize),
    Release(usize),
    Shutdown,
}

const CAUSES: [Cause; 7] = [
    Cause::Normal,
    Cause::Error,
    Cause::Panic,
    Cause::Killed,
    Cause::Aborted,
    Cause::StartFault,
    Cause::Hang,
];

fn moves() -> impl Generator<Value = Vec<Move>> {
    let one = prop_oneof![
        40 => any::<usize>().prop_map(Move::Answer),
        12 => (any::<usize>(), any::<usize>()).prop_map(|(child, cause)| Move::Exit(child, cause)),
        4 => (0_u64..70_000).prop_map(Move::Pass),
        12 => Just(Move::Wake),
        2 => any::<usize>().prop_map(Move::Start),
        1 => any::<usize>().prop_map(Move::Stop),
        2 => any::<usize>().prop_map(Move::Release),
        1 => Just(Move::Shutdown),
    ];
    prop::collection::vec(one, 1..250)
}

fn policies() -> impl Generator<Value = Policy> {
    let strategies = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
    let limits = [OnLimit::Quarantine, OnLimit::Escalate];
    (prop::sample::select(strategies.to_vec()), prop::sample::select(limits.to_vec()))
        .prop_map(|(strategy, on_limit)| Policy { strategy, on_limit })
}

fn kinds() -> impl Generator<Value = Vec<ChildKind>> {
    let kinds = [ChildKind::Permanent, ChildKind::Transient, ChildKind::Temporary];
    prop::collection::vec(prop::sample::select(kinds.to_vec()), 1..5)
}

/// What an onlooker who sees only words and decisions knows of the tasks.
#[derive(Default)]
struct Onlooker {
    /// Children with a task, from their bump to their being joined.
    tasks: BTreeMap<ChildId, Life>,
    /// Children told to start in their life, in that order.
    started: Vec<ChildId>,
    lives: BTreeMap<ChildId, Life>,
    quarantined: Vec<ChildId>,
    /// Those to be joined before anyone of an ordered group begins or starts.
    ending: Vec<ChildId>,
    ordered: bool,
    all_or_none: bool,
}

impl Onlooker {
    fn hears(&mut self, event: Event) {
        match event {
            Event::Joined { child, life } if self.tasks.get(&child) == Some(&life) => {
                self.tasks.remove(&child);
                self.ending.retain(|id| *id != child);
                self.started.retain(|id| *id != child);
            }
            Event::Release { child } if self.quarantined.contains(&child) => {
                self.quarantined.clear();
            }
            _ => {}
        }
    }

    fn sees(&mut self, decision: Decision) {
        match decision {
            Decision::Do { child, life, step } => self.sees_step(child, life, step),
            Decision::Stop { child, .. } => {
                assert!(self.tasks.contains_key(&child), "{child:?} has no task to stop");
                if self.ordered {
                    let later = self.tasks.keys().filter(|id| **id > child);
                    let later: Vec<_> = later.filter(|id| self.ending.contains(id)).collect();
                    assert!(later.is_empty(), "{child:?} stops before {later:?} are joined");
                }
                self.ending.push(child);
            }
            Decision::Join { child, .. } | Decision::Kill { child, .. } => {
                assert!(self.tasks.contains_key(&child), "{child:?} has no task");
                self.ending.push(child);
            }
            Decision::Quarantine { child, .. } => self.quarantined.push(child),
            Decision::Ended { child, .. } => assert!(!self.tasks.contains_key(&child)),
            Decision::Escalate { .. } | Decision::Closed => {
                assert!(self.tasks.is_empty(), "closed over {:?}", self.tasks);
            }
        }
    }

    fn sees_step(&mut self, child: ChildId, life: Life, step: Step) {
        assert!(!self.quarantined.contains(&child), "{child:?} is in quarantine");
        match step {
            Step::Bump => {
                assert_eq!(self.tasks.insert(child, life), None, "{child:?} lives twice");
                let before = self.lives.insert(child, life);
                assert!(before < Some(life), "{life:?} of {child:?} does not rise");
            }
            Step::Restore | Step::Replay => {}
            Step::Start => {
                assert!(!self.started.contains(&child), "{child:?} is started twice");
                self.started.push(child);
            }
        }
        assert_eq!(self.tasks.get(&child), Some(&life), "{step:?} of another life");
        if self.all_or_none && matches!(step, Step::Bump | Step::Start) {
            assert!(self.ending.is_empty(), "{step:?} while {:?} are to be joined", self.ending);
        }
    }
}

fn play(host: &mut Host, onlooker: &mut Onlooker, course: &[Move]) {
    for decision in &host.decided {
        onlooker.sees(*decision);
    }
    for step in course {
        let pick = |number: usize| number % host.children.len();
        let event = match *step {
            Move::Answer(_) if host.open.is_empty() => continue,
            Move::Answer(number) => {
                let place = number % host.open.len();
                match host.open.remove(place).and_then(answer) {
                    Some(event) => event,
                    None => continue,
                }
            }
            Move::Exit(child, cause) => {
                let (child, cause) = (pick(child), CAUSES[cause % CAUSES.len()]);
                // Only what has a task can end.
                if !onlooker.tasks.contains_key(&host.children[child]) {
                    continue;
                }
                Event::Exited { child: host.children[child], life: host.life(child), cause }
            }
            Move::Pass(millis) => {
                host.now = host.now + Nanos::from_millis(millis);
                Event::Tick
            }
            Move::Wake => {
                host.now = host.supervisor.next_wakeup().unwrap_or(host.now);
                Event::Tick
            }
            Move::Start(child) => Event::Start { child: host.children[pick(child)] },
            Move::Stop(child) => Event::Stop { child: host.children[pick(child)] },
            Move::Release(child) => Event::Release { child: host.children[pick(child)] },
            Move::Shutdown => Event::Shutdown,
        };
        onlooker.hears(event);
        for decision in host.tell(event) {
            onlooker.sees(decision);
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn no_course_of_events_breaks_the_order_of_a_crash(
        policy in policies(),
        kinds in kinds(),
        course in moves(),
    ) {
        let mut host = Host::of(policy, &kinds);
        let mut onlooker = Onlooker {
            ordered: policy.strategy.is_ordered(),
            all_or_none: policy.strategy == Strategy::OneForAll,
            ..Onlooker::default()
        };
        play(&mut host, &mut onlooker, &course);
        // Left alone, everyone comes to rest: nothing is forgotten half-way.
        host.run();
        for state in host.states() {
            let rests = [ChildState::Running, ChildState::Ended, ChildState::Quarantined];
            prop_assert!(rests.contains(&state), "{:?}", state);
        }
    }

    #[test]
    fn restarts_are_counted_exactly_in_the_window(
        gaps in prop::collection::vec(prop_oneof![
            Just(0_u64), 0_u64..20_000, Just(60_000), 55_000_u64..65_000,
        ], 1..40),
    ) {
        let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
        host.run();
        let (window, allowed) = (Nanos::from_secs(60), 5);
        let mut falls: Vec<Nanos> = Vec::new();
        for gap in gaps {
            host.now = host.now + Nanos::from_millis(gap);
            falls.push(host.now);
            let counted = falls.iter().filter(|at| host.now - **at <= window).count();
            host.exit(0, Cause::Error);
            host.run();
            let expected = if counted > allowed { ChildState::Quarantined } else { ChildState::Running };
            prop_assert_eq!(host.state(0), expected, "after {} in the window", counted);
            if counted > allowed {
                break;
            }
        }
    }

    #[test]
    fn the_same_course_gives_the_same_decisions(policy in policies(), kinds in kinds(), course in moves()) {
        let run = || {
            let mut host = Host::of(policy, &kinds);
            play(&mut host, &mut Onlooker::default(), &course);
            host.decided
        };
        prop_assert_eq!(run(), run());
    }
}
