//! Our side: the same programs in Rust, each run as `trunkline-bench run PROGRAM SIZE [PEER]` in a fresh OS process.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::beam::Beam;
use crate::measure::Measure;
use crate::side::Side;
use crate::station::COOKIE;
use crate::table::{Program, Row};
use crate::{cluster, codec, local, remote};

/// The programs that we have. One line a program; a row without one is printed as `-`.
const PROGRAMS: &[(&str, Body)] = &[
    ("spawn_exit", local::spawn_exit),
    ("idle_memory", local::idle_memory),
    ("send_1_to_1", local::send_1_to_1),
    ("send_4_to_1", local::send_4_to_1),
    ("ring_1", local::ring_1),
    ("ring_100", local::ring_100),
    ("call", local::call),
    ("clients_100", local::clients_100),
    ("reply_behind_unread", local::reply_behind_unread),
    ("fire_1_pair", remote::fire_1_pair),
    ("fire_100_pairs", remote::fire_100_pairs),
    ("round_trip", remote::round_trip),
    ("pipelined", remote::pipelined),
    ("remote_clients_100", remote::remote_clients_100),
    ("rpc_call", remote::rpc_call),
    ("binaries_1m", remote::binaries_1m),
    ("binaries_64m", remote::binaries_64m),
    ("call_during_bulk", remote::call_during_bulk),
    ("cpu_per_message", remote::cpu_per_message),
    ("connect", remote::connect),
    ("mesh_10", cluster::mesh),
    ("mesh_30", cluster::mesh),
    ("mesh_60", cluster::mesh),
    ("node_memory", cluster::node_memory),
    ("nodes_in_process", cluster::nodes_in_process),
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
    /// The node to talk to, for remote programs.
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
        // Huge pages would make three out of what a node has just started to use: 6 MiB of its memory.
        command.env("MIMALLOC_ALLOW_THP", "0");
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

    fn lacks(&self, row: &Row) -> bool {
        row.name.starts_with("global_")
    }

    fn driver(&self, program: &Program) -> Command {
        let mut command = self.command();
        command.args(["run", program.body]);
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
    }
}
