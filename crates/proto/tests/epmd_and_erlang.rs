//! Our EPMD machines against Erlang's programs: ours asks theirs, theirs asks ours, and both answer alike.
#![allow(clippy::disallowed_methods, reason = "tests with real programs live in real time")]

mod common;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use common::{Erl, RealEpmd, ask, connect, erlang_is_here};
use trunkline_proto::Now;
use trunkline_proto::epmd::client::{
    self, AliveAnswer, CommandAnswer, Killed, ListingAnswer, PortAnswer, Stopped,
};
use trunkline_proto::epmd::server::{Config, Effect, Server};
use trunkline_proto::epmd::{AliveReply, Registration};

/// Our server behind a real socket: a thread for every client, one lock around the machine.
struct OurEpmd {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    server: Server,
    streams: BTreeMap<u64, TcpStream>,
    born: Instant,
    exited: bool,
}

impl OurEpmd {
    fn start(relaxed_command_check: bool) -> OurEpmd {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wall_clock_secs = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let server =
            Server::new(Config { port, relaxed_command_check, wall_clock_secs, ..Config::default() });
        let (streams, born) = (BTreeMap::new(), Instant::now());
        let shared = Arc::new(Mutex::new(Shared { server, streams, born, exited: false }));
        let state = shared.clone();
        std::thread::spawn(move || {
            for (id, stream) in (1..).zip(listener.incoming().map_while(Result::ok)) {
                let state = state.clone();
                std::thread::spawn(move || serve(id, stream, &state));
            }
        });
        OurEpmd { port, shared }
    }
}

fn serve(id: u64, mut stream: TcpStream, state: &Mutex<Shared>) {
    state.lock().unwrap().act(|server, streams, now| {
        streams.insert(id, stream.try_clone().unwrap());
        server.connected(id, true, now);
    });
    let mut buffer = [0; 512];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        state.lock().unwrap().act(|server, _, now| server.bytes(id, now, &buffer[..read]));
    }
    state.lock().unwrap().act(|server, _, _| server.closed(id));
}

impl Shared {
    fn act(&mut self, act: impl FnOnce(&mut Server, &mut BTreeMap<u64, TcpStream>, Now)) {
        act(&mut self.server, &mut self.streams, Now::ZERO + self.born.elapsed());
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Reply(id, bytes) => (&self.streams[&id]).write_all(&bytes).unwrap(),
                Effect::Close(id) => {
                    let stream = self.streams.remove(&id).unwrap();
                    let _ = stream.shutdown(Shutdown::Both);
                }
                Effect::Exit => self.exited = true,
                Effect::Log(..) => {}
            }
        }
    }
}

/// Runs Erlang's own client.
fn epmd(port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new("epmd");
    command.args(["-port", &port.to_string()]).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('\r', "")
}

fn register(port: u16, name: &str, version_high: u16) -> (TcpStream, AliveReply) {
    let mut stream = connect(port);
    let registration = Registration { version_high, ..Registration::new(name, 5555) };
    stream.write_all(&client::alive2(&registration).unwrap()).unwrap();
    let (mut answer, mut buffer) = (AliveAnswer::default(), [0; 16]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "closed");
        if let Some(reply) = answer.receive(&buffer[..read]).unwrap() {
            return (stream, reply);
        }
    }
}

fn listing(port: u16, request: &[u8]) -> Vec<(String, u16, bool)> {
    let mut answer = ListingAnswer::default();
    answer.receive(&ask(port, request)).unwrap();
    let listing = answer.closed().unwrap();
    assert_eq!(listing.port, u32::from(port));
    listing.nodes().into_iter().map(|node| (node.name, node.port, node.active)).collect()
}

#[test]
fn our_client_is_served_by_erlangs_epmd_and_by_ours_alike() {
    let real = erlang_is_here().then(|| RealEpmd::start(&["-relaxed_command_check"]));
    let ours = OurEpmd::start(true);
    for port in [Some(ours.port), real.as_ref().map(|real| real.port)].into_iter().flatten() {
        let (lease, reply) = register(port, "foo", 6);
        let AliveReply::Registered { creation } = reply else { panic!("refused") };
        assert_eq!(register(port, "foo", 6).1, AliveReply::Refused);
        assert_eq!(register(port, "foo", 5).1, AliveReply::Refused);
        let (_old, reply) = register(port, "old", 5);
        assert!(matches!(reply, AliveReply::Registered { creation: 1..=3 }), "{reply:?}");

        let found = PortAnswer::default().receive(&ask(port, &client::port_please2("foo").unwrap()));
        assert_eq!(found, Ok(Some(Some(Registration::new("foo", 5555)))));
        let found = PortAnswer::default().receive(&ask(port, &client::port_please2("bar").unwrap()));
        assert_eq!(found, Ok(Some(None)));

        let (foo, old) = (("foo".to_owned(), 5555, true), ("old".to_owned(), 5555, true));
        assert_eq!(listing(port, &client::names()), [old.clone(), foo.clone()]);
        drop(lease);
        common::until("foo is forgotten", || (listing(port, &client::names()).len() == 1).then_some(()));
        let gone = ("foo".to_owned(), 5555, false);
        assert_eq!(listing(port, &client::dump()), [old, gone]);
        let (_lease, reply) = register(port, "foo", 6);
        assert_eq!(reply, AliveReply::Registered { creation: creation + 1 }, "the next life");

        let said = |request: &[u8]| {
            let mut answer = CommandAnswer::default();
            answer.receive(&ask(port, request)).unwrap();
            answer
        };
        assert_eq!(said(&client::stop("old").unwrap()).stopped(), Ok(Stopped::Stopped));
        assert_eq!(said(&client::stop("old").unwrap()).stopped(), Ok(Stopped::NoExist));
        assert_eq!(said(&client::kill()).killed(), Ok(Killed::Ok));
    }
    assert!(ours.shared.lock().unwrap().exited);
}

#[test]
fn our_server_answers_every_odd_request_as_erlangs_does() {
    if !erlang_is_here() {
        return;
    }
    let (real, mut server) = (RealEpmd::start(&[]), Server::new(Config::default()));
    let framed = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let alive = |name: &[u8], version: u8, extra: usize| {
        let mut body = vec![120, 21, 179, 77, 0, 0, version, 0, 5];
        body.extend((name.len() as u16).to_be_bytes());
        body.extend(name);
        body.extend((extra as u16).to_be_bytes());
        body.extend(vec![b'e'; extra]);
        framed(&body)
    };
    let mut cut_name = alive(b"cut", 6, 0);
    cut_name[12] = 200;
    let requests = [
        alive(b"foo", 6, 9),
        alive(b"foo", 6, 0),
        alive(b"foo", 5, 0),
        alive(b"bar", 5, 0),
        alive(b"\xff\xfe", 6, 0),
        alive(&[b'a'; 255], 6, 0),
        alive(&[b'a'; 256], 6, 0),
        alive("\u{e9}".repeat(255).as_bytes(), 6, 1020),
        alive(b"q", 6, 1021),
        alive(b"a\0b", 6, 0),
        alive(b"", 6, 0),
        cut_name,
        framed(b"zfoo"),
        framed(b"zfoo\0"),
        framed(b"znone"),
        framed(b"z"),
        framed(b"z\0"),
        framed(b"zf\0o"),
        framed(b"z\xff"),
        // Erlang's counts one character too many here, and cannot find a name of 255 that it has registered. Ours can.
        framed(&[b"z", "\u{e9}".repeat(254).as_bytes()].concat()),
        framed(&[&b"z"[..], &[b'a'; 256]].concat()),
        framed(b"a"),
        framed(b"p"),
        framed(b"s"),
        framed(b"sfoo"),
        framed(b"k"),
        framed(&[b'n'; 3057]),
        framed(&[b'n'; 3058]),
        framed(b"nnn"),
        vec![0, 0],
        b"\0\x01nx".to_vec(),
        b"GET / HTTP/1.1\r\n".to_vec(),
    ];
    let mut kept = Vec::new();
    for (id, request) in (1..).zip(&requests) {
        let (mut expected, mut closes) = (Vec::new(), false);
        server.connected(id, true, Now::ZERO);
        server.bytes(id, Now::ZERO, request);
        while let Some(effect) = server.poll_effect() {
            match effect {
                Effect::Reply(to, bytes) if to == id => expected.extend(bytes),
                Effect::Close(of) if of == id => closes = true,
                _ => {}
            }
        }
        let shown = String::from_utf8_lossy(&request[..request.len().min(24)]);
        let (mut seen, closed, stream) = provoke(real.port, request, expected.len());
        if matches!(expected[..], [118 | 121, 0, ..]) {
            assert!(seen.len() == expected.len() && seen[..2] == expected[..2], "{shown:?}: {seen:?}");
            seen = expected.clone();
        }
        if expected.starts_with(&[0, 0]) {
            // A listing starts with the port, where the two differ.
            seen.splice(..4, expected[..4].iter().copied());
        }
        assert_eq!((seen, closed), (expected, closes), "{shown:?}");
        kept.push(stream);
    }
}

/// Sends a request to a real EPMD, reads as many bytes as ours answered, and looks whether there are more or an end.
fn provoke(port: u16, request: &[u8], expected: usize) -> (Vec<u8>, bool, TcpStream) {
    let mut stream = connect(port);
    stream.write_all(request).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if seen.len() >= expected {
            // It cannot be proved that nothing comes, only that nothing came for a while.
            stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        }
        match stream.read(&mut buffer) {
            Ok(0) => return (seen, true, stream),
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (seen, true, stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return (seen, false, stream),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn erlangs_epmd_commands_and_nodes_are_served_by_ours() {
    if !erlang_is_here() {
        return;
    }
    let ours = OurEpmd::start(false);
    let script = r#"{ok, Names} = net_adm:names({127,0,0,1}), io:format("names ~p~n", [lists:sort(Names)]),
                    io:format("creation ~p~n", [erts_internal:get_creation()])."#;
    let (_lease, _) = register(ours.port, "foo", 6);
    let erl = Erl::start(ours.port, &["-name", "bar@127.0.0.1"], script);
    let names = erl.says("names ");
    assert!(names.contains(r#"{"bar","#) && names.contains(r#"{"foo",5555}"#), "{names}");
    let creation: u32 = erl.says("creation ").trim_start_matches("creation ").parse().unwrap();
    assert!(creation > 1_700_000_000, "from the clock: {creation}");

    let heading = format!("epmd: up and running on port {} with data:\n", ours.port);
    let said = epmd(ours.port, &["-names"]);
    let lines: Vec<_> = said.strip_prefix(&heading).expect(&said).lines().collect();
    assert!(lines[0].starts_with("name bar at port ") && lines[1] == "name foo at port 5555", "{said}");
    let said = epmd(ours.port, &["-dump"]);
    assert!(
        said.starts_with(&heading) && said.contains("active name     <foo> at port 5555, fd = 1"),
        "{said}"
    );
    let said = epmd(ours.port, &["-kill"]);
    assert!(said.contains("Killing not allowed"), "{said}");
    let said = epmd(ours.port, &["-stop", "foo"]);
    assert!(!said.contains("STOPPED"), "{said}");
    assert_eq!(listing(ours.port, &client::names()).len(), 2);
    drop(erl);
    common::until("bar is forgotten", || (listing(ours.port, &client::names()).len() == 1).then_some(()));

    let relaxed = OurEpmd::start(true);
    let (_lease, _) = register(relaxed.port, "foo", 6);
    assert_eq!(epmd(relaxed.port, &["-stop", "foo"]), "STOPPED\n");
    assert!(epmd(relaxed.port, &["-stop", "foo"]).starts_with("NOEXIST"));
    assert!(epmd(relaxed.port, &["-kill"]).contains("Killed"));
    assert!(relaxed.shared.lock().unwrap().exited);
}
