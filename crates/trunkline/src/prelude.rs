//! What nearly every program wants: `use trunkline::prelude::*`.

pub use kernel::Node;
pub use kernel::{net_kernel, rpc};
pub use runtime::{Ctx, Down, Exit, ExitSignal};
pub use term::{Atom, FromTerm, IntoTerm, Pid, Ref, Term};
