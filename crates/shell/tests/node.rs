//! Erlang on a node: processes, messages, names, links, funs.

use std::sync::Arc;

use trunkline_shell as shell;

use shell::session::Trouble;
use shell::{NodeWorld, Session, Vm, lexer, parser};
use trunkline::runtime::Node;

async fn told(lines: &'static [(&'static str, &'static str)]) {
    let node = Node::alone();
    let vm = Vm::new();
    shell::node::export_funs(&node, &vm);
    let shared: Arc<Vm> = vm.clone();
    node.run(move |ctx| async move {
        let mut world = NodeWorld::new(ctx, shared.clone());
        let mut session = Session::new(shared);
        for (line, wanted) in lines {
            let tokens = lexer::tokens(line, lexer::Loc::new(1, 1)).unwrap();
            let body = parser::exprs(&tokens).unwrap();
            let said = match session.evaluate(&body, &mut world).await {
                Ok(value) => session.show(&value, &world),
                Err(Trouble::Raised(raise)) => format!("{} {}", raise.class.as_str(), raise.reason),
                Err(other) => format!("{other:?}"),
            };
            assert_eq!(&said, wanted, "{line}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sessions_type_about_processes_runs() {
    told(&[
        ("Pid = spawn(fun() -> receive {From, hello} -> From ! {self(), world} end end), is_pid(Pid).", "true"),
        ("Pid ! {self(), hello}, receive {Pid, What} -> What after 5000 -> late end.", "world"),
        ("Loop = fun(F, X) -> F(F, X) end, is_function(Loop, 2).", "true"),
        ("Busy = spawn(fun() -> Loop(Loop, foo) end), is_pid(Busy).", "true"),
        ("1 + 1.", "2"),
        ("exit(Busy, kill), is_process_alive(Busy).", "false"),
        ("process_flag(trap_exit, true).", "false"),
        ("P1 = spawn_link(fun() -> exit(normal) end), receive {'EXIT', P1, Reason} -> Reason end.", "normal"),
        (
            "{P2, Ref} = spawn_monitor(fun() -> exit({shutdown, why}) end), receive {'DOWN', Ref, process, P2, R2} -> R2 end.",
            "{shutdown,why}",
        ),
        ("register(me, self()), me ! hi, receive hi -> whereis(me) =:= self() end.", "true"),
        ("{M3, _} = spawn_monitor(lists, reverse, [[1]]), receive {'DOWN', _, _, M3, R3} -> R3 end.", "normal"),
        ("{M4, _} = spawn_monitor(fun() -> throw(x) end), receive {'DOWN', _, _, M4, {R4, _}} -> R4 end.", "{nocatch,x}"),
        ("noone ! hi.", "error badarg"),
        ("timer:sleep(1).", "ok"),
        ("spawn(erlang, send, [self(), from_mfa]), receive from_mfa -> got end.", "got"),
        ("F = binary_to_term(term_to_binary(fun(X) -> X * 2 end)), F(21).", "42"),
        ("Y = 40, G = binary_to_term(term_to_binary(fun G(0) -> Y; G(N) -> G(N - 1) + 1 end)), G(2).", "42"),
        ("erlang:monitor(process, nobody), receive {'DOWN', _, process, W, N} -> {element(1, W), N} end.", "{nobody,noproc}"),
        ("put(a, 1), spawn(fun() -> me ! {got, get(a)} end), receive {got, V} -> V end.", "undefined"),
        ("is_integer(erlang:system_time(second)).", "true"),
        ("{T, ok} = timer:tc(fun() -> ok end), is_integer(T).", "true"),
    ])
    .await;
}

/// `fun(A) -> A + X end` with X = 5, as the shell of OTP 25 sends it.
const FROM_OTP_25: &str = "83700000 00e00106 5361aa46 1590d1bd f1eb62d1 a6eb0800 00002a00 00000164 00086572 6c5f6576 \
    616c612a 6200329b 0d586400 0d6e6f6e 6f646540 6e6f686f 73740000 00090000 00000000 00006806 68026101 61076c00 \
    00000168 02640001 5861056a 6400046e 6f6e6564 00046e6f 6e657400 0000006c 00000001 68056400 06636c61 75736568 \
    02610161 0a6c0000 00016803 64000376 61726802 6101610b 64000141 6a6a6c00 00000168 05640002 6f706802 61016112 \
    6400012b 68036400 03766172 68026101 61116400 01416803 64000376 61726802 61016113 6400 01586a6a";

#[tokio::test]
async fn a_fun_from_an_otp_shell_runs_and_ours_is_made_alike() {
    let digits: Vec<u8> = FROM_OTP_25.bytes().filter(u8::is_ascii_hexdigit).collect();
    let mut bytes: Vec<u8> = digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    bytes[0] = 131;
    let mut session = Session::new(Vm::new());
    let mut world = shell::Alone::default();
    let fun = trunkline::term::decode(&bytes.into()).unwrap();
    session.bindings.insert(trunkline::Atom::new("F"), fun.clone());
    let mut run = async |text: &str| {
        let tokens = lexer::tokens(text, lexer::Loc::new(1, 1)).unwrap();
        session.evaluate(&parser::exprs(&tokens).unwrap(), &mut world).await.unwrap()
    };
    assert_eq!(run("F(37).").await, trunkline::Term::Int(42));
    // Typed at the same place, ours brings the same along.
    let ours = run("X=5,G=fun(A) -> A+X end,G.").await;
    let (trunkline::Term::Fun(theirs), trunkline::Term::Fun(ours)) = (fun, ours) else { panic!("funs") };
    assert_eq!((ours.uniq, ours.index, &ours.free), (theirs.uniq, theirs.index, &theirs.free));
}

#[tokio::test]
async fn funs_that_are_none_are_bad_funs_and_nothing_worse() {
    use trunkline::term::{Atom, Fun, List, Map, Term, term};
    let deep = (0..100_000)
        .fold(term!({atom, 1, a}), |inner, _| Term::tuple([Term::atom("catch"), Term::Int(1), inner]));
    let clauses = |body: Term| {
        let x = term!([{var, 1, (Atom::new("X"))}]);
        Term::list([Term::tuple([Term::atom("clause"), Term::Int(1), x, Term::NIL, Term::list([body])])])
    };
    let whole = |bindings: Term, clauses: Term| {
        let none = Term::atom("none");
        Term::tuple([Term::Int(1), bindings, none.clone(), none, Term::Map(Map::default()), clauses])
    };
    let environments = vec![
        vec![],
        vec![Term::NIL],
        vec![term!({})],
        vec![term!({1, [], none, none, (0), []})],
        vec![whole(Term::NIL, Term::NIL)],
        vec![whole(Term::NIL, clauses(deep))],
        vec![whole(Term::NIL, clauses(term!({var, 1, (Atom::new("Unbound"))})))],
        vec![whole(term!([a, { b }]), clauses(term!({atom, 1, a})))],
        vec![whole(Term::atom("map"), clauses(term!({atom, 1, a})))],
        vec![whole(Term::NIL, clauses(term!({call, 1, 2, 3})))],
        vec![whole(Term::NIL, clauses(term!({integer, 1, a})))],
        vec![whole(Term::NIL, clauses(term!({string, 1, [(-1)]})))],
        vec![whole(Term::NIL, clauses(term!({op, 1, nothing, {atom, 1, a}})))],
        vec![whole(Term::NIL, List::with_tail(vec![Term::Int(1)], Term::Int(2)))],
        vec![whole(Term::NIL, term!([{clause, 1, [], [], []}, {clause, 1, [{var, 1, 3}], [], []}]))],
    ];
    for free in environments {
        let mut world = shell::Alone::default();
        let mut session = Session::new(Vm::new());
        let creator = shell::World::pid(&world);
        let module = Atom::new("erl_eval");
        let fun = Fun { arity: 1, uniq: [0; 16], index: 1, module, old_index: 1, old_uniq: 1, creator, free };
        session.bindings.insert(Atom::new("F"), Term::Fun(Arc::new(fun)));
        let body = parser::exprs(&lexer::tokens("F(1).", lexer::Loc::new(1, 1)).unwrap()).unwrap();
        match session.evaluate(&body, &mut world).await {
            Err(Trouble::Raised(raise)) => {
                let tag = raise.reason.as_tuple().and_then(|pair| pair[0].as_atom().cloned());
                assert_eq!(tag, Some(Atom::new("badfun")));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_of_processes_runs_and_its_funs_are_known_by_all_processes() {
    let place = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = "-module(shellexample).\n-export([start/0, resp/0, count/1, loop/1]).\n\
        start() ->\n    Pid = spawn(fun resp/0),\n    Pid ! {self(), hello},\n    receive {Pid, Answer} -> Answer end.\n\
        resp() ->\n    receive {From, hello} -> From ! {self(), world} end.\n\
        count(N) ->\n    P = spawn_link(?MODULE, loop, [0]),\n    [P ! {add, fun(X) -> X + N end} || _ <- [1,2,3]],\n\
        \x20   P ! {get, self()},\n    receive {P, Sum} -> P ! stop, Sum after 5000 -> late end.\n\
        loop(Sum) ->\n    receive\n        {add, F} -> ?MODULE:loop(F(Sum));\n        {get, To} -> To ! {self(), Sum}, loop(Sum);\n\
        \x20       stop -> ok\n    end.\n";
    std::fs::write(place.join("shellexample.erl"), source).unwrap();
    let load: &'static str = Box::leak(
        format!("c(\"{}\", [{{outdir, \"x\"}}]).", place.join("shellexample").display()).into_boxed_str(),
    );
    let lines = vec![
        (load, "{ok,shellexample}"),
        ("shellexample:start().", "world"),
        ("shellexample:count(5).", "15"),
        (
            "lists:sort(element(2, hd(tl(shellexample:module_info())))).",
            "[{count,1},\n {loop,1},\n {module_info,0},\n {module_info,1},\n {resp,0},\n {start,0}]",
        ),
        ("erlang:function_exported(shellexample, loop, 1).", "true"),
        ("is_process_alive(self()).", "true"),
    ];
    told(Vec::leak(lines)).await;
}
