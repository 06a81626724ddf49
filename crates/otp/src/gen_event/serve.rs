//! The process of an event manager.

use std::any::Any;

use runtime::{Ctx, Exit, ExitSignal};
use term::{FromTerm, IntoTerm, Mismatch, Pid, Term, term};

use super::handler::{Body, Handler, HandlerId};
use super::manager::Offers;
use super::{Leave, Next};
use crate::caught::caught;
use crate::proc_lib::{Cradle, is_orderly};
use crate::reply::ReplyTo;
use crate::report::{self, Level, show};
use crate::request::{self, Caller, Request};
use crate::sys::{Core, Subject};

/// A message to a manager. Handlers that are Rust values come from near.
pub(super) enum Letter {
    Add { from: Caller, handler: Handler, supervisor: Option<Pid> },
    Swap { from: Caller, old: HandlerId, args: Term, new: Handler, supervisor: Option<Pid> },
    Term(Term),
}

impl FromTerm for Letter {
    fn from_term(term: &Term) -> Result<Letter, Mismatch> {
        Ok(Letter::Term(term.clone()))
    }
}

/// A handler that is a Rust value cannot travel: elsewhere it is a module that may be there, without arguments.
impl IntoTerm for Letter {
    fn into_term(self) -> Term {
        match self {
            Letter::Add { from, handler, .. } => {
                term!({(from.pid.clone()), (from), {add_handler, (handler.id), []}})
            }
            Letter::Swap { from, old, args, new, .. } => {
                term!({(from.pid.clone()), (from), {swap_handler, (old), (args), (new.id), []}})
            }
            Letter::Term(term) => term,
        }
    }
}

/// From the first word to the last.
pub(super) async fn run(mut ctx: Ctx, mut cradle: Cradle, offers: Offers) -> Exit {
    ctx.set_trap_exit(true);
    if let Err(exit) = cradle.begin(&mut ctx, |_| Box::pin(async { Ok(()) })).await {
        return exit;
    }
    cradle.ready();
    let mut serving = Serving { handlers: Vec::new(), offers, core: Core::new(&ctx, cradle) };
    let exit = serving.serve(&mut ctx).await;
    serving.stop(&mut ctx).await;
    serving.core.cradle.end(&mut ctx, &exit);
    exit
}

struct Serving {
    /// The youngest first.
    handlers: Vec<Slot>,
    offers: Offers,
    core: Core,
}

struct Slot {
    id: HandlerId,
    supervisor: Option<Pid>,
    body: Box<dyn Body>,
}

/// What all handlers hear.
#[derive(Clone, Copy)]
enum Heard {
    Event,
    Info,
}

impl Serving {
    async fn serve(&mut self, ctx: &mut Ctx) -> Exit {
        loop {
            let end = match ctx.receive().await {
                Letter::Add { from, handler, supervisor } => {
                    let answer = self.add(ctx, handler, supervisor, None).await;
                    request::reply(ctx, &from, answer);
                    None
                }
                Letter::Swap { from, old, args, new, supervisor } => {
                    let answer = self.swap(ctx, &old, args, Ok(new), supervisor).await;
                    request::reply(ctx, &from, answer);
                    None
                }
                Letter::Term(message) => self.handle(ctx, message).await,
            };
            if let Some(exit) = end {
                return exit;
            }
        }
    }

    /// `Some` when the manager must end.
    async fn handle(&mut self, ctx: &mut Ctx, message: Term) -> Option<Exit> {
        if let Request::System(from, request) = Request::read(message.clone()) {
            let mut subject = Shown(&mut self.handlers);
            return self.core.system(ctx, &mut subject, from, request).await;
        }
        if self.core.debug.is_on() {
            self.core.debug.came(&self.core.name, &message);
        }
        if let Ok(signal) = ExitSignal::from_term(&message) {
            if self.core.is_parents(&signal) {
                return Some(Exit(signal.reason));
            }
            self.orphan(ctx, &signal).await;
            self.tell(ctx, Heard::Info, &message).await;
            return None;
        }
        match message.as_tuple() {
            Some([word, event]) if word.is_atom("notify") => self.tell(ctx, Heard::Event, event).await,
            Some([_, from, command]) => match Caller::from_term(from) {
                Ok(from) if is_command(command) => return self.command(ctx, &from, command).await,
                _ => self.tell(ctx, Heard::Info, &message).await,
            },
            _ => self.tell(ctx, Heard::Info, &message).await,
        }
        None
    }

    async fn command(&mut self, ctx: &mut Ctx, from: &Caller, command: &Term) -> Option<Exit> {
        let word = command.as_tuple().and_then(|parts| parts.first()).unwrap_or(command);
        let parts = command.as_tuple().map_or(&[][..], |parts| &parts[1..]);
        let id = |term: &Term| HandlerId::from_term(term).ok();
        let supervisor = parts.last().and_then(Term::as_pid).cloned();
        let answer = match (word.as_atom()?.as_str(), parts) {
            ("sync_notify", [event]) => {
                self.tell(ctx, Heard::Event, event).await;
                Term::atom("ok")
            }
            ("call", [handler, question]) => return self.call(ctx, from, id(handler), question).await,
            ("add_handler" | "add_sup_handler", [handler, args, ..]) => {
                let supervisor = supervisor.filter(|_| parts.len() == 3);
                match self.offered(handler, args.clone()) {
                    Ok(handler) => self.add(ctx, handler, supervisor, None).await,
                    Err(refusal) => refusal,
                }
            }
            ("delete_handler", [handler, args]) => {
                let at = id(handler).and_then(|id| self.find(&id));
                match at {
                    Some(at) => self.leave(ctx, at, Leave::Asked(args.clone()), Term::atom("normal")).await,
                    None => term!({error, module_not_found}),
                }
            }
            ("swap_handler" | "swap_sup_handler", [old, args, new, new_args, ..]) => {
                let supervisor = supervisor.filter(|_| parts.len() == 5);
                let new = Err((new.clone(), new_args.clone()));
                match id(old) {
                    Some(old) => self.swap(ctx, &old, args.clone(), new, supervisor).await,
                    None => term!({error, module_not_found}),
                }
            }
            ("which_handlers", []) => {
                Term::list(self.handlers.iter().map(|slot| slot.id.clone().into_term()))
            }
            ("get_modules", []) => {
                Term::list(self.handlers.iter().map(|slot| Term::Atom(slot.id.module.clone())))
            }
            ("stop", []) => {
                request::reply(ctx, from, Term::atom("ok"));
                return Some(Exit::normal());
            }
            _ => term!({error, badarg}),
        };
        request::reply(ctx, from, answer);
        None
    }

    fn find(&self, id: &HandlerId) -> Option<usize> {
        self.handlers.iter().position(|slot| slot.id == *id)
    }

    fn supervised_by(&self, pid: &Pid) -> Option<usize> {
        self.handlers.iter().position(|slot| slot.supervisor.as_ref() == Some(pid))
    }

    /// A handler by its name, or what `gen_event:add_handler` returns when the module is not there.
    fn offered(&self, id: &Term, args: Term) -> Result<Handler, Term> {
        let badarg = || term!({(Term::atom("EXIT")), badarg});
        let id = HandlerId::from_term(id).map_err(|_| badarg())?;
        let undef = |args: Term| {
            let call = term!({(id.module.clone()), init, [(args)], []});
            term!({(Term::atom("EXIT")), {undef, [(call)]}})
        };
        match self.offers.get(&id.module) {
            None => Err(undef(args)),
            Some(make) => make(id.clone(), args).map_err(|args| {
                let call = term!({(id.module.clone()), init, [(args)], []});
                term!({(Term::atom("EXIT")), {function_clause, [(call)]}})
            }),
        }
    }

    async fn add(
        &mut self,
        ctx: &mut Ctx,
        handler: Handler,
        supervisor: Option<Pid>,
        left: Option<Term>,
    ) -> Term {
        if let Some(supervisor) = &supervisor {
            ctx.link(supervisor);
        }
        let Handler { id, make } = handler;
        match caught(make(ctx, left)).await.and_then(|made| made) {
            Ok(body) => {
                self.handlers.insert(0, Slot { id, supervisor, body });
                Term::atom("ok")
            }
            Err(exit) => term!({(Term::atom("EXIT")), (exit.0)}),
        }
    }

    async fn swap(
        &mut self,
        ctx: &mut Ctx,
        old: &HandlerId,
        args: Term,
        new: Result<Handler, (Term, Term)>,
        supervisor: Option<Pid>,
    ) -> Term {
        let new_id = match &new {
            Ok(new) => new.id.clone().into_term(),
            Err((id, _)) => id.clone(),
        };
        let (left, supervisor) = match self.find(old) {
            None => (Term::atom("error"), supervisor),
            Some(at) => {
                let heir = supervisor.or_else(|| self.handlers[at].supervisor.clone());
                let sup = heir.clone().map_or(Term::atom("false"), Term::Pid);
                let why = term!({swapped, (new_id), (sup)});
                (self.leave(ctx, at, Leave::Asked(args), why).await, heir)
            }
        };
        let new = match new {
            Ok(new) => Ok(new),
            Err((id, args)) => self.offered(&id, term!({(args), (left.clone())})),
        };
        let answer = match new {
            Ok(new) => self.add(ctx, new, supervisor, Some(left)).await,
            Err(refusal) => refusal,
        };
        if answer.is_atom("ok") { answer } else { term!({error, (answer)}) }
    }

    /// All handlers hear it.
    async fn tell(&mut self, ctx: &mut Ctx, heard: Heard, message: &Term) {
        let mut at = 0;
        while at < self.handlers.len() {
            let body = &mut self.handlers[at].body;
            let next = match heard {
                Heard::Event => caught(body.event(ctx, message)).await,
                Heard::Info => caught(body.info(ctx, message.clone())).await,
            };
            at += usize::from(self.go_on(ctx, at, next, message).await);
        }
    }

    async fn call(
        &mut self,
        ctx: &mut Ctx,
        from: &Caller,
        id: Option<HandlerId>,
        question: &Term,
    ) -> Option<Exit> {
        let Some(at) = id.and_then(|id| self.find(&id)) else {
            request::reply(ctx, from, term!({error, bad_module}));
            return None;
        };
        let reply = ReplyTo::armed(ctx.node(), from.clone(), self.core.debug.outbox());
        let next = match self.handlers[at].body.call(ctx, question, reply) {
            Ok(working) => caught(working).await,
            Err(reply) => {
                // Not one of its questions: as a function without such a clause.
                crate::reply::Reply::<Term>::from(reply).forget();
                Err(Exit(term!({function_clause, (question.clone())})))
            }
        };
        if let Err(exit) = &next {
            request::reply(ctx, from, term!({error, {(Term::atom("EXIT")), (exit.0.clone())}}));
        }
        self.go_on(ctx, at, next, question).await;
        None
    }

    /// What a handler said; whether it is still in its place.
    async fn go_on(&mut self, ctx: &mut Ctx, at: usize, next: Result<Next, Exit>, last: &Term) -> bool {
        match next {
            Ok(Next::Continue) => true,
            Ok(Next::Remove) => {
                self.leave(ctx, at, Leave::Removed, Term::atom("normal")).await;
                false
            }
            Ok(Next::Swap(args, new)) => {
                let old = self.handlers[at].id.clone();
                let answer = self.swap(ctx, &old, args, Ok(new), None).await;
                if answer.is_atom("ok") {
                    // It was put in front: back to where the old one was.
                    let slot = self.handlers.remove(0);
                    self.handlers.insert(at, slot);
                }
                answer.is_atom("ok")
            }
            Err(exit) => {
                let state = self.handlers[at].body.state_term();
                self.report(ctx, at, &exit, &state, last);
                let reason = term!({(Term::atom("EXIT")), (exit.0)});
                self.leave(ctx, at, Leave::Crashed(reason.clone()), reason).await;
                false
            }
        }
    }

    /// A handler goes; what it leaves. Whoever supervises it hears why.
    async fn leave(&mut self, ctx: &mut Ctx, at: usize, why: Leave, reason: Term) -> Term {
        let mut slot = self.handlers.remove(at);
        let left = caught(slot.body.terminate(ctx, why)).await;
        let left = left.unwrap_or_else(|exit| term!({(Term::atom("EXIT")), (exit.0)}));
        if let Some(supervisor) = slot.supervisor {
            ctx.send(&supervisor, term!({(Term::atom("gen_event_EXIT")), (slot.id), (reason)}));
        }
        left
    }

    /// The process that supervises handlers has ended: they go.
    async fn orphan(&mut self, ctx: &mut Ctx, signal: &ExitSignal) {
        while let Some(at) = self.supervised_by(&signal.from) {
            let why = Leave::Orphaned(signal.reason.clone());
            self.leave(ctx, at, why, Term::atom("shutdown")).await;
        }
    }

    async fn stop(&mut self, ctx: &mut Ctx) {
        while !self.handlers.is_empty() {
            self.leave(ctx, 0, Leave::Stopped, Term::atom("shutdown")).await;
        }
    }

    /// OTP's `{gen_event, terminate}`.
    fn report(&self, ctx: &Ctx, at: usize, exit: &Exit, state: &Term, last: &Term) {
        if is_orderly(exit) {
            return;
        }
        let id = self.handlers[at].id.clone().into_term();
        let text = format!(
            "** gen_event handler {} crashed.\n** Was installed in {}\n** Last event was: {}\n** When handler state == \
             {}\n** Reason == {}",
            show(&id),
            show(&self.core.name),
            show(last),
            show(state),
            show(exit.reason())
        );
        let report = term!(#{
            label => {gen_event, terminate},
            handler => (id),
            name => (self.core.name.clone()),
            last_message => (last.clone()),
            state => (state.clone()),
            log => (self.core.debug.events()),
            reason => (exit.reason().clone()),
            process_label => undefined
        });
        report::tell(ctx, Level::Error, report, text);
    }
}

/// `gen:call/4` puts the caller's pid where others have `'$gen_call'`, so the word decides.
fn is_command(command: &Term) -> bool {
    let word = command.as_tuple().and_then(|parts| parts.first()).unwrap_or(command);
    word.as_atom().is_some_and(|word| COMMANDS.contains(&word.as_str()))
}

const COMMANDS: [&str; 10] = [
    "sync_notify",
    "call",
    "add_handler",
    "add_sup_handler",
    "delete_handler",
    "swap_handler",
    "swap_sup_handler",
    "which_handlers",
    "get_modules",
    "stop",
];

/// The handlers, as `sys` sees them.
struct Shown<'s>(&'s mut Vec<Slot>);

impl Subject for Shown<'_> {
    fn behaviour(&self) -> &'static str {
        "gen_event"
    }

    fn state_term(&self) -> Term {
        Term::list(self.0.iter().map(|slot| {
            let id = slot.id.id.clone().unwrap_or(Term::atom("false"));
            term!({(slot.id.module.clone()), (id), (slot.body.state_term())})
        }))
    }

    /// For the first handler of that type.
    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool {
        match self.0.first_mut() {
            Some(slot) => slot.body.patch(change),
            None => false,
        }
    }
}
