//! OTP's own format: one list of applications, in which names of other files may stand.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use term::read::read_terms;
use term::{List, Term};

use super::{ConfigError, application};
use crate::dist_ac::Parameters;
use crate::limits::CONFIG_FILES_MAX;

/// Reads a file and those it names: what stands later wins.
pub(super) fn read(path: &Path) -> Result<Parameters, ConfigError> {
    let first = with_extension(path.to_owned());
    let mut parameters = Vec::new();
    let mut files = VecDeque::from([first.clone()]);
    let mut count = 0;
    while let Some(file) = files.pop_front() {
        count += 1;
        if count > CONFIG_FILES_MAX {
            return Err(ConfigError::TooManyFiles { file: first, max: CONFIG_FILES_MAX });
        }
        let text = std::fs::read_to_string(&file)
            .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
        let (said, named) = parse(&file, &text)?;
        parameters.extend(said);
        files.extend(named);
    }
    Ok(parameters)
}

/// The parameters, and the files that are named.
pub(super) fn parse(file: &Path, text: &str) -> Result<(Parameters, Vec<PathBuf>), ConfigError> {
    let terms =
        read_terms(text).map_err(|source| ConfigError::NotErlang { file: file.to_owned(), source })?;
    let wrong = || ConfigError::Form("configuration must be a list ended by <dot><whitespace>".to_owned());
    let [Term::List(list)] = terms.as_slice() else { return Err(wrong()) };
    if list.improper_tail().is_some() {
        return Err(wrong());
    }
    let (mut parameters, mut named): (Parameters, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for item in list.iter() {
        if let Some(name) = item.as_list().and_then(text_of) {
            named.push(find(file, &name));
            continue;
        }
        let (app, pairs) = application(&item)?;
        if parameters.iter().any(|(known, _)| *known == app) {
            return Err(ConfigError::Form(format!("duplicate application config: {app}")));
        }
        parameters.push((app, pairs));
    }
    Ok((parameters, named))
}

fn text_of(list: &List) -> Option<String> {
    if list.is_nil() { None } else { term::convert::text_of(list) }
}

/// Beside the file that names it, or from where we are.
fn find(file: &Path, name: &str) -> PathBuf {
    let beside = with_extension(file.parent().unwrap_or(Path::new("")).join(name));
    if beside.exists() { beside } else { with_extension(PathBuf::from(name)) }
}

fn with_extension(path: PathBuf) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "config") {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".config");
    PathBuf::from(name)
}
