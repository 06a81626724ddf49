//! What happens to `global`, and what it wants done. The contract between the machine and the shell around it.
//!
//! # What the shell is
//! Three processes: *the server*, registered as `global_name_server`; *the locker*; *the registrar*. The last two need no
//! mind of their own, only pids: peers see them as the holders of locks. The shell feeds every [`Event`] to
//! [`Global::on`](super::machine::Global::on), then drains [`Effect`]s, then sets one timer for `poll_deadline` and says
//! [`Event::Wake`] when it is over.
//!
//! # Order
//! Of one connection the machine must hear [`Event::NodeUp`] before anything that came over it, and [`Event::NodeDown`]
//! after everything that came over it and before the `NodeUp` of the next one. Effects are carried out in order: two that
//! go from the same actor to the same node must arrive in order, and so must an [`Effect::Call`] after a [`Effect::Send`].
//! What names a connection may go over that one only: a word meant for an old connection that slips into a new one (the
//! machine has not heard yet that there is a new one) can leave a lock behind, or a name that nobody else has.

use term::{Atom, Pid, Term};

/// Numbers a call that we make of a peer.
pub type CallId = u64;
/// Numbers a connection, as `connection_id` of `net_kernel:monitor_nodes` does.
pub type ConnectionId = u64;
/// Numbers a monitor.
pub type MonitorId = u64;
/// Numbers a question to a conflict method.
pub type ResolveId = u64;
/// The shell's own number of a local request.
pub type RequestId = u64;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A connection is up. `visible`: both ends announce themselves; global speaks over no other (6).
    NodeUp {
        /// The peer.
        node: Atom,
        /// Whether it counts for `nodes()`.
        visible: bool,
        /// Distinguishes this connection from earlier ones to the same peer.
        connection: ConnectionId,
    },
    /// The connection is down.
    NodeDown {
        /// The peer.
        node: Atom,
    },
    /// What [`Effect::Connect`] asked for could not be done.
    ConnectFailed {
        /// The peer.
        node: Atom,
    },
    /// A message for `global_name_server`, casts in their `$gen_cast`, or one for the locker's pid.
    Message {
        /// The node it came from; our own name for a local sender.
        from: Atom,
        /// The message.
        message: Term,
    },
    /// A `$gen_call` to `global_name_server`.
    Call {
        /// The `From` of the call, kept for [`Effect::Reply`].
        from: Term,
        /// The process in `From`.
        caller: Pid,
        /// The request.
        request: Term,
    },
    /// A call of ours was answered.
    CallReply {
        /// The number of the call.
        id: CallId,
        /// The answer; `None` when the connection or the name server is gone.
        reply: Option<Term>,
    },
    /// A conflict method has spoken.
    Resolved {
        /// The number of the question.
        id: ResolveId,
        /// Its value (`{'EXIT', _}` for a crash, as `catch` has it), or why the call failed (`badrpc`).
        verdict: Result<Term, Term>,
    },
    /// A monitored process is gone, or its node.
    PidDown {
        /// The number of the monitor. One that was taken back may still fire: it is ignored.
        id: MonitorId,
    },
    /// A request of this node's own API.
    Request {
        /// Comes back with the answer.
        id: RequestId,
        /// What is asked.
        request: Request,
    },
    /// The deadline has passed.
    Wake,
}

/// What this node's processes ask for.
#[derive(Clone, Debug)]
pub enum Request {
    /// `global:register_name/3`: answers `yes` or `no`.
    Register {
        /// Any term.
        name: Term,
        /// The process.
        pid: Pid,
        /// The conflict method, `fun global:random_exit_name/3` unless asked otherwise.
        method: Term,
    },
    /// `global:re_register_name/3`: answers `yes`.
    ReRegister {
        /// Any term.
        name: Term,
        /// The process.
        pid: Pid,
        /// The conflict method.
        method: Term,
    },
    /// `global:unregister_name/1`: answers `ok`.
    Unregister {
        /// The name.
        name: Term,
    },
    /// `global:set_lock/3`: answers `true` or `false`.
    SetLock {
        /// The process that will hold the lock: calls go out in its name, and its death ends the request.
        client: Pid,
        /// What is locked.
        resource: Term,
        /// For whom.
        requester: Term,
        /// On which nodes; `None` is `[node() | nodes()]`.
        nodes: Option<Vec<Atom>>,
        /// How often to try again; `None` is `infinity`.
        retries: Option<u32>,
    },
    /// `global:del_lock/2`: answers `true`.
    DelLock {
        /// The process that holds the lock.
        client: Pid,
        /// What is locked.
        resource: Term,
        /// For whom.
        requester: Term,
        /// On which nodes; `None` is `[node() | nodes()]`.
        nodes: Option<Vec<Atom>>,
    },
    /// `global:sync/0,1`: answers `ok` when in sync with these nodes, or they are gone.
    Sync {
        /// The nodes; `None` is `nodes()`.
        nodes: Option<Vec<Atom>>,
    },
}

/// In whose name something goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// `global_name_server`.
    Server,
    /// The locker.
    Locker,
    /// The registrar.
    Registrar,
    /// A process of this node that asked for a lock.
    Client(Pid),
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send to `global_name_server` on a node, from the actor's pid. Lost when the connection is not there any more.
    Send {
        /// Whose message.
        actor: Actor,
        /// The node.
        node: Atom,
        /// Over this connection only.
        connection: ConnectionId,
        /// The message, casts in their `$gen_cast`.
        message: Term,
    },
    /// `$gen_call` to `global_name_server` on a node: `From` holds the actor's pid, the reply comes back as
    /// [`Event::CallReply`], `None` when the connection is not there any more. No timeout: the machine watches the time.
    Call {
        /// Its number. Answers to numbers the machine no longer knows are ignored.
        id: CallId,
        /// Whose call: the locks taken by it belong to this process.
        actor: Actor,
        /// The node.
        node: Atom,
        /// Over this connection only.
        connection: ConnectionId,
        /// The request.
        request: Term,
    },
    /// Send to a process.
    SendPid {
        /// The process.
        pid: Pid,
        /// The message.
        message: Term,
    },
    /// Answer a `$gen_call`.
    Reply {
        /// The `From` of the call; its tag decides the shape of the answer (9.1, 9.2).
        to: Term,
        /// The answer.
        reply: Term,
    },
    /// Monitor a process, near or far, connecting if need be; [`Event::PidDown`] when it is gone, or cannot be reached.
    Monitor {
        /// The number of the monitor.
        id: MonitorId,
        /// The process.
        pid: Pid,
    },
    /// Take a monitor back. One that has fired already is not missed.
    Demonitor {
        /// The number of the monitor.
        id: MonitorId,
    },
    /// Connect; [`Event::NodeUp`] or [`Event::ConnectFailed`] follows.
    Connect {
        /// The peer.
        node: Atom,
    },
    /// Close the connection; [`Event::NodeDown`] follows.
    Disconnect {
        /// The peer.
        node: Atom,
    },
    /// `rpc:call(Node, global, resolve_it, [Method, Name, Pid, Pid2])`; [`Event::Resolved`] follows. On our own node run
    /// the method: [`settle`](super::names::settle) knows OTP's three, a Rust resolver may have been registered.
    Resolve {
        /// The number of the question.
        id: ResolveId,
        /// Where to ask: the node of `ours`, maybe this one.
        node: Atom,
        /// The method registered with `ours`.
        method: Term,
        /// The name.
        name: Term,
        /// The other side's process (`Pid`).
        theirs: Pid,
        /// Our side's process (`Pid2`).
        ours: Pid,
    },
    /// The answer to a local request.
    Answer {
        /// The request.
        id: RequestId,
        /// What Erlang's function returns.
        answer: Term,
    },
    /// A line for the operator.
    Log {
        /// How loudly.
        level: Level,
        /// The line.
        text: String,
    },
}

/// How loudly a line is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As OTP's `info`.
    Info,
    /// As OTP's `warning`.
    Warning,
    /// As OTP's `error`.
    Error,
}
