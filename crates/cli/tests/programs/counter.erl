%% A gen_server: calls, casts, messages, timeouts, continuations, ends of every kind, and what sys says of it.
-module(counter).
-behaviour(gen_server).
-export([main/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, terminate/2, code_change/3]).

main() ->
    process_flag(trap_exit, true),
    {ok, Pid} = gen_server:start_link({local, counter}, ?MODULE, 10, []),
    say(started, is_pid(Pid)),
    say(again, element(1, gen_server:start_link({local, counter}, ?MODULE, 10, []))),
    say(add, gen_server:call(counter, {add, 5})),
    say(cast, gen_server:cast(counter, {add, 1})),
    counter ! {add, 2},
    say(get, gen_server:call(Pid, get)),
    say(later, gen_server:call(Pid, later, 1000)),
    say(here, gen_server:call({counter, node()}, get)),
    say(multi, gen_server:multi_call([node()], counter, get)),
    say(abcast, gen_server:abcast([node()], counter, {add, 1})),
    Id = gen_server:send_request(counter, get),
    say(request, gen_server:receive_response(Id, 1000)),
    Other = gen_server:send_request(counter, get),
    say(wait, gen_server:wait_response(Other, 1000)),
    say(late, catch gen_server:call(counter, never, 10)),
    say(noproc, catch gen_server:call(nobody, hello)),
    say(self, catch gen_server:call(self(), hello)),
    say(state, sys:get_state(counter)),
    say(replace, sys:replace_state(counter, fun(N) -> N * 2 end)),
    say(suspend, sys:suspend(counter)),
    say(suspended, catch gen_server:call(counter, get, 20)),
    say(resume, sys:resume(counter)),
    {status, Pid, {module, gen_server}, [Dictionary, Status, _Parent, _Debug | _]} = sys:get_status(counter),
    say(status, {Status, proplists:get_value('$initial_call', Dictionary),
                 length(proplists:get_value('$ancestors', Dictionary))}),
    say(continue, gen_server:call(counter, continue)),
    say(after_continue, gen_server:call(counter, get)),
    say(timeout, gen_server:call(counter, timeout)),
    timer:sleep(50),
    say(after_timeout, gen_server:call(counter, get)),
    say(hibernate, gen_server:call(counter, hibernate)),
    say(awake, gen_server:call(counter, get)),
    say(stop, gen_server:stop(counter)),
    exits(Pid),
    [ends(How) || How <- [{stop, normal}, {stop, shutdown}, {stop, {shutdown, why}}, {reply_stop, normal}]],
    ends(bad_return),
    ends(crash),
    ends(throws),
    ends(exits),
    [init(How, start) || How <- [{stop, no}, ignore, {crash, x}, {bad, value}]],
    [init(How, start_link) || How <- [{stop, no}, ignore]],
    {ok, Monitored} = gen_server:start(?MODULE, 1, []),
    Ref = monitor(process, Monitored),
    gen_server:stop(Monitored, {shutdown, done}, 1000),
    receive {'DOWN', Ref, process, Monitored, Why} -> say(down, Why) after 1000 -> say(down, late) end,
    say(end_of, flush()),
    % The logger of OTP has its say.
    timer:sleep(100).

say(What, Value) -> io:format("~p: ~p~n", [What, clean(Value)]).

clean({'EXIT', {Reason, Stack}}) when is_list(Stack) -> {'EXIT', Reason};
clean(Value) -> Value.

exits(Pid) ->
    receive {'EXIT', Pid, Reason} -> say(exit, trim(Reason)) after 1000 -> say(exit, late) end.

trim({Reason, [{_, _, _, _} | _]}) -> {Reason, stack};
trim(Reason) -> Reason.

ends(How) ->
    {ok, Pid} = gen_server:start_link(?MODULE, 0, []),
    say(How, case catch gen_server:call(Pid, How) of
                 {'EXIT', {Reason, {gen_server, call, [_, Question]}}} -> {exit, trim(Reason), Question};
                 Value -> Value
             end),
    exits(Pid).

init(How, Function) ->
    say({init, How}, case catch gen_server:Function(?MODULE, How, []) of
                         {error, Reason} -> {error, trim(Reason)};
                         Other -> Other
                     end),
    case Function of
        start -> ok;
        start_link -> receive {'EXIT', _, Reason1} -> say(exit, trim(Reason1)) after 20 -> say(exit, none) end
    end.

flush() -> receive {_, late_answer} -> flush(); Message -> [Message | flush()] after 0 -> [] end.

init({stop, Why}) -> {stop, Why};
init(ignore) -> ignore;
init({crash, Why}) -> error(Why);
init({bad, Value}) -> Value;
init(N) -> {ok, N}.

handle_call({add, M}, _From, N) -> {reply, N + M, N + M};
handle_call(get, _From, N) -> {reply, N, N};
handle_call(later, From, N) ->
    Self = self(),
    spawn(fun() -> gen_server:cast(Self, {reply, From, later}) end),
    {noreply, N};
handle_call(never, _From, N) -> {noreply, N};
handle_call(continue, _From, N) -> {reply, ok, N, {continue, 100}};
handle_call(timeout, _From, N) -> {reply, ok, N, 10};
handle_call(hibernate, _From, N) -> {reply, ok, N, hibernate};
handle_call({stop, Why}, _From, N) -> {stop, Why, N};
handle_call({reply_stop, Why}, _From, N) -> {stop, Why, bye, N};
handle_call(bad_return, _From, _) -> nonsense;
handle_call(crash, _From, N) -> N + a;
handle_call(throws, _From, N) -> throw({noreply, thrown_of(N)});
handle_call(exits, _From, _) -> exit(gone).

thrown_of(N) -> self() ! {stop, thrown}, N.

handle_cast({add, M}, N) -> {noreply, N + M};
handle_cast({reply, From, What}, N) -> gen_server:reply(From, What), {noreply, N}.

handle_info({add, M}, N) -> {noreply, N + M};
handle_info(timeout, N) -> {noreply, N + 1000};
handle_info({stop, Why}, N) -> {stop, {shutdown, Why}, N};
handle_info(_, N) -> {noreply, N}.

handle_continue(M, N) -> {noreply, N + M}.

terminate(Why, N) -> say(terminate, {trim(Why), N}).

code_change(_, N, _) -> {ok, N}.
