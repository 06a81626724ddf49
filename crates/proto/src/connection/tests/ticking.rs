//! Ticks as OTP ticks.

use std::time::Duration;

use crate::connection::{TickAction, TickChange, Ticks};
use crate::time::Now;

const MINUTE: Duration = Duration::from_secs(60);

/// Runs the machine for some intervals and writes down what it did.
fn run(ticks: &mut Ticks, intervals: usize, mut traffic: impl FnMut(usize) -> (u64, u64, bool)) -> String {
    let acts = (0..intervals).map(|beat| {
        let (received, sent, empty) = traffic(beat);
        match ticks.on_interval(ticks.poll_deadline(), received, sent, empty) {
            TickAction::None => '.',
            TickAction::Send => 't',
            TickAction::Dead => 'X',
        }
    });
    acts.collect()
}

#[test]
fn silence_is_broken_every_interval_and_given_up_after_all_of_them() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    assert_eq!(ticks.poll_deadline(), Now::from_secs(15));
    let mut sent = 0;
    let story = run(&mut ticks, 6, |_| {
        sent += 1;
        (0, sent - 1, true)
    });
    assert_eq!(story, "ttttXX");
}

#[test]
fn a_peer_that_ticks_lives_for_ever() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    let mut sent = 0;
    let story = run(&mut ticks, 50, |beat| {
        sent += 1;
        (beat as u64 / 3, sent - 1, true)
    });
    assert_eq!(story, "t".repeat(50));
}

#[test]
fn who_has_something_to_send_does_not_tick() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    let story = run(&mut ticks, 4, |beat| (beat as u64, 10 + beat as u64, true));
    assert_eq!(story, "....");
    let story = run(&mut ticks, 4, |beat| (10 + beat as u64, 13, false));
    assert_eq!(story, "....");
}

#[test]
fn a_silent_hidden_peer_is_asked_even_when_we_talk() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, true);
    let mut sent = 0;
    let story = run(&mut ticks, 5, |_| {
        sent += 5;
        (7, sent, false)
    });
    assert_eq!(story, ".tttX");
}

#[test]
fn the_tick_time_is_rounded_up_to_whole_intervals() {
    let ticks = Ticks::new(Now::ZERO, Duration::from_millis(10), 4, false);
    assert_eq!(ticks.ticktime(), (Duration::from_millis(12), false));
    let ticks = Ticks::new(Now::ZERO, Duration::ZERO, 4, false);
    assert_eq!(ticks.poll_deadline(), Now::from_millis(1));
}

#[test]
fn a_longer_tick_time_holds_at_once_with_extra_ticks_meanwhile() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    let start = Now::from_secs(10);
    let longer = Duration::from_secs(120);
    assert_eq!(ticks.set(MINUTE, MINUTE, start), TickChange::Unchanged);
    assert_eq!(ticks.set(longer, MINUTE, start), TickChange::ChangeInitiated);
    assert_eq!(ticks.set(MINUTE, MINUTE, start), TickChange::OngoingChangeTo(longer));
    assert_eq!(ticks.ticktime(), (longer, true));
    let mut at = Vec::new();
    for received in 0..7 {
        let now = ticks.poll_deadline();
        let action = ticks.on_interval(now, received, received * 100, true);
        at.push((now.as_secs(), action == TickAction::Send));
    }
    // Extra ticks at 10, 25, 40, 55 and 70; the regular ones, now every 30 seconds, have nothing to do.
    assert_eq!(at, [(10, true), (25, true), (40, true), (55, true), (70, true), (100, false), (130, false)]);
    assert_eq!(ticks.ticktime(), (longer, false));
}

#[test]
fn a_shorter_tick_time_holds_when_the_transition_is_over() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    let shorter = Duration::from_secs(20);
    assert_eq!(ticks.set(shorter, Duration::from_secs(12), Now::from_secs(1)), TickChange::ChangeInitiated);
    let mut at = Vec::new();
    for received in 0..7 {
        let now = ticks.poll_deadline();
        ticks.on_interval(now, received, received * 100, true);
        at.push(now.as_secs());
    }
    // Extra ticks at 1, 6, 11 and 16, the old interval at 15, the new one from 16 on.
    assert_eq!(at, [1, 6, 11, 15, 16, 21, 26]);
    assert_eq!(ticks.ticktime(), (shorter, false));
}

#[test]
fn a_machine_that_slept_does_not_make_up_for_it() {
    let mut ticks = Ticks::new(Now::ZERO, MINUTE, 4, false);
    let late = Now::from_secs(10_000);
    assert_eq!(ticks.on_interval(late, 1, 0, true), TickAction::Send);
    assert_eq!(ticks.on_interval(late, 1, 1, true), TickAction::None);
    assert_eq!(ticks.poll_deadline(), late + Duration::from_secs(15));
}
