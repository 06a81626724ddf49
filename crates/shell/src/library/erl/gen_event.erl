%% gen_event: one process, any number of handlers, each of which hears every event.
-module(gen_event).
-export([start/0, start/1, start/2, start_link/0, start_link/1, start_link/2, start_monitor/0, start_monitor/1,
         start_monitor/2, stop/1, stop/3, notify/2, sync_notify/2, add_handler/3, add_sup_handler/3, delete_handler/3,
         swap_handler/3, swap_sup_handler/3, which_handlers/1, call/3, call/4, send_request/3, wait_response/2,
         receive_response/1, receive_response/2, check_response/2,
         send_request/5, wait_response/3, receive_response/3, check_response/3, reqids_new/0, reqids_size/1,
         reqids_to_list/1, reqids_add/3, init_it/6,
         system_continue/3, system_terminate/4, system_get_state/1, system_replace_state/2, system_code_change/4,
         format_status/2, format_log/1, format_log/2]).

%% sup: who added it and hears of its end; false for nobody.
-record(handler, {module, id = false, state, sup = false}).
-record(s, {parent, name, hibernate = infinity}).

start() -> gen:start(gen_event, nolink, [], [], []).
start(Options) when is_list(Options) -> gen:start(gen_event, nolink, [], [], Options);
start(Name) -> start(Name, []).
start(Name, Options) -> gen:start(gen_event, nolink, Name, [], [], Options).
start_link() -> gen:start(gen_event, link, [], [], []).
start_link(Options) when is_list(Options) -> gen:start(gen_event, link, [], [], Options);
start_link(Name) -> start_link(Name, []).
start_link(Name, Options) -> gen:start(gen_event, link, Name, [], [], Options).
start_monitor() -> gen:start(gen_event, monitor, [], [], []).
start_monitor(Options) when is_list(Options) -> gen:start(gen_event, monitor, [], [], Options);
start_monitor(Name) -> start_monitor(Name, []).
start_monitor(Name, Options) -> gen:start(gen_event, monitor, Name, [], [], Options).

stop(Manager) -> stop(Manager, normal, infinity).
stop(Manager, Reason, Time) -> gen:stop(Manager, Reason, Time).

notify(Manager, Event) -> send(Manager, {notify, Event}).
sync_notify(Manager, Event) -> ask(Manager, {sync_notify, Event}).
add_handler(Manager, Handler, Args) -> ask(Manager, {add_handler, Handler, Args}).
add_sup_handler(Manager, Handler, Args) -> ask(Manager, {add_sup_handler, Handler, Args, self()}).
delete_handler(Manager, Handler, Args) -> ask(Manager, {delete_handler, Handler, Args}).
swap_handler(Manager, {Old, Args}, {New, More}) -> ask(Manager, {swap_handler, Old, Args, New, More}).
swap_sup_handler(Manager, {Old, Args}, {New, More}) ->
    ask(Manager, {swap_sup_handler, Old, Args, New, More, self()}).
which_handlers(Manager) -> ask(Manager, which_handlers).
call(Manager, Handler, Question) -> ask(Manager, {call, Handler, Question}, 5000).
call(Manager, Handler, Question, Time) -> ask(Manager, {call, Handler, Question}, Time).
send_request(Manager, Handler, Question) -> gen:send_request(Manager, self(), {call, Handler, Question}).
wait_response(Id, Time) -> gen:wait_response(Id, Time).
receive_response(Id) -> receive_response(Id, infinity).
receive_response(Id, Time) -> gen:receive_response(Id, Time).
check_response(Message, Id) -> gen:check_response(Message, Id).
%% Many, each with a label.
send_request(Manager, Handler, Question, Label, Ids) ->
    gen:send_request(Manager, self(), {call, Handler, Question}, Label, Ids).
wait_response(Ids, Time, Delete) -> gen:wait_response(Ids, Time, Delete).
receive_response(Ids, Time, Delete) -> gen:receive_response(Ids, Time, Delete).
check_response(Message, Ids, Delete) -> gen:check_response(Message, Ids, Delete).
reqids_new() -> gen:reqids_new().
reqids_size(Ids) -> gen:reqids_size(Ids).
reqids_to_list(Ids) -> gen:reqids_to_list(Ids).
reqids_add(Id, Label, Ids) -> gen:reqids_add(Id, Label, Ids).

send({global, Name}, Message) -> catch global:send(Name, Message), ok;
send({via, Module, Name}, Message) -> catch Module:send(Name, Message), ok;
send(To, Message) -> To ! Message, ok.

%% A manager knows its questions by the pid in front of them.
ask(Manager, Question) -> ask(Manager, Question, infinity).
ask(Manager, Question, Time) ->
    {ok, Answer} = gen:call(Manager, self(), Question, Time),
    Answer.

init_it(Starter, self, Name, Module, Args, Options) -> init_it(Starter, self(), Name, Module, Args, Options);
init_it(Starter, Parent, Name, _, _, Options) ->
    process_flag(trap_exit, true),
    Debug = gen:debug_options(Name, Options),
    proc_lib:init_ack(Starter, {ok, self()}),
    loop(#s{parent = Parent, name = gen:name(Name), hibernate = gen:hibernate_after(Options)}, [], Debug).

loop(#s{parent = Parent} = S, Handlers, Debug) ->
    receive
        {system, From, Question} ->
            sys:handle_system_msg(Question, From, Parent, ?MODULE, Debug, {S, Handlers});
        {'EXIT', Parent, Reason} -> over(Reason, Handlers, S);
        Message -> heard(Message, S, Handlers, noted(S, {in, Message}, Debug))
    end.

noted(_, _, []) -> [];
noted(S, Event, Debug) -> sys:handle_debug(Debug, fun print/3, S#s.name, Event).

print(Device, {in, {notify, Event}}, Name) -> io:format(Device, "*DBG* ~tp got event ~tp~n", [Name, Event]);
print(Device, {in, {_, _, {sync_notify, Event}}}, Name) -> io:format(Device, "*DBG* ~tp got event ~tp~n", [Name, Event]);
print(Device, {in, {_, _, {call, Handler, Question}}}, Name) ->
    io:format(Device, "*DBG* ~tp(~tp) got call ~tp~n", [Name, Handler, Question]);
print(Device, {in, Message}, Name) -> io:format(Device, "*DBG* ~tp got ~tp~n", [Name, Message]);
print(Device, Event, Name) -> io:format(Device, "*DBG* ~tp : ~tp~n", [Name, Event]).

heard({notify, Event}, S, Handlers, Debug) -> loop(S, tell_all(handle_event, Event, Handlers, S), Debug);
heard({'EXIT', From, Reason} = Message, S, Handlers, Debug) ->
    Left = parent_gone(From, Reason, Handlers, S),
    loop(S, tell_all(handle_info, Message, Left, S), Debug);
heard({_, {Pid, _} = From, Question}, S, Handlers, Debug) when is_pid(Pid) ->
    case do(Question, Handlers, S) of
        {Answer, Handlers1} ->
            gen:reply(From, Answer),
            loop(S, Handlers1, Debug);
        unknown -> loop(S, tell_all(handle_info, {'$', From, Question}, Handlers, S), Debug)
    end;
heard({_, {[alias | _], _}, _} = Message, S, Handlers, Debug) -> loop(S, tell_all(handle_info, Message, Handlers, S), Debug);
heard(Message, S, Handlers, Debug) -> loop(S, tell_all(handle_info, Message, Handlers, S), Debug).

do({sync_notify, Event}, Handlers, S) -> {ok, tell_all(handle_event, Event, Handlers, S)};
do({add_handler, Handler, Args}, Handlers, _) -> add(Handler, Args, Handlers, false);
do({add_sup_handler, Handler, Args, Pid}, Handlers, _) ->
    link(Pid),
    add(Handler, Args, Handlers, Pid);
do({delete_handler, Handler, Args}, Handlers, S) ->
    case taken(Handler, Handlers) of
        {Found, Left} -> {ended(Found, Args, removed, S, normal), Left};
        error -> {{error, module_not_found}, Handlers}
    end;
do({swap_handler, Old, Args, New, More}, Handlers, S) -> swap(Old, Args, New, More, Handlers, S, false);
do({swap_sup_handler, Old, Args, New, More, Pid}, Handlers, S) ->
    link(Pid),
    swap(Old, Args, New, More, Handlers, S, Pid);
do(which_handlers, Handlers, _) -> {[full(Handler) || Handler <- Handlers], Handlers};
do({call, Wanted, Question}, Handlers, S) ->
    case [Handler || Handler <- Handlers, full(Handler) =:= Wanted] of
        [] -> {{error, bad_module}, Handlers};
        [Handler | _] -> called(Handler, Question, Handlers, S)
    end;
do(_, _, _) -> unknown.

full(#handler{module = Module, id = false}) -> Module;
full(#handler{module = Module, id = Id}) -> {Module, Id}.

fresh({Module, Id}) -> #handler{module = Module, id = Id};
fresh(Module) -> #handler{module = Module}.

tried(F) ->
    try F()
    catch
        throw:Value -> Value;
        error:Reason:Stack -> {'EXIT', {Reason, Stack}};
        exit:Reason -> {'EXIT', Reason}
    end.

%% The one that came last is the first to hear.
add(Handler, Args, Handlers, Sup) ->
    #handler{module = Module} = New = fresh(Handler),
    case tried(fun() -> Module:init(Args) end) of
        {ok, State} -> {ok, [New#handler{state = State, sup = Sup} | Handlers]};
        {ok, State, hibernate} -> {ok, [New#handler{state = State, sup = Sup} | Handlers]};
        Other -> {Other, Handlers}
    end.

taken(Wanted, Handlers) ->
    case lists:splitwith(fun(Handler) -> full(Handler) =/= Wanted end, Handlers) of
        {Before, [Found | After]} -> {Found, Before ++ After};
        {_, []} -> error
    end.

swap(Old, Args, New, More, Handlers, S, Sup) ->
    {Left, Before, Keeps} = case taken(Old, Handlers) of
                                {Found, Rest} ->
                                    {Rest, ended(Found, Args, swapped, S, {swapped, New, Sup}), Found#handler.sup};
                                error -> {Handlers, error, false}
                            end,
    case add(New, {More, Before}, Left, case Sup of false -> Keeps; _ -> Sup end) of
        {ok, Handlers1} -> {ok, Handlers1};
        {Other, Handlers1} -> {{error, Other}, Handlers1}
    end.

tell_all(Function, Event, Handlers, S) ->
    lists:foldr(fun(Handler, Left) ->
                        case tell(Function, Event, Handler, S) of
                            {ok, Handler1} -> [Handler1 | Left];
                            gone -> Left
                        end
                end, [], in_turn(Handlers)).

in_turn(Handlers) -> Handlers.

tell(Function, Event, #handler{module = Module, state = State} = Handler, S) ->
    case Function =:= handle_event orelse erlang:function_exported(Module, handle_info, 2) of
        true -> told(tried(fun() -> Module:Function(Event, State) end), Function, Event, Handler, S);
        false ->
            Report = #{label => {gen_event, no_handle_info}, module => Module, message => Event},
            logger:'$report'(warning, "", Report, format_log(Report)),
            {ok, Handler}
    end.

told({ok, State}, _, _, Handler, _) -> {ok, Handler#handler{state = State}};
told({ok, State, hibernate}, _, _, Handler, _) -> {ok, Handler#handler{state = State}};
told({swap_handler, Args, State, New, More}, _, _, Handler, S) ->
    Before = ended(Handler#handler{state = State}, Args, swapped, S, {swapped, New, Handler#handler.sup}),
    case add(New, {More, Before}, [], Handler#handler.sup) of
        {ok, [Handler1]} -> {ok, Handler1};
        _ -> gone
    end;
told(remove_handler, _, _, Handler, S) ->
    ended(Handler, remove_handler, removed, S, normal),
    gone;
told({'EXIT', Reason}, _, Event, Handler, S) ->
    ended(Handler, {error, {'EXIT', Reason}}, Event, S, {'EXIT', Reason}),
    gone;
told(Other, _, Event, Handler, S) ->
    ended(Handler, {error, Other}, Event, S, Other),
    gone.

called(#handler{module = Module, state = State} = Handler, Question, Handlers, S) ->
    Others = fun() -> lists:delete(Handler, Handlers) end,
    New = fun(State1) -> [case H of Handler -> H#handler{state = State1}; _ -> H end || H <- Handlers] end,
    case tried(fun() -> Module:handle_call(Question, State) end) of
        {ok, Answer, State1} -> {Answer, New(State1)};
        {ok, Answer, State1, hibernate} -> {Answer, New(State1)};
        {remove_handler, Answer} ->
            ended(Handler, remove_handler, removed, S, normal),
            {Answer, Others()};
        {swap_handler, Answer, Args, State1, Next, More} ->
            Before = ended(Handler#handler{state = State1}, Args, swapped, S, {swapped, Next, Handler#handler.sup}),
            case add(Next, {More, Before}, Others(), Handler#handler.sup) of
                {ok, Handlers1} -> {Answer, Handlers1};
                {_, Handlers1} -> {Answer, Handlers1}
            end;
        {'EXIT', Reason} ->
            ended(Handler, {error, {'EXIT', Reason}}, Question, S, {'EXIT', Reason}),
            {{error, {'EXIT', Reason}}, Others()};
        Other ->
            ended(Handler, {error, Other}, Question, S, Other),
            {{error, {bad_return_value, Other}}, Others()}
    end.

%% The end of a handler; Why is what those hear who supervise it, and what makes a report.
ended(#handler{module = Module, state = State} = Handler, Args, Last, S, Why) ->
    Value = case erlang:function_exported(Module, terminate, 2) of
                true -> tried(fun() -> Module:terminate(Args, State) end);
                false -> ok
            end,
    tell_supervisor(Handler, Why),
    report(Handler, Why, Last, S),
    Value.

tell_supervisor(#handler{sup = false}, _) -> ok;
tell_supervisor(#handler{sup = Pid} = Handler, Why) ->
    Pid ! {gen_event_EXIT, full(Handler), Why},
    ok.

report(_, normal, _, _) -> ok;
report(_, shutdown, _, _) -> ok;
report(_, {swapped, _, _}, _, _) -> ok;
report(#handler{state = State} = Handler, Why, Last, #s{name = Name}) ->
    Reason = case Why of {'EXIT', Real} -> Real; Other -> {bad_return_value, Other} end,
    Report = #{label => {gen_event, terminate}, handler => full(Handler), name => Name, last_message => Last,
               state => State, reason => Reason},
    logger:'$report'(error, "", Report, format_log(Report)).

parent_gone(Pid, Reason, Handlers, S) ->
    {Gone, Left} = lists:partition(fun(#handler{sup = Sup}) -> Sup =:= Pid end, Handlers),
    [ended(Handler#handler{sup = false}, {stop, Reason}, removed, S, normal) || Handler <- Gone],
    Left.

over(Reason, Handlers, S) ->
    [ended(Handler, stop, removed, S, shutdown) || Handler <- Handlers],
    exit(Reason).

format_log(Report) -> format_log(Report, #{}).
format_log(#{label := {gen_event, no_handle_info}, module := Module, message := Message}, _) ->
    io_lib:format("** Undefined handle_info in ~tp~n** Unhandled message: ~tp~n", [Module, Message]);
format_log(#{handler := Handler, name := Name, last_message := Last, state := State, reason := Reason}, _) ->
    io_lib:format("** gen_event handler ~tp crashed.~n** Was installed in ~tp~n** Last event was: ~tp~n"
                  "** When handler state == ~tp~n** Reason == ~tp~n", [Handler, Name, Last, State, Reason]).

%% For sys.
system_continue(Parent, Debug, {S, Handlers}) -> loop(S#s{parent = Parent}, Handlers, Debug).
system_terminate(Reason, _, _, {S, Handlers}) -> over(Reason, Handlers, S).
system_get_state({_, Handlers}) -> {ok, [{Module, Id, State} || #handler{module = Module, id = Id, state = State} <- Handlers]}.
system_replace_state(F, {S, Handlers}) ->
    {States, New} = lists:unzip([replaced(F, Handler) || Handler <- Handlers]),
    {ok, States, {S, New}}.

replaced(F, #handler{module = Module, id = Id, state = State} = Handler) ->
    try
        {Module, Id, State1} = F({Module, Id, State}),
        {{Module, Id, State1}, Handler#handler{state = State1}}
    catch _:_ -> {{Module, Id, State}, Handler}
    end.

system_code_change({S, Handlers}, Module, Vsn, Extra) ->
    {ok, {S, [case Handler of
                  #handler{module = Module, state = State} ->
                      {ok, State1} = Module:code_change(Vsn, State, Extra),
                      Handler#handler{state = State1};
                  _ -> Handler
              end || Handler <- Handlers]}}.

format_status(_, [_, Status, Parent, Debug, {#s{name = Name}, Handlers}]) ->
    [{header, lists:flatten(io_lib:format("Status for event handler ~tp", [Name]))},
     {data, [{"Status", Status}, {"Logged Events", sys:get_log(Debug)}, {"Parent", Parent}]},
     {items, {"Installed handlers", [{handler, Module, Id, State, Sup}
                                     || #handler{module = Module, id = Id, state = State, sup = Sup} <- Handlers]}}].
