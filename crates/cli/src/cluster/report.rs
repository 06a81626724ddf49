//! The lines between the stage and its members: commands go down a pipe, reports come up another. Pure.
//!
//! Words with a space between them, one line each, so that a member written in Erlang needs no parser either.

use std::fmt;
use std::str::FromStr;

/// What a member is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Connect to a node.
    Connect(String),
    /// Link to its anchor process, monitor that process, and monitor the node.
    Watch(String),
    /// Send it one ping, as `net_adm:ping/1` does.
    Ping(String),
    /// Stop the node and end.
    Quit,
}

/// What a member tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The node is up, in this life of its name.
    Ready { creation: u32 },
    /// The nodes it is connected with.
    Sees(Vec<String>),
    /// Messages to and from a node: the last round trip, and how many messages came back in the last second.
    Flow { node: String, micros: u64, per_second: u64 },
    /// Everything that was asked for with `watch` is in place.
    Watching(String),
    /// A tie to this node broke.
    Fired { tie: Tie, node: String, reason: String },
    /// The answer to a ping, and the microseconds it took; none for `pang`.
    Pinged { node: String, micros: Option<u64> },
    /// Something to tell the reader, of no consequence for the story.
    Note(String),
}

/// What breaks when a node goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    Link,
    Monitor,
    NodeDown,
}

impl Tie {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Tie; 3] = [Tie::Link, Tie::Monitor, Tie::NodeDown];

    /// Its word in a line, and in the story.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Tie::Link => "link",
            Tie::Monitor => "monitor",
            Tie::NodeDown => "nodedown",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Connect(node) => write!(out, "connect {node}"),
            Command::Watch(node) => write!(out, "watch {node}"),
            Command::Ping(node) => write!(out, "ping {node}"),
            Command::Quit => out.write_str("quit"),
        }
    }
}

impl FromStr for Command {
    type Err = NoSuchLine;

    fn from_str(line: &str) -> Result<Command, NoSuchLine> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["connect", node] => Ok(Command::Connect(node.to_owned())),
            ["watch", node] => Ok(Command::Watch(node.to_owned())),
            ["ping", node] => Ok(Command::Ping(node.to_owned())),
            ["quit"] => Ok(Command::Quit),
            _ => Err(NoSuchLine(line.to_owned())),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Ready { creation } => write!(out, "ready {creation}"),
            Report::Sees(nodes) => {
                out.write_str("sees")?;
                nodes.iter().try_for_each(|node| write!(out, " {node}"))
            }
            Report::Flow { node, micros, per_second } => write!(out, "flow {node} {micros} {per_second}"),
            Report::Watching(node) => write!(out, "watching {node}"),
            Report::Fired { tie, node, reason } => write!(out, "fired {} {node} {reason}", tie.word()),
            Report::Pinged { node, micros: Some(micros) } => write!(out, "pinged {node} pong {micros}"),
            Report::Pinged { node, micros: None } => write!(out, "pinged {node} pang"),
            Report::Note(text) => write!(out, "note {}", text.replace(['\r', '\n'], " ")),
        }
    }
}

impl FromStr for Report {
    type Err = NoSuchLine;

    fn from_str(line: &str) -> Result<Report, NoSuchLine> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let report = match words[..] {
            ["ready", creation] => creation.parse().ok().map(|creation| Report::Ready { creation }),
            ["sees", ref nodes @ ..] => {
                Some(Report::Sees(nodes.iter().map(|&node| node.to_owned()).collect()))
            }
            ["flow", node, micros, rate] => flow(node, micros, rate),
            ["watching", node] => Some(Report::Watching(node.to_owned())),
            ["fired", tie, node, reason] => fired(tie, node, reason),
            ["pinged", node, "pang"] => Some(Report::Pinged { node: node.to_owned(), micros: None }),
            ["pinged", node, "pong", micros] => {
                let pong = |micros| Report::Pinged { node: node.to_owned(), micros: Some(micros) };
                micros.parse().ok().map(pong)
            }
            ["note", ref words @ ..] => Some(Report::Note(words.join(" "))),
            _ => None,
        };
        report.ok_or_else(|| NoSuchLine(line.to_owned()))
    }
}

fn flow(node: &str, micros: &str, per_second: &str) -> Option<Report> {
    let (micros, per_second) = (micros.parse().ok()?, per_second.parse().ok()?);
    Some(Report::Flow { node: node.to_owned(), micros, per_second })
}

fn fired(tie: &str, node: &str, reason: &str) -> Option<Report> {
    let tie = Tie::ALL.into_iter().find(|known| known.word() == tie)?;
    Some(Report::Fired { tie, node: node.to_owned(), reason: reason.to_owned() })
}

/// A line that is neither a command nor a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchLine(String);

impl fmt::Display for NoSuchLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not a line of the cluster: {:?}", self.0)
    }
}

impl std::error::Error for NoSuchLine {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads_back() {
        let node = || "rick@localhost".to_owned();
        let reports = [
            Report::Ready { creation: u32::MAX },
            Report::Sees(vec![]),
            Report::Sees(vec![node(), node()]),
            Report::Flow { node: node(), micros: 7, per_second: 900 },
            Report::Watching(node()),
            Report::Fired { tie: Tie::NodeDown, node: node(), reason: "noconnection".into() },
            Report::Pinged { node: node(), micros: Some(1) },
            Report::Pinged { node: node(), micros: None },
            Report::Note("two words".into()),
        ];
        for report in reports {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        for command in
            [Command::Connect(node()), Command::Watch(node()), Command::Ping(node()), Command::Quit]
        {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["", "sing", "ready", "ready x", "fired rope a b", "flow a b c", "pinged a"] {
            assert!(line.parse::<Report>().is_err(), "{line}");
        }
    }
}
