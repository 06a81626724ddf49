//! The story against worlds that are told rather than run.

use super::super::report::Report;
use super::*;

const AT: Duration = Duration::from_secs(1);

fn world(cast: &[&str]) -> World {
    let mut world = World::default();
    for who in cast {
        world.started(who);
        world.heard(who, AT, Report::Ready { creation: 1 });
        world.registered.insert((*who).to_owned());
    }
    world
}

fn see(world: &mut World, who: &str, others: &[&str]) {
    world.heard(who, AT, Report::Sees(others.iter().map(|other| node_of(other)).collect()));
}

fn meshed(cast: &[&str]) -> World {
    let mut world = world(cast);
    for who in cast {
        let others: Vec<_> = cast.iter().copied().filter(|other| other != who).collect();
        see(&mut world, who, &others);
    }
    world
}

fn fire(world: &mut World, who: &str, reason: &str) {
    for tie in Tie::ALL {
        let (node, reason) = (node_of(VICTIM), reason.to_owned());
        world.heard(who, 2 * AT, Report::Fired { tie, node, reason });
    }
}

fn bury(world: &mut World) {
    world.killed(VICTIM, AT);
    world.ended(VICTIM, false);
    for who in ["bill", "zoey", "rick"] {
        let others: Vec<_> = ["bill", "zoey", "rick"].into_iter().filter(|other| *other != who).collect();
        see(world, who, &others);
    }
}

#[test]
fn without_erlang_the_story_has_no_guest() {
    assert!(Step::story(true).contains(&Step::GuestJoins));
    assert!(!Step::story(false).contains(&Step::GuestJoins));
    assert_eq!(Step::story(false).last(), Some(&Step::Leave));
}

#[test]
fn booting_wants_everybody_up_and_registered() {
    let mut world = world(&FOUR);
    assert_eq!(Step::Boot.look(&world), Progress::True);
    world.registered.remove("rick");
    assert_eq!(Step::Boot.look(&world), Progress::Waiting("rick is not in EPMD".into()));
}

#[test]
fn a_pair_that_knows_the_other_pair_breaks_the_story() {
    let mut world = world(&FOUR);
    for (who, partner) in [("bill", "zoey"), ("zoey", "bill"), ("rick", "daryl"), ("daryl", "rick")] {
        see(&mut world, who, &[partner]);
    }
    assert_eq!(Step::Pairs.look(&world), Progress::True);
    see(&mut world, "zoey", &["bill", "rick"]);
    assert!(matches!(Step::Pairs.look(&world), Progress::Broken(_)));
}

#[test]
fn a_mesh_with_one_hole_is_no_mesh() {
    let mut world = meshed(&FOUR);
    assert_eq!(Step::Mesh.look(&world), Progress::True);
    see(&mut world, "daryl", &["bill", "rick"]);
    assert_eq!(Step::Mesh.look(&world), Progress::Waiting("daryl does not see zoey".into()));
}

#[test]
fn a_death_that_nobody_ordered_breaks_every_step_but_the_last() {
    let mut world = meshed(&FOUR);
    world.ended("zoey", true);
    assert_eq!(Step::Mesh.look(&world), Progress::Broken("zoey ended too early".into()));
    assert!(matches!(Step::Leave.look(&world), Progress::Waiting(_)));
    world.ended("zoey", false);
    assert_eq!(Step::Leave.look(&world), Progress::Broken("zoey ended too early".into()));
}

#[test]
fn a_kill_counts_when_each_tie_fired_exactly_once() {
    let mut world = meshed(&FOUR);
    bury(&mut world);
    fire(&mut world, "bill", "noconnection");
    fire(&mut world, "zoey", "noconnection");
    assert!(matches!(Step::Kill.look(&world), Progress::Waiting(_)));
    fire(&mut world, "rick", "noconnection");
    assert_eq!(Step::Kill.look(&world), Progress::True);
    assert_eq!(
        Step::Kill.verdict(&world)[0],
        "bill knew: link 1.0 s, monitor 1.0 s, nodedown 1.0 s, each exactly once"
    );
    fire(&mut world, "rick", "noconnection");
    assert_eq!(Step::Kill.look(&world), Progress::Broken("rick's link fired 2 times".into()));
}

#[test]
fn a_tie_with_another_reason_breaks_the_story() {
    let mut world = meshed(&FOUR);
    bury(&mut world);
    fire(&mut world, "bill", "normal");
    assert_eq!(Step::Kill.look(&world), Progress::Broken("bill's link fired with normal".into()));
}

#[test]
fn who_returns_has_a_new_creation() {
    let mut world = meshed(&FOUR);
    bury(&mut world);
    world.started(VICTIM);
    world.heard(VICTIM, AT, Report::Ready { creation: 1 });
    assert!(matches!(Step::Return.look(&world), Progress::Broken(_)));
    world.heard(VICTIM, AT, Report::Ready { creation: 2 });
    assert!(matches!(Step::Return.look(&world), Progress::Waiting(_)));
}

#[test]
fn times_are_read_by_humans() {
    assert_eq!(duration_text(Duration::from_micros(730)), "730 µs");
    assert_eq!(duration_text(Duration::from_micros(1_449)), "1.4 ms");
    assert_eq!(duration_text(Duration::from_millis(2_100)), "2.1 s");
}
