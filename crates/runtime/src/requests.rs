//! Spawning by name: processes that this node starts on others, and the answers that it waits for.

use std::sync::Arc;

use proto::signal::Signal;
use term::encode::encode_wire;
use term::{Atom, IntoTerm, Pid, Ref, Term};

use crate::ctx::Ctx;
use crate::exit::NOCONNECTION;
use crate::limits::PROCESSES_MAX;
use crate::mail::{Mail, Order};
use crate::message::{Form, Message};
use crate::process::Proc;
use crate::remote::{apply, tunes};
use crate::spawn::{Birth, SpawnOptions};
use crate::ties::{AliasMode, Link, Request, Watcher};

/// How to spawn on another node, in most cases; [`SpawnRequest`] has everything there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpawnAt {
    /// Link the new process to the one that asks.
    pub link: bool,
    /// Monitor the new process; the reference of the request is the monitor.
    pub monitor: bool,
}

/// How to ask for a process on another node. (`spawn_request/5`, `spawn_opt/5`.)
///
/// ```
/// use trunkline_runtime::{AliasMode, Replies, SpawnRequest};
///
/// let how = SpawnRequest::new().link().monitor_with_alias(AliasMode::ReplyDemonitor).reply(Replies::OnError);
/// # drop(how);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct SpawnRequest {
    link: bool,
    monitor: bool,
    alias: Option<AliasMode>,
    down_tag: Option<Term>,
    replies: Replies,
    reply_tag: Option<Term>,
    tuning: Vec<(Atom, Term)>,
}

/// When a spawn request is answered with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Replies {
    /// `yes`.
    #[default]
    Always,
    /// `no`: of a request that failed nobody hears then.
    Never,
    /// `error_only`.
    OnError,
    /// `success_only`.
    OnSuccess,
}

impl Replies {
    pub(crate) fn to(self, success: bool) -> bool {
        match self {
            Replies::Always => true,
            Replies::Never => false,
            Replies::OnError => !success,
            Replies::OnSuccess => success,
        }
    }
}

impl SpawnRequest {
    /// A process that nobody is tied to.
    pub fn new() -> SpawnRequest {
        SpawnRequest::default()
    }

    /// Links the new process to the one that asks, before it runs.
    pub fn link(mut self) -> SpawnRequest {
        self.link = true;
        self
    }

    /// Watches the new process, from before it runs; the reference of the request is the monitor.
    pub fn monitor(mut self) -> SpawnRequest {
        self.monitor = true;
        self
    }

    /// As [`SpawnRequest::monitor`]; from now on the reference is an alias of the process that asks. It ends when the request
    /// fails. (`{monitor, [{alias, Mode}]}`.)
    pub fn monitor_with_alias(mut self, mode: AliasMode) -> SpawnRequest {
        self.monitor = true;
        self.alias = Some(mode);
        self
    }

    /// As [`SpawnRequest::monitor`]; the monitor says `{Tag, Reference, process, Pid, Reason}` in the end.
    /// (`{monitor, [{tag, Tag}]}`.)
    pub fn monitor_with_tag(mut self, tag: impl IntoTerm) -> SpawnRequest {
        self.monitor = true;
        self.down_tag = Some(tag.into_term());
        self
    }

    /// When there is an answer: always, if nothing is said.
    pub fn reply(mut self, replies: Replies) -> SpawnRequest {
        self.replies = replies;
        self
    }

    /// What the answer begins with instead of `spawn_reply`.
    pub fn reply_tag(mut self, tag: impl IntoTerm) -> SpawnRequest {
        self.reply_tag = Some(tag.into_term());
        self
    }

    /// Passes on an option that tunes a BEAM: `priority`, `min_heap_size`, `fullsweep_after`, `max_heap_size`,
    /// `message_queue_data` and the like. One that does not exist is answered with `badopt`.
    pub fn tune(mut self, option: impl Into<Atom>, value: impl IntoTerm) -> SpawnRequest {
        self.tuning.push((option.into(), value.into_term()));
        self
    }

    /// What travels: the rest is for the one who asks.
    fn options(&self) -> Term {
        let words = [(self.link, "link"), (self.monitor, "monitor")];
        let words = words.into_iter().filter(|(on, _)| *on).map(|(_, word)| Term::atom(word));
        let tuning = self.tuning.iter();
        let tuning = tuning.map(|(key, value)| Term::tuple([Term::Atom(key.clone()), value.clone()]));
        Term::list(words.chain(tuning))
    }

    fn pending(&self, lane: u64) -> Request {
        Request {
            lane,
            tag: self.reply_tag.clone().unwrap_or(Term::Atom(SPAWN_REPLY)),
            replies: self.replies,
            down_tag: self.down_tag.clone(),
        }
    }
}

impl From<SpawnAt> for SpawnRequest {
    fn from(at: SpawnAt) -> SpawnRequest {
        SpawnRequest { link: at.link, monitor: at.monitor, ..SpawnRequest::default() }
    }
}

/// What came of [`Ctx::spawn_at`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpawnError {
    /// The node cannot be reached, or was lost before it answered.
    #[error("noconnection")]
    NoConnection,
    /// The node refused: `badopt`, `notsup`, `system_limit` ….
    #[error("{0}")]
    Refused(Atom),
}

impl Ctx {
    /// Asks `node` to start `module:function(arguments…)`. The answer is the message
    /// `{spawn_reply, Reference, ok | error, PidOrReason}`, with the reference that is returned here.
    pub fn spawn_request(
        &mut self,
        node: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arguments: Vec<Term>,
        how: impl Into<SpawnRequest>,
    ) -> Ref {
        let (node, module, function) = (node.into(), module.into(), function.into());
        let how = how.into();
        let (id, counter) = self.next_reference();
        let here = self.process();
        if let Some(mode) = how.alias {
            here.state().ties().aliases.insert(counter, mode);
        }
        let near = node == *here.node.name();
        let arity = u8::try_from(arguments.len());
        let refusal = match arity {
            Err(_) => Some("system_limit"),
            Ok(_) if !how.tuning.iter().all(|(key, value)| tunes(key, value)) => Some("badopt"),
            Ok(_) if near && here.node.table().alive() >= PROCESSES_MAX => Some("system_limit"),
            Ok(_) => None,
        };
        if let Some(reason) = refusal {
            here.state().ties().requests.insert(counter, how.pending(0));
            refuse(here, &id, Atom::new(reason));
            return id;
        }
        let arity = arity.unwrap_or(u8::MAX);
        if near {
            self.spawn_here(id.clone(), counter, (module, function, arity), arguments, &how);
            return id;
        }
        let leader = here.leader();
        let lane = here.node.lane_to(&node);
        let lane = {
            let mut state = here.state();
            let ties = state.ties();
            let lane = lane.filter(|lane| ties.tie(lane, here.seat()));
            ties.requests.insert(counter, how.pending(lane.as_ref().map_or(0, |lane| lane.id())));
            lane
        };
        let Some(lane) = lane else {
            refuse(here, &id, NOCONNECTION);
            return id;
        };
        let (from, options) = (here.pid.clone(), how.options());
        let (id_, token) = (id.clone(), None);
        let signal = Signal::SpawnRequest { id: id_, from, leader, module, function, arity, options, token };
        lane.push(signal, Some(encode_wire(&Term::list(arguments))));
        id
    }

    /// Starts `module:function(arguments…)` on `node` and waits for its pid. When the future is dropped the request is
    /// abandoned: a linked process is told to exit. How and with what it is answered does not count here.
    ///
    /// # Errors
    /// When the node is not reached or refuses. A function that does not exist is no error: its process exits with `undef`.
    pub async fn spawn_at(
        &mut self,
        node: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arguments: Vec<Term>,
        how: impl Into<SpawnRequest>,
    ) -> Result<(Pid, Ref), SpawnError> {
        let mark = self.mark();
        let how = SpawnRequest { replies: Replies::Always, reply_tag: None, ..how.into() };
        let id = self.spawn_request(node, module, function, arguments, how);
        let _abandon = Abandon(self.process().clone(), id.clone());
        let answer = self
            .select_from(mark, |term| match term.as_tuple() {
                Some([Term::Atom(tag), Term::Ref(reference), _, what])
                    if *tag == SPAWN_REPLY && *reference == id =>
                {
                    Some(what.clone())
                }
                _ => None,
            })
            .await;
        match answer {
            Term::Pid(pid) => Ok((pid, id)),
            Term::Atom(reason) if reason == NOCONNECTION => Err(SpawnError::NoConnection),
            Term::Atom(reason) => Err(SpawnError::Refused(reason)),
            _ => Err(SpawnError::Refused(Atom::inline("badarg"))),
        }
    }

    /// Gives up on a spawn request that has not been answered; whether there was one.
    pub fn spawn_request_abandon(&mut self, id: &Ref) -> bool {
        abandon(self.process(), id)
    }

    /// The same on this node.
    fn spawn_here(
        &self,
        id: Ref,
        counter: u64,
        (module, function, arity): (Atom, Atom, u8),
        arguments: Vec<Term>,
        how: &SpawnRequest,
    ) {
        let here = self.process();
        let me = || here.pid.clone();
        let birth = Birth {
            parent: Some(here.clone()),
            link: how.link.then(|| (me(), Link { lane: 0, unlinking: None })),
            watcher: how.monitor.then(|| (id.clone(), Watcher { pid: me(), name: None, lane: 0 })),
            lane: None,
        };
        let child = here.node.conceive(SpawnOptions::default(), "spawned by name", birth);
        here.state().ties().requests.insert(counter, how.pending(0));
        let (linked, monitored, result) = (how.link, how.monitor, Ok(child.pid.clone()));
        here.post_self(Mail::order(Order::SpawnReply { id, lane: None, linked, monitored, result }));
        let arguments = Message(Form::Term(Term::list(arguments)));
        here.node.run_process(child, move |ctx| apply(ctx, module, function, arity, arguments));
    }
}

fn refuse(here: &Proc, id: &Ref, reason: Atom) {
    let (id, result) = (id.clone(), Err(reason));
    let order = Order::SpawnReply { id, lane: None, linked: false, monitored: false, result };
    here.post_self(Mail::order(order));
}

/// Gives up on a request when the wait for it is given up.
struct Abandon(Arc<Proc>, Ref);

impl Drop for Abandon {
    fn drop(&mut self) {
        abandon(&self.0, &self.1);
    }
}

fn abandon(process: &Proc, id: &Ref) -> bool {
    let Some(counter) = crate::node::counter_of(id, &process.pid) else { return false };
    let mut state = process.state();
    let ties = state.ties();
    let there = ties.requests.remove(&counter).is_some();
    if there {
        ties.aliases.remove(counter);
    }
    there
}

const SPAWN_REPLY: Atom = Atom::inline("spawn_reply");
