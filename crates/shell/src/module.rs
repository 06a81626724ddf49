//! Modules from their source: read, checked, made to run.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::Term;

use crate::ast::{Clause, Loc};
use crate::compile::{Compiler, Records, Unit};
use crate::library::Library;
use crate::lint;
use crate::machine::Module;
use crate::parser::{self, Attribute, Form};
use crate::preprocess::{self, Origin};

/// What is wrong with a module, as `c/1` says it: `file:line:column: what`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{loc}: {what}")]
pub struct ModuleError {
    /// Where.
    pub loc: Loc,
    /// What.
    pub what: String,
}

pub(crate) fn wrong(loc: Loc, what: impl Into<String>) -> ModuleError {
    ModuleError { loc, what: what.into() }
}

const EXPORTS_ALL: &str = "Warning: export_all flag enabled - all functions will be exported";

/// What the forms of a module say.
#[derive(Default)]
struct Parts {
    behaviours: Vec<(Loc, Atom)>,
    /// Whether `nowarn_export_all` was said.
    quiet: bool,
    name: Option<Atom>,
    exports: BTreeMap<(Atom, u8), Loc>,
    export_all: bool,
    /// Where everything was exported by a word that a compiler warns of.
    exports_all_at: Option<Loc>,
    imports: BTreeMap<(Atom, usize), Atom>,
    functions: BTreeMap<(Atom, usize), Loc>,
    bodies: Vec<(Atom, u8, Arc<Vec<Clause>>)>,
    records: Records,
    attributes: Vec<(Atom, Term)>,
    wrongs: Vec<ModuleError>,
}

/// A module of source that needs no other files.
pub(crate) fn compile(source: &str, library: &Library) -> Result<Module, Vec<ModuleError>> {
    let origin = Origin { file: "nofile".to_owned(), macros: Vec::new() };
    compile_with(source, &origin, &mut preprocess::NoFiles, library)
}

/// A module from its source; `files` gives what it includes.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn compile_with(
    source: &str,
    origin: &Origin,
    files: &mut dyn preprocess::Files,
    library: &Library,
) -> Result<Module, Vec<ModuleError>> {
    let (forms, mut wrongs) = preprocess::forms_of(source, origin, files);
    let mut parts = Parts::default();
    for tokens in &forms {
        match parser::form(tokens) {
            Ok(form) => parts.take(form),
            Err(error) => wrongs.push(wrong(error.loc, error.what)),
        }
    }
    wrongs.sort_by_key(|wrong| wrong.loc);
    if origin.file != "nofile" {
        let undefined = parts.undefined();
        parts.wrongs.extend(undefined);
    }
    // Nobody reads warnings of the library's own modules.
    let warnings = if origin.file == "nofile" { Vec::new() } else { parts.warnings() };
    let built = build(parts, wrongs, source, library);
    match built {
        Ok(module) => Ok(Module { warnings, ..module }),
        Err(wrongs) => {
            // What is not bound is not unused.
            let said: Vec<Loc> = wrongs.iter().map(|wrong| wrong.loc).collect();
            let warnings = warnings.into_iter().filter(|warning| !said.contains(&warning.loc));
            Err(wrongs.into_iter().chain(warnings).collect())
        }
    }
}

/// What was wrong with the text comes before what is wrong with its sense.
fn build(
    mut parts: Parts,
    mut wrongs: Vec<ModuleError>,
    source: &str,
    library: &Library,
) -> Result<Module, Vec<ModuleError>> {
    use md5::Digest;
    parts.check();
    let name = parts.name.clone().unwrap_or_else(|| Atom::new("nameless"));
    let unit = Unit {
        module: name.clone(),
        library,
        records: &parts.records,
        functions: Some(&parts.functions),
        imports: &parts.imports,
        funs: Vec::new(),
    };
    let mut compiler = Compiler::new(unit);
    let mut functions = BTreeMap::new();
    for (function, arity, clauses) in &parts.bodies {
        match compiler.function(function, clauses) {
            Ok(code) => {
                functions.insert((function.clone(), *arity), code);
            }
            Err(error) => parts.wrongs.push(wrong(error.loc, error.what)),
        }
    }
    parts.wrongs.sort_by(|one, other| (one.loc, &one.what).cmp(&(other.loc, &other.what)));
    parts.wrongs.dedup();
    wrongs.append(&mut parts.wrongs);
    if !wrongs.is_empty() {
        return Err(wrongs);
    }
    let funs = std::mem::take(&mut compiler.unit.funs).into_iter().flatten().collect();
    let exports = if parts.export_all {
        functions.keys().cloned().collect()
    } else {
        parts.exports.into_keys().collect()
    };
    Ok(Module {
        name,
        exports,
        functions,
        funs,
        md5: md5::Md5::digest(source.as_bytes()).into(),
        attributes: parts.attributes,
        records: parts.records,
        file: None,
        warnings: Vec::new(),
    })
}

impl Parts {
    fn bodies(&self) -> BTreeMap<(Atom, usize), lint::Function<'_>> {
        let functions = self.bodies.iter().filter_map(|(name, arity, clauses)| {
            let key = (name.clone(), usize::from(*arity));
            let loc = *self.functions.get(&key)?;
            Some((key, lint::Function { loc, clauses: clauses.as_slice() }))
        });
        functions.collect()
    }

    fn undefined(&self) -> Vec<ModuleError> {
        lint::undefined(&self.bodies(), |(name, arity)| {
            self.imports.contains_key(&(name.clone(), *arity))
                || crate::library::is_auto_imported(name.as_str(), *arity)
                || matches!((name.as_str(), arity), ("record_info", 2) | ("module_info", 0 | 1))
        })
    }

    fn warnings(&self) -> Vec<ModuleError> {
        let functions = self.bodies();
        let roots: Vec<(Atom, usize)> = match self.export_all {
            true => functions.keys().cloned().collect(),
            false => self.exports.keys().map(|(name, arity)| (name.clone(), usize::from(*arity))).collect(),
        };
        let mut found: Vec<ModuleError> =
            self.exports_all_at.iter().map(|loc| wrong(*loc, EXPORTS_ALL)).collect();
        let has = |name: &str, arity: u8| {
            let key = (Atom::new(name), arity);
            self.exports.contains_key(&key)
                || self.export_all && functions.contains_key(&(key.0, arity.into()))
        };
        for (loc, behaviour) in &self.behaviours {
            found.extend(lint::callbacks(behaviour, *loc, has));
        }
        found.extend(lint::warnings(&functions, roots.into_iter().chain(self.on_load())));
        found.sort_by_key(|warning| warning.loc);
        found
    }

    /// What `-on_load` names is used.
    fn on_load(&self) -> Option<(Atom, usize)> {
        let (_, value) = self.attributes.iter().find(|(name, _)| *name == *"on_load")?;
        let first = value.as_list()?.iter().next()?;
        match first.as_tuple()? {
            [Term::Atom(name), Term::Int(arity)] => Some((name.clone(), usize::try_from(*arity).ok()?)),
            _ => None,
        }
    }

    fn take(&mut self, form: Form) {
        match form {
            Form::Function { loc, name, arity, clauses } => {
                let Ok(count) = u8::try_from(arity) else { return };
                if self.functions.insert((name.clone(), arity), loc).is_some() {
                    let shown = crate::lexer::write_atom(name.as_str());
                    self.wrongs.push(wrong(loc, format!("function {shown}/{arity} already defined")));
                }
                self.bodies.push((name, count, clauses));
            }
            Form::Attribute(loc, attribute) => self.attribute(loc, attribute),
        }
    }

    fn attribute(&mut self, loc: Loc, attribute: Attribute) {
        match attribute {
            Attribute::Module(name) => self.name = Some(name),
            Attribute::Export(names) => {
                self.exports.extend(names.into_iter().map(|(name, arity)| ((name, arity as u8), loc)));
            }
            Attribute::Import(module, names) => {
                self.imports.extend(names.into_iter().map(|key| (key, module.clone())));
            }
            Attribute::Record(record) => {
                if self.records.contains_key(&record.name) {
                    let shown = crate::lexer::write_atom(record.name.as_str());
                    self.wrongs.push(wrong(loc, format!("record {shown} already defined")));
                }
                self.records.insert(record.name.clone(), record);
            }
            Attribute::Other(name, value) if name == *"compile" => {
                let says = |word: &str| {
                    value.is_atom(word) || value.as_list().is_some_and(|l| l.iter().any(|t| t.is_atom(word)))
                };
                self.quiet |= says("nowarn_export_all");
                if says("export_all") {
                    self.export_all = true;
                    self.exports_all_at = Some(loc).filter(|_| !self.quiet);
                } else if self.quiet {
                    self.exports_all_at = None;
                }
            }
            Attribute::Other(name, value) => {
                if let ("behaviour" | "behavior", Some(behaviour)) = (name.as_str(), value.as_atom()) {
                    self.behaviours.push((loc, behaviour.clone()));
                }
                let value = if matches!(value, Term::List(_)) { value } else { Term::list([value]) };
                self.attributes.push((name, value));
            }
            Attribute::Type(_) => {}
        }
    }

    fn check(&mut self) {
        if self.name.is_none() {
            self.wrongs.push(wrong(Loc::new(1, 1), "no module definition"));
        }
        for ((name, arity), loc) in &self.exports {
            if !self.functions.contains_key(&(name.clone(), usize::from(*arity))) {
                let shown = crate::lexer::write_atom(name.as_str());
                self.wrongs.push(wrong(*loc, format!("function {shown}/{arity} undefined")));
            }
        }
    }
}
