%% base64.
-module(base64).
-export([encode/1, encode/2, encode_to_string/1, encode_to_string/2, decode/1, decode/2, decode_to_string/1,
         decode_to_string/2, mime_decode/1, mime_decode/2, mime_decode_to_string/1, mime_decode_to_string/2]).

encode(D) -> encode(D, #{}).
encode(D, Opts) -> list_to_binary(out(bytes(D), alphabet(Opts), maps:get(padding, Opts, true))).
encode_to_string(D) -> binary_to_list(encode(D)).
encode_to_string(D, Opts) -> binary_to_list(encode(D, Opts)).
bytes(D) when is_list(D) -> list_to_binary(D);
bytes(D) when is_binary(D) -> D.
alphabet(#{mode := urlsafe}) -> {$-, $_};
alphabet(_) -> {$+, $/}.

out(<<A:6, B:6, C:6, D:6, T/binary>>, S, P) -> [char(A, S), char(B, S), char(C, S), char(D, S) | out(T, S, P)];
out(<<A:6, B:6, C:4>>, S, P) -> [char(A, S), char(B, S), char(C bsl 2, S) | pad("=", P)];
out(<<A:6, B:2>>, S, P) -> [char(A, S), char(B bsl 4, S) | pad("==", P)];
out(<<>>, _, _) -> [].
pad(S, true) -> S;
pad(_, false) -> "".
char(N, _) when N < 26 -> $A + N;
char(N, _) when N < 52 -> $a + N - 26;
char(N, _) when N < 62 -> $0 + N - 52;
char(62, {C, _}) -> C;
char(63, {_, C}) -> C.

decode(D) -> decode(D, #{}).
decode(D, Opts) -> in([C || C <- binary_to_list(bytes(D)), not space(C)], alphabet(Opts), maps:get(padding, Opts, true), <<>>).
decode_to_string(D) -> binary_to_list(decode(D)).
decode_to_string(D, Opts) -> binary_to_list(decode(D, Opts)).
space(C) -> C =:= $\s orelse C =:= $\t orelse C =:= $\n orelse C =:= $\r.

in([], _, _, B) -> B;
in([C1, C2, $=, $=], S, _, B) -> <<B/binary, (value(C1, S)):6, (value(C2, S) bsr 4):2>>;
in([C1, C2, C3, $=], S, _, B) -> <<B/binary, (value(C1, S)):6, (value(C2, S)):6, (value(C3, S) bsr 2):4>>;
in([C1, C2], S, false, B) -> <<B/binary, (value(C1, S)):6, (value(C2, S) bsr 4):2>>;
in([C1, C2, C3], S, false, B) -> <<B/binary, (value(C1, S)):6, (value(C2, S)):6, (value(C3, S) bsr 2):4>>;
in([C1, C2, C3, C4 | T], S, P, B) ->
    in(T, S, P, <<B/binary, (value(C1, S)):6, (value(C2, S)):6, (value(C3, S)):6, (value(C4, S)):6>>);
in(_, _, _, _) -> error(missing_padding).
value(C, _) when C >= $A, C =< $Z -> C - $A;
value(C, _) when C >= $a, C =< $z -> C - $a + 26;
value(C, _) when C >= $0, C =< $9 -> C - $0 + 52;
value(C, {C, _}) -> 62;
value(C, {_, C}) -> 63;
value($=, _) -> error(missing_padding);
value(_, _) -> error(badarg).

%% What is no character of the alphabet is left out.
mime_decode(D) -> mime_decode(D, #{}).
mime_decode(D, Opts) ->
    S = alphabet(Opts),
    mime([C || C <- binary_to_list(bytes(D)), known(C, S)], S, <<>>).
mime_decode_to_string(D) -> binary_to_list(mime_decode(D)).
mime_decode_to_string(D, Opts) -> binary_to_list(mime_decode(D, Opts)).
known(C, {A, B}) ->
    (C >= $A andalso C =< $Z) orelse (C >= $a andalso C =< $z) orelse (C >= $0 andalso C =< $9) orelse C =:= A
        orelse C =:= B orelse C =:= $=.
%% Padding counts at the end only.
mime(L, S, B) ->
    Data = [C || C <- L, C =/= $=],
    Padded = L =/= [] andalso lists:last(L) =:= $=,
    pieces(Data, Padded, S, B).
pieces([A, C, D, E | T], P, S, B) ->
    pieces(T, P, S, <<B/binary, (value(A, S)):6, (value(C, S)):6, (value(D, S)):6, (value(E, S)):6>>);
pieces([A, C, D], true, S, B) -> <<B/binary, (value(A, S)):6, (value(C, S)):6, (value(D, S) bsr 2):4>>;
pieces([A, C], true, S, B) -> <<B/binary, (value(A, S)):6, (value(C, S) bsr 4):2>>;
pieces([], _, _, B) -> B;
pieces(_, _, _, _) -> error(missing_padding).
