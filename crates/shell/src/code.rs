//! Code from files: the path on which modules are looked for, and how they are read, checked and loaded.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use trunkline::{Atom, Term};

use crate::lexer::Loc;
use crate::limits::CODE_PATHS_MAX;
use crate::machine::Module;
use crate::module::{ModuleError, compile_with};
use crate::preprocess::{Files, Origin};
use crate::vm::Vm;

/// Why a module is not loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CodeError {
    /// There is no such file, or it cannot be read.
    #[error("{0}: no such file or directory")]
    NoFile(PathBuf),
    /// Something is wrong with it: the report, in erl's words and with the lines it is about.
    #[error("{0}")]
    Wrong(String),
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `{d, Name, Value}`.
    pub macros: Vec<(Atom, Term)>,
    /// `{i, Directory}`.
    pub includes: Vec<PathBuf>,
}

impl Vm {
    /// The directories in which modules are looked for, the first first.
    pub fn code_path(&self) -> Vec<PathBuf> {
        self.path.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One more directory, in front of the others or behind them; whether it is one.
    pub fn add_code_path(&self, directory: &Path, in_front: bool) -> bool {
        if !directory.is_dir() {
            return false;
        }
        let mut path = self.path.write().unwrap_or_else(PoisonError::into_inner);
        let here = path.iter().position(|one| one == directory);
        match here {
            // As in OTP: what is there keeps its place at the end, and comes to the front.
            Some(_) if !in_front => return true,
            Some(at) => {
                path.remove(at);
            }
            None if path.len() >= CODE_PATHS_MAX => return false,
            None => {}
        }
        let at = if in_front { 0 } else { path.len() };
        path.insert(at, directory.to_owned());
        true
    }

    /// Takes a directory away; whether it was there.
    pub fn delete_code_path(&self, directory: &Path) -> bool {
        let mut path = self.path.write().unwrap_or_else(PoisonError::into_inner);
        let before = path.len();
        path.retain(|one| one != directory);
        path.len() < before
    }

    /// A file of this name on the code path, or in a directory `ebin` or `src` beside it.
    pub fn find_code_file(&self, name: &str) -> Option<PathBuf> {
        // A name may come from another node: it must not lead out of the path.
        if name.contains(['/', '\0']) {
            return None;
        }
        self.code_path().iter().find_map(|directory| {
            let nested =
                ["", "ebin", "src", "../src", "../ebin"].map(|inner| directory.join(inner).join(name));
            nested.into_iter().find(|file| file.is_file())
        })
    }

    /// What the file `Name.app` on the code path says.
    pub fn find_application(&self, name: &Atom) -> Option<Term> {
        let file = self.find_code_file(&format!("{}.app", name.as_str()))?;
        let tokens = crate::lexer::tokens(&std::fs::read_to_string(file).ok()?, Loc::new(1, 1)).ok()?;
        match crate::parser::exprs(&tokens).ok()?.as_slice() {
            [one] => crate::parser::normalise(one),
            _ => None,
        }
    }

    /// A module that is not loaded and not the library's, from the code path: what a call of an unknown module leads to.
    pub(crate) fn find(&self, name: &Atom) -> Option<Arc<Module>> {
        if self.library.has(name) { None } else { self.ensure_loaded(name) }
    }

    /// The module of that name, loaded when need be.
    pub fn ensure_loaded(&self, name: &Atom) -> Option<Arc<Module>> {
        if let Some(module) = self.module(name) {
            return Some(module);
        }
        let file = self.find_code_file(&format!("{}.erl", name.as_str()))?;
        let _turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = self.module(name) {
            return Some(module);
        }
        match self.load_file(&file, &Options::default()) {
            Ok(module) if module.name == *name => Some(module),
            Ok(module) => {
                self.unload(&module.name);
                None
            }
            Err(why) => {
                tracing::error!("Loading of {} failed:\n{why}", file.display());
                None
            }
        }
    }

    /// Whether a module that is loaded, or can be, has this function for others.
    pub fn has_function(&self, module: &Atom, function: &Atom, arity: u8) -> bool {
        let Some(module) = self.module(module).or_else(|| self.find(module)) else { return false };
        *function == *"module_info" && arity <= 1 || module.exports.contains(&(function.clone(), arity))
    }

    /// Reads a module and loads it in the place of one of its name.
    ///
    /// # Errors
    /// When there is no such file, and with all that is wrong in it.
    pub fn load_file(&self, file: &Path, options: &Options) -> Result<Arc<Module>, CodeError> {
        self.load_and_tell(file, options).map(|(module, _)| module)
    }

    /// The same, with what a compiler warns of.
    ///
    /// # Errors
    /// When there is no such file, and with all that is wrong in it.
    pub fn load_and_tell(&self, file: &Path, options: &Options) -> Result<(Arc<Module>, String), CodeError> {
        let (module, warnings) = self.compile_file(file, options)?;
        let module = Arc::new(module);
        self.load(module.clone());
        Ok((module, warnings))
    }

    fn compile_file(&self, file: &Path, options: &Options) -> Result<(Module, String), CodeError> {
        let Ok(bytes) = std::fs::read(file) else { return Err(CodeError::NoFile(file.to_owned())) };
        let source = match String::from_utf8(bytes) {
            Ok(source) => source,
            Err(other) => other.into_bytes().into_iter().map(char::from).collect(),
        };
        let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut near = Near { beside, includes: options.includes.clone(), path: self.code_path() };
        let shown = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let origin = Origin { file: shown.clone(), macros: options.macros.clone() };
        let compiled = compile_with(&source, &origin, &mut near, &self.library);
        let mut module = compiled.map_err(|wrongs| CodeError::Wrong(report(&shown, &source, &wrongs)))?;
        module.file = Some(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        let warnings = report(&shown, &source, &module.warnings);
        Ok((module, warnings))
    }
}

/// What is wrong, each with the line it is about, as `c/1` prints it.
fn report(file: &str, source: &str, wrongs: &[ModuleError]) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut text = String::new();
    for wrong in wrongs {
        text.push_str(&format!("{file}:{wrong}\n"));
        if let Some(line) = lines.get((wrong.loc.line as usize).saturating_sub(1)) {
            let (number, indent) =
                (wrong.loc.line, " ".repeat((wrong.loc.column as usize).saturating_sub(1)));
            text.push_str(&format!("%{number:>5}| {line}\n%     | {indent}^\n\n"));
        }
    }
    text
}

/// Files that are included: beside the file that does, in its application, in directories that were said.
pub(crate) struct Near {
    pub(crate) beside: PathBuf,
    pub(crate) includes: Vec<PathBuf>,
    pub(crate) path: Vec<PathBuf>,
}

impl Files for Near {
    fn read(&mut self, name: &str, library: bool) -> Option<String> {
        let name = Path::new(name);
        let mut places = vec![self.beside.join(name), self.beside.join("../include").join(name)];
        places.extend(self.includes.iter().map(|directory| directory.join(name)));
        if library && let Some((application, rest)) = name.to_str().and_then(|name| name.split_once('/')) {
            let named = |directory: &PathBuf| {
                let root = if directory.ends_with("ebin") { directory.parent()? } else { directory };
                let folder = root.file_name()?.to_str()?;
                (folder == application || folder.strip_prefix(application)?.starts_with('-'))
                    .then(|| root.join(rest))
            };
            places.extend(self.path.iter().filter_map(named));
            places.push(self.beside.join("..").join("..").join(name));
        }
        let own = || crate::library::header(name.to_str()?).map(str::to_owned);
        places.iter().find_map(|place| std::fs::read_to_string(place).ok()).or_else(own)
    }
}
