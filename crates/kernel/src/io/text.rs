//! Text as this node shows it.

use runtime::Node;
use term::format::Formatter;
use term::print::NodeNumbers;
use term::{NodeId, Term};

/// The numbers that a node gives to its peers in `<9000.84.0>`.
pub(crate) struct Numbers<'a>(&'a Node);

impl NodeNumbers for Numbers<'_> {
    fn number(&self, node: &NodeId) -> Option<u32> {
        Some(self.0.node_number(node))
    }
}

/// How `node` numbers the nodes of pids when it prints them.
pub(crate) fn numbers_of(node: &Node) -> Numbers<'_> {
    Numbers(node)
}

/// The text of characters, binaries and lists of them, however deep; nothing when there is something else in it.
/// Binaries are UTF-8, or Latin-1 where they are not.
pub(crate) fn text_of(characters: &Term) -> Option<String> {
    term::format::unicode_text(characters)
}

/// `io_lib:format(Format, Arguments)` as `node` shows pids; nothing when they do not go together.
pub(crate) fn format_on(node: &Node, format: &Term, arguments: &Term) -> Option<String> {
    Formatter::new(&Numbers(node)).format(format, arguments).ok()
}

/// As [`format_on`]; where they do not go together, both as they are: what is logged must not be lost.
pub(crate) fn format_terms(node: &Node, format: &Term, arguments: &Term) -> String {
    format_on(node, format, arguments).unwrap_or_else(|| format!("{format:?} {arguments:?}"))
}
