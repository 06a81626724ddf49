//! Bytes between hosts: the one trait strangers implement, TCP, and an in-memory network.
//!
//! A [`Carrier`] listens and dials, a [`Listener`] accepts, a [`Wire`] carries bytes both ways. Nothing here knows
//! Erlang: the kernel puts the distribution protocol on top of whatever carrier it is given.
//!
//! - [`Tcp`]: `nodelay`, `keepalive`, port range, interface, congestion control, buffers.
//! - [`MemoryNet`]: hosts by name in one program, with rules that delay, silence or cut what crosses
//!   ([`Verdict`]), deterministic under tokio's paused time.
//! - `conformance` (feature of that name): the checks every carrier must pass. Whoever writes one runs them.
//!
//! # Two ends of a wire
//!
//! ```
//! # use trunkline_carrier as carrier;
//! use carrier::{Carrier, ListenAt, Tcp};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let tcp = Tcp::new();
//! let mut listener = tcp.listen(&ListenAt::loopback()).await?;
//! let mut ours = tcp.dial(&listener.local()).await?;
//! let mut theirs = listener.accept().await?;
//!
//! ours.write_all(b"joe").await?;
//! ours.shutdown().await?;
//! let mut heard = String::new();
//! theirs.read_to_string(&mut heard).await?;
//! assert_eq!(heard, "joe");
//! assert_eq!(theirs.peer(), ours.local());
//! # Ok(())
//! # }
//! ```
//!
//! # A network that misbehaves
//!
//! ```
//! # use trunkline_carrier as carrier;
//! use carrier::{Carrier, ListenAt, MemoryNet, Verdict};
//! use std::time::Duration;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::time::{Instant, timeout};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> std::io::Result<()> {
//! let net = MemoryNet::new();
//! let (a, b) = (net.host("a"), net.host("b"));
//! let mut listener = b.listen(&ListenAt::loopback().port(4370)).await?;
//! let mut ours = a.dial(&carrier::Address::new("b", 4370)).await?;
//! let mut theirs = listener.accept().await?;
//!
//! let split = net.partition(&["a"], &["b"]);
//! ours.write_all(b"hello?").await?;
//! let hour = Duration::from_secs(3600);
//! assert!(timeout(hour, theirs.read_u8()).await.is_err(), "an hour of virtual time, and not a byte");
//! drop(split);
//! assert_eq!(theirs.read_u8().await?, b'h');
//!
//! let slow = Duration::from_millis(400);
//! let _rule = net.rule(move |w| if w.to == "a" { Verdict::Deliver(slow) } else { Verdict::Pass });
//! let asked = Instant::now();
//! theirs.write_u8(b'!').await?;
//! ours.read_u8().await?;
//! assert!(asked.elapsed() >= slow);
//! # Ok(())
//! # }
//! ```
//!
//! # Accepting
//!
//! A failed accept is not the end of a listener. [`accept_pause`] tells what to do:
//!
//! ```
//! # use trunkline_carrier as carrier;
//! # async fn serve(mut listener: Box<dyn carrier::Listener>) {
//! loop {
//!     match listener.accept().await {
//!         Ok(wire) => { /* give it a task */ drop(wire) }
//!         Err(error) => match carrier::accept_pause(&error) {
//!             Some(rest) => tokio::time::sleep(rest).await,
//!             None => break,
//!         },
//!     }
//! }
//! # }
//! ```
//!
//! # Errors
//!
//! Are `io::Error`s with the system's kind. Their text says which carrier could not do what, where, why, and what
//! to try; the [`Trouble`] inside still has the system's own error.

mod address;
mod carrier;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
pub mod limits;
mod memory;
mod rule;
mod tcp;
#[cfg(test)]
mod tests;

pub use address::{Address, ListenAt};
pub use carrier::{BoxFuture, Carrier, Listener, ReadHalf, Wire, WriteHalf};
pub use error::{Trouble, accept_pause};
pub use memory::{MemoryCarrier, MemoryNet};
pub use rule::{Crossing, RuleGuard, Verdict};
pub use tcp::Tcp;
