//! Patterns and guards against values. They go as deep as their source, which has a ceiling.

use trunkline::term::{Atom, List, Map, Pid, Term};

use super::bits::{BitBuffer, Bits, Spec, Type};
use super::code::{Head, Pattern, Segment, Slot, Test};

/// What a guard may ask.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) pid: Pid,
    pub(crate) node: Atom,
}

/// Whether the values match and the guard holds; what is new is bound.
pub(crate) fn head(head: &Head, values: &[Term], slots: &mut [Term], around: &Around) -> bool {
    head.patterns.len() == values.len()
        && head.patterns.iter().zip(values).all(|(pattern, value)| matches(pattern, value, slots, around))
        && guard(head, slots, around)
}

pub(crate) fn guard(head: &Head, slots: &[Term], around: &Around) -> bool {
    let holds = |test: &Test| evaluate(test, slots, around).is_some_and(|value| value.is_atom("true"));
    head.guard.is_empty() || head.guard.iter().any(|tests| tests.iter().all(holds))
}

pub(crate) fn matches(pattern: &Pattern, value: &Term, slots: &mut [Term], around: &Around) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Bind(slot) => {
            slots[*slot as usize] = value.clone();
            true
        }
        Pattern::Same(slot) => slots[*slot as usize] == *value,
        Pattern::Const(constant) => constant == value,
        Pattern::List(items, tail) => {
            let mut rest = value.clone();
            for item in items {
                let Term::List(list) = &rest else { return false };
                let Some((first, more)) = list.uncons() else { return false };
                if !matches(item, &first, slots, around) {
                    return false;
                }
                rest = more;
            }
            matches(tail, &rest, slots, around)
        }
        Pattern::Tuple(items) => match value {
            Term::Tuple(values) if values.len() == items.len() => {
                items.iter().zip(values.iter()).all(|(item, value)| matches(item, value, slots, around))
            }
            _ => false,
        },
        Pattern::Map(pairs) => match value {
            Term::Map(map) => pairs.iter().all(|(key, pattern)| {
                let key = evaluate(key, slots, around);
                let value = key.and_then(|key| map.get(&key).cloned());
                value.is_some_and(|value| matches(pattern, &value, slots, around))
            }),
            _ => false,
        },
        Pattern::Bits(segments) => match Bits::of(value) {
            Some(bits) => take(segments, bits, slots, around).is_some_and(|rest| rest.length == 0),
            None => false,
        },
        Pattern::Both(left, right) => {
            matches(left, value, slots, around) && matches(right, value, slots, around)
        }
    }
}

/// Matches segments; what is left of the bits.
pub(crate) fn take(
    segments: &[Segment],
    mut bits: Bits,
    slots: &mut [Term],
    around: &Around,
) -> Option<Bits> {
    for segment in segments {
        let (value, rest) = read(segment, &bits, slots, around)?;
        if !matches(&segment.pattern, &value, slots, around) {
            return None;
        }
        bits = rest;
    }
    Some(bits)
}

/// In a generator: the bits behind the segments, and whether they match; `None` when there are too few.
pub(crate) fn step(
    segments: &[Segment],
    bits: &Bits,
    slots: &mut [Term],
    around: &Around,
) -> Option<(bool, Bits)> {
    let (mut rest, mut same) = (bits.clone(), true);
    for segment in segments {
        let (value, more) = read(segment, &rest, slots, around)?;
        same &= matches(&segment.pattern, &value, slots, around);
        rest = more;
    }
    Some((same, rest))
}

fn read(segment: &Segment, bits: &Bits, slots: &[Term], around: &Around) -> Option<(Term, Bits)> {
    let spec = segment.spec;
    let size = match &segment.size {
        Some(size) => Some(super::numbers::size(&evaluate(size, slots, around)?)?.checked_mul(spec.unit)?),
        None => None,
    };
    match spec.kind {
        Type::Integer => {
            let (part, rest) = bits.split(size.unwrap_or(8 * spec.unit))?;
            Some((part.integer(spec.signed, spec.little), rest))
        }
        Type::Float => {
            let (part, rest) = bits.split(size.unwrap_or(64))?;
            Some((Term::Float(part.float(spec.little)?), rest))
        }
        Type::Binary => {
            let length = match size {
                Some(size) => size,
                None if bits.length.is_multiple_of(spec.unit) => bits.length,
                None => return None,
            };
            let (part, rest) = bits.split(length)?;
            Some((part.to_term(), rest))
        }
        Type::Utf8 | Type::Utf16 | Type::Utf32 => {
            let (c, length) = character(spec, bits)?;
            Some((Term::Int(c as i64), bits.split(length)?.1))
        }
    }
}

fn character(spec: Spec, bits: &Bits) -> Option<(char, usize)> {
    match spec.kind {
        Type::Utf8 => bits.utf8(),
        Type::Utf16 => bits.utf16(spec.little),
        _ => bits.utf32(spec.little),
    }
}

/// The value of a guard expression; `None` when it fails.
pub(crate) fn evaluate(test: &Test, slots: &[Term], around: &Around) -> Option<Term> {
    let all = |tests: &[Test]| tests.iter().map(|t| evaluate(t, slots, around)).collect::<Option<Vec<_>>>();
    Some(match test {
        Test::Const(value) => value.clone(),
        Test::Slot(slot) => slots[*slot as usize].clone(),
        Test::Pure(f, arguments) => return pure(*f, arguments, slots, around),
        Test::Me => Term::Pid(around.pid.clone()),
        Test::Node => Term::Atom(around.node.clone()),
        Test::Tuple(items) => Term::Tuple(all(items)?.into()),
        Test::List(items, tail) => List::with_tail(all(items)?, evaluate(tail, slots, around)?),
        Test::Map(pairs) => {
            let mut map = Map::default();
            for (key, value) in pairs {
                map.insert(evaluate(key, slots, around)?, evaluate(value, slots, around)?);
            }
            Term::Map(map)
        }
        Test::MapUpdate(on, pairs) => {
            let Term::Map(mut map) = evaluate(on, slots, around)? else { return None };
            for (exact, key, value) in pairs {
                let key = evaluate(key, slots, around)?;
                if *exact && map.get(&key).is_none() {
                    return None;
                }
                map.insert(key, evaluate(value, slots, around)?);
            }
            Term::Map(map)
        }
        Test::Shortcut(and, left, right) => {
            let left = evaluate(left, slots, around)?;
            match (left.is_atom("true"), left.is_atom("false"), and) {
                (true, _, true) | (_, true, false) => return evaluate(right, slots, around),
                (true, ..) | (_, true, _) => left,
                _ => return None,
            }
        }
        Test::Bits(segments) => {
            let mut buffer = BitBuffer::default();
            for (spec, value, size) in segments {
                let value = evaluate(value, slots, around)?;
                let size = match size {
                    Some(size) => Some(evaluate(size, slots, around)?),
                    None => None,
                };
                buffer.segment(*spec, &value, size.as_ref()).ok()?;
            }
            buffer.into_term()
        }
    })
}

fn pure(f: super::code::PureFn, arguments: &[Test], slots: &[Term], around: &Around) -> Option<Term> {
    match arguments {
        [one] => f(&[evaluate(one, slots, around)?]).ok(),
        [one, two] => f(&[evaluate(one, slots, around)?, evaluate(two, slots, around)?]).ok(),
        more => {
            let more: Option<Vec<Term>> = more.iter().map(|t| evaluate(t, slots, around)).collect();
            f(&more?).ok()
        }
    }
}

/// Where a pattern puts what it binds.
pub(crate) fn binds(pattern: &Pattern, found: &mut Vec<Slot>) {
    match pattern {
        Pattern::Bind(slot) => found.push(*slot),
        Pattern::List(items, tail) => {
            items.iter().for_each(|item| binds(item, found));
            binds(tail, found);
        }
        Pattern::Tuple(items) => items.iter().for_each(|item| binds(item, found)),
        Pattern::Map(pairs) => pairs.iter().for_each(|(_, pattern)| binds(pattern, found)),
        Pattern::Bits(segments) => segments.iter().for_each(|segment| binds(&segment.pattern, found)),
        Pattern::Both(left, right) => {
            binds(left, found);
            binds(right, found);
        }
        _ => {}
    }
}
