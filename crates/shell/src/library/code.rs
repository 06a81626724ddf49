//! `code`: which modules there are, where they come from, and how they come and go.

use std::path::{Path, PathBuf};

use trunkline::{Atom, Term};

use super::Row;
use super::args::{atom, boolean, items, text};
use super::convert::string;
use crate::code::{CodeError, Options};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::{Pure, Step};
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("ensure_loaded", 1, Step(|machine, _, a| value(ensure_loaded(machine, atom(&a[0])?)))),
    ("load_file", 1, Step(|machine, _, a| value(load_file(machine, &a[0])?))),
    ("load_abs", 1, Step(|machine, _, a| value(load_abs(machine, &a[0])?))),
    ("is_loaded", 1, Step(|machine, _, a| value(is_loaded(machine, atom(&a[0])?)))),
    ("which", 1, Step(|machine, _, a| value(which(machine, atom(&a[0])?)))),
    ("where_is_file", 1, Step(|machine, _, a| value(where_is_file(machine, &text(&a[0])?)))),
    ("get_path", 0, Step(|machine, _, _| value(Term::list(machine.vm.code_path().iter().map(|p| shown(p)))))),
    ("add_path", 1, Step(|machine, _, a| value(add(machine, &a[0], false)?))),
    ("add_pathz", 1, Step(|machine, _, a| value(add(machine, &a[0], false)?))),
    ("add_patha", 1, Step(|machine, _, a| value(add(machine, &a[0], true)?))),
    ("add_paths", 1, Step(|machine, _, a| value(add_all(machine, &a[0], false)?))),
    ("add_pathsz", 1, Step(|machine, _, a| value(add_all(machine, &a[0], false)?))),
    ("add_pathsa", 1, Step(|machine, _, a| value(add_all(machine, &a[0], true)?))),
    ("del_path", 1, Step(|machine, _, a| value(boolean(machine.vm.delete_code_path(&path(&a[0])?))))),
    ("purge", 1, Step(|machine, _, a| purge(machine, &a[0], false))),
    ("soft_purge", 1, Step(|machine, _, a| purge(machine, &a[0], true))),
    ("delete", 1, Step(|machine, _, a| delete(machine, atom(&a[0])?))),
    ("all_loaded", 0, Step(|machine, _, _| value(all_loaded(machine)))),
    ("get_mode", 0, Pure(|_| Ok(Term::atom("interactive")))),
    ("objfile_extension", 0, Pure(|_| Ok(string(".erl")))),
    ("is_sticky", 1, Step(|machine, _, a| value(boolean(machine.vm.library.has(atom(&a[0])?))))),
    ("$compile", 2, Step(|machine, _, a| value(compile(machine, &a[0], &a[1])?))),
];

fn value(term: Term) -> Result<After> {
    Ok(After::Value(term))
}

fn error(what: &str) -> Term {
    Term::tuple([Term::atom("error"), Term::atom(what)])
}

fn shown(path: &Path) -> Term {
    string(&path.to_string_lossy())
}

/// The name of a file or a directory: an atom, a string or a binary.
fn path(term: &Term) -> Result<PathBuf> {
    match term {
        Term::Atom(name) => Ok(PathBuf::from(name.as_str())),
        Term::Binary(name) => {
            std::str::from_utf8(name.as_slice()).map(PathBuf::from).map_err(|_| Raise::badarg())
        }
        other => text(other).map(PathBuf::from),
    }
}

fn module_of(name: &Atom) -> Term {
    Term::tuple([Term::atom("module"), Term::Atom(name.clone())])
}

fn ensure_loaded(machine: &Machine, name: &Atom) -> Term {
    match machine.vm.library.has(name) || machine.vm.ensure_loaded(name).is_some() {
        true => module_of(name),
        false => error("nofile"),
    }
}

/// Reads it again, wherever it came from.
fn load_file(machine: &Machine, name: &Term) -> Result<Term> {
    let name = atom(name)?;
    let before = machine.vm.module(name).and_then(|module| module.file.clone());
    let found = machine.vm.find_code_file(&format!("{}.erl", name.as_str()));
    let Some(file) = found.or(before) else {
        let known = machine.vm.library.has(name) || machine.vm.module(name).is_some();
        return Ok(if known { error("sticky_directory") } else { error("nofile") });
    };
    Ok(loaded(machine, &file))
}

fn load_abs(machine: &Machine, name: &Term) -> Result<Term> {
    let file = path(name)?;
    let file = if file.extension().is_some() { file } else { file.with_extension("erl") };
    Ok(loaded(machine, &file))
}

fn loaded(machine: &Machine, file: &Path) -> Term {
    match machine.vm.load_file(file, &Options::default()) {
        Ok(module) => module_of(&module.name),
        Err(CodeError::NoFile(_)) => error("nofile"),
        Err(why) => {
            tracing::error!("Loading of {} failed:\n{why}", file.display());
            error("badfile")
        }
    }
}

fn is_loaded(machine: &Machine, name: &Atom) -> Term {
    let file = match machine.vm.module(name) {
        Some(module) => module.file.as_deref().map_or(Term::NIL, shown),
        None if machine.vm.library.has(name) => Term::atom("preloaded"),
        None => return boolean(false),
    };
    Term::tuple([Term::atom("file"), file])
}

fn which(machine: &Machine, name: &Atom) -> Term {
    if let Some(module) = machine.vm.module(name) {
        return module.file.as_deref().map_or(Term::NIL, shown);
    }
    if machine.vm.library.has(name) {
        return Term::atom("preloaded");
    }
    where_is_file(machine, &format!("{}.erl", name.as_str()))
}

fn where_is_file(machine: &Machine, name: &str) -> Term {
    machine.vm.find_code_file(name).map_or_else(|| Term::atom("non_existing"), |file| shown(&file))
}

fn add(machine: &Machine, directory: &Term, in_front: bool) -> Result<Term> {
    let there = machine.vm.add_code_path(&path(directory)?, in_front);
    Ok(if there { boolean(true) } else { error("bad_directory") })
}

fn add_all(machine: &Machine, directories: &Term, in_front: bool) -> Result<Term> {
    let mut all = items(directories)?;
    if in_front {
        all.reverse();
    }
    for directory in all {
        add(machine, &directory, in_front)?;
    }
    Ok(Term::atom("ok"))
}

/// No process is killed for the code it runs: it holds what it needs.
fn purge(machine: &Machine, name: &Term, soft: bool) -> Result<After> {
    machine.vm.purge(atom(name)?);
    value(boolean(soft))
}

fn delete(machine: &Machine, name: &Atom) -> Result<After> {
    if machine.vm.has_old(name) {
        tracing::error!("Module {} must be purged before deleting", name.as_str());
        return value(boolean(false));
    }
    value(boolean(machine.vm.unload(name)))
}

fn all_loaded(machine: &Machine) -> Term {
    let own = machine.vm.library.modules().into_iter().map(|name| (name, Term::atom("preloaded")));
    let read = machine.vm.loaded().into_iter().map(|module| {
        let file = module.file.as_deref().map_or(Term::NIL, shown);
        (module.name.clone(), file)
    });
    let read: Vec<_> = read.collect();
    let own = own.filter(|(name, _)| read.iter().all(|(other, _)| other != name)).collect::<Vec<_>>();
    Term::list(read.iter().chain(&own).map(|(name, file)| Term::tuple([name.clone().into(), file.clone()])))
}

/// What `c:c/2` does: `{ok, Module, Warnings}`, `{error, Text}`, or `nofile`.
fn compile(machine: &Machine, file: &Term, options: &Term) -> Result<Term> {
    let given = path(file)?;
    let with = if given.extension().is_some_and(|end| end == "erl") {
        given
    } else {
        let mut name = given.into_os_string();
        name.push(".erl");
        PathBuf::from(name)
    };
    let module = file.as_atom();
    let found = || machine.vm.find_code_file(&format!("{}.erl", module?.as_str()));
    let before = || machine.vm.module(module?)?.file.clone();
    let file = if with.is_file() { with } else { found().or_else(before).unwrap_or(with) };
    match machine.vm.load_and_tell(&file, &read_options(options)) {
        Ok((module, warnings)) => {
            Ok(Term::tuple([Term::atom("ok"), Term::Atom(module.name.clone()), Term::binary(&warnings)]))
        }
        Err(CodeError::NoFile(_)) => Ok(Term::atom("nofile")),
        Err(CodeError::Wrong(text)) => Ok(Term::tuple([Term::atom("error"), Term::binary(&text)])),
    }
}

fn read_options(options: &Term) -> Options {
    let mut read = Options::default();
    let all = items(options).unwrap_or_else(|_| vec![options.clone()]);
    for option in all {
        match option.as_tuple() {
            Some([key, Term::Atom(name)]) if key.is_atom("d") => {
                read.macros.push((name.clone(), boolean(true)));
            }
            Some([key, Term::Atom(name), value]) if key.is_atom("d") => {
                read.macros.push((name.clone(), value.clone()));
            }
            Some([key, directory]) if key.is_atom("i") => read.includes.extend(path(directory)),
            _ => {}
        }
    }
    read
}
