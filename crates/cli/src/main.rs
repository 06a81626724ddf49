//! The binary trunkline: one file per verb.

mod args;
mod call;
mod cluster;
mod doctor;
mod epmd;
mod erl;
mod eval;
mod identity;
mod json;
mod limits;
mod names;
mod nodes;
mod ping;
mod remsh;
mod stop;
mod table;
mod terminal;
mod top;
mod visit;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

/// Distributed Erlang, built in Rust: look at nodes, find out why they do not talk, and see a cluster live
#[derive(Parser, Debug)]
#[command(
    name = "trunkline",
    version,
    after_help = "Examples:
  trunkline cluster                     a live cluster of four nodes, and a real erl where one is installed
  trunkline ping bill@localhost
  trunkline doctor bill@localhost
  trunkline call bill@localhost lists sort '[[c, a, b]]'
  trunkline top bill@localhost

Options may be written with one dash, as Erlang's are: -sname, -setcookie, -daemon."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// What to log to standard error: off, error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", default_value = "off")]
    log: LevelFilter,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Call(call::Call),
    Cluster(cluster::Cluster),
    Doctor(doctor::Doctor),
    Epmd(epmd::Epmd),
    /// A node with an Erlang shell, under the flags of erl (`trunkline erl -help`)
    Erl(AsErl),
    Eval(eval::Eval),
    Names(names::Names),
    Nodes(nodes::Nodes),
    Ping(ping::Ping),
    /// A shell on another node: `trunkline remsh NODE`, and flags of erl
    Remsh(AsErl),
    Stop(stop::Stop),
    Top(top::Top),
    #[command(hide = true)]
    ClusterMember(cluster::ClusterMember),
}

/// What is read by the verb itself, as `erl` reads it.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
struct AsErl {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    flags: Vec<String>,
}

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    // The flags of erl are read as erl reads them.
    let verb = given.get(1).and_then(|verb| verb.to_str()).unwrap_or_default();
    if matches!(verb, "erl" | "remsh") {
        let rest = given.iter().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
        return if verb == "erl" { erl::main(rest) } else { remsh::main(rest) };
    }
    let words = words(given.into_iter());
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &words),
    };
    tracing_subscriber::fmt().with_max_level(cli.log).with_writer(std::io::stderr).init();
    let outcome = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|tokio| {
        let outcome = tokio.block_on(cli.verb.run());
        // A thread that reads keys or asks a name server must not hold up the end.
        tokio.shutdown_background();
        outcome
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("trunkline: {error:#}");
        ExitCode::FAILURE
    })
}

impl Verb {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Verb::Call(verb) => verb.run().await,
            Verb::Cluster(verb) => verb.run().await,
            Verb::Doctor(verb) => verb.run().await,
            Verb::Epmd(verb) => verb.run().await,
            // Only `trunkline --log LEVEL erl` comes here.
            Verb::Erl(_) | Verb::Remsh(_) => anyhow::bail!("the verb must be the first word"),
            Verb::Eval(verb) => verb.run().await,
            Verb::Names(verb) => verb.run().await,
            Verb::Nodes(verb) => verb.run().await,
            Verb::Ping(verb) => verb.run().await,
            Verb::Stop(verb) => verb.run().await,
            Verb::Top(verb) => verb.run().await,
            Verb::ClusterMember(verb) => verb.run().await,
        }
    }
}

/// The command line with double dashes; under the name `epmd` this program is EPMD.
fn words(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words = args::with_double_dashes(words);
    if words.first().is_some_and(|program| Path::new(program).file_name() == Some(OsStr::new("epmd"))) {
        words.insert(1, "epmd".into());
    }
    words
}

/// Help and version are no mistakes. EPMD's own exit code for a mistake is 1, that of most programs is 2.
fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    // Nobody may be reading any more; the exit code says it too.
    let _ = error.print();
    match (error.use_stderr(), words.get(1).is_some_and(|verb| verb == "epmd")) {
        (false, _) => ExitCode::SUCCESS,
        (true, true) => ExitCode::FAILURE,
        (true, false) => ExitCode::from(2),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn under_the_name_epmd_it_is_epmd() {
        let told = |line: &str| words(line.split(' ').map(OsString::from));
        assert_eq!(told("/usr/bin/epmd -names"), ["/usr/bin/epmd", "epmd", "--names"]);
        assert_eq!(told("trunkline epmd -names"), ["trunkline", "epmd", "--names"]);
    }
}
