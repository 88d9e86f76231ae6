//! How one host behaves: how fast it sends, and what it has done that no honest host does.
//!
//! Law: who sends more than its rate is read later, never dropped; who offends too often is blocked,
//! longer each time.

use samsara_runtime::time::Nanos;

use super::config::LinkConfig;

const SECOND: u64 = 1_000_000_000;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conduct {
    /// Bytes that it may send at once, as of `since`.
    level: u64,
    since: Nanos,
    strikes: u32,
    blocks: u32,
    until: Nanos,
}

impl Conduct {
    pub(crate) fn new(config: &LinkConfig, now: Nanos) -> Self {
        let level = config.rate_burst;
        Self { level, since: now, strikes: 0, blocks: 0, until: Nanos::ZERO }
    }

    /// Takes note of bytes that arrived: how long nothing more is to be read.
    pub(crate) fn heard(&mut self, bytes: u64, now: Nanos, config: &LinkConfig) -> Nanos {
        let passed = u128::from((now - self.since).get());
        let earned = passed * u128::from(config.rate_bytes) / u128::from(SECOND);
        if earned > 0 {
            let earned = u64::try_from(earned).unwrap_or(u64::MAX);
            self.level = self.level.saturating_add(earned).min(config.rate_burst);
            self.since = self.since.max(now);
        }
        let missing = bytes.saturating_sub(self.level);
        self.level = self.level.saturating_sub(bytes);
        let wait = u128::from(missing) * u128::from(SECOND) / u128::from(config.rate_bytes.max(1));
        let wait = Nanos::new(u64::try_from(wait).unwrap_or(u64::MAX));
        // What is waited for is spent already.
        self.since = self.since + wait;
        wait
    }

    /// Takes note of an offence: whether the host is blocked now.
    pub(crate) fn strike(&mut self, now: Nanos, config: &LinkConfig) -> bool {
        self.strikes = self.strikes.saturating_add(1);
        if self.strikes < config.strikes {
            return false;
        }
        let doubled = 1_u64.checked_shl(self.blocks).unwrap_or(u64::MAX);
        let block = config.block_base.get().saturating_mul(doubled).min(config.block_cap.get());
        (self.strikes, self.blocks) = (0, self.blocks.saturating_add(1));
        self.until = now + Nanos::new(block);
        true
    }

    pub(crate) fn is_blocked(&self, now: Nanos) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use samsara_runtime::time::{millis, seconds};

    use super::*;

    #[test]
    fn over_time_no_more_is_read_than_the_rate_and_one_burst() {
        let config = LinkConfig { rate_bytes: 1_000, rate_burst: 500, ..LinkConfig::default() };
        let mut now = seconds(5);
        let mut conduct = Conduct::new(&config, now);
        let mut bytes = 0;
        while now < seconds(15) {
            bytes += 100;
            now = now + conduct.heard(100, now, &config);
        }
        assert!((10_400..=10_600).contains(&bytes), "{bytes}");
        now = now + seconds(60);
        assert_eq!(conduct.heard(500, now, &config), Nanos::ZERO, "a rest earns one burst");
        assert_eq!(conduct.heard(100, now, &config), millis(100), "and no more");
    }

    #[test]
    fn who_offends_too_often_is_blocked_and_twice_as_long_the_next_time() {
        let config = LinkConfig::default();
        let mut conduct = Conduct::new(&config, Nanos::ZERO);
        let mut now = Nanos::ZERO;
        for minutes in [10, 20, 40] {
            let strikes = (0..config.strikes).filter(|_| conduct.strike(now, &config)).count();
            assert_eq!(strikes, 1, "only the last one counts");
            assert!(conduct.is_blocked(now + seconds(minutes * 60 - 1)));
            now = now + seconds(minutes * 60);
            assert!(!conduct.is_blocked(now));
        }
    }
}
