//! The verb `epmd`: Erlang's port mapper, to run and to ask. Same options, same lines, same exit codes.

mod ask;
pub(crate) mod client;
mod clock;
mod daemon;
mod inherited;

use std::env;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use ask::Request;

/// Run or ask the port mapper daemon, as Erlang's `epmd` does
///
/// Without -names, -dump, -started, -kill or -stop it runs, in the foreground unless -daemon is given. It listens on
/// the loopback interface unless addresses are named. A second one on the same port ends at once and quietly.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline epmd -daemon                      start it, return once it listens
  trunkline epmd -names                       what is registered here
  ERL_EPMD_PORT=4370 trunkline epmd -daemon   on another port
  trunkline epmd -relaxed_command_check -address 127.0.0.1,10.0.0.7
  trunkline epmd -stop bill                   forget a name (where the check is relaxed)
  trunkline epmd -kill

Environment: ERL_EPMD_PORT, ERL_EPMD_ADDRESS, ERL_EPMD_RELAXED_COMMAND_CHECK")]
pub(crate) struct Epmd {
    /// Run detached from the terminal; return once it listens
    #[arg(long)]
    daemon: bool,
    /// List the names that are registered with the EPMD of this host
    #[arg(long, group = "ask")]
    names: bool,
    /// List everything it remembers, dead names too
    #[arg(long, group = "ask")]
    dump: bool,
    /// Say by the exit code alone whether one runs
    #[arg(long, group = "ask")]
    started: bool,
    /// End the EPMD of this host (refused while nodes are registered, unless it runs with -relaxed_command_check)
    #[arg(long, group = "ask")]
    kill: bool,
    /// Forget a name (refused unless it runs with -relaxed_command_check)
    #[arg(long, value_name = "NAME", group = "ask")]
    stop: Option<String>,
    /// The port, instead of ERL_EPMD_PORT or 4369
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Listen on these addresses (comma between them) and on the loopback interface
    #[arg(long, value_name = "LIST")]
    address: Option<String>,
    /// Take the sockets from systemd, instead of -port and -address: for a service with a `.socket` unit
    #[arg(long, conflicts_with_all = ["daemon", "ask"])]
    systemd: bool,
    /// Allow -kill with registered nodes, and -stop
    #[arg(long = "relaxed_command_check")]
    relaxed_command_check: bool,
    /// Log to standard error, twice for more; remember only five dead names
    #[arg(short = 'd', long = "debug", action = clap::ArgAction::Count)]
    debug: u8,
    /// Close connections that say nothing for so long
    #[arg(long = "packet_timeout", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..))]
    packet_timeout: u32,
    /// Set by the parent of a detached process
    #[arg(long, hide = true)]
    detached: bool,
}

impl Epmd {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let port = match self.port {
            Some(port) => port,
            None => port_of_environment()?,
        };
        if let Some(request) = self.request() {
            return Ok(tokio::task::spawn_blocking(move || ask::ask(port, &request)).await?);
        }
        if self.daemon {
            return daemon::detach(&self.words(port)).await;
        }
        let plan = daemon::Plan {
            port,
            addresses: self.addresses()?,
            relaxed: self.relaxed_command_check || env::var_os("ERL_EPMD_RELAXED_COMMAND_CHECK").is_some(),
            debug: self.debug,
            idle: Duration::from_secs(u64::from(self.packet_timeout)),
            detached: self.detached,
            systemd: self.systemd,
        };
        daemon::serve(plan).await
    }

    fn request(&self) -> Option<Request> {
        match self {
            Epmd { names: true, .. } => Some(Request::Names),
            Epmd { dump: true, .. } => Some(Request::Dump),
            Epmd { started: true, .. } => Some(Request::Started),
            Epmd { kill: true, .. } => Some(Request::Kill),
            Epmd { stop: Some(name), .. } => Some(Request::Stop(name.clone())),
            _ => None,
        }
    }

    /// The addresses to listen on besides loopback: named on the command line, else by the environment.
    fn addresses(&self) -> anyhow::Result<Vec<IpAddr>> {
        let list = self.address.clone().or_else(|| env::var("ERL_EPMD_ADDRESS").ok());
        let words = list.as_deref().unwrap_or("").split([',', ' ']).filter(|word| !word.is_empty());
        words
            .map(|word| word.parse().map_err(|_| anyhow::anyhow!("cannot parse IP address {word:?}")))
            .collect()
    }

    /// The command line of the detached process: ours, without `-daemon`.
    fn words(&self, port: u16) -> Vec<String> {
        let mut words = vec!["epmd".to_owned(), "--detached".to_owned(), format!("--port={port}")];
        words.extend(self.address.as_ref().map(|list| format!("--address={list}")));
        words.extend(self.relaxed_command_check.then(|| "--relaxed_command_check".to_owned()));
        words.extend((0..self.debug).map(|_| "-d".to_owned()));
        words.push(format!("--packet_timeout={}", self.packet_timeout));
        words
    }
}

/// `ERL_EPMD_PORT`, or EPMD's own number.
///
/// # Errors
/// When it is set to something that is no port.
pub(crate) fn port_of_environment() -> anyhow::Result<u16> {
    let Some(text) = env::var_os("ERL_EPMD_PORT") else { return Ok(PORT) };
    let port = text.to_str().and_then(|text| text.parse().ok()).filter(|port| *port != 0);
    port.ok_or_else(|| anyhow::anyhow!("ERL_EPMD_PORT is {text:?}; it must be a port number from 1 to 65535"))
}

/// Registered with IANA for EPMD.
const PORT: u16 = 4369;
