%% What of rpc belongs to the process that calls it; the rest is the node's.
-module(rpc).
-export([async_call/4, yield/1, nb_yield/1, nb_yield/2]).

async_call(Node, Module, Function, Arguments) ->
    Asks = self(),
    spawn(fun() -> Asks ! {self(), {promise_reply, rpc:call(Node, Module, Function, Arguments)}} end).

yield(Key) ->
    {value, Value} = nb_yield(Key, infinity),
    Value.

nb_yield(Key) -> nb_yield(Key, 0).

nb_yield(Key, Time) ->
    receive {Key, {promise_reply, Value}} -> {value, Value}
    after Time -> timeout
    end.
