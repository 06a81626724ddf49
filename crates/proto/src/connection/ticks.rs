//! Ticks: when to break the silence, and when the peer's silence means death. OTP's algorithm, tick for tick.
//!
//! A tick time T is divided into `intensity` intervals. At the end of each, a connection that has sent nothing sends a
//! tick, and one that has received nothing for `intensity` intervals is given up: after T - T/I to T + T/I of silence.
//! (kernel's `net_ticktime` and `net_tickintensity`.)

use std::time::Duration;

use crate::limits::{TICK_INTENSITY_MAX, TICK_INTENSITY_MIN};
use crate::time::Now;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickAction {
    /// Nothing.
    None,
    /// Send a tick.
    Send,
    /// The peer is not responding (`net_tick_timeout`): close the connection.
    Dead,
}

/// What `net_kernel:set_net_ticktime` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickChange {
    /// It is the tick time we have.
    Unchanged,
    /// The change has begun.
    ChangeInitiated,
    /// An earlier change, to this tick time, is not over; nothing was changed.
    OngoingChangeTo(Duration),
}

/// The tick machine of one connection.
#[derive(Clone, Debug)]
pub struct Ticks {
    interval: Duration,
    intensity: u32,
    hidden: bool,
    next: Now,
    /// Counts the intervals, from 0 to `intensity - 1` and again.
    beat: u32,
    /// The beat, from 1 to `intensity`, at which something had last been received.
    heard: u32,
    received: Option<u64>,
    sent: u64,
    change: Option<Change>,
}

/// A change of the tick time under way: extra ticks, so that peers which still have the shorter one stay content.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// Between two extra ticks.
    every: Duration,
    /// Extra ticks still to be sent; with the last one the change is over.
    left: u64,
    next: Now,
    /// The interval that is wanted.
    interval: Duration,
}

impl Ticks {
    /// Ticks for a connection made `now`. The tick time is rounded up to a multiple of `intensity` milliseconds, the
    /// intensity is brought into 4 to 1000. `hidden` peers may be unable to tick by themselves, so they are asked to.
    pub fn new(now: Now, ticktime: Duration, intensity: u32, hidden: bool) -> Ticks {
        let intensity = intensity.clamp(TICK_INTENSITY_MIN, TICK_INTENSITY_MAX);
        let interval = interval_of(ticktime, intensity);
        Ticks {
            interval,
            intensity,
            hidden,
            next: now + interval,
            beat: 0,
            heard: 0,
            received: None,
            sent: 0,
            change: None,
        }
    }

    /// When [`Ticks::on_interval`] is next to be called.
    pub fn poll_deadline(&self) -> Now {
        self.change.map_or(self.next, |change| change.next.min(self.next))
    }

    /// An interval is over (calls that come early do nothing). Takes the counts of packets received and sent since the
    /// connection was made, ticks included, and whether nothing waits to be sent.
    pub fn on_interval(&mut self, now: Now, received: u64, sent: u64, queue_empty: bool) -> TickAction {
        let mut action = TickAction::None;
        if now >= self.next {
            self.next = follow(self.next, self.interval, now);
            action = self.beat(received, sent, queue_empty);
        }
        if self.extra_is_due(now) && action == TickAction::None && (self.hidden || queue_empty) {
            action = TickAction::Send;
        }
        action
    }

    /// The tick time, and whether a change to it is still under way.
    pub fn ticktime(&self) -> (Duration, bool) {
        let interval = self.change.map_or(self.interval, |change| change.interval);
        (interval * self.intensity, self.change.is_some())
    }

    /// Changes the tick time. A longer one holds at once, a shorter one when `transition` is over; meanwhile extra
    /// ticks are sent at the shorter interval of the two. All nodes are to be told within the transition.
    pub fn set(&mut self, ticktime: Duration, transition: Duration, now: Now) -> TickChange {
        if self.change.is_some() {
            return TickChange::OngoingChangeTo(self.ticktime().0);
        }
        let interval = interval_of(ticktime, self.intensity);
        if interval == self.interval {
            return TickChange::Unchanged;
        }
        let every = interval.min(self.interval);
        let left = 1 + transition.as_nanos().div_ceil(every.as_nanos()) as u64;
        self.change = Some(Change { every, left, next: now, interval });
        if interval > self.interval {
            self.interval = interval;
            self.next = now + interval;
        }
        TickChange::ChangeInitiated
    }

    fn beat(&mut self, received: u64, sent: u64, queue_empty: bool) -> TickAction {
        let beat = self.beat + 1;
        // What came during the handshake counts: nobody is silent at the first beat.
        let silent = self.received == Some(received);
        if silent && self.heard == beat {
            return TickAction::Dead;
        }
        let wrote = sent != self.sent;
        let tick = !wrote && queue_empty || self.hidden && silent;
        self.beat = beat % self.intensity;
        self.received = Some(received);
        // The tick that is sent now must not count as traffic of the next interval.
        self.sent = sent + u64::from(tick);
        if !silent {
            self.heard = beat;
        }
        if tick { TickAction::Send } else { TickAction::None }
    }

    /// Whether an extra tick is due; the last one ends the change.
    fn extra_is_due(&mut self, now: Now) -> bool {
        let Some(change) = &mut self.change else { return false };
        if now < change.next {
            return false;
        }
        change.next = follow(change.next, change.every, now);
        change.left -= 1;
        if change.left == 0 {
            let shorter = change.interval < self.interval;
            self.interval = change.interval;
            if shorter {
                self.next = now + self.interval;
            }
            self.change = None;
        }
        true
    }
}

/// A tick time's interval: whole milliseconds, at least one.
fn interval_of(ticktime: Duration, intensity: u32) -> Duration {
    let millis = u64::try_from(ticktime.as_millis()).unwrap_or(u64::MAX / 2);
    Duration::from_millis(millis.div_ceil(u64::from(intensity)).max(1))
}

/// The deadline after `last`; when that is past already (the machine was asleep), the missed ones are not made up for.
fn follow(last: Now, interval: Duration, now: Now) -> Now {
    let next = last + interval;
    if next > now { next } else { now + interval }
}
