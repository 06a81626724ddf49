%% sys: what every behaviour answers to those who look into it.
-module(sys).
-export([suspend/1, suspend/2, resume/1, resume/2, get_status/1, get_status/2, get_state/1, get_state/2,
         replace_state/2, replace_state/3, change_code/4, change_code/5, terminate/2, terminate/3,
         trace/2, trace/3, log/2, log/3, log_to_file/2, log_to_file/3, statistics/2, statistics/3,
         install/2, install/3, remove/2, remove/3, no_debug/1, no_debug/2,
         handle_system_msg/6, handle_system_msg/7, handle_debug/4, debug_options/1, get_debug/3, get_log/1,
         print_log/1, suspended/6]).

suspend(Process) -> ask(Process, suspend).
suspend(Process, Time) -> ask(Process, suspend, Time).
resume(Process) -> ask(Process, resume).
resume(Process, Time) -> ask(Process, resume, Time).
get_status(Process) -> ask(Process, get_status).
get_status(Process, Time) -> ask(Process, get_status, Time).
get_state(Process) -> state(ask(Process, get_state)).
get_state(Process, Time) -> state(ask(Process, get_state, Time)).
replace_state(Process, F) -> state(ask(Process, {replace_state, F})).
replace_state(Process, F, Time) -> state(ask(Process, {replace_state, F}, Time)).
change_code(Process, Module, Vsn, Extra) -> ask(Process, {change_code, Module, Vsn, Extra}).
change_code(Process, Module, Vsn, Extra, Time) -> ask(Process, {change_code, Module, Vsn, Extra}, Time).
terminate(Process, Reason) -> ask(Process, {terminate, Reason}).
terminate(Process, Reason, Time) -> ask(Process, {terminate, Reason}, Time).
trace(Process, Flag) -> ask(Process, {debug, {trace, Flag}}).
trace(Process, Flag, Time) -> ask(Process, {debug, {trace, Flag}}, Time).
log(Process, Flag) -> ask(Process, {debug, {log, Flag}}).
log(Process, Flag, Time) -> ask(Process, {debug, {log, Flag}}, Time).
log_to_file(Process, Flag) -> ask(Process, {debug, {log_to_file, Flag}}).
log_to_file(Process, Flag, Time) -> ask(Process, {debug, {log_to_file, Flag}}, Time).
statistics(Process, Flag) -> ask(Process, {debug, {statistics, Flag}}).
statistics(Process, Flag, Time) -> ask(Process, {debug, {statistics, Flag}}, Time).
install(Process, F) -> ask(Process, {debug, {install, F}}).
install(Process, F, Time) -> ask(Process, {debug, {install, F}}, Time).
remove(Process, F) -> ask(Process, {debug, {remove, F}}).
remove(Process, F, Time) -> ask(Process, {debug, {remove, F}}, Time).
no_debug(Process) -> ask(Process, {debug, no_debug}).
no_debug(Process, Time) -> ask(Process, {debug, no_debug}, Time).

%% On the wire a state stands for itself.
state({error, Reason}) -> error(Reason);
state(State) -> State.

ask(Process, Question) -> ask(Process, Question, 5000).
ask(Process, Question, Time) ->
    try gen:call(Process, system, Question, Time) of
        {ok, Answer} -> Answer
    catch exit:Reason -> exit({Reason, {sys, what(Question), arguments(Process, Question, Time)}})
    end.

what({debug, {What, _}}) -> What;
what({debug, What}) -> What;
what(Question) when is_tuple(Question) -> element(1, Question);
what(Question) -> Question.

arguments(Process, Question, Time) ->
    [Process | inner(Question)] ++ case Time of 5000 -> []; _ -> [Time] end.

inner({debug, {_, Flag}}) -> [Flag];
inner({debug, _}) -> [];
inner(Question) when is_tuple(Question) -> tl(tuple_to_list(Question));
inner(_) -> [].

%% The process that is asked.
handle_system_msg(Question, From, Parent, Module, Debug, Misc) ->
    handle(running, Question, From, Parent, Module, Debug, Misc).
handle_system_msg(Question, From, Parent, Module, Debug, Misc, _Hibernate) ->
    handle(running, Question, From, Parent, Module, Debug, Misc).

suspended(Parent, Module, Debug, Misc, _, _) -> suspend_loop(Parent, Module, Debug, Misc).

suspend_loop(Parent, Module, Debug, Misc) ->
    receive
        {system, From, Question} -> handle(suspended, Question, From, Parent, Module, Debug, Misc);
        {'EXIT', Parent, Reason} -> Module:system_terminate(Reason, Parent, Debug, Misc)
    end.

handle(Status, Question, From, Parent, Module, Debug, Misc) ->
    case do(Status, Question, Parent, Module, Debug, Misc) of
        {suspended, Answer, Debug1, Misc1} ->
            gen:reply(From, Answer),
            suspend_loop(Parent, Module, Debug1, Misc1);
        {running, Answer, Debug1, Misc1} ->
            gen:reply(From, Answer),
            Module:system_continue(Parent, Debug1, Misc1);
        {{terminating, Reason}, Answer, Debug1, Misc1} ->
            gen:reply(From, Answer),
            Module:system_terminate(Reason, Parent, Debug1, Misc1)
    end.

do(_, suspend, _, _, Debug, Misc) -> {suspended, ok, Debug, Misc};
do(_, resume, _, _, Debug, Misc) -> {running, ok, Debug, Misc};
do(Status, get_state, _, Module, Debug, Misc) -> {Status, get_state_of(Module, Misc), Debug, Misc};
do(Status, {replace_state, F}, _, Module, Debug, Misc) ->
    {Answer, Misc1} = replace_state_of(Module, F, Misc),
    {Status, Answer, Debug, Misc1};
do(Status, get_status, Parent, Module, Debug, Misc) ->
    {Status, status(Status, Parent, Module, Debug, Misc), Debug, Misc};
do(Status, {debug, What}, _, _, Debug, Misc) ->
    {Answer, Debug1} = debug(What, Debug),
    {Status, Answer, Debug1, Misc};
do(_, {terminate, Reason}, _, _, Debug, Misc) -> {{terminating, Reason}, ok, Debug, Misc};
do(suspended, {change_code, Changed, Vsn, Extra}, _, Module, Debug, Misc) ->
    case catch Module:system_code_change(Misc, Changed, Vsn, Extra) of
        {ok, Misc1} -> {suspended, ok, Debug, Misc1};
        Else -> {suspended, {error, Else}, Debug, Misc}
    end;
do(Status, Other, _, _, Debug, Misc) -> {Status, {error, {unknown_system_msg, Other}}, Debug, Misc}.

get_state_of(Module, Misc) ->
    case erlang:function_exported(Module, system_get_state, 1) of
        true ->
            try Module:system_get_state(Misc) of
                {ok, State} -> State
            catch Class:Reason -> {error, {callback_failed, {Module, system_get_state}, {Class, Reason}}}
            end;
        false -> Misc
    end.

replace_state_of(Module, F, Misc) ->
    try
        case erlang:function_exported(Module, system_replace_state, 2) of
            true ->
                {ok, State, Misc1} = Module:system_replace_state(F, Misc),
                {State, Misc1};
            false ->
                Misc1 = F(Misc),
                {Misc1, Misc1}
        end
    catch Class:Reason -> {{error, {callback_failed, {Module, system_replace_state}, {Class, Reason}}}, Misc}
    end.

status(Status, Parent, Module, Debug, Misc) ->
    Dictionary = get(),
    Shown = case erlang:function_exported(Module, format_status, 2) of
                true ->
                    try Module:format_status(normal, [Dictionary, Status, Parent, Debug, Misc])
                    catch _:_ -> Misc
                    end;
                false -> Misc
            end,
    {status, self(), {module, Module}, [Dictionary, Status, Parent, Debug, Shown]}.

%% Debugging: a list of {trace, true}, {log, {Max, Events}}, {statistics, Data} and {Id, Fun, State}.
debug({trace, true}, Debug) -> {ok, set(trace, true, Debug)};
debug({trace, false}, Debug) -> {ok, lists:keydelete(trace, 1, Debug)};
debug({log, true}, Debug) -> {ok, log_on(10, Debug)};
debug({log, {true, N}}, Debug) -> {ok, log_on(N, Debug)};
debug({log, false}, Debug) -> {ok, lists:keydelete(log, 1, Debug)};
debug({log, get}, Debug) -> {{ok, get_log(Debug)}, Debug};
debug({log, print}, Debug) -> print_log(Debug), {ok, Debug};
debug({log_to_file, _}, Debug) -> {{error, open_file}, Debug};
debug({statistics, true}, Debug) ->
    {ok, set(statistics, {calendar:local_time(), reductions(), 0, 0}, Debug)};
debug({statistics, false}, Debug) -> {ok, lists:keydelete(statistics, 1, Debug)};
debug({statistics, get}, Debug) ->
    Answer = case lists:keyfind(statistics, 1, Debug) of
                 {_, {Start, Reductions, In, Out}} ->
                     {ok, [{start_time, Start}, {current_time, calendar:local_time()},
                           {reductions, reductions() - Reductions}, {messages_in, In}, {messages_out, Out}]};
                 false -> {ok, no_statistics}
             end,
    {Answer, Debug};
debug({install, {Id, F, State}}, Debug) -> {ok, [{Id, F, State} | lists:keydelete(Id, 1, Debug)]};
debug({install, {F, State}}, Debug) -> {ok, [{F, F, State} | lists:keydelete(F, 1, Debug)]};
debug({remove, Id}, Debug) -> {ok, lists:keydelete(Id, 1, Debug)};
debug(no_debug, _) -> {ok, []};
debug(_, Debug) -> {{error, unknown_debug_cmd}, Debug}.

set(Key, Value, Debug) -> [{Key, Value} | lists:keydelete(Key, 1, Debug)].

log_on(N, Debug) ->
    Events = case lists:keyfind(log, 1, Debug) of {_, {_, Old}} -> lists:sublist(Old, N); false -> [] end,
    set(log, {N, Events}, Debug).

reductions() ->
    {reductions, N} = process_info(self(), reductions),
    N.

get_log(Debug) ->
    case lists:keyfind(log, 1, Debug) of
        {_, {_, Events}} -> [Event || {Event, _, _} <- lists:reverse(Events)];
        false -> []
    end.

print_log(Debug) ->
    case lists:keyfind(log, 1, Debug) of
        {_, {_, Events}} -> [Form(standard_io, Event, Name) || {Event, Name, Form} <- lists:reverse(Events)], ok;
        false -> ok
    end.

get_debug(Item, Debug, Default) ->
    case lists:keyfind(Item, 1, Debug) of
        {_, Data} -> Data;
        _ -> Default
    end.

handle_debug([], _, _, _) -> [];
handle_debug(Debug, Form, Name, Event) ->
    lists:filtermap(fun(One) -> noted(One, Form, Name, Event) end, Debug).

noted({trace, true}, Form, Name, Event) -> Form(standard_io, Event, Name), true;
noted({log, {N, Events}}, Form, Name, Event) ->
    {true, {log, {N, lists:sublist([{Event, Name, Form} | Events], N)}}};
noted({statistics, {Start, Reductions, In, Out}}, _, _, Event) ->
    {true, {statistics, {Start, Reductions, In + counts(in, Event), Out + counts(out, Event)}}};
noted({Id, F, State}, _, Name, Event) ->
    case catch F(State, Event, Name) of
        done -> false;
        {'EXIT', _} -> false;
        State1 -> {true, {Id, F, State1}}
    end;
noted(_, _, _, _) -> true.

counts(in, Event) when element(1, Event) =:= in -> 1;
counts(out, Event) when element(1, Event) =:= out -> 1;
counts(_, _) -> 0.

debug_options(Options) ->
    lists:foldl(fun(Option, Debug) -> element(2, debug(option(Option), Debug)) end, [], Options).

option(trace) -> {trace, true};
option(log) -> {log, true};
option({log, N}) -> {log, {true, N}};
option(statistics) -> {statistics, true};
option({install, F}) -> {install, F};
option(Other) -> Other.
