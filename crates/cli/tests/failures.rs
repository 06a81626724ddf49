//! What goes wrong in a shell is told as erl tells it: the inputs of `failures.txt`, typed at both.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{Place, TRUNKLINE, erlang_is_here};

const INPUTS: &str = include_str!("failures.txt");

#[test]
fn failures_are_told_as_erl_tells_them() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let inputs: Vec<&str> = INPUTS.lines().filter(|line| !line.is_empty()).collect();
    let theirs = answers(place.command("erl", &[]), &inputs);
    let ours = answers(place.command(TRUNKLINE, &["erl"]), &inputs);
    let mut wrong = Vec::new();
    for ((input, theirs), ours) in inputs.iter().zip(&theirs).zip(&ours) {
        if theirs != ours {
            wrong.push(format!("{input}\n--- erl:\n{theirs}--- ours:\n{ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), inputs.len(), wrong.join("\n"));
    assert!(inputs.len() >= 200, "{}", inputs.len());
}

/// What a shell says to each input. Behind each it is asked to say a mark, for an input may need lines of its own.
fn answers(mut command: Command, inputs: &[&str]) -> Vec<String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let typed: String = inputs
        .iter()
        .enumerate()
        .map(|(at, input)| format!("{input}\nio:put_chars(\"@@{at}@@\\n\").\n"))
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(typed.as_bytes()));
    let said = child.wait_with_output().unwrap();
    let _ = writer.join();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut rest = said.split_once("1> ").map_or("", |(_, rest)| rest);
    let mut answers = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let Some((answer, behind)) = rest.split_once(&format!("@@{at}@@\n")) else {
            let begun: String = rest.chars().take(200).collect();
            panic!("{input}: no answer in {begun:?} ...");
        };
        answers.push(normal(answer));
        rest = behind.strip_prefix("ok\n").unwrap_or(behind);
    }
    answers
}

/// Without prompts, and without what differs from node to node and from one source to another.
fn normal(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line = line;
        while let Some((number, rest)) = line.split_once("> ") {
            if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
                break;
            }
            line = rest;
        }
        let line = cut(line, " (", ")", |inner| inner.contains(", line "), "");
        let line = cut(&line, "#Fun<erl_eval.", ">", |_| true, "#Fun<erl_eval>");
        let line = cut(&line, "#Ref<", ">", |_| true, "#Ref");
        let line = cut(&line, "<", ">", |inner| inner.split('.').all(|n| n.parse::<u32>().is_ok()), "pid");
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

/// Puts something in the place of what stands between these, where it is of a kind.
fn cut(line: &str, from: &str, to: &str, is: impl Fn(&str) -> bool, instead: &str) -> String {
    let (mut done, mut rest) = (String::new(), line);
    while let Some(at) = rest.find(from) {
        let behind = &rest[at + from.len()..];
        match behind.find(to).filter(|end| is(&behind[..*end])) {
            Some(end) => {
                done.push_str(&rest[..at]);
                done.push_str(instead);
                rest = &behind[end + to.len()..];
            }
            None => {
                done.push_str(&rest[..at + from.len()]);
                rest = behind;
            }
        }
    }
    done + rest
}
