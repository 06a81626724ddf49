%% proplists
-module(proplists).
-export([append_values/2, compact/1, delete/2, get_all_values/2, get_bool/2, get_keys/1, get_value/2, get_value/3,
         is_defined/2, lookup/2, lookup_all/2, property/1, property/2, split/2, unfold/1, from_map/1, to_map/1, to_map/2,
         expand/2, normalize/2, substitute_aliases/2, substitute_negations/2]).

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

to_map(L, Stages) -> to_map(normalize(L, Stages)).

substitute_aliases(As, L) ->
    [case named(P, As) of {value, New} -> renamed(P, New); false -> P end || P <- L].
named(P, As) ->
    K = key(P),
    case lists:keyfind(K, 1, As) of
        {_, New} when K =/= [] -> {value, New};
        _ -> false
    end.
renamed(K, New) when is_atom(K) -> property(New, true);
renamed({_, V}, New) -> property(New, V);
renamed(P, New) -> setelement(1, P, New).

substitute_negations(As, L) ->
    [case named(P, As) of
         {value, New} ->
             case P of
                 {_, true} -> {New, false};
                 {_, _} -> property(New, true);
                 K when is_atom(K) -> {New, false};
                 _ -> P
             end;
         false -> P
     end || P <- L].

%% Where a property first stands, what it expands to stands in its place; the later ones go.
expand(Es, L) when is_list(Es) -> lists:flatten(expand_1(Es, L)).
expand_1([{P, New} | Es], L) ->
    {K, V} = case P of
                 A when is_atom(A) -> {A, true};
                 _ -> {key(P), case property(P) of A when is_atom(A) -> true; {_, W} -> W; _ -> P end}
             end,
    expand_1(Es, put_in(K, V, P, New, L));
expand_1([], L) -> L.
put_in(K, V, P, New, [H | T]) ->
    case key(H) =:= K of
        false -> [H | put_in(K, V, P, New, T)];
        true ->
            case same(H, K, V, P) of
                true -> [New | delete(K, T)];
                false -> [H | T]
            end
    end;
put_in(_, _, _, _, []) -> [].
same(K, K, true, _) -> true;
same({K, V}, K, V, _) -> true;
same(H, _, _, P) -> H =:= P.

normalize(L, [{aliases, As} | Ss]) -> normalize(substitute_aliases(As, L), Ss);
normalize(L, [{expand, Es} | Ss]) -> normalize(expand(Es, L), Ss);
normalize(L, [{negations, Ns} | Ss]) -> normalize(substitute_negations(Ns, L), Ss);
normalize(L, []) -> compact(L).
