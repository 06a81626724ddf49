%% sets: maps of their elements, as version 2 of OTP's has them.
-module(sets).
-export([new/0, new/1, from_list/1, from_list/2, is_set/1, size/1, is_empty/1, is_equal/2, to_list/1, is_element/2,
         add_element/2, del_element/2, union/2, union/1, intersection/2, intersection/1, is_disjoint/2, subtract/2,
         is_subset/2, fold/3, filter/2, map/2, filtermap/2]).

new() -> #{}.
new(_) -> #{}.
from_list(L) -> maps:from_keys(L, []).
from_list(L, _) -> maps:from_keys(L, []).
is_set(S) -> is_map(S) andalso lists:all(fun(V) -> V =:= [] end, maps:values(S)).
size(S) -> map_size(S).
is_empty(S) -> S =:= #{}.
is_equal(A, B) -> A =:= B.
to_list(S) -> maps:keys(S).
is_element(E, S) -> is_map_key(E, S).
add_element(E, S) -> S#{E => []}.
del_element(E, S) -> maps:remove(E, S).
union(A, B) -> maps:merge(A, B).
union([]) -> #{};
union(L) -> lists:foldl(fun maps:merge/2, #{}, L).
intersection(A, B) -> maps:intersect(A, B).
intersection([S]) -> S;
intersection([A, B | T]) -> intersection([maps:intersect(A, B) | T]).
is_disjoint(A, B) -> maps:intersect(A, B) =:= #{}.
subtract(A, B) -> maps:without(maps:keys(B), A).
is_subset(A, B) -> lists:all(fun(E) -> is_map_key(E, B) end, maps:keys(A)).
fold(F, A, S) -> lists:foldl(F, A, maps:keys(S)).
filter(F, S) -> from_list(lists:filter(F, maps:keys(S))).
map(F, S) -> from_list(lists:map(F, maps:keys(S))).
filtermap(F, S) -> from_list(lists:filtermap(F, maps:keys(S))).
