//! The verb `doctor`: why two nodes do not talk, in the order in which it can go wrong.

mod examine;
mod finding;
mod is_auth;

use std::process::ExitCode;

use examine::{Chart, Patience, Patient, STEPS};
use finding::Finding;

use crate::epmd::port_of_environment;
use crate::identity::Identity;
use crate::json::Json;

/// Find out why a node cannot be reached: prints each step, and for the first that fails what to do
///
/// Resolves the host, asks EPMD, tries the port, shakes hands, and asks what net_adm:ping/1 asks. Registers nowhere,
/// stays invisible, and never throws out a node of the same name.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline doctor bill@localhost
  trunkline doctor bill@127.0.0.1 -name me@127.0.0.1 -setcookie secret
  trunkline doctor bill@localhost -json

Exit code: 0 when everything is in order, 1 when something is not.")]
pub(crate) struct Doctor {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// Accepted for the likeness with other verbs: the doctor is always hidden
    #[arg(long)]
    hidden: bool,
    /// For machines
    #[arg(long)]
    json: bool,
    /// How long each step may take, instead of a few seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=120))]
    timeout: Option<u64>,
}

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let patient = Patient {
            node: &self.node,
            identity: &self.identity,
            epmd_port: port_of_environment()?,
            patience: Patience::of(self.timeout),
        };
        let mut chart = Chart::default();
        let finding = patient.examine(&mut chart).await.err();
        if self.json {
            println!("{}", self.as_json(&chart, finding.as_ref()));
        } else {
            print(&chart, finding.as_ref());
        }
        Ok(if finding.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn as_json(&self, chart: &Chart, finding: Option<&Finding>) -> Json {
        let line = |line: &examine::Line| {
            Json::Object(vec![
                ("step", Json::text(line.step)),
                ("ok", Json::Bool(line.ok)),
                ("seen", Json::text(&line.seen)),
            ])
        };
        Json::Object(vec![
            ("node", Json::text(&self.node)),
            ("ok", Json::Bool(finding.is_none())),
            ("steps", Json::List(chart.lines.iter().map(line).collect())),
            ("finding", Json::maybe(finding.map(|finding| Json::text(finding.code())))),
            ("advice", Json::maybe(finding.map(|finding| Json::Text(finding.advice())))),
        ])
    }
}

fn print(chart: &Chart, finding: Option<&Finding>) {
    for line in &chart.lines {
        println!("{:4}  {:9}  {}", if line.ok { "ok" } else { "FAIL" }, line.step, line.seen);
    }
    for step in &STEPS[chart.lines.len()..] {
        println!("{:4}  {step}", "-");
    }
    match finding {
        None => println!("\nEverything is in order."),
        Some(finding) => println!("\n{}", wrapped(&finding.advice(), 100).join("\n")),
    }
}

/// Lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        let space = if lines[line].is_empty() { "" } else { " " };
        lines[line] = format!("{}{space}{word}", lines[line]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("enormously long", 3), ["enormously", "long"]);
    }
}
