//! Stories told against live OTP nodes: the harness.

pub mod cable;
pub mod erl;
pub mod logs;
pub mod meeting;
pub mod network;
pub mod peer;
pub mod player;
pub mod soak;
pub mod world;

/// The examples of the guide, compiled and run.
#[cfg(doctest)]
mod guide {
    macro_rules! chapter {
        ($name:ident, $file:literal) => {
            #[doc = include_str!(concat!("../../docs/guide/", $file))]
            mod $name {}
        };
    }

    chapter!(first_node, "01-first-node.md");
    chapter!(processes, "02-processes.md");
    chapter!(cluster, "03-cluster.md");
    chapter!(functions, "04-functions.md");
    chapter!(servers, "05-servers.md");
    chapter!(supervision, "06-supervision.md");
    chapter!(applications, "07-applications.md");
    chapter!(testing, "10-testing.md");
}
