//! The pure crates contain no I/O and no executor: proven by what cargo would link, not by what we meant.

use super::Fault;

/// The crates that decide and do not act.
pub(crate) const PACKAGES: [&str; 2] = ["trunkline-term", "trunkline-proto"];

/// Crates whose presence means that somebody waits for something.
const RUNTIMES: [&str; 13] = [
    "tokio",
    "tokio-util",
    "async-std",
    "async-io",
    "async-executor",
    "async-global-executor",
    "smol",
    "mio",
    "polling",
    "futures-executor",
    "glommio",
    "monoio",
    "embassy-executor",
];

/// Checks the output of `cargo tree --prefix none` for one package.
pub(crate) fn faults(package: &str, tree: &str) -> Vec<Fault> {
    let mut names: Vec<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    let wrong = names.into_iter().filter(|name| RUNTIMES.contains(name));
    wrong
        .map(|name| Fault::new(package, format!("is a pure crate, yet its tree contains `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_with_a_runtime_in_it_is_a_fault_named_once() {
        let tree = "trunkline-proto v0.1.0\nbytes v1.12.1\ntokio v1.54.1\nmio v1.0.0\ntokio v1.54.1 (*)\n";
        let found: Vec<_> = faults("trunkline-proto", tree).into_iter().map(|fault| fault.what).collect();
        assert_eq!(
            found,
            [
                "is a pure crate, yet its tree contains `mio`",
                "is a pure crate, yet its tree contains `tokio`"
            ]
        );
    }

    #[test]
    fn a_tree_of_pure_crates_is_fine() {
        assert_eq!(faults("trunkline-term", "trunkline-term v0.1.0\nbytes v1.12.1\n"), []);
    }
}
