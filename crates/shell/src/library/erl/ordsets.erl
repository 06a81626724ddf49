%% ordsets
-module(ordsets).
-export([new/0, is_set/1, size/1, is_empty/1, is_equal/2, to_list/1, from_list/1, is_element/2, add_element/2,
         del_element/2, union/2, union/1, intersection/2, intersection/1, is_disjoint/2, subtract/2, is_subset/2,
         fold/3, filter/2, map/2]).

new() -> [].
is_set([E | Es]) -> is_set(Es, E);
is_set([]) -> true;
is_set(_) -> false.
is_set([E2 | Es], E1) when E1 < E2 -> is_set(Es, E2);
is_set([_ | _], _) -> false;
is_set([], _) -> true.
size(S) -> length(S).
is_empty(S) -> S =:= [].
is_equal(A, B) -> A == B.
to_list(S) -> S.
from_list(L) -> lists:usort(L).
is_element(E, [H | T]) when E > H -> is_element(E, T);
is_element(E, [H | _]) when E < H -> false;
is_element(_, [_ | _]) -> true;
is_element(_, []) -> false.
add_element(E, [H | T]) when E > H -> [H | add_element(E, T)];
add_element(E, [H | _] = S) when E < H -> [E | S];
add_element(_, [_ | _] = S) -> S;
add_element(E, []) -> [E].
del_element(E, [H | T]) when E > H -> [H | del_element(E, T)];
del_element(E, [H | _] = S) when E < H -> S;
del_element(_, [_ | T]) -> T;
del_element(_, []) -> [].
union([], B) -> B;
union(A, []) -> A;
union(A, B) when is_list(A), is_list(B) -> lists:usort(A ++ B).
union(L) -> lists:usort(lists:append(L)).
intersection(A, B) -> [E || E <- A, is_element(E, B)].
intersection([S]) -> S;
intersection([A, B | T]) -> intersection([intersection(A, B) | T]).
is_disjoint(A, B) -> intersection(A, B) =:= [].
subtract(A, B) -> [E || E <- A, not is_element(E, B)].
is_subset(A, B) -> lists:all(fun(E) -> is_element(E, B) end, A).
fold(F, A, S) -> lists:foldl(F, A, S).
filter(F, S) -> lists:filter(F, S).
map(F, S) -> from_list(lists:map(F, S)).
