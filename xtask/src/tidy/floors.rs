//! Arrows only point down. The table is the house; a crate that is not in it has no floor yet.

use std::collections::BTreeMap;

use super::Fault;
use super::manifest::Manifest;

/// Which of our crates a crate may name under `[dependencies]`.
const MAY_NAME: [(&str, &[&str]); 12] = [
    ("term-derive", &[]),
    ("term", &["term-derive"]),
    ("proto", &["term", "term-derive"]),
    ("carrier", &[]),
    ("runtime", &["term", "term-derive", "proto"]),
    ("otp", &["term", "term-derive", "runtime"]),
    ("kernel", &["term", "term-derive", "proto", "carrier", "runtime", "otp"]),
    ("module", &[]),
    ("trunkline", &["term", "term-derive", "proto", "carrier", "runtime", "otp", "kernel", "module"]),
    ("shell", &["trunkline"]),
    ("dash", &["trunkline"]),
    ("cli", &["trunkline", "shell", "dash"]),
];

/// Checks the manifests, each with the folder that it is in.
pub(crate) fn faults(manifests: &[(String, Manifest)]) -> Vec<Fault> {
    let mut found = Vec::new();
    for (folder, manifest) in manifests {
        let Some(name) = folder.strip_prefix("crates/") else { continue };
        match allowed(name) {
            Some(allowed) => found.extend(upward(folder, name, allowed, manifest)),
            None => {
                found.push(Fault::new(folder, "has no floor: give it a line in xtask/src/tidy/floors.rs"))
            }
        }
        found.extend(circles(folder, name, manifest, manifests));
    }
    found
}

fn upward(folder: &str, name: &str, allowed: &[&str], manifest: &Manifest) -> Vec<Fault> {
    let ours = manifest.dependencies(false).into_iter().filter_map(|dependency| ours(&dependency));
    let wrong = ours.filter(|dependency| !allowed.contains(&dependency.as_str()));
    wrong.map(|dependency| Fault::new(folder, format!("`{name}` may not name `{dependency}`"))).collect()
}

/// A dev-dependency may point up, but not at a crate that is built on this one: tests would see two of it.
fn circles(folder: &str, name: &str, manifest: &Manifest, all: &[(String, Manifest)]) -> Vec<Fault> {
    let graph: BTreeMap<&str, Vec<String>> = all
        .iter()
        .filter_map(|(folder, manifest)| Some((folder.strip_prefix("crates/")?, our_dependencies(manifest))))
        .collect();
    let wanted = manifest.dependencies(true).into_iter().filter_map(|dependency| ours(&dependency));
    let round = wanted.filter(|dependency| dependency == name || reaches(&graph, dependency, name));
    round
        .map(|dependency| {
            Fault::new(folder, format!("dev-dependency `{dependency}` is built on `{name}` itself: a circle"))
        })
        .collect()
}

fn reaches(graph: &BTreeMap<&str, Vec<String>>, from: &str, to: &str) -> bool {
    let mut open = vec![from.to_owned()];
    let mut seen = Vec::new();
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !seen.contains(&at) {
            open.extend(graph.get(at.as_str()).into_iter().flatten().cloned());
            seen.push(at);
        }
    }
    false
}

fn our_dependencies(manifest: &Manifest) -> Vec<String> {
    manifest.dependencies(false).iter().filter_map(|dependency| ours(dependency)).collect()
}

/// The short name of one of our crates, or none for other people's. Guests (`xtask`, `bench`) count as ours.
fn ours(dependency: &str) -> Option<String> {
    let short = match dependency {
        "trunkline" => dependency,
        other => other.strip_prefix("trunkline-").unwrap_or(other),
    };
    let known = allowed(short).is_some() || dependency.starts_with("trunkline-") || dependency == "xtask";
    known.then(|| short.to_owned())
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    MAY_NAME.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(crates: &[(&str, &str)]) -> Vec<String> {
        let manifests: Vec<_> =
            crates.iter().map(|(name, text)| (format!("crates/{name}"), Manifest::parse(text))).collect();
        faults(&manifests).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn arrows_down_are_fine() {
        let none: [&str; 0] = [];
        let proto = ("proto", "[dependencies]\nterm.workspace = true\nbytes.workspace = true");
        assert_eq!(house(&[proto, ("term", "[dev-dependencies]\nproptest.workspace = true")]), none);
    }

    #[test]
    fn an_arrow_up_is_a_fault_under_either_name() {
        let wanted = ["`proto` may not name `runtime`"];
        assert_eq!(house(&[("proto", "[dependencies]\nruntime.workspace = true")]), wanted);
        assert_eq!(house(&[("proto", "[dependencies]\ntrunkline-runtime = \"1\"")]), wanted);
        let roof = house(&[("cli", "[dependencies]\nkernel.workspace = true")]);
        assert_eq!(roof, ["`cli` may not name `kernel`"]);
    }

    #[test]
    fn a_crate_may_not_name_a_guest() {
        let named = house(&[("term", "[dependencies]\ntrunkline-bench.workspace = true")]);
        assert_eq!(named, ["`term` may not name `bench`"]);
    }

    #[test]
    fn an_unknown_crate_has_no_floor() {
        assert_eq!(house(&[("attic", "")]).len(), 1);
    }

    #[test]
    fn a_dev_dependency_on_something_built_on_oneself_is_a_circle() {
        let term = ("term", "[dev-dependencies]\nruntime.workspace = true");
        let proto = ("proto", "[dependencies]\nterm.workspace = true");
        let runtime = ("runtime", "[dependencies]\nproto.workspace = true");
        let found = house(&[term, proto, runtime]);
        assert_eq!(found, ["dev-dependency `runtime` is built on `term` itself: a circle"]);
    }

    #[test]
    fn a_dev_dependency_may_point_up_where_nothing_comes_back() {
        let carrier = ("carrier", "[dev-dependencies]\nterm.workspace = true");
        assert_eq!(house(&[carrier, ("term", "")]).len(), 0);
    }
}
