//! Signal to control message: which operation code the negotiated flags allow, and the bytes.

use term::{Atom, Pid, Ref, Term};

use super::*;
use crate::connection::outbound::Refusal;
use crate::flags::Flags;
use crate::signal::{Dest, Signal};

/// The operation code that says `signal` to a peer with these flags.
pub(crate) fn choose(signal: &Signal, negotiated: Flags) -> Result<u8, Refusal> {
    let needs = |flag: Flags, code: u8| {
        if negotiated.contains(flag) { Ok(code) } else { Err(Refusal::NotNegotiated(flag)) }
    };
    let payloads = negotiated.contains(Flags::EXIT_PAYLOAD);
    let either = |traced: bool, with: u8, without: u8| if traced { with } else { without };
    match signal {
        Signal::Send { from, to, token, priority } => {
            choose_send(from.is_some(), to, token.is_some(), *priority, negotiated)
        }
        Signal::Exit { token, .. } if payloads => Ok(either(token.is_some(), PAYLOAD_EXIT_TT, PAYLOAD_EXIT)),
        Signal::Exit { token, .. } => Ok(either(token.is_some(), EXIT_TT, EXIT)),
        Signal::Exit2 { to: Dest::Alias(_) | Dest::Name(_), .. } => needs(Flags::ALTACT_SIG, ALTACT_SIG_SEND),
        Signal::Exit2 { priority: true, .. } if negotiated.contains(Flags::ALTACT_SIG) => Ok(ALTACT_SIG_SEND),
        Signal::Exit2 { token, .. } if payloads => {
            Ok(either(token.is_some(), PAYLOAD_EXIT2_TT, PAYLOAD_EXIT2))
        }
        Signal::Exit2 { token, .. } => Ok(either(token.is_some(), EXIT2_TT, EXIT2)),
        Signal::Link { .. } => Ok(LINK),
        Signal::Unlink { id: 0, .. } | Signal::UnlinkAck { id: 0, .. } => Err(Refusal::Malformed),
        Signal::Unlink { .. } if !negotiated.contains(Flags::UNLINK_ID) => Ok(UNLINK),
        Signal::Unlink { .. } => Ok(UNLINK_ID),
        Signal::UnlinkAck { .. } => needs(Flags::UNLINK_ID, UNLINK_ID_ACK),
        Signal::UnlinkOld { .. } => Ok(UNLINK),
        Signal::GroupLeader { .. } => Ok(GROUP_LEADER),
        Signal::Monitor { to: Dest::Alias(_), .. }
        | Signal::Demonitor { to: Dest::Alias(_), .. }
        | Signal::Down { from: Dest::Alias(_), .. } => Err(Refusal::Malformed),
        Signal::Monitor { to, .. } => needs(monitor_flag(to), MONITOR_P),
        Signal::Demonitor { to, .. } => needs(monitor_flag(to), DEMONITOR_P),
        Signal::Down { .. } if payloads => needs(Flags::DIST_MONITOR, PAYLOAD_MONITOR_P_EXIT),
        Signal::Down { .. } => needs(Flags::DIST_MONITOR, MONITOR_P_EXIT),
        Signal::SpawnRequest { token, .. } => {
            needs(Flags::SPAWN, either(token.is_some(), SPAWN_REQUEST_TT, SPAWN_REQUEST))
        }
        Signal::SpawnReply { token, .. } => {
            needs(Flags::SPAWN, either(token.is_some(), SPAWN_REPLY_TT, SPAWN_REPLY))
        }
    }
}

/// OTP 28 says everything to aliases, and everything with priority, with one code; whoever lacks it gets the older one,
/// without the priority.
fn choose_send(from: bool, to: &Dest, token: bool, priority: bool, negotiated: Flags) -> Result<u8, Refusal> {
    let altact = negotiated.contains(Flags::ALTACT_SIG);
    match to {
        Dest::Pid(_) if from && priority && altact => Ok(ALTACT_SIG_SEND),
        Dest::Pid(_) if from && negotiated.contains(Flags::SEND_SENDER) => {
            Ok(if token { SEND_SENDER_TT } else { SEND_SENDER })
        }
        Dest::Pid(_) => Ok(if token { SEND_TT } else { SEND }),
        Dest::Name(_) | Dest::Alias(_) if !from => Err(Refusal::NoSender),
        Dest::Name(_) if priority && altact => Ok(ALTACT_SIG_SEND),
        Dest::Name(_) => Ok(if token { REG_SEND_TT } else { REG_SEND }),
        Dest::Alias(_) if altact => Ok(ALTACT_SIG_SEND),
        Dest::Alias(_) if !negotiated.contains(Flags::ALIAS) => Err(Refusal::NotNegotiated(Flags::ALIAS)),
        Dest::Alias(_) => Ok(if token { ALIAS_SEND_TT } else { ALIAS_SEND }),
    }
}

fn monitor_flag(to: &Dest) -> Flags {
    if matches!(to, Dest::Name(_)) { Flags::DIST_MONITOR_NAME } else { Flags::DIST_MONITOR }
}

/// Whether `code` carries the term of the signal inside the control message, as its last element.
pub(crate) fn term_inside(code: u8) -> bool {
    matches!(code, EXIT | EXIT_TT | EXIT2 | EXIT2_TT | MONITOR_P_EXIT)
}

/// The atoms that a control message adds behind those of its payload.
pub(crate) struct Refs<'s> {
    list: [&'s Atom; REFS_MAX],
    length: usize,
    /// The number of the first one; `None` when atoms shall be written out.
    first: Option<usize>,
}

/// A control message has at most six atoms that differ (`SPAWN_REQUEST`).
const REFS_MAX: usize = 8;
/// What OTP puts where cookies once stood.
const NO_COOKIE: &Atom = &Atom::inline("");
/// The most references of one header.
const HEADER_ATOMS_MAX: usize = 255;

impl<'s> Refs<'s> {
    /// No atom yet. The payload has `first` of them; `None` when atoms shall be written out.
    pub(crate) fn after(first: Option<usize>) -> Refs<'s> {
        Refs { list: [NO_COOKIE; REFS_MAX], length: 0, first }
    }

    /// The atoms, in the order of their numbers.
    pub(crate) fn list(&self) -> &[&'s Atom] {
        &self.list[..self.length]
    }

    fn number(&mut self, atom: &'s Atom) -> Option<u8> {
        let first = self.first?;
        let known = self.list().iter().position(|seen| std::ptr::eq(*seen, atom) || *seen == atom);
        let place = known.unwrap_or(self.length);
        if place == self.length {
            if self.length == REFS_MAX || first + self.length >= HEADER_ATOMS_MAX {
                return None;
            }
            self.list[place] = atom;
            self.length += 1;
        }
        u8::try_from(first + place).ok()
    }
}

/// Appends the control message of `signal` as `code` says it. A term that stands inside is left to the caller: its
/// bytes are to follow at once.
pub(crate) fn encode<'s>(signal: &'s Signal, code: u8, bytes: &mut Vec<u8>, refs: Refs<'s>) -> Refs<'s> {
    let arity = TABLE[usize::from(PLACES[usize::from(code)])].arity;
    let mut out = Writer { bytes, refs };
    match signal {
        Signal::Send { from: Some(from), to, token, priority } if code == ALTACT_SIG_SEND => {
            out.altact(from, to, token.as_ref(), *priority, 0);
        }
        Signal::Exit2 { from, to, token, priority } if code == ALTACT_SIG_SEND => {
            out.altact(from, to, token.as_ref(), *priority, altact::EXIT);
        }
        _ => {
            out.tuple(arity, code);
            out.elements(signal, code);
        }
    }
    out.refs
}

struct Writer<'b, 's> {
    bytes: &'b mut Vec<u8>,
    refs: Refs<'s>,
}

impl<'s> Writer<'_, 's> {
    fn elements(&mut self, signal: &'s Signal, code: u8) {
        match signal {
            Signal::Send { from, to, token, .. } => self.send(from.as_ref(), to, token.as_ref(), code),
            Signal::Exit { from, to, token } => {
                self.pid(from);
                self.pid(to);
                self.token(token.as_ref());
            }
            Signal::Exit2 { from, to, token, .. } => {
                self.pid(from);
                self.dest(to);
                self.token(token.as_ref());
            }
            Signal::Unlink { id, from, to } if code == UNLINK_ID => self.numbered(*id, from, to),
            Signal::UnlinkAck { id, from, to } => self.numbered(*id, from, to),
            Signal::Link { from, to } | Signal::UnlinkOld { from, to } | Signal::Unlink { from, to, .. } => {
                self.pid(from);
                self.pid(to);
            }
            Signal::GroupLeader { leader, to } => {
                self.pid(leader);
                self.pid(to);
            }
            Signal::Monitor { from, to, reference } | Signal::Demonitor { from, to, reference } => {
                self.pid(from);
                self.dest(to);
                self.reference(reference);
            }
            Signal::Down { from, to, reference } => {
                self.dest(from);
                self.pid(to);
                self.reference(reference);
            }
            Signal::SpawnRequest { .. } => self.spawn_request(signal),
            Signal::SpawnReply { .. } => self.spawn_reply(signal),
        }
    }

    fn send(&mut self, from: Option<&'s Pid>, to: &'s Dest, token: Option<&Term>, code: u8) {
        if let Some(from) = from
            && !matches!(code, SEND | SEND_TT)
        {
            self.pid(from);
        }
        if matches!(code, SEND | SEND_TT | REG_SEND | REG_SEND_TT) {
            self.atom(NO_COOKIE);
        }
        self.dest(to);
        self.token(token);
    }

    fn altact(&mut self, from: &'s Pid, to: &'s Dest, token: Option<&Term>, priority: bool, more: u64) {
        let mut flags = more;
        flags |= if priority { altact::PRIORITY } else { 0 };
        flags |= if token.is_some() { altact::TOKEN } else { 0 };
        flags |= match to {
            Dest::Pid(_) => 0,
            Dest::Alias(_) => altact::ALIAS,
            Dest::Name(_) => altact::NAME,
        };
        self.tuple(4 + usize::from(token.is_some()), ALTACT_SIG_SEND);
        self.integer(flags);
        self.pid(from);
        self.dest(to);
        self.token(token);
    }

    fn numbered(&mut self, id: u64, from: &'s Pid, to: &'s Pid) {
        self.integer(id);
        self.pid(from);
        self.pid(to);
    }

    fn spawn_request(&mut self, signal: &'s Signal) {
        let Signal::SpawnRequest { id, from, leader, module, function, arity, options, token } = signal
        else {
            return;
        };
        self.reference(id);
        self.pid(from);
        self.pid(leader);
        self.bytes.extend_from_slice(&[tag::SMALL_TUPLE, 3]);
        self.atom(module);
        self.atom(function);
        self.integer((*arity).into());
        self.term(options);
        self.token(token.as_ref());
    }

    fn spawn_reply(&mut self, signal: &'s Signal) {
        let Signal::SpawnReply { id, to, linked, monitored, result, token } = signal else {
            return;
        };
        let flags =
            if *linked { spawned::LINKED } else { 0 } | if *monitored { spawned::MONITORED } else { 0 };
        self.reference(id);
        self.pid(to);
        self.integer(flags);
        match result {
            Ok(pid) => self.pid(pid),
            Err(why) => self.atom(why),
        }
        self.token(token.as_ref());
    }

    fn tuple(&mut self, arity: usize, code: u8) {
        self.bytes.extend_from_slice(&[tag::SMALL_TUPLE, arity as u8, tag::SMALL_INTEGER, code]);
    }

    fn dest(&mut self, dest: &'s Dest) {
        match dest {
            Dest::Pid(pid) => self.pid(pid),
            Dest::Name(name) => self.atom(name),
            Dest::Alias(alias) => self.reference(alias),
        }
    }

    fn pid(&mut self, pid: &'s Pid) {
        let mut whole = [0; 15];
        whole[3..7].copy_from_slice(&pid.id.to_be_bytes());
        whole[7..11].copy_from_slice(&pid.serial.to_be_bytes());
        whole[11..].copy_from_slice(&pid.node.creation().to_be_bytes());
        if let Some(number) = self.refs.number(pid.node.name()) {
            whole[..3].copy_from_slice(&[tag::NEW_PID, tag::ATOM_CACHE_REF, number]);
            self.bytes.extend_from_slice(&whole);
        } else {
            self.bytes.push(tag::NEW_PID);
            self.atom(pid.node.name());
            self.bytes.extend_from_slice(&whole[3..]);
        }
    }

    fn reference(&mut self, reference: &'s Ref) {
        let words = reference.words();
        self.bytes.extend_from_slice(&[tag::NEWER_REFERENCE, 0, words.len() as u8]);
        self.atom(reference.node().name());
        self.bytes.extend_from_slice(&reference.node().creation().to_be_bytes());
        words.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_be_bytes()));
    }

    fn atom(&mut self, atom: &'s Atom) {
        if let Some(number) = self.refs.number(atom) {
            self.bytes.extend_from_slice(&[tag::ATOM_CACHE_REF, number]);
            return;
        }
        let text = atom.as_bytes();
        match u8::try_from(text.len()) {
            Ok(short) => self.bytes.extend_from_slice(&[tag::SMALL_ATOM_UTF8, short]),
            Err(_) => {
                self.bytes.push(tag::ATOM_UTF8);
                self.bytes.extend_from_slice(&(text.len() as u16).to_be_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
    }

    fn integer(&mut self, number: u64) {
        if let Ok(small) = u8::try_from(number) {
            self.bytes.extend_from_slice(&[tag::SMALL_INTEGER, small]);
        } else if let Ok(middling) = i32::try_from(number) {
            self.bytes.push(tag::INTEGER);
            self.bytes.extend_from_slice(&middling.to_be_bytes());
        } else {
            let digits = 8 - number.leading_zeros() as usize / 8;
            self.bytes.extend_from_slice(&[tag::SMALL_BIG, digits as u8, 0]);
            self.bytes.extend_from_slice(&number.to_le_bytes()[..digits]);
        }
    }

    fn token(&mut self, token: Option<&Term>) {
        if let Some(token) = token {
            self.term(token);
        }
    }

    /// Rare terms (tokens, spawn options) have their atoms written out, which is always allowed.
    fn term(&mut self, term: &Term) {
        self.bytes.extend_from_slice(&term::encode::encode(term)[1..]);
    }
}
