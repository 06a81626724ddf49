//! Our side: the same programs in Rust, each run as `trunkline-bench run PROGRAM SIZE [PEER]` in a fresh OS process.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::beam::Beam;
use crate::codec;
use crate::measure::Measure;
use crate::side::Side;
use crate::table::Program;

/// The programs that we have. One line a program; a row without one is printed as `-`.
const PROGRAMS: &[(&str, Body)] = &[
    ("codec_tuple", codec::tuples),
    ("codec_list", codec::list),
    ("codec_deep", codec::deep),
    ("codec_strings", codec::strings),
];

/// What runs a program.
type Body = fn(&Run) -> Result<Vec<Measure>>;

/// What a program is told.
pub(crate) struct Run {
    pub(crate) size: u64,
    /// The node to talk to, for remote programs. None of ours is remote yet.
    #[expect(dead_code, reason = "the remote programs wait for the kernel crate")]
    pub(crate) peer: Option<String>,
    /// Where BEAM's side wrote the terms of the codec rows.
    pub(crate) folder: PathBuf,
}

/// Our side, as the harness sees it.
pub(crate) struct Ours {
    executable: PathBuf,
    folder: PathBuf,
    epmd_port: u16,
    cookie: String,
}

impl Ours {
    /// We share BEAM's folder, EPMD and cookie, so that ours and theirs can be peers of each other.
    pub(crate) fn prepare(beam: &Beam) -> Result<Ours> {
        Ok(Ours {
            executable: std::env::current_exe()?,
            folder: beam.folder().to_owned(),
            epmd_port: beam.epmd_port(),
            cookie: beam.cookie().to_owned(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.env(FOLDER, &self.folder).env(COOKIE, &self.cookie);
        command.env("ERL_EPMD_PORT", self.epmd_port.to_string());
        command
    }
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        "Trunkline"
    }

    fn can(&self, program: &Program) -> bool {
        find(program.name).is_some()
    }

    fn driver(&self, program: &Program) -> Command {
        let mut command = self.command();
        command.args(["run", program.name]);
        command
    }

    fn peer(&self) -> (Command, String) {
        let mut command = self.command();
        command.args(["peer", PEER]);
        (command, PEER.to_owned())
    }
}

/// Runs one program in this process and prints its lines.
pub(crate) fn run(program: &str, size: &str, peer: Option<&str>) -> Result<()> {
    let body = find(program).with_context(|| format!("there is no program {program:?} on our side"))?;
    let size = size.parse().context("SIZE is a number")?;
    let folder = std::env::var_os(FOLDER).map(PathBuf::from).unwrap_or_default();
    for measure in body(&Run { size, peer: peer.map(str::to_owned), folder })? {
        println!("{} {} {}", measure.row, measure.value, measure.unit);
    }
    Ok(())
}

/// Our other side of the remote programs.
pub(crate) fn peer(name: &str) -> Result<()> {
    bail!("cannot be {name}: our peer waits for the kernel crate")
}

fn find(program: &str) -> Option<Body> {
    PROGRAMS.iter().find(|(name, _)| *name == program).map(|(_, body)| *body)
}

/// How long some work takes.
pub(crate) fn took(work: impl FnOnce()) -> Duration {
    let begun = now();
    work();
    begun.elapsed()
}

/// The wall clock, which is what a benchmark is about.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; no node is asked")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

const FOLDER: &str = "TRUNKLINE_BENCH_FOLDER";
const COOKIE: &str = "TRUNKLINE_BENCH_COOKIE";
const PEER: &str = "bench_ours@127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn every_program_of_ours_has_its_rows_in_the_table() {
        for (name, _) in PROGRAMS {
            assert!(table::PROGRAMS.iter().any(|program| program.name == *name), "{name}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_refused() {
        assert!(run("poem", "1", None).is_err());
        assert!(peer("x@127.0.0.1").is_err());
    }
}
