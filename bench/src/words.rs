//! The messages that our programs and BEAM's say to each other.

use term::{Binary, FromTerm, IntoTerm, Pid};

/// `{ping, N, From}`: the small message of the table; about 60 bytes on the wire.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Ping(pub(crate) i64, pub(crate) Pid);

/// `{pong, N, From}`.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Pong(pub(crate) i64, pub(crate) Pid);

/// `{sink, N, Every, From}`: make a process that swallows `N` messages.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term", tag = "sink")]
pub(crate) struct WantSink(pub(crate) i64, pub(crate) i64, pub(crate) Pid);

/// `{sink, Pid}`: there it is.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term", tag = "sink")]
pub(crate) struct SinkAt(pub(crate) Pid);

/// `{ack, K}`: the sink has swallowed so many.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Ack(pub(crate) i64);

/// `{sunk, N}`: the sink has swallowed them all.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Sunk(pub(crate) i64);

/// `{bulk, Binary}`.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Bulk(pub(crate) Binary);

/// `{token, Hops}`: goes round a ring.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Token(pub(crate) i64);

/// Somebody is ready to begin.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Up(pub(crate) i64);

/// Begin, or stop waiting.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Go(pub(crate) i64);

/// Somebody has done his share.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
pub(crate) struct Done(pub(crate) i64);
