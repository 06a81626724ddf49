%% dict: hashed as OTP's is. A bucket holds `[Key | Value]`, the oldest first.
-module(dict).
-export([new/0, is_key/2, to_list/1, from_list/1, size/1, is_empty/1, fetch/2, find/2, fetch_keys/1, erase/2, take/2,
         store/3, append/3, append_list/3, update/3, update/4, update_counter/3, fold/3, map/2, filter/2, merge/3]).

new() -> linear_hash:new(dict).
bucket(K, D) ->
    Slot = linear_hash:slot(K, D),
    {Slot, linear_hash:bucket(Slot, D)}.
find(K, {dict, _, _, _, _, _, _, _, _} = D) ->
    {_, B} = bucket(K, D),
    found(K, B).
found(K, [[K | V] | _]) -> {ok, V};
found(K, [_ | T]) -> found(K, T);
found(_, []) -> error.
is_key(K, D) -> find(K, D) =/= error.
fetch(K, D) ->
    case find(K, D) of
        {ok, V} -> V;
        error -> error(badarg, [K, D])
    end.
to_list(D) -> fold(fun(K, V, L) -> [{K, V} | L] end, [], D).
from_list(L) -> lists:foldl(fun({K, V}, D) -> store(K, V, D) end, new(), L).
fetch_keys(D) -> fold(fun(K, _, L) -> [K | L] end, [], D).
size({dict, N, _, _, _, _, _, _, _}) -> N.
is_empty({dict, N, _, _, _, _, _, _, _}) -> N =:= 0.

store(K, V, D) -> changed(K, fun(_) -> V end, D).
append(K, V, D) -> append_list(K, [V], D).
append_list(K, L, D) -> changed(K, fun({ok, Old}) -> Old ++ L; (error) -> L end, D).
update(K, F, D) ->
    changed(K, fun({ok, Old}) -> F(Old); (error) -> error(badarg) end, D).
update(K, F, Init, D) -> changed(K, fun({ok, Old}) -> F(Old); (error) -> Init end, D).
update_counter(K, N, D) when is_number(N) -> changed(K, fun({ok, Old}) -> Old + N; (error) -> N end, D).
%% The value of a key becomes another; a new key goes to the end of its bucket.
changed(K, F, {dict, _, _, _, _, _, _, _, _} = D) ->
    {Slot, B} = bucket(K, D),
    V = F(found(K, B)),
    case replaced(K, V, B) of
        new -> linear_hash:grown(1, fun erlang:hd/1, linear_hash:put(Slot, B ++ [[K | V]], D));
        B1 -> linear_hash:put(Slot, B1, D)
    end.
replaced(K, V, [[K | _] | T]) -> [[K | V] | T];
replaced(K, V, [H | T]) ->
    case replaced(K, V, T) of
        new -> new;
        L -> [H | L]
    end;
replaced(_, _, []) -> new.
erase(K, D) ->
    case take(K, D) of
        {_, D1} -> D1;
        error -> D
    end.
take(K, {dict, _, _, _, _, _, _, _, _} = D) ->
    {Slot, B} = bucket(K, D),
    case found(K, B) of
        {ok, V} -> {V, linear_hash:shrunk(1, linear_hash:put(Slot, [E || [X | _] = E <- B, X =/= K], D))};
        error -> error
    end.

fold(F, A, {dict, _, _, _, _, _, _, _, _} = D) -> linear_hash:fold(fun([K | V], Acc) -> F(K, V, Acc) end, A, D).
map(F, {dict, _, _, _, _, _, _, _, _} = D) -> linear_hash:map(fun([K | V]) -> [K | F(K, V)] end, D).
filter(F, {dict, _, _, _, _, _, _, _, _} = D) -> linear_hash:filter(fun(B) -> [E || [K | V] = E <- B, F(K, V)] end, D).
merge(F, A, B) ->
    case dict:size(A) < dict:size(B) of
        true -> fold(fun(K, V1, D) -> update(K, fun(V2) -> F(K, V1, V2) end, V1, D) end, B, A);
        false -> fold(fun(K, V2, D) -> update(K, fun(V1) -> F(K, V1, V2) end, V2, D) end, A, B)
    end.
