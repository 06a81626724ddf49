//! The side that dials: says its name, hears a status, proves itself, and checks the other's proof.

use super::digest::digest;
use super::frames::{self, Challenge, SendName, Status};
use super::name::{Me, host_of, is_node_name};
use super::{Cookie, Granted, Peer, Refusal};
use crate::error::{Blame, PeerFault};
use crate::flags::Flags;

/// The first step of the side that dials.
#[derive(Debug)]
pub struct Initiator;

/// What every later step carries along.
#[derive(Debug)]
struct Dial {
    me: Me,
    dialled: String,
    cookie: Cookie,
    challenge: u32,
}

impl Initiator {
    /// Says our name. `dialled` is the full name of the node at the other end, `cookie` the one for that node, and
    /// `challenge` a fresh random number that the node will have to answer.
    pub fn begin(me: Me, dialled: &str, cookie: Cookie, challenge: u32, out: &mut Vec<u8>) -> Told {
        let name = SendName { flags: me.flags, creation: me.creation, name: me.name.clone(), old: false };
        frames::frame(me.framing, out, |message| name.write(message));
        Told { dial: Dial { me, dialled: dialled.to_owned(), cookie, challenge } }
    }
}

/// Our name is said; a status is due.
#[derive(Debug)]
pub struct Told {
    dial: Dial,
}

/// What a status leads to.
#[derive(Debug)]
pub enum StatusHeard {
    /// Go on: the challenge is next.
    Asked(Asked),
    /// The peer believes that it is still connected with us. Say whether to replace that connection.
    StillAlive(StillAlive),
    /// The peer does not go on. Close.
    Refused(Refusal),
}

impl Told {
    /// Reads the status.
    ///
    /// # Errors
    /// When it is no status, or one that does not fit to how we introduced ourselves.
    pub fn status(self, frame: &[u8]) -> Result<StatusHeard, Blame> {
        let status = Status::read(frame)?;
        let nameless = self.dial.me.is_nameless();
        match status {
            Status::NotAllowed => Ok(StatusHeard::Refused(Refusal::NotAllowed)),
            Status::Named(granted) if nameless => self.named(granted),
            Status::Ok | Status::OkSimultaneous if !nameless => Ok(self.asked(None)),
            Status::Nok if !nameless => Ok(StatusHeard::Refused(Refusal::Nok)),
            Status::Alive if !nameless => Ok(StatusHeard::StillAlive(StillAlive { dial: self.dial })),
            // A name for one who has one, or none for one who needs it.
            _ => Err(PeerFault::UnexpectedStatus(String::from_utf8_lossy(&frame[1..]).into_owned()).into()),
        }
    }

    fn named(self, granted: Granted) -> Result<StatusHeard, Blame> {
        // OTP insists that the name it is given is on its own host.
        if !is_node_name(&granted.name) || host_of(&granted.name) != self.dial.me.name {
            return Err(PeerFault::BadName(granted.name).into());
        }
        Ok(self.asked(Some(granted)))
    }

    fn asked(self, granted: Option<Granted>) -> StatusHeard {
        StatusHeard::Asked(Asked { dial: self.dial, granted })
    }
}

/// The peer still has a connection under our name.
#[derive(Debug)]
pub struct StillAlive {
    dial: Dial,
}

impl StillAlive {
    /// Insists: the old connection is a leftover of an earlier life, or of a wire that broke without a word.
    pub fn insist(self, out: &mut Vec<u8>) -> Asked {
        frames::frame(self.dial.me.framing, out, |message| frames::write_status_reply(true, message));
        Asked { dial: self.dial, granted: None }
    }

    /// Gives up: this attempt is no longer wanted. Close after sending.
    pub fn give_up(self, out: &mut Vec<u8>) -> Refusal {
        frames::frame(self.dial.me.framing, out, |message| frames::write_status_reply(false, message));
        Refusal::StillAlive
    }
}

/// The peer goes on; its challenge is due.
#[derive(Debug)]
pub struct Asked {
    dial: Dial,
    granted: Option<Granted>,
}

impl Asked {
    /// Reads the challenge and answers it with our proof and our own challenge.
    ///
    /// # Errors
    /// When it is no challenge, when another node answers than the one we dialled, or when it lacks what we require.
    pub fn challenge(self, frame: &[u8], out: &mut Vec<u8>) -> Result<Proved, Blame> {
        let theirs = Challenge::read(frame)?;
        if theirs.name != self.dial.dialled {
            return Err(PeerFault::WrongName { dialled: self.dial.dialled, answered: theirs.name }.into());
        }
        let missing = theirs.flags.missing(self.dial.me.required);
        if !missing.is_empty() {
            return Err(PeerFault::MissingFlags { name: theirs.name, missing }.into());
        }
        let proof = digest(&self.dial.cookie, theirs.challenge);
        let ours = self.dial.challenge;
        frames::frame(self.dial.me.framing, out, |message| frames::write_reply(ours, &proof, message));
        Ok(Proved { dial: self.dial, granted: self.granted, flags: theirs.flags, creation: theirs.creation })
    }
}

/// We have proved ourselves; the peer's proof is due.
#[derive(Debug)]
pub struct Proved {
    dial: Dial,
    granted: Option<Granted>,
    flags: Flags,
    creation: u32,
}

impl Proved {
    /// Reads the peer's proof. From the next byte on, the stream belongs to the connection.
    ///
    /// # Errors
    /// When it is no proof, or a wrong one.
    pub fn ack(self, frame: &[u8]) -> Result<Peer, Blame> {
        let Dial { me, dialled, cookie, challenge } = self.dial;
        if frames::read_ack(frame)? != digest(&cookie, challenge) {
            return Err(PeerFault::BadCookie { name: dialled }.into());
        }
        Ok(Peer::new(dialled, self.creation, self.flags, me.flags, self.granted))
    }
}
