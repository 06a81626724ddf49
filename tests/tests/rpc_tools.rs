//! Those who call from outside of the BEAM's shell: `erl_call`, Elixir; and the story of cthulu and his minions, told from Rust.

use std::process::Command;
use std::time::Duration;

use trunkline::rpc::{self, RpcError};
use trunkline::{Atom, Ctx, Node, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, COOKIE, PATIENCE, t};

/// What the program printed, and whether it succeeded; nothing when it is not here.
async fn run(command: &mut Command) -> Option<(String, bool)> {
    let mut command = std::mem::replace(command, Command::new("true"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((String::from_utf8_lossy(&text).into_owned(), output.status.success()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erl_call_calls_us_and_gets_what_is_printed() {
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("called"), epmd).start().await.unwrap();
    ours.export("calc", "add", |a: i64, b: i64| a + b);
    ours.export_async("calc", "print", |mut ctx: Ctx, text: String| async move {
        let leader = ctx.group_leader();
        let (me, tag) = (ctx.pid(), ctx.make_ref());
        let request = (Atom::new("put_chars"), Atom::new("unicode"), text);
        ctx.send(&leader, (Atom::new("io_request"), me, tag, request));
        let _: (Atom, trunkline::Ref, Term) = ctx.receive().await;
        Atom::new("printed")
    });
    let name = ours.name().to_string();
    let erl_call = |arguments: &[&str]| {
        let mut command = Command::new("erl_call");
        command.args(["-sname", &name, "-c", COOKIE]).args(arguments);
        command.env("ERL_EPMD_PORT", epmd.to_string());
        command
    };
    for (arguments, answer) in [
        (&["-a", "calc add [1,2]"][..], "3"),
        (&["-a", "erlang is_alive"], "true"),
        (&["-fetch_stdout", "-a", "calc print [\"hello\"]"], "hello"),
        (&["-fetch_stdout", "-a", "calc add [20,22]"], "42"),
        (&["-a", "no such [1]"], "undef"),
        (&["-a", "calc add [x,y]"], "function_clause"),
    ] {
        let Some((printed, _)) = run(&mut erl_call(arguments)).await else {
            eprintln!("SKIPPED: no erl_call was found");
            return;
        };
        assert!(printed.contains(answer), "{arguments:?}: {printed}");
    }
    let (printed, _) = run(&mut erl_call(&["-fetch_stdout", "-a", "calc print [\"hello\"]"])).await.unwrap();
    assert!(printed.contains("printed") && printed.find("hello") < printed.find("printed"), "{printed}");
    // An expression is code for a BEAM: refused, and nobody waits.
    let mut evaluates = erl_call(&["-e"]);
    evaluates.stdin(
        std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/erl/one_plus_one.erl")).expect("the file"),
    );
    let (printed, _) = run(&mut evaluates).await.unwrap();
    assert!(printed.contains("undef"), "{printed}");
    ours.shutdown().await;
}

/// A script for Elixir, in which `us` is our node.
const ELIXIR: &str = r#"
us = System.get_env("US") |> String.to_atom()
check = fn name, got, wanted ->
  if got === wanted, do: :ok, else: IO.puts("DIFFERS #{name}: #{inspect(got)}")
end
attempt = fn f -> try do {:value, f.()} catch class, reason -> {class, reason} end end
check.("rpc", :rpc.call(us, :calc, :add, [1, 2]), 3)
check.("erpc", :erpc.call(us, :calc, :add, [1, 2]), 3)
check.("undef", :rpc.call(us, :calc, :nothing, []), {:badrpc, {:EXIT, {:undef, [{:calc, :nothing, [], []}]}}})
check.("module", :erpc.call(us, Elixir.Calc, :add, [1, 2]), 3)
check.("throw", attempt.(fn -> :erpc.call(us, :calc, :throw, [:ball]) end), {:throw, :ball})
check.("multicall", :erpc.multicall([us, us], :calc, :add, [2, 2]), [ok: 4, ok: 4])
check.("rpc multicall", :rpc.multicall([us], :calc, :add, [2, 2]), {[4], []})
check.("fun", elem(attempt.(fn -> :erpc.call(us, fn -> 1 end) end), 0), :error)
Node.spawn(us, :calc, :tell, [self(), :hello])
check.("spawn", (receive do {:from, :hello} -> :came after 20000 -> :lost end), :came)
{_, ref} = Node.spawn_monitor(us, :calc, :throw, [:x])
check.("monitor", (receive do {:DOWN, ^ref, _, _, {{:nocatch, :x}, _}} -> :down after 20000 -> :lost end), :down)
key = :rpc.async_call(us, :calc, :add, [3, 4])
check.("yield", :rpc.yield(key), 7)
check.("task", Task.async(fn -> :erpc.call(us, :calc, :add, [5, 6]) end) |> Task.await(), 11)
IO.puts("DONE")
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elixir_calls_us_and_spawns_here() {
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("elixired"), epmd).start().await.unwrap();
    for module in ["calc", "Elixir.Calc"] {
        ours.export(module, "add", |a: i64, b: i64| a + b);
    }
    ours.export("calc", "throw", |what: Term| -> Result<i64, rpc::Raise> { Err(rpc::Raise::Throw(what)) });
    ours.export("calc", "tell", |ctx: &mut Ctx, pid: trunkline::Pid, what: Term| {
        ctx.send(&pid, (Atom::new("from"), what))
    });
    let mut elixir = Command::new("elixir");
    elixir
        .args([
            "--sname",
            &world::unique("elixir"),
            "--cookie",
            COOKIE,
            "--erl",
            "-start_epmd false +S 2:2",
            "-e",
            ELIXIR,
        ])
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("US", ours.name().to_string());
    match run(&mut elixir).await {
        Some((printed, _)) => {
            assert!(printed.contains("DONE") && !printed.contains("DIFFERS"), "{printed}");
        }
        None => eprintln!("SKIPPED: no elixir was found"),
    }
    ours.shutdown().await;
}

/// Cthulu is ours, everybody else is OTP's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cthulu_calls_lovecraft_and_ends_his_minions() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let cthulu = world::node(&world::unique("cthulu"), epmd).start().await.unwrap();
    let mut others: Vec<Erl> = ["lovecraft", "minionx", "miniony", "minionz"]
        .map(|stem| Erl::start(&world::unique(stem), epmd, &[]))
        .into_iter()
        .collect();
    let names: Vec<Atom> = others.iter().map(|erl| Atom::new(&erl.name)).collect();
    for name in &names {
        cthulu.connect(name).await.unwrap();
    }
    let lovecraft = &names[0];
    let minions = &names[1..];
    let node: &Node = &cthulu;
    let letters = t("[a, e, f, t, h, s, a]");
    assert_eq!(
        rpc::call::<Term>(node, lovecraft, "lists", "sort", (letters,)).await,
        Ok(t("[a, a, e, f, h, s, t]"))
    );
    let half = Duration::from_millis(500);
    assert_eq!(
        rpc::call_within::<Term>(node, lovecraft, "timer", "sleep", (10_000,), half).await,
        Err(RpcError::Timeout)
    );
    let key = rpc::async_call::<Atom>(node, lovecraft, "erlang", "node", ());
    assert_eq!(key.yield_value().await.as_ref(), Ok(lovecraft));
    let max_time = rpc::async_call::<Term>(node, cthulu.name(), "timer", "sleep", (300,));
    let mut key2 = rpc::async_call::<()>(node, lovecraft, "timer", "sleep", (400,));
    assert_eq!(key2.nb_yield(Duration::ZERO).await, None);
    assert_eq!(key2.nb_yield(Duration::from_millis(50)).await, None);
    assert_eq!(key2.nb_yield(PATIENCE).await, Some(Ok(())));
    assert_eq!(max_time.yield_value().await, Ok(t("ok")));
    let oops = rpc::call::<Term>(node, lovecraft, "erlang", "error", (Atom::new("oops"),)).await;
    assert!(oops.unwrap_err().to_badrpc().unwrap().to_string().starts_with("{badrpc,{'EXIT',{oops,"));
    let undef = rpc::call::<Term>(node, lovecraft, "nomodule", "nofunction", ()).await;
    assert!(undef.unwrap_err().to_badrpc().unwrap().to_string().starts_with("{badrpc,{'EXIT',{undef,"));
    let nobody = rpc::call::<Term>(node, "nobody@localhost", "erlang", "node", ()).await;
    assert_eq!(nobody.unwrap_err().to_badrpc(), Some(t("{badrpc, nodedown}")));
    let arrived = cthulu.run({
        let lovecraft = lovecraft.clone();
        move |mut ctx: Ctx| async move {
            let me = ctx.pid();
            rpc::cast(&ctx, &lovecraft, "erlang", "send", (me, Atom::new("cast_arrived")));
            ctx.receive_within::<Term>(PATIENCE).await
        }
    });
    assert_eq!(arrived.await, Some(t("cast_arrived")));
    let alive = rpc::multicall::<bool>(node, cthulu.nodes(), "erlang", "is_alive", (), None).await;
    assert_eq!((alive.results, alive.bad_nodes), (vec![Ok(true); 4], vec![]));
    rpc::eval_everywhere(node, minions, "init", "stop", ());
    world::eventually("the minions are gone", async || cthulu.nodes() == [lovecraft.clone()]).await;
    let alive = rpc::multicall::<bool>(node, &names, "erlang", "is_alive", (), None).await;
    assert_eq!((alive.results, alive.bad_nodes), (vec![Ok(true)], minions.to_vec()));
    others[0].check("nodes()", &format!("[{}]", erl::quoted(cthulu.name().as_str())));
    cthulu.shutdown().await;
}

/// The other way round: cthulu is OTP's, lovecraft and the minions are ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cthulu_of_otp_calls_lovecraft_of_ours() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut cthulu = Erl::start(&world::unique("cthulu"), epmd, &[]);
    let mut ours = Vec::new();
    for (variable, stem) in [("L", "lovecraft"), ("M1", "minionx"), ("M2", "miniony")] {
        let node = world::node(&world::unique(stem), epmd).start().await.unwrap();
        cthulu.eval(&format!("{variable} = {}", erl::quoted(node.name().as_str())));
        ours.push(node);
    }
    for (expression, value) in [
        ("[net_kernel:connect_node(N) || N <- [L, M1, M2]]", "[true,true,true]"),
        ("rpc:call(L, lists, sort, [[a,e,f,t,h,s,a]])", "[a,a,e,f,h,s,t]"),
        ("rpc:call(L, timer, sleep, [10000], 500)", "{badrpc,timeout}"),
        ("(fun() -> K = rpc:async_call(L, erlang, node, []), rpc:yield(K) end)() =:= L", "true"),
        (
            "(fun() -> K = rpc:async_call(L, timer, sleep, [400]), {rpc:nb_yield(K), rpc:nb_yield(K, 50), rpc:nb_yield(K, 100000)} end)()",
            "{timeout,timeout,{value,ok}}",
        ),
        ("element(1, element(2, element(2, rpc:call(L, erlang, error, [oops]))))", "oops"),
        ("element(1, element(2, element(2, rpc:call(L, nomodule, nofunction, []))))", "undef"),
        ("erpc:call(L, erlang, node, []) =:= L", "true"),
        (
            "begin rpc:cast(L, erlang, send, [self(), cast_arrived]), receive cast_arrived -> ok after 5000 -> late end end",
            "ok",
        ),
        ("rpc:multicall(nodes(), erlang, is_alive, [])", "{[true,true,true],[]}"),
        ("rpc:eval_everywhere([M1, M2], init, stop, [])", "abcast"),
    ] {
        cthulu.check(expression, value);
    }
    cthulu.until("nodes() =:= [L]", "true");
    cthulu.check("rpc:multicall([L, M1, M2], erlang, is_alive, []) =:= {[true], [M1, M2]}", "true");
    for node in ours {
        node.shutdown().await;
    }
}
