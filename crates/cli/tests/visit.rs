//! `trunkline call`, `nodes`, `top` and `stop`, visiting Erlang's nodes and ours.

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use common::{COOKIE, Place, Running, Said, TRUNKLINE, erlang_is_here, until};
use trunkline::prelude::*;

/// Runs `work` while a node of ours called zoey lives at this place, with a process called `sleeper`.
fn with_zoey(place: &Place, work: impl FnOnce()) {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let zoey = tokio.block_on(async {
        let zoey = trunkline::node("zoey@localhost")
            .cookie(COOKIE)
            .epmd_port(place.epmd_port)
            .start()
            .await
            .unwrap();
        let sleeper = zoey.spawn(|mut ctx: Ctx| async move {
            loop {
                let (_, _): (Term, Term) = ctx.receive().await;
            }
        });
        zoey.register("sleeper", &sleeper).unwrap();
        for number in 0..7 {
            zoey.send(&sleeper, number);
        }
        zoey.export("shop", "add", |a: i64, b: i64| a + b);
        zoey.export("init", "stop", || "not now".to_owned());
        zoey
    });
    work();
    tokio.block_on(zoey.shutdown());
}

#[track_caller]
fn check(said: &Said, code: i32, stdout: &str, stderr: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), stdout), "{said:?}");
    for words in stderr {
        assert!(said.stderr.contains(words), "no {words:?}: {said:?}");
    }
    assert_eq!(stderr.is_empty(), said.stderr.is_empty(), "{said:?}");
}

#[test]
fn a_call_prints_a_value_or_tells_why_there_is_none() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _bill = place.erl("bill@localhost", &[], "");
    let table: &[(&[&str], i32, &str, &[&str])] = &[
        (&["erlang", "node"], 0, "bill@localhost\n", &[]),
        (&["lists", "sort", "[[c, a, b]]"], 0, "[a,b,c]\n", &[]),
        (&["lists", "seq", "[1, 3]."], 0, "[1,2,3]\n", &[]),
        (&["string", "uppercase", "[\"ab\"]"], 0, "\"AB\"\n", &[]),
        (&["unicode", "characters_to_binary", "[[8364]]"], 0, "<<226,130,172>>\n", &[]),
        (&["erlang", "throw", "[{a, 1}]"], 1, "", &["** exception throw: {a,1}"]),
        (&["erlang", "exit", "[bye]"], 1, "", &["** exception exit: bye"]),
        (
            &["erlang", "error", "[{no, 1}]"],
            1,
            "",
            &["** exception error: {no,1}\n", "in function  erlang:error/1"],
        ),
        (&["erlang", "atom_to_list", "[1]"], 1, "", &["** exception error: bad argument\n"]),
        (
            &["lists", "'no such'", "[1]"],
            1,
            "",
            &["** exception error: undefined function lists:'no such'/1"],
        ),
        (&["timer", "sleep", "[60000]", "-timeout", "0.2"], 1, "", &["** exception error: {erpc,timeout}"]),
        (&["erlang", "halt"], 3, "", &["{erpc,noconnection}"]),
        (&["erlang", "node"], 3, "", &["trunkline doctor bill@localhost"]),
    ];
    for (words, code, stdout, stderr) in table {
        check(&place.trunkline(&[&["call", "bill@localhost"], *words].concat()), *code, stdout, stderr);
        if words == &["erlang", "halt"] {
            until("the halted node is forgotten", || !place.trunkline(&["names"]).stdout.contains("bill"));
        }
    }
}

#[test]
fn mistakes_in_the_command_line_are_told_before_anybody_is_visited() {
    let place = Place::new();
    let table: &[(&[&str], &str)] = &[
        (&["call", "a@b", "m", "f", "[1"], "no list in Erlang's notation"),
        (&["call", "a@b", "m", "f", "1"], "write '[1]'"),
        (&["call", "a@b", "m", "f", "[1 | 2]"], "no list"),
        (&["call", "a@b", "", "f"], "1 to 255 characters"),
        (&["call", "a@b", "'", "f"], "no atom"),
        (&["call", "a@b", "m", "f", "-timeout", "soon"], "not a number of seconds"),
        (&["call", "a@b", "m", "f", "-timeout", "0"], "between 0 and 86400"),
        (&["call", "a@b@c", "m", "f"], "no node name"),
        (&["call", "a@b", "m"], "FUNCTION"),
        (&["nodes", "@b"], "no node name"),
        (&["nodes", "a@b", "-name", "me@c.d"], "short name"),
        (&["nodes", "a@b", "-cookie-file", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["nodes", "a@b", "-cookie-file", "/tmp"], "no regular file"),
        (&["nodes", "a@b", "-cookie-file", "x", "-setcookie", "y"], "cannot be used with"),
        (&["top", "a@b", "-sort", "beauty"], "possible values"),
        (&["top", "a@b", "-interval", "-1"], "-1"),
        (&["stop", "a@b", "-timeout", "x"], "not a number of seconds"),
        (&["stop"], "NODE"),
        (&["ping", "a@b", "-count", "0"], "0"),
    ];
    for (words, said) in table {
        let heard = place.trunkline(words);
        assert_eq!((heard.code, heard.stdout.as_str()), (Some(2), ""), "{words:?}: {heard:?}");
        assert!(heard.stderr.contains(said), "{words:?}: {heard:?}");
    }
    for verb in [
        &["call", "a@localhost", "m", "f"][..],
        &["nodes", "a@localhost"],
        &["top", "a@localhost", "-once"],
        &["stop", "a@localhost"],
    ] {
        let heard = place.trunkline(verb);
        assert_eq!((heard.code, heard.stdout.as_str()), (Some(3), ""), "{verb:?}: {heard:?}");
        assert!(heard.stderr.contains("trunkline doctor a@localhost"), "{verb:?}: {heard:?}");
    }
}

#[test]
fn a_cookie_comes_from_a_file_and_one_on_the_command_line_is_warned_of() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _bill = place.erl("bill@localhost", &["-setcookie", "OTHER"], "");
    let file = place.home.join("cookie");
    std::fs::write(&file, "OTHER\n").unwrap();
    let path = file.to_str().unwrap();
    let call =
        |more: &[&str]| place.trunkline(&[&["call", "bill@localhost", "erlang", "node"], more].concat());
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    check(&call(&["-cookie-file", path]), 2, "", &["chmod 400"]);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o400)).unwrap();
    check(&call(&["-cookie-file", path]), 0, "bill@localhost\n", &[]);
    check(
        &call(&["-setcookie", "OTHER"]),
        0,
        "bill@localhost\n",
        &["others on this machine can see the cookie"],
    );
    check(&call(&[]), 3, "", &["trunkline doctor"]);
}

#[test]
fn visitors_leave_no_trace() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let told = "spawn(fun() -> net_kernel:monitor_nodes(true), receive {nodeup, _} -> halt(3) end end),";
    let mut bill = place.erl("bill@localhost", &[], told);
    let atoms = || {
        let said = place.trunkline(&["call", "bill@localhost", "erlang", "system_info", "[atom_count]"]);
        said.stdout.trim().parse::<i64>().unwrap()
    };
    atoms();
    let before = atoms();
    for _ in 0..10 {
        assert_eq!(place.trunkline(&["ping", "bill@localhost"]).code, Some(0));
        assert_eq!(place.trunkline(&["nodes", "bill@localhost"]).code, Some(0));
    }
    assert!(atoms() - before <= 3, "each visit costs an atom: {before}, then {}", atoms());
    assert_eq!(place.trunkline(&["names"]).stdout.lines().count(), 2, "only bill is registered");
    assert!(bill.running.0.try_wait().unwrap().is_none(), "a visitor was seen");
    // A name of one's own is kept from EPMD too, and never taken from somebody.
    let call = ["call", "bill@localhost", "erlang", "nodes", "[hidden]", "-sname", "me@localhost"];
    check(&place.trunkline(&call), 0, "[me@localhost]\n", &[]);
    let _zoey = place.erl("zoey@localhost", &["-hidden"], "");
    let call = ["call", "bill@localhost", "erlang", "node", "-sname", "zoey@localhost"];
    check(&place.trunkline(&call), 3, "", &["in use by another node"]);
}

#[test]
fn nodes_are_listed_as_a_node_sees_them() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _hidden = place.erl("hidden@localhost", &["-hidden"], "");
    let _bill = place.erl("bill@localhost", &[], "");
    with_zoey(&place, || {
        for node in ["zoey@localhost", "hidden@localhost"] {
            let connect = format!("['{node}']");
            check(
                &place.trunkline(&["call", "bill@localhost", "net_kernel", "connect_node", &connect]),
                0,
                "true\n",
                &[],
            );
        }
        let seen = place.trunkline(&["nodes", "bill@localhost"]).stdout;
        let lines: Vec<&str> = seen.lines().filter(|line| !line.starts_with("nonode@nohost")).collect();
        assert_eq!(
            lines,
            ["NAME              SEEN AS", "zoey@localhost    visible", "hidden@localhost  hidden"]
        );
        let json = place.trunkline(&["nodes", "zoey@localhost", "-json"]).stdout;
        assert!(
            json.starts_with(
                r#"{"node":"zoey@localhost","visible":["bill@localhost"],"hidden":[],"known":["#
            ),
            "{json}"
        );
    });
}

#[test]
fn top_shows_what_processes_of_both_kinds_do() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let busy = "register(slow, spawn(fun() -> receive never -> ok end end)), [slow ! X || X <- lists:seq(1, 77)], \
                [spawn(fun() -> receive x -> x end end) || _ <- lists:seq(1, 12000)],";
    let _bill = place.erl("bill@localhost", &[], busy);
    let top = |node: &str, more: &[&str]| {
        let said = place.trunkline(&[&["top", node, "-once"], more].concat());
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
        said.stdout
    };
    let text = top("bill@localhost", &["-sort", "queue", "-rows", "2"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines[0].contains(&"processes") && !text.contains("examined"), "all were examined: {text}");
    assert_eq!(lines[2][..6], ["PID", "NAME", "OR", "INITIAL", "CALL", "QUEUE"]);
    assert_eq!((lines[3][1], lines[3][2], lines.len()), ("slow", "77", 5), "{text}");
    let text = top("bill@localhost", &["-sort", "memory", "-rows", "20000"]);
    assert_eq!(text.lines().count(), 3 + 500, "of so many processes only the leaders are kept");
    for words in ["code_server ", "application_controller ", "application_master:init/"] {
        assert!(text.contains(words), "no {words}");
    }
    with_zoey(&place, || {
        let text = top("zoey@localhost", &["-sort", "queue", "-rows", "1"]);
        let row: Vec<&str> = text.lines().nth(3).unwrap().split_whitespace().collect();
        assert_eq!(row[1..3], ["sleeper", "7"], "{text}");
        let json = top("zoey@localhost", &["-sort", "queue", "-rows", "1", "-json"]);
        assert!(json.contains(r#""name":"sleeper","message_queue_len":7"#), "{json}");
    });
}

#[test]
fn top_looks_again_and_ends_with_its_reader_or_its_node() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _bill = place.erl("bill@localhost", &[], "");
    let watch = || {
        let mut command = place.command(TRUNKLINE, &["top", "bill@localhost", "-json", "-interval", "0.05"]);
        let mut top = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut lines = BufReader::new(top.0.stdout.take().unwrap()).lines();
        for _ in 0..3 {
            assert!(lines.next().unwrap().unwrap().starts_with(r#"{"node":"bill@localhost","processes":"#));
        }
        (top, lines)
    };
    let (mut deserted, lines) = watch();
    drop(lines);
    assert_eq!(deserted.0.wait().unwrap().code(), Some(0));
    let (mut bereft, lines) = watch();
    place.trunkline(&["stop", "bill@localhost", "-halt"]);
    assert!(lines.map_while(Result::ok).count() < 1_000);
    assert_eq!(bereft.0.wait().unwrap().code(), Some(3));
}

#[test]
fn a_node_is_stopped_and_gone_when_stop_returns() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    for more in [&[][..], &["-halt"]] {
        let mut bill = place.erl("bill@localhost", &[], "");
        let said = place.trunkline(&[&["stop", "bill@localhost"], more].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.starts_with("bill@localhost is down after "), "{said:?}");
        assert_eq!(place.trunkline(&["names"]).stdout, "no node is registered on localhost\n");
        until("its program ends", || bill.running.0.try_wait().unwrap().is_some());
    }
    // Who does not come to an end is told of.
    let bill = place.erl("bill@localhost", &[], "");
    Command::new("kill").args(["-STOP", &bill.running.0.id().to_string()]).status().unwrap();
    let said = place.trunkline(&["stop", "bill@localhost", "-timeout", "0.5"]);
    assert!(matches!(said.code, Some(1 | 3)), "{said:?}");
}

#[test]
fn a_node_of_ours_is_called_and_told_of_when_it_does_not_stop() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    with_zoey(&place, || {
        let call = |words: &[&str]| place.trunkline(&[&["call", "zoey@localhost"], words].concat());
        check(&call(&["shop", "add", "[2, 3]"]), 0, "5\n", &[]);
        check(&call(&["shop", "add", "[2]"]), 1, "", &["** exception error: undefined function shop:add/1"]);
        check(&call(&["erlang", "nodes"]), 0, "[]\n", &[]);
        let said = place.trunkline(&["stop", "zoey@localhost", "-timeout", "0.3"]);
        check(&said, 1, "", &["zoey@localhost is still there after 300.0 ms"]);
        check(&call(&["shop", "add", "[2, 3]"]), 0, "5\n", &[]);
    });
}
