//! Two nodes prove to each other that they know the cookie, and agree on what they can speak.
//!
//! Each side has two faces. The steps ([`Initiator`], [`Acceptor`]) eat the state before them, so that an illegal order
//! does not compile. The drivers ([`Initiation`], [`Acceptance`]) wrap the steps for a socket: bytes in, one [`Step`] out.
//!
//! (Erlang Distribution Protocol, "Protocol between connected nodes": the handshake, version 6.)

mod acceptor;
mod cookie;
mod digest;
mod drive;
mod frames;
mod initiator;
mod name;

#[cfg(test)]
mod tests;

pub use acceptor::{
    Acceptor, AliveSent, Answered, Challenged, ComplementDue, Heard, Knock, Knocked, Verdict, Welcome,
};
pub use cookie::Cookie;
pub use digest::{Digest, digest};
pub use drive::{Acceptance, Initiation, Question, Step};
pub use frames::{FrameReader, Framing};
pub use initiator::{Asked, Initiator, Proved, StatusHeard, StillAlive, Told};
pub use name::{Me, Winner, is_node_name, simultaneous};

use crate::flags::Flags;

/// Who is at the other end, once both sides have proved themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The peer's full node name.
    pub name: String,
    /// The flags the peer announced, as it announced them.
    pub flags: Flags,
    /// What both sides can speak: valid for the whole connection.
    pub negotiated: Flags,
    /// The peer's creation: which life of that name this is.
    pub creation: u32,
    /// Whether the connection counts in `nodes()`: both sides announced `PUBLISHED`.
    pub visible: bool,
    /// The name and creation that the peer granted us, when we asked for one.
    pub granted: Option<Granted>,
}

/// A node name that one node gives another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The full node name.
    pub name: String,
    /// The creation that goes with it.
    pub creation: u32,
}

/// Why a handshake ended without a connection and without anybody's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The acceptor has an attempt of its own under way, which wins. Wait for it; do not dial again.
    Nok,
    /// The acceptor does not want this node: not on its list, or flags that it requires are missing.
    NotAllowed,
    /// The acceptor still has a connection of this name, and the initiator does not insist.
    StillAlive,
}

impl Peer {
    fn new(name: String, creation: u32, announced: Flags, sent: Flags, granted: Option<Granted>) -> Peer {
        // NAME_ME asks for something; it is no capability of the connection.
        let negotiated = announced.expanded().and(sent.expanded()).without(Flags::NAME_ME);
        let visible = negotiated.contains(Flags::PUBLISHED);
        Peer { name, flags: announced, negotiated, creation, visible, granted }
    }
}
