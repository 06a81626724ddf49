//! Ladders through kills, restarts, splits and heals, by seed.

use term::Atom;
use term::read::read_term;

use super::events::Standing;
use super::ladder::Ladder;
use super::sim_world::World;

const STEPS_MAX: usize = 200_000;

fn ladders(texts: &[&str]) -> Vec<(Atom, Ladder)> {
    texts.iter().map(|text| Ladder::from_term(&read_term(text).unwrap()).unwrap()).collect()
}

fn world(seed: u64, texts: &[&str]) -> World {
    let names = ["a", "b", "c", "d"].map(Atom::new).to_vec();
    World::new(seed, ladders(texts), names)
}

/// Until nothing more happens.
fn drain(world: &mut World, apps: &[Atom], seed: u64) {
    for _ in 0..STEPS_MAX {
        if !world.step() {
            return;
        }
        for app in apps {
            if let Err(why) = world.excuse_two_copies(app) {
                fail(world, seed, &why);
            }
        }
    }
    fail(world, seed, "there is no end to it");
}

fn fail(world: &World, seed: u64, why: &str) -> ! {
    let from = world.log.len().saturating_sub(150);
    panic!("seed {seed}: {why}\n{}", world.log[from..].join("\n"));
}

/// In every group of connected nodes one runs it, and all agree who.
fn check(world: &World, apps: &[Atom], seed: u64) {
    for app in apps {
        let running = world.running(app);
        for group in world.groups() {
            let here: Vec<&Atom> = group.iter().filter(|name| running.contains(name)).collect();
            if here.len() != 1 {
                fail(world, seed, &format!("{here:?} of {group:?} run {app}"));
            }
            for name in &group {
                let wanted = match here[0] == name {
                    true => Standing::Local,
                    false => Standing::Distributed(here[0].clone()),
                };
                let standing = world.standing(name, app);
                if standing != wanted {
                    fail(world, seed, &format!("{name} thinks {standing:?} of {app}, not {wanted:?}"));
                }
            }
        }
    }
}

fn mishaps(seed: u64, texts: &[&str], splits: bool) {
    let mut world = world(seed, texts);
    let apps: Vec<Atom> = ladders(texts).into_iter().map(|(app, _)| app).collect();
    let names = ["a", "b", "c", "d"].map(Atom::new);
    for name in &names {
        world.boot(name);
    }
    for _ in 0..12 {
        for _ in 0..world.dice.below(40) {
            world.step();
        }
        let name = names[world.dice.below(4)].clone();
        match world.dice.below(if splits { 6 } else { 3 }) {
            0 => world.kill(&name),
            1 => world.boot(&name),
            2 => {
                drain(&mut world, &apps, seed);
                check(&world, &apps, seed);
            }
            3 => world.split(),
            4 => world.heal(),
            _ => {}
        }
    }
    world.heal();
    drain(&mut world, &apps, seed);
    check(&world, &apps, seed);
    for name in &names {
        world.boot(name);
    }
    drain(&mut world, &apps, seed);
    check(&world, &apps, seed);
}

const LADDERS: [&[&str]; 4] = [
    &["{shop,1000,[a,b,c,d]}"],
    &["{shop,1000,[a,{b,c},d]}"],
    &["{shop,1000,[{a,b,c,d}]}"],
    &["{shop,1000,[{a,b},{c,d}]}", "{stock,0,[{d,c,b,a}]}", "{till,5,[d,{a,b,c}]}"],
];

/// `TRUNKLINE_SEED` tells one story again; `TRUNKLINE_SEEDS` says how many are told.
fn seeds() -> std::ops::Range<u64> {
    let said = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    said("TRUNKLINE_SEED").map_or(0..said("TRUNKLINE_SEEDS").unwrap_or(120), |seed| seed..seed + 1)
}

#[test]
fn after_any_kills_and_restarts_one_node_runs_it_and_all_agree_who() {
    for texts in LADDERS {
        for seed in seeds() {
            mishaps(seed, texts, false);
        }
    }
}

#[test]
fn after_any_splits_and_heals_too_connected_nodes_never_run_two_copies() {
    for texts in LADDERS {
        for seed in seeds() {
            mishaps(seed, texts, true);
        }
    }
}

#[test]
fn the_best_node_that_is_up_runs_it_and_takes_it_over_when_it_comes_back() {
    for seed in seeds() {
        let mut world = world(seed, LADDERS[1]);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(Atom::new);
        let app = Atom::new("shop");
        for name in [&d, &c, &b, &a] {
            world.boot(name);
        }
        let apps = [app.clone()];
        let runs = |world: &mut World| {
            drain(world, &apps, seed);
            check(world, &apps, seed);
            world.running(&app)
        };
        assert_eq!(runs(&mut world), vec![a.clone()], "seed {seed}");
        world.kill(&a);
        let next = runs(&mut world).remove(0);
        assert!([&b, &c].contains(&&next), "seed {seed}: {next}");
        world.kill(&b);
        world.kill(&c);
        assert_eq!(runs(&mut world), vec![d.clone()], "seed {seed}");
        world.boot(&a);
        assert_eq!(runs(&mut world), vec![a.clone()], "seed {seed}");
        world.permit(&a, &app, false);
        assert_eq!(runs(&mut world), vec![d.clone()], "seed {seed}");
        world.permit(&a, &app, true);
        assert_eq!(runs(&mut world), vec![a.clone()], "seed {seed}");
    }
}
