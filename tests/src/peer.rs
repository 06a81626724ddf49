//! A node of ours in an OS process of its own, for tests that kill or stop it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `peer`. Killed when dropped.
pub struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// The full name of the node.
    pub name: String,
}

impl Peer {
    /// Starts a node of this name, which registers `echo`. `program` is `env!("CARGO_BIN_EXE_peer")`; the flags are
    /// `hidden`, `overlapping` (partitions are not prevented from that) and `ticktime=SECONDS`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(program: &str, name: &str, epmd: u16, flags: &[&str]) -> Peer {
        Peer::start_by(Command::new(program), name, epmd, flags)
    }

    /// As [`Peer::start`], by a command that starts `peer` somewhere, such as on another host.
    ///
    /// # Panics
    /// As [`Peer::start`].
    pub fn start_by(mut command: Command, name: &str, epmd: u16, flags: &[&str]) -> Peer {
        let mut child = command
            .args([name, &epmd.to_string()])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("peer starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut peer = Peer { child, stdin, stdout, name: name.to_owned() };
        let up = peer.line();
        assert_eq!(up, "up", "{name} is up");
        peer
    }

    /// Says a line and gives back the line of the answer: `connect NODE`, `nodes`, `watch NODE`, `heard`.
    ///
    /// # Panics
    /// When the node is gone.
    pub fn say(&mut self, line: &str) -> String {
        self.stdin.write_all(format!("{line}\n").as_bytes()).expect("the node reads");
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the node speaks");
        line.trim_end().to_owned()
    }

    /// Sends a signal such as `KILL`, `STOP` or `CONT`.
    ///
    /// # Panics
    /// When there is no `kill` command.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
    }

    /// Ends the node as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}
