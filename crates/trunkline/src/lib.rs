//! Distributed Erlang, built in Rust: the front door.
//!
//! Names only: everything lives in the rooms behind it. [`prelude`] has what nearly every program wants.

pub mod prelude;

pub use carrier;
pub use kernel::{
    Builder, Cookie, Node, PingError, StartError, cookies, discovery, epmd, names, net_kernel, node, ping,
    rpc,
};
pub use runtime::{
    AliasMode, Ctx, Down, Exit, ExitSignal, Limit, Mark, Message, Outcome, Policy, ProcessInfo,
    RegisterError, SendOptions, Sent, SpawnAt, SpawnError, SpawnOptions, Status, To,
};
pub use term::{Atom, FromTerm, IntoTerm, Pid, Ref, Term};
pub use {otp, proto, runtime, term};
