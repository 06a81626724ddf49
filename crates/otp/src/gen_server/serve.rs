//! The process of a generic server.

use std::any::Any;
use std::marker::PhantomData;

use runtime::{Ctx, Exit};
use term::{FromTerm, IntoTerm, Term, term};

use super::mail::Mail;
use super::{Flow, GenServer, Unknown};
use crate::ask::Request;
use crate::caught::caught;
use crate::proc_lib::{Cradle, is_orderly};
use crate::reply::{Reply, ReplyTo};
use crate::report::{self, Level, show};
use crate::request;
use crate::sys::{Core, Subject};

/// From the first word to the last.
pub(super) async fn run<S: GenServer>(mut ctx: Ctx, mut cradle: Cradle, args: S::Args) -> Exit {
    let state = match cradle.begin(&mut ctx, |ctx| Box::pin(S::init(ctx, args))).await {
        Ok(state) => state,
        Err(exit) => return exit,
    };
    cradle.ready();
    let mut serving = Serving { state, core: Core::new(&ctx, cradle), last: Last::Nothing, noted: false };
    let exit = serving.serve(&mut ctx).await;
    serving.end(&mut ctx, exit).await
}

struct Serving<S> {
    state: S,
    core: Core,
    last: Last,
    /// Somebody watches, and has been told of a message.
    noted: bool,
}

/// What was handled last, for reports.
enum Last {
    Nothing,
    /// A near message: moved into the callback.
    Near(&'static str),
    Term(Term),
}

impl<S: GenServer> Serving<S> {
    /// Handles one message after the other; the reason to end with.
    async fn serve(&mut self, ctx: &mut Ctx) -> Exit {
        let mut flow = match caught(self.state.started(ctx)).await {
            Ok(flow) => flow,
            Err(exit) => return exit,
        };
        loop {
            let next = match flow {
                Flow::Stop(exit) => return exit,
                Flow::HandleContinue => caught(self.state.handle_continue(ctx)).await,
                Flow::Timeout(wait) => match ctx.receive_within::<Mail<S>>(wait).await {
                    Some(mail) => self.handle(ctx, mail, &flow).await,
                    None => caught(self.state.handle_timeout(ctx)).await,
                },
                Flow::Hibernate => {
                    self.state.hibernate();
                    let mail = ctx.receive().await;
                    self.handle(ctx, mail, &flow).await
                }
                Flow::Continue => {
                    let mail = ctx.receive().await;
                    self.handle(ctx, mail, &flow).await
                }
            };
            flow = match next {
                Ok(flow) => flow,
                Err(exit) => return exit,
            };
            if std::mem::take(&mut self.noted) {
                self.core.debug.left(&self.core.name, self.state.state_term());
            }
        }
    }

    async fn handle(&mut self, ctx: &mut Ctx, mail: Mail<S>, flow: &Flow) -> Result<Flow, Exit> {
        let mail = if self.core.debug.is_on() { self.note(mail) } else { mail };
        match mail {
            Mail::Call(mut call) => {
                self.last = Last::Near("a question");
                call.reply_to().arm(ctx.node(), self.core.debug.outbox());
                caught(self.state.handle_call(ctx, call)).await
            }
            Mail::Asked(from, question) => {
                self.last = Last::Term(question.clone());
                let reply = ReplyTo::armed(ctx.node(), from, self.core.debug.outbox());
                match S::Call::from_question(&question, reply) {
                    Ok(call) => caught(self.state.handle_call(ctx, call)).await,
                    Err(reply) => {
                        let unknown = Unknown::Call(question, Reply::from(reply));
                        caught(self.state.handle_unknown(ctx, unknown)).await
                    }
                }
            }
            Mail::Cast(cast) => {
                self.last = Last::Near("a cast");
                caught(self.state.handle_cast(ctx, cast)).await
            }
            Mail::Told(message) => {
                self.last = Last::Term(message.clone());
                match S::Cast::from_term(&message) {
                    Ok(cast) => caught(self.state.handle_cast(ctx, cast)).await,
                    Err(_) => caught(self.state.handle_unknown(ctx, Unknown::Cast(message))).await,
                }
            }
            Mail::System(from, request) => {
                let mut subject = Shown(&mut self.state);
                match self.core.system(ctx, &mut subject, from, request).await {
                    Some(exit) => Err(exit),
                    None => Ok(self.state.resumed(flow)),
                }
            }
            Mail::Exit(signal) if self.core.is_parents(&signal) => Err(Exit(signal.reason)),
            Mail::Exit(signal) => self.info(ctx, signal.into_term()).await,
            Mail::Other(message, _) => self.info(ctx, message).await,
        }
    }

    async fn info(&mut self, ctx: &mut Ctx, message: Term) -> Result<Flow, Exit> {
        self.last = Last::Term(message.clone());
        match S::Info::from_term(&message) {
            Ok(info) => caught(self.state.handle_info(ctx, info)).await,
            Err(_) => caught(self.state.handle_unknown(ctx, Unknown::Info(message))).await,
        }
    }

    /// Tells those who watch; what came from near becomes a term on the way.
    fn note(&mut self, mail: Mail<S>) -> Mail<S> {
        if matches!(mail, Mail::System(..)) {
            return mail;
        }
        let message = mail.into_term();
        self.core.debug.came(&self.core.name, &message);
        self.noted = true;
        Mail::from_term(&message).unwrap_or(Mail::Other(message, PhantomData))
    }

    async fn end(mut self, ctx: &mut Ctx, exit: Exit) -> Exit {
        let exit = match caught(self.state.terminate(ctx, &exit)).await {
            Ok(()) => exit,
            Err(worse) => worse,
        };
        if !is_orderly(&exit) {
            self.report(ctx, &exit);
        }
        self.core.cradle.end(ctx, &exit);
        exit
    }

    /// OTP's `{gen_server, terminate}` and `{gen_statem, terminate}`.
    fn report(&self, ctx: &Ctx, exit: &Exit) {
        let last = match &self.last {
            Last::Nothing => Term::NIL,
            Last::Near(what) => Term::binary(what),
            Last::Term(term) => term.clone(),
        };
        let state = self.state.state_term();
        let what = if S::BEHAVIOUR == "gen_statem" { "State machine" } else { "Generic server" };
        let text = format!(
            "** {what} {} terminating\n** Last message in was {}\n** When Server state == {}\n** Reason for \
             termination ==\n** {}",
            show(&self.core.name),
            show(&last),
            show(&state),
            show(exit.reason())
        );
        let (name, log, reason) = (self.core.name.clone(), self.core.debug.events(), exit.reason().clone());
        // OTP 27 and later format no report without a process label.
        let report = if S::BEHAVIOUR == "gen_statem" {
            let queue = if last == Term::NIL { Term::NIL } else { Term::list([last]) };
            term!(#{
                label => {gen_statem, terminate},
                name => (name),
                queue => (queue),
                postponed => [],
                modules => [(S::module())],
                callback_mode => handle_event_function,
                state_enter => false,
                state => (state),
                timeouts => {0, []},
                log => (log),
                reason => {exit, (reason), []},
                client_info => undefined,
                process_label => undefined
            })
        } else {
            term!(#{
                label => {(term::Atom::new(S::BEHAVIOUR)), terminate},
                name => (name),
                last_message => (last),
                state => (state),
                log => (log),
                reason => (reason),
                client_info => undefined,
                process_label => undefined
            })
        };
        report::tell(ctx, Level::Error, report, text);
    }
}

/// The state, as `sys` sees it.
struct Shown<'s, S>(&'s mut S);

impl<S: GenServer> Subject for Shown<'_, S> {
    fn behaviour(&self) -> &'static str {
        S::BEHAVIOUR
    }

    fn state_term(&self) -> Term {
        self.0.state_term()
    }

    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool {
        self.0.patch(change)
    }
}

/// In OTP an unknown question crashes the server, and its caller with it. Here only the caller hears of a crash.
fn refuse_unknown<S: GenServer>(ctx: &Ctx, caller: &request::Caller) {
    let reason = term!({function_clause, [{(S::module()), handle_call, 3, []}]});
    request::refuse(ctx, caller, reason);
}

/// OTP's `{gen_server, no_handle_info}`.
pub(crate) fn log_unknown<S: GenServer>(ctx: &Ctx, unknown: Unknown) {
    let (what, message) = match unknown {
        Unknown::Call(question, reply) => {
            refuse_unknown::<S>(ctx, reply.caller());
            reply.forget();
            ("call", question)
        }
        Unknown::Cast(message) => ("cast", message),
        Unknown::Info(message) => ("info", message),
    };
    let module = S::module();
    let text = format!("** Undefined handle_{what} in {module}\n** Unhandled message: {}", show(&message));
    let report = term!(#{
        label => {(term::Atom::new(S::BEHAVIOUR)), (term::Atom::new(&format!("no_handle_{what}")))},
        module => (module),
        message => (message)
    });
    report::tell(ctx, Level::Warning, report, text);
}
