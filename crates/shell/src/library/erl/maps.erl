%% maps: what takes funs.
-module(maps).
-export([map/2, filter/2, filtermap/2, fold/3, foreach/2, update_with/3, update_with/4, merge_with/3, intersect/2,
         intersect_with/3, groups_from_list/2, groups_from_list/3, iterator/2]).

list(M, _) when is_map(M) -> maps:to_list(M);
list([0 | M], _) when is_map(M) -> maps:to_list(M);
list(none, _) -> [];
list({K, V, I}, X) -> [{K, V} | list(I, X)];
list(M, _) -> error({badmap, M}).

map(F, M) when is_function(F, 2) -> maps:from_list([{K, F(K, V)} || {K, V} <- list(M, map)]);
map(_, M) when is_map(M) -> error(badarg);
map(_, M) -> error({badmap, M}).

filter(F, M) when is_function(F, 2) ->
    maps:from_list([P || {K, V} = P <- list(M, filter), case F(K, V) of true -> true; false -> false end]);
filter(_, M) when is_map(M) -> error(badarg);
filter(_, M) -> error({badmap, M}).

filtermap(F, M) when is_function(F, 2) ->
    maps:from_list(lists:filtermap(
        fun({K, V}) ->
            case F(K, V) of
                true -> true;
                {true, New} -> {true, {K, New}};
                false -> false
            end
        end, list(M, filtermap)));
filtermap(_, M) when is_map(M) -> error(badarg);
filtermap(_, M) -> error({badmap, M}).

fold(F, A, M) when is_function(F, 3) -> fold_1(F, A, list(M, fold));
fold(_, _, M) when is_map(M) -> error(badarg);
fold(_, _, M) -> error({badmap, M}).
fold_1(F, A, [{K, V} | T]) -> fold_1(F, F(K, V, A), T);
fold_1(_, A, []) -> A.

foreach(F, M) when is_function(F, 2) -> lists:foreach(fun({K, V}) -> F(K, V) end, list(M, foreach));
foreach(_, M) when is_map(M) -> error(badarg);
foreach(_, M) -> error({badmap, M}).

update_with(K, F, M) when is_function(F, 1), is_map(M) ->
    case M of
        #{K := V} -> M#{K := F(V)};
        #{} -> error({badkey, K})
    end;
update_with(_, _, M) when is_map(M) -> error(badarg);
update_with(_, _, M) -> error({badmap, M}).

update_with(K, F, Init, M) when is_function(F, 1), is_map(M) ->
    case M of
        #{K := V} -> M#{K := F(V)};
        #{} -> M#{K => Init}
    end;
update_with(_, _, _, M) when is_map(M) -> error(badarg);
update_with(_, _, _, M) -> error({badmap, M}).

merge_with(F, A, B) when is_function(F, 3), is_map(A), is_map(B) ->
    fold_1(fun(K, V, M) ->
               case M of
                   #{K := Old} -> M#{K := F(K, Old, V)};
                   #{} -> M#{K => V}
               end
           end, A, maps:to_list(B));
merge_with(F, A, B) -> wrong(F, 3, A, B).

intersect(A, B) when is_map(A), is_map(B) -> maps:from_list([P || {K, _} = P <- maps:to_list(B), is_map_key(K, A)]);
intersect(A, _) when not is_map(A) -> error({badmap, A});
intersect(_, B) -> error({badmap, B}).

intersect_with(F, A, B) when is_function(F, 3), is_map(A), is_map(B) ->
    maps:from_list([{K, F(K, map_get(K, A), V)} || {K, V} <- maps:to_list(B), is_map_key(K, A)]);
intersect_with(F, A, B) -> wrong(F, 3, A, B).

wrong(F, N, A, B) when is_function(F, N), is_map(A) -> error({badmap, B});
wrong(F, N, A, _) when is_function(F, N) -> error({badmap, A});
wrong(_, _, _, _) -> error(badarg).

groups_from_list(F, L) -> groups_from_list(F, fun(X) -> X end, L).
groups_from_list(F, G, L) when is_function(F, 1), is_function(G, 1), is_list(L) ->
    lists:foldr(fun(X, M) ->
                    K = F(X),
                    M#{K => [G(X) | maps:get(K, M, [])]}
                end, #{}, L);
groups_from_list(_, _, _) -> error(badarg).

iterator(M, F) when is_map(M), is_function(F, 2) ->
    chain(lists:sort(fun({A, _}, {B, _}) -> F(A, B) end, maps:to_list(M)));
iterator(M, ordered) when is_map(M) -> chain(maps:to_list(M));
iterator(M, reversed) when is_map(M) -> chain(lists:reverse(maps:to_list(M)));
iterator(M, undefined) -> maps:iterator(M);
iterator(M, _) when is_map(M) -> error(badarg);
iterator(M, _) -> error({badmap, M}).
chain(Pairs) -> lists:foldr(fun({K, V}, I) -> {K, V, I} end, none, Pairs).
