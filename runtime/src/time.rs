//! Logical time: nanoseconds that the host hands in.
//!
//! Law: nothing here reads a clock, no arithmetic wraps, and observed time never goes backwards.
//!
//! ```
//! use samsara_runtime::time::{LogicalClock, Nanos, seconds};
//!
//! let mut clock = LogicalClock::default();
//! assert_eq!(clock.observe(seconds(5)), seconds(5));
//! assert_eq!(clock.observe(seconds(3)), seconds(5));
//! assert_eq!(clock.last() + Nanos::from_millis(1), Nanos::new(5_001_000_000));
//! ```

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds: an instant of a Node's logical time, or a span of it.
///
/// `+` and `-` saturate: the end of time is about 584 years away and means "never".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(u64);

impl Nanos {
    /// The beginning of time, and the empty span.
    pub const ZERO: Self = Self(0);
    /// The end of time.
    pub const MAX: Self = Self(u64::MAX);

    /// This many nanoseconds.
    pub const fn new(nanos: u64) -> Self {
        Self(nanos)
    }

    /// This many microseconds, or the end of time.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// This many milliseconds, or the end of time.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// This many seconds, or the end of time.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The number of nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or nothing past the end of time.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The difference, or nothing before the beginning of time.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// This span `times` times, or the end of time.
    pub const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

/// This many seconds, or the end of time.
pub const fn seconds(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

/// This many milliseconds, or the end of time.
pub const fn millis(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

impl Add for Nanos {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    /// A duration past the end of time becomes the end of time.
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.0)
    }
}

impl fmt::Display for Nanos {
    /// The largest unit that leaves the number readable: `1.5s`, `20ms`, `3µs`, `7ns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Duration::from_nanos(self.0), f)
    }
}

/// The Node's view of time: what was handed in, and never less than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogicalClock {
    last: Nanos,
}

impl LogicalClock {
    /// A clock that goes on from an earlier one.
    pub const fn resume(last: Nanos) -> Self {
        Self { last }
    }

    /// Takes the given time, or the last one if the given lies before it.
    pub fn observe(&mut self, given: Nanos) -> Nanos {
        self.last = self.last.max(given);
        self.last
    }

    /// The time last observed; all that a snapshot needs.
    pub const fn last(&self) -> Nanos {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_last_is_clamped() {
        let mut clock = LogicalClock::resume(seconds(9));
        assert_eq!(clock.observe(seconds(8)), seconds(9));
        assert_eq!(clock.observe(seconds(10)), seconds(10));
        assert_eq!(clock.last(), seconds(10));
    }

    #[test]
    fn arithmetic_stops_at_both_ends_of_time() {
        assert_eq!(Nanos::MAX + Nanos::new(1), Nanos::MAX);
        assert_eq!(Nanos::ZERO - Nanos::new(1), Nanos::ZERO);
        assert_eq!(seconds(u64::MAX), Nanos::MAX);
        assert_eq!(millis(2).saturating_mul(u64::MAX), Nanos::MAX);
        assert_eq!(Nanos::MAX.checked_add(Nanos::new(1)), None);
        assert_eq!(Nanos::ZERO.checked_sub(Nanos::new(1)), None);
    }

    #[test]
    fn durations_convert_and_saturate() {
        assert_eq!(Nanos::from(Duration::from_millis(20)), millis(20));
        assert_eq!(Nanos::from(Duration::MAX), Nanos::MAX);
        assert_eq!(Duration::from(seconds(2)), Duration::from_secs(2));
    }

    #[test]
    fn time_reads_well() {
        assert_eq!(millis(1_500).to_string(), "1.5s");
        assert_eq!(Nanos::from_micros(20_000).to_string(), "20ms");
    }
}
