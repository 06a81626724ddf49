//! A term cut into pieces of text whose lengths are known: what `~p` breaks into lines.

use std::slice::Iter;

use super::Printer;
use super::plain::Plain;
use super::text::{is_printable, printable_binary, printable_list, write_quoted};
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
    /// The elements, and the tail of an improper list or the dots.
    List(Vec<Tree>, Option<Box<Tree>>),
    /// Whether the first element is an atom (and not the only one), the elements, and the dots.
    Tuple(bool, Vec<Tree>, Option<Box<Tree>>),
    /// Keys and values in turn, and whether dots follow.
    Map(Vec<Pair>, bool),
    /// `#name`, the fields, and whether dots follow.
    Record(String, Vec<Pair>, bool),
    /// `...` in the place of what is not shown, after this character.
    Dots(char),
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

    fn dots(after: char) -> Tree {
        Tree { shape: Shape::Dots(after), length: 3 }
    }

    pub(super) fn text(text: String) -> Tree {
        Tree { length: text.chars().count() as i64, shape: Shape::Text(text) }
    }
}

impl Pair {
    pub(super) fn is_text(&self) -> bool {
        self.key.is_text() && self.value.is_text()
    }
}

/// A container whose elements are being measured, and how deep: negative is without an end, at 1 come the dots.
struct Open<'a> {
    kind: Kind<'a>,
    done: Vec<Tree>,
    depth: i64,
    dots: bool,
}

pub(super) enum Kind<'a> {
    Tuple {
        terms: Iter<'a, Term>,
        tagged: bool,
    },
    Record {
        name: String,
        fields: std::vec::IntoIter<String>,
        terms: Iter<'a, Term>,
    },
    /// The pairs are all shown as deep as the first, but only so many.
    Map {
        pairs: Iter<'a, (Term, Term)>,
        value: Option<&'a Term>,
        left: i64,
    },
    List {
        terms: Iter<'a, Term>,
        bytes: Iter<'a, u8>,
        runs: Runs<'a>,
        tail: bool,
    },
}

/// The tree of a term; `None` for one nested deeper than `PRETTY_LEVELS_MAX`.
pub(super) fn measure(term: &Term, printer: &Printer<'_>) -> Option<Tree> {
    let plain = Plain { printer, strings: printer.strings };
    let mut depth = printer.depth.map_or(-1, |depth| i64::try_from(depth).unwrap_or(-1));
    if depth == 0 {
        return Some(Tree::text("...".into()));
    }
    let mut levels: Vec<Open<'_>> = Vec::new();
    let mut next = term;
    loop {
        let mut tree = match begin(next, depth, plain) {
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
                open.done.push(tree);
            }
            match open.next() {
                Some(term) => {
                    next = term;
                    depth = open.depth;
                    break;
                }
                None => tree = levels.pop().map(Open::close),
            }
        }
    }
}

/// The piece for a single value; or a container to open.
fn begin<'a>(term: &'a Term, depth: i64, plain: Plain<'_>) -> Result<Option<Tree>, Open<'a>> {
    let mut out = String::new();
    let open = |kind| Err(Open { kind, done: Vec::new(), depth, dots: false });
    match term {
        Term::Tuple(items) if items.is_empty() => out.push_str("{}"),
        Term::Tuple(_) if depth == 1 => out.push_str("{...}"),
        Term::Tuple(items) => {
            if let Some(record) = super::record::of(items, plain.printer) {
                return Err(Open { kind: record, done: Vec::new(), depth: depth - 1, dots: false });
            }
            let tagged = items.len() > 1 && items[0].as_atom().is_some();
            return open(Kind::Tuple { terms: items.iter(), tagged });
        }
        Term::Map(map) if map.is_empty() => out.push_str("#{}"),
        Term::Map(_) if depth == 1 => out.push_str("#{...}"),
        Term::Map(map) => {
            let kind = Kind::Map { pairs: map.pairs().iter(), value: None, left: depth };
            return Err(Open { kind, done: Vec::new(), depth: depth - 1, dots: false });
        }
        Term::List(list) if list.is_nil() => out.push_str("[]"),
        Term::List(list) => match printable_list(list, plain.wide()) {
            Some(text) if plain.strings && depth != 1 => {
                let _ = write_quoted(&mut out, text.chars(), '"', plain.printer.unicode);
            }
            _ => {
                let (terms, bytes) = ([].iter(), [].iter());
                return open(Kind::List { terms, bytes, runs: list.runs(), tail: false });
            }
        },
        Term::Binary(binary) if binary.is_empty() => out.push_str("<<>>"),
        Term::Binary(_) | Term::Bits(_) if depth == 1 => out.push_str("<<...>>"),
        Term::Binary(binary) => {
            return Ok(Some(binary_tree(binary.as_slice(), depth, plain)));
        }
        Term::Bits(bits) => {
            let (last, whole) = bits.bytes.as_slice().split_last().unwrap_or((&0, &[]));
            let mut numbers: Vec<String> = whole.iter().map(u8::to_string).collect();
            numbers.push(format!("{}:{}", last >> (8 - bits.last_bits), bits.last_bits));
            return Ok(Some(bytes_tree(numbers, depth)));
        }
        other => {
            let _ = plain.value(other, &mut out);
        }
    }
    Ok(Some(Tree::text(out)))
}

fn binary_tree(bytes: &[u8], depth: i64, plain: Plain<'_>) -> Tree {
    if plain.strings
        && let Some(shown) = string_of(bytes, depth, plain)
    {
        let mut out = String::from("<<");
        let _ = write_quoted(&mut out, shown.text.chars(), '"', true);
        out.push_str(if shown.utf8 { "/utf8" } else { "" });
        out.push_str(if shown.whole { ">>" } else { "...>>" });
        return Tree::text(out);
    }
    bytes_tree(bytes.iter().map(u8::to_string).collect(), depth)
}

/// A binary that is shown as a string, or as the beginning of one.
struct Shown {
    text: String,
    utf8: bool,
    whole: bool,
}

/// One level of depth is four characters of a string (`io_lib_pretty:printable_bin`, quirks included).
fn string_of(bytes: &[u8], depth: i64, plain: Plain<'_>) -> Option<Shown> {
    let (utf8, wide) = (plain.printer.unicode, plain.wide());
    if depth < 0 {
        let (text, utf8) = printable_binary(bytes, utf8, wide)?;
        return Some(Shown { text, utf8, whole: true });
    }
    let levels = depth - 1;
    let most = usize::try_from(levels.saturating_mul(4)).unwrap_or(usize::MAX).min(bytes.len());
    let enough = |length: usize| levels > 0 && length as i64 >= levels;
    if utf8 && let Some(text) = valid_start(bytes, most) {
        let text: String = text.chars().take(most).take_while(|&c| is_printable(c, wide)).collect();
        let (length, whole) = (text.chars().count(), text.len() == bytes.len());
        let utf8 = text.len() != length;
        return (whole || enough(length)).then_some(Shown { text, utf8, whole });
    }
    let printable = bytes.iter().take(most).map(|&byte| char::from(byte));
    let text: String = printable.take_while(|&c| is_printable(c, false)).collect();
    let length = text.chars().count();
    let whole = length == bytes.len();
    // What lies all within the first twenty characters needs not be long.
    let short = length == most && most <= 20;
    (whole || short || enough(length)).then_some(Shown { text, utf8: false, whole })
}

/// The text that a binary begins with, when its first `most` characters are valid.
fn valid_start(bytes: &[u8], most: usize) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?;
            (text.chars().count() >= most).then_some(text)
        }
    }
}

fn bytes_tree(mut numbers: Vec<String>, depth: i64) -> Tree {
    if depth > 0 && depth <= numbers.len() as i64 {
        numbers.truncate(depth as usize - 1);
        numbers.push("...".into());
    }
    let length = numbers.iter().map(|number| number.len() as i64 + 1).sum::<i64>() + 3;
    Tree { shape: Shape::Bytes(numbers), length }
}

impl<'a> Open<'a> {
    /// The next element that is to be measured.
    fn next(&mut self) -> Option<&'a Term> {
        let Open { kind, done, depth, dots } = self;
        match kind {
            Kind::Tuple { terms, .. } | Kind::Record { terms, .. } => {
                terms.next().filter(|_| enter(depth, dots))
            }
            Kind::Map { pairs, value, left } => value.take().or_else(|| {
                let (key, next) = pairs.next().filter(|_| enter(left, dots))?;
                *value = Some(next);
                Some(key)
            }),
            Kind::List { terms, bytes, runs, tail } => loop {
                if *dots {
                    return None;
                }
                if let Some(term) = terms.next() {
                    return enter(depth, dots).then_some(term);
                }
                for byte in &mut *bytes {
                    if !enter(depth, dots) {
                        return None;
                    }
                    done.push(Tree::text(byte.to_string()));
                }
                if *tail {
                    return None;
                }
                match runs.next() {
                    Some(Slice::Terms(more)) => *terms = more.iter(),
                    Some(Slice::Bytes(more)) => *bytes = more.iter(),
                    None => {
                        *tail = true;
                        return runs.improper_tail().filter(|_| enter(depth, dots));
                    }
                }
            },
        }
    }

    fn close(self) -> Tree {
        let Open { kind, mut done, dots, .. } = self;
        let mut length = done.iter().map(|tree| tree.length + 1).sum::<i64>() + 1;
        if dots {
            length += 4;
        }
        match kind {
            Kind::Tuple { tagged, .. } => {
                Tree { length, shape: Shape::Tuple(tagged, done, dots.then(|| Box::new(Tree::dots(',')))) }
            }
            Kind::Record { name, fields, .. } => super::record::close(name, fields, done, dots),
            Kind::List { runs, tail, .. } => {
                let tail = if dots {
                    Some(Tree::dots('|'))
                } else if tail && runs.improper_tail().is_some() {
                    done.pop()
                } else {
                    None
                };
                Tree { length, shape: Shape::List(done, tail.map(Box::new)) }
            }
            Kind::Map { .. } => {
                let mut pairs = Vec::with_capacity(done.len() / 2);
                let mut done = done.into_iter();
                while let (Some(key), Some(value)) = (done.next(), done.next()) {
                    let length = key.length + 4 + value.length;
                    pairs.push(Pair { key, value, length });
                }
                let more = if dots { 4 } else { 0 };
                let length = pairs.iter().map(|pair| pair.length + 1).sum::<i64>() + 2 + more;
                Tree { length, shape: Shape::Map(pairs, dots) }
            }
        }
    }
}

/// Whether one more element is shown.
fn enter(left: &mut i64, dots: &mut bool) -> bool {
    *dots = *left == 1;
    *left -= 1;
    !*dots
}
