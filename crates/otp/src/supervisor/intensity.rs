//! How often a supervisor restarts before it gives up. Pure: times in, a verdict out.

use std::collections::VecDeque;
use std::time::Duration;

/// The restarts of the last while.
#[derive(Clone, Debug)]
pub struct Intensity {
    restarts_max: usize,
    period: Duration,
    /// The times of the restarts that count, oldest first; never more than `restarts_max` and one.
    restarts: VecDeque<Duration>,
}

impl Intensity {
    /// At most so many restarts in so much time.
    pub fn new(restarts_max: usize, period: Duration) -> Intensity {
        Intensity { restarts_max, period, restarts: VecDeque::new() }
    }

    /// One more restart, now (counted from any moment); whether that is still bearable.
    pub fn restart(&mut self, now: Duration) -> bool {
        while self.restarts.front().is_some_and(|then| now.saturating_sub(*then) > self.period) {
            self.restarts.pop_front();
        }
        self.restarts.push_back(now);
        if self.restarts.len() > self.restarts_max {
            self.restarts.pop_front();
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_restarts_in_so_much_time_and_not_one_more() {
        let second = Duration::from_secs;
        for restarts_max in 0..4 {
            let mut intensity = Intensity::new(restarts_max, second(5));
            let bearable: Vec<bool> = (0..6).map(|_| intensity.restart(second(10))).collect();
            let expected: Vec<bool> = (0..6).map(|nth| nth < restarts_max).collect();
            assert_eq!(bearable, expected);
        }
        let mut intensity = Intensity::new(1, second(5));
        let verdicts: Vec<bool> = [0, 5, 11, 17, 18].map(|at| intensity.restart(second(at))).into();
        assert_eq!(
            verdicts,
            [true, false, true, true, false],
            "what is older than the period does not count"
        );
    }
}
