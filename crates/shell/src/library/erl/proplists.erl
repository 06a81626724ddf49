%% proplists
-module(proplists).
-export([append_values/2, compact/1, delete/2, get_all_values/2, get_bool/2, get_keys/1, get_value/2, get_value/3,
         is_defined/2, lookup/2, lookup_all/2, property/1, property/2, split/2, unfold/1, from_map/1, to_map/1]).

property({K, true}) when is_atom(K) -> K;
property(P) -> P.
property(K, true) when is_atom(K) -> K;
property(K, V) -> {K, V}.

unfold([{_, _} = P | T]) -> [P | unfold(T)];
unfold([K | T]) when is_atom(K) -> [{K, true} | unfold(T)];
unfold([P | T]) -> [P | unfold(T)];
unfold([]) -> [].

compact(L) -> [property(P) || P <- L].

lookup(K, [K | _]) when is_atom(K) -> {K, true};
lookup(K, [P | T]) when is_tuple(P), tuple_size(P) >= 1 ->
    case element(1, P) =:= K of
        true -> P;
        false -> lookup(K, T)
    end;
lookup(K, [_ | T]) -> lookup(K, T);
lookup(_, []) -> none.

lookup_all(K, [K | T]) when is_atom(K) -> [{K, true} | lookup_all(K, T)];
lookup_all(K, [P | T]) when is_tuple(P), tuple_size(P) >= 1, element(1, P) =:= K -> [P | lookup_all(K, T)];
lookup_all(K, [_ | T]) -> lookup_all(K, T);
lookup_all(_, []) -> [].

is_defined(K, L) -> lookup(K, L) =/= none.

get_value(K, L) -> get_value(K, L, undefined).
get_value(K, [K | _], _) when is_atom(K) -> true;
get_value(K, [{K, V} | _], _) -> V;
get_value(K, [P | _], D) when is_tuple(P), tuple_size(P) >= 1, element(1, P) =:= K -> D;
get_value(K, [_ | T], D) -> get_value(K, T, D);
get_value(_, [], D) -> D.

get_all_values(K, L) -> [V || {_, V} <- lookup_all(K, L)].
append_values(K, L) ->
    lists:append([case V of
                      V when is_list(V) -> V;
                      V -> [V]
                  end || V <- get_all_values(K, L)]).

get_bool(K, L) ->
    case lookup(K, L) of
        {_, true} -> true;
        _ -> false
    end.

get_keys(L) -> lists:usort(keys(L)).
keys([P | T]) ->
    case key(P) of
        [] -> keys(T);
        K -> [K | keys(T)]
    end;
keys([]) -> [].
key(K) when is_atom(K) -> K;
key(P) when is_tuple(P), tuple_size(P) >= 1 -> element(1, P);
key(_) -> [].

delete(K, [K | T]) when is_atom(K) -> delete(K, T);
delete(K, [P | T]) when is_tuple(P), tuple_size(P) >= 1, element(1, P) =:= K -> delete(K, T);
delete(K, [P | T]) -> [P | delete(K, T)];
delete(_, []) -> [].

split(L, Keys) ->
    {[lookup_all_raw(K, L) || K <- Keys], [P || P <- L, not lists:member(key(P), Keys)]}.
lookup_all_raw(K, L) -> [P || P <- L, key(P) =:= K].

from_map(M) -> maps:to_list(M).
to_map(L) -> lists:foldr(fun({K, V}, M) -> M#{K => V}; (K, M) when is_atom(K) -> M#{K => true}; (_, M) -> M end, #{}, L).
