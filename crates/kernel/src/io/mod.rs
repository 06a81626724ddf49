//! Input and output: Erlang's I/O protocol, spoken from both ends, and the text that goes over it.
//!
//! - [`format()`], [`put_chars`], [`get_line`] and their kin ask the group leader of a process, wherever it is; [`Device`] asks
//!   any other device.
//! - [`Leader`] makes a process of this node a group leader, with a sink and a source of one's own.
//! - [`protocol`] is the server's side without a process around it.

mod client;
mod exports;
mod leader;
mod output;
pub mod protocol;
mod reading;
mod source;
mod text;

pub use client::{
    Device, IoError, columns, format, get_chars, get_line, getopts, put_chars, request, requests, rows,
    setopts,
};
pub(crate) use exports::install;
pub use leader::Leader;
pub(crate) use leader::serve;
pub(crate) use output::{Output, Sink};
pub use source::Input;
pub(crate) use text::{format_on, format_terms, numbers_of, text_of};
