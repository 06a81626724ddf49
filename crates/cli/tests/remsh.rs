//! Shells on other nodes: in a pipe, and on a terminal with its menu.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::terminal::Terminal;
use common::{Place, Running, Said, TRUNKLINE, erlang_is_here, until};

/// Lines into a program, and what it says until it ends.
fn piped(place: &Place, args: &[&str], lines: &str) -> Said {
    let mut command = place.command(TRUNKLINE, args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { stdout: text(said.stdout), stderr: text(said.stderr), code: said.status.code() }
}

/// A visit to `far@localhost` with lines, with an expression, and what is left of the node then.
fn visits(place: &Place) {
    let said = piped(place, &["remsh", "far@localhost"], "node().\nX = 20.\nio:format(\"~p~n\", [X + 1]).\n");
    for line in ["(far@localhost)1> far@localhost", "(far@localhost)2> 20", "21"] {
        assert!(said.stdout.contains(line), "{said:?}");
    }
    // The end of our input was none of the node's.
    let said =
        place.trunkline(&["eval", "far@localhost", "[io:format(\"~p~n\", [N]) || N <- [a, b]], node()"]);
    assert_eq!((said.stdout.as_str(), said.code), ("a\nb\nfar@localhost\n", Some(0)), "{said:?}");
    let said = place.trunkline(&["eval", "far@localhost", "1 = 2"]);
    assert!(said.code == Some(1) && said.stderr.contains("badmatch"), "{said:?}");
    let said = place.trunkline(&["eval", "far@localhost", "foo("]);
    assert!(said.code == Some(2) && said.stderr.contains("syntax error"), "{said:?}");
    let said = place.trunkline(&["eval", "nobody@localhost", "1"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let said = piped(place, &["eval", "far@localhost", "-"], "L = [1,2,3],\nlists:sum(L).\n");
    assert_eq!((said.stdout.as_str(), said.code), ("6\n", Some(0)), "{said:?}");
    let said = place.trunkline(&["eval", "far@localhost", "--timeout", "0.2", "timer:sleep(9000)"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = piped(place, &["remsh", "nobody@localhost"], "1.\n");
    assert_ne!(said.code, Some(0), "{said:?}");
}

/// A node of ours with a shell nobody types into.
fn far(place: &Place) -> Running {
    let mut command = place.command(TRUNKLINE, &["erl", "-sname", "far@localhost", "-noinput"]);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("the node is up", || place.trunkline(&["ping", "far@localhost"]).code == Some(0));
    running
}

#[test]
fn a_node_of_ours_is_visited_and_goes_on() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _far = far(&place);
    visits(&place);
    let said = piped(&place, &["remsh", "far@localhost"], "q().\nno\n1 + 1.\nexit().\n");
    assert!(
        said.stdout.contains("This ends the node far@localhost") && said.stdout.contains("> 2"),
        "{said:?}"
    );
    assert_eq!(place.trunkline(&["ping", "far@localhost"]).code, Some(0));
    // Who halts it in full is obeyed; that the node is lost is said, also to whoever only sees the code.
    let said = piped(&place, &["remsh", "far@localhost"], "halt().\ntimer:sleep(9000).\n");
    assert!(said.stdout.contains("The connection to far@localhost is lost"), "{said:?}");
    assert_eq!(said.code, Some(3), "{said:?}");
}

#[test]
fn a_real_erl_is_visited_and_goes_on() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _far = place.erl("far@localhost", &[], "");
    visits(&place);
    assert_eq!(place.trunkline(&["ping", "far@localhost"]).code, Some(0));
}

#[test]
fn jobs_are_begun_seen_and_stopped_from_the_menu() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let node = far(&place);
    let mut seat = Terminal::start(place.command(TRUNKLINE, &["erl", "-sname", "near@localhost"]));
    seat.shows("(near@localhost)1> ");
    seat.types("Near = 1.\r");
    seat.shows("(near@localhost)2> ");
    seat.types("\x07");
    seat.shows(" --> ");
    seat.types("h\r");
    seat.shows("  r [node [shell]]  - start remote shell");
    seat.types("r 'far@localhost'\rj\r");
    seat.shows("   1  {shell,start,[init]}");
    seat.shows("   2* {far@localhost,shell,start,[]}");
    seat.types("c\r");
    seat.shows("(far@localhost)1> ");
    seat.types("io:format(\"at ~p~n\", [node()]).\r");
    seat.shows("at far@localhost");
    // A command that never ends is ended, and keys typed ahead are not lost.
    seat.types("F = fun L() -> L() end, io:format(\"round \" \"and round~n\"), F().\r");
    seat.shows("round and round");
    seat.types("\x03");
    seat.shows("** exception exit: killed");
    seat.types("lists:se\t\tq(7,8).\x1b[D\x1b[D\x7f9\r");
    seat.shows("[7,8,9]");
    drop(node);
    seat.shows("The connection to far@localhost is lost");
    seat.shows(" --> ");
    seat.types("c 1\r");
    seat.shows("(near@localhost)2> ");
    seat.types("Near + 41.\r");
    seat.shows("42");
}

#[test]
fn a_terminal_of_erls_opens_a_shell_on_ours() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _far = far(&place);
    let flags = ["-sname", "guest@localhost", "-hidden", "-remsh", "far@localhost"];
    let mut seat = Terminal::start(place.command("erl", &flags));
    seat.shows("(far@localhost)1> ");
    seat.types("io:format(\"at ~p~n\", [node()]).\r");
    seat.shows("at far@localhost");
    seat.shows("(far@localhost)2> ");
    seat.types("lists:seq(1, 3).\r");
    seat.shows("[1,2,3]");
    assert_eq!(place.trunkline(&["ping", "far@localhost"]).code, Some(0));
}
