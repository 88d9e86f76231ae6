//! The three strategies and three kinds of child, as the supervisor of Erlang/OTP documents them.

use super::*;

use ChildKind::{Permanent, Temporary, Transient};

/// Which lives follow when the middle one of three children ends: `s` for a stop, `+` for a start,
/// each with the position of the child.
fn course(strategy: Strategy, kinds: [ChildKind; 3], cause: Cause) -> String {
    let mut host = Host::of(policy(strategy), &kinds);
    host.run();
    let before = host.decided.len();
    host.exit(1, cause);
    host.run();
    let position = |child| host.children.iter().position(|id| *id == child).expect("a child");
    let told = host.decided[before..].iter().filter_map(|decision| match decision {
        Decision::Stop { child, .. } => Some(format!("s{}", position(*child))),
        Decision::Do { child, step: Step::Start, .. } => Some(format!("+{}", position(*child))),
        _ => None,
    });
    told.collect::<Vec<_>>().join(" ")
}

const ABNORMAL: [Cause; 6] =
    [Cause::Error, Cause::Panic, Cause::Killed, Cause::Aborted, Cause::StartFault, Cause::Hang];

#[test]
fn one_for_one_restarts_only_the_child_that_fell() {
    for cause in ABNORMAL {
        assert_eq!(course(Strategy::OneForOne, [Permanent; 3], cause), "+1");
    }
}

#[test]
fn one_for_all_stops_the_others_in_reverse_and_starts_all_in_order() {
    for cause in ABNORMAL {
        assert_eq!(course(Strategy::OneForAll, [Permanent; 3], cause), "s2 s0 +0 +1 +2");
    }
}

#[test]
fn rest_for_one_stops_those_started_later_and_starts_from_the_one_that_fell() {
    for cause in ABNORMAL {
        assert_eq!(course(Strategy::RestForOne, [Permanent; 3], cause), "s2 +1 +2");
    }
}

#[test]
fn a_permanent_child_is_restarted_even_after_a_normal_end() {
    assert_eq!(course(Strategy::OneForOne, [Permanent; 3], Cause::Normal), "+1");
    assert_eq!(course(Strategy::OneForAll, [Permanent; 3], Cause::Normal), "s2 s0 +0 +1 +2");
    assert_eq!(course(Strategy::RestForOne, [Permanent; 3], Cause::Normal), "s2 +1 +2");
}

#[test]
fn a_transient_child_is_restarted_only_after_an_abnormal_end() {
    let kinds = [Permanent, Transient, Permanent];
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        assert_eq!(course(strategy, kinds, Cause::Normal), "", "{strategy:?}");
    }
    for cause in ABNORMAL {
        assert_eq!(course(Strategy::OneForOne, kinds, cause), "+1");
        assert_eq!(course(Strategy::OneForAll, kinds, cause), "s2 s0 +0 +1 +2");
    }
}

#[test]
fn a_temporary_child_is_never_restarted_and_its_end_touches_nobody() {
    let kinds = [Permanent, Temporary, Permanent];
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        for cause in ABNORMAL.into_iter().chain([Cause::Normal]) {
            assert_eq!(course(strategy, kinds, cause), "", "{strategy:?} {cause:?}");
        }
    }
}

#[test]
fn a_temporary_sibling_that_a_restart_stops_does_not_come_back() {
    let kinds = [Temporary, Permanent, Temporary];
    assert_eq!(course(Strategy::OneForAll, kinds, Cause::Error), "s2 s0 +1");
    assert_eq!(course(Strategy::RestForOne, kinds, Cause::Error), "s2 +1");
}

#[test]
fn a_group_restart_brings_back_a_transient_child_that_was_done() {
    let mut host = Host::of(policy(Strategy::OneForAll), &[Transient, Permanent]);
    host.run();
    host.exit(0, Cause::Normal);
    host.run();
    assert_eq!(host.states(), [ChildState::Ended, ChildState::Running]);
    host.exit(1, Cause::Error);
    host.run();
    assert_eq!(host.states(), [ChildState::Running; 2]);
}

#[test]
fn a_stopped_child_stays_away_until_it_is_started() {
    let mut host = Host::of(policy(Strategy::OneForOne), &[Permanent]);
    host.run();
    let child = host.children[0];
    host.tell(Event::Stop { child });
    host.run();
    assert_eq!(host.state(0), ChildState::Ended);
    assert_eq!(host.decided.last(), Some(&Decision::Ended { child, cause: None }));
    host.tell(Event::Start { child });
    host.run();
    assert_eq!(host.state(0), ChildState::Running);
}

#[test]
fn a_shutdown_stops_all_in_reverse_order_one_after_the_other() {
    let mut host = Host::of(policy(Strategy::RestForOne), &[Permanent, Temporary, Transient]);
    host.run();
    for position in [2, 1, 0] {
        let decisions = match position {
            2 => host.tell(Event::Shutdown),
            _ => {
                let (child, life) = (host.children[position + 1], host.life(position + 1));
                let mut decisions = host.tell(Event::Joined { child, life });
                assert_eq!(decisions.remove(0), Decision::Ended { child, cause: None });
                decisions
            }
        };
        let child = host.children[position];
        assert!(
            matches!(decisions[..], [Decision::Stop { child: of, .. }] if of == child),
            "{decisions:?}"
        );
    }
}

#[test]
fn more_restarts_than_allowed_over_all_children_end_the_supervisor() {
    let policy = Policy { strategy: Strategy::OneForOne, on_limit: OnLimit::Escalate };
    let mut host = Host::of(policy, &[Permanent; 3]);
    host.run();
    for fall in 0..6 {
        assert!(!host.supervisor.is_closed());
        host.exit(fall % 3, Cause::Error);
        host.run();
    }
    assert!(host.supervisor.is_closed());
}

#[test]
fn restarts_that_the_window_has_left_do_not_count() {
    let policy = Policy { strategy: Strategy::OneForOne, on_limit: OnLimit::Escalate };
    let mut host = Host::of(policy, &[Permanent; 1]);
    host.run();
    for _ in 0..20 {
        host.exit(0, Cause::Error);
        host.run();
        host.now = host.now + seconds(13);
    }
    assert_eq!(host.state(0), ChildState::Running);
}
