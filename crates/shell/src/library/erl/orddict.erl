%% orddict
-module(orddict).
-export([new/0, is_key/2, to_list/1, from_list/1, size/1, is_empty/1, fetch/2, find/2, fetch_keys/1, erase/2, take/2,
         store/3, append/3, append_list/3, update/3, update/4, update_counter/3, fold/3, map/2, filter/2, merge/3]).

new() -> [].
is_key(K, D) -> find(K, D) =/= error.
to_list(D) -> D.
from_list([]) -> [];
from_list([{_, _}] = L) -> L;
from_list(L) -> lists:ukeysort(1, lists:reverse(L)).
size(D) -> length(D).
is_empty(D) -> D =:= [].
fetch(K, [{K, V} | _]) -> V;
fetch(K, [{K1, _} | D]) when K > K1 -> fetch(K, D).
find(K, [{K1, _} | _]) when K < K1 -> error;
find(K, [{K1, _} | D]) when K > K1 -> find(K, D);
find(_, [{_, V} | _]) -> {ok, V};
find(_, []) -> error.
fetch_keys(D) -> [K || {K, _} <- D].
erase(K, D) -> [P || {K1, _} = P <- D, K1 /= K].
take(K, D) ->
    case find(K, D) of
        {ok, V} -> {V, erase(K, D)};
        error -> error
    end.
store(K, V, [{K1, _} = P | D]) when K > K1 -> [P | store(K, V, D)];
store(K, V, [{K1, _} | _] = D) when K < K1 -> [{K, V} | D];
store(K, V, [_ | D]) -> [{K, V} | D];
store(K, V, []) -> [{K, V}].
append(K, V, D) -> append_list(K, [V], D).
append_list(K, L, D) -> update(K, fun(Old) -> Old ++ L end, L, D).
update(K, F, D) -> store(K, F(fetch(K, D)), D).
update(K, F, Init, D) ->
    case find(K, D) of
        {ok, V} -> store(K, F(V), D);
        error -> store(K, Init, D)
    end.
update_counter(K, N, D) -> update(K, fun(V) -> V + N end, N, D).
fold(F, A, D) -> lists:foldl(fun({K, V}, Acc) -> F(K, V, Acc) end, A, D).
map(F, D) -> [{K, F(K, V)} || {K, V} <- D].
filter(F, D) -> [P || {K, V} = P <- D, F(K, V)].
merge(F, A, B) ->
    lists:foldl(fun({K, V}, D) -> update(K, fun(Old) -> F(K, Old, V) end, V, D) end, A, B).
