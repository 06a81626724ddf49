//! Faults on our own side of the border: a carrier that panics, and listeners that do what they like.

extern crate trunkline_kernel as kernel;

mod common;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use carrier::{Address, BoxFuture, Carrier, ListenAt, Listener, ReadHalf, Tcp, Wire, WriteHalf};
use common::*;
use kernel::net_kernel::{self, Kind, WatchOptions};
use runtime::{Ctx, Down, PeerEvent};
use term::{Atom, Term};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// TCP, but reading from its wires panics once it is armed.
struct Mined(Tcp, Arc<AtomicBool>);

impl Carrier for Mined {
    fn name(&self) -> &'static str {
        "mined tcp"
    }

    fn listen<'a>(&'a self, at: &'a ListenAt) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.0.listen(at)
    }

    fn dial<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Wire>>> {
        let armed = self.1.clone();
        Box::pin(async move { Ok(Box::new(MinedWire(self.0.dial(to).await?, armed)) as Box<dyn Wire>) })
    }
}

struct MinedWire(Box<dyn Wire>, Arc<AtomicBool>);

impl Wire for MinedWire {
    fn peer(&self) -> Address {
        self.0.peer()
    }

    fn local(&self) -> Address {
        self.0.local()
    }

    fn is_local_peer(&self) -> bool {
        self.0.is_local_peer()
    }

    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        let (read, write) = self.0.split();
        (Box::new(MinedRead(read, self.1)), write)
    }
}

impl AsyncRead for MinedWire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl AsyncWrite for MinedWire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

struct MinedRead(ReadHalf, Arc<AtomicBool>);

impl AsyncRead for MinedRead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(!self.1.load(Ordering::SeqCst), "the mine goes off");
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_panics_takes_its_connection_with_it() {
    let epmd = private_epmd();
    let armed = Arc::new(AtomicBool::new(false));
    let mined = Mined(Tcp::new(), armed.clone());
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).carrier(mined).connect_all(false).start().await.unwrap();
    let far = echo(&zoey);
    zoey.register("echo", &far).unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    let mut heard = news(&bill);
    let watching = bill.run(move |mut ctx| async move {
        let reference = ctx.monitor(&far);
        ctx.send(&far, (ctx.pid(), 1));
        let _: (Atom, i64) = ctx.receive().await;
        armed.store(true, Ordering::SeqCst);
        ctx.send(&far, (ctx.pid(), 2));
        let down: Down = ctx.receive_within(PATIENCE).await.expect("the monitor fires");
        armed.store(false, Ordering::SeqCst);
        assert!(down.reference == reference && down.reason.is_atom("noconnection"));
    });
    watching.await;
    until(&mut heard, "nodedown", "zoey@localhost").await;
    eventually("zoey knows it too", async || zoey.nodes_of(Kind::Connected).is_empty()).await;
    bill.connect("zoey@localhost").await.unwrap();
    assert_eq!(bill.nodes(), [Atom::new("zoey@localhost")]);
}

/// Whatever a listener calls, it is never locked out by what tells it. The nodes hide: visible ones greet each other by
/// themselves, and connect again for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_listener_may_ask_net_kernel_whatever_it_likes() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).hidden().start().await.unwrap();
    let bill = node("bill@localhost", epmd).hidden().start().await.unwrap();
    let (told, watcher) = (Arc::new(Mutex::new(Vec::new())), echo(&bill));
    let (log, inner) = (told.clone(), bill.clone());
    bill.on_peer(Arc::new(move |event| {
        net_kernel::monitor_nodes(&inner, &watcher, WatchOptions::default());
        net_kernel::unmonitor_nodes(&inner, &watcher, WatchOptions::default());
        assert!(net_kernel::net_ticktime(&inner).is_some());
        let peers = net_kernel::nodes(&inner, Kind::Connected).len();
        let what = if matches!(event, PeerEvent::Up(..)) { "up" } else { "down" };
        log.lock().unwrap().push((what, peers));
    }));
    let story = async {
        for _ in 0..3 {
            bill.connect("zoey@localhost").await.unwrap();
            assert!(net_kernel::disconnect(&bill, "zoey@localhost").await);
            eventually("zoey knows it too", async || zoey.nodes_of(Kind::Connected).is_empty()).await;
        }
    };
    tokio::time::timeout(PATIENCE, story).await.expect("nobody is locked out");
    let expected: Vec<_> = (0..3).flat_map(|_| [("up", 1), ("down", 0)]).collect();
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_hear_of_a_peer_before_its_first_message_and_of_its_end_after_the_last() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).hidden().start().await.unwrap();
    let bill = node("bill@localhost", epmd).hidden().start().await.unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let peers = log.clone();
    zoey.on_peer(Arc::new(move |event| {
        // Long enough for a message that does not wait to be there first.
        std::thread::sleep(Duration::from_millis(20));
        peers.lock().unwrap().push(if matches!(event, PeerEvent::Up(..)) { "up" } else { "down" });
    }));
    let messages = log.clone();
    let ear = zoey.spawn(move |mut ctx: Ctx| async move {
        loop {
            let _: Term = ctx.receive().await;
            messages.lock().unwrap().push("message");
        }
    });
    zoey.register("ear", &ear).unwrap();
    for round in 1..=5 {
        bill.send(("ear", "zoey@localhost"), Term::NIL);
        eventually("the message", async || log.lock().unwrap().len() == 3 * round - 1).await;
        assert!(net_kernel::disconnect(&bill, "zoey@localhost").await);
        eventually("the end", async || log.lock().unwrap().len() == 3 * round).await;
    }
    let log = log.lock().unwrap().clone();
    assert!(log.chunks(3).all(|round| round == ["up", "message", "down"]), "{log:?}");
}
