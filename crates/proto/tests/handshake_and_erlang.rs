//! Our handshake machines against a live node, in both directions.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use common::{COOKIE, Erl, PATIENCE, RealEpmd, ask, connect, erlang_is_here, until};
use trunkline_proto::epmd::client::{self, AliveAnswer, PortAnswer};
use trunkline_proto::epmd::{AliveReply, Registration};
use trunkline_proto::handshake::{
    Acceptance, Cookie, Initiation, Knock, Me, Peer, Question, Refusal, Step, Verdict, Welcome,
};
use trunkline_proto::{Blame, Flags};

const OTP: &str = "otp@127.0.0.1";
const US: &str = "trunk@127.0.0.1";

/// Prints who comes and goes.
const WATCHER: &str = r#"
    net_kernel:monitor_nodes(true, [{node_type, all}]),
    io:format("ready~n"),
    Loop = fun(F) ->
        receive {What, Node, Info} -> io:format("~p ~p ~p~n", [What, Node, proplists:get_value(node_type, Info)]) end,
        F(F)
    end,
    Loop(Loop)."#;

/// How a handshake ended.
#[derive(Debug)]
enum End {
    Done(Box<Peer>),
    Refused(Refusal),
    /// The node hung up, after the question was answered or before.
    Closed,
}

fn cookie() -> Cookie {
    Cookie::new(COOKIE).unwrap()
}

fn me(name: &str, creation: u32) -> Me {
    Me::new(name, creation, Flags::OURS).unwrap()
}

/// One byte at a time, so that every cut is tried.
fn read_byte(stream: &mut TcpStream) -> Option<[u8; 1]> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok().map(|()| byte)
}

fn dial(port: u16, me: Me, cookie: Cookie) -> (TcpStream, End) {
    let mut stream = connect(port);
    let mut machine = Initiation::begin(me, OTP, cookie, 0xFEED_BEEF);
    let mut step = machine.receive(&[]).unwrap();
    loop {
        let more = match step {
            Step::NeedMore => match read_byte(&mut stream) {
                Some(byte) => byte.to_vec(),
                None => return (stream, End::Closed),
            },
            Step::Send(bytes) => {
                stream.write_all(&bytes).unwrap();
                Vec::new()
            }
            Step::Ask(Question::StillAlive) => {
                machine.insist(true).unwrap();
                Vec::new()
            }
            Step::Done(peer, rest) => {
                assert!(rest.is_empty(), "we read byte by byte");
                return (stream, End::Done(peer));
            }
            Step::Refused(why) => return (stream, End::Refused(why)),
            Step::Ask(other) => panic!("unexpected question {other:?}"),
        };
        step = machine.receive(&more).unwrap();
    }
}

fn accept(
    mut stream: TcpStream,
    us: &str,
    cookie: Cookie,
    verdict: Verdict,
) -> (Result<Option<Box<Peer>>, Blame>, Knock, bool) {
    let mut machine = Acceptance::begin(me(us, 4)).unwrap();
    let (mut who, mut torn_down, mut more) = (None, false, Vec::new());
    let peer = loop {
        match machine.receive(&std::mem::take(&mut more)) {
            Ok(Step::NeedMore) => match read_byte(&mut stream) {
                Some(byte) => more.extend(byte),
                None => break Ok(None),
            },
            Ok(Step::Send(bytes)) => stream.write_all(&bytes).unwrap(),
            Ok(Step::Ask(Question::Knock(knock))) => {
                who = Some(knock);
                let welcome = Welcome { cookie: cookie.clone(), challenge: 0xDEAD_BEEF };
                machine.answer(verdict.clone(), welcome).unwrap();
            }
            Ok(Step::Ask(Question::TearDown(_))) => {
                torn_down = true;
                machine.release().unwrap();
            }
            Ok(Step::Done(peer, _)) => break Ok(Some(peer)),
            Ok(Step::Refused(_)) => return (Ok(None), who.expect("a knock"), torn_down),
            Ok(other) => panic!("unexpected {other:?}"),
            Err(blame) => break Err(blame),
        }
    };
    // The connection has to stay until the node has noticed that it is up.
    std::thread::spawn(move || stream.read_to_end(&mut Vec::new()));
    (peer, who.expect("a knock"), torn_down)
}

/// Waits for the node to dial.
fn knock(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let stream = until("a knock", || listener.accept().ok()).0;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn port_of_otp(epmd: &RealEpmd) -> u16 {
    let answer = ask(epmd.port, &client::port_please2("otp").unwrap());
    let found = PortAnswer::default().receive(&answer).unwrap();
    found.flatten().expect("otp is registered").port
}

fn register(epmd: &RealEpmd, port: u16) -> TcpStream {
    let mut lease = connect(epmd.port);
    lease.write_all(&client::alive2(&Registration::new("trunk", port)).unwrap()).unwrap();
    let mut reply = [0; 6];
    lease.read_exact(&mut reply).unwrap();
    let reply = AliveAnswer::default().receive(&reply).unwrap();
    assert!(matches!(reply, Some(AliveReply::Registered { .. })), "{reply:?}");
    lease
}

fn done(end: End) -> Peer {
    match end {
        End::Done(peer) => *peer,
        other => panic!("no connection: {other:?}"),
    }
}

#[test]
fn a_live_node_lets_us_in_as_we_are() {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let erl = Erl::start(epmd.port, &["-name", OTP], WATCHER);
    erl.says("ready");
    let port = port_of_otp(&epmd);

    let (wire, end) = dial(port, me(US, 7), cookie());
    let peer = done(end);
    assert!(peer.visible && peer.name == OTP && peer.creation > 3, "{peer:?}");
    assert!(peer.negotiated.contains(Flags::required()) && peer.flags.contains(Flags::PUBLISHED));
    erl.says("nodeup 'trunk@127.0.0.1' visible");

    // The same name knocks again while the first wire is still open: the node asks, we insist, the first wire is cut.
    let (second, end) = dial(port, me(US, 8), cookie());
    assert_eq!(done(end).name, OTP);
    erl.says("nodedown 'trunk@127.0.0.1' visible");
    erl.says("nodeup 'trunk@127.0.0.1' visible");
    drop((wire, second));
    erl.says("nodedown 'trunk@127.0.0.1' visible");

    let hidden = Me::new(US, 9, Flags::OURS.hidden()).unwrap();
    let (wire, end) = dial(port, hidden, cookie());
    assert!(!done(end).visible);
    erl.says("nodeup 'trunk@127.0.0.1' hidden");
    drop(wire);
    erl.says("nodedown 'trunk@127.0.0.1' hidden");

    let (wire, end) = dial(port, Me::nameless("127.0.0.1", Flags::OURS).unwrap(), cookie());
    let granted = done(end).granted.expect("a name");
    assert!(granted.name.ends_with("@127.0.0.1") && granted.creation != 0, "{granted:?}");
    erl.says(&format!("nodeup '{}' hidden", granted.name));
    drop(wire);
}

#[test]
fn a_live_node_refuses_us_in_every_way_it_has() {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let erl = Erl::start(epmd.port, &["-name", OTP], WATCHER);
    erl.says("ready");
    let port = port_of_otp(&epmd);

    let (_, end) = dial(port, me(US, 7), Cookie::new("wrong").unwrap());
    assert!(matches!(end, End::Closed), "{end:?}");
    erl.says("Connection attempt from node 'trunk@127.0.0.1' rejected. Invalid challenge reply.");

    let (_, end) = dial(port, me(OTP, 7), cookie());
    assert!(matches!(end, End::Refused(Refusal::Nok)), "its own name: {end:?}");

    let weak = Me::new(US, 7, Flags::from_bits(Flags::PUBLISHED.bits())).unwrap();
    let (_, end) = dial(port, weak, cookie());
    assert!(matches!(end, End::Refused(Refusal::NotAllowed)), "{end:?}");
}

#[test]
fn a_live_node_dials_us() {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _lease = register(&epmd, listener.local_addr().unwrap().port());
    let dials = r#"io:format("connected ~p~n", [net_kernel:connect_node('trunk@127.0.0.1')])."#;

    for (verdict, is_alive) in
        [(Verdict::Ok, false), (Verdict::OkSimultaneous, false), (Verdict::Alive, true)]
    {
        // A name of its own for each: EPMD may take a moment to notice that the last one is gone.
        let name = format!("{verdict:?}@127.0.0.1");
        let erl = Erl::start(epmd.port, &["-name", &name], dials);
        let (peer, knock, torn_down) = accept(knock(&listener), US, cookie(), verdict);
        let peer = peer.unwrap().expect("a connection");
        assert_eq!((knock.name.as_str(), knock.dynamic, torn_down), (name.as_str(), false, is_alive));
        assert!(peer.visible && peer.creation == knock.creation && peer.creation > 3, "{peer:?}");
        erl.says("connected true");
    }

    let erl = Erl::start(epmd.port, &["-name", "hidden@127.0.0.1", "-hidden"], dials);
    let (peer, ..) = accept(knock(&listener), US, cookie(), Verdict::Ok);
    assert!(!peer.unwrap().expect("a connection").visible);
    erl.says("connected true");

    let erl = Erl::start(epmd.port, &["-name", "unwanted@127.0.0.1"], dials);
    let (peer, ..) = accept(knock(&listener), US, cookie(), Verdict::NotAllowed);
    assert_eq!(peer, Ok(None));
    erl.says("connected false");
}

#[test]
fn a_live_node_with_a_wrong_cookie_is_named_and_left() {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _lease = register(&epmd, listener.local_addr().unwrap().port());
    let dials = r#"io:format("connected ~p~n", [net_kernel:connect_node('trunk@127.0.0.1')])."#;
    let _erl = Erl::start(epmd.port, &["-name", OTP], dials);
    let other = Cookie::new("other").unwrap();
    let (peer, ..) = accept(knock(&listener), US, other, Verdict::Ok);
    let blame = peer.unwrap_err().to_string();
    assert!(blame.contains(OTP) && blame.contains("cookie"), "{blame}");
}

#[test]
fn a_live_node_without_a_name_takes_the_one_we_give_it() {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _lease = register(&epmd, listener.local_addr().unwrap().port());
    let script = r#"io:format("connected ~p~n", [net_kernel:connect_node('trunk@localhost')]),
                    io:format("i am ~p~n", [node()])."#;
    let erl = Erl::start(epmd.port, &["-sname", "undefined@localhost"], script);
    let stream = knock(&listener);
    let verdict = Verdict::Named { name: "DYN1@localhost".into(), creation: 4242 };
    let (peer, knock, _) = accept(stream, "trunk@localhost", cookie(), verdict);
    assert_eq!((knock.name.as_str(), knock.creation, knock.dynamic), ("localhost", 0, true));
    let peer = peer.unwrap().expect("a connection");
    assert_eq!((peer.name.as_str(), peer.creation, peer.visible), ("DYN1@localhost", 4242, false));
    erl.says("connected true");
    erl.says("i am 'DYN1@localhost'");
}
