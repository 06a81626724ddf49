%% array: functional arrays: `{array, Size, Max, Default, Tree}`. A tree has ten entries at each level; a number in the
%% place of one says how many indices lie below it, all with the default.
-module(array).
-export([new/0, new/1, new/2, is_array/1, size/1, default/1, set/3, get/2, reset/2, fix/1, relax/1, is_fix/1, resize/1,
         resize/2, to_list/1, sparse_to_list/1, from_list/1, from_list/2, to_orddict/1, sparse_to_orddict/1,
         from_orddict/1, from_orddict/2, map/2, sparse_map/2, foldl/3, sparse_foldl/3, foldr/3, sparse_foldr/3,
         sparse_size/1]).

new() -> new([]).
new(N) when is_integer(N), N >= 0 -> make(N, undefined, true);
new(Opts) -> options(if is_list(Opts) -> Opts; true -> [Opts] end, 0, undefined, false).
new(N, Opts) when is_integer(N), N >= 0 -> options(if is_list(Opts) -> Opts; true -> [Opts] end, N, undefined, true);
new(_, _) -> error(badarg).
options([fixed | T], N, D, _) -> options(T, N, D, true);
options([{fixed, F} | T], N, D, _) when is_boolean(F) -> options(T, N, D, F);
options([{default, D} | T], N, _, F) -> options(T, N, D, F);
options([{size, N} | T], _, D, _) when is_integer(N), N >= 0 -> options(T, N, D, true);
options([N | T], _, D, _) when is_integer(N), N >= 0 -> options(T, N, D, true);
options([], N, D, F) -> make(N, D, F);
options(_, _, _, _) -> error(badarg).
%% A fixed array has the limit 0.
make(0, D, false) -> {array, 0, 10, D, 10};
make(N, D, Fixed) ->
    Below = below(N - 1, 10),
    {array, N, if Fixed -> 0; true -> Below end, D, Below}.
below(I, M) when I >= M -> below(I, M * 10);
below(_, M) -> M.

is_array({array, N, M, _, _}) when is_integer(N), is_integer(M) -> true;
is_array(_) -> false.
size({array, N, _, _, _}) -> N;
size(_) -> error(badarg).
default({array, _, _, D, _}) -> D;
default(_) -> error(badarg).
is_fix({array, _, 0, _, _}) -> true;
is_fix({array, _, _, _, _}) -> false.
fix({array, N, _, D, E}) -> {array, N, 0, D, E}.
relax({array, N, _, D, E}) -> {array, N, below(N - 1, 10), D, E}.
resize(A) -> resize(sparse_size(A), A).
resize(N, {array, S, M, D, E}) when is_integer(N), N >= 0 ->
    if
        N > S ->
            {E1, M1} = raised(N - 1, E, held(S, M)),
            {array, N, if M > 0 -> M1; true -> M end, D, E1};
        true ->
            %% What lies beyond stays until it is written over.
            {array, N, M, D, E}
    end;
resize(_, _) -> error(badarg).
held(N, 0) -> below(N - 1, 10);
held(_, M) -> M.

%% More levels until the index has a place.
raised(I, E, M) when I >= M -> raise(I, E, M);
raised(_, E, M) -> {E, M}.
raise(I, E, M) when is_integer(E), I >= M -> raise(I, M * 10, M * 10);
raise(I, E, M) when I >= M ->
    New = setelement(11, setelement(1, erlang:make_tuple(11, M), E), M),
    raise(I, New, M * 10);
raise(_, E, M) -> {E, M}.

get(I, {array, N, M, D, E}) when is_integer(I), I >= 0 ->
    if
        I < N -> at(I, E, D);
        M > 0 -> D;
        true -> error(badarg)
    end;
get(_, _) -> error(badarg).
at(_, E, D) when is_integer(E) -> D;
at(I, E, D) when tuple_size(E) =:= 11 ->
    Below = element(11, E),
    at(I rem Below, element(I div Below + 1, E), D);
at(I, E, _) -> element(I + 1, E).

set(I, V, {array, N, M, D, E}) when is_integer(I), I >= 0 ->
    if
        I < N -> {array, N, M, D, put_at(I, E, V, D)};
        M > 0, I < M -> {array, I + 1, M, D, put_at(I, E, V, D)};
        M > 0 ->
            {E1, M1} = raised(I, E, M),
            {array, I + 1, M1, D, put_at(I, E1, V, D)};
        true -> error(badarg)
    end;
set(_, _, _) -> error(badarg).
put_at(I, E, V, D) when is_integer(E), E =< 10 -> setelement(I + 1, erlang:make_tuple(10, D), V);
put_at(I, E, V, D) when is_integer(E) ->
    Below = E div 10,
    put_at(I, setelement(11, erlang:make_tuple(11, Below), Below), V, D);
put_at(I, E, V, D) when tuple_size(E) =:= 11 ->
    Below = element(11, E),
    P = I div Below + 1,
    setelement(P, E, put_at(I rem Below, element(P, E), V, D));
put_at(I, E, V, _) -> setelement(I + 1, E, V).
reset(I, {array, N, M, D, E} = A) when is_integer(I), I >= 0 ->
    if
        I < N ->
            case at(I, E, D) of
                D -> A;
                _ -> {array, N, M, D, put_at(I, E, D, D)}
            end;
        M > 0 -> A;
        true -> error(badarg)
    end;
reset(_, _) -> error(badarg).

to_list({array, _, _, _, _} = A) -> foldr(fun(_, V, L) -> [V | L] end, [], A);
to_list(_) -> error(badarg).
sparse_to_list(A) -> sparse_foldr(fun(_, V, L) -> [V | L] end, [], A).
to_orddict(A) -> foldr(fun(I, V, L) -> [{I, V} | L] end, [], A).
sparse_to_orddict(A) -> sparse_foldr(fun(I, V, L) -> [{I, V} | L] end, [], A).
from_list(L) -> from_list(L, undefined).
from_list([], D) -> new({default, D});
from_list(L, D) when is_list(L) ->
    try length(L) of
        N ->
            {E, Below} = levels(leaves(L, D), 10, D),
            {array, N, Below, D, E}
    catch
        error:_ -> error(badarg)
    end;
from_list(_, _) -> error(badarg).
leaves([], _) -> [];
leaves(L, D) ->
    {Ten, Rest} = tens(L, 10, []),
    [list_to_tuple(Ten ++ lists:duplicate(10 - length(Ten), D)) | leaves(Rest, D)].
tens(L, 0, A) -> {lists:reverse(A), L};
tens([], _, A) -> {lists:reverse(A), []};
tens([H | T], N, A) -> tens(T, N - 1, [H | A]).
levels([E], Below, _) -> {E, Below};
levels(Es, Below, D) -> levels(branches(Es, Below), Below * 10, D).
branches([], _) -> [];
branches(Es, Below) ->
    {Ten, Rest} = tens(Es, 10, []),
    [list_to_tuple(Ten ++ lists:duplicate(10 - length(Ten), Below) ++ [Below]) | branches(Rest, Below)].
from_orddict(L) -> from_orddict(L, undefined).
from_orddict([], D) -> new({default, D});
from_orddict(L, D) when is_list(L) -> from_pairs(L, -1, new({default, D}));
from_orddict(_, _) -> error(badarg).
from_pairs([], _, A) -> A;
from_pairs([{I, V} | T], Last, A) when is_integer(I), I > Last -> from_pairs(T, I, set(I, V, A));
from_pairs(_, _, _) -> error(badarg).

map(F, {array, N, M, D, _} = A) when is_function(F, 2) ->
    L = foldr(fun(I, V, L) -> [F(I, V) | L] end, [], A),
    like(L, N, M, D).
like([], _, M, D) -> {array, 0, M, D, 10};
like(L, N, M, D) ->
    {array, N, _, D, E} = from_list(L, D),
    {array, N, M, D, E}.
sparse_map(F, {array, _, _, D, _} = A) when is_function(F, 2) ->
    sparse_foldl(fun(I, V, Acc) -> set(I, F(I, V), Acc) end, cleared(A, D), A).
cleared({array, N, M, D, _}, D) -> {array, N, M, D, below(max(N - 1, 0), 10)}.

foldl(F, Acc, {array, N, _, D, E}) when is_function(F, 3) -> left(F, Acc, 0, N, E, D);
foldl(_, _, _) -> error(badarg).
left(_, Acc, N, N, _, _) -> Acc;
left(F, Acc, I, N, E, D) -> left(F, F(I, at(I, E, D), Acc), I + 1, N, E, D).
foldr(F, Acc, {array, N, _, D, E}) when is_function(F, 3) -> right(F, Acc, N - 1, E, D);
foldr(_, _, _) -> error(badarg).
right(_, Acc, -1, _, _) -> Acc;
right(F, Acc, I, E, D) -> right(F, F(I, at(I, E, D), Acc), I - 1, E, D).
sparse_foldl(F, Acc, {array, _, _, D, _} = A) when is_function(F, 3) ->
    foldl(fun(_, V, S) when V =:= D -> S; (I, V, S) -> F(I, V, S) end, Acc, A);
sparse_foldl(_, _, _) -> error(badarg).
sparse_foldr(F, Acc, {array, _, _, D, _} = A) when is_function(F, 3) ->
    foldr(fun(_, V, S) when V =:= D -> S; (I, V, S) -> F(I, V, S) end, Acc, A);
sparse_foldr(_, _, _) -> error(badarg).
sparse_size(A) ->
    try sparse_foldr(fun(I, _, _) -> throw({size, I + 1}) end, 0, A)
    catch throw:{size, N} -> N
    end.
