//! How fast terms become bytes and bytes terms: `cargo run --release -p trunkline-term --example codec_bench`.

#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trunkline_term::{
    Atom, Bytes, List, NodeId, Pid, Term, WireContext, WireTerm, decode, encode, encode_wire, term,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(300);

fn main() {
    let node = NodeId::new(Atom::new("ketchup@localhost"), 0x6543_2100);
    let pid = Pid { node: node.clone(), id: 84, serial: 0 };
    let small = term!({ping, 123456, (pid.clone())});

    println!("{:<34}{:>14}{:>14}", "", "decode", "encode");
    if std::env::args().nth(1).is_none_or(|only| only == "wire") {
        small_on_wire(&small, node);
    }
    row("small tuple, standalone (M/s)", &small, |_| 1.0);
    let mega = |bytes: usize| bytes as f64;
    row("list of small tuples (MB/s)", &Term::list((0..10_000).map(|n| tuple(n, &pid))), mega);
    row("deep maps and lists (MB/s)", &Term::list((0..500).map(|n| deep(n, 4))), mega);
    row("string of 60,000 (MB/s)", &Term::List(List::from_bytes(vec![b'x'; 60_000].into())), mega);
    row("strings of 1,000 (MB/s)", &Term::list((0..1000).map(|_| string(1_000))), mega);
    row("binaries of 1,000 (MB/s)", &Term::list((0..1000).map(|_| Term::binary(&"x".repeat(1000)))), mega);
    row("list of 100,000 integers (MB/s)", &Term::list((0..100_000).map(|n| Term::Int(n * 7))), mega);
}

fn tuple(n: i64, pid: &Pid) -> Term {
    term!({ping, (n), (pid.clone())})
}

fn string(length: usize) -> Term {
    Term::List(List::from_bytes(vec![b'x'; length].into()))
}

fn deep(n: i64, levels: usize) -> Term {
    if levels == 0 {
        return term!({value, (n), "text", [1, 2, 3]});
    }
    term!(#{id => (n), name => "somebody", items => [(deep(n + 1, levels - 1)), (deep(n + 2, levels - 1))],
        nested => #{level => (levels as i64), ok => true, rate => 1.5}})
}

/// As it is between nodes: atoms stand in the header, the node is known.
fn small_on_wire(term: &Term, node: NodeId) {
    let encoded = encode_wire(term);
    let context = Arc::new(WireContext { atoms: encoded.atoms, nodes: vec![node] });
    let wire = WireTerm { bytes: encoded.bytes.into(), context };
    let decoding = rate(|| drop(black_box(black_box(&wire).decode())));
    let encoding = rate(|| drop(black_box(encode_wire(black_box(term)))));
    print("small tuple, on the wire (M/s)", decoding / 1e6, encoding / 1e6);
}

fn row(name: &str, term: &Term, size: impl Fn(usize) -> f64) {
    if std::env::args().nth(1).is_some_and(|only| !name.contains(&only)) {
        return;
    }
    let bytes = Bytes::from(encode(term));
    let size = size(bytes.len());
    let decoding = rate(|| drop(black_box(decode(black_box(&bytes)))));
    let encoding = rate(|| drop(black_box(encode(black_box(term)))));
    print(name, decoding * size / 1e6, encoding * size / 1e6);
}

fn print(name: &str, decoding: f64, encoding: f64) {
    println!("{name:<34}{decoding:>14.1}{encoding:>14.1}");
}

/// Times in a second of processor time, the best of some rounds.
fn rate(mut run: impl FnMut()) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let (start, used) = (Instant::now(), processor_time());
        let mut times = 0;
        while start.elapsed() < ROUND {
            for _ in 0..10 {
                run();
            }
            times += 10;
        }
        let seconds =
            processor_time().zip(used).map_or(start.elapsed(), |(now, then)| now - then).as_secs_f64();
        best = best.max(f64::from(times) / seconds);
    }
    best
}

/// What this thread has had of a processor, so that a busy machine does not count. Linux only.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}
