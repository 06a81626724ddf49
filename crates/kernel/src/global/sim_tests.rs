//! Thousands of small clusters, each with its own misfortune: in the end all agree, nothing is locked, nobody waits.

use std::collections::{BTreeMap, BTreeSet};

use term::{Pid, Term};

use super::Mistake;
use super::events::Request;
use super::sim_world::{EVENTS_MAX, MS, World, method};

const CHAOS_STEPS: u64 = 40;
/// Long enough for every ceiling of `watch` to pass.
const QUIET_MS: u64 = 400_000;
const SEEDS_PER_MISTAKE: u64 = 300;
/// Those that a few lives bring to light. The others, which are noticed once in thousands or not at all, have a story of their own
/// in `words_tests`.
const MISTAKES: [Mistake; 4] =
    [Mistake::DeafToNews, Mistake::DeafToLosses, Mistake::KeepTheLock, Mistake::LeaveDebts];
const HEALING_ROUNDS: usize = 5;

#[test]
fn after_any_misfortune_all_agree_and_nobody_waits() {
    let seeds = std::env::var("TRUNKLINE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let first = std::env::var("TRUNKLINE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut failed = Vec::new();
    for seed in first..first + seeds {
        if let Err(why) = live(seed, Mistake::None, None) {
            failed.push((seed, why));
        }
    }
    if let Some((seed, why)) = failed.first() {
        let mut story = Vec::new();
        let _ = live(*seed, Mistake::None, Some(&mut story));
        if std::env::var("TRUNKLINE_STORY").is_ok() {
            println!("{}", story.join("\n"));
        }
        let failing: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
        panic!("seed {seed}: {why}\n{} of {seeds} seeds fail: {failing:?}", failing.len());
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..=10 {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let _ = live(seed, Mistake::None, Some(&mut one));
        let _ = live(seed, Mistake::None, Some(&mut other));
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn an_old_mistake_does_not_go_unnoticed() {
    let seeds = std::env::var("TRUNKLINE_SEEDS").ok().and_then(|text| text.parse().ok());
    for mistake in MISTAKES {
        let all = 1..=seeds.unwrap_or(SEEDS_PER_MISTAKE);
        let caught = all.clone().find(|seed| live(*seed, mistake, None).is_err());
        println!("{mistake:?}: noticed by seed {caught:?}");
        assert!(caught.is_some(), "{mistake:?} was not noticed by the seeds {all:?}");
    }
}

/// One life of a cluster: chaos, quiet, healing. `Err` says what is wrong in the end.
fn live(seed: u64, mistake: Mistake, story: Option<&mut Vec<String>>) -> Result<(), String> {
    let count = 2 + (seed % 4) as usize;
    let prevent = !seed.is_multiple_of(5);
    let mut world = World::new(seed, count, prevent, mistake);
    world.story = story.as_ref().map(|_| Vec::new());
    let result = chaos_and_after(&mut world, prevent);
    if let (Some(story), Some(told)) = (story, world.story.take()) {
        *story = told;
    }
    result
}

fn chaos_and_after(world: &mut World, prevent: bool) -> Result<(), String> {
    let mut next_request = 1;
    for _ in 0..CHAOS_STEPS {
        misfortune(world, &mut next_request);
        let most = if world.dice.below(4) == 0 { 6_000 } else { 400 };
        let until = world.now + world.dice.below(most) * MS;
        world.run_until(until);
    }
    world.blocked.clear();
    (0..world.nodes.len()).for_each(|index| world.boot(index));
    quiet(world);
    partitions_agree(world, prevent)?;
    for _ in 0..HEALING_ROUNDS {
        for a in 0..world.nodes.len() {
            for b in 0..a {
                world.dial(b, a);
            }
        }
        quiet(world);
        partitions_agree(world, prevent)?;
        if partitions(world).len() == 1 {
            return probe(world, prevent);
        }
    }
    Err("the cluster does not heal".into())
}

fn quiet(world: &mut World) {
    let until = world.now + QUIET_MS * MS;
    world.tell(|_| "--- quiet ---".into());
    world.run_until(until);
}

fn misfortune(world: &mut World, next_request: &mut u64) {
    let count = world.nodes.len() as u64;
    let one = world.dice.below(count) as usize;
    let other = world.dice.below(count) as usize;
    let (low, high) = (one.min(other), one.max(other));
    *next_request += 1;
    let id = *next_request;
    match world.dice.below(19) {
        0..=4 => world.dial(one, other),
        5 if low != high => world.cut(low, high),
        6 if low != high && world.dice.below(2) == 0 => {
            world.blocked.insert((low, high));
            world.cut(low, high);
        }
        6 => world.blocked.clear(),
        7 if world.dice.below(2) == 0 => world.crash(one),
        7 => world.boot(one),
        8..=10 => register(world, id, one, other, false),
        11 => register(world, id, one, other, true),
        12 => {
            let name = some_name(world);
            world.request(one, id, Request::Unregister { name });
        }
        13 if !world.is_frozen(one) => {
            let named = world.nodes[one].life.as_ref().map(|life| {
                life.machine.registered_names().map(|(_, pid)| pid.clone()).collect::<Vec<Pid>>()
            });
            if let Some(pid) = named.unwrap_or_default().first() {
                world.kill(pid);
            }
        }
        14 => split(world),
        15 => {
            let millis = if world.dice.below(2) == 0 { 3_000 } else { 150_000 };
            let millis = world.dice.below(millis);
            world.freeze(one, millis);
        }
        16 => {
            let millis = 1 + world.dice.below(1_000);
            world.distract(one, millis);
        }
        17 => hiccup(world, id, one, other),
        _ => lock(world, id, one),
    }
}

/// A connection is remade while the name server at one end is busy: it reads what the old one brought when the new one is there.
fn hiccup(world: &mut World, id: u64, one: usize, other: usize) {
    let millis = 200 + world.dice.below(1_000);
    world.distract(one, millis);
    register(world, id, other, other, true);
    let soon = world.now + world.dice.below(100) * MS;
    world.run_until(soon);
    world.cut(one, other);
    let noticed = world.now + world.dice.below(400) * MS;
    world.run_until(noticed);
    world.dial(other, one);
    world.dial(one, other);
}

/// Cuts the cluster in two.
fn split(world: &mut World) {
    let count = world.nodes.len();
    let sides: Vec<bool> = (0..count).map(|_| world.dice.below(2) == 0).collect();
    for a in 0..count {
        for b in 0..a {
            if sides[a] != sides[b] {
                world.blocked.insert((b, a));
                world.cut(b, a);
            }
        }
    }
}

fn some_name(world: &mut World) -> Term {
    Term::tuple([Term::atom("name"), Term::Int(world.dice.below(4) as i64)])
}

/// A name for a process out of reach is a promise nobody keeps. Within reach is who is connected, of the partition or not (yet).
fn reaches(world: &World, at: usize, home: usize) -> bool {
    world.nodes[at].life.as_ref().is_some_and(|life| life.up.contains_key(&home))
}

fn register(world: &mut World, id: u64, at: usize, home: usize, again: bool) {
    let home = if world.dice.below(3) == 0 && reaches(world, at, home) { home } else { at };
    let Some(pid) = world.spawn(home) else { return };
    let name = some_name(world);
    let function = ["random_exit_name", "random_notify_name", "notify_all_name", "somebody_elses"];
    let method = method(function[world.dice.below(4) as usize]);
    let request = if again {
        Request::ReRegister { name, pid, method }
    } else {
        Request::Register { name, pid, method }
    };
    world.request(at, id, request);
}

fn lock(world: &mut World, id: u64, at: usize) {
    let Some(client) = world.spawn(at) else { return };
    let resource = if world.dice.below(3) == 0 { Term::atom("global") } else { Term::atom("res") };
    let retries = if world.dice.below(2) == 0 { None } else { Some(world.dice.below(4) as u32) };
    let requester = Term::Pid(client.clone());
    world.request(at, id, Request::SetLock { client, resource, requester, nodes: None, retries });
}

// What must be true in the end.

/// The nodes that can reach each other over connections.
fn partitions(world: &World) -> Vec<BTreeSet<usize>> {
    let mut left: BTreeSet<usize> = (0..world.nodes.len()).collect();
    let mut all = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut partition = BTreeSet::from([first]);
        let mut edge = vec![first];
        while let Some(node) = edge.pop() {
            for other in left.clone().into_iter().filter(|other| world.connected(node, *other)) {
                left.remove(&other);
                partition.insert(other);
                edge.push(other);
            }
        }
        all.push(partition);
    }
    all
}

fn partitions_agree(world: &World, prevent: bool) -> Result<(), String> {
    if world.events > EVENTS_MAX {
        return Err("the cluster is never quiet".into());
    }
    for partition in partitions(world) {
        for node in &partition {
            nobody_waits(world, *node)?;
        }
        let meshed = partition.iter().all(|a| partition.iter().all(|b| a == b || world.connected(*a, *b)));
        if !meshed && prevent {
            return Err(format!("partitions overlap: {partition:?}"));
        }
        if meshed {
            agree(world, &partition, prevent)?;
        }
    }
    Ok(())
}

fn nobody_waits(world: &World, index: usize) -> Result<(), String> {
    let name = &world.nodes[index].name;
    let Some(life) = &world.nodes[index].life else { return Ok(()) };
    if let Some((resource, requester, holders)) = life.machine.locks().next() {
        return Err(format!("{name} is left with the lock {resource:?} for {requester:?} of {holders:?}"));
    }
    if let Some((id, request)) = life.requests.iter().find(|(_, request)| !is_of_the_dead(world, request)) {
        return Err(format!("{name} has not answered {id}: {request:?}"));
    }
    Ok(())
}

fn is_of_the_dead(world: &World, request: &Request) -> bool {
    match request {
        Request::SetLock { client, .. } | Request::DelLock { client, .. } => !world.lives(client),
        _ => false,
    }
}

/// All know each other. Their tables are the same, unless partitions could overlap: then OTP promises nothing either,
/// which is why it prevents that.
fn agree(world: &World, partition: &BTreeSet<usize>, prevent: bool) -> Result<(), String> {
    let mut tables: Vec<(usize, BTreeMap<&Term, &Pid>)> = Vec::new();
    for index in partition {
        let Some(life) = &world.nodes[*index].life else { continue };
        let name = &world.nodes[*index].name;
        let known: BTreeSet<usize> = life.machine.known().filter_map(|known| world.index(known)).collect();
        let others: BTreeSet<usize> = partition.iter().filter(|other| *other != index).copied().collect();
        if known != others {
            return Err(format!("{name} is connected to {others:?} and knows {known:?}"));
        }
        let table: BTreeMap<&Term, &Pid> = life.machine.registered_names().collect();
        if let Some((name, pid)) = table.iter().find(|(_, pid)| !world.lives(pid)) {
            return Err(format!("{name:?} is the name of {pid}, who is dead"));
        }
        tables.push((*index, table));
    }
    match tables.windows(2).find(|two| prevent && two[0].1 != two[1].1) {
        Some(two) => Err(format!("the tables of {two:?} differ")),
        None => Ok(()),
    }
}

/// The healed cluster still works.
fn probe(world: &mut World, prevent: bool) -> Result<(), String> {
    for index in 0..world.nodes.len() {
        let name = Term::tuple([Term::atom("probe"), Term::Int(index as i64)]);
        let Some(pid) = world.spawn(index) else { continue };
        let method = method("random_exit_name");
        world.request(index, 2_000_000 + index as u64, Request::Register { name, pid, method });
    }
    quiet(world);
    partitions_agree(world, prevent)?;
    let names = world.nodes[0].life.as_ref().map_or(0, |life| {
        life.machine
            .registered_names()
            .filter(|(name, _)| name.as_tuple().is_some_and(|t| t[0].is_atom("probe")))
            .count()
    });
    if names != world.nodes.len() {
        return Err(format!("{names} of {} new names were registered", world.nodes.len()));
    }
    Ok(())
}
