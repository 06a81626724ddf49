%% gen_server: a process that answers questions, by a callback module.
-module(gen_server).
-export([start/3, start/4, start_link/3, start_link/4, start_monitor/3, start_monitor/4, stop/1, stop/3,
         call/2, call/3, cast/2, reply/2, abcast/2, abcast/3, multi_call/2, multi_call/3, multi_call/4,
         send_request/2, wait_response/2, receive_response/1, receive_response/2, check_response/2,
         send_request/4, wait_response/3, receive_response/3, check_response/3, reqids_new/0, reqids_size/1,
         reqids_to_list/1, reqids_add/3,
         enter_loop/3, enter_loop/4, enter_loop/5, init_it/6,
         system_continue/3, system_terminate/4, system_get_state/1, system_replace_state/2, system_code_change/4,
         format_status/2, format_log/1, format_log/2]).

%% What does not change while a server runs.
-record(s, {parent, name, module, hibernate = infinity}).

start(Module, Args, Options) -> gen:start(gen_server, nolink, Module, Args, Options).
start(Name, Module, Args, Options) -> gen:start(gen_server, nolink, Name, Module, Args, Options).
start_link(Module, Args, Options) -> gen:start(gen_server, link, Module, Args, Options).
start_link(Name, Module, Args, Options) -> gen:start(gen_server, link, Name, Module, Args, Options).
start_monitor(Module, Args, Options) -> gen:start(gen_server, monitor, Module, Args, Options).
start_monitor(Name, Module, Args, Options) -> gen:start(gen_server, monitor, Name, Module, Args, Options).

stop(Server) -> stop(Server, normal, infinity).
stop(Server, Reason, Time) ->
    try gen:stop(Server, Reason, Time)
    catch exit:Why -> exit({Why, {gen_server, stop, case {Reason, Time} of
                                                        {normal, infinity} -> [Server];
                                                        _ -> [Server, Reason, Time]
                                                    end}})
    end.

call(Server, Question) -> call(Server, Question, 5000, [Server, Question]).
call(Server, Question, Time) -> call(Server, Question, Time, [Server, Question, Time]).

call(Server, Question, Time, As) ->
    try gen:call(Server, '$gen_call', Question, Time) of
        {ok, Answer} -> Answer
    catch exit:Reason -> exit({Reason, {gen_server, call, As}})
    end.

cast({global, Name}, Message) -> catch global:send(Name, {'$gen_cast', Message}), ok;
cast({via, Module, Name}, Message) -> catch Module:send(Name, {'$gen_cast', Message}), ok;
cast({Name, Node} = To, Message) when is_atom(Name), is_atom(Node) -> send(To, {'$gen_cast', Message});
cast(To, Message) when is_atom(To); is_pid(To) -> send(To, {'$gen_cast', Message}).

send(To, Message) -> catch erlang:send(To, Message), ok.

reply(From, Answer) -> gen:reply(From, Answer).

abcast(Name, Message) -> abcast([node() | nodes()], Name, Message).
abcast(Nodes, Name, Message) -> [cast({Name, Node}, Message) || Node <- Nodes], abcast.

multi_call(Name, Question) -> multi_call([node() | nodes()], Name, Question).
multi_call(Nodes, Name, Question) -> multi_call(Nodes, Name, Question, infinity).
multi_call(Nodes, Name, Question, Time) ->
    Asked = [{Node, send_request({Name, Node}, Question)} || Node <- Nodes],
    End = case Time of infinity -> infinity; _ -> {abs, erlang:monotonic_time(millisecond) + Time} end,
    Answers = [{Node, gen:receive_response(Id, End)} || {Node, Id} <- Asked],
    {[{Node, Answer} || {Node, {reply, Answer}} <- Answers],
     [Node || {Node, Answer} <- Answers, not is_tuple(Answer) orelse element(1, Answer) =/= reply]}.

send_request(Server, Question) -> gen:send_request(Server, '$gen_call', Question).
wait_response(Id, Time) -> gen:wait_response(Id, Time).
receive_response(Id) -> receive_response(Id, infinity).
receive_response(Id, Time) -> gen:receive_response(Id, Time).
check_response(Message, Id) -> gen:check_response(Message, Id).
%% Many, each with a label.
send_request(Server, Question, Label, Ids) -> gen:send_request(Server, '$gen_call', Question, Label, Ids).
wait_response(Ids, Time, Delete) -> gen:wait_response(Ids, Time, Delete).
receive_response(Ids, Time, Delete) -> gen:receive_response(Ids, Time, Delete).
check_response(Message, Ids, Delete) -> gen:check_response(Message, Ids, Delete).
reqids_new() -> gen:reqids_new().
reqids_size(Ids) -> gen:reqids_size(Ids).
reqids_to_list(Ids) -> gen:reqids_to_list(Ids).
reqids_add(Id, Label, Ids) -> gen:reqids_add(Id, Label, Ids).

enter_loop(Module, Options, State) -> enter_loop(Module, Options, State, self(), infinity).
enter_loop(Module, Options, State, Name) when is_tuple(Name); is_pid(Name) ->
    enter_loop(Module, Options, State, Name, infinity);
enter_loop(Module, Options, State, Next) -> enter_loop(Module, Options, State, self(), Next).
enter_loop(Module, Options, State, Name, Next) ->
    Parent = case get('$ancestors') of
                 [Pid | _] when is_pid(Pid) -> Pid;
                 [Registered | _] when is_atom(Registered) -> whereis(Registered);
                 _ -> self()
             end,
    S = #s{parent = Parent, name = gen:name(Name), module = Module, hibernate = gen:hibernate_after(Options)},
    go_on(S, State, Next, gen:debug_options(Name, Options)).

%% The start.
init_it(Starter, self, Name, Module, Args, Options) -> init_it(Starter, self(), Name, Module, Args, Options);
init_it(Starter, Parent, Name, Module, Args, Options) ->
    S = #s{parent = Parent, name = gen:name(Name), module = Module, hibernate = gen:hibernate_after(Options)},
    Debug = gen:debug_options(S#s.name, Options),
    case tried(fun() -> Module:init(Args) end) of
        {ok, {ok, State}} -> ready(Starter, S, State, infinity, Debug);
        {ok, {ok, State, Next}} -> ready(Starter, S, State, Next, Debug);
        {ok, {stop, Reason}} -> failed(Starter, Name, {error, Reason}, exit, Reason, []);
        {ok, {error, Reason}} ->
            gen:unregister_name(Name),
            proc_lib:init_ack(Starter, {error, Reason}),
            exit(normal);
        {ok, ignore} ->
            gen:unregister_name(Name),
            proc_lib:init_ack(Starter, ignore),
            exit(normal);
        {ok, Else} ->
            Reason = {bad_return_value, Else},
            failed(Starter, Name, {error, Reason}, exit, Reason, []);
        {Class, Reason, Stack} ->
            failed(Starter, Name, {error, ended(Class, Reason, Stack)}, Class, Reason, Stack)
    end.

ready(Starter, S, State, Next, Debug) ->
    proc_lib:init_ack(Starter, {ok, self()}),
    go_on(S, State, Next, Debug).

failed(Starter, Name, Answer, Class, Reason, Stack) ->
    gen:unregister_name(Name),
    proc_lib:init_ack(Starter, Answer),
    erlang:raise(Class, Reason, Stack).

%% What a callback throws counts as returned.
tried(F) ->
    try {ok, F()}
    catch
        throw:Value -> {ok, Value};
        Class:Reason:Stack -> {Class, Reason, Stack}
    end.

ended(error, Reason, Stack) -> {Reason, Stack};
ended(_, Reason, _) -> Reason.

%% On, with what a callback wants next: a timeout, hibernation, a continuation.
go_on(S, State, {continue, Continue}, Debug) ->
    Module = S#s.module,
    Answer = tried(fun() -> Module:handle_continue(Continue, State) end),
    answered(S, State, Answer, {continue, Continue}, Debug);
go_on(S, State, hibernate, Debug) -> wait(S, State, infinity, Debug);
go_on(S, State, Time, Debug) -> wait(S, State, Time, Debug).

wait(#s{parent = Parent} = S, State, Time, Debug) ->
    receive
        {system, From, Question} ->
            sys:handle_system_msg(Question, From, Parent, ?MODULE, Debug, {S, State, Time});
        {'EXIT', Parent, Reason} ->
            terminate(exit, Reason, [], S, State, {'EXIT', Parent, Reason}, undefined, Debug);
        Message -> heard(S, State, Message, noted(S, {in, Message}, Debug))
    after Time -> heard(S, State, timeout, Debug)
    end.

heard(S = #s{module = Module}, State, {'$gen_call', From, Question}, Debug) ->
    Answer = tried(fun() -> Module:handle_call(Question, From, State) end),
    called(S, State, Answer, Question, From, Debug);
heard(S = #s{module = Module}, State, {'$gen_cast', Message}, Debug) ->
    answered(S, State, tried(fun() -> Module:handle_cast(Message, State) end), {'$gen_cast', Message}, Debug);
heard(S = #s{module = Module}, State, Message, Debug) ->
    case erlang:function_exported(Module, handle_info, 2) of
        true -> answered(S, State, tried(fun() -> Module:handle_info(Message, State) end), Message, Debug);
        false ->
            Text = io_lib:format("** Undefined handle_info in ~tp~n** Unhandled message: ~tp~n", [Module, Message]),
            Report = #{label => {gen_server, no_handle_info}, module => Module, message => Message},
            logger:'$report'(warning, "", Report, Text),
            go_on(S, State, infinity, Debug)
    end.

called(S, _, {ok, {reply, Answer, State1}}, _, From, Debug) ->
    go_on(S, State1, infinity, replied(S, From, Answer, State1, Debug));
called(S, _, {ok, {reply, Answer, State1, Next}}, _, From, Debug) ->
    go_on(S, State1, Next, replied(S, From, Answer, State1, Debug));
called(S, _, {ok, {stop, Reason, Answer, State1}}, Question, From, Debug) ->
    try terminate(exit, Reason, [], S, State1, Question, From, Debug)
    after gen:reply(From, Answer)
    end;
called(S, State, Answer, Question, From, Debug) -> answered(S, State, Answer, Question, From, Debug).

replied(S, From, Answer, State, Debug) ->
    gen:reply(From, Answer),
    noted(S, {out, Answer, From, State}, Debug).

answered(S, State, Answer, Message, Debug) -> answered(S, State, Answer, Message, undefined, Debug).

answered(S, _, {ok, {noreply, State1}}, _, _, Debug) ->
    go_on(S, State1, infinity, noted(S, {noreply, State1}, Debug));
answered(S, _, {ok, {noreply, State1, Next}}, _, _, Debug) ->
    go_on(S, State1, Next, noted(S, {noreply, State1}, Debug));
answered(S, _, {ok, {stop, Reason, State1}}, Message, From, Debug) ->
    terminate(exit, Reason, [], S, State1, Message, From, Debug);
answered(S, State, {ok, Else}, Message, From, Debug) ->
    terminate(exit, {bad_return_value, Else}, [], S, State, Message, From, Debug);
answered(S, State, {Class, Reason, Stack}, Message, From, Debug) ->
    terminate(Class, Reason, Stack, S, State, Message, From, Debug).

noted(_, _, []) -> [];
noted(S, Event, Debug) -> sys:handle_debug(Debug, fun print/3, S#s.name, Event).

print(Device, {in, {'$gen_call', {From, _}, Question}}, Name) ->
    io:format(Device, "*DBG* ~tp got call ~tp from ~tw~n", [Name, Question, From]);
print(Device, {in, {'$gen_cast', Message}}, Name) -> io:format(Device, "*DBG* ~tp got cast ~tp~n", [Name, Message]);
print(Device, {in, Message}, Name) -> io:format(Device, "*DBG* ~tp got ~tp~n", [Name, Message]);
print(Device, {out, Answer, {To, _}, State}, Name) ->
    io:format(Device, "*DBG* ~tp sent ~tp to ~tw, new state ~tp~n", [Name, Answer, To, State]);
print(Device, {noreply, State}, Name) -> io:format(Device, "*DBG* ~tp new state ~tp~n", [Name, State]);
print(Device, Event, Name) -> io:format(Device, "*DBG* ~tp dbg  ~tp~n", [Name, Event]).

%% The end.
terminate(Class, Reason, Stack, #s{module = Module} = S, State, Message, From, Debug) ->
    Last = case erlang:function_exported(Module, terminate, 2) of
               true -> tried(fun() -> Module:terminate(ended(Class, Reason, Stack), State) end);
               false -> {ok, ok}
           end,
    case Last of
        {ok, _} -> over(Class, Reason, Stack, S, State, Message, From, Debug);
        {Class1, Reason1, Stack1} -> over(Class1, Reason1, Stack1, S, State, Message, From, Debug)
    end.

over(exit, normal, _, _, _, _, _, _) -> exit(normal);
over(exit, shutdown, _, _, _, _, _, _) -> exit(shutdown);
over(exit, {shutdown, _} = Reason, _, _, _, _, _, _) -> exit(Reason);
over(Class, Reason, Stack, #s{module = Module, name = Name}, State, Message, From, Debug) ->
    Shown = shown_state(Module, terminate, State),
    Client = client(From),
    Log = sys:get_log(Debug),
    Full = case Stack of [] -> Reason; _ -> {Reason, Stack} end,
    Report = #{label => {gen_server, terminate}, name => Name, last_message => Message, state => Shown, log => Log,
               reason => Full, client_info => Client, process_label => undefined},
    logger:'$report'(error, "", Report, format_log(Report)),
    erlang:raise(Class, Reason, Stack).

client(undefined) -> undefined;
client({Pid, _}) when is_pid(Pid), node(Pid) =/= node() -> {Pid, remote};
client({Pid, _}) when is_pid(Pid) ->
    case catch process_info(Pid, [current_stacktrace, registered_name]) of
        undefined -> {Pid, dead};
        [{_, Stack}, {_, []}] -> {Pid, {Pid, Stack}};
        [{_, Stack}, {_, Name}] -> {Pid, {Name, Stack}};
        _ -> {Pid, {Pid, []}}
    end;
client(_) -> undefined.

format_log(Report) -> format_log(Report, #{}).
format_log(#{label := {gen_server, no_handle_info}, module := Module, message := Message}, _) ->
    io_lib:format("** Undefined handle_info in ~tp~n** Unhandled message: ~tp~n", [Module, Message]);
format_log(#{label := {gen_server, terminate}} = Report, _) ->
    #{name := Name, last_message := Message, state := State, reason := Reason} = Report,
    [io_lib:format("** Generic server ~tp terminating ~n** Last message in was ~tp~n** When Server state == ~tp~n"
                   "** Reason for termination ==~n** ~tp~n", [Name, Message, State, Reason]),
     case maps:get(log, Report, []) of
         [] -> [];
         Log -> io_lib:format("** Log ==~n** ~tp~n", [Log])
     end,
     case maps:get(client_info, Report, undefined) of
         undefined -> [];
         {From, dead} -> io_lib:format("** Client ~tp is dead~n", [From]);
         {From, remote} -> io_lib:format("** Client ~tp is remote on node ~tp~n", [From, node(From)]);
         {_, {Who, Stack}} -> io_lib:format("** Client ~tp stacktrace~n** ~tp~n", [Who, Stack])
     end].

shown_state(Module, Why, State) ->
    try
        case {erlang:function_exported(Module, format_status, 1), erlang:function_exported(Module, format_status, 2)} of
            {true, _} -> maps:get(state, Module:format_status(#{state => State}));
            {_, true} -> Module:format_status(Why, [get(), State]);
            _ -> State
        end
    catch _:_ -> State
    end.

%% For sys.
system_continue(Parent, Debug, {S, State, Time}) -> go_on(S#s{parent = Parent}, State, Time, Debug).
system_terminate(Reason, _, Debug, {S, State, _}) -> terminate(exit, Reason, [], S, State, [], undefined, Debug).
system_get_state({_, State, _}) -> {ok, State}.
system_replace_state(F, {S, State, Time}) ->
    State1 = F(State),
    {ok, State1, {S, State1, Time}}.
system_code_change({S, State, Time}, _, Vsn, Extra) ->
    Module = S#s.module,
    case catch Module:code_change(Vsn, State, Extra) of
        {ok, State1} -> {ok, {S, State1, Time}};
        Else -> Else
    end.

format_status(_, [_, Status, Parent, Debug, {#s{name = Name, module = Module}, State, _}]) ->
    Specific = case shown_state(Module, normal, State) of
                   State -> [{data, [{"State", State}]}];
                   {data, _} = Data -> [Data];
                   [{data, _} | _] = Data -> Data;
                   Other ->
                       case erlang:function_exported(Module, format_status, 1) of
                           true -> [{data, [{"State", Other}]}];
                           false when is_list(Other) -> Other;
                           false -> [Other]
                       end
               end,
    Callback = case get('$initial_call') of
                   {supervisor, Of, 1} -> [{supervisor, [{"Callback", Of}]}];
                   _ -> []
               end,
    [{header, lists:flatten(io_lib:format("Status for generic server ~tp", [Name]))},
     {data, [{"Status", Status}, {"Parent", Parent}, {"Logged events", sys:get_log(Debug)}]}
     | Specific ++ Callback].
