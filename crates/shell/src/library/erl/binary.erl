%% binary
-module(binary).
-export([split/2, split/3, replace/3, replace/4, bin_to_list/1, bin_to_list/2, bin_to_list/3, join/2]).

split(B, P) -> split(B, P, []).
split(B, P, Opts) ->
    Found = case lists:member(global, Opts) of
                true -> binary:matches(B, P, scope(Opts));
                false ->
                    case binary:match(B, P, scope(Opts)) of
                        nomatch -> [];
                        M -> [M]
                    end
            end,
    Parts = pieces(B, 0, Found),
    case {lists:member(trim_all, Opts), lists:member(trim, Opts)} of
        {true, _} -> [X || X <- Parts, X =/= <<>>];
        {_, true} -> lists:reverse(lists:dropwhile(fun(X) -> X =:= <<>> end, lists:reverse(Parts)));
        _ -> Parts
    end.
scope(Opts) -> [O || {scope, _} = O <- Opts].
pieces(B, From, []) -> [binary:part(B, From, byte_size(B) - From)];
pieces(B, From, [{At, N} | T]) -> [binary:part(B, From, At - From) | pieces(B, At + N, T)].

replace(B, P, R) -> replace(B, P, R, []).
replace(B, P, R, Opts) when is_binary(R) ->
    iolist_to_binary(lists:join(R, split(B, P, [O || O <- Opts, O =:= global orelse is_tuple(O)])));
replace(B, P, F, Opts) when is_function(F, 1) ->
    Found = case lists:member(global, Opts) of
                true -> binary:matches(B, P);
                false ->
                    case binary:match(B, P) of
                        nomatch -> [];
                        M -> [M]
                    end
            end,
    iolist_to_binary(weave(pieces(B, 0, Found), [F(binary:part(B, M)) || M <- Found])).
weave([P | Ps], [R | Rs]) -> [P, R | weave(Ps, Rs)];
weave(Ps, []) -> Ps.

bin_to_list(B) -> binary_to_list(B).
bin_to_list(B, {At, N}) -> bin_to_list(B, At, N).
bin_to_list(B, At, N) -> binary_to_list(binary:part(B, At, N)).
join([], _) -> <<>>;
join(Bs, Sep) -> iolist_to_binary(lists:join(Sep, Bs)).
