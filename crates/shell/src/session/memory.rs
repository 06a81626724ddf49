//! What a shell remembers of its commands: what was typed, and what came of it.

use std::collections::BTreeMap;

use trunkline::Term;

use super::Session;
use crate::ast::Body;
use crate::limits::HISTORY_COMMANDS_MAX;
use crate::world::World;

/// Commands by number.
pub(super) struct Memory {
    done: BTreeMap<usize, Done>,
    number: usize,
    /// How many commands and how many values are kept.
    commands: usize,
    values: usize,
}

struct Done {
    body: Body,
    text: String,
    value: Option<Term>,
}

impl Default for Memory {
    fn default() -> Memory {
        let (commands, values) = (HISTORY_COMMANDS_MAX, HISTORY_COMMANDS_MAX);
        Memory { done: BTreeMap::new(), number: 1, commands, values }
    }
}

impl Memory {
    /// The number of the next command.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn remember(&mut self, body: Body, text: String, value: Term) {
        self.done.insert(self.number, Done { body, text, value: Some(value) });
        self.number += 1;
        self.forget();
    }

    fn forget(&mut self) {
        while self.done.len() > self.commands {
            self.done.pop_first();
        }
        let old = self.done.len().saturating_sub(self.values);
        self.done.values_mut().take(old).for_each(|done| done.value = None);
    }

    /// `history(N)`: how many were kept before.
    pub(super) fn keep_commands(&mut self, count: usize) -> usize {
        let before = std::mem::replace(&mut self.commands, count);
        self.forget();
        before
    }

    /// `results(N)`: how many were kept before.
    pub(super) fn keep_values(&mut self, count: usize) -> usize {
        let before = std::mem::replace(&mut self.values, count);
        self.forget();
        before
    }

    /// Command `at`, or that many commands before this one.
    fn find(&self, at: i64) -> Option<&Done> {
        let at = if at < 0 { self.number as i64 + at } else { at };
        usize::try_from(at).ok().and_then(|at| self.done.get(&at))
    }

    pub(super) fn body(&self, at: i64) -> Option<Body> {
        Some(self.find(at)?.body.clone())
    }

    pub(super) fn value(&self, at: i64) -> Option<Term> {
        self.find(at)?.value.clone()
    }
}

impl Session {
    pub(super) fn list_history(&self, world: &dyn World) -> String {
        let mut text = String::new();
        for (number, done) in &self.memory.done {
            text.push_str(&format!("{number}: {}\n", done.text));
            if let Some(value) = &done.value {
                text.push_str(&format!("-> {}\n", self.show_at(value, 4, world.numbers())));
            }
        }
        text
    }
}
