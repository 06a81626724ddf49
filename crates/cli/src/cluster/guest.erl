%% The fifth member, in Erlang: the same lines on the same pipes as the members in Rust.
Say = fun(Format, Args) -> io:format(Format ++ "~n", Args) end,
Now = fun() -> erlang:monotonic_time(microsecond) end,
Sees = fun() -> Say("sees~s", [[[$\s, atom_to_list(Node)] || Node <- lists:sort(nodes())]]) end,

Echo = fun Loop() -> receive {ping, From, N} -> From ! {pong, N}; _ -> ok end, Loop() end,
register(echo, spawn(Echo)),

Flow = fun(Node) ->
    Loop = fun Loop(N, Count, Since) ->
        Sent = Now(),
        erlang:send({echo, Node}, {ping, self(), N}, [noconnect]),
        receive
            {pong, N} ->
                Got = Now(),
                {Count1, Since1} = case Got - Since of
                    Long when Long >= 500000 ->
                        Say("flow ~s ~b ~b", [Node, Got - Sent, ((Count + 1) * 1000000) div Long]),
                        {0, Got};
                    _ -> {Count + 1, Since}
                end,
                receive after 5 -> Loop(N + 1, Count1, Since1) end
        after 1000 ->
            case lists:member(Node, nodes()) of
                true -> Loop(N + 1, Count, Since);
                false -> ok
            end
        end
    end,
    Loop(1, 0, Now())
end,

Eyes = fun() ->
    ok = net_kernel:monitor_nodes(true),
    [spawn(fun() -> Flow(Node) end) || Node <- nodes()],
    Loop = fun Loop() ->
        Sees(),
        receive
            {nodeup, Node} -> spawn(fun() -> Flow(Node) end), Loop();
            {nodedown, _} -> Loop()
        end
    end,
    Loop()
end,
spawn(Eyes),

Anchor = fun() ->
    process_flag(trap_exit, true),
    Loop = fun Loop() ->
        receive
            {watch, Node} -> {anchor, Node} ! {whereis, self()};
            {whereis, From} -> From ! {anchor, self()};
            {anchor, Pid} ->
                link(Pid), erlang:monitor(process, Pid), erlang:monitor_node(node(Pid), true),
                Say("watching ~s", [node(Pid)]);
            {'EXIT', Pid, Reason} -> Say("fired link ~s ~w", [node(Pid), Reason]);
            {'DOWN', _, process, Pid, Reason} -> Say("fired monitor ~s ~w", [node(Pid), Reason]);
            {nodedown, Node} -> Say("fired nodedown ~s noconnection", [Node])
        end,
        Loop()
    end,
    Loop()
end,
register(anchor, spawn(Anchor)),

Ping = fun(Node) ->
    Sent = Now(),
    case net_adm:ping(Node) of
        pong -> Say("pinged ~s pong ~b", [Node, Now() - Sent]);
        pang -> Say("pinged ~s pang", [Node])
    end
end,

Obey = fun Obey() ->
    case io:get_line("") of
        Line when is_list(Line) ->
            case string:lexemes(Line, " \n") of
                ["connect", Node] -> net_kernel:connect_node(list_to_atom(Node)), Obey();
                ["watch", Node] -> anchor ! {watch, list_to_atom(Node)}, Obey();
                ["ping", Node] -> Ping(list_to_atom(Node)), Obey();
                ["quit"] -> init:stop();
                _ -> Say("note not understood: ~s", [string:trim(Line)]), Obey()
            end;
        _ -> erlang:halt(0)
    end
end,
Say("ready ~b", [erlang:system_info(creation)]),
spawn(Obey).
