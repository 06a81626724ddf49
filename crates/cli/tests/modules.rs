//! `trunkline erl`: modules from source, as a person keeps them in a directory.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Place, TRUNKLINE};

/// Types lines into a shell whose code path has this directory in front; what it says, without prompts.
fn typed(place: &Place, directory: &std::path::Path, lines: &str) -> Vec<String> {
    let mut command = place.command(TRUNKLINE, &["erl", "-pa", &directory.display().to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let bare = |line: &str| match line.split_once("> ") {
        Some((number, said)) if number.parse::<u32>().is_ok() => said.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().skip(1).map(bare).collect()
}

#[test]
fn modules_are_found_on_the_code_path_replaced_and_refused_with_reasons() {
    let place = Place::new();
    let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("modules");
    std::fs::create_dir_all(&directory).unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    write("inc.hrl", "-record(p, {a = 1, b}).\n-define(TWICE(X), ((X) * 2)).\n");
    write(
        "first.erl",
        "-module(first).\n-include(\"inc.hrl\").\n-export([f/1, g/0, h/0]).\n-ifdef(TEST).\ng() -> test.\n-else.\n\
         g() -> notest.\n-endif.\nf(X) -> ?TWICE(X) + (#p{})#p.a.\n\
         h() -> {?MODULE, ?LINE, ?FUNCTION_NAME, ?FILE, second:x()}.\n",
    );
    write("second.erl", "-module(second).\n-export([x/0]).\nx() -> 42.\n");
    write(
        "looping.erl",
        "-module(looping).\n-export([loop/1]).\nloop(V) ->\n    receive {v, P} -> P ! {V, old}, loop(V);\n\
         up -> ?MODULE:loop(V + 1) end.\n",
    );
    write(
        "looping_new.erl",
        "-module(looping).\n-export([loop/1]).\nloop(V) -> receive {v, P} -> P ! {V, new}, loop(V) end.\n",
    );
    write("bad.erl", "-module(bad).\n-export([g/0]).\n-include(\"nope.hrl\").\nh() -> foo(1.\n");
    let at = directory.display();
    let said = typed(
        &place,
        &directory,
        &format!(
            "first:f(4).\nfirst:g().\nfirst:h().\nc(\"{at}/first\", [{{d, 'TEST'}}]).\nfirst:g().\n\
             P = spawn(looping, loop, [1]), is_pid(P).\nP ! {{v, self()}}, receive One -> One end.\n\
             c(\"{at}/looping_new\").\nP ! {{v, self()}}, receive Two -> Two end.\n\
             P ! up, P ! {{v, self()}}, receive Three -> Three end.\n\
             c(\"{at}/bad\").\nc(nosuch).\ncode:which(nosuch).\ncode:which(second) =:= \"{at}/second.erl\".\n\
             code:is_loaded(bad).\nl(second).\ncode:purge(second), code:delete(second).\nsecond:x().\nrpc:call(node(), second, x, []).\n\
             first:nothing().\n",
        ),
    );
    let wanted = "9\nnotest\n{first,10,h,\"first.erl\",42}\n{ok,first}\ntest\ntrue\n{1,old}\n{ok,looping}\n{1,old}\n\
                  {2,new}\nbad.erl:3:10: can't find include file \"nope.hrl\"\n%    3| -include(\"nope.hrl\").\n\
                  %     |          ^\n\nbad.erl:4:13: syntax error before: '.'\n%    4| h() -> foo(1.\n\
                  %     |             ^\n\nbad.erl:2:2: function g/0 undefined\n%    2| -export([g/0]).\n\
                  %     |  ^\n\nerror\n{error,non_existing}\nnon_existing\ntrue\nfalse\n{module,second}\ntrue\n42\n42\n\
                  ** exception error: undefined function first:nothing/0";
    let wanted: Vec<&str> = wanted.lines().collect();
    assert_eq!(said[..wanted.len().min(said.len())], wanted, "{said:#?}");
}

/// Sources with every kind of thing that is wrong, or odd.
const ODD: [(&str, &str); 4] = [
    (
        "torn",
        "-module(torn).\n-export([f/1, g/0]).\n-include(\"nope.hrl\").\nf(X) -> Y.\nh() -> foo(1.\nk(X) -> ?NO.\n",
    ),
    (
        "unbound",
        "-module(unbound).\n-export([f/1, g/0]).\nf(X) -> Y + nofun(3).\nunused() -> 1.\nh(A) -> B = 1, A.\n",
    ),
    ("lax", "-module(lax).\n-behaviour(gen_server).\n-export([f/1]).\nf(X) -> ok.\ng(_) -> lists:foo(1).\n"),
    (
        "open",
        "-module(open).\n-compile([export_all]).\n-export([a/1]).\na(X) -> case X of {Y, Z} -> Y; [H | T] -> H end.\n\
         b() -> [x || Q <- [1]], fun(P) -> ok end.\n",
    ),
];

#[test]
fn what_is_wrong_with_a_module_is_told_as_erl_tells_it() {
    if !common::erlang_is_here() {
        return;
    }
    let place = Place::new();
    let directory = place.home.join("odd");
    std::fs::create_dir(&directory).unwrap();
    for (name, text) in ODD {
        std::fs::write(directory.join(name).with_extension("erl"), text).unwrap();
    }
    let lines: String = ODD.iter().map(|(name, _)| format!("c({name}).\n")).collect();
    let told = |program: &str, words: &[&str]| {
        let mut command = place.command(program, words);
        command.current_dir(&directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(TRUNKLINE, &["erl"]), told("erl", &[]));
}
