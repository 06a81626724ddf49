//! The steps of `test`, `nightly` and `bench`: what runs, in which order, with which environment.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::steps::{Order, Step, Work};
use crate::tidy::manifest::Manifest;
use crate::{otp, sessions, setup, tidy};

/// Everything that must hold before a push. Cheap checks first, so that a slip shows in seconds.
pub(crate) fn test(root: &Path) -> Result<Vec<Step>> {
    let tests = guest_packages(root, "tests")?;
    let house = root.to_owned();
    let mut steps = vec![
        Step::here("setup", || setup::everything().map(|()| true)),
        format(root),
        Step::here("tidy", move || tidy::print(&house)),
        Step::run("clippy", vec![cargo(root, "clippy --workspace --all-targets -- -D warnings")]),
        Step::run("unit", vec![unit(root, &tests, "")]),
        Step::run("doctest", vec![cargo(root, "test --workspace --doc")]),
        Step::run("doc", vec![documentation(root)]),
        deny(root),
        fuzz(root, FUZZ_SECONDS_SMOKE),
        examples(root)?,
        cluster(root),
        sessions(root, sessions::Reach::Pick),
        interop(root, &tests, ""),
    ];
    steps.extend(other_releases(root, &tests, Reach::Pick));
    steps.push(bench_smoke(root));
    Ok(steps)
}

/// Hours: every machine with more seeds, and the tests that are ignored by day.
pub(crate) fn nightly(root: &Path) -> Result<Vec<Step>> {
    let tests = guest_packages(root, "tests")?;
    let long = |order: Order| order.env("TRUNKLINE_SEEDS", NIGHTLY_SEEDS).within(NIGHT_SECONDS_MAX);
    let mut steps = vec![
        Step::here("setup", || setup::everything().map(|()| true)),
        Step::run("unit", vec![long(unit(root, &tests, "--run-ignored all"))]),
        fuzz(root, FUZZ_SECONDS_NIGHTLY),
        match interop(root, &tests, "--run-ignored all") {
            Step { name, work: Work::Run(orders) } => Step::run(name, orders.into_iter().map(long).collect()),
            skipped => skipped,
        },
        soak(root),
        cluster(root),
        sessions(root, sessions::Reach::Whole),
        bench(root, &[]),
    ];
    steps.extend(other_releases(root, &tests, Reach::All));
    Ok(steps)
}

/// Three OTP nodes and three of ours, ten minutes of misfortune, or as long as `TRUNKLINE_SOAK_SECONDS` says; the seed is
/// printed, and `TRUNKLINE_SEED` brings it back.
fn soak(root: &Path) -> Step {
    let seconds = std::env::var("TRUNKLINE_SOAK_SECONDS").unwrap_or_else(|_| SOAK_SECONDS.to_owned());
    let order = cargo(root, "test -p trunkline-tests --test soak -- --nocapture");
    Step::run("soak", vec![order.env("TRUNKLINE_SOAK_SECONDS", &seconds).within(NIGHT_SECONDS_MAX)])
}

/// The table against BEAM.
pub(crate) fn bench(root: &Path, args: &[String]) -> Step {
    let order = cargo(root, "run --quiet --release -p trunkline-bench --").within(NIGHT_SECONDS_MAX);
    Step::run("bench", vec![args.iter().fold(order, |order, arg| order.arg(arg))])
}

fn bench_smoke(root: &Path) -> Step {
    if !root.join("bench/Cargo.toml").exists() {
        return Step::skip("bench", "there is no bench/ yet");
    }
    let line = "run --release -p trunkline-bench -- --quick --rounds 1";
    Step::run("bench", vec![cargo(root, line).within(BENCH_SECONDS_MAX)])
}

fn format(root: &Path) -> Step {
    let mut orders = vec![cargo(root, "fmt --all --check")];
    if has_fuzz(root) {
        orders.push(cargo(root, "fmt --manifest-path fuzz/Cargo.toml --check"));
    }
    Step::run("fmt", orders)
}

/// Nextest where it is installed: one process a test, so a hanging one is named and ended.
fn unit(root: &Path, without: &[String], more: &str) -> Order {
    let without: String = without.iter().map(|name| format!(" --exclude {name}")).collect();
    if setup::has("cargo", &["nextest", "--version"]) {
        return cargo(
            root,
            &format!("nextest run --workspace --no-fail-fast --no-tests=pass{without} {more}"),
        );
    }
    let ignored = if more.is_empty() { "" } else { "-- --include-ignored" };
    cargo(root, &format!("test --workspace --lib --bins --tests{without} {ignored}"))
}

fn documentation(root: &Path) -> Order {
    // Libraries only: the binary and the front door share a name, and so would their pages.
    cargo(root, "doc --workspace --lib --no-deps").env("RUSTDOCFLAGS", "-D warnings")
}

fn deny(root: &Path) -> Step {
    if !setup::has("cargo", &["deny", "--version"]) {
        return Step::skip("deny", "cargo-deny is not installed (licences and duplicates stay unchecked)");
    }
    Step::run("deny", vec![cargo(root, "deny --workspace check bans licenses sources")])
}

fn fuzz(root: &Path, seconds: u64) -> Step {
    if !has_fuzz(root) {
        return Step::skip("fuzz", "there is no fuzz/ yet");
    }
    let line = format!("run --release --manifest-path fuzz/Cargo.toml --bin smoke -- --seconds {seconds}");
    Step::run("fuzz", vec![cargo(root, &line).within(NIGHT_SECONDS_MAX)])
}

/// Every example runs to its end without arguments and exits 0. The `*_bench` ones are rulers, not examples: they mean
/// nothing in a debug build.
fn examples(root: &Path) -> Result<Step> {
    let mut orders = Vec::new();
    for folder in subfolders(&root.join("crates"))?.into_iter().chain([root.to_owned()]) {
        let examples = rust_stems(&folder.join("examples"))?;
        // The root has no package: what lies in its examples/ belongs to the front door.
        let package =
            Manifest::read(&folder.join("Cargo.toml")).ok().and_then(|manifest| manifest.package_name());
        let package = package.unwrap_or_else(|| "trunkline".to_owned());
        for example in examples.iter().filter(|name| !name.ends_with("_bench")) {
            let line = format!("run --quiet -p {package} --example {example}");
            orders.push(cargo(root, &line).within(EXAMPLE_SECONDS_MAX));
        }
    }
    Ok(match orders.len() {
        0 => Step::skip("examples", "there are no examples yet"),
        _ => Step::run("examples", orders),
    })
}

/// The main job, as the README tells it.
fn cluster(root: &Path) -> Step {
    Step::run("cluster", vec![cargo(root, "run --release -- cluster --once").within(CLUSTER_SECONDS_MAX)])
}

/// What people type into shells of several nodes.
fn sessions(root: &Path, reach: sessions::Reach) -> Step {
    let root = root.to_owned();
    Step::here("sessions", move || sessions::run(&root, reach))
}

/// The packages under `tests/`: whole programs against a real `erl`.
fn interop(root: &Path, packages: &[String], more: &str) -> Step {
    if packages.is_empty() {
        return Step::skip("interop", "there is no package under tests/ yet");
    }
    let chosen: String = packages.iter().map(|name| format!(" -p {name}")).collect();
    let line = if setup::has("cargo", &["nextest", "--version"]) {
        format!("nextest run --no-fail-fast --no-tests=pass{chosen} {more}")
    } else {
        format!("test{chosen}")
    };
    Step::run("interop", vec![cargo(root, &line)])
}

/// How much is run again with other releases of OTP.
#[derive(Clone, Copy)]
enum Reach {
    /// Not what takes long and asks more of networks and clocks than of OTP.
    Pick,
    /// All of it, and the acceptance sessions.
    All,
}

/// What has to do with a real `erl`, once more with each release of OTP that can be had besides the installed one.
fn other_releases(root: &Path, packages: &[String], reach: Reach) -> Vec<Step> {
    let steps = OTHERS.iter().map(|&(name, release)| {
        let (root, packages) = (root.to_owned(), packages.to_owned());
        Step::later(name, move || with_release(&root, &packages, release, reach))
    });
    steps.collect()
}

fn with_release(root: &Path, packages: &[String], release: &str, reach: Reach) -> Work {
    if !setup::has("cargo", &["nextest", "--version"]) {
        return Work::Skip("cargo-nextest is not installed, which chooses the tests".to_owned());
    }
    let path = match otp::fetch(root, release) {
        Ok(bin) => otp::path_with(&bin),
        Err(error) => return Work::Skip(format!("no Erlang/OTP {release}: {error:#}")),
    };
    let run = |line: &str, chosen: &str| {
        let order = cargo(root, &format!("nextest run --no-fail-fast --no-tests=pass {line} -E"));
        order.arg(chosen).env("PATH", &path)
    };
    let guests: String = packages.iter().map(|name| format!("-p {name} ")).collect();
    let hosts: String = packages.iter().map(|name| format!("--exclude {name} ")).collect();
    let everything = match reach {
        Reach::Pick => "not (binary(soak) | binary(storm) | binary(ticks) | binary(network))",
        Reach::All => "all()",
    };
    let mut orders = vec![run(&guests, everything), run(&format!("--workspace {hosts}"), MEETS_ERL)];
    if let Reach::All = reach {
        let sessions = cargo(root, "xtask nightly --only sessions").env("PATH", &path);
        orders.push(sessions.within(NIGHT_SECONDS_MAX));
    }
    Work::Run(orders)
}

fn cargo(root: &Path, line: &str) -> Order {
    Order::cargo(root, line).env("TRUNKLINE_REQUIRE_ERL", "1")
}

fn has_fuzz(root: &Path) -> bool {
    root.join("fuzz/Cargo.toml").exists()
}

/// The names of the packages at or one level below `folder`.
fn guest_packages(root: &Path, folder: &str) -> Result<Vec<String>> {
    let folder = root.join(folder);
    let mut names = Vec::new();
    for place in subfolders(&folder)?.into_iter().chain([folder]) {
        let file = place.join("Cargo.toml");
        if file.exists() {
            names.extend(Manifest::read(&file)?.package_name());
        }
    }
    names.sort();
    Ok(names)
}

fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

fn rust_stems(folder: &Path) -> Result<Vec<String>> {
    let files = entries(folder)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    Ok(files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}

/// What is in a folder, in order; a folder that is not there is empty.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// The tests outside of `tests/` in which an `erl` or an `elixir` takes part. The oracle of the shell is not among them: its words
/// are those of the installed release.
const MEETS_ERL: &str = "(package(trunkline-cli) & (binary(erl) | binary(remsh) | binary(epmd) | binary(nodes))) \
    | (package(trunkline-kernel) & (binary(live_erl) | binary(global_live) | binary(pg))) \
    | (package(trunkline-proto) & (binary(connection_and_erlang) | binary(epmd_and_erlang) | binary(handshake_and_erlang))) \
    | (package(trunkline-shell) & binary(otp))";

const OTHERS: [(&str, &str); 2] = [("otp-27", "27"), ("otp-29", "29")];

const FUZZ_SECONDS_SMOKE: u64 = 3;
const FUZZ_SECONDS_NIGHTLY: u64 = 600;
const SOAK_SECONDS: &str = "600";
const NIGHTLY_SEEDS: &str = "10000";
const EXAMPLE_SECONDS_MAX: u64 = 10 * 60; // the first one compiles them all
const CLUSTER_SECONDS_MAX: u64 = 15 * 60; // a release build, then seconds
const BENCH_SECONDS_MAX: u64 = 15 * 60;
const NIGHT_SECONDS_MAX: u64 = 4 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_test_run_have_different_names() {
        let steps = test(&crate::root().unwrap()).unwrap();
        let mut names: Vec<_> = steps.iter().map(|step| step.name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        assert!(entries(Path::new("no-such-folder-anywhere")).unwrap().is_empty());
    }
}
