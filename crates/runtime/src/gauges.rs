//! What a node counts of itself, for tools: how busy its workers are, what it exports.

use term::Atom;

use crate::node::Node;

impl Node {
    /// How many processes wait for their turn at each worker.
    pub fn run_queue_lengths(&self) -> Vec<usize> {
        self.scheduler().queue_lengths()
    }

    /// How often a process was let run, ever: all processes together.
    pub fn turns(&self) -> u64 {
        self.scheduler().turns()
    }

    /// Everything that can be called here by name, in order; no arity stands for all.
    pub fn exports_list(&self) -> Vec<(Atom, Atom, Option<u8>)> {
        self.exports().list()
    }
}
