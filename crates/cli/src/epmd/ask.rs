//! Asking the EPMD of this host, with the words and exit codes of Erlang's own `epmd`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;

use crate::limits::{EPMD_ANSWER_BYTES_MAX, EPMD_TIMEOUT};

/// What to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Names,
    /// As `Names`, but only the exit code counts.
    Started,
    Dump,
    Kill,
    Stop(String),
}

/// Asks, prints the answer, and says how it went.
pub(super) fn ask(port: u16, request: &Request) -> ExitCode {
    let Ok(socket) = connect(port) else {
        if *request != Request::Started {
            eprintln!("epmd: Cannot connect to local epmd");
        }
        return ExitCode::FAILURE;
    };
    let said = match exchange(socket, &request.bytes()) {
        Ok(answer) => request.understand(&answer),
        Err(_) => Said::bad("epmd: failed to read answer from local epmd\n"),
    };
    // Nobody may be reading any more; that is no reason for another exit code.
    let _ = io::stdout().write_all(&said.text);
    if said.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is printed, and whether it was good news.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    text: Vec<u8>,
    good: bool,
}

impl Said {
    fn good(text: impl Into<Vec<u8>>) -> Said {
        Said { text: text.into(), good: true }
    }

    fn bad(text: impl Into<Vec<u8>>) -> Said {
        Said { text: text.into(), good: false }
    }
}

impl Request {
    /// The request as it travels: two bytes of length, one of tag. (EPMD protocol, `NAMES_REQ` and its family.)
    fn bytes(&self) -> Vec<u8> {
        let body = match self {
            Request::Names | Request::Started => vec![b'n'],
            Request::Dump => vec![b'd'],
            Request::Kill => vec![b'k'],
            Request::Stop(name) => [b"s", name.as_bytes()].concat(),
        };
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes()[..], &body].concat()
    }

    fn understand(&self, answer: &[u8]) -> Said {
        match self {
            Request::Names | Request::Dump => listing(answer),
            Request::Started => Said { text: Vec::new(), good: answer.len() >= 4 },
            Request::Kill => match answer.get(..2) {
                Some(b"OK") => Said::good("Killed\n"),
                Some(_) => Said::bad("Killing not allowed - living nodes in database.\n"),
                None => Said::bad(SILENT),
            },
            // Seven bytes are an answer (`STOPPED`, `NOEXIST`); fewer mean that it closed without one.
            Request::Stop(_) => match answer.get(..7) {
                Some(word) => Said::good([word, b"\n"].concat()),
                None => Said::bad(SILENT),
            },
        }
    }
}

const SILENT: &str = "epmd: local epmd responded with <>\n";

/// The port in four bytes, then text that is passed on as it is.
fn listing(answer: &[u8]) -> Said {
    let Some((port, lines)) = answer.split_first_chunk::<4>() else {
        return Said::bad("epmd: no response from local epmd\n");
    };
    let head = format!("epmd: up and running on port {} with data:\n", u32::from_be_bytes(*port));
    Said::good([head.as_bytes(), lines].concat())
}

/// The loopback interface, version 6 first, as Erlang's own does.
fn connect(port: u16) -> io::Result<TcpStream> {
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let four = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&six, EPMD_TIMEOUT)
        .or_else(|_| TcpStream::connect_timeout(&four, EPMD_TIMEOUT))
}

fn exchange(mut socket: TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    socket.set_read_timeout(Some(EPMD_TIMEOUT))?;
    socket.write_all(request)?;
    let mut answer = Vec::new();
    let read = socket.take(EPMD_ANSWER_BYTES_MAX as u64).read_to_end(&mut answer);
    // Refused commands are answered by closing, and some systems call that a reset.
    match read {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_a_length_and_a_tag() {
        assert_eq!(Request::Names.bytes(), b"\0\x01n");
        assert_eq!(Request::Kill.bytes(), b"\0\x01k");
        assert_eq!(Request::Stop("bill".into()).bytes(), b"\0\x05sbill");
    }

    #[test]
    fn answers_are_said_in_the_words_that_scripts_look_for() {
        let names = Request::Names.understand(b"\0\0\x11\x11name bill at port 5\n");
        assert_eq!(names, Said::good("epmd: up and running on port 4369 with data:\nname bill at port 5\n"));
        assert_eq!(Request::Names.understand(b""), Said::bad("epmd: no response from local epmd\n"));
        assert_eq!(Request::Started.understand(b"\0\0\x11\x11"), Said::good(""));
        assert_eq!(Request::Kill.understand(b"OK"), Said::good("Killed\n"));
        assert!(!Request::Kill.understand(b"NO").good);
        let stop = Request::Stop("x".into());
        assert_eq!(stop.understand(b"STOPPED"), Said::good("STOPPED\n"));
        assert_eq!(stop.understand(b"NOEXISTSTOPPED"), Said::good("NOEXIST\n"));
        assert_eq!(stop.understand(b""), Said::bad(SILENT));
    }
}
