%% queue: {Rear, Front}.
-module(queue).
-export([new/0, is_queue/1, is_empty/1, len/1, to_list/1, from_list/1, member/2, in/2, in_r/2, out/1, out_r/1,
         get/1, get_r/1, peek/1, peek_r/1, drop/1, drop_r/1, reverse/1, join/2, split/2, filter/2, fold/3, any/2,
         all/2, delete/2, delete_r/2, delete_with/2, delete_with_r/2, lait/1, filtermap/2, cons/2, head/1, tail/1, snoc/2, last/1, daeh/1, init/1, liat/1]).

new() -> {[], []}.
is_queue({R, F}) when is_list(R), is_list(F) -> true;
is_queue(_) -> false.
is_empty({[], []}) -> true;
is_empty({R, F}) when is_list(R), is_list(F) -> false;
is_empty(Q) -> error(badarg, [Q]).
len({R, F}) when is_list(R), is_list(F) -> length(R) + length(F);
len(Q) -> error(badarg, [Q]).
to_list({R, F}) when is_list(R), is_list(F) -> F ++ lists:reverse(R, []);
to_list(Q) -> error(badarg, [Q]).
from_list(L) when is_list(L) -> f2r(L);
from_list(L) -> error(badarg, [L]).
member(X, {R, F}) when is_list(R), is_list(F) -> lists:member(X, R) orelse lists:member(X, F);
member(X, Q) -> error(badarg, [X, Q]).

in(X, {[_] = R, []}) -> {[X], R};
in(X, {R, F}) when is_list(R), is_list(F) -> {[X | R], F};
in(X, Q) -> error(badarg, [X, Q]).
in_r(X, {[], [_] = F}) -> {F, [X]};
in_r(X, {R, F}) when is_list(R), is_list(F) -> {R, [X | F]};
in_r(X, Q) -> error(badarg, [X, Q]).

out({[], []} = Q) -> {empty, Q};
out({[V], []}) -> {{value, V}, {[], []}};
out({[Y | R], []}) ->
    [V | F] = lists:reverse(R, []),
    {{value, V}, {[Y], F}};
out({R, [V]}) when is_list(R) -> {{value, V}, r2f(R)};
out({R, [V | F]}) when is_list(R) -> {{value, V}, {R, F}};
out(Q) -> error(badarg, [Q]).

out_r({[], []} = Q) -> {empty, Q};
out_r({[], [V]}) -> {{value, V}, {[], []}};
out_r({[], [Y | F]}) ->
    [V | R] = lists:reverse(F, []),
    {{value, V}, {R, [Y]}};
out_r({[V], F}) when is_list(F) -> {{value, V}, f2r(F)};
out_r({[V | R], F}) when is_list(F) -> {{value, V}, {R, F}};
out_r(Q) -> error(badarg, [Q]).

get({[], []} = Q) -> error(empty, [Q]);
get({R, F}) when is_list(R), is_list(F) -> get(R, F);
get(Q) -> error(badarg, [Q]).
get(R, [H | _]) when is_list(R) -> H;
get([H], []) -> H;
get([_ | R], []) -> lists:last(R).

get_r({[], []} = Q) -> error(empty, [Q]);
get_r({[H | _], F}) when is_list(F) -> H;
get_r({[], [H]}) -> H;
get_r({[], [_ | F]}) -> lists:last(F);
get_r(Q) -> error(badarg, [Q]).

peek({[], []}) -> empty;
peek({R, [H | _]}) when is_list(R) -> {value, H};
peek({[H], []}) -> {value, H};
peek({[_ | R], []}) -> {value, lists:last(R)};
peek(Q) -> error(badarg, [Q]).
peek_r({[], []}) -> empty;
peek_r({[H | _], F}) when is_list(F) -> {value, H};
peek_r({[], [H]}) -> {value, H};
peek_r({[], [_ | F]}) -> {value, lists:last(F)};
peek_r(Q) -> error(badarg, [Q]).

drop(Q) ->
    case out(Q) of
        {empty, _} -> error(empty, [Q]);
        {_, Rest} -> Rest
    end.
drop_r(Q) ->
    case out_r(Q) of
        {empty, _} -> error(empty, [Q]);
        {_, Rest} -> Rest
    end.

reverse({R, F}) when is_list(R), is_list(F) -> {F, R};
reverse(Q) -> error(badarg, [Q]).
join({R, F} = Q, {[], []}) when is_list(R), is_list(F) -> Q;
join({[], []}, {R, F} = Q) when is_list(R), is_list(F) -> Q;
join({R1, F1}, {R2, F2}) -> {R2, F1 ++ lists:reverse(R1, F2)};
join(A, B) -> error(badarg, [A, B]).
split(0, {R, F} = Q) when is_list(R), is_list(F) -> {{[], []}, Q};
split(N, {R, F} = Q) when is_integer(N), N >= 1, is_list(R), is_list(F) ->
    Front = length(F),
    Left = Front + length(R) - N,
    if
        N < Front ->
            {[X | A], B} = lists:split(N, F),
            {{lists:reverse(A), [X]}, {R, B}};
        N =:= Front -> {f2r(F), r2f(R)};
        Left > 0 ->
            {[X | A], B} = lists:split(Left, R),
            {{B, F}, {[X], lists:reverse(A)}};
        Left =:= 0 -> {Q, {[], []}};
        true -> error(badarg, [N, Q])
    end;
split(N, Q) -> error(badarg, [N, Q]).
filter(F, Q) ->
    from_list(lists:flatmap(fun(X) ->
                                case F(X) of
                                    true -> [X];
                                    false -> [];
                                    L -> L
                                end
                            end, to_list(Q))).
filtermap(F, Q) -> from_list(lists:filtermap(F, to_list(Q))).
fold(F, A, Q) -> lists:foldl(F, A, to_list(Q)).
any(F, Q) -> lists:any(F, to_list(Q)).
all(F, Q) -> lists:all(F, to_list(Q)).
delete(X, Q) -> delete_with(fun(Y) -> Y =:= X end, Q).
delete_r(X, Q) -> delete_with_r(fun(Y) -> Y =:= X end, Q).
delete_with(P, {R, F} = Q) when is_function(P, 1), is_list(R), is_list(F) ->
    case without(P, F) of
        false ->
            case without(P, lists:reverse(R)) of
                false -> Q;
                [] -> f2r(F);
                L -> {lists:reverse(L), F}
            end;
        [] -> r2f(R);
        L -> {R, L}
    end;
delete_with(P, Q) -> error(badarg, [P, Q]).
delete_with_r(P, {R, F}) when is_function(P, 1), is_list(R), is_list(F) ->
    {F1, R1} = delete_with(P, {F, R}),
    {R1, F1};
delete_with_r(P, Q) -> error(badarg, [P, Q]).
%% The list without the first that is to go.
without(P, L) ->
    case lists:splitwith(fun(X) -> not P(X) end, L) of
        {_, []} -> false;
        {A, [_ | B]} -> A ++ B
    end.

cons(X, Q) -> in_r(X, Q).
head(Q) -> queue:get(Q).
tail(Q) -> drop(Q).
snoc(Q, X) -> in(X, Q).
daeh(Q) -> get_r(Q).
last(Q) -> get_r(Q).
liat(Q) -> drop_r(Q).
lait(Q) -> drop_r(Q).
init(Q) -> drop_r(Q).

f2r([]) -> {[], []};
f2r([_] = L) -> {L, []};
f2r([X, Y]) -> {[Y], [X]};
f2r(L) ->
    {F, R} = lists:split(length(L) div 2, L),
    {lists:reverse(R, []), F}.
r2f([]) -> {[], []};
r2f([_] = L) -> {[], L};
r2f([Y, X]) -> {[Y], [X]};
r2f(L) ->
    {R, F} = lists:split(length(L) div 2, L),
    {R, lists:reverse(F, [])}.
