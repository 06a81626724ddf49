%% What of erpc belongs to the process that calls it; the rest is the node's.
-module(erpc).
-export([send_request/2, send_request/4, receive_response/1, receive_response/2, wait_response/1, wait_response/2,
         check_response/2]).

send_request(Node, Fun) -> send_request(Node, erlang, apply, [Fun, []]).

send_request(Node, Module, Function, Arguments) ->
    Id = make_ref(),
    {_, Monitor} = spawn_monitor(fun() ->
        exit({Id, try {ok, erpc:call(Node, Module, Function, Arguments)} catch Class:Reason -> {Class, Reason} end})
    end),
    {Id, Monitor}.

receive_response(Request) -> receive_response(Request, infinity).

receive_response({Id, Monitor}, Time) ->
    receive {'DOWN', Monitor, process, _, Reason} -> response(Id, Reason)
    after Time ->
        erlang:demonitor(Monitor, [flush]),
        error({erpc, timeout})
    end.

wait_response(Request) -> wait_response(Request, 0).

wait_response({Id, Monitor}, Time) ->
    receive {'DOWN', Monitor, process, _, Reason} -> {response, response(Id, Reason)}
    after Time -> no_response
    end.

check_response({'DOWN', Monitor, process, _, Reason}, {Id, Monitor}) -> {response, response(Id, Reason)};
check_response(_, {_, _}) -> no_response.

response(Id, {Id, {ok, Value}}) -> Value;
response(Id, {Id, {Class, Reason}}) -> erlang:raise(Class, Reason, []);
response(_, Reason) -> exit({exception, Reason}).
