//! Who makes us dial: signals to nodes that are not connected do, and peers can cause those. Not without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use trunkline::carrier::{Address, BoxFuture};
use trunkline::discovery::{Discovery, DiscoveryError, Epmd, Registered, Registration};
use trunkline::net_kernel::{self, Kind};
use trunkline::{Atom, Ctx, Down, NodeId, Pid, Term};
use trunkline_tests::world::{self, COOKIE, eventually};

/// EPMD for everybody but ghosts, whose place is looked for for ever.
struct Haunted {
    epmd: Epmd,
    sought: Arc<AtomicUsize>,
}

impl Discovery for Haunted {
    fn register<'a>(&'a self, who: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        self.epmd.register(who)
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        if !name.starts_with("ghost") {
            return self.epmd.resolve(name);
        }
        self.sought.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }

    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        self.epmd.names(host)
    }
}

/// As in the limits of the kernel.
const DIALS_UNASKED_MAX: usize = 1_024;

const SETUP_TIME: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_names_nodes_which_nobody_finds_makes_us_look_for_so_many_at_once_and_no_more() {
    let epmd = world::private_epmd();
    let sought = Arc::new(AtomicUsize::new(0));
    let haunted = Haunted { epmd: Epmd::at(epmd), sought: sought.clone() };
    let ours = world::node(&world::unique("ours"), epmd).discovery(haunted).setup_time(SETUP_TIME);
    let ours = ours.start().await.unwrap();
    let peer = trunkline::node(&world::unique("peer")).cookie(COOKIE).epmd_port(epmd).start().await.unwrap();
    world::echo(&ours);
    peer.connect(ours.name().clone()).await.unwrap();
    // Each message names a process of another node to answer to.
    for number in 0..2 * DIALS_UNASKED_MAX {
        let node = NodeId::new(Atom::new(&format!("ghost{number}@localhost")), 7);
        let nobody = Pid { node, id: 1, serial: 0 };
        peer.send(
            (Atom::new("echo"), ours.name().clone()),
            Term::tuple([Term::Pid(nobody), Term::atom("boo")]),
        );
    }
    eventually("the ceiling is reached", async || sought.load(Ordering::SeqCst) == DIALS_UNASKED_MAX).await;
    let heard = ours.run(|mut ctx: Ctx| async move {
        ctx.monitor((Atom::new("x"), Atom::new("ghost_too_many@localhost")));
        ctx.receive::<Down>().await.reason
    });
    assert!(heard.await.is_atom("noconnection"), "who comes too late hears at once that there is no way");
    assert_eq!(sought.load(Ordering::SeqCst), DIALS_UNASKED_MAX);
    // Whoever asks is served, and those that can be found are connected still.
    let asked = ours.clone();
    let asking = tokio::spawn(async move { asked.connect("ghost_asked@localhost").await });
    eventually("it is looked for", async || sought.load(Ordering::SeqCst) == DIALS_UNASKED_MAX + 1).await;
    ours.ping(peer.name().clone()).await.unwrap();
    // The whole of an attempt is bounded, and what it took is given back.
    assert!(asking.await.unwrap().is_err());
    eventually("there is room again", async || net_kernel::nodes(&ours, Kind::Known).len() < 10).await;
    ours.send((Atom::new("x"), Atom::new("ghost_again@localhost")), Term::atom("boo"));
    eventually("it is looked for", async || sought.load(Ordering::SeqCst) == DIALS_UNASKED_MAX + 2).await;
    ours.shutdown().await;
    peer.shutdown().await;
}
