//! Handshake messages as bytes, and the frames around them.
//!
//! (Erlang Distribution Protocol, "Handshake": the messages and their tags. All integers are big endian.)

use super::Granted;
use super::digest::Digest;
use super::name::{from_latin1, to_latin1};
use crate::error::PeerFault;
use crate::flags::Flags;
use crate::limits::{HANDSHAKE_BUFFER_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX};

/// How wide the length in front of a handshake message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Framing {
    /// Two bytes: TCP.
    #[default]
    Two,
    /// Four bytes: TLS, and after the handshake everywhere.
    Four,
}

/// Cuts a stream into handshake frames. Keeps no more than [`HANDSHAKE_BUFFER_BYTES_MAX`].
#[derive(Debug, Default)]
pub struct FrameReader {
    framing: Framing,
    unread: Vec<u8>,
}

impl FrameReader {
    /// A reader at the start of a stream.
    pub fn new(framing: Framing) -> FrameReader {
        FrameReader { framing, unread: Vec::new() }
    }

    /// Takes bytes from the carrier.
    ///
    /// # Errors
    /// When more would wait than any handshake has in flight.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PeerFault> {
        let waiting = self.unread.len().saturating_add(bytes.len());
        if waiting > HANDSHAKE_BUFFER_BYTES_MAX {
            return Err(PeerFault::Flood { bytes: waiting, max: HANDSHAKE_BUFFER_BYTES_MAX });
        }
        self.unread.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole frame, without its length.
    ///
    /// # Errors
    /// When the length is more than a handshake message has, as soon as the length is known.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, PeerFault> {
        let (width, claimed) = match (self.framing, self.unread.as_slice()) {
            (Framing::Two, [a, b, ..]) => (2, usize::from(u16::from_be_bytes([*a, *b]))),
            (Framing::Four, [a, b, c, d, ..]) => (4, u32::from_be_bytes([*a, *b, *c, *d]) as usize),
            _ => return Ok(None),
        };
        if claimed > HANDSHAKE_FRAME_BYTES_MAX {
            return Err(PeerFault::FrameTooLong { claimed, max: HANDSHAKE_FRAME_BYTES_MAX });
        }
        if self.unread.len() < width + claimed {
            return Ok(None);
        }
        let rest = self.unread.split_off(width + claimed);
        let mut frame = std::mem::replace(&mut self.unread, rest);
        frame.drain(..width);
        Ok(Some(frame))
    }

    /// What is left after the last handshake frame: it belongs to the connection.
    pub fn into_leftover(self) -> Vec<u8> {
        self.unread
    }
}

/// `send_name`: A tells B who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SendName {
    pub(super) flags: Flags,
    pub(super) creation: u32,
    pub(super) name: String,
    /// Sent as `'n'`: only the low 32 flags are known, and a complement will follow.
    pub(super) old: bool,
}

/// `challenge`: B tells A who it is and what to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) flags: Flags,
    pub(super) challenge: u32,
    pub(super) creation: u32,
    pub(super) name: String,
}

/// `status`: B's answer to a name; also A's answer to `alive`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    OkSimultaneous,
    Nok,
    NotAllowed,
    Alive,
    Named(Granted),
}

/// Writes one frame: the length, then whatever `body` appends.
pub(super) fn frame(framing: Framing, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::new();
    body(&mut message);
    // Our own messages are short: names are checked when made. See `Me`.
    match framing {
        Framing::Two => {
            out.extend_from_slice(&u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes())
        }
        Framing::Four => {
            out.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes())
        }
    }
    out.extend_from_slice(&message);
}

impl SendName {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let name = to_latin1(&self.name).unwrap_or_default();
        out.push(b'N');
        out.extend_from_slice(&self.flags.bits().to_be_bytes());
        out.extend_from_slice(&self.creation.to_be_bytes());
        write_name(&name, out);
    }

    pub(super) fn read(frame: &[u8]) -> Result<SendName, PeerFault> {
        match frame.first() {
            Some(b'N') => SendName::read_new(frame),
            Some(b'n') => SendName::read_old(frame),
            tag => Err(PeerFault::Unexpected { expected: "send_name", tag: tag.copied() }),
        }
    }

    fn read_new(frame: &[u8]) -> Result<SendName, PeerFault> {
        let mut fields = Fields::of("send_name", frame);
        let flags = Flags::from_bits(fields.u64()?);
        let creation = fields.u32()?;
        // Bytes behind the name are for versions to come, and ignored.
        let name = from_latin1(fields.counted()?);
        Ok(SendName { flags, creation, name, old: false })
    }

    // 'n' Version:16 Flags:32 Name. The version is always 5; the rest of the frame is the name.
    fn read_old(frame: &[u8]) -> Result<SendName, PeerFault> {
        let mut fields = Fields::of("send_name", frame);
        let _version = fields.u16()?;
        let flags = Flags::from_bits(u64::from(fields.u32()?));
        let name = from_latin1(fields.rest);
        Ok(SendName { flags, creation: 0, name, old: true })
    }
}

impl Challenge {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let name = to_latin1(&self.name).unwrap_or_default();
        out.push(b'N');
        out.extend_from_slice(&self.flags.bits().to_be_bytes());
        out.extend_from_slice(&self.challenge.to_be_bytes());
        out.extend_from_slice(&self.creation.to_be_bytes());
        write_name(&name, out);
    }

    pub(super) fn read(frame: &[u8]) -> Result<Challenge, PeerFault> {
        let mut fields = Fields::tagged("challenge", b'N', frame)?;
        let flags = Flags::from_bits(fields.u64()?);
        let (challenge, creation) = (fields.u32()?, fields.u32()?);
        let name = from_latin1(fields.counted()?);
        Ok(Challenge { flags, challenge, creation, name })
    }
}

impl Status {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(b's');
        match self {
            Status::Ok => out.extend_from_slice(b"ok"),
            Status::OkSimultaneous => out.extend_from_slice(b"ok_simultaneous"),
            Status::Nok => out.extend_from_slice(b"nok"),
            Status::NotAllowed => out.extend_from_slice(b"not_allowed"),
            Status::Alive => out.extend_from_slice(b"alive"),
            Status::Named(granted) => {
                out.extend_from_slice(b"named:");
                // Here, and only here, a name travels as UTF-8.
                write_name(granted.name.as_bytes(), out);
                out.extend_from_slice(&granted.creation.to_be_bytes());
            }
        }
    }

    pub(super) fn read(frame: &[u8]) -> Result<Status, PeerFault> {
        let text = Fields::tagged("status", b's', frame)?.rest;
        match text {
            b"ok" => Ok(Status::Ok),
            b"ok_simultaneous" => Ok(Status::OkSimultaneous),
            b"nok" => Ok(Status::Nok),
            b"not_allowed" => Ok(Status::NotAllowed),
            b"alive" => Ok(Status::Alive),
            _ => match text.strip_prefix(b"named:") {
                Some(granted) => Status::read_named(granted),
                None => Err(unexpected_status(text)),
            },
        }
    }

    fn read_named(text: &[u8]) -> Result<Status, PeerFault> {
        let mut fields = Fields { message: "status named:", bytes: text.len(), rest: text };
        let name = fields.counted()?;
        let name = std::str::from_utf8(name).map_err(|_| PeerFault::BadName(from_latin1(name)))?;
        Ok(Status::Named(Granted { name: name.to_owned(), creation: fields.u32()? }))
    }
}

/// A's answer to `alive`: whether it insists.
pub(super) fn write_status_reply(insist: bool, out: &mut Vec<u8>) {
    out.push(b's');
    out.extend_from_slice(if insist { b"true" } else { b"false" });
}

pub(super) fn read_status_reply(frame: &[u8]) -> Result<bool, PeerFault> {
    match Fields::tagged("status", b's', frame)?.rest {
        b"true" => Ok(true),
        b"false" => Ok(false),
        other => Err(unexpected_status(other)),
    }
}

/// `complement`: the high half of the flags and the creation, from a node that sent the old name message.
#[cfg(test)]
pub(super) fn write_complement(flags: Flags, creation: u32, out: &mut Vec<u8>) {
    out.push(b'c');
    out.extend_from_slice(&((flags.bits() >> 32) as u32).to_be_bytes());
    out.extend_from_slice(&creation.to_be_bytes());
}

pub(super) fn read_complement(frame: &[u8]) -> Result<(Flags, u32), PeerFault> {
    let mut fields = Fields::tagged("complement", b'c', frame)?;
    let high = Flags::from_bits(u64::from(fields.u32()?) << 32);
    Ok((high, fields.u32()?))
}

/// `challenge_reply`: A's own challenge, and its proof.
pub(super) fn write_reply(challenge: u32, proof: &Digest, out: &mut Vec<u8>) {
    out.push(b'r');
    out.extend_from_slice(&challenge.to_be_bytes());
    out.extend_from_slice(proof.as_bytes());
}

pub(super) fn read_reply(frame: &[u8]) -> Result<(u32, Digest), PeerFault> {
    let mut fields = Fields::tagged("challenge_reply", b'r', frame)?;
    Ok((fields.u32()?, fields.digest()?))
}

/// `challenge_ack`: B's proof.
pub(super) fn write_ack(proof: &Digest, out: &mut Vec<u8>) {
    out.push(b'a');
    out.extend_from_slice(proof.as_bytes());
}

pub(super) fn read_ack(frame: &[u8]) -> Result<Digest, PeerFault> {
    Fields::tagged("challenge_ack", b'a', frame)?.digest()
}

fn unexpected_status(text: &[u8]) -> PeerFault {
    const SHOWN_BYTES_MAX: usize = 64;
    PeerFault::UnexpectedStatus(from_latin1(&text[..text.len().min(SHOWN_BYTES_MAX)]))
}

fn write_name(name: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(name);
}

/// Walks over the fields of one message; every step says where it stumbled.
struct Fields<'a> {
    message: &'static str,
    bytes: usize,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields behind the tag, whatever the tag is.
    fn of(message: &'static str, frame: &'a [u8]) -> Fields<'a> {
        Fields { message, bytes: frame.len(), rest: frame.get(1..).unwrap_or_default() }
    }

    fn tagged(message: &'static str, tag: u8, frame: &'a [u8]) -> Result<Fields<'a>, PeerFault> {
        if frame.first() == Some(&tag) {
            return Ok(Fields::of(message, frame));
        }
        Err(PeerFault::Unexpected { expected: message, tag: frame.first().copied() })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PeerFault> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, PeerFault> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, PeerFault> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, PeerFault> {
        self.array().map(u64::from_be_bytes)
    }

    /// A field behind its own 16-bit length.
    fn counted(&mut self) -> Result<&'a [u8], PeerFault> {
        let length = usize::from(self.u16()?);
        let (field, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(field)
    }

    /// A digest is the whole rest: OTP refuses a message that goes on behind it.
    fn digest(&mut self) -> Result<Digest, PeerFault> {
        let digest = <[u8; 16]>::try_from(self.rest).map_err(|_| self.truncated())?;
        Ok(Digest::from_bytes(digest))
    }

    fn truncated(&self) -> PeerFault {
        PeerFault::Truncated { message: self.message, bytes: self.bytes }
    }
}
