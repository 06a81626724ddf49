%% gb_trees: general balanced trees, after Arne Andersson: `{Size, Tree}`, a tree is `nil` or `{Key, Value, Less, More}`.
-module(gb_trees).
-export([empty/0, is_empty/1, size/1, lookup/2, is_defined/2, get/2, insert/3, update/3, enter/3, from_orddict/1,
         balance/1, delete/2, delete_any/2, take/2, take_any/2, to_list/1, keys/1, values/1, smallest/1, largest/1,
         take_smallest/1, take_largest/1, smaller/2, larger/2, iterator/1, iterator/2, iterator_from/2, iterator_from/3,
         next/1, map/2]).

empty() -> {0, nil}.
is_empty({0, nil}) -> true;
is_empty(_) -> false.
size({N, _}) when is_integer(N), N >= 0 -> N.

lookup(K, {_, T}) -> found(K, T).
found(K, {K1, _, L, _}) when K < K1 -> found(K, L);
found(K, {K1, _, _, M}) when K > K1 -> found(K, M);
found(_, {_, V, _, _}) -> {value, V};
found(_, nil) -> none.
is_defined(K, {_, T}) -> found(K, T) =/= none.
get(K, {_, T}) -> got(K, T).
got(K, {K1, _, L, _}) when K < K1 -> got(K, L);
got(K, {K1, _, _, M}) when K > K1 -> got(K, M);
got(_, {_, V, _, _}) -> V.

update(K, V, {N, T}) -> {N, changed(K, V, T)}.
changed(K, V, {K1, V1, L, M}) when K < K1 -> {K1, V1, changed(K, V, L), M};
changed(K, V, {K1, V1, L, M}) when K > K1 -> {K1, V1, L, changed(K, V, M)};
changed(K, V, {_, _, L, M}) -> {K, V, L, M}.

%% A path that is longer than the square of the size allows is made shorter on the way back. What comes back is a tree,
%% or a tree that may be too high with its height (as a power of two) and its size.
insert(K, V, {N, T}) when is_integer(N) -> {N + 1, inserted(K, V, T, (N + 1) * (N + 1))}.
inserted(K, V, {K1, V1, L, M}, P) when K < K1 ->
    case inserted(K, V, L, P div 2) of
        {L1, H1, N1} ->
            {H2, N2} = measured(M),
            grown({K1, V1, L1, M}, max(H1, H2) * 2, N1 + N2 + 1);
        L1 -> {K1, V1, L1, M}
    end;
inserted(K, V, {K1, V1, L, M}, P) when K > K1 ->
    case inserted(K, V, M, P div 2) of
        {M1, H1, N1} ->
            {H2, N2} = measured(L),
            grown({K1, V1, L, M1}, max(H1, H2) * 2, N1 + N2 + 1);
        M1 -> {K1, V1, L, M1}
    end;
inserted(K, V, nil, 0) -> {{K, V, nil, nil}, 1, 1};
inserted(K, V, nil, _) -> {K, V, nil, nil};
inserted(K, _, _, _) -> error({key_exists, K}).
grown(T, H, N) when H > N * N -> balanced(T, N);
grown(T, H, N) -> {T, H, N}.
measured({_, _, nil, nil}) -> {1, 1};
measured({_, _, L, M}) ->
    {H1, N1} = measured(L),
    {H2, N2} = measured(M),
    {max(H1, H2) * 2, N1 + N2 + 1};
measured(nil) -> {1, 0}.

enter(K, V, T) ->
    case is_defined(K, T) of
        true -> update(K, V, T);
        false -> insert(K, V, T)
    end.
balance({N, T}) -> {N, balanced(T, N)}.
balanced(T, N) -> built(pairs(T, []), N).
from_orddict(L) ->
    N = length(L),
    {N, built(L, N)}.
built(L, N) ->
    {T, []} = build(L, N),
    T.
build(L, 0) -> {nil, L};
build([{K, V} | L], 1) -> {{K, V, nil, nil}, L};
build(L, N) ->
    More = (N - 1) div 2,
    {Less, [{K, V} | Rest]} = build(L, N - 1 - More),
    {T, Left} = build(Rest, More),
    {{K, V, Less, T}, Left}.

delete_any(K, T) ->
    case is_defined(K, T) of
        true -> delete(K, T);
        false -> T
    end.
delete(K, {N, T}) when is_integer(N), N >= 0 -> {N - 1, without(K, T)}.
without(K, {K1, V, L, M}) when K < K1 -> {K1, V, without(K, L), M};
without(K, {K1, V, L, M}) when K > K1 -> {K1, V, L, without(K, M)};
without(_, {_, _, L, M}) -> joined(L, M).
joined(L, nil) -> L;
joined(nil, M) -> M;
joined(L, M) ->
    {K, V, Rest} = least(M),
    {K, V, L, Rest}.
least({K, V, nil, M}) -> {K, V, M};
least({K, V, L, M}) ->
    {K1, V1, L1} = least(L),
    {K1, V1, {K, V, L1, M}}.
most({K, V, L, nil}) -> {K, V, L};
most({K, V, L, M}) ->
    {K1, V1, M1} = most(M),
    {K1, V1, {K, V, L, M1}}.
take_any(K, T) ->
    case is_defined(K, T) of
        true -> take(K, T);
        false -> error
    end.
take(K, {N, T}) when is_integer(N), N >= 0 ->
    {V, T1} = taken(K, T),
    {V, {N - 1, T1}}.
taken(K, {K1, V, L, M}) when K < K1 ->
    {V1, L1} = taken(K, L),
    {V1, {K1, V, L1, M}};
taken(K, {K1, V, L, M}) when K > K1 ->
    {V1, M1} = taken(K, M),
    {V1, {K1, V, L, M1}};
taken(_, {_, V, L, M}) -> {V, joined(L, M)}.
take_smallest({N, T}) when is_integer(N), N >= 0 ->
    {K, V, T1} = least(T),
    {K, V, {N - 1, T1}}.
take_largest({N, T}) when is_integer(N), N >= 0 ->
    {K, V, T1} = most(T),
    {K, V, {N - 1, T1}}.
smallest({_, T}) -> first(T).
first({K, V, nil, _}) -> {K, V};
first({_, _, L, _}) -> first(L).
largest({_, T}) -> last(T).
last({K, V, _, nil}) -> {K, V};
last({_, _, _, M}) -> last(M).
smaller(K, {_, T}) -> smaller(K, T, none).
smaller(_, nil, B) -> B;
smaller(K, {K1, V, _, M}, _) when K > K1 -> smaller(K, M, {K1, V});
smaller(K, {_, _, L, _}, B) -> smaller(K, L, B).
larger(K, {_, T}) -> larger(K, T, none).
larger(_, nil, B) -> B;
larger(K, {K1, V, L, _}, _) when K < K1 -> larger(K, L, {K1, V});
larger(K, {_, _, _, M}, B) -> larger(K, M, B).

to_list({_, T}) -> pairs(T, []).
pairs({K, V, L, M}, A) -> pairs(L, [{K, V} | pairs(M, A)]);
pairs(nil, A) -> A.
keys(T) -> [K || {K, _} <- to_list(T)].
values(T) -> [V || {_, V} <- to_list(T)].
map(F, {N, T}) when is_function(F, 2) -> {N, mapped(F, T)}.
mapped(_, nil) -> nil;
mapped(F, {K, V, L, M}) -> {K, F(K, V), mapped(F, L), mapped(F, M)}.

%% An iterator is the way down to the next: trees whose head and greater part are still to come.
iterator({_, T}) -> down(T, []).
iterator(T, ordered) -> iterator(T);
iterator({_, T}, reversed) -> {reversed, up(T, [])}.
iterator_from(K, {_, T}) -> from(K, T, []).
iterator_from(K, T, ordered) -> iterator_from(K, T);
iterator_from(K, {_, T}, reversed) -> {reversed, back(K, T, [])}.
down({_, _, nil, _} = T, A) -> [T | A];
down({_, _, L, _} = T, A) -> down(L, [T | A]);
down(nil, A) -> A.
up({_, _, _, nil} = T, A) -> [T | A];
up({_, _, _, M} = T, A) -> up(M, [T | A]);
up(nil, A) -> A.
from(K, {K1, _, _, M}, A) when K1 < K -> from(K, M, A);
from(_, {_, _, nil, _} = T, A) -> [T | A];
from(K, {_, _, L, _} = T, A) -> from(K, L, [T | A]);
from(_, nil, A) -> A.
back(K, {K1, _, L, _}, A) when K1 > K -> back(K, L, A);
back(_, {_, _, _, nil} = T, A) -> [T | A];
back(K, {_, _, _, M} = T, A) -> back(K, M, [T | A]);
back(_, nil, A) -> A.
next([{K, V, _, M} | A]) -> {K, V, down(M, A)};
next([]) -> none;
next({reversed, [{K, V, L, _} | A]}) -> {K, V, {reversed, up(L, A)}};
next({reversed, []}) -> none.
