%% gb_sets: sets as general balanced trees: `{Size, Tree}`, a tree is `nil` or `{Element, Less, More}`.
-module(gb_sets).
-export([empty/0, new/0, is_empty/1, size/1, singleton/1, is_member/2, is_element/2, insert/2, add/2, add_element/2,
         delete/2, delete_any/2, del_element/2, balance/1, union/2, union/1, intersection/2, intersection/1, is_equal/2,
         is_disjoint/2, difference/2, subtract/2, is_subset/2, is_set/1, to_list/1, from_list/1, from_ordset/1,
         smallest/1, largest/1, take_smallest/1, take_largest/1, smaller/2, larger/2, iterator/1, iterator/2,
         iterator_from/2, iterator_from/3, next/1, fold/3, filter/2, map/2, filtermap/2]).

empty() -> {0, nil}.
new() -> {0, nil}.
is_empty({0, nil}) -> true;
is_empty(_) -> false.
size({N, _}) -> N.
singleton(E) -> {1, {E, nil, nil}}.
is_set({0, nil}) -> true;
is_set({N, {_, _, _}}) when is_integer(N), N >= 0 -> true;
is_set(_) -> false.

is_element(E, S) -> is_member(E, S).
is_member(E, {_, T}) -> member(E, T).
member(E, {X, L, _}) when E < X -> member(E, L);
member(E, {X, _, M}) when E > X -> member(E, M);
member(_, {_, _, _}) -> true;
member(_, nil) -> false.

insert(E, {N, T}) -> {N + 1, inserted(E, T, (N + 1) * (N + 1))}.
inserted(E, {X, L, M}, P) when E < X ->
    case inserted(E, L, P div 2) of
        {L1, H1, N1} when is_integer(H1) ->
            {H2, N2} = measured(M),
            grown({X, L1, M}, max(H1, H2) * 2, N1 + N2 + 1);
        L1 -> {X, L1, M}
    end;
inserted(E, {X, L, M}, P) when E > X ->
    case inserted(E, M, P div 2) of
        {M1, H1, N1} when is_integer(H1) ->
            {H2, N2} = measured(L),
            grown({X, L, M1}, max(H1, H2) * 2, N1 + N2 + 1);
        M1 -> {X, L, M1}
    end;
inserted(E, nil, 0) -> {{E, nil, nil}, 1, 1};
inserted(E, nil, _) -> {E, nil, nil};
inserted(E, _, _) -> error({key_exists, E}).
grown(T, H, N) when H > N * N -> balanced(T, N);
grown(T, H, N) -> {T, H, N}.
measured({_, nil, nil}) -> {1, 1};
measured({_, L, M}) ->
    {H1, N1} = measured(L),
    {H2, N2} = measured(M),
    {max(H1, H2) * 2, N1 + N2 + 1};
measured(nil) -> {1, 0}.

add_element(E, S) -> add(E, S).
add(E, S) ->
    case is_member(E, S) of
        true -> S;
        false -> insert(E, S)
    end.
balance({N, T}) -> {N, balanced(T, N)}.
balanced(T, N) -> built(items(T, []), N).
from_list(L) -> from_ordset(ordsets:from_list(L)).
from_ordset(L) ->
    N = length(L),
    {N, built(L, N)}.
built(L, N) ->
    {T, []} = build(L, N),
    T.
build(L, 0) -> {nil, L};
build([E | L], 1) -> {{E, nil, nil}, L};
build(L, N) ->
    More = (N - 1) div 2,
    {Less, [E | Rest]} = build(L, N - 1 - More),
    {T, Left} = build(Rest, More),
    {{E, Less, T}, Left}.
%% What comes of two sets leans to the other side.
merged(L) ->
    N = length(L),
    {T, []} = lean(L, N),
    {N, T}.
lean(L, 0) -> {nil, L};
lean([E | L], 1) -> {{E, nil, nil}, L};
lean(L, N) ->
    Less = (N - 1) div 2,
    {T0, [E | Rest]} = lean(L, Less),
    {T1, Left} = lean(Rest, N - 1 - Less),
    {{E, T0, T1}, Left}.

del_element(E, S) -> delete_any(E, S).
delete_any(E, S) ->
    case is_member(E, S) of
        true -> delete(E, S);
        false -> S
    end.
delete(E, {N, T}) -> {N - 1, without(E, T)}.
without(E, {X, L, M}) when E < X -> {X, without(E, L), M};
without(E, {X, L, M}) when E > X -> {X, L, without(E, M)};
without(_, {_, L, M}) -> joined(L, M).
joined(L, nil) -> L;
joined(nil, M) -> M;
joined(L, M) ->
    {E, Rest} = least(M),
    {E, L, Rest}.
least({E, nil, M}) -> {E, M};
least({E, L, M}) ->
    {X, L1} = least(L),
    {X, {E, L1, M}}.
most({E, L, nil}) -> {E, L};
most({E, L, M}) ->
    {X, M1} = most(M),
    {X, {E, L, M1}}.
take_smallest({N, T}) ->
    {E, T1} = least(T),
    {E, {N - 1, T1}}.
take_largest({N, T}) ->
    {E, T1} = most(T),
    {E, {N - 1, T1}}.
smallest({_, T}) -> first(T).
first({E, nil, _}) -> E;
first({_, L, _}) -> first(L).
largest({_, T}) -> last(T).
last({E, _, nil}) -> E;
last({_, _, M}) -> last(M).
smaller(E, {_, T}) -> smaller(E, T, none).
smaller(_, nil, B) -> B;
smaller(E, {X, _, M}, _) when E > X -> smaller(E, M, {found, X});
smaller(E, {_, L, _}, B) -> smaller(E, L, B).
larger(E, {_, T}) -> larger(E, T, none).
larger(_, nil, B) -> B;
larger(E, {X, L, _}, _) when E < X -> larger(E, L, {found, X});
larger(E, {_, _, M}, B) -> larger(E, M, B).

to_list({_, T}) -> items(T, []).
items({E, L, M}, A) -> items(L, [E | items(M, A)]);
items(nil, A) -> A.
fold(F, A, S) when is_function(F, 2) -> lists:foldl(F, A, to_list(S)).
filter(F, S) when is_function(F, 1) -> from_ordset([E || E <- to_list(S), F(E)]).
map(F, S) -> from_list(lists:map(F, to_list(S))).
filtermap(F, S) -> from_list(lists:filtermap(F, to_list(S))).

%% A small set goes into a big one element by element; sets of like sizes are merged.
union({N1, T1}, {N2, T2}) when N2 < N1 -> union(items(T2, []), N2, T1, N1);
union({N1, T1}, {N2, T2}) -> union(items(T1, []), N1, T2, N2).
union(L, N, T, Size) ->
    case Size < 10 orelse Size < N * round(1.46 * math:log(Size)) of
        true -> merged(ordsets:union(L, items(T, [])));
        false -> lists:foldl(fun(E, S) -> add(E, S) end, {Size, T}, L)
    end.
union([S | Ss]) -> lists:foldl(fun(X, A) -> union(A, X) end, S, Ss);
union([]) -> empty().
intersection({N1, T1}, {N2, T2}) when N2 < N1 -> merged([E || E <- items(T2, []), member(E, T1)]);
intersection({_, T1}, {_, T2}) -> merged([E || E <- items(T1, []), member(E, T2)]).
intersection([S]) -> S;
intersection([A, B | T]) -> intersection([intersection(A, B) | T]).
is_equal(A, B) -> to_list(A) == to_list(B).
is_disjoint(A, B) -> is_empty(intersection(A, B)).
difference(A, B) -> subtract(A, B).
subtract({_, T1}, {_, T2}) -> merged([E || E <- items(T1, []), not member(E, T2)]).
is_subset({_, T1}, {_, T2}) -> lists:all(fun(E) -> member(E, T2) end, items(T1, [])).

iterator({_, T}) -> down(T, []).
iterator(S, ordered) -> iterator(S);
iterator({_, T}, reversed) -> {reversed, up(T, [])}.
iterator_from(E, {_, T}) -> from(E, T, []).
iterator_from(E, S, ordered) -> iterator_from(E, S);
iterator_from(E, {_, T}, reversed) -> {reversed, back(E, T, [])}.
down({_, nil, _} = T, A) -> [T | A];
down({_, L, _} = T, A) -> down(L, [T | A]);
down(nil, A) -> A.
up({_, _, nil} = T, A) -> [T | A];
up({_, _, M} = T, A) -> up(M, [T | A]);
up(nil, A) -> A.
from(E, {X, _, M}, A) when X < E -> from(E, M, A);
from(_, {_, nil, _} = T, A) -> [T | A];
from(E, {_, L, _} = T, A) -> from(E, L, [T | A]);
from(_, nil, A) -> A.
back(E, {X, L, _}, A) when X > E -> back(E, L, A);
back(_, {_, _, nil} = T, A) -> [T | A];
back(E, {_, _, M} = T, A) -> back(E, M, [T | A]);
back(_, nil, A) -> A.
next([{E, _, M} | A]) -> {E, down(M, A)};
next([]) -> none;
next({reversed, [{E, L, _} | A]}) -> {E, {reversed, up(L, A)}};
next({reversed, []}) -> none.
