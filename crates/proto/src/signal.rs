//! The one word: what one process can do to another, near or far.

use term::wire::{Encoded, WireTerm};
use term::{Atom, Pid, Ref, Term};

/// Whom a signal is for (or, for [`Signal::Down`], whom it speaks of).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dest {
    /// A process.
    Pid(Pid),
    /// A name registered on the receiving node.
    Name(Atom),
    /// A process alias of the receiving node.
    Alias(Ref),
}

/// A signal that crosses between two nodes. Messages, exit reasons and arguments travel beside it.
#[derive(Clone, PartialEq, Debug)]
pub enum Signal {
    /// A message. Payload: the message.
    Send {
        /// The sender; `SEND` (2) does not tell.
        from: Option<Pid>,
        /// The receiver.
        to: Dest,
        /// The trace token, to be relayed or ignored.
        token: Option<Term>,
        /// Sent with `priority` (OTP 28).
        priority: bool,
    },
    /// A process ended and was linked. Payload: the reason.
    Exit {
        /// Who ended.
        from: Pid,
        /// Who was linked to it.
        to: Pid,
        /// The trace token.
        token: Option<Term>,
    },
    /// `exit/2`. Payload: the reason.
    Exit2 {
        /// Who called it.
        from: Pid,
        /// Who shall exit.
        to: Dest,
        /// The trace token.
        token: Option<Term>,
        /// Sent with `priority` (OTP 28).
        priority: bool,
    },
    /// Make a link.
    Link {
        /// Who links.
        from: Pid,
        /// To whom.
        to: Pid,
    },
    /// Take a link away; to be acknowledged with the same `id`.
    Unlink {
        /// Unique among the outstanding ones of this pair; never 0.
        id: u64,
        /// Who unlinks.
        from: Pid,
        /// From whom.
        to: Pid,
    },
    /// Answers [`Signal::Unlink`].
    UnlinkAck {
        /// The `id` of what is acknowledged.
        id: u64,
        /// The acknowledging process.
        from: Pid,
        /// Who had unlinked.
        to: Pid,
    },
    /// The old `UNLINK` (4) of OTP 25, without acknowledgement. We never send it.
    UnlinkOld {
        /// Who unlinks.
        from: Pid,
        /// From whom.
        to: Pid,
    },
    /// Sets the group leader of a process.
    GroupLeader {
        /// The new leader.
        leader: Pid,
        /// Whose.
        to: Pid,
    },
    /// Watch a process.
    Monitor {
        /// The watcher.
        from: Pid,
        /// The watched: a pid or a name.
        to: Dest,
        /// The watcher's reference.
        reference: Ref,
    },
    /// Stop watching.
    Demonitor {
        /// The watcher.
        from: Pid,
        /// The watched, as it was given to [`Signal::Monitor`].
        to: Dest,
        /// The watcher's reference.
        reference: Ref,
    },
    /// A watched process ended. Payload: the reason.
    Down {
        /// The watched, as it was given to [`Signal::Monitor`].
        from: Dest,
        /// The watcher.
        to: Pid,
        /// The watcher's reference.
        reference: Ref,
    },
    /// Start a process. Payload: the list of arguments.
    SpawnRequest {
        /// Names the request, and the monitor if one was asked for.
        id: Ref,
        /// Who asks.
        from: Pid,
        /// The group leader of the new process.
        leader: Pid,
        /// The module.
        module: Atom,
        /// The function.
        function: Atom,
        /// How many arguments.
        arity: u8,
        /// `link`, `monitor`, `{priority, _}` ...: a proper list.
        options: Term,
        /// The trace token.
        token: Option<Term>,
    },
    /// Answers [`Signal::SpawnRequest`].
    SpawnReply {
        /// The `id` of the request.
        id: Ref,
        /// Who asked.
        to: Pid,
        /// Whether the link was made.
        linked: bool,
        /// Whether the monitor was made.
        monitored: bool,
        /// The new process, or why there is none (`badopt`, `notsup`, `system_limit` ...).
        result: Result<Pid, Atom>,
        /// The trace token.
        token: Option<Term>,
    },
}

/// A signal on its way out, its payload encoded by the process that sends it.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The signal.
    pub signal: Signal,
    /// What travels beside it.
    pub payload: Option<Encoded>,
}

/// A signal that came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The signal.
    pub signal: Signal,
    /// What travelled beside it.
    pub payload: Payload,
}

/// What travelled beside a signal.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing.
    None,
    /// A term that its receiver will decode.
    Wire(WireTerm),
    /// A term that stood in the control message itself (`EXIT` 3, `EXIT2` 8 and their traced forms).
    Term(Term),
}
