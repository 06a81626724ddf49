%% supervisor: starts children, restarts them when they fall, and falls itself when they fall too often.
-module(supervisor).
-behaviour(gen_server).
-export([start_link/2, start_link/3, start_child/2, restart_child/2, delete_child/2, terminate_child/2,
         which_children/1, which_child/2, count_children/1, check_childspecs/1, check_childspecs/2, get_childspec/2,
         get_callback_module/1, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, code_change/3,
         format_log/1, format_log/2]).

%% children: the ids, the one started last first, and what is known of each. dynamics: arguments by pid.
-record(state, {name, strategy = one_for_one, children = {[], #{}}, dynamics, intensity = 1, period = 5, restarts = [],
                dynamic_restarts = 0, auto_shutdown = never, module, args}).
-record(child, {pid, id, mfargs, restart_type, significant, shutdown, child_type, modules = []}).

start_link(Module, Args) -> gen_server:start_link(supervisor, {self, Module, Args}, []).
start_link(Name, Module, Args) -> gen_server:start_link(Name, supervisor, {Name, Module, Args}, []).

start_child(Sup, Spec) -> call(Sup, {start_child, Spec}).
restart_child(Sup, Id) -> call(Sup, {restart_child, Id}).
delete_child(Sup, Id) -> call(Sup, {delete_child, Id}).
terminate_child(Sup, Id) -> call(Sup, {terminate_child, Id}).
get_childspec(Sup, Id) -> call(Sup, {get_childspec, Id}).
which_children(Sup) -> call(Sup, which_children).
which_child(Sup, Id) -> call(Sup, {which_child, Id}).
count_children(Sup) -> call(Sup, count_children).
get_callback_module(Pid) -> (sys:get_state(Pid))#state.module.

call(Sup, Question) -> gen_server:call(Sup, Question, infinity).

check_childspecs(Specs) -> check_childspecs(Specs, undefined).
check_childspecs(Specs, Auto) when is_list(Specs) ->
    case read_specs(Specs, Auto) of
        {ok, _} -> ok;
        Error -> {error, Error}
    end;
check_childspecs(Else, _) -> {error, {badarg, Else}}.

%% The start.
init({Name, Module, Args}) ->
    process_flag(trap_exit, true),
    case Module:init(Args) of
        {ok, {Flags, Specs}} ->
            Shown = case Name of self -> {self(), Module}; _ -> Name end,
            case read_flags(Flags, #state{name = Shown, module = Module, args = Args}) of
                #state{strategy = simple_one_for_one} = State -> begin_dynamic(State, Specs);
                #state{} = State -> begin_static(State, Specs);
                Error -> {stop, {supervisor_data, Error}}
            end;
        ignore -> ignore;
        Else -> {stop, {bad_return, {Module, init, Else}}}
    end.

begin_static(State, Specs) ->
    case read_specs(Specs, State#state.auto_shutdown) of
        {ok, Children} -> start_all(Children, State);
        Error -> {stop, {start_spec, Error}}
    end.

begin_dynamic(State, [_] = Specs) ->
    case read_specs(Specs, State#state.auto_shutdown) of
        {ok, [Child]} -> {ok, put_child(Child, State#state{dynamics = {maps, #{}}})};
        Error -> {stop, {start_spec, Error}}
    end;
begin_dynamic(_, Specs) -> {stop, {bad_start_spec, Specs}}.

start_all([], State) -> {ok, State};
start_all([Child | More], State) ->
    case start_one(Child, State) of
        {ok, undefined} when Child#child.restart_type =:= temporary -> start_all(More, State);
        {ok, Pid} -> start_all(More, put_child(Child#child{pid = Pid}, State));
        {ok, Pid, _} -> start_all(More, put_child(Child#child{pid = Pid}, State));
        {error, Reason} ->
            report(start_error, Reason, Child, State),
            end_all(State),
            {stop, {shutdown, {failed_to_start_child, Child#child.id, Reason}}}
    end.

start_one(#child{mfargs = {M, F, As}}, _) ->
    case catch apply(M, F, As) of
        {ok, Pid} when is_pid(Pid) -> {ok, Pid};
        {ok, Pid, Extra} when is_pid(Pid) -> {ok, Pid, Extra};
        ignore -> {ok, undefined};
        {error, Reason} -> {error, Reason};
        Else -> {error, Else}
    end.

%% What it is asked.
handle_call({start_child, Args}, _From, #state{strategy = simple_one_for_one} = State) ->
    Child = template(State),
    #child{mfargs = {M, F, As}} = Child,
    case start_one(Child#child{mfargs = {M, F, As ++ Args}}, State) of
        {ok, undefined} -> {reply, {ok, undefined}, State};
        {ok, Pid} -> {reply, {ok, Pid}, put_dynamic(Pid, Args, State)};
        {ok, Pid, Extra} -> {reply, {ok, Pid, Extra}, put_dynamic(Pid, Args, State)};
        Error -> {reply, Error, State}
    end;
handle_call({start_child, Spec}, _From, State) ->
    case read_spec(Spec, State#state.auto_shutdown) of
        {ok, Child} -> add_child(Child, State);
        Error -> {reply, {error, Error}, State}
    end;
handle_call({terminate_child, Id}, _From, #state{strategy = simple_one_for_one} = State) when is_pid(Id) ->
    case find_dynamic(Id, State) of
        {ok, Child} ->
            end_one(Child, State),
            {reply, ok, drop_dynamic(Id, State)};
        error ->
            Alive = node(Id) =:= node() andalso is_process_alive(Id),
            {reply, case Alive of true -> {error, not_found}; false -> ok end, State}
    end;
handle_call({get_childspec, Id}, _From, #state{strategy = simple_one_for_one} = State) when is_pid(Id) ->
    case find_dynamic(Id, State) of
        {ok, _} -> {reply, {ok, spec(template(State))}, State};
        error -> {reply, {error, not_found}, State}
    end;
handle_call({What, _}, _From, #state{strategy = simple_one_for_one} = State)
  when What =:= terminate_child; What =:= restart_child; What =:= delete_child; What =:= get_childspec ->
    {reply, {error, simple_one_for_one}, State};
handle_call({terminate_child, Id}, _From, State) ->
    case find(Id, State) of
        {ok, #child{restart_type = temporary} = Child} ->
            end_one(Child, State),
            {reply, ok, drop_child(Id, State)};
        {ok, Child} ->
            end_one(Child, State),
            {reply, ok, put_child(Child#child{pid = undefined}, State)};
        error -> {reply, {error, not_found}, State}
    end;
handle_call({restart_child, Id}, _From, State) ->
    case find(Id, State) of
        {ok, #child{pid = undefined} = Child} ->
            case start_one(Child, State) of
                {ok, Pid} -> {reply, {ok, Pid}, put_child(Child#child{pid = Pid}, State)};
                {ok, Pid, Extra} -> {reply, {ok, Pid, Extra}, put_child(Child#child{pid = Pid}, State)};
                Error -> {reply, Error, State}
            end;
        {ok, #child{pid = {restarting, _}}} -> {reply, {error, restarting}, State};
        {ok, _} -> {reply, {error, running}, State};
        error -> {reply, {error, not_found}, State}
    end;
handle_call({delete_child, Id}, _From, State) ->
    case find(Id, State) of
        {ok, #child{pid = undefined}} -> {reply, ok, drop_child(Id, State)};
        {ok, #child{pid = {restarting, _}}} -> {reply, {error, restarting}, State};
        {ok, _} -> {reply, {error, running}, State};
        error -> {reply, {error, not_found}, State}
    end;
handle_call({get_childspec, Id}, _From, State) ->
    Found = case find(Id, State) of
                error -> find_pid(Id, State);
                Child -> Child
            end,
    case Found of
        {ok, Known} -> {reply, {ok, spec(Known)}, State};
        error -> {reply, {error, not_found}, State}
    end;
handle_call({which_child, Id}, _From, State) ->
    case find(Id, State) of
        {ok, Child} -> {reply, {ok, shown(Child)}, State};
        error -> {reply, {error, not_found}, State}
    end;
handle_call(which_children, _From, #state{strategy = simple_one_for_one} = State) ->
    #child{child_type = Type, modules = Modules} = template(State),
    {reply, [{undefined, case Pid of {restarting, _} -> restarting; _ -> Pid end, Type, Modules}
             || Pid <- maps:keys(dynamics(State))], State};
handle_call(which_children, _From, State) -> {reply, [shown(Child) || Child <- children(State)], State};
handle_call(count_children, _From, #state{strategy = simple_one_for_one} = State) ->
    #child{child_type = Type} = template(State),
    Pids = maps:keys(dynamics(State)),
    Count = length(Pids),
    {Supervisors, Workers} = case Type of supervisor -> {Count, 0}; worker -> {0, Count} end,
    {reply, [{specs, 1}, {active, length([Pid || Pid <- Pids, is_pid(Pid)])}, {supervisors, Supervisors},
             {workers, Workers}], State};
handle_call(count_children, _From, State) ->
    All = children(State),
    Count = fun(Test) -> length(lists:filter(Test, All)) end,
    {reply, [{specs, length(All)},
             {active, Count(fun(#child{pid = Pid}) -> is_pid(Pid) andalso is_process_alive(Pid) end)},
             {supervisors, Count(fun(#child{child_type = Type}) -> Type =:= supervisor end)},
             {workers, Count(fun(#child{child_type = Type}) -> Type =:= worker end)}], State}.

shown(#child{id = Id, pid = Pid, child_type = Type, modules = Modules}) ->
    {Id, case Pid of {restarting, _} -> restarting; _ -> Pid end, Type, Modules}.

add_child(#child{id = Id} = Child, State) ->
    case find(Id, State) of
        {ok, #child{pid = undefined}} -> {reply, {error, already_present}, State};
        {ok, #child{pid = Pid}} -> {reply, {error, {already_started, Pid}}, State};
        error ->
            case start_one(Child, State) of
                {ok, undefined} when Child#child.restart_type =:= temporary -> {reply, {ok, undefined}, State};
                {ok, Pid} -> {reply, {ok, Pid}, put_child(Child#child{pid = Pid}, State)};
                {ok, Pid, Extra} -> {reply, {ok, Pid, Extra}, put_child(Child#child{pid = Pid}, State)};
                {error, Reason} -> {reply, {error, {Reason, Child}}, State}
            end
    end.

handle_cast({try_again_restart, Id}, #state{strategy = simple_one_for_one} = State) ->
    case find_dynamic(Id, State) of
        {ok, Child} -> after_restart(restart(Child, State));
        error -> {noreply, State}
    end;
handle_cast({try_again_restart, Id}, State) ->
    case find(Id, State) of
        {ok, #child{pid = {restarting, _}} = Child} -> after_restart(restart(Child, State));
        _ -> {noreply, State}
    end.

handle_info({'EXIT', Pid, Reason}, State) -> after_restart(ended(Pid, Reason, State));
handle_info(Message, State) ->
    Text = io_lib:format("Supervisor received unexpected message: ~tp~n", [Message]),
    logger:'$report'(error, "", #{label => {supervisor, unexpected_message}, msg => Message}, Text),
    {noreply, State}.

after_restart({ok, State}) -> {noreply, State};
after_restart({shutdown, State}) -> {stop, shutdown, State}.

terminate(_, #state{strategy = simple_one_for_one} = State) -> end_dynamics(State);
terminate(_, State) -> end_all(State).

code_change(_, #state{module = Module, args = Args} = State, _) ->
    case Module:init(Args) of
        {ok, {Flags, Specs}} ->
            case {read_flags(Flags, State), read_specs(Specs, State#state.auto_shutdown)} of
                {#state{} = State1, {ok, New}} -> {ok, merged(New, State1)};
                {#state{}, Error} -> {error, Error};
                {Error, _} -> {error, Error}
            end;
        ignore -> {ok, State};
        Error -> Error
    end.

merged(New, State) ->
    lists:foldl(fun(#child{id = Id} = Child, Now) ->
                        case find(Id, Now) of
                            {ok, #child{pid = Pid}} -> put_child(Child#child{pid = Pid}, Now);
                            error -> put_child(Child, Now)
                        end
                end, State, New).

%% A child has ended.
ended(Pid, Reason, #state{strategy = simple_one_for_one} = State) ->
    case find_dynamic(Pid, State) of
        {ok, Child} -> decide(Reason, Child, State);
        error -> {ok, State}
    end;
ended(Pid, Reason, State) ->
    case find_pid(Pid, State) of
        {ok, Child} -> decide(Reason, Child, State);
        error -> {ok, State}
    end.

decide(Reason, #child{restart_type = permanent} = Child, State) ->
    report(child_terminated, Reason, Child, State),
    restart(Child, State);
decide(Reason, Child, State) ->
    case {orderly(Reason), Child#child.restart_type} of
        {true, _} -> maybe_over(Child, gone(Child, State));
        {false, transient} ->
            report(child_terminated, Reason, Child, State),
            restart(Child, State);
        {false, temporary} ->
            report(child_terminated, Reason, Child, State),
            maybe_over(Child, gone(Child, State))
    end.

orderly(normal) -> true;
orderly(shutdown) -> true;
orderly({shutdown, _}) -> true;
orderly(_) -> false.

gone(#child{pid = Pid}, #state{strategy = simple_one_for_one} = State) -> drop_dynamic(Pid, State);
gone(#child{id = Id, restart_type = temporary}, State) -> drop_child(Id, State);
gone(Child, State) -> put_child(Child#child{pid = undefined}, State).

maybe_over(#child{significant = true}, #state{auto_shutdown = any_significant} = State) -> {shutdown, State};
maybe_over(#child{significant = true}, #state{auto_shutdown = all_significant} = State) ->
    case [Child || #child{significant = true, pid = Pid} = Child <- children(State), Pid =/= undefined] of
        [] -> {shutdown, State};
        _ -> {ok, State}
    end;
maybe_over(_, State) -> {ok, State}.

restart(Child, State) ->
    case one_more(State) of
        {ok, State1} -> again(State1#state.strategy, Child, State1);
        too_many ->
            report(shutdown, reached_max_restart_intensity, Child, State),
            {shutdown, gone(Child#child{restart_type = temporary}, State)}
    end.

one_more(#state{intensity = Intensity, period = Period, restarts = Restarts} = State) ->
    Now = erlang:monotonic_time(second),
    Recent = [Time || Time <- [Now | Restarts], Time >= Now - Period],
    case length(Recent) =< Intensity of
        true -> {ok, State#state{restarts = Recent}};
        false -> too_many
    end.

again(simple_one_for_one, #child{pid = Old} = Child, State) ->
    Args = maps:get(Old, dynamics(State), []),
    State1 = drop_dynamic(Old, State),
    case start_one(Child, State1) of
        {ok, undefined} -> {ok, State1};
        {ok, Pid} -> {ok, put_dynamic(Pid, Args, State1)};
        {ok, Pid, _} -> {ok, put_dynamic(Pid, Args, State1)};
        {error, Reason} ->
            Key = {restarting, case Old of {restarting, First} -> First; _ -> Old end},
            report(start_error, Reason, Child, State1),
            try_again(Key),
            {ok, put_dynamic(Key, Args, State1)}
    end;
again(one_for_one, Child, State) -> again_from([Child], State);
again(one_for_all, Child, State) ->
    All = children(State),
    Others = end_several([Other || Other <- All, Other#child.id =/= Child#child.id], State),
    again_from(in_order(All), Others);
again(rest_for_one, Child, State) ->
    {Later, _} = lists:splitwith(fun(#child{id = Id}) -> Id =/= Child#child.id end, children(State)),
    State1 = end_several(Later, State),
    again_from(in_order(Later ++ [Child]), State1).

%% Temporary children that were ended for the others do not come back.
in_order(Children) -> lists:reverse(Children).

again_from([], State) -> {ok, State};
again_from([#child{id = Id} | More], State) ->
    case find(Id, State) of
        error -> again_from(More, State);
        {ok, Child} ->
            case start_one(Child, State) of
                {ok, Pid} -> again_from(More, put_child(Child#child{pid = Pid}, State));
                {ok, Pid, _} -> again_from(More, put_child(Child#child{pid = Pid}, State));
                {error, Reason} ->
                    report(start_error, Reason, Child, State),
                    Old = case Child#child.pid of
                              {restarting, Pid} -> Pid;
                              Pid -> Pid
                          end,
                    try_again(Id),
                    {ok, put_child(Child#child{pid = {restarting, Old}}, State)}
            end
    end.

try_again(Id) -> gen_server:cast(self(), {try_again_restart, Id}).

end_several(Children, State) ->
    lists:foldl(fun(#child{id = Id, restart_type = Type} = Child, Now) ->
                        end_one(Child, Now),
                        case Type of
                            temporary -> drop_child(Id, Now);
                            _ -> put_child(Child#child{pid = undefined}, Now)
                        end
                end, State, Children).

%% Ends: the one started last first.
end_all(State) -> [end_one(Child, State) || Child <- children(State)], ok.

end_one(#child{pid = Pid} = Child, State) when is_pid(Pid) ->
    case end_process(Pid, Child#child.shutdown) of
        ok -> ok;
        {error, normal} when Child#child.restart_type =/= permanent -> ok;
        {error, Reason} -> report(shutdown_error, Reason, Child, State)
    end;
end_one(_, _) -> ok.

end_process(Pid, brutal_kill) ->
    Monitor = watched(Pid),
    exit(Pid, kill),
    receive
        {'DOWN', Monitor, process, _, killed} -> forget(Pid), ok;
        {'DOWN', Monitor, process, _, Reason} -> quiet(Pid, Reason, [])
    end;
end_process(Pid, Time) ->
    Monitor = watched(Pid),
    exit(Pid, shutdown),
    receive
        {'DOWN', Monitor, process, _, Reason} -> quiet(Pid, Reason, [shutdown])
    after Time ->
        exit(Pid, kill),
        receive {'DOWN', Monitor, process, _, Reason} -> forget(Pid), {error, Reason} end
    end.

watched(Pid) ->
    Monitor = monitor(process, Pid),
    unlink(Pid),
    Monitor.

%% Its own reason, where it had ended before.
quiet(Pid, Reason, Fine) ->
    Own = receive {'EXIT', Pid, Said} -> Said after 0 -> Reason end,
    case Own of
        noproc -> ok;
        {shutdown, _} -> ok;
        _ ->
            case lists:member(Own, Fine) of
                true -> ok;
                false -> {error, Own}
            end
    end.

forget(Pid) -> receive {'EXIT', Pid, _} -> ok after 0 -> ok end.

end_dynamics(State) ->
    #child{shutdown = Shutdown} = Template = template(State),
    Watched = [{Pid, watched(Pid)} || Pid <- maps:keys(dynamics(State)), is_pid(Pid)],
    [exit(Pid, case Shutdown of brutal_kill -> kill; _ -> shutdown end) || {Pid, _} <- Watched],
    End = case is_integer(Shutdown) of
              true -> erlang:monotonic_time(millisecond) + Shutdown;
              false -> infinity
          end,
    [gone_by(Pid, Monitor, End, Shutdown, Template, State) || {Pid, Monitor} <- Watched],
    ok.

gone_by(Pid, Monitor, End, Shutdown, Template, State) ->
    Time = case End of infinity -> infinity; _ -> max(0, End - erlang:monotonic_time(millisecond)) end,
    Fine = case Shutdown of brutal_kill -> [killed]; _ -> [shutdown] end,
    receive
        {'DOWN', Monitor, process, _, Reason} ->
            case quiet(Pid, Reason, Fine) of
                ok -> ok;
                {error, normal} when Template#child.restart_type =/= permanent -> ok;
                {error, Why} -> report(shutdown_error, Why, Template#child{pid = Pid}, State)
            end
    after Time ->
        exit(Pid, kill),
        receive {'DOWN', Monitor, process, _, Reason} -> report(shutdown_error, Reason, Template#child{pid = Pid}, State) end
    end.

%% What it knows.
children(#state{children = {Ids, Known}}) -> [maps:get(Id, Known) || Id <- Ids].

find(Id, #state{children = {_, Known}}) -> maps:find(Id, Known).

find_pid(Pid, State) ->
    case [Child || #child{pid = This} = Child <- children(State), This =:= Pid, is_pid(Pid)] of
        [Child | _] -> {ok, Child};
        [] -> error
    end.

put_child(#child{id = Id} = Child, #state{children = {Ids, Known}} = State) ->
    Ids1 = case is_map_key(Id, Known) of true -> Ids; false -> [Id | Ids] end,
    State#state{children = {Ids1, Known#{Id => Child}}}.

drop_child(Id, #state{children = {Ids, Known}} = State) ->
    State#state{children = {lists:delete(Id, Ids), maps:remove(Id, Known)}}.

template(State) -> hd(children(State)).
dynamics(#state{dynamics = {_, Pids}}) -> Pids.
put_dynamic(Pid, Args, #state{dynamics = {Kind, Pids}} = State) -> State#state{dynamics = {Kind, Pids#{Pid => Args}}}.
drop_dynamic(Pid, #state{dynamics = {Kind, Pids}} = State) ->
    State#state{dynamics = {Kind, maps:remove(Pid, Pids)}}.

find_dynamic(Pid, State) ->
    case maps:find(Pid, dynamics(State)) of
        {ok, Args} ->
            #child{mfargs = {M, F, As}} = Child = template(State),
            {ok, Child#child{pid = Pid, mfargs = {M, F, As ++ Args}}};
        error -> error
    end.

%% Flags and specifications.
read_flags(Flags, State) when is_map(Flags) ->
    read_flags(maps:get(strategy, Flags, one_for_one), maps:get(intensity, Flags, 1), maps:get(period, Flags, 5),
               maps:get(auto_shutdown, Flags, never), State);
read_flags({Strategy, Intensity, Period}, State) -> read_flags(Strategy, Intensity, Period, never, State);
read_flags(Else, _) -> {invalid_type, Else}.

read_flags(Strategy, Intensity, Period, Auto, State) ->
    Strategies = [one_for_one, one_for_all, rest_for_one, simple_one_for_one],
    Checks = [{lists:member(Strategy, Strategies), {invalid_strategy, Strategy}},
              {is_integer(Intensity) andalso Intensity >= 0, {invalid_intensity, Intensity}},
              {is_integer(Period) andalso Period > 0, {invalid_period, Period}},
              {lists:member(Auto, [never, any_significant, all_significant]), {invalid_auto_shutdown, Auto}}],
    case [Why || {false, Why} <- Checks] of
        [] -> State#state{strategy = Strategy, intensity = Intensity, period = Period, auto_shutdown = Auto};
        [Why | _] -> Why
    end.

read_specs(Specs, Auto) when is_list(Specs) -> read_specs(Specs, Auto, []);
read_specs(Else, _) -> {invalid_child_spec, Else}.

read_specs([], _, Children) -> {ok, lists:reverse(Children)};
read_specs([Spec | More], Auto, Children) ->
    case read_spec(Spec, Auto) of
        {ok, Child} ->
            case lists:keymember(Child#child.id, #child.id, Children) of
                true -> {duplicate_child_name, Child#child.id};
                false -> read_specs(More, Auto, [Child | Children])
            end;
        Error -> Error
    end.

read_spec({Id, Start, Restart, Shutdown, Type, Modules}, Auto) ->
    read_spec(#{id => Id, start => Start, restart => Restart, shutdown => Shutdown, type => Type, modules => Modules},
              Auto);
read_spec(#{} = Spec, _) when not is_map_key(id, Spec) -> missing_id;
read_spec(#{} = Spec, _) when not is_map_key(start, Spec) -> missing_start;
read_spec(#{id := Id, start := Start} = Spec, Auto) ->
    Type = maps:get(type, Spec, worker),
    Restart = maps:get(restart, Spec, permanent),
    Significant = maps:get(significant, Spec, false),
    Shutdown = maps:get(shutdown, Spec, case Type of supervisor -> infinity; _ -> 5000 end),
    Modules = maps:get(modules, Spec, case Start of {Module, _, _} -> [Module]; _ -> [] end),
    Checks = [{is_start(Start), {invalid_mfa, Start}},
              {lists:member(Type, [worker, supervisor]), {invalid_child_type, Type}},
              {lists:member(Restart, [permanent, transient, temporary]), {invalid_restart_type, Restart}},
              {is_significant(Significant, Restart, Auto), {bad_combination, [{auto_shutdown, Auto}, {significant, Significant}]}},
              {is_shutdown(Shutdown), {invalid_shutdown, Shutdown}},
              {Modules =:= dynamic orelse is_list(Modules) andalso lists:all(fun is_atom/1, Modules),
               {invalid_modules, Modules}}],
    case [Why || {false, Why} <- Checks] of
        [] ->
            {ok, #child{id = Id, mfargs = Start, restart_type = Restart, significant = Significant,
                        shutdown = Shutdown, child_type = Type, modules = Modules}};
        [Why | _] -> Why
    end;
read_spec(Else, _) -> {invalid_child_spec, Else}.

is_start({M, F, As}) -> is_atom(M) andalso is_atom(F) andalso is_list(As);
is_start(_) -> false.

is_significant(false, _, _) -> true;
is_significant(true, permanent, _) -> false;
is_significant(true, _, never) -> false;
is_significant(true, _, _) -> true;
is_significant(_, _, _) -> false.

is_shutdown(brutal_kill) -> true;
is_shutdown(infinity) -> true;
is_shutdown(Time) -> is_integer(Time) andalso Time >= 0.

spec(#child{id = Id, mfargs = Start, restart_type = Restart, significant = Significant, shutdown = Shutdown,
            child_type = Type, modules = Modules}) ->
    #{id => Id, start => Start, restart => Restart, significant => Significant, shutdown => Shutdown, type => Type,
      modules => Modules}.

%% What it says.
report(Context, Reason, Child, #state{name = Name}) ->
    Facts = [{supervisor, Name}, {errorContext, Context}, {reason, Reason}, {offender, facts(Child)}],
    Report = #{label => {supervisor, Context}, report => Facts},
    logger:'$report'(error, "SUPERVISOR REPORT", Report, format_log(Report)).

facts(#child{pid = Pid, id = Id, mfargs = Start, restart_type = Restart, significant = Significant,
             shutdown = Shutdown, child_type = Type}) ->
    [{pid, Pid}, {id, Id}, {mfargs, Start}, {restart_type, Restart}, {significant, Significant},
     {shutdown, Shutdown}, {child_type, Type}].

format_log(Report) -> format_log(Report, #{}).
format_log(#{report := Facts}, _) -> [io_lib:format("    ~tw: ~tp~n", [Key, Value]) || {Key, Value} <- Facts].
