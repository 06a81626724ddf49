//! Our connection machines against a live node: real traffic over a real socket, both ways.

mod common;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use common::{COOKIE, Erl, RealEpmd, ask, connect, erlang_is_here};
use term::encode::encode_wire;
use term::{Atom, Binary, NodeId, Pid, Ref, Term};
use trunkline_proto::Flags;
use trunkline_proto::connection::{Inbound, Outbound};
use trunkline_proto::epmd::client::{self, PortAnswer};
use trunkline_proto::handshake::{Cookie, Initiation, Me, Peer, Question, Step};
use trunkline_proto::signal::{Arrival, Dest, Parcel, Payload, Signal};

const OTP: &str = "otp@127.0.0.1";
const US: &str = "trunk@127.0.0.1";

/// A process that does what we ask.
const ECHO: &str = r#"
    Echo = fun Loop() ->
        receive
            {From, link} -> link(From), From ! linked, Loop();
            {From, alias} -> From ! {alias, alias()}, Loop();
            {'EXIT', _, Reason} -> io:format("exit ~p~n", [Reason]), Loop();
            {From, Message} -> From ! {echo, Message}, Loop();
            Other -> io:format("other ~p~n", [Other]), Loop()
        end
    end,
    Keep = fun Again() ->
        {Pid, Monitor} = spawn_monitor(fun() -> process_flag(trap_exit, true), Echo() end),
        register(echo, Pid),
        io:format("ready~n"),
        receive {'DOWN', Monitor, process, Pid, _} -> Again() end
    end,
    spawn(Keep)."#;

/// A connection to a live node.
struct Session {
    stream: TcpStream,
    outbound: Outbound,
    inbound: Inbound,
    buffer: BytesMut,
    me: NodeId,
    them: NodeId,
}

impl Session {
    fn dial(port: u16, flags: Flags) -> Session {
        let mut stream = connect(port);
        let (peer, rest) = shake_hands(&mut stream, flags);
        let me = NodeId::new(Atom::new(US), 7);
        let them = NodeId::new(Atom::new(&peer.name), peer.creation);
        Session {
            stream,
            outbound: Outbound::new(peer.negotiated),
            inbound: Inbound::new(peer.negotiated, me.clone(), them.clone()),
            buffer: BytesMut::from(&rest[..]),
            me,
            them,
        }
    }

    fn pid(&self, id: u32) -> Pid {
        Pid { node: self.me.clone(), id, serial: 0 }
    }

    fn reference(&self, word: u32) -> Ref {
        Ref::new(self.me.clone(), &[word, 2, 3]).expect("three words")
    }

    fn push(&mut self, signal: Signal, payload: Option<&Term>) {
        let parcel = Parcel { signal, payload: payload.map(encode_wire) };
        self.outbound.push(parcel).expect("the peer can hear it");
    }

    fn flush(&mut self) {
        let mut chunks = VecDeque::new();
        loop {
            let more = self.outbound.fill(&mut chunks, 100_000).more;
            chunks.drain(..).for_each(|chunk| self.stream.write_all(&chunk).expect("the node listens"));
            if !more {
                return;
            }
        }
    }

    fn send(&mut self, from: u32, to: Dest, message: &Term) {
        let from = Some(self.pid(from));
        self.push(Signal::Send { from, to, token: None, priority: false }, Some(message));
        self.flush();
    }

    /// Sends `{Us, Message}` to the process registered as `echo`.
    fn tell_echo(&mut self, from: u32, message: Term) {
        let me = Term::Pid(self.pid(from));
        self.send(from, Dest::Name(Atom::new("echo")), &Term::tuple([me, message]));
    }

    /// The next arrival that is wanted; what OTP's own services say is passed over.
    fn next(&mut self, wanted: impl Fn(&Signal) -> bool) -> Arrival {
        loop {
            if let Some(arrival) = self.inbound.receive(&mut self.buffer).expect("OTP keeps to the protocol")
            {
                if wanted(&arrival.signal) {
                    return arrival;
                }
                continue;
            }
            let mut piece = vec![0; self.inbound.wanted_bytes(&self.buffer)];
            let read = self.stream.read(&mut piece).expect("the node answers in time");
            assert_ne!(read, 0, "the node hung up");
            self.buffer.extend_from_slice(&piece[..read]);
        }
    }

    /// The next message for our process `id`.
    fn message(&mut self, id: u32) -> Term {
        let me = self.pid(id);
        let mine = |signal: &Signal| matches!(signal, Signal::Send { to: Dest::Pid(to), .. } if *to == me);
        term_of(&self.next(mine))
    }

    fn echoes(&mut self, from: u32, message: Term) {
        self.tell_echo(from, message.clone());
        assert!(self.message(from) == Term::tuple([Term::atom("echo"), message]), "it came back changed");
    }

    /// The pid of `echo`, told by its linking to us.
    fn echo_links(&mut self) -> Pid {
        self.tell_echo(99, Term::atom("link"));
        let linked = self.next(|signal| matches!(signal, Signal::Link { .. }));
        let Signal::Link { from, .. } = linked.signal else { unreachable!("only links were wanted") };
        assert_eq!(self.message(99), Term::atom("linked"));
        from
    }
}

fn term_of(arrival: &Arrival) -> Term {
    match &arrival.payload {
        Payload::Wire(wire) => wire.decode().expect("OTP sends terms"),
        Payload::Term(term) => term.clone(),
        Payload::None => panic!("nothing came with {:?}", arrival.signal),
    }
}

fn shake_hands(stream: &mut TcpStream, flags: Flags) -> (Box<Peer>, Vec<u8>) {
    let me = Me::new(US, 7, flags).unwrap();
    let mut machine = Initiation::begin(me, OTP, Cookie::new(COOKIE).unwrap(), 0xFEED_BEEF);
    let mut step = machine.receive(&[]).unwrap();
    loop {
        let more = match step {
            Step::NeedMore => {
                let mut piece = vec![0; 4_096];
                let read = stream.read(&mut piece).unwrap();
                assert_ne!(read, 0, "the node hung up");
                piece.truncate(read);
                piece
            }
            Step::Send(bytes) => {
                stream.write_all(&bytes).unwrap();
                Vec::new()
            }
            // The node has not yet noticed that our last session is over.
            Step::Ask(Question::StillAlive) => {
                machine.insist(true).unwrap();
                Vec::new()
            }
            Step::Done(peer, rest) => return (peer, rest),
            other => panic!("unexpected {other:?}"),
        };
        step = machine.receive(&more).unwrap();
    }
}

/// The styles of packets there are: atom cache, empty headers, none.
fn styles() -> [Flags; 3] {
    let bare = Flags::OURS.without(Flags::DIST_HDR_ATOM_CACHE);
    [Flags::OURS, bare, bare.without(Flags::FRAGMENTS)]
}

/// Tells a story in each style, each with a node of its own.
fn with_a_node(story: impl Fn(&mut Session, &Erl)) {
    if !erlang_is_here() {
        return;
    }
    let epmd = RealEpmd::start(&[]);
    let erl = Erl::start(epmd.port, &["-name", OTP], ECHO);
    erl.says("ready");
    let answer = ask(epmd.port, &client::port_please2("otp").unwrap());
    let port = PortAnswer::default().receive(&answer).unwrap().flatten().expect("otp is registered").port;
    for flags in styles() {
        let mut session = Session::dial(port, flags);
        story(&mut session, &erl);
        drop(session);
    }
}

#[test]
fn terms_with_hundreds_of_atoms_come_back_from_a_live_node() {
    with_a_node(|session, _| {
        session.echoes(1, Term::Int(1));
        for round in 0..30 {
            // More than the cache has slots, some of them again and again, some longer than one byte can say.
            let count = [10, 200, 254, 255, 256, 400][round % 6];
            let atoms = (0..count).map(|n| Term::atom(&format!("atom_{}", (n + round * 97) % 3_000)));
            let long = Term::atom(&"ü".repeat(130 + round));
            session.echoes(1, Term::list(atoms.chain([long])));
        }
        let me = Term::Pid(session.pid(5));
        let them = Term::Pid(Pid { node: session.them.clone(), id: 1, serial: 0 });
        let reference = Term::Ref(session.reference(8));
        session.echoes(2, Term::tuple([me, them, reference, Term::Float(1.5), Term::string("text")]));
    });
}

#[test]
fn large_messages_go_both_ways_and_small_ones_pass_them() {
    with_a_node(|session, _| {
        let blob = Term::Binary(Binary::from(vec![42; 1 << 20]));
        let list = Term::list((0..300_000).map(|n| Term::Int(n * 7)));
        session.echoes(1, Term::tuple([Term::atom("blob"), blob.clone()]));
        session.echoes(1, list.clone());
        // Two senders at once, with a small message of each behind its large one.
        let echo = Dest::Name(Atom::new("echo"));
        for (from, large) in [(1, &blob), (2, &list)] {
            for message in [large, &Term::Int(from)] {
                let me = session.pid(from as u32);
                let message = Term::tuple([Term::Pid(me.clone()), message.clone()]);
                let signal = Signal::Send { from: Some(me), to: echo.clone(), token: None, priority: false };
                session.push(signal, Some(&message));
            }
        }
        session.flush();
        let mut heard = Vec::new();
        while heard.len() < 4 {
            let arrival = session.next(|signal| matches!(signal, Signal::Send { to: Dest::Pid(_), .. }));
            let Signal::Send { to: Dest::Pid(to), .. } = &arrival.signal else { continue };
            heard.push((to.id, term_of(&arrival).as_tuple().expect("{echo, _}")[1].as_int()));
        }
        for id in [1, 2] {
            let mine: Vec<_> = heard.iter().filter(|(to, _)| *to == id).map(|(_, number)| *number).collect();
            assert_eq!(mine, [None, Some(i64::from(id))]);
        }
    });
}

#[test]
fn links_monitors_and_aliases_work_with_a_live_node() {
    with_a_node(|session, erl| {
        let echo = session.echo_links();
        let me = session.pid(99);
        let unlink = Signal::Unlink { id: 1 << 40, from: me.clone(), to: echo.clone() };
        session.push(unlink, None);
        session.flush();
        let ack = session.next(|signal| matches!(signal, Signal::UnlinkAck { .. }));
        assert_eq!(ack.signal, Signal::UnlinkAck { id: 1 << 40, from: echo.clone(), to: me.clone() });

        session.push(Signal::Link { from: me.clone(), to: echo.clone() }, None);
        let reason = Term::tuple([Term::atom("gone"), Term::Int(1)]);
        session.push(Signal::Exit { from: me.clone(), to: echo.clone(), token: None }, Some(&reason));
        session.flush();
        erl.says("exit {gone,1}");

        session.tell_echo(99, Term::atom("alias"));
        let told = session.message(99);
        let alias = told.as_tuple().expect("{alias, _}")[1].as_ref().expect("a reference").clone();
        session.send(99, Dest::Alias(alias), &Term::atom("by_alias"));
        erl.says("other by_alias");

        let (reference, to) = (session.reference(1), Dest::Pid(echo));
        session.push(Signal::Monitor { from: me, to: to.clone(), reference: reference.clone() }, None);
        let exit = Signal::Exit2 { from: session.pid(99), to, token: None, priority: false };
        session.push(exit, Some(&Term::atom("kill")));
        session.flush();
        let down = session.next(|signal| matches!(signal, Signal::Down { .. }));
        assert_eq!(term_of(&down), Term::atom("killed"));
        let Signal::Down { reference: seen, .. } = &down.signal else {
            unreachable!("only downs were wanted")
        };
        assert_eq!(*seen, reference);
        // A new one, for the next style.
        erl.says("ready");
    });
}

/// `erpc:call`, by hand: a spawned process whose exit reason is the answer.
fn call(session: &mut Session, module: &str, function: &str, arguments: Term) -> Term {
    let id = session.reference(1_000);
    let (from, leader) = (session.pid(50), session.pid(50));
    let request = Signal::SpawnRequest {
        id: id.clone(),
        from,
        leader,
        module: Atom::new("erpc"),
        function: Atom::new("execute_call"),
        arity: 4,
        options: Term::list([Term::atom("monitor")]),
        token: None,
    };
    let all = Term::list([Term::Ref(id.clone()), Term::atom(module), Term::atom(function), arguments]);
    session.push(request, Some(&all));
    session.flush();
    let reply = session.next(|signal| matches!(signal, Signal::SpawnReply { .. }));
    let Signal::SpawnReply { id: answered, result, monitored, linked, .. } = &reply.signal else {
        unreachable!("only replies were wanted")
    };
    assert_eq!((answered, *monitored, *linked), (&id, true, false));
    assert!(result.is_ok(), "{result:?}");
    let down = session.next(|signal| matches!(signal, Signal::Down { .. }));
    let told = term_of(&down);
    let told = told.as_tuple().expect("{Ref, return, Value}");
    assert!(told[1].is_atom("return"), "{told:?}");
    told[2].clone()
}

#[test]
fn a_live_node_spawns_what_we_ask_for() {
    with_a_node(|session, _| {
        let sum = call(session, "lists", "sum", Term::list([Term::list((1..=10).map(Term::Int))]));
        assert_eq!(sum, Term::Int(55));
        let node = call(session, "erlang", "node", Term::NIL);
        assert!(node.is_atom(OTP));
    });
}
