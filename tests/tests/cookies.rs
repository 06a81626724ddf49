//! Cookies at run time: one's own, one for a peer, in both directions, changed from here and from afar.

use trunkline::net_kernel::{self, Kind};
use trunkline::{Cookie, Node};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, COOKIE, eventually};

/// Who dials whom, and whether it works; afterwards nobody is connected.
async fn meet(erl: &mut Erl, ours: &Node, we_dial: bool) -> bool {
    let (us, them) = (ours.name().to_string(), erl.name.clone());
    let met = match we_dial {
        true => ours.connect(them.as_str()).await.is_ok(),
        false => erl.eval(&format!("net_kernel:connect_node({us})")) == "true",
    };
    if met {
        erl.until(&format!("lists:member({us}, nodes(connected))"), "true");
        eventually("we know it too", async || !ours.nodes_of(Kind::Connected).is_empty()).await;
        assert!(net_kernel::disconnect(ours, them.as_str()).await);
    }
    erl.until(&format!("lists:member({us}, nodes(connected))"), "false");
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pair_of_nodes_may_have_a_cookie_of_its_own_in_both_directions() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let flags = ["-kernel", "logger_level", "none", "-hidden"];
    let mut erl = Erl::start(&world::unique("erl"), epmd, &flags);
    let ours = world::node(&world::unique("ours"), epmd).cookie("another").hidden().start().await.unwrap();
    let (us, them) = (ours.name().to_string(), erl.name.clone());
    // What each believes to be the cookie of the other: nothing, or one of its own; and whether they meet.
    let table = [
        (None, None, false),
        (Some(COOKIE), None, true),
        (Some("third"), None, false),
        (Some("third"), Some("third"), true),
        (Some("third"), Some("fourth"), false),
        (Some("another"), Some("another"), true),
    ];
    for (ours_has, theirs_has, meets) in table {
        if let Some(cookie) = ours_has {
            net_kernel::set_cookie_of(&ours, them.as_str(), Cookie::new(cookie).unwrap());
        }
        if let Some(cookie) = theirs_has {
            erl.check(&format!("erlang:set_cookie({us}, {cookie})"), "true");
        }
        for we_dial in [true, false] {
            let met = meet(&mut erl, &ours, we_dial).await;
            assert_eq!(met, meets, "{ours_has:?} {theirs_has:?}, we dial: {we_dial}");
        }
    }
    // From afar, by one that is connected and stays so: the next handshake is what counts.
    ours.connect(them.as_str()).await.unwrap();
    erl.check(&format!("rpc:call({us}, erlang, set_cookie, [node(), fifth])"), "true");
    erl.check(&format!("rpc:call({us}, erlang, get_cookie, [node()])"), "fifth");
    erl.check(&format!("gen_server:call({{auth, {us}}}, {{get_cookie, node()}})"), "fifth");
    erl.check(&format!("rpc:call({us}, erlang, get_cookie, [])"), "another");
    erl.check(&format!("rpc:call({us}, auth, set_cookie, [sixth])"), "true");
    assert_eq!(net_kernel::cookie(&ours), Some(Cookie::new("sixth").unwrap()));
    erl.check(&format!("net_adm:ping({us})"), "pong");
    assert!(net_kernel::disconnect(&ours, them.as_str()).await);
    erl.until(&format!("lists:member({us}, nodes(connected))"), "false");
    assert!(!meet(&mut erl, &ours, false).await);
    erl.check(&format!("erlang:set_cookie({us}, fifth)"), "true");
    assert!(meet(&mut erl, &ours, false).await && meet(&mut erl, &ours, true).await);
    // One that knows nobody by name goes by our own.
    let mut stranger = Erl::start(&world::unique("stranger"), epmd, &["-hidden"]);
    stranger.check(&format!("erlang:set_cookie({us}, sixth), net_adm:ping({us})"), "pong");
    ours.shutdown().await;
}
