//! The time-outs of one machine. Pure: the time is an argument.

use std::time::Duration;

use term::Atom;

/// Which time-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Event,
    State,
    Named(Atom),
}

/// Time-outs that run, each with what it carries. Times are counted from any one moment.
pub(super) struct Timers<T> {
    running: Vec<Timer<T>>,
    started: u64,
}

struct Timer<T> {
    key: Key,
    due: Duration,
    /// Of two that are due at the same time the one that was started first comes first.
    started: u64,
    what: T,
}

impl<T> Timers<T> {
    pub(super) fn new() -> Timers<T> {
        Timers { running: Vec::new(), started: 0 }
    }

    /// Starts one; one of the same key is taken back.
    pub(super) fn set(&mut self, key: Key, due: Duration, what: T) {
        self.cancel(&key);
        self.started += 1;
        self.running.push(Timer { key, due, started: self.started, what });
    }

    pub(super) fn cancel(&mut self, key: &Key) {
        self.running.retain(|timer| timer.key != *key);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.running.iter().map(|timer| timer.due).min()
    }

    /// Takes out the next one that is due.
    pub(super) fn take(&mut self, now: Duration) -> Option<(Key, T)> {
        let due = self.running.iter().enumerate().filter(|(_, timer)| timer.due <= now);
        let (at, _) = due.min_by_key(|(_, timer)| (timer.due, timer.started))?;
        let timer = self.running.remove(at);
        Some((timer.key, timer.what))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.running.iter().map(|timer| &timer.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_come_in_order_and_once() {
        let second = Duration::from_secs;
        let named = |name: &str| Key::Named(Atom::new(name));
        let mut timers = Timers::new();
        timers.set(named("late"), second(5), 1);
        timers.set(Key::State, second(3), 2);
        timers.set(named("early"), second(3), 3);
        timers.set(named("gone"), second(1), 4);
        timers.cancel(&named("gone"));
        timers.set(named("late"), second(4), 5);
        assert_eq!(timers.next(), Some(second(3)));
        assert_eq!(timers.take(second(2)), None);
        let taken: Vec<_> = std::iter::from_fn(|| timers.take(second(9))).map(|(_, what)| what).collect();
        assert_eq!((taken, timers.next()), (vec![2, 3, 5], None));
    }
}
