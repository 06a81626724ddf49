//! Log events that cross nodes: whose output comes here, his errors come here too.

use trunkline::gen_statem::{self, Event, GenStatem, Step};
use trunkline::io::Leader;
use trunkline::prelude::*;
use trunkline::supervisor::{Child, Restart, Supervisor};
use trunkline_tests::logs;
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::eventually;

async fn logged(words: &[&str]) -> String {
    eventually(&format!("{words:?} is logged"), async || !logs::with(words).is_empty()).await;
    logs::with(words).remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_otps_processes_log_whose_leader_is_here_is_logged_here() {
    logs::keep();
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let leader = Leader::new(|_| {}).start(ours);
        ours.register("leader", &leader).unwrap();
        erl.eval("logger:set_primary_config(level, all), L = erpc:call(Us, erlang, whereis, [leader])");
        // The evaluator itself needs its leader to read.
        erl.eval(
            "Do = fun(F) -> {P, M} = spawn_monitor(fun() -> group_leader(L, self()), F() end), \
             receive {'DOWN', M, process, P, R} -> R after 30000 -> lost end end",
        );
        let them = erl.name.clone();
        // Every level, with a format, a report, a string.
        erl.check("Do(fun() -> [logger:log(V, \"level ~w~n~p\", [V, Us]) || V <- [emergency, alert, critical, error, warning, notice, info, debug]] end)", "normal");
        for (word, level, named) in [
            ("emergency", "ERROR", "[emergency] "),
            ("alert", "ERROR", "[alert] "),
            ("critical", "ERROR", "[critical] "),
            ("error", "ERROR", ""),
            ("warning", "WARN", ""),
            ("notice", "INFO", "[notice] "),
            ("info", "INFO", ""),
            ("debug", "DEBUG", ""),
        ] {
            let line = logged(&[&format!("{named}level {word} {}", ours.name())]).await;
            assert!(line.starts_with(level) && line.contains(&them), "{line}");
        }
        erl.eval(&format!(
            "Do(fun() -> logger:warning(#{{what => odd, at => '{them}'}}), logger:error(\"only a string ~p {them}\"), \
             logger:notice([{{pair, 1}}, {{for, '{them}'}}]) end)"
        ));
        assert!(logged(&["what: odd", &them]).await.starts_with("WARN"));
        logged(&["only a string ~p", &them]).await;
        logged(&["[notice] pair: 1; for: ", &them]).await;
        // A process that crashes, a behaviour that does, a supervisor that tells of it.
        erl.eval("Do(fun() -> error({plain, crash, Us}) end)");
        logged(&["ERROR", "Error in process", "with exit value:", "plain,crash", ours.name().as_str()]).await;
        erl.eval("Do(fun() -> proc_lib:spawn(fun() -> register(crasher, self()), error({proc_lib, Us}) end) end)");
        logged(&["crashed. error: {proc_lib,", "(crasher)", "initial_call", ours.name().as_str()]).await;
        erl.eval("Do(fun() -> supervisor:start_link({local, logging_sup}, logger_sup, []) end)");
        logged(&["ERROR", "Supervisor: {local,logging_sup}. Context: start_error", "id: ", &them]).await;
        // The old form, and nonsense.
        erl.eval(&format!("{{error_logger, Us}} ! {{notify, {{warning_msg, self(), {{self(), \"old ~w\", ['{them}']}}}}}}"));
        assert!(logged(&["old ", &them]).await.starts_with("WARN"));
        erl.eval("[{logger_proxy, Us} ! M || M <- [{log}, {log, error}, {log, error, x}, {log, 1, 2, 3}, {log, error, [a | b], x, y}, junk, \
             {log, error, \"~z\", [], #{}}, {log, error, #{label => {supervisor, 1}, report => 7}, #{pid => x}}, \
             {log, info, #{label => {proc_lib, crash}, report => [[a], b]}, []}, {log, nonsense, \"last ~p\", [Us], #{}}]], \
             [{error_logger, Us} ! {notify, M} || M <- [x, {}, {error, x, y}, {error, self(), {x, y, z}}, {info_report, x, {a, b, [c | d]}}]]");
        logged(&[&format!("last {}", ours.name())]).await;
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_ours_that_crashes_is_logged_here_and_where_its_leader_is() {
    logs::keep();
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        ours.export_async("tests", "crash", |ctx: Ctx, what: String| async move {
            ctx.register("crasher").unwrap();
            if what == "quiet" {
                return Err(trunkline::Exit::from("quiet"));
            }
            panic!("crashed: {what}");
            #[allow(unreachable_code)]
            Ok(Term::NIL)
        });
        let us = ours.name().clone();
        erl.scene("{P, M} = spawn_monitor(Us, tests, crash, [<<\"boom\">>]), receive {'DOWN', M, _, P, {{panic, T}, [{rust, panic, 1, [{file, F}, {line, L}]}]}} when L > 1 -> {T, F} ?WAIT end", "{<<\"crashed: boom\">>,\"tests/tests/logging.rs\"}");
        erl.until_printed(&["Error in process", us.as_str(), "with exit value"]);
        erl.until_printed(&["crashed: boom"]);
        let line = logged(&["Error in process", "(crasher)", us.as_str(), "crashed: boom", "tests/logging.rs:"]).await;
        assert!(line.starts_with("ERROR"), "{line}");
        // What does not exist is an error too, as OTP has it; who exits on purpose is not logged.
        erl.eval("spawn(Us, no, such, [thing])");
        logged(&["Error in process", us.as_str(), "{undef,[{no,such,[thing],[]}]}"]).await;
        erl.until_printed(&["undef"]);
        erl.scene("{P, M} = spawn_monitor(Us, tests, crash, [<<\"quiet\">>]), receive {'DOWN', M, _, P, R} -> R ?WAIT end", "quiet");
        assert!(logs::with(&["Error in process", us.as_str(), "quiet"]).is_empty());
    })
    .await;
}

struct Frail;

#[derive(FromTerm, IntoTerm)]
enum Order {
    Crash,
}

impl GenServer for Frail {
    type Args = ();
    type Call = Nothing;
    type Cast = Order;
    type Info = Nothing;

    async fn init(_: &mut Ctx, (): ()) -> Result<Self, Exit> {
        Ok(Frail)
    }

    async fn handle_cast(&mut self, _: &mut Ctx, Order::Crash: Order) -> Flow {
        panic!("frail as it is");
    }

    fn state_term(&self) -> Term {
        Term::atom("state_of_frail")
    }
}

struct Brittle;

impl GenStatem for Brittle {
    type Args = ();
    type State = bool;
    type Call = Nothing;
    type Cast = Order;
    type Info = Nothing;
    type Internal = ();

    async fn init(_: &mut Ctx, (): ()) -> Result<(bool, Self), Exit> {
        Ok((true, Brittle))
    }

    async fn handle_event(&mut self, _: &mut Ctx, _: &bool, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Cast(Order::Crash) => panic!("brittle as it is"),
            _ => Step::keep(),
        }
    }

    fn data_term(&self) -> Term {
        Term::atom("data_of_brittle")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_our_behaviours_report_is_in_otps_log_when_their_leader_is_there() {
    logs::keep();
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        ours.export_async("tests", "serve", |mut ctx: Ctx| async move {
            let child = Child::named_server::<Frail>("frail", "frail", ()).restart(Restart::Permanent);
            Supervisor::one_for_one().named("frail_sup").child(child).start_link(&mut ctx).await.unwrap();
            gen_statem::Start::<Brittle>::new(()).named("brittle").start(&mut ctx).await.unwrap();
            let _: Term = ctx.receive().await;
            Term::NIL
        });
        erl.eval("Keeper = spawn(Us, tests, serve, [])");
        erl.until("is_pid(rpc:call(Us, erlang, whereis, [brittle]))", "true");
        erl.eval("gen_server:cast({frail, Us}, odd), gen_server:cast({frail, Us}, crash), gen_statem:cast({brittle, Us}, crash)");
        erl.until_printed(&["no_handle_cast"]);
        for words in [
            &["** Generic server frail terminating"][..],
            &["** Last message in was", "crash"],
            &["** When Server state == state_of_frail"],
            &["** State machine brittle terminating"],
            &["** When server state", "{true,data_of_brittle}"],
            &["CRASH REPORT"],
            &["SUPERVISOR REPORT"],
            &["{local,frail_sup}"],
            &["errorContext: child_terminated"],
        ] {
            erl.until_printed(words);
        }
        let line = logged(&["Generic server", "frail", "terminating", "state_of_frail"]).await;
        assert!(line.starts_with("ERROR"), "{line}");
        erl.eval("exit(Keeper, kill)");
    })
    .await;
}
