//! A shell's memory as a value: what is bound, what was typed, what came of it. Text in, text out.

mod argument_rows;
mod arguments;
mod commands;
mod errors;
mod format_arguments;
mod memory;
mod missing;
mod records;
mod rewrite;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use errors::report;
use trunkline::{Atom, Term};

use crate::ast::Expr;
use crate::compile::{Compiler, Records, Unit};
use crate::lexer::{self, Loc, Scan};
use crate::machine::{Entry, Heap, Machine, run, run_with};
use crate::parser;
use crate::raise::{Class, Raise};
use crate::vm::Vm;
use crate::world::World;
use commands::Ordered;
use memory::Memory;

type Raised = crate::raise::Result<Term>;

/// A shell.
pub struct Session {
    pub(crate) vm: Arc<Vm>,
    /// What is bound.
    pub bindings: BTreeMap<Atom, Term>,
    pub(crate) records: Records,
    memory: Memory,
    dictionary: BTreeMap<Term, Term>,
    heap: Heap,
    /// In which column lines end.
    pub columns: usize,
    prompt: Option<String>,
    /// Who says what the prompt is.
    prompter: Option<(Atom, Atom)>,
    /// Whether an exception leaves the process as it is.
    catches: bool,
    /// Whether lists of characters are shown as strings.
    strings: bool,
    failure: Option<Term>,
}

/// What came of a line.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// The command is not complete: more is to come.
    More,
    /// Nothing was typed.
    Nothing,
    /// The value as the shell shows it, and how many characters of the source it took.
    Value(Term, String, usize),
    /// What went wrong, as the shell says it, and how many characters of the source it took.
    Wrong(String, usize),
    /// The shell shall end: `q()`, `halt()`, `exit()`.
    End(End),
}

/// How a shell ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The shell alone: `exit()`.
    Shell,
    /// The node, in order: `q()`.
    Node,
    /// The node, at once: `halt()`, with this status.
    Halt(i32),
}

impl Session {
    /// A shell in which nothing is bound.
    pub fn new(vm: Arc<Vm>) -> Session {
        Session {
            vm,
            bindings: BTreeMap::new(),
            records: Records::new(),
            memory: Memory::default(),
            dictionary: BTreeMap::new(),
            heap: Heap::default(),
            columns: 80,
            prompt: None,
            prompter: None,
            catches: false,
            strings: true,
            failure: None,
        }
    }

    /// The prompt, as a node of this name shows it; `nonode@nohost` is shown as none.
    pub fn prompt(&self, node: &Atom) -> String {
        if let Some(prompt) = &self.prompt {
            return prompt.clone();
        }
        match node.as_str() {
            "nonode@nohost" => format!("{}> ", self.number()),
            name => format!("({name}){}> ", self.number()),
        }
    }

    /// The number of the next command.
    pub fn number(&self) -> usize {
        self.memory.number()
    }

    /// Why the process ends that ran the last command, when it failed and that was not caught. Told once.
    pub fn take_failure(&mut self) -> Option<Term> {
        self.failure.take()
    }

    /// Does the first command of `source`. With `last`, nothing comes behind the source.
    ///
    /// Safe to cancel: the command stops where it is, and what it bound is forgotten.
    pub async fn enter(&mut self, source: &str, last: bool, world: &mut dyn World) -> Reply {
        let reply = self.command(source, last, world).await;
        if self.prompter.is_some() && !matches!(reply, Reply::More | Reply::End(_)) {
            self.ask_prompter(world).await;
        }
        reply
    }

    /// The process ended that ran the first command of `source`: it has a number, and a value that says why.
    pub fn ended(&mut self, source: &str, reason: Term) {
        if let Ok(Scan::Form(tokens, taken)) = lexer::form(source, Loc::new(1, 1), false)
            && let Ok(body) = parser::exprs(&tokens)
        {
            let value = Term::tuple([Term::atom("EXIT"), reason]);
            self.memory.remember(body, typed(source, taken), value);
        }
    }

    async fn command(&mut self, source: &str, last: bool, world: &mut dyn World) -> Reply {
        let (tokens, taken) = match lexer::form(source, Loc::new(1, 1), last) {
            Ok(Scan::Form(tokens, taken)) => (tokens, taken),
            Ok(Scan::Empty) => return Reply::Nothing,
            Ok(Scan::More) => return Reply::More,
            Err(error) => return Reply::Wrong(format!("* {error}\n"), source.chars().count()),
        };
        let body = match parser::exprs(&tokens) {
            Ok(body) => body,
            Err(error) => return Reply::Wrong(format!("* {error}\n"), taken),
        };
        let body = match self.rewrite(body) {
            Ok(body) => body,
            Err(message) => return Reply::Wrong(format!("* {message}\n"), taken),
        };
        match self.evaluate(&body, world).await {
            Ok(value) => {
                let shown = self.show(&value, world) + "\n";
                self.memory.remember(body, typed(source, taken), value.clone());
                Reply::Value(value, shown, taken)
            }
            Err(Trouble::Refused(message)) => {
                self.memory.remember(body, typed(source, taken), Term::atom("undefined"));
                Reply::Wrong(format!("* {message}\n"), taken)
            }
            Err(Trouble::Ends(end)) => Reply::End(end),
            Err(Trouble::Raised(raise)) => {
                let tag = if self.catches { "* " } else { "** " };
                let text = errors::report_behind(tag, &raise, world.numbers(), self.columns);
                let text = text + &self.what_there_is(&raise);
                let reason = raise.into_exit();
                self.failure = (!self.catches).then(|| reason.clone());
                let value = Term::tuple([Term::atom("EXIT"), reason]);
                self.memory.remember(body, typed(source, taken), value);
                Reply::Wrong(text, taken)
            }
        }
    }

    /// The value as the shell shows it.
    pub fn show(&self, value: &Term, world: &dyn World) -> String {
        self.show_at(value, 1, world.numbers())
    }

    /// Evaluates expressions one after the other, as the shell does: each sees what those before it have bound.
    ///
    /// # Errors
    /// Where one is refused, or raises.
    pub async fn evaluate(&mut self, body: &[Expr], world: &mut dyn World) -> Result<Term, Trouble> {
        let before = self.bindings.clone();
        let mut value = Term::NIL;
        for expr in body {
            match self.one(expr, world).await {
                Ok(this) => value = this,
                Err(trouble) => {
                    self.bindings = before;
                    return Err(trouble);
                }
            }
        }
        Ok(value)
    }

    async fn one(&mut self, expr: &Expr, world: &mut dyn World) -> Result<Term, Trouble> {
        let names: Vec<Atom> = self.bindings.keys().cloned().collect();
        let no_imports = BTreeMap::new();
        let unit = Unit {
            module: Atom::new("erl_eval"),
            library: &self.vm.library,
            records: &self.records,
            functions: None,
            imports: &no_imports,
            funs: Vec::new(),
        };
        let command = Compiler::new(unit).command(std::slice::from_ref(expr), &names);
        let command = command.map_err(|error| Trouble::Refused(error.to_string()))?;
        let mut machine = Machine::new(self.vm.clone(), world.pid(), world.node());
        machine.dictionary = std::mem::take(&mut self.dictionary);
        machine.heap = std::mem::take(&mut self.heap);
        machine.prepare(&command, &self.bindings);
        let mut orders = Ordered { session: self, forget: Vec::new(), forget_all: false, end: None };
        let value = run_with(&mut machine, world, &mut orders).await;
        let Ordered { forget, forget_all, end, .. } = orders;
        self.dictionary = std::mem::take(&mut machine.dictionary);
        if value.is_ok() {
            // Another process goes on behind one that failed, and it has flags of its own.
            self.heap = std::mem::take(&mut machine.heap);
        }
        if let Some(end) = end {
            return Err(Trouble::Ends(end));
        }
        let value = value.map_err(Trouble::Raised)?;
        machine.bound(&command, &mut self.bindings);
        if forget_all {
            self.bindings.clear();
        }
        for name in forget {
            self.bindings.remove(&name);
        }
        Ok(value)
    }

    /// Calls a function as a command does, with nothing bound.
    async fn call(
        &self,
        world: &mut dyn World,
        module: &str,
        function: &str,
        arguments: Vec<Term>,
    ) -> Raised {
        let mut machine = Machine::new(self.vm.clone(), world.pid(), world.node());
        machine.start(Entry::Mfa(Atom::new(module), Atom::new(function), arguments));
        run(&mut machine, world).await
    }

    /// Has the prompt made by whom `prompt_func/1` has named.
    async fn ask_prompter(&mut self, world: &mut dyn World) {
        let Some((module, function)) = self.prompter.clone() else { return };
        let number = Term::Int(self.number() as i64);
        let about = Term::list([Term::tuple([Term::atom("history"), number])]);
        let said = self.call(world, module.as_str(), function.as_str(), vec![about]).await;
        let bytes = said.ok().and_then(|said| crate::library::iodata(&said).ok());
        // A prompt that cannot be made is the usual one.
        self.prompt = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    }

    /// The records that are known.
    pub fn records(&self) -> &Records {
        &self.records
    }
}

/// Why there is no value.
#[derive(Debug)]
pub enum Trouble {
    /// The expression is not run: the place and what is wrong.
    Refused(String),
    /// It raised.
    Raised(Box<Raise>),
    /// It ended the shell.
    Ends(End),
}

impl Trouble {
    /// Its class, if it raised.
    pub fn class(&self) -> Option<Class> {
        if let Trouble::Raised(raise) = self { Some(raise.class) } else { None }
    }
}

/// The first command of a source, as it was typed, without its dot.
fn typed(source: &str, taken: usize) -> String {
    let text: String = source.chars().take(taken).collect();
    let text = text.trim();
    text.strip_suffix('.').unwrap_or(text).trim_end().to_owned()
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.number())
    }
}
