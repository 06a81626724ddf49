//! What an operator reads when somebody is turned away: the lines that OTP writes.

extern crate trunkline_kernel as kernel;

mod common;

use std::io;
use std::sync::{Arc, Mutex};

use common::*;
use kernel::net_kernel;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn has(&self, line: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(line)
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
async fn whoever_is_turned_away_is_named() {
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
    assert!(!lines.has(COOKIE) && !lines.has("otherSecret"), "a cookie was logged");
}
