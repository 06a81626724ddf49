//! A shell's memory as a value: what is bound, what was typed, what came of it. Text in, text out.

mod arguments;
mod commands;
mod errors;
mod rewrite;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use errors::report;
use trunkline::term::print::{NodeNumbers, Printer};
use trunkline::{Atom, Term};

use crate::ast::{Body, Expr};
use crate::compile::{Compiler, Records, Unit};
use crate::lexer::{self, Loc, Scan};
use crate::limits::HISTORY_COMMANDS_MAX;
use crate::machine::{Machine, run_with};
use crate::parser;
use crate::raise::{Class, Raise};
use crate::vm::Vm;
use crate::world::World;
use commands::Ordered;

/// A shell.
pub struct Session {
    pub(crate) vm: Arc<Vm>,
    /// What is bound.
    pub bindings: BTreeMap<Atom, Term>,
    pub(crate) records: Records,
    /// Commands by number: what was typed, what came of it.
    history: BTreeMap<usize, (Body, Term)>,
    number: usize,
    dictionary: BTreeMap<Term, Term>,
    /// In which column lines end.
    pub columns: usize,
    prompt: Option<String>,
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
            history: BTreeMap::new(),
            number: 1,
            dictionary: BTreeMap::new(),
            columns: 80,
            prompt: None,
        }
    }

    /// The prompt, as a node of this name shows it; `nonode@nohost` is shown as none.
    pub fn prompt(&self, node: &Atom) -> String {
        if let Some(prompt) = &self.prompt {
            return prompt.clone();
        }
        match node.as_str() {
            "nonode@nohost" => format!("{}> ", self.number),
            name => format!("({name}){}> ", self.number),
        }
    }

    /// The number of the next command.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Does the first command of `source`. With `last`, nothing comes behind the source.
    ///
    /// Safe to cancel: the command stops where it is, and what it bound is forgotten.
    pub async fn enter(&mut self, source: &str, last: bool, world: &mut dyn World) -> Reply {
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
                self.remember(body, value.clone());
                Reply::Value(value, shown, taken)
            }
            Err(Trouble::Refused(message)) => {
                self.remember(body, Term::atom("undefined"));
                Reply::Wrong(format!("* {message}\n"), taken)
            }
            Err(Trouble::Ends(end)) => Reply::End(end),
            Err(Trouble::Raised(raise)) => {
                let text = report(&raise, world.numbers(), self.columns);
                let reason = Term::tuple([Term::atom("EXIT"), raise.into_exit()]);
                self.remember(body, reason);
                Reply::Wrong(text, taken)
            }
        }
    }

    fn remember(&mut self, body: Body, value: Term) {
        self.history.insert(self.number, (body, value));
        self.number += 1;
        while self.history.len() > HISTORY_COMMANDS_MAX {
            self.history.pop_first();
        }
    }

    /// The value as the shell shows it.
    pub fn show(&self, value: &Term, world: &dyn World) -> String {
        self.show_at(value, 1, world.numbers())
    }

    fn show_at(&self, value: &Term, column: usize, numbers: &dyn NodeNumbers) -> String {
        if let Some(shown) = self.show_record(value, column, numbers) {
            return shown;
        }
        let printer = Printer::new(numbers).unicode();
        let (line_length, line_characters, depth) = (self.columns, Some(60), Some(30));
        Printer { column, line_length, line_characters, depth, ..printer }.pretty(value)
    }

    /// `#name{field = Value}`, where a record of this name and size is known; on one line, or each field on its own.
    fn show_record(&self, value: &Term, column: usize, numbers: &dyn NodeNumbers) -> Option<String> {
        let (name, values) = value.as_tuple()?.split_first()?;
        let record =
            self.records.get(name.as_atom()?).filter(|record| record.fields.len() == values.len())?;
        let indent = column + name.to_string().len() + 2;
        let mut fields = Vec::new();
        for ((_, field, _), value) in record.fields.iter().zip(values) {
            let field = format!("{} = ", crate::lexer::write_atom(field.as_str()));
            let shown = self.show_at(value, indent + field.len(), numbers);
            fields.push(field + &shown);
        }
        let line = fields.join(",");
        let fits = !line.contains('\n') && line.len() < 60 && indent + line.len() < self.columns;
        let fields = if fits { line } else { fields.join(&format!(",\n{}", " ".repeat(indent - 1))) };
        Some(format!("#{name}{{{fields}}}"))
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
        machine.prepare(&command, &self.bindings);
        let mut orders = Ordered { session: self, forget: Vec::new(), forget_all: false, end: None };
        let value = run_with(&mut machine, world, &mut orders).await;
        let Ordered { forget, forget_all, end, .. } = orders;
        self.dictionary = std::mem::take(&mut machine.dictionary);
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

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.number)
    }
}
