//! `edlin_expand`: how a line goes on, for the terminals of shells on this node, ours and OTP's.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline::net_kernel::Kind;
use trunkline::{Node, Term, runtime};

use super::program::Program;

/// Modules of the library.
const MODULES: &[&str] = &[
    "binary",
    "calendar",
    "dict",
    "erl_eval",
    "erl_parse",
    "erl_scan",
    "erlang",
    "io",
    "io_lib",
    "lists",
    "maps",
    "math",
    "orddict",
    "ordsets",
    "os",
    "proplists",
    "queue",
    "rand",
    "rpc",
    "sets",
    "string",
    "timer",
    "unicode",
];
/// So many are listed.
const MATCHES_MAX: usize = 300;

/// Exports `edlin_expand:expand/1,2`.
pub(super) fn install(program: &Arc<Program>, node: &Node) {
    for arity in [1, 2] {
        let (program, this) = (program.clone(), node.clone());
        node.export_raw(
            "edlin_expand",
            "expand",
            Some(arity),
            Arc::new(move |ctx, arguments| {
                let answer = expand(&program, &this, ctx.node(), arguments.first());
                Box::pin(async move {
                    drop(ctx);
                    Ok(answer)
                })
            }),
        );
    }
}

fn expand(program: &Program, this: &Node, node: &runtime::Node, reversed: Option<&Term>) -> Term {
    let list = reversed.and_then(Term::as_list);
    let chars = list.into_iter().flatten().map_while(|c| char::from_u32(u32::try_from(c.as_int()?).ok()?));
    let before: Vec<char> = chars.take_while(|c| c.is_alphanumeric() || "_@:'.-".contains(*c)).collect();
    let before: String = before.into_iter().rev().collect();
    let (begun, all) = match before.split_once(':') {
        Some((module, begun)) => {
            let module = module.trim_matches('\'');
            let mut names: BTreeSet<String> = program
                .vm
                .functions(&module.into())
                .into_iter()
                .map(|(name, _)| name.as_str().to_owned())
                .collect();
            let exports = node.exports_list().into_iter().filter(|(this, ..)| this.as_str() == module);
            names.extend(exports.map(|(_, name, _)| name.as_str().to_owned()));
            (begun.to_owned(), names.into_iter().map(|name| name + "(").collect::<Vec<_>>())
        }
        None => {
            let begun = before.trim_start_matches('\'').to_owned();
            let mut names: BTreeSet<String> = MODULES.iter().map(|name| (*name).to_owned()).collect();
            names.extend(node.exports_list().into_iter().map(|(module, ..)| module.as_str().to_owned()));
            names.extend(program.vm.loaded().iter().map(|module| module.name.as_str().to_owned()));
            let mut names: Vec<String> = names.into_iter().map(|name| name + ":").collect();
            if !begun.is_empty() {
                names.extend(this.nodes_of(Kind::Connected).into_iter().map(|name| name.as_str().to_owned()));
                names.extend(node.registered().into_iter().map(|name| name.as_str().to_owned()));
            }
            (begun, names)
        }
    };
    answer(&begun, all)
}

/// What all matches have in common is inserted; when that is nothing, they are listed.
fn answer(begun: &str, all: Vec<String>) -> Term {
    let matches: Vec<String> =
        all.into_iter().filter(|name| name.starts_with(begun)).take(MATCHES_MAX).collect();
    let common = matches.iter().skip(1).fold(matches.first().map_or("", String::as_str), |common, name| {
        let same = common.char_indices().zip(name.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(common.len().min(name.len()), |((at, _), _)| at);
        &common[..end]
    });
    let insert = common.strip_prefix(begun).unwrap_or("");
    let known = if matches.len() == 1 || !insert.is_empty() { "yes" } else { "no" };
    let listed = if insert.is_empty() { matches.as_slice() } else { &[] };
    let listed = listed.iter().map(|name| Term::string(name.trim_end_matches(['(', ':'])));
    Term::tuple([Term::atom(known), Term::string(insert), Term::list(listed)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_have_in_common_is_inserted() {
        let all = || ["seq(", "sort(", "sublist("].map(str::to_owned).to_vec();
        let told = |begun: &str| answer(begun, all()).to_string();
        assert_eq!(told("so"), Term::tuple([Term::atom("yes"), Term::string("rt("), Term::NIL]).to_string());
        assert!(told("s").starts_with("{no,[]"));
        assert_eq!(told("zz"), Term::tuple([Term::atom("no"), Term::NIL, Term::NIL]).to_string());
    }
}
