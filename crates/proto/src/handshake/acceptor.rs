//! The side that is dialled: hears a name, lets its net_kernel decide, challenges, and proves itself last.

use super::digest::digest;
use super::frames::{self, Challenge, SendName, Status};
use super::name::{Me, check_peer_name, host_of, is_node_name};
use super::{Cookie, Granted, Peer, Refusal};
use crate::error::{Blame, Misuse, PeerFault};
use crate::flags::Flags;

/// The first step of the side that is dialled.
#[derive(Debug)]
pub struct Acceptor {
    me: Me,
}

/// Who knocks. Nothing of it is proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// The full name; only the host when `dynamic`.
    pub name: String,
    /// The flags it announces; from an old `'n'` message only the low 32 are known here.
    pub flags: Flags,
    /// Its creation; 0 when not known yet.
    pub creation: u32,
    /// Whether it asks for a name.
    pub dynamic: bool,
    /// The flags we require and it lacks. When there are any, it can only be refused.
    pub missing: Flags,
}

/// What net_kernel says to a knock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Come in.
    Ok,
    /// Come in; we had an attempt of our own, and dropped it (see [`simultaneous`](super::simultaneous)).
    OkSimultaneous,
    /// We have an attempt of our own, which wins.
    Nok,
    /// Not on our list.
    NotAllowed,
    /// We are still connected with that name. If the peer insists, the old connection is torn down.
    Alive,
    /// Come in, under this name.
    Named {
        /// The full node name, on the peer's own host.
        name: String,
        /// The creation that goes with it.
        creation: u32,
    },
}

/// What it takes to go on with a peer that is let in.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The cookie for this peer.
    pub cookie: Cookie,
    /// A fresh random number that the peer has to answer.
    pub challenge: u32,
}

impl Acceptor {
    /// Waits for a name, as `me`.
    ///
    /// # Errors
    /// When we have no name ourselves: such a node cannot be dialled.
    pub fn begin(me: Me) -> Result<Acceptor, Misuse> {
        if me.is_nameless() {
            return Err(Misuse::BadName(me.name));
        }
        Ok(Acceptor { me })
    }

    /// Reads `send_name`, in either form.
    ///
    /// # Errors
    /// When it is no such message, or the name in it is no node name. OTP closes without a status then.
    pub fn name(self, frame: &[u8]) -> Result<Knocked, Blame> {
        let told = SendName::read(frame)?;
        if told.old && !told.flags.contains(Flags::HANDSHAKE_23) {
            let missing = Flags::HANDSHAKE_23;
            return Err(PeerFault::MissingFlags { name: told.name, missing }.into());
        }
        let dynamic = told.flags.contains(Flags::NAME_ME);
        check_peer_name(&told.name, dynamic)?;
        // The high half of an old message's flags comes with the complement; it is checked there.
        let checkable =
            if told.old { Flags::from_bits(u64::from(u32::MAX)) } else { Flags::from_bits(u64::MAX) };
        let missing = told.flags.missing(self.me.required.and(checkable));
        let SendName { flags, creation, name, old } = told;
        Ok(Knocked { me: self.me, knock: Knock { name, flags, creation, dynamic, missing }, old })
    }
}

/// Somebody knocks; a verdict is due.
#[derive(Debug)]
pub struct Knocked {
    me: Me,
    knock: Knock,
    old: bool,
}

/// What a verdict leads to.
#[derive(Debug)]
pub enum Answered {
    /// The challenge is sent; its answer is due.
    Challenged(Challenged),
    /// The challenge is sent; the rest of an old peer's flags is due.
    ComplementDue(ComplementDue),
    /// The peer is told that we are still connected with it; whether it insists is due.
    Alive(AliveSent),
    /// The peer is refused. Close after sending.
    Refused(Refusal),
}

impl Knocked {
    /// Who knocks.
    pub fn knock(&self) -> &Knock {
        &self.knock
    }

    /// Refuses a peer that lacks what we require: `not_allowed` is written, and this is why.
    pub fn refuse_missing(self, out: &mut Vec<u8>) -> Blame {
        frames::frame(self.me.framing, out, |message| Status::NotAllowed.write(message));
        PeerFault::MissingFlags { name: self.knock.name, missing: self.knock.missing }.into()
    }

    /// Answers the knock. `welcome` is only looked at when the peer is let in.
    ///
    /// # Errors
    /// When a peer that lacks flags is let in, when a name is granted to a peer that has one, not granted to one that
    /// asks for it, or not on the peer's host.
    pub fn answer(self, verdict: Verdict, welcome: Welcome, out: &mut Vec<u8>) -> Result<Answered, Blame> {
        let refusal = matches!(verdict, Verdict::Nok | Verdict::NotAllowed);
        if !refusal && !self.knock.missing.is_empty() {
            return Err(Misuse::BadVerdict("a peer that lacks required flags cannot be let in").into());
        }
        let status = self.status(verdict)?;
        frames::frame(self.me.framing, out, |message| status.write(message));
        match status {
            Status::Nok => Ok(Answered::Refused(Refusal::Nok)),
            Status::NotAllowed => Ok(Answered::Refused(Refusal::NotAllowed)),
            Status::Alive => Ok(Answered::Alive(AliveSent { knocked: self, welcome })),
            Status::Ok | Status::OkSimultaneous => Ok(self.go_on(welcome, false, out)),
            Status::Named(granted) => Ok(self.renamed(granted).go_on(welcome, false, out)),
        }
    }

    fn status(&self, verdict: Verdict) -> Result<Status, Misuse> {
        match verdict {
            Verdict::NotAllowed => Ok(Status::NotAllowed),
            Verdict::Named { name, creation } => self.grant(name, creation),
            _ if self.knock.dynamic => Err(Misuse::BadVerdict("a node that asks for a name needs one")),
            Verdict::Ok => Ok(Status::Ok),
            Verdict::OkSimultaneous => Ok(Status::OkSimultaneous),
            Verdict::Nok => Ok(Status::Nok),
            Verdict::Alive => Ok(Status::Alive),
        }
    }

    fn grant(&self, name: String, creation: u32) -> Result<Status, Misuse> {
        if !self.knock.dynamic {
            return Err(Misuse::BadVerdict("a node that has a name is given none"));
        }
        let fits = is_node_name(&name) && host_of(&name) == self.knock.name;
        if !fits || check_peer_name(&name, false).is_err() {
            return Err(Misuse::BadVerdict("a granted name must be on the host of the node that asks"));
        }
        Ok(Status::Named(Granted { name, creation }))
    }

    fn renamed(mut self, granted: Granted) -> Knocked {
        self.knock.name = granted.name;
        self.knock.creation = granted.creation;
        self
    }

    fn go_on(self, welcome: Welcome, replaces: bool, out: &mut Vec<u8>) -> Answered {
        // Towards a node that we name, we are hidden, and repeat its request.
        let flags =
            if self.knock.dynamic { self.me.flags.hidden().or(Flags::NAME_ME) } else { self.me.flags };
        let ours = Challenge {
            flags,
            challenge: welcome.challenge,
            creation: self.me.creation,
            name: self.me.name.clone(),
        };
        frames::frame(self.me.framing, out, |message| ours.write(message));
        let old = self.old;
        let challenged = Challenged { knocked: self, welcome, sent: flags, replaces };
        if old {
            return Answered::ComplementDue(ComplementDue { challenged });
        }
        Answered::Challenged(challenged)
    }
}

/// The peer was told `alive`; it says whether it insists.
#[derive(Debug)]
pub struct AliveSent {
    knocked: Knocked,
    welcome: Welcome,
}

impl AliveSent {
    /// Reads whether the peer insists. If so the handshake goes on, and the ack must wait until the old connection is gone.
    ///
    /// # Errors
    /// When it is neither `true` nor `false`.
    pub fn status_reply(self, frame: &[u8], out: &mut Vec<u8>) -> Result<Answered, Blame> {
        if frames::read_status_reply(frame)? {
            return Ok(self.knocked.go_on(self.welcome, true, out));
        }
        Ok(Answered::Refused(Refusal::StillAlive))
    }
}

/// An old peer owes the high half of its flags.
#[derive(Debug)]
pub struct ComplementDue {
    challenged: Challenged,
}

impl ComplementDue {
    /// Reads the complement.
    ///
    /// # Errors
    /// When it is none, or when the peer turns out to lack what we require.
    pub fn complement(self, frame: &[u8]) -> Result<Challenged, Blame> {
        let (high, creation) = frames::read_complement(frame)?;
        let mut challenged = self.challenged;
        let required = challenged.knocked.me.required;
        let knock = &mut challenged.knocked.knock;
        // NAME_ME would have had to be known before we answered the name.
        knock.flags = knock.flags.or(high.without(Flags::NAME_ME));
        knock.creation = creation;
        let missing = knock.flags.missing(required);
        if !missing.is_empty() {
            return Err(PeerFault::MissingFlags { name: knock.name.clone(), missing }.into());
        }
        Ok(challenged)
    }
}

/// The challenge is sent; the peer's proof is due.
#[derive(Debug)]
pub struct Challenged {
    knocked: Knocked,
    welcome: Welcome,
    sent: Flags,
    replaces: bool,
}

impl Challenged {
    /// Reads the peer's proof.
    ///
    /// # Errors
    /// When it is none or a wrong one. OTP closes without a byte then, and logs who it was.
    pub fn reply(self, frame: &[u8]) -> Result<Heard, Blame> {
        let (theirs, proof) = frames::read_reply(frame)?;
        if proof != digest(&self.welcome.cookie, self.welcome.challenge) {
            return Err(PeerFault::BadCookie { name: self.knocked.knock.name }.into());
        }
        Ok(Heard { challenged: self, theirs })
    }
}

/// The peer has proved itself; our own proof is held back until [`Heard::ack`].
#[derive(Debug)]
pub struct Heard {
    challenged: Challenged,
    theirs: u32,
}

impl Heard {
    /// Whether an old connection of this name must be gone before the ack: the peer would otherwise send on the new
    /// connection while its links and monitors still hang on the old.
    pub fn replaces_old(&self) -> bool {
        self.challenged.replaces
    }

    /// The peer's name, proved by now.
    pub fn name(&self) -> &str {
        &self.challenged.knocked.knock.name
    }

    /// Proves ourselves. From the next byte on, both ways, the stream belongs to the connection.
    pub fn ack(self, out: &mut Vec<u8>) -> Peer {
        let Challenged { knocked: Knocked { me, knock, .. }, welcome, sent, .. } = self.challenged;
        let proof = digest(&welcome.cookie, self.theirs);
        frames::frame(me.framing, out, |message| frames::write_ack(&proof, message));
        Peer::new(knock.name, knock.creation, knock.flags, sent, None)
    }
}
