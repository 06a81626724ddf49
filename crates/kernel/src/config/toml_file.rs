//! The same parameters in TOML: a table per application.
//!
//! Numbers, lists and truth values are what they look like; a string is a binary, and with a colon before it an atom
//! (`":debug"`). Where kernel's parameters want names, strings are atoms anyway. A ladder is a table:
//!
//! ```toml
//! [kernel]
//! sync_nodes_mandatory = ["jc1@localhost"]
//! sync_nodes_timeout = 5000
//!
//! [kernel.distributed.job_center]
//! wait = 1000
//! nodes = ["jc1@localhost", ["jc2@localhost", "jc3@localhost"], "jc4@localhost"]
//! ```

use std::path::Path;

use term::{Atom, Map, Term};
use toml::{Table, Value};

use super::ConfigError;
use crate::dist_ac::Parameters;

pub(super) fn read(path: &Path) -> Result<Parameters, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
    parse(path, &text)
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Parameters, ConfigError> {
    let why = |why: toml::de::Error| ConfigError::NotToml { file: file.to_owned(), why: why.to_string() };
    let table: Table = text.parse().map_err(why)?;
    let mut parameters = Vec::new();
    for (app, said) in &table {
        let Value::Table(said) = said else {
            return Err(ConfigError::Form(format!("application: {app}; parameters must be a table")));
        };
        let pairs = said.iter().map(|(key, value)| (Atom::new(key), of_kernel(app, key, value)));
        parameters.push((Atom::new(app), pairs.collect()));
    }
    Ok(parameters)
}

fn of_kernel(app: &str, key: &str, value: &Value) -> Term {
    match (app, key, value) {
        ("kernel", "distributed", Value::Table(apps)) => {
            Term::list(apps.iter().map(|(app, said)| ladder(app, said)))
        }
        ("kernel", "permissions", Value::Table(apps)) => {
            Term::list(apps.iter().map(|(app, allow)| Term::tuple([Term::atom(app), plain(allow, true)])))
        }
        ("kernel", _, _) => plain(value, super::kernel::wants_names(key)),
        _ => plain(value, false),
    }
}

/// `{App, Wait, [Node | {Node, ...}]}`; what is no ladder is left for the check to say.
fn ladder(app: &str, said: &Value) -> Term {
    let nodes = said.get("nodes").and_then(Value::as_array).map(|nodes| {
        Term::list(nodes.iter().map(|step| match step {
            Value::Array(equals) => Term::Tuple(equals.iter().map(|node| plain(node, true)).collect()),
            node => plain(node, true),
        }))
    });
    let wait = said.get("wait").map_or(Term::Int(0), |wait| plain(wait, true));
    Term::tuple([Term::atom(app), wait, nodes.unwrap_or_else(|| plain(said, true))])
}

/// No deeper than TOML's parser goes.
fn plain(value: &Value, names: bool) -> Term {
    match value {
        Value::String(text) if names => Term::atom(text),
        Value::String(text) => match text.strip_prefix(':') {
            Some(atom) => Term::atom(atom),
            None => Term::binary(text),
        },
        Value::Integer(number) => Term::Int(*number),
        Value::Float(number) => Term::Float(*number),
        Value::Boolean(so) => Term::atom(if *so { "true" } else { "false" }),
        Value::Datetime(time) => Term::binary(&time.to_string()),
        Value::Array(items) => Term::list(items.iter().map(|item| plain(item, names))),
        Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| (Term::atom(key), plain(value, names)));
            Term::Map(pairs.collect::<Map>())
        }
    }
}
