//! One line of text: `~w`, and what single values look like in `~p`.

use std::fmt::{Result, Write};
use std::slice::Iter;

use super::Printer;
use super::text::{printable_binary, printable_list, write_atom, write_float, write_fun_atom, write_quoted};
use crate::binary::Binary;
use crate::ident::NodeId;
use crate::list::{Runs, Slice};
use crate::term::Term;

/// Writes terms on one line.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a> {
    pub(super) printer: &'a Printer<'a>,
    /// Whether printable lists and binaries are written as strings.
    pub(super) strings: bool,
}

/// What of a container is still to be written, and how deep: negative is without an end, at 1 come the dots.
enum Part<'a> {
    Terms {
        terms: Iter<'a, Term>,
        first: bool,
        depth: i64,
    },
    /// The pairs are all shown as deep as the first, but only so many.
    Pairs {
        pairs: Iter<'a, (Term, Term)>,
        value: Option<&'a Term>,
        first: bool,
        depth: i64,
        left: i64,
    },
    List {
        terms: Iter<'a, Term>,
        bytes: Iter<'a, u8>,
        runs: Option<Runs<'a>>,
        first: bool,
        depth: i64,
    },
}

impl<'a> Plain<'a> {
    /// As `~w` has it.
    pub(super) fn new(printer: &'a Printer<'a>) -> Plain<'a> {
        Plain { printer, strings: false }
    }
}

impl Plain<'_> {
    /// Writes a term however deep.
    pub(super) fn write(self, term: &Term, out: &mut impl Write) -> Result {
        let depth = self.printer.depth.map_or(-1, |depth| i64::try_from(depth).unwrap_or(-1));
        let Some(mut part) = self.begin(term, depth, out)? else { return Ok(()) };
        let mut outer = Vec::new();
        loop {
            match self.write_on(&mut part, out)? {
                Some(inner) => outer.push(std::mem::replace(&mut part, inner)),
                None => match outer.pop() {
                    Some(next) => part = next,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Writes on to the end of a container, or to a container inside it.
    fn write_on<'t, W: Write>(
        self,
        part: &mut Part<'t>,
        out: &mut W,
    ) -> std::result::Result<Option<Part<'t>>, std::fmt::Error> {
        match part {
            Part::Terms { terms, first, depth } => {
                for term in &mut *terms {
                    comma(first, out)?;
                    if *depth == 1 {
                        out.write_str("...")?;
                        break;
                    }
                    *depth -= 1;
                    if let Some(inner) = self.begin(term, *depth, out)? {
                        return Ok(Some(inner));
                    }
                }
                out.write_char('}')?;
            }
            Part::Pairs { pairs, value, first, depth, left } => loop {
                let term = if let Some(value) = value.take() {
                    out.write_str(" => ")?;
                    *left -= 1;
                    value
                } else if *left == 1 && !*first {
                    // Also when no pair is left.
                    out.write_str(",...}")?;
                    break;
                } else if let Some((key, next)) = pairs.next() {
                    comma(first, out)?;
                    *value = Some(next);
                    key
                } else {
                    out.write_char('}')?;
                    break;
                };
                if let Some(inner) = self.begin(term, *depth, out)? {
                    return Ok(Some(inner));
                }
            },
            Part::List { .. } => return self.write_list(part, out),
        }
        Ok(None)
    }

    /// As [`Plain::write_on`], for a list.
    fn write_list<'t, W: Write>(
        self,
        part: &mut Part<'t>,
        out: &mut W,
    ) -> std::result::Result<Option<Part<'t>>, std::fmt::Error> {
        let Part::List { terms, bytes, runs, first, depth } = part else { return Ok(None) };
        loop {
            for term in &mut *terms {
                if *depth == 1 {
                    return dots_and_close(out).map(|()| None);
                }
                if runs.is_some() {
                    comma(first, out)?;
                } else {
                    out.write_char('|')?;
                }
                *depth -= 1;
                if let Some(inner) = self.begin(term, *depth, out)? {
                    return Ok(Some(inner));
                }
            }
            for byte in &mut *bytes {
                if *depth == 1 {
                    return dots_and_close(out).map(|()| None);
                }
                comma(first, out)?;
                *depth -= 1;
                write!(out, "{byte}")?;
            }
            let Some(rest) = runs else {
                out.write_char(']')?;
                break;
            };
            match rest.next() {
                Some(Slice::Terms(more)) => *terms = more.iter(),
                Some(Slice::Bytes(more)) => *bytes = more.iter(),
                None => {
                    if let Some(tail) = rest.improper_tail() {
                        *terms = std::slice::from_ref(tail).iter();
                    }
                    *runs = None;
                }
            }
        }
        Ok(None)
    }

    /// Writes a single value, or the opening of a container.
    fn begin<'t>(
        self,
        term: &'t Term,
        depth: i64,
        out: &mut impl Write,
    ) -> std::result::Result<Option<Part<'t>>, std::fmt::Error> {
        match term {
            _ if depth == 0 => out.write_str("...")?,
            Term::Tuple(items) if depth == 1 && !items.is_empty() => out.write_str("{...}")?,
            Term::Tuple(items) => {
                out.write_char('{')?;
                return Ok(Some(Part::Terms { terms: items.iter(), first: true, depth }));
            }
            Term::Map(_) if depth == 1 => out.write_str("#{}")?,
            Term::Map(map) => {
                out.write_str("#{")?;
                let (pairs, left, depth) = (map.pairs().iter(), depth, depth - 1);
                return Ok(Some(Part::Pairs { pairs, value: None, first: true, depth, left }));
            }
            Term::List(list) if depth == 1 && !list.is_nil() => out.write_str("[...]")?,
            Term::List(list) => {
                if self.strings
                    && let Some(text) = printable_list(list, self.wide())
                {
                    write_quoted(out, text.chars(), '"', self.printer.unicode)?;
                    return Ok(None);
                }
                out.write_char('[')?;
                let runs = Some(list.runs());
                return Ok(Some(Part::List { terms: [].iter(), bytes: [].iter(), runs, first: true, depth }));
            }
            Term::Binary(binary) => self.binary(binary, depth, out)?,
            Term::Bits(bits) if depth > 0 && depth <= bits.bytes.len() as i64 => {
                numbers(&bits.bytes.as_slice()[..depth as usize - 1], out, "<<", "...>>")?;
            }
            other => self.value(other, out)?,
        }
        Ok(None)
    }

    /// Whether all of Unicode is printable, not only Latin-1.
    pub(super) fn wide(self) -> bool {
        self.printer.unicode && self.printer.unicode_strings
    }

    /// Writes what is neither a container nor a binary.
    pub(super) fn value(self, term: &Term, out: &mut impl Write) -> Result {
        match term {
            Term::Int(number) => write!(out, "{number}"),
            Term::Big(number) => write!(out, "{number}"),
            Term::Float(number) if number.is_finite() => write_float(out, *number),
            Term::Float(number) => write!(out, "{number}"),
            Term::Atom(atom) => write_atom(out, atom.as_str(), self.printer.unicode),
            Term::Pid(pid) => {
                out.write_char('<')?;
                self.node(&pid.node, out)?;
                write!(out, ".{}.{}>", pid.id, pid.serial)
            }
            Term::Port(port) => {
                out.write_str("#Port<")?;
                self.node(&port.node, out)?;
                write!(out, ".{}>", port.id)
            }
            Term::Ref(reference) => {
                out.write_str("#Ref<")?;
                self.node(reference.node(), out)?;
                match (reference.words(), self.printer.numbers.number(reference.node())) {
                    // Our own have three numbers, as those of a BEAM have.
                    (&[low, middle, high, id, serial], Some(0)) => {
                        let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
                        write!(out, ".{}.{}.{low}", wide(serial, id), wide(high, middle))?;
                    }
                    (words, _) => words.iter().rev().try_for_each(|word| write!(out, ".{word}"))?,
                }
                out.write_char('>')
            }
            Term::Fun(fun) => {
                write!(out, "#Fun<{}.{}.{}>", fun.module, fun.old_index, fun.old_uniq)
            }
            Term::Export(export) => {
                out.write_str("fun ")?;
                write_fun_atom(out, export.module.as_str())?;
                out.write_char(':')?;
                write_fun_atom(out, export.function.as_str())?;
                write!(out, "/{}", export.arity)
            }
            Term::Bits(bits) => {
                let (last, whole) = bits.bytes.as_slice().split_last().unwrap_or((&0, &[]));
                out.write_str("<<")?;
                whole.iter().try_for_each(|byte| write!(out, "{byte},"))?;
                write!(out, "{}:{}>>", last >> (8 - bits.last_bits), bits.last_bits)
            }
            Term::Local(local) => write!(out, "#Local<{} bytes>", local.0.len()),
            Term::Binary(_) | Term::Tuple(_) | Term::Map(_) | Term::List(_) => Ok(()),
        }
    }

    fn node(self, node: &NodeId, out: &mut impl Write) -> Result {
        match self.printer.numbers.number(node) {
            Some(number) => write!(out, "{number}"),
            None => out.write_str(node.name().as_str()),
        }
    }

    fn binary(self, binary: &Binary, depth: i64, out: &mut impl Write) -> Result {
        if depth > 0 && depth <= binary.len() as i64 {
            return numbers(&binary.as_slice()[..depth as usize - 1], out, "<<", "...>>");
        }
        out.write_str("<<")?;
        if self.strings
            && !binary.is_empty()
            && let Some((text, utf8)) = printable_binary(binary.as_slice(), self.printer.unicode, self.wide())
        {
            write_quoted(out, text.chars(), '"', true)?;
            return out.write_str(if utf8 { "/utf8>>" } else { ">>" });
        }
        for (at, byte) in binary.as_slice().iter().enumerate() {
            write!(out, "{}{byte}", if at == 0 { "" } else { "," })?;
        }
        out.write_str(">>")
    }
}

/// Goes before every element but the first.
fn comma(first: &mut bool, out: &mut impl Write) -> Result {
    if std::mem::take(first) { Ok(()) } else { out.write_char(',') }
}

/// What the end of a list that is too long looks like.
fn dots_and_close(out: &mut impl Write) -> Result {
    out.write_str("|...]")
}

/// The first numbers of a binary that is too long.
fn numbers(bytes: &[u8], out: &mut impl Write, before: &str, after: &str) -> Result {
    out.write_str(before)?;
    bytes.iter().try_for_each(|byte| write!(out, "{byte},"))?;
    out.write_str(after)
}
