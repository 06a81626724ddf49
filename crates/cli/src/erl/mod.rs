//! `trunkline erl`: a node with a shell, started with the flags of `erl`.

mod boot;
mod editor;
mod expand;
mod flags;
pub(crate) mod group;
mod history;
mod log;
mod menu;
mod pipe;
pub(crate) mod program;
mod screen;
mod server;
mod terminal;
mod text;

use std::process::ExitCode;

use flags::Flags;

const HELP: &str = "\
usage: trunkline erl [FLAGS]

A node with an Erlang shell. It takes the flags of erl:
  -sname NAME | -name NAME@HOST     the name of the node; without one it is nonode@nohost
  -setcookie COOKIE                 the cookie; -setcookie NODE COOKIE for one peer
  -hidden, -connect_all false, -dist_listen false
  -config FILE, -APPLICATION KEY VALUE ...   configuration, as in -kernel net_ticktime 10
  -remsh NODE                       the shell runs on NODE
  -eval 'EXPRESSIONS.', -run MODULE [FUNCTION [ARGUMENTS]], -s MODULE [FUNCTION [ARGUMENTS]]
  -noshell, -noinput, -detached     without a shell
  -pa DIRECTORY, -pz DIRECTORY      where modules (.erl) and applications (.app) are looked for
  -start_epmd false, -erl_epmd_port PORT, -proto_dist inet_tcp
  -args_file FILE                   more flags
";

/// Runs the verb with the words behind it.
pub(crate) fn main(words: Vec<String>) -> ExitCode {
    let read =
        |name: &str| std::fs::read_to_string(name).map_err(|error| format!("-args_file {name}: {error}"));
    let flags = match flags::parse(words, &read) {
        Ok(flags) => flags,
        Err(why) => {
            eprintln!("trunkline erl: {why}");
            return ExitCode::from(crate::visit::USAGE);
        }
    };
    if flags.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if flags.version {
        println!("Trunkline {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if flags.detached {
        return boot::detach();
    }
    let tokio = match tokio::runtime::Runtime::new() {
        Ok(tokio) => tokio,
        Err(error) => {
            eprintln!("trunkline erl: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = tokio.block_on(run(flags));
    // A thread that reads the terminal must not hold up the end.
    tokio.shutdown_background();
    code
}

async fn run(mut flags: Flags) -> ExitCode {
    let (face, events) = match !flags.noshell && terminal::is_there() {
        true => {
            let (face, events) = terminal::face();
            (face, Some(events))
        }
        false => (pipe::face(), None),
    };
    log::install(pipe::pen(&face), tracing::Level::INFO);
    let (node, program) = match boot::start(&flags, &face).await {
        Ok(up) => up,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    boot::complete_remsh(&mut flags, &node);
    let failed = boot::todo(&flags, &node, &program, &face).await;
    if failed {
        return ExitCode::FAILURE;
    }
    if flags.noshell {
        node.until_stopped().await;
        return ExitCode::SUCCESS;
    }
    let shell = async {
        match events {
            Some(events) => {
                terminal::run(&flags, &node, &program, events).await;
                ExitCode::SUCCESS
            }
            None => pipe::run(&flags, &node, &program, face).await,
        }
    };
    let code = tokio::select! {
        code = shell => code,
        () = node.until_stopped() => return ExitCode::SUCCESS,
    };
    node.shutdown().await;
    code
}
