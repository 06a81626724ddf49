%% rand: the numbers that OTP has for the same seed. A state is `{Algorithm, State}`, its algorithm a map.
-module(rand).
-export([uniform/0, uniform/1, uniform_s/1, uniform_s/2, uniform_real/0, uniform_real_s/1, bytes/1, bytes_s/2, seed/1,
         seed/2, seed_s/1, seed_s/2, export_seed/0, export_seed_s/1, normal/0, normal/2, normal_s/1, normal_s/3,
         splitmix64_next/1, exsp_next/1, shuffle/1, shuffle_s/2]).

-define(MASK58, 16#3ffffffffffffff).

handler(default) -> handler(exsss);
handler(exsss) ->
    #{type => exsss, bits => 58, next => fun(S) -> rand:'-exsss'(S) end, uniform => fun uniform_s/1,
      uniform_n => fun uniform_s/2, jump => fun no_jump/1};
handler(exsp) ->
    #{type => exsp, bits => 58, weak_low_bits => 1, next => fun exsp_next/1, uniform => fun uniform_s/1,
      uniform_n => fun uniform_s/2, jump => fun no_jump/1};
handler(exsplus) -> #{type => exsplus, max => ?MASK58, next => fun exsp_next/1, jump => fun no_jump/1};
handler(_) -> error(notsup).
no_jump(_) -> error(notsup).
exsp_next(S) -> rand:'-exsp'(S).
splitmix64_next(X) -> rand:'-splitmix64'(X).

next(exsss, S) -> rand:'-exsss'(S);
next(_, S) -> rand:'-exsp'(S).

seed(Alg) -> kept(seed_s(Alg)).
seed(Alg, Seed) -> kept(seed_s(Alg, Seed)).
kept(S) ->
    put(rand_seed, S),
    S.
now_seed() ->
    case get(rand_seed) of
        undefined -> seed(default);
        S -> S
    end.
seed_s({H, _} = S) when is_map(H) -> S;
seed_s({Alg, S}) when is_atom(Alg) -> {handler(Alg), S};
seed_s(Alg) -> seed_s(Alg, {erlang:phash2([{node(), self()}]), erlang:system_time(), erlang:unique_integer()}).
seed_s(Alg, Seed) ->
    #{type := Type} = H = handler(Alg),
    {H, state(Type, Seed)}.
export_seed() ->
    case get(rand_seed) of
        {#{type := T}, S} -> {T, S};
        _ -> undefined
    end.
export_seed_s({#{type := T}, S}) -> {T, S}.

state(_, [A, B]) when A band ?MASK58 =/= 0, B band ?MASK58 =/= 0 -> [A band ?MASK58 | B band ?MASK58];
state(_, L) when is_list(L) -> error(zero_seed);
state(_, X) when is_integer(X) ->
    {A, X1} = mixed(X),
    {B, _} = mixed(X1),
    [A | B];
state(exsss, {A, B, C}) ->
    {_, X0} = mixed(A),
    {S0, X1} = mixed(B bxor X0),
    {S1, _} = mixed(C bxor X1),
    [S0 | S1];
state(_, {A, B, C}) ->
    F = fun(N, By) -> (N * By + 1) band ?MASK58 end,
    {_, R} = rand:'-exsp'([F(A, 4294967197) | F(B, 4294967231)]),
    {_, S} = rand:'-exsp'([F(C, 4294967279) | tl(R)]),
    S.
mixed(X) ->
    {Z, X1} = rand:'-splitmix64'(X),
    case Z band ?MASK58 of
        0 -> mixed(X1);
        N -> {N, X1}
    end.

uniform() -> stepped(uniform_s(now_seed())).
uniform(N) -> stepped(uniform_s(N, now_seed())).
stepped({V, S}) ->
    put(rand_seed, S),
    V.
uniform_s({#{type := exsplus} = H, S}) ->
    {V, S1} = next(exsplus, S),
    {V / (?MASK58 + 1), {H, S1}};
uniform_s({#{type := T} = H, S}) ->
    {V, S1} = next(T, S),
    {(V bsr 5) * 1.1102230246251565e-16, {H, S1}}.
uniform_s(N, {#{type := exsplus} = H, S}) when is_integer(N), N >= 1 ->
    {V, S1} = next(exsplus, S),
    if
        N =< ?MASK58 -> {V rem N + 1, {H, S1}};
        true -> {trunc(V / (?MASK58 + 1) * N) + 1, {H, S1}}
    end;
uniform_s(N, {#{type := T} = H, S}) when is_integer(N), N >= 1 ->
    {V, S1} = next(T, S),
    within(N, T, H, S1, V, (1 bsl 58) - N).
%% Numbers beyond the last whole range are thrown away.
within(N, T, H, S, V, Top) when Top >= 0 ->
    I = V rem N,
    if
        V =< Top; V - I =< Top -> {I + 1, {H, S}};
        true ->
            {V1, S1} = next(T, S),
            within(N, T, H, S1, V1, Top)
    end;
within(N, T, H, S, V, _) -> wide(N, T, H, S, V).
%% A range of more than 58 bits: several numbers side by side.
wide(N, T, H, S, V) ->
    Weak = maps:get(weak_low_bits, H, 0),
    Mask = bnot ((1 bsl Weak) - 1),
    case N band (N - 1) of
        0 ->
            {V1, S1, _} = more(N bsr 58, T, S, V, Mask, 58 - Weak, 58),
            {(V1 band (N - 1)) + 1, {H, S1}};
        _ ->
            {V1, S1, B} = more(N bsr 56, T, S, V, Mask, 58 - Weak, 58),
            I = V1 rem N,
            if
                V1 - I =< (1 bsl B) - N -> {I + 1, {H, S1}};
                true ->
                    {V2, S2} = next(T, S1),
                    wide(N, T, H, S2, V2)
            end
    end.
more(N, _, S, V, _, _, B) when N =< 1 -> {V, S, B};
more(N, T, S, V, Mask, Shift, B) ->
    {V1, S1} = next(T, S),
    more(N bsr Shift, T, S1, ((V band Mask) bsl Shift) bor V1, Mask, Shift, B + Shift).

%% Never zero.
uniform_real() -> stepped(uniform_real_s(now_seed())).
uniform_real_s({#{type := T} = H, S}) ->
    {V, S1} = next(T, S),
    real(T, H, word(T, V), 56, S1).
%% The first 53 bits that count of a row of words of 56 bits.
real(T, H, 0, At, S) when At < 1000 ->
    {V, S1} = next(T, S),
    real(T, H, word(T, V), At + 56, S1);
real(T, H, M, At, S) ->
    case 53 - bits(M, 0) of
        Less when Less =< 0 -> {(M bsr -Less) * math:pow(2.0, -At - Less), {H, S}};
        More ->
            {V, S1} = next(T, S),
            Next = if T =:= exsplus -> word(T, V) bsr (56 - More); true -> V bsr (58 - More) end,
            {((M bsl More) bor Next) * math:pow(2.0, -At - More), {H, S1}}
    end.
word(exsplus, V) -> V band 16#ffffffffffffff;
word(_, V) -> V bsr 2.
bits(0, N) -> N;
bits(M, N) -> bits(M bsr 1, N + 1).

bytes(N) -> stepped(bytes_s(N, now_seed())).
bytes_s(N, {#{type := T} = H, S}) when is_integer(N), N >= 0 ->
    Weak = case T of exsplus -> 2; _ -> maps:get(weak_low_bits, H, 0) end,
    Good = (58 - Weak) bsr 3,
    bytes(N, T, H, S, Good, 58 - Good * 8, []).
bytes(N, T, H, S, Good, Shift, L) when Good < N ->
    {V, S1} = next(T, S),
    bytes(N - Good, T, H, S1, Good, Shift, [<<(V bsr Shift):Good/unit:8>> | L]);
bytes(N, T, H, S, Good, _, L) ->
    {V, S1} = next(T, S),
    {list_to_binary(lists:reverse([<<(V bsr (Good * 8 - N * 8)):N/unit:8>> | L])), {H, S1}}.

%% By Box and Muller: the distribution is OTP's, the numbers are not.
normal() -> stepped(normal_s(now_seed())).
normal(Mean, Variance) -> Mean + math:sqrt(Variance) * normal().
normal_s(S) ->
    {U, S1} = uniform_s(S),
    {W, S2} = uniform_s(S1),
    {math:sqrt(-2 * math:log(1.0 - U)) * math:cos(2 * math:pi() * W), S2}.
normal_s(Mean, Variance, S) ->
    {X, S1} = normal_s(S),
    {Mean + math:sqrt(Variance) * X, S1}.

shuffle(L) -> stepped(shuffle_s(L, now_seed())).
shuffle_s(L, S) ->
    {Keyed, S1} = lists:mapfoldl(fun(X, A) -> {U, B} = uniform_s(A), {{U, X}, B} end, S, L),
    {[X || {_, X} <- lists:keysort(1, Keyed)], S1}.
