//! Every way in which a node of ours and one of OTP's can meet: who dials, who hides.

use std::fmt;

use trunkline::net_kernel::Kind;
use trunkline::{Node, Term};

use crate::erl::{Erl, quoted};
use crate::world;

/// Who dials, and who hides.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Whether our node dials; otherwise OTP's does.
    pub we_dial: bool,
    /// Whether ours is a hidden node.
    pub we_hide: bool,
    /// Whether OTP's is a hidden node.
    pub they_hide: bool,
}

impl Way {
    /// Whether the nodes are in each other's `nodes()`.
    pub fn visible(self) -> bool {
        !self.we_hide && !self.they_hide
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |hides: bool| if hides { "hidden" } else { "visible" };
        let who = if self.we_dial { "we dial" } else { "OTP dials" };
        write!(f, "{who}, ours {}, OTP's {}", hidden(self.we_hide), hidden(self.they_hide))
    }
}

/// A node of ours, connected with a live `erl`.
pub struct Meeting<'a> {
    /// OTP's.
    pub erl: &'a mut Erl,
    /// Ours, with `echo` and `counter` running.
    pub ours: Node,
    /// How they met.
    pub way: Way,
}

impl Meeting<'_> {
    /// Our name as Erlang writes it.
    pub fn us(&self) -> String {
        quoted(self.ours.name().as_str())
    }

    /// OTP's node, as an atom.
    pub fn them(&self) -> Term {
        Term::atom(&self.erl.name)
    }
}

/// Tells a story in all eight ways, each with a fresh node of ours. In OTP's node `Us` is bound to our name, and the module
/// `guest` is there.
pub async fn in_every_way(story: impl AsyncFn(&mut Meeting<'_>)) {
    if !crate::erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    for they_hide in [false, true] {
        let flags: &[&str] = if they_hide { &["-hidden"] } else { &[] };
        let mut erl = Erl::start(&world::unique("erl"), epmd, flags);
        erl.load_guest();
        for (we_dial, we_hide) in [(true, false), (false, false), (true, true), (false, true)] {
            let way = Way { we_dial, we_hide, they_hide };
            println!("{way}");
            let mut meeting = meet(&mut erl, epmd, way).await;
            story(&mut meeting).await;
            meeting.ours.shutdown().await;
            let us = meeting.us();
            erl.until(&format!("lists:member({us}, nodes(connected))"), "false");
        }
    }
}

/// Tells a story in the two ways that matter most: visible nodes, dialled by either.
pub async fn both_dialling(story: impl AsyncFn(&mut Meeting<'_>)) {
    if !crate::erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    for we_dial in [true, false] {
        let way = Way { we_dial, we_hide: false, they_hide: false };
        println!("{way}");
        let mut meeting = meet(&mut erl, epmd, way).await;
        story(&mut meeting).await;
        meeting.ours.shutdown().await;
    }
}

async fn meet(erl: &mut Erl, epmd: u16, way: Way) -> Meeting<'_> {
    let builder = world::node(&world::unique("ours"), epmd);
    let builder = if way.we_hide { builder.hidden() } else { builder };
    let ours = builder.start().await.expect("our node starts");
    world::echo(&ours);
    world::counter(&ours);
    erl.forget();
    erl.eval(&format!("Us = {}", quoted(ours.name().as_str())));
    if way.we_dial {
        ours.connect(erl.name.as_str()).await.unwrap_or_else(|why| panic!("{way}: {why}"));
    } else {
        erl.check("net_kernel:connect_node(Us)", "true");
        // The one who dials knows first: the acceptor is up when it has sent the last word of the handshake.
        world::eventually("we know it too", async || !ours.nodes_of(Kind::Connected).is_empty()).await;
    }
    Meeting { erl, ours, way }
}
