//! What the tests of the binary share: ports from the kernel, private homes, and children that end with the test.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod screen;
pub(crate) mod terminal;

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The binary under test.
pub(crate) const TRUNKLINE: &str = env!("CARGO_BIN_EXE_trunkline");
/// The cookie in every private home.
pub(crate) const COOKIE: &str = "PRIVATECOOKIEOFATEST";

/// Whether a test that needs Erlang can run. Says it loudly when not, and fails where that is demanded.
pub(crate) fn erlang_is_here() -> bool {
    let here = Command::new("erl").arg("+V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !here {
        assert_ne!(std::env::var("TRUNKLINE_REQUIRE_ERL").as_deref(), Ok("1"), "erl is not installed");
        eprintln!("SKIPPED: erl is not installed, so nothing is proved here");
    }
    here
}

/// A port that nobody listens on. Somebody else may take it; nobody does between two lines of a test.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder with a cookie file, removed at the end, and an EPMD port of one's own.
pub(crate) struct Place {
    pub(crate) home: PathBuf,
    pub(crate) epmd_port: u16,
}

impl Place {
    pub(crate) fn new() -> Place {
        let epmd_port = free_port();
        let home = std::env::temp_dir().join(format!("trunkline-test-{}-{epmd_port}", std::process::id()));
        fs::create_dir(&home).unwrap();
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o400).open(home.join(".erlang.cookie"));
        file.as_mut().unwrap().write_all(COOKIE.as_bytes()).unwrap();
        Place { home, epmd_port }
    }

    /// A command that lives here.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("HOME", &self.home).env("ERL_EPMD_PORT", self.epmd_port.to_string());
        command.env("ERL_CRASH_DUMP", "/dev/null").env("TMPDIR", &self.home).stdin(Stdio::null());
        for variable in [
            "XDG_CONFIG_HOME",
            "TRUNKLINE_COOKIE",
            "ERL_EPMD_ADDRESS",
            "ERL_EPMD_RELAXED_COMMAND_CHECK",
            "ERL_FLAGS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs our binary to its end.
    pub(crate) fn trunkline(&self, args: &[&str]) -> Said {
        Said::of(self.command(TRUNKLINE, args).output().unwrap())
    }

    /// Runs any program to its end.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Said {
        Said::of(self.command(program, args).output().unwrap())
    }

    /// Starts an EPMD (`trunkline epmd` or `epmd`) in the foreground, and waits until it listens.
    pub(crate) fn epmd(&self, program: &[&str], more: &[&str]) -> Running {
        let mut command = self.command(program[0], &[&program[1..], more].concat());
        let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until("an EPMD listens", || TcpStream::connect(("127.0.0.1", self.epmd_port)).is_ok());
        running
    }

    /// Our own EPMD.
    pub(crate) fn our_epmd(&self) -> Running {
        self.epmd(&[TRUNKLINE, "epmd"], &[])
    }

    /// Starts an Erlang node, and waits until it is up. `program` is evaluated first.
    pub(crate) fn erl(&self, name: &str, more: &[&str], program: &str) -> Erl {
        let eval = format!("{program} io:format(\"up~n\").");
        let kind = if name.contains('.') { "-name" } else { "-sname" };
        let args =
            [kind, name, "-start_epmd", "false", "-noshell", "+S", "1:1", "+sbwt", "none", "-eval", &eval];
        let mut command = self.command("erl", &[&args, more].concat());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line.trim_end() != "up" {
            line.clear();
            assert_ne!(
                lines.read_line(&mut line).unwrap(),
                0,
                "the Erlang node {name} ended before it was up"
            );
        }
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Erl { running: Running(child), stdin }
    }

    /// Evaluates an expression in an Erlang node of its own and gives what it prints.
    pub(crate) fn erl_says(&self, name: &str, expression: &str) -> String {
        let eval = format!("{expression}, halt().");
        let args = ["-sname", name, "-start_epmd", "false", "-noinput", "-eval", &eval];
        let said = self.run("erl", &args);
        said.stdout.trim_end().to_owned()
    }

    /// Registers a name with the EPMD here, at a port that may be anything. Dropping the socket ends it.
    /// (EPMD protocol, `ALIVE2_REQ`.)
    pub(crate) fn register(&self, name: &str, port: u16) -> TcpStream {
        let mut socket = TcpStream::connect(("127.0.0.1", self.epmd_port)).unwrap();
        let mut body = vec![120];
        body.extend(port.to_be_bytes());
        body.extend([77, 0, 0, 6, 0, 6]);
        body.extend((name.len() as u16).to_be_bytes());
        body.extend(name.as_bytes());
        body.extend([0, 0]);
        socket.write_all(&[&(body.len() as u16).to_be_bytes()[..], &body].concat()).unwrap();
        let mut answer = [0; 6];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(answer[..2], [118, 0], "EPMD refused {name}");
        socket
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    fn of(output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
    }
}

/// A child that is killed when dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An Erlang node that runs.
pub(crate) struct Erl {
    pub(crate) running: Running,
    pub(crate) stdin: ChildStdin,
}

/// Waits for something to come true, and fails when it does not.
pub(crate) fn until(what: &str, mut true_now: impl FnMut() -> bool) {
    let started = now();
    while !true_now() {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true that {what}");
        sleep(Duration::from_millis(10));
    }
}

#[allow(clippy::disallowed_methods, reason = "a test that waits needs an end")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Whether a process with this id is there and no zombie.
pub(crate) fn is_alive(id: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The processes whose parent is this one.
pub(crate) fn children_of(id: u32) -> Vec<u32> {
    let parent = |stat: &str| stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok();
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let stat = |id: &u32| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    entries.filter(|child| parent(&stat(child)) == Some(id)).collect()
}
