//! A side is who runs a program: BEAM or we. Both do it in fresh OS processes and speak the same lines.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::measure::Measure;
use crate::table::{Kind, PROGRAMS, Program, Row};

/// BEAM, or we.
pub(crate) trait Side {
    fn name(&self) -> &'static str;

    /// Whether this side has that program yet.
    fn can(&self, program: &Program) -> bool;

    /// Whether this side cannot fill that row of a program that it has.
    fn lacks(&self, _: &Row) -> bool {
        false
    }

    /// The command that runs a program; the last words are the program, its size and the peer, if any.
    fn driver(&self, program: &Program) -> Command;

    /// The command of the other node of a remote program, and that node's name. It says `ready`.
    fn peer(&self) -> (Command, String);
}

/// One side's driver with the other's peer: the rows where both meet. They count as ours.
pub(crate) struct With<'a> {
    pub(crate) driver: &'a dyn Side,
    pub(crate) peer: &'a dyn Side,
}

impl Side for With<'_> {
    fn name(&self) -> &'static str {
        "Trunkline"
    }

    fn can(&self, _: &Program) -> bool {
        true
    }

    fn driver(&self, program: &Program) -> Command {
        self.driver.driver(program)
    }

    fn peer(&self) -> (Command, String) {
        self.peer.peer()
    }
}

/// Runs one program once, with a fresh peer where it needs one.
pub(crate) fn run(side: &dyn Side, program: &Program, quick: bool) -> Result<Vec<Measure>> {
    let mut command = side.driver(program);
    command.arg(program.size(quick).to_string());
    let _peer = if matches!(program.kind, Kind::Remote | Kind::ToBeam | Kind::FromBeam) {
        let (peer, name) = side.peer();
        command.arg(name);
        Some(Peer::start(peer)?)
    } else {
        None
    };
    let text = output(command)?;
    let mut measures: Vec<_> = text.lines().filter_map(Measure::parse).collect::<Result<_>>()?;
    rename(program, &mut measures);
    for row in program.rows {
        if !side.lacks(row)
            && !measures.iter().any(|measure| measure.row == row.name && measure.unit == row.unit)
        {
            bail!("row {} in {} is missing from:\n{text}", row.name, row.unit);
        }
    }
    Ok(measures)
}

/// A program that runs another's body says that one's rows; they are its own, in the same order.
fn rename(program: &Program, measures: &mut [Measure]) {
    let body = PROGRAMS.iter().find(|body| body.name == program.body && body.name != program.name);
    for (theirs, own) in body.iter().flat_map(|body| body.rows.iter().zip(program.rows)) {
        for measure in measures.iter_mut().filter(|measure| measure.row == theirs.name) {
            measure.row = own.name.to_owned();
        }
    }
}

/// What a command prints, within the time that any program may take.
fn output(mut command: Command) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = Reaped(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
    let mut pipe = child.0.stdout.take().context("the child has no standard output")?;
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = pipe.read_to_string(&mut text).map(|_| text);
        let _ = told.send(read);
    });
    let Ok(text) = heard.recv_timeout(PROGRAM_TIME_MAX) else {
        bail!("took longer than {PROGRAM_TIME_MAX:?}")
    };
    let (text, status) = (text?, child.0.wait()?);
    if !status.success() {
        bail!("ended with {status} after printing:\n{text}");
    }
    Ok(text)
}

/// A peer node: alive until dropped. It ends with its standard input, and is killed if it does not.
struct Peer {
    child: Reaped,
    _stdin: Option<ChildStdin>,
}

impl Peer {
    fn start(mut command: Command) -> Result<Peer> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = Reaped(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        let stdin = child.0.stdin.take();
        let pipe = child.0.stdout.take().context("the peer has no standard output")?;
        let (told, heard) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = told.send(line); // nobody listens after `ready`; the pipe is drained all the same
            }
        });
        while let Ok(line) = heard.recv_timeout(PEER_READY_MAX) {
            if line.trim() == "ready" {
                return Ok(Peer { child, _stdin: stdin });
            }
        }
        bail!("the peer was not ready within {PEER_READY_MAX:?}: {command:?}")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Killed rather than asked: the figures are taken, and a peer that lingers would disturb the next ones.
        let _ = self.child.0.kill();
    }
}

/// A child that is killed and waited for when dropped, so that no failure leaves one behind.
pub(crate) struct Reaped(pub(crate) Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const PROGRAM_TIME_MAX: Duration = Duration::from_secs(180);
const PEER_READY_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_reported_with_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo so far; exit 3"]);
        let told = output(command).unwrap_err().to_string();
        assert!(told.contains("so far") && told.contains('3'), "{told}");
    }

    #[test]
    fn a_peer_that_ends_before_it_is_ready_is_refused() {
        assert!(Peer::start(Command::new("true")).is_err());
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready; read line"]);
        assert!(Peer::start(command).is_ok());
    }
}
