//! `erlang`: what a term is, and its parts.

use md5::{Digest, Md5};
use term::{Map, Term};

use super::super::{Answer, Fault, Module, args};
use args::{binary, boolean, count, int, items, list, number, tuple};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("is_atom", 1, |_, a| is(matches!(a[0], Term::Atom(_)))),
        ("is_binary", 1, |_, a| is(matches!(a[0], Term::Binary(_)))),
        ("is_bitstring", 1, |_, a| is(matches!(a[0], Term::Binary(_) | Term::Bits(_)))),
        ("is_boolean", 1, |_, a| is(args::truth(&a[0]).is_ok())),
        ("is_float", 1, |_, a| is(matches!(a[0], Term::Float(_)))),
        ("is_function", 1, |_, a| is(matches!(a[0], Term::Fun(_) | Term::Export(_)))),
        ("is_function", 2, |_, a| {
            let arity = int(&a[1])?;
            is(match &a[0] {
                Term::Fun(fun) => i64::from(fun.arity) == arity,
                Term::Export(export) => i64::from(export.arity) == arity,
                _ => false,
            })
        }),
        ("is_integer", 1, |_, a| is(matches!(a[0], Term::Int(_) | Term::Big(_)))),
        ("is_list", 1, |_, a| is(matches!(a[0], Term::List(_)))),
        ("is_map", 1, |_, a| is(matches!(a[0], Term::Map(_)))),
        ("is_map_key", 2, |_, a| is(args::map(&a[1])?.get(&a[0]).is_some())),
        ("is_number", 1, |_, a| is(matches!(a[0], Term::Int(_) | Term::Big(_) | Term::Float(_)))),
        ("is_pid", 1, |_, a| is(matches!(a[0], Term::Pid(_)))),
        ("is_port", 1, |_, a| is(matches!(a[0], Term::Port(_)))),
        ("is_record", 2, |_, a| {
            let tag = args::atom(&a[1])?;
            is(a[0].as_tuple().and_then(<[Term]>::first).and_then(Term::as_atom) == Some(tag))
        }),
        ("is_record", 3, |_, a| {
            let (tag, size) = (args::atom(&a[1])?, count(&a[2])?);
            let fields = a[0].as_tuple().filter(|fields| fields.len() == size);
            is(fields.and_then(<[Term]>::first).and_then(Term::as_atom) == Some(tag))
        }),
        ("is_reference", 1, |_, a| is(matches!(a[0], Term::Ref(_)))),
        ("is_tuple", 1, |_, a| is(matches!(a[0], Term::Tuple(_)))),
        ("length", 1, |_, a| Ok(number(list(&a[0])?.len()))),
        ("hd", 1, |_, a| uncons(&a[0]).map(|(head, _)| head)),
        ("tl", 1, |_, a| uncons(&a[0]).map(|(_, tail)| tail)),
        ("++", 2, |_, a| Ok(term::List::with_tail(items(&a[0])?, a[1].clone()))),
        ("--", 2, |_, a| super::super::lists::subtract(&a[0], &a[1])),
        ("element", 2, |_, a| Ok(tuple(&a[1])?[place(&a[0], tuple(&a[1])?.len())?].clone())),
        ("setelement", 3, |_, a| {
            let mut fields = tuple(&a[1])?.to_vec();
            let place = place(&a[0], fields.len())?;
            fields[place] = a[2].clone();
            Ok(Term::Tuple(fields.into()))
        }),
        ("append_element", 2, |_, a| Ok(Term::Tuple(tuple(&a[0])?.iter().chain([&a[1]]).cloned().collect()))),
        ("delete_element", 2, |_, a| {
            let mut fields = tuple(&a[1])?.to_vec();
            fields.remove(place(&a[0], fields.len())?);
            Ok(Term::Tuple(fields.into()))
        }),
        ("insert_element", 3, |_, a| {
            let mut fields = tuple(&a[1])?.to_vec();
            let place = place(&a[0], fields.len() + 1)?;
            fields.insert(place, a[2].clone());
            Ok(Term::Tuple(fields.into()))
        }),
        ("make_tuple", 2, |_, a| {
            let size = args::bounded(count(&a[0])?)?;
            Ok(Term::Tuple(std::iter::repeat_n(a[1].clone(), size).collect()))
        }),
        ("tuple_size", 1, |_, a| Ok(number(tuple(&a[0])?.len()))),
        ("byte_size", 1, |_, a| match &a[0] {
            Term::Bits(bits) => Ok(number(bits.bytes.len())),
            other => Ok(number(binary(other)?.len())),
        }),
        ("bit_size", 1, |_, a| match &a[0] {
            Term::Bits(bits) => Ok(number(bits.bytes.len() * 8 - 8 + usize::from(bits.last_bits))),
            other => Ok(number(binary(other)?.len() * 8)),
        }),
        ("size", 1, |_, a| match &a[0] {
            Term::Tuple(fields) => Ok(number(fields.len())),
            other => Ok(number(binary(other)?.len())),
        }),
        ("map_size", 1, |_, a| match &a[0] {
            Term::Map(map) => Ok(number(map.len())),
            other => bad_map(other),
        }),
        ("map_get", 2, |_, a| match &a[1] {
            Term::Map(map) => map.get(&a[0]).cloned().ok_or_else(|| bad_key(&a[0])),
            other => bad_map(other),
        }),
        ("binary_part", 2, |_, a| match tuple(&a[1])? {
            [start, length] => super::super::binary::part(&a[0], start, length),
            _ => Err(Fault::Unfit),
        }),
        ("binary_part", 3, |_, a| super::super::binary::part(&a[0], &a[1], &a[2])),
        ("split_binary", 2, |_, a| {
            let (whole, at) = (binary(&a[0])?, count(&a[1])?);
            let (left, right) = whole.split_at_checked(at).ok_or(Fault::Unfit)?;
            Ok(Term::tuple([args::bytes(left), args::bytes(right)]))
        }),
        ("md5", 1, |_, a| Ok(args::bytes(Md5::digest(args::iodata(&a[0])?).to_vec()))),
        ("crc32", 1, |_, a| Ok(number(crc32(&args::iodata(&a[0])?)))),
        ("adler32", 1, |_, a| Ok(number(adler32(&args::iodata(&a[0])?)))),
    ],
    far: &[],
};

fn is(so: bool) -> Answer {
    Ok(boolean(so))
}

fn uncons(term: &Term) -> Result<(Term, Term), Fault> {
    term.as_list().and_then(term::List::uncons).ok_or(Fault::Unfit)
}

/// Where the element with this number, counted from 1, is among so many.
fn place(index: &Term, size: usize) -> Result<usize, Fault> {
    let place = count(index)?.checked_sub(1);
    place.filter(|place| *place < size).ok_or(Fault::Unfit)
}

/// `{badmap, Term}`.
pub(in super::super) fn bad_map<T>(term: &Term) -> Result<T, Fault> {
    Err(Fault::Error(args::pair("badmap", term.clone())))
}

/// `{badkey, Key}`.
pub(in super::super) fn bad_key(key: &Term) -> Fault {
    Fault::Error(args::pair("badkey", key.clone()))
}

/// The map, or `{badmap, Term}`.
pub(in super::super) fn map_of(term: &Term) -> Result<&Map, Fault> {
    term.as_map().map_or_else(|| bad_map(term), Ok)
}

/// As zlib's.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg()))
    })
}

/// As zlib's.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}
