//! `erlang:phash2/1` and `erlang:phash/2`: the same numbers on every node, ours and OTP's.

use crate::list::List;
use crate::term::Term;

/// What `erlang:phash2/1` makes its number of: 32 bits, of which it takes 27.
pub fn phash2(term: &Term) -> u32 {
    let mut hasher = Portable { hash: 0, pairs: 0, todo: Vec::new() };
    hasher.todo.push(Todo::Term(term.clone()));
    hasher.run();
    hasher.hash
}

/// What `erlang:phash/2` makes its number of.
pub fn phash(term: &Term) -> u32 {
    old::hash(term)
}

/// The golden ratio; each kind of term has a multiple of it.
const GOLDEN: u32 = 0x9e37_79b9;

const fn constant(times: u32) -> u32 {
    GOLDEN.wrapping_mul(times)
}

/// Bob Jenkins's mix.
fn mix(a: u32, b: u32, c: u32) -> u32 {
    mixed(a, b, c).2
}

enum Todo {
    Term(Term),
    /// A pair of a map is done.
    Pair,
    /// A map is done: what its pairs had come to before, and its own hash.
    Map(u32, u32),
}

struct Portable {
    hash: u32,
    /// The pairs of a map come in any order, so their hashes are taken together by exclusive or.
    pairs: u32,
    todo: Vec<Todo>,
}

impl Portable {
    fn run(&mut self) {
        while let Some(next) = self.todo.pop() {
            match next {
                Todo::Term(term) => self.term(&term),
                Todo::Pair => {
                    self.pairs ^= self.hash;
                    self.hash = 0;
                }
                Todo::Map(pairs, hash) => {
                    self.hash = hash;
                    self.add(self.pairs, 0, constant(19));
                    self.pairs = pairs;
                }
            }
        }
    }

    fn add(&mut self, one: u32, two: u32, constant: u32) {
        self.hash = mix(constant.wrapping_add(one), constant.wrapping_add(two), self.hash);
    }

    /// Both halves of a number.
    fn wide(&mut self, number: u64, constant: u32) {
        self.add(number as u32, (number >> 32) as u32, constant);
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::Int(number) => self.int(*number),
            Term::Big(number) => {
                let negative = number.sign() == num_bigint::Sign::Minus;
                for digit in number.iter_u64_digits() {
                    self.wide(digit, constant(if negative { 10 } else { 11 }));
                }
            }
            Term::Float(number) => {
                let bits = if *number == 0.0 { 0 } else { number.to_bits() };
                self.add((bits >> 32) as u32, bits as u32, constant(12));
            }
            Term::Atom(atom) if self.hash == 0 => self.hash = atom_hash(atom.as_str()),
            Term::Atom(atom) => self.add(atom_hash(atom.as_str()), 0, constant(3)),
            Term::Pid(pid) => self.add(pid.id, 0, constant(5)),
            Term::Port(port) => self.wide(port.id, constant(6)),
            Term::Ref(reference) => self.add(reference.words()[0], 0, constant(7)),
            Term::Export(export) => {
                self.add(export.arity.into(), atom_hash(export.module.as_str()), GOLDEN);
                self.add(atom_hash(export.function.as_str()), 0, constant(14));
            }
            Term::Fun(fun) => {
                self.add(fun.free.len() as u32, atom_hash(fun.module.as_str()), GOLDEN);
                self.add(fun.index, fun.old_uniq as u32, GOLDEN);
                self.todo.extend(fun.free.iter().rev().cloned().map(Todo::Term));
            }
            Term::Tuple(items) => {
                self.add(items.len() as u32, 0, constant(9));
                self.todo.extend(items.iter().rev().cloned().map(Todo::Term));
            }
            Term::Map(map) => {
                self.add(map.len() as u32, 0, constant(16));
                if !map.is_empty() {
                    self.todo.push(Todo::Map(self.pairs, self.hash));
                    (self.hash, self.pairs) = (0, 0);
                    for (key, value) in map.pairs() {
                        let both = [Todo::Pair, Todo::Term(value.clone()), Todo::Term(key.clone())];
                        self.todo.extend(both);
                    }
                }
            }
            Term::List(list) => self.list(list),
            Term::Binary(bytes) => self.bytes(bytes.as_slice(), 0),
            Term::Bits(bits) => self.bytes(bits.bytes.as_slice(), bits.last_bits),
            Term::Local(local) => self.bytes(&local.0, 0),
        }
    }

    fn int(&mut self, number: i64) {
        if !(-(1 << 27)..1 << 27).contains(&number) {
            return self.wide(number.unsigned_abs(), constant(if number < 0 { 10 } else { 11 }));
        }
        if number < 0 {
            self.add(number.unsigned_abs() as u32, 0, GOLDEN);
        }
        self.add(number as u32, 0, GOLDEN);
    }

    /// Bytes are taken four at a time; of the first element that is none on, element by element.
    fn list(&mut self, list: &List) {
        if list.is_nil() {
            if self.hash == 0 {
                self.hash = 3_468_870_702;
            } else {
                self.add(2, 0, constant(2));
            }
            return;
        }
        let (mut word, mut count) = (0u32, 0);
        let mut rest = Term::List(list.clone());
        while let Term::List(list) = &rest {
            let Some((first, behind)) = list.uncons() else { break };
            let Term::Int(byte @ 0..=255) = first else {
                self.some(word, count);
                self.todo.push(Todo::Term(behind));
                self.todo.push(Todo::Term(first));
                return;
            };
            word = word << 8 | byte as u32;
            count += 1;
            if count == 4 {
                self.some(word, count);
                (word, count) = (0, 0);
            }
            rest = behind;
        }
        self.some(word, count);
        self.todo.push(Todo::Term(rest));
    }

    fn some(&mut self, word: u32, count: usize) {
        if count > 0 {
            self.add(word, 0, constant(4));
        }
    }

    fn bytes(&mut self, bytes: &[u8], last_bits: u8) {
        let begin = constant(13).wrapping_add(self.hash);
        if bytes.is_empty() {
            self.hash = begin;
            return;
        }
        let (whole, odd) = match (last_bits, bytes.split_last()) {
            (1..=7, Some((last, whole))) => (whole, Some(*last)),
            _ => (bytes, None),
        };
        self.hash = block(whole, begin);
        if let Some(last) = odd {
            self.add(last_bits.into(), u32::from(last >> (8 - last_bits)), constant(15));
        }
    }
}

/// Jenkins's hash of a block; the length takes the place of the lowest byte of the last word.
fn block(bytes: &[u8], begin: u32) -> u32 {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    let (mut a, mut b, mut c) = (GOLDEN, GOLDEN, begin);
    let (twelves, rest) = bytes.as_chunks::<12>();
    for twelve in twelves {
        a = a.wrapping_add(word(&twelve[..4]));
        b = b.wrapping_add(word(&twelve[4..8]));
        c = c.wrapping_add(word(&twelve[8..]));
        (a, b, c) = mixed(a, b, c);
    }
    let part = |from: usize, to: usize| word(rest.get(from..to.min(rest.len())).unwrap_or_default());
    c = c.wrapping_add(bytes.len() as u32).wrapping_add(part(8, 11) << 8);
    a = a.wrapping_add(part(0, 4));
    b = b.wrapping_add(part(4, 8));
    mix(a, b, c)
}

/// The mix, with all three of its words.
fn mixed(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    for (first, second, third) in [(13, 8, 13), (12, 16, 5), (3, 10, 15)] {
        a = a.wrapping_sub(b).wrapping_sub(c) ^ c >> first;
        b = b.wrapping_sub(c).wrapping_sub(a) ^ a << second;
        c = c.wrapping_sub(a).wrapping_sub(b) ^ b >> third;
    }
    (a, b, c)
}

/// The hash of an atom: PJW's, over characters of Latin-1 as one and others as bytes of UTF-8.
fn atom_hash(text: &str) -> u32 {
    let mut bytes = text.bytes().peekable();
    let mut hash = 0u32;
    while let Some(byte) = bytes.next() {
        let mut value = u32::from(byte);
        if byte & 0xfe == 0xc2
            && let Some(second) = bytes.next_if(|second| second & 0xc0 == 0x80)
        {
            value = u32::from(byte << 6 | second & 0x3f);
        }
        hash = (hash << 4).wrapping_add(value);
        let high = hash & 0xf000_0000;
        if high != 0 {
            hash ^= high >> 24;
            hash ^= high;
        }
    }
    hash
}

/// The hash of before: multiplied by primes just above 2^28.
mod old {
    use super::{atom_hash, phash2};
    use crate::term::Term;

    const PRIMES: [u32; 15] = [
        0,
        268_440_163,
        268_439_161,
        268_435_459,
        268_436_141,
        268_438_633,
        268_437_017,
        268_438_039,
        268_437_511,
        268_439_627,
        268_440_479,
        268_440_577,
        268_440_581,
        268_440_593,
        268_440_611,
    ];

    enum Todo {
        Term(Term),
        /// What stands behind an element of a list.
        Behind(Term),
        /// The end of a list.
        Ended,
        /// The end of a tuple of so many.
        Tuple(u32),
    }

    struct Old(u32);

    impl Old {
        fn step(&mut self, prime: usize, value: u32) {
            self.0 = self.0.wrapping_mul(PRIMES[prime]).wrapping_add(value);
        }

        fn word(&mut self, prime: usize, word: u32) {
            word.to_le_bytes().into_iter().for_each(|byte| self.step(prime, byte.into()));
        }

        fn times(&mut self, prime: usize) {
            self.0 = self.0.wrapping_mul(PRIMES[prime]);
        }

        fn digits(&mut self, mut words: impl Iterator<Item = u32>, negative: bool) {
            words.by_ref().for_each(|word| self.word(2, word));
            self.times(if negative { 4 } else { 3 });
        }
    }

    pub(super) fn hash(term: &Term) -> u32 {
        let mut old = Old(0);
        let mut todo = vec![Todo::Term(term.clone())];
        while let Some(next) = todo.pop() {
            match next {
                Todo::Term(list @ Term::List(_)) if list != Term::NIL => walk(&mut old, list, &mut todo),
                Todo::Term(term) => plain(&mut old, &term, &mut todo),
                Todo::Behind(rest @ Term::List(_)) if rest != Term::NIL => walk(&mut old, rest, &mut todo),
                Todo::Behind(rest) => todo.extend([Todo::Ended, Todo::Term(rest)]),
                Todo::Ended => old.times(8),
                Todo::Tuple(count) => old.step(9, count),
            }
        }
        old.0
    }

    fn walk(old: &mut Old, mut rest: Term, todo: &mut Vec<Todo>) {
        while let Term::List(list) = &rest {
            let Some((first, behind)) = list.uncons() else { break };
            let Term::Int(byte @ 0..=255) = first else {
                todo.extend([Todo::Behind(behind), Todo::Term(first)]);
                return;
            };
            old.step(2, byte as u32);
            rest = behind;
        }
        todo.extend([Todo::Ended, Todo::Term(rest)]);
    }

    fn plain(old: &mut Old, term: &Term, todo: &mut Vec<Todo>) {
        match term {
            Term::List(_) => old.step(3, 1),
            Term::Int(number) => {
                let size = number.unsigned_abs();
                let words = [size as u32, (size >> 32) as u32];
                let count = if words[1] == 0 { 1 } else { 2 };
                old.digits(words.into_iter().take(count), *number < 0);
            }
            Term::Big(number) => {
                let words = number.iter_u32_digits();
                old.digits(words, number.sign() == num_bigint::Sign::Minus);
            }
            Term::Float(number) => {
                let bits = if *number == 0.0 { 0 } else { number.to_bits() };
                old.step(6, bits as u32 ^ (bits >> 32) as u32);
            }
            Term::Atom(atom) => old.step(1, atom_hash(atom.as_str())),
            Term::Pid(pid) => {
                old.word(5, pid.id);
                old.times(6);
            }
            Term::Port(port) => {
                if port.id >> 32 != 0 {
                    old.word(11, (port.id >> 32) as u32);
                }
                old.word(9, port.id as u32);
                old.times(10);
            }
            Term::Ref(reference) => {
                old.word(9, reference.words()[0]);
                old.times(10);
            }
            Term::Export(export) => {
                old.step(11, export.arity.into());
                old.step(1, atom_hash(export.module.as_str()));
                old.step(1, atom_hash(export.function.as_str()));
            }
            Term::Fun(fun) => {
                old.step(10, fun.free.len() as u32);
                old.step(1, atom_hash(fun.module.as_str()));
                old.step(2, fun.index);
                old.step(2, fun.old_uniq as u32);
                todo.extend(fun.free.iter().rev().cloned().map(Todo::Term));
            }
            Term::Tuple(items) => {
                todo.push(Todo::Tuple(items.len() as u32));
                todo.extend(items.iter().rev().cloned().map(Todo::Term));
            }
            Term::Map(_) => old.step(13, PRIMES[14].wrapping_add(phash2(term))),
            Term::Binary(bytes) => {
                bytes.as_slice().iter().for_each(|byte| old.step(1, (*byte).into()));
                old.step(4, bytes.len() as u32);
            }
            Term::Bits(bits) => {
                let (last, whole) = bits.bytes.as_slice().split_last().unwrap_or((&0, &[]));
                whole.iter().for_each(|byte| old.step(1, (*byte).into()));
                old.step(1, u32::from(last >> (8 - bits.last_bits)));
                old.step(12, bits.last_bits.into());
                old.step(4, whole.len() as u32);
            }
            Term::Local(local) => local.0.iter().for_each(|byte| old.step(1, (*byte).into())),
        }
    }
}
