//! Input and output between a node of ours and one of OTP's: group leaders, the I/O protocol from both ends.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use trunkline::io::{self, Device, Input, IoError, Leader};
use trunkline::{Ctx, Node, Pid, SpawnAt, SpawnOptions, Term, rpc};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{eventually, t};

/// What was written to a leader of ours.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<String>>);

impl Page {
    fn leader(&self) -> Leader {
        let page = self.clone();
        Leader::new(move |text| page.0.lock().unwrap().push_str(text))
    }

    /// Takes what was written.
    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    async fn until_has(&self, text: &str) {
        eventually(&format!("{text:?} is written"), async || self.0.lock().unwrap().contains(text)).await;
        self.take();
    }
}

fn name(node: &Node, name: &str, pid: &Pid) {
    node.register(name, pid).expect("the name is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_writes_to_and_reads_from_a_leader_of_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let (page, (lines, input)) = (Page::default(), mpsc::channel(16));
        name(ours, "leader", &page.leader().input(input).geometry(100, 30).start(ours));
        erl.eval("L = erpc:call(Us, erlang, whereis, [leader])");
        erl.check("io:format(L, \"~p and ~ts~n\", [{a, \"b\"}, [1080]])", "ok");
        erl.check("io:put_chars(L, [<<\"c\">>, $d, \"\\n\"]), io:nl(L), io:write(L, {x, \"y\"})", "ok");
        assert_eq!(page.take(), "{a,\"b\"} and и\ncd\n\n{x,[121]}");
        // A module that only they have makes the characters.
        erl.check("io:requests(L, [{put_chars, unicode, lists, append, [\"mod\", \"ule\"]}, {put_chars, unicode, string, uppercase, [\"up\"]}])", "ok");
        assert_eq!(page.take(), "moduleUP");
        erl.check("[io:columns(L), io:rows(L), io:getopts(L)]", "[{ok,100},{ok,30},[{expand_fun,false},{echo,false},{binary,false},{encoding,unicode}]]");
        for line in ["joe\n", "{term, [1, \"two\",\n", " three]}. rest\n", "42 4.5 ok\n", "abcdef\n", "βin\n"] {
            lines.send(line.to_owned()).await.unwrap();
        }
        erl.check("io:get_line(L, \"name? \")", "\"joe\\n\"");
        erl.check("io:read(L, {format, \"~w> \", [7]})", "{ok,{term,[1,\"two\",three]}}");
        erl.check("io:get_line(L, '')", "\"rest\\n\"");
        erl.check("io:fread(L, '', \"~d ~f ~a\")", "{ok,[42,4.5,ok]}");
        erl.check("{io:get_chars(L, '', 2), io:get_line(L, '')}", "{\"ab\",\"cdef\\n\"}");
        erl.check("io:setopts(L, [binary]), io:get_line(L, '')", "<<206,178,105,110,10>>");
        assert_eq!(page.take(), "name? 7> ");
        // Two who wait are served in their order, and output does not wait for them.
        erl.eval("S = self(), [spawn(fun() -> S ! {N, io:get_line(L, integer_to_list(N))} end) || N <- [1]], io:put_chars(L, \"!\")");
        page.until_has("1").await;
        erl.eval("spawn(fun() -> S ! {2, io:get_line(L, \"2\")} end), io:put_chars(L, \"!\")");
        lines.send("a\nb\n".into()).await.unwrap();
        erl.check("[receive {1, A} -> A end, receive {2, B} -> B end]", "[<<\"a\\n\">>,<<\"b\\n\">>]");
        drop(lines);
        erl.check("[io:get_line(L, ''), io:get_chars(L, '', 3), io:read(L, '')]", "[eof,eof,eof]");
        erl.check("(catch io:format(L, \"~z\", [])), element(1, element(2, catch io:put_chars(L, [atom])))", "badarg");
        let nonsense = "[begin L ! {io_request, self(), N, Q}, receive {io_reply, N, R} -> R after 20000 -> lost end end || {N, Q} <- \
            [{1, x}, {2, {}}, {3, {put_chars, utf16, \"\"}}, {4, {put_chars, unicode, <<200, 0>>}}, {5, {get_until, unicode, '', no, such, []}}, \
             {6, {put_chars, unicode, no, such, []}}, {7, {requests, [a | b]}}, {8, {setopts, [x]}}, {9, {put_chars, latin1, [300]}}, \
             {10, {put_chars, unicode, erlang, error, [boo]}}, {11, {get_geometry, x}}, {[odd | tag], getopts}]]";
        let [e, request] = ["{error,", "{error,request}"];
        let replies = format!(
            "[{request},{request},{request},{e}{{put_chars,unicode,<<200,0>>}}}},{e}such}},{e}such}},{request},{e}enotsup}},\
             {e}{{put_chars,latin1,[300]}}}},{e}error}},{request},[{{expand_fun,false}},{{echo,false}},{{binary,true}},{{encoding,unicode}}]]"
        );
        erl.check(nonsense, &replies);
        erl.check("[L ! X || X <- [{io_request, no_pid, a, b}, {io_request, self()}, {'DOWN', make_ref(), process, self(), x}, junk]], io:columns(L)", "{ok,100}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_processes_write_to_and_read_from_devices_of_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("(fun F() -> receive _ -> F() after 0 -> ok end end)()");
        // A device that knows a few answers, and notes what it is asked.
        erl.eval(
            "T = self(), Dev = spawn(fun Loop() -> receive {io_request, F, R, Q} -> T ! {asked, Q}, \
             F ! {io_reply, R, case Q of {get_line, _, _} -> \"l\\x{ed}ne\\n\"; {get_chars, _, _, N} -> list_to_binary(lists:duplicate(N, $x)); \
                {setopts, [bad]} -> {error, enotsup}; {setopts, _} -> ok; {get_geometry, columns} -> 77; {get_geometry, _} -> {error, enotsup}; \
                getopts -> [{echo, true}]; {requests, Rs} -> length(Rs); {get_password, _} -> eof; \
                {put_chars, _, \"boo\"} -> {error, terminated}; _ -> ok end}; stop -> exit(bye) end, Loop() end), register(device, Dev)",
        );
        let leader = rpc::call::<Pid>(&**ours, erl.name.as_str(), "erlang", "whereis", (t("device"),)).await.unwrap();
        let at_erl = erl.name.clone();
        let options = SpawnOptions { leader: Some(leader.clone()), ..SpawnOptions::default() };
        let (give, take) = tokio::sync::oneshot::channel();
        ours.spawn_with(options, move |mut ctx: Ctx| async move {
            let ctx = &mut ctx;
            assert_eq!(ctx.group_leader(), leader);
            io::put_chars(ctx, "hello").await.unwrap();
            io::format(ctx, "~p~n", (t("{a, 1}"),)).await.unwrap();
            assert_eq!(io::get_line(ctx, "p>").await.unwrap().as_deref(), Some("líne\n"));
            assert_eq!(io::get_chars(ctx, "", 3).await.unwrap().as_deref(), Some("xxx"));
            assert_eq!((io::columns(ctx).await, io::rows(ctx).await), (Ok(77), Err(IoError::Refused(t("enotsup")))));
            assert_eq!(io::getopts(ctx).await.unwrap(), [("echo".into(), t("true"))]);
            assert_eq!(io::setopts(ctx, [t("binary")]).await, Ok(()));
            assert_eq!(io::setopts(ctx, [t("bad")]).await, Err(IoError::Refused(t("enotsup"))));
            assert_eq!(io::requests(ctx, [t("a"), t("b")]).await, Ok(Term::Int(2)));
            let named = Device::from(("device", at_erl.as_str()));
            assert_eq!(named.get_password(ctx).await, Ok(None));
            assert_eq!(named.columns(ctx).await, Ok(77));
            ctx.send(&leader, Term::atom("stop"));
            assert_eq!(io::put_chars(ctx, "gone").await, Err(IoError::Terminated));
            assert_eq!(Device::from(("nobody", at_erl.as_str())).columns(ctx).await, Err(IoError::Terminated));
            assert_eq!(Device::from("nobody").columns(ctx).await, Err(IoError::Terminated));
            // Children have the leader of their parent.
            let (tell, told) = tokio::sync::oneshot::channel();
            ctx.spawn(|ctx: Ctx| async move {
                let _ = tell.send(ctx.group_leader());
            });
            assert_eq!(told.await.unwrap(), leader);
            let _ = give.send(ctx.unread());
        });
        assert_eq!(take.await.unwrap(), [], "nothing is left in the mailbox");
        erl.scene(
            "[receive {asked, Q} -> Q ?WAIT end || _ <- [1, 2]]",
            "[{put_chars,unicode,<<\"hello\">>},{put_chars,unicode,io_lib,format,[\"~p~n\",[{a,1}]]}]",
        );
        // OTP's own terminal.
        let user = rpc::call::<Pid>(&**ours, erl.name.as_str(), "erlang", "whereis", (t("user"),)).await.unwrap();
        let options = SpawnOptions { leader: Some(user), ..SpawnOptions::default() };
        ours.spawn_with(options, |mut ctx: Ctx| async move {
            io::format(&mut ctx, "~nfrom afar ~p~n", ("x",)).await.unwrap();
        });
        erl.until_printed(&["from afar <<\"x\">>"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_appears_at_who_asked_for_it_wherever_it_is_made() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        ours.export_async("tests", "say", |mut ctx: Ctx, what: Term| async move {
            // In a process of its own, which inherits the leader.
            let (give, take) = tokio::sync::oneshot::channel();
            ctx.spawn(|mut ctx: Ctx| async move {
                let _ = give.send(io::format(&mut ctx, "~n~ts said~n", (what,)).await);
            });
            assert_eq!(take.await.unwrap(), Ok(()));
            ctx.breathe().await;
            Term::atom("ok")
        });
        // At OTP's terminal: by rpc, by erpc, spawned.
        erl.check("rpc:call(Us, tests, say, [\"rpc\"])", "ok");
        erl.until_printed(&["rpc said"]);
        erl.check("erpc:call(Us, tests, say, [\"erpc\"])", "ok");
        erl.until_printed(&["erpc said"]);
        erl.scene("{P, M} = spawn_monitor(Us, tests, say, [\"spawned\"]), receive {'DOWN', M, _, P, R} -> R ?WAIT end", "normal");
        erl.until_printed(&["spawned said"]);
        erl.check("rpc:call(Us, io, format, [\"~nio ~s~n\", [here]])", "ok");
        erl.until_printed(&["io here"]);
        erl.check("[rpc:call(Us, io, put_chars, [\"\\nplain\\n\"]), rpc:call(Us, io, nl, []), erpc:call(Us, io, fwrite, [\"\"])]", "[ok,ok,ok]");
        erl.check("[{badrpc, {'EXIT', {badarg, _}}} = rpc:call(Us, io, format, [\"~z\", []])], ok", "ok");
        // What is asked for here appears at our leader.
        let page = Page::default();
        let options = SpawnOptions { leader: Some(page.leader().start(ours)), ..SpawnOptions::default() };
        let them = erl.name.clone();
        let (give, take) = tokio::sync::oneshot::channel();
        ours.spawn_with(options, move |mut ctx: Ctx| async move {
            let arguments = || vec![Term::string("~p~n"), Term::list([Term::atom("spawned")])];
            let (pid, watch) = ctx
                .spawn_at(them.as_str(), "io", "format", arguments(), SpawnAt { monitor: true, ..SpawnAt::default() })
                .await
                .unwrap();
            let down: trunkline::Down = ctx.receive().await;
            assert!(down.reference == watch && pid.node.name() == them.as_str());
            rpc::call::<Term>(&ctx, them.as_str(), "io", "format", (Term::string("by erpc~n"),)).await.unwrap();
            let _ = give.send(());
        });
        take.await.unwrap();
        assert_eq!(page.take(), "spawned\nby erpc\n");
        // A leader set from afar, both ways.
        let theirs = rpc::call::<Pid>(&**ours, erl.name.as_str(), "erlang", "whereis", (t("user"),)).await.unwrap();
        name(ours, "page", &page.leader().start(ours));
        let quiet = ours.spawn(|mut ctx: Ctx| async move {
            let _: Term = ctx.receive().await;
            io::put_chars(&mut ctx, "\nmoved\n").await.unwrap();
        });
        ours.set_group_leader(&quiet, &theirs);
        ours.send(&quiet, t("go"));
        erl.until_printed(&["moved"]);
        erl.eval("Q = spawn(fun() -> receive {go, F} -> io:format(\"changed ~p~n\", [node(group_leader())]), F ! done end end), register(quiet, Q)");
        let quiet = rpc::call::<Pid>(&**ours, erl.name.as_str(), "erlang", "whereis", (t("quiet"),)).await.unwrap();
        ours.set_group_leader(&quiet, &ours.whereis("page").unwrap());
        ours.send(&quiet, Term::tuple([t("go"), Term::Pid(quiet.clone())]));
        page.until_has(&format!("changed {}", ours.name())).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_user_of_our_node_reads_what_the_program_gives() {
    let epmd = trunkline_tests::world::private_epmd();
    let page = Page::default();
    let sink = page.clone();
    let node = trunkline_tests::world::node("alone@localhost", epmd)
        .output(move |text| sink.0.lock().unwrap().push_str(text))
        .input(Input::text("first\nsecond"))
        .start()
        .await
        .unwrap();
    let read = node.run(|mut ctx: Ctx| async move {
        let ctx = &mut ctx;
        assert_eq!(ctx.group_leader(), ctx.whereis("user").unwrap());
        let lines =
            [io::get_line(ctx, "1>").await, io::get_line(ctx, "2>").await, io::get_line(ctx, "").await];
        io::format(ctx, "~w", (t("[1]"),)).await.unwrap();
        assert_eq!(io::format(ctx, "~w", ()).await, Err(IoError::Refused(t("format"))));
        lines
    });
    assert_eq!(read.await, [Ok(Some("first\n".into())), Ok(Some("second".into())), Ok(None)]);
    assert_eq!(page.take(), "1>2>[1]");
    node.shutdown().await;
}
