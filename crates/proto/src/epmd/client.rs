//! One question to an EPMD: the bytes to send are in [`Request`]; here are the machines that read its answers.
//!
//! Connect, write [`Request::to_bytes`], and feed what comes into the machine of that request until it has an answer.
//! `receive` may have the answer as soon as it is complete; `closed` is for when the EPMD hangs up, as it does after
//! every answer but the one to a registration.

use super::frames::{self, AliveReply, Listing, Registration, Request};
use crate::error::{Misuse, PeerFault};
use crate::limits::EPMD_LISTING_BYTES_MAX;

/// The bytes that register a node. Keep the connection open: it is the lease.
///
/// # Errors
/// When no EPMD would take the name or the extra bytes.
pub fn alive2(registration: &Registration) -> Result<Vec<u8>, Misuse> {
    Request::Alive2(registration.clone()).to_bytes()
}

/// The bytes that ask where the node `name` (without host) listens.
///
/// # Errors
/// When no EPMD could know that name.
pub fn port_please2(name: &str) -> Result<Vec<u8>, Misuse> {
    Request::PortPlease2(name.to_owned()).to_bytes()
}

/// The bytes that ask an EPMD to forget `name`.
///
/// # Errors
/// When no EPMD could know that name.
pub fn stop(name: &str) -> Result<Vec<u8>, Misuse> {
    Request::Stop(name.to_owned()).to_bytes()
}

/// The bytes that ask who is registered.
pub fn names() -> Vec<u8> {
    bare(frames::NAMES_REQ)
}

/// The bytes that ask who is and was registered.
pub fn dump() -> Vec<u8> {
    bare(frames::DUMP_REQ)
}

/// The bytes that ask an EPMD to end.
pub fn kill() -> Vec<u8> {
    bare(frames::KILL_REQ)
}

/// Reads the answer to a registration.
#[derive(Debug, Default)]
pub struct AliveAnswer(Vec<u8>);

impl AliveAnswer {
    /// Takes bytes; the answer, once it is complete.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<AliveReply>, PeerFault> {
        collect(&mut self.0, bytes, "ALIVE2_REQ")?;
        AliveReply::from_bytes(&self.0)
    }

    /// The EPMD hung up without a whole answer: it does so when it takes us for a stranger from another host.
    pub fn closed(self) -> PeerFault {
        PeerFault::Closed("EPMD answered the registration")
    }
}

/// Reads the answer to `PORT_PLEASE2_REQ`.
#[derive(Debug, Default)]
pub struct PortAnswer(Vec<u8>);

impl PortAnswer {
    /// Takes bytes; the answer, once it is complete: the node, or `None` when the EPMD does not know it.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Option<Registration>>, PeerFault> {
        collect(&mut self.0, bytes, "PORT_PLEASE2_REQ")?;
        frames::read_port_reply(&self.0)
    }

    /// The EPMD hung up without a whole answer.
    pub fn closed(self) -> PeerFault {
        PeerFault::Closed("EPMD answered where the node is")
    }
}

/// Reads the answer to `NAMES_REQ` or `DUMP_REQ`, which ends when the EPMD hangs up.
#[derive(Debug, Default)]
pub struct ListingAnswer(Vec<u8>);

impl ListingAnswer {
    /// Takes bytes.
    ///
    /// # Errors
    /// When it is more than any host has nodes for.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), PeerFault> {
        collect(&mut self.0, bytes, "NAMES_REQ")
    }

    /// The EPMD hung up: that was all.
    ///
    /// # Errors
    /// When it hung up before it told its port.
    pub fn closed(self) -> Result<Listing, PeerFault> {
        let (port, text) = self.0.split_first_chunk().ok_or(PeerFault::Closed("EPMD listed its names"))?;
        let text = String::from_utf8_lossy(text).into_owned();
        Ok(Listing { port: u32::from_be_bytes(*port), text })
    }
}

/// What an EPMD says to `KILL_REQ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// It ends.
    Ok,
    /// Nodes are registered and its command check is not relaxed: it stays.
    No,
}

/// What an EPMD says to `STOP_REQ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The name is forgotten.
    Stopped,
    /// It does not know the name.
    NoExist,
    /// Its command check is not relaxed, so it forgets no names.
    Refused,
}

/// Reads the answer to `KILL_REQ` or `STOP_REQ`, which ends when the EPMD hangs up.
#[derive(Debug, Default)]
pub struct CommandAnswer(Vec<u8>);

impl CommandAnswer {
    /// Takes bytes.
    ///
    /// # Errors
    /// When it is far too much.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), PeerFault> {
        collect(&mut self.0, bytes, "KILL_REQ")
    }

    /// The EPMD hung up after `KILL_REQ`.
    ///
    /// # Errors
    /// When it said neither yes nor no; without a word it takes us for a stranger from another host.
    pub fn killed(self) -> Result<Killed, PeerFault> {
        match self.0.as_slice() {
            b"OK" => Ok(Killed::Ok),
            b"NO" => Ok(Killed::No),
            b"" => Err(PeerFault::Closed("EPMD answered KILL_REQ")),
            _ => Err(PeerFault::BadEpmdAnswer { request: "KILL_REQ", why: "neither OK nor NO" }),
        }
    }

    /// The EPMD hung up after `STOP_REQ`.
    ///
    /// # Errors
    /// When it said something else.
    pub fn stopped(self) -> Result<Stopped, PeerFault> {
        match self.0.as_slice() {
            b"STOPPED" => Ok(Stopped::Stopped),
            b"" => Ok(Stopped::Refused),
            // Erlang's program says both words when it does not know the name.
            answer if answer.starts_with(b"NOEXIST") => Ok(Stopped::NoExist),
            _ => Err(PeerFault::BadEpmdAnswer { request: "STOP_REQ", why: "neither STOPPED nor NOEXIST" }),
        }
    }
}

fn bare(tag: u8) -> Vec<u8> {
    vec![0, 1, tag]
}

fn collect(seen: &mut Vec<u8>, bytes: &[u8], request: &'static str) -> Result<(), PeerFault> {
    if seen.len().saturating_add(bytes.len()) > EPMD_LISTING_BYTES_MAX {
        return Err(PeerFault::BadEpmdAnswer { request, why: "it does not end" });
    }
    seen.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_come_byte_by_byte() {
        let node = Registration::new("foo", 5555);
        let bytes = frames::port_reply(Some(&node));
        let mut answer = PortAnswer::default();
        let (last, head) = bytes.split_last().unwrap();
        for byte in head {
            assert_eq!(answer.receive(&[*byte]), Ok(None));
        }
        assert_eq!(answer.receive(&[*last]), Ok(Some(Some(node))));
        let mut answer = AliveAnswer::default();
        for byte in [121, 0, 0] {
            assert_eq!(answer.receive(&[byte]), Ok(None));
        }
        assert_eq!(answer.receive(&[3]), Ok(Some(AliveReply::Registered { creation: 3 })));
    }

    #[test]
    fn what_is_no_epmd_is_found_out() {
        assert!(AliveAnswer::default().receive(b"HTTP/1.1").is_err());
        assert!(PortAnswer::default().receive(b"HTTP/1.1").is_err());
        assert!(ListingAnswer(b"abc".to_vec()).closed().is_err());
        assert!(CommandAnswer(b"HTTP".to_vec()).killed().is_err());
        assert!(ListingAnswer::default().receive(&vec![0; EPMD_LISTING_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn commands_are_answered_in_words() {
        let said = |text: &[u8]| CommandAnswer(text.to_vec());
        assert_eq!(said(b"OK").killed(), Ok(Killed::Ok));
        assert_eq!(said(b"NO").killed(), Ok(Killed::No));
        assert_eq!(said(b"STOPPED").stopped(), Ok(Stopped::Stopped));
        assert_eq!(said(b"NOEXISTSTOPPED").stopped(), Ok(Stopped::NoExist));
        assert_eq!(said(b"").stopped(), Ok(Stopped::Refused));
    }
}
