//! The verb `cluster`: the main job. Four nodes in four OS processes, a real `erl` as a fifth, and a death.

mod actors;
mod home;
mod member;
mod play;
mod report;
mod stage;
mod story;
mod view;
mod world;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use trunkline::epmd::{Epmd, EpmdConfig};

pub(crate) use member::ClusterMember;
pub(crate) use story::duration_text;

use play::{Audience, End, Play};
use stage::Stage;

use crate::terminal::Terminal;

/// Run a live cluster: four nodes meet, one is killed and returns; a real erl joins where one is installed
///
/// bill, zoey, rick and daryl are four OS processes on the loopback interface, with an EPMD and a cookie of their own. At
/// a terminal a table shows who sees whom, round trips and messages per second; elsewhere, and with -once, the story is
/// told in lines.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline cluster              watch; q or Ctrl-C ends it
  trunkline cluster -once        tell the story and end; for scripts and CI

Exit code: 0 when every step came true, 1 when one did not, 130 when it was interrupted.")]
pub(crate) struct Cluster {
    /// Tell the story in lines, without a terminal, and end
    #[arg(long)]
    once: bool,
    /// Leave the real Erlang node out
    #[arg(long = "no-erl")]
    no_erl: bool,
}

impl Cluster {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let guest = !self.no_erl && is_in_path("erl");
        if !guest
            && !self.no_erl
            && std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_some_and(|value| value == "1")
        {
            anyhow::bail!("erl is not installed, and TRUNKLINE_REQUIRE_ERL=1 demands it");
        }
        let config = EpmdConfig { port: 0, ..EpmdConfig::default() };
        let epmd = Epmd::bind(config).context("cannot start a private EPMD on the loopback interface")?;
        let port = epmd.port();
        let mapper = tokio::spawn(epmd.run(|_| {}));
        let (stage, events) = Stage::open(port).context("cannot prepare the private folder of this run")?;
        let audience = if !self.once && Terminal::is_there() {
            Audience::live().context("cannot take the terminal")?
        } else {
            Audience::Lines
        };
        let mut play = Play::new(stage, events, audience, port, guest)?;
        let end = play.perform().await;
        play.close().await;
        mapper.abort();
        drop(play); // gives the terminal back, before anything else is printed
        Ok(epilogue(&end))
    }
}

/// The last word, and the exit code.
fn epilogue(end: &End) -> ExitCode {
    match end {
        End::Good { lines } => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        End::Failed { lines, step, why, muttered } => {
            lines.iter().for_each(|line| println!("{line}"));
            eprintln!("trunkline: the step `{step}` did not come true: {why}");
            muttered.iter().for_each(|line| eprintln!("  {line}"));
            ExitCode::FAILURE
        }
        End::Interrupted => ExitCode::from(130), // as a shell reports SIGINT
    }
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: std::path::PathBuf| Path::is_file(&folder.join(program)))
}
