//! `user`: the group leader of last resort. Output from afar appears on standard output, or where the program says; input is
//! what the program gives.

use runtime::{Ctx, Node};

use super::start_registered;
use crate::io::{self, Output};

pub(super) fn start(node: &Node) {
    let output = node.shelf::<Output>();
    start_registered(node, "user", move |ctx: Ctx| io::serve(ctx, output.clone()));
    io::install(node);
}
