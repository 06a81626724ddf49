//! State machines of ours, used by OTP; OTP's, used by ours.

use std::time::Duration;

use trunkline::gen_statem::{Event, Machine, Start, Step};
use trunkline::otp::{CallError, GenStatem};
use trunkline::prelude::*;
use trunkline::sys;
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::t;

/// A lock with a code.
struct Lock {
    code: Vec<i64>,
    typed: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, IntoTerm)]
enum State {
    Locked,
    Open,
}

#[derive(Request)]
enum Ask {
    Button(i64, Reply<Atom>),
    /// Answered when the lock is open.
    Enter(Reply<Atom>),
    Never(Reply<Atom>),
    Crash(Reply<Atom>),
}

#[derive(IntoTerm, FromTerm)]
enum Tell {
    Button(i64),
}

impl GenStatem for Lock {
    type Args = Vec<i64>;
    type State = State;
    type Call = Ask;
    type Cast = Tell;
    type Info = Nothing;
    type Internal = ();

    const STATE_ENTER: bool = true;

    async fn init(_: &mut Ctx, code: Vec<i64>) -> Result<(State, Self), Exit> {
        Ok((State::Locked, Lock { code, typed: Vec::new() }))
    }

    async fn enter(&mut self, _: &mut Ctx, _: &State, state: &State) -> Step<Self> {
        self.typed.clear();
        match state {
            State::Open => Step::keep().state_timeout(Duration::from_millis(200), ()),
            State::Locked => Step::keep(),
        }
    }

    async fn handle_event(&mut self, _: &mut Ctx, state: &State, event: Event<Self>) -> Step<Self> {
        match state {
            State::Locked => self.locked(event),
            State::Open => self.open(event),
        }
    }

    fn data_term(&self) -> Term {
        self.typed.clone().into_term()
    }
}

/// One function for each state.
impl Lock {
    fn locked(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Cast(Tell::Button(button)) => self.press(button),
            Event::Call(Ask::Button(button, reply)) => {
                let step = self.press(button);
                step.reply(reply, Atom::new("pressed"))
            }
            Event::Call(Ask::Crash(_)) => panic!("boom"),
            event @ Event::Call(Ask::Enter(_) | Ask::Never(_)) => Step::keep().postpone(event),
            _ => Step::keep(),
        }
    }

    fn open(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::StateTimeout(()) => Step::to(State::Locked),
            Event::Call(Ask::Enter(reply)) => Step::keep().reply(reply, Atom::new("welcome")),
            Event::Call(Ask::Button(_, reply)) => Step::keep().reply(reply, Atom::new("ignored")),
            event @ Event::Call(Ask::Never(_)) => Step::keep().postpone(event),
            _ => Step::keep(),
        }
    }

    fn press(&mut self, button: i64) -> Step<Self> {
        self.typed.push(button);
        if self.typed == self.code { Step::to(State::Open) } else { Step::keep() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_uses_a_machine_of_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        Start::<Lock>::new(vec![1, 2]).named("lock").start(ours).await.unwrap();
        erl.eval("L = {lock, Us}");
        for (question, answer) in [
            ("sys:get_state(L)", "{locked,[]}"),
            ("gen_statem:call(L, {button, 1})", "pressed"),
            ("sys:get_state(L)", "{locked,[1]}"),
            ("element(3, sys:get_status(L))", "{module,gen_statem}"),
            // Asked before it is open, answered then.
            ("R = gen_statem:send_request(L, enter), gen_statem:wait_response(R, 30)", "timeout"),
            ("gen_statem:cast(L, {button, 2})", "ok"),
            ("gen_statem:receive_response(R, 20000)", "{reply,welcome}"),
            ("sys:suspend(L), sys:resume(L)", "ok"),
        ] {
            erl.check(question, answer);
        }
        erl.until("element(1, sys:get_state(L))", "locked");
        for (question, answer) in [
            ("try gen_statem:call(L, never, 30) catch exit:{timeout, _} -> timeout end", "timeout"),
            ("L ! strange, gen_statem:cast(L, strange), gen_statem:call(L, {button, 9})", "pressed"),
            ("try gen_statem:call(L, {button, x}, infinity) catch exit:{{function_clause, [_]}, {gen_statem, call, _}} -> refused end", "refused"),
            ("try gen_statem:call(L, crash) catch exit:{{Why, [{rust, panic, 1, [{file, _}, {line, _}]}]}, _} -> Why end", "{panic,<<\"boom\">>}"),
        ] {
            erl.check(question, answer);
        }
        erl.check("try gen_statem:call(L, enter) catch exit:{W2, _} -> W2 end", "noproc");
        Start::<Lock>::new(vec![]).named("lock").start(ours).await.unwrap();
        erl.check("gen_statem:stop(L)", "ok");
    })
    .await;
}

/// The same machine in Erlang.
const THEIRS: &str = "{ok, Tokens, _} = erl_scan:string(\"-module(their_lock). -behaviour(gen_statem). -export([init/1, callback_mode/0, \
    handle_event/4]). callback_mode() -> [handle_event_function, state_enter]. init(C) -> {ok, locked, {C, []}}. \
    handle_event(enter, _, open, {C, _}) -> {keep_state, {C, []}, {state_timeout, 200, x}}; \
    handle_event(enter, _, locked, {C, _}) -> {keep_state, {C, []}}; \
    handle_event(state_timeout, x, open, D) -> {next_state, locked, D}; \
    handle_event({call, F}, enter, open, _) -> {keep_state_and_data, {reply, F, welcome}}; \
    handle_event({call, _}, enter, locked, _) -> {keep_state_and_data, postpone}; \
    handle_event({call, F}, {button, B}, locked, {C, T}) -> press(C, T ++ [B], [{reply, F, pressed}]); \
    handle_event({call, F}, {button, _}, open, _) -> {keep_state_and_data, {reply, F, ignored}}; \
    handle_event({call, _}, crash, _, _) -> exit(boom); \
    handle_event(cast, {button, B}, locked, {C, T}) -> press(C, T ++ [B], []); \
    handle_event(_, _, _, _) -> {keep_state_and_data, postpone}. \
    press(C, C, A) -> {next_state, open, {C, C}, A}; press(C, T, A) -> {keep_state, {C, T}, A}. \"), \
    Split = fun Split([], [], All) -> lists:reverse(All); Split([{dot, _} = D | T], Form, All) -> {ok, P} = \
    erl_parse:parse_form(lists:reverse([D | Form])), Split(T, [], [P | All]); Split([H | T], Form, All) -> Split(T, [H | Form], All) end, \
    {ok, their_lock, Code} = compile:forms(Split(Tokens, [], [])), code:load_binary(their_lock, \"x\", Code)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_otp_is_used_by_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        erl.eval(THEIRS);
        erl.check(
            "{ok, P} = gen_statem:start({local, their_lock}, their_lock, [1, 2], []), is_pid(P)",
            "true",
        );
        let lock = Machine::<Lock>::at(("their_lock", &Atom::new(&erl.name)));
        let atom = |text: &str| Ok(Atom::new(text));
        assert_eq!(lock.call(ours, |reply| Ask::Button(1, reply)).await, atom("pressed"));
        assert_eq!(sys::get_state(ours, &lock).await, Ok(t("{locked, {[1, 2], [1]}}")));
        let theirs = lock.clone();
        let entered = ours.run(move |mut ctx| async move {
            let request = theirs.send_request(&mut ctx, Ask::Enter);
            assert!(request.wait(&mut ctx, Some(Duration::from_millis(30))).await.is_none());
            theirs.cast(&mut ctx, Tell::Button(2));
            let answer = request.receive(&mut ctx, None).await;
            (answer, ctx.unread())
        });
        assert_eq!(entered.await, (atom("welcome"), vec![]));
        let never = lock.call_within(ours, Duration::from_millis(30), Ask::Never).await;
        assert_eq!(never, Err(CallError::Timeout));
        let crash = lock.call(ours, Ask::Crash).await;
        assert_eq!(crash, Err(CallError::Exited(t("boom"))));
        assert_eq!(lock.call(ours, Ask::Enter).await, Err(CallError::NoProc));
    })
    .await;
}
