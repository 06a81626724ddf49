//! The tree of an expression: Erlang's abstract format, compact.

use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::Term;

pub use crate::lexer::Loc;

/// An expression or a pattern.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Where it stands.
    pub loc: Loc,
    /// What it is.
    pub kind: Kind,
}

/// A body: expressions one after the other.
pub type Body = Vec<Expr>;

/// Kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// A variable.
    Var(Atom),
    /// An integer.
    Integer(Term),
    /// A floating-point number.
    Float(f64),
    /// A character.
    Char(u32),
    /// An atom.
    Atom(Atom),
    /// A string.
    String(Vec<u32>),
    /// `[A, B | Tail]`: elements with the places of their cells, and what follows them.
    List(Vec<(Loc, Expr)>, Box<Expr>),
    /// `[]`.
    Nil,
    /// A tuple.
    Tuple(Vec<Expr>),
    /// A map, or a map changed.
    Map(Option<Box<Expr>>, Vec<MapField>),
    /// `#name{}`, or a record changed.
    Record(Option<Box<Expr>>, Atom, Vec<RecordField>),
    /// `#name.field`.
    RecordIndex(Atom, Box<Expr>),
    /// `R#name.field`.
    RecordField(Box<Expr>, Atom, Box<Expr>),
    /// A bit string.
    Bin(Vec<BinElement>),
    /// A list comprehension.
    Lc(Box<Expr>, Vec<Qualifier>),
    /// A bit string comprehension.
    Bc(Box<Expr>, Vec<Qualifier>),
    /// A map comprehension.
    Mc(Box<MapField>, Vec<Qualifier>),
    /// `begin … end`.
    Block(Body),
    /// `if`.
    If(Vec<Clause>),
    /// `case`.
    Case(Box<Expr>, Vec<Clause>),
    /// `receive`, and what to do after a time.
    Receive(Vec<Clause>, Option<(Box<Expr>, Body)>),
    /// `try`.
    Try(Box<Try>),
    /// `catch`.
    Catch(Box<Expr>),
    /// `Pattern = Expr`.
    Match(Box<Expr>, Box<Expr>),
    /// `Pattern ?= Expr`.
    MaybeMatch(Box<Expr>, Box<Expr>),
    /// `maybe … else … end`.
    Maybe(Body, Option<(Loc, Vec<Clause>)>),
    /// An operator before its operand.
    Op1(&'static str, Box<Expr>),
    /// An operator between its operands.
    Op2(&'static str, Box<Expr>, Box<Expr>),
    /// A call.
    Call(Box<Expr>, Vec<Expr>),
    /// `M:F`.
    Remote(Box<Expr>, Box<Expr>),
    /// `fun f/1`.
    FunLocal(Atom, u32),
    /// `fun M:F/A`.
    FunRemote(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `fun(…) -> … end`.
    Fun(Arc<Vec<Clause>>),
    /// `fun Name(…) -> … end`.
    NamedFun(Atom, Arc<Vec<Clause>>),
    /// A value that has no source: the result of a command.
    Value(Term),
}

/// A clause: of a function, a case, an if ….
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// Where it begins.
    pub loc: Loc,
    /// Its patterns.
    pub patterns: Vec<Expr>,
    /// Guards: one of them must hold, all tests of it.
    pub guards: Vec<Vec<Expr>>,
    /// What is done.
    pub body: Body,
}

/// The parts of `try`.
#[derive(Clone, PartialEq, Debug)]
pub struct Try {
    /// What is tried.
    pub body: Body,
    /// `of`.
    pub of: Vec<Clause>,
    /// `catch`.
    pub catch: Vec<Clause>,
    /// `after`.
    pub after: Body,
}

/// `Key => Value` or `Key := Value`.
#[derive(Clone, PartialEq, Debug)]
pub struct MapField {
    /// Where its arrow stands.
    pub loc: Loc,
    /// Whether it is `:=`.
    pub exact: bool,
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// `field = Value`; the field `_` stands for all others.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordField {
    /// Where it stands.
    pub loc: Loc,
    /// Its name: an atom, or the variable `_`.
    pub name: Expr,
    /// Its value.
    pub value: Expr,
}

/// A segment of a bit string.
#[derive(Clone, PartialEq, Debug)]
pub struct BinElement {
    /// Where it stands.
    pub loc: Loc,
    /// What is written or read.
    pub value: Expr,
    /// Its size.
    pub size: Option<Expr>,
    /// Its types, with units.
    pub types: Option<Vec<(Atom, Option<i64>)>>,
}

/// A part of a comprehension.
#[derive(Clone, PartialEq, Debug)]
pub enum Qualifier {
    /// A generator.
    Generate(Generator),
    /// Generators side by side: `A <- As && B <- Bs`.
    Zip(Loc, Vec<Generator>),
    /// A condition.
    Filter(Expr),
}

/// `Pattern <- Expr` and its kin.
#[derive(Clone, PartialEq, Debug)]
pub struct Generator {
    /// Where the arrow stands.
    pub loc: Loc,
    /// What it runs over.
    pub over: Over,
    /// Whether what does not match is an error (`<:-`).
    pub strict: bool,
    /// The pattern; for maps that of the key.
    pub pattern: Expr,
    /// For maps the pattern of the value.
    pub value: Option<Expr>,
    /// Where it comes from.
    pub from: Expr,
}

/// What a generator runs over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// A list.
    List,
    /// A bit string.
    Bits,
    /// A map.
    Map,
}

impl Expr {
    /// An expression.
    pub fn new(loc: Loc, kind: Kind) -> Expr {
        Expr { loc, kind }
    }

    /// An atom.
    pub fn atom(loc: Loc, text: &str) -> Expr {
        Expr::new(loc, Kind::Atom(Atom::new(text)))
    }

    /// The atom, if it is one.
    pub fn as_atom(&self) -> Option<&Atom> {
        if let Kind::Atom(atom) = &self.kind { Some(atom) } else { None }
    }

    /// The variable, if it is one.
    pub fn as_var(&self) -> Option<&Atom> {
        if let Kind::Var(name) = &self.kind { Some(name) } else { None }
    }

    /// Where the first of its tokens stands, parentheses left out.
    pub fn first(&self) -> Loc {
        let mut expr = self;
        loop {
            expr = match &expr.kind {
                Kind::Op2(_, left, _) | Kind::Remote(left, _) | Kind::MaybeMatch(left, _) => left,
                Kind::Map(Some(on), _) | Kind::Record(Some(on), ..) | Kind::RecordField(on, ..) => on,
                _ => return expr.loc,
            };
        }
    }
}
