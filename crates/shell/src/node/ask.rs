//! What a program asks of its node and of its own process: names, ties, flags, other processes.

use std::time::Duration;

use trunkline::proto::Now;
use trunkline::{ProcessInfo, Status, Term};

use super::{NodeWorld, destination};
use crate::library::text;
use crate::raise::{Raise, Result};

/// The functions of `erlang` that a process asks of its own node, besides those that the node exports.
pub const ASKED: &[(&str, u8)] = &[
    ("alias", 0),
    ("alias", 1),
    ("demonitor", 1),
    ("demonitor", 2),
    ("exit", 2),
    ("group_leader", 0),
    ("group_leader", 2),
    ("halt", 0),
    ("halt", 1),
    ("halt", 2),
    ("is_process_alive", 1),
    ("link", 1),
    ("monitor", 2),
    ("monitor", 3),
    ("process_flag", 2),
    ("unalias", 1),
    ("unlink", 1),
    ("whereis", 1),
];

fn yes() -> Term {
    Term::atom("true")
}

fn boolean(value: bool) -> Term {
    Term::atom(if value { "true" } else { "false" })
}

/// Nanoseconds since 1970, and since the node began.
#[expect(clippy::disallowed_methods, reason = "what the wall clock says is what was asked for")]
pub(super) fn clock(now: Now) -> (i64, i64) {
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (wall.as_nanos() as i64, now.as_nanos() as i64)
}

impl NodeWorld {
    /// What programs ask most, where the arguments are as they should be; `None` for anything else.
    pub(super) fn quick(&mut self, function: &str, arguments: &[Term]) -> Option<Result<Term>> {
        Some(match (function, arguments) {
            ("link", [Term::Pid(pid)]) => {
                self.ctx.link(pid);
                Ok(yes())
            }
            ("unlink", [Term::Pid(pid)]) => {
                self.ctx.unlink(pid);
                Ok(yes())
            }
            ("monitor", [kind, of]) if kind.is_atom("process") => self.monitor(of),
            ("whereis", [Term::Atom(name)]) => {
                Ok(self.ctx.whereis(name.clone()).map_or_else(|| Term::atom("undefined"), Term::Pid))
            }
            ("exit", [Term::Pid(pid), reason]) => {
                self.ctx.exit(pid, reason.clone());
                self.signalled = Some(pid.clone());
                Ok(yes())
            }
            ("process_flag", [flag, value])
                if flag.is_atom("trap_exit") && (value.is_atom("true") || value.is_atom("false")) =>
            {
                Ok(boolean(self.ctx.set_trap_exit(value.is_atom("true"))))
            }
            ("group_leader", []) => Ok(Term::Pid(self.ctx.group_leader())),
            // A signal that is on its way to the process is ahead of the question: that takes time.
            ("is_process_alive", [Term::Pid(pid)])
                if *pid.node.name() == *self.ctx.node().name() && self.signalled.as_ref() != Some(pid) =>
            {
                Ok(boolean(self.ctx.node().is_process_alive(pid)))
            }
            _ => return None,
        })
    }

    /// Functions of `erlang` on a node that does not export them; `None` for those this does not know.
    pub(super) fn erlang(&mut self, function: &str, arguments: &[Term]) -> Option<Result<Term>> {
        Some(match (function, arguments) {
            ("monitor", [kind, of, _]) if kind.is_atom("process") => self.monitor(of),
            ("monitor_node", [Term::Atom(node), on]) => {
                self.ctx.monitor_node(node.clone(), on.is_atom("true"));
                Ok(yes())
            }
            ("register", [Term::Atom(name), Term::Pid(pid)]) => {
                let done = self.ctx.node().register(name.clone(), pid);
                done.map(|()| yes()).map_err(|_| Raise::badarg())
            }
            ("unregister", [Term::Atom(name)]) => {
                if self.ctx.unregister(name.clone()) {
                    Ok(yes())
                } else {
                    Err(Raise::badarg())
                }
            }
            ("registered", []) => Ok(Term::list(self.ctx.registered().into_iter().map(Term::Atom))),
            ("processes", []) => Ok(Term::list(self.ctx.node().processes().into_iter().map(Term::Pid))),
            ("process_flag", [flag, value]) => self.flag(flag, value),
            _ => return self.more(function, arguments),
        })
    }

    fn more(&mut self, function: &str, arguments: &[Term]) -> Option<Result<Term>> {
        Some(match (function, arguments) {
            ("is_alive", []) => Ok(boolean(self.ctx.node().name().as_str() != "nonode@nohost")),
            ("process_info", [Term::Pid(pid)]) => Ok(match self.ctx.node().process_info(pid) {
                Some(info) => Term::list(items(&info)),
                None => Term::atom("undefined"),
            }),
            ("process_info", [Term::Pid(pid), what]) => self.process_info(pid, what),
            ("send_after", [Term::Int(time @ 0..), to, message]) => {
                let wait = Duration::from_millis(*time as u64);
                destination(to).map(|to| Term::Ref(self.ctx.send_after(wait, to, message.clone())))
            }
            ("cancel_timer", [Term::Ref(timer)]) => Ok(match self.ctx.cancel_timer(timer) {
                Some(left) => Term::Int(left.as_millis() as i64),
                None => boolean(false),
            }),
            ("list_to_pid", [name]) => {
                let pid = text(name).ok().and_then(|text| self.ctx.node().parse_pid(&text));
                pid.map(Term::Pid).ok_or_else(Raise::badarg)
            }
            _ => return None,
        })
    }

    fn monitor(&mut self, of: &Term) -> Result<Term> {
        Ok(Term::Ref(self.ctx.monitor(destination(of)?)))
    }

    fn flag(&mut self, flag: &Term, value: &Term) -> Result<Term> {
        let Some(name) = flag.as_atom() else { return Err(Raise::badarg()) };
        match (name.as_str(), value.is_atom("true"), value.is_atom("false")) {
            ("trap_exit", on, off) if on || off => Ok(boolean(self.ctx.set_trap_exit(on))),
            ("priority", ..) => Ok(Term::atom("normal")),
            ("min_heap_size" | "min_bin_vheap_size" | "fullsweep_after", ..) => Ok(Term::Int(0)),
            ("max_heap_size" | "message_queue_data" | "sensitive" | "save_calls" | "error_handler", ..) => {
                Ok(value.clone())
            }
            _ => Err(Raise::badarg()),
        }
    }

    fn process_info(&mut self, pid: &trunkline::Pid, what: &Term) -> Result<Term> {
        if pid.node != *self.ctx.node().id() {
            return Err(Raise::badarg());
        }
        let messages = (*pid == self.ctx.pid()).then(|| Term::list(self.ctx.unread()));
        let Some(info) = self.ctx.node().process_info(pid) else { return Ok(Term::atom("undefined")) };
        let one = |what: &Term| -> Result<Term> {
            if what.is_atom("messages") {
                let messages = messages.clone().unwrap_or(Term::NIL);
                return Ok(Term::tuple([what.clone(), messages]));
            }
            let found = items(&info).into_iter().find(|pair| pair.as_tuple().is_some_and(|p| p[0] == *what));
            match found {
                Some(pair) => Ok(pair),
                None if what.is_atom("registered_name") => Ok(Term::NIL),
                None => Err(Raise::badarg()),
            }
        };
        match what {
            Term::List(all) => Ok(Term::list(all.iter().map(|what| one(&what)).collect::<Result<Vec<_>>>()?)),
            what => one(what),
        }
    }
}

/// What `process_info/1` tells.
fn items(info: &ProcessInfo) -> Vec<Term> {
    let pair = |key: &str, value: Term| Term::tuple([Term::atom(key), value]);
    let status = match info.status {
        Status::Waiting => "waiting",
        Status::Running => "running",
        Status::Exiting => "exiting",
    };
    let mfa = Term::tuple([Term::atom("erlang"), Term::atom("apply"), Term::Int(2)]);
    let mut all: Vec<Term> = Vec::new();
    all.extend(info.registered_name.clone().map(|name| pair("registered_name", Term::Atom(name))));
    all.extend([
        pair("current_function", mfa.clone()),
        pair("initial_call", mfa),
        pair("status", Term::atom(status)),
        pair("message_queue_len", Term::Int(info.message_queue_len as i64)),
        pair("links", Term::list(info.links.iter().cloned().map(Term::Pid))),
        pair("monitors", Term::list(info.monitors.iter().map(|to| pair("process", to.clone())))),
        pair("monitored_by", Term::list(info.monitored_by.iter().map(|(pid, _)| Term::Pid(pid.clone())))),
        pair("trap_exit", boolean(info.trap_exit)),
        pair("group_leader", info.group_leader.clone().map_or(Term::NIL, Term::Pid)),
        pair("memory", Term::Int(info.bytes as i64)),
        pair("reductions", Term::Int(info.turns as i64)),
        pair("dictionary", Term::NIL),
    ]);
    all
}
