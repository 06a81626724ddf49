%% binary
-module(binary).
-export([split/2, split/3, replace/3, replace/4, bin_to_list/1, bin_to_list/2, bin_to_list/3, join/2, encode_hex/2]).

split(B, P) -> split(B, P, []).
split(B, P, Opts) ->
    checked(Opts, fun splitting/1),
    Parts = pieces(B, 0, found(B, P, Opts)),
    case {lists:member(trim_all, Opts), lists:member(trim, Opts)} of
        {true, _} -> [X || X <- Parts, X =/= <<>>];
        {_, true} -> lists:reverse(lists:dropwhile(fun(X) -> X =:= <<>> end, lists:reverse(Parts)));
        _ -> Parts
    end.
splitting(O) -> lists:member(O, [global, trim, trim_all]) orelse is_scope(O).
is_scope({scope, {A, N}}) -> is_integer(A) andalso is_integer(N);
is_scope(_) -> false.
checked(Opts, F) ->
    case is_list(Opts) andalso lists:all(F, Opts) of
        true -> ok;
        false -> error(badarg)
    end.
found(B, P, Opts) ->
    Scope = [O || {scope, _} = O <- Opts],
    case lists:member(global, Opts) of
        true -> binary:matches(B, P, Scope);
        false ->
            case binary:match(B, P, Scope) of
                nomatch -> [];
                M -> [M]
            end
    end.
pieces(B, From, []) -> [binary:part(B, From, byte_size(B) - From)];
pieces(B, From, [{At, N} | T]) -> [binary:part(B, From, At - From) | pieces(B, At + N, T)].

replace(B, P, R) -> replace(B, P, R, []).
replace(B, P, R, Opts) when is_binary(R); is_function(R, 1) ->
    checked(Opts, fun replacing/1),
    Found = found(B, P, Opts),
    At = case proplists:get_value(insert_replaced, Opts, []) of
             N when is_integer(N) -> [N];
             Ns -> Ns
         end,
    New = fun(M) when is_function(R) -> R(binary:part(B, M));
             (M) -> with(R, 0, lists:sort(At), binary:part(B, M))
          end,
    iolist_to_binary(weave(pieces(B, 0, Found), [New(M) || M <- Found]));
replace(_, _, _, _) -> error(badarg).
replacing({insert_replaced, N}) -> is_integer(N) orelse is_list(N);
replacing(O) -> O =:= global orelse is_scope(O).
%% The replacement, with what is replaced put in where that was asked for.
with(R, From, [At | Ats], M) when At >= From, At =< byte_size(R) ->
    [binary:part(R, From, At - From), M | with(R, At, Ats, M)];
with(_, _, [_ | _], _) -> error(badarg);
with(R, From, [], _) -> binary:part(R, From, byte_size(R) - From).
weave([P | Ps], [R | Rs]) -> [P, R | weave(Ps, Rs)];
weave(Ps, []) -> Ps.

bin_to_list(B) -> binary_to_list(B).
bin_to_list(B, {At, N}) -> bin_to_list(B, At, N).
bin_to_list(B, At, N) -> binary_to_list(binary:part(B, At, N)).
join([], _) -> <<>>;
join(Bs, Sep) -> iolist_to_binary(lists:join(Sep, Bs)).

encode_hex(B, uppercase) -> binary:encode_hex(B);
encode_hex(B, lowercase) -> string:lowercase(binary:encode_hex(B));
encode_hex(_, _) -> error(badarg).
