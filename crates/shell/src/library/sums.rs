//! `erlang`: checksums, digests, hashes of terms, and the external format with its options.

use md5::{Digest, Md5};
use trunkline::term::{self, Term};

use super::Row;
use super::args::{atom, bytes, int, iodata, items};
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    (
        "phash",
        2,
        Pure(|a| range(&a[1]).map(|range| Term::Int(1 + i64::from(term::phash::phash(&a[0])) % range))),
    ),
    ("phash2", 1, Pure(|a| Ok(Term::Int((term::phash::phash2(&a[0]) & 0x7ff_ffff).into())))),
    (
        "phash2",
        2,
        Pure(|a| range(&a[1]).map(|range| Term::Int(i64::from(term::phash::phash2(&a[0])) % range))),
    ),
    ("md5", 1, Pure(|a| Ok(Term::Binary(Md5::digest(iodata(&a[0])?).to_vec().into())))),
    ("md5_init", 0, Pure(|_| Ok(Term::Binary(MD5_BEGUN.into())))),
    (
        "md5_update",
        2,
        Pure(|a| {
            let mut all = md5_so_far(&a[0])?.to_vec();
            all.splice(..0, MD5_BEGUN.iter().copied());
            all.extend(iodata(&a[1])?);
            Ok(Term::Binary(all.into()))
        }),
    ),
    ("md5_final", 1, Pure(|a| Ok(Term::Binary(Md5::digest(md5_so_far(&a[0])?).to_vec().into())))),
    ("crc32", 1, Pure(|a| Ok(Term::Int(crc32(0, &iodata(&a[0])?).into())))),
    ("crc32", 2, Pure(|a| Ok(Term::Int(crc32(word(&a[0])?, &iodata(&a[1])?).into())))),
    (
        "crc32_combine",
        3,
        Pure(|a| Ok(Term::Int(crc32_combine(word(&a[0])?, word(&a[1])?, long(&a[2])?).into()))),
    ),
    ("adler32", 1, Pure(|a| Ok(Term::Int(adler32(1, &iodata(&a[0])?).into())))),
    ("adler32", 2, Pure(|a| Ok(Term::Int(adler32(word(&a[0])?, &iodata(&a[1])?).into())))),
    (
        "adler32_combine",
        3,
        Pure(|a| Ok(Term::Int(adler32_combine(word(&a[0])?, word(&a[1])?, long(&a[2])?).into()))),
    ),
    ("term_to_binary", 1, Pure(|a| Ok(Term::Binary(term::encode(&a[0]).into())))),
    ("term_to_binary", 2, Pure(|a| external(a).map(|bytes| Term::Binary(bytes.into())))),
    ("term_to_iovec", 1, Pure(|a| Ok(Term::list([Term::Binary(term::encode(&a[0]).into())])))),
    ("term_to_iovec", 2, Pure(|a| external(a).map(|bytes| Term::list([Term::Binary(bytes.into())])))),
    ("external_size", 1, Pure(|a| Ok(Term::Int(term::encode(&a[0]).len() as i64)))),
    ("external_size", 2, Pure(|a| external(a).map(|bytes| Term::Int(bytes.len() as i64)))),
    ("binary_to_term", 1, Pure(|a| read(&a[0]).map(|(value, _)| value))),
    (
        "binary_to_term",
        2,
        Pure(|a| {
            let options = items(&a[1])?;
            if !options.iter().all(|option| option.is_atom("safe") || option.is_atom("used")) {
                return Err(Raise::badarg());
            }
            let (value, used) = read(&a[0])?;
            let tell = options.iter().any(|option| option.is_atom("used"));
            Ok(if tell { Term::tuple([value, Term::Int(used as i64)]) } else { value })
        }),
    ),
];

/// How a digest begins that is made in pieces: the pieces follow.
const MD5_BEGUN: &[u8] = b"md5 of ";

fn md5_so_far(context: &Term) -> Result<&[u8]> {
    bytes(context)?.strip_prefix(MD5_BEGUN).ok_or_else(Raise::badarg)
}

fn range(term: &Term) -> Result<i64> {
    int(term).ok().filter(|range| (1..=1 << 32).contains(range)).ok_or_else(Raise::badarg)
}

fn word(term: &Term) -> Result<u32> {
    u32::try_from(int(term)?).map_err(|_| Raise::badarg())
}

fn long(term: &Term) -> Result<u64> {
    u64::try_from(int(term)?).map_err(|_| Raise::badarg())
}

fn crc32(begin: u32, bytes: &[u8]) -> u32 {
    let mut crc = !begin;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ CRC_POLYNOMIAL } else { crc >> 1 };
        }
    }
    !crc
}

const CRC_POLYNOMIAL: u32 = 0xedb8_8320;

/// A product of polynomials over two elements, modulo that of CRC-32.
fn crc_times(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ CRC_POLYNOMIAL } else { b >> 1 };
    }
    product
}

/// The checksum of two texts from theirs: the first is moved by the length of the second, x^(8 * length).
fn crc32_combine(first: u32, second: u32, length: u64) -> u32 {
    let (mut power, mut square, mut rest) = (1 << 31, 1 << 23, length);
    while rest > 0 {
        if rest & 1 == 1 {
            power = crc_times(power, square);
        }
        square = crc_times(square, square);
        rest >>= 1;
    }
    crc_times(power, first) ^ second
}

const ADLER_BASE: u64 = 65_521;

fn adler32(begin: u32, bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (u64::from(begin & 0xffff), u64::from(begin >> 16));
    for byte in bytes {
        low = (low + u64::from(*byte)) % ADLER_BASE;
        high = (high + low) % ADLER_BASE;
    }
    (high << 16 | low) as u32
}

fn adler32_combine(first: u32, second: u32, length: u64) -> u32 {
    let (low, high) = (u64::from(first & 0xffff), u64::from(first >> 16));
    let (low2, high2) = (u64::from(second & 0xffff), u64::from(second >> 16));
    let rest = length % ADLER_BASE;
    let sum = (low + low2 + ADLER_BASE - 1) % ADLER_BASE;
    let sums = (rest * low % ADLER_BASE + high + high2 + ADLER_BASE - rest) % ADLER_BASE;
    (sums << 16 | sum) as u32
}

/// `term_to_binary/2`. What is said of the version of the format and of order changes nothing here.
fn external(a: &[Term]) -> Result<Vec<u8>> {
    let mut level = 0;
    for option in items(&a[1])? {
        match option.as_tuple() {
            Some([key, value]) => match (atom(key)?.as_str(), value) {
                ("compressed", Term::Int(wanted @ 0..=9)) => level = *wanted as u32,
                ("minor_version", Term::Int(0..=2)) => {}
                _ => return Err(Raise::badarg()),
            },
            _ => match atom(&option)?.as_str() {
                "compressed" => level = 6,
                "deterministic" | "local" => {}
                _ => return Err(Raise::badarg()),
            },
        }
    }
    Ok(if level == 0 { term::encode(&a[0]) } else { term::encode::compressed(&a[0], level) })
}

/// A term, and how many bytes it was; what stands behind it is not looked at.
fn read(binary: &Term) -> Result<(Term, usize)> {
    let Term::Binary(binary) = binary else { return Err(Raise::badarg()) };
    let bytes = binary.to_bytes();
    let bad = |_| Raise::badarg();
    match bytes.as_ref() {
        [131, 80, ..] => Ok((term::decode(&bytes).map_err(bad)?, bytes.len())),
        [131, ..] => {
            let (value, end) = term::decode_at(&bytes, 1, &term::WireContext::default()).map_err(bad)?;
            Ok((value, end))
        }
        _ => Err(Raise::badarg()),
    }
}
