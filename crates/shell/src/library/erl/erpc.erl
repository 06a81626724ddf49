%% What of erpc belongs to the process that calls it; the rest is the node's.
-module(erpc).
-export([send_request/2, send_request/4, receive_response/1, receive_response/2, wait_response/1, wait_response/2,
         check_response/2, send_request/6, reqids_new/0, reqids_size/1, reqids_to_list/1, reqids_add/3,
         receive_response/3, wait_response/3, check_response/3]).

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

%% Many requests, each with a label. A response is looked for by the monitor that brings it.
send_request(Node, Module, Function, Arguments, Label, Ids) when is_map(Ids) ->
    reqids_add(send_request(Node, Module, Function, Arguments), Label, Ids).

reqids_new() -> #{}.
reqids_size(Ids) when is_map(Ids) -> map_size(Ids);
reqids_size(_) -> error({erpc, badarg}).
reqids_to_list(Ids) when is_map(Ids) -> maps:values(Ids);
reqids_to_list(_) -> error({erpc, badarg}).
reqids_add({_, Monitor} = Request, Label, Ids) when is_reference(Monitor), is_map(Ids), not is_map_key(Monitor, Ids) ->
    Ids#{Monitor => {Request, Label}};
reqids_add(_, _, _) -> error({erpc, badarg}).

receive_response(Ids, _, _) when map_size(Ids) =:= 0 -> no_request;
receive_response(Ids, Time, Delete) when is_map(Ids), is_boolean(Delete) ->
    receive
        {'DOWN', Monitor, process, _, Reason} when is_map_key(Monitor, Ids) ->
            {{response, Value}, Label, Rest} = labelled(Monitor, Reason, Ids, Delete),
            {Value, Label, Rest}
    after left(Time) ->
        [erlang:demonitor(Monitor, [flush]) || Monitor <- maps:keys(Ids)],
        error({erpc, timeout})
    end;
receive_response(_, _, _) -> error({erpc, badarg}).

wait_response(Ids, _, _) when map_size(Ids) =:= 0 -> no_request;
wait_response(Ids, Time, Delete) when is_map(Ids), is_boolean(Delete) ->
    receive {'DOWN', Monitor, process, _, Reason} when is_map_key(Monitor, Ids) -> labelled(Monitor, Reason, Ids, Delete)
    after left(Time) -> no_response
    end;
wait_response(_, _, _) -> error({erpc, badarg}).

check_response(_, Ids, _) when map_size(Ids) =:= 0 -> no_request;
check_response({'DOWN', Monitor, process, _, Reason}, Ids, Delete) when is_map_key(Monitor, Ids) ->
    labelled(Monitor, Reason, Ids, Delete);
check_response(_, Ids, Delete) when is_map(Ids), is_boolean(Delete) -> no_response;
check_response(_, _, _) -> error({erpc, badarg}).

left({abs, Time}) -> max(0, Time - erlang:monotonic_time(millisecond));
left(Time) -> Time.

%% An exception comes with the label and the other requests, as `{Reason, Label, Ids}`.
labelled(Monitor, Reason, Ids, Delete) ->
    #{Monitor := {{Id, _}, Label}} = Ids,
    Rest = case Delete of
               true -> maps:remove(Monitor, Ids);
               false -> Ids
           end,
    try response(Id, Reason) of
        Value -> {{response, Value}, Label, Rest}
    catch
        Class:Why -> erlang:raise(Class, {Why, Label, Rest}, [])
    end.
