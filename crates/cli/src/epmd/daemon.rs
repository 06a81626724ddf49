//! Running EPMD: in the foreground, or detached by a parent that waits until it listens.

use std::env;
use std::io::{self, Write};
use std::net::IpAddr;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use trunkline::epmd::{Epmd, EpmdConfig};

use super::{clock, inherited};
use crate::limits::DAEMON_START_TIMEOUT;

/// How to run.
pub(super) struct Plan {
    pub(super) port: u16,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) relaxed: bool,
    pub(super) debug: u8,
    pub(super) idle: Duration,
    /// Whether a parent waits on our standard output for [`LISTENING`], or for the reason why not.
    pub(super) detached: bool,
    /// Whether systemd has opened the sockets.
    pub(super) systemd: bool,
}

/// Serves until a client kills it. Where one serves already, ends quietly, as Erlang's does.
pub(super) async fn serve(plan: Plan) -> anyhow::Result<ExitCode> {
    if plan.detached {
        detach_from_terminal()?;
    }
    let log = |line: &str| eprint!("epmd: {}: {line}\r\n", clock::now());
    if plan.debug > 0 {
        log(&format!("epmd running - daemon = {}", u8::from(plan.detached)));
        log(&format!("try to initiate listening port {}", plan.port));
    }
    let config = EpmdConfig {
        port: plan.port,
        addresses: plan.addresses,
        relaxed_command_check: plan.relaxed,
        debug: plan.debug,
        packet_timeout: plan.idle,
    };
    let epmd = match if plan.systemd { Epmd::on(inherited::sockets()?, config) } else { Epmd::bind(config) } {
        Ok(epmd) => epmd,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if plan.debug > 0 {
                log(&format!("there is already a epmd running at port {}", plan.port));
            }
            tell_parent(plan.detached, LISTENING);
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            let place = if plan.systemd { "systemd's sockets".into() } else { format!("port {}", plan.port) };
            let why = format!("cannot listen on {place}: {error}");
            tell_parent(plan.detached, &why);
            log(&why);
            return Ok(ExitCode::FAILURE);
        }
    };
    tell_parent(plan.detached, LISTENING);
    epmd.run(log).await;
    Ok(ExitCode::SUCCESS)
}

/// Starts ourselves again without a terminal, and returns once that one listens or says why it does not.
pub(super) async fn detach(words: &[String]) -> anyhow::Result<ExitCode> {
    let program = env::current_exe().context("cannot find our own program to run it detached")?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context("cannot start the detached process")?;
    let stdout = child.stdout.take().context("the detached process has no standard output")?;
    let mut said = String::new();
    let mut stdout = BufReader::new(stdout);
    let line = stdout.read_line(&mut said);
    tokio::time::timeout(DAEMON_START_TIMEOUT, line).await.context("the detached process says nothing")??;
    match said.trim_end() {
        LISTENING => Ok(ExitCode::SUCCESS),
        "" => anyhow::bail!("the detached process ended without a word: run it without -daemon to see why"),
        why => anyhow::bail!("epmd: {why}"),
    }
}

const LISTENING: &str = "listening";

/// A session of our own, so that the end of the terminal is not ours; no folder is kept busy.
fn detach_from_terminal() -> anyhow::Result<()> {
    rustix::process::setsid().context("cannot leave the session")?;
    env::set_current_dir("/").context("cannot go to /")?;
    Ok(())
}

fn tell_parent(detached: bool, word: &str) {
    if detached {
        // A parent that has gone away needs no answer.
        let _ = writeln!(io::stdout(), "{word}");
    }
}
