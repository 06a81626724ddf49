//! Variables: bound, unbound, unsafe.

use trunkline::Atom;

use super::{Compiled, Compiler, refuse};
use crate::ast::Loc;
use crate::machine::code::Slot;

/// What is known of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Var {
    /// Bound.
    Safe(Slot),
    /// Bound on some ways only.
    Unsafe(Slot, &'static str, Loc),
}

impl Compiler<'_> {
    /// Where a variable that is read lives.
    pub(super) fn read(&mut self, name: &Atom, loc: Loc) -> Compiled<Slot> {
        match self.find(self.frames.len() - 1, name) {
            Some(Var::Safe(slot)) => Ok(slot),
            Some(Var::Unsafe(_, what, at)) => refuse(loc, unsafe_message(name, what, at)),
            None => refuse(loc, format!("variable '{name}' is unbound", name = name.as_str())),
        }
    }

    /// A variable of the function at this depth, taken over from the one around it if need be.
    pub(super) fn find(&mut self, depth: usize, name: &Atom) -> Option<Var> {
        let frame = &self.frames[depth];
        if let Some((_, var)) = frame.vars.iter().rev().find(|(this, _)| this == name) {
            return Some(*var);
        }
        if let Some((_, slot)) = frame.captures.iter().find(|(this, _)| this == name) {
            return Some(Var::Safe(*slot));
        }
        if depth == 0 {
            return None;
        }
        match self.find(depth - 1, name)? {
            Var::Safe(_) => {
                let frame = &mut self.frames[depth];
                let slot = frame.slots;
                frame.slots += 1;
                frame.captures.push((name.clone(), slot));
                Some(Var::Safe(slot))
            }
            other => Some(other),
        }
    }

    /// Makes a variable known. `fresh`: it hides any other of its name.
    pub(super) fn bind(&mut self, name: &Atom, fresh: bool) -> Slot {
        let home = self.frame().homes.get(name).copied().filter(|_| !fresh);
        let slot = home.unwrap_or_else(|| self.slot());
        let frame = self.frame();
        frame.homes.insert(name.clone(), slot);
        frame.vars.push((name.clone(), Var::Safe(slot)));
        slot
    }

    /// How many variables are in sight.
    pub(super) fn sight(&mut self) -> usize {
        self.frame().vars.len()
    }

    /// Takes those out of sight that came after.
    pub(super) fn hide(&mut self, from: usize) -> Vec<(Atom, Var)> {
        self.frame().vars.split_off(from)
    }

    /// What came after is in sight, but not to be relied on.
    pub(super) fn distrust(&mut self, from: usize, what: &'static str, loc: Loc) {
        for (_, var) in &mut self.frame().vars[from..] {
            let (Var::Safe(slot) | Var::Unsafe(slot, ..)) = *var;
            *var = Var::Unsafe(slot, what, loc);
        }
    }

    /// After several ways: what all have bound is bound, the rest unsafe.
    pub(super) fn join(&mut self, ways: Vec<Vec<(Atom, Var)>>, what: &'static str, loc: Loc) {
        let mut seen: Vec<Atom> = Vec::new();
        for (name, var) in ways.iter().flatten() {
            if seen.contains(name) {
                continue;
            }
            seen.push(name.clone());
            let safe = |way: &Vec<(Atom, Var)>| {
                way.iter()
                    .rev()
                    .find(|(this, _)| this == name)
                    .is_some_and(|(_, v)| matches!(v, Var::Safe(_)))
            };
            let (Var::Safe(slot) | Var::Unsafe(slot, ..)) = *var;
            let joined = if ways.iter().all(safe) { Var::Safe(slot) } else { Var::Unsafe(slot, what, loc) };
            self.frame().vars.push((name.clone(), joined));
        }
    }
}

fn unsafe_message(name: &Atom, what: &str, at: Loc) -> String {
    let place = match at.column {
        0 => format!("(line {})", at.line),
        column => format!("(line {}, column {column})", at.line),
    };
    let what = crate::lexer::write_atom(what);
    format!("variable '{}' unsafe in {what} {place}", name.as_str())
}
