//! `appmon_info`: the process behind the page of applications in `observer`.
//!
//! Clients cast it tasks, which it does again and again; they hear of results that differ from the last.

use std::collections::BTreeMap;
use std::time::Duration;

use otp::request::{self, Request};
use runtime::{Ctx, Exit, ExitSignal};
use term::{FromTerm, Pid, Ref, Term};

use super::appmon_tasks::{Load, Task, option};
use super::{Answer, Module, args};
use crate::limits::APPMON_TASKS_MAX;
use args::{items, ok, pid};

pub(super) const MODULE: Module = Module {
    name: "appmon_info",
    unfit: "function_clause",
    near: &[("start_link2", 3, start_link2), ("status", 0, |_, _| Ok(Term::atom("ok")))],
    far: &[],
};

const NAME: &str = "appmon_info";

/// `start_link2(Starter, Client, Options)`: `{ok, Pid}`, of one that runs already too.
fn start_link2(ctx: &mut Ctx, a: &[Term]) -> Answer {
    let (starter, client, options) = (pid(&a[0])?.clone(), pid(&a[1])?.clone(), items(&a[2])?);
    loop {
        if let Some(there) = ctx.whereis(NAME) {
            request::cast(ctx, &there, args::pair("register_client", Term::Pid(client)));
            return Ok(ok(Term::Pid(there)));
        }
        let (starter, client, options) = (starter.clone(), client.clone(), options.clone());
        let user = ctx.whereis("user");
        let how = runtime::SpawnOptions { label: Some(NAME), leader: user, ..Default::default() };
        // It is tied before anybody is told of it: who ends then ends it with a reason of its own, not with `noproc`.
        let pid = ctx.node().spawn_with(how, move |ctx: Ctx| {
            ctx.set_trap_exit(true);
            ctx.link(&client);
            if starter != client {
                ctx.link(&starter);
            }
            Appmon::run(ctx, starter, client, options)
        });
        if ctx.node().register(NAME, &pid).is_ok() {
            return Ok(ok(Term::Pid(pid)));
        }
        ctx.node().spawn(move |ctx: Ctx| async move { ctx.exit(&pid, "kill") });
    }
}

/// What a task is known by: what to do, with what, for whom.
type Key = (Term, Term, Pid);

struct Work {
    options: Vec<Term>,
    last: Option<Term>,
    timer: Option<Ref>,
    /// Tells the timer of now from those that were stopped too late.
    turn: i64,
}

struct Appmon {
    starter: Pid,
    options: Vec<Term>,
    clients: Vec<Pid>,
    work: BTreeMap<Key, Work>,
    load: Load,
    turn: i64,
}

impl Appmon {
    async fn run(mut ctx: Ctx, starter: Pid, client: Pid, options: Vec<Term>) -> Exit {
        let load = Load::default();
        let mut appmon =
            Appmon { starter, options, clients: vec![client], work: BTreeMap::new(), load, turn: 0 };
        loop {
            let message: Term = ctx.receive().await;
            if let Ok(signal) = ExitSignal::from_term(&message) {
                if let Some(exit) = appmon.on_exit(&mut ctx, signal) {
                    return exit;
                }
                continue;
            }
            match Request::read(message) {
                Request::Call(from, question) => {
                    appmon.register(&ctx, &question);
                    request::answer(&mut ctx, &from, Term::atom("ok"));
                }
                Request::Cast(what) => appmon.on_cast(&mut ctx, &what),
                Request::System(from, question) => super::sys::serve(&mut ctx, NAME, &from, &question),
                Request::Info(message) => appmon.on_timer(&mut ctx, &message),
            }
        }
    }

    /// `{register_client, Pid}`.
    fn register(&mut self, ctx: &Ctx, question: &Term) {
        if let Some([word, Term::Pid(client)]) = question.as_tuple()
            && word.is_atom("register_client")
            && !self.clients.contains(client)
            && self.clients.len() < APPMON_TASKS_MAX
        {
            ctx.link(client);
            self.clients.push(client.clone());
        }
    }

    /// `{From, Command, With, OnOff, Options}`.
    fn on_cast(&mut self, ctx: &mut Ctx, what: &Term) {
        let Some([Term::Pid(from), command, with, on, options]) = what.as_tuple() else {
            return self.register(ctx, what);
        };
        let key = (command.clone(), with.clone(), from.clone());
        let old = self.remove(ctx, &key);
        if !on.is_atom("true") || self.work.len() >= APPMON_TASKS_MAX {
            return;
        }
        let mut all = items(options).unwrap_or_default();
        all.extend(old.map(|old| old.options).unwrap_or_default());
        self.work.insert(key.clone(), Work { options: all, last: None, timer: None, turn: 0 });
        self.work(ctx, &key);
    }

    fn remove(&mut self, ctx: &Ctx, key: &Key) -> Option<Work> {
        let work = self.work.remove(key)?;
        work.timer.as_ref().map(|timer| ctx.cancel_timer(timer));
        Some(work)
    }

    /// `{do_it, Turn}`, from a timer of ours.
    fn on_timer(&mut self, ctx: &mut Ctx, message: &Term) {
        let Some([word, Term::Int(turn)]) = message.as_tuple() else { return };
        if word.is_atom("do_it") {
            let due = self.work.iter().find(|(_, work)| work.turn == *turn).map(|(key, _)| key.clone());
            due.iter().for_each(|key| self.work(ctx, key));
        }
    }

    /// Does a task, tells of its result if it is a new one, and comes back to it later.
    fn work(&mut self, ctx: &mut Ctx, key: &Key) {
        let Some(work) = self.work.get_mut(key) else { return };
        let (command, with, from) = key;
        let task = Task { command, with, options: &work.options, last: work.last.as_ref() };
        let Some(result) = task.run(ctx, &mut self.load) else {
            self.work.remove(key);
            return;
        };
        if work.last.as_ref() != Some(&result) {
            let me = Term::Pid(ctx.pid());
            let news = [Term::atom("delivery"), me, command.clone(), with.clone(), result.clone()];
            ctx.send(from, Term::tuple(news));
        }
        work.last = Some(result);
        match option(&work.options, "timeout").map(|wait| args::millis(&wait)) {
            Some(Err(_)) => {
                self.work.remove(key);
            }
            wait => {
                let wait = wait.and_then(Result::ok).unwrap_or(TIMEOUT).max(TIMEOUT_MIN);
                self.turn += 1;
                work.turn = self.turn;
                let me = ctx.pid();
                let message = args::pair("do_it", Term::Int(self.turn));
                work.timer = Some(ctx.send_after(wait, me, message));
            }
        }
    }

    /// Without its starter, or its last client, it ends.
    fn on_exit(&mut self, ctx: &mut Ctx, signal: ExitSignal) -> Option<Exit> {
        if signal.from == self.starter {
            return Some(Exit(signal.reason));
        }
        let gone: Vec<Key> = self.work.keys().filter(|key| key.2 == signal.from).cloned().collect();
        gone.iter().for_each(|key| {
            self.remove(ctx, key);
        });
        self.clients.retain(|client| *client != signal.from);
        let stays = option(&self.options, "stay_resident").is_some_and(|stays| stays.is_atom("true"));
        (self.clients.is_empty() && !stays).then(Exit::normal)
    }
}

const TIMEOUT: Duration = Duration::from_millis(2_000);
const TIMEOUT_MIN: Duration = Duration::from_millis(50);
