//! `global_name_server`: a true table of locks for those who lock on all nodes. It stays silent on `init_connect`: half
//! a handshake would hold up the whole partition of the peer, silence only leaves us out of its names.

use std::collections::BTreeMap;

use otp::request::{self, Caller, Request};
use runtime::{Ctx, Down, Node};
use term::{Atom, FromTerm, Pid, Ref, Term};

use super::start_registered;
use crate::global::locks::Locks;

/// The version of global's protocol that OTP 25 to 29 speak.
const PROTOCOL_VERSION: i64 = 8;

pub(super) fn start(node: &Node) {
    start_registered(node, "global_name_server", |mut ctx: Ctx| async move {
        let mut server = Server::default();
        loop {
            let message: Term = ctx.receive().await;
            if let Ok(down) = Down::from_term(&message) {
                server.on_down(&down.reference);
                continue;
            }
            match Request::read(message) {
                Request::Call(from, question) => server.on_call(&mut ctx, from, &question),
                Request::Info(message) => on_info(&mut ctx, &message),
                Request::Cast(_) | Request::System(..) => {}
            }
        }
    });
}

#[derive(Default)]
struct Server {
    locks: Locks,
    watched: BTreeMap<Pid, Ref>,
    holders: BTreeMap<Ref, Pid>,
}

impl Server {
    fn on_call(&mut self, ctx: &mut Ctx, from: Caller, question: &Term) {
        let answer = match (question.as_atom().map(Atom::as_str), question.as_tuple()) {
            (Some("get_known" | "get_synced" | "get_names_ext"), _) => Term::NIL,
            (Some("get_protocol_version"), _) => Term::Int(PROTOCOL_VERSION),
            (_, Some([word, lock])) if word.is_atom("set_lock") => match lock.as_tuple() {
                Some([resource, requester]) => self.set_lock(ctx, resource, requester, &from.pid),
                _ => return,
            },
            (_, Some([word, lock])) if word.is_atom("del_lock") => match lock.as_tuple() {
                Some([resource, requester]) => {
                    self.locks.del(resource, requester, &from.pid);
                    self.forget(ctx, &from.pid);
                    Term::atom("true")
                }
                _ => return,
            },
            _ => return,
        };
        request::answer(ctx, &from, answer);
    }

    fn set_lock(&mut self, ctx: &mut Ctx, resource: &Term, requester: &Term, holder: &Pid) -> Term {
        let got = self.locks.set(resource, requester, holder);
        if got && !self.watched.contains_key(holder) {
            let reference = ctx.monitor(holder);
            self.watched.insert(holder.clone(), reference.clone());
            self.holders.insert(reference, holder.clone());
        }
        Term::atom(if got { "true" } else { "false" })
    }

    fn forget(&mut self, ctx: &mut Ctx, holder: &Pid) {
        if !self.locks.holds_any(holder)
            && let Some(reference) = self.watched.remove(holder)
        {
            self.holders.remove(&reference);
            ctx.demonitor(&reference, true);
        }
    }

    fn on_down(&mut self, reference: &Ref) {
        if let Some(holder) = self.holders.remove(reference) {
            self.watched.remove(&holder);
            self.locks.died(&holder);
        }
    }
}

/// `{prepare_shutdown, From, Ref}` wants to hear that we are ready.
fn on_info(ctx: &mut Ctx, message: &Term) {
    if let Some([word, Term::Pid(from), reference @ Term::Ref(_)]) = message.as_tuple()
        && word.is_atom("prepare_shutdown")
    {
        ctx.send(from, Term::tuple([reference.clone(), Term::atom("ok")]));
    }
}
