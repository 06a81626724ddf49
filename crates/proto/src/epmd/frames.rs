//! What is said to an EPMD and what it answers, as bytes, both ways.
//!
//! A request is `Length:16 Body`; an answer has no length. (Erlang Distribution Protocol, "EPMD Protocol".)

use crate::error::{Misuse, PeerFault};
use crate::limits::{EPMD_EXTRA_BYTES_MAX, EPMD_NAME_BYTES_MAX, EPMD_NAME_CHARS_MAX};

/// Node type `M`: a normal node. OTP says this of hidden nodes too.
pub const NODE_NORMAL: u8 = 77;
/// Node type `H`: a hidden node. Kept and told, never interpreted.
pub const NODE_HIDDEN: u8 = 72;
/// The distribution version of the handshake that we speak: 6 is that of OTP 23 and later.
pub const DIST_VERSION: u16 = 6;

pub(super) const ALIVE2_REQ: u8 = 120;
pub(super) const PORT2_REQ: u8 = 122;
pub(super) const NAMES_REQ: u8 = 110;
pub(super) const DUMP_REQ: u8 = 100;
pub(super) const KILL_REQ: u8 = 107;
pub(super) const STOP_REQ: u8 = 115;
pub(super) const ALIVE2_X_RESP: u8 = 118;
pub(super) const ALIVE2_RESP: u8 = 121;
pub(super) const PORT2_RESP: u8 = 119;

/// The creation that comes with a refusal; it means nothing.
const REFUSED_CREATION: u32 = 99;
/// Everything in a registration but the name and the extra bytes: tag, port, type, protocol, versions, two lengths.
const ALIVE2_FIXED_BYTES: usize = 13;

/// A node as EPMD knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The part of the node's name before the `@`.
    pub name: String,
    /// Where the node listens.
    pub port: u16,
    /// [`NODE_NORMAL`] or [`NODE_HIDDEN`].
    pub node_type: u8,
    /// 0: TCP, over IPv4 or IPv6.
    pub protocol: u8,
    /// Highest distribution version the node speaks.
    pub version_high: u16,
    /// Lowest distribution version the node speaks.
    pub version_low: u16,
    /// Anything, told to whoever asks for the port.
    pub extra: Vec<u8>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `ALIVE2_REQ`: keep this name as long as this connection is open.
    Alive2(Registration),
    /// `PORT_PLEASE2_REQ`: where is this node?
    PortPlease2(String),
    /// `NAMES_REQ`: who is there?
    Names,
    /// `DUMP_REQ`: who is there, and who was?
    Dump,
    /// `KILL_REQ`: end.
    Kill,
    /// `STOP_REQ`: forget this name.
    Stop(String),
}

/// Why a request is not served. The texts are those that `epmd -d` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// Close without an answer.
    Ignored(&'static str),
    /// Answer a registration with a refusal, and leave the connection open.
    Refused {
        /// What is wrong.
        why: &'static str,
        /// The version that decides the form of the refusal.
        version_high: u16,
    },
}

impl Registration {
    /// A normal node of our own version, under `name` (without host), listening at `port`.
    pub fn new(name: &str, port: u16) -> Registration {
        let (version_high, version_low) = (DIST_VERSION, DIST_VERSION);
        let (node_type, protocol, extra) = (NODE_NORMAL, 0, Vec::new());
        Registration { name: name.to_owned(), port, node_type, protocol, version_high, version_low, extra }
    }

    /// Whether an EPMD would take it.
    ///
    /// # Errors
    /// When the name is empty, has a NUL in it, or is too long, or the extra bytes are too many.
    pub fn check(&self) -> Result<(), Misuse> {
        check_name(&self.name)?;
        check_bytes("the extra information", self.extra.len(), EPMD_EXTRA_BYTES_MAX)
    }

    // Port:16 Type Protocol High:16 Low:16 NameLength:16 Name ExtraLength:16 Extra: the same in request and answer.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.port.to_be_bytes());
        out.extend_from_slice(&[self.node_type, self.protocol]);
        out.extend_from_slice(&self.version_high.to_be_bytes());
        out.extend_from_slice(&self.version_low.to_be_bytes());
        write_counted(self.name.as_bytes(), out);
        write_counted(&self.extra, out);
    }
}

impl Request {
    /// The request with its length in front.
    ///
    /// # Errors
    /// When a name or the extra bytes are not what an EPMD takes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Misuse> {
        let mut body = Vec::new();
        match self {
            Request::Alive2(registration) => {
                registration.check()?;
                body.push(ALIVE2_REQ);
                registration.write(&mut body);
            }
            Request::PortPlease2(name) => write_named(PORT2_REQ, name, &mut body)?,
            Request::Names => body.push(NAMES_REQ),
            Request::Dump => body.push(DUMP_REQ),
            Request::Kill => body.push(KILL_REQ),
            Request::Stop(name) => write_named(STOP_REQ, name, &mut body)?,
        }
        let mut out = Vec::with_capacity(body.len() + 2);
        write_counted(&body, &mut out);
        Ok(out)
    }

    /// Reads the body of a request: all that its length counts.
    ///
    /// # Errors
    /// When it is no request that an EPMD serves; the error says what to do.
    pub fn from_body(body: &[u8]) -> Result<Request, BadRequest> {
        match body.first() {
            Some(&ALIVE2_REQ) => read_alive2(body).map(Request::Alive2),
            Some(&PORT2_REQ) => read_port_please2(body).map(Request::PortPlease2),
            Some(&NAMES_REQ) => Ok(Request::Names),
            Some(&DUMP_REQ) => Ok(Request::Dump),
            Some(&KILL_REQ) => Ok(Request::Kill),
            Some(&STOP_REQ) => read_stop(body).map(Request::Stop),
            _ => Err(BadRequest::Ignored("got garbage ")),
        }
    }
}

/// The answer to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliveReply {
    /// The name is yours while this connection is open.
    Registered {
        /// Which life of that name this is.
        creation: u32,
    },
    /// The name is taken or bad. The connection stays open; close it.
    Refused,
}

impl AliveReply {
    /// As it travels to a node of this version: `ALIVE2_X_RESP` with 32 bits of creation from 6 on, else `ALIVE2_RESP`
    /// with 16.
    pub fn to_bytes(self, version_high: u16) -> Vec<u8> {
        let (result, creation) = match self {
            AliveReply::Registered { creation } => (0, creation),
            AliveReply::Refused => (1, REFUSED_CREATION),
        };
        let creation = creation.to_be_bytes();
        if version_high >= DIST_VERSION {
            return [&[ALIVE2_X_RESP, result], &creation[..]].concat();
        }
        [&[ALIVE2_RESP, result], &creation[2..]].concat()
    }

    /// Reads the answer, in either form; nothing while bytes are missing.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Option<AliveReply>, PeerFault> {
        let creation = match bytes {
            [] => return Ok(None),
            [ALIVE2_X_RESP, _, a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]),
            [ALIVE2_RESP, _, a, b, ..] => u32::from(u16::from_be_bytes([*a, *b])),
            [ALIVE2_X_RESP | ALIVE2_RESP, ..] => return Ok(None),
            _ => return Err(PeerFault::BadEpmdAnswer { request: "ALIVE2_REQ", why: "unknown tag" }),
        };
        let refused = bytes[1] != 0;
        Ok(Some(if refused { AliveReply::Refused } else { AliveReply::Registered { creation } }))
    }
}

/// The answer to `PORT_PLEASE2_REQ`.
pub fn port_reply(found: Option<&Registration>) -> Vec<u8> {
    let mut out = vec![PORT2_RESP, u8::from(found.is_none())];
    if let Some(registration) = found {
        registration.write(&mut out);
    }
    out
}

/// Reads the answer to `PORT_PLEASE2_REQ`; nothing while bytes are missing.
pub(super) fn read_port_reply(bytes: &[u8]) -> Result<Option<Option<Registration>>, PeerFault> {
    let bad = |why| PeerFault::BadEpmdAnswer { request: "PORT_PLEASE2_REQ", why };
    match bytes {
        [] | [PORT2_RESP] => Ok(None),
        [PORT2_RESP, 0, rest @ ..] => {
            let Some((fields, name, extra)) = split_registration(rest) else { return Ok(None) };
            let name = std::str::from_utf8(name).map_err(|_| bad("the name is not UTF-8"))?;
            Ok(Some(Some(registration(fields, name, extra))))
        }
        [PORT2_RESP, _, ..] => Ok(Some(None)),
        _ => Err(bad("unknown tag")),
    }
}

/// The answer to `NAMES_REQ` or `DUMP_REQ`: where EPMD listens, and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The port on which this EPMD believes to listen.
    pub port: u32,
    /// The lines, as they came.
    pub text: String,
}

/// One line of a [`Listing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The part of the node's name before the `@`.
    pub name: String,
    /// Where the node listens, or listened.
    pub port: u16,
    /// Whether the node is registered now; only a dump has others.
    pub active: bool,
}

impl Listing {
    /// The nodes in it; lines that are none are left out.
    pub fn nodes(&self) -> Vec<Listed> {
        self.text.split(['\n', '\0']).filter_map(read_line).collect()
    }
}

/// The line of `NAMES_REQ` for one node.
pub(super) fn write_name_line(node: &Registration, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("name {} at port {}\n", node.name, node.port).as_bytes());
}

/// The line of `DUMP_REQ` for a node that is registered. The angle brackets are literal, and a NUL ends the line.
pub(super) fn write_active_line(node: &Registration, id: u64, out: &mut Vec<u8>) {
    let line = format!("active name     <{}> at port {}, fd = {id}\n\0", node.name, node.port);
    out.extend_from_slice(line.as_bytes());
}

/// The line of `DUMP_REQ` for a node that once was.
pub(super) fn write_unused_line(name: &str, port: u16, id: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("old/unused name <{name}>, port = {port}, fd = {id} \n\0").as_bytes());
}

fn read_line(line: &str) -> Option<Listed> {
    if let Some(line) = line.strip_prefix("name ") {
        let (name, port) = line.rsplit_once(" at port ")?;
        return Some(Listed { name: name.to_owned(), port: port.trim().parse().ok()?, active: true });
    }
    let (line, _fd) = line.rsplit_once(", fd = ")?;
    let (active, line, middle) = match line.strip_prefix("active name     <") {
        Some(line) => (true, line, "> at port "),
        None => (false, line.strip_prefix("old/unused name <")?, ">, port = "),
    };
    let (name, port) = line.rsplit_once(middle)?;
    Some(Listed { name: name.to_owned(), port: port.trim().parse().ok()?, active })
}

fn read_alive2(body: &[u8]) -> Result<Registration, BadRequest> {
    if body.len() <= ALIVE2_FIXED_BYTES {
        return Err(BadRequest::Ignored("packet to small for request ALIVE2_REQ"));
    }
    let Some((fields, name, extra)) = split_registration(&body[1..]) else {
        return Err(BadRequest::Ignored("Node name size error in ALIVE2_REQ"));
    };
    // Erlang's program registers an empty name when extra bytes make the request long enough; nobody can ask for it.
    if name.is_empty() {
        return Err(BadRequest::Ignored("empty node name in ALIVE2_REQ"));
    }
    if name.contains(&0) {
        return Err(BadRequest::Ignored("node name contains ascii 0 in ALIVE2_REQ"));
    }
    let refused = |why| BadRequest::Refused { why, version_high: fields.version_high };
    let text = std::str::from_utf8(name).map_err(|_| refused("invalid node name encoding"))?;
    if check_name(text).is_err() {
        return Err(refused("node name is too long"));
    }
    if extra.len() > EPMD_EXTRA_BYTES_MAX {
        return Err(refused("extra data is too long"));
    }
    Ok(registration(fields, text, extra))
}

fn read_port_please2(body: &[u8]) -> Result<String, BadRequest> {
    // One trailing NUL is tolerated: very old nodes send it.
    let name = body.strip_suffix(&[0]).unwrap_or(body).get(1..).unwrap_or_default();
    if name.is_empty() {
        return Err(BadRequest::Ignored("packet too small for request PORT2_REQ"));
    }
    if name.contains(&0) {
        return Err(BadRequest::Ignored("node name contains ascii 0 in PORT2_REQ"));
    }
    let name = std::str::from_utf8(name).ok().filter(|name| name.chars().count() <= EPMD_NAME_CHARS_MAX);
    name.map(str::to_owned).ok_or(BadRequest::Ignored("invalid node name in PORT2_REQ"))
}

fn read_stop(body: &[u8]) -> Result<String, BadRequest> {
    let name = body.get(1..).unwrap_or_default();
    if name.is_empty() {
        return Err(BadRequest::Ignored("packet too small for request STOP_REQ"));
    }
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// The numbers of a registration.
#[derive(Clone, Copy)]
struct Fields {
    port: u16,
    node_type: u8,
    protocol: u8,
    version_high: u16,
    version_low: u16,
}

/// Cuts a registration into its numbers, name and extra bytes; nothing when bytes are missing.
fn split_registration(bytes: &[u8]) -> Option<(Fields, &[u8], &[u8])> {
    let ([p0, p1, node_type, protocol, h0, h1, l0, l1], rest) = bytes.split_first_chunk::<8>()?;
    let (name, rest) = split_counted(rest)?;
    let (extra, _) = split_counted(rest)?;
    let fields = Fields {
        port: u16::from_be_bytes([*p0, *p1]),
        node_type: *node_type,
        protocol: *protocol,
        version_high: u16::from_be_bytes([*h0, *h1]),
        version_low: u16::from_be_bytes([*l0, *l1]),
    };
    Some((fields, name, extra))
}

fn registration(fields: Fields, name: &str, extra: &[u8]) -> Registration {
    let Fields { port, node_type, protocol, version_high, version_low } = fields;
    let (name, extra) = (name.to_owned(), extra.to_owned());
    Registration { name, port, node_type, protocol, version_high, version_low, extra }
}

fn split_counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

// Everything counted was checked against its ceiling, far below 64 KiB.
fn write_counted(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn write_named(tag: u8, name: &str, body: &mut Vec<u8>) -> Result<(), Misuse> {
    check_name(name)?;
    body.push(tag);
    body.extend_from_slice(name.as_bytes());
    Ok(())
}

fn check_name(name: &str) -> Result<(), Misuse> {
    if name.is_empty() || name.contains('\0') {
        return Err(Misuse::BadName(name.to_owned()));
    }
    check_bytes("the name", name.len(), EPMD_NAME_BYTES_MAX)?;
    check_bytes("the name", name.chars().count(), EPMD_NAME_CHARS_MAX)
}

fn check_bytes(field: &'static str, bytes: usize, max: usize) -> Result<(), Misuse> {
    if bytes > max { Err(Misuse::TooLong { field, bytes, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_survives_the_trip() {
        let mut registration = Registration::new("f\u{f6}\u{f6}", 5555);
        registration.extra = vec![0, 255];
        let requests = [
            Request::Alive2(registration),
            Request::PortPlease2("foo".into()),
            Request::Names,
            Request::Dump,
            Request::Kill,
            Request::Stop("foo".into()),
        ];
        for request in requests {
            let bytes = request.to_bytes().unwrap();
            assert_eq!(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), bytes.len() - 2);
            assert_eq!(Request::from_body(&bytes[2..]), Ok(request));
        }
    }

    #[test]
    fn answers_are_byte_for_byte_those_of_erlangs_epmd() {
        let yes = AliveReply::Registered { creation: 0x6B00_BFC1 };
        assert_eq!(yes.to_bytes(6), [0x76, 0, 0x6B, 0, 0xBF, 0xC1]);
        assert_eq!(AliveReply::Refused.to_bytes(6), [0x76, 1, 0, 0, 0, 0x63]);
        assert_eq!(AliveReply::Registered { creation: 2 }.to_bytes(5), [0x79, 0, 0, 2]);
        let found = port_reply(Some(&Registration::new("foo", 5555)));
        assert_eq!(found, b"\x77\x00\x15\xB3\x4D\x00\x00\x06\x00\x06\x00\x03foo\x00\x00");
        assert_eq!(port_reply(None), [0x77, 1]);
    }

    #[test]
    fn a_registration_that_is_cut_short_anywhere_is_ignored() {
        let bytes = Request::Alive2(Registration::new("foo", 5555)).to_bytes().unwrap();
        for cut in 3..bytes.len() {
            assert!(matches!(Request::from_body(&bytes[2..cut]), Err(BadRequest::Ignored(_))), "{cut}");
        }
    }

    #[test]
    fn names_have_limits_in_characters_and_in_bytes() {
        let take = |name: &str| Request::Alive2(Registration::new(name, 1)).to_bytes().is_ok();
        assert!(take(&"\u{e9}".repeat(255)) && take(&"\u{1f36a}".repeat(255)));
        assert!(!take(&"a".repeat(256)) && !take("") && !take("a\0b"));
    }

    #[test]
    fn a_listing_is_read_line_by_line() {
        let text = "name a at port b at port 7\nactive name     <x> at port 9, fd = 5\n\0\
                    old/unused name <y>, port = 8, fd = 6 \n\0nonsense\n";
        let nodes = Listing { port: 1, text: text.into() }.nodes();
        let seen: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.port, node.active)).collect();
        assert_eq!(seen, [("a at port b", 7, true), ("x", 9, true), ("y", 8, false)]);
    }
}
