//! What went wrong, where, and what to do: the readable inside of the `io::Error`s of this crate.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::limits::ACCEPT_PAUSE_MILLIS;

/// The inside of an `io::Error` from this crate's carriers. The outer error keeps the kind;
/// the system's own error, with its number, is [`source`](std::error::Error::source).
///
/// Reach it with `error.get_ref().and_then(|e| e.downcast_ref::<Trouble>())`.
#[derive(Debug, thiserror::Error)]
#[error("{carrier}: cannot {doing} {at}: {source}{}", Advice(self))]
pub struct Trouble {
    carrier: &'static str,
    doing: Doing,
    at: String,
    source: io::Error,
}

/// What was being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Dial,
    Listen,
    Accept,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Dial => "dial",
            Doing::Listen => "listen at",
            Doing::Accept => "accept at",
        })
    }
}

impl Trouble {
    /// Wraps `source`, keeping its kind.
    pub(crate) fn wrap(
        carrier: &'static str,
        doing: Doing,
        at: impl fmt::Display,
        source: io::Error,
    ) -> io::Error {
        let kind = source.kind();
        io::Error::new(kind, Trouble { carrier, doing, at: at.to_string(), source })
    }

    /// The system's own error.
    pub fn system(&self) -> &io::Error {
        &self.source
    }
}

/// One sentence on what to do, where there is one.
struct Advice<'a>(&'a Trouble);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind::*;
        let advice = match (self.0.doing, self.0.source.kind()) {
            (Doing::Dial, ConnectionRefused) => {
                "; nobody listens there: check that the peer runs and that the port is its own"
            }
            (Doing::Dial, TimedOut | HostUnreachable | NetworkUnreachable) => {
                "; check the route and the firewalls between the two hosts"
            }
            (Doing::Dial, NotFound) => "; check how the host's name is written",
            (Doing::Listen, AddrInUse) => "; another program has it: choose other ports or a wider range",
            (Doing::Listen | Doing::Dial, AddrNotAvailable) => "; this host has no such interface",
            (Doing::Listen, PermissionDenied) => "; ports below 1024 belong to the administrator",
            _ => "",
        };
        f.write_str(advice)
    }
}

/// What to do after [`Listener::accept`](crate::Listener::accept) failed: rest this long and accept again,
/// or stop, because the listener itself is gone (`None`).
///
/// A dialler who gave up costs no rest. A machine out of descriptors or memory gets
/// [`ACCEPT_PAUSE_MILLIS`]: the waiting wire stays waiting, so accepting again at once would spin.
pub fn accept_pause(error: &io::Error) -> Option<Duration> {
    use io::ErrorKind::*;
    match error.kind() {
        NotConnected => None,
        ConnectionAborted | ConnectionReset | ConnectionRefused | Interrupted | TimedOut | InvalidData
        | UnexpectedEof => Some(Duration::ZERO),
        _ => Some(Duration::from_millis(ACCEPT_PAUSE_MILLIS)),
    }
}
