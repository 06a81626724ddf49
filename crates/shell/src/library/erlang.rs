//! `erlang`: operators, and functions that only compute.

use trunkline::term::{Export, List, Map, Term, Tuple};

use super::Row;
use super::args::{atom, boolean, int, iodata, items, list, size, tuple};
use crate::limits::LIST_ELEMENTS_MAX;
use crate::machine::bits::{BitBuffer, Bits};
use crate::machine::code::Native::Pure;
use crate::machine::numbers;
use crate::raise::{Raise, Result};

pub(super) const OPERATORS: &[Row] = &[
    ("+", 2, Pure(numbers::add)),
    ("-", 2, Pure(numbers::subtract)),
    ("*", 2, Pure(numbers::multiply)),
    ("/", 2, Pure(numbers::divide)),
    ("div", 2, Pure(numbers::div)),
    ("rem", 2, Pure(numbers::rem)),
    ("band", 2, Pure(numbers::band)),
    ("bor", 2, Pure(numbers::bor)),
    ("bxor", 2, Pure(numbers::bxor)),
    ("bsl", 2, Pure(numbers::bsl)),
    ("bsr", 2, Pure(numbers::bsr)),
    ("bnot", 1, Pure(numbers::bnot)),
    ("+", 1, Pure(numbers::plus)),
    ("-", 1, Pure(numbers::negate)),
    ("==", 2, Pure(|a| Ok(boolean(trunkline::term::equal_by_value(&a[0], &a[1]))))),
    ("/=", 2, Pure(|a| Ok(boolean(!trunkline::term::equal_by_value(&a[0], &a[1]))))),
    ("=:=", 2, Pure(|a| Ok(boolean(a[0] == a[1])))),
    ("=/=", 2, Pure(|a| Ok(boolean(a[0] != a[1])))),
    ("<", 2, Pure(|a| Ok(boolean(by_value(a).is_lt())))),
    (">", 2, Pure(|a| Ok(boolean(by_value(a).is_gt())))),
    ("=<", 2, Pure(|a| Ok(boolean(by_value(a).is_le())))),
    (">=", 2, Pure(|a| Ok(boolean(by_value(a).is_ge())))),
    ("and", 2, Pure(|a| logic(a, |x, y| x && y))),
    ("or", 2, Pure(|a| logic(a, |x, y| x || y))),
    ("xor", 2, Pure(|a| logic(a, |x, y| x != y))),
    ("not", 1, Pure(|a| Ok(boolean(!truth(&a[0])?)))),
    ("++", 2, Pure(append)),
    ("--", 2, Pure(subtract)),
];

pub(super) const TABLE: &[Row] = &[
    ("append", 2, Pure(append)),
    ("subtract", 2, Pure(subtract)),
    (
        "append_element",
        2,
        Pure(|a| {
            let mut items = tuple(&a[0])?.to_vec();
            items.push(a[1].clone());
            Ok(Term::Tuple(items.into()))
        }),
    ),
    (
        "setelement",
        3,
        Pure(|a| {
            let (at, mut items) = (size(&a[0])?, tuple(&a[1])?.to_vec());
            let place = at.checked_sub(1).and_then(|at| items.get_mut(at)).ok_or_else(Raise::badarg)?;
            *place = a[2].clone();
            Ok(Term::Tuple(items.into()))
        }),
    ),
    (
        "insert_element",
        3,
        Pure(|a| {
            let (at, mut items) = (size(&a[0])?, tuple(&a[1])?.to_vec());
            if at == 0 || at > items.len() + 1 {
                return Err(Raise::badarg());
            }
            items.insert(at - 1, a[2].clone());
            Ok(Term::Tuple(items.into()))
        }),
    ),
    (
        "delete_element",
        2,
        Pure(|a| {
            let (at, mut items) = (size(&a[0])?, tuple(&a[1])?.to_vec());
            if at == 0 || at > items.len() {
                return Err(Raise::badarg());
            }
            items.remove(at - 1);
            Ok(Term::Tuple(items.into()))
        }),
    ),
    (
        "make_tuple",
        2,
        Pure(|a| {
            let count = size(&a[0])?;
            if count > (1 << 24) - 1 {
                return Err(Raise::badarg());
            }
            Ok(Term::Tuple(vec![a[1].clone(); count].into()))
        }),
    ),
    (
        "make_tuple",
        3,
        Pure(|a| {
            let count = size(&a[0])?;
            if count > (1 << 24) - 1 {
                return Err(Raise::badarg());
            }
            let mut all = vec![a[1].clone(); count];
            for pair in items(&a[2])? {
                match tuple(&pair)? {
                    [at, value] => {
                        let at = size(at)?.checked_sub(1).and_then(|at| all.get_mut(at));
                        *at.ok_or_else(Raise::badarg)? = value.clone();
                    }
                    _ => return Err(Raise::badarg()),
                }
            }
            Ok(Term::Tuple(all.into()))
        }),
    ),
    ("tuple_to_list", 1, Pure(|a| Ok(Term::list(tuple(&a[0])?.iter().cloned())))),
    ("list_to_tuple", 1, Pure(|a| Ok(Term::Tuple(Tuple::from(items(&a[0])?))))),
    (
        "make_fun",
        3,
        Pure(|a| {
            let arity = u8::try_from(int(&a[2])?).map_err(|_| Raise::badarg())?;
            let export = Export { module: atom(&a[0])?.clone(), function: atom(&a[1])?.clone(), arity };
            Ok(Term::Export(std::sync::Arc::new(export)))
        }),
    ),
    (
        "split_binary",
        2,
        Pure(|a| {
            let bits = Bits::of(&a[0]).ok_or_else(Raise::badarg)?;
            let at = size(&a[1])?.checked_mul(8).ok_or_else(Raise::badarg)?;
            let (first, rest) = bits.split(at).ok_or_else(Raise::badarg)?;
            Ok(Term::tuple([first.to_term(), rest.to_term()]))
        }),
    ),
    ("iolist_to_binary", 1, Pure(|a| Ok(Term::Binary(iodata(&a[0])?.into())))),
    (
        "iolist_to_iovec",
        1,
        Pure(|a| {
            let bytes = iodata(&a[0])?;
            Ok(if bytes.is_empty() { Term::NIL } else { Term::list([Term::Binary(bytes.into())]) })
        }),
    ),
    ("iolist_size", 1, Pure(|a| Ok(Term::Int(iodata(&a[0])?.len() as i64)))),
    ("list_to_bitstring", 1, Pure(list_to_bitstring)),
    (
        "bitstring_to_list",
        1,
        Pure(|a| {
            let bits = Bits::of(&a[0]).ok_or_else(Raise::badarg)?;
            let (whole, odd) = bits.split(bits.length / 8 * 8).ok_or_else(Raise::badarg)?;
            let mut all: Vec<Term> = whole.to_bytes().into_iter().map(|b| Term::Int(b.into())).collect();
            if odd.length > 0 {
                all.push(odd.to_term());
            }
            Ok(Term::list(all))
        }),
    ),
    (
        "fun_info",
        2,
        Pure(|a| {
            let info = fun_info(&a[0])?;
            let value = super::keyfind(&a[1], &info).ok_or_else(Raise::badarg)?;
            Ok(Term::tuple([a[1].clone(), value]))
        }),
    ),
    ("fun_info", 1, Pure(|a| fun_info(&a[0]))),
    (
        "fun_info_mfa",
        1,
        Pure(|a| {
            let info = fun_info(&a[0])?;
            let part = |key: &str| super::keyfind(&Term::atom(key), &info).ok_or_else(Raise::badarg);
            Ok(Term::tuple([part("module")?, part("name")?, part("arity")?]))
        }),
    ),
    (
        "is_builtin",
        3,
        Pure(|a| {
            let (module, function) = (atom(&a[0])?.as_str(), atom(&a[1])?.as_str());
            int(&a[2])?;
            let of_lists = ["member", "reverse", "keyfind", "keymember", "keysearch"];
            Ok(boolean(module == "erlang" || module == "lists" && of_lists.contains(&function)))
        }),
    ),
];

pub(super) fn by_value(a: &[Term]) -> std::cmp::Ordering {
    trunkline::term::compare(&a[0], &a[1], trunkline::term::Numbers::ByValue)
}

fn truth(term: &Term) -> Result<bool> {
    match (term.is_atom("true"), term.is_atom("false")) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(Raise::badarg()),
    }
}

fn logic(a: &[Term], how: fn(bool, bool) -> bool) -> Result<Term> {
    Ok(boolean(how(truth(&a[0])?, truth(&a[1])?)))
}

/// `A ++ B`: the second may be anything.
pub(super) fn append(a: &[Term]) -> Result<Term> {
    let first = list(&a[0])?;
    if first.len() > LIST_ELEMENTS_MAX {
        return Err(Raise::named("system_limit"));
    }
    Ok(List::with_tail(first.iter().collect(), a[1].clone()))
}

/// `A -- B`: of each element of B the first one in A goes.
pub(super) fn subtract(a: &[Term]) -> Result<Term> {
    let (first, second) = (items(&a[0])?, items(&a[1])?);
    let mut gone: std::collections::BTreeMap<&Exact, usize> = std::collections::BTreeMap::new();
    let second: Vec<Exact> = second.into_iter().map(Exact).collect();
    for item in &second {
        *gone.entry(item).or_default() += 1;
    }
    let kept = first.into_iter().map(Exact).filter(|item| match gone.get_mut(item) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    Ok(Term::list(kept.map(|item| item.0).collect::<Vec<_>>()))
}

/// A term by `=:=`.
#[derive(PartialEq, Eq)]
pub(super) struct Exact(pub(super) Term);

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> std::cmp::Ordering {
        self.0.cmp_exact(&other.0)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn list_to_bitstring(a: &[Term]) -> Result<Term> {
    let mut buffer = BitBuffer::default();
    let mut todo = vec![a[0].clone()];
    if a[0].as_list().is_none() {
        return Err(Raise::badarg());
    }
    while let Some(next) = todo.pop() {
        match &next {
            Term::Int(byte @ 0..=255) => buffer.push(&[*byte as u8], 8),
            Term::List(list) => {
                if let Some((first, rest)) = list.uncons() {
                    todo.push(rest);
                    todo.push(first);
                }
            }
            other => buffer.push_bits(&Bits::of(other).ok_or_else(Raise::badarg)?),
        }
    }
    Ok(buffer.into_term())
}

fn fun_info(fun: &Term) -> Result<Term> {
    let pair = |key: &str, value: Term| Term::tuple([Term::atom(key), value]);
    match fun {
        Term::Export(export) => Ok(Term::list([
            pair("module", export.module.clone().into()),
            pair("name", export.function.clone().into()),
            pair("arity", Term::Int(export.arity.into())),
            pair("env", Term::NIL),
            pair("type", Term::atom("external")),
        ])),
        Term::Fun(fun) => Ok(Term::list([
            pair("pid", fun.creator.clone().into()),
            pair("module", fun.module.clone().into()),
            pair("new_index", Term::Int(fun.index.into())),
            pair("new_uniq", Term::Binary(fun.uniq.to_vec().into())),
            pair("index", Term::Int(fun.old_index)),
            pair("uniq", Term::Int(fun.old_uniq)),
            pair("name", Term::atom("-expr/6-fun-0-")),
            pair("arity", Term::Int(fun.arity.into())),
            pair("env", Term::list(fun.free.iter().cloned())),
            pair("type", Term::atom("local")),
        ])),
        _ => Err(Raise::badarg()),
    }
}

/// A map of pairs, the last of equal keys staying.
pub(super) fn map_of(pairs: &Term) -> Result<Map> {
    items(pairs)?
        .iter()
        .map(|pair| match pair.as_tuple() {
            Some([key, value]) => Ok((key.clone(), value.clone())),
            _ => Err(Raise::badarg()),
        })
        .collect()
}
