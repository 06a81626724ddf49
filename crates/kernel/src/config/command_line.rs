//! `-App Key Value`, as `erl` has it.

use std::path::PathBuf;

use term::Atom;
use term::read::read_term;

use super::ConfigError;
use crate::dist_ac::Parameters;

/// Flags of `erl` that are no applications.
const FLAGS: &[&str] = &[
    "args_file",
    "async_shell_start",
    "boot",
    "boot_var",
    "code_path_cache",
    "compile",
    "connect_all",
    "cookie",
    "detached",
    "dist_listen",
    "emu_args",
    "env",
    "epmd_module",
    "erl_epmd_port",
    "eval",
    "heart",
    "hidden",
    "home",
    "hosts",
    "id",
    "init_debug",
    "instr",
    "loader",
    "make",
    "mode",
    "name",
    "nocookie",
    "noinput",
    "noshell",
    "pa",
    "path",
    "progname",
    "proto_dist",
    "pz",
    "remsh",
    "root",
    "rsh",
    "run",
    "s",
    "setcookie",
    "shutdown_time",
    "sname",
    "start_epmd",
];

/// The files of `-config`, and the parameters.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = String>,
) -> Result<(Vec<PathBuf>, Parameters), ConfigError> {
    let (mut files, mut parameters) = (Vec::new(), Vec::new());
    for (flag, values) in flags(arguments) {
        if flag == "config" || flag == "configfd" {
            files.extend(values.into_iter().map(PathBuf::from));
            continue;
        }
        if FLAGS.contains(&flag.as_str()) || values.len() < 2 || !values.len().is_multiple_of(2) {
            continue;
        }
        let mut pairs = Vec::new();
        for pair in values.chunks_exact(2) {
            let [key, value] = pair else { continue };
            let term = read_term(value).map_err(|source| ConfigError::NotATerm {
                app: flag.clone(),
                key: key.clone(),
                value: value.clone(),
                source,
            })?;
            pairs.push((Atom::new(key), term));
        }
        parameters.push((Atom::new(&flag), pairs));
    }
    Ok((files, parameters))
}

/// Each flag with what follows it. Behind `-extra` nothing is a flag; `--` ends the values of one.
fn flags(arguments: impl IntoIterator<Item = String>) -> Vec<(String, Vec<String>)> {
    let mut flags: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = false;
    for argument in arguments {
        if argument == "-extra" {
            break;
        }
        if argument == "--" {
            open = false;
            continue;
        }
        let word =
            argument.strip_prefix('-').filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
        match word {
            Some(word) => {
                flags.push((word.to_owned(), Vec::new()));
                open = true;
            }
            None => {
                if let Some((_, values)) = flags.last_mut().filter(|_| open) {
                    values.push(argument);
                }
            }
        }
    }
    flags
}
