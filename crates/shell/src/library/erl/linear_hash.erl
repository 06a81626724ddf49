%% linear_hash: what dict and sets of OTP keep their buckets in: linear hashing after Larson, in segments of 16 slots.
%% `{Tag, Size, Slots, MostSlots, Buddy, GrowAt, ShrinkAt, EmptySegment, Segments}`.
-module(linear_hash).
-export([new/1, size/1, slot/2, bucket/2, put/3, grown/3, shrunk/2, fold/3, map/2, filter/2]).

new(Tag) ->
    Empty = erlang:make_tuple(16, []),
    {Tag, 0, 16, 16, 8, 80, 48, Empty, {Empty}}.
size(T) -> element(2, T).

slot(K, {_, _, N, Max, Buddy, _, _, _, _}) ->
    case erlang:phash(K, Max) of
        H when H > N -> H - Buddy;
        H -> H
    end.
bucket(S, T) -> element((S - 1) rem 16 + 1, element((S - 1) div 16 + 1, element(9, T))).
put(S, B, T) ->
    Segs = element(9, T),
    At = (S - 1) div 16 + 1,
    setelement(9, T, setelement(At, Segs, setelement((S - 1) rem 16 + 1, element(At, Segs), B))).

%% So many more are in: a slot more when that is too many. `Key` gives the key of what a bucket holds.
grown(0, _, T) -> T;
grown(More, Key, {Tag, Size, N, N, Buddy, Grow, Shrink, Empty, Segs}) when Size + More > Grow ->
    All = list_to_tuple(tuple_to_list(Segs) ++ lists:duplicate(tuple_size(Segs), Empty)),
    split(More, Key, {Tag, Size, N, 2 * N, 2 * Buddy, Grow, Shrink, Empty, All});
grown(More, Key, {_, Size, _, _, _, Grow, _, _, _} = T) when Size + More > Grow -> split(More, Key, T);
grown(More, _, T) -> setelement(2, T, element(2, T) + More).
split(More, Key, {_, Size, N0, Max, Buddy, _, _, _, _} = T) ->
    N = N0 + 1,
    Low = N - Buddy,
    {Stay, Go} = lists:partition(fun(E) -> erlang:phash(Key(E), Max) =:= Low end, bucket(Low, T)),
    sized(Size + More, N, put(N, Go, put(Low, Stay, T))).
sized(Size, N, T) -> setelement(7, setelement(6, setelement(3, setelement(2, T, Size), N), N * 5), N * 3).

%% So many less are in.
shrunk(Less, {_, Size, N, _, Buddy, _, Shrink, _, _} = T) when Size - Less < Shrink, N > 16 ->
    Low = N - Buddy,
    case sized(Size - Less, N - 1, put(N, [], put(Low, bucket(Low, T) ++ bucket(N, T), T))) of
        {Tag, S, Buddy, Max, Buddy, G, Sh, Empty, Segs} ->
            Half = list_to_tuple(lists:sublist(tuple_to_list(Segs), tuple_size(Segs) div 2)),
            {Tag, S, Buddy, Max div 2, Buddy div 2, G, Sh, Empty, Half};
        Smaller -> Smaller
    end;
shrunk(Less, T) -> setelement(2, T, element(2, T) - Less).

%% From the last slot to the first.
fold(F, A, T) ->
    Buckets = lists:append([tuple_to_list(S) || S <- tuple_to_list(element(9, T))]),
    lists:foldr(fun(B, Acc) -> lists:foldl(F, Acc, B) end, A, Buckets).
map(F, T) -> setelement(9, T, segments(fun(B) -> lists:map(F, B) end, T)).
%% `F` makes each bucket smaller.
filter(F, T) ->
    Segs = segments(F, T),
    Left = lists:sum([length(B) || S <- tuple_to_list(Segs), B <- tuple_to_list(S)]),
    shrunk(element(2, T) - Left, setelement(9, T, Segs)).
segments(F, T) ->
    list_to_tuple([list_to_tuple([F(B) || B <- tuple_to_list(S)]) || S <- tuple_to_list(element(9, T))]).
