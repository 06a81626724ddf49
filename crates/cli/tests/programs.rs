//! Programs of behaviours in Erlang, interpreted by ours and compiled by OTP: they print the same, and the log says the same.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Place, TRUNKLINE, erlang_is_here};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

/// What a program prints, and what the log says meanwhile: the logger of OTP writes when it likes.
#[derive(Debug, PartialEq)]
struct Told {
    printed: Vec<String>,
    reports: Vec<String>,
}

fn run(place: &Place, program: &str, code: &Path, module: &str) -> Told {
    let verb: &[&str] = if program == TRUNKLINE { &["erl"] } else { &[] };
    let code = code.display().to_string();
    let flags = ["-noshell", "-pa", &code, "-s", module, "main", "-s", "init", "stop"];
    let mut command = place.command(program, &[verb, &flags].concat());
    let out = command.stdin(Stdio::null()).output().expect("it starts");
    let text = String::from_utf8(out.stdout).expect("text");
    tell(&text)
}

fn tell(text: &str) -> Told {
    let mut told = Told { printed: Vec::new(), reports: Vec::new() };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.split_once("====").filter(|_| line.starts_with('=')) {
            Some((title, _)) => {
                let body: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                told.reports.extend(report(title, &body));
            }
            None => told.printed.push(nameless(line)),
        }
    }
    // Processes that fail at the same time are told of in any order.
    told.reports.sort();
    told
}

/// What the same report has in common on both: no places in behaviours' own code, no sizes of heaps.
fn report(title: &str, body: &[&str]) -> Option<String> {
    // Neither of them is told reliably of processes that fail to start while their node goes down.
    let whole = body.join("\n");
    let master = title == "=CRASH REPORT" && whole.contains("application_master");
    if master || title == "=CRASH REPORT" && whole.contains("supervisor:") {
        return None;
    }
    let keys = [
        "supervisor:",
        "errorContext:",
        "application:",
        "exited:",
        "type:",
        "initial call:",
        "registered_name:",
        "exception",
        "trap_exit:",
        "dictionary:",
        "** ",
        "offender:",
    ];
    let told = body.iter().filter(|line| keys.iter().any(|key| line.trim_start().starts_with(key)));
    let told = told.map(|line| {
        nameless(line.split("[{").next().and_then(|line| line.split("[alias").next()).unwrap_or_default())
    });
    Some(format!("{title}\n{}", told.collect::<Vec<_>>().join("\n")))
}

/// Without the numbers of processes and references.
fn nameless(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['<', '#']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let end = from
            .find('>')
            .filter(|end| from[1..*end].chars().all(|c| c.is_ascii_digit() || ".<Ref".contains(c)));
        match end {
            Some(end) => {
                text.push_str("<ID>");
                rest = &from[end + 1..];
            }
            None => {
                text.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
    }
    text + rest
}

/// The programs, compiled; nobody else uses the directory.
fn compiled(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&place).unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(sources()).unwrap() {
        let file = entry.unwrap().path();
        match file.extension().and_then(|end| end.to_str()) {
            Some("erl") => files.push(file),
            Some("app") => {
                std::fs::copy(&file, place.join(file.file_name().unwrap())).unwrap();
            }
            _ => {}
        }
    }
    let status = Command::new("erlc").arg("-o").arg(&place).args(&files).status().expect("erlc runs");
    assert!(status.success());
    place
}

#[test]
fn behaviours_in_erlang_do_interpreted_what_they_do_compiled() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let compiled = compiled("programs");
    let modules = ["counter", "tree", "door", "bulletin", "market"];
    std::thread::scope(|scope| {
        for module in modules {
            let (place, compiled) = (&place, &compiled);
            scope.spawn(move || {
                let theirs = run(place, "erl", compiled, module);
                let ours = run(place, TRUNKLINE, &sources(), module);
                assert_eq!(ours.printed, theirs.printed, "{module} prints");
                assert!(ours.printed.len() > 20, "{module} prints {:?}", ours.printed);
                assert_eq!(ours.reports, theirs.reports, "{module} has logged");
            });
        }
    });
}

/// Starts one node with a counter and a market, and has another one use them and be used; what that one prints.
fn meet(served: &str, asking: &str, compiled: &Path) -> Vec<String> {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let node = |program: &str, flags: &[&str]| {
        let verb: &[&str] = if program == TRUNKLINE { &["erl"] } else { &[] };
        let code = if program == TRUNKLINE { sources() } else { compiled.to_owned() };
        let code = code.display().to_string();
        let mut command = place.command(program, &[verb, &["-noshell", "-pa", &code], flags].concat());
        command.stdin(Stdio::null());
        command
    };
    let start =
        "{ok, _} = gen_server:start({local, counter}, counter, 10, []), ok = application:start(market).";
    let mut there = node(served, &["-sname", "there@localhost", "-eval", start]);
    let _there = common::Running(there.stdout(Stdio::null()).spawn().unwrap());
    let here = ["-sname", "here@localhost", "-run", "far", "main", "there@localhost", "-s", "init", "stop"];
    let out = node(asking, &here).output().expect("it starts");
    let text = String::from_utf8(out.stdout).expect("text");
    // What the program says itself. The logs of both nodes lie between, each in its own shape.
    let said = |line: &&str| {
        line.split_once(": ").is_some_and(|(word, _)| word.chars().all(|c| c.is_ascii_lowercase()))
    };
    text.lines().filter(said).map(nameless).collect()
}

#[test]
fn behaviours_interpreted_here_are_used_from_otp_and_use_those_of_otp() {
    if !erlang_is_here() {
        return;
    }
    let compiled = compiled("programs_far");
    let wanted = meet("erl", "erl", &compiled);
    assert!(wanted.len() > 25, "{wanted:#?}");
    for (served, asking) in [(TRUNKLINE, "erl"), ("erl", TRUNKLINE), (TRUNKLINE, TRUNKLINE)] {
        assert_eq!(meet(served, asking, &compiled), wanted, "{served} is asked by {asking}");
    }
}
