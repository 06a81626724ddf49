//! How much a process may hold: `process_flag(max_heap_size, _)`, and a ceiling for all.
//!
//! What is allocated is estimated as it goes; when that has become as much as there was, what is there is weighed. So weighing
//! costs a part of what allocating has cost, as a collection of garbage does.

use std::collections::HashMap;

use trunkline::term::{Map, Term};

use super::Machine;
use super::funs::Closure;
use super::loops::{Gather, Iter};
use crate::limits::{HEAP_BYTES_MAX, HEAP_UNWEIGHED_BYTES_MAX, STEPS_PER_TURN_MAX};
use crate::raise::{Class, Raise, Result};

/// Bytes of a word, in which Erlang counts heaps.
const WORD_BYTES: u64 = 8;
/// What a step allocates at most, as a rule: natives are counted by what they give.
const STEP_BYTES: u64 = 64;
/// A block on the heap, beside what is in it.
const BLOCK_BYTES: usize = 32;
const TERM_BYTES: usize = std::mem::size_of::<Term>();

/// What a process holds, as far as it is known, and may hold.
pub(crate) struct Heap {
    /// As it was set; 0 words are no ceiling of its own.
    pub(crate) words: u64,
    pub(crate) kill: bool,
    pub(crate) log: bool,
    /// When it was weighed last.
    live: u64,
    /// Allocated since then.
    grown: u64,
}

impl Default for Heap {
    fn default() -> Heap {
        Heap { words: 0, kill: true, log: true, live: 0, grown: 0 }
    }
}

impl Heap {
    fn ceiling(&self) -> u64 {
        match self.words {
            0 => HEAP_BYTES_MAX,
            words => words.saturating_mul(WORD_BYTES).min(HEAP_BYTES_MAX),
        }
    }

    fn is_due(&self) -> bool {
        self.grown >= self.live.max(self.ceiling().min(HEAP_UNWEIGHED_BYTES_MAX))
    }

    /// A native has given this. Whether it is time to weigh.
    pub(super) fn took(&mut self, value: &Term) -> bool {
        let bytes = match value {
            Term::List(list) => list.runs().next().map_or(0, |run| run.len() * TERM_BYTES),
            Term::Tuple(items) => items.as_slice().len() * TERM_BYTES,
            Term::Map(map) => map.len() * 2 * TERM_BYTES,
            Term::Binary(bytes) => bytes.len(),
            _ => return false,
        };
        self.grown += bytes as u64;
        self.is_due()
    }

    /// `#{error_logger => Log, kill => Kill, size => Words}`
    pub(crate) fn to_term(&self) -> Term {
        let truth = |on: bool| Term::atom(if on { "true" } else { "false" });
        let pairs = [
            (Term::atom("error_logger"), truth(self.log)),
            (Term::atom("kill"), truth(self.kill)),
            (Term::atom("size"), Term::Int(self.words as i64)),
        ];
        Term::Map(pairs.into_iter().collect())
    }

    /// Sets it as `process_flag(max_heap_size, Value)` does.
    ///
    /// # Errors
    /// `badarg` for what is no such value.
    pub(crate) fn set(&mut self, value: &Term) -> Result<()> {
        let words = |value: Option<&Term>| {
            value.and_then(Term::as_int).and_then(|words| u64::try_from(words).ok()).ok_or_else(Raise::badarg)
        };
        let Term::Map(map) = value else {
            self.words = words(Some(value))?;
            return Ok(());
        };
        let truth = |map: &Map, key: &str, before: bool| match map.get(&Term::atom(key)) {
            None => Ok(before),
            Some(value) if value.is_atom("true") => Ok(true),
            Some(value) if value.is_atom("false") => Ok(false),
            Some(_) => Err(Raise::badarg()),
        };
        let (kill, log) = (truth(map, "kill", self.kill)?, truth(map, "error_logger", self.log)?);
        self.words = words(map.get(&Term::atom("size")))?;
        (self.kill, self.log) = (kill, log);
        Ok(())
    }
}

impl Machine {
    /// This value is new. When much is, the turn is over, and it is weighed.
    pub(super) fn made(&mut self, value: &Term) {
        if self.heap.took(value) {
            self.steps = STEPS_PER_TURN_MAX;
        }
    }

    /// At the end of a turn: what is to be raised, and cannot be caught, when the process holds too much.
    pub(super) fn weigh(&mut self) -> Option<Box<Raise>> {
        self.heap.grown += u64::from(STEPS_PER_TURN_MAX) * STEP_BYTES;
        if !self.heap.is_due() {
            return None;
        }
        let ceiling = self.heap.ceiling();
        let live = self.held(ceiling);
        (self.heap.live, self.heap.grown) = (live, 0);
        if live <= ceiling {
            return None;
        }
        if self.heap.log {
            let pid = &self.around.pid;
            let pid = format!("<0.{}.{}>", pid.id, pid.serial);
            tracing::error!(
                "     Process: {pid}\n     Context: maximum heap size reached\n     Max Heap Size: {}\n     Kill: {}",
                ceiling / WORD_BYTES,
                self.heap.kill
            );
        }
        if !self.heap.kill && live <= HEAP_BYTES_MAX {
            // It is told once, and again when there is twice as much.
            return None;
        }
        let mut raise = Raise::new(Class::Exit, Term::atom("killed"));
        raise.traced = true;
        Some(raise)
    }

    /// Bytes that the process holds; not exact beyond the ceiling.
    fn held(&self, ceiling: u64) -> u64 {
        let mut scale = Scale { seen: HashMap::new(), open: Vec::new(), bytes: 0, ceiling };
        let closures = self.funs.values().map(|(_, closure)| closure);
        closures.for_each(|closure: &std::sync::Arc<Closure>| scale.all(&closure.values));
        scale.all(&self.stack);
        scale.all(&self.slots);
        self.dictionary.iter().for_each(|(key, value)| scale.all([key, value]));
        for iter in &self.iters {
            match iter {
                Iter::List(rest) | Iter::Pairs(rest) => scale.all([rest]),
                Iter::Map(map, _) => scale.pairs(map.pairs()),
                Iter::Bits(bits) => scale.bytes += bits.bytes.len() as u64,
            }
        }
        for gather in &self.gathers {
            match gather {
                Gather::List(items) => scale.all(items),
                Gather::Map(pairs) => scale.pairs(pairs),
                Gather::Bits(bits) => scale.bytes += (bits.len() / 8) as u64,
            }
        }
        scale.bytes
    }
}

/// Adds up what terms take, each part of them once. No recursion: what is inside comes later.
struct Scale<'a> {
    /// Where blocks end that were counted, and how many terms of them.
    seen: HashMap<usize, usize>,
    open: Vec<&'a Term>,
    bytes: u64,
    ceiling: u64,
}

impl<'a> Scale<'a> {
    fn all(&mut self, terms: impl IntoIterator<Item = &'a Term>) {
        for term in terms {
            self.bytes += TERM_BYTES as u64;
            self.push(term);
            while let Some(term) = self.open.pop() {
                self.inside(term);
            }
        }
    }

    fn pairs(&mut self, pairs: &'a [(Term, Term)]) {
        pairs.iter().for_each(|(key, value)| self.all([key, value]));
    }

    fn push(&mut self, term: &'a Term) {
        if matches!(
            term,
            Term::List(_) | Term::Tuple(_) | Term::Map(_) | Term::Binary(_) | Term::Big(_) | Term::Fun(_)
        ) {
            self.open.push(term);
        }
    }

    /// Whether this block is not counted yet, or less of it: how many of its terms are new.
    fn new_of<T>(&mut self, block: &[T]) -> usize {
        let before = self.seen.entry(block.as_ptr_range().end as usize).or_insert(0);
        let new = block.len().saturating_sub(*before);
        *before = block.len().max(*before);
        new
    }

    fn block(&mut self, items: &'a [Term]) {
        let new = self.new_of(items);
        if new > 0 {
            self.bytes += (BLOCK_BYTES + new * TERM_BYTES) as u64;
            items[..new].iter().for_each(|item| self.push(item));
        }
    }

    fn inside(&mut self, term: &'a Term) {
        if self.bytes > self.ceiling {
            self.open.clear();
            return;
        }
        match term {
            Term::List(list) => {
                let mut runs = list.runs();
                for run in runs.by_ref() {
                    let (before, length) = (self.bytes, run.len());
                    match run {
                        trunkline::term::Slice::Terms(items) => self.block(items),
                        trunkline::term::Slice::Bytes(bytes) => {
                            if self.new_of(bytes) > 0 {
                                self.bytes += (BLOCK_BYTES + length) as u64;
                            }
                        }
                    }
                    if self.bytes == before || self.bytes > self.ceiling {
                        // From here on all of it has been counted.
                        return;
                    }
                }
                if let Some(tail) = runs.improper_tail() {
                    self.push(tail);
                }
            }
            Term::Tuple(items) => self.block(items.as_slice()),
            Term::Map(map) => {
                let pairs = map.pairs();
                if self.new_of(pairs) > 0 {
                    self.bytes += (BLOCK_BYTES + pairs.len() * 2 * TERM_BYTES) as u64;
                    for (key, value) in pairs {
                        self.push(key);
                        self.push(value);
                    }
                }
            }
            Term::Binary(bytes) if self.new_of(bytes.as_slice()) > 0 => {
                self.bytes += (BLOCK_BYTES + bytes.len()) as u64;
            }
            Term::Big(number) => self.bytes += BLOCK_BYTES as u64 + number.bits() / 8,
            Term::Fun(fun) => self.block(&fun.free),
            _ => {}
        }
    }
}
