//! Terms as text, the way Erlang's `~w` and `~p` print them.

mod layout;
mod plain;
mod record;
mod text;
mod tree;

use std::fmt;

use crate::atom::Atom;
use crate::ident::NodeId;
use crate::list::List;
use crate::map::Map;
use crate::term::Term;
use crate::tuple::Tuple;
use plain::Plain;
pub(crate) use text::RESERVED;
pub use text::{write_atom, write_float};

/// Which number the printed identifiers of a node start with: `<9871.84.0>`.
pub trait NodeNumbers {
    /// 0 for the node itself, another number for each of its peers. `None` shows the node's name instead.
    fn number(&self, node: &NodeId) -> Option<u32>;
}

/// Shows every node by its name, as `<ketchup@host.84.0>`: for where no node stands by to number its peers.
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl NodeNumbers for Names {
    fn number(&self, _: &NodeId) -> Option<u32> {
        None
    }
}

/// Which tuples are records.
pub trait RecordNames {
    /// The names of the fields of this record, when there is one of this name with so many.
    fn fields(&self, name: &Atom, count: usize) -> Option<Vec<Atom>>;
}

/// How to print. The defaults are those of `io:format("~p")`.
#[derive(Clone, Copy)]
pub struct Printer<'a> {
    /// What the numbers of identifiers start with.
    pub numbers: &'a dyn NodeNumbers,
    /// As the modifier `t` has it (`~tw`, `~tp`): characters from 256 on are shown, not escaped.
    pub unicode: bool,
    /// As a node started with `+pc unicode` has it: lists and binaries of any printable text are shown as
    /// strings by [`Printer::pretty`] with `unicode`, not only those of Latin-1.
    pub unicode_strings: bool,
    /// Whether [`Printer::pretty`] shows lists of printable characters as strings (`~lp` does not).
    pub strings: bool,
    /// The column, counted from 1, in which the term begins.
    pub column: usize,
    /// In which column lines end. 0 puts everything on one line, as `~0p` does.
    pub line_length: usize,
    /// How many characters a line may have, its indentation not counted. The shell allows 60.
    pub line_characters: Option<usize>,
    /// How deep, and how many elements of each container, are shown before `...`, as `~W` and `~P` have it.
    pub depth: Option<usize>,
    /// What [`Printer::pretty`] shows as `#name{field = Value}`, as a shell that knows records does.
    pub records: Option<&'a dyn RecordNames>,
}

impl<'a> Printer<'a> {
    /// A printer with the defaults.
    pub fn new(numbers: &'a dyn NodeNumbers) -> Printer<'a> {
        Printer {
            numbers,
            unicode: false,
            unicode_strings: false,
            strings: true,
            column: 1,
            line_length: 80,
            line_characters: None,
            depth: None,
            records: None,
        }
    }

    /// The printer, with the modifier `t`.
    #[must_use]
    pub fn unicode(self) -> Printer<'a> {
        Printer { unicode: true, ..self }
    }

    /// The term as `~w` prints it, on one line, strings as lists of numbers.
    pub fn write(&self, term: &Term) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = Plain::new(self).write(term, &mut out);
        out
    }

    /// The term as `~p` prints it: broken into lines where it is too long for one, strings as strings.
    ///
    /// A term nested deeper than [`PRETTY_LEVELS_MAX`](crate::limits::PRETTY_LEVELS_MAX) is put on one line.
    pub fn pretty(&self, term: &Term) -> String {
        match tree::measure(term, self) {
            Some(tree) => layout::lay_out(&tree, self),
            None => {
                let mut out = String::new();
                let _ = Plain { strings: self.strings, ..Plain::new(self) }.write(term, &mut out);
                out
            }
        }
    }
}

impl fmt::Debug for Printer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").finish_non_exhaustive()
    }
}

/// As `~tw` prints it, nodes by their names; `{:#}` as `~tp` does.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printer = Printer::new(&Names).unicode();
        match f.alternate() {
            true => f.write_str(&printer.pretty(self)),
            false => Plain::new(&printer).write(self, f),
        }
    }
}

/// On one line, strings as strings.
impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printer = Printer { unicode_strings: true, ..Printer::new(&Names).unicode() };
        Plain { strings: true, ..Plain::new(&printer) }.write(self, f)
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Term::Tuple(self.clone()), f)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Term::Map(self.clone()), f)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Term::List(self.clone()), f)
    }
}

#[cfg(test)]
mod tests;
