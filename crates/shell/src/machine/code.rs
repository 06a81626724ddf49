//! What trees become before they run: steps for a stack machine, and patterns that know what they bind.

use std::sync::{Arc, OnceLock};

use trunkline::Atom;
use trunkline::term::Term;

use super::bits::Spec;
use crate::ast::{Clause, Loc};
use crate::raise::Result;
use crate::world::World;

/// Where a variable lives in its frame.
pub(crate) type Slot = u32;
/// Where to go on.
pub(crate) type Label = u32;

/// A function that only computes.
pub(crate) type PureFn = fn(&[Term]) -> Result<Term>;
/// A function that does something to, or asks something of, its process.
pub(crate) type ProcessFn = fn(&mut dyn World, &[Term]) -> Result<Term>;
/// A function that asks the machine for something: a call, a wait.
pub(crate) type StepFn = fn(&mut super::Machine, &mut dyn World, Vec<Term>) -> Result<After>;

/// A function written in Rust.
#[derive(Clone, Copy)]
pub(crate) enum Native {
    Pure(PureFn),
    Process(ProcessFn),
    Step(StepFn),
}

/// What a [`StepFn`] leads to.
pub(crate) enum After {
    /// Its value.
    Value(Term),
    /// The value of this fun, called so.
    Fun(Term, Vec<Term>),
    /// The value of this function, called so.
    Mfa(Atom, Atom, Vec<Term>),
    /// Something that takes time.
    Wait(super::Wait),
}

/// A step.
pub(crate) enum Op {
    Const(Term),
    Load(Slot),
    Pop,
    Tuple(u32),
    /// So many elements, then the tail on top.
    List(u32),
    /// So many pairs.
    Map(u32),
    /// A map, then pairs: `true` for `:=`.
    MapUpdate(Box<[bool]>),
    /// Segments: for each its value, then its size if it has one.
    Bits(Box<[(Spec, bool)]>),
    RecordGet {
        name: Atom,
        size: u32,
        at: u32,
    },
    RecordSet {
        name: Atom,
        size: u32,
        at: Box<[u32]>,
    },
    /// Calls a pure function of so many arguments; the name is for the trace.
    Pure(PureFn, u8, Arc<(Atom, Atom)>),
    /// For `andalso` and `orelse`: goes on behind with the other value, or jumps with this one.
    Shortcut(bool, Label),
    Jump(Label),
    /// The value stays; what does not match is `{badmatch, Value}`.
    Match(u32),
    /// The value goes when it matches; else it stays, and on at the label.
    Case(u32, Label),
    /// Matches the arguments of a function.
    Enter(u32, Label),
    /// A guard alone.
    Guard(u32, Label),
    /// Nothing matched.
    Fail(Failure),
    /// `error(Reason)` with the reason on the stack.
    Raise,
    Call(Box<Callee>, u8, bool),
    Return,
    MakeFun(u32),
    Try(Label),
    EndTry,
    /// Class, reason, trace become the value of `catch`.
    Caught,
    /// Class, reason and trace become a tuple.
    Three,
    /// A tuple of class, reason and trace is raised again.
    Reraise,
    Receive(Box<ReceiveOp>),
    /// Takes a value to run over.
    Iterate(crate::ast::Over),
    /// The next element that matches, or on at the label. Several run side by side.
    Next(Box<[(u32, bool)]>, Label),
    Collect(Collect),
    Collected,
    /// Into what is collected goes the value (for maps the key and the value).
    Gather,
    /// On at the label unless true.
    Filter(Label),
    /// `maybe`: matches or jumps with the value.
    Maybe(u32, Label),
    /// A command of the shell: name and number of arguments.
    Shell(Atom, u8),
}

/// What is collected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Collect {
    List,
    Bits,
    Map,
}

/// Which call.
pub(crate) enum Callee {
    /// A function of the same module.
    Local(Atom),
    /// A function of a module.
    Mfa(Atom, Atom),
    /// Module and function lie on the stack before the arguments.
    Remote,
    /// A fun lies on the stack before the arguments.
    Fun,
}

/// What there is when nothing matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    Case,
    If,
    Try,
    Else,
    Function,
}

/// Clauses of `receive`: patterns and where they go on.
pub(crate) struct ReceiveOp {
    pub(crate) clauses: Vec<(u32, Label)>,
    /// Whether a time lies on the stack, and where to go on then.
    pub(crate) after: Option<Label>,
}

/// Patterns and the guard behind them.
pub(crate) struct Head {
    pub(crate) patterns: Vec<Pattern>,
    /// One of them must hold, all tests of it. None at all holds.
    pub(crate) guard: Vec<Vec<Test>>,
}

/// A pattern that knows which of its variables are new.
pub(crate) enum Pattern {
    Any,
    Bind(Slot),
    Same(Slot),
    Const(Term),
    List(Vec<Pattern>, Box<Pattern>),
    Tuple(Vec<Pattern>),
    Map(Vec<(Test, Pattern)>),
    Bits(Vec<Segment>),
    Both(Box<Pattern>, Box<Pattern>),
}

/// A segment of a pattern.
pub(crate) struct Segment {
    pub(crate) spec: Spec,
    pub(crate) size: Option<Test>,
    pub(crate) pattern: Pattern,
}

/// An expression of a guard: it computes, and does nothing else.
pub(crate) enum Test {
    Const(Term),
    Slot(Slot),
    Pure(PureFn, Vec<Test>),
    /// `self()`.
    Me,
    /// `node()`.
    Node,
    Tuple(Vec<Test>),
    List(Vec<Test>, Box<Test>),
    Map(Vec<(Test, Test)>),
    MapUpdate(Box<Test>, Vec<(bool, Test, Test)>),
    Shortcut(bool, Box<Test>, Box<Test>),
    Bits(Vec<(Spec, Test, Option<Test>)>),
}

/// A function, or an expression typed in.
pub(crate) struct Code {
    pub(crate) module: Atom,
    pub(crate) name: Atom,
    pub(crate) arity: u8,
    pub(crate) slots: u32,
    pub(crate) ops: Vec<Op>,
    /// The line of each step.
    pub(crate) lines: Vec<u32>,
    pub(crate) heads: Vec<Head>,
    pub(crate) funs: Vec<Arc<Proto>>,
}

/// A fun as it stands in its source.
pub(crate) struct Proto {
    pub(crate) code: Arc<Code>,
    pub(crate) loc: Loc,
    /// Its own name, and where it keeps itself.
    pub(crate) name: Option<(Atom, Slot)>,
    /// What it closes over: name, where it is outside, where it goes inside; in the order of the names.
    pub(crate) captures: Vec<(Atom, Slot, Slot)>,
    pub(crate) clauses: Arc<Vec<Clause>>,
    /// The clauses in abstract format, made when first needed.
    pub(crate) written: OnceLock<Term>,
    /// Which fun of its module it is; `None` for those of the shell.
    pub(crate) index: Option<u32>,
}
