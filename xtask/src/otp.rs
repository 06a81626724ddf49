//! Other releases of Erlang/OTP than the installed one, as Debian's newer suites have them, each in a folder of its own.
//!
//! The programs of a newer suite want its C library too. All of it is unpacked side by side into `target/otp/RELEASE`, and
//! every program is told there to take that suite's loader and libraries: nothing is installed, and no root is needed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The releases that can be had, and the suite of Debian that carries each.
const SUITES: [(&str, &str); 2] = [("27", "trixie"), ("29", "forky")];

/// What the tests use; what these need comes along.
const WANTED: [&str; 10] = [
    "erlang-base",
    "erlang-crypto",
    "erlang-runtime-tools",
    "erlang-syntax-tools",
    "erlang-eunit",
    "erlang-parsetools",
    "erlang-mnesia",
    "erlang-ssl",
    "elixir",
    "patchelf",
];

/// Of what they need, this: the rest are accounts, daemons and Perl, which only an installed Erlang would use.
const TAKEN: [&str; 5] = ["lib", "zlib", "erlang-", "elixir", "patchelf"];

/// Goes up whenever this file makes another folder than before of the same packages.
const LAYOUT: &str = "1";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The releases that [`fetch`] knows.
pub(crate) fn releases() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(release, _)| *release)
}

/// The folder of a release's `erl`, `erlc`, `epmd`, `escript`, `erl_call` and `elixir`, made where it is not there yet.
/// Put first in `PATH`, it makes that release the one under test.
pub(crate) fn fetch(root: &Path, release: &str) -> Result<PathBuf> {
    let Some((_, suite)) = SUITES.iter().find(|(known, _)| *known == release) else {
        let known: Vec<_> = releases().collect();
        bail!("there is no Erlang/OTP {release} to be had here, only {}", known.join(" and "));
    };
    let tree = root.join("target/otp").join(release);
    let bin = tree.join("bin");
    let made = tree.join("made");
    // Programs hold the path of their loader, so a folder that was moved is none.
    let mark = format!("{LAYOUT} {}", tree.display());
    if fs::read_to_string(&made).is_ok_and(|held| held == mark) {
        return Ok(bin);
    }
    println!("Erlang/OTP {release} from Debian's {suite} into {}", tree.display());
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let by_hand = || format!("put the programs of an Erlang/OTP {release} of your own first in PATH instead");
    Apt::prepare(&tree.join("apt"), suite).and_then(|apt| apt.unpack(&tree)).with_context(by_hand)?;
    Programs::find(&tree)?.settle(&bin)?;
    let told = version(&bin)?;
    if told != release {
        bail!("Debian's {suite} has Erlang/OTP {told} now, no longer {release}: {}", by_hand());
    }
    fs::remove_dir_all(tree.join("apt"))?;
    fs::write(made, mark)?;
    Ok(bin)
}

/// `PATH` with this folder before all others.
pub(crate) fn path_with(bin: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", bin.display())
}

fn version(bin: &Path) -> Result<String> {
    let asked = "io:put_chars(erlang:system_info(otp_release)), halt().";
    output(Command::new(bin.join("erl")).args(["-noshell", "-eval", asked]))
}

/// Debian's own tools over a state of our own: they find the machine's mirror, check what they download, and know what needs
/// what.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn prepare(folder: &Path, suite: &str) -> Result<Apt> {
        for part in ["state/lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(folder.join(part))?;
        }
        // Nothing counts as installed, so everything that is needed comes along, the C library first.
        fs::write(folder.join("status"), "")?;
        let source = format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n",
            mirror()?
        );
        fs::write(folder.join("suite.sources"), source)?;
        let apt = Apt { folder: folder.to_owned() };
        apt.get(&["-q", "update"])?;
        Ok(apt)
    }

    fn unpack(&self, tree: &Path) -> Result<()> {
        let plan =
            self.get(&[&["-y", "--no-install-recommends", "--print-uris", "install"], &WANTED[..]].concat())?;
        let names = packages(&plan);
        if !names.iter().any(|name| name == "erlang-base") {
            bail!("apt-get would not install erlang-base, but: {plan}");
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.get(&[&["-q", "download"], &names[..]].concat())?;
        for package in entries(&self.folder.join("packages"))? {
            output(Command::new("dpkg-deb").arg("-x").arg(&package).arg(tree))?;
        }
        Ok(())
    }

    fn get(&self, words: &[&str]) -> Result<String> {
        let here = |part: &str| self.folder.join(part).display().to_string();
        let options = [
            format!("Dir::State={}", here("state")),
            format!("Dir::State::status={}", here("status")),
            format!("Dir::Cache={}", here("cache")),
            format!("Dir::Etc::sourcelist={}", here("suite.sources")),
            "Dir::Etc::sourceparts=-".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            // As root it would change to a user who may not write here.
            "APT::Sandbox::User=root".to_owned(),
            "Debug::NoLocking=1".to_owned(),
        ];
        let mut command = Command::new("apt-get");
        command.current_dir(self.folder.join("packages")).env("LC_ALL", "C");
        command.args(options.iter().flat_map(|option| ["-o", option])).args(words);
        output(&mut command)
    }
}

/// Where this machine gets Debian from: the mirror of the suite that it runs.
fn mirror() -> Result<String> {
    let about = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = about.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.context("this is no release of Debian")?.trim_matches('"');
    let told = output(Command::new("apt-get").args(["indextargets", "--format", "$(RELEASE) $(REPO_URI)"]))?;
    let of_ours = told.lines().find_map(|line| line.strip_prefix(codename)?.strip_prefix(' '));
    Ok(of_ours.with_context(|| format!("apt has no mirror of {codename}"))?.to_owned())
}

/// The names in what `apt-get --print-uris install` prints, of the packages that we take.
fn packages(plan: &str) -> Vec<String> {
    let lines = plan.lines().filter(|line| line.starts_with('\''));
    let files = lines.filter_map(|line| line.split_whitespace().nth(1));
    let names = files.filter_map(|file| file.split('_').next());
    names.filter(|name| TAKEN.iter().any(|start| name.starts_with(start))).map(str::to_owned).collect()
}

/// The programs of an unpacked suite, and what starts them.
struct Programs {
    erlang: PathBuf,
    erts: PathBuf,
    elixir: PathBuf,
    patchelf: PathBuf,
    loader: PathBuf,
    libraries: PathBuf,
}

impl Programs {
    fn find(tree: &Path) -> Result<Programs> {
        let usr = tree.join("usr");
        let erlang = usr.join("lib/erlang");
        let erts = first(&erlang, |name| name.starts_with("erts-"))?;
        // The folder that is named after the architecture, `usr/lib/x86_64-linux-gnu` for one.
        let libraries = first(&usr.join("lib"), |name| name.ends_with("-linux-gnu"))?;
        let loader = first(&libraries, |name| name.starts_with("ld-linux") || name.starts_with("ld64.so"))?;
        Ok(Programs {
            erlang,
            erts,
            elixir: usr.join("lib/elixir"),
            patchelf: usr.join("bin/patchelf"),
            loader,
            libraries,
        })
    }

    /// Makes them run where they are, and `bin` to start them from.
    fn settle(&self, bin: &Path) -> Result<()> {
        fs::create_dir_all(bin)?;
        let beside = self.erlang.join("lib");
        let interface = first(&beside, |name| name.starts_with("erl_interface-"))?.join("bin");
        for folder in [self.erts.join("bin"), interface.clone()] {
            for file in entries(&folder)? {
                if is_program(&file)? {
                    self.patch(&file)?;
                }
            }
        }
        let erts = self.erts.join("bin");
        let [erl, root, erts_bin] =
            [&bin.join("erl"), &self.erlang, &erts].map(|path| path.display().to_string());
        let erlang = format!("export ROOTDIR='{root}' BINDIR='{erts_bin}' EMU=beam PROGNAME=erl\n");
        script(&bin.join("erl"), &erlang, &erts.join("erlexec"))?;
        script(&bin.join("erlc"), &format!("export ERLC_EMULATOR='{erl}'\n"), &erts.join("erlc"))?;
        script(&bin.join("escript"), &format!("export ESCRIPT_EMULATOR='{erl}'\n"), &erts.join("escript"))?;
        script(&bin.join("epmd"), "", &erts.join("epmd"))?;
        script(&bin.join("erl_call"), "", &interface.join("erl_call"))?;
        let first_in_path = format!("export PATH='{}':\"$PATH\"\n", bin.display());
        for name in ["elixir", "elixirc", "iex", "mix"] {
            script(&bin.join(name), &first_in_path, &self.elixir.join("bin").join(name))?;
        }
        Ok(())
    }

    /// Gives a program the loader and the libraries of its own suite. `DT_RPATH`, not `DT_RUNPATH`: what the program loads later,
    /// such as `crypto`, must find its libraries there as well.
    fn patch(&self, program: &Path) -> Result<()> {
        let mut command = Command::new(&self.loader);
        command.arg("--library-path").arg(&self.libraries).arg(&self.patchelf);
        command.arg("--force-rpath").arg("--set-rpath").arg(&self.libraries);
        output(command.arg("--set-interpreter").arg(&self.loader).arg(program))?;
        Ok(())
    }
}

/// Whether it is a binary to be run, and no script.
fn is_program(file: &Path) -> Result<bool> {
    let about = fs::metadata(file).with_context(|| format!("{} is not there", file.display()))?;
    let runs = about.is_file() && about.permissions().mode() & 0o111 != 0;
    Ok(runs && fs::read(file)?.starts_with(b"\x7fELF"))
}

fn script(path: &Path, before: &str, program: &Path) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\n{before}exec '{}' \"$@\"\n", program.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn first(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let found = entries(folder)?
        .into_iter()
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted));
    found.with_context(|| format!("what was looked for is not in {}", folder.display()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| format!("{} is not there", folder.display()))?;
    let mut found = listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// What a command prints; an error, with what it said, where it fails.
fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {shown}"))?;
    if !out.status.success() {
        bail!("{shown} failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_apt_would_install_only_programs_and_libraries_are_taken() {
        let plan = "Reading package lists...\n\
            'http://m/libc6_2.41_amd64.deb' libc6_2.41_amd64.deb 12 SHA256:0\n\
            'http://m/perl_5_amd64.deb' perl-base_5_amd64.deb 12 SHA256:0\n\
            'http://m/e_amd64.deb' erlang-base_1%3a27_amd64.deb 12 SHA256:0\n";
        assert_eq!(packages(plan), ["libc6", "erlang-base"]);
    }

    #[test]
    fn a_release_that_cannot_be_had_is_refused_by_name() {
        let told = fetch(Path::new("nowhere"), "26").unwrap_err().to_string();
        assert_eq!(told, "there is no Erlang/OTP 26 to be had here, only 27 and 29");
    }
}
