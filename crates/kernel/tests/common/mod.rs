//! Helpers of the tests against sockets: a private EPMD, nodes on loopback, and a live `erl` where there is one.
#![allow(dead_code, reason = "every test program uses a part of this")]

use std::process::Stdio;
use std::time::Duration;

use kernel::epmd::{Epmd, EpmdConfig};
use kernel::net_kernel::{self, NodeType, Shape, WatchOptions};
use kernel::{Builder, Node};
use runtime::Ctx;
use term::{Atom, Pid, Term};
use tokio::process::{Child, Command};

pub(crate) const COOKIE: &str = "monster";

/// Longer than anything takes on a busy machine, shorter than a stuck test is bearable.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An EPMD of our own, on a port that the system chose.
pub(crate) fn private_epmd() -> u16 {
    let epmd = Epmd::bind(EpmdConfig { port: 0, ..EpmdConfig::default() }).expect("an EPMD on loopback");
    let port = epmd.port();
    tokio::spawn(epmd.run(|line| println!("epmd: {line}")));
    port
}

/// A node that knows this EPMD and the cookie of the tests.
pub(crate) fn node(name: &str, epmd: u16) -> Builder {
    Node::builder(name).cookie(COOKIE).epmd_port(epmd)
}

/// Whether there is an `erl`. Without one the test says so loudly, or fails where one is required.
pub(crate) fn erl_is_here() -> bool {
    let here = std::process::Command::new("erl")
        .args(["-noshell", "-eval", "halt()."])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !here {
        assert!(
            std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_none(),
            "no erl, but TRUNKLINE_REQUIRE_ERL is set"
        );
        println!("SKIPPED: there is no erl on this machine");
    }
    here
}

/// A live `erl` with short names; killed when dropped.
pub(crate) struct Erl {
    pub(crate) name: String,
    child: Child,
}

impl Erl {
    pub(crate) fn start(name: &str, epmd: u16, flags: &[&str], eval: &str) -> Erl {
        let child = Command::new("erl")
            .args(["-noinput", "-start_epmd", "false", "-sname", name])
            .args(flags)
            .args(["-eval", eval])
            .env("ERL_EPMD_PORT", epmd.to_string())
            .env("ERL_CRASH_DUMP", "/dev/null")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("erl starts");
        Erl { name: name.to_owned(), child }
    }

    /// SIGKILL: no goodbyes.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("the erl was there");
    }

    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().await.ok().and_then(|status| status.code())
    }
}

/// Starts a process that hears of nodes, and passes on what it hears.
pub(crate) fn news(node: &Node) -> tokio::sync::mpsc::UnboundedReceiver<(String, String)> {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let pid = node.spawn(move |mut ctx: Ctx| async move {
        loop {
            let (what, who): (Atom, Atom) = ctx.receive::<(Atom, Atom, Term)>().await.drop_last();
            if tell.send((what.to_string(), who.to_string())).is_err() {
                return;
            }
        }
    });
    let options =
        WatchOptions { node_type: Some(NodeType::All), shape: Shape::List, ..WatchOptions::default() };
    net_kernel::monitor_nodes(node, &pid, options);
    told
}

trait DropLast {
    fn drop_last(self) -> (Atom, Atom);
}

impl DropLast for (Atom, Atom, Term) {
    fn drop_last(self) -> (Atom, Atom) {
        (self.0, self.1)
    }
}

/// Waits until the news say so.
pub(crate) async fn until(
    news: &mut tokio::sync::mpsc::UnboundedReceiver<(String, String)>,
    what: &str,
    who: &str,
) {
    let wait = async {
        loop {
            let (heard, about) = news.recv().await.expect("the node lives");
            if heard == what && about == who {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("no {what} of {who} in time"));
}

/// Looks again and again, a few milliseconds apart, until it is so.
pub(crate) async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// A process that sends back `{echo, Message}` to whoever sends `{Pid, Message}`.
pub(crate) fn echo(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        loop {
            let (from, message): (Pid, Term) = ctx.receive().await;
            ctx.send(&from, (Atom::new("echo"), message));
        }
    })
}
