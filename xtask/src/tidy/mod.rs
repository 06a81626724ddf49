//! The rules that no compiler checks. Every check is a function from text to faults; this file walks the tree.

mod allow;
mod floors;
pub(crate) mod manifest;
mod pure;
mod sizes;
mod source;
mod words;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use allow::Allowed;
use manifest::Manifest;

/// Something that tidy does not let pass, or only remarks on.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) weight: Weight,
}

/// Whether a finding fails the run.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum Weight {
    Fault,
    Remark,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault { place: place.into(), what: what.into(), weight: Weight::Fault }
    }

    pub(crate) fn remark(place: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault { weight: Weight::Remark, ..Fault::new(place, what) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.weight {
            Weight::Fault => "fault",
            Weight::Remark => "remark",
        };
        write!(f, "{word}: {}: {}", self.place, self.what)
    }
}

/// Checks the whole tree and prints what it found; true when nothing failed.
pub(crate) fn print(root: &Path) -> Result<bool> {
    let found = check(root)?;
    for fault in &found {
        println!("{fault}");
    }
    let faults = found.iter().filter(|fault| fault.weight == Weight::Fault).count();
    println!("tidy: {faults} faults, {} remarks", found.len() - faults);
    Ok(faults == 0)
}

fn check(root: &Path) -> Result<Vec<Fault>> {
    let files = walk(root)?;
    let mut allowed = Allowed::read(&root.join("tidy.allow"))?;
    let mut found = check_texts(root, &files, &mut allowed)?;
    let manifests = read_manifests(root, &files)?;
    found.extend(manifests.iter().flat_map(|(place, manifest)| manifest.faults(place)));
    found.extend(floors::faults(&manifests));
    for package in pure::PACKAGES {
        found.extend(pure::faults(package, &tree_of(root, package)?));
    }
    found.extend(allowed.unused());
    Ok(found)
}

fn check_texts(root: &Path, files: &[PathBuf], allowed: &mut Allowed) -> Result<Vec<Fault>> {
    let mut found = Vec::new();
    for file in files {
        let place = relative(root, file);
        // A file may vanish between the walk and the reading of it, and not every file is text.
        let Ok(text) = fs::read_to_string(file) else { continue };
        found.extend(words::faults(&place, &text));
        if place.ends_with(".rs") {
            found.extend(sizes::faults(&place, &text, allowed));
        }
    }
    Ok(found)
}

/// The manifests of the workspace, by the folder they are in; `fuzz` is a workspace of its own.
fn read_manifests(root: &Path, files: &[PathBuf]) -> Result<Vec<(String, Manifest)>> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.file_name().is_some_and(|name| name == "Cargo.toml")) {
        let place = relative(root, file);
        if let Some(folder) = place.strip_suffix("/Cargo.toml")
            && !folder.starts_with("fuzz")
        {
            found.push((folder.to_owned(), Manifest::read(file)?));
        }
    }
    Ok(found)
}

fn tree_of(root: &Path, package: &str) -> Result<String> {
    let mut command = Command::new("cargo");
    command.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"]);
    let out = command.current_dir(root).stdin(Stdio::null()).output().context("cannot run cargo tree")?;
    if !out.status.success() {
        bail!("cargo tree -p {package} failed:\n{}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Every file under `root` that is part of the house, in order.
fn walk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let kind = entry.file_type()?;
            if kind.is_dir() && !NOT_OURS.iter().any(|skip| *skip == name) {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned()
}

/// Folders that are made by tools.
const NOT_OURS: [&str; 5] = [".git", "target", "corpus", "artifacts", "node_modules"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_finds_this_file_and_no_build_products() {
        let root = crate::root().unwrap();
        let files: Vec<_> = walk(&root).unwrap().iter().map(|file| relative(&root, file)).collect();
        assert!(files.iter().any(|file| file == "xtask/src/tidy/mod.rs"));
        assert!(!files.iter().any(|file| file.starts_with("target/")));
    }

    #[test]
    fn the_pure_crates_of_this_tree_can_be_asked_for_their_trees() {
        let tree = tree_of(&crate::root().unwrap(), "trunkline-term").unwrap();
        assert!(tree.starts_with("trunkline-term "));
    }
}
