//! How often something fell of late, and how long it waits for that.
//!
//! Law: exactly the falls of the window count, both ends included. What is kept does not grow with
//! the number of falls.

use std::collections::VecDeque;

use crate::config::SupervisionConfig;
use crate::rng::Rng;
use crate::time::Nanos;

/// The falls of one child, or of children that are counted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// The latest falls, one more than are allowed at most: older ones cannot change a verdict.
    falls: VecDeque<Nanos>,
    /// Falls since the last time of good health.
    streak: u32,
    /// Since when all is well.
    well_since: Option<Nanos>,
}

/// What a fall leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A restart, not before this.
    Restart { at: Nanos },
    /// Restarting has not helped.
    TooMany,
}

impl History {
    pub(super) fn fall(
        &mut self,
        now: Nanos,
        config: &SupervisionConfig,
        rng: &mut Rng,
    ) -> Verdict {
        let healthy = |since: Nanos| now - since >= config.healthy_after;
        if self.well_since.take().is_some_and(healthy) {
            self.streak = 0;
        }
        self.streak = self.streak.saturating_add(1);
        while self.falls.len() > config.max_restarts as usize {
            self.falls.pop_front();
        }
        self.falls.push_back(now);
        let counted = self.falls.iter().filter(|at| now - **at <= config.window).count();
        if counted > config.max_restarts as usize {
            return Verdict::TooMany;
        }
        Verdict::Restart { at: now + wait(self.streak, config, rng) }
    }

    pub(super) fn well(&mut self, now: Nanos) {
        self.well_since.get_or_insert(now);
    }

    /// Someone looked at it and wants it to be tried again.
    pub(super) fn forgive(&mut self) {
        *self = Self::default();
    }
}

/// The wait before the restart after so many falls in a row.
fn wait(streak: u32, config: &SupervisionConfig, rng: &mut Rng) -> Nanos {
    let Some(doublings) = streak.checked_sub(2) else {
        return Nanos::ZERO;
    };
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    let wait = config.backoff_base.saturating_mul(factor).min(config.backoff_cap);
    let spread = u128::from(wait.get()) * u128::from(config.jitter_percent.min(100)) / 100;
    let spread = Nanos::new(u64::try_from(spread).unwrap_or(u64::MAX));
    Nanos::new(rng.between((wait - spread).get()..=(wait + spread).get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{millis, seconds};

    fn waits(falls: u32, config: &SupervisionConfig) -> Vec<u64> {
        let mut rng = Rng::from_seed(1);
        (1..=falls).map(|streak| wait(streak, config, &mut rng).get()).collect()
    }

    #[test]
    fn the_first_restart_is_at_once_and_waits_double_to_their_cap_within_the_jitter() {
        let config = SupervisionConfig::default();
        let expected = [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
        for (wait, expected) in waits(12, &config).into_iter().zip(expected) {
            let expected = millis(expected).get();
            assert!(wait.abs_diff(expected) <= expected / 5, "{wait} for {expected}");
        }
    }

    #[test]
    fn waits_are_spread_over_the_whole_jitter() {
        let (config, mut rng) = (SupervisionConfig::default(), Rng::from_seed(2));
        let drawn: Vec<u64> = (0..1_000).map(|_| wait(2, &config, &mut rng).get()).collect();
        assert!(drawn.iter().any(|wait| *wait < millis(82).get()));
        assert!(drawn.iter().any(|wait| *wait > millis(118).get()));
    }

    #[test]
    fn numbers_at_their_end_do_no_harm() {
        let config = SupervisionConfig {
            backoff_base: Nanos::MAX,
            backoff_cap: Nanos::MAX,
            jitter_percent: 100,
            ..SupervisionConfig::default()
        };
        let mut rng = Rng::from_seed(3);
        wait(2, &config, &mut rng);
        wait(u32::MAX, &config, &mut rng);
        let mut history = History { streak: u32::MAX, ..History::default() };
        assert!(matches!(history.fall(Nanos::MAX, &config, &mut rng), Verdict::Restart { .. }));
    }

    #[test]
    fn good_health_makes_the_next_fall_a_first_one() {
        let (config, mut rng) = (SupervisionConfig::default(), Rng::from_seed(4));
        let mut history = History::default();
        history.fall(seconds(0), &config, &mut rng);
        history.well(seconds(1));
        let early = history.fall(seconds(60), &config, &mut rng);
        assert!(matches!(early, Verdict::Restart { at } if at > seconds(60)), "{early:?}");
        history.well(seconds(61));
        let healthy = history.fall(seconds(121), &config, &mut rng);
        assert_eq!(healthy, Verdict::Restart { at: seconds(121) });
    }

    #[test]
    fn the_last_instant_of_the_window_counts_and_the_next_does_not() {
        let (config, mut rng) = (SupervisionConfig::default(), Rng::from_seed(6));
        let mut history = History::default();
        for _ in 0..config.max_restarts {
            history.fall(seconds(10), &config, &mut rng);
        }
        let last = seconds(10) + config.window;
        assert_eq!(history.clone().fall(last, &config, &mut rng), Verdict::TooMany);
        let next = history.fall(last + Nanos::new(1), &config, &mut rng);
        assert!(matches!(next, Verdict::Restart { .. }), "{next:?}");
    }

    #[test]
    fn a_history_keeps_no_more_than_decides() {
        let (config, mut rng) = (SupervisionConfig::default(), Rng::from_seed(5));
        let mut history = History::default();
        for second in 0..1_000 {
            history.fall(seconds(second), &config, &mut rng);
        }
        assert_eq!(history.falls.len(), config.max_restarts as usize + 1);
    }
}
