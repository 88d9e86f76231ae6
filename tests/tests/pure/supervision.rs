//! Supervision held against what Erlang/OTP documents, and against its own laws.

mod host;
mod otp;
mod properties;

use samsara_runtime::config::SupervisionConfig;
use samsara_runtime::rng::Rng;
use samsara_runtime::supervision::{
    Cause, ChildKind, ChildState, Decision, Event, OnLimit, Policy, Step, Strategy, Supervisor,
};
use samsara_runtime::time::{Nanos, seconds};

use self::host::Host;

fn policy(strategy: Strategy) -> Policy {
    Policy { strategy, on_limit: OnLimit::Quarantine }
}

#[test]
fn six_falls_within_the_window_quarantine_and_delays_stay_within_the_back_off() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
    host.run();
    for expected_ms in [0, 100, 200, 400, 800] {
        let fell = host.now;
        host.exit(0, Cause::Panic);
        host.run();
        let waited = (host.now - fell).get();
        let expected = Nanos::from_millis(expected_ms).get();
        assert!(waited.abs_diff(expected) <= expected / 5, "{waited} for {expected}");
        assert_eq!(host.state(0), ChildState::Running);
    }
    host.exit(0, Cause::Panic);
    host.run();
    assert_eq!(host.state(0), ChildState::Quarantined);
    let child = host.children[0];
    assert_eq!(
        host.decided.last(),
        Some(&Decision::Quarantine { child, cause: Some(Cause::Panic) })
    );
    assert_eq!(host.supervisor.next_wakeup(), None);
}

#[test]
fn a_neighbour_of_a_quarantined_child_goes_on_and_a_release_brings_the_child_back() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent; 2]);
    host.run();
    for _ in 0..6 {
        host.exit(0, Cause::Error);
        host.run();
    }
    assert_eq!(host.states(), [ChildState::Quarantined, ChildState::Running]);
    host.tell(Event::Start { child: host.children[0] });
    host.run();
    assert_eq!(host.state(0), ChildState::Quarantined, "only a release brings it back");
    host.tell(Event::Release { child: host.children[0] });
    host.run();
    assert_eq!(host.states(), [ChildState::Running; 2]);
    let released = host.now;
    host.exit(0, Cause::Error);
    host.run();
    assert_eq!((host.now, host.state(0)), (released, ChildState::Running), "a clean slate");
}

#[test]
fn a_dead_task_is_joined_before_its_child_is_touched() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
    host.run();
    let (child, before) = (host.children[0], host.decided.len());
    host.exit(0, Cause::Panic);
    host.run();
    let kinds: Vec<String> = host.decided[before..]
        .iter()
        .map(|decision| match decision {
            Decision::Join { child: of, .. } if *of == child => "Join".to_owned(),
            Decision::Do { child: of, step, .. } if *of == child => format!("{step:?}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["Join", "Bump", "Restore", "Replay", "Start"]);
}

#[test]
fn a_hanging_child_is_killed_and_not_waited_for() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
    host.run();
    let decisions = host.exit(0, Cause::Hang);
    assert!(matches!(decisions[..], [Decision::Kill { .. }]), "{decisions:?}");
    host.run();
    assert_eq!(host.state(0), ChildState::Running);
}

#[test]
fn a_child_that_does_not_stop_in_time_is_killed_at_its_deadline_and_not_before() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
    host.run();
    let decisions = host.tell(Event::Shutdown);
    let [Decision::Stop { deadline, .. }] = decisions[..] else { panic!("{decisions:?}") };
    assert_eq!(deadline, host.now + SupervisionConfig::default().stop_timeout);
    assert_eq!(host.supervisor.next_wakeup(), Some(deadline));
    host.now = deadline - Nanos::new(1);
    assert_eq!(host.tell(Event::Tick), []);
    host.now = deadline;
    let decisions = host.tell(Event::Tick);
    assert!(matches!(decisions[..], [Decision::Kill { .. }]), "{decisions:?}");
    assert_eq!(host.tell(Event::Tick), [], "it is killed once");
    assert_eq!(host.supervisor.next_wakeup(), None);
    host.answer_all();
    assert!(host.supervisor.is_closed());
    assert_eq!(host.decided.last(), Some(&Decision::Closed));
}

#[test]
fn words_about_a_life_that_is_over_are_not_heard() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[ChildKind::Permanent]);
    host.run();
    let (child, old) = (host.children[0], host.life(0));
    host.exit(0, Cause::Panic);
    host.run();
    let unheard = host.supervisor.unheard();
    let late = [
        Event::Exited { child, life: old, cause: Cause::Panic },
        Event::Joined { child, life: old },
        Event::Done { child, life: old, step: Step::Start },
    ];
    for event in late {
        assert_eq!(host.tell(event), []);
    }
    let life = host.life(0);
    assert_eq!(host.tell(Event::Done { child, life, step: Step::Start }), [], "done before");
    assert_eq!(host.supervisor.unheard(), unheard + 4);
    assert_eq!(host.state(0), ChildState::Running);
}

#[test]
fn a_child_starts_when_those_it_builds_on_run_and_is_restored_beside_them() {
    let mut host = Host::of(policy(Strategy::RestForOne), &[ChildKind::Permanent; 2]);
    let (child, life) = (host.children[1], host.life(1));
    let replayed = [Step::Bump, Step::Restore, Step::Replay];
    for step in replayed {
        host.tell(Event::Done { child, life, step });
    }
    assert_eq!(host.state(1), ChildState::Ready);
    let (child, life) = (host.children[0], host.life(0));
    for step in replayed {
        host.tell(Event::Done { child, life, step });
    }
    assert_eq!(host.states(), [ChildState::Starting, ChildState::Ready]);
    host.tell(Event::Done { child, life, step: Step::Start });
    assert_eq!(host.states(), [ChildState::Running, ChildState::Starting]);
}

#[test]
fn a_group_that_escalates_stops_in_reverse_and_then_tells_its_parent() {
    let policy = Policy { strategy: Strategy::OneForAll, on_limit: OnLimit::Escalate };
    let mut host = Host::of(policy, &[ChildKind::Permanent; 3]);
    host.run();
    for fall in 0..6 {
        host.exit(fall % 3, Cause::Panic);
        host.run();
    }
    assert_eq!(host.states(), [ChildState::Ended; 3]);
    let (child, cause) = (host.children[2], Cause::Panic);
    assert_eq!(host.decided.last(), Some(&Decision::Escalate { child, cause }));
    host.tell(Event::Start { child });
    host.run();
    assert_eq!(host.states(), [ChildState::Ended; 3], "a closed supervisor starts nobody");
}

#[test]
fn a_group_in_quarantine_stays_away_as_a_whole_until_it_is_released() {
    let mut host = Host::of(policy(Strategy::RestForOne), &[ChildKind::Permanent; 3]);
    host.run();
    for _ in 0..6 {
        host.exit(1, Cause::Error);
        host.run();
    }
    let quarantined = ChildState::Quarantined;
    assert_eq!(host.states(), [ChildState::Running, quarantined, quarantined]);
    host.tell(Event::Release { child: host.children[2] });
    host.run();
    assert_eq!(host.states(), [ChildState::Running; 3]);
}

#[test]
fn a_supervisor_takes_as_many_children_as_it_may_and_forgets_only_the_dead() {
    let config = SupervisionConfig { max_children: 2, ..SupervisionConfig::default() };
    let mut supervisor = Supervisor::new(Policy::default(), config);
    let first = supervisor.add(ChildKind::Permanent).expect("room for two");
    supervisor.add(ChildKind::Permanent).expect("room for two");
    assert_eq!(supervisor.add(ChildKind::Permanent).map_err(|full| full.cap), Err(2));
    supervisor.handle(Event::Start { child: first }, seconds(1), &mut Rng::from_seed(1));
    supervisor.remove(first).expect_err("it is being revived");
    let second = supervisor.children().map(|(id, _)| id).last().expect("there are two");
    supervisor.remove(second).expect("it never started");
    let third = supervisor.add(ChildKind::Permanent).expect("there is room again");
    assert!(third > second, "an id is never used twice");
}
