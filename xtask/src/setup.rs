//! Installs what the tests need and this machine lacks: Erlang and Python 3 by apt, rustfmt and clippy by rustup.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::steps::Order;

/// Installs everything that is missing; says what to do by hand where it cannot.
pub(crate) fn everything() -> Result<()> {
    components()?;
    python()?;
    erlang()
}

/// The acceptance sessions are replayed by a program in Python 3.
fn python() -> Result<()> {
    if has("python3", &["--version"]) {
        return Ok(());
    }
    if !has("apt-get", &["--version"]) {
        bail!("python3 is not installed and this is no Debian: install Python 3 and run this again");
    }
    apt(&["update", "-q"])?;
    apt(&["install", "-q", "-y", "--no-install-recommends", "python3"])
}

/// Erlang is the oracle of most tests: without it they would prove half.
fn erlang() -> Result<()> {
    if has("erl", &["+V"]) && has("erlc", &["+V"]) && has("epmd", &["-help"]) {
        println!("erl, erlc and epmd are installed");
        return Ok(());
    }
    if !has("apt-get", &["--version"]) {
        bail!(
            "erl is not installed and this is no Debian: install Erlang/OTP 25 or later and run this again"
        );
    }
    apt(&["update", "-q"])?;
    apt(&["install", "-q", "-y", "--no-install-recommends", "erlang-nox", "erlang-dev"])?;
    if !has("erl", &["+V"]) {
        bail!("apt installed Erlang, yet `erl` does not start: look at the lines above");
    }
    Ok(())
}

fn components() -> Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if has("cargo", &[probe, "--version"]) {
            continue;
        }
        let add = Order::new(Path::new("."), "rustup", &["component", "add", component]);
        if !add.run().unwrap_or(false) {
            bail!("cargo {probe} is missing: install {component} (rustup component add {component})");
        }
    }
    Ok(())
}

fn apt(args: &[&str]) -> Result<()> {
    let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    words.extend(args);
    if !is_root() {
        words.insert(0, "sudo");
    }
    if !Order::new(Path::new("/"), words[0], &words[1..]).within(APT_SECONDS_MAX).run()? {
        bail!("`{}` failed: run it by hand, then run this again", words.join(" "));
    }
    Ok(())
}

fn is_root() -> bool {
    let told = Command::new("id").arg("-u").output();
    told.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

/// Whether a program can be started at all; what it says about the arguments does not matter to most.
pub(crate) fn has(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if program == "cargo" => status.success(),
        other => other.is_ok(),
    }
}

const APT_SECONDS_MAX: u64 = 15 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_seen_and_a_present_one_too() {
        assert!(!has("no-such-program-anywhere", &[]));
        assert!(!has("cargo", &["no-such-subcommand-anywhere"]));
        assert!(has("cargo", &["--version"]));
    }
}
