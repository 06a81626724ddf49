//! The functions that every node answers for, room by room.

use runtime::Node;

/// Exports them.
pub(crate) fn install(node: &Node) {
    crate::functions::install(node);
    crate::io::install(node);
    super::functions::install(node);
    crate::global::install(node);
    crate::pg::install(node);
}
