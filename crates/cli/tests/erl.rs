//! `trunkline erl`: what a person types there, and what comes of it, in pipes.

mod common;

use std::io::{Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use common::{Place, Running, TRUNKLINE, erlang_is_here, until};

/// A shell in a pipe.
struct Shell {
    running: Running,
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    seen: usize,
}

impl Shell {
    fn start(mut command: Command) -> Shell {
        let (ours, theirs) = std::io::pipe().unwrap();
        command.stdin(Stdio::piped()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        let mut running = Running(command.spawn().unwrap());
        drop(command);
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, mut ours) = (said.clone(), ours);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = ours.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let stdin = running.0.stdin.take();
        let mut shell = Shell { running, stdin, said, seen: 0 };
        shell.answer();
        shell
    }

    /// Ours, or a real erl, in this place.
    fn at(place: &Place, program: &str, flags: &[&str]) -> Shell {
        let verb: &[&str] = if program == TRUNKLINE { &["erl"] } else { &[] };
        Shell::start(place.command(program, &[verb, flags].concat()))
    }

    fn new_text(&self) -> String {
        self.said.lock().unwrap()[self.seen..].to_owned()
    }

    /// What was said until the next prompt.
    #[track_caller]
    fn answer(&mut self) -> String {
        let mut text = String::new();
        until("there is a prompt", || {
            text = self.new_text();
            text.strip_suffix("> ").is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
        });
        self.seen += text.len();
        let end = text.rfind('\n').map_or(0, |end| end + 1);
        text[..end].trim().to_owned()
    }

    fn enter(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Types a line; what comes before the next prompt.
    #[track_caller]
    fn types(&mut self, line: &str) -> String {
        self.enter(line);
        self.answer()
    }

    #[track_caller]
    fn told(&self, what: &str) {
        until(what, || self.new_text().contains(what));
    }
}

/// What people type of an afternoon. The oracle is a real erl.
const LINES: &str = r#"1+1.
X = 3.
X = 4.
lists:seq(1, 3).
foo(.
"abc".
#{a => 1, "b" => [x]}.
<<1,2>>.
1/0.
hd([]).
nosuch:f().
nosuch(1).
throw(ball).
exit(gone).
error({my,reason}).
v(1).
f(X).
X.
Y = 1, Y + 1.
case 3 of 4 -> x end.
(fun(1) -> ok end)(2).
try error(x) catch C:R -> {C,R} end.
io:format("~p ~s~n", [{a}, "b"]).
receive after 10 -> late end.
self() ! hi.
flush().
[A || A <- [1,2,3], A > 1].
b().
lists:seq(1,100).
node().
erlang:is_alive().
put(k, v).
get(k).
1 +
2.
3. 4.
"#;

#[test]
fn a_shell_answers_as_erls_does() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let transcript = |program: &str, args: &[&str]| {
        let mut command = place.command(program, args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(LINES.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        text[text.find("1> ").expect("a prompt")..].to_owned()
    };
    let (theirs, ours) = (transcript("erl", &[]), transcript(TRUNKLINE, &["erl"]));
    for (theirs, ours) in theirs.lines().zip(ours.lines()) {
        // Where no terminal is, OTP from 26 on prompts again for each further line of an expression.
        let prompt = theirs.split_inclusive("> ").next().unwrap_or_default();
        let again = prompt.repeat(2);
        let theirs = theirs.strip_prefix(&again).map_or(theirs.to_owned(), |rest| format!("{prompt}{rest}"));
        assert_eq!(theirs, ours);
    }
    assert_eq!(theirs.lines().count(), ours.lines().count(), "{theirs}\n{ours}");
}

/// Two nodes of these programs: messages, processes, funs and ends cross.
fn two_meet(one: &str, other: &str) {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let mut salt = Shell::at(&place, one, &["-sname", "salt@localhost"]);
    let mut pepper = Shell::at(&place, other, &["-sname", "pepper@localhost"]);
    assert_eq!(salt.types("net_adm:ping(pepper@localhost)."), "pong");
    assert_eq!(pepper.types("nodes()."), "[salt@localhost]");
    assert_eq!(pepper.types("register(here, self())."), "true");
    salt.types("{here, pepper@localhost} ! {hello, self(), fun(X) -> X * 2 end}.");
    assert_eq!(
        pepper.types("receive {hello, Salt, F} -> Salt ! F(21), node(Salt) after 9000 -> late end."),
        "salt@localhost"
    );
    assert_eq!(salt.types("receive N -> N after 9000 -> late end."), "42");
    assert_eq!(
        salt.types("rpc:call(pepper@localhost, erlang, apply, [fun() -> node() end, []])."),
        "pepper@localhost"
    );
    let there = "S = self(), P = spawn_link(pepper@localhost, fun() -> io:format(\"at ~p~n\", [node()]), S ! said, receive stop -> exit(done) end end), receive said -> node(P) end.";
    let said = salt.types(there);
    assert!(said.starts_with("at pepper@localhost"), "{said}");
    assert_eq!(
        salt.types(
            "process_flag(trap_exit, true), P ! stop, receive {'EXIT', P, Why} -> Why after 9000 -> late end."
        ),
        "done"
    );
    assert_eq!(salt.types("net_kernel:monitor_nodes(true)."), "ok");
    assert_eq!(salt.types("global:register_name({a, term}, self())."), "yes");
    assert_eq!(pepper.types("node(global:whereis_name({a, term}))."), "salt@localhost");
    pepper.enter("halt().");
    assert_eq!(salt.types("receive {nodedown, Who} -> Who after 9000 -> late end."), "pepper@localhost");
}

#[test]
fn two_of_ours_meet() {
    two_meet(TRUNKLINE, TRUNKLINE);
}

#[test]
fn ours_meets_a_real_erl_from_both_sides() {
    if erlang_is_here() {
        two_meet(TRUNKLINE, "erl");
        two_meet("erl", TRUNKLINE);
    }
}

#[test]
fn a_shell_stays_a_shell_whatever_its_processes_do() {
    let place = Place::new();
    let mut shell = Shell::at(&place, TRUNKLINE, &[]);
    shell.types("Busy = spawn(fun() -> F = fun L() -> L() end, F() end).");
    assert_eq!(shell.types("1 + 1."), "2");
    assert_eq!(shell.types("exit(Busy, kill), is_process_alive(Busy)."), "false");
    let linked = shell.types("spawn_link(fun() -> exit(bang) end), timer:sleep(5000).");
    assert_eq!(linked, "** exception exit: bang");
    assert!(
        shell.types("is_pid(Busy).").ends_with("true"),
        "what was bound outlives the process that evaluated"
    );
    let source = place.home.join("twice.erl");
    std::fs::write(&source, "-module(twice).\n-export([times/1]).\ntimes(N) -> 2 * N.\n").unwrap();
    assert_eq!(shell.types(&format!("c({:?}).", source.to_str().unwrap())), "{ok,twice}");
    assert_eq!(shell.types("twice:times(21)."), "42");
    assert_eq!(shell.types("rpc:call(node(), twice, times, [4])."), "8");
    assert!(shell.types("regs().").contains("net_kernel") || shell.types("regs().").contains("user"));
    let listed = shell.types("i().");
    assert!(listed.contains("Initial Call") && listed.contains("Total"), "{listed}");
    shell.types("W = spawn(fun() -> process_flag(trap_exit, true), receive {'EXIT', _, {R, _}} -> receive {F, ask} -> F ! {why, R} end end end).");
    assert!(shell.types("link(W), 1/0.").contains("arithmetic"));
    let heard = shell.types("W ! {self(), ask}, receive {why, Why} -> Why after 9000 -> late end.");
    assert_eq!(heard, "badarith", "who is linked to a command hears what it failed for");
    shell.enter("q().");
    assert!(shell.running.0.wait().unwrap().success());
}

#[test]
fn a_node_comes_alive_and_goes_again_under_its_prompt() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    let mut shell = Shell::at(&place, TRUNKLINE, &[]);
    shell.enter("{ok, _} = net_kernel:start([late@localhost, shortnames]).");
    shell.told("(late@localhost)2> ");
    shell.answer();
    assert_eq!(shell.types("node()."), "late@localhost");
    shell.enter("net_kernel:stop().");
    shell.told("ok\n4> ");
}

#[test]
fn flags_are_obeyed_or_refused() {
    let place = Place::new();
    let _epmd = place.our_epmd();
    for (flags, hint) in [
        (&["-snam", "x"][..], "did you mean -sname?"),
        (&["-proto_dist", "carrier_pigeon"], "carrier_pigeon"),
        (&["-kernel", "net_ticktime", "soon"], "net_ticktime"),
        (&["-args_file", "/nowhere"], "/nowhere"),
    ] {
        let said = place.trunkline(&[&["erl"], flags].concat());
        assert_ne!(said.code, Some(0), "{said:?}");
        assert!(said.stderr.contains(hint), "{said:?}");
    }
    let said =
        place.trunkline(&["erl", "-noshell", "-eval", "io:format(\"~p~n\", [1 + 1]).", "-eval", "halt(3)."]);
    assert_eq!((said.stdout.as_str(), said.code), ("2\n", Some(3)));
    let said = place.trunkline(&["erl", "-noshell", "-eval", "1 = 2."]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let flags = ["-sname", "taken@localhost", "-kernel", "own", "{a,1}", "-extra", "one", "-two"];
    let mut named = Shell::at(&place, TRUNKLINE, &flags);
    assert_eq!(named.types("init:get_plain_arguments()."), "[\"one\",\"-two\"]");
    assert_eq!(named.types("application:get_env(kernel, own)."), "{ok,{a,1}}");
    let said = place.trunkline(&["erl", "-sname", "taken@localhost"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("taken") && said.stderr.contains("in use"), "{said:?}");
}

/// The transcripts of the guide, typed again: what stands behind a prompt is typed, what stands below it is the answer.
#[test]
fn the_day_in_the_shell_is_as_the_guide_tells_it() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/08-shell.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let place = Place::new();
    let _epmd = place.our_epmd();
    for source in block(&guide, "```erlang") {
        std::fs::write(place.home.join(file_of(source)), source).unwrap();
    }
    let mut command = place.command(TRUNKLINE, &["erl", "-sname", "desk@localhost"]);
    command.current_dir(&place.home);
    let mut shell = Shell::start(command);
    let mut peer = Shell::at(&place, TRUNKLINE, &["-sname", "shelf@localhost"]);
    assert_eq!(peer.types("register(keeper, self())."), "true");
    let mut typed = 0;
    for transcript in block(&guide, "```text") {
        let mut lines = transcript.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((_, command)) =
                line.strip_prefix("(desk@localhost)").and_then(|line| line.split_once("> "))
            else {
                continue;
            };
            let mut wanted = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("(desk@localhost)")) {
                wanted.push(line);
            }
            assert_eq!(shell.types(command), wanted.join("\n").trim(), "{command}");
            typed += 1;
        }
    }
    assert!(typed > 15, "{typed}");
}

/// The file that a module, or the description of an application, has to stand in.
fn file_of(source: &str) -> String {
    let name = |rest: &str| rest.split([',', ')']).next().unwrap().trim().to_owned();
    match source.strip_prefix("{application,") {
        Some(rest) => name(rest) + ".app",
        None => name(source.split_once("-module(").expect("a module").1) + ".erl",
    }
}

/// The blocks that begin with this fence.
fn block<'a>(text: &'a str, fence: &str) -> Vec<&'a str> {
    let begun = text.split(fence).skip(1).filter_map(|rest| rest.strip_prefix('\n'));
    begun.filter_map(|rest| rest.split("```").next()).collect()
}
