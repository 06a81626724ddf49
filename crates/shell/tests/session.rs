//! The shell's memory, and what it says.

use trunkline_shell as shell;

use shell::{Alone, Reply, Session, Vm};

async fn say(session: &mut Session, world: &mut Alone, text: &str) -> String {
    match session.enter(text, true, world).await {
        Reply::Value(_, shown, _) => std::mem::take(&mut world.output) + &shown,
        Reply::Wrong(text, _) => std::mem::take(&mut world.output) + &text,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_says_what_erls_shell_says() {
    let mut session = Session::new(Vm::new());
    let mut world = Alone::default();
    let told = [
        ("1 + 1.", "2\n"),
        ("X = {a, \"b\"}.", "{a,\"b\"}\n"),
        ("X.", "{a,\"b\"}\n"),
        ("v(1).", "2\n"),
        ("v(-1) + 1.", "3\n"),
        ("e(1).", "2\n"),
        ("X = 2.", "** exception error: no match of right hand side value 2\n"),
        ("f(X), X = 2.", "2\n"),
        ("b().", "X = 2\nok\n"),
        ("f(1).", "** exception error: no function clause matching call to f/1\n"),
        ("f().", "ok\n"),
        ("X.", "* 1:1: variable 'X' is unbound\n"),
        (
            "1 + a.",
            "** exception error: an error occurred when evaluating an arithmetic expression\n     in operator  +/2\n        called as 1 + a\n",
        ),
        ("foo:bar().", "** exception error: undefined function foo:bar/0\n"),
        ("foo().", "** exception error: undefined shell command foo/0\n"),
        ("throw(ball).", "** exception throw: ball\n"),
        ("exit(bye).", "** exception exit: bye\n"),
        ("error({a,1}).", "** exception error: {a,1}\n"),
        ("case 1 of 2 -> 3 end.", "** exception error: no case clause matching 1\n"),
        (
            "(fun() -> 1 end)(2).",
            "** exception error: interpreted function with arity 0 called with one argument\n",
        ),
        (
            "atom_to_list(1).",
            "** exception error: bad argument\n     in function  atom_to_list/1\n        called as atom_to_list(1)\n        *** argument 1: not an atom\n",
        ),
        ("1 2.", "* 1:3: syntax error before: 2\n"),
        ("rd(p, {x, y = 2}).", "p\n"),
        ("P = #p{x = 1}, P#p.y.", "2\n"),
        ("P#p{y = #p{}}.", "#p{x = 1,y = #p{x = undefined,y = 2}}\n"),
        ("(fun() -> 1 end)#p.x.", "** exception error: {badrecord,#Fun<erl_eval.43.3316493>}\n"),
        ("if is_record(P, p), P#p.x =:= 1 -> yes end.", "yes\n"),
        ("#p{x = Q} = P, Q.", "1\n"),
        ("#p.y.", "3\n"),
        ("#p{z = 1}.", "* 1:4: field z undefined in record p\n"),
        ("#q{}.", "* 1:1: record q undefined\n"),
        ("put(k, 1).", "undefined\n"),
        ("get(k).", "1\n"),
        ("self() ! {hello, 1}, ok.", "ok\n"),
        ("flush().", "Shell got {hello,1}\nok\n"),
        ("io:format(\"~p~n\", [x]).", "x\nok\n"),
        (
            "lists:seq(1, 30).",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,\n 23,24,25,26,27,28,29|...]\n",
        ),
        ("v(99).", "* 99: command not found\n"),
        ("erl_eval:eval_str(\"lists:sum([1,2]).\\n\").", "{ok,3}\n"),
        (
            "{ok, Ts, _} = erl_scan:string(\"Q = 1, Q + R.\"), {ok, Es} = erl_parse:parse_exprs(Ts), erl_eval:exprs(Es, [{'R', 5}]).",
            "{value,6,[{'Q',1},{'R',5}]}\n",
        ),
        ("% nothing", "Nothing"),
    ];
    for (text, wanted) in told {
        assert_eq!(say(&mut session, &mut world, text).await, wanted, "{text}");
    }
    assert_eq!(session.enter("1 +", false, &mut world).await, Reply::More);
    assert_eq!(session.enter("\"abc", false, &mut world).await, Reply::More);
    assert!(matches!(session.enter("q().", true, &mut world).await, Reply::End(_)));
}

/// The answers are those of erl.
#[tokio::test]
async fn a_session_remembers_and_forgets_as_it_is_told() {
    let mut session = Session::new(Vm::new());
    let mut world = Alone::default();
    let told = [
        ("X = 1 + 2.", "3\n"),
        ("h().", "1: X = 1 + 2\n-> 3\nok\n"),
        ("history(5).", "20\n"),
        ("history(20).", "5\n"),
        ("results(1).", "20\n"),
        ("v(1).", "* 1: command not found\n"),
        ("e(1).", "3\n"),
        ("results(20).", "1\n"),
        ("c:flush().", "ok\n"),
        ("catch_exception(true).", "false\n"),
        (
            "1/0.",
            "* exception error: an error occurred when evaluating an arithmetic expression\n    in operator  '/'/2\n       called as 1 / 0\n",
        ),
        ("catch_exception(false).", "true\n"),
        (
            "catch_exception(1).",
            "** exception error: no function clause matching call to catch_exception/1\n",
        ),
        (
            "rp(lists:seq(1,60)).",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,\n 23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,\n 43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60]\nok\n",
        ),
        ("rd(person, {name, age = 3}).", "person\n"),
        ("rd(pt, {x, y}).", "pt\n"),
        ("rd(foo, bar).", "** exception exit: \"bad record declaration\"\n"),
        ("rl().", "-record(person,{name, age = 3}).\n-record(pt,{x, y}).\nok\n"),
        ("rl(pt).", "-record(pt,{x, y}).\nok\n"),
        ("rf(person).", "ok\n"),
        ("rl([person, pt]).", "-record(pt,{x, y}).\nok\n"),
        ("rf('_').", "ok\n"),
        ("rl().", "ok\n"),
        ("strings(false).", "true\n"),
        ("\"abc\".", "[97,98,99]\n"),
        ("strings(true).", "false\n"),
        ("v(a).", "* a: command not found\n"),
    ];
    for (text, wanted) in told {
        assert_eq!(say(&mut session, &mut world, text).await, wanted, "{text}");
    }
    assert!(session.take_failure().is_some(), "a command failed");
    assert!(session.take_failure().is_none(), "that is told once");
}

#[tokio::test]
async fn a_module_is_read_checked_and_run() {
    let place = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = "-module(shelltest).\n-export([fact/1, area/1, twice/1, far/0]).\n-define(PI, 3).\n\
                  -record(sq, {side = 2 :: integer(), name}).\n-spec fact(integer()) -> integer().\n\
                  fact(0) -> 1;\nfact(N) when N > 0 -> N * fact(N - 1).\n\
                  area({circle, R}) -> ?PI * R * R;\narea(square) -> S = #sq{}, S#sq.side * S#sq.side.\n\
                  twice(F) -> G = fun(X) -> F(F(X)) end, lists:map(G, [1,2]).\nfar() -> ?MODULE:fact(5).\n";
    std::fs::write(place.join("shelltest.erl"), source).unwrap();
    std::fs::write(place.join("shellbad.erl"), "-module(shellbad).\n-export([f/0]).\nf() -> X.\n").unwrap();
    let mut session = Session::new(Vm::new());
    let mut world = Alone::default();
    let file = place.join("shelltest").display().to_string();
    let bad = place.join("shellbad").display().to_string();
    let told = [
        (format!("c(\"{file}\")."), "{ok,shelltest}\n".to_owned()),
        ("shelltest:fact(10).".to_owned(), "3628800\n".to_owned()),
        ("shelltest:area({circle, 2}) + shelltest:area(square).".to_owned(), "16\n".to_owned()),
        ("shelltest:twice(fun(X) -> X + 10 end).".to_owned(), "[21,22]\n".to_owned()),
        ("shelltest:far().".to_owned(), "120\n".to_owned()),
        (
            "shelltest:none().".to_owned(),
            "** exception error: undefined function shelltest:none/0\n".to_owned(),
        ),
        (
            "shelltest:fact(-1).".to_owned(),
            "** exception error: no function clause matching shelltest:fact(-1) (shelltest.erl, line 6)\n"
                .to_owned(),
        ),
        (
            format!("c(\"{bad}\")."),
            "shellbad.erl:3:8: variable 'X' is unbound\n%    3| f() -> X.\n%     |        ^\n\nerror\n"
                .to_owned(),
        ),
    ];
    for (text, wanted) in told {
        let said = say(&mut session, &mut world, &text).await;
        let first = said.lines().next().unwrap_or_default();
        assert!(said == wanted || wanted.trim_end() == first, "{text}: {said}");
    }
}

#[tokio::test]
async fn hostile_source_is_refused_at_a_place_or_ends_with_an_error() {
    let vm = Vm::new();
    let deep = |open: &str, close: &str| format!("{}1{}.", open.repeat(100_000), close.repeat(100_000));
    let mut sources = vec![
        deep("(", ")"),
        deep("[", "]"),
        deep("{", "}"),
        deep("#{a => ", "}"),
        deep("<<", ">>"),
        deep("- ", ""),
        deep("1 + (", ")"),
        deep("fun() -> ", " end"),
        deep("case 1 of _ -> ", " end"),
        deep("begin ", " end"),
        deep("catch ", ""),
        deep("f(", ")"),
        "1 + ".repeat(100_000) + "1.",
        "1 ++ ".repeat(100_000) + "1.",
        "X#r.a".to_owned() + &"#r.a".repeat(100_000) + ".",
        "\"".to_owned() + &"a".repeat(1_000_000),
        "1".repeat(2_000_000) + ".",
        "<<1:99999999999999999999>>.".to_owned(),
        "<<1:9999999999999>>.".to_owned(),
        "1 bsl 99999999999999.".to_owned(),
        "lists:duplicate(99999999999, a).".to_owned(),
        "lists:seq(1, 99999999999).".to_owned(),
        "F = fun F(X) -> [F(X)] end, F(1).".to_owned(),
        "binary:copy(<<\"abc\">>, 99999999999).".to_owned(),
        "\u{0}\u{1}\u{7f}\u{ffff}.".to_owned(),
        "'".to_owned() + &"a".repeat(300) + "'.",
        "a".repeat(300) + ".",
    ];
    sources.push(format!("[{}].", "1,".repeat(100_000) + "1"));
    for source in sources {
        let mut session = Session::new(vm.clone());
        let mut world = Alone::default();
        let head: String = source.chars().take(40).collect();
        match session.enter(&source, true, &mut world).await {
            Reply::Wrong(text, _) => {
                assert!(text.starts_with("* ") || text.starts_with("** "), "{head}: {text}")
            }
            Reply::Value(_, shown, _) => assert!(shown.len() < 10_000, "{head}"),
            other => panic!("{head}: {other:?}"),
        }
    }
}
