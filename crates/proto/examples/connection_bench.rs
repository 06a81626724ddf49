//! How many signals and bytes a second go through each half of a connection: `cargo run --release --example
//! connection_bench -p trunkline-proto`.
#![allow(clippy::disallowed_methods, reason = "a benchmark asks the clock")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use term::encode::encode_wire;
use term::wire::Encoded;
use term::{Atom, Binary, NodeId, Pid, Term};
use trunkline_proto::Flags;
use trunkline_proto::connection::{Inbound, Outbound};
use trunkline_proto::signal::{Dest, Parcel, Signal};

const ROUNDS: usize = 4_000;
const BATCH: usize = 500;

fn main() {
    let wire = Wire::new();
    println!("{:<34} {:>12} {:>12}", "", "outbound", "inbound");
    let small = Term::tuple([Term::atom("hello"), Term::Int(42)]);
    let to_pid = |wire: &Wire| Dest::Pid(wire.pid(&wire.here, 1));
    wire.small("small, to a pid", &small, to_pid(&wire));
    wire.small("small, to a name", &small, Dest::Name(Atom::new("counter")));
    let call = Term::tuple([
        Term::atom("$gen_call"),
        Term::tuple([Term::Pid(wire.pid(&wire.there, 2)), Term::atom("tag")]),
        Term::tuple([Term::atom("get"), Term::binary("a key of some length")]),
    ]);
    wire.small("gen_server call", &call, to_pid(&wire));
    for (name, bytes) in [("1 MiB binaries", 1 << 20), ("64 MiB binaries", 64 << 20)] {
        let blob = Term::Binary(Binary::from(vec![1; bytes]));
        wire.large(name, &encode_wire(&blob), (256 << 20) / bytes);
    }
}

struct Wire {
    here: NodeId,
    there: NodeId,
}

impl Wire {
    fn new() -> Wire {
        let node = |name: &str| NodeId::new(Atom::new(name), 0x6B00_C1C8);
        Wire { here: node("trunkline@127.0.0.1"), there: node("ketchup@127.0.0.1") }
    }

    fn pid(&self, node: &NodeId, id: u32) -> Pid {
        Pid { node: node.clone(), id, serial: 0 }
    }

    fn halves(&self) -> (Outbound, Inbound) {
        (Outbound::new(Flags::OURS), Inbound::new(Flags::OURS, self.here.clone(), self.there.clone()))
    }

    fn parcel(&self, to: &Dest, payload: &Encoded) -> Parcel {
        let from = Some(self.pid(&self.there, 2));
        let signal = Signal::Send { from, to: to.clone(), token: None, priority: false };
        Parcel { signal, payload: Some(payload.clone()) }
    }

    fn small(&self, name: &str, message: &Term, to: Dest) {
        let (mut outbound, mut inbound) = self.halves();
        let payload = encode_wire(message);
        let (mut writing, mut reading) = (Vec::new(), Vec::new());
        let mut chunks = VecDeque::new();
        for _ in 0..ROUNDS {
            let parcels: Vec<_> = (0..BATCH).map(|_| self.parcel(&to, &payload)).collect();
            let start = Instant::now();
            for parcel in parcels {
                outbound.push(parcel).expect("it can be said");
            }
            while outbound.fill(&mut chunks, 64 * 1024).more {}
            writing.push(start.elapsed());
            let mut buffers: Vec<_> = chunks.drain(..).map(|chunk| BytesMut::from(&chunk[..])).collect();
            let start = Instant::now();
            let heard: usize = buffers.iter_mut().map(|buffer| hear(&mut inbound, buffer)).sum();
            reading.push(start.elapsed());
            assert_eq!(heard, BATCH);
        }
        println!("{name:<34} {:>9.1} M/s {:>9.1} M/s", rate(writing), rate(reading));
    }

    fn large(&self, name: &str, payload: &Encoded, count: usize) {
        let (mut outbound, mut inbound) = self.halves();
        let to = Dest::Pid(self.pid(&self.here, 1));
        let (mut writing, mut reading) = (Duration::ZERO, Duration::ZERO);
        let (mut buffer, mut bytes, mut heard) = (BytesMut::new(), 0, 0);
        for _ in 0..count {
            let parcel = self.parcel(&to, payload);
            let start = Instant::now();
            outbound.push(parcel).expect("it can be said");
            writing += start.elapsed();
            let mut more = true;
            while more {
                let mut chunks = VecDeque::new();
                let start = Instant::now();
                more = outbound.fill(&mut chunks, 256 * 1024).more;
                writing += start.elapsed();
                bytes += chunks.iter().map(Bytes::len).sum::<usize>();
                chunks.iter().for_each(|chunk| buffer.extend_from_slice(chunk));
                let start = Instant::now();
                heard += hear(&mut inbound, &mut buffer);
                reading += start.elapsed();
            }
        }
        assert_eq!(heard, count);
        let rate = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e9;
        println!("{name:<34} {:>8.1} GB/s {:>8.1} GB/s", rate(writing), rate(reading));
    }
}

/// Millions a second in the median round: the neighbours on the machine should not count.
fn rate(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    BATCH as f64 / times[times.len() / 2].as_secs_f64() / 1e6
}

fn hear(inbound: &mut Inbound, buffer: &mut BytesMut) -> usize {
    let mut heard = 0;
    while let Some(arrival) = inbound.receive(buffer).expect("no blame") {
        std::hint::black_box(arrival);
        heard += 1;
    }
    heard
}
