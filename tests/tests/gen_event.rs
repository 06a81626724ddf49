//! Event managers of ours, used by OTP; OTP's, used by ours.

use trunkline::otp::GenEvent;
use trunkline::otp::gen_event::{EventError, Handler, Leave, Manager, Next, Start};
use trunkline::prelude::*;
use trunkline::sys;
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::t;

/// Keeps what it hears.
struct Recorder(Vec<Term>);

#[derive(Request)]
enum Ask {
    Heard(Reply<Vec<Term>>),
    Crash(Reply<i64>),
}

impl GenEvent for Recorder {
    type Args = Term;
    type Event = Term;
    type Call = Ask;

    async fn init(_: &mut Ctx, first: Term) -> Result<Self, Exit> {
        Ok(Recorder(vec![first]))
    }

    async fn handle_event(&mut self, _: &mut Ctx, event: Term) -> Next {
        if event.is_atom("leave") {
            return Next::Remove;
        }
        self.0.push(event);
        Next::Continue
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Next {
        match ask {
            Ask::Heard(reply) => reply.send(self.0.clone()),
            Ask::Crash(_reply) => panic!("boom"),
        }
        Next::Continue
    }

    async fn terminate(&mut self, _: &mut Ctx, why: Leave) -> Term {
        match why {
            Leave::Asked(args) => Term::tuple([args, Term::list(self.0.drain(..))]),
            _ => Term::atom("ok"),
        }
    }

    fn state_term(&self) -> Term {
        Term::list(self.0.iter().cloned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_uses_a_manager_of_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        let manager = Start::new().named("events").offer::<Recorder>("recorder").start(ours).await.unwrap();
        erl.eval("E = {events, Us}");
        for (question, answer) in [
            ("gen_event:add_handler(E, recorder, start)", "ok"),
            ("gen_event:add_handler(E, {recorder, 2}, other)", "ok"),
            ("gen_event:which_handlers(E)", "[{recorder,2},recorder]"),
            ("gen_event:notify(E, ring)", "ok"),
            ("gen_event:sync_notify(E, {ring, 2})", "ok"),
            ("gen_event:call(E, recorder, heard)", "[start,ring,{ring,2}]"),
            ("gen_event:call(E, {recorder, 2}, heard)", "[other,ring,{ring,2}]"),
            ("gen_event:call(E, nobody, heard)", "{error,bad_module}"),
            ("R = gen_event:send_request(E, recorder, heard), element(1, gen_event:receive_response(R, 20000))", "reply"),
            ("sys:get_state(E)", "[{recorder,2,[other,ring,{ring,2}]},{recorder,false,[start,ring,{ring,2}]}]"),
            ("element(3, sys:get_status(E))", "{module,gen_event}"),
            ("gen_event:swap_handler(E, {recorder, bye}, {{recorder, 3}, new})", "ok"),
            ("gen_event:call(E, {recorder, 3}, heard)", "[{new,{bye,[start,ring,{ring,2}]}}]"),
            ("gen_event:delete_handler(E, {recorder, 2}, done)", "{done,[other,ring,{ring,2}]}"),
            ("gen_event:delete_handler(E, {recorder, 2}, done)", "{error,module_not_found}"),
            ("{'EXIT', {undef, _}} = gen_event:add_handler(E, nobody, []), undef", "undef"),
            // Supervised by a process of OTP.
            ("gen_event:add_sup_handler(E, {recorder, 4}, x)", "ok"),
            ("{error, {'EXIT', {{panic, B}, [{rust, panic, 1, [{file, _}, {line, _}]}]}}} = gen_event:call(E, {recorder, 4}, crash), B", "<<\"boom\">>"),
            ("receive {gen_event_EXIT, {recorder, 4}, {'EXIT', {{panic, _}, [_]}}} -> told after 20000 -> lost end", "told"),
            (
                "P = spawn(fun() -> gen_event:add_sup_handler(E, {recorder, 5}, x), receive stop -> ok end end), ok",
                "ok",
            ),
        ] {
            erl.check(question, answer);
        }
        erl.until("lists:member({recorder, 5}, gen_event:which_handlers(E))", "true");
        erl.eval("P ! stop");
        erl.until("lists:member({recorder, 5}, gen_event:which_handlers(E))", "false");
        erl.check("gen_event:sync_notify(E, leave), gen_event:which_handlers(E)", "[]");
        erl.check("gen_event:stop(E)", "ok");
        assert!(!ours.is_process_alive(manager.pid().unwrap()));
    })
    .await;
}

/// A handler for OTP's side that does what ours does.
const THEIRS: &str = "{ok, Tokens, _} = erl_scan:string(\"-module(their_recorder). -export([init/1, handle_event/2, handle_call/2, \
    terminate/2]). init(A) -> {ok, [A]}. handle_event(E, S) -> {ok, [E | S]}. handle_call(heard, S) -> {ok, \
    lists:reverse(S), S}; handle_call(crash, _) -> exit(boom). terminate({stop, _}, _) -> ok; terminate(A, S) -> {A, S}. \"), \
    Split = fun Split([], [], All) -> lists:reverse(All); Split([{dot, _} = D | T], Form, All) -> {ok, P} = \
    erl_parse:parse_form(lists:reverse([D | Form])), Split(T, [], [P | All]); Split([H | T], Form, All) -> Split(T, [H | Form], All) end, \
    {ok, their_recorder, Code} = compile:forms(Split(Tokens, [], [])), code:load_binary(their_recorder, \"x\", Code)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_of_otp_is_used_by_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        erl.eval(THEIRS);
        erl.check(
            "catch gen_event:stop(their_events), {ok, M} = gen_event:start({local, their_events}), is_pid(M)",
            "true",
        );
        let manager = Manager::at(("their_events", &Atom::new(&erl.name)));
        manager.add_handler_by_name(ours, "their_recorder", Term::atom("start")).await.unwrap();
        let missing = manager.add_handler_by_name(ours, "nobody", Term::NIL).await;
        assert!(matches!(missing, Err(EventError::Failed(_))), "{missing:?}");
        manager.notify(ours, Term::atom("ring"));
        manager.sync_notify(ours, t("{ring, 2}")).await.unwrap();
        let heard = manager.call::<Recorder, _>(ours, "their_recorder", Ask::Heard).await;
        assert_eq!(heard, Ok(vec![t("start"), t("ring"), t("{ring, 2}")]));
        let nobody = manager.call::<Recorder, _>(ours, "nobody", Ask::Heard).await;
        assert_eq!(nobody, Err(EventError::NoHandler));
        let handlers = manager.which_handlers(ours).await.unwrap();
        assert_eq!(handlers, vec!["their_recorder".into()]);
        assert_eq!(
            sys::get_state(ours, &manager).await,
            Ok(t("[{their_recorder, false, [{ring, 2}, ring, start]}]"))
        );
        let left = manager.delete_handler(ours, "their_recorder", Term::atom("bye")).await;
        assert_eq!(left, Ok(t("{bye, [{ring, 2}, ring, start]}")));
        // A handler that is a Rust value cannot travel.
        let value = Handler::new::<Recorder>("recorder", Term::NIL);
        assert!(manager.add_handler(ours, value).await.is_err());
        ours.run(move |mut ctx| async move {
            manager.stop(&mut ctx, Exit::normal(), None).await.unwrap();
            assert_eq!(ctx.unread(), vec![]);
        })
        .await;
    })
    .await;
}
