//! The processes of the members: started, told, listened to, killed. Decides nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command as Program};
use tokio::sync::{mpsc, oneshot};

use super::home::Home;
use super::report::{Command, Report};
use super::story::GUEST;
use crate::limits::REPORT_LINE_BYTES_MAX;

/// The members' processes and where they live.
pub(super) struct Stage {
    home: Home,
    epmd_port: u16,
    program: PathBuf,
    running: BTreeMap<&'static str, Running>,
    lives: u32,
    events: mpsc::Sender<Event>,
}

/// Something that a process did.
pub(super) struct Event {
    pub(super) who: &'static str,
    life: u32,
    pub(super) what: What,
}

/// What it did.
pub(super) enum What {
    /// A line that is a report.
    Said(Report),
    /// A line on standard error, or one that is no report.
    Muttered(String),
    /// It ended; whether with exit code 0.
    Ended { well: bool },
}

struct Running {
    life: u32,
    stdin: Option<ChildStdin>,
    kill: Option<oneshot::Sender<()>>,
}

impl Stage {
    /// An empty stage, and what will happen on it.
    pub(super) fn open(epmd_port: u16) -> io::Result<(Stage, mpsc::Receiver<Event>)> {
        let (events, receiver) = mpsc::channel(1024);
        let (home, program) = (Home::make()?, std::env::current_exe()?);
        Ok((Stage { home, epmd_port, program, running: BTreeMap::new(), lives: 0, events }, receiver))
    }

    /// Starts the process of a member.
    pub(super) fn start(&mut self, who: &'static str) -> io::Result<()> {
        let mut program = if who == GUEST { self.erlang(who) } else { self.ourselves(who) };
        program
            .env("HOME", self.home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_CRASH_DUMP", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0) // Ctrl-C is for us; we tell them
            .kill_on_drop(true);
        let mut child = program.spawn()?;
        self.lives += 1;
        let (kill, killed) = oneshot::channel();
        let running = Running { life: self.lives, stdin: child.stdin.take(), kill: Some(kill) };
        let speaker = Speaker { who, life: self.lives, events: self.events.clone() };
        self.running.insert(who, running);
        tokio::spawn(speaker.follow(child, killed));
        Ok(())
    }

    /// Tells a member something. One that is gone does not hear it; that shows elsewhere.
    pub(super) async fn tell(&mut self, who: &str, command: &Command) {
        let Some(stdin) = self.running.get_mut(who).and_then(|running| running.stdin.as_mut()) else {
            return;
        };
        let line = format!("{command}\n");
        if stdin.write_all(line.as_bytes()).await.is_ok() {
            let _ = stdin.flush().await;
        }
    }

    /// Kills a member, with the signal that cannot be caught.
    pub(super) fn kill(&mut self, who: &str) {
        if let Some(kill) = self.running.get_mut(who).and_then(|running| running.kill.take()) {
            let _ = kill.send(());
        }
    }

    /// Whether this event is of the member's present life.
    pub(super) fn is_of_now(&self, event: &Event) -> bool {
        self.running.get(event.who).is_some_and(|running| running.life == event.life)
    }

    fn ourselves(&self, who: &str) -> Program {
        let mut program = Program::new(&self.program);
        program.args(["cluster-member", who]);
        program
    }

    /// A real Erlang node: quiet, on one scheduler, with the cookie from its home.
    fn erlang(&self, who: &str) -> Program {
        let mut program = Program::new("erl");
        program.args(["-sname", &format!("{who}@localhost"), "-start_epmd", "false", "-noshell"]);
        program.args(["+S", "1:1", "+sbwt", "none", "-eval", GUEST_PROGRAM]);
        program
    }
}

/// Turns what one process does into events.
#[derive(Clone)]
struct Speaker {
    who: &'static str,
    life: u32,
    events: mpsc::Sender<Event>,
}

impl Speaker {
    async fn follow(self, mut child: Child, killed: oneshot::Receiver<()>) {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = stdout.map(|pipe| tokio::spawn(self.clone().read(BufReader::new(pipe), true)));
        let muttered = stderr.map(|pipe| tokio::spawn(self.clone().read(BufReader::new(pipe), false)));
        let status = self.end_of(child, killed).await;
        for reader in [said, muttered].into_iter().flatten() {
            let _ = reader.await; // the last words come before the end
        }
        self.say(What::Ended { well: status.is_ok_and(|status| status.success()) }).await;
    }

    async fn end_of(&self, mut child: Child, killed: oneshot::Receiver<()>) -> io::Result<ExitStatus> {
        tokio::select! {
            biased;
            status = child.wait() => return status,
            Ok(()) = killed => child.start_kill()?,
        }
        child.wait().await
    }

    async fn read(self, mut pipe: impl AsyncBufRead + Unpin, reports: bool) {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut pipe).take(REPORT_LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
            if !matches!(read, Ok(count) if count > 0) {
                return;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let what = match text.parse() {
                Ok(report) if reports => What::Said(report),
                _ => What::Muttered(text),
            };
            self.say(what).await;
        }
    }

    async fn say(&self, what: What) {
        // When nobody listens any more the play is over.
        let _ = self.events.send(Event { who: self.who, life: self.life, what }).await;
    }
}

const GUEST_PROGRAM: &str = include_str!("guest.erl");
