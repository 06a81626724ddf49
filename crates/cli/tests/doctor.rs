//! The doctor, with every illness provoked for real.

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::{COOKIE, Place, Said, erlang_is_here, free_port, until};
use trunkline::proto::Flags;
use trunkline::proto::handshake::{Acceptance, Cookie, Me, Question, Step, Verdict, Welcome};

/// What the doctor finds, by its code; nothing when all is well.
fn diagnosis(place: &Place, node: &str, more: &[&str]) -> (Option<String>, Said) {
    let said = place.trunkline(&[&["doctor", node, "-json", "-timeout", "2"], more].concat());
    let code = said.stdout.split("\"finding\":\"").nth(1).and_then(|rest| rest.split('"').next());
    (code.map(str::to_owned), said.clone())
}

#[track_caller]
fn assert_found(place: &Place, node: &str, more: &[&str], expected: &str) {
    let (code, said) = diagnosis(place, node, more);
    assert_eq!(code.as_deref(), Some(expected), "{said:?}");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.stdout.contains("\"advice\":null"), "{said:?}");
    assert!(!said.stdout.contains(COOKIE), "a cookie was printed: {said:?}");
}

/// Somebody who listens on the port that EPMD gives for `sick`, and does to the first caller what the test wants.
fn somebody(place: &Place, act: impl FnOnce(TcpStream) + Send + 'static) -> (common::Running, TcpStream) {
    let epmd = place.our_epmd();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let registration = place.register("sick", listener.local_addr().unwrap().port());
    std::thread::spawn(move || act(listener.accept().unwrap().0));
    (epmd, registration)
}

/// Waits until the other side hangs up.
fn linger(mut socket: TcpStream) {
    let _ = std::io::copy(&mut socket, &mut std::io::sink());
}

/// One handshake message, framed.
fn frame(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn hear_name(socket: &mut TcpStream) {
    let mut length = [0; 2];
    socket.read_exact(&mut length).unwrap();
    socket.read_exact(&mut vec![0; usize::from(u16::from_be_bytes(length))]).unwrap();
}

#[test]
fn a_healthy_node_is_found_healthy_and_never_sees_the_doctor_among_its_nodes() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let told = "spawn(fun() -> net_kernel:monitor_nodes(true), receive {nodeup, _} -> halt(3) end end),";
    let mut bill = place.erl("bill@localhost", &[], told);
    let (code, said) = diagnosis(&place, "bill@localhost", &[]);
    assert_eq!((code, said.code), (None, Some(0)), "{said:?}");
    assert!(bill.running.0.try_wait().unwrap().is_none(), "the doctor was seen");
    let plain = place.trunkline(&["doctor", "bill@localhost"]);
    assert!(plain.stdout.contains("ok    is_auth"), "{plain:?}");
    assert!(plain.stdout.ends_with("Everything is in order.\n"), "{plain:?}");
}

#[test]
fn names_that_are_none_or_of_two_kinds_are_told() {
    let place = Place::new();
    assert_found(&place, "bill@@localhost", &[], "bad_name");
    assert_found(&place, "bill@localhost", &["-name", "me@127.0.0.1"], "mixed_names");
    assert_found(&place, "bill@127.0.0.1", &["-sname", "me@localhost"], "mixed_names");
}

#[test]
fn a_cookie_file_that_others_can_read_is_told() {
    let place = Place::new();
    let file = place.home.join(".erlang.cookie");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_found(&place, "bill@localhost", &[], "cookie_unusable");
}

#[test]
fn a_host_that_does_not_resolve_is_told() {
    // The domain .invalid has no hosts (RFC 6761).
    assert_found(&Place::new(), "bill@nowhere.invalid", &[], "no_host");
}

#[test]
fn a_name_of_our_own_that_another_node_has_is_told() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _held = place.register("me", 4001);
    assert_found(&place, "bill@localhost", &["-sname", "me@localhost"], "name_clash");
}

#[test]
fn no_epmd_is_told() {
    assert_found(&Place::new(), "bill@localhost", &[], "no_epmd");
}

#[test]
fn something_else_on_the_port_of_epmd_is_told() {
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", place.epmd_port)).unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let _ = socket.unwrap().write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    assert_found(&place, "bill@localhost", &[], "not_epmd");
}

#[test]
fn an_epmd_that_never_answers_is_told() {
    let place = Place::new();
    let _listener = TcpListener::bind(("127.0.0.1", place.epmd_port)).unwrap(); // accepts, and says nothing
    assert_found(&place, "bill@localhost", &[], "epmd_silent");
}

#[test]
fn a_name_that_epmd_does_not_know_is_told_with_those_that_it_knows() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _held = (place.register("zoey", 4001), place.register("Bill", 4002));
    let (code, said) = diagnosis(&place, "bill@localhost", &[]);
    assert_eq!(code.as_deref(), Some("not_registered"));
    assert!(said.stdout.contains("it knows Bill, zoey"), "{said:?}");
    assert!(said.stdout.contains("Did you mean Bill?"), "{said:?}");
}

#[test]
fn a_closed_port_is_told() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _held = place.register("sick", free_port());
    assert_found(&place, "sick@localhost", &[], "port_closed");
}

#[test]
fn a_port_that_swallows_everything_is_told() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let _held = place.register("sick", at.port());
    // A listener whose queue is full drops what comes, as a firewall does.
    let connect = || {
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], at.port())), Duration::from_millis(300))
    };
    let queue: Vec<_> = (0..10_000).map_while(|_| connect().ok()).collect();
    assert!(queue.len() < 10_000, "the queue of a listener has no end here");
    assert_found(&place, "sick@localhost", &[], "port_silent");
}

#[test]
fn a_listener_that_never_says_a_word_is_told() {
    let place = Place::new();
    let _sick = somebody(&place, linger);
    assert_found(&place, "sick@localhost", &[], "handshake_silent");
}

#[test]
fn a_listener_that_hangs_up_on_our_name_is_told() {
    let place = Place::new();
    let _sick = somebody(&place, |mut socket| hear_name(&mut socket));
    assert_found(&place, "sick@localhost", &[], "handshake_closed");
}

#[test]
fn a_listener_that_is_no_node_is_told() {
    let place = Place::new();
    let _sick = somebody(&place, |mut socket| {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        linger(socket);
    });
    assert_found(&place, "sick@localhost", &[], "not_a_node");
}

#[test]
fn a_node_without_the_flags_that_everybody_has_is_told() {
    let place = Place::new();
    let _sick = somebody(&place, |mut socket| {
        hear_name(&mut socket);
        let name = b"sick@localhost";
        let fields = [&[0; 8][..], &[1; 4], &[2; 4], &(name.len() as u16).to_be_bytes(), name].concat();
        socket.write_all(&[frame(b"sok"), frame(&[b"N", &fields[..]].concat())].concat()).unwrap();
        linger(socket);
    });
    let (code, said) = diagnosis(&place, "sick@localhost", &[]);
    assert_eq!(code.as_deref(), Some("missing_flags"), "{said:?}");
    assert!(said.stdout.contains("UNLINK_ID") && said.stdout.contains("V4_NC"), "{said:?}");
}

#[test]
fn a_node_that_still_has_a_peer_of_our_name_is_told() {
    for (status, expected) in [("salive", "name_clash"), ("snok", "busy"), ("snot_allowed", "not_allowed")] {
        let place = Place::new();
        let _sick = somebody(&place, move |mut socket| {
            hear_name(&mut socket);
            socket.write_all(&frame(status.as_bytes())).unwrap();
            linger(socket);
        });
        assert_found(&place, "sick@localhost", &["-sname", "me@localhost"], expected);
    }
}

#[test]
fn an_erlang_node_that_does_not_let_us_in_is_told() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _bill = place.erl("bill@localhost", &[], "ok = net_kernel:allow(['zoey@localhost']),");
    assert_found(&place, "bill@localhost", &[], "not_allowed");
}

#[test]
fn another_cookie_is_told() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _bill = place.erl("bill@localhost", &[], "");
    assert_found(&place, "bill@localhost", &["-setcookie", "another"], "wrong_cookie");
}

#[test]
fn a_node_that_calls_itself_otherwise_is_told() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _bill = place.erl("bill@127.0.0.1", &[], "");
    let (code, said) = diagnosis(&place, "bill@localhost", &[]);
    assert_eq!(code.as_deref(), Some("wrong_name"), "{said:?}");
    assert!(said.stdout.contains("This one is bill@127.0.0.1"), "{said:?}");
    assert_eq!(diagnosis(&place, "bill@127.0.0.1", &[]).0, None);
}

#[test]
fn a_node_that_died_without_a_word_to_its_epmd_is_told() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let bill = place.erl("bill@localhost", &[], "");
    drop(bill); // SIGKILL: the kernel closes its sockets, the registration among them
    until("EPMD has noticed", || place.trunkline(&["names"]).stdout.starts_with("no node"));
    assert_found(&place, "bill@localhost", &[], "not_registered");
}

#[test]
fn a_node_that_shakes_hands_but_answers_no_question_is_told() {
    let place = Place::new();
    let _sick = somebody(&place, |mut socket| {
        let me = Me::new("sick@localhost", 1, Flags::OURS).unwrap();
        let mut machine = Acceptance::begin(me).unwrap();
        let mut bytes = Vec::new();
        loop {
            match machine.receive(&std::mem::take(&mut bytes)).unwrap() {
                Step::Send(frames) => socket.write_all(&frames).unwrap(),
                Step::Ask(Question::Knock(_)) => {
                    let welcome = Welcome { cookie: Cookie::new(COOKIE).unwrap(), challenge: 7 };
                    machine.answer(Verdict::Ok, welcome).unwrap();
                }
                Step::NeedMore => {
                    let mut chunk = [0; 512];
                    let count = socket.read(&mut chunk).unwrap();
                    bytes = chunk[..count].to_vec();
                }
                _ => break,
            }
        }
        linger(socket);
    });
    assert_found(&place, "sick@localhost", &[], "no_answer");
}
