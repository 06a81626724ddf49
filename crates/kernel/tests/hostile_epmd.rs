//! Strangers at the EPMD.
#![allow(clippy::disallowed_methods, reason = "the time that a friend waits is the time on the wall")]

extern crate trunkline_kernel as kernel;

mod hostile;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hostile::*;

struct Names {
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
}

impl Names {
    /// A name server on which one good node is registered.
    fn new(packet_timeout: Duration) -> (Names, TcpStream) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("the nodes")
            .enable_all()
            .build()
            .unwrap();
        let config = kernel::epmd::EpmdConfig { port: 0, packet_timeout, ..Default::default() };
        let epmd = runtime.block_on(async { kernel::epmd::Epmd::bind(config).unwrap() });
        let address = SocketAddr::from(([127, 0, 0, 1], epmd.port()));
        runtime.spawn(epmd.run(|_| {}));
        let names = Names { runtime, address };
        let mut good = names.knock();
        good.write_all(&alive2(b"good", 4711)).unwrap();
        let mut reply = [0; 6];
        good.read_exact(&mut reply).unwrap();
        assert_eq!(reply[..2], [118, 0]);
        (names, good)
    }

    fn knock(&self) -> TcpStream {
        dial(self.address)
    }

    /// Whether the good node is found, in time.
    #[track_caller]
    fn finds_the_good_one(&self) {
        let start = Instant::now();
        let mut wire = self.knock();
        wire.write_all(&frame(b"zgood")).unwrap();
        let answer = until_closed(&mut wire);
        assert_eq!(answer[..4], [119, 0, 0x12, 0x67], "{answer:?}");
        assert!(start.elapsed() < SERVED, "{:?}", start.elapsed());
    }

    fn end(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

fn alive2(name: &[u8], port: u16) -> Vec<u8> {
    let length = (name.len() as u16).to_be_bytes();
    frame(&[&[120][..], &port.to_be_bytes(), &[77, 0, 0, 6, 0, 6], &length, name, &[0, 0]].concat())
}

#[test]
fn noise_lengths_and_names_do_not_hurt() {
    let (names, _good) = Names::new(Duration::from_secs(60));
    for seed in 0..300 {
        let mut wire = names.knock();
        let _ = wire.write_all(&noise(seed, (seed as usize * 53) % 6000 + 1));
        let _ = wire.shutdown(Shutdown::Write);
        until_closed(&mut wire);
    }
    names.finds_the_good_one();
    let lying = [&[120][..], &[0; 9], &[255, 255], b"short"].concat();
    for (what, bytes) in [
        ("length 0", vec![0, 0]),
        ("65,535 bytes", [&[255, 255][..], &[b'z'; 65_535]].concat()),
        ("3,060 bytes", frame(&[b'z'; 3_060])),
        ("more than it says", [frame(b"zgood"), vec![0]].concat()),
        ("a name longer than its request", frame(&lying)),
        ("an unknown request", frame(b"?")),
        ("an empty name", frame(b"z")),
        ("a name of zeros", frame(&[b'z', 0, 0, 0])),
        ("a name that is no UTF-8", frame(&[b'z', 0xFF, 0xFE])),
        ("a stop that is not allowed", frame(b"sgood")),
        ("a kill that is not allowed", frame(b"k")),
    ] {
        let mut wire = names.knock();
        let _ = wire.write_all(&bytes);
        let answer = until_closed(&mut wire);
        assert!(answer.len() < 10, "{what}: {answer:?}");
    }
    for bad in [&b"good"[..], b"", b"a\0b", &[0xFF, 0xFE, 0x80, 0x81], &[b'n'; 300]] {
        let mut wire = names.knock();
        wire.write_all(&alive2(bad, 1)).unwrap();
        wire.shutdown(Shutdown::Write).unwrap();
        let answer = until_closed(&mut wire);
        assert!(answer.is_empty() || answer[..2] == [118, 1], "{bad:?}: {answer:?}");
    }
    names.finds_the_good_one();
    names.end();
}

#[test]
fn slow_and_silent_clients_are_closed_and_dripping_buys_no_time() {
    let (names, _good) = Names::new(Duration::from_millis(800));
    let mut silent = names.knock();
    let mut drip = names.knock();
    let start = Instant::now();
    let dripped = frame(b"zgood_or_not_good").into_iter().take_while(|byte| {
        rest(100);
        drip.write_all(&[*byte]).is_ok()
    });
    assert!(dripped.count() < 19);
    until_closed(&mut drip);
    until_closed(&mut silent);
    assert!(start.elapsed() < Duration::from_secs(8));
    names.finds_the_good_one();
    names.end();
}

/// Runs in a program of its own, which may open many files.
#[test]
fn thousands_of_clients_are_turned_away_at_a_ceiling_and_their_places_come_free() {
    if std::env::var_os("HOSTILE_CHILD").is_none() {
        let test = "thousands_of_clients_are_turned_away_at_a_ceiling_and_their_places_come_free";
        let program = std::env::current_exe().unwrap();
        let command = format!("ulimit -n 16384; exec '{}' --exact {test} --nocapture", program.display());
        let child =
            std::process::Command::new("sh").args(["-c", &command]).env("HOSTILE_CHILD", "1").output();
        let child = child.expect("a shell");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
        said.lines().filter(|line| line.contains("EPMD")).for_each(|line| println!("{line}"));
        return;
    }
    let (names, _good) = Names::new(Duration::from_secs(3));
    let before = resident();
    let mut open = Vec::new();
    for number in 0..4_000 {
        let mut wire = names.knock();
        if number % 2 == 0 {
            let _ = wire.write_all(&[0]);
        }
        open.push(wire);
    }
    let grown = resident().saturating_sub(before);
    println!("EPMD: 4,000 clients cost {} KiB", grown / 1024);
    assert!(grown < 32 * MIB);
    // Those above the ceiling were turned away; the others run out of time; then there is room again.
    eventually("there is room again", || {
        let mut wire = names.knock();
        let _ = wire.write_all(&frame(b"zgood"));
        until_closed(&mut wire).first() == Some(&119)
    });
    names.finds_the_good_one();
    names.end();
}

/// Whoever asks for everything and reads nothing must not keep his socket for ever.
#[test]
fn who_does_not_read_his_answer_is_let_go() {
    let (names, _good) = Names::new(Duration::from_millis(500));
    let mut registered = Vec::new();
    for number in 0..300 {
        let mut wire = names.knock();
        let name = format!("{}{number}", "é".repeat(200));
        wire.write_all(&alive2(name.as_bytes(), 1)).unwrap();
        registered.push(wire);
    }
    let deaf: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut wire = names.knock();
            wire.write_all(&frame(b"n")).unwrap();
            wire
        })
        .collect();
    names.finds_the_good_one();
    drop((deaf, registered));
    names.finds_the_good_one();
    names.end();
}
