%% What two nodes do with the behaviours of each other. main/1 runs on one, back/1 on the other.
-module(far).
-export([main/1, back/1]).

main([Text]) ->
    There = list_to_atom(Text),
    wait(fun() -> net_adm:ping(There) =:= pong andalso is_pid(rpc:call(There, erlang, whereis, [market_sup])) end),
    {ok, _} = gen_server:start({local, counter}, counter, 20, []),
    say(call, gen_server:call({counter, There}, get)),
    say(cast, gen_server:cast({counter, There}, {add, 1})),
    say(state, sys:get_state({counter, There})),
    say(replace, sys:replace_state({counter, There}, fun erlang:integer_to_list/1)),
    say(again, sys:replace_state({counter, There}, fun erlang:list_to_integer/1)),
    {status, _, {module, Module}, [Dictionary, Status | _]} = sys:get_status({counter, There}),
    say(status, {Module, Status, proplists:get_value('$initial_call', Dictionary)}),
    say(multi, element(2, gen_server:multi_call([node(), There], counter, get))),
    say(late, element(1, element(2, catch gen_server:call({counter, There}, never, 20)))),
    say(nobody, element(1, element(2, catch gen_server:call({nobody, There}, get)))),
    say(children, lists:sort([{Id, Type} || {Id, _, Type, _} <- supervisor:which_children({market_sup, There})])),
    say(count, supervisor:count_children({fruit_sup, There})),
    Spec = #{id => more, start => {market_stall, start_link, [more]}, restart => temporary},
    {ok, More} = supervisor:start_child({market_sup, There}, Spec),
    say(sell, gen_server:call({more, There}, {sell, 1})),
    say(where, node(More) =:= There),
    say(terminate, supervisor:terminate_child({market_sup, There}, more)),
    say(application, lists:keyfind(market, 1, rpc:call(There, application, which_applications, []))),
    say(rpc, rpc:call(There, market_stall, init, [x])),
    say(undef, case rpc:call(There, market_stall, nothing, []) of {badrpc, {'EXIT', {Why, _}}} -> Why end),
    say(loaded, element(1, rpc:call(There, code, is_loaded, [market]))),
    {ok, Far} = rpc:call(There, gen_server, start, [counter, 5, []]),
    Ref = monitor(process, Far),
    say(crash, trim(catch gen_server:call(Far, crash))),
    say(down, receive {'DOWN', Ref, process, Far, {Reason, _}} -> Reason after 5000 -> late end),
    {ok, Door} = rpc:call(There, gen_statem, start, [door, {functions, [1]}, []]),
    say(door, gen_statem:call(Door, {button, 1})),
    say(door, element(1, sys:get_state(Door))),
    say(door, gen_statem:stop(Door)),
    {ok, Board} = rpc:call(There, gen_event, start, []),
    say(board, gen_event:add_handler(Board, bulletin, one)),
    say(board, gen_event:notify(Board, hello)),
    say(board, gen_event:call(Board, bulletin, get)),
    say(global, global:register_name(here, whereis(counter))),
    wait(fun() -> rpc:call(There, global, whereis_name, [here]) =:= whereis(counter) end),
    say(back, rpc:call(There, ?MODULE, back, [node()])),
    rpc:cast(There, init, stop, []).

back(Node) ->
    {ok, Other} = rpc:call(Node, gen_server, start, [counter, 7, []]),
    Id = gen_server:send_request(Other, {add, 1}),
    [gen_server:call({counter, Node}, get),
     gen_server:call({global, here}, get),
     gen_server:receive_response(Id, 5000),
     sys:get_state(Other),
     trim(catch gen_server:call(Other, crash)),
     element(1, catch gen_server:call(Other, get)),
     element(2, gen_server:multi_call([node(), Node], counter, get)),
     is_list(supervisor:which_children({kernel_sup, Node}))].

trim({'EXIT', {{Reason, [_ | _]}, {gen_server, call, _}}}) -> {exit, Reason};
trim(Other) -> Other.

say(What, Value) -> io:format("~p: ~p~n", [What, Value]).

wait(Holds) ->
    case Holds() of
        true -> ok;
        false -> timer:sleep(50), wait(Holds)
    end.
