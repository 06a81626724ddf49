%% The rows of many nodes, each an OS process of its own. The driver is no part of the cluster: it speaks to the
%% nodes over their standard input and output, so that it can drive ours in the same way.
-module(bench_cluster).
-export([mesh/1, member/0]).
-import(bench_row, [print/3, percentile/2]).

-define(LIMIT_MS, 120000).

%% Size nodes: all told at once to meet the first one; then one is killed; then names are registered.
mesh(Size) ->
    Nodes = [First | Rest] = [start(I) || I <- lists:seq(1, Size)],
    [wait_line(N, "ready") || N <- Nodes],
    T0 = now_us(),
    [tell(N, "meet " ++ name(First) ++ " " ++ integer_to_list(Size - 1)) || N <- Nodes],
    [wait_line(N, "met") || N <- Nodes],
    row("mesh_", Size, "ms", (now_us() - T0) / 1000),
    tell(First, "register 50"),
    row("global_register_p50_", Size, "ms", list_to_integer(wait_line(First, "registered")) / 1000),
    kill(Size, lists:last(Rest), lists:droplast(Nodes)),
    [port_close(port(N)) || N <- Nodes, erlang:port_info(port(N)) =/= undefined].

row(Name, Size, Unit, Value) -> print(Name ++ integer_to_list(Size), Value, Unit).

%% kill -9, by a shell that is there already: starting one would cost more than the row measures.
kill(Size, {Victim, _, OsPid}, Left) ->
    Shell = open_port({spawn_executable, "/bin/sh"}, [binary]),
    true = port_command(Shell, "true\n"),
    timer:sleep(200),
    T0 = now_us(),
    true = port_command(Shell, ["kill -9 ", OsPid, "\n"]),
    [wait_line(N, "down " ++ Victim) || N <- Left],
    row("kill_", Size, "ms", (now_us() - T0) / 1000),
    port_close(Shell).

start(I) ->
    Unique = os:getpid() ++ "_" ++ integer_to_list(I),
    Name = "bench" ++ Unique ++ "@127.0.0.1",
    Args = ["-noshell", "-start_epmd", "false", "-name", Name, "-setcookie", atom_to_list(erlang:get_cookie()),
            "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
            "-pa", filename:dirname(code:which(?MODULE)), "-run", "bench_cluster", "member"],
    Port = open_port({spawn_executable, os:find_executable("erl")}, [{args, Args}, {line, 1000}, binary, exit_status]),
    OsPid = wait_line({Name, Port, ""}, "pid"),
    {Name, Port, OsPid}.

name({Name, _, _}) -> Name.
port({_, Port, _}) -> Port.

tell(Node, Line) -> true = port_command(port(Node), [Line, "\n"]).

%% The rest of the line that begins with Wanted; other lines of that node are dropped.
wait_line({_, Port, _} = Node, Wanted) ->
    receive
        {Port, {data, {eol, Line}}} ->
            case string:prefix(Line, Wanted) of
                nomatch -> wait_line(Node, Wanted);
                Rest -> binary_to_list(string:trim(Rest))
            end;
        {Port, {exit_status, Status}} -> error({node_ended, Node, Status})
    after ?LIMIT_MS -> error({waited_too_long, Node, Wanted})
    end.

now_us() -> erlang:monotonic_time(microsecond).

%% One node: says who it is, then does as it is told, line by line.
member() ->
    ok = net_kernel:monitor_nodes(true),
    say("pid ~s~n", [os:getpid()]),
    Me = self(),
    spawn(fun() -> read_lines(Me) end),
    say("ready~n", []),
    obey().

read_lines(To) ->
    case io:get_line("") of
        Line when is_list(Line) -> To ! {line, string:lexemes(string:trim(Line), " ")}, read_lines(To);
        _ -> halt(0)
    end.

obey() ->
    receive
        {line, ["meet", First, Others]} -> meet(list_to_atom(First), list_to_integer(Others));
        {line, ["register", N]} -> register_names(list_to_integer(N));
        {nodedown, Node} -> say("down ~s~n", [Node])
    end,
    obey().

%% Meets one node and waits until it sees all the others, and global has told everybody's names.
meet(First, Others) ->
    First =:= node() orelse net_kernel:connect_node(First),
    wait_nodes(Others),
    ok = global:sync(),
    say("met~n", []).

wait_nodes(Others) ->
    case length(nodes()) >= Others of
        true -> ok;
        false -> receive {nodeup, _} -> wait_nodes(Others) end
    end.

register_names(N) ->
    Times = bench_row:each(N, fun() ->
        yes = global:register_name({bench, erlang:unique_integer()}, spawn(timer, sleep, [infinity]))
    end),
    say("registered ~b~n", [round(percentile(Times, 50))]).

%% A driver that has gone closes our output before our input says so.
say(Format, Args) ->
    try io:format(Format, Args) catch _:_ -> halt(0) end.
