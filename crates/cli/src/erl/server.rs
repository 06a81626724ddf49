//! The shell itself, `shell:start/0`: a process that reads commands from its group leader and has them evaluated.

use std::sync::{Arc, PoisonError};

use shell::session::{End, report};
use shell::{NodeWorld, Reply, Session};
use tokio::sync::{Mutex, mpsc};
use trunkline::io::{self, IoError};
use trunkline::{Atom, Ctx, Down, Exit, ExitSignal, Pid, Ref, SpawnOptions, Term};

use super::program::Program;
use shell::node::{Numbers, raised};

/// Who evaluates now.
type Now = Arc<std::sync::Mutex<Option<Pid>>>;

/// The process that is called the shell: it hears what its terminal wants (`interrupt`, `die`) while another reads and
/// prints.
pub(crate) async fn guarded(mut ctx: Ctx, program: Arc<Program>) -> Result<(), Exit> {
    ctx.set_trap_exit(true);
    let now = Now::default();
    let evaluator = {
        let now = now.clone();
        move || now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    let inner = ctx.spawn_link(move |ctx: Ctx| serve(ctx, program, now));
    let reason = loop {
        let signal = ctx.receive::<ExitSignal>().await;
        match evaluator() {
            Some(busy) if signal.reason.is_atom("interrupt") => ctx.exit(&busy, Exit::kill()),
            _ if signal.reason.is_atom("interrupt") => {}
            _ if signal.from == inner => break signal.reason,
            _ => {
                ctx.exit(&inner, Exit::kill());
                break signal.reason;
            }
        }
    };
    if let Some(busy) = evaluator() {
        ctx.exit(&busy, Exit::kill());
    }
    if reason.is_atom("normal") { Ok(()) } else { Err(Exit(reason)) }
}

/// A shell as it runs.
struct Server {
    program: Arc<Program>,
    session: Arc<Mutex<Session>>,
    evaluator: Evaluator,
    now: Now,
    /// Whether its terminal belongs to this node.
    own: bool,
    /// Whether it is one, and not a pipe.
    terminal: bool,
    columns: u32,
}

/// A shell: reads, evaluates, prints, until it is told to end or nobody is there any more.
async fn serve(mut ctx: Ctx, program: Arc<Program>, now: Now) -> Result<(), Exit> {
    let own = ctx.group_leader().node.name() == ctx.node().name();
    let banner = format!("Eshell V{} (Trunkline)  (abort with ^G)\n", env!("CARGO_PKG_VERSION"));
    say(&mut ctx, &banner).await?;
    let terminal = io::columns(&mut ctx).await.ok();
    let columns = terminal.unwrap_or(80).clamp(40, 1000);
    let mut session = Session::new(program.vm.clone());
    session.columns = columns as usize;
    let session = Arc::new(Mutex::new(session));
    let (mut lines, reader) = start_reader(&ctx);
    let evaluator = Evaluator::start(&mut ctx, &program, &session, &now);
    let mut server = Server { program, session, evaluator, now, own, terminal: terminal.is_some(), columns };
    let mut text = String::new();
    loop {
        let prompt = match text.is_empty() || terminal.is_some() {
            true => server.prompt(ctx.node().name().clone()).await,
            // As in erl, a pipe sees one prompt for a command of several lines.
            false => String::new(),
        };
        if terminal.is_none() && ctx.node().name().as_str() != "nonode@nohost" {
            // What a command lets others print comes along with its value. A terminal shows that above the prompt; in a pipe it
            // would stand behind it.
            tokio::time::sleep(OTHERS_PRINT).await;
        }
        if reader.send(prompt).await.is_err() {
            return Ok(());
        }
        server.tell_words(ctx.group_leader()).await;
        let line = loop {
            tokio::select! {
                line = lines.recv() => break line,
                reason = server.evaluator.lost(&mut ctx) => server.lost(&mut ctx, reason).await?,
            }
        };
        match line {
            Some(Ok(Some(line))) => text.push_str(&line),
            Some(Err(IoError::Refused(reason))) if reason.is_atom("interrupted") => {
                text.clear();
                say(&mut ctx, "** interrupted\n").await?;
            }
            // The end of input, and nobody there any more: the shell ends, and the node goes on.
            Some(Ok(None) | Err(_)) | None => return Ok(()),
        }
        if server.work(&mut ctx, &mut text).await? {
            return Ok(());
        }
    }
}

/// How long a prompt in a pipe waits for what other nodes print.
const OTHERS_PRINT: std::time::Duration = std::time::Duration::from_millis(10);

impl Server {
    /// Tells the terminal what may be typed: what is bound, and what records there are.
    async fn tell_words(&self, leader: Pid) {
        if self.own && self.terminal {
            let session = self.session.lock().await;
            let mut words: Vec<String> =
                session.bindings.keys().map(|name| name.as_str().to_owned()).collect();
            words.extend(session.records().keys().map(|name| format!("#{}", Term::Atom(name.clone()))));
            self.program.know_words(leader, words);
        }
    }

    async fn prompt(&self, node: Atom) -> String {
        self.session.lock().await.prompt(&node)
    }

    /// Does the commands that are complete, and takes them off the text; whether the shell is to end.
    async fn work(&mut self, ctx: &mut Ctx, text: &mut String) -> Result<bool, Exit> {
        let mut first = true;
        while !text.trim().is_empty() {
            if !std::mem::take(&mut first) {
                let prompt = self.prompt(ctx.node().name().clone()).await;
                say(ctx, &prompt).await?;
            }
            let all = text.chars().count();
            let taken = match self.evaluator.evaluate(ctx, text).await {
                Ok(Reply::More) => return Ok(false),
                Ok(Reply::Nothing) => all,
                Ok(Reply::Value(_, shown, taken)) => {
                    say(ctx, &shown).await?;
                    taken
                }
                Ok(Reply::Wrong(shown, taken)) => {
                    // As in OTP, who was linked to the one that failed hears of it, and another one goes on.
                    let failure = self.session.lock().await.take_failure();
                    if let Some(why) = failure {
                        self.evaluator.replace(ctx, why, &self.program, &self.session, &self.now);
                    }
                    say(ctx, &shown).await?;
                    taken
                }
                Ok(Reply::End(end)) if ends(ctx, end, self.own).await? => return Ok(true),
                Ok(Reply::End(_)) => all,
                Err(reason) => {
                    self.session.lock().await.ended(text, reason.clone());
                    self.lost(ctx, reason).await?;
                    all
                }
            };
            *text = text.chars().skip(taken).collect();
        }
        text.clear();
        Ok(false)
    }

    /// Another evaluates from now on; says why.
    async fn lost(&mut self, ctx: &mut Ctx, reason: Term) -> Result<(), Exit> {
        self.evaluator = Evaluator::start(ctx, &self.program, &self.session, &self.now);
        let raise = raised(reason);
        let numbers = Numbers(ctx.node().clone());
        say(ctx, &report(&raise, &numbers, self.columns as usize)).await
    }
}

/// Ends what is to end; whether the shell ends too. Who visits does not stop a node by accident.
async fn ends(ctx: &mut Ctx, end: End, own: bool) -> Result<bool, Exit> {
    match end {
        End::Shell => return Ok(true),
        End::Node if !own => {
            let name = ctx.node().name().clone();
            let question = format!("This ends the node {name}, not only this shell. Type yes to end it: ");
            let answer = io::get_line(ctx, &question).await.ok().flatten().unwrap_or_default();
            if answer.trim().trim_end_matches('.') != "yes" {
                say(ctx, "The node goes on. Leave this shell with exit().\n").await?;
                return Ok(false);
            }
        }
        End::Node | End::Halt(_) => {}
    }
    if let End::Halt(status) = end {
        std::process::exit(status & 0xff);
    }
    let stop = ctx.node().exported(&"init".into(), &"stop".into(), 0);
    if let Some(stop) = stop {
        let _ = ctx.lend(move |ctx| stop(ctx, Vec::new())).await;
    }
    say(ctx, "ok\n").await?;
    Ok(false)
}

async fn say(ctx: &mut Ctx, text: &str) -> Result<(), Exit> {
    io::put_chars(ctx, text).await.map_err(|_| Exit::normal())
}

type Line = Result<Option<String>, IoError>;

/// Reads lines when it is given prompts, in a process of its own: the shell has other things to hear meanwhile.
fn start_reader(ctx: &Ctx) -> (mpsc::Receiver<Line>, mpsc::Sender<String>) {
    let (ask, mut prompts) = mpsc::channel::<String>(1);
    let (give, lines) = mpsc::channel(1);
    ctx.spawn_link(move |mut ctx: Ctx| async move {
        while let Some(prompt) = prompts.recv().await {
            let line = io::get_line(&mut ctx, &prompt).await;
            if give.send(line).await.is_err() {
                return;
            }
        }
    });
    (lines, ask)
}

/// The process that evaluates commands. It may end by what it evaluates; what is bound outlives it.
struct Evaluator {
    pid: Pid,
    monitor: Ref,
    commands: mpsc::Sender<String>,
    replies: mpsc::Receiver<Reply>,
}

impl Evaluator {
    fn start(ctx: &mut Ctx, program: &Arc<Program>, session: &Arc<Mutex<Session>>, now: &Now) -> Evaluator {
        let (commands, mut hears) = mpsc::channel::<String>(1);
        let (tell, replies) = mpsc::channel(1);
        let (vm, session) = (program.vm.clone(), session.clone());
        let leader = ctx.group_leader();
        let options =
            SpawnOptions { label: Some("shell evaluator"), leader: Some(leader), ..SpawnOptions::default() };
        let pid = ctx.spawn_with(options, move |ctx: Ctx| async move {
            let mut life = NodeWorld::new(ctx, vm);
            while let Some(source) = hears.recv().await {
                let reply = session.lock().await.enter(&source, false, &mut life).await;
                if tell.send(reply).await.is_err() {
                    return;
                }
            }
        });
        *now.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid.clone());
        let monitor = ctx.monitor(&pid);
        Evaluator { pid, monitor, commands, replies }
    }

    /// What came of the first command in the text; the reason when the process ended over it.
    async fn evaluate(&mut self, ctx: &mut Ctx, text: &str) -> Result<Reply, Term> {
        if self.commands.send(text.to_owned()).await.is_err() {
            return Err(self.lost(ctx).await);
        }
        match self.replies.recv().await {
            Some(reply) => Ok(reply),
            None => Err(self.lost(ctx).await),
        }
    }

    /// Returns when the process has ended, with the reason. Safe to cancel.
    async fn lost(&self, ctx: &mut Ctx) -> Term {
        let monitor = &self.monitor;
        ctx.select(|message| {
            let down = <Down as trunkline::FromTerm>::from_term(message).ok()?;
            (down.reference == *monitor).then_some(down.reason)
        })
        .await
    }

    /// Ends this one for the reason that its command failed for, and has another go on.
    fn replace(
        &mut self,
        ctx: &mut Ctx,
        why: Term,
        program: &Arc<Program>,
        session: &Arc<Mutex<Session>>,
        now: &Now,
    ) {
        ctx.demonitor(&self.monitor, true);
        ctx.exit(&self.pid, why);
        let trapped = Evaluator::start(ctx, program, session, now);
        let old = std::mem::replace(self, trapped);
        // One that traps exits has no more commands, and ends by that.
        drop(old);
    }
}
