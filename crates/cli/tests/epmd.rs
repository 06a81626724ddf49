//! `trunkline epmd` against Erlang's own: the same lines, the same exit codes, each with the other's daemon.

mod common;

use std::net::TcpStream;
use std::process::Stdio;

use common::{Place, Running, Said, TRUNKLINE, erlang_is_here, free_port, until};

const OURS: &[&str] = &[TRUNKLINE, "epmd"];
const THEIRS: &[&str] = &["epmd"];

/// Everything that one can ask, of an EPMD in every state that matters.
fn conversation(daemon: &[&str], client: &[&str]) -> Vec<(String, Said)> {
    let place = Place::new();
    let mut heard = Vec::new();
    let mut ask = |when: &str, words: &[&str]| {
        let mut said = place.run(client[0], &[&client[1..], words].concat());
        said.stdout = plain(&said.stdout, place.epmd_port);
        heard.push((format!("{when}: {words:?}"), said));
    };
    let questions: &[&[&str]] = &[&["-names"], &["-started"], &["-dump"], &["-kill"], &["-stop", "one"]];
    for question in questions {
        ask("nobody runs", question);
    }
    let mut epmd = place.epmd(daemon, &[]);
    for question in &questions[..3] {
        ask("empty", question);
    }
    let one = place.register("one", 4001);
    for question in questions {
        ask("one name", question);
    }
    let (two, three) = (place.register("two", 4002), place.register("three", 4003));
    for question in questions {
        ask("three names", question);
    }
    drop((one, two, three));
    until("all names are gone", || {
        place.run("epmd", &["-names"]).stdout.lines().count() == 1 // the head alone
    });
    ask("dead names", &["-names"]);
    ask("dead names", &["-kill"]);
    until("it ended", || epmd.0.try_wait().unwrap().is_some());
    ask("killed", &["-names"]);
    let _relaxed = place.epmd(daemon, &["-relaxed_command_check"]);
    let _one = place.register("one", 4001);
    ask("relaxed", &["-stop", "nobody"]);
    ask("relaxed", &["-stop", "one"]);
    ask("relaxed", &["-names"]);
    let _two = place.register("two", 4002);
    ask("relaxed", &["-kill"]);
    heard
}

/// Without what differs from run to run: the port of EPMD, descriptors, and the order of the dead.
fn plain(text: &str, port: u16) -> String {
    let text = text.replace(&format!("port {port}"), "port EPMD");
    let mut lines: Vec<_> =
        text.split_inclusive('\n').map(|line| line.split(", fd = ").next().unwrap()).collect();
    lines.sort_unstable();
    lines.join("|")
}

#[test]
fn lines_and_exit_codes_are_those_of_erlang_whoever_asks_whom() {
    if !erlang_is_here() {
        return;
    }
    let expected = conversation(THEIRS, THEIRS);
    for (daemon, client) in [(OURS, OURS), (OURS, THEIRS), (THEIRS, OURS)] {
        for (ours, theirs) in conversation(daemon, client).iter().zip(&expected) {
            assert_eq!(ours, theirs, "daemon {daemon:?}, client {client:?}");
        }
    }
}

#[test]
fn names_are_listed_in_the_order_of_erlang() {
    if !erlang_is_here() {
        return;
    }
    let listing = |daemon: &[&str]| {
        let place = Place::new();
        let _epmd = place.epmd(daemon, &[]);
        let _held = ["b", "c", "a"].map(|name| place.register(name, 4001));
        place.run("epmd", &["-names"]).stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listing(OURS), listing(THEIRS));
}

#[test]
fn a_detached_one_listens_when_its_parent_returns_and_a_second_one_ends_quietly() {
    let place = Place::new();
    let quiet = Said { stdout: String::new(), stderr: String::new(), code: Some(0) };
    assert_eq!(place.trunkline(&["epmd", "-daemon"]), quiet);
    assert!(TcpStream::connect(("127.0.0.1", place.epmd_port)).is_ok());
    assert_eq!(place.trunkline(&["epmd", "-daemon"]), quiet);
    assert_eq!(place.trunkline(&["epmd"]), quiet);
    assert_eq!(place.trunkline(&["epmd", "-kill"]).stdout, "Killed\n");
    until("it is gone", || TcpStream::connect(("127.0.0.1", place.epmd_port)).is_err());
}

#[test]
fn a_detached_one_that_cannot_listen_says_why() {
    let place = Place::new();
    // 203.0.113.0/24 is for documentation (RFC 5737): no machine has such an address.
    let said = place.trunkline(&["epmd", "-daemon", "-address", "203.0.113.7"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("cannot listen"), "{said:?}");
    let said = place.trunkline(&["epmd", "-address", "127.0.0.1,nowhere"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("cannot parse IP address \"nowhere\""), "{said:?}");
}

#[test]
fn it_listens_on_the_loopback_interface_unless_told() {
    let bound = |more: &[&str]| {
        let place = Place::new();
        let _epmd = place.epmd(OURS, more);
        listening_addresses(place.epmd_port)
    };
    assert_eq!(bound(&[]), ["0100007F"]);
    assert_eq!(bound(&["-address", "0.0.0.0"]), ["00000000"]);
}

/// The version 4 addresses that somebody listens on at a port, as `/proc/net/tcp` writes them.
fn listening_addresses(port: u16) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = rows.filter(|row| row[3] == "0A" && row[1].ends_with(&format!(":{port:04X}")));
    ours.map(|row| row[1].split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn the_environment_counts_as_much_as_the_options() {
    let place = Place::new();
    let mut command = place.command(TRUNKLINE, &["epmd"]);
    command.env("ERL_EPMD_RELAXED_COMMAND_CHECK", "yes").stderr(Stdio::null());
    let _epmd = Running(command.spawn().unwrap());
    until("it listens", || TcpStream::connect(("127.0.0.1", place.epmd_port)).is_ok());
    let _held = place.register("one", 4001);
    assert_eq!(place.trunkline(&["epmd", "-stop", "one"]).stdout, "STOPPED\n");
    let other = Place::new();
    let asked = other.trunkline(&["epmd", "-port", &place.epmd_port.to_string(), "-names"]);
    assert!(asked.stdout.starts_with("epmd: up and running"), "{asked:?}");
}

#[test]
fn an_option_that_is_not_there_is_refused_with_the_nearest_that_is() {
    let place = Place::new();
    let said = place.trunkline(&["epmd", "-dameon"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("--daemon"), "{said:?}");
    assert_eq!(place.trunkline(&["epmd", "-port", "0"]).code, Some(1));
}

#[test]
fn erlang_nodes_register_with_ours_and_find_each_other_there() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _bill = place.erl("bill@localhost", &[], "");
    let _zoey = place.erl("zoey@localhost", &[], "");
    let names = "{ok, L} = net_adm:names(), io:format(\"~p\", [lists:sort([N || {N, _} <- L])])";
    assert_eq!(place.erl_says("x@localhost", names), r#"["bill","x","zoey"]"#);
    assert_eq!(place.erl_says("x@localhost", "io:format(\"~p\", [net_adm:ping('bill@localhost')])"), "pong");
    let twin = place
        .run("erl", &["-sname", "bill@localhost", "-start_epmd", "false", "-noinput", "-eval", "halt()."]);
    assert_ne!(twin.code, Some(0), "a second bill was let in: {twin:?}");
}

#[test]
fn under_the_name_epmd_the_program_is_epmd() {
    let place = Place::new();
    let link = place.home.join("epmd");
    std::os::unix::fs::symlink(TRUNKLINE, &link).unwrap();
    let said = place.run(link.to_str().unwrap(), &["-port", &free_port().to_string(), "-names"]);
    assert_eq!(said.stderr, "epmd: Cannot connect to local epmd\n");
}

/// What systemd does for a `.socket` unit: the socket is there before the service, as file 3.
#[test]
fn sockets_that_systemd_has_opened_are_served() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", place.epmd_port)).unwrap();
    let script =
        format!("exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec {TRUNKLINE} epmd -systemd");
    let mut command = place.command("sh", &["-c", &script]);
    let quiet =
        command.stdin(std::os::fd::OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
    let epmd = Running(quiet.spawn().unwrap());
    drop(command);
    assert_eq!(place.trunkline(&["names"]).stdout, "no node is registered on localhost\n");
    let _held = place.register("zoey", 4002);
    assert_eq!(place.trunkline(&["names"]).stdout, "NAME  PORT\nzoey  4002\n");
    drop(epmd);
    let said = place.trunkline(&["epmd", "-systemd"]);
    assert!(said.code == Some(1) && said.stderr.contains("systemd gave no sockets"), "{said:?}");
}
