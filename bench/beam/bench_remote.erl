%% The rows between two OS processes over loopback; the other one runs bench_peer.
-module(bench_remote).
-export([fire_1_pair/2, fire_100_pairs/2, round_trip/2, pipelined/2, remote_clients_100/2, rpc_call/2,
         binaries_1m/2, binaries_64m/2, call_during_bulk/2, cpu_per_message/2, connect/2]).
-import(bench_row, [print/3, took/1, rate/2, percentile/2, each/2]).

-define(WINDOW, 1000).
-define(MIB, 1048576).

fire_1_pair(Size, Peer) ->
    meet(Peer),
    fire(1, Size div 10, Peer),
    print(fire_1_pair, rate(Size, fire(1, Size, Peer)), "msg/s").

fire_100_pairs(Size, Peer) ->
    meet(Peer),
    fire(100, Size div 10, Peer),
    print(fire_100_pairs, rate(Size, fire(100, Size, Peer)), "msg/s").

%% Each pair: one sender here, one sink there that says when it has counted all.
fire(Pairs, Size, Peer) ->
    Me = self(),
    Each = Size div Pairs,
    Senders = [spawn(fun() -> sender(Each, Peer, Me) end) || _ <- lists:seq(1, Pairs)],
    count(sender_up, Pairs),
    took(fun() ->
        [Sender ! go || Sender <- Senders],
        count(sender_done, Pairs)
    end).

sender(Each, Peer, Main) ->
    Sink = sink(Each, 0, Peer),
    Main ! sender_up,
    receive go -> ok end,
    send_pings(Each, Sink),
    receive {sunk, Each} -> Main ! sender_done end.

send_pings(0, _) -> ok;
send_pings(N, To) -> To ! {ping, N, self()}, send_pings(N - 1, To).

round_trip(Size, Peer) ->
    meet(Peer),
    Ask = fun() -> ping(Peer) end,
    each(Size div 10, Ask),
    Times = each(Size, Ask),
    print(round_trip_p50, percentile(Times, 50), "us"),
    print(round_trip_p99, percentile(Times, 99), "us").

ping(Peer) ->
    {bench_echo, Peer} ! {ping, 1, self()},
    receive {pong, 1, _} -> ok end.

pipelined(Size, Peer) ->
    meet(Peer),
    Run = fun(N) ->
        [{bench_echo, Peer} ! {ping, I, self()} || I <- lists:seq(1, ?WINDOW)],
        window(N - ?WINDOW, Peer),
        drain(?WINDOW)
    end,
    Run(?WINDOW * 2),
    print(pipelined, rate(Size, took(fun() -> Run(Size) end)), "req/s").

window(0, _) -> ok;
window(N, Peer) ->
    receive {pong, _, _} -> {bench_echo, Peer} ! {ping, N, self()}, window(N - 1, Peer) end.

drain(0) -> ok;
drain(N) -> receive {pong, _, _} -> drain(N - 1) end.

remote_clients_100(Size, Peer) ->
    meet(Peer),
    clients(Size div 10, Peer),
    print(remote_clients_100, rate(Size, clients(Size, Peer)), "calls/s").

clients(Size, Peer) ->
    Me = self(),
    Each = Size div 100,
    took(fun() ->
        [spawn(fun() -> ask_many(Each, Peer), Me ! client_done end) || _ <- lists:seq(1, 100)],
        count(client_done, 100)
    end).

ask_many(0, _) -> ok;
ask_many(N, Peer) -> gen_server:call({bench_server, Peer}, get), ask_many(N - 1, Peer).

rpc_call(Size, Peer) ->
    meet(Peer),
    Ask = fun() -> 1 = rpc:call(Peer, bench_peer, id, [1]) end,
    each(Size div 10, Ask),
    print(rpc_call_p50, percentile(each(Size, Ask), 50), "us").

%% Size is in MiB for every row of binaries.
binaries_1m(Size, Peer) -> print(binaries_1m, binaries(Size, 1, Peer), "GB/s").
binaries_64m(Size, Peer) -> print(binaries_64m, binaries(Size, 64, Peer), "GB/s").

binaries(Size, Mib, Peer) ->
    meet(Peer),
    Bin = binary:copy(<<"x">>, Mib * ?MIB),
    N = max(1, Size div Mib),
    Stream = fun(Count) ->
        Sink = sink(Count, 0, Peer),
        [Sink ! {bulk, Bin} || _ <- lists:seq(1, Count)],
        receive {sunk, Count} -> ok end
    end,
    Stream(max(1, N div 10)),
    N * Mib * ?MIB / took(fun() -> Stream(N) end) / 1.0e9.

%% Small round trips for Size milliseconds while binaries of 64 MiB stream, four unacknowledged at most.
call_during_bulk(Size, Peer) ->
    meet(Peer),
    Me = self(),
    Streamer = spawn(fun() -> streamer(Peer, Me) end),
    receive streaming -> ok end,
    T0 = erlang:monotonic_time(millisecond),
    Times = ping_until(T0 + Size, Peer, []),
    Streamer ! stop,
    Rate = receive {rate, R} -> R end,
    [print(Row, percentile(Times, P) / 1000, "ms")
     || {Row, P} <- [{bulk_call_p50, 50}, {bulk_call_p99, 99}, {bulk_call_max, 100}]],
    print(bulk_rate, Rate, "GB/s").

ping_until(End, Peer, Times) ->
    T0 = erlang:monotonic_time(nanosecond),
    case T0 div 1000000 >= End of
        true -> Times;
        false ->
            ping(Peer),
            ping_until(End, Peer, [(erlang:monotonic_time(nanosecond) - T0) / 1000 | Times])
    end.

streamer(Peer, Main) ->
    Bin = binary:copy(<<"x">>, 64 * ?MIB),
    Sink = sink(1 bsl 40, 1, Peer),
    [Sink ! {bulk, Bin} || _ <- [1, 2, 3, 4]],
    receive {ack, _} -> ok end,
    Main ! streaming,
    stream(Sink, Bin, 0, erlang:monotonic_time(nanosecond), Main).

stream(Sink, Bin, Acked, T0, Main) ->
    Sink ! {bulk, Bin},
    receive
        {ack, _} -> stream(Sink, Bin, Acked + 1, T0, Main);
        stop -> Main ! {rate, Acked * byte_size(Bin) / (erlang:monotonic_time(nanosecond) - T0)}
    end.

%% Processor time of both sides for one message one way.
cpu_per_message(Size, Peer) ->
    meet(Peer),
    fire(1, Size div 10, Peer),
    Both = [os:getpid(), rpc:call(Peer, os, getpid, [])],
    Cpu = fun() -> lists:sum([bench_row:cpu_us(P) || P <- Both]) end,
    Before = Cpu(),
    fire(1, Size, Peer),
    print(cpu_per_message, (Cpu() - Before) / Size, "us").

%% From nothing to connected: name looked up, dialled, hands shaken.
connect(Size, Peer) ->
    meet(Peer),
    % Otherwise some service's message may dial again before we do.
    [ok = rpc:call(N, application, set_env, [kernel, dist_auto_connect, never]) || N <- [node(), Peer]],
    part(Peer),
    Times = [connect_once(Peer) || _ <- lists:seq(1, Size)],
    print(connect_p50, percentile(Times, 50) / 1000, "ms").

connect_once(Peer) ->
    [] = nodes(connected),
    [Us] = each(1, fun() -> true = net_kernel:connect_node(Peer) end),
    part(Peer),
    Us.

part(Peer) ->
    monitor_node(Peer, true),
    true = erlang:disconnect_node(Peer),
    receive {nodedown, Peer} -> ok end,
    timer:sleep(10). % the other side has to notice too, or it would answer `alive`

sink(N, Every, Peer) ->
    {bench_sinks, Peer} ! {sink, N, Every, self()},
    receive {sink, Pid} -> Pid end.

meet(Peer) -> true = net_kernel:connect_node(Peer).

count(_, 0) -> ok;
count(What, N) -> receive What -> count(What, N - 1) end.
