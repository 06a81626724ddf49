//! The server as its clients see it.

use std::time::Duration;

use super::frames::Registration;
use super::server::{Config, Effect, Server};
use super::{Request, client};
use crate::limits::EPMD_REQUEST_BYTES_MAX;
use crate::time::Now;

const T: u32 = 1_000_000;

fn config() -> Config {
    Config { port: 4369, wall_clock_secs: u64::from(T), ..Config::default() }
}

/// What a client sees: the bytes of all its replies, and whether it was closed.
#[derive(Debug, PartialEq, Default)]
struct Seen {
    bytes: Vec<u8>,
    closed: bool,
    exit: bool,
}

struct World {
    server: Server,
    next: u64,
    now: Now,
}

impl World {
    fn new(config: Config) -> World {
        World { server: Server::new(config), next: 5, now: Now::ZERO }
    }

    fn connect(&mut self, is_local: bool) -> u64 {
        self.next += 1;
        self.server.connected(self.next, is_local, self.now);
        self.next
    }

    fn seen(&mut self, by: u64) -> Seen {
        let mut seen = Seen::default();
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Reply(id, bytes) if id == by => seen.bytes.extend(bytes),
                Effect::Close(id) if id == by => seen.closed = true,
                Effect::Exit => seen.exit = true,
                _ => {}
            }
        }
        seen
    }

    fn send(&mut self, id: u64, bytes: &[u8]) -> Seen {
        self.server.bytes(id, self.now, bytes);
        self.seen(id)
    }

    fn ask(&mut self, request: &Request) -> Seen {
        let id = self.connect(true);
        self.send(id, &request.to_bytes().unwrap())
    }

    fn register(&mut self, name: &str) -> (u64, Seen) {
        let id = self.connect(true);
        let seen = self.send(id, &client::alive2(&Registration::new(name, 5555)).unwrap());
        (id, seen)
    }

    fn names(&mut self) -> String {
        let seen = self.ask(&Request::Names);
        assert!(seen.closed);
        assert_eq!(seen.bytes[..4], [0, 0, 0x11, 0x11]);
        String::from_utf8(seen.bytes[4..].to_vec()).unwrap()
    }
}

fn open(bytes: &[u8]) -> Seen {
    Seen { bytes: bytes.to_vec(), ..Seen::default() }
}

fn closed(bytes: &[u8]) -> Seen {
    Seen { bytes: bytes.to_vec(), closed: true, exit: false }
}

#[test]
fn a_registration_lasts_as_long_as_its_connection() {
    let mut world = World::new(config());
    let (a, seen) = world.register("a");
    assert_eq!(seen, open(&[&[118, 0], &(T + 1).to_be_bytes()[..]].concat()));
    let (_b, _) = world.register("b");
    assert_eq!(world.names(), "name b at port 5555\nname a at port 5555\n", "newest first");
    world.server.closed(a);
    assert_eq!(world.names(), "name b at port 5555\n");
    let (_, seen) = world.register("a");
    assert_eq!(seen, open(&[&[118, 0], &(T + 2).to_be_bytes()[..]].concat()), "the next life");
}

#[test]
fn a_node_older_than_version_6_gets_a_small_creation_in_the_short_form() {
    let mut world = World::new(config());
    let mut old = Registration::new("a", 1);
    old.version_high = 5;
    let seen = world.ask(&Request::Alive2(old));
    assert_eq!(seen, open(&[121, 0, 0, ((T + 1) % 3 + 1) as u8]));
}

#[test]
fn a_second_node_of_a_name_is_refused_and_not_closed() {
    let mut world = World::new(config());
    world.register("a");
    let (second, seen) = world.register("a");
    assert_eq!(seen, open(&[118, 1, 0, 0, 0, 99]));
    world.now += Duration::from_secs(1_000);
    world.server.wake(world.now);
    assert_eq!(world.seen(second), open(b""), "nor is it idle");
    world.server.closed(second);
    assert_eq!(world.names(), "name a at port 5555\n", "and the first is still there");
}

#[test]
fn a_bad_name_is_refused_or_ignored_as_erlangs_program_does() {
    let mut world = World::new(config());
    let alive = |name: &[u8], extra: usize| {
        let mut body = vec![120, 0, 1, 77, 0, 0, 6, 0, 6];
        body.extend((name.len() as u16).to_be_bytes());
        body.extend(name);
        body.extend((extra as u16).to_be_bytes());
        body.extend(vec![b'e'; extra]);
        [&(body.len() as u16).to_be_bytes()[..], &body].concat()
    };
    let mut ask = |bytes: Vec<u8>| {
        let id = world.connect(true);
        world.send(id, &bytes)
    };
    let refused = open(&[118, 1, 0, 0, 0, 99]);
    assert_eq!(ask(alive(b"\xff", 0)), refused);
    assert_eq!(ask(alive(&[b'a'; 256], 0)), refused);
    assert_eq!(ask(alive(b"q", 1021)), refused);
    assert_eq!(ask(alive(b"", 0)), closed(b""));
    assert_eq!(ask(alive(b"", 2)), closed(b""));
    assert_eq!(ask(alive(b"a\0b", 0)), closed(b""));
    assert_eq!(ask(alive("\u{1f36a}".repeat(255).as_bytes(), 1020)).bytes[..2], [118, 0]);
}

#[test]
fn one_byte_too_many_ends_a_registration() {
    let mut world = World::new(config());
    let (a, _) = world.register("a");
    assert_eq!(world.send(a, b"x"), closed(b""));
    assert_eq!(world.names(), "");
}

#[test]
fn where_a_node_is_may_be_asked_with_or_without_a_nul() {
    let mut world = World::new(config());
    world.register("foo");
    let found = b"\x77\x00\x15\xB3\x4D\x00\x00\x06\x00\x06\x00\x03foo\x00\x00";
    assert_eq!(world.ask(&Request::PortPlease2("foo".into())), closed(found));
    let id = world.connect(false);
    assert_eq!(world.send(id, b"\x00\x05zfoo\x00"), closed(found), "by strangers too");
    assert_eq!(world.ask(&Request::PortPlease2("bar".into())), closed(&[119, 1]));
    for bad in [&b"\x00\x01z"[..], b"\x00\x02z\x00", b"\x00\x04za\x00b", b"\x00\x02z\xff"] {
        let id = world.connect(true);
        assert_eq!(world.send(id, bad), closed(b""), "{bad:?}");
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let mut world = World::new(config());
    let id = world.connect(true);
    let bytes = client::alive2(&Registration::new("slow", 1)).unwrap();
    let (last, head) = bytes.split_last().unwrap();
    for byte in head {
        assert_eq!(world.send(id, &[*byte]), open(b""));
    }
    assert_eq!(world.send(id, &[*last]).bytes[..2], [118, 0]);
}

#[test]
fn dripping_bytes_do_not_keep_a_connection_open() {
    let mut world = World::new(config());
    let id = world.connect(true);
    let deadline = Now::from_secs(60);
    for second in 1..60 {
        world.now = Now::from_secs(second);
        world.server.wake(world.now);
        let bytes: &[u8] = if second == 1 { &[1, 0] } else { b"x" };
        assert_eq!(world.send(id, bytes), open(b""));
        assert_eq!(world.server.poll_deadline(), Some(deadline));
    }
    world.server.wake(deadline);
    assert_eq!(world.seen(id), closed(b""));
    assert_eq!((world.server.poll_deadline(), world.server.clients()), (None, 0));
}

#[test]
fn strangers_may_only_ask_for_ports_and_names() {
    let mut world = World::new(config());
    let requests =
        [Request::Alive2(Registration::new("a", 1)), Request::Dump, Request::Kill, Request::Stop("a".into())];
    for request in requests {
        let id = world.connect(false);
        assert_eq!(world.send(id, &request.to_bytes().unwrap()), closed(b""), "{request:?}");
    }
    let id = world.connect(false);
    assert_eq!(world.send(id, &client::names()), closed(&[0, 0, 0x11, 0x11]));
}

#[test]
fn a_dump_has_angle_brackets_and_nuls() {
    let mut world = World::new(config());
    let (a, _) = world.register("a");
    let (b, _) = world.register("b");
    world.server.closed(a);
    let expected = format!(
        "active name     <b> at port 5555, fd = {b}\n\0old/unused name <a>, port = 5555, fd = {a} \n\0"
    );
    let seen = world.ask(&Request::Dump);
    assert_eq!(String::from_utf8_lossy(&seen.bytes[4..]), expected);
}

#[test]
fn only_a_relaxed_server_forgets_names_or_dies_with_nodes() {
    let mut world = World::new(config());
    world.register("a");
    assert_eq!(world.ask(&Request::Stop("a".into())), closed(b""));
    assert_eq!(world.ask(&Request::Kill), closed(b"NO"));

    let mut world = World::new(Config { relaxed_command_check: true, ..config() });
    let (a, _) = world.register("a");
    let id = world.connect(true);
    world.server.bytes(id, world.now, &client::stop("a").unwrap());
    let effects: Vec<_> = std::iter::from_fn(|| world.server.poll_effect()).collect();
    assert!(effects.contains(&Effect::Close(a)), "its connection is closed");
    assert!(effects.contains(&Effect::Reply(id, b"STOPPED".to_vec())));
    assert_eq!(world.ask(&Request::Stop("a".into())), closed(b"NOEXISTSTOPPED"));
    assert_eq!(world.ask(&Request::Kill), Seen { bytes: b"OK".to_vec(), closed: true, exit: true });
}

#[test]
fn an_empty_server_may_be_killed_by_anyone_local() {
    let seen = World::new(config()).ask(&Request::Kill);
    assert_eq!(seen, Seen { bytes: b"OK".to_vec(), closed: true, exit: true });
}

#[test]
fn nonsense_is_closed_without_a_word() {
    let mut world = World::new(config());
    let too_long = ((EPMD_REQUEST_BYTES_MAX - 1) as u16).to_be_bytes();
    for bytes in [&b"\x00\x00"[..], b"\x00\x01a", b"\x00\x01p", b"\x00\x01nx", &too_long, b"GET / HTTP/1.1"] {
        let id = world.connect(true);
        assert_eq!(world.send(id, bytes), closed(b""), "{bytes:?}");
    }
    assert_eq!(world.server.clients(), 0);
}

#[test]
fn the_client_too_many_is_turned_away_and_the_others_are_served() {
    let mut world = World::new(Config { clients_max: 2, ..config() });
    let (first, second, third) = (world.connect(true), world.connect(true), world.connect(true));
    assert!(world.seen(third).closed);
    assert_eq!(world.send(third, &client::names()), open(b""), "it is forgotten");
    assert!(!world.send(second, &client::names()).bytes.is_empty());
    world.server.closed(first);
    assert_eq!(world.server.clients(), 0);
}
