//! `trunkline cluster`: the story comes true, and nobody is left behind however it ends.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{Place, Running, Said, TRUNKLINE, children_of, erlang_is_here, is_alive, until};

#[track_caller]
fn assert_told(said: &Said, lines: &[&str]) {
    assert_eq!(said.code, Some(0), "{}\n{}", said.stdout, said.stderr);
    for line in lines {
        assert!(said.stdout.contains(line), "{line:?} is not in\n{}", said.stdout);
    }
}

#[test]
fn the_story_comes_true_with_a_real_erl() {
    if !erlang_is_here() {
        return;
    }
    let said = Place::new().trunkline(&["cluster", "-once"]);
    let mut lines = vec!["joe has all four in nodes()", "joe had a pong from bill", "a new life of his name"];
    let knew = ["bill", "zoey", "rick", "joe"].map(|who| format!("{who} knew: link"));
    lines.extend(knew.iter().map(String::as_str));
    assert_told(&said, &lines);
}

#[test]
fn the_story_comes_true_without_one() {
    let said = Place::new().trunkline(&["cluster", "-once", "-no-erl"]);
    assert_told(&said, &["everybody is connected to everybody", "rick knew: link", "each exactly once"]);
    assert!(!said.stdout.contains("joe knew"));
}

#[test]
fn an_erl_that_is_demanded_and_not_there_is_a_failure() {
    let place = Place::new();
    let mut command = place.command(TRUNKLINE, &["cluster", "-once"]);
    let said = command.env("PATH", &place.home).env("TRUNKLINE_REQUIRE_ERL", "1").output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("erl is not installed"));
}

/// Starts the story and waits until its four members are there.
fn begun(place: &Place) -> (Running, Vec<u32>) {
    let mut command = place.command(TRUNKLINE, &["cluster", "-once", "-no-erl"]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(" boot ") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended before it began");
    }
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    let id = running.0.id();
    until("four members run", || children_of(id).len() == 4);
    let members = children_of(id);
    (running, members)
}

#[test]
fn ctrl_c_takes_everybody_along() {
    let place = Place::new();
    let (mut running, members) = begun(&place);
    let told = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(running.0.wait().unwrap().code(), Some(130));
    until("all members are gone", || !members.iter().any(|&id| is_alive(id)));
}

#[test]
fn a_killed_stage_leaves_no_orphans() {
    let place = Place::new();
    let (mut running, members) = begun(&place);
    running.0.kill().unwrap(); // SIGKILL: it cannot tell them
    running.0.wait().unwrap();
    until("all members are gone", || !members.iter().any(|&id| is_alive(id)));
}

#[test]
fn no_secret_is_on_a_command_line() {
    let place = Place::new();
    let (_running, members) = begun(&place);
    for id in members {
        let words = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        assert!(words.contains("cluster-member") || words.is_empty(), "{words}");
        assert!(!words.to_lowercase().contains("cookie"), "{words}");
    }
}
