//! `trunkline names` and `trunkline ping` against Erlang's EPMD and nodes.

mod common;

use common::{Place, TRUNKLINE, erlang_is_here};

#[test]
fn names_are_a_table_whoever_has_them() {
    if !erlang_is_here() {
        return;
    }
    for daemon in [&["epmd"][..], &[TRUNKLINE, "epmd"]] {
        let place = Place::new();
        let _epmd = place.epmd(daemon, &[]);
        assert_eq!(place.trunkline(&["names"]).stdout, "no node is registered on localhost\n");
        let _held = (place.register("zoey", 4002), place.register("bill", 401));
        assert_eq!(place.trunkline(&["names", "127.0.0.1"]).stdout, "NAME  PORT\nbill   401\nzoey  4002\n");
        let json = place.trunkline(&["names", "-json"]).stdout;
        assert_eq!(json, "[{\"name\":\"bill\",\"port\":401},{\"name\":\"zoey\",\"port\":4002}]\n");
    }
}

#[test]
fn without_an_epmd_there_are_no_names() {
    let said = Place::new().trunkline(&["names"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("no EPMD listens"), "{said:?}");
    let said = Place::new().trunkline(&["names", "nowhere.invalid"]);
    assert!(said.stderr.contains("does not resolve"), "{said:?}");
}

#[test]
fn an_erlang_node_answers_pong_with_both_kinds_of_names() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _bill = place.erl("bill@localhost", &[], "");
    let _zoey = place.erl("zoey@127.0.0.1", &[], "");
    for (node, more) in
        [("bill@localhost", &["-count", "3"][..]), ("zoey@127.0.0.1", &["-hidden", "-count", "3"])]
    {
        let said = place.trunkline(&[&["ping", node], more].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(said.stdout.matches(&format!("pong from {node} in ")).count(), 3, "{said:?}");
    }
}

#[test]
fn a_ping_is_seen_by_nobody_and_known_to_no_epmd() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let told = "spawn(fun() -> net_kernel:monitor_nodes(true), receive {nodeup, _} -> halt(3) end end),";
    let mut bill = place.erl("bill@localhost", &[], told);
    for more in [&[][..], &["-hidden"], &["-sname", "me@localhost"]] {
        assert_eq!(place.trunkline(&[&["ping", "bill@localhost"], more].concat()).code, Some(0));
        assert!(!place.trunkline(&["names"]).stdout.contains("me "));
    }
    assert!(bill.running.0.try_wait().unwrap().is_none(), "a ping was seen");
}

#[test]
fn pang_is_for_who_is_not_there_and_who_has_another_cookie() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let _bill = place.erl("bill@localhost", &[], "");
    for words in [&["ping", "nobody@localhost"][..], &["ping", "bill@localhost", "-setcookie", "another"]] {
        let said = place.trunkline(words);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), "pang\n"), "{said:?}");
        assert!(!said.stderr.is_empty());
    }
}

#[test]
fn a_node_is_pinged_under_the_name_that_was_given() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.epmd(&["epmd"], &[]);
    let told = "spawn(fun() -> net_kernel:monitor_nodes(true, [{node_type, all}]), \
                receive {nodeup, 'me@localhost', _} -> halt(3); {nodeup, _, _} -> halt(4) end end),";
    let mut bill = place.erl("bill@localhost", &[], told);
    place.trunkline(&["ping", "bill@localhost", "-sname", "me@localhost"]);
    assert_eq!(bill.running.0.wait().unwrap().code(), Some(3));
}

#[test]
fn verbs_and_options_that_are_not_there_are_refused_with_the_nearest_that_are() {
    let place = Place::new();
    let said = place.trunkline(&["pong", "bill@localhost"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("'ping'"), "{said:?}");
    let said = place.trunkline(&["ping", "bill@localhost", "-setcokie", "x"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("--setcookie"), "{said:?}");
}

#[test]
fn every_verb_shows_examples() {
    let place = Place::new();
    for verb in ["call", "cluster", "doctor", "epmd", "names", "nodes", "ping", "stop", "top"] {
        let said = place.trunkline(&[verb, "--help"]);
        assert_eq!(said.code, Some(0));
        assert!(said.stdout.contains("Examples:\n  trunkline "), "{verb}: {}", said.stdout);
    }
    assert!(place.trunkline(&["--version"]).stdout.starts_with("trunkline 0."));
}
