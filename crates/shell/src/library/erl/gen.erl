%% gen: what all behaviours have in common: names, starts, questions and answers.
-module(gen).
-export([start/5, start/6, init_it/6, init_it/7, call/3, call/4, reply/2, stop/1, stop/3,
         send_request/3, wait_response/2, receive_response/2, check_response/2,
         send_request/5, wait_response/3, receive_response/3, check_response/3, reqids_new/0, reqids_size/1,
         reqids_to_list/1, reqids_add/3,
         debug_options/2, hibernate_after/1, name/1, unregister_name/1, where/1, shown/1, asked/1]).

start(Behaviour, Link, Module, Args, Options) ->
    born(Behaviour, Link, [Behaviour, self(), parent(Link), Module, Args, Options], Options).

start(Behaviour, Link, Name, Module, Args, Options) ->
    case where(Name) of
        undefined -> born(Behaviour, Link, [Behaviour, self(), parent(Link), Name, Module, Args, Options], Options);
        Pid when Link =:= monitor -> {error, {already_started, Pid}};
        Pid -> {error, {already_started, Pid}}
    end.

parent(link) -> self();
parent(_) -> self.

born(_, Link, Args, Options) ->
    Time = proplists:get_value(timeout, Options, infinity),
    Spawn = proplists:get_value(spawn_opt, Options, []),
    case Link of
        link -> proc_lib:start_link(gen, init_it, Args, Time, Spawn);
        nolink -> proc_lib:start(gen, init_it, Args, Time, Spawn);
        monitor ->
            case proc_lib:start_monitor(gen, init_it, Args, Time, Spawn) of
                {{ok, Pid}, Monitor} -> {ok, {Pid, Monitor}};
                {Error, Monitor} -> demonitor(Monitor, [flush]), Error
            end
    end.

where({local, Name}) -> whereis(Name);
where({global, Name}) -> global:whereis_name(Name);
where({via, Module, Name}) -> Module:whereis_name(Name).

init_it(Behaviour, Starter, Parent, Module, Args, Options) ->
    Behaviour:init_it(Starter, Parent, self(), Module, Args, Options).

init_it(Behaviour, Starter, Parent, Name, Module, Args, Options) ->
    case register_name(Name) of
        true -> Behaviour:init_it(Starter, Parent, Name, Module, Args, Options);
        {false, Pid} -> proc_lib:init_ack(Starter, {error, {already_started, Pid}})
    end.

register_name({local, Name} = Full) ->
    try register(Name, self())
    catch error:_ -> {false, where(Full)}
    end;
register_name({global, Name} = Full) ->
    case global:register_name(Name, self()) of
        yes -> true;
        no -> {false, where(Full)}
    end;
register_name({via, Module, Name} = Full) ->
    case Module:register_name(Name, self()) of
        yes -> true;
        no -> {false, where(Full)}
    end.

unregister_name({local, Name}) -> catch unregister(Name);
unregister_name({global, Name}) -> global:unregister_name(Name);
unregister_name({via, Module, Name}) -> Module:unregister_name(Name);
unregister_name(_) -> ok.

%% How a name is shown and kept.
name({local, Name}) -> Name;
name({global, Name}) -> Name;
name({via, _, Name}) -> Name;
name(Pid) when is_pid(Pid) -> Pid.

shown(Name) when is_pid(Name); is_atom(Name) -> Name;
shown(Name) -> name(Name).

%% Questions.
call(To, Label, Question) -> call(To, Label, Question, 5000).

call(To, Label, Question, Time) when Time =:= infinity; is_integer(Time), Time >= 0 ->
    case asked(To) of
        Pid when Pid =:= self() -> exit(calling_self);
        Process -> ask(Process, Label, Question, Time)
    end.

%% Who is meant: a pid, or a name somewhere.
asked(Pid) when is_pid(Pid) -> Pid;
asked(Name) when is_atom(Name) -> there(whereis(Name));
asked({global, _} = Name) -> there(where(Name));
asked({via, _, _} = Name) -> there(where(Name));
asked({Name, Node}) when is_atom(Name), Node =:= node() -> there(whereis(Name));
asked({Name, Node} = Process) when is_atom(Name), is_atom(Node) ->
    case node() of
        nonode@nohost -> exit({nodedown, Node});
        _ -> Process
    end.

there(undefined) -> exit(noproc);
there(Pid) -> Pid.

ask(Process, Label, Question, Time) ->
    Monitor = erlang:monitor(process, Process, [{alias, demonitor}]),
    Tag = [alias | Monitor],
    erlang:send(Process, {Label, {self(), Tag}, Question}),
    receive
        {[alias | Monitor], Answer} ->
            demonitor(Monitor, [flush]),
            {ok, Answer};
        {'DOWN', Monitor, _, _, noconnection} -> exit({nodedown, node_of(Process)});
        {'DOWN', Monitor, _, _, Reason} -> exit(Reason)
    after Time ->
        demonitor(Monitor, [flush]),
        receive {[alias | Monitor], Answer} -> {ok, Answer}
        after 0 -> exit(timeout)
        end
    end.

node_of({_, Node}) -> Node;
node_of(Pid) -> node(Pid).

reply({_, [alias | Alias] = Tag}, Answer) when is_reference(Alias) -> Alias ! {Tag, Answer}, ok;
reply({_, [[alias | Alias] | _] = Tag}, Answer) when is_reference(Alias) -> Alias ! {Tag, Answer}, ok;
reply({To, Tag}, Answer) ->
    try To ! {Tag, Answer}, ok
    catch _:_ -> ok
    end.

%% Questions whose answers are fetched later.
send_request(To, Label, Question) ->
    case (try asked(To) catch exit:_ -> gone end) of
        gone ->
            Monitor = erlang:monitor(process, undefined_name(To)),
            Monitor;
        Process ->
            Monitor = erlang:monitor(process, Process, [{alias, demonitor}]),
            erlang:send(Process, {Label, {self(), [alias | Monitor]}, Question}),
            Monitor
    end.

undefined_name(Name) when is_atom(Name) -> Name;
undefined_name({Name, Node}) when is_atom(Name), is_atom(Node) -> {Name, Node};
undefined_name(_) -> '$nobody'.

wait_response(Id, Time) ->
    receive
        {[alias | Id], Answer} -> demonitor(Id, [flush]), {reply, Answer};
        {'DOWN', Id, _, Who, Reason} -> {error, {Reason, Who}}
    after milliseconds(Time) -> timeout
    end.

receive_response(Id, Time) ->
    case wait_response(Id, Time) of
        timeout ->
            demonitor(Id, [flush]),
            receive {[alias | Id], Answer} -> {reply, Answer} after 0 -> timeout end;
        Answer -> Answer
    end.

milliseconds({abs, Time}) -> max(0, Time - erlang:monotonic_time(millisecond));
milliseconds(Time) -> Time.

check_response({[alias | Id], Answer}, Id) -> demonitor(Id, [flush]), {reply, Answer};
check_response({'DOWN', Id, _, Who, Reason}, Id) -> {error, {Reason, Who}};
check_response(_, _) -> no_reply.

%% Many questions, each with a label.
send_request(To, Label, Question, As, Ids) when is_map(Ids) -> reqids_add(send_request(To, Label, Question), As, Ids);
send_request(_, _, _, _, _) -> error(badarg).

reqids_new() -> #{}.
reqids_size(Ids) when is_map(Ids) -> map_size(Ids);
reqids_size(_) -> error(badarg).
reqids_to_list(Ids) when is_map(Ids) -> maps:to_list(Ids);
reqids_to_list(_) -> error(badarg).
reqids_add(Id, As, Ids) when is_reference(Id), is_map(Ids), not is_map_key(Id, Ids) -> Ids#{Id => As};
reqids_add(_, _, _) -> error(badarg).

wait_response(Ids, _, _) when map_size(Ids) =:= 0 -> no_request;
wait_response(Ids, Time, Delete) when is_map(Ids), is_boolean(Delete) ->
    receive
        {[alias | Id], _} = Message when is_map_key(Id, Ids) -> labelled(Message, Id, Ids, Delete);
        {'DOWN', Id, _, _, _} = Message when is_map_key(Id, Ids) -> labelled(Message, Id, Ids, Delete)
    after milliseconds(Time) -> timeout
    end;
wait_response(_, _, _) -> error(badarg).

%% When the time is over nobody waits for any of them.
receive_response(Ids, Time, Delete) ->
    case wait_response(Ids, Time, Delete) of
        timeout -> [demonitor(Id, [flush]) || Id <- maps:keys(Ids)], timeout;
        Answer -> Answer
    end.

check_response(_, Ids, _) when map_size(Ids) =:= 0 -> no_request;
check_response({[alias | Id], _} = Message, Ids, Delete) when is_map_key(Id, Ids) ->
    labelled(Message, Id, Ids, Delete);
check_response({'DOWN', Id, _, _, _} = Message, Ids, Delete) when is_map_key(Id, Ids) ->
    labelled(Message, Id, Ids, Delete);
check_response(_, Ids, Delete) when is_map(Ids), is_boolean(Delete) -> no_reply;
check_response(_, _, _) -> error(badarg).

labelled(Message, Id, Ids, Delete) ->
    Rest = case Delete of
               true -> maps:remove(Id, Ids);
               false -> Ids
           end,
    {check_response(Message, Id), map_get(Id, Ids), Rest}.

stop(Process) -> stop(Process, normal, infinity).
stop(Process, Reason, Time) -> proc_lib:stop(asked(Process), Reason, Time).

debug_options(_Name, Options) -> sys:debug_options(proplists:get_value(debug, Options, [])).

hibernate_after(Options) -> proplists:get_value(hibernate_after, Options, infinity).
