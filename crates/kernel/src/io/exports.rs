//! The module `io` for callers from other nodes: their output appears where their group leader is.

use runtime::{Ctx, Node};
use term::{FromTerm, Term};

use super::client::{Device, IoError, request};
use crate::rpc::{self, Raise};

/// Exports `io:*`.
pub(crate) fn install(node: &Node) {
    for name in ["format", "fwrite"] {
        rpc::export_async(node, "io", name, |ctx: Ctx, format: Term| {
            put(ctx, None, formatted(format, Term::NIL))
        });
        rpc::export_async(node, "io", name, |ctx: Ctx, format: Term, arguments: Term| {
            put(ctx, None, formatted(format, arguments))
        });
        rpc::export_async(node, "io", name, |ctx: Ctx, device: Term, format: Term, arguments: Term| {
            put(ctx, Some(device), formatted(format, arguments))
        });
    }
    rpc::export_async(node, "io", "put_chars", |ctx: Ctx, text: Term| put(ctx, None, characters(text)));
    rpc::export_async(node, "io", "put_chars", |ctx: Ctx, device: Term, text: Term| {
        put(ctx, Some(device), characters(text))
    });
    rpc::export_async(node, "io", "put_chars", |ctx: Ctx, device: Term, encoding: Term, text: Term| {
        put(ctx, Some(device), tuple(["put_chars"], [encoding, text]))
    });
    rpc::export_async(node, "io", "nl", |ctx: Ctx| put(ctx, None, characters(Term::string("\n"))));
    rpc::export_async(node, "io", "nl", |ctx: Ctx, device: Term| {
        put(ctx, Some(device), characters(Term::string("\n")))
    });
    rpc::export_async(node, "io", "write", |ctx: Ctx, term: Term| put(ctx, None, written(term)));
    rpc::export_async(node, "io", "write", |ctx: Ctx, device: Term, term: Term| {
        put(ctx, Some(device), written(term))
    });
    install_input(node);
}

fn install_input(node: &Node) {
    rpc::export_async(node, "io", "get_line", |ctx: Ctx, prompt: Term| {
        ask(ctx, None, tuple(["get_line", "unicode"], [prompt]))
    });
    rpc::export_async(node, "io", "get_line", |ctx: Ctx, device: Term, prompt: Term| {
        ask(ctx, Some(device), tuple(["get_line", "unicode"], [prompt]))
    });
    rpc::export_async(node, "io", "get_chars", |ctx: Ctx, prompt: Term, count: Term| {
        ask(ctx, None, tuple(["get_chars", "unicode"], [prompt, count]))
    });
    rpc::export_async(node, "io", "get_chars", |ctx: Ctx, device: Term, prompt: Term, count: Term| {
        ask(ctx, Some(device), tuple(["get_chars", "unicode"], [prompt, count]))
    });
    rpc::export_async(node, "io", "getopts", |ctx: Ctx| ask(ctx, None, Term::atom("getopts")));
    rpc::export_async(node, "io", "getopts", |ctx: Ctx, device: Term| {
        ask(ctx, Some(device), Term::atom("getopts"))
    });
    rpc::export_async(node, "io", "setopts", |ctx: Ctx, options: Term| {
        ask(ctx, None, tuple(["setopts"], [options]))
    });
    rpc::export_async(node, "io", "setopts", |ctx: Ctx, device: Term, options: Term| {
        ask(ctx, Some(device), tuple(["setopts"], [options]))
    });
    for what in ["columns", "rows"] {
        rpc::export_async(node, "io", what, move |ctx: Ctx| geometry(ctx, None, what));
        rpc::export_async(node, "io", what, move |ctx: Ctx, device: Term| geometry(ctx, Some(device), what));
    }
    rpc::export_async(node, "io", "request", |ctx: Ctx, device: Term, what: Term| {
        ask(ctx, Some(device), what)
    });
    rpc::export(node, "io", "printable_range", || Term::atom("latin1"));
}

fn tuple<const N: usize, const M: usize>(words: [&str; N], rest: [Term; M]) -> Term {
    Term::Tuple(words.into_iter().map(Term::atom).chain(rest).collect())
}

fn formatted(format: Term, arguments: Term) -> Term {
    tuple(["put_chars", "unicode", "io_lib", "format"], [Term::list([format, arguments])])
}

fn written(term: Term) -> Term {
    formatted(Term::string("~tw"), Term::list([term]))
}

fn characters(text: Term) -> Term {
    tuple(["put_chars", "unicode"], [text])
}

async fn at(ctx: &mut Ctx, device: Option<Term>, what: Term) -> Result<Result<Term, IoError>, Raise> {
    let device = match device {
        Some(device) => Device::from_term(&device).map_err(|_| Raise::badarg())?,
        None => Device::of(ctx),
    };
    Ok(request(ctx, &device, what).await)
}

/// Output: what cannot be shown is an error of the caller.
async fn put(mut ctx: Ctx, device: Option<Term>, what: Term) -> Result<Term, Raise> {
    at(&mut ctx, device, what).await?.map_err(|error| match error {
        IoError::Terminated => Raise::error(Term::atom("terminated")),
        _ => Raise::badarg(),
    })
}

/// Input: what the device answers, errors too.
async fn ask(mut ctx: Ctx, device: Option<Term>, what: Term) -> Result<Term, Raise> {
    Ok(match at(&mut ctx, device, what).await? {
        Ok(answer) => answer,
        Err(IoError::Refused(reason) | IoError::Strange(reason)) => {
            Term::tuple([Term::atom("error"), reason])
        }
        Err(IoError::Terminated) => Term::tuple([Term::atom("error"), Term::atom("terminated")]),
    })
}

async fn geometry(mut ctx: Ctx, device: Option<Term>, what: &str) -> Result<Term, Raise> {
    Ok(match at(&mut ctx, device, tuple(["get_geometry"], [Term::atom(what)])).await? {
        Ok(size @ Term::Int(_)) => Term::tuple([Term::atom("ok"), size]),
        _ => Term::tuple([Term::atom("error"), Term::atom("enotsup")]),
    })
}
