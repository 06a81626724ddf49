//! Generic servers of ours, used by OTP; OTP's, used by ours.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use trunkline::gen_server::Start;
use trunkline::otp::pending::{Requests, Response, send_request};
use trunkline::otp::{CallError, Name, report};
use trunkline::prelude::*;
use trunkline::{ServerRef, sys};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, PATIENCE, t};

struct Till {
    sum: i64,
    later: Vec<Reply<i64>>,
    casts: i64,
}

#[derive(Request)]
enum Ask {
    Get(Reply<i64>),
    Add(i64, Reply<i64>),
    Later(i64, Reply<i64>),
    #[term(tag = "self")]
    Me(Reply<Pid>),
    Never(Reply<i64>),
    Stop(Term, Reply<Atom>),
    Crash(Reply<i64>),
}

#[derive(IntoTerm, FromTerm)]
enum Tell {
    Add(i64),
}

impl GenServer for Till {
    type Args = i64;
    type Call = Ask;
    type Cast = Tell;
    type Info = i64;

    async fn init(_: &mut Ctx, sum: i64) -> Result<Self, Exit> {
        Ok(Till { sum, later: Vec::new(), casts: 0 })
    }

    async fn handle_call(&mut self, ctx: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::Get(reply) => reply.send(self.sum),
            Ask::Add(k, reply) => {
                self.sum += k;
                reply.send(self.sum);
            }
            Ask::Later(_, reply) | Ask::Never(reply) => self.later.push(reply),
            Ask::Me(reply) => reply.send(ctx.pid()),
            Ask::Stop(reason, reply) => {
                reply.send(Atom::new("stopping"));
                return Flow::stop(reason);
            }
            Ask::Crash(_reply) => panic!("boom"),
        }
        Flow::Continue
    }

    async fn handle_cast(&mut self, _: &mut Ctx, Tell::Add(k): Tell) -> Flow {
        self.sum += k;
        self.casts += 1;
        Flow::Continue
    }

    async fn handle_info(&mut self, _: &mut Ctx, answer: i64) -> Flow {
        self.later.drain(..).for_each(|reply| reply.send(answer));
        Flow::Continue
    }

    fn state_term(&self) -> Term {
        self.sum.into_term()
    }
}

async fn till(node: &Node, name: impl Into<Name>) -> Server<Till> {
    Start::<Till>::new(0).named(name).start(node).await.expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_uses_a_server_of_ours_as_one_of_its_own() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        report::listen(ours, move |report| ear.lock().unwrap().push(report.label().unwrap().clone()));
        till(ours, "till").await;
        till(ours, Name::global(Atom::new("leader"))).await;
        erl.eval("T = {till, Us}, C = fun(Q) -> try gen_server:call(T, Q, 20000) catch exit:{W, _} -> {exit, W} end end");
        for (question, answer) in [
            ("C({add, 2})", "2"),
            ("gen_server:cast(T, {add, 5})", "ok"),
            ("C(get)", "7"),
            ("gen_server:call(C(self), get)", "7"),
            ("gen_server:multi_call([Us, 'nobody@localhost'], till, get) =:= {[{Us, 7}], ['nobody@localhost']}", "true"),
            ("gen_server:abcast([Us], till, {add, 1}), C(get)", "8"),
            // The tag of multi_call since OTP 26.
            (
                "(fun() -> A = alias(), M = make_ref(), Tag = [[alias | A] | M], T ! {'$gen_call', {self(), Tag}, get}, \
                 receive {Tag, N} -> N after 20000 -> lost end end)()",
                "8",
            ),
            ("(fun() -> T ! {'$gen_call', {self(), old}, get}, receive {old, N} -> N after 20000 -> lost end end)()", "8"),
            ("gen_server:receive_response(gen_server:send_request(T, get), 20000)", "{reply,8}"),
            ("(fun() -> R = gen_server:send_request(T, {later, 1}), T ! 42, gen_server:receive_response(R, 20000) end)()", "{reply,42}"),
            ("try gen_server:call(T, never, 30) catch exit:{timeout, _} -> timeout end", "timeout"),
            // The answer that comes too late is nowhere.
            ("T ! 43, C(get), process_info(self(), messages)", "{messages,[]}"),
            ("T ! strange, gen_server:cast(T, strange), C(get)", "8"),
            ("try gen_server:call(T, strange, infinity) catch exit:{{function_clause, [_]}, {gen_server, call, _}} -> refused end", "refused"),
            ("gen_server:call({global, leader}, {add, 4})", "4"),
            ("{exit, {{panic, Boom}, [{rust, panic, 1, [{file, File}, {line, _}]}]}} = C(crash), {Boom, File}", "{<<\"boom\">>,\"tests/tests/gen_server.rs\"}"),
            ("C(get)", "{exit,noproc}"),
        ] {
            erl.check(question, answer);
        }
        till(ours, "till").await;
        erl.check("C({stop, {shutdown, done}})", "stopping");
        erl.check("C(get)", "{exit,noproc}");
        till(ours, "till").await;
        erl.check("gen_server:stop(T)", "ok");
        erl.check("C(get)", "{exit,noproc}");
        till(ours, "till").await;
        erl.check("P = C(self), M = monitor(process, P), exit(P, kill), receive {'DOWN', M, _, _, W} -> W end", "killed");
        let mut labels: Vec<String> = heard.lock().unwrap().iter().map(|label| format!("{label:?}")).collect();
        labels.sort();
        let expected = [
            "{gen_server,no_handle_call}",
            "{gen_server,no_handle_cast}",
            "{gen_server,no_handle_info}",
            "{gen_server,terminate}",
            "{proc_lib,crash}",
        ];
        assert_eq!(labels, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_otp_shell_looks_into_a_server_of_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        till(ours, "till").await;
        erl.eval("T = {till, Us}, P = gen_server:call(T, self)");
        for (question, answer) in [
            ("sys:get_state(T)", "0"),
            ("try sys:replace_state(T, fun(_) -> 1 end) catch error:{callback_failed, _, _} -> failed end", "failed"),
            (
                "(fun() -> {status, P, {module, gen_server}, [D, running, _, [], _]} = sys:get_status(T), \
                 proplists:get_value('$initial_call', D) end)()",
                "{'Till',init,1}",
            ),
            (
                "(fun() -> {dictionary, D} = rpc:call(Us, erlang, process_info, [P, dictionary]), \
                 {proplists:get_value('$initial_call', D), is_list(proplists:get_value('$ancestors', D))} end)()",
                "{{'Till',init,1},true}",
            ),
            ("sys:suspend(T)", "ok"),
            ("try gen_server:call(T, get, 30) catch exit:{timeout, _} -> timeout end", "timeout"),
            ("lists:nth(2, element(4, sys:get_status(T)))", "suspended"),
            ("sys:change_code(T, m, v, x)", "{error,notsup}"),
            ("sys:resume(T)", "ok"),
            ("gen_server:call(T, get)", "0"),
            ("sys:statistics(T, true)", "ok"),
            ("sys:log(T, true)", "ok"),
            ("gen_server:call(T, {add, 3})", "3"),
            (
                "(fun() -> {ok, S} = sys:statistics(T, get), [proplists:get_value(K, S) || K <- [messages_in, messages_out]] end)()",
                "[1,1]",
            ),
            (
                "(fun() -> {ok, [{in, {'$gen_call', _, Q}}, {out, A, _, S}]} = sys:log(T, get), {Q, A, S} end)()",
                "{{add,3},3,3}",
            ),
            ("sys:no_debug(T)", "ok"),
            ("sys:statistics(T, get)", "{ok,no_statistics}"),
            ("T ! {system, {self(), tag}, what}, receive {tag, X} -> X after 20000 -> lost end", "{error,{unknown_system_msg,what}}"),
            ("sys:terminate(T, normal)", "ok"),
        ] {
            erl.check(question, answer);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_otp_is_used_as_one_of_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        let them = Atom::new(&erl.name);
        erl.check("global:register_name(their_leader, whereis(counter))", "yes");
        let server = Server::<Till>::at(("counter", &them));
        let before = server.call(ours, |reply| Ask::Add(0, reply)).await.unwrap();
        server.cast(ours, Tell::Add(3));
        assert_eq!(server.call(ours, |reply| Ask::Later(9, reply)).await, Ok(9));
        let pid = server.call(ours, Ask::Me).await.unwrap();
        let by_pid = Server::<Till>::at(pid);
        let by_name = Server::<Till>::at(ServerRef::global(Atom::new("their_leader")));
        world::eventually("the name is known here", async || by_name.place().whereis(ours).is_some()).await;
        for server in [&by_pid, &by_name] {
            assert_eq!(server.call(ours, |reply| Ask::Add(0, reply)).await, Ok(before + 3));
        }
        let soon = Duration::from_millis(30);
        assert_eq!(server.call_within(ours, soon, Ask::Never).await, Err(CallError::Timeout));
        let nobody = Server::<Till>::at(ServerRef::global(Atom::new("nobody")));
        assert_eq!(nobody.call(ours, Ask::Get).await, Err(CallError::NoProc));
        assert_eq!(sys::get_state(ours, &server).await, Ok(Term::Int(before + 3)));
        sys::suspend(ours, &server).await.unwrap();
        assert_eq!(server.call_within(ours, soon, Ask::Me).await, Err(CallError::Timeout));
        sys::resume(ours, &server).await.unwrap();
        let status = format!("{:?}", sys::get_status(ours, &server).await.unwrap());
        assert!(status.contains("{module,gen_server}"), "{status}");
        ours.run(move |mut ctx| async move {
            let nodes = [them.clone(), Atom::new("nobody@localhost")];
            let add = |reply| Ask::Add(0, reply);
            let multi =
                Server::<Till>::multi_call(&mut ctx, nodes.clone(), "counter", Some(PATIENCE), add).await;
            assert_eq!(
                (multi.replies, multi.bad_nodes),
                (vec![(them.clone(), before + 3)], vec![nodes[1].clone()])
            );
            Server::<Till>::abcast(&mut ctx, [them.clone()], "counter", || Tell::Add(1));
            let mut requests = Requests::new();
            for (label, question) in [("late", "never"), ("early", "{add, 0}")] {
                let id = send_request(&mut ctx, ("counter", &them), t(question));
                requests.add(label, id);
            }
            let first = requests.receive(&mut ctx, Some(PATIENCE)).await;
            assert_eq!(first, Response::Answer("early", Ok(Term::Int(before + 4))));
            let open = requests.wait(&mut ctx, Some(Duration::from_millis(10))).await;
            assert_eq!(open, Response::Timeout);
            let stopped = server.call(&mut ctx, |reply| Ask::Stop(t("boom"), reply)).await;
            assert_eq!(stopped, Err(CallError::Exited(t("boom"))));
            let lost = requests.receive(&mut ctx, Some(PATIENCE)).await;
            assert_eq!(lost, Response::Answer("late", Err(CallError::Exited(t("boom")))));
            assert_eq!(ctx.unread(), vec![]);
        })
        .await;
        erl.check("element(1, guest:start())", "ok");
    })
    .await;
}
