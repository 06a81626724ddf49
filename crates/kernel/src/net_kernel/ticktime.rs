//! The tick time of the whole node, and what is answered to those who change it. Pure.

use std::time::Duration;

use proto::Now;
use proto::connection::{TickChange, Ticks};

/// The tick time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickTime {
    /// It holds.
    Is(Duration),
    /// A change to it is under way.
    OngoingChangeTo(Duration),
}

/// What became of a change.
pub type TickTimeChange = TickChange;

/// What all connections have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct TickSettings {
    ticktime: Duration,
    intensity: u32,
    change: Option<(Duration, Now)>,
}

impl TickSettings {
    pub(super) fn new(ticktime: Duration, intensity: u32) -> TickSettings {
        let rounded = Ticks::new(Now::ZERO, ticktime, intensity, false).ticktime().0;
        TickSettings { ticktime: rounded, intensity, change: None }
    }

    pub(super) fn get(&mut self, now: Now) -> TickTime {
        self.settle(now);
        match self.change {
            Some((to, _)) => TickTime::OngoingChangeTo(to),
            None => TickTime::Is(self.ticktime),
        }
    }

    pub(super) fn set(&mut self, now: Now, ticktime: Duration, transition: Duration) -> TickChange {
        self.settle(now);
        if let Some((to, _)) = self.change {
            return TickChange::OngoingChangeTo(to);
        }
        let rounded = TickSettings::new(ticktime, self.intensity).ticktime;
        if rounded == self.ticktime {
            return TickChange::Unchanged;
        }
        // It is over with the last of the extra ticks, of which the first goes at once. (`net_kernel:aux_ticker/4`.)
        let every = (rounded.min(self.ticktime) / self.intensity).max(Duration::from_millis(1));
        let extra = u32::try_from(transition.as_nanos().div_ceil(every.as_nanos())).unwrap_or(u32::MAX);
        self.change = Some((rounded, now + every.saturating_mul(extra)));
        TickChange::ChangeInitiated
    }

    /// The ticks of a new connection, which joins a change that is under way.
    pub(super) fn ticks(&mut self, now: Now, hidden: bool) -> Ticks {
        self.settle(now);
        let mut ticks = Ticks::new(now, self.ticktime, self.intensity, hidden);
        if let Some((to, until)) = self.change {
            ticks.set(to, until - now, now);
        }
        ticks
    }

    fn settle(&mut self, now: Now) {
        if let Some((to, _)) = self.change.filter(|(_, until)| *until <= now) {
            self.ticktime = to;
            self.change = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_ongoing_until_its_transition_is_over() {
        let (minute, ten) = (Duration::from_secs(60), Duration::from_secs(10));
        let mut settings = TickSettings::new(minute, 4);
        assert_eq!(settings.set(Now::ZERO, minute, ten), TickChange::Unchanged);
        assert_eq!(settings.set(Now::ZERO, ten, minute), TickChange::ChangeInitiated);
        assert_eq!(settings.set(Now::from_secs(59), minute, minute), TickChange::OngoingChangeTo(ten));
        assert_eq!(settings.get(Now::from_secs(59)), TickTime::OngoingChangeTo(ten));
        assert_eq!(settings.get(Now::from_secs(60)), TickTime::Is(ten));
        let second = Duration::from_secs(1);
        assert_eq!(settings.set(Now::from_secs(60), minute, second), TickChange::ChangeInitiated);
        assert_eq!(
            settings.get(Now::from_millis(62_499)),
            TickTime::OngoingChangeTo(minute),
            "with the last extra tick"
        );
        assert_eq!(settings.get(Now::from_millis(62_500)), TickTime::Is(minute));
        assert_eq!(settings.set(Now::from_secs(63), ten, Duration::ZERO), TickChange::ChangeInitiated);
        assert_eq!(settings.get(Now::from_secs(63)), TickTime::Is(ten), "without a transition at once");
    }
}
