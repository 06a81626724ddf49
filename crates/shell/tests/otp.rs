//! Funs between a live OTP node and ours: each runs what was typed at the other.

use std::process::Stdio;
use std::time::Duration;

use trunkline_shell as shell;

use shell::{NodeWorld, Session, Vm, lexer, parser};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use trunkline::epmd::{Epmd, EpmdConfig};

const PATIENCE: Duration = Duration::from_secs(40);

fn erl_is_here() -> bool {
    let here = std::process::Command::new("erl")
        .args(["-noshell", "-eval", "halt()."])
        .stdin(Stdio::null())
        .status();
    let here = here.is_ok_and(|status| status.success());
    assert!(here || std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_none(), "no erl, but it is required");
    here
}

/// What `erl` types: a fun of its own on our node, whose output comes back to its terminal.
const TYPED_IN_OTP: &str = "\
    pong = net_adm:ping('ours@localhost'),\
    register(main, self()),\
    X = 40,\
    spawn('ours@localhost', fun() -> io:format(\"on ~p~n\", [node()]), {main, otp@localhost} ! {sum, X + 2} end),\
    receive {sum, Sum} -> io:format(\"sum ~p~n\", [Sum]) after 15000 -> io:format(\"late~n\") end,\
    {P, R} = spawn_monitor('ours@localhost', fun() -> lists:foldl(fun(A, B) -> A + B end, X, [a]) end),\
    receive {'DOWN', R, process, P, {Why, _}} -> io:format(\"down ~p~n\", [Why]) after 15000 -> io:format(\"late~n\") end,\
    receive go_away -> io:format(\"bye~n\") after 30000 -> late end, halt().";

#[tokio::test(flavor = "multi_thread")]
async fn a_fun_typed_in_an_otp_shell_runs_here_and_one_typed_here_runs_there() {
    if !erl_is_here() {
        eprintln!("NOT TESTED: there is no erl");
        return;
    }
    let epmd = Epmd::bind(EpmdConfig { port: 0, ..EpmdConfig::default() }).expect("an EPMD on loopback");
    let port = epmd.port();
    tokio::spawn(epmd.run(|_| ()));
    let node = trunkline::node("ours@localhost").cookie("monster").epmd_port(port).start().await.unwrap();
    let vm = Vm::new();
    shell::node::export_funs(&node, &vm);
    let mut erl = Command::new("erl")
        .args(["-noinput", "-start_epmd", "false", "-sname", "otp@localhost", "-setcookie", "monster"])
        .args(["-eval", TYPED_IN_OTP])
        .env("ERL_EPMD_PORT", port.to_string())
        .env("ERL_CRASH_DUMP", "/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("erl starts");
    let mut out = erl.stdout.take().expect("piped");
    let mut said = String::new();
    let mut chunk = [0; 1024];
    let hear = async {
        while !said.contains("down") && !said.contains("late") {
            let count = out.read(&mut chunk).await.unwrap();
            assert!(count > 0, "erl ended: {said}");
            said.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("erl says something");
    // Besides, the node may report there why the process ended, as OTP's does.
    assert!(said.starts_with("on ours@localhost\nsum 42\n") && said.contains("down badarith\n"), "{said}");

    // And back: a fun made here runs on OTP, as one of its own shell does.
    let told = node.run(move |ctx| async move {
        let mut world = NodeWorld::new(ctx, vm.clone());
        let mut session = Session::new(vm);
        let source = "Me = self(), Y = 1, \
            spawn(otp@localhost, fun() -> F = fun F(0) -> Y; F(N) -> N * F(N - 1) end, Me ! {node(), F(5)} end), \
            receive Answer -> Answer after 15000 -> late end.";
        let body = parser::exprs(&lexer::tokens(source, lexer::Loc::new(1, 1)).unwrap()).unwrap();
        let value = session.evaluate(&body, &mut world).await;
        let last = "{main, otp@localhost} ! go_away.";
        let body = parser::exprs(&lexer::tokens(last, lexer::Loc::new(1, 1)).unwrap()).unwrap();
        let _ = session.evaluate(&body, &mut world).await;
        format!("{value:?}")
    });
    let told = tokio::time::timeout(PATIENCE, told).await.expect("an answer");
    assert_eq!(told, "Ok({otp@localhost,120})");
    assert!(tokio::time::timeout(PATIENCE, erl.wait()).await.expect("erl ends").unwrap().success());
}
