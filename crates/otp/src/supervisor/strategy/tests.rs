//! Every strategy, every position, every way to end, every kind of child.

use super::*;

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
const CHILDREN: usize = 3;

/// Every assignment of a kind to each of the children.
fn casts() -> Vec<[Restart; CHILDREN]> {
    let mut all = Vec::new();
    for a in RESTARTS {
        for b in RESTARTS {
            all.extend(RESTARTS.map(|c| [a, b, c]));
        }
    }
    all
}

fn family(strategy: Strategy, cast: [Restart; CHILDREN], down: Option<usize>) -> Family<usize> {
    let intensity = Intensity::new(1, Duration::from_secs(5));
    let mut family = Family::new(strategy, AutoShutdown::Never, intensity);
    for (id, restart) in cast.into_iter().enumerate() {
        family.add(id, restart, false);
        family.set_up(&id, down != Some(id));
    }
    family
}

/// The manual in other words: which children are concerned, and what becomes of each.
fn expected(
    strategy: Strategy,
    cast: [Restart; CHILDREN],
    down: Option<usize>,
    dead: usize,
    ending: Ending,
) -> Vec<Action<usize>> {
    let mut actions = Vec::new();
    let crashed = ending == Ending::Crash;
    if crashed || cast[dead] == Restart::Permanent {
        actions.push(Action::Report(dead));
    }
    let again = match cast[dead] {
        Restart::Permanent => true,
        Restart::Transient => crashed,
        Restart::Temporary => false,
    };
    if !again {
        if cast[dead] == Restart::Temporary {
            actions.push(Action::Forget(dead));
        }
        return actions;
    }
    let concerned = |id: &usize| match strategy {
        Strategy::OneForAll => true,
        Strategy::RestForOne => *id >= dead,
        Strategy::OneForOne | Strategy::SimpleOneForOne => *id == dead,
    };
    for id in (0..CHILDREN).rev().filter(concerned) {
        if id != dead && down != Some(id) {
            actions.push(Action::Stop(id));
        }
        if cast[id] == Restart::Temporary {
            actions.push(Action::Forget(id));
        }
    }
    let stays = |id: &usize| cast[*id] != Restart::Temporary;
    actions.extend((0..CHILDREN).filter(concerned).filter(stays).map(Action::Start));
    actions
}

#[test]
fn every_strategy_does_what_the_manual_says() {
    let mut cases = 0;
    for strategy in STRATEGIES {
        for cast in casts() {
            for dead in 0..CHILDREN {
                for ending in [Ending::Orderly, Ending::Crash] {
                    for down in [None, Some((dead + 1) % CHILDREN), Some((dead + 2) % CHILDREN)] {
                        let mut family = family(strategy, cast, down);
                        let actions = family.on_exit(&dead, ending, Duration::ZERO);
                        let expected = expected(strategy, cast, down, dead, ending);
                        assert_eq!(actions, expected, "{strategy:?} {cast:?} {dead} {ending:?} {down:?}");
                        let forgotten = |id: &usize| expected.contains(&Action::Forget(*id));
                        let left: Vec<usize> = (0..CHILDREN).filter(|id| !forgotten(id)).collect();
                        assert!(family.ids().eq(&left));
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 3 * 27 * 3 * 2 * 3);
}

#[test]
fn one_restart_too_many_ends_the_supervisor() {
    for strategy in STRATEGIES {
        let mut family = family(strategy, [Restart::Permanent; CHILDREN], None);
        let first = family.on_exit(&1, Ending::Crash, Duration::ZERO);
        assert!(!first.contains(&Action::End));
        (0..CHILDREN).for_each(|id| family.set_up(&id, true));
        let second = family.on_exit(&1, Ending::Crash, Duration::ZERO);
        assert_eq!(second, [Action::Report(1), Action::GiveUp(1), Action::End]);
    }
}

#[test]
fn a_failed_restart_is_tried_again_and_counts_again() {
    for strategy in STRATEGIES {
        let mut family = family(strategy, [Restart::Permanent; CHILDREN], None);
        family.on_exit(&0, Ending::Crash, Duration::ZERO);
        assert_eq!(family.on_failed_start(&0), [Action::Retry(0)]);
        let late = Duration::from_secs(6);
        let again = family.on_retry(&0, late);
        assert!(again.contains(&Action::Start(0)), "{again:?}");
        family.on_failed_start(&0);
        assert_eq!(family.on_retry(&0, late), [Action::GiveUp(0), Action::End]);
        // Nothing is tried again that runs or is gone.
        family.set_up(&0, true);
        assert_eq!(family.on_retry(&0, late), []);
        assert_eq!(family.on_retry(&9, late), []);
    }
}

#[test]
fn significant_children_take_the_supervisor_with_them() {
    let rules = [AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant];
    for rule in rules {
        for restart in [Restart::Transient, Restart::Temporary] {
            for significant in [[true, true, false], [true, false, false], [false, true, true], [false; 3]] {
                let intensity = Intensity::new(0, Duration::ZERO);
                let mut family = Family::new(Strategy::OneForOne, rule, intensity);
                for (id, significant) in significant.into_iter().enumerate() {
                    family.add(id, restart, significant);
                    family.set_up(&id, true);
                }
                let mut gone = Vec::new();
                for id in 0..CHILDREN {
                    let ends = family.on_exit(&id, Ending::Orderly, Duration::ZERO).contains(&Action::End);
                    gone.push(id);
                    let left = (0..CHILDREN).any(|id| significant[id] && !gone.contains(&id));
                    let expected = significant[id]
                        && match rule {
                            AutoShutdown::Never => false,
                            AutoShutdown::AnySignificant => true,
                            AutoShutdown::AllSignificant => !left,
                        };
                    assert_eq!(ends, expected, "{rule:?} {restart:?} {significant:?} {id}");
                }
            }
        }
    }
}
