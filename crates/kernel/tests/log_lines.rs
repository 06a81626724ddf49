//! What an operator reads when somebody is turned away: the lines that OTP writes.

extern crate trunkline_kernel as kernel;

mod common;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use kernel::net_kernel;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn has(&self, line: &str) -> bool {
        self.has_all(&[line])
    }

    /// Whether one line has all these words.
    fn has_all(&self, words: &[&str]) -> bool {
        let text = self.0.lock().unwrap();
        String::from_utf8_lossy(&text).lines().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test for all lines: there is one log for the whole program.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_turned_away_and_whatever_happens_has_a_line() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .init();
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let salad = node("salad@localhost", epmd).cookie("otherSecret").start().await.unwrap();
    assert!(salad.connect("zoey@localhost").await.is_err());
    let line = "** Connection attempt from node salad@localhost rejected. Invalid challenge reply. **";
    eventually("the wrong cookie is logged", async || lines.has(line)).await;

    net_kernel::allow(&zoey, ["friend@localhost"]);
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    let refused = bill.connect("zoey@localhost").await.unwrap_err().to_string();
    assert!(refused.contains("does not allow this node"), "{refused}");
    let line = "** Connection attempt from disallowed node bill@localhost **";
    eventually("the stranger is logged", async || lines.has(line)).await;
    what_happens_to_the_cluster(&lines, epmd).await;
    assert!(!lines.has(COOKIE) && !lines.has("otherSecret"), "a cookie was logged");
}

async fn what_happens_to_the_cluster(lines: &Lines, epmd: u16) {
    let cat = node("cat@localhost", epmd).start().await.unwrap();
    let dog = node("dog@localhost", epmd).start().await.unwrap();
    for node in [&cat, &dog] {
        let pid = node.spawn(|mut ctx: runtime::Ctx| async move {
            let _: term::Term = ctx.receive().await;
        });
        let yes = kernel::global::register(node, term::Atom::new("pet"), &pid).await;
        assert!(yes, "the name is free");
    }
    cat.connect("dog@localhost").await.unwrap();
    for (what, words) in [
        ("a node that comes", &["connected", "peer=dog@localhost"][..]),
        (
            "a conflict of names",
            &["WARN", "global: name conflict: pet is <", "keeps it, the other one is ended"],
        ),
    ] {
        eventually(what, async || lines.has_all(words)).await;
    }
    net_kernel::set_net_ticktime(&cat, Duration::from_secs(30), Duration::from_secs(2));
    assert!(lines.has("net_ticktime changes to 30 s, within 2 s"));
    let crash = cat.spawn(|ctx: runtime::Ctx| async move {
        ctx.register("clumsy").unwrap();
        panic!("the vase");
    });
    let crashed = format!(
        "Error in process {crash} (clumsy) on node cat@localhost with exit value: {{panic,<<\"the vase\">>}}, at "
    );
    eventually("a crash", async || lines.has_all(&["ERROR", &crashed, "log_lines.rs:"])).await;
    dog.shutdown().await;
    let lost = ["connection lost", "peer=dog@localhost", "reason="];
    eventually("a node that goes", async || lines.has_all(&lost)).await;
}
