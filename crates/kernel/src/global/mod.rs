//! What other nodes expect of `global_name_server` before `global` itself lives here: its locks.

pub(crate) mod locks;
