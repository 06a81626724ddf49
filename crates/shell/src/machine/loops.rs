//! Comprehensions: what is run over, and what is collected.

use trunkline::term::{Map, Term};

use super::Machine;
use super::bits::{BitBuffer, Bits};
use super::code::{Collect, Head, Pattern};
use super::matching;
use crate::ast::Over;
use crate::raise::{Raise, Result};

/// What is left to run over.
pub(super) enum Iter {
    List(Term),
    Bits(Bits),
    /// The pairs, and how many have been seen.
    Map(Map, usize),
    /// A map iterator as `maps:iterator/1` makes it.
    Pairs(Term),
}

impl Iter {
    /// What is left, as a value.
    fn rest(&self) -> Term {
        match self {
            Iter::List(rest) | Iter::Pairs(rest) => rest.clone(),
            Iter::Bits(bits) => bits.to_term(),
            Iter::Map(map, seen) => Term::Map(map.pairs()[*seen..].iter().cloned().collect()),
        }
    }
}

/// What has been collected.
pub(super) enum Gather {
    List(Vec<Term>),
    Bits(BitBuffer),
    Map(Vec<(Term, Term)>),
}

/// What came of taking the next element.
enum Taken {
    Match,
    Skip,
    End,
}

impl Machine {
    pub(super) fn iterate(&mut self, over: Over) -> Result<()> {
        let value = self.stack.pop().unwrap_or(Term::NIL);
        let bad = |value: Term| Err(Raise::with("bad_generator", value));
        let iter = match (over, value) {
            (Over::List, value) => Iter::List(value),
            (Over::Bits, value) => match Bits::of(&value) {
                Some(bits) => Iter::Bits(bits),
                None => return bad(value),
            },
            (Over::Map, Term::Map(map)) => Iter::Map(map, 0),
            (Over::Map, value) => match value {
                Term::Tuple(_) => Iter::Pairs(value),
                value if value.is_atom("none") => Iter::Pairs(value),
                // An iterator that is at the beginning.
                Term::List(ref list) => match (list.len(), list.improper_tail()) {
                    (1, Some(Term::Map(map))) => Iter::Map(map.clone(), 0),
                    _ => return bad(value),
                },
                value => return bad(value),
            },
        };
        self.iters.push(iter);
        Ok(())
    }

    /// Goes to the next elements that match all; `false` at the end.
    pub(super) fn next_element(&mut self, heads: &[(u32, bool)]) -> Result<bool> {
        let count = heads.len();
        loop {
            self.steps += 1;
            let (mut matched, mut ended) = (true, 0);
            let left: Vec<Term> = if count > 1 {
                self.iters.iter().rev().take(count).map(Iter::rest).collect()
            } else {
                Vec::new()
            };
            for (at, (head, strict)) in heads.iter().enumerate() {
                let place = self.iters.len() - 1 - at;
                match self.take_next(place, *head, *strict)? {
                    Taken::Match => {}
                    Taken::Skip => matched = false,
                    Taken::End => ended += 1,
                }
            }
            if ended > 0 {
                let kept = self.iters.len() - count;
                if ended < count {
                    return Err(Raise::with("bad_generators", Term::Tuple(left.into())));
                }
                self.iters.truncate(kept);
                return Ok(false);
            }
            if matched {
                return Ok(true);
            }
        }
    }

    fn take_next(&mut self, place: usize, head: u32, strict: bool) -> Result<Taken> {
        let code = self.now.code.clone();
        let head = &code.heads[head as usize];
        let base = self.now.base;
        let slots = &mut self.slots[base..];
        match &mut self.iters[place] {
            Iter::List(rest) => {
                let next = match rest {
                    Term::List(list) => list.uncons(),
                    other => return Err(Raise::with("bad_generator", other.clone())),
                };
                let Some((first, more)) = next else { return Ok(Taken::End) };
                *rest = more;
                if matching::head(head, std::slice::from_ref(&first), slots, &self.around) {
                    return Ok(Taken::Match);
                }
                if strict { Err(Raise::with("badmatch", first)) } else { Ok(Taken::Skip) }
            }
            Iter::Bits(bits) => {
                let Some(Pattern::Bits(segments)) = head.patterns.first() else { return Ok(Taken::End) };
                let Some((same, rest)) = matching::step(segments, bits, slots, &self.around) else {
                    if strict && bits.length > 0 {
                        return Err(Raise::with("badmatch", bits.to_term()));
                    }
                    return Ok(Taken::End);
                };
                if rest.length == bits.length {
                    return Ok(Taken::End);
                }
                let before = std::mem::replace(bits, rest);
                match (same, strict) {
                    (true, _) => Ok(Taken::Match),
                    (false, true) => Err(Raise::with("badmatch", before.to_term())),
                    (false, false) => Ok(Taken::Skip),
                }
            }
            Iter::Map(map, seen) => {
                let Some((key, value)) = map.pairs().get(*seen).cloned() else { return Ok(Taken::End) };
                *seen += 1;
                Self::pair(head, key, value, slots, &self.around, strict)
            }
            Iter::Pairs(rest) => {
                let Some((key, value, more)) = next_pair(rest) else { return Ok(Taken::End) };
                *rest = more;
                Self::pair(head, key, value, slots, &self.around, strict)
            }
        }
    }

    fn pair(
        head: &Head,
        key: Term,
        value: Term,
        slots: &mut [Term],
        around: &super::Around,
        strict: bool,
    ) -> Result<Taken> {
        let pair = [key, value];
        if matching::head(head, &pair, slots, around) {
            return Ok(Taken::Match);
        }
        if !strict {
            return Ok(Taken::Skip);
        }
        Err(Raise::with("badmatch", Term::tuple(pair)))
    }

    pub(super) fn collect(&mut self, what: Collect) {
        self.gathers.push(match what {
            Collect::List => Gather::List(Vec::new()),
            Collect::Bits => Gather::Bits(BitBuffer::default()),
            Collect::Map => Gather::Map(Vec::new()),
        });
    }

    pub(super) fn gather(&mut self) -> Result<()> {
        let value = self.stack.pop().unwrap_or(Term::NIL);
        match self.gathers.last_mut() {
            Some(Gather::List(items)) => items.push(value),
            Some(Gather::Bits(buffer)) => {
                let bits = Bits::of(&value).ok_or_else(Raise::badarg)?;
                buffer.push_bits(&bits);
            }
            Some(Gather::Map(pairs)) => {
                let key = self.stack.pop().unwrap_or(Term::NIL);
                pairs.push((key, value));
            }
            None => {}
        }
        Ok(())
    }

    pub(super) fn collected(&mut self) {
        let value = match self.gathers.pop() {
            Some(Gather::List(items)) => Term::list(items),
            Some(Gather::Bits(buffer)) => buffer.into_term(),
            Some(Gather::Map(pairs)) => Term::Map(pairs.into_iter().collect()),
            None => Term::NIL,
        };
        self.stack.push(value);
    }
}

/// The next pair of a map iterator: `{Key, Value, Iterator}`, or a list of pairs.
fn next_pair(iterator: &Term) -> Option<(Term, Term, Term)> {
    match iterator {
        Term::Tuple(parts) => match &**parts {
            [key, value, rest] => Some((key.clone(), value.clone(), rest.clone())),
            _ => None,
        },
        // As `maps:iterator/1` of ours makes it.
        Term::List(list) => {
            let (first, rest) = list.uncons()?;
            let [key, value] = first.as_tuple()? else { return None };
            Some((key.clone(), value.clone(), rest))
        }
        _ => None,
    }
}
