//! Control message to signal: every code of the table at any time, canonical or not, without building a tuple.

use bytes::Bytes;
use term::decode::decode_at;
use term::wire::WireContext;
use term::{Atom, NodeId, Pid, Ref, Term};

use super::*;
use crate::error::PeerFault;
use crate::signal::{Dest, Payload, Signal};

/// What a control message says.
#[derive(Debug)]
pub(crate) struct Control {
    /// The signal.
    pub(crate) signal: Signal,
    /// The term that stood inside the message, or nothing yet.
    pub(crate) inside: Payload,
    /// Whether a term follows.
    pub(crate) payload: bool,
    /// Which line of the table it was.
    pub(crate) opcode: &'static Opcode,
    /// Where the message ends.
    pub(crate) end: usize,
}

/// Reads the control message at `at`.
pub(crate) fn decode(
    bytes: &Bytes,
    at: usize,
    context: &WireContext,
    me: &NodeId,
    peer: &NodeId,
) -> Result<Control, PeerFault> {
    let mut reader = Reader { bytes, at, context, opcode: NO_OPCODE };
    let arity = reader.arity().ok_or(PeerFault::NoControl("it is not a tuple"))?;
    let code = reader.word().ok_or(PeerFault::NoControl("it does not start with an operation code"))?;
    let opcode = opcode(code).ok_or(PeerFault::UnknownOpcode(code))?;
    reader.opcode = opcode;
    if arity != opcode.arity && !(opcode.code == ALTACT_SIG_SEND && arity > opcode.arity) {
        return Err(reader.bad("it has the wrong number of elements"));
    }
    let (signal, inside) = read_signal(&mut reader, arity)?;
    check(&signal, me, peer).map_err(|why| reader.bad(why))?;
    Ok(Control { signal, inside, payload: opcode.payload, opcode, end: reader.at })
}

/// The same for the two commonest messages in their usual form, `{22, From, To}` and `{6, From, '', To}`, when something
/// follows them. Gives nothing for all others, right or wrong.
#[inline(always)]
pub(crate) fn decode_send(bytes: &Bytes, at: usize, context: &WireContext) -> Option<(Signal, usize)> {
    let &[tag::SMALL_TUPLE, arity, tag::SMALL_INTEGER, code] = bytes.get(at..at + 4)? else { return None };
    let mut reader = Reader { bytes, at: at + 4, context, opcode: NO_OPCODE };
    let from = Some(reader.quick_pid()?);
    let to = match (code, arity) {
        (SEND_SENDER, 3) => Dest::Pid(reader.quick_pid()?),
        (REG_SEND, 4) => {
            reader.quick_atom()?;
            Dest::Name(reader.quick_atom()?.clone())
        }
        _ => return None,
    };
    let signal = Signal::Send { from, to, token: None, priority: false };
    (reader.at < bytes.len()).then_some((signal, reader.at))
}

/// Stands for the line of the table until the code has been read.
const NO_OPCODE: &Opcode = &Opcode { code: 0, name: "NONE", arity: 0, payload: false };

fn read_signal(reader: &mut Reader<'_>, arity: usize) -> Result<(Signal, Payload), PeerFault> {
    let mut inside = Payload::None;
    let code = reader.opcode.code;
    let signal = match code {
        SEND | SEND_TT | REG_SEND | REG_SEND_TT | SEND_SENDER | SEND_SENDER_TT | ALIAS_SEND
        | ALIAS_SEND_TT => read_send(reader)?,
        ALTACT_SIG_SEND => read_altact(reader, arity)?,
        LINK => Signal::Link { from: reader.pid()?, to: reader.pid()? },
        UNLINK => Signal::UnlinkOld { from: reader.pid()?, to: reader.pid()? },
        UNLINK_ID => Signal::Unlink { id: reader.id()?, from: reader.pid()?, to: reader.pid()? },
        UNLINK_ID_ACK => Signal::UnlinkAck { id: reader.id()?, from: reader.pid()?, to: reader.pid()? },
        GROUP_LEADER => Signal::GroupLeader { leader: reader.pid()?, to: reader.pid()? },
        EXIT | EXIT_TT | PAYLOAD_EXIT | PAYLOAD_EXIT_TT => {
            let (from, to) = (reader.pid()?, reader.pid()?);
            let token = reader.token_if(matches!(code, EXIT_TT | PAYLOAD_EXIT_TT))?;
            Signal::Exit { from, to, token }
        }
        EXIT2 | EXIT2_TT | PAYLOAD_EXIT2 | PAYLOAD_EXIT2_TT => {
            let (from, to) = (reader.pid()?, Dest::Pid(reader.pid()?));
            let token = reader.token_if(matches!(code, EXIT2_TT | PAYLOAD_EXIT2_TT))?;
            Signal::Exit2 { from, to, token, priority: false }
        }
        MONITOR_P => {
            Signal::Monitor { from: reader.pid()?, to: reader.pid_or_name()?, reference: reader.reference()? }
        }
        DEMONITOR_P => Signal::Demonitor {
            from: reader.pid()?,
            to: reader.pid_or_name()?,
            reference: reader.reference()?,
        },
        MONITOR_P_EXIT | PAYLOAD_MONITOR_P_EXIT => {
            Signal::Down { from: reader.pid_or_name()?, to: reader.pid()?, reference: reader.reference()? }
        }
        SPAWN_REQUEST | SPAWN_REQUEST_TT => read_spawn_request(reader)?,
        _ => read_spawn_reply(reader)?,
    };
    if encode::term_inside(code) {
        inside = Payload::Term(reader.term()?);
    }
    Ok((signal, inside))
}

fn read_send(reader: &mut Reader<'_>) -> Result<Signal, PeerFault> {
    let code = reader.opcode.code;
    let from = if matches!(code, SEND | SEND_TT) { None } else { Some(reader.pid()?) };
    if matches!(code, SEND | SEND_TT | REG_SEND | REG_SEND_TT) {
        reader.atom()?;
    }
    let to = match code {
        REG_SEND | REG_SEND_TT => Dest::Name(reader.atom()?),
        ALIAS_SEND | ALIAS_SEND_TT => Dest::Alias(reader.reference()?),
        _ => Dest::Pid(reader.pid()?),
    };
    let traced = matches!(code, SEND_TT | REG_SEND_TT | SEND_SENDER_TT | ALIAS_SEND_TT);
    Ok(Signal::Send { from, to, token: reader.token_if(traced)?, priority: false })
}

/// Unknown flags and further elements are ignored: later releases may add some.
fn read_altact(reader: &mut Reader<'_>, arity: usize) -> Result<Signal, PeerFault> {
    let flags = reader.word().ok_or(reader.bad("its flags are no number that could be flags"))?;
    let has = |flag: u64| flags & flag != 0;
    if has(altact::ALIAS) && has(altact::NAME) {
        return Err(reader.bad("its receiver is both an alias and a name"));
    }
    let from = reader.pid()?;
    let to = if has(altact::ALIAS) {
        Dest::Alias(reader.reference()?)
    } else if has(altact::NAME) {
        Dest::Name(reader.atom()?)
    } else {
        Dest::Pid(reader.pid()?)
    };
    let read = 4 + usize::from(has(altact::TOKEN));
    if arity < read {
        return Err(reader.bad("it announces a trace token but has none"));
    }
    let token = reader.token_if(has(altact::TOKEN))?;
    for _ in read..arity {
        reader.term()?;
    }
    let priority = has(altact::PRIORITY);
    Ok(if has(altact::EXIT) {
        Signal::Exit2 { from, to, token, priority }
    } else {
        Signal::Send { from: Some(from), to, token, priority }
    })
}

fn read_spawn_request(reader: &mut Reader<'_>) -> Result<Signal, PeerFault> {
    let traced = reader.opcode.code == SPAWN_REQUEST_TT;
    let (id, from, leader) = (reader.reference()?, reader.pid()?, reader.pid()?);
    if reader.arity() != Some(3) {
        return Err(reader.bad("what to call is not {Module, Function, Arity}"));
    }
    let (module, function) = (reader.atom()?, reader.atom()?);
    let arity = reader.word().and_then(|arity| u8::try_from(arity).ok());
    let arity = arity.ok_or(reader.bad("the arity is not a number up to 255"))?;
    let options = reader.term()?;
    if options.as_list().is_none_or(|list| list.improper_tail().is_some()) {
        return Err(reader.bad("the options are no proper list"));
    }
    let token = reader.token_if(traced)?;
    Ok(Signal::SpawnRequest { id, from, leader, module, function, arity, options, token })
}

fn read_spawn_reply(reader: &mut Reader<'_>) -> Result<Signal, PeerFault> {
    let traced = reader.opcode.code == SPAWN_REPLY_TT;
    let (id, to) = (reader.reference()?, reader.pid()?);
    let flags = reader.word().ok_or(reader.bad("its flags are no number that could be flags"))?;
    let result = match reader.term()? {
        Term::Pid(pid) => Ok(pid),
        Term::Atom(why) => Err(why),
        _ => return Err(reader.bad("its result is neither a pid nor an atom")),
    };
    let (linked, monitored) = (flags & spawned::LINKED != 0, flags & spawned::MONITORED != 0);
    Ok(Signal::SpawnReply { id, to, linked, monitored, result, token: reader.token_if(traced)? })
}

/// What OTP drops a connection for: signals that claim to come from a third node. (Our own name with another creation
/// is let through, as OTP does: it is an earlier life of ours.)
fn check(signal: &Signal, me: &NodeId, peer: &NodeId) -> Result<(), &'static str> {
    let theirs = |node: &NodeId| node.name() == peer.name() || (node.name() == me.name() && node != me);
    match signal {
        Signal::Unlink { id: 0, .. } | Signal::UnlinkAck { id: 0, .. } => Err("its id is 0"),
        Signal::Link { from, .. }
        | Signal::Exit { from, .. }
        | Signal::Exit2 { from, .. }
        | Signal::Unlink { from, .. }
        | Signal::UnlinkOld { from, .. }
        | Signal::Monitor { from, .. }
            if !theirs(&from.node) =>
        {
            Err("it comes from a process of another node")
        }
        Signal::SpawnRequest { id, from, .. }
            if from.node.name() != peer.name() || id.node().name() != peer.name() =>
        {
            Err("the request comes from another node")
        }
        _ => Ok(()),
    }
}

/// Reads the elements one by one: the usual encodings at once, all others through the general decoder.
struct Reader<'r> {
    bytes: &'r Bytes,
    at: usize,
    context: &'r WireContext,
    opcode: &'static Opcode,
}

impl Reader<'_> {
    fn bad(&self, why: &'static str) -> PeerFault {
        PeerFault::BadControl { opcode: self.opcode.code, name: self.opcode.name, why }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..self.at + N)?.try_into().ok()?;
        self.at += N;
        Some(taken)
    }

    /// The arity of the tuple that starts here.
    fn arity(&mut self) -> Option<usize> {
        match self.take()? {
            [tag::SMALL_TUPLE] => self.take().map(|[arity]| usize::from(arity)),
            [tag::LARGE_TUPLE] => self.take().map(|arity| u32::from_be_bytes(arity) as usize),
            _ => None,
        }
    }

    /// The low 64 bits of the number that stands here, if it is one and not negative.
    fn word(&mut self) -> Option<u64> {
        let digits = match self.take()? {
            [tag::SMALL_INTEGER] => return self.take().map(|[number]| u64::from(number)),
            [tag::INTEGER] => {
                return self.take().and_then(|number| i32::from_be_bytes(number).try_into().ok());
            }
            [tag::SMALL_BIG] => self.take().map(|[digits]| usize::from(digits))?,
            [tag::LARGE_BIG] => self.take().map(|digits| u32::from_be_bytes(digits) as usize)?,
            _ => return None,
        };
        let [sign] = self.take()?;
        let all = self.bytes.get(self.at..self.at.checked_add(digits)?)?;
        self.at += digits;
        let low = all.iter().take(8).rev().fold(0, |word, digit| word << 8 | u64::from(*digit));
        (sign == 0).then_some(low)
    }

    fn id(&mut self) -> Result<u64, PeerFault> {
        let start = self.at;
        let id = self.word().ok_or(self.bad("its id is no positive number"))?;
        let digits = match self.bytes[start] {
            tag::SMALL_BIG => start + 3,
            tag::LARGE_BIG => start + 6,
            _ => return Ok(id),
        };
        let more = self.bytes[digits..self.at].iter().skip(8);
        if more.into_iter().any(|digit| *digit != 0) {
            return Err(self.bad("its id has more than 64 bits"));
        }
        Ok(id)
    }

    fn pid(&mut self) -> Result<Pid, PeerFault> {
        match self.quick_pid() {
            Some(pid) => Ok(pid),
            None => match self.term()? {
                Term::Pid(pid) => Ok(pid),
                _ => Err(self.bad("something else stands where a pid belongs")),
            },
        }
    }

    /// The pid here, when it has the usual tags; else nothing is read.
    #[inline(always)]
    fn quick_pid(&mut self) -> Option<Pid> {
        let bytes = self.bytes.get(self.at..self.at + 15)?;
        if bytes[0] != tag::NEW_PID || bytes[1] != tag::ATOM_CACHE_REF {
            return None;
        }
        let name = self.context.atoms.get(usize::from(bytes[2]))?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let creation = word(11);
        let known = |node: &&NodeId| node.creation() == creation && node.name() == name;
        let node = self.context.nodes.iter().find(known).cloned();
        let node = node.unwrap_or_else(|| NodeId::new(name.clone(), creation));
        let pid = Pid { node, id: word(3), serial: word(7) };
        self.at += 15;
        Some(pid)
    }

    fn reference(&mut self) -> Result<Ref, PeerFault> {
        match self.term()? {
            Term::Ref(reference) => Ok(reference),
            _ => Err(self.bad("something else stands where a reference belongs")),
        }
    }

    /// The atom here, when it is a reference; else nothing is read.
    fn quick_atom(&mut self) -> Option<&Atom> {
        let &[tag::ATOM_CACHE_REF, number] = self.bytes.get(self.at..self.at + 2)? else { return None };
        let atom = self.context.atoms.get(usize::from(number))?;
        self.at += 2;
        Some(atom)
    }

    fn atom(&mut self) -> Result<Atom, PeerFault> {
        if let Some(atom) = self.quick_atom() {
            return Ok(atom.clone());
        }
        match self.term()? {
            Term::Atom(atom) => Ok(atom),
            _ => Err(self.bad("something else stands where an atom belongs")),
        }
    }

    fn pid_or_name(&mut self) -> Result<Dest, PeerFault> {
        match self.term()? {
            Term::Pid(pid) => Ok(Dest::Pid(pid)),
            Term::Atom(name) => Ok(Dest::Name(name)),
            _ => Err(self.bad("something else stands where a pid or a name belongs")),
        }
    }

    fn token_if(&mut self, there: bool) -> Result<Option<Term>, PeerFault> {
        if there { self.term().map(Some) } else { Ok(None) }
    }

    fn term(&mut self) -> Result<Term, PeerFault> {
        let (term, end) =
            decode_at(self.bytes, self.at, self.context).map_err(|fault| self.bad(fault.what))?;
        self.at = end;
        Ok(term)
    }
}
