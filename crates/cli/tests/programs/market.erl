%% An application: its supervisor has two supervisors, each of which has a server.
-module(market).
-behaviour(application).
-behaviour(supervisor).
-export([main/0, start/2, start_phase/3, prep_stop/1, stop/1, init/1]).

main() ->
    say(key, application:get_key(market, vsn)),
    say(load, application:load(market)),
    say(load, application:load(market)),
    say(loaded, lists:keyfind(market, 1, application:loaded_applications())),
    say(key, application:get_key(market, vsn)),
    say(mod, application:get_key(market, mod)),
    say(env, [application:get_env(market, Key) || Key <- [opens, closes, nothing]]),
    say(set, application:set_env(market, closes, 20)),
    say(env, application:get_env(market, closes, 0)),
    say(all, lists:sort(application:get_all_env(market))),
    say(start, application:start(market)),
    say(start, application:start(market)),
    say(ensure, application:ensure_all_started(market)),
    say(which, lists:keyfind(market, 1, application:which_applications())),
    say(sell, [gen_server:call(Stall, {sell, 2}) || Stall <- [fruit, bread]]),
    say(application, application:get_application(whereis(fruit))),
    say(inside, gen_server:call(fruit, application)),
    Fruit = whereis(fruit),
    exit(Fruit, kill),
    wait(fun() -> is_pid(whereis(fruit)) andalso whereis(fruit) =/= Fruit end),
    say(again, gen_server:call(fruit, {sell, 1})),
    say(other, gen_server:call(bread, {sell, 1})),
    say(tree, [{Id, Type, length(supervisor:which_children(Pid))}
               || {Id, Pid, Type, _} <- supervisor:which_children(market_sup)]),
    say(stop, application:stop(market)),
    say(stop, application:stop(market)),
    say(gone, [whereis(Name) || Name <- [market_sup, fruit_sup, bread_sup, fruit, bread]]),
    say(unload, application:unload(market)),
    say(unload, application:unload(market)),
    say(nosuch, application:start(nosuch)),
    say(failing, application:start({application, failing, []})),
    [begin
         Spec = {application, Name, [{description, ""}, {vsn, "1"}, {modules, []}, {registered, []},
                                     {applications, [kernel, stdlib]}, {mod, {?MODULE, How}}]},
         say(load, application:load(Spec)),
         say(How, case application:start(Name) of
                      {error, {bad_return, {Call, {'EXIT', {Reason, _}}}}} -> {bad_return, Call, Reason};
                      Other -> Other
                  end)
     end || {Name, How} <- [{f1, refuse}, {f2, crash}, {f3, nonsense}]],
    say(needs, application:load({application, f4, [{applications, [kernel, nosuch]}]})),
    say(needs, application:start(f4)),
    say(ensure, application:ensure_all_started(f4)),
    % The logger of OTP has its say.
    timer:sleep(100).

say(What, Value) -> io:format("~p: ~p~n", [What, Value]).

wait(Holds) ->
    case Holds() of
        true -> ok;
        false -> timer:sleep(5), wait(Holds)
    end.

start(_, refuse) -> {error, closed};
start(_, crash) -> error(burnt);
start(_, nonsense) -> nonsense;
start(Type, Stalls) ->
    say(starts, {Type, application:get_env(opens)}),
    {ok, Pid} = supervisor:start_link({local, market_sup}, ?MODULE, {market, Stalls}),
    {ok, Pid, kept}.

start_phase(Phase, Type, Args) -> say(phase, {Phase, Type, Args, is_pid(whereis(bread))}), ok.

prep_stop(State) -> say(prep_stop, {State, is_pid(whereis(market_sup))}), prepared.

stop(State) -> say(stopped, {State, whereis(market_sup)}).

init({market, Stalls}) ->
    {ok, {{one_for_one, 5, 10},
          [#{id => Stall, type => supervisor,
             start => {supervisor, start_link, [{local, sup(Stall)}, ?MODULE, {stall, Stall}]}} || Stall <- Stalls]}};
init({stall, Stall}) ->
    {ok, {#{strategy => one_for_all}, [#{id => Stall, start => {market_stall, start_link, [Stall]}}]}}.

sup(fruit) -> fruit_sup;
sup(bread) -> bread_sup.
