//! Erlang's total order of terms, `==` and `=:=`.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::{BigInt, Sign};
use num_traits::FromPrimitive;

use crate::fun::Fun;
use crate::list::{List, Runs, Slice};
use crate::map::Map;
use crate::term::Term;
use crate::tuple::Tuple;

/// How numbers of different types compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// `1 == 1.0`, as `==`, `<` and `lists:sort/1` have it.
    ByValue,
    /// `1 =/= 1.0`, as `=:=` and map keys have it: every integer stands before every float. As since OTP 27,
    /// `-0.0` and `0.0` are two values, in this order.
    Exact,
}

/// Compares two terms, however deep they are.
///
/// number < atom < reference < fun < port < pid < tuple < map < `[]` < list < bit string. Tuples and maps by
/// size first, maps by keys (always [`Numbers::Exact`]), then by values; a [`Term::Local`] after all others.
pub fn compare(left: &Term, right: &Term, numbers: Numbers) -> Ordering {
    match compare_plain(left, right, numbers) {
        Some(order) => order,
        None => compare_containers(left, right, numbers),
    }
}

/// Whether `left == right` in Erlang: `1 == 1.0`, also deep inside.
pub fn equal_by_value(left: &Term, right: &Term) -> bool {
    compare(left, right, Numbers::ByValue) == Ordering::Equal
}

/// `=:=`: see [`Numbers::Exact`].
impl PartialEq for Term {
    fn eq(&self, other: &Term) -> bool {
        compare(self, other, Numbers::Exact) == Ordering::Equal
    }
}

impl Eq for Term {}

/// Erlang's order; among terms that are `==` but not `=:=`, such as `1` and `1.0`, integers come first.
impl Ord for Term {
    fn cmp(&self, other: &Term) -> Ordering {
        compare(self, other, Numbers::ByValue).then_with(|| compare(self, other, Numbers::Exact))
    }
}

impl PartialOrd for Term {
    fn partial_cmp(&self, other: &Term) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! as_terms {
    ($($type:ty => $term:expr;)*) => {$(
        /// As the terms compare.
        impl PartialEq for $type {
            fn eq(&self, other: &$type) -> bool {
                $term(self) == $term(other)
            }
        }

        impl Eq for $type {}

        /// As the terms compare.
        impl Ord for $type {
            fn cmp(&self, other: &$type) -> Ordering {
                $term(self).cmp(&$term(other))
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &$type) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )*};
}

as_terms! {
    Tuple => |tuple: &Tuple| Term::Tuple(tuple.clone());
    Map => |map: &Map| Term::Map(map.clone());
    List => |list: &List| Term::List(list.clone());
    Fun => |fun: &Fun| Term::Fun(Arc::new(fun.clone()));
}

/// The order of terms that decide it without a look into containers.
#[inline]
fn compare_plain(left: &Term, right: &Term, numbers: Numbers) -> Option<Ordering> {
    Some(match (left, right) {
        (Term::Int(a), Term::Int(b)) => a.cmp(b),
        (Term::Atom(a), Term::Atom(b)) => a.cmp(b),
        (Term::Binary(a), Term::Binary(b)) => a.as_slice().cmp(b.as_slice()),
        (Term::Pid(a), Term::Pid(b)) => a.cmp(b),
        (Term::Ref(a), Term::Ref(b)) => a.cmp(b),
        (Term::Port(a), Term::Port(b)) => a.cmp(b),
        (Term::Tuple(a), Term::Tuple(b)) if a.len() != b.len() => a.len().cmp(&b.len()),
        (Term::Tuple(a), Term::Tuple(b)) if a.is_empty() || a.as_ptr() == b.as_ptr() => Ordering::Equal,
        (Term::Tuple(_), Term::Tuple(_)) => return None,
        (Term::Map(a), Term::Map(b)) if a.len() != b.len() => a.len().cmp(&b.len()),
        (Term::Map(_), Term::Map(_)) => return None,
        (Term::List(a), Term::List(b)) => match (a.is_nil(), b.is_nil()) {
            (false, false) => return None,
            (a_nil, b_nil) => b_nil.cmp(&a_nil),
        },
        (Term::Fun(a), Term::Fun(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
        (Term::Fun(a), Term::Fun(b)) => match head_of_fun(a).cmp(&head_of_fun(b)) {
            Ordering::Equal if a.free.is_empty() => Ordering::Equal,
            Ordering::Equal => return None,
            decided => decided,
        },
        (Term::Export(a), Term::Export(b)) => a.cmp(b),
        (Term::Local(a), Term::Local(b)) => a.0.cmp(&b.0),
        _ => return Some(compare_kinds(left, right, numbers)),
    })
}

/// The creator does not count: OTP compares what a fun does, not who made it.
fn head_of_fun(fun: &Fun) -> (&crate::Atom, u32, i64, usize, i64, [u8; 16], u8) {
    (&fun.module, fun.index, fun.old_uniq, fun.free.len(), fun.old_index, fun.uniq, fun.arity)
}

fn compare_kinds(left: &Term, right: &Term, numbers: Numbers) -> Ordering {
    match rank(left).cmp(&rank(right)) {
        Ordering::Equal => {}
        decided => return decided,
    }
    match rank(left) {
        0 => compare_numbers(left, right, numbers),
        3 => Ordering::Equal,
        _ => compare_bits(left, right),
    }
}

/// The place of a term's type in the order. Funs made by code stand before exported ones.
fn rank(term: &Term) -> u8 {
    match term {
        Term::Int(_) | Term::Big(_) | Term::Float(_) => 0,
        Term::Atom(_) => 1,
        Term::Ref(_) => 2,
        Term::Fun(_) => 3,
        Term::Export(_) => 4,
        Term::Port(_) => 5,
        Term::Pid(_) => 6,
        Term::Tuple(_) => 7,
        Term::Map(_) => 8,
        Term::List(list) => 9 + u8::from(!list.is_nil()),
        Term::Binary(_) | Term::Bits(_) => 11,
        Term::Local(_) => 12,
    }
}

fn compare_numbers(left: &Term, right: &Term, numbers: Numbers) -> Ordering {
    match (left, right) {
        (Term::Float(a), Term::Float(b)) if numbers == Numbers::Exact => a.total_cmp(b),
        (Term::Float(a), Term::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
        (Term::Float(_), _) if numbers == Numbers::Exact => Ordering::Greater,
        (_, Term::Float(_)) if numbers == Numbers::Exact => Ordering::Less,
        (Term::Float(float), whole) => compare_with_float(whole, *float).reverse(),
        (whole, Term::Float(float)) => compare_with_float(whole, *float),
        (Term::Big(a), Term::Big(b)) => a.cmp(b),
        // A big integer lies outside of 64 bits, so its sign decides.
        (Term::Big(a), _) => {
            if a.sign() == Sign::Minus {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (_, Term::Big(b)) => {
            if b.sign() == Sign::Minus {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        _ => Ordering::Equal,
    }
}

/// Without losing a bit: a float from 2^53 on is a whole number, below it the integer fits a float.
fn compare_with_float(whole: &Term, float: f64) -> Ordering {
    const WHOLE_FROM: f64 = 9_007_199_254_740_992.0;
    if !float.is_finite() {
        return if float.is_sign_negative() { Ordering::Greater } else { Ordering::Less };
    }
    match whole {
        Term::Int(number) if float.abs() < WHOLE_FROM => {
            (*number as f64).partial_cmp(&float).unwrap_or(Ordering::Equal)
        }
        Term::Int(number) => i128::from(*number).cmp(&(float as i128)),
        Term::Big(number) => BigInt::from_f64(float).map_or(Ordering::Equal, |float| (**number).cmp(&float)),
        _ => Ordering::Equal,
    }
}

/// Bit by bit; the shorter one first when it is the beginning of the longer one.
fn compare_bits(left: &Term, right: &Term) -> Ordering {
    let ((a, a_last), (b, b_last)) = (bits_of(left), bits_of(right));
    let common = a.len().min(b.len()).saturating_sub(1);
    let whole = a[..common].cmp(&b[..common]);
    if whole != Ordering::Equal || a.is_empty() || b.is_empty() {
        return whole.then(a.len().cmp(&b.len()));
    }
    // What does not count of a last byte is zero, so the bytes decide unless the counted bits are the same.
    let a_bits = if a.len() - 1 == common { a_last } else { 8 };
    let b_bits = if b.len() - 1 == common { b_last } else { 8 };
    let counted = 0xff_u8 << (8 - a_bits.min(b_bits));
    (a[common] & counted).cmp(&(b[common] & counted)).then((a.len(), a_last).cmp(&(b.len(), b_last)))
}

fn bits_of(term: &Term) -> (&[u8], u8) {
    match term {
        Term::Binary(binary) => (binary.as_slice(), 8),
        Term::Bits(bits) => (bits.bytes.as_slice(), bits.last_bits),
        _ => (&[], 8),
    }
}

/// Two containers of the same shape, compared up to here.
enum Pair<'a> {
    Terms(&'a [Term], &'a [Term]),
    Keys(&'a [(Term, Term)], &'a [(Term, Term)]),
    Values(&'a [(Term, Term)], &'a [(Term, Term)]),
    Lists(Cursor<'a>, Cursor<'a>),
}

struct Frame<'a> {
    pair: Pair<'a>,
    numbers: Numbers,
}

/// Where in a list one is.
struct Cursor<'a> {
    run: Slice<'a>,
    runs: Runs<'a>,
}

fn compare_containers(left: &Term, right: &Term, numbers: Numbers) -> Ordering {
    let mut frames = Vec::new();
    open(left, right, numbers, &mut frames);
    while let Some(frame) = frames.last_mut() {
        let numbers = frame.numbers;
        let order = match &mut frame.pair {
            Pair::Terms(a, b) => next_terms(a, b, numbers),
            Pair::Keys(a, b) => next_pairs(a, b, Numbers::Exact, |pair| &pair.0),
            Pair::Values(a, b) => next_pairs(a, b, numbers, |pair| &pair.1),
            Pair::Lists(a, b) => next_elements(a, b, numbers),
        };
        match order {
            Next::Decided(Ordering::Equal) => {
                frames.pop();
            }
            Next::Decided(order) => return order,
            Next::Open(a, b, numbers) => open(a, b, numbers, &mut frames),
        }
    }
    Ordering::Equal
}

/// What comparing two rows of terms came to: an order, or two containers to compare first.
enum Next<'a> {
    Decided(Ordering),
    Open(&'a Term, &'a Term, Numbers),
}

fn open<'a>(left: &'a Term, right: &'a Term, numbers: Numbers, frames: &mut Vec<Frame<'a>>) {
    let mut push = |pair| frames.push(Frame { pair, numbers });
    match (left, right) {
        (Term::Tuple(a), Term::Tuple(b)) => push(Pair::Terms(a, b)),
        (Term::Fun(a), Term::Fun(b)) => push(Pair::Terms(&a.free, &b.free)),
        (Term::List(a), Term::List(b)) if !a.is_same_as(b) => {
            push(Pair::Lists(Cursor::new(a), Cursor::new(b)));
        }
        (Term::Map(a), Term::Map(b)) if a.pairs().as_ptr() != b.pairs().as_ptr() => {
            push(Pair::Values(a.pairs(), b.pairs()));
            push(Pair::Keys(a.pairs(), b.pairs()));
        }
        _ => {}
    }
}

#[inline]
fn next_terms<'a>(left: &mut &'a [Term], right: &mut &'a [Term], numbers: Numbers) -> Next<'a> {
    while let ([a, more_a @ ..], [b, more_b @ ..]) = (*left, *right) {
        (*left, *right) = (more_a, more_b);
        match compare_plain(a, b, numbers) {
            Some(Ordering::Equal) => {}
            Some(order) => return Next::Decided(order),
            None => return Next::Open(a, b, numbers),
        }
    }
    Next::Decided(Ordering::Equal)
}

fn next_pairs<'a>(
    left: &mut &'a [(Term, Term)],
    right: &mut &'a [(Term, Term)],
    numbers: Numbers,
    side: fn(&(Term, Term)) -> &Term,
) -> Next<'a> {
    while let ([a, more_a @ ..], [b, more_b @ ..]) = (*left, *right) {
        (*left, *right) = (more_a, more_b);
        match compare_plain(side(a), side(b), numbers) {
            Some(Ordering::Equal) => {}
            Some(order) => return Next::Decided(order),
            None => return Next::Open(side(a), side(b), numbers),
        }
    }
    Next::Decided(Ordering::Equal)
}

fn next_elements<'a>(left: &mut Cursor<'a>, right: &mut Cursor<'a>, numbers: Numbers) -> Next<'a> {
    loop {
        left.fill();
        right.fill();
        let next = match (&mut left.run, &mut right.run) {
            (a, b) if a.is_empty() || b.is_empty() => return compare_ends(left, right, numbers),
            (Slice::Terms(a), Slice::Terms(b)) => next_terms(a, b, numbers),
            (Slice::Bytes(a), Slice::Bytes(b)) => {
                let common = a.len().min(b.len());
                let order = a[..common].cmp(&b[..common]);
                (*a, *b) = (&a[common..], &b[common..]);
                Next::Decided(order)
            }
            (Slice::Terms(a), Slice::Bytes(b)) => Next::Decided(next_mixed(a, b, numbers)),
            (Slice::Bytes(a), Slice::Terms(b)) => Next::Decided(next_mixed(b, a, numbers).reverse()),
        };
        if !matches!(next, Next::Decided(Ordering::Equal)) {
            return next;
        }
    }
}

/// A byte is a number, so it is never a container that decides.
fn next_mixed(terms: &mut &[Term], bytes: &mut &[u8], numbers: Numbers) -> Ordering {
    while let ([a, more_a @ ..], [b, more_b @ ..]) = (*terms, *bytes) {
        (*terms, *bytes) = (more_a, more_b);
        match compare_plain(a, &Term::Int((*b).into()), numbers) {
            Some(Ordering::Equal) => {}
            Some(order) => return order,
            None => return Ordering::Greater,
        }
    }
    Ordering::Equal
}

/// At least one of the lists has come to its end.
fn compare_ends<'a>(left: &Cursor<'a>, right: &Cursor<'a>, numbers: Numbers) -> Next<'a> {
    const NIL: u8 = 9;
    const LIST: u8 = 10;
    let (left_tail, right_tail) = (left.runs.improper_tail(), right.runs.improper_tail());
    let rank_of = |tail: Option<&Term>| tail.map_or(NIL, rank);
    Next::Decided(match (left.run.is_empty(), right.run.is_empty()) {
        (true, true) => match (left_tail, right_tail) {
            (Some(a), Some(b)) => match compare_plain(a, b, numbers) {
                Some(order) => order,
                None => return Next::Open(a, b, numbers),
            },
            (a, b) => rank_of(a).cmp(&rank_of(b)),
        },
        (true, false) => rank_of(left_tail).cmp(&LIST),
        _ => LIST.cmp(&rank_of(right_tail)),
    })
}

impl<'a> Cursor<'a> {
    fn new(list: &'a List) -> Cursor<'a> {
        Cursor { run: Slice::Terms(&[]), runs: list.runs() }
    }

    /// Goes to the next run where one ends.
    #[inline]
    fn fill(&mut self) {
        while self.run.is_empty() {
            match self.runs.next() {
                Some(run) => self.run = run,
                None => return,
            }
        }
    }
}
