//! `erlang`: from one type to another.

use bytes::Bytes;
use runtime::{Ctx, Node};
use term::print::{NodeNumbers, Printer};
use term::{Atom, BigInt, NodeId, Term};

use super::super::{Answer, Fault, Module, args};
use super::floats;
use crate::limits::FUNCTION_INTEGER_BITS_MAX;
use args::{atom, binary, bytes, charlist, int, iodata};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("atom_to_list", 1, |_, a| Ok(Term::string(atom(&a[0])?.as_str()))),
        ("atom_to_binary", 1, |_, a| Ok(Term::binary(atom(&a[0])?.as_str()))),
        ("atom_to_binary", 2, |_, a| encoded(atom(&a[0])?.as_str(), &a[1])),
        ("list_to_atom", 1, |_, a| new_atom(&charlist(&a[0])?)),
        ("list_to_existing_atom", 1, |_, a| new_atom(&charlist(&a[0])?)),
        ("binary_to_atom", 1, |_, a| new_atom(utf8(&a[0])?)),
        ("binary_to_atom", 2, |_, a| new_atom(&decoded(&a[0], &a[1])?)),
        ("binary_to_existing_atom", 1, |_, a| new_atom(utf8(&a[0])?)),
        ("binary_to_existing_atom", 2, |_, a| new_atom(&decoded(&a[0], &a[1])?)),
        ("integer_to_list", 1, |_, a| Ok(Term::string(&integer(&a[0], 10)?))),
        ("integer_to_list", 2, |_, a| Ok(Term::string(&integer(&a[0], base(&a[1])?)?))),
        ("integer_to_binary", 1, |_, a| Ok(Term::binary(&integer(&a[0], 10)?))),
        ("integer_to_binary", 2, |_, a| Ok(Term::binary(&integer(&a[0], base(&a[1])?)?))),
        ("list_to_integer", 1, |_, a| read_integer(&charlist(&a[0])?, 10)),
        ("list_to_integer", 2, |_, a| read_integer(&charlist(&a[0])?, base(&a[1])?)),
        ("binary_to_integer", 1, |_, a| read_integer(utf8(&a[0])?, 10)),
        ("binary_to_integer", 2, |_, a| read_integer(utf8(&a[0])?, base(&a[1])?)),
        ("float_to_list", 1, |_, a| Ok(Term::string(&floats::scientific(float(&a[0])?, 20)))),
        ("float_to_list", 2, |_, a| Ok(Term::string(&floats::with_options(float(&a[0])?, &a[1])?))),
        ("float_to_binary", 1, |_, a| Ok(Term::binary(&floats::scientific(float(&a[0])?, 20)))),
        ("float_to_binary", 2, |_, a| Ok(Term::binary(&floats::with_options(float(&a[0])?, &a[1])?))),
        ("list_to_float", 1, |_, a| Ok(Term::Float(floats::read(&charlist(&a[0])?)?))),
        ("binary_to_float", 1, |_, a| Ok(Term::Float(floats::read(utf8(&a[0])?)?))),
        ("list_to_binary", 1, |_, a| args::list_of(&a[0], iodata)),
        ("iolist_to_binary", 1, |_, a| Ok(bytes(iodata(&a[0])?))),
        ("iolist_size", 1, |_, a| Ok(args::number(iodata(&a[0])?.len()))),
        ("binary_to_list", 1, |_, a| Ok(list_of_bytes(binary(&a[0])?))),
        ("binary_to_list", 3, |_, a| {
            let whole = binary(&a[0])?;
            let (from, to) = (args::count(&a[1])?, args::count(&a[2])?);
            let part =
                from.checked_sub(1).and_then(|from| whole.get(from..to)).filter(|part| !part.is_empty());
            Ok(list_of_bytes(part.ok_or(Fault::Unfit)?))
        }),
        ("list_to_tuple", 1, |_, a| Ok(Term::Tuple(args::items(&a[0])?.into()))),
        ("tuple_to_list", 1, |_, a| Ok(Term::list(args::tuple(&a[0])?.iter().cloned()))),
        ("pid_to_list", 1, |ctx, a| args::pid(&a[0]).map(|_| shown(ctx, &a[0]))),
        ("ref_to_list", 1, |ctx, a| match &a[0] {
            Term::Ref(_) => Ok(shown(ctx, &a[0])),
            _ => Err(Fault::Unfit),
        }),
        ("port_to_list", 1, |ctx, a| match &a[0] {
            Term::Port(_) => Ok(shown(ctx, &a[0])),
            _ => Err(Fault::Unfit),
        }),
        ("fun_to_list", 1, |ctx, a| match &a[0] {
            Term::Fun(_) | Term::Export(_) => Ok(shown(ctx, &a[0])),
            _ => Err(Fault::Unfit),
        }),
        ("list_to_pid", 1, |ctx, a| read_pid(ctx, &charlist(&a[0])?)),
        ("term_to_binary", 1, |_, a| Ok(bytes(term::encode(&a[0])))),
        ("term_to_binary", 2, |_, a| args::items(&a[1]).map(|_| bytes(term::encode(&a[0])))),
        ("term_to_iovec", 1, |_, a| Ok(Term::list([bytes(term::encode(&a[0]))]))),
        ("external_size", 1, |_, a| Ok(args::number(term::encode(&a[0]).len()))),
        ("binary_to_term", 1, |_, a| read_term(binary(&a[0])?)),
        // There is no table of atoms here that anybody could fill: everything is safe.
        ("binary_to_term", 2, |_, a| args::items(&a[1]).and_then(|_| read_term(binary(&a[0])?))),
    ],
    far: &[],
};

fn new_atom(text: &str) -> Answer {
    if text.chars().count() > term::limits::ATOM_CHARACTERS_MAX {
        return Err(args::system_limit());
    }
    Atom::try_new(text).map(Term::Atom).ok_or(Fault::Unfit)
}

fn utf8(term: &Term) -> Result<&str, Fault> {
    std::str::from_utf8(binary(term)?).map_err(|_| Fault::Unfit)
}

fn encoded(text: &str, encoding: &Term) -> Answer {
    match atom(encoding)?.as_str() {
        "utf8" | "unicode" => Ok(Term::binary(text)),
        "latin1" => {
            let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
            latin1.map(bytes).ok_or(Fault::Unfit)
        }
        _ => Err(Fault::Unfit),
    }
}

fn decoded(term: &Term, encoding: &Term) -> Result<String, Fault> {
    match atom(encoding)?.as_str() {
        "utf8" | "unicode" => utf8(term).map(str::to_owned),
        "latin1" => Ok(binary(term)?.iter().map(|byte| char::from(*byte)).collect()),
        _ => Err(Fault::Unfit),
    }
}

fn base(term: &Term) -> Result<u32, Fault> {
    u32::try_from(int(term)?).ok().filter(|base| (2..=36).contains(base)).ok_or(Fault::Unfit)
}

fn integer(term: &Term, base: u32) -> Result<String, Fault> {
    let number = args::big(term)?;
    if number.bits() > FUNCTION_INTEGER_BITS_MAX {
        return Err(args::system_limit());
    }
    Ok(number.to_str_radix(base).to_uppercase())
}

fn read_integer(text: &str, base: u32) -> Answer {
    if text.len() as u64 > FUNCTION_INTEGER_BITS_MAX / 4 {
        return Err(args::system_limit());
    }
    // Rust allows `_` between digits, Erlang does not.
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return Err(Fault::Unfit);
    }
    BigInt::parse_bytes(text.as_bytes(), base).map(Term::from).ok_or(Fault::Unfit)
}

fn float(term: &Term) -> Result<f64, Fault> {
    if let Term::Float(float) = term { Ok(*float) } else { Err(Fault::Unfit) }
}

fn list_of_bytes(bytes: &[u8]) -> Term {
    Term::List(term::List::from_bytes(Bytes::copy_from_slice(bytes)))
}

fn read_term(external: &[u8]) -> Answer {
    term::decode(&Bytes::copy_from_slice(external)).map_err(|_| Fault::Unfit)
}

struct Numbers<'a>(&'a Node);

impl NodeNumbers for Numbers<'_> {
    fn number(&self, node: &NodeId) -> Option<u32> {
        Some(self.0.node_number(node))
    }
}

/// An identifier as this node shows it.
pub(in super::super) fn shown(ctx: &Ctx, term: &Term) -> Term {
    Term::string(&Printer::new(&Numbers(ctx.node())).write(term))
}

/// `<0.12.3>`: a process of this node; the numbers that we give to others mean nothing to who asks.
fn read_pid(ctx: &Ctx, text: &str) -> Answer {
    let numbers = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).ok_or(Fault::Unfit)?;
    let numbers: Vec<u32> = numbers
        .split('.')
        .map(|number| number.parse::<u32>().map_err(|_| Fault::Unfit))
        .collect::<Result<_, _>>()?;
    match numbers[..] {
        [0, id, serial] => Ok(Term::Pid(term::Pid { node: ctx.node().id().clone(), id, serial })),
        _ => Err(Fault::Unfit),
    }
}
