//! A term cut into pieces of text whose lengths are known: what `~p` breaks into lines.

use std::slice::Iter;

use super::Printer;
use super::plain::Plain;
use super::text::{printable_binary, printable_list, write_quoted};
use crate::limits::PRETTY_LEVELS_MAX;
use crate::list::{Runs, Slice};
use crate::term::Term;

/// A piece, and how many characters it has on one line.
pub(super) struct Tree {
    pub(super) shape: Shape,
    pub(super) length: i64,
}

pub(super) enum Shape {
    /// What is never broken.
    Text(String),
    /// The numbers of a binary, with commas between them.
    Bytes(Vec<String>),
    /// The elements, and the tail of an improper list.
    List(Vec<Tree>, Option<Box<Tree>>),
    /// Whether the first element is an atom (and not the only one), and the elements.
    Tuple(bool, Vec<Tree>),
    /// Keys and values in turn.
    Map(Vec<Pair>),
}

pub(super) struct Pair {
    pub(super) key: Tree,
    pub(super) value: Tree,
    pub(super) length: i64,
}

impl Tree {
    pub(super) fn is_text(&self) -> bool {
        matches!(self.shape, Shape::Text(_))
    }

    fn text(text: String) -> Tree {
        Tree { length: text.chars().count() as i64, shape: Shape::Text(text) }
    }
}

impl Pair {
    pub(super) fn is_text(&self) -> bool {
        self.key.is_text() && self.value.is_text()
    }
}

/// A container whose elements are being measured.
enum Open<'a> {
    Tuple { terms: Iter<'a, Term>, tagged: bool, done: Vec<Tree> },
    Map { pairs: Iter<'a, (Term, Term)>, value: Option<&'a Term>, done: Vec<Tree> },
    List { terms: Iter<'a, Term>, bytes: Iter<'a, u8>, runs: Runs<'a>, tail: bool, done: Vec<Tree> },
}

/// The tree of a term; `None` for one nested deeper than `PRETTY_LEVELS_MAX`.
pub(super) fn measure(term: &Term, printer: &Printer<'_>) -> Option<Tree> {
    let plain = Plain { printer, strings: printer.strings };
    let mut levels: Vec<Open<'_>> = Vec::new();
    let mut next = term;
    loop {
        let mut tree = match begin(next, plain) {
            Ok(tree) => tree,
            Err(open) => {
                if levels.len() == PRETTY_LEVELS_MAX {
                    return None;
                }
                levels.push(open);
                None
            }
        };
        loop {
            let Some(open) = levels.last_mut() else { return tree };
            if let Some(tree) = tree.take() {
                open.done().push(tree);
            }
            match open.next() {
                Some(term) => {
                    next = term;
                    break;
                }
                None => tree = levels.pop().map(Open::close),
            }
        }
    }
}

/// The piece for a single value; or a container to open.
fn begin<'a>(term: &'a Term, plain: Plain<'_>) -> Result<Option<Tree>, Open<'a>> {
    let mut out = String::new();
    match term {
        Term::Tuple(items) if items.is_empty() => out.push_str("{}"),
        Term::Tuple(items) => {
            let tagged = items.len() > 1 && items[0].as_atom().is_some();
            return Err(Open::Tuple { terms: items.iter(), tagged, done: Vec::new() });
        }
        Term::Map(map) if map.is_empty() => out.push_str("#{}"),
        Term::Map(map) => {
            return Err(Open::Map { pairs: map.pairs().iter(), value: None, done: Vec::new() });
        }
        Term::List(list) if list.is_nil() => out.push_str("[]"),
        Term::List(list) => match printable_list(list, plain.wide()) {
            Some(text) if plain.strings => {
                let _ = write_quoted(&mut out, text.chars(), '"', plain.printer.unicode);
            }
            _ => {
                let runs = list.runs();
                let (terms, bytes) = ([].iter(), [].iter());
                return Err(Open::List { terms, bytes, runs, tail: false, done: Vec::new() });
            }
        },
        Term::Binary(binary) if binary.is_empty() => out.push_str("<<>>"),
        Term::Binary(binary) => {
            return Ok(Some(binary_tree(binary.as_slice(), plain)));
        }
        Term::Bits(bits) => {
            let (last, whole) = bits.bytes.as_slice().split_last().unwrap_or((&0, &[]));
            let mut numbers: Vec<String> = whole.iter().map(u8::to_string).collect();
            numbers.push(format!("{}:{}", last >> (8 - bits.last_bits), bits.last_bits));
            return Ok(Some(bytes_tree(numbers)));
        }
        other => {
            let _ = plain.value(other, &mut out);
        }
    }
    Ok(Some(Tree::text(out)))
}

fn binary_tree(bytes: &[u8], plain: Plain<'_>) -> Tree {
    if plain.strings
        && let Some((text, utf8)) = printable_binary(bytes, plain.printer.unicode, plain.wide())
    {
        let mut out = String::from("<<");
        let _ = write_quoted(&mut out, text.chars(), '"', true);
        out.push_str(if utf8 { "/utf8>>" } else { ">>" });
        return Tree::text(out);
    }
    bytes_tree(bytes.iter().map(u8::to_string).collect())
}

fn bytes_tree(numbers: Vec<String>) -> Tree {
    let length = numbers.iter().map(|number| number.len() as i64 + 1).sum::<i64>() + 3;
    Tree { shape: Shape::Bytes(numbers), length }
}

impl<'a> Open<'a> {
    fn done(&mut self) -> &mut Vec<Tree> {
        match self {
            Open::Tuple { done, .. } | Open::Map { done, .. } | Open::List { done, .. } => done,
        }
    }

    /// The next element that is to be measured.
    fn next(&mut self) -> Option<&'a Term> {
        match self {
            Open::Tuple { terms, .. } => terms.next(),
            Open::Map { pairs, value, .. } => value.take().or_else(|| {
                let (key, next) = pairs.next()?;
                *value = Some(next);
                Some(key)
            }),
            Open::List { terms, bytes, runs, tail, done } => loop {
                if let Some(term) = terms.next() {
                    return Some(term);
                }
                done.extend(bytes.map(|byte| Tree::text(byte.to_string())));
                if *tail {
                    return None;
                }
                match runs.next() {
                    Some(Slice::Terms(more)) => *terms = more.iter(),
                    Some(Slice::Bytes(more)) => *bytes = more.iter(),
                    None => {
                        *tail = true;
                        return runs.improper_tail();
                    }
                }
            },
        }
    }

    fn close(self) -> Tree {
        let lengths = |trees: &[Tree]| trees.iter().map(|tree| tree.length + 1).sum::<i64>();
        match self {
            Open::Tuple { tagged, done, .. } => {
                Tree { length: lengths(&done) + 1, shape: Shape::Tuple(tagged, done) }
            }
            Open::List { runs, mut done, .. } => {
                let length = lengths(&done) + 1;
                let tail = runs.improper_tail().and_then(|_| done.pop()).map(Box::new);
                Tree { length, shape: Shape::List(done, tail) }
            }
            Open::Map { done, .. } => {
                let mut pairs = Vec::with_capacity(done.len() / 2);
                let mut done = done.into_iter();
                while let (Some(key), Some(value)) = (done.next(), done.next()) {
                    let length = key.length + 4 + value.length;
                    pairs.push(Pair { key, value, length });
                }
                let length = pairs.iter().map(|pair| pair.length + 1).sum::<i64>() + 2;
                Tree { length, shape: Shape::Map(pairs) }
            }
        }
    }
}
