//! The commands of the house: `cargo xtask test`, `tidy`, `nightly`, `bench`.

mod chores;
mod otp;
mod sessions;
mod setup;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
cargo xtask test [--only STEP,STEP]     everything that must hold before a push; installs what is missing
cargo xtask nightly [--only STEP,STEP]  the same machines for hours: more seeds, longer fuzzing, soaks
cargo xtask tidy                        the rules no compiler checks: floors, sizes, words, manifests
cargo xtask bench [ARGS]                the table against BEAM; ARGS go to the harness
cargo xtask setup                       only install what the tests need
cargo xtask otp [27|29]                 fetches other releases of OTP into target/otp and prints the folder to put first in PATH";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match obey(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `Ok(false)` means that it ran and found something wrong.
fn obey(words: &[String]) -> Result<bool> {
    let (verb, rest) = words.split_first().map_or(("help", &[][..]), |(verb, rest)| (verb.as_str(), rest));
    let root = root()?;
    match verb {
        "test" => steps::run_all(&chores::test(&root)?, only(rest)?.as_deref()),
        "nightly" => steps::run_all(&chores::nightly(&root)?, only(rest)?.as_deref()),
        "bench" => steps::run_one(&chores::bench(&root, rest)),
        "setup" => setup::everything().map(|()| true),
        "otp" => other_releases(&root, rest),
        "tidy" => tidy::print(&root),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(true)
        }
        other => bail!("there is no command {other:?}\n{USAGE}"),
    }
}

/// Fetches these releases of Erlang/OTP, or all that can be had.
fn other_releases(root: &Path, chosen: &[String]) -> Result<bool> {
    let all = otp::releases().map(str::to_owned).collect::<Vec<_>>();
    for release in if chosen.is_empty() { &all } else { chosen } {
        println!("{}", otp::fetch(root, release)?.display());
    }
    Ok(true)
}

/// The steps named by `--only a,b`; none means all.
fn only(rest: &[String]) -> Result<Option<Vec<String>>> {
    let names = match rest {
        [] => return Ok(None),
        [flag, names] if flag == "--only" => names.as_str(),
        [one] if one.starts_with("--only=") => &one["--only=".len()..],
        _ => bail!("expected --only STEP,STEP, got {rest:?}\n{USAGE}"),
    };
    Ok(Some(names.split(',').map(str::to_owned).collect()))
}

/// The root of the workspace: the folder above this crate.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask has no parent folder")?;
    if !root.join("Cargo.toml").exists() {
        bail!("the workspace has moved since xtask was built; run it through cargo");
    }
    Ok(root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn steps_are_chosen_in_both_spellings() {
        let chosen = Some(vec!["tidy".to_owned(), "unit".to_owned()]);
        assert_eq!(only(&words("--only tidy,unit")).unwrap(), chosen);
        assert_eq!(only(&words("--only=tidy,unit")).unwrap(), chosen);
        assert_eq!(only(&[]).unwrap(), None);
        assert!(only(&words("tidy")).is_err());
    }

    #[test]
    fn an_unknown_command_is_refused() {
        assert!(obey(&words("dance")).is_err());
    }
}
