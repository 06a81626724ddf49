//! Erlang expressions: read, evaluate, print. No terminal.

pub mod abstract_form;
mod alone;
pub mod ast;
pub mod code;
mod compile;
pub mod lexer;
mod library;
pub mod limits;
mod lint;
pub mod machine;
pub mod module;
pub mod node;
pub mod parser;
pub mod preprocess;
pub mod raise;
pub mod session;
pub mod vm;
pub mod world;

pub use alone::Alone;
pub use library::Shape;
pub use machine::{Entry, Machine, Module, run};
pub use node::NodeWorld;
pub use raise::{Class, Raise};
pub use session::{Reply, Session};
pub use vm::Vm;
pub use world::World;
