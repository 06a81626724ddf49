%% Whether two nodes answer alike: the same value, the same shape, the same error.
-module(likeness).
-export([differences/2, shape/2]).

%% [{Mode, M, F, A}] -> those whose answer there is not like the one here, with both.
differences(Node, Calls) ->
    [{M, F, A, Here, There} ||
        {Mode, M, F, A} <- Calls,
        {Here, There} <- [{here(M, F, A), there(Node, M, F, A)}],
        not alike(Mode, Here, There)].

here(M, F, A) ->
    try {value, apply(M, F, A)} catch Class:Reason -> {Class, Reason} end.

there(Node, M, F, A) ->
    try {value, erpc:call(Node, M, F, A, 20000)}
    catch
        error:{exception, Reason, Stack} when is_list(Stack) -> {error, Reason};
        exit:{exception, Reason} -> {exit, Reason};
        throw:Value -> {throw, Value};
        Class:Other -> {failed, Class, Other}
    end.

%% same: the very same answer. shape: the same types. keys: a property list or a map with at least the same keys.
%% fine: any value at all.
alike(same, Answer, Answer) -> true;
alike(same, _, _) -> false;
alike(shape, {value, A}, {value, B}) -> shape(A, B);
alike(shape, {Class, A}, {Class, B}) -> shape(A, B);
alike(keys, {value, A}, {value, B}) -> shape(A, B) andalso keys(A) -- keys(B) =:= [];
alike(fine, _, {value, _}) -> true;
alike(_, _, _) -> false.

keys(Map) when is_map(Map) -> maps:keys(Map);
keys({ok, Value}) -> keys(Value);
keys(List) -> [K || {K, _} <- List].

shape(A, B) when is_integer(A), is_integer(B) -> true;
shape(A, B) when is_float(A), is_float(B) -> true;
shape(A, B) when is_binary(A), is_binary(B) -> true;
shape(A, B) when is_pid(A), is_pid(B) -> true;
shape(A, B) when is_reference(A), is_reference(B) -> true;
shape(A, B) when is_function(A), is_function(B) -> true;
shape(A, B) when is_boolean(A); is_boolean(B) -> is_boolean(A) andalso is_boolean(B);
shape(A, B) when is_atom(A), is_atom(B) -> (A =:= B) orelse not (word(A) orelse word(B));
shape(A, B) when is_tuple(A), is_tuple(B), tuple_size(A) =:= tuple_size(B) ->
    all(tuple_to_list(A), tuple_to_list(B));
shape(A, B) when is_map(A), is_map(B) ->
    lists:all(fun(K) -> shape(maps:get(K, A), maps:get(K, B)) end, common(maps:keys(A), maps:keys(B)));
shape([], B) when is_list(B) -> true;
shape(A, []) when is_list(A) -> true;
shape(A, B) when is_list(A), is_list(B) ->
    case {io_lib:printable_unicode_list(A), io_lib:printable_unicode_list(B)} of
        {true, true} -> true;
        {false, false} ->
            case properties(A) andalso properties(B) of
                true ->
                    Keys = common([K || {K, _} <- A], [K || {K, _} <- B]),
                    lists:all(fun(K) -> shape(element(2, lists:keyfind(K, 1, A)), element(2, lists:keyfind(K, 1, B))) end, Keys);
                false -> shape(hd(A), hd(B))
            end;
        _ -> false
    end;
shape(_, _) -> false.

%% Words that mean the same everywhere.
word(W) -> lists:member(W, [ok, error, undefined, undef, badarg, function_clause, badarith, noproc, timeout, unchanged, ignored]).

all(As, Bs) -> lists:all(fun({A, B}) -> shape(A, B) end, lists:zip(As, Bs)).

properties(List) -> lists:all(fun({K, _}) -> is_atom(K); (_) -> false end, List).

common(A, B) -> [K || K <- A, lists:member(K, B)].
