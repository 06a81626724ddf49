%% One run of one program of the table: erl ... -run bench_row main PROGRAM SIZE [PEER].
%% Prints lines of `row_name value unit` and stops. The Rust side speaks the same lines.
-module(bench_row).
-export([main/1, print/3, took/1, rate/2, percentile/2, batches/3, each/2, rss_bytes/1, cpu_us/1]).

main([Program, Size | Peer]) ->
    Args = [list_to_integer(Size) | [list_to_atom(P) || P <- Peer]],
    try
        apply(home(Program), list_to_atom(Program), Args),
        io:format("end~n"),
        halt(0)
    catch
        Class:Reason:Stack ->
            io:format(standard_error, "~s: ~p ~p~n~p~n", [Program, Class, Reason, Stack]),
            halt(1)
    end.

%% The module that holds a program is the one that exports its name.
home(Program) ->
    Name = list_to_atom(Program),
    Modules = [bench_local, bench_remote, bench_codec, bench_cluster],
    Holds = fun(M) -> lists:keymember(Name, 1, M:module_info(exports)) end,
    hd(lists:filter(Holds, Modules)).

print(Row, Value, Unit) ->
    io:format("~s ~s ~s~n", [Row, io_lib:format("~.6g", [float(Value)]), Unit]).

%% Seconds that a fun takes.
took(Fun) ->
    T0 = erlang:monotonic_time(nanosecond),
    Fun(),
    (erlang:monotonic_time(nanosecond) - T0) / 1.0e9.

rate(Count, Seconds) -> Count / Seconds.

percentile(Values, P) ->
    Sorted = lists:sort(Values),
    lists:nth(max(1, min(length(Sorted), ceil(length(Sorted) * P / 100))), Sorted).

%% Microseconds of one call, by batches: a clock read costs as much as a quick call.
batches(Count, Batch, Fun) ->
    [batch(Batch, Fun) || _ <- lists:seq(1, max(1, Count div Batch))].

batch(Batch, Fun) ->
    T0 = erlang:monotonic_time(nanosecond),
    repeat(Batch, Fun),
    (erlang:monotonic_time(nanosecond) - T0) / Batch / 1000.

repeat(0, _) -> ok;
repeat(N, Fun) -> Fun(), repeat(N - 1, Fun).

%% Microseconds of each of Count calls.
each(Count, Fun) -> batches(Count, 1, Fun).

%% Resident memory of an OS process of this machine, "self" for our own.
rss_bytes(OsPid) ->
    {ok, Text} = file:read_file("/proc/" ++ OsPid ++ "/status"),
    {match, [Kib]} = re:run(Text, "VmRSS:\\s+(\\d+) kB", [{capture, all_but_first, list}]),
    list_to_integer(Kib) * 1024.

%% Processor time that an OS process has used so far: fields 14 and 15 of its stat, in ticks of 10 ms.
cpu_us(OsPid) ->
    {ok, Text} = file:read_file("/proc/" ++ OsPid ++ "/stat"),
    [_, After] = string:split(Text, ") ", trailing),
    Fields = string:lexemes(After, " "),
    Ticks = [binary_to_integer(iolist_to_binary(lists:nth(N, Fields))) || N <- [12, 13]],
    lists:sum(Ticks) * 10000.
