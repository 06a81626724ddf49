//! Erlang expressions: read, evaluate, print. No terminal.

pub mod abstract_form;
pub mod ast;
pub mod lexer;
pub mod limits;
pub mod parser;
