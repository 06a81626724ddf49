//! What tidy reads of a Cargo.toml: sections, keys, values; enough for ours, no TOML library.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Fault;

/// A manifest as a list of (section, key, value), dotted keys kept whole.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    section: String,
    key: String,
    value: String,
}

impl Manifest {
    pub(crate) fn read(file: &Path) -> Result<Manifest> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Manifest::parse(&text))
    }

    pub(crate) fn parse(text: &str) -> Manifest {
        let mut lines: Vec<Line> = Vec::new();
        let mut section = String::new();
        let mut open = 0; // brackets of a value that goes on over several lines
        for line in text.lines().map(without_comment) {
            if open > 0 {
                open += depth(line);
                if let Some(last) = lines.last_mut() {
                    last.value += line;
                }
            } else if line.starts_with('[') {
                section = line.trim_matches(['[', ']']).trim().to_owned();
            } else if let Some((key, value)) = line.split_once('=') {
                open = depth(value);
                lines.push(Line {
                    section: section.clone(),
                    key: key.trim().replace('"', ""),
                    value: value.trim().to_owned(),
                });
            }
        }
        Manifest { lines }
    }

    pub(crate) fn package_name(&self) -> Option<String> {
        let line = self.lines.iter().find(|line| line.section == "package" && line.key == "name")?;
        Some(line.value.trim_matches('"').to_owned())
    }

    /// The names under every `[dependencies]` (also of a target); with `dev`, under `[dev-dependencies]`.
    pub(crate) fn dependencies(&self, dev: bool) -> Vec<String> {
        let mut names: Vec<_> =
            self.lines.iter().filter_map(|line| dependency(line, dev)).map(|(name, _)| name).collect();
        names.dedup();
        names
    }

    /// Versions, edition, licence and lints are said once, in the root.
    pub(crate) fn faults(&self, folder: &str) -> Vec<Fault> {
        let place = format!("{folder}/Cargo.toml");
        let mut found = Vec::new();
        for key in ["version", "edition", "rust-version", "license"] {
            if !self.inherits("package", key) {
                found.push(Fault::new(&place, format!("`{key}.workspace = true` is missing")));
            }
        }
        if !self.lines.iter().any(|line| line.section == "lints" && line.key == "workspace") {
            found.push(Fault::new(&place, "`[lints] workspace = true` is missing"));
        }
        let every = self.lines.iter().flat_map(|line| [dependency(line, false), dependency(line, true)]);
        for (name, own_version) in every.flatten() {
            if own_version {
                let what =
                    format!("dependency `{name}` has a version of its own; say it in the root Cargo.toml");
                found.push(Fault::new(&place, what));
            }
        }
        found
    }

    fn inherits(&self, section: &str, key: &str) -> bool {
        let dotted = format!("{key}.workspace");
        self.lines.iter().any(|line| {
            line.section == section && (line.key == dotted || line.key == key && says_workspace(&line.value))
        })
    }
}

/// The dependency that a line names, and whether it carries a version or path of its own.
fn dependency(line: &Line, dev: bool) -> Option<(String, bool)> {
    let wanted = if dev { "dev-dependencies" } else { "dependencies" };
    let section = line.section.rsplit_once("'.").map_or(line.section.as_str(), |(_, rest)| rest);
    if section == wanted {
        let (name, attribute) = line.key.split_once('.').unwrap_or((&line.key, ""));
        let own = match attribute {
            "" => !says_workspace(&line.value),
            other => SOURCES.contains(&other),
        };
        return Some((name.to_owned(), own));
    }
    let name = section.strip_prefix(wanted)?.strip_prefix('.')?;
    Some((name.to_owned(), SOURCES.contains(&line.key.as_str())))
}

fn says_workspace(value: &str) -> bool {
    value.replace(' ', "").contains("workspace=true")
}

fn without_comment(line: &str) -> &str {
    // Our manifests have no '#' inside of strings.
    line.split_once('#').map_or(line, |(before, _)| before).trim()
}

fn depth(text: &str) -> i32 {
    text.chars().map(|c| i32::from("[{".contains(c)) - i32::from("]}".contains(c))).sum()
}

/// Where a dependency may come from; each belongs into the root.
const SOURCES: [&str; 3] = ["version", "path", "git"];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[package]
name = "a"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license = { workspace = true }
[lints]
workspace = true
[dependencies]
term.workspace = true
tokio = { workspace = true, features = [
    "net", # the wire
    "time",
] }
[target.'cfg(unix)'.dependencies]
proto.workspace = true
[dev-dependencies.proptest]
workspace = true
"#;

    #[test]
    fn a_good_manifest_has_no_faults_and_all_its_names_are_found() {
        let manifest = Manifest::parse(GOOD);
        assert_eq!(manifest.faults("crates/a"), []);
        assert_eq!(manifest.package_name().as_deref(), Some("a"));
        assert_eq!(manifest.dependencies(false), ["term", "tokio", "proto"]);
        assert_eq!(manifest.dependencies(true), ["proptest"]);
    }

    #[test]
    fn a_version_of_its_own_is_a_fault_however_it_is_written() {
        for own in [
            "tokio = \"1\"",
            "tokio = { version = \"1\" }",
            "tokio.version = \"1\"",
            "tokio = { path = \"x\" }",
        ] {
            let manifest = Manifest::parse(&GOOD.replace("term.workspace = true", own));
            let faults = manifest.faults("crates/a");
            assert_eq!(faults.len(), 1, "{own}");
            assert!(faults[0].what.starts_with("dependency `tokio` has a version of its own"));
        }
        let table = GOOD.to_owned() + "[dependencies.rand]\nversion = \"1\"\n";
        assert_eq!(Manifest::parse(&table).faults("crates/a").len(), 1);
    }

    #[test]
    fn a_manifest_that_says_things_by_itself_is_faulty() {
        let manifest = Manifest::parse("[package]\nname = \"a\"\nversion = \"0.1.0\"\n");
        let whats: Vec<_> = manifest.faults("crates/a").into_iter().map(|fault| fault.what).collect();
        assert_eq!(whats.len(), 5, "{whats:?}");
        assert_eq!(whats[0], "`version.workspace = true` is missing");
    }
}
