//! Parameters of applications from files and the command line, and what those of `kernel` mean for a node.
//!
//! Files are in OTP's format (`sys.config`) or in TOML. What is said later wins: the application's own specification, then
//! files in their order, then the command line.
//!
//! ```ignore
//! let config = Config::file("sys.config")?.with(Config::command_line(std::env::args().skip(1))?);
//! let node = trunkline::node("jc1@localhost").config(&config)?.start().await?;
//! ```

mod command_line;
mod kernel;
mod sys_config;
#[cfg(test)]
mod tests;
mod toml_file;

use std::path::{Path, PathBuf};

use term::read::ReadError;
use term::{Atom, Term};

use crate::dist_ac::Parameters;

/// The plain arguments of a node: the words of its command line that are no flags. `init:get_plain_arguments/0` gives them.
#[derive(Default)]
pub(crate) struct PlainArguments(std::sync::OnceLock<Vec<String>>);

impl PlainArguments {
    pub(crate) fn term(node: &runtime::Node) -> Term {
        let words = node.shelf::<PlainArguments>();
        Term::list(words.0.get().into_iter().flatten().map(|word| Term::string(word)))
    }
}

/// Says which plain arguments this node was started with. Once: they do not change while it lives.
pub fn set_plain_arguments(node: &runtime::Node, words: Vec<String>) {
    let _ = node.shelf::<PlainArguments>().0.set(words);
}

/// Parameters per application, in the order in which they were said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub(crate) files: Parameters,
    pub(crate) command_line: Parameters,
}

/// Why a configuration cannot be used: one sentence, that says where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {source}", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not in OTP's format.
    #[error("the configuration file {} is not what a sys.config is, at {source}", .file.display())]
    NotErlang {
        /// Which.
        file: PathBuf,
        /// Where and why.
        source: ReadError,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is no TOML: {why}", .file.display())]
    NotToml {
        /// Which.
        file: PathBuf,
        /// Where and why.
        why: String,
    },
    /// A value of the command line is no term.
    #[error("-{app} {key} {value}: the value is no Erlang term: {source}")]
    NotATerm {
        /// The application.
        app: String,
        /// The parameter.
        key: String,
        /// What was said.
        value: String,
        /// Why.
        source: ReadError,
    },
    /// The terms are there and do not have the form `[{App, [{Key, Value}]}]`.
    #[error("invalid config data: {0}")]
    Form(String),
    /// A parameter of `kernel` has a value of another type.
    #[error("kernel's parameter {key} must be {wanted}, and is {value}")]
    Kernel {
        /// Which.
        key: String,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        value: String,
    },
    /// Files name each other, and there is no end to it.
    #[error("the configuration file {} names more files than are read ({max})", .file.display())]
    TooManyFiles {
        /// Which.
        file: PathBuf,
        /// How many are read.
        max: usize,
    },
}

impl Config {
    /// Reads a file: TOML if its name ends in `.toml`, OTP's format otherwise, whose extension `.config` may be left out. (`-config`.)
    ///
    /// # Errors
    /// When it cannot be read, or does not have the form; the text says where.
    pub fn file(path: impl AsRef<Path>) -> Result<Config, ConfigError> {
        let path = path.as_ref();
        let files = if path.extension().is_some_and(|extension| extension == "toml") {
            toml_file::read(path)?
        } else {
            sys_config::read(path)?
        };
        Config { files, command_line: Vec::new() }.checked()
    }

    /// The text of a `sys.config`.
    ///
    /// # Errors
    /// As [`Config::file`].
    pub fn erlang(text: &str) -> Result<Config, ConfigError> {
        let (files, _) = sys_config::parse(Path::new("the text"), text)?;
        Config { files, command_line: Vec::new() }.checked()
    }

    /// The text of a TOML file.
    ///
    /// # Errors
    /// As [`Config::file`].
    pub fn toml(text: &str) -> Result<Config, ConfigError> {
        let files = toml_file::parse(Path::new("the text"), text)?;
        Config { files, command_line: Vec::new() }.checked()
    }

    /// Reads `-App Key Value` and `-config File` from arguments as `erl` has them; other flags are left alone.
    ///
    /// # Errors
    /// When a value is no term, or as [`Config::file`].
    pub fn command_line(arguments: impl IntoIterator<Item = String>) -> Result<Config, ConfigError> {
        let (paths, command_line) = command_line::parse(arguments)?;
        let mut config = Config { files: Vec::new(), command_line };
        for path in paths {
            config.files.extend(Config::file(path)?.files);
        }
        config.checked()
    }

    /// This, and then the other: what it says wins.
    pub fn with(mut self, other: Config) -> Config {
        self.files.extend(other.files);
        self.command_line.extend(other.command_line);
        self
    }

    /// The value of a parameter.
    pub fn get(&self, app: &str, key: &str) -> Option<&Term> {
        let said = self.files.iter().chain(&self.command_line);
        let mine = said.filter(|(name, _)| name.as_str() == app).flat_map(|(_, pairs)| pairs);
        mine.filter(|(name, _)| name.as_str() == key).map(|(_, value)| value).next_back()
    }

    /// What may be a mistake: parameters of `kernel` that nobody knows. One sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let said = self.files.iter().chain(&self.command_line);
        let mine = said.filter(|(name, _)| name.as_str() == "kernel").flat_map(|(_, pairs)| pairs);
        mine.filter_map(|(key, _)| kernel::unknown(key)).collect()
    }

    fn checked(self) -> Result<Config, ConfigError> {
        kernel::check(&self)?;
        Ok(self)
    }
}

/// `{App, [{Key, Value}]}`, with OTP's words for what is wrong.
fn application(term: &Term) -> Result<(Atom, Vec<(Atom, Term)>), ConfigError> {
    let form = |what: String| Err(ConfigError::Form(what));
    let Some([app, parameters]) = term.as_tuple() else {
        return form(format!("invalid application config: {term}"));
    };
    let Term::Atom(app) = app else {
        return form(format!("application: {app}; application name must be an atom"));
    };
    let Term::List(list) = parameters else {
        return form(format!("application: {app}; parameters must be a list"));
    };
    let mut pairs: Vec<(Atom, Term)> = Vec::new();
    for pair in list.iter() {
        match pair.as_tuple() {
            Some([Term::Atom(key), _]) if pairs.iter().any(|(known, _)| known == key) => {
                return form(format!("application: {app}; duplicate parameter: {key}"));
            }
            Some([Term::Atom(key), value]) => pairs.push((key.clone(), value.clone())),
            Some([key, _]) => return form(format!("application: {app}; invalid parameter name: {key}")),
            _ => return form(format!("application: {app}; invalid parameter: {pair}")),
        }
    }
    Ok((app.clone(), pairs))
}
