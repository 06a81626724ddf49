%% sets: hashed as OTP has them by default, or maps of their elements (version 2).
-module(sets).
-export([new/0, new/1, from_list/1, from_list/2, is_set/1, size/1, is_empty/1, is_equal/2, to_list/1, is_element/2,
         add_element/2, del_element/2, union/2, union/1, intersection/2, intersection/1, is_disjoint/2, subtract/2,
         is_subset/2, fold/3, filter/2, map/2, filtermap/2]).

new() -> linear_hash:new(set).
new([{version, 2}]) -> #{};
new(Opts) ->
    case proplists:get_value(version, Opts, 1) of
        1 -> new();
        2 -> #{}
    end.
from_list(L) -> lists:foldl(fun add_element/2, new(), L).
from_list(L, Opts) ->
    case new(Opts) of
        #{} -> maps:from_keys(L, []);
        S -> lists:foldl(fun add_element/2, S, L)
    end.
like(S) when is_map(S) -> #{};
like(_) -> new().
is_set(S) when is_map(S) -> lists:all(fun(V) -> V =:= [] end, maps:values(S));
is_set({set, _, _, _, _, _, _, _, _}) -> true;
is_set(_) -> false.
size(S) when is_map(S) -> map_size(S);
size({set, N, _, _, _, _, _, _, _}) -> N.
is_empty(S) -> sets:size(S) =:= 0.
is_equal(A, B) when is_map(A), is_map(B) -> A =:= B;
is_equal(A, B) -> sets:size(A) =:= sets:size(B) andalso is_subset(A, B).
to_list(S) when is_map(S) -> maps:keys(S);
to_list(S) -> fold(fun(E, L) -> [E | L] end, [], S).
is_element(E, S) when is_map(S) -> is_map_key(E, S);
is_element(E, {set, _, _, _, _, _, _, _, _} = S) -> lists:member(E, linear_hash:bucket(linear_hash:slot(E, S), S)).
add_element(E, S) when is_map(S) -> S#{E => []};
add_element(E, {set, _, _, _, _, _, _, _, _} = S) ->
    Slot = linear_hash:slot(E, S),
    B = linear_hash:bucket(Slot, S),
    case lists:member(E, B) of
        true -> S;
        false -> linear_hash:grown(1, fun(X) -> X end, linear_hash:put(Slot, [E | B], S))
    end.
del_element(E, S) when is_map(S) -> maps:remove(E, S);
del_element(E, {set, _, _, _, _, _, _, _, _} = S) ->
    Slot = linear_hash:slot(E, S),
    B = linear_hash:bucket(Slot, S),
    case lists:member(E, B) of
        false -> S;
        true -> linear_hash:shrunk(1, linear_hash:put(Slot, lists:delete(E, B), S))
    end.
%% The smaller goes into the bigger.
union(A, B) when is_map(A), is_map(B) -> maps:merge(A, B);
union(A, B) ->
    case sets:size(A) < sets:size(B) of
        true -> fold(fun add_element/2, B, A);
        false -> fold(fun add_element/2, A, B)
    end.
union([A, B | T]) -> union([union(A, B) | T]);
union([S]) -> S;
union([]) -> new().
intersection(A, B) ->
    case sets:size(A) < sets:size(B) of
        true -> filter(fun(E) -> is_element(E, B) end, A);
        false -> filter(fun(E) -> is_element(E, A) end, B)
    end.
intersection([S]) -> S;
intersection([A, B | T]) -> intersection([intersection(A, B) | T]).
is_disjoint(A, B) -> is_empty(intersection(A, B)).
subtract(A, B) -> filter(fun(E) -> not is_element(E, B) end, A).
is_subset(A, B) -> lists:all(fun(E) -> is_element(E, B) end, to_list(A)).
fold(F, A, S) when is_map(S) -> lists:foldl(F, A, maps:keys(S));
fold(F, A, {set, _, _, _, _, _, _, _, _} = S) -> linear_hash:fold(F, A, S).
filter(F, S) when is_map(S) -> maps:from_keys(lists:filter(F, maps:keys(S)), []);
filter(F, {set, _, _, _, _, _, _, _, _} = S) -> linear_hash:filter(fun(B) -> lists:filter(F, lists:reverse(B)) end, S).
map(F, S) -> lists:foldl(fun add_element/2, like(S), lists:map(F, to_list(S))).
filtermap(F, S) -> lists:foldl(fun add_element/2, like(S), lists:filtermap(F, to_list(S))).
