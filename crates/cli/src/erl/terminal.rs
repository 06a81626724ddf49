//! A shell on a terminal: jobs, of which one is seen, the menu behind Ctrl-G, and a line editor that nothing blocks.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Stdout, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use trunkline::{Ctx, Exit, FromTerm, Node, Pid, SpawnOptions, Term, rpc};

use super::editor::{Editor, Key, View};
use super::flags::Flags;
use super::group::{self, Face, Shown, Source, Typed};
use super::history::History;
use super::menu::{self, Order};
use super::program::Program;
use super::screen::Screen;

/// Output that a job may make while nobody sees it.
const HELD_BYTES_MAX: usize = 64 << 10;
/// Lines that a job may leave unread.
const LINES_AHEAD_MAX: usize = 64;
/// How long a completion may take.
const COMPLETE_MILLIS_MAX: u64 = 1500;

/// What happens to a terminal.
pub(super) enum Event {
    Shown(u32, Shown),
    /// The shell of a job has begun.
    Begun(u32, Pid),
    /// The shell of a job is over; what to say about it.
    Over(u32, String),
    /// Output that belongs to no job.
    Said(String),
    /// The terminal may have another size.
    Resized,
}

/// Whether there is a terminal.
pub(super) fn is_there() -> bool {
    use std::io::IsTerminal;
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Where output goes that belongs to no job, and where it comes out.
pub(super) fn face() -> (Face, Events) {
    let (tell, events) = mpsc::unbounded_channel();
    let say = tell.clone();
    let face: Face = Arc::new(move |shown| {
        let (Shown::Text(text) | Shown::Prompt { text, .. }) = shown;
        let _ = say.send(Event::Said(text));
    });
    (face, Events { tell, events })
}

/// Both ends of what happens.
pub(super) struct Events {
    tell: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
}

/// Keys at once and unseen; dropping it gives the terminal back, after a panic too.
struct Raw(Termios);

impl Raw {
    fn take() -> io::Result<Raw> {
        let before = tcgetattr(io::stdin())?;
        let mut during = before.clone();
        during
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        during.input_modes.remove(InputModes::IXON);
        tcsetattr(io::stdin(), OptionalActions::Now, &during)?;
        if marks_pastes() {
            say("\x1b[?2004h");
        }
        Ok(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if marks_pastes() {
            say("\x1b[?2004l");
        }
        // Nothing better can be done about a terminal that has gone away.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Whether the terminal tells what is pasted from what is typed: xterm's bracketed paste.
fn marks_pastes() -> bool {
    std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb" && term != "linux")
}

fn say(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody may be looking any more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

struct Job {
    what: String,
    typed: mpsc::Sender<Typed>,
    /// It waits for a line behind this prompt; whether it is secret.
    asks: Option<(String, bool)>,
    /// Output that nobody has seen yet.
    held: String,
    shell: Option<Pid>,
    /// The node its shell is on, when that is another one.
    remote: Option<String>,
    leader: Pid,
    editor: Editor,
    /// The prompt of the line before, as long as nothing was said since: when it comes again, the expression goes on.
    open: Option<String>,
    goes_on: bool,
    /// It was interrupted: until it asks again nothing is shown but the last thing it says.
    muted: Option<String>,
    /// Lines of the last entry that are not read yet, and the prompt they were typed behind: it needs not be said again.
    unread: (String, usize),
}

/// Runs shells on the terminal until somebody quits.
pub(super) async fn run(flags: &Flags, node: &Node, program: &Arc<Program>, events: Events) {
    let raw = match Raw::take() {
        Ok(raw) => raw,
        Err(error) => {
            eprintln!("trunkline erl: the terminal cannot be used: {error}");
            return;
        }
    };
    let Events { tell, mut events } = events;
    // What is typed is heard before what is waiting to be shown: it may be that the latter is to stop.
    let (keys, mut typed) = mpsc::unbounded_channel();
    // A blocked read cannot be cancelled: the thread ends with the program.
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = io::stdin().lock().read(&mut bytes) {
            if keys.send(bytes[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    watch_size(tell.clone());
    let columns = size().map_or(80, |(columns, _)| columns as usize);
    let mut desk = Desk {
        node: node.clone(),
        program: program.clone(),
        tell,
        jobs: BTreeMap::new(),
        current: None,
        last: 0,
        menu: None,
        ahead: VecDeque::new(),
        screen: Screen::new(io::stdout(), columns),
        history: kept_history(flags),
        size: size(),
        quits: false,
    };
    let first = desk.start(flags.remsh.clone());
    desk.connect(first);
    loop {
        tokio::select! {
            biased;
            Some(bytes) = typed.recv() => {
                desk.fit();
                for byte in bytes {
                    desk.key(byte).await;
                }
            }
            Some(event) = events.recv() => desk.happens(event).await,
            else => break,
        }
        if desk.quits {
            break;
        }
    }
    desk.screen.leave();
    drop(raw);
    node.shutdown().await;
}

/// Tells whenever the terminal gets another size.
fn watch_size(tell: UnboundedSender<Event>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
    tokio::spawn(async move { while changes.recv().await.is_some() && tell.send(Event::Resized).is_ok() {} });
}

/// What was typed in other lives, when `-kernel shell_history enabled` says that it is kept.
fn kept_history(flags: &Flags) -> History {
    let Ok(config) = trunkline::config::Config::command_line(flags.words.clone()) else {
        return History::default();
    };
    if !config.get("kernel", "shell_history").is_some_and(|value| value.is_atom("enabled")) {
        return History::default();
    }
    let said = config.get("kernel", "shell_history_path").and_then(|path| String::from_term(path).ok());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    match said.map(PathBuf::from).or_else(|| cache.map(|cache| cache.join("trunkline"))) {
        Some(place) => History::kept_in(place.join("shell_history")),
        None => History::default(),
    }
}

fn size() -> Option<(u32, u32)> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 1 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}

struct Desk {
    node: Node,
    program: Arc<Program>,
    tell: UnboundedSender<Event>,
    jobs: BTreeMap<u32, Job>,
    current: Option<u32>,
    last: u32,
    /// The menu, while it is open.
    menu: Option<Editor>,
    /// Keys that were typed before anybody wanted a line.
    ahead: VecDeque<u8>,
    screen: Screen<Stdout>,
    history: History,
    size: Option<(u32, u32)>,
    quits: bool,
}

impl Desk {
    /// Starts a job with a shell, here or on another node.
    fn start(&mut self, remote: Option<String>) -> u32 {
        self.last += 1;
        let number = self.last;
        let (typed, lines) = mpsc::channel(LINES_AHEAD_MAX);
        // A job that is dropped must not be told `eof`: its shell may be another node's, and halt it.
        let (nobody, _) = tokio::sync::oneshot::channel();
        let tell = self.tell.clone();
        let face: Face = Arc::new(move |shown| drop(tell.send(Event::Shown(number, shown))));
        let leader = group::start(&self.node, face, Source { typed: lines, end: Some(nobody) }, size());
        let (program, tell, peer) = (self.program.clone(), self.tell.clone(), remote.clone());
        let options =
            SpawnOptions { leader: Some(leader.clone()), label: Some("job"), ..SpawnOptions::default() };
        self.node.spawn_with(options, move |mut ctx: Ctx| async move {
            let shell = match &peer {
                None => Ok(program.start_shell(&ctx)),
                Some(peer) => crate::remsh::open(&mut ctx, peer).await,
            };
            let said = match shell {
                Ok(shell) => {
                    let _ = tell.send(Event::Begun(number, shell.clone()));
                    let reason = group::until_gone(&mut ctx, &shell).await;
                    match (&peer, reason.is_atom("noconnection")) {
                        (Some(peer), true) => format!("*** The connection to {peer} is lost ***\n"),
                        _ => "*** Shell process terminated! (^G to start new job) ***\n".to_owned(),
                    }
                }
                Err(why) => why + "\n",
            };
            let _ = tell.send(Event::Over(number, said));
        });
        let what = match &remote {
            None if number == 1 => "{shell,start,[init]}".to_owned(),
            None => "{shell,start,[]}".to_owned(),
            Some(peer) => format!("{{{},shell,start,[]}}", Term::atom(peer)),
        };
        let (asks, held, shell, editor) = (None, String::new(), None, Editor::default());
        let (open, goes_on, unread) = (None, false, (String::new(), 0));
        self.jobs.insert(
            number,
            Job {
                what,
                typed,
                asks,
                held,
                shell,
                remote,
                leader,
                editor,
                open,
                goes_on,
                muted: None,
                unread,
            },
        );
        number
    }

    async fn happens(&mut self, event: Event) {
        self.fit();
        match event {
            Event::Resized => {}
            Event::Said(text) => self.screen.print(&text),
            Event::Shown(number, shown) => {
                self.shown(number, shown);
                self.catch_up().await;
            }
            Event::Begun(number, shell) => {
                if let Some(job) = self.jobs.get_mut(&number) {
                    job.shell = Some(shell);
                }
            }
            Event::Over(number, said) => self.over(number, &said),
        }
    }

    /// Looks how large the terminal is now.
    fn fit(&mut self) {
        let now = size();
        if now == self.size {
            return;
        }
        self.size = now;
        if let Some((columns, rows)) = now {
            self.screen.resize(columns as usize);
            for job in self.jobs.values() {
                // A job that is behind with its lines learns it another time.
                let _ = job.typed.try_send(Typed::Resized(columns, rows));
            }
        }
    }

    fn seen(&self, number: u32) -> bool {
        self.menu.is_none() && self.current == Some(number)
    }

    fn shown(&mut self, number: u32, shown: Shown) {
        let seen = self.seen(number);
        let Some(job) = self.jobs.get_mut(&number) else { return };
        if let Shown::Prompt { text, .. } = &shown {
            job.goes_on = job.open.take().as_ref() == Some(text);
        }
        job.open = None;
        if let Shown::Text(text) = &shown
            && job.unread.1 > 0
            && *text == job.unread.0
        {
            job.unread.1 -= 1;
            return;
        }
        if let (Shown::Text(text), Some(last)) = (&shown, &mut job.muted) {
            last.clone_from(text);
            return;
        }
        if let Some(last) = job.muted.take().filter(|last| last.starts_with("**")) {
            match seen {
                true => self.screen.print(&last),
                false => job.held.push_str(&last),
            }
        }
        match shown {
            Shown::Text(text) if seen => self.screen.print(&text),
            Shown::Text(text) => {
                if job.held.len() + text.len() <= HELD_BYTES_MAX {
                    job.held.push_str(&text);
                }
            }
            Shown::Prompt { text, secret } => {
                if seen {
                    let view = if secret { View::default() } else { job.editor.view(&self.history) };
                    self.screen.ask(&text, &view);
                }
                job.asks = Some((text, secret));
            }
        }
    }

    /// Shows a job, and what it has said meanwhile.
    fn connect(&mut self, number: u32) {
        self.current = Some(number);
        let Some(job) = self.jobs.get_mut(&number) else { return };
        let held = std::mem::take(&mut job.held);
        if !held.is_empty() {
            self.screen.print(&held);
        }
        if let Some((prompt, secret)) = &job.asks {
            let view = if *secret { View::default() } else { job.editor.view(&self.history) };
            self.screen.ask(prompt, &view);
        }
    }

    fn over(&mut self, number: u32, said: &str) {
        let was_seen = self.seen(number);
        if let Some(job) = self.jobs.remove(&number) {
            self.program.forget_words(&job.leader);
        }
        if self.current == Some(number) {
            self.current = None;
        }
        if self.node.is_closing() {
            return;
        }
        if was_seen {
            self.screen.leave();
            self.screen.print(said);
            self.open_menu();
        } else if self.menu.is_some() {
            self.screen.print(said);
        }
    }

    fn open_menu(&mut self) {
        self.screen.leave();
        self.screen.print("User switch command\n");
        self.ahead.clear();
        self.menu = Some(Editor::default());
        self.screen.ask(MENU, &View::default());
    }

    async fn key(&mut self, byte: u8) {
        if let Some(menu) = &mut self.menu {
            let orders = History::default();
            match menu.byte(byte, &orders) {
                Key::Line(line) => {
                    self.screen.leave();
                    self.order(&line);
                }
                Key::Clear => self.screen.clear(),
                _ => {
                    let view = menu.view(&orders);
                    self.screen.edit(&view);
                }
            }
            return;
        }
        match byte {
            // Heard whatever the job is doing.
            0x07 => return self.open_menu(),
            0x03 => return self.interrupt(self.current).await,
            _ => self.ahead.push_back(byte),
        }
        self.catch_up().await;
    }

    /// Gives the job that is seen the keys it has not had, as long as it wants a line.
    async fn catch_up(&mut self) {
        while self.menu.is_none() && self.screen.asks() {
            let Some(byte) = self.ahead.pop_front() else { return };
            self.typed(byte).await;
        }
    }

    async fn typed(&mut self, byte: u8) {
        let Some(job) = self.current.and_then(|number| self.jobs.get_mut(&number)) else { return };
        let secret = job.asks.as_ref().is_some_and(|(_, secret)| *secret);
        match job.editor.byte(byte, &self.history) {
            Key::Line(line) => {
                let prompt = job.asks.take().map(|(prompt, _)| prompt);
                // What is answered to a program is not what is typed to a shell.
                if !secret && prompt.as_ref().is_some_and(|prompt| prompt.ends_with("> ")) {
                    match std::mem::take(&mut job.goes_on) {
                        true => self.history.join(&line),
                        false => self.history.add(&line),
                    }
                    job.unread = (prompt.clone().unwrap_or_default(), line.matches('\n').count());
                    job.open = prompt;
                }
                if !secret {
                    // A search has shown it behind other words.
                    let at = line.chars().count();
                    self.screen.edit(&View { prompt: None, line: line.clone(), at });
                }
                self.screen.leave();
                let _ = job.typed.try_send(Typed::Line(line + "\n"));
            }
            Key::Edited if !secret => {
                let view = job.editor.view(&self.history);
                self.screen.edit(&view);
            }
            Key::Clear => self.screen.clear(),
            Key::Eof if job.editor.is_empty() => {
                self.screen.print("(exit() leaves this shell, q() ends the node, Ctrl-G opens the menu)\n");
            }
            Key::Complete(before) if !secret => self.complete(&before).await,
            _ => {}
        }
    }

    /// Asks the node of the shell how to go on. (`edlin_expand:expand/1`.)
    async fn complete(&mut self, before: &str) {
        let Some(job) = self.current.and_then(|number| self.jobs.get_mut(&number)) else { return };
        let answer = match job.remote.clone() {
            None => {
                let (before, leader) = (Term::string(&before.chars().rev().collect::<String>()), &job.leader);
                Some(super::expand::expand(
                    &self.program,
                    &self.node,
                    &self.node,
                    Some(&before),
                    Some(leader),
                ))
            }
            Some(peer) => {
                let asked = vec![Term::string(&before.chars().rev().collect::<String>())];
                let wait = Duration::from_millis(COMPLETE_MILLIS_MAX);
                rpc::call_within(&self.node, peer.as_str(), "edlin_expand", "expand", asked, wait).await.ok()
            }
        };
        let Some((insert, matches)) = answer.and_then(|answer| expansion(&answer)) else { return };
        if !insert.is_empty() {
            job.editor.insert(&insert);
        } else if matches.len() > 1 {
            self.screen.print(&format!("{}\n", table(&matches, self.screen.columns)));
        }
        let view = job.editor.view(&self.history);
        self.screen.edit(&view);
    }

    fn order(&mut self, line: &str) {
        let job = |number: Option<u32>, desk: &Desk| {
            number.or(desk.current).filter(|number| desk.jobs.contains_key(number))
        };
        match menu::read(line) {
            Order::Connect(number) => match job(number, self) {
                Some(number) => {
                    self.menu = None;
                    return self.connect(number);
                }
                None => self.screen.print("Unknown job\n"),
            },
            Order::Interrupt(number) => match job(number, self) {
                Some(number) => self.stop(number, "interrupt"),
                None => self.screen.print("Unknown job\n"),
            },
            Order::Kill(number) => match job(number, self) {
                Some(number) => {
                    self.stop(number, "kill");
                    self.jobs.remove(&number);
                    self.current = self.current.filter(|current| *current != number);
                }
                None => self.screen.print("Unknown job\n"),
            },
            Order::List => {
                let mut text = String::new();
                for (number, job) in &self.jobs {
                    let star = if self.current == Some(*number) { '*' } else { ' ' };
                    text.push_str(&format!("{number:4}{star} {}\n", job.what));
                }
                self.screen.print(&text);
            }
            Order::Start => self.current = Some(self.start(None)),
            Order::Remote(peer) => self.current = Some(self.start(Some(peer))),
            Order::Quit => {
                self.quits = true;
                return;
            }
            Order::Help => self.screen.print(menu::HELP),
            Order::Nothing => {}
            Order::Wrong(why) => self.screen.print(&format!("{why}\n")),
        }
        self.screen.ask(MENU, &View::default());
    }

    async fn interrupt(&mut self, number: Option<u32>) {
        let Some(number) = number else { return };
        let Some(job) = self.jobs.get_mut(&number) else { return };
        if job.asks.take().is_some() {
            job.editor.reset();
            (job.open, job.goes_on) = (None, false);
            self.ahead.clear();
            self.screen.leave();
            let _ = job.typed.send(Typed::Interrupt).await;
        } else {
            job.muted = Some(String::new());
            self.screen.leave();
            self.stop(number, "interrupt");
        }
    }

    /// Sends the shell of a job an exit signal.
    fn stop(&self, number: u32, reason: &'static str) {
        let Some(shell) = self.jobs.get(&number).and_then(|job| job.shell.clone()) else { return };
        self.node.spawn(move |ctx: Ctx| async move { ctx.exit(&shell, Exit::from(reason)) });
    }
}

const MENU: &str = " --> ";

/// `{yes | no, Insert, Matches}`.
fn expansion(answer: &Term) -> Option<(String, Vec<String>)> {
    let [_, insert, matches] = answer.as_tuple()? else { return None };
    let name = |found: Term| match found.as_tuple() {
        Some([name, arity]) => Some(format!("{}/{arity}", String::from_term(name).ok()?)),
        _ => String::from_term(&found).ok(),
    };
    let matches = matches.as_list().map(|list| list.iter().filter_map(name).collect()).unwrap_or_default();
    let insert = insert.as_list().map(|list| list.iter().collect::<Vec<_>>()).unwrap_or_default();
    let insert = insert.iter().filter_map(|c| char::from_u32(u32::try_from(c.as_int()?).ok()?));
    Some((insert.filter(|c| !c.is_control()).collect(), matches))
}

/// Words side by side.
fn table(words: &[String], columns: usize) -> String {
    let width = words.iter().map(|word| word.chars().count()).max().unwrap_or(0) + 2;
    let rows = words.chunks((columns / width).max(1));
    let rows = rows.map(|row| {
        row.iter().map(|word| format!("{word:<width$}")).collect::<String>().trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}
