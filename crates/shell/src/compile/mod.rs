//! Trees as steps: scopes are settled here, and what the linter of OTP would refuse is refused here.

mod bit_types;
mod clauses;
mod comprehensions;
mod expr;
mod funs;
mod guards;
mod patterns;
mod records;
mod scope;

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline::Atom;

use crate::ast::{Expr, Loc};
use crate::library::Library;
use crate::machine::code::{Code, Head, Label, Op, Proto, Slot};
use crate::parser::Record;
use scope::Var;

/// Why an expression is not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{loc}: {what}")]
pub(crate) struct CompileError {
    /// Where.
    pub loc: Loc,
    /// What is wrong, as `erl_lint:format_error/1` says it.
    pub what: String,
}

pub(crate) type Compiled<T> = Result<T, CompileError>;

/// Definitions of records by name.
pub(crate) type Records = BTreeMap<Atom, Record>;

/// What an expression may refer to.
pub(crate) struct Unit<'a> {
    pub(crate) module: Atom,
    pub(crate) library: &'a Library,
    pub(crate) records: &'a Records,
    /// The functions of the module; `None` in the shell, where others are its commands.
    pub(crate) functions: Option<&'a BTreeMap<(Atom, usize), Loc>>,
    pub(crate) imports: &'a BTreeMap<(Atom, usize), Atom>,
    /// The funs of the module so far.
    pub(crate) funs: Vec<Option<Arc<Proto>>>,
}

/// One function being compiled.
#[derive(Default)]
pub(crate) struct Frame {
    ops: Vec<Op>,
    lines: Vec<u32>,
    heads: Vec<Head>,
    funs: Vec<Arc<Proto>>,
    slots: Slot,
    /// Variables in sight, the latest last.
    vars: Vec<(Atom, Var)>,
    /// Where names live that have lived already.
    homes: BTreeMap<Atom, Slot>,
    /// Names bound by what is evaluated beside this.
    beside: Vec<Atom>,
    captures: Vec<(Atom, Slot)>,
    line: u32,
}

pub(crate) struct Compiler<'a> {
    pub(crate) unit: Unit<'a>,
    frames: Vec<Frame>,
}

/// A command of the shell: its code, and where its variables live.
pub(crate) struct Command {
    pub(crate) code: Arc<Code>,
    pub(crate) names: Vec<(Atom, Slot)>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(unit: Unit<'a>) -> Compiler<'a> {
        Compiler { unit, frames: Vec::new() }
    }

    /// For expressions without records.
    pub(crate) fn alone(library: &'a Library) -> Compiler<'a> {
        Compiler::new(Unit {
            module: Atom::new("erl_eval"),
            library,
            records: &library.no_records,
            functions: None,
            imports: &library.no_imports,
            funs: Vec::new(),
        })
    }

    /// Expressions typed in, the names of what is bound known.
    pub(crate) fn command(&mut self, body: &[Expr], bound: &[Atom]) -> Compiled<Command> {
        self.frames.push(Frame::default());
        for name in bound {
            let slot = self.slot();
            let frame = self.frame();
            frame.homes.insert(name.clone(), slot);
            frame.vars.push((name.clone(), Var::Safe(slot)));
        }
        self.body(body, false)?;
        self.emit(Op::Return);
        let Some(frame) = self.frames.pop() else { return Err(lost()) };
        let names = frame.homes.clone().into_iter().collect();
        let code = frame.into_code(self.unit.module.clone(), Atom::new("-shell-"), 0);
        Ok(Command { code: Arc::new(code), names })
    }

    pub(crate) fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn emit(&mut self, op: Op) {
        let frame = self.frame();
        frame.lines.push(frame.line);
        frame.ops.push(op);
    }

    fn at(&mut self, loc: Loc) {
        self.frame().line = loc.line;
    }

    /// Here.
    fn here(&mut self) -> Label {
        self.frame().ops.len() as Label
    }

    /// A step whose label is set later, by [`Compiler::land`].
    fn emit_jump(&mut self, op: Op) -> usize {
        self.emit(op);
        self.frame().ops.len() - 1
    }

    /// The jump at `at` goes here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.frame().ops[at] {
            Op::Shortcut(_, label)
            | Op::Jump(label)
            | Op::Case(_, label)
            | Op::Enter(_, label)
            | Op::Guard(_, label)
            | Op::Try(label)
            | Op::Next(_, label)
            | Op::Filter(label)
            | Op::Maybe(_, label) => *label = here,
            _ => {}
        }
    }

    fn slot(&mut self) -> Slot {
        let frame = self.frame();
        frame.slots += 1;
        frame.slots - 1
    }

    fn head(&mut self, head: Head) -> u32 {
        let frame = self.frame();
        frame.heads.push(head);
        frame.heads.len() as u32 - 1
    }
}

impl Frame {
    fn into_code(self, module: Atom, name: Atom, arity: u8) -> Code {
        Code {
            module,
            name,
            arity,
            slots: self.slots,
            ops: self.ops,
            lines: self.lines,
            heads: self.heads,
            funs: self.funs,
        }
    }
}

pub(crate) fn refuse<T>(loc: Loc, what: impl Into<String>) -> Compiled<T> {
    Err(CompileError { loc, what: what.into() })
}

fn lost() -> CompileError {
    CompileError { loc: Loc::default(), what: "no function is being compiled".to_owned() }
}
