//! The verb `nodes`: whom a node sees.

use std::io::{self, Write};
use std::process::ExitCode;

use trunkline::Term;

use crate::identity::Identity;
use crate::json::Json;
use crate::limits::QUESTION_TIMEOUT;
use crate::table::Table;
use crate::visit::{Trouble, Visit};

/// List the nodes that a node sees: visible, hidden, and merely known
///
/// Visits as a hidden node that no EPMD knows, and leaves itself out of the list.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline nodes bill@localhost
  trunkline nodes bill@localhost -json

Exit code: 0 when it was done, 1 when the node could not do it, 2 for a mistake in the command line, 3 when there is no \
connection; `trunkline doctor` says why.")]
pub(crate) struct Nodes {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// For machines
    #[arg(long)]
    json: bool,
}

/// The kinds of `erlang:nodes/1` that are shown, each node under the first that has it.
const KINDS: [&str; 3] = ["visible", "hidden", "known"];

impl Nodes {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        let seen = async {
            let visit = Visit::to(&self.node, &self.identity, "nodes").await?;
            let seen = seen_by(&visit).await;
            visit.end().await;
            seen
        };
        match seen.await {
            Ok(seen) => {
                self.print(&seen);
                Ok(ExitCode::SUCCESS)
            }
            Err(trouble) => Ok(trouble.tell()),
        }
    }

    fn print(&self, seen: &[(&'static str, Vec<String>)]) {
        let text = if self.json {
            let names = |names: &Vec<String>| Json::List(names.iter().map(Json::text).collect());
            let kinds = seen.iter().map(|(kind, found)| (*kind, names(found)));
            let node = [("node", Json::text(&self.node))];
            Json::Object(node.into_iter().chain(kinds).collect()).to_string()
        } else if seen.iter().all(|(_, names)| names.is_empty()) {
            format!("{} sees no other node", self.node)
        } else {
            let mut table = Table::new(&["NAME", "SEEN AS"]);
            for (kind, names) in seen {
                names.iter().for_each(|name| table.row([name.clone(), (*kind).to_owned()]));
            }
            table.lines().join("\n")
        };
        // Whoever does not read to the end has what he wanted.
        let _ = writeln!(io::stdout(), "{text}");
    }
}

/// Each kind and its nodes in their order, but for the node itself and us.
async fn seen_by(visit: &Visit) -> Result<Vec<(&'static str, Vec<String>)>, Trouble> {
    let mut shown = vec![visit.peer.to_string(), visit.node.name().to_string()];
    let mut seen = Vec::new();
    for kind in KINDS {
        let answer = visit.call("erlang", "nodes", vec![Term::atom(kind)], QUESTION_TIMEOUT).await;
        let answer = answer.map_err(|error| Trouble::of_call(&visit.peer, &error))?;
        let names =
            answer.as_list().map(|list| list.iter().filter_map(|name| Some(name.as_atom()?.to_string())));
        let mut names: Vec<String> =
            names.into_iter().flatten().filter(|name| !shown.contains(name)).collect();
        names.sort();
        shown.extend(names.iter().cloned());
        seen.push((kind, names));
    }
    Ok(seen)
}
