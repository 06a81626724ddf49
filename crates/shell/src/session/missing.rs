//! Functions that OTP's library has and this one does not: who calls one is told what there is.

use trunkline::Atom;

use super::Session;
use crate::raise::Raise;

/// One module per line: its name, and what is missing. A test keeps it exact.
const MISSING: &str = include_str!("../library/missing.txt");

impl Session {
    /// A line below the report of an `undef`; nothing where OTP has no such function either.
    pub(super) fn what_there_is(&self, raise: &Raise) -> String {
        self.told(raise).unwrap_or_default()
    }

    fn told(&self, raise: &Raise) -> Option<String> {
        let [module, function, arguments, ..] = raise.trace.first()?.as_tuple()? else { return None };
        let (module, function) = (module.as_atom()?, function.as_atom()?);
        let arity = match arguments.as_list() {
            Some(list) => list.len() as i64,
            None => arguments.as_int()?,
        };
        if !raise.reason.is_atom("undef") || !is_missing(module, function, arity) {
            return None;
        }
        let mut there: Vec<String> = self
            .vm
            .functions(module)
            .iter()
            .map(|(name, arity)| format!("{}/{arity}", name.as_str()))
            .collect();
        there.retain(|name| !name.starts_with('$'));
        let there = match there.is_empty() {
            true => "nothing".to_owned(),
            false => there.join(" "),
        };
        Some(format!("     not here yet; of {} there is: {there}\n", module.as_str()))
    }
}

fn is_missing(module: &Atom, function: &Atom, arity: i64) -> bool {
    let wanted = format!("{}/{arity}", function.as_str());
    MISSING.lines().any(|line| {
        let mut words = line.split(' ');
        words.next().is_some_and(|name| module == name) && words.any(|word| word == wanted)
    })
}
