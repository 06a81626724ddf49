%% gen_statem: a state machine with events that can be put off, inserted, and timed.
-module(gen_statem).
-export([start/3, start/4, start_link/3, start_link/4, start_monitor/3, start_monitor/4, stop/1, stop/3,
         call/2, call/3, cast/2, reply/1, reply/2, send_request/2, wait_response/1, wait_response/2,
         receive_response/1, receive_response/2, check_response/2,
         send_request/4, wait_response/3, receive_response/3, check_response/3, reqids_new/0, reqids_size/1,
         reqids_to_list/1, reqids_add/3,
         enter_loop/4, enter_loop/5, enter_loop/6, init_it/6,
         system_continue/3, system_terminate/4, system_get_state/1, system_replace_state/2, system_code_change/4,
         format_status/2, format_log/1, format_log/2]).

%% queue: events to be handled now, before the mailbox is looked at. postponed: the latest first.
%% timers: by kind, {Reference, Content}.
-record(s, {parent, name, modules, mode, enter = false, state, data, queue = [], postponed = [], timers = #{},
            hibernate = infinity, debug = []}).

start(Module, Args, Options) -> gen:start(gen_statem, nolink, Module, Args, Options).
start(Name, Module, Args, Options) -> gen:start(gen_statem, nolink, Name, Module, Args, Options).
start_link(Module, Args, Options) -> gen:start(gen_statem, link, Module, Args, Options).
start_link(Name, Module, Args, Options) -> gen:start(gen_statem, link, Name, Module, Args, Options).
start_monitor(Module, Args, Options) -> gen:start(gen_statem, monitor, Module, Args, Options).
start_monitor(Name, Module, Args, Options) -> gen:start(gen_statem, monitor, Name, Module, Args, Options).

stop(Server) -> stop(Server, normal, infinity).
stop(Server, Reason, Time) -> gen:stop(Server, Reason, Time).

call(Server, Question) -> call(Server, Question, infinity).
call(Server, Question, {clean_timeout, Time}) -> call(Server, Question, Time);
call(Server, Question, {dirty_timeout, Time}) -> call(Server, Question, Time);
call(Server, Question, Time) ->
    try gen:call(Server, '$gen_call', Question, Time) of
        {ok, Answer} -> Answer
    catch exit:Reason ->
        exit({Reason, {gen_statem, call, case Time of
                                              infinity -> [Server, Question, infinity];
                                              _ -> [Server, Question, Time]
                                          end}})
    end.

cast(Server, Message) -> gen_server:cast(Server, Message).

reply({reply, From, Answer}) -> reply(From, Answer);
reply(Replies) when is_list(Replies) -> [reply(Reply) || Reply <- Replies], ok.
reply(From, Answer) -> gen:reply(From, Answer).

send_request(Server, Question) -> gen:send_request(Server, '$gen_call', Question).
wait_response(Id) -> wait_response(Id, infinity).
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

enter_loop(Module, Options, State, Data) -> enter_loop(Module, Options, State, Data, self(), []).
enter_loop(Module, Options, State, Data, Actions) when is_list(Actions) ->
    enter_loop(Module, Options, State, Data, self(), Actions);
enter_loop(Module, Options, State, Data, Name) -> enter_loop(Module, Options, State, Data, Name, []).
enter_loop(Module, Options, State, Data, Name, Actions) ->
    Parent = case get('$ancestors') of
                 [Pid | _] when is_pid(Pid) -> Pid;
                 [Registered | _] when is_atom(Registered) -> whereis(Registered);
                 _ -> self()
             end,
    begin_with(#s{parent = Parent, name = gen:name(Name), modules = [Module], hibernate = gen:hibernate_after(Options),
                  debug = gen:debug_options(Name, Options)}, State, Data, Actions).

%% The start.
init_it(Starter, self, Name, Module, Args, Options) -> init_it(Starter, self(), Name, Module, Args, Options);
init_it(Starter, Parent, Name, Module, Args, Options) ->
    S = #s{parent = Parent, name = gen:name(Name), modules = [Module], hibernate = gen:hibernate_after(Options),
           debug = gen:debug_options(Name, Options), mode = state_functions},
    case tried(fun() -> Module:init(Args) end) of
        {ok, {ok, State, Data}} -> ready(Starter, Name, S, State, Data, []);
        {ok, {ok, State, Data, Actions}} -> ready(Starter, Name, S, State, Data, Actions);
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
            Reason = {bad_return_from_init, Else},
            report(S, error, Reason, [], []),
            failed(Starter, Name, {error, Reason}, error, Reason, []);
        {Class, Reason, Stack} ->
            report(S, Class, Reason, Stack, []),
            failed_quietly(Starter, Name, {error, Reason}, Class, Reason, Stack)
    end.

ready(Starter, _, S, State, Data, Actions) ->
    proc_lib:init_ack(Starter, {ok, self()}),
    begin_with(S, State, Data, Actions).

failed(Starter, Name, Answer, Class, Reason, Stack) ->
    gen:unregister_name(Name),
    proc_lib:init_ack(Starter, Answer),
    erlang:raise(Class, Reason, Stack).

failed_quietly(Starter, Name, Answer, Class, Reason, Stack) -> failed(Starter, Name, Answer, Class, Reason, Stack).

begin_with(S, State, Data, Actions) ->
    S1 = read_mode(S),
    #{} = S1#s.timers,
    S2 = S1#s{state = State, data = Data},
    entered(S2, State, one_list(Actions), {init, undefined}).

read_mode(#s{modules = [Module | _]} = S) ->
    case tried(fun() -> Module:callback_mode() end) of
        {ok, Mode} when is_atom(Mode) -> S#s{mode = Mode, enter = false};
        {ok, Modes} when is_list(Modes) ->
            case lists:delete(state_enter, Modes) of
                [Mode] -> S#s{mode = Mode, enter = lists:member(state_enter, Modes)};
                _ -> wrong(S, {bad_return_from_callback_mode, Modes}, [])
            end;
        {ok, Else} -> wrong(S, {bad_return_from_callback_mode, Else}, []);
        {Class, Reason, Stack} -> over(S, Class, Reason, Stack, [])
    end.

tried(F) ->
    try {ok, F()}
    catch
        throw:Value -> {ok, Value};
        Class:Reason:Stack -> {Class, Reason, Stack}
    end.

one_list(Actions) when is_list(Actions) -> Actions;
one_list(Action) -> [Action].

%% The next event: one that waits within, or a message.
next(#s{queue = [{Type, Content} | Queue]} = S) -> handle(S#s{queue = Queue}, Type, Content);
next(#s{parent = Parent} = S) ->
    receive
        {system, From, Question} -> sys:handle_system_msg(Question, From, Parent, ?MODULE, S#s.debug, S);
        {'EXIT', Parent, Reason} -> over(S, exit, Reason, [], {info, {'EXIT', Parent, Reason}});
        Message -> heard(S, Message)
    end.

heard(S, {'$gen_call', From, Question}) -> handle(S, {call, From}, Question);
heard(S, {'$gen_cast', Message}) -> handle(S, cast, Message);
heard(#s{timers = Timers} = S, {timeout, Reference, Kind} = Message) ->
    case Timers of
        #{Kind := {Reference, Content}} -> handle(S#s{timers = maps:remove(Kind, Timers)}, Kind, Content);
        _ -> handle(S, info, Message)
    end;
heard(S, Message) -> handle(S, info, Message).

%% Any event ends the wait of the event timeout.
handle(S0, Type, Content) ->
    S = noted(cancel(timeout, S0), {in, {Type, Content}, S0#s.state}),
    result(S, callback(S, Type, Content), {Type, Content}).

callback(#s{modules = [Module | _], mode = state_functions, state = State, data = Data}, Type, Content) ->
    tried(fun() -> Module:State(Type, Content, Data) end);
callback(#s{modules = [Module | _], state = State, data = Data}, Type, Content) ->
    tried(fun() -> Module:handle_event(Type, Content, State, Data) end).

result(S, {ok, Value}, Event) -> returned(S, Value, Event);
result(S, {Class, Reason, Stack}, Event) -> over(S, Class, Reason, Stack, Event).

returned(S, {next_state, State, Data}, Event) -> transition(S, State, Data, [], Event);
returned(S, {next_state, State, Data, Actions}, Event) -> transition(S, State, Data, one_list(Actions), Event);
returned(S, {keep_state, Data}, Event) -> transition(S, S#s.state, Data, [], Event);
returned(S, {keep_state, Data, Actions}, Event) -> transition(S, S#s.state, Data, one_list(Actions), Event);
returned(S, keep_state_and_data, Event) -> transition(S, S#s.state, S#s.data, [], Event);
returned(S, {keep_state_and_data, Actions}, Event) -> transition(S, S#s.state, S#s.data, one_list(Actions), Event);
returned(S, {repeat_state, Data}, Event) -> repeated(S, Data, [], Event);
returned(S, {repeat_state, Data, Actions}, Event) -> repeated(S, Data, one_list(Actions), Event);
returned(S, repeat_state_and_data, Event) -> repeated(S, S#s.data, [], Event);
returned(S, {repeat_state_and_data, Actions}, Event) -> repeated(S, S#s.data, one_list(Actions), Event);
returned(S, stop, Event) -> over(S, exit, normal, [], Event);
returned(S, {stop, Reason}, Event) -> over(S, exit, Reason, [], Event);
returned(S, {stop, Reason, Data}, Event) -> over(S#s{data = Data}, exit, Reason, [], Event);
returned(S, {stop_and_reply, Reason, Replies}, Event) -> over(answered(S, Replies), exit, Reason, [], Event);
returned(S, {stop_and_reply, Reason, Replies, Data}, Event) ->
    over((answered(S, Replies))#s{data = Data}, exit, Reason, [], Event);
returned(S, Else, Event) -> wrong(S, {bad_return_from_state_function, Else}, Event).

answered(S, Replies) ->
    lists:foldl(fun({reply, From, Answer}, Now) ->
                        reply(From, Answer),
                        noted(Now, {out, Answer, From})
                end, S, one_list(Replies)).

%% Where a callback led: the actions first, then what was put off, if the state is another one.
transition(#s{state = Old} = S, State, Data, Actions, Event) ->
    move(S#s{state = State, data = Data}, Old, State =/= Old, State =/= Old, Actions, Event).

repeated(#s{state = State} = S, Data, Actions, Event) ->
    move(S#s{data = Data}, State, true, true, Actions, Event).

move(S, Old, Changed, Enter, Actions, Event) ->
    case acted(Actions, S, Event, {[], [], false}) of
        {ok, S1, {Inserted, Timeouts, Postpone}} ->
            S2 = case Postpone of
                     true -> S1#s{postponed = [Event | S1#s.postponed]};
                     false -> S1
                 end,
            S3 = case Changed of
                     true -> retry(cancel_state_timeout(S2));
                     false -> S2
                 end,
            S4 = S3#s{queue = lists:reverse(Inserted, S3#s.queue)},
            S5 = noted(S4, {consume, Event, S4#s.state}),
            case Enter andalso S5#s.enter of
                true -> entered(S5, Old, {timeouts, lists:reverse(Timeouts)}, Event);
                false -> timed_next(lists:reverse(Timeouts), S5)
            end;
        {bad, Action} -> wrong(S, {bad_action_from_state_function, Action}, Event)
    end.

%% Those that were put off come first, the oldest of them first.
retry(#s{postponed = Postponed, queue = Queue} = S) -> S#s{postponed = [], queue = lists:reverse(Postponed, Queue)}.

cancel_state_timeout(S) -> cancel(state_timeout, S).

%% The state is entered; at the start with actions of init.
entered(S, Old, {timeouts, Timeouts}, Event) -> enter(S, Old, Timeouts, [], Event);
entered(S, Old, Actions, Event) ->
    case acted(Actions, S, Event, {[], [], false}) of
        {ok, S1, {Inserted, Timeouts, _}} ->
            S2 = S1#s{queue = lists:reverse(Inserted, S1#s.queue)},
            case S2#s.enter of
                true -> enter(S2, Old, lists:reverse(Timeouts), [], Event);
                false -> timed_next(lists:reverse(Timeouts), S2)
            end;
        {bad, Action} -> wrong(S, {bad_action_from_state_function, Action}, Event)
    end.

enter(S, Old, Timeouts, _, Event) ->
    case callback(S, enter, Old) of
        {ok, Value} ->
            case entering(S, Value) of
                {keep, Data, Actions} ->
                    case acted(Actions, S#s{data = Data}, Event, {[], lists:reverse(Timeouts), false}) of
                        {ok, S1, {[], Timeouts1, false}} -> timed_next(lists:reverse(Timeouts1), S1);
                        _ -> wrong(S, {bad_state_enter_action_from_state_function, Actions}, Event)
                    end;
                {repeat, Data, Actions} ->
                    case acted(Actions, S#s{data = Data}, Event, {[], lists:reverse(Timeouts), false}) of
                        {ok, S1, {[], Timeouts1, false}} -> enter(S1, S1#s.state, lists:reverse(Timeouts1), [], Event);
                        _ -> wrong(S, {bad_state_enter_action_from_state_function, Actions}, Event)
                    end;
                other -> returned_stop(S, Value, Event)
            end;
        {Class, Reason, Stack} -> over(S, Class, Reason, Stack, Event)
    end.

entering(#s{state = State}, {next_state, State, Data}) -> {keep, Data, []};
entering(#s{state = State}, {next_state, State, Data, Actions}) -> {keep, Data, one_list(Actions)};
entering(_, {keep_state, Data}) -> {keep, Data, []};
entering(_, {keep_state, Data, Actions}) -> {keep, Data, one_list(Actions)};
entering(S, keep_state_and_data) -> {keep, S#s.data, []};
entering(S, {keep_state_and_data, Actions}) -> {keep, S#s.data, one_list(Actions)};
entering(_, {repeat_state, Data}) -> {repeat, Data, []};
entering(_, {repeat_state, Data, Actions}) -> {repeat, Data, one_list(Actions)};
entering(S, repeat_state_and_data) -> {repeat, S#s.data, []};
entering(S, {repeat_state_and_data, Actions}) -> {repeat, S#s.data, one_list(Actions)};
entering(_, _) -> other.

returned_stop(S, Value, Event) when Value =:= stop; element(1, Value) =:= stop; element(1, Value) =:= stop_and_reply ->
    returned(S, Value, Event);
returned_stop(S, Value, Event) -> wrong(S, {bad_state_enter_return_from_state_function, Value}, Event).

%% Actions: what is inserted, which timers are set, whether the event is put off.
acted([], S, _, Done) -> {ok, S, Done};
acted([Action | More], S, Event, {Inserted, Timeouts, Postpone}) ->
    case Action of
        {reply, _, _} -> acted(More, answered(S, Action), Event, {Inserted, Timeouts, Postpone});
        postpone -> acted(More, S, Event, {Inserted, Timeouts, true});
        {postpone, Flag} when is_boolean(Flag) -> acted(More, S, Event, {Inserted, Timeouts, Flag});
        hibernate -> acted(More, S, Event, {Inserted, Timeouts, Postpone});
        {hibernate, Flag} when is_boolean(Flag) -> acted(More, S, Event, {Inserted, Timeouts, Postpone});
        {next_event, Type, Content} -> acted(More, S, Event, {[{Type, Content} | Inserted], Timeouts, Postpone});
        {change_callback_module, Module} ->
            acted(More, read_mode(S#s{modules = [Module | tl(S#s.modules)]}), Event, {Inserted, Timeouts, Postpone});
        {push_callback_module, Module} ->
            acted(More, read_mode(S#s{modules = [Module | S#s.modules]}), Event, {Inserted, Timeouts, Postpone});
        pop_callback_module when tl(S#s.modules) =/= [] ->
            acted(More, read_mode(S#s{modules = tl(S#s.modules)}), Event, {Inserted, Timeouts, Postpone});
        _ ->
            case timeout(Action) of
                bad -> {bad, Action};
                Timeout -> acted(More, S, Event, {Inserted, [Timeout | Timeouts], Postpone})
            end
    end.

timeout(infinity) -> {timeout, cancel};
timeout(Time) when is_integer(Time), Time >= 0 -> {timeout, {Time, Time, []}};
timeout({timeout, Time, Content}) -> {timeout, {Time, Content, []}};
timeout({timeout, Time, Content, Options}) -> {timeout, {Time, Content, one_list(Options)}};
timeout({timeout, cancel}) -> {timeout, cancel};
timeout({timeout, update, Content}) -> {timeout, {update, Content}};
timeout({state_timeout, Time, Content}) -> {state_timeout, {Time, Content, []}};
timeout({state_timeout, Time, Content, Options}) -> {state_timeout, {Time, Content, one_list(Options)}};
timeout({state_timeout, cancel}) -> {state_timeout, cancel};
timeout({state_timeout, update, Content}) -> {state_timeout, {update, Content}};
timeout({{timeout, Name}, Time, Content}) when Time =/= update -> {{timeout, Name}, {Time, Content, []}};
timeout({{timeout, Name}, Time, Content, Options}) -> {{timeout, Name}, {Time, Content, one_list(Options)}};
timeout({{timeout, Name}, cancel}) -> {{timeout, Name}, cancel};
timeout({{timeout, Name}, update, Content}) -> {{timeout, Name}, {update, Content}};
timeout(_) -> bad.

timed_next(Timeouts, S) -> next(lists:foldl(fun set/2, S, Timeouts)).

set({Kind, cancel}, S) -> cancel(Kind, S);
set({Kind, {update, Content}}, #s{timers = Timers} = S) ->
    case Timers of
        #{Kind := {Reference, _}} -> S#s{timers = Timers#{Kind := {Reference, Content}}};
        _ -> due(Kind, Content, S)
    end;
set({Kind, {infinity, _, _}}, S) -> cancel(Kind, S);
%% What is due at once comes behind what waits within, and before the mailbox.
set({timeout, {0, _, _}}, #s{queue = [_ | _]} = S) -> S;
set({Kind, {0, Content, []}}, S) -> due(Kind, Content, cancel(Kind, S));
set({timeout, _}, #s{queue = [_ | _]} = S) -> S;
set({Kind, {Time, Content, Options}}, S) ->
    S1 = cancel(Kind, S),
    Reference = erlang:start_timer(Time, self(), Kind, Options),
    S1#s{timers = (S1#s.timers)#{Kind => {Reference, Content}}}.

due(Kind, Content, #s{queue = Queue} = S) -> S#s{queue = Queue ++ [{Kind, Content}]}.

cancel(Kind, #s{timers = Timers, queue = Queue} = S) ->
    case Timers of
        #{Kind := {Reference, _}} ->
            erlang:cancel_timer(Reference),
            receive {timeout, Reference, _} -> ok after 0 -> ok end,
            S#s{timers = maps:remove(Kind, Timers)};
        _ when Kind =:= timeout -> S#s{queue = lists:keydelete(timeout, 1, Queue)};
        _ -> S#s{queue = [Event || {Type, _} = Event <- Queue, Type =/= Kind]}
    end.

noted(#s{debug = []} = S, _) -> S;
noted(#s{debug = Debug} = S, Event) -> S#s{debug = sys:handle_debug(Debug, fun print/3, S#s.name, Event)}.

print(Device, {in, {{call, {From, _}}, Question}, State}, Name) ->
    io:format(Device, "*DBG* ~tp receive call ~tp from ~tw in state ~tp~n", [Name, Question, From, State]);
print(Device, {in, {Type, Content}, State}, Name) ->
    io:format(Device, "*DBG* ~tp receive ~tw ~tp in state ~tp~n", [Name, Type, Content, State]);
print(Device, {out, Answer, {To, _}}, Name) -> io:format(Device, "*DBG* ~tp send ~tp to ~tw~n", [Name, Answer, To]);
print(Device, {consume, {{call, {From, _}}, Question}, State}, Name) ->
    io:format(Device, "*DBG* ~tp consume call ~tp from ~tw in state ~tp~n", [Name, Question, From, State]);
print(Device, {consume, {Type, Content}, State}, Name) ->
    io:format(Device, "*DBG* ~tp consume ~tw ~tp in state ~tp~n", [Name, Type, Content, State]);
print(Device, Event, Name) -> io:format(Device, "*DBG* ~tp ~tp~n", [Name, Event]).

%% What a callback should not have returned, with the place where that was seen.
wrong(S, Reason, Event) ->
    {error, Reason, Stack} = tried(fun() -> error(Reason) end),
    over(S, error, Reason, Stack, Event).

%% The end.
over(#s{modules = [Module | _], state = State, data = Data} = S, Class, Reason, Stack, Event) ->
    Last = case erlang:function_exported(Module, terminate, 3) of
               true -> tried(fun() -> Module:terminate(Reason, State, Data) end);
               false -> {ok, ok}
           end,
    case Last of
        {ok, _} -> gone(S, Class, Reason, Stack, Event);
        {Class1, Reason1, Stack1} -> gone(S, Class1, Reason1, Stack1, Event)
    end.

gone(S, Class, Reason, Stack, Event) ->
    orderly(Class, Reason) orelse report(S, Class, Reason, Stack, Event),
    erlang:raise(Class, Reason, Stack).

orderly(exit, normal) -> true;
orderly(exit, shutdown) -> true;
orderly(exit, {shutdown, _}) -> true;
orderly(_, _) -> false.

report(#s{name = Name, modules = Modules, mode = Mode, enter = Enter} = S, Class, Reason, Stack, Event) ->
    Report = #{label => {gen_statem, terminate}, name => Name,
               queue => [Event || is_tuple(Event)] ++ S#s.queue, postponed => lists:reverse(S#s.postponed),
               modules => Modules, callback_mode => Mode, state_enter => Enter,
               state => shown_state(S, terminate), timeouts => {0, []}, log => sys:get_log(S#s.debug),
               reason => {Class, Reason, Stack}, client_info => client(Event), process_label => undefined},
    logger:'$report'(error, "", Report, format_log(Report)).

client({{call, {Pid, _}}, _}) when is_pid(Pid), node(Pid) =/= node() -> {Pid, remote};
client({{call, {Pid, _}}, _}) when is_pid(Pid) ->
    case catch process_info(Pid, [current_stacktrace, registered_name]) of
        undefined -> {Pid, dead};
        [{_, Stack}, {_, []}] -> {Pid, {Pid, Stack}};
        [{_, Stack}, {_, Name}] -> {Pid, {Name, Stack}};
        _ -> {Pid, {Pid, []}}
    end;
client(_) -> undefined.

format_log(Report) -> format_log(Report, #{}).
format_log(#{name := Name, queue := Queue, postponed := Postponed, modules := Modules, callback_mode := Mode,
             state_enter := Enter, state := State, log := Log, reason := {Class, Reason, Stack},
             client_info := Client}, _) ->
    [io_lib:format("** State machine ~tp terminating~n", [Name]),
     case Queue of
         [] -> [];
         [Event | _] -> io_lib:format("** Last event = ~tp~n", [Event])
     end,
     io_lib:format("** When server state  = ~tp~n** Reason for termination = ~w:~tp~n** Callback modules = ~tp~n"
                   "** Callback mode = ~tp~n",
                   [State, Class, Reason, Modules, case Enter of true -> [Mode, state_enter]; false -> Mode end]),
     case Queue of
         [_, _ | _] -> io_lib:format("** Queued = ~tp~n", [tl(Queue)]);
         _ -> []
     end,
     case Postponed of
         [] -> [];
         _ -> io_lib:format("** Postponed = ~tp~n", [Postponed])
     end,
     case Stack of
         [] -> [];
         _ -> io_lib:format("** Stacktrace =~n**  ~tp~n", [Stack])
     end,
     case Log of
         [] -> [];
         _ -> io_lib:format("** Log =~n**  ~tp~n", [Log])
     end,
     case Client of
         undefined -> [];
         {From, dead} -> io_lib:format("** Client ~tp is dead~n", [From]);
         {From, remote} -> io_lib:format("** Client ~tp is remote on node ~tp~n", [From, node(From)]);
         {_, {Who, Trace}} -> io_lib:format("** Client ~tp stacktrace~n** ~tp~n", [Who, Trace])
     end].

shown_state(#s{modules = [Module | _], state = State, data = Data}, Why) ->
    try
        case {erlang:function_exported(Module, format_status, 1), erlang:function_exported(Module, format_status, 2)} of
            {true, _} ->
                #{state := State1, data := Data1} = Module:format_status(#{state => State, data => Data}),
                {State1, Data1};
            {_, true} -> Module:format_status(Why, [get(), State, Data]);
            _ -> {State, Data}
        end
    catch _:_ -> {State, Data}
    end.

%% For sys.
system_continue(Parent, Debug, S) -> next(S#s{parent = Parent, debug = Debug}).
system_terminate(Reason, _, Debug, S) -> over(S#s{debug = Debug}, exit, Reason, [], []).
system_get_state(#s{state = State, data = Data}) -> {ok, {State, Data}}.
system_replace_state(F, #s{state = State, data = Data} = S) ->
    {State1, Data1} = F({State, Data}),
    {ok, {State1, Data1}, S#s{state = State1, data = Data1}}.
system_code_change(#s{modules = [Module | _], state = State, data = Data} = S, _, Vsn, Extra) ->
    case catch Module:code_change(Vsn, State, Data, Extra) of
        {ok, State1, Data1} -> {ok, read_mode(S#s{state = State1, data = Data1})};
        Else -> Else
    end.

format_status(_, [_, Status, Parent, Debug, #s{name = Name, modules = Modules, timers = Timers} = S]) ->
    Specific = case shown_state(S, normal) of
                   {data, _} = Data -> [Data];
                   [{data, _} | _] = Data -> Data;
                   Shown -> [{data, [{"State", Shown}]}]
               end,
    [{header, lists:flatten(io_lib:format("Status for state machine ~tp", [Name]))},
     {data, [{"Status", Status}, {"Parent", Parent}, {"Modules", Modules},
             {"Time-outs", {map_size(Timers), [{Kind, Content} || {Kind, {_, Content}} <- maps:to_list(Timers)]}},
             {"Logged Events", sys:get_log(Debug)}, {"Postponed", S#s.postponed}]}
     | Specific].
