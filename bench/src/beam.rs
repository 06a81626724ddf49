//! BEAM's side: its programs compiled by `erlc`, an EPMD of its own on a private port, fresh `erl` processes.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::side::{Reaped, Side};
use crate::table::{Kind, Program};

/// Everything that BEAM's side needs; gone when dropped.
pub(crate) struct Beam {
    folder: PathBuf,
    _epmd: Reaped,
    epmd_port: u16,
    cookie: String,
}

impl Beam {
    /// Compiles the programs, has them write the codec's terms, starts EPMD.
    pub(crate) fn prepare() -> Result<Beam> {
        let folder = std::env::temp_dir().join(format!("trunkline-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        compile(&folder)?;
        let (epmd, epmd_port) = start_epmd()?;
        let cookie = format!("bench{}", std::process::id());
        let beam = Beam { folder, _epmd: epmd, epmd_port, cookie };
        let dumped = beam.erl().args(["-run", "bench_codec", "dump"]).arg(&beam.folder).status()?;
        if !dumped.success() {
            bail!("erl could not write the terms of the codec rows");
        }
        Ok(beam)
    }

    /// Where the terms of the codec rows are, and our own side may put things.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn epmd_port(&self) -> u16 {
        self.epmd_port
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    fn erl(&self) -> Command {
        let mut erl = Command::new("erl");
        erl.env("ERL_EPMD_PORT", self.epmd_port.to_string()).env("ERL_CRASH_DUMP_SECONDS", "0");
        erl.args(["-noshell", "-pa"]).arg(&self.folder);
        erl.stdin(Stdio::null());
        erl
    }

    fn node(&self, name: &str) -> Command {
        let mut erl = self.erl();
        erl.args(["-start_epmd", "false", "-name", name, "-setcookie", &self.cookie]);
        erl.args(["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]);
        erl
    }
}

impl Side for Beam {
    fn name(&self) -> &'static str {
        "BEAM"
    }

    fn can(&self, program: &Program) -> bool {
        // A BEAM is one node.
        program.name != "nodes_in_process"
    }

    fn driver(&self, program: &Program) -> Command {
        let (mut erl, name) = match program.kind {
            // A node that measures its own memory is a node; the rest of the local rows need no network.
            Kind::Local if program.name != "node_memory" => (self.erl(), program.name),
            Kind::Cluster => (self.node(DRIVER), "mesh"),
            _ => (self.node(DRIVER), program.body),
        };
        if matches!(program.name, "spawn_exit" | "idle_memory") {
            erl.args(["+P", PROCESSES_MAX]);
        }
        erl.args(["-run", "bench_row", "main", name]);
        erl
    }

    fn peer(&self) -> (Command, String) {
        let mut erl = self.node(PEER);
        erl.args(["-run", "bench_peer", "main"]);
        (erl, PEER.to_owned())
    }
}

impl Drop for Beam {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn compile(folder: &Path) -> Result<()> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("beam");
    let mut erlc = Command::new("erlc");
    erlc.arg("-o").arg(folder);
    for entry in fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))? {
        let file = entry?.path();
        if file.extension().is_some_and(|end| end == "erl") {
            erlc.arg(file);
        }
    }
    if !erlc.stdin(Stdio::null()).status().context("cannot start erlc")?.success() {
        bail!("erlc refused the programs of BEAM's side");
    }
    Ok(())
}

/// An EPMD that nobody else knows, on a port that the kernel has just named free.
fn start_epmd() -> Result<(Reaped, u16)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut epmd = Command::new("epmd");
    epmd.args(["-port", &port.to_string(), "-address", "127.0.0.1"]);
    epmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Reaped(epmd.spawn().context("cannot start epmd")?);
    for _ in 0..EPMD_TRIES_MAX {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok((child, port));
        }
        sleep(EPMD_TRY_EVERY);
    }
    bail!("epmd does not answer on port {port}")
}

const DRIVER: &str = "bench_driver@127.0.0.1";
const PEER: &str = "bench_peer@127.0.0.1";
const PROCESSES_MAX: &str = "2097152"; // room for a million idle processes
const EPMD_TRIES_MAX: usize = 500;
const EPMD_TRY_EVERY: Duration = Duration::from_millis(10);
