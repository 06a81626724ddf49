//! `os`: the system below. Commands of strangers are not run.

use term::Term;

use super::erlang::time;
use super::{Fault, Module, args};
use args::{boolean, charlist, number};

pub(super) const MODULE: Module = Module {
    name: "os",
    unfit: "badarg",
    near: &[
        ("type", 0, |_, _| {
            Ok(Term::tuple([Term::atom(std::env::consts::FAMILY), Term::atom(std::env::consts::OS)]))
        }),
        ("version", 0, |_, _| Ok(version())),
        ("getpid", 0, |_, _| Ok(Term::string(&std::process::id().to_string()))),
        ("getenv", 0, |_, _| {
            let all = std::env::vars_os();
            Ok(Term::list(all.map(|(name, value)| {
                Term::string(&format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            })))
        }),
        ("getenv", 1, |_, a| Ok(variable(&a[0])?.unwrap_or(boolean(false)))),
        ("getenv", 2, |_, a| Ok(variable(&a[0])?.unwrap_or(a[1].clone()))),
        ("env", 0, |_, _| {
            let all = std::env::vars_os();
            Ok(Term::list(all.map(|(name, value)| {
                Term::tuple([name, value].map(|text| Term::string(&text.to_string_lossy())))
            })))
        }),
        ("find_executable", 1, |_, a| Ok(executable(&charlist(&a[0])?))),
        ("system_time", 0, |_, _| Ok(number(time::system()))),
        ("system_time", 1, |_, a| time::convert(time::system(), 1_000_000_000, time::unit(&a[0])?)),
        ("perf_counter", 0, |_, _| Ok(number(time::system()))),
        ("timestamp", 0, |_, _| Ok(time::timestamp())),
        // Nobody runs a program here from afar.
        ("cmd", 1, |_, a| charlist(&a[0]).and_then(|_| args::fail("notsup"))),
        ("cmd", 2, |_, a| charlist(&a[0]).and_then(|_| args::fail("notsup"))),
        // Nor does anybody change what this program was started with.
        ("putenv", 2, |_, _| args::fail("notsup")),
        ("unsetenv", 1, |_, _| args::fail("notsup")),
    ],
    far: &[],
};

fn variable(name: &Term) -> Result<Option<Term>, Fault> {
    let name = charlist(name)?;
    // The system knows no such names, and Rust takes them for a mistake.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Fault::Unfit);
    }
    Ok(std::env::var_os(name).map(|value| Term::string(&value.to_string_lossy())))
}

/// `{5,10,0}`, from Linux; zeros where it is not told.
fn version() -> Term {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    Term::tuple([0; 3].map(|_| Term::Int(numbers.next().unwrap_or(0))))
}

fn executable(name: &str) -> Term {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usable = !name.is_empty() && !name.contains(['/', '\0']);
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| usable && file.is_file());
    found.map_or(boolean(false), |file| Term::string(&file.to_string_lossy()))
}
