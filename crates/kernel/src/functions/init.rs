//! `init`: how this node was started, and its end.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use runtime::{Ctx, Node};
use term::{Pid, Term};

use super::{Answer, Fault, Module, args};
use crate::config::PlainArguments;
use crate::limits::{STOP_CALLER_MILLIS_MAX, STOP_GRACE_MILLIS};
use args::ok;

pub(super) const MODULE: Module = Module {
    name: "init",
    unfit: "badarg",
    near: &[
        ("get_status", 0, |_, _| Ok(status())),
        ("get_arguments", 0, |ctx, _| Ok(arguments(ctx.node()))),
        ("get_argument", 1, |ctx, a| Ok(argument(ctx.node(), &a[0]))),
        // Of a program in Rust none, unless it says which: what it was called with are no arguments of Erlang's.
        ("get_plain_arguments", 0, |ctx, _| Ok(PlainArguments::term(ctx.node()))),
        ("script_id", 0, |_, _| Ok(script_id())),
        ("stop", 0, |ctx, _| stop(ctx)),
        ("stop", 1, |ctx, a| match &a[0] {
            Term::Int(0..) => stop(ctx),
            slogan => args::charlist(slogan).and_then(|_| stop(ctx)),
        }),
        // A program in Rust does not begin again by itself.
        ("restart", 0, |_, _| args::fail("notsup")),
        ("restart", 1, |_, _| args::fail("notsup")),
        ("reboot", 0, |_, _| args::fail("notsup")),
        ("code_path_choice", 0, |_, _| Ok(Term::atom("relaxed"))),
    ],
    far: &[],
};

pub(crate) fn status() -> Term {
    Term::tuple([Term::atom("started"), Term::atom("started")])
}

pub(crate) fn script_id() -> Term {
    Term::tuple([Term::string("Trunkline"), Term::string(env!("CARGO_PKG_VERSION"))])
}

/// The flags that an `erl` which is like this node would have been started with.
pub(crate) fn arguments(node: &Node) -> Term {
    let entry = |flag: &str, value: &str| args::pair(flag, Term::list([Term::string(value)]));
    let program = std::env::current_exe().ok().and_then(|path| path.file_stem().map(|stem| stem.to_owned()));
    let program = program.map(|stem| stem.to_string_lossy().into_owned());
    let name = node.name().as_str();
    let named = crate::net_kernel::net_ticktime(node).is_some().then(|| {
        let long = name.rsplit_once('@').is_some_and(|(_, host)| host.contains('.'));
        entry(if long { "name" } else { "sname" }, name)
    });
    let home = std::env::var("HOME").ok().map(|home| entry("home", &home));
    Term::list(program.map(|program| entry("progname", &program)).into_iter().chain(home).chain(named))
}

/// `{ok, [Values]}` or `error`.
pub(crate) fn argument(node: &Node, flag: &Term) -> Term {
    let all = arguments(node);
    let of_flag = |entry: Term| match entry.as_tuple() {
        Some([name, values]) if name == flag => Some(values.clone()),
        _ => None,
    };
    let values: Vec<Term> = all.as_list().into_iter().flatten().filter_map(of_flag).collect();
    if values.is_empty() { Term::atom("error") } else { ok(Term::list(values)) }
}

/// Whether strangers may end this node.
#[derive(Default)]
pub(crate) struct Halting {
    refused: AtomicBool,
}

impl Halting {
    /// From now on nobody ends this node from afar.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}

fn may_end(node: &Node) -> Result<(), Fault> {
    if node.shelf::<Halting>().refused.load(Ordering::Relaxed) {
        return Err(Fault::Error(Term::atom("notsup")));
    }
    Ok(())
}

/// `erlang:halt`: the end of this node, at once; nobody gets an answer. The program that the node is a part of goes on, and
/// hears of it by [`crate::Node::until_stopped`].
pub(super) async fn halt(ctx: Ctx) -> Answer {
    may_end(ctx.node())?;
    tracing::warn!("the node is halted by a call of erlang:halt");
    end(ctx.node().clone(), End::AtOnce);
    pending().await
}

fn stop(ctx: &mut Ctx) -> Answer {
    may_end(ctx.node())?;
    let (node, caller) = (ctx.node().clone(), ctx.pid());
    tracing::warn!("the node is stopped by a call of init:stop");
    end(node, End::After(caller));
    Ok(Term::atom("ok"))
}

/// What a message `{stop, Reason}` to `init` does.
pub(crate) fn stop_by_message(node: &Node) {
    if may_end(node).is_ok() {
        tracing::warn!("the node is stopped by a message to init");
        end(node.clone(), End::InOrder);
    }
}

/// How a node ends.
#[derive(PartialEq)]
enum End {
    AtOnce,
    InOrder,
    /// In order, when this process has given its answer.
    After(Pid),
}

/// Shuts the node down, when whoever asked has its answer: OTP stops its applications in that time.
fn end(node: Node, how: End) {
    // Not a task of the node: it ends with those.
    node.handle().clone().spawn(async move {
        if let End::After(caller) = &how {
            let millis = Duration::from_millis(1);
            for _ in 0..STOP_CALLER_MILLIS_MAX {
                if !node.is_process_alive(caller) {
                    break;
                }
                tokio::time::sleep(millis).await;
            }
            tokio::time::sleep(Duration::from_millis(STOP_GRACE_MILLIS)).await;
        }
        let (node, at_once) = (crate::Node::new(node), how == End::AtOnce);
        if at_once { node.halt().await } else { node.shutdown().await }
    });
}
