%% lists: what takes funs, and what is short.
-module(lists).
-export([map/2, foreach/2, filter/2, filtermap/2, zf/2, flatmap/2, foldl/3, foldr/3, mapfoldl/3, mapfoldr/3,
         all/2, any/2, partition/2, takewhile/2, dropwhile/2, splitwith/2, search/2, sort/2, usort/2, uniq/1, uniq/2,
         append/1, concat/1, delete/2, droplast/1, enumerate/1, enumerate/2, enumerate/3, flatlength/1, join/2,
         keydelete/3, keymap/3, keymerge/3, keyreplace/4, keystore/4, keytake/3, merge/1, merge/2, merge/3,
         umerge/1, umerge/2, umerge/3, ukeymerge/3, nthtail/2, prefix/2, suffix/2, split/2, sublist/2, sublist/3,
         unzip/1, unzip3/1, zip/2, zip/3, zip3/3, zipwith/3, zipwith/4, zipwith3/4, zip3/4, zipwith3/5,
         merge3/3, umerge3/3, rmerge/2, rmerge/3, rmerge3/3, rumerge/2, rumerge/3, rumerge3/3, rkeymerge/3,
         rukeymerge/3]).

map(F, L) when is_function(F, 1) ->
    case L of
        [H | T] -> [F(H) | map_1(F, T)];
        [] -> []
    end.
map_1(F, [H | T]) -> [F(H) | map_1(F, T)];
map_1(_, []) -> [].

foreach(F, L) when is_function(F, 1) -> foreach_1(F, L).
foreach_1(F, [H | T]) -> F(H), foreach_1(F, T);
foreach_1(_, []) -> ok.

filter(F, L) when is_function(F, 1) -> [X || X <- L, F(X)].

filtermap(F, [H | T]) ->
    case F(H) of
        true -> [H | filtermap(F, T)];
        {true, V} -> [V | filtermap(F, T)];
        false -> filtermap(F, T)
    end;
filtermap(F, []) when is_function(F, 1) -> [].
zf(F, L) -> filtermap(F, L).

flatmap(F, [H | T]) -> F(H) ++ flatmap(F, T);
flatmap(F, []) when is_function(F, 1) -> [].

foldl(F, A, L) when is_function(F, 2) ->
    case L of
        [H | T] -> foldl_1(F, F(H, A), T);
        [] -> A
    end.
foldl_1(F, A, [H | T]) -> foldl_1(F, F(H, A), T);
foldl_1(_, A, []) -> A.

foldr(F, A, L) when is_function(F, 2) -> foldr_1(F, A, L).
foldr_1(F, A, [H | T]) -> F(H, foldr_1(F, A, T));
foldr_1(_, A, []) -> A.

mapfoldl(F, A0, [H | T]) ->
    {R, A1} = F(H, A0),
    {Rs, A2} = mapfoldl(F, A1, T),
    {[R | Rs], A2};
mapfoldl(F, A, []) when is_function(F, 2) -> {[], A}.

mapfoldr(F, A0, [H | T]) ->
    {Rs, A1} = mapfoldr(F, A0, T),
    {R, A2} = F(H, A1),
    {[R | Rs], A2};
mapfoldr(F, A, []) when is_function(F, 2) -> {[], A}.

all(F, L) when is_function(F, 1) ->
    case L of
        [H | T] ->
            case F(H) of
                true -> all_1(F, T);
                false -> false
            end;
        [] -> true
    end.
all_1(F, [H | T]) ->
    case F(H) of
        true -> all_1(F, T);
        false -> false
    end;
all_1(_, []) -> true.

any(F, L) when is_function(F, 1) ->
    case L of
        [H | T] ->
            case F(H) of
                true -> true;
                false -> any_1(F, T)
            end;
        [] -> false
    end.
any_1(F, [H | T]) ->
    case F(H) of
        true -> true;
        false -> any_1(F, T)
    end;
any_1(_, []) -> false.

partition(F, L) -> partition(F, L, [], []).
partition(F, [H | T], As, Bs) ->
    case F(H) of
        true -> partition(F, T, [H | As], Bs);
        false -> partition(F, T, As, [H | Bs])
    end;
partition(F, [], As, Bs) when is_function(F, 1) -> {reverse(As), reverse(Bs)}.

takewhile(F, [H | T]) ->
    case F(H) of
        true -> [H | takewhile(F, T)];
        false -> []
    end;
takewhile(F, []) when is_function(F, 1) -> [].

dropwhile(F, [H | T] = L) ->
    case F(H) of
        true -> dropwhile(F, T);
        false -> L
    end;
dropwhile(F, []) when is_function(F, 1) -> [].

splitwith(F, L) when is_function(F, 1) -> splitwith(F, L, []).
splitwith(F, [H | T], Taken) ->
    case F(H) of
        true -> splitwith(F, T, [H | Taken]);
        false -> {reverse(Taken), [H | T]}
    end;
splitwith(_, [], Taken) -> {reverse(Taken), []}.

search(F, [H | T]) ->
    case F(H) of
        true -> {value, H};
        false -> search(F, T)
    end;
search(F, []) when is_function(F, 1) -> false.

sort(F, []) when is_function(F, 2) -> [];
sort(F, [_] = L) when is_function(F, 2) -> L;
sort(F, L) when is_function(F, 2), is_list(L) ->
    {A, B} = split(length(L) div 2, L),
    merge(F, sort(F, A), sort(F, B)).

usort(F, L) -> unique(F, sort(F, L)).
unique(F, [A, B | T]) ->
    case F(A, B) andalso F(B, A) of
        true -> unique(F, [A | T]);
        false -> [A | unique(F, [B | T])]
    end;
unique(_, L) -> L.

uniq(L) -> uniq(fun(X) -> X end, L).
uniq(F, L) when is_function(F, 1) -> uniq(F, L, #{}).
uniq(F, [H | T], Seen) ->
    K = F(H),
    case is_map_key(K, Seen) of
        true -> uniq(F, T, Seen);
        false -> [H | uniq(F, T, Seen#{K => true})]
    end;
uniq(_, [], _) -> [].

append([L]) -> L;
append([H | T]) -> H ++ append(T);
append([]) -> [].

concat(L) -> flatmap(fun thing_to_list/1, L).
thing_to_list(X) when is_integer(X) -> integer_to_list(X);
thing_to_list(X) when is_float(X) -> float_to_list(X);
thing_to_list(X) when is_atom(X) -> atom_to_list(X);
thing_to_list(X) when is_list(X) -> X.

delete(X, [X | T]) -> T;
delete(X, [H | T]) -> [H | delete(X, T)];
delete(_, []) -> [].

droplast([_]) -> [];
droplast([H | T]) -> [H | droplast(T)].

enumerate(L) -> enumerate(1, 1, L).
enumerate(I, L) -> enumerate(I, 1, L).
enumerate(I, S, [H | T]) when is_integer(I), is_integer(S) -> [{I, H} | enumerate(I + S, S, T)];
enumerate(I, S, []) when is_integer(I), is_integer(S) -> [].

flatlength(L) -> length(flatten(L)).

join(_, []) -> [];
join(Sep, [H | T]) -> [H | join_1(Sep, T)].
join_1(Sep, [H | T]) -> [Sep, H | join_1(Sep, T)];
join_1(_, []) -> [].

keydelete(K, N, [H | T]) when element(N, H) == K -> T;
keydelete(K, N, [H | T]) -> [H | keydelete(K, N, T)];
keydelete(_, N, []) when is_integer(N), N > 0 -> [].

keymap(F, N, [H | T]) -> [setelement(N, H, F(element(N, H))) | keymap(F, N, T)];
keymap(F, N, []) when is_integer(N), N >= 1, is_function(F, 1) -> [].

keyreplace(K, N, L, New) when is_integer(N), N > 0, is_tuple(New) -> keyreplace_1(K, N, L, New).
keyreplace_1(K, N, [H | T], New) when element(N, H) == K -> [New | T];
keyreplace_1(K, N, [H | T], New) -> [H | keyreplace_1(K, N, T, New)];
keyreplace_1(_, _, [], _) -> [].

keystore(K, N, L, New) when is_integer(N), N > 0, is_tuple(New) -> keystore_1(K, N, L, New).
keystore_1(K, N, [H | T], New) when element(N, H) == K -> [New | T];
keystore_1(K, N, [H | T], New) -> [H | keystore_1(K, N, T, New)];
keystore_1(_, _, [], New) -> [New].

keytake(K, N, L) when is_integer(N), N > 0 -> keytake(K, N, L, []).
keytake(K, N, [H | T], Seen) when element(N, H) == K -> {value, H, reverse(Seen, T)};
keytake(K, N, [H | T], Seen) -> keytake(K, N, T, [H | Seen]);
keytake(_, _, [], _) -> false.

%% Merges: of equal elements those of the first list come first; nothing is checked for order.
merge(Ls) -> many(fun merge/2, Ls).
many(_, []) -> [];
many(_, [L]) -> L;
many(F, [A, B | Ls]) -> many(F, [F(A, B) | Ls]).

merge(A, []) -> A;
merge(A, [Y | Ys]) -> reverse(merge(A, Y, Ys, []), []).
merge([X | Xs], Y, Ys, R) when X =< Y -> merge(Xs, Y, Ys, [X | R]);
merge([X | Xs], Y, [Y2 | Ys], R) -> merge([X | Xs], Y2, Ys, [Y | R]);
merge([X | Xs], Y, [], R) -> reverse(Xs, [X, Y | R]);
merge([], Y, Ys, R) -> reverse(Ys, [Y | R]).
merge3(A, [], C) -> merge(A, C);
merge3(A, B, C) -> merge(merge(A, B), C).

merge(F, A, B) when is_function(F, 2) ->
    case {A, B} of
        {_, []} -> A;
        {_, [Y | Ys]} -> reverse(merge(F, A, Y, Ys, []), [])
    end.
merge(F, [X | Xs] = A, Y, Ys, R) ->
    case F(X, Y) of
        true -> merge(F, Xs, Y, Ys, [X | R]);
        false ->
            case Ys of
                [Y2 | Ys2] -> merge(F, A, Y2, Ys2, [Y | R]);
                [] -> reverse(A, [Y | R])
            end
    end;
merge(_, [], Y, Ys, R) -> reverse(Ys, [Y | R]).

%% Backwards: lists that go down.
rmerge(A, []) -> A;
rmerge(A, B) -> reverse(merge(reverse(A), reverse(B))).
rmerge3(A, [], C) -> rmerge(A, C);
rmerge3(A, B, C) -> rmerge(rmerge(A, B), C).
rmerge(F, A, []) when is_function(F, 2) -> A;
rmerge(F, A, B) when is_function(F, 2) -> reverse(merge(F, reverse(A), reverse(B))).
rkeymerge(N, A, []) when is_integer(N), N > 0 -> A;
rkeymerge(N, A, B) when is_integer(N), N > 0 -> reverse(keymerge(N, reverse(A), reverse(B))).
rumerge(A, []) -> A;
rumerge(A, B) -> reverse(umerge(reverse(A), reverse(B))).
rumerge3(A, [], C) -> rumerge(A, C);
rumerge3(A, B, C) -> rumerge(rumerge(A, B), C).
rumerge(F, A, []) when is_function(F, 2) -> A;
rumerge(F, A, B) when is_function(F, 2) -> reverse(umerge(F, reverse(A), reverse(B))).
rukeymerge(N, A, []) when is_integer(N), N > 0 -> A;
rukeymerge(N, A, B) when is_integer(N), N > 0 -> reverse(ukeymerge(N, reverse(A), reverse(B))).

umerge(Ls) -> many(fun umerge/2, Ls).
umerge(A, []) -> A;
umerge([], B) -> B;
umerge(A, B) -> reverse(umerge(A, B, fun(X, Y) -> X =< Y end, fun(X, Y) -> X == Y end, []), []).
umerge3(A, [], C) -> umerge(A, C);
umerge3(A, B, C) -> umerge(umerge(A, B), C).
umerge(F, A, []) when is_function(F, 2) -> A;
umerge(F, [], B) when is_function(F, 2) -> B;
umerge(F, A, B) when is_function(F, 2) -> reverse(umerge(A, B, F, fun(X, Y) -> F(X, Y) andalso F(Y, X) end, []), []).
%% Of the second list goes what equals the element that was taken of the first.
umerge([X | Xs], [Y | Ys] = B, Le, Eq, R) ->
    case Le(X, Y) of
        true ->
            case Eq(X, Y) of
                true -> umerge(Xs, Ys, Le, Eq, [X | R]);
                false -> umerge(Xs, B, Le, Eq, [X | R])
            end;
        false -> umerge([X | Xs], Ys, Le, Eq, [Y | R])
    end;
umerge([], B, _, _, R) -> reverse(B, R);
umerge(A, [], _, _, R) -> reverse(A, R).

keymerge(N, A, B) when is_integer(N), N > 0 ->
    case B of
        [] -> A;
        [_ | _] -> merge(fun(X, Y) -> element(N, X) =< element(N, Y) end, A, B)
    end.
ukeymerge(N, A, B) when is_integer(N), N > 0 ->
    case A of
        [] -> B;
        [_ | _] when B =:= [] -> A;
        [_ | _] ->
            Key = fun(X) -> element(N, X) end,
            reverse(umerge(A, B, fun(X, Y) -> Key(X) =< Key(Y) end, fun(X, Y) -> Key(X) == Key(Y) end, []), [])
    end.

nthtail(0, []) -> [];
nthtail(0, [_ | _] = L) -> L;
nthtail(1, [_ | T]) -> T;
nthtail(N, [_ | T]) when N > 1 -> nthtail(N - 1, T).

prefix([X | P], [X | T]) -> prefix(P, T);
prefix([], L) when is_list(L) -> true;
prefix([_ | _], L) when is_list(L) -> false.

suffix(S, L) ->
    N = length(L) - length(S),
    N >= 0 andalso nthtail(N, L) =:= S.

split(N, L) when is_integer(N), N >= 0, is_list(L) ->
    case split(N, L, []) of
        {_, _} = R -> R;
        fault -> error(badarg, [N, L])
    end;
split(N, L) -> error(badarg, [N, L]).
split(0, L, R) -> {reverse(R), L};
split(N, [H | T], R) -> split(N - 1, T, [H | R]);
split(_, [], _) -> fault.

sublist(L, N) when is_integer(N), is_list(L) -> sublist_1(L, N).
sublist_1([H | T], N) when N > 0 -> [H | sublist_1(T, N - 1)];
sublist_1(_, 0) -> [];
sublist_1(L, N) when is_list(L), N > 0 -> [].

sublist(L, 1, N) when is_list(L), is_integer(N), N >= 0 -> sublist(L, N);
sublist([], S, _) when is_integer(S), S >= 2 -> [];
sublist([_ | T], S, N) when is_integer(S), S >= 2 -> sublist(T, S - 1, N).

unzip(L) -> unzip(L, [], []).
unzip([{X, Y} | T], Xs, Ys) -> unzip(T, [X | Xs], [Y | Ys]);
unzip([], Xs, Ys) -> {reverse(Xs), reverse(Ys)}.

unzip3(L) -> unzip3(L, [], [], []).
unzip3([{X, Y, Z} | T], Xs, Ys, Zs) -> unzip3(T, [X | Xs], [Y | Ys], [Z | Zs]);
unzip3([], Xs, Ys, Zs) -> {reverse(Xs), reverse(Ys), reverse(Zs)}.

zip([X | Xs], [Y | Ys]) -> [{X, Y} | zip(Xs, Ys)];
zip([], []) -> [].

zip(Xs, Ys, fail) -> zip(Xs, Ys);
zip([X | Xs], [Y | Ys], How) -> [{X, Y} | zip(Xs, Ys, How)];
zip([], [], _) -> [];
zip(_, [], trim) -> [];
zip([], _, trim) -> [];
zip([], [_ | _] = Ys, {pad, {X, _}}) -> [{X, Y} || Y <- Ys];
zip([_ | _] = Xs, [], {pad, {_, Y}}) -> [{X, Y} || X <- Xs].

zip3([X | Xs], [Y | Ys], [Z | Zs]) -> [{X, Y, Z} | zip3(Xs, Ys, Zs)];
zip3([], [], []) -> [].

zipwith(F, [X | Xs], [Y | Ys]) -> [F(X, Y) | zipwith(F, Xs, Ys)];
zipwith(F, [], []) when is_function(F, 2) -> [].
zipwith(F, Xs, Ys, How) -> [F(X, Y) || {X, Y} <- zip(Xs, Ys, How)].

zipwith3(F, [X | Xs], [Y | Ys], [Z | Zs]) -> [F(X, Y, Z) | zipwith3(F, Xs, Ys, Zs)];
zipwith3(F, [], [], []) when is_function(F, 3) -> [].

zip3(Xs, Ys, Zs, fail) -> zip3(Xs, Ys, Zs);
zip3(Xs, Ys, Zs, How) -> zipwith3(fun(X, Y, Z) -> {X, Y, Z} end, Xs, Ys, Zs, How).
zipwith3(F, Xs, Ys, Zs, fail) -> zipwith3(F, Xs, Ys, Zs);
zipwith3(F, [X | Xs], [Y | Ys], [Z | Zs], How) -> [F(X, Y, Z) | zipwith3(F, Xs, Ys, Zs, How)];
zipwith3(F, [], [], [], _) when is_function(F, 3) -> [];
zipwith3(F, Xs, Ys, Zs, trim) when is_function(F, 3), is_list(Xs), is_list(Ys), is_list(Zs) -> [];
zipwith3(F, Xs, Ys, Zs, {pad, {X, Y, Z}} = How) ->
    {A, As} = padded(Xs, X),
    {B, Bs} = padded(Ys, Y),
    {C, Cs} = padded(Zs, Z),
    [F(A, B, C) | zipwith3(F, As, Bs, Cs, How)].
padded([H | T], _) -> {H, T};
padded([], Pad) -> {Pad, []}.

reverse(L) -> lists:reverse(L).
reverse(L, T) -> lists:reverse(L, T).
flatten(L) -> lists:flatten(L).
sort(L) -> lists:sort(L).
usort(L) -> lists:usort(L).
ukeysort(N, L) -> lists:ukeysort(N, L).
