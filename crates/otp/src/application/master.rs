//! The application's own process: group leader of all its processes, and starter of the top one.
//!
//! As in OTP it starts the top process through another, so that it can pass on what the application prints while it
//! starts. (`application_master`.)

use std::sync::Arc;

use runtime::{Ctx, Exit, ExitSignal, SpawnOptions};
use term::{Atom, FromTerm, Pid, Term, term};
use tokio::sync::oneshot;

use super::boxed::{AnyApplication, NotStarted};
use super::{Spec, StartType};
use crate::caught::caught;

const TERMINATE: Atom = Atom::inline("terminate");
const STOP: Atom = Atom::inline("stop");
const IO_REQUEST: Atom = Atom::inline("io_request");

/// What it is to run.
pub(super) struct Task {
    pub(super) spec: Spec,
    pub(super) body: Arc<dyn AnyApplication>,
    pub(super) how: StartType,
    /// Hears `{application_started, Name, ok | {error, Reason}}` as a cast.
    pub(super) controller: Pid,
}

/// The top process, as the process between knows it.
type Top = Result<Pid, Term>;

/// The body of the master.
pub(super) async fn run(mut ctx: Ctx, task: Task) -> Exit {
    let printer = ctx.group_leader();
    ctx.set_trap_exit(true);
    ctx.set_group_leader(&ctx.pid());
    let (name, controller) = (task.spec.name.clone(), task.controller.clone());
    let (give, mut take) = oneshot::channel();
    let options = SpawnOptions {
        label: Some("application_starter"),
        leader: Some(ctx.pid()),
        ..SpawnOptions::default()
    };
    let me = ctx.pid();
    let between = ctx.spawn_link_with(options, move |ctx: Ctx| start_top(ctx, me, task, give));
    let mut started = false;
    loop {
        if !started && let Ok(top) = take.try_recv() {
            started = true;
            let result = match &top {
                Ok(_) => term!({ok, (ctx.pid())}),
                Err(reason) => term!({error, (reason.clone())}),
            };
            tell(&mut ctx, &controller, &name, result);
            if let Err(reason) = top {
                return clear_up(&ctx, Exit(reason));
            }
        }
        let message: Term = ctx.receive().await;
        if let Ok(signal) = ExitSignal::from_term(&message) {
            if signal.from == between {
                if !started {
                    tell(&mut ctx, &controller, &name, term!({error, (signal.reason.clone())}));
                }
                return clear_up(&ctx, Exit(signal.reason));
            }
            if signal.from == controller || signal.reason.is_atom("shutdown") {
                stop_between(&mut ctx, &between, &printer).await;
                return clear_up(&ctx, Exit(signal.reason));
            }
            continue;
        }
        match message.as_tuple() {
            Some([tag, ..]) if tag.as_atom() == Some(&IO_REQUEST) => ctx.send(&printer, message),
            Some([tag, reference, Term::Pid(from)]) if tag.as_atom() == Some(&STOP) => {
                stop_between(&mut ctx, &between, &printer).await;
                let end = clear_up(&ctx, Exit::normal());
                ctx.send(from, term!({(reference.clone()), ok}));
                return end;
            }
            // The process between says by a message that it has started: the channel says what.
            _ => {}
        }
    }
}

fn tell(ctx: &mut Ctx, controller: &Pid, name: &Atom, result: Term) {
    ctx.send(controller, term!({(Atom::new("$gen_cast")), {application_started, (name.clone()), (result)}}));
}

/// The process between ends when the top process and what belongs to it have. What is printed meanwhile goes on.
async fn stop_between(ctx: &mut Ctx, between: &Pid, printer: &Pid) {
    ctx.send(between, Term::Atom(TERMINATE));
    loop {
        let message: Term = ctx.receive().await;
        match ExitSignal::from_term(&message) {
            Ok(signal) if signal.from == *between => return,
            Ok(_) => {}
            Err(_) => {
                if matches!(message.as_tuple(), Some([tag, ..]) if tag.as_atom() == Some(&IO_REQUEST)) {
                    ctx.send(printer, message);
                }
            }
        }
    }
}

/// What still belongs to the application is killed.
fn clear_up(ctx: &Ctx, reason: Exit) -> Exit {
    let (node, me) = (ctx.node(), ctx.pid());
    for pid in node.processes().into_iter().filter(|pid| *pid != me) {
        if node.process_info(&pid).is_some_and(|info| info.group_leader.as_ref() == Some(&me)) {
            ctx.exit(&pid, Exit::kill());
        }
    }
    reason
}

async fn start_top(mut ctx: Ctx, master: Pid, task: Task, give: oneshot::Sender<Top>) -> Exit {
    ctx.set_trap_exit(true);
    let started = start(&mut ctx, &task).await;
    let top = started.clone().ok();
    let _ = give.send(started);
    ctx.send(&master, Term::atom("started"));
    match top {
        Some(top) => watch(ctx, master, &task, top).await,
        None => Exit::normal(),
    }
}

async fn start(ctx: &mut Ctx, task: &Task) -> Top {
    let (module, arguments) = task.body.callback();
    let call = || term!({(module.clone()), start, [(task.how.to_term()), (arguments.clone())]});
    let top = match caught(task.body.start(ctx, task.how.clone())).await {
        Ok(Ok(top)) => top,
        Ok(Err(NotStarted::Refused(reason))) => return Err(term!({(reason), (call())})),
        Ok(Err(NotStarted::Bad(answer))) => return Err(term!({bad_return, {(call()), (answer)}})),
        Err(panic) => return Err(term!({bad_return, {(call()), {(Atom::new("EXIT")), (panic.0)}}})),
    };
    ctx.link(&top);
    for (phase, arguments) in task.spec.start_phases.iter().flatten() {
        let done = caught(task.body.start_phase(ctx, phase, &task.how, arguments)).await;
        if let Err(reason) | Ok(Err(reason)) = done {
            ctx.unlink(&top);
            ctx.exit(&top, Exit::shutdown());
            let call = term!({(module.clone()), start_phase, [(phase.clone()), (task.how.to_term()), (arguments.clone())]});
            return Err(term!({(reason.0), (call)}));
        }
    }
    Ok(top)
}

/// Until the top process ends, or has to.
async fn watch(mut ctx: Ctx, master: Pid, task: &Task, top: Pid) -> Exit {
    loop {
        let message: Term = ctx.receive().await;
        if message.as_atom() == Some(&TERMINATE) {
            return end(&mut ctx, task, &top, Exit::shutdown(), Exit::normal()).await;
        }
        let Ok(signal) = ExitSignal::from_term(&message) else { continue };
        if signal.from == master {
            let reason = Exit(signal.reason);
            return end(&mut ctx, task, &top, reason.clone(), reason).await;
        }
        if signal.from == top {
            let _ = caught(task.body.prep_stop(&mut ctx)).await;
            let _ = caught(task.body.stop(&mut ctx)).await;
            return Exit(signal.reason);
        }
    }
}

async fn end(ctx: &mut Ctx, task: &Task, top: &Pid, reason: Exit, own: Exit) -> Exit {
    let _ = caught(task.body.prep_stop(ctx)).await;
    ctx.exit(top, reason);
    ctx.select(|message| ExitSignal::from_term(message).ok().filter(|signal| signal.from == *top)).await;
    let _ = caught(task.body.stop(ctx)).await;
    own
}
