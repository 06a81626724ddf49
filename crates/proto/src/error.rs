//! Blame: whose fault an error is. There is no I/O here, so only two can be to blame, and tests can compare.

use crate::flags::Flags;

/// Why a machine stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blame {
    /// The other side broke the protocol, or failed to prove itself. Close the connection.
    #[error("the peer is at fault: {0}")]
    Peer(#[from] PeerFault),
    /// The caller used a machine in a way it forbids. Fix the caller.
    #[error("we are at fault: {0}")]
    Us(#[from] Misuse),
}

/// What a peer did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerFault {
    /// A handshake frame claims more bytes than any handshake message has.
    #[error(
        "a handshake frame claims {claimed} bytes, the limit is {max}; is this port really an Erlang node?"
    )]
    FrameTooLong {
        /// Bytes claimed.
        claimed: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// More bytes arrived than a handshake ever has in flight.
    #[error("{bytes} bytes wait in a handshake, the limit is {max}")]
    Flood {
        /// Bytes that would be waiting.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A handshake message ends before its fields do.
    #[error("the handshake message {message} is truncated: {bytes} bytes")]
    Truncated {
        /// The protocol's name for the message.
        message: &'static str,
        /// How long it was.
        bytes: usize,
    },
    /// Another handshake message was due.
    #[error("expected the handshake message {expected}, got one that starts with byte {tag:?}")]
    Unexpected {
        /// The protocol's name for the message that was due.
        expected: &'static str,
        /// The first byte of what came; nothing when the frame was empty.
        tag: Option<u8>,
    },
    /// The name is no node name: exactly one `@`, something on both sides of it (or none, from a node that asks for a name).
    #[error(
        "{0:?} is not a node name: it needs one '@' with something on both sides, and no control characters"
    )]
    BadName(String),
    /// A status that the protocol does not have, or not at this point.
    #[error("unexpected handshake status {0:?}")]
    UnexpectedStatus(String),
    /// The peer answers under another name than we dialled.
    #[error("dialled {dialled} but {answered} answered; dial a node by the name it gave itself")]
    WrongName {
        /// The name we asked for.
        dialled: String,
        /// The name that answered.
        answered: String,
    },
    /// The peer lacks flags that we require.
    #[error("{name} cannot be talked to, missing: {missing}")]
    MissingFlags {
        /// Who.
        name: String,
        /// What it lacks.
        missing: Flags,
    },
    /// The peer's digest is wrong: it has another cookie.
    #[error("{name} does not have our cookie; compare the cookie files of both nodes")]
    BadCookie {
        /// Who.
        name: String,
    },
    /// The peer hung up in the middle of an exchange.
    #[error("the connection closed before {0}")]
    Closed(&'static str),
    /// A packet of a connection claims more bytes than we take.
    #[error("a packet claims {claimed} bytes, the limit is {max}; raise the ceiling if the peer means it")]
    PacketTooLong {
        /// Bytes claimed.
        claimed: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A packet starts with bytes that the negotiated flags do not allow.
    #[error("a packet of {bytes} bytes starts with {start:?}, which was not negotiated")]
    BadPacket {
        /// Its first two bytes.
        start: [u8; 2],
        /// How long it is.
        bytes: usize,
    },
    /// A distribution header that cannot be read.
    #[error("corrupted distribution header: {0}")]
    Header(&'static str),
    /// A control message with an operation code that the protocol does not have, or no longer.
    #[error("the control message has the operation code {0}, which the protocol does not have")]
    UnknownOpcode(u64),
    /// A control message that is no tuple with an operation code in front.
    #[error("no control message: {0}")]
    NoControl(&'static str),
    /// A control message with something wrong in it.
    #[error("the control message {opcode} {name} is invalid: {why}")]
    BadControl {
        /// Its number.
        opcode: u8,
        /// The protocol manual's name for it.
        name: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// A fragment that does not fit the ones before it.
    #[error("fragment {fragment} of sequence {sequence}: {why}")]
    BadFragment {
        /// The sequence it claims to belong to.
        sequence: u64,
        /// Its number, counting down to 1.
        fragment: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// The peer has more unfinished sequences of fragments, or more bytes in them, than we keep.
    #[error("unfinished fragments hold {held}, the limit is {max}; raise the ceiling if the peer means it")]
    TooManyFragments {
        /// What would be held: sequences or bytes.
        held: usize,
        /// How many are allowed.
        max: usize,
    },
    /// An EPMD sent something that is no answer to our request.
    #[error("not an EPMD answer to {request}: {why}; does something else listen on the EPMD port?")]
    BadEpmdAnswer {
        /// The protocol's name for our request.
        request: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What a caller did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// Our own name is not a node name, or is longer than an atom may be.
    #[error(
        "{0:?} cannot be a node name: one '@', something on both sides, at most 255 characters, all in Latin-1"
    )]
    BadName(String),
    /// A cookie that can never match: empty, too long, or with characters that do not fit into a byte.
    #[error("the cookie is unusable: {0}")]
    BadCookie(&'static str),
    /// A step was asked for that is not the next one.
    #[error("{0} is not the next step")]
    OutOfOrder(&'static str),
    /// A name is granted to a node that did not ask, or not granted to one that did.
    #[error("{0}")]
    BadVerdict(&'static str),
    /// A field of an EPMD request is longer than EPMD accepts.
    #[error("{field} is {bytes} bytes long, EPMD takes {max}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blame_says_whose_fault_it_is_and_what_to_do() {
        let blame: Blame = PeerFault::MissingFlags { name: "a@b".into(), missing: Flags::V4_NC }.into();
        assert_eq!(blame.to_string(), "the peer is at fault: a@b cannot be talked to, missing: V4_NC");
        let blame = Blame::from(Misuse::OutOfOrder("ack"));
        assert_eq!(blame.to_string(), "we are at fault: ack is not the next step");
    }
}
