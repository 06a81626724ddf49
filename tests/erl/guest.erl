%% What the tests need on OTP's side and the standard library does not have.
-module(guest).
-behaviour(gen_server).
-export([echo/0, echo/1, linked_echo/1, exit_after/1, trap/1, gatherer/2, burst/3, collect/1, watch_all/2, seen/1]).
-export([anchor/0, dialer/1, tally/1]).
-export([same/2, eval/1, there_and_back/2, closure/1]).
-export([start/0, init/1, handle_call/3, handle_cast/2, handle_info/2]).

%% Registers `echo`: answers {From, Message} with {echo, Message}, ends as {stop, Reason} says.
echo() ->
    case whereis(echo) of
        undefined -> Pid = spawn(?MODULE, echo, [loop]), register(echo, Pid), Pid;
        Pid -> Pid
    end.

echo(loop) ->
    receive
        {From, link} -> link(From), From ! linked;
        {From, unlink} -> unlink(From), From ! unlinked;
        {From, {check, Value, Text}} -> From ! {checked, (catch same(Value, eval(Text)))};
        {From, Message} when is_pid(From); is_reference(From) -> From ! {echo, Message};
        {stop, Reason} -> exit(Reason)
    end,
    echo(loop).

%% Whether two terms are one: equal, and the same bytes (which tells 0.0 from -0.0).
same(A, B) -> A =:= B andalso term_to_binary(A, [deterministic]) =:= term_to_binary(B, [deterministic]).

eval(Text) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(<<Text/binary, ".">>)),
    {ok, Exprs} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Exprs, []),
    Value.

%% Sends the value to a foreign echo, and tells whether it came back as it went.
there_and_back(Echo, Value) ->
    Echo ! {self(), Value},
    receive {echo, Back} -> same(Value, Back) after 30000 -> timeout end.

closure(X) -> fun(Y) -> {X, Y} end.

linked_echo(To) -> link(To), echo(loop).

exit_after(Reason) -> receive go -> exit(Reason) end.

%% A process that traps exits and keeps everything it hears; `seen` takes it out.
trap(Fun) ->
    spawn(fun() -> process_flag(trap_exit, true), Fun(), watch_loop([]) end).

watch_loop(Heard) ->
    receive
        {seen, From, Ref} -> From ! {Ref, lists:reverse(Heard)}, watch_loop(Heard);
        Message -> watch_loop([Message | Heard])
    end.

seen(Pid) ->
    Ref = make_ref(),
    Pid ! {seen, self(), Ref},
    receive {Ref, Heard} -> Heard after 20000 -> timeout end.

%% A process that links to, monitors (twice), and watches the node of everybody in the list.
watch_all(Pids, Node) ->
    Pid = trap(fun() ->
        [begin link(P), erlang:monitor(process, P), erlang:monitor(process, {echo, Node}) end || P <- Pids],
        erlang:monitor_node(Node, true)
    end),
    seen(Pid),
    Pid.

%% Waits for Each messages {Sender, 1}, {Sender, 2}, ... of each of Senders senders; tells To whether each came in order.
gatherer(Senders, Each) ->
    gather(Senders * Each, #{}).

gather(0, Last) -> {ok, map_size(Last)};
gather(N, Last) ->
    receive
        {Sender, Number} when is_integer(Number) ->
            case maps:get(Sender, Last, 0) + 1 of
                Number -> gather(N - 1, Last#{Sender => Number});
                Wanted -> {out_of_order, Sender, Wanted, Number}
            end
    after 60000 -> {missing, N}
    end.

collect({Name, Senders, Each, To}) ->
    register(Name, self()),
    To ! collecting,
    To ! {collected, gatherer(Senders, Each)}.

%% Senders processes, each sends Each messages to To, all starting at the same moment.
burst(To, Senders, Each) ->
    Pids = [spawn(fun() -> receive go -> [To ! {S, N} || N <- lists:seq(1, Each)] end end) || S <- lists:seq(1, Senders)],
    [P ! go || P <- Pids],
    ok.

%% A process that others link to, and that outlives them; answers as echo does.
anchor() -> spawn(fun() -> process_flag(trap_exit, true), anchor_loop() end).

anchor_loop() ->
    receive
        {From, Message} -> From ! {echo, Message};
        _ -> ok
    end,
    anchor_loop().

%% A process that at one moment (system time, milliseconds) links to all of these, which dials their nodes, and greets them.
dialer(Anchors) ->
    spawn(fun() ->
        process_flag(trap_exit, true),
        receive {go, Moment} -> at(Moment) end,
        [link(A) || A <- Anchors],
        [A ! {self(), A} || A <- Anchors],
        dialed([], [])
    end).

at(Moment) ->
    case erlang:system_time(millisecond) >= Moment of
        true -> ok;
        false -> at(Moment)
    end.

dialed(Echoes, Exits) ->
    receive
        {echo, A} -> dialed([A | Echoes], Exits);
        {'EXIT', _, Reason} -> dialed(Echoes, [Reason | Exits]);
        {tally, From} -> From ! {tally, length(lists:usort(Echoes)), Exits}, dialed(Echoes, Exits)
    end.

tally(Dialer) ->
    Dialer ! {tally, self()},
    receive {tally, Echoes, Exits} -> {Echoes, Exits} after 20000 -> timeout end.

%% A generic server named `counter`, which does what the one of the Rust nodes does.
start() -> gen_server:start({local, counter}, ?MODULE, 0, []).
init(Sum) -> {ok, Sum}.
handle_call({add, N}, _, Sum) -> {reply, Sum + N, Sum + N};
handle_call(self, _, Sum) -> {reply, self(), Sum};
handle_call({later, N}, From, Sum) -> spawn(fun() -> gen_server:reply(From, N) end), {noreply, Sum};
handle_call({stop, Reason}, _, Sum) -> {stop, Reason, Sum};
handle_call(never, _, Sum) -> {noreply, Sum}.
handle_cast({add, N}, Sum) -> {noreply, Sum + N}.
handle_info(_, Sum) -> {noreply, Sum}.
