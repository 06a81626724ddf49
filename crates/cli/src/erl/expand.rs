//! `edlin_expand`: how a line goes on, for the terminals of shells on this node, ours and OTP's.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline::net_kernel::Kind;
use trunkline::{Node, Pid, Term, runtime};

use super::program::Program;

/// Commands of the shell, that are called without a module.
const COMMANDS: &[&str] = &[
    "catch_exception",
    "flush",
    "halt",
    "help",
    "history",
    "lc",
    "memory",
    "nregs",
    "nodes",
    "pid",
    "pwd",
    "regs",
    "results",
    "self",
    "spawn",
    "uptime",
    "whereis",
];
/// So many are listed.
const MATCHES_MAX: usize = 300;
/// So much of a line is looked at.
const LINE_CHARACTERS_MAX: usize = 64 << 10;
/// Files of a directory that are looked at.
const FILES_LOOKED_AT_MAX: usize = 10_000;

/// Exports `edlin_expand:expand/1,2`.
pub(super) fn install(program: &Arc<Program>, node: &Node) {
    for arity in [1, 2] {
        let (program, this) = (program.clone(), node.clone());
        node.export_raw(
            "edlin_expand",
            "expand",
            Some(arity),
            Arc::new(move |ctx, arguments| {
                let answer = expand(&program, &this, ctx.node(), arguments.first(), None);
                Box::pin(async move {
                    drop(ctx);
                    Ok(answer)
                })
            }),
        );
    }
}

/// How a line goes on whose text before the cursor is this, from its end; in the shell under this group leader.
pub(super) fn expand(
    program: &Program,
    this: &Node,
    node: &runtime::Node,
    reversed: Option<&Term>,
    leader: Option<&Pid>,
) -> Term {
    let list = reversed.and_then(Term::as_list);
    let chars = list.into_iter().flatten().map_while(|c| char::from_u32(u32::try_from(c.as_int()?).ok()?));
    let mut line: Vec<char> = chars.take(LINE_CHARACTERS_MAX).collect();
    line.reverse();
    if let Some(begun) = open_string(&line) {
        return answer(&begun, files(&begun));
    }
    let begin = line.iter().rposition(|c| !(c.is_alphanumeric() || "_@:'.-".contains(*c)));
    let before: String = line[begin.map_or(0, |at| at + 1)..].iter().collect();
    let words = leader.map(|leader| program.words(leader)).unwrap_or_default();
    if begin.is_some_and(|at| line[at] == '#') {
        let records = words.iter().filter_map(|word| word.strip_prefix('#'));
        return answer(&before, records.map(|name| format!("{name}{{")).collect());
    }
    if before.starts_with(|c: char| c.is_uppercase() || c == '_') {
        let begun = before.rsplit([':', '.', '-']).next().unwrap_or("").to_owned();
        return answer(&begun, words.into_iter().filter(|word| !word.starts_with('#')).collect());
    }
    match before.split_once(':') {
        Some((module, begun)) => answer(begun, functions(program, node, module.trim_matches('\''))),
        None => {
            let begun = before.trim_start_matches('\'');
            let names = names(program, this, node, !begun.is_empty());
            answer(begun, names)
        }
    }
}

/// What a module has for others.
fn functions(program: &Program, node: &runtime::Node, module: &str) -> Vec<String> {
    let own = program.vm.functions(&module.into()).into_iter().map(|(name, _)| name);
    let mut names: BTreeSet<String> = own.map(|name| written(name.as_str())).collect();
    let exports = node.exports_list().into_iter().filter(|(this, ..)| this.as_str() == module);
    names.extend(exports.map(|(_, name, _)| written(name.as_str())));
    names.into_iter().map(|name| name + "(").collect()
}

/// Modules; and, where something is typed already, nodes, names of processes, commands.
fn names(program: &Program, this: &Node, node: &runtime::Node, more: bool) -> Vec<String> {
    let mut modules: BTreeSet<String> =
        program.vm.modules().iter().map(|module| written(module.as_str())).collect();
    modules.extend(node.exports_list().into_iter().map(|(module, ..)| written(module.as_str())));
    let mut names: Vec<String> = modules.into_iter().map(|name| name + ":").collect();
    if more {
        names.extend(this.nodes_of(Kind::Connected).into_iter().map(|name| written(name.as_str())));
        names.extend(node.registered().into_iter().map(|name| written(name.as_str())));
        names.extend(COMMANDS.iter().map(|name| format!("{name}(")));
    }
    names
}

/// An atom as it is typed.
fn written(name: &str) -> String {
    Term::atom(name).to_string()
}

/// What is typed of a string that is not closed.
fn open_string(line: &[char]) -> Option<String> {
    let mut open: Option<(char, String)> = None;
    let mut rest = line.iter();
    while let Some(c) = rest.next() {
        match (&mut open, *c) {
            (None, '$') => {
                if rest.next() == Some(&'\\') {
                    rest.next();
                }
            }
            (None, '%') => while rest.next().is_some_and(|c| *c != '\n') {},
            (None, quote @ ('"' | '\'')) => open = Some((quote, String::new())),
            (Some((quote, _)), c) if *quote == c => open = None,
            (Some((_, text)), '\\') => text.extend(rest.next()),
            (Some((_, text)), c) => text.push(c),
            (None, _) => {}
        }
    }
    open.filter(|(quote, _)| *quote == '"').map(|(_, text)| text)
}

/// Files whose names go on from there; a directory with a slash.
fn files(begun: &str) -> Vec<String> {
    let (place, _) =
        begun.rsplit_once('/').map_or(("", begun), |(place, name)| (&begun[..=place.len()], name));
    let Ok(entries) = std::fs::read_dir(if place.is_empty() { "." } else { place }) else {
        return Vec::new();
    };
    let hidden = begun.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    let mut names: Vec<String> = entries
        .flatten()
        .take(FILES_LOOKED_AT_MAX)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path().is_dir())))
        .filter(|(name, _)| hidden || !name.starts_with('.'))
        .map(|(name, is_directory)| format!("{place}{name}{}", if is_directory { "/" } else { "\"" }))
        .collect();
    names.sort();
    names
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
    let listed = listed.iter().map(|name| Term::string(name.trim_end_matches(['(', ':', '{', '"'])));
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

    #[test]
    fn strings_that_are_open_are_seen() {
        let open = |line: &str| open_string(&line.chars().collect::<Vec<_>>());
        assert_eq!(open("c(\"a/b"), Some("a/b".to_owned()));
        assert_eq!(open("c(\"a\\\"b"), Some("a\"b".to_owned()));
        for closed in ["c(\"a\")", "$\"", "$\\\"", "'a\"", "% \"a", "lists"] {
            assert_eq!(open(closed), None, "{closed}");
        }
    }
}
