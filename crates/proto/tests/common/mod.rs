//! Real programs of Erlang, started for one test and ended with it.
#![allow(dead_code, reason = "every test file uses its own half of this")]
#![allow(clippy::disallowed_methods, reason = "tests with real programs live in real time")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub(crate) const COOKIE: &str = "monster";

/// No single wait in these tests is longer; a machine under load may need much of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the tests against Erlang can run. Fails where they must.
pub(crate) fn erlang_is_here() -> bool {
    let quiet = |program: &str, arg: &str| {
        let (out, err) = (Stdio::null(), Stdio::null());
        Command::new(program).arg(arg).stdin(Stdio::null()).stdout(out).stderr(err).status().is_ok()
    };
    if quiet("erl", "-version") && quiet("epmd", "-help") {
        return true;
    }
    let required = std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_some_and(|value| value == "1");
    assert!(!required, "TRUNKLINE_REQUIRE_ERL=1, but there is no `erl` or no `epmd` on the path");
    eprintln!("SKIPPED: no `erl` or no `epmd` on the path; nothing was proved against Erlang");
    false
}

/// A child that does not outlive its test.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A real `epmd` on a port of its own.
pub(crate) struct RealEpmd {
    pub(crate) port: u16,
    _child: Killed,
}

impl RealEpmd {
    pub(crate) fn start(options: &[&str]) -> RealEpmd {
        let port = free_port();
        let mut epmd = Command::new("epmd");
        epmd.args(["-port", &port.to_string(), "-address", "127.0.0.1"]).args(options);
        epmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = Killed(epmd.spawn().expect("epmd starts"));
        until("epmd listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        RealEpmd { port, _child: child }
    }
}

/// A real node that runs some Erlang, and what it prints.
pub(crate) struct Erl {
    lines: Receiver<String>,
    _child: Killed,
}

impl Erl {
    /// Starts `erl` with these arguments, a private EPMD port, and the cookie of these tests.
    pub(crate) fn start(epmd_port: u16, arguments: &[&str], eval: &str) -> Erl {
        let mut erl = Command::new("erl");
        erl.args(["-noinput", "-start_epmd", "false", "-setcookie", COOKIE]);
        erl.args(["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]);
        erl.args(arguments).args(["-eval", eval]).env("ERL_EPMD_PORT", epmd_port.to_string());
        erl.env_remove("ERL_FLAGS").env_remove("ERL_AFLAGS").env_remove("ERL_ZFLAGS");
        erl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = Killed(erl.spawn().expect("erl starts"));
        let stdout = child.0.stdout.take().expect("piped");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Erl { lines, _child: child }
    }

    /// Waits for a line that contains `text`.
    pub(crate) fn says(&self, text: &str) -> String {
        let mut seen = Vec::new();
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("erl never said {text:?}, only {seen:#?}");
    }
}

/// Tries until it works.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(done) = attempt() {
            return done;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes a request and reads until the other side hangs up.
pub(crate) fn ask(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
