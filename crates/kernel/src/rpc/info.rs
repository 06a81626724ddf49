//! `module_info/0,1` of every module that exports something here.

use runtime::{Exit, Node};
use term::{Atom, Term};

use super::export::failure;

/// What `module:module_info(…)` says; nothing when it is something else that was called, or no such module is here.
pub(super) fn module_info(
    node: &Node,
    module: &Atom,
    function: &Atom,
    arguments: &[Term],
) -> Option<Result<Term, Exit>> {
    if *function != "module_info" || arguments.len() > 1 {
        return None;
    }
    let exports = exports(node, module);
    if exports.is_empty() {
        return None;
    }
    let item = |key: &str| match key {
        "module" => Some(Term::Atom(module.clone())),
        "exports" | "functions" => Some(Term::list(exports.iter().cloned())),
        // No BEAM compiled them.
        "attributes" | "compile" | "nifs" => Some(Term::NIL),
        "md5" => Some(Term::binary("")),
        "native" => Some(Term::atom("false")),
        _ => None,
    };
    let Some(asked) = arguments.first() else {
        let keys = ["module", "exports", "attributes", "compile", "md5"];
        let pairs = keys.iter().filter_map(|key| Some(Term::tuple([Term::atom(key), item(key)?])));
        return Some(Ok(Term::list(pairs)));
    };
    let answer = asked.as_atom().and_then(|key| item(key.as_str()));
    Some(answer.ok_or_else(|| {
        let arguments = vec![Term::Atom(module.clone()), asked.clone()];
        failure("badarg", Atom::new("erlang"), Atom::new("get_module_info"), arguments)
    }))
}

/// `[{Function, Arity}]`, with `module_info` behind the others, as the compiler puts it there. What is there for every
/// number of arguments has no arity to tell.
fn exports(node: &Node, module: &Atom) -> Vec<Term> {
    let pair = |name: &Atom, arity: i64| Term::tuple([Term::Atom(name.clone()), Term::Int(arity)]);
    let all = node.exports_list();
    let own = all.iter().filter(|(of, _, _)| of == module);
    let mut pairs: Vec<Term> =
        own.filter_map(|(_, name, arity)| Some(pair(name, i64::from((*arity)?)))).collect();
    if !pairs.is_empty() {
        let name = Atom::inline("module_info");
        pairs.extend([pair(&name, 0), pair(&name, 1)]);
    }
    pairs
}
