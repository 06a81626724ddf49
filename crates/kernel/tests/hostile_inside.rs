//! A peer that has our cookie and no manners: what it says after a correct handshake.
#![allow(clippy::disallowed_methods, reason = "the time that a friend waits is the time on the wall")]

extern crate trunkline_kernel as kernel;

mod hostile;

use std::io::Write;
use std::time::{Duration, Instant};

use hostile::*;
use proto::signal::Signal;
use runtime::Ctx;
use term::encode::encode;
use term::{Atom, List, NodeId, Pid, Term};

fn int(number: i64) -> Term {
    Term::Int(number)
}

/// The tag in front of a compressed term.
const COMPRESSED: u8 = 80;

fn tuple<const N: usize>(items: [Term; N]) -> Term {
    Term::tuple(items)
}

fn ref_of(villain: &Villain, word: u32) -> Term {
    Term::Ref(villain.reference(word))
}

/// `{6, From, '', Name}`.
fn reg_send(villain: &Villain, name: &str) -> Term {
    tuple([int(6), Term::Pid(villain.pid(1)), Term::atom(""), Term::atom(name)])
}

#[test]
fn who_breaks_the_protocol_is_disconnected_with_a_line_that_names_him() {
    let scene = Scene::new("crimes");
    let third = Pid { node: NodeId::new(Atom::new("third@localhost"), 1), id: 1, serial: 0 };
    type Crime = Box<dyn Fn(&Villain) -> Vec<u8>>;
    let raw = |bytes: &'static [u8]| -> Crime { Box::new(move |_| bytes.to_vec()) };
    let control = |make: fn(&Villain, &Pid) -> Term| -> Crime {
        let third = third.clone();
        Box::new(move |villain| packet(&make(villain, &third), &[]))
    };
    let crimes: Vec<(&str, Crime)> = vec![
        ("a packet of 4 GiB", raw(&[0xFF, 0xFF, 0xFF, 0xFF, 131, 68, 0])),
        ("an unknown kind of packet", raw(&[0, 0, 0, 3, 131, 99, 0])),
        ("a packet without a version", raw(&[0, 0, 0, 3, 1, 2, 3])),
        ("one byte", raw(&[0, 0, 0, 1, 131])),
        ("pass-through", raw(&[0, 0, 0, 4, 112, 131, 104, 0])),
        ("a header that is cut off", raw(&[0, 0, 0, 3, 131, 68, 255])),
        ("a slot that was never filled", raw(&[0, 0, 0, 5, 131, 68, 1, 0, 77])),
        ("a new atom that is no UTF-8", raw(&[0, 0, 0, 7, 131, 68, 1, 8, 5, 1, 0xFF])),
        ("nothing behind the header", raw(&[0, 0, 0, 3, 131, 68, 0])),
        ("a tuple of 2^32 - 1", raw(&[0, 0, 0, 10, 131, 68, 0, 105, 255, 255, 255, 255, 97, 2])),
        ("a control message that is an atom", control(|_, _| Term::atom("boo"))),
        ("an empty tuple", control(|_, _| Term::tuple([]))),
        ("an unknown operation", control(|_, _| tuple([int(99)]))),
        ("an operation of the past", control(|_, _| tuple([int(5)]))),
        ("a negative operation", control(|_, _| tuple([int(-1)]))),
        ("an operation that is an atom", control(|_, _| tuple([Term::atom("link")]))),
        ("a link with one end", control(|v, _| tuple([int(1), Term::Pid(v.pid(1))]))),
        ("a link to an atom", control(|v, _| tuple([int(1), Term::Pid(v.pid(1)), Term::atom("x")]))),
        (
            "a link of a third node",
            control(|v, t| tuple([int(1), Term::Pid(t.clone()), Term::Pid(v.their_pid(1))])),
        ),
        (
            "an unlink without a number",
            control(|v, _| tuple([int(35), int(0), Term::Pid(v.pid(1)), Term::Pid(v.their_pid(1))])),
        ),
        (
            "a spawn request of a third node",
            control(|v, t| {
                let mfa = tuple([Term::atom("m"), Term::atom("f"), int(0)]);
                tuple([int(29), ref_of(v, 1), Term::Pid(t.clone()), Term::Pid(v.pid(1)), mfa, Term::NIL])
            }),
        ),
        (
            "spawn options that are no list",
            control(|v, _| {
                let mfa = tuple([Term::atom("m"), Term::atom("f"), int(0)]);
                tuple([int(29), ref_of(v, 1), Term::Pid(v.pid(1)), Term::Pid(v.pid(1)), mfa, int(1)])
            }),
        ),
        (
            "a spawn request of arity 300",
            control(|v, _| {
                let mfa = tuple([Term::atom("m"), Term::atom("f"), int(300)]);
                tuple([int(29), ref_of(v, 1), Term::Pid(v.pid(1)), Term::Pid(v.pid(1)), mfa, Term::NIL])
            }),
        ),
        ("a message without a message", control(|v, _| reg_send(v, "rex"))),
        ("a fragment of nothing", Box::new(|_| fragment(70, 9, 2, b"more"))),
        ("fragment 0", Box::new(|_| fragment(70, 9, 0, b"more"))),
        (
            "a fragment out of order",
            Box::new(|v| {
                let head = [&[0][..], &encode(&reg_send(v, "rex"))[1..], &[104]].concat();
                [fragment(69, 9, 5, &head), fragment(70, 9, 3, b"more")].concat()
            }),
        ),
        (
            "a sequence begun twice",
            Box::new(|v| {
                let head = [&[0][..], &encode(&reg_send(v, "rex"))[1..], &[104]].concat();
                [fragment(69, 9, 5, &head), fragment(69, 9, 5, &head)].concat()
            }),
        ),
    ];
    for (number, (what, crime)) in crimes.iter().enumerate() {
        let name = format!("crime{number}x@localhost");
        let mut villain = Villain::meets(&scene, &name);
        let bytes = crime(&villain);
        villain.write(&bytes);
        villain.until_closed();
        let line = expect_line(&["Connection to node", &name, "closed"]);
        assert!(line.len() < 600, "{what}: {line}");
        println!("{what}: {line}");
    }
    scene.stands();
}

/// What cannot be decoded is dropped by the process that would receive it, as every message that nobody understands.
#[test]
fn terms_that_are_no_terms_hurt_nobody() {
    let scene = Scene::new("terms");
    let before = resident();
    let mut villain = Villain::meets(&scene, "terms_villain@localhost");
    let deep = |tag: &[u8], levels: usize, end: &[u8]| [tag.repeat(levels), end.to_vec()].concat();
    let bomb_of = |megabytes: u32| {
        // Zeros, a thousandth of their size, claimed to be a binary.
        let mut plain = vec![109];
        plain.extend_from_slice(&(megabytes << 20).to_be_bytes());
        plain.resize(5 + ((megabytes as usize) << 20), 0);
        let claimed = (plain.len() as u32).to_be_bytes();
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&plain).unwrap();
        [&[80][..], &claimed, &packer.finish().unwrap()].concat()
    };
    let (bomb, small_bomb) = (bomb_of(300), bomb_of(30));
    let long_atom = [&[118, 1, 44][..], &[b'a'; 300]].concat();
    let payloads: Vec<(&str, Vec<u8>)> = vec![
        ("nothing but a tag", vec![104]),
        ("an unknown tag", vec![7, 7, 7]),
        ("a tuple of 2^32 - 1", vec![105, 255, 255, 255, 255]),
        ("a list of 2^32 - 1", vec![108, 255, 255, 255, 255]),
        ("a map of 2^32 - 1", vec![116, 255, 255, 255, 255]),
        ("a binary of 2^32 - 1", vec![109, 255, 255, 255, 255]),
        ("a number of 2^32 - 1 digits", vec![111, 255, 255, 255, 255, 0]),
        ("a fun of 2^32 - 1 bytes", vec![112, 255, 255, 255, 255]),
        ("tuples in tuples", deep(&[104, 1], 200_000, &[106])),
        ("lists in lists", deep(&[108, 0, 0, 0, 1], 200_000, &[106; 200_001])),
        ("maps in maps", deep(&[116, 0, 0, 0, 1, 97, 1], 200_000, &[106])),
        ("an atom that is too long", long_atom),
        ("a map with a key twice", vec![116, 0, 0, 0, 2, 97, 1, 97, 2, 97, 1, 97, 3]),
        ("an atom from an empty table", vec![82, 200]),
        ("bytes behind the term", vec![106, 106]),
        ("a damaged compressed term", vec![80, 0, 0, 0, 9, 1, 2, 3]),
        ("a bomb that claims little", [&[80, 0, 0, 0, 1][..], &bomb[5..]].concat()),
        ("a bomb that claims all", bomb),
        ("a bomb below the ceiling", small_bomb),
    ];
    for name in ["friendly_echo", "net_kernel", "rex", "user", "global_name_server", "logger_proxy", "nobody"]
    {
        // What takes long to read makes its receiver busy, as in Erlang: spare those whom the friend asks.
        let busy = ["friendly_echo", "net_kernel"].contains(&name);
        for (what, payload) in payloads.iter().filter(|(_, payload)| !busy || payload.len() < 10_000) {
            let control = reg_send(&villain, name);
            assert!(villain.packet(&control, payload), "{what}: the connection is gone");
        }
    }
    assert!(villain.is_served(), "the connection stays");
    // Where the node itself reads the term: the reason of an exit signal, the arguments of a spawn.
    for (what, payload) in &payloads {
        let exit = tuple([int(26), Term::Pid(villain.pid(1)), Term::Pid(villain.their_pid(1))]);
        let mfa = tuple([Term::atom("erpc"), Term::atom("execute_call"), int(4)]);
        let spawn = tuple([
            int(29),
            ref_of(&villain, 5),
            Term::Pid(villain.pid(1)),
            Term::Pid(villain.pid(1)),
            mfa,
            Term::list([Term::atom("monitor"), Term::atom("link")]),
        ]);
        assert!(villain.packet(&spawn, payload) && villain.packet(&exit, payload), "{what}");
        let whole = [&[131][..], payload].concat();
        if payload[0] != COMPRESSED && term::decode::decode(&whole.into()).is_ok() {
            // Deep, but a term. (Compressed ones have no place on a connection.)
            assert!(villain.is_served(), "{what}: the connection stays");
            continue;
        }
        // Whoever depends on the reason must not wait for ever: the connection ends, as in OTP.
        villain.until_closed();
        villain = Villain::meets(&scene, "terms_villain@localhost");
    }
    expect_line(&["Connection to node terms_villain@localhost closed", "reason cannot be decoded"]);
    let told = lines(&["cannot be decoded"]);
    assert!(!told.is_empty() && told.len() < 100, "{} lines", told.len());
    assert!(told.iter().any(|line| line.contains("terms_villain@localhost")), "{}", told[0]);
    let grown = resident().saturating_sub(before);
    println!("terms: {} MiB afterwards", grown / MIB);
    assert!(grown < 500 * MIB, "{grown}");
    scene.stands_within(FLOODED);
}

#[test]
fn endless_fragments_are_cut_at_a_ceiling() {
    let scene = Scene::new("fragments");
    let mut villain = Villain::meets(&scene, "fragments_villain@localhost");
    let before = resident();
    let head = [&[0][..], &encode(&reg_send(&villain, "rex"))[1..], &[104]].concat();
    let mut sent = 0_u64;
    'flood: for block in 0..200_u64 {
        let bytes: Vec<u8> =
            (0..1000).flat_map(|n| fragment(69, block * 1000 + n, u64::MAX, &head)).collect();
        if !villain.write(&bytes) {
            break 'flood;
        }
        sent += 1000;
    }
    villain.until_closed();
    let grown = resident().saturating_sub(before);
    println!("fragments: {sent} unfinished sequences cost {} MiB", grown / MIB);
    assert!(grown < 200 * MIB);
    expect_line(&["Connection to node fragments_villain@localhost closed", "unfinished fragments"]);
    scene.stands();
}

/// Floods of questions by somebody who never reads an answer: the node stops listening to him, and to nobody else.
#[test]
fn who_asks_and_does_not_read_is_heard_no_more() {
    let scene = Scene::new("deaf");
    type Flood = fn(&Villain, u32) -> Vec<u8>;
    let floods: [(&str, Flood); 6] = [
        ("monitors of a name that nobody has", |v, n| {
            let control = tuple([int(19), Term::Pid(v.pid(n)), Term::atom("nobody"), ref_of(v, n)]);
            packet(&control, &[])
        }),
        ("links to processes that are not there", |v, n| {
            packet(&tuple([int(1), Term::Pid(v.pid(n)), Term::Pid(v.their_pid(1_000_000 + n))]), &[])
        }),
        ("unlinks", |v, n| {
            let (from, to) = (Term::Pid(v.pid(n)), Term::Pid(v.their_pid(1_000_000)));
            packet(&tuple([int(35), int(1 + i64::from(n)), from, to]), &[])
        }),
        ("spawn requests", |v, n| {
            let mfa = tuple([Term::atom("m"), Term::atom("f"), int(0)]);
            let options = Term::list([Term::atom("monitor")]);
            let me = || Term::Pid(v.pid(n));
            packet(&tuple([int(29), ref_of(v, n), me(), me(), mfa, options]), &[106])
        }),
        ("questions to net_kernel", |v, n| {
            let question = tuple([Term::atom("is_auth"), Term::atom("x@y")]);
            let from = tuple([Term::Pid(v.pid(1)), ref_of(v, n)]);
            let call = tuple([Term::atom("$gen_call"), from, question]);
            packet(&reg_send(v, "net_kernel"), &encode(&call)[1..])
        }),
        ("calls to rex", |v, n| {
            let question = tuple([
                Term::atom("call"),
                Term::atom("erlang"),
                Term::atom("node"),
                Term::NIL,
                Term::Pid(v.pid(1)),
            ]);
            let from = tuple([Term::Pid(v.pid(1)), ref_of(v, n)]);
            let call = tuple([Term::atom("$gen_call"), from, question]);
            packet(&reg_send(v, "rex"), &encode(&call)[1..])
        }),
    ];
    for (number, (what, flood)) in floods.into_iter().enumerate() {
        let name = format!("deaf{number}@localhost");
        let mut villain = Villain::meets(&scene, &name);
        villain.stream.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
        let before = resident();
        let start = Instant::now();
        let mut asked = 0;
        while start.elapsed() < Duration::from_secs(if number == 0 { 20 } else { 3 }) {
            let block: Vec<u8> = (asked..asked + 1000).flat_map(|n| flood(&villain, n)).collect();
            if !villain.write(&block) {
                break;
            }
            asked += 1000;
        }
        let grown = resident().saturating_sub(before);
        let lane = scene.node.lane(&Atom::new(&name)).map_or(0, |lane| lane.queued_bytes());
        println!("{what}: {asked} asked, {} MiB more, {} MiB in the lane", grown / MIB, lane as u64 / MIB);
        let waited = scene.take_worst();
        println!("{what}: the friend waited {waited:?} at most");
        assert!(waited < if number < 4 { SERVED } else { FLOODED }, "{what}: {waited:?}");
        assert!(grown < 700 * MIB, "{what}: {} MiB", grown / MIB);
        // 256 MiB are the ceiling above which the connection is closed; a last batch may come on top.
        assert!(lane < 300 << 20, "{what}: {lane} bytes in the lane");
        villain.hang_up();
        eventually("it is gone", || scene.node.lane(&Atom::new(&name)).is_none());
    }
    expect_line(&["deaf0@localhost", "asks faster than it reads"]);
    scene.stands_within(FLOODED);
}

#[test]
fn a_hundred_thousand_invented_links_end_with_their_connection() {
    let scene = Scene::new("links");
    let rex = scene.node.whereis("rex").unwrap();
    let mut villain = Villain::meets(&scene, "links_villain@localhost");
    let before = resident();
    for number in 0..100_000 {
        villain.signal(Signal::Link { from: villain.pid(number), to: rex.clone() }, None);
    }
    assert!(villain.flush() && villain.is_served());
    let grown = resident().saturating_sub(before);
    println!("links: 100,000 invented ones cost {} MiB", grown / MIB);
    assert!(grown < 100 * MIB);
    villain.hang_up();
    eventually("it is gone", || scene.node.lane(&Atom::new("links_villain@localhost")).is_none());
    assert_eq!(scene.node.whereis("rex"), Some(rex), "rex does not die of strangers");
    let mut again = Villain::meets(&scene, "links_villain@localhost");
    assert!(again.is_served());
    scene.stands();
}

#[test]
fn services_answer_what_they_must_and_ignore_the_rest() {
    let scene = Scene::new("services");
    let mut villain = Villain::meets(&scene, "services_villain@localhost");
    let me =
        || Term::Pid(Pid { node: NodeId::new(Atom::new("services_villain@localhost"), 7), id: 1, serial: 0 });
    let improper = || List::with_tail(vec![int(1), int(2)], Term::atom("tail"));
    let long = || Term::atom(&"x".repeat(255));
    let call = |from: Term, question: Term| tuple([Term::atom("$gen_call"), from, question]);
    let stranger = Term::Pid(Pid { node: NodeId::new(Atom::new("nowhere@localhost"), 1), id: 1, serial: 0 });
    let messages: Vec<Term> = vec![
        Term::NIL,
        int(1),
        improper(),
        tuple([]),
        Term::Tuple(vec![Term::atom("$gen_call"); 300].into_iter().collect()),
        tuple([Term::atom("$gen_call")]),
        call(Term::atom("nobody"), Term::atom("is_auth")),
        call(tuple([]), tuple([Term::atom("is_auth"), me()])),
        call(tuple([me(), improper()]), tuple([Term::atom("is_auth"), me()])),
        call(tuple([me(), Term::list([Term::atom("alias")])]), tuple([Term::atom("is_auth"), me()])),
        call(
            tuple([me(), List::with_tail(vec![Term::atom("alias")], Term::atom("no_ref"))]),
            tuple([Term::atom("is_auth"), me()]),
        ),
        call(tuple([stranger.clone(), int(1)]), tuple([Term::atom("is_auth"), me()])),
        call(tuple([me(), int(1)]), tuple([Term::atom("set_lock"), improper()])),
        call(tuple([me(), int(1)]), tuple([Term::atom("set_lock"), tuple([me(), me(), me()])])),
        call(tuple([me(), int(1)]), tuple([Term::atom("new_ticktime"), int(0), int(0)])),
        call(tuple([me(), int(1)]), tuple([Term::atom("new_ticktime"), int(i64::MAX), int(i64::MIN)])),
        call(tuple([me(), int(1)]), tuple([Term::atom("connect"), Term::atom("normal"), long()])),
        call(tuple([me(), int(1)]), tuple([Term::atom("disconnect"), long()])),
        call(tuple([me(), int(1)]), tuple([Term::atom("spawn"), long(), long(), improper(), me()])),
        tuple([Term::atom("$gen_cast"), improper()]),
        tuple([Term::atom("$gen_cast"), tuple([Term::atom("init_connect"), improper(), me(), me()])]),
        tuple([Term::atom("system"), tuple([me(), int(1)]), Term::atom("get_state")]),
        tuple([Term::atom("EXIT"), me(), Term::atom("kill")]),
        tuple([Term::atom("DOWN"), me(), me(), me(), me()]),
        tuple([me(), Term::atom("features_request")]),
        tuple([stranger.clone(), Term::atom("features_request")]),
        tuple([me(), tuple([Term::atom("call"), me(), me(), me(), me()])]),
        tuple([me(), tuple([Term::atom("sbcast"), long(), me()])]),
        tuple([Term::atom("io_request"), me(), me(), improper()]),
        tuple([
            Term::atom("io_request"),
            me(),
            me(),
            tuple([Term::atom("put_chars"), Term::atom("unicode"), improper()]),
        ]),
        tuple([Term::atom("io_request"), Term::atom("me"), me(), Term::atom("getopts")]),
        tuple([Term::atom("io_request"), me(), me(), tuple([Term::atom("requests"), improper()])]),
        tuple([
            Term::atom("io_request"),
            me(),
            me(),
            tuple([Term::atom("requests"), Term::list(vec![int(1); 100_000])]),
        ]),
        tuple([Term::atom("log"), Term::atom("error"), improper(), improper(), me()]),
        tuple([
            Term::atom("log"),
            Term::atom("error"),
            Term::string("~s~p~99999999c"),
            Term::list([int(1)]),
            me(),
        ]),
    ];
    for name in ["net_kernel", "rex", "global_name_server", "user", "logger_proxy", &"n".repeat(255)] {
        for message in &messages {
            villain.tell(name, message);
        }
        assert!(villain.flush());
    }
    assert!(villain.is_served());
    for (arguments, what) in [(Term::atom("not_a_list"), "no list"), (improper(), "an improper list")] {
        let question = tuple([Term::atom("call"), Term::atom("erlang"), Term::atom("node"), arguments, me()]);
        villain.call("rex", 77, question);
        assert!(villain.flush());
        let tag = Term::Ref(villain.reference(77));
        let answer = villain.next(|arrival| {
            message_of(arrival).is_some_and(|message| {
                message.as_tuple().is_some_and(|parts| parts.len() == 2 && parts[0] == tag)
            })
        });
        let answer = format!("{:?}", message_of(&answer.unwrap()).unwrap());
        assert!(answer.contains("badrpc") && answer.contains("badarg"), "{what}: {answer}");
    }
    assert!(
        scene.node.lane(&Atom::new("nowhere@localhost")).is_none(),
        "nobody makes us dial with a question"
    );
    scene.stands();
}

/// A few bytes must not become gigabytes of text, nor a number of many digits minutes of work.
#[test]
fn output_requests_are_bounded() {
    let scene = Scene::new("output");
    let mut villain = Villain::meets(&scene, "output_villain@localhost");
    let me = Term::Pid(villain.pid(1));
    let format = "~4096c".repeat(100_000);
    let arguments = Term::list(vec![int(120); 100_000]);
    let big = {
        let mut bytes = vec![131, 111];
        bytes.extend_from_slice(&500_000_u32.to_be_bytes());
        bytes.push(0);
        bytes.resize(bytes.len() + 500_000, 0xAB);
        term::decode::decode(&bytes.into()).unwrap()
    };
    let before = resident();
    for (format, arguments) in [(format, arguments), ("~w".to_owned(), Term::list([big]))] {
        let arguments = Term::list([Term::string(&format), arguments]);
        let put = [
            Term::atom("put_chars"),
            Term::atom("unicode"),
            Term::atom("io_lib"),
            Term::atom("format"),
            arguments,
        ];
        let start = Instant::now();
        villain.tell("user", &tuple([Term::atom("io_request"), me.clone(), int(1), Term::tuple(put)]));
        assert!(villain.flush());
        let answer = villain.next(|arrival| {
            message_of(arrival)
                .is_some_and(|m| m.as_tuple().is_some_and(|parts| parts[0].is_atom("io_reply")))
        });
        println!("output: answered after {:?}", start.elapsed());
        assert!(answer.is_some());
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 400 * MIB, "{} MiB", grown / MIB);
    scene.stands();
}

/// Any peer may kill any process, as in Erlang; what others cannot do without starts again.
#[test]
fn exit_signals_to_everybody_do_not_take_the_services_away() {
    let scene = Scene::new("exits");
    let mut villain = Villain::meets(&scene, "exits_villain@localhost");
    let spared = scene.node.whereis("friendly_echo").unwrap().id;
    for reason in ["normal", "boo", "kill", "shutdown"] {
        for id in (0..500).filter(|id| *id != spared) {
            let to = proto::signal::Dest::Pid(villain.their_pid(id));
            let signal = Signal::Exit2 { from: villain.pid(1), to, token: None, priority: false };
            villain.signal(signal, Some(&Term::atom(reason)));
        }
    }
    assert!(villain.flush());
    let names = ["net_kernel", "rex", "global_name_server", "user", "logger_proxy"];
    expect_line(&["net_kernel has been ended from outside"]);
    eventually("the services are back", || names.iter().all(|name| scene.node.whereis(*name).is_some()));
    assert!(villain.is_served());
    let start = Instant::now();
    let ping = scene.runtime.block_on(scene.friend.ping(scene.node.name().clone()));
    assert!(ping.is_ok() && start.elapsed() < SERVED, "{ping:?} after {:?}", start.elapsed());
}

#[test]
fn stale_lives_and_wild_numbers_are_nobody() {
    let scene = Scene::new("stale");
    let mut villain = Villain::meets(&scene, "stale_villain@localhost");
    let old = |v: &Villain, id| Pid { node: NodeId::new(v.them.name().clone(), 99), id, serial: 0 };
    for id in [0, 1, 2, u32::MAX] {
        let from = villain.pid(id);
        let to = old(&villain, id);
        villain.signal(Signal::Link { from: from.clone(), to: to.clone() }, None);
        let far = Pid { node: villain.them.clone(), id, serial: u32::MAX };
        villain.signal(Signal::Link { from: from.clone(), to: far }, None);
        villain.signal(Signal::Unlink { id: u64::MAX, from: from.clone(), to: to.clone() }, None);
        villain.signal(Signal::UnlinkAck { id: 7, from: from.clone(), to: to.clone() }, None);
        let (reference, result) = (villain.reference(id), Ok(villain.pid(3)));
        let (linked, monitored, token) = (true, true, None);
        villain.signal(
            Signal::SpawnReply { id: reference, to: villain.their_pid(id), linked, monitored, result, token },
            None,
        );
        villain.signal(Signal::GroupLeader { leader: from, to: villain.their_pid(id) }, None);
    }
    assert!(villain.flush() && villain.is_served());
    scene.stands();
}

/// As in Erlang a mailbox has no ceiling unless one is asked for; what it holds is what was sent.
#[test]
fn a_process_that_never_reads_keeps_what_was_sent_and_no_more() {
    let scene = Scene::new("mailbox");
    let sleeper = scene.node.spawn(|mut ctx: Ctx| async move { ctx.sleep(PATIENCE * 10).await });
    scene.node.register("sleeper", &sleeper).unwrap();
    let mut villain = Villain::meets(&scene, "mailbox_villain@localhost");
    let before = resident();
    let message = Term::binary(&"x".repeat(1000));
    for _ in 0..50 {
        for _ in 0..1000 {
            villain.tell("sleeper", &message);
        }
        assert!(villain.flush());
    }
    assert!(villain.is_served());
    let grown = resident().saturating_sub(before);
    println!("mailbox: 50,000 messages of 1,000 bytes cost {} MiB", grown / MIB);
    assert!(grown < 200 * MIB);
    scene.node.send(&sleeper, Term::NIL);
    scene.stands();
}
