//! Now: nanoseconds since the node was born. The only clock a machine ever sees.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A moment, in nanoseconds since the node was born.
///
/// It is an argument, never asked for: the same sequence of calls tells the same story every time, and prints the same.
/// 64 bits last for 584 years; arithmetic saturates instead of panicking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Now(u64);

impl Now {
    /// The birth of the node.
    pub const ZERO: Now = Now(0);

    /// The moment `nanos` nanoseconds after the birth.
    pub const fn from_nanos(nanos: u64) -> Now {
        Now(nanos)
    }

    /// The moment `millis` milliseconds after the birth.
    pub const fn from_millis(millis: u64) -> Now {
        Now(millis.saturating_mul(1_000_000))
    }

    /// The moment `secs` seconds after the birth.
    pub const fn from_secs(secs: u64) -> Now {
        Now(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the birth.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the birth.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    pub const fn since(self, earlier: Now) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Now {
    type Output = Now;
    fn add(self, wait: Duration) -> Now {
        Now(self.0.saturating_add(nanos(wait)))
    }
}

impl AddAssign<Duration> for Now {
    fn add_assign(&mut self, wait: Duration) {
        *self = *self + wait;
    }
}

impl Sub<Duration> for Now {
    type Output = Now;
    fn sub(self, wait: Duration) -> Now {
        Now(self.0.saturating_sub(nanos(wait)))
    }
}

impl Sub<Now> for Now {
    type Output = Duration;
    fn sub(self, earlier: Now) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.as_secs(), self.0 % 1_000_000_000)
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn nanos(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_plus_a_wait_is_a_later_moment() {
        let start = Now::from_millis(1_500);
        let later = start + Duration::from_secs(2);
        assert!(later > start);
        assert_eq!(later - start, Duration::from_secs(2));
        assert_eq!(start - later, Duration::ZERO);
        assert_eq!(later - Duration::from_secs(2), start);
        assert_eq!(later.to_string(), "3.500000000s");
    }

    #[test]
    fn the_end_of_time_is_not_a_panic() {
        let end = Now::from_nanos(u64::MAX);
        assert_eq!(end + Duration::MAX, end);
        assert_eq!(Now::ZERO - Duration::MAX, Now::ZERO);
        assert_eq!(Now::from_secs(u64::MAX), end);
    }
}
