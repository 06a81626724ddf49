//! A crowd of clients at one EPMD, and an EPMD that answers anything.

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use proto::Now;
use proto::epmd::client::{self, AliveAnswer, CommandAnswer, ListingAnswer, PortAnswer};
use proto::epmd::server::{Config, Effect, Server};
use proto::epmd::{Registration, Request};

const CLIENTS_MAX: usize = 8;

#[derive(Arbitrary, Debug)]
enum Event<'a> {
    Connect { is_local: bool },
    Bytes { client: u8, bytes: &'a [u8] },
    Ask { client: u8, request: Ask<'a>, cut: u8 },
    Hangup { client: u8 },
    Wait { secs: u8 },
}

#[derive(Arbitrary, Debug)]
enum Ask<'a> {
    Alive { name: u8, port: u16, version: u8, extra: &'a [u8] },
    NamedAlive { name: &'a str },
    Port { name: u8 },
    Stop { name: u8 },
    Names,
    Dump,
    Kill,
}

#[derive(Arbitrary, Debug)]
struct Story<'a> {
    relaxed: bool,
    answer: &'a [u8],
    events: Vec<Event<'a>>,
}

/// The promise: no panic, no more clients than allowed, nobody unregistered stays longer than the idle time, every
/// listing can be read, and a request that was understood can be said again.
pub fn epmd(data: &[u8]) {
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(data)) else { return };
    answers(story.answer);
    if let Ok(request) = Request::from_body(story.answer)
        && let Ok(bytes) = request.to_bytes()
    {
        assert_eq!(Request::from_body(&bytes[2..]), Ok(request));
    }
    let (relaxed_command_check, clients_max) = (story.relaxed, CLIENTS_MAX);
    let server = Server::new(Config { relaxed_command_check, clients_max, debug: true, ..Config::default() });
    let mut crowd = Crowd { server, now: Now::ZERO, next: 1, open: BTreeSet::new() };
    for event in story.events {
        crowd.happen(event);
    }
}

fn answers(bytes: &[u8]) {
    let _ = AliveAnswer::default().receive(bytes);
    let _ = PortAnswer::default().receive(bytes);
    let mut listing = ListingAnswer::default();
    if listing.receive(bytes).is_ok()
        && let Ok(listing) = listing.closed()
    {
        listing.nodes();
    }
    for read in
        [|answer: CommandAnswer| drop(answer.killed()), |answer: CommandAnswer| drop(answer.stopped())]
    {
        let mut answer = CommandAnswer::default();
        if answer.receive(bytes).is_ok() {
            read(answer);
        }
    }
}

struct Crowd {
    server: Server,
    now: Now,
    next: u64,
    open: BTreeSet<u64>,
}

impl Crowd {
    fn happen(&mut self, event: Event<'_>) {
        match event {
            Event::Connect { is_local } => {
                self.open.insert(self.next);
                self.server.connected(self.next, is_local, self.now);
                self.next += 1;
            }
            Event::Bytes { client, bytes } => self.server.bytes(u64::from(client % 16), self.now, bytes),
            Event::Ask { client, request, cut } => {
                let Some(bytes) = bytes_of(request) else { return };
                for bytes in bytes.chunks(usize::from(cut).max(1)) {
                    self.server.bytes(u64::from(client % 16), self.now, bytes);
                }
            }
            Event::Hangup { client } => {
                self.open.remove(&u64::from(client % 16));
                self.server.closed(u64::from(client % 16));
            }
            Event::Wait { secs } => {
                self.now += Duration::from_secs(u64::from(secs));
                self.server.wake(self.now);
                assert!(self.server.poll_deadline().is_none_or(|deadline| deadline > self.now));
            }
        }
        self.drain();
        assert!(self.server.clients() <= CLIENTS_MAX);
        assert_eq!(self.server.clients(), self.open.len());
    }

    fn drain(&mut self) {
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Reply(id, bytes) => {
                    assert!(self.open.contains(&id), "an answer to nobody");
                    answers(&bytes);
                }
                Effect::Close(id) => assert!(self.open.remove(&id), "closed twice"),
                Effect::Exit | Effect::Log(..) => {}
            }
        }
    }
}

fn bytes_of(ask: Ask<'_>) -> Option<Vec<u8>> {
    let name = |name: u8| format!("n{}", name % 16);
    match ask {
        Ask::Alive { name: which, port, version, extra } => {
            let mut registration = Registration::new(&name(which), port);
            registration.version_high = u16::from(version);
            registration.extra = extra.to_vec();
            client::alive2(&registration).ok()
        }
        Ask::NamedAlive { name } => client::alive2(&Registration::new(name, 1)).ok(),
        Ask::Port { name: which } => client::port_please2(&name(which)).ok(),
        Ask::Stop { name: which } => client::stop(&name(which)).ok(),
        Ask::Names => Some(client::names()),
        Ask::Dump => Some(client::dump()),
        Ask::Kill => Some(client::kill()),
    }
}
