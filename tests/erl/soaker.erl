%% What an OTP node does in the soak: the same words as `src/soak/ours.rs` knows.
-module(soaker).
-export([start/0, do/2, outcomes/0, state/0, troubles/0, unmet/0, nap/1, sleeper/0, init/1]).

start() ->
    Me = self(),
    spawn(fun() ->
        soaker = ets:new(soaker, [named_table, public]),
        {ok, _} = pg:start_link(),
        Me ! started,
        timer:sleep(infinity)
    end),
    receive started -> ok end.

%% Begins something; what comes of it is in outcomes/0.
do(Id, What) ->
    ets:insert(soaker, {Id, waiting, What}),
    spawn(fun() ->
        Begun = erlang:monotonic_time(millisecond),
        Result = try op(What) catch Class:Reason -> {Class, Reason} end,
        Took = erlang:monotonic_time(millisecond) - Begun,
        ets:insert(soaker, {Id, Result, Took})
    end),
    ok.

op({connect, Node}) -> net_kernel:connect_node(Node);
op({disconnect, Node}) -> erlang:disconnect_node(Node);
op({register, Name}) -> named(Name, sleeper());
op({re_register, Name}) -> global:re_register_name(Name, sleeper());
op({register_far, Name, Node}) ->
    case rpc:call(Node, soaker, sleeper, [], 3000) of
        Pid when is_pid(Pid) -> named(Name, Pid);
        Other -> Other
    end;
op({unregister, Name}) -> global:unregister_name(Name);
op({kill, Name}) ->
    case global:whereis_name(Name) of
        undefined -> undefined;
        Pid -> exit(Pid, kill)
    end;
op({join, Group}) -> pg:join(Group, sleeper());
op({leave, Group}) ->
    case pg:get_local_members(Group) of
        [] -> nobody;
        [Pid | _] -> pg:leave(Group, Pid)
    end;
op({lock, Resource, Millis}) ->
    Id = {Resource, self()},
    Nodes = [node() | nodes()],
    case global:set_lock(Id, Nodes, 3) of
        true -> timer:sleep(Millis), global:del_lock(Id, Nodes);
        false -> false
    end;
op({call, Node, Millis}) -> rpc:call(Node, soaker, nap, [Millis], 3000);
op({erpc, Node, Millis}) -> erpc:call(Node, soaker, nap, [Millis], 3000);
op({ask, Name}) ->
    Ref = make_ref(),
    try global:send(Name, {ask, self(), Ref}) of
        _ -> receive {answer, Ref} -> answered after 3000 -> silent end
    catch exit:{badarg, _} -> nobody
    end.

named(Name, Pid) ->
    case global:register_name(Name, Pid) of
        yes -> yes;
        no -> exit(Pid, kill), no
    end.

nap(Millis) -> timer:sleep(Millis), napped.

sleeper() -> spawn(?MODULE, init, [self()]).

init(_) ->
    receive
        {ask, From, Ref} -> From ! {answer, Ref}, init(From);
        _ -> init(none)
    end.

outcomes() -> lists:sort(ets:tab2list(soaker)).

state() ->
    Names = [{Name, id(global:whereis_name(Name))} || Name <- global:registered_names()],
    Groups = [{Group, lists:sort([id(Pid) || Pid <- pg:get_members(Group)])} || Group <- pg:which_groups()],
    {lists:sort(nodes()), lists:sort(Names), lists:sort(Groups)}.

id(Pid) when is_pid(Pid) ->
    Bytes = term_to_binary(Pid),
    <<Id:32, Serial:32, Creation:32>> = binary:part(Bytes, byte_size(Bytes), -12),
    {node(Pid), Id, Serial, Creation};
id(Other) -> Other.

troubles() ->
    {ets:tab2list(global_locks), [O || {_, waiting, _} = O <- outcomes()], catch sys:get_state(global_name_server, 2000)}.

%% Those we are connected to and whose names are not ours.
unmet() ->
    Known = element(3, sys:get_state(global_name_server)),
    [Node || Node <- nodes(), not is_map_key(Node, Known)].
