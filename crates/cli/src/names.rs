//! The verb `names`: what an EPMD knows, as a table.

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::epmd::client::{Trouble, addresses_of, names_of};
use crate::epmd::port_of_environment;
use crate::json::Json;
use crate::limits::EPMD_TIMEOUT;
use crate::table::Table;

/// List the nodes that are registered with the EPMD of a host
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline names
  trunkline names 127.0.0.1
  trunkline names -port 4370 -json")]
pub(crate) struct Names {
    /// The host whose EPMD is asked
    #[arg(default_value = "localhost")]
    host: String,
    /// The port of that EPMD, instead of ERL_EPMD_PORT or 4369
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// For machines
    #[arg(long)]
    json: bool,
}

impl Names {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let port = match self.port {
            Some(port) => port,
            None => port_of_environment()?,
        };
        let host = &self.host;
        let addresses = addresses_of(host).await.map_err(|error| {
            anyhow::anyhow!("the host {host} does not resolve ({error}): check its spelling")
        })?;
        let mut trouble = anyhow::anyhow!("the host {host} has no addresses");
        for address in addresses {
            match names_of(SocketAddr::new(address, port), EPMD_TIMEOUT).await {
                Ok(listing) => {
                    let nodes: Vec<_> =
                        listing.nodes().into_iter().map(|node| (node.name, node.port)).collect();
                    self.print(nodes);
                    return Ok(ExitCode::SUCCESS);
                }
                Err(why) => trouble = explain(host, port, &why),
            }
        }
        Err(trouble)
    }

    fn print(&self, mut nodes: Vec<(String, u16)>) {
        nodes.sort();
        if self.json {
            let node = |(name, port): (String, u16)| {
                Json::Object(vec![("name", Json::Text(name)), ("port", Json::Int(port.into()))])
            };
            println!("{}", Json::List(nodes.into_iter().map(node).collect()));
            return;
        }
        if nodes.is_empty() {
            println!("no node is registered on {}", self.host);
            return;
        }
        let mut table = Table::new(&["NAME", ">PORT"]);
        nodes.into_iter().for_each(|(name, port)| table.row([name, port.to_string()]));
        table.lines().iter().for_each(|line| println!("{line}"));
    }
}

fn explain(host: &str, port: u16, why: &Trouble) -> anyhow::Error {
    match why {
        Trouble::Refused => anyhow::anyhow!(
            "no EPMD listens on port {port} of {host}: start a node there, or `trunkline epmd -daemon`; if it uses another \
             port, set ERL_EPMD_PORT"
        ),
        Trouble::Silent => {
            anyhow::anyhow!("port {port} of {host} does not answer: a firewall may drop what we send")
        }
        Trouble::NotEpmd(fault) => anyhow::anyhow!("port {port} of {host} is no EPMD: {fault}"),
        Trouble::BadName(misuse) => anyhow::anyhow!("{misuse}"),
        Trouble::Io(error) => anyhow::anyhow!("cannot ask the EPMD of {host}: {error}"),
    }
}
