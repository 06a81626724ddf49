//! `code`: the modules are those of the exported functions; they have no files, and none is ever loaded from one.

use std::collections::BTreeSet;

use runtime::Node;
use term::{Atom, Term};

use super::{Module, args};
use args::{atom, boolean, error, pair};

pub(super) const MODULE: Module = Module {
    name: "code",
    unfit: "function_clause",
    near: &[
        ("all_loaded", 0, |ctx, _| Ok(all_loaded(ctx.node()))),
        ("all_available", 0, |ctx, _| {
            let modules = modules(ctx.node());
            Ok(Term::list(
                modules
                    .iter()
                    .map(|name| Term::tuple([Term::string(name.as_str()), preloaded(), boolean(true)])),
            ))
        }),
        ("is_loaded", 1, |ctx, a| Ok(is_loaded(ctx.node(), atom(&a[0])?))),
        ("is_module_native", 1, |_, a| atom(&a[0]).map(|_| boolean(false))),
        ("is_sticky", 1, |_, a| atom(&a[0]).map(|_| boolean(false))),
        ("which", 1, |ctx, a| {
            let name = atom(&a[0])?;
            Ok(if exists(ctx.node(), name) { preloaded() } else { Term::atom("non_existing") })
        }),
        ("where_is_file", 1, |_, _| Ok(Term::atom("non_existing"))),
        ("ensure_loaded", 1, |ctx, a| Ok(ensure_loaded(ctx.node(), atom(&a[0])?))),
        ("load_file", 1, |ctx, a| Ok(ensure_loaded(ctx.node(), atom(&a[0])?))),
        ("ensure_modules_loaded", 1, |ctx, a| {
            let names = args::items(&a[0])?;
            let missing =
                names.iter().filter(|name| name.as_atom().is_none_or(|name| !exists(ctx.node(), name)));
            let missing: Vec<Term> =
                missing.map(|name| Term::tuple([name.clone(), Term::atom("nofile")])).collect();
            Ok(if missing.is_empty() { Term::atom("ok") } else { error(Term::list(missing)) })
        }),
        // There is no BEAM here that could run it.
        ("load_binary", 3, |_, a| atom(&a[0]).map(|_| error(Term::atom("badfile")))),
        ("load_abs", 1, |_, _| Ok(error(Term::atom("nofile")))),
        ("get_object_code", 1, |_, a| atom(&a[0]).map(|_| Term::atom("error"))),
        ("get_doc", 1, |_, a| atom(&a[0]).map(|_| error(Term::atom("missing")))),
        ("module_md5", 1, |_, a| args::binary(&a[0]).map(|_| args::undefined())),
        ("module_status", 1, |ctx, a| {
            Ok(Term::atom(if exists(ctx.node(), atom(&a[0])?) { "loaded" } else { "not_loaded" }))
        }),
        ("modified_modules", 0, |_, _| Ok(Term::NIL)),
        ("purge", 1, |_, a| atom(&a[0]).map(|_| boolean(false))),
        ("soft_purge", 1, |_, a| atom(&a[0]).map(|_| boolean(true))),
        ("delete", 1, |_, a| atom(&a[0]).map(|_| boolean(false))),
        ("clash", 0, |_, _| Ok(Term::atom("ok"))),
        ("get_path", 0, |_, _| Ok(Term::NIL)),
        ("add_path", 1, |_, _| Ok(error(Term::atom("bad_directory")))),
        ("add_patha", 1, |_, _| Ok(error(Term::atom("bad_directory")))),
        ("add_pathz", 1, |_, _| Ok(error(Term::atom("bad_directory")))),
        ("add_paths", 1, |_, _| Ok(Term::atom("ok"))),
        ("add_pathsa", 1, |_, _| Ok(Term::atom("ok"))),
        ("add_pathsz", 1, |_, _| Ok(Term::atom("ok"))),
        ("del_path", 1, |_, _| Ok(boolean(false))),
        ("lib_dir", 0, |_, _| Ok(Term::string(&directory()))),
        ("lib_dir", 1, |_, a| atom(&a[0]).map(|_| error(Term::atom("bad_name")))),
        ("lib_dir", 2, |_, a| atom(&a[0]).map(|_| error(Term::atom("bad_name")))),
        ("priv_dir", 1, |_, a| atom(&a[0]).map(|_| error(Term::atom("bad_name")))),
        ("root_dir", 0, |_, _| Ok(Term::string(&directory()))),
        ("compiler_dir", 0, |_, _| Ok(error(Term::atom("bad_name")))),
        ("objfile_extension", 0, |_, _| Ok(Term::string(".beam"))),
        ("get_mode", 0, |_, _| Ok(mode())),
    ],
    far: &[],
};

/// As those inside a BEAM: they have no file.
fn preloaded() -> Term {
    Term::atom("preloaded")
}

/// Nothing is loaded when it is first called.
pub(crate) fn mode() -> Term {
    Term::atom("embedded")
}

fn modules(node: &Node) -> BTreeSet<Atom> {
    node.exports_list().into_iter().map(|(module, _, _)| module).collect()
}

fn exists(node: &Node, module: &Atom) -> bool {
    node.exports_list().iter().any(|(known, _, _)| known == module)
}

pub(crate) fn all_loaded(node: &Node) -> Term {
    Term::list(modules(node).into_iter().map(|name| Term::tuple([Term::Atom(name), preloaded()])))
}

pub(crate) fn is_loaded(node: &Node, module: &Atom) -> Term {
    if exists(node, module) { pair("file", preloaded()) } else { boolean(false) }
}

pub(crate) fn ensure_loaded(node: &Node, module: &Atom) -> Term {
    match exists(node, module) {
        true => pair("module", Term::Atom(module.clone())),
        false => error(Term::atom("nofile")),
    }
}

/// Where the program is.
fn directory() -> String {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(std::path::Path::parent);
    folder.map_or(String::new(), |folder| folder.to_string_lossy().into_owned())
}

/// Answers what a process asks `code_server` with `{code_call, Pid, Request}`; nothing is answered to what it does not know.
pub(crate) fn answer(node: &Node, request: &Term) -> Option<Term> {
    if let Term::Atom(word) = request {
        return match word.as_str() {
            "all_loaded" => Some(all_loaded(node)),
            "get_mode" => Some(mode()),
            "get_path" => Some(Term::NIL),
            _ => None,
        };
    }
    let [word, first, ..] = request.as_tuple()? else { return None };
    let name = first.as_atom();
    Some(match (word.as_atom()?.as_str(), name) {
        ("is_loaded", Some(name)) => is_loaded(node, name),
        ("ensure_loaded" | "load_file", Some(name)) => ensure_loaded(node, name),
        ("get_object_code", Some(_)) => Term::atom("error"),
        ("is_sticky" | "purge" | "delete", Some(_)) => boolean(false),
        ("soft_purge", Some(_)) => boolean(true),
        ("load_binary", Some(_)) => error(Term::atom("badfile")),
        ("dir", _) => error(Term::atom("bad_name")),
        ("add_path" | "set_path" | "replace_path", _) => error(Term::atom("bad_directory")),
        _ => return None,
    })
}
