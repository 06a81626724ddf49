//! Strangers at the door: what they say before they have proved anything.
#![allow(clippy::disallowed_methods, reason = "the time that a friend waits is the time on the wall")]

extern crate trunkline_kernel as kernel;

mod hostile;

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use hostile::*;
use proto::Flags;
use proto::handshake::{Cookie, digest};

const OURS: u64 = Flags::OURS.bits();

#[test]
fn random_bytes_are_refused_with_a_line_that_names_the_address() {
    let scene = Scene::new("noise");
    for seed in 0..200 {
        let mut wire = scene.knock();
        let address = seen_as(&wire);
        let _ = wire.write_all(&noise(seed, 1 + (seed as usize * 37) % 5000));
        let _ = wire.shutdown(Shutdown::Write);
        until_closed(&mut wire);
        if seed < 10 && noise(seed, 2)[0] >= 0x10 {
            expect_line(&[&address]);
        }
    }
    scene.stands();
}

#[test]
fn broken_frames_are_refused_with_a_line_that_names_the_address() {
    let scene = Scene::new("frames");
    let oversized = [&0xFFFF_u16.to_be_bytes()[..], &[b'N'; 100_000]].concat();
    let long_name = send_name(OURS, &[b'a'; 60_000]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty frame", frame(b"")),
        ("a frame of another protocol", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a truncated send_name", frame(b"N123")),
        ("a name longer than its frame", frame(&[&b"N"[..], &[0; 12], &[255, 255], b"a@b"].concat())),
        ("an oversized frame", oversized),
        ("a very long name", long_name),
        ("300 characters", send_name(OURS, format!("{}@localhost", "a".repeat(300)).as_bytes())),
        ("no @", send_name(OURS, b"nobody")),
        ("two @", send_name(OURS, b"a@b@c")),
        ("nothing before the @", send_name(OURS, b"@localhost")),
        ("nothing behind the @", send_name(OURS, b"a@")),
        ("an empty name", send_name(OURS, b"")),
        ("the wrong tag", frame(b"r0123456789abcdef0123")),
        ("an old name without flags", frame(b"n\0\x05\0\0\0\0old@localhost")),
    ];
    for (what, bytes) in cases {
        let mut wire = scene.knock();
        let address = seen_as(&wire);
        let _ = wire.write_all(&bytes);
        until_closed(&mut wire);
        let line = expect_line(&[&address]);
        assert!(line.contains("rejected"), "{what}: {line}");
        assert!(line.len() < 1000, "{what}: a line of {} bytes", line.len());
    }
    scene.stands();
}

#[test]
fn a_name_cannot_forge_lines_of_the_log() {
    let scene = Scene::new("forger");
    let name = b"x\n2026 ERROR ** forged\x1b[2J **@localhost";
    for flags in [OURS, 0] {
        let mut wire = scene.knock();
        wire.write_all(&send_name(flags, name)).unwrap();
        wire.write_all(&frame(&[&b"r"[..], &[0; 20]].concat())).unwrap();
        until_closed(&mut wire);
    }
    expect_line(&["forged"]);
    for line in lines(&["forged"]) {
        assert_eq!(line.trim_end().lines().count(), 1, "{line:?}");
        assert!(!line.contains('\x1b'), "{line:?}");
    }
    scene.stands();
}

#[test]
fn a_wrong_digest_and_a_replayed_one_are_refused_by_name() {
    let scene = Scene::new("digest");
    let good = |challenge: u32| *digest(&Cookie::new(COOKIE).unwrap(), challenge).as_bytes();
    let mut recorded = None;
    for (round, who) in ["wrong@localhost", "honest@localhost", "replayed@localhost"].iter().enumerate() {
        let mut wire = scene.knock();
        wire.write_all(&send_name(OURS, who.as_bytes())).unwrap();
        let challenge = read_challenge(&mut wire);
        let proof = match round {
            0 => [0; 16],
            1 => *recorded.insert(good(challenge)),
            _ => recorded.unwrap(),
        };
        wire.write_all(&frame(&[&b"r"[..], &1_u32.to_be_bytes(), &proof].concat())).unwrap();
        if round == 1 {
            eventually("the honest one is in", || {
                scene.node.nodes().iter().any(|node| node.as_str() == *who)
            });
            continue;
        }
        assert!(until_closed(&mut wire).is_empty(), "not a byte after a wrong proof");
        expect_line(&["Connection attempt from node", who, "rejected. Invalid challenge reply."]);
    }
    scene.stands();
}

fn read_challenge(wire: &mut std::net::TcpStream) -> u32 {
    use std::io::Read;
    let mut next = || {
        let mut length = [0; 2];
        wire.read_exact(&mut length).unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
        wire.read_exact(&mut body).unwrap();
        body
    };
    assert_eq!(next(), b"sok");
    let challenge = next();
    u32::from_be_bytes(challenge[9..13].try_into().unwrap())
}

#[test]
fn missing_flags_are_named_and_unknown_ones_ignored() {
    let scene = Scene::new("flags");
    let mut wire = scene.knock();
    wire.write_all(&send_name(OURS & !Flags::V4_NC.bits(), b"ancient@localhost")).unwrap();
    assert_eq!(until_closed(&mut wire), frame(b"snot_allowed"));
    expect_line(&["ancient@localhost", "since it cannot handle", "V4_NC"]);
    let mut wire = scene.knock();
    wire.write_all(&send_name(!Flags::NAME_ME.bits(), b"future@localhost")).unwrap();
    read_challenge(&mut wire);
    scene.stands();
}

#[test]
fn slow_and_silent_handshakes_end_in_time() {
    let setup = Duration::from_millis(1500);
    let scene = Scene::with("slow", |builder| builder.setup_time(setup));
    let silent = scene.knock();
    let mut drip = scene.knock();
    let half = {
        let mut wire = scene.knock();
        wire.write_all(&send_name(OURS, b"halfway@localhost")).unwrap();
        wire
    };
    let start = Instant::now();
    let name = send_name(OURS, b"drip@localhost");
    let dripped = name.iter().take_while(|byte| {
        rest(100);
        drip.write_all(&[**byte]).is_ok()
    });
    assert!(dripped.count() < name.len(), "dripping does not buy time");
    for mut wire in [silent, drip, half] {
        let address = seen_as(&wire);
        until_closed(&mut wire);
        expect_line(&[&address, "given up after 1500 ms"]);
    }
    assert!(start.elapsed() < setup * 4, "{:?}", start.elapsed());
    scene.stands();
}

/// The friend restarts while a stranger, who knows no cookie, knocks under its name without end.
#[test]
fn a_stranger_under_a_friends_name_does_not_keep_the_friend_out() {
    let scene = Scene::new("squat");
    let squatters: Vec<_> = (0..20)
        .map(|_| {
            let mut wire = scene.knock();
            wire.write_all(&send_name(OURS, b"late@localhost")).unwrap();
            wire
        })
        .collect();
    rest(100);
    let epmd = scene.epmd;
    let late = scene.runtime.block_on(async move {
        let late =
            kernel::Node::builder("late@localhost").cookie(COOKIE).epmd_port(epmd).start().await.unwrap();
        let start = Instant::now();
        let reached =
            tokio::time::timeout(Duration::from_secs(3), late.connect("victim_squat@localhost")).await;
        assert!(matches!(reached, Ok(Ok(()))), "after {:?}: {reached:?}", start.elapsed());
        late
    });
    drop(squatters);
    scene.runtime.block_on(late.shutdown());
    scene.stands();
}

/// The node wants to reach a peer while a stranger, who knows no cookie, knocks under the peer's name.
#[test]
fn a_stranger_under_a_friends_name_does_not_keep_the_node_from_dialling_it() {
    let scene = Scene::new("dialler");
    let epmd = scene.epmd;
    let late = scene.runtime.block_on(async move {
        kernel::Node::builder("zlate@localhost").cookie(COOKIE).epmd_port(epmd).start().await.unwrap()
    });
    let mut wire = scene.knock();
    wire.write_all(&send_name(OURS, b"zlate@localhost")).unwrap();
    read_challenge(&mut wire);
    scene.runtime.block_on(async {
        let reached =
            tokio::time::timeout(Duration::from_secs(3), scene.node.connect("zlate@localhost")).await;
        assert!(matches!(reached, Ok(Ok(()))), "{reached:?}");
        late.shutdown().await;
    });
    scene.stands();
}

/// Runs in a program of its own, which may open many files.
#[test]
fn ten_thousand_half_open_connections_cost_little_and_others_are_served() {
    if std::env::var_os("HOSTILE_CHILD").is_none() {
        let test = "ten_thousand_half_open_connections_cost_little_and_others_are_served";
        let program = std::env::current_exe().unwrap();
        let command = format!("ulimit -n 16384; exec '{}' --exact {test} --nocapture", program.display());
        let child =
            std::process::Command::new("sh").args(["-c", &command]).env("HOSTILE_CHILD", "1").output();
        let child = child.expect("a shell");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
        said.lines().filter(|line| line.contains("half-open")).for_each(|line| println!("{line}"));
        return;
    }
    let scene = Scene::new("halfopen");
    let before = resident();
    let mut open = Vec::new();
    for number in 0..10_000_u32 {
        let mut wire = scene.knock();
        if number % 3 == 1 {
            let _ = wire.write_all(&send_name(OURS, format!("n{number}@localhost").as_bytes()));
        } else if number % 3 == 2 {
            let _ = wire.write_all(&[0]);
        }
        open.push(wire);
    }
    let grown = resident().saturating_sub(before);
    println!("half-open: 10,000 wires cost {} KiB, friend waited {:?} at most", grown / 1024, scene.worst());
    assert!(grown < 32 * MIB, "{grown} bytes");
    let told = lines(&["too many unfinished handshakes"]);
    assert!(!told.is_empty() && told.len() < 200, "{} lines", told.len());
    assert!(told[0].contains("127.0.0.1"), "{}", told[0]);
    scene.stands();
}
