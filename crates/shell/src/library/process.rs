//! `erlang` and `timer`: what has to do with processes. `os` and `code` as far as they need no node.

use std::time::Duration;

use trunkline::Atom;
use trunkline::term::Term;

use super::Row;
use super::args::{atom, boolean, int, items, size, text};
use super::convert::string;
use crate::limits::LIST_ELEMENTS_MAX;
use crate::machine::code::After;
use crate::machine::code::Native::{Process, Pure, Step};
use crate::machine::{Entry, Machine, Wait};
use crate::raise::{Class, Raise, Result};
use crate::world::Spawn;

pub(super) const TABLE: &[Row] = &[
    ("self", 0, Process(|world, _| Ok(Term::Pid(world.pid())))),
    ("node", 0, Process(|world, _| Ok(Term::Atom(world.node())))),
    ("make_ref", 0, Process(|world, _| Ok(Term::Ref(world.make_ref())))),
    ("!", 2, Process(|world, a| world.send(&a[0], a[1].clone(), &Term::NIL).map(|_| a[1].clone()))),
    ("send", 2, Process(|world, a| world.send(&a[0], a[1].clone(), &Term::NIL).map(|_| a[1].clone()))),
    ("send", 3, Process(|world, a| world.send(&a[0], a[1].clone(), &a[2]))),
    (
        "send_nosuspend",
        2,
        Process(|world, a| {
            world.send(&a[0], a[1].clone(), &Term::list([Term::atom("nosuspend")])).map(|_| boolean(true))
        }),
    ),
    ("error", 1, Pure(|a| raise(Class::Error, &a[0]))),
    ("error", 2, Pure(|a| raise(Class::Error, &a[0]))),
    ("error", 3, Pure(|a| raise(Class::Error, &a[0]))),
    ("exit", 1, Pure(|a| raise(Class::Exit, &a[0]))),
    ("throw", 1, Pure(|a| raise(Class::Throw, &a[0]))),
    (
        "raise",
        3,
        Pure(|a| {
            let trace = items(&a[2]);
            match (Class::read(&a[0]), trace) {
                (Some(class), Ok(trace)) => Err(Box::new(Raise {
                    class,
                    reason: a[1].clone(),
                    trace,
                    traced: true,
                    own: true,
                    cause: None,
                })),
                _ => Ok(Term::atom("badarg")),
            }
        }),
    ),
    ("nif_error", 1, Pure(|a| raise(Class::Error, &a[0]))),
    (
        "process_flag",
        2,
        Step(|machine, world, a| {
            if a[0].is_atom("max_heap_size") {
                let before = machine.heap.to_term();
                machine.heap.set(&a[1])?;
                return Ok(After::Value(before));
            }
            let answer = world.ask(&Atom::new("erlang"), &Atom::new("process_flag"), &a);
            answer.unwrap_or_else(|| Err(Raise::badarg())).map(After::Value)
        }),
    ),
    ("apply", 2, Step(|_, _, mut a| Ok(After::Fun(a.remove(0), items(&a[0])?)))),
    (
        "apply",
        3,
        Step(|_, _, a| {
            let arguments = items(&a[2])?;
            Ok(After::Mfa(atom(&a[0])?.clone(), atom(&a[1])?.clone(), arguments))
        }),
    ),
    (
        "hibernate",
        3,
        Step(|_, _, a| {
            let arguments = items(&a[2])?;
            Ok(After::Mfa(atom(&a[0])?.clone(), atom(&a[1])?.clone(), arguments))
        }),
    ),
    (
        "put",
        2,
        Step(|machine, _, mut a| {
            let value = a.pop().unwrap_or(Term::NIL);
            let old = machine.dictionary.insert(a.remove(0), value);
            Ok(After::Value(old.unwrap_or_else(undefined)))
        }),
    ),
    (
        "get",
        1,
        Step(|machine, _, a| {
            Ok(After::Value(machine.dictionary.get(&a[0]).cloned().unwrap_or_else(undefined)))
        }),
    ),
    ("get", 0, Step(|machine, _, _| Ok(After::Value(dictionary(machine))))),
    ("get_keys", 0, Step(|machine, _, _| Ok(After::Value(Term::list(machine.dictionary.keys().cloned()))))),
    (
        "get_keys",
        1,
        Step(|machine, _, a| {
            let keys =
                machine.dictionary.iter().filter(|(_, value)| **value == a[0]).map(|(key, _)| key.clone());
            Ok(After::Value(Term::list(keys)))
        }),
    ),
    (
        "erase",
        1,
        Step(|machine, _, a| Ok(After::Value(machine.dictionary.remove(&a[0]).unwrap_or_else(undefined)))),
    ),
    (
        "erase",
        0,
        Step(|machine, _, _| {
            let all = dictionary(machine);
            machine.dictionary.clear();
            Ok(After::Value(all))
        }),
    ),
    ("spawn", 1, Step(|_, _, a| spawn(a, 0, Spawn::default()))),
    ("spawn", 2, Step(|_, _, a| spawn_at(a, Spawn::default()))),
    ("spawn", 3, Step(|_, _, a| spawn(a, 0, Spawn::default()))),
    ("spawn", 4, Step(|_, _, a| spawn_at(a, Spawn::default()))),
    ("spawn_link", 1, Step(|_, _, a| spawn(a, 0, LINK))),
    ("spawn_link", 2, Step(|_, _, a| spawn_at(a, LINK))),
    ("spawn_link", 3, Step(|_, _, a| spawn(a, 0, LINK))),
    ("spawn_link", 4, Step(|_, _, a| spawn_at(a, LINK))),
    ("spawn_monitor", 1, Step(|_, _, a| spawn(a, 0, MONITOR))),
    ("spawn_monitor", 2, Step(|_, _, a| spawn_at(a, MONITOR))),
    ("spawn_monitor", 3, Step(|_, _, a| spawn(a, 0, MONITOR))),
    ("spawn_monitor", 4, Step(|_, _, a| spawn_at(a, MONITOR))),
    ("spawn_opt", 2, Step(|_, _, a| spawn_opt(a))),
    ("spawn_opt", 3, Step(|_, _, a| spawn_opt(a))),
    ("spawn_opt", 4, Step(|_, _, a| spawn_opt(a))),
    ("spawn_opt", 5, Step(|_, _, a| spawn_opt(a))),
    (
        "function_exported",
        3,
        Step(|machine, world, a| {
            let (module, function) = (atom(&a[0])?, atom(&a[1])?);
            let arity = u8::try_from(int(&a[2])?).map_err(|_| Raise::badarg())?;
            let here =
                machine.vm.knows(module, function, arity) || world.is_exported(module, function, arity);
            Ok(After::Value(boolean(here)))
        }),
    ),
    (
        "module_loaded",
        1,
        Step(|machine, _, a| {
            let module = atom(&a[0])?;
            Ok(After::Value(boolean(!machine.vm.functions(module).is_empty())))
        }),
    ),
    ("garbage_collect", 0, Pure(|_| Ok(boolean(true)))),
    ("garbage_collect", 1, Pure(|_| Ok(boolean(true)))),
    ("system_time", 0, Process(|world, _| Ok(Term::Int(world.clock().0)))),
    ("system_time", 1, Process(|world, a| in_unit(world.clock().0, &a[0]))),
    ("monotonic_time", 0, Process(|world, _| Ok(Term::Int(world.clock().1)))),
    ("monotonic_time", 1, Process(|world, a| in_unit(world.clock().1, &a[0]))),
    (
        "time_offset",
        0,
        Process(|world, _| {
            let (system, monotonic) = world.clock();
            Ok(Term::Int(system - monotonic))
        }),
    ),
    ("timestamp", 0, Process(|world, _| Ok(timestamp(world.clock().0)))),
    ("now", 0, Process(|world, _| Ok(timestamp(world.clock().0)))),
    ("unique_integer", 0, Process(|world, _| Ok(Term::Int((world.roll() >> 2) as i64)))),
    ("unique_integer", 1, Process(|world, _| Ok(Term::Int((world.roll() >> 2) as i64)))),
    (
        "convert_time_unit",
        3,
        Pure(|a| {
            let number = int(&a[0])?;
            let (from, to) = (per_second(&a[1])?, per_second(&a[2])?);
            let wide = i128::from(number) * i128::from(to);
            Ok(Term::Int(wide.div_euclid(i128::from(from)) as i64))
        }),
    ),
];

pub(super) const TIMER: &[Row] = &[
    ("sleep", 1, Step(|_, _, a| Ok(After::Wait(Wait::Sleep(time(&a[0])?))))),
    ("seconds", 1, Pure(|a| Ok(Term::Int(int(&a[0])? * 1000)))),
    ("minutes", 1, Pure(|a| Ok(Term::Int(int(&a[0])? * 60_000)))),
    ("hours", 1, Pure(|a| Ok(Term::Int(int(&a[0])? * 3_600_000)))),
    ("hms", 3, Pure(|a| Ok(Term::Int((int(&a[0])? * 3600 + int(&a[1])? * 60 + int(&a[2])?) * 1000)))),
    ("now_diff", 2, Pure(|a| Ok(Term::Int(micros(&a[0])? - micros(&a[1])?)))),
];

pub(super) const OS: &[Row] = &[
    ("system_time", 0, Process(|world, _| Ok(Term::Int(world.clock().0)))),
    ("system_time", 1, Process(|world, a| in_unit(world.clock().0, &a[0]))),
    ("timestamp", 0, Process(|world, _| Ok(timestamp(world.clock().0)))),
    ("perf_counter", 0, Process(|world, _| Ok(Term::Int(world.clock().1)))),
    ("type", 0, Pure(|_| Ok(Term::tuple([Term::atom("unix"), Term::atom(std::env::consts::OS)])))),
    ("getpid", 0, Pure(|_| Ok(string(&std::process::id().to_string())))),
    (
        "getenv",
        1,
        Pure(|a| Ok(std::env::var(text(&a[0])?).map_or_else(|_| boolean(false), |value| string(&value)))),
    ),
    (
        "getenv",
        2,
        Pure(|a| Ok(std::env::var(text(&a[0])?).map_or_else(|_| a[1].clone(), |value| string(&value)))),
    ),
];

const LINK: Spawn = Spawn { link: true, monitor: false, node: None };
const MONITOR: Spawn = Spawn { link: false, monitor: true, node: None };

fn undefined() -> Term {
    Term::atom("undefined")
}

/// Raises; the call of `error/1` itself stays out of the trace.
fn raise(class: Class, reason: &Term) -> Result<Term> {
    Err(Box::new(Raise {
        class,
        reason: reason.clone(),
        trace: Vec::new(),
        traced: false,
        own: true,
        cause: None,
    }))
}

fn dictionary(machine: &Machine) -> Term {
    Term::list(machine.dictionary.iter().map(|(key, value)| Term::tuple([key.clone(), value.clone()])))
}

fn entry(mut a: Vec<Term>) -> Result<Entry> {
    if a.len() == 1 {
        let fun = a.remove(0);
        return match super::types::arity(&fun) {
            Some(0) => Ok(Entry::Fun(fun)),
            _ => Err(Raise::badarg()),
        };
    }
    let arguments = items(&a[2])?;
    if arguments.len() > 255 {
        return Err(Raise::badarg());
    }
    Ok(Entry::Mfa(atom(&a[0])?.clone(), atom(&a[1])?.clone(), arguments))
}

fn spawn(a: Vec<Term>, _from: usize, how: Spawn) -> Result<After> {
    Ok(After::Wait(Wait::Spawn(entry(a)?, how)))
}

fn spawn_at(mut a: Vec<Term>, how: Spawn) -> Result<After> {
    let node = atom(&a.remove(0))?.clone();
    spawn(a, 1, Spawn { node: Some(node), ..how })
}

/// `spawn_opt`: the options that matter here are `link` and `monitor`.
fn spawn_opt(mut a: Vec<Term>) -> Result<After> {
    let options = items(&a.pop().unwrap_or(Term::NIL))?;
    let monitor = |option: &Term| {
        option.is_atom("monitor") || option.as_tuple().is_some_and(|pair| pair[0].is_atom("monitor"))
    };
    let how = Spawn {
        link: options.iter().any(|option| option.is_atom("link")),
        monitor: options.iter().any(monitor),
        node: None,
    };
    if matches!(a.len(), 2 | 4) { spawn_at(a, how) } else { spawn(a, 0, how) }
}

fn time(term: &Term) -> Result<Option<Duration>> {
    match term {
        Term::Int(time @ 0..=0xffff_ffff) => Ok(Some(Duration::from_millis(*time as u64))),
        _ if term.is_atom("infinity") => Ok(None),
        _ => Err(Raise::named("timeout_value")),
    }
}

fn timestamp(nanos: i64) -> Term {
    let micros = nanos / 1000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    Term::tuple([Term::Int(seconds / 1_000_000), Term::Int(seconds % 1_000_000), Term::Int(micros)])
}

fn micros(term: &Term) -> Result<i64> {
    match term.as_tuple() {
        Some([mega, seconds, micros]) => {
            Ok((int(mega)? * 1_000_000 + int(seconds)?) * 1_000_000 + int(micros)?)
        }
        _ => Err(Raise::named("function_clause")),
    }
}

fn per_second(unit: &Term) -> Result<i64> {
    if let Term::Int(per_second @ 1..) = unit {
        return Ok(*per_second);
    }
    Ok(match atom(unit)?.as_str() {
        "second" | "seconds" => 1,
        "millisecond" | "milli_seconds" => 1_000,
        "microsecond" | "micro_seconds" => 1_000_000,
        "nanosecond" | "nano_seconds" | "native" | "perf_counter" => 1_000_000_000,
        _ => return Err(Raise::badarg()),
    })
}

fn in_unit(nanos: i64, unit: &Term) -> Result<Term> {
    let wide = i128::from(nanos) * i128::from(per_second(unit)?);
    Ok(Term::Int(wide.div_euclid(1_000_000_000) as i64))
}

/// A count of elements that may be made at once.
pub(super) fn count(term: &Term) -> Result<usize> {
    let count = size(term)?;
    if count > LIST_ELEMENTS_MAX { Err(Raise::named("system_limit")) } else { Ok(count) }
}
