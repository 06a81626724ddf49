//! One command, one table: `cargo run --release -p trunkline-bench -- [--quick] [--rounds N] [--only a,b] [--json]`.

mod beam;
mod cluster;
mod codec;
mod limit;
mod local;
mod measure;
mod ours;
mod remote;
mod report;
mod side;
mod station;
mod table;
mod words;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use beam::Beam;
use limit::Limit;
use measure::Results;
use side::{Side, With};
use table::{Kind, PROGRAMS, Program};

/// As a program that is about speed would have it; BEAM brings its own allocator too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
trunkline-bench [--quick] [--rounds N] [--only PROGRAM,PROGRAM] [--side beam|ours|limit] [--json] [--list]
trunkline-bench run PROGRAM SIZE [PEER]   one program of ours, as the harness runs it in a process of its own
trunkline-bench peer NAME                 our other side of the remote programs; ends with its standard input
trunkline-bench member NAME               a node of ours in a mesh; ends with its standard input";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", program, size, peer @ ..] => ours::run(program, size, peer.first().copied()),
        ["peer", name] => station::peer(name),
        ["member", name] => cluster::member(name),
        ["limit", program, size, address] => limit::run(program, size, address),
        ["limit-peer", address] => limit::peer(address),
        words => Wish::parse(words).and_then(|wish| harness(&wish)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
struct Wish {
    quick: bool,
    rounds: usize,
    only: Option<Vec<String>>,
    sides: [bool; 3],
    json: bool,
    list: bool,
}

impl Wish {
    fn parse(words: &[&str]) -> Result<Wish> {
        let mut wish =
            Wish { quick: false, rounds: 0, only: None, sides: [true; 3], json: false, list: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value\n{USAGE}"));
            match *word {
                "--quick" => wish.quick = true,
                "--json" => wish.json = true,
                "--list" => wish.list = true,
                "--rounds" => wish.rounds = value()?.parse().context("--rounds needs a number")?,
                "--only" => wish.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--side" => wish.sides = sides(value()?)?,
                _ => bail!("{word:?} is not understood\n{USAGE}"),
            }
        }
        if wish.rounds == 0 {
            wish.rounds = if wish.quick { ROUNDS_QUICK } else { ROUNDS_FULL };
        }
        Ok(wish)
    }

    fn programs(&self) -> Result<Vec<&'static Program>> {
        let Some(only) = &self.only else { return Ok(PROGRAMS.iter().collect()) };
        for name in only {
            if !PROGRAMS.iter().any(|program| program.is_called(name)) {
                bail!("there is no program or row {name:?}; --list shows them");
            }
        }
        Ok(PROGRAMS.iter().filter(|program| only.iter().any(|name| program.is_called(name))).collect())
    }
}

fn sides(word: &str) -> Result<[bool; 3]> {
    match word {
        "beam" => Ok([true, false, false]),
        "ours" => Ok([false, true, false]),
        "limit" => Ok([false, false, true]),
        other => bail!("--side is beam, ours or limit, not {other:?}"),
    }
}

/// Every round runs every program on BEAM and then on us, so that a drifting machine drifts under both.
fn harness(wish: &Wish) -> Result<()> {
    let programs = wish.programs()?;
    if wish.list {
        return list(&programs);
    }
    let beam = Beam::prepare().context("cannot prepare BEAM's side; is Erlang installed?")?;
    let ours = ours::Ours::prepare(&beam)?;
    let limit = Limit::prepare()?;
    let mut results = Results::default();
    let mut failures = Vec::new();
    for round in 1..=wish.rounds {
        for program in &programs {
            if program.size(wish.quick) == 0 {
                continue;
            }
            progress(round, wish.rounds, program);
            let mixed = match program.kind {
                Kind::ToBeam => Some(With { driver: &ours, peer: &beam }),
                Kind::FromBeam => Some(With { driver: &beam, peer: &ours }),
                _ => None,
            };
            let ours: &dyn Side = mixed.as_ref().map_or(&ours, |mixed| mixed);
            let sides: [&dyn Side; 3] = [&beam, ours, &limit];
            for (side, wanted) in sides.into_iter().zip(wish.sides) {
                if !wanted || !side.can(program) {
                    continue;
                }
                match side::run(side, program, wish.quick) {
                    Ok(measures) => results.add(side.name(), measures),
                    Err(error) => failures.push(format!("{} on {}: {error:#}", program.name, side.name())),
                }
            }
        }
    }
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let text =
        if wish.json { report::json(&programs, &results) } else { report::markdown(&programs, &results) };
    println!("{text}");
    if failures.is_empty() {
        return Ok(());
    }
    bail!("{} runs failed:\n{}", failures.len(), failures.join("\n"))
}

fn list(programs: &[&Program]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for program in programs {
        let rows: Vec<_> = program.rows.iter().map(|row| row.name).collect();
        writeln!(out, "{}: {}", program.name, rows.join(", "))?;
    }
    Ok(())
}

/// One line that is written over at a terminal, a line each in a log.
fn progress(round: usize, rounds: usize, program: &Program) {
    let told = format!("round {round} of {rounds}: {}", program.name);
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{told}");
    } else {
        eprintln!("{told}");
    }
}

const ROUNDS_QUICK: usize = 1;
const ROUNDS_FULL: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_understood() {
        let wish = Wish::parse(&["--quick", "--rounds", "3", "--only", "call,ring_1", "--json"]).unwrap();
        assert!(wish.quick && wish.json);
        assert_eq!(wish.rounds, 3);
        let names: Vec<_> = wish.programs().unwrap().iter().map(|program| program.name).collect();
        assert_eq!(names, ["ring_1", "call"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(Wish::parse(&["--fast"]).is_err());
        assert!(Wish::parse(&["--rounds"]).is_err());
        assert!(Wish::parse(&["--only", "poem"]).unwrap().programs().is_err());
    }
}
