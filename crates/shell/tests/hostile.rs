//! Source that nobody would write: garbage, and what is left of good source when it has been through a mill. Whatever it is, there
//! is an answer, in time, and within the ceilings. `TRUNKLINE_SEEDS` says how many seeds are tried.

use std::time::Duration;

use trunkline_shell as shell;

use shell::lexer::{self, Loc};
use shell::preprocess::{self, NoFiles};
use shell::{Alone, Reply, Session, Vm, parser};

const CORPUS: &str = include_str!("oracle/corpus.txt");
const MODULES: [&str; 4] = [
    include_str!("../src/library/erl/lists.erl"),
    include_str!("../src/library/erl/queue.erl"),
    include_str!("../src/library/erl/string.erl"),
    include_str!("../src/library/erl/calendar.erl"),
];
/// What source is made of.
const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    "#{",
    "=>",
    ":=",
    "<-",
    "<=",
    "<:-",
    "||",
    "|",
    ",",
    ";",
    ".",
    ".\n",
    "->",
    ":",
    "::",
    "=",
    "==",
    "=:=",
    "/=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "!",
    "++",
    "--",
    "#",
    "#r",
    "#r.",
    "$",
    "$a",
    "$\\",
    "\\",
    "'",
    "\"",
    "\"\"\"",
    "`",
    "~",
    "~s",
    "%",
    "?",
    "?M",
    "?=",
    "??",
    "@",
    "_",
    "X",
    "Y",
    "_Z",
    "a",
    "b",
    "'q q'",
    "\"s\"",
    "0",
    "1",
    "-1",
    "16#ff",
    "2#",
    "1.5",
    "1.0e9",
    "36#zz",
    "1_000",
    "fun",
    "end",
    "case",
    "of",
    "if",
    "when",
    "try",
    "catch",
    "after",
    "receive",
    "begin",
    "maybe",
    "else",
    "not",
    "and",
    "andalso",
    "div",
    "rem",
    "bsl",
    "bor",
    "lists:seq(1,3)",
    "lists:map(",
    "f(",
    "self()",
    "throw(",
    "error(",
    "-define(M, 1).\n",
    "-define(M(A), A).\n",
    "-ifdef(M).\n",
    "-else.\n",
    "-endif.\n",
    "-record(r, {a, b = 1}).\n",
    "-include(\"x.hrl\").\n",
    "-module(m).\n",
    "-export([f/0]).\n",
    "f() -> ",
    "\n",
    " ",
    "\t",
    "\u{0}",
    "\u{1b}",
    "é",
    "日",
    "\u{10ffff}",
];

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

fn garbage(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..1 + dice.roll(40)).map(|_| *dice.one(WORDS)).collect();
    words.join(["", " "][dice.roll(2)])
}

/// Good source with some of it taken out, doubled, moved, or put in from elsewhere.
fn milled(dice: &mut Dice, source: &str) -> String {
    let mut chars: Vec<char> = source.chars().collect();
    for _ in 0..1 + dice.roll(4) {
        let from = dice.roll(chars.len());
        let to = (from + dice.roll(12)).min(chars.len());
        match dice.roll(5) {
            0 => drop(chars.drain(from..to)),
            1 => {
                let again: Vec<char> = chars[from..to].to_vec();
                chars.splice(from..from, again);
            }
            2 => {
                let part: Vec<char> = chars.drain(from..to).collect();
                let at = dice.roll(chars.len());
                chars.splice(at..at, part);
            }
            3 => drop(chars.splice(from..from, dice.one(WORDS).chars())),
            _ => chars.truncate(from),
        }
        if chars.is_empty() {
            break;
        }
    }
    chars.into_iter().collect()
}

/// Lexer, parser and preprocessor, without running anything.
fn read(source: &str) {
    let mut rest = source.to_owned();
    while let Ok(lexer::Scan::Form(tokens, taken)) = lexer::form(&rest, Loc::new(1, 1), true) {
        let _ = parser::exprs(&tokens);
        let _ = parser::form(&tokens);
        rest = rest.chars().skip(taken.max(1)).collect();
    }
    if let Ok(forms) = preprocess::forms(source, &mut NoFiles) {
        for form in forms {
            let _ = parser::form(&form);
        }
    }
}

/// What a shell says to it.
async fn run(vm: &std::sync::Arc<Vm>, source: &str) {
    let mut session = Session::new(vm.clone());
    let mut world = Alone::default();
    world.turns = Some(20);
    // Nobody sends what a `receive` waits for.
    let wait = Duration::from_millis(20);
    match tokio::time::timeout(wait, session.enter(source, true, &mut world)).await {
        Ok(Reply::Wrong(text, taken)) => {
            assert!(text.starts_with("* ") || text.starts_with("** "), "{text}");
            assert!(taken > 0, "nothing is taken: {text}");
        }
        Ok(Reply::Value(_, shown, _)) => assert!(shown.len() < 100_000),
        _ => {}
    }
}

#[tokio::test]
async fn whatever_is_typed_there_is_an_answer() {
    let seeds: u64 = std::env::var("TRUNKLINE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    // What touches the machine it runs on is left out.
    let harmless =
        |line: &&str| !line.is_empty() && !["file", "os:", "halt", "cd("].iter().any(|it| line.contains(it));
    let corpus: Vec<&str> = CORPUS.lines().filter(harmless).collect();
    let vm = Vm::new();
    for seed in 1..=seeds {
        let mut dice = Dice(seed);
        for case in 0..1500 {
            let source = match dice.roll(3) {
                0 => garbage(&mut dice),
                1 => {
                    let line = *dice.one(&corpus);
                    milled(&mut dice, line)
                }
                _ => {
                    let module = *dice.one(&MODULES);
                    let from = dice.roll(module.len());
                    let part: String = module.chars().skip(from).take(400).collect();
                    milled(&mut dice, &part)
                }
            };
            // Known when the test ends here.
            let told = Told(format!("seed {seed}, case {case}: {source:?}"));
            read(&source);
            if harmless(&source.as_str()) {
                run(&vm, &source).await;
            }
            drop(told);
        }
    }
}

/// Says what was tried when a panic comes by.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

#[tokio::test]
async fn who_holds_too_much_is_killed_and_nobody_else_is() {
    let vm = Vm::new();
    for (source, wanted) in [
        ("process_flag(max_heap_size, 200000).", "#{error_logger => true,kill => true,size => 0}\n"),
        ("F = fun F(L) -> F([lists:seq(1, 1000)|L]) end, catch F([]).", "** exception exit: killed\n"),
        (
            "F = fun F(L) -> F(L ++ L) end, process_flag(max_heap_size, 200000), F([1]).",
            "** exception exit: killed\n",
        ),
        (
            "F = fun F(B) -> F(<<B/binary, B/binary>>) end, process_flag(max_heap_size, 200000), try F(<<1>>) catch _:_ -> caught end.",
            "** exception exit: killed\n",
        ),
        (
            "F = fun F(M, N) -> F(M#{N => M}, N + 1) end, process_flag(max_heap_size, 200000), F(#{}, 0).",
            "** exception exit: killed\n",
        ),
        (
            "process_flag(max_heap_size, 200000), lists:sum([length(lists:seq(1, 1000)) || _ <- lists:seq(1, 3000)]).",
            "3000000\n",
        ),
        (
            "process_flag(max_heap_size, 200000), F = fun F(0, T) -> T; F(N, T) -> F(N - 1, {T, T}) end, T = F(60, x), element(1, T) =:= element(2, T).",
            "true\n",
        ),
        ("process_flag(max_heap_size, #{size => 10, kill => 1}).", "** exception error: bad argument\n"),
        (
            "process_flag(max_heap_size, #{size => 10, kill => false}), length(lists:seq(1, 100000)).",
            "100000\n",
        ),
    ] {
        let mut session = Session::new(vm.clone());
        let mut world = Alone::default();
        if source.starts_with("F = fun F(L) -> F([") {
            // What is set holds for the commands to come.
            session.enter("process_flag(max_heap_size, 200000).", true, &mut world).await;
        }
        let said = session.enter(source, true, &mut world).await;
        let said = match said {
            Reply::Value(_, shown, _) => shown,
            Reply::Wrong(text, _) => text,
            other => format!("{other:?}"),
        };
        assert!(said.starts_with(wanted.trim_end()), "{source}: {said}");
    }
}
