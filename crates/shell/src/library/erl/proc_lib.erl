%% proc_lib: processes that know who started them, answer for their start, and report their crashes.
-module(proc_lib).
-export([spawn/1, spawn/2, spawn/3, spawn/4, spawn_link/1, spawn_link/2, spawn_link/3, spawn_link/4,
         spawn_opt/2, spawn_opt/3, spawn_opt/4, spawn_opt/5,
         start/3, start/4, start/5, start_link/3, start_link/4, start_link/5,
         start_monitor/3, start_monitor/4, start_monitor/5,
         init_ack/1, init_ack/2, init_fail/2, init_fail/3, init_p/3, init_p/5, hibernate/3, wake_up/3,
         stop/1, stop/3, initial_call/1, translate_initial_call/1, format/1, format/2, format/3, report_cb/2,
         set_label/1, get_label/1]).

spawn(F) -> spawn_opt(F, []).
spawn(Node, F) -> spawn_opt(Node, F, []).
spawn(M, F, As) -> spawn_opt(M, F, As, []).
spawn(Node, M, F, As) -> spawn_opt(Node, M, F, As, []).
spawn_link(F) -> spawn_opt(F, [link]).
spawn_link(Node, F) -> spawn_opt(Node, F, [link]).
spawn_link(M, F, As) -> spawn_opt(M, F, As, [link]).
spawn_link(Node, M, F, As) -> spawn_opt(Node, M, F, As, [link]).

spawn_opt(F, Options) when is_function(F, 0) ->
    erlang:spawn_opt(proc_lib, init_p, [own_name(), ancestors(), F], Options).
spawn_opt(Node, F, Options) when is_function(F, 0) ->
    erlang:spawn_opt(Node, proc_lib, init_p, [own_name(), ancestors(), F], Options).
spawn_opt(M, F, As, Options) ->
    erlang:spawn_opt(proc_lib, init_p, [own_name(), ancestors(), M, F, As], Options).
spawn_opt(Node, M, F, As, Options) ->
    erlang:spawn_opt(Node, proc_lib, init_p, [own_name(), ancestors(), M, F, As], Options).

own_name() ->
    case process_info(self(), registered_name) of
        {registered_name, Name} -> Name;
        _ -> self()
    end.

ancestors() ->
    case get('$ancestors') of
        List when is_list(List) -> List;
        _ -> []
    end.

%% The new process.
init_p(Parent, Ancestors, F) when is_function(F) ->
    put('$ancestors', [Parent | Ancestors]),
    {module, M} = erlang:fun_info(F, module),
    {name, Name} = erlang:fun_info(F, name),
    put('$initial_call', {M, Name, 0}),
    proc_lib:'$remember'({M, Name, 0}, [Parent | Ancestors]),
    guarded(fun() -> F() end).

init_p(Parent, Ancestors, M, F, As) ->
    put('$ancestors', [Parent | Ancestors]),
    Initial = initial(M, F, As),
    put('$initial_call', Initial),
    proc_lib:'$remember'(Initial, [Parent | Ancestors]),
    guarded(fun() -> apply(M, F, As) end).

%% What a behaviour's process is said to have begun with is its callback.
initial(gen, init_it, [gen_event | _]) -> {gen_event, init_it, 6};
initial(gen, init_it, [B, S, P, _Name, M, As, Options]) -> initial(gen, init_it, [B, S, P, M, As, Options]);
initial(gen, init_it, [gen_server, _, _, supervisor, {_, Module, _}, _]) -> {supervisor, Module, 1};
initial(gen, init_it, [_, _, _, Module, _, _]) -> {Module, init, 1};
initial(M, F, As) -> {M, F, length(As)}.

guarded(F) ->
    try F()
    catch
        Class:Reason:Stack ->
            crashed(Class, Reason, Stack),
            erlang:raise(exit, ended(Class, Reason, Stack), [])
    end.

ended(exit, Reason, _) -> Reason;
ended(error, Reason, Stack) -> {Reason, Stack};
ended(throw, Value, Stack) -> {{nocatch, Value}, Stack}.

crashed(exit, normal, _) -> ok;
crashed(exit, shutdown, _) -> ok;
crashed(exit, {shutdown, _}, _) -> ok;
crashed(throw, Value, Stack) -> crashed(error, {nocatch, Value}, Stack);
crashed(Class, Reason, Stack) ->
    Facts = facts(Class, Reason, Stack),
    Report = [Facts, []],
    logger:'$report'(error, "CRASH REPORT", #{label => {proc_lib, crash}, report => Report}, format(Report)).

facts(Class, Reason, Stack) ->
    Info = fun(Key) ->
                   case process_info(self(), Key) of
                       {Key, Value} -> Value;
                       Other -> Other
                   end
           end,
    [{initial_call, get('$initial_call')}, {pid, self()}, {registered_name, Info(registered_name)},
     {error_info, {Class, Reason, [Call || Call <- Stack, not ours(Call)]}}, {ancestors, ancestors()},
     {message_queue_len, Info(message_queue_len)}, {messages, Info(messages)}, {links, Info(links)},
     {dictionary, [Pair || {Key, _} = Pair <- get(), Key =/= '$ancestors', Key =/= '$initial_call']},
     {trap_exit, Info(trap_exit)}, {status, running}, {heap_size, quantity(total_heap_size)},
     {stack_size, quantity(stack_size)}, {reductions, quantity(reductions)}].

quantity(Key) ->
    try process_info(self(), Key) of
        {Key, Value} -> Value;
        _ -> 0
    catch error:_ -> 0
    end.

ours({proc_lib, _, _, _}) -> true;
ours(_) -> false.

format(Report) -> format(Report, latin1).
format(Report, Encoding) -> format(Report, Encoding, unlimited).
format([Facts, Neighbours | _], _, _) ->
    unicode:characters_to_list(
        ["  crasher:\n", [fact(Fact) || Fact <- Facts], "  neighbours:\n", [io_lib:format("    ~tp~n", [N]) || N <- Neighbours]]).

fact({initial_call, {M, F, A}}) when is_integer(A) -> io_lib:format("    initial call: ~tw:~tw/~w~n", [M, F, A]);
fact({initial_call, Other}) -> io_lib:format("    initial call: ~tp~n", [Other]);
fact({error_info, {Class, Reason, Stack}}) -> erl_error:'$crash'(Class, Reason, Stack);
fact({Key, Value}) -> io_lib:format("    ~tw: ~tp~n", [Key, Value]).

report_cb(#{label := {proc_lib, crash}, report := Report}, _) -> format(Report).

%% Starts that are answered.
start(M, F, As) -> start(M, F, As, infinity).
start(M, F, As, Time) -> start(M, F, As, Time, []).
start(M, F, As, Time, Options) ->
    {Pid, Monitor} = spawn_opt(M, F, As, [monitor | Options]),
    started(Pid, Monitor, Time, false).

start_link(M, F, As) -> start_link(M, F, As, infinity).
start_link(M, F, As, Time) -> start_link(M, F, As, Time, []).
start_link(M, F, As, Time, Options) ->
    {Pid, Monitor} = spawn_opt(M, F, As, [link, monitor | Options]),
    started(Pid, Monitor, Time, true).

started(Pid, Monitor, Time, Linked) ->
    receive
        {ack, Pid, Answer} -> demonitor(Monitor, [flush]), Answer;
        {nack, Pid, Answer} ->
            receive {'DOWN', Monitor, process, Pid, _} -> ok end,
            forget_exit(Pid, Linked),
            Answer;
        {'DOWN', Monitor, process, Pid, Reason} ->
            forget_exit(Pid, Linked),
            {error, Reason}
    after Time ->
        Linked andalso unlink(Pid),
        exit(Pid, kill),
        receive {'DOWN', Monitor, process, Pid, _} -> ok end,
        receive {ack, Pid, _} -> ok; {nack, Pid, _} -> ok after 0 -> ok end,
        forget_exit(Pid, Linked),
        {error, timeout}
    end.

%% The error says it all.
forget_exit(_, false) -> ok;
forget_exit(Pid, true) -> receive {'EXIT', Pid, _} -> ok after 0 -> ok end.

start_monitor(M, F, As) -> start_monitor(M, F, As, infinity).
start_monitor(M, F, As, Time) -> start_monitor(M, F, As, Time, []).
start_monitor(M, F, As, Time, Options) ->
    {Pid, Monitor} = spawn_opt(M, F, As, [monitor | Options]),
    receive
        {ack, Pid, Answer} -> {Answer, Monitor};
        {nack, Pid, Answer} ->
            receive {'DOWN', Monitor, process, Pid, _} = Down -> self() ! Down end,
            {Answer, Monitor};
        {'DOWN', Monitor, process, Pid, Reason} = Down ->
            self() ! Down,
            {{error, Reason}, Monitor}
    after Time ->
        exit(Pid, kill),
        {{error, timeout}, Monitor}
    end.

init_ack(Answer) ->
    [Parent | _] = get('$ancestors'),
    init_ack(Parent, Answer).
init_ack(Parent, Answer) -> Parent ! {ack, self(), Answer}, ok.

init_fail(Answer, Exception) ->
    [Parent | _] = get('$ancestors'),
    init_fail(Parent, Answer, Exception).
init_fail(Parent, Answer, Exception) ->
    Parent ! {nack, self(), Answer},
    case Exception of
        {Class, Reason} -> erlang:raise(Class, Reason, []);
        {Class, Reason, Stack} -> erlang:raise(Class, Reason, Stack)
    end.

hibernate(M, F, As) -> erlang:hibernate(proc_lib, wake_up, [M, F, As]).
wake_up(M, F, As) -> apply(M, F, As).

stop(Process) -> stop(Process, normal, infinity).
stop(Process, Reason, Time) ->
    {Pid, Monitor} = spawn_monitor(fun() -> sys:terminate(Process, Reason, infinity) end),
    Watch = monitor(process, Process),
    receive
        {'DOWN', Watch, process, _, Reason} -> demonitor(Monitor, [flush]), ok;
        {'DOWN', Watch, process, _, {Other, {sys, terminate, _}}} -> demonitor(Monitor, [flush]), exit(Other);
        {'DOWN', Watch, process, _, Other} -> demonitor(Monitor, [flush]), exit(Other)
    after Time ->
        demonitor(Watch, [flush]),
        demonitor(Monitor, [flush]),
        exit(Pid, kill),
        exit(timeout)
    end.

translate_initial_call(Pid) when is_pid(Pid), Pid =:= self() -> get('$initial_call');
translate_initial_call(Pid) ->
    case catch process_info(Pid, dictionary) of
        {dictionary, Dictionary} -> proplists:get_value('$initial_call', Dictionary, {proc_lib, init_p, 5});
        _ -> {proc_lib, init_p, 5}
    end.

initial_call(Pid) ->
    case translate_initial_call(Pid) of
        {M, F, A} -> {M, F, [list_to_atom("Argument__" ++ integer_to_list(N)) || N <- lists:seq(1, A)]};
        Other -> Other
    end.

set_label(Label) -> put('$process_label', Label), ok.
get_label(Pid) when Pid =:= self() -> get('$process_label');
get_label(_) -> undefined.
