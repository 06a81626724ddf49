%% global: what runs in the process that calls it; the rest is the node's.
-module(global).
-export([trans/2, trans/3, trans/4, random_exit_name/3, random_notify_name/3, notify_all_name/3]).

trans(Id, Fun) -> trans(Id, Fun, [node() | nodes()], infinity).
trans(Id, Fun, Nodes) -> trans(Id, Fun, Nodes, infinity).
%% The lock is given back however the fun ends.
trans(Id, Fun, Nodes, Retries) ->
    case global:set_lock(Id, Nodes, Retries) of
        true ->
            try Fun()
            after global:del_lock(Id, Nodes)
            end;
        false -> aborted
    end.

%% What becomes of a name that two processes hold.
random_exit_name(Name, One, Other) ->
    {Keeps, Loses} = by_node(One, Other),
    error_logger:info_msg("global: Name conflict terminating ~tw\n", [{Name, Loses}]),
    exit(Loses, kill),
    Keeps.

random_notify_name(Name, One, Other) ->
    {Keeps, Loses} = by_node(One, Other),
    Loses ! {global_name_conflict, Name},
    Keeps.

notify_all_name(Name, One, Other) ->
    One ! {global_name_conflict, Name, Other},
    Other ! {global_name_conflict, Name, One},
    none.

by_node(One, Other) when node(One) < node(Other) -> {One, Other};
by_node(One, Other) -> {Other, One}.
