%% Supervisors: every strategy, restarts and their limit, children that come and go, a tree of two floors.
-module(tree).
-behaviour(supervisor).
-export([main/0, init/1, child/1, start/1, loop/1, tell/1]).

main() ->
    process_flag(trap_exit, true),
    register(main, self()),
    [strategy(Strategy) || Strategy <- [one_for_one, one_for_all, rest_for_one]],
    simple(),
    dynamic(),
    limit(),
    kinds(),
    bad(),
    floors(),
    say(left, [Name || Name <- [a, b, c, upper, lower], whereis(Name) =/= undefined]),
    % The logger of OTP has its say.
    timer:sleep(100).

say(What, Value) -> io:format("~p: ~p~n", [What, Value]).

strategy(Strategy) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {Strategy, [a, b, c]}),
    say(Strategy, names(Sup)),
    Before = [whereis(Name) || Name <- [a, b, c]],
    say(said, heard(3)),
    exit(whereis(b), kill),
    say(said, heard(case Strategy of one_for_one -> 1; one_for_all -> 3; rest_for_one -> 2 end)),
    say(changed, [New =/= Old || {New, Old} <- lists:zip([whereis(Name) || Name <- [a, b, c]], Before)]),
    say(count, supervisor:count_children(Sup)),
    stop(Sup).

names(Sup) -> [{Id, is_pid(Pid), Type, Modules} || {Id, Pid, Type, Modules} <- supervisor:which_children(Sup)].

heard(0) -> [];
heard(N) -> receive {here, Name} -> [Name | heard(N - 1)] after 2000 -> [late] end.

stop(Sup) ->
    unlink(Sup),
    Ref = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', Ref, process, Sup, Why} -> say(stopped, Why) after 2000 -> say(stopped, late) end,
    flush().

flush() -> receive _ -> flush() after 0 -> ok end.

child(Name) -> #{id => Name, start => {?MODULE, start, [Name]}, shutdown => 500}.

start(Name) ->
    Pid = spawn_link(?MODULE, loop, [Name]),
    receive {Pid, ready} -> {ok, Pid} end.

tell(Message) -> main ! Message.

loop(Name) ->
    register(Name, self()),
    {links, Links} = process_info(self(), links),
    [Link ! {self(), ready} || Link <- Links],
    tell({here, Name}),
    receive {crash, Why} -> exit(Why); stop -> ok end.

simple() ->
    {ok, Sup} = supervisor:start_link(?MODULE, simple),
    {ok, A} = supervisor:start_child(Sup, [a]),
    {ok, _} = supervisor:start_child(Sup, [b]),
    say(simple, [{Id, is_pid(Pid), Type, Modules} || {Id, Pid, Type, Modules} <- supervisor:which_children(Sup)]),
    say(count, supervisor:count_children(Sup)),
    say(terminate, supervisor:terminate_child(Sup, A)),
    say(terminate, supervisor:terminate_child(Sup, A)),
    say(by_name, supervisor:terminate_child(Sup, a)),
    say(count, supervisor:count_children(Sup)),
    stop(Sup).

dynamic() ->
    {ok, Sup} = supervisor:start_link({local, upper}, ?MODULE, {one_for_one, []}),
    {ok, Pid} = supervisor:start_child(upper, child(a)),
    say(already, supervisor:start_child(Sup, child(a)) =:= {error, {already_started, Pid}}),
    say(delete, supervisor:delete_child(Sup, a)),
    say(restart, supervisor:restart_child(Sup, a)),
    say(terminate, supervisor:terminate_child(Sup, a)),
    say(children, supervisor:which_children(Sup)),
    say(present, supervisor:start_child(Sup, child(a))),
    say(restart, element(1, supervisor:restart_child(Sup, a))),
    say(terminate, supervisor:terminate_child(Sup, a)),
    say(delete, supervisor:delete_child(Sup, a)),
    say(not_found, [supervisor:F(Sup, a) || F <- [delete_child, restart_child, terminate_child, get_childspec]]),
    {ok, _} = supervisor:start_child(Sup, child(b)),
    say(spec, supervisor:get_childspec(Sup, b)),
    say(bad_spec, supervisor:start_child(Sup, {b, nonsense})),
    say(refused, supervisor:start_child(Sup, #{id => r, start => {erlang, list_to_tuple, [[error, why]]}})),
    say(check, supervisor:check_childspecs([child(a), #{id => x}])),
    stop(Sup).

limit() ->
    {ok, Sup} = supervisor:start_link(?MODULE, {one_for_one, [a]}),
    [begin
         [a] = heard(1),
         a ! {crash, {shutdown, enough}}
     end || _ <- [1, 2, 3]],
    receive {'EXIT', Sup, Why} -> say(limit, Why) after 2000 -> say(limit, late) end,
    flush().

kinds() ->
    {ok, Sup} = supervisor:start_link(?MODULE, {one_for_one, []}),
    [begin
         {ok, _} = supervisor:start_child(Sup, (child(Kind))#{restart => Kind}),
         [Kind] = heard(1),
         Ref = monitor(process, Kind),
         Kind ! Way,
         receive {'DOWN', Ref, process, _, _} -> ok end,
         say({Kind, Way}, {receive {here, Kind} -> restarted after 100 -> gone end,
                           lists:keymember(Kind, 1, supervisor:which_children(Sup))}),
         supervisor:terminate_child(Sup, Kind),
         supervisor:delete_child(Sup, Kind)
     end || Kind <- [permanent, transient, temporary], Way <- [stop, {crash, {shutdown, x}}]],
    stop(Sup).

bad() ->
    say(bad_init, supervisor:start_link(?MODULE, nonsense)),
    say(ignore, supervisor:start_link(?MODULE, ignore)),
    say(bad_spec, supervisor:start_link(?MODULE, {one_for_one, [{a, b}]})),
    say(bad_strategy, supervisor:start_link(?MODULE, {all, []})),
    say(no_child, element(1, supervisor:start_link(?MODULE, failing))),
    flush().

floors() ->
    {ok, Sup} = supervisor:start_link({local, upper}, ?MODULE, upper),
    say(floors, [{Id, Type} || {Id, _, Type, _} <- supervisor:which_children(Sup)]),
    say(said, heard(2)),
    Lower = whereis(lower),
    exit(whereis(a), kill),
    say(said, heard(1)),
    say(same, Lower =:= whereis(lower)),
    gen_server:stop(Lower, {shutdown, repairs}, 1000),
    say(said, heard(2)),
    say(other, Lower =/= whereis(lower)),
    stop(Sup).

init({Strategy, Names}) ->
    {ok, {#{strategy => Strategy, intensity => 2, period => 5},
          [case is_atom(Name) of true -> child(Name); false -> Name end || Name <- Names]}};
init(simple) ->
    {ok, {{simple_one_for_one, 1, 5}, [{each, {?MODULE, start, []}, temporary, brutal_kill, worker, [?MODULE]}]}};
init(upper) ->
    {ok, {{one_for_one, 3, 5},
          [{lower, {supervisor, start_link, [{local, lower}, ?MODULE, lower]}, permanent, infinity, supervisor,
            [?MODULE]}]}};
init(lower) -> {ok, {#{}, [child(a), child(b)]}};
init(failing) -> {ok, {#{}, [#{id => none, start => {erlang, error, [no]}}]}};
init(Other) -> Other.
