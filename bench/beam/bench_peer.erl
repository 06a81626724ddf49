%% The other side of the remote rows: a few named processes that any driver, ours or BEAM's, can talk to.
%% Prints `ready`, ends when its standard input does.
-module(bench_peer).
-export([main/0, id/1]).

main() ->
    spawn(fun() -> register(bench_echo, self()), tell_ready(echo), echo() end),
    spawn(fun() -> register(bench_sinks, self()), tell_ready(sinks), sinks() end),
    {ok, _} = gen_server:start({local, bench_server}, bench_local, 0, []),
    register(bench_peer, self()),
    wait_ready(2),
    io:format("ready~n"),
    until_end_of_input(),
    halt(0).

tell_ready(What) -> main_process() ! {up, What}.
main_process() ->
    case whereis(bench_peer) of
        undefined -> erlang:yield(), main_process();
        Pid -> Pid
    end.

wait_ready(0) -> ok;
wait_ready(N) -> receive {up, _} -> wait_ready(N - 1) end.

until_end_of_input() ->
    case io:get_line("") of
        eof -> ok;
        {error, _} -> ok;
        _ -> until_end_of_input()
    end.

%% {ping, N, From} is answered with {pong, N, self()}.
echo() ->
    receive {ping, N, From} -> From ! {pong, N, self()}, echo() end.

%% {sink, N, Every, From} makes a process that counts N messages; it says {sink, Pid} first, {ack, K} after
%% each `Every` messages (never when that is 0) and {sunk, N} at the end.
sinks() ->
    receive
        {sink, N, Every, From} ->
            spawn(fun() -> From ! {sink, self()}, sink(0, N, Every, From) end),
            sinks()
    end.

sink(N, N, _, From) -> From ! {sunk, N};
sink(K, N, Every, From) ->
    receive
        _ when Every > 0, (K + 1) rem Every =:= 0 -> From ! {ack, K + 1}, sink(K + 1, N, Every, From);
        _ -> sink(K + 1, N, Every, From)
    end.

%% What rpc calls.
id(X) -> X.
