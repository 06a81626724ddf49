//! `os`: the environment, other programs. `crypto` as far as it is random or MD5. More of `math`.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use md5::Digest;
use trunkline::term::Term;

use super::Row;
use super::args::{atom, int, iodata, size};
use super::bits_text::chars;
use super::convert::string;
use crate::limits::{COMMAND_OUTPUT_BYTES_MAX, COMMANDS_MAX, RANDOM_BYTES_MAX};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::{Process, Pure, Step};
use crate::machine::numbers::float;
use crate::raise::{Raise, Result};

/// The environment as it was changed here, and commands that run.
#[derive(Default)]
pub(crate) struct System {
    /// Values by name; nothing for what was taken away. The program's own environment stays as it was.
    changed: BTreeMap<String, Option<String>>,
    commands: BTreeMap<i64, Arc<Mutex<Output>>>,
    last: i64,
}

/// What a command has said so far.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    over: bool,
}

fn system(machine: &Machine) -> MutexGuard<'_, System> {
    machine.vm.system.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) const OS: &[Row] = &[
    (
        "getenv",
        1,
        Step(|m, _, a| Ok(After::Value(found(m, &name(&a[0])?).unwrap_or_else(|| Term::atom("false"))))),
    ),
    ("getenv", 2, Step(|m, _, a| Ok(After::Value(found(m, &name(&a[0])?).unwrap_or_else(|| a[1].clone()))))),
    (
        "getenv",
        0,
        Step(|m, _, _| {
            let all = all(&system(m));
            Ok(After::Value(Term::list(all.iter().map(|(name, value)| string(&format!("{name}={value}"))))))
        }),
    ),
    (
        "env",
        0,
        Step(|m, _, _| {
            let all = all(&system(m));
            let pair = |(name, value): (&String, &String)| Term::tuple([string(name), string(value)]);
            Ok(After::Value(Term::list(all.iter().map(pair))))
        }),
    ),
    (
        "putenv",
        2,
        Step(|m, _, a| {
            let value = chars(&a[1]).filter(|value| !value.contains('\0')).ok_or_else(Raise::badarg)?;
            system(m).changed.insert(name(&a[0])?, Some(value));
            Ok(After::Value(Term::atom("true")))
        }),
    ),
    (
        "unsetenv",
        1,
        Step(|m, _, a| {
            system(m).changed.insert(name(&a[0])?, None);
            Ok(After::Value(Term::atom("true")))
        }),
    ),
    ("version", 0, Pure(|_| Ok(version()))),
    ("-cmd", 1, Step(|m, _, a| begin(m, &a[0]))),
    ("-said", 1, Step(|m, _, a| said(m, int(&a[0])?))),
];

fn name(term: &Term) -> Result<String> {
    let name = chars(term).filter(|name| !name.is_empty() && !name.contains(['=', '\0']));
    name.ok_or_else(Raise::badarg)
}

fn found(machine: &Machine, name: &str) -> Option<Term> {
    let system = system(machine);
    match system.changed.get(name) {
        Some(changed) => changed.as_deref().map(string),
        None => std::env::var(name).ok().map(|value| string(&value)),
    }
}

fn all(system: &System) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    for (name, value) in &system.changed {
        match value {
            Some(value) => all.insert(name.clone(), value.clone()),
            None => all.remove(name),
        };
    }
    all
}

/// The release of the kernel; zeros where nobody tells it.
fn version() -> Term {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    let mut next = || Term::Int(numbers.next().unwrap_or(0));
    Term::tuple([next(), next(), next()])
}

/// Starts a command of the shell; a thread of its own reads what it says.
fn begin(machine: &Machine, text: &Term) -> Result<After> {
    let text = chars(text).filter(|text| !text.contains('\0')).ok_or_else(Raise::badarg)?;
    let mut system = system(machine);
    if system.commands.len() >= COMMANDS_MAX {
        return Err(Raise::named("system_limit"));
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("exec 2>&1\n{text}")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, value) in &system.changed {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.spawn().map_err(|_| Raise::named("enoent"))?;
    let output = Arc::new(Mutex::new(Output::default()));
    let theirs = output.clone();
    let pipe = child.stdout.take();
    std::thread::spawn(move || {
        if let Some(pipe) = pipe {
            collect(pipe, &theirs);
        }
        let _ = child.wait();
        theirs.lock().unwrap_or_else(PoisonError::into_inner).over = true;
    });
    system.last += 1;
    let id = system.last;
    system.commands.insert(id, output);
    Ok(After::Value(Term::Int(id)))
}

fn collect(mut pipe: impl Read, output: &Mutex<Output>) {
    let mut part = [0; 8192];
    loop {
        match pipe.read(&mut part) {
            Ok(count @ 1..) => {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                let room = COMMAND_OUTPUT_BYTES_MAX.saturating_sub(output.bytes.len());
                output.bytes.extend_from_slice(&part[..count.min(room)]);
            }
            _ => return,
        }
    }
}

/// `{done, Bytes}` when a command is over, else `wait`.
fn said(machine: &Machine, id: i64) -> Result<After> {
    let mut system = system(machine);
    let output = system.commands.get(&id).cloned().ok_or_else(Raise::badarg)?;
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    if !output.over {
        return Ok(After::Value(Term::atom("wait")));
    }
    system.commands.remove(&id);
    let bytes = std::mem::take(&mut output.bytes);
    Ok(After::Value(Term::tuple([Term::atom("done"), Term::Binary(bytes.into())])))
}

pub(super) const CRYPTO: &[Row] = &[
    (
        "strong_rand_bytes",
        1,
        Process(|world, a| {
            let count = size(&a[0])?;
            if count > RANDOM_BYTES_MAX {
                return Err(Raise::named("system_limit"));
            }
            let mut bytes = Vec::with_capacity(count + 8);
            while bytes.len() < count {
                bytes.extend_from_slice(&world.roll().to_le_bytes());
            }
            bytes.truncate(count);
            Ok(Term::Binary(bytes.into()))
        }),
    ),
    (
        "hash",
        2,
        Pure(|a| {
            let data = iodata(&a[1])?;
            match atom(&a[0])?.as_str() {
                "md5" => Ok(Term::Binary(md5::Md5::digest(&data).to_vec().into())),
                "sha" => Ok(Term::Binary(super::sha::sha1(&data).to_vec().into())),
                "sha224" => Ok(Term::Binary(super::sha::sha224(&data).to_vec().into())),
                "sha256" => Ok(Term::Binary(super::sha::sha256(&data).to_vec().into())),
                _ => Err(Raise::badarg()),
            }
        }),
    ),
];

pub(super) const MATH: &[Row] = &[
    ("acosh", 1, Pure(|a| one(&a[0], f64::acosh))),
    ("asinh", 1, Pure(|a| one(&a[0], f64::asinh))),
    ("atanh", 1, Pure(|a| one(&a[0], f64::atanh))),
    ("tau", 0, Pure(|_| Ok(Term::Float(std::f64::consts::TAU)))),
];

fn one(term: &Term, how: fn(f64) -> f64) -> Result<Term> {
    let number = how(float(term).ok_or_else(Raise::badarg)?);
    if number.is_finite() { Ok(Term::Float(number)) } else { Err(Raise::badarith()) }
}
