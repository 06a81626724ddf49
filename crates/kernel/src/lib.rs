//! What turns one node into a cluster: net_kernel, EPMD, cookies, exported functions.

pub mod cookies;
pub mod discovery;
pub mod epmd;
mod global;
pub mod limits;
pub mod names;
pub mod net_kernel;
