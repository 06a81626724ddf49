//! What name servers say to each other, as types, both ways. What does not parse is logged and ignored by the machine.
//!
//! Shapes: the protocol manual, 6.2. Casts travel as `{'$gen_cast', M}`, the others as they are.

use term::{Atom, List, Pid, Term};

/// The version of the protocol that we speak (OTP 25.1 to 29).
pub(super) const VERSION: u64 = 8;
/// From here on a started session is confirmed by `init_connect_ack`, and undone by `cancel_connect`.
pub(super) const VERSION_VERIFY: u64 = 8;
/// From here on versions travel with node lists, and lost connections are told.
pub(super) const VERSION_OVERLAP: u64 = 7;
/// Older ones are not understood by anybody any more.
pub(super) const VERSION_OLDEST: u64 = 5;

/// A name as it travels: who, and how a conflict about it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: Term,
    pub(super) pid: Pid,
    /// A fun of three arguments, often one only its maker can run: kept and given on untouched.
    pub(super) method: Term,
}

/// A name registered for a process of a foreign node (a C node) by `on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct External {
    pub(super) name: Term,
    pub(super) pid: Pid,
    pub(super) on: Atom,
}

/// What to do to the table after a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Insert(Named),
    Delete(Term),
}

/// A node and the version it speaks; zero when nobody told.
pub(super) type Versioned = (Atom, u64);

/// A lock: what is locked, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockId {
    pub(super) resource: Term,
    pub(super) requester: Term,
}

impl LockId {
    /// The lock under which names change.
    pub(super) fn global(requester: Term) -> LockId {
        LockId { resource: Term::atom("global"), requester }
    }

    pub(super) fn to_term(&self) -> Term {
        Term::tuple([self.resource.clone(), self.requester.clone()])
    }

    fn read(term: &Term) -> Option<LockId> {
        let [resource, requester] = term.as_tuple()? else { return None };
        Some(LockId { resource: resource.clone(), requester: requester.clone() })
    }
}

/// What a name server is told. Tags are the sender's copies: `tag` is ours, `theirs` is the sender's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    InitConnect {
        version: u64,
        theirs: Term,
        node: Atom,
        locker: Pid,
    },
    InitConnectAck {
        node: Atom,
        tag: Term,
        theirs: Term,
    },
    LockSet {
        locker: Pid,
        set: bool,
        tag: Option<Term>,
    },
    Exchange {
        node: Atom,
        names: Vec<Named>,
        tag: Term,
    },
    Resolved {
        node: Atom,
        ops: Vec<Op>,
        known: Vec<Versioned>,
        external: Vec<External>,
        tag: Term,
    },
    NewNodes {
        node: Atom,
        ops: Vec<Op>,
        external: Vec<External>,
        nodes: Vec<Versioned>,
        lock: Option<LockId>,
    },
    InSync {
        node: Atom,
    },
    CancelConnect {
        node: Atom,
        tag: Term,
    },
    LostConnection {
        teller: Atom,
        creation: Term,
        serial: Term,
        lost: Atom,
    },
    RemoveConnection {
        node: Atom,
    },
    Whereis {
        name: Term,
        from: Term,
    },
    PrepareShutdown {
        from: Pid,
        reference: Term,
    },
    /// Said by releases before R14 and by nobody since: ignored without a word.
    Old,
}

impl Message {
    /// Reads what arrived, with or without its `$gen_cast`. `None` when it has none of the shapes.
    pub(super) fn read(term: &Term) -> Option<Message> {
        let items = term.as_tuple()?;
        match items {
            [tag, inner] if tag.is_atom("$gen_cast") => read_cast(inner.as_tuple()?),
            _ => read_plain(items),
        }
    }
}

/// I am here and speak global: the first word after a connection. The map of known nodes in it is read by nobody.
pub(super) fn init_connect(node: &Atom, mine: Term, locker: &Pid) -> Term {
    let us = [word("locker"), word("no_longer_a_pid"), Term::Map(std::iter::empty().collect()), pid(locker)];
    let version = Term::tuple([number(VERSION), mine]);
    cast(Term::tuple([word("init_connect"), version, atom(node), Term::tuple(us)]))
}

/// Confirms the session of the two tags.
pub(super) fn init_connect_ack(node: &Atom, theirs: Term, mine: Term) -> Term {
    Term::tuple([word("init_connect_ack"), atom(node), theirs, mine])
}

/// Undoes the session of this tag.
pub(super) fn cancel_connect(node: &Atom, theirs: Term) -> Term {
    Term::tuple([word("cancel_connect"), atom(node), theirs])
}

/// All our names.
pub(super) fn exchange(node: &Atom, names: impl Iterator<Item = Named>, theirs: Term) -> Term {
    let names = Term::list(names.map(|named| named.to_term()));
    cast(Term::tuple([word("exchange"), atom(node), names, Term::NIL, theirs]))
}

/// I know you now.
pub(super) fn in_sync(node: &Atom) -> Term {
    cast(Term::tuple([word("in_sync"), atom(node), word("true")]))
}

/// `teller` lost `lost`.
pub(super) fn lost_connection(teller: &Atom, creation: Term, serial: Term, lost: &Atom) -> Term {
    Term::tuple([word("lost_connection"), atom(teller), creation, serial, atom(lost)])
}

/// Please hang up.
pub(super) fn remove_connection(node: &Atom) -> Term {
    Term::tuple([word("remove_connection"), atom(node)])
}

/// `lock_set` carries the names of all known nodes, which nobody reads; without a tag for versions before 8.
pub(super) fn lock_set(locker: &Pid, set: bool, known: Term, tag: Option<Term>) -> Term {
    let set = word(if set { "true" } else { "false" });
    let mut items = vec![word("lock_set"), pid(locker), set, known];
    items.extend(tag);
    cast(Term::Tuple(items.into()))
}

/// `resolved`, for a peer of `version`.
pub(super) fn resolved(
    node: &Atom,
    ops: &[Op],
    known: &[Versioned],
    external: &[External],
    tag: Term,
    version: u64,
) -> Term {
    cast(Term::tuple([
        word("resolved"),
        atom(node),
        Term::list(ops.iter().map(Op::to_term)),
        nodes(known, version),
        word("unused"),
        Term::list(external.iter().map(External::to_term)),
        tag,
    ]))
}

/// What `new_nodes` says, without the list of nodes, whose shape depends on who reads it.
pub(super) struct News<'a> {
    pub(super) node: &'a Atom,
    pub(super) ops: &'a [Op],
    pub(super) external: &'a [External],
    pub(super) nodes: &'a [Versioned],
    pub(super) version: u64,
    pub(super) lock: &'a LockId,
}

impl News<'_> {
    /// The message for a reader of `version`.
    pub(super) fn to_term(&self, version: u64) -> Term {
        let extra = [
            Term::tuple([word("vsn"), number(self.version)]),
            Term::tuple([word("lock"), self.lock.to_term()]),
        ];
        cast(Term::tuple([
            word("new_nodes"),
            atom(self.node),
            Term::list(self.ops.iter().map(Op::to_term)),
            Term::list(self.external.iter().map(External::to_term)),
            nodes(self.nodes, version),
            Term::list(extra),
        ]))
    }
}

/// What a name server is asked by `$gen_call`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    SetLock(LockId),
    DelLock(LockId),
    Register(Named),
    RegisterExternal(Named, Atom),
    Unregister(Term),
    Known,
    Synced,
    Version,
    ExternalNames,
    Sync(Vec<Atom>),
    Info,
    Disconnect,
    /// OTP's "high level trace", which nobody has turned on.
    Trace,
    Stop,
}

impl Question {
    /// Reads a request. `None` when it has none of the shapes: OTP then logs and leaves the caller without an answer.
    pub(super) fn read(term: &Term) -> Option<Question> {
        if let Some(word) = term.as_atom() {
            return match word.as_str() {
                "get_known" => Some(Question::Known),
                "get_synced" => Some(Question::Synced),
                "get_protocol_version" => Some(Question::Version),
                "get_names_ext" => Some(Question::ExternalNames),
                "info" => Some(Question::Info),
                "disconnect" => Some(Question::Disconnect),
                "high_level_trace_get" | "high_level_trace_stop" => Some(Question::Trace),
                "stop" => Some(Question::Stop),
                _ => None,
            };
        }
        let (tag, rest) = split(term.as_tuple()?)?;
        match (tag.as_str(), rest) {
            ("set_lock", [id]) => Some(Question::SetLock(LockId::read(id)?)),
            ("del_lock", [id]) => Some(Question::DelLock(LockId::read(id)?)),
            ("register", [name, pid, method]) => Some(Question::Register(Named::new(name, pid, method)?)),
            ("register_ext", [name, pid, method, on]) => {
                Some(Question::RegisterExternal(Named::new(name, pid, method)?, on.as_atom()?.clone()))
            }
            ("unregister", [name]) => Some(Question::Unregister(name.clone())),
            ("sync", [nodes]) => Some(Question::Sync(all(nodes, |node| node.as_atom().cloned())?)),
            _ => None,
        }
    }
}

/// Whether this is a request with a word that OTP's server knows, in a shape over which it fails, and its caller with it.
pub(super) fn is_broken(request: &Term) -> bool {
    let known = match request.as_tuple().and_then(split) {
        Some((word, rest)) => matches!(
            (word.as_str(), rest.len()),
            ("set_lock" | "del_lock" | "sync", 1) | ("register", 3) | ("register_ext", 4)
        ),
        None => false,
    };
    known && Question::read(request).is_none()
}

/// The requests that we make of others.
pub(super) fn get_known() -> Term {
    word("get_known")
}

/// Whether an answer to `get_known` has this node: alone, or with its version.
pub(super) fn knows(answer: &Term, node: &Atom) -> bool {
    let is_it = |term: &Term| term.as_atom() == Some(node);
    let entry =
        |entry: Term| is_it(&entry) || entry.as_tuple().and_then(|pair| pair.first()).is_some_and(is_it);
    answer.as_list().is_some_and(|known| known.iter().any(entry))
}

pub(super) fn set_lock(id: &LockId) -> Term {
    Term::tuple([word("set_lock"), id.to_term()])
}

pub(super) fn del_lock(id: &LockId) -> Term {
    Term::tuple([word("del_lock"), id.to_term()])
}

pub(super) fn register(named: &Named) -> Term {
    Term::tuple([word("register"), named.name.clone(), pid(&named.pid), named.method.clone()])
}

pub(super) fn unregister(name: &Term) -> Term {
    Term::tuple([word("unregister"), name.clone()])
}

impl Named {
    fn new(name: &Term, pid: &Term, method: &Term) -> Option<Named> {
        Some(Named { name: name.clone(), pid: pid.as_pid()?.clone(), method: method.clone() })
    }

    fn read(term: &Term) -> Option<Named> {
        let [name, pid, method] = term.as_tuple()? else { return None };
        Named::new(name, pid, method)
    }

    pub(super) fn to_term(&self) -> Term {
        Term::tuple([self.name.clone(), pid(&self.pid), self.method.clone()])
    }
}

impl External {
    fn read(term: &Term) -> Option<External> {
        let [name, pid, on] = term.as_tuple()? else { return None };
        Some(External { name: name.clone(), pid: pid.as_pid()?.clone(), on: on.as_atom()?.clone() })
    }

    pub(super) fn to_term(&self) -> Term {
        Term::tuple([self.name.clone(), pid(&self.pid), atom(&self.on)])
    }
}

impl Op {
    fn read(term: &Term) -> Option<Op> {
        match term.as_tuple()? {
            [word, named] if word.is_atom("insert") => Some(Op::Insert(Named::read(named)?)),
            [word, name] if word.is_atom("delete") => Some(Op::Delete(name.clone())),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> &Term {
        match self {
            Op::Insert(named) => &named.name,
            Op::Delete(name) => name,
        }
    }

    fn to_term(&self) -> Term {
        match self {
            Op::Insert(named) => Term::tuple([word("insert"), named.to_term()]),
            Op::Delete(name) => Term::tuple([word("delete"), name.clone()]),
        }
    }
}

fn read_cast(items: &[Term]) -> Option<Message> {
    let (tag, rest) = split(items)?;
    match (tag.as_str(), rest) {
        ("init_connect", [version, node, locker]) => read_init_connect(version, node, locker),
        ("lock_set", [locker, set, _known, rest @ ..]) if rest.len() <= 1 => read_lock_set(locker, set, rest),
        ("exchange", [node, names, _external, tag]) => Some(Message::Exchange {
            node: node.as_atom()?.clone(),
            names: all(names, Named::read)?,
            tag: tag.clone(),
        }),
        ("resolved", [node, ops, known, _unused, external, tag]) => Some(Message::Resolved {
            node: node.as_atom()?.clone(),
            ops: all(ops, Op::read)?,
            known: all(known, read_versioned)?,
            external: all(external, External::read)?,
            tag: tag.clone(),
        }),
        ("new_nodes", [node, ops, external, nodes, extra]) => Some(Message::NewNodes {
            node: node.as_atom()?.clone(),
            ops: all(ops, Op::read)?,
            external: all(external, External::read)?,
            nodes: all(nodes, read_versioned)?,
            lock: extra.as_list().and_then(|extra| extra.iter().find_map(|info| read_lock_info(&info))),
        }),
        ("in_sync", [node, _known]) => Some(Message::InSync { node: node.as_atom()?.clone() }),
        ("async_del_name" | "async_del_lock", [_, _]) => Some(Message::Old),
        _ => None,
    }
}

fn read_plain(items: &[Term]) -> Option<Message> {
    let (tag, rest) = split(items)?;
    match (tag.as_str(), rest) {
        ("init_connect_ack", [node, tag, theirs]) => Some(Message::InitConnectAck {
            node: node.as_atom()?.clone(),
            tag: tag.clone(),
            theirs: theirs.clone(),
        }),
        ("cancel_connect", [node, tag]) => {
            Some(Message::CancelConnect { node: node.as_atom()?.clone(), tag: tag.clone() })
        }
        ("lost_connection", [teller, creation, serial, lost]) => Some(Message::LostConnection {
            teller: teller.as_atom()?.clone(),
            creation: creation.clone(),
            serial: serial.clone(),
            lost: lost.as_atom()?.clone(),
        }),
        ("remove_connection", [node]) => Some(Message::RemoveConnection { node: node.as_atom()?.clone() }),
        // An OTP locker that has no session with us says so to our locker itself, without a tag.
        ("lock_set", [locker, set, _known, rest @ ..]) if rest.len() <= 1 => read_lock_set(locker, set, rest),
        ("whereis", [name, from]) => Some(Message::Whereis { name: name.clone(), from: from.clone() }),
        ("prepare_shutdown", [from, reference]) => {
            Some(Message::PrepareShutdown { from: from.as_pid()?.clone(), reference: reference.clone() })
        }
        _ => None,
    }
}

fn read_init_connect(version: &Term, node: &Term, locker: &Term) -> Option<Message> {
    let [version, theirs, ..] = version.as_tuple()? else { return None };
    let [tag, _unused, _known, locker, ..] = locker.as_tuple()? else { return None };
    let version = u64::try_from(version.as_int()?).ok().filter(|version| *version >= VERSION_OLDEST)?;
    tag.is_atom("locker").then_some(())?;
    Some(Message::InitConnect {
        version,
        theirs: theirs.clone(),
        node: node.as_atom()?.clone(),
        locker: locker.as_pid()?.clone(),
    })
}

fn read_lock_set(locker: &Term, set: &Term, tag: &[Term]) -> Option<Message> {
    let set = match set.as_atom()?.as_str() {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    Some(Message::LockSet { locker: locker.as_pid()?.clone(), set, tag: tag.first().cloned() })
}

fn read_versioned(term: &Term) -> Option<Versioned> {
    if let Some(node) = term.as_atom() {
        return Some((node.clone(), 0));
    }
    let [node, version] = term.as_tuple()? else { return None };
    Some((node.as_atom()?.clone(), u64::try_from(version.as_int()?).ok()?))
}

fn read_lock_info(term: &Term) -> Option<LockId> {
    match term.as_tuple()? {
        [word, id] if word.is_atom("lock") => LockId::read(id),
        _ => None,
    }
}

/// Every item of a proper list, or nothing.
fn all<T>(list: &Term, read: impl Fn(&Term) -> Option<T>) -> Option<Vec<T>> {
    let list: &List = list.as_list()?;
    if list.improper_tail().is_some() {
        return None;
    }
    list.iter().map(|item| read(&item)).collect()
}

fn split(items: &[Term]) -> Option<(&Atom, &[Term])> {
    let (tag, rest) = items.split_first()?;
    Some((tag.as_atom()?, rest))
}

fn nodes(known: &[Versioned], version: u64) -> Term {
    Term::list(known.iter().map(|(node, theirs)| {
        if version < VERSION_OVERLAP { atom(node) } else { Term::tuple([atom(node), number(*theirs)]) }
    }))
}

pub(super) fn cast(message: Term) -> Term {
    Term::tuple([word("$gen_cast"), message])
}

pub(super) fn word(text: &str) -> Term {
    Term::atom(text)
}

pub(super) fn atom(node: &Atom) -> Term {
    Term::Atom(node.clone())
}

pub(super) fn pid(pid: &Pid) -> Term {
    Term::Pid(pid.clone())
}

fn number(version: u64) -> Term {
    Term::Int(i64::try_from(version).unwrap_or(i64::MAX))
}
