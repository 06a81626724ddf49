//! Strangers: raw sockets, and a peer that shakes hands correctly and then says whatever it likes.
#![allow(clippy::disallowed_methods, reason = "the time that a friend waits is the time on the wall")]

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use proto::Flags;
use proto::connection::{Inbound, Outbound};
use proto::handshake::{Cookie, Initiation, Me, Step};
use proto::signal::{Arrival, Dest, Parcel, Payload, Signal};
use term::encode::{encode, encode_wire};
use term::{Atom, NodeId, Pid, Ref, Term};

use super::{COOKIE, PATIENCE, Scene};

pub fn dial(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("nodelay");
    stream
}

/// Where the other side sees us come from.
pub fn seen_as(stream: &TcpStream) -> String {
    stream.local_addr().expect("connected").to_string()
}

/// Waits until the other side hangs up; what it said before.
#[track_caller]
pub fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return said,
            Ok(length) => said.extend_from_slice(&piece[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("still open after {PATIENCE:?}")
            }
            Err(_) => return said,
        }
    }
}

/// A frame of the handshake.
pub fn frame(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

/// `send_name` with these flags and this name, right or wrong.
pub fn send_name(flags: u64, name: &[u8]) -> Vec<u8> {
    let length = (name.len() as u16).to_be_bytes();
    frame(&[&b"N"[..], &flags.to_be_bytes(), &7_u32.to_be_bytes(), &length, name].concat())
}

/// Bytes that look like noise and are the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A peer that has our cookie and no manners.
pub struct Villain {
    pub stream: TcpStream,
    pub name: String,
    outbound: Outbound,
    inbound: Inbound,
    buffer: BytesMut,
    pub me: NodeId,
    pub them: NodeId,
}

impl Villain {
    /// Connects to the attacked node as `name`, hidden, so that nobody starts to talk to it.
    pub fn meets(scene: &Scene, name: &str) -> Villain {
        let mut stream = scene.knock();
        let me = Me::new(name, 7, Flags::OURS.hidden()).expect("a name");
        let cookie = Cookie::new(COOKIE).expect("a cookie");
        let mut machine = Initiation::begin(me, &scene.name(), cookie, 42);
        let mut step = machine.receive(&[]).expect("a beginning");
        let mut piece = [0; 4096];
        let (peer, rest) = loop {
            step = match step {
                Step::NeedMore => {
                    let length = stream.read(&mut piece).expect("an answer");
                    assert_ne!(length, 0, "the node hung up in the handshake");
                    machine.receive(&piece[..length])
                }
                Step::Send(bytes) => {
                    stream.write_all(&bytes).expect("the node listens");
                    machine.receive(&[])
                }
                Step::Ask(_) => {
                    machine.insist(true).expect("asked");
                    machine.receive(&[])
                }
                Step::Refused(why) => panic!("refused: {why:?}"),
                Step::Done(peer, rest) => break (*peer, rest),
            }
            .expect("the node keeps to the protocol");
        };
        let me = NodeId::new(Atom::new(name), 7);
        let them = NodeId::new(Atom::new(&peer.name), peer.creation);
        Villain {
            stream,
            name: name.to_owned(),
            outbound: Outbound::new(peer.negotiated),
            inbound: Inbound::new(peer.negotiated, me.clone(), them.clone()),
            buffer: BytesMut::from(&rest[..]),
            me,
            them,
        }
    }

    pub fn pid(&self, id: u32) -> Pid {
        Pid { node: self.me.clone(), id, serial: 0 }
    }

    pub fn their_pid(&self, id: u32) -> Pid {
        Pid { node: self.them.clone(), id, serial: 0 }
    }

    pub fn reference(&self, word: u32) -> Ref {
        Ref::new(self.me.clone(), &[word & 0x3FFFF, word >> 18, 3]).expect("three words")
    }

    /// Writes bytes as they are; whether the node still took them.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// A packet `131 68 0 Control Payload`: no atom references, everything written out.
    pub fn packet(&mut self, control: &Term, payload: &[u8]) -> bool {
        let packet = packet(control, payload);
        self.write(&packet)
    }

    /// A well-formed signal.
    pub fn signal(&mut self, signal: Signal, payload: Option<&Term>) {
        self.outbound.push(Parcel { signal, payload: payload.map(encode_wire) }).expect("well-formed");
    }

    /// Writes the signals that wait; whether the node took them.
    pub fn flush(&mut self) -> bool {
        let mut chunks = VecDeque::new();
        loop {
            let more = self.outbound.fill(&mut chunks, 256 * 1024).more;
            for chunk in chunks.drain(..) {
                if self.stream.write_all(&chunk).is_err() {
                    return false;
                }
            }
            if !more {
                return true;
            }
        }
    }

    /// Sends a message to a name.
    pub fn tell(&mut self, name: &str, message: &Term) {
        let from = Some(self.pid(1));
        let to = Dest::Name(Atom::new(name));
        self.signal(Signal::Send { from, to, token: None, priority: false }, Some(message));
    }

    /// Sends `{'$gen_call', {Us, Ref}, Question}` to a name.
    pub fn call(&mut self, name: &str, tag: u32, question: Term) {
        let from = Term::tuple([Term::Pid(self.pid(1)), Term::Ref(self.reference(tag))]);
        self.tell(name, &Term::tuple([Term::atom("$gen_call"), from, question]));
    }

    /// The next arrival that is wanted; nothing when the node hung up.
    pub fn next(&mut self, wanted: impl Fn(&Arrival) -> bool) -> Option<Arrival> {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "nothing of what was wanted arrived");
            match self.inbound.receive(&mut self.buffer).expect("the node keeps to the protocol") {
                Some(arrival) if wanted(&arrival) => return Some(arrival),
                Some(_) => continue,
                None => {}
            }
            let mut piece = [0; 64 * 1024];
            match self.stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.buffer.extend_from_slice(&piece[..length]),
            }
        }
    }

    /// Whether the node still answers this very peer.
    pub fn is_served(&mut self) -> bool {
        let tag = self.reference(999_999);
        self.call("net_kernel", 999_999, Term::tuple([Term::atom("is_auth"), Term::atom("x@localhost")]));
        let answer = Term::tuple([Term::Ref(tag), Term::atom("yes")]);
        self.flush() && self.next(|arrival| message_of(arrival).as_ref() == Some(&answer)).is_some()
    }

    /// Waits until the node hangs up.
    #[track_caller]
    pub fn until_closed(&mut self) {
        until_closed(&mut self.stream);
    }

    pub fn hang_up(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// The message of an arrival.
pub fn message_of(arrival: &Arrival) -> Option<Term> {
    match (&arrival.signal, &arrival.payload) {
        (Signal::Send { .. }, Payload::Wire(wire)) => wire.decode().ok(),
        _ => None,
    }
}

/// `Length 131 68 0 Control Payload`.
pub fn packet(control: &Term, payload: &[u8]) -> Vec<u8> {
    let control = &encode(control)[1..];
    let length = (3 + control.len() + payload.len()) as u32;
    [&length.to_be_bytes()[..], &[131, 68, 0], control, payload].concat()
}

/// `Length 131 69|70 Sequence Fragment …`.
pub fn fragment(kind: u8, sequence: u64, number: u64, rest: &[u8]) -> Vec<u8> {
    let length = (18 + rest.len()) as u32;
    let head = [&[131, kind][..], &sequence.to_be_bytes(), &number.to_be_bytes()].concat();
    [&length.to_be_bytes()[..], &head, rest].concat()
}

pub fn rest(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}
