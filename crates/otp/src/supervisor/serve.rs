//! The process of a supervisor: a generic server whose state is its children.

use runtime::{Ctx, Exit, ExitSignal};
use term::{FromTerm, Pid, Term, term};

use super::dynamic::Dynamic;
use super::named::Named;
use super::spec::Child;
use super::strategy::Ending;
use super::{Pattern, Supervisor};
use crate::ask::Request;
use crate::gen_server::{Flow, GenServer, Unknown};
use crate::place::Name;
use crate::reply::{Reply, ReplyTo};
use crate::report::{self, Level, show};

/// A supervisor at work.
pub(crate) struct Serving {
    /// How reports call it.
    name: Term,
    children: Children,
}

enum Children {
    Named(Named),
    Dynamic(Dynamic),
}

/// What a supervisor is asked.
pub(crate) enum Ask {
    /// `{start_child, Spec}` with a specification that is a Rust value.
    Start(Box<Child>, Reply<Term>),
    /// Everything else, in OTP's words.
    Other(Term, Reply<Term>),
}

impl Request for Ask {
    fn from_question(question: &Term, reply: ReplyTo) -> Result<Ask, ReplyTo> {
        let known = match (question.as_atom(), question.as_tuple()) {
            (Some(word), _) => *word == "which_children" || *word == "count_children",
            (_, Some([Term::Atom(word), _])) => matches!(
                word.as_str(),
                "start_child" | "terminate_child" | "restart_child" | "delete_child" | "get_childspec"
            ),
            _ => false,
        };
        if known { Ok(Ask::Other(question.clone(), Reply::from(reply))) } else { Err(reply) }
    }

    fn into_question(self) -> (Term, ReplyTo) {
        match self {
            // The start function of a Rust value cannot travel: far away this is a function that nobody has.
            Ask::Start(child, reply) => (term!({start_child, (child.to_spec())}), reply.into()),
            Ask::Other(question, reply) => (question, reply.into()),
        }
    }

    fn reply_to(&mut self) -> &mut ReplyTo {
        match self {
            Ask::Start(_, reply) | Ask::Other(_, reply) => reply.as_mut(),
        }
    }
}

impl GenServer for Serving {
    type Args = (Supervisor, Option<Name>);
    type Call = Ask;
    type Cast = Term;
    type Info = Term;

    async fn init(ctx: &mut Ctx, (rules, name): Self::Args) -> Result<Self, Exit> {
        ctx.set_trap_exit(true);
        let name = match name {
            Some(Name::Local(name)) => term!({local, (name)}),
            Some(name) => name.shown(),
            None => term!({(ctx.pid()), supervisor}),
        };
        let children = match &rules.pattern {
            Pattern::Named => Children::Named(Named::start(ctx, name.clone(), rules).await?),
            Pattern::Dynamic { .. } | Pattern::Simple(_) => {
                Children::Dynamic(Dynamic::new(&rules, name.clone()))
            }
        };
        Ok(Serving { name, children })
    }

    async fn handle_call(&mut self, ctx: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::Start(child, reply) => {
                let answer = match &mut self.children {
                    Children::Named(named) => named.start_child(ctx, *child).await,
                    Children::Dynamic(dynamic) => dynamic.start_child(ctx, *child).await,
                };
                reply.send(answer);
            }
            Ask::Other(question, reply) => {
                let answer = self.answer(ctx, &question).await;
                reply.send(answer.unwrap_or(term!({error, badarg})));
            }
        }
        Flow::Continue
    }

    async fn handle_cast(&mut self, ctx: &mut Ctx, cast: Term) -> Flow {
        match cast.as_tuple() {
            Some([word, id]) if word.is_atom("try_again_restart") => match &mut self.children {
                Children::Named(named) => named.retry(ctx, id).await,
                Children::Dynamic(dynamic) => dynamic.retry(ctx, id).await,
            },
            _ => self.handle_unknown(ctx, Unknown::Cast(cast)).await,
        }
    }

    async fn handle_info(&mut self, ctx: &mut Ctx, info: Term) -> Flow {
        let Ok(ExitSignal { from, reason }) = ExitSignal::from_term(&info) else {
            return self.handle_unknown(ctx, Unknown::Info(info)).await;
        };
        match &mut self.children {
            Children::Named(named) => named.ended(ctx, &from, reason).await,
            Children::Dynamic(dynamic) => dynamic.ended(ctx, &from, reason).await,
        }
    }

    async fn handle_unknown(&mut self, ctx: &mut Ctx, unknown: Unknown) -> Flow {
        let message = match unknown {
            Unknown::Call(question, reply) => {
                reply.forget();
                question
            }
            Unknown::Cast(message) | Unknown::Info(message) => message,
        };
        let text = format!("Supervisor received unexpected message: {}", show(&message));
        let report = term!(#{
            label => {supervisor, unexpected_message},
            supervisor => (self.name.clone()),
            message => (message)
        });
        report::tell(ctx, Level::Error, report, text);
        Flow::Continue
    }

    async fn terminate(&mut self, ctx: &mut Ctx, _: &Exit) {
        match &mut self.children {
            Children::Named(named) => named.stop_all(ctx).await,
            Children::Dynamic(dynamic) => dynamic.stop_all(ctx).await,
        }
    }

    fn state_term(&self) -> Term {
        let children = match &self.children {
            Children::Named(named) => named.which(),
            Children::Dynamic(dynamic) => dynamic.which(),
        };
        term!({state, (self.name.clone()), (children)})
    }
}

impl Serving {
    async fn answer(&mut self, ctx: &mut Ctx, question: &Term) -> Option<Term> {
        let (word, value) = match question.as_tuple() {
            Some([word, value]) => (word.as_atom()?.as_str(), value),
            _ => (question.as_atom()?.as_str(), &Term::NIL),
        };
        Some(match &mut self.children {
            Children::Named(named) => match word {
                "which_children" => named.which(),
                "count_children" => named.count(ctx.node()),
                "start_child" => match Child::from_spec(value) {
                    Ok(child) => named.start_child(ctx, child).await,
                    Err(reason) => term!({error, (reason)}),
                },
                "terminate_child" => named.terminate_child(ctx, value).await,
                "restart_child" => named.restart_child(ctx, value).await,
                "delete_child" => named.delete_child(value),
                "get_childspec" => named.childspec(value),
                _ => return None,
            },
            Children::Dynamic(dynamic) => match word {
                "which_children" => dynamic.which(),
                "count_children" => dynamic.count(),
                "start_child" => match dynamic.specified(value) {
                    Ok(child) => dynamic.start_child(ctx, child).await,
                    Err(reason) => term!({error, (reason)}),
                },
                "terminate_child" => match value {
                    Term::Pid(pid) => dynamic.terminate_child(ctx, pid).await,
                    _ => term!({error, simple_one_for_one}),
                },
                "get_childspec" => dynamic.childspec(value),
                _ => term!({error, simple_one_for_one}),
            },
        })
    }
}

/// How a reason counts.
pub(super) fn ending(reason: &Term) -> Ending {
    match crate::proc_lib::is_orderly(&Exit(reason.clone())) {
        true => Ending::Orderly,
        false => Ending::Crash,
    }
}

/// `{ok, Pid}`, `{ok, undefined}`.
pub(super) fn ok(pid: Option<Pid>) -> Term {
    term!({ok, (pid)})
}

/// Lets this very supervisor try again, after whatever else is waiting.
pub(super) fn again(ctx: &mut Ctx, id: Term) {
    let me = ctx.pid();
    crate::request::cast(ctx, me, term!({try_again_restart, (id)}));
}
