%% string
-module(string).
-export([slice/2, slice/3, pad/2, pad/3, pad/4, trim/1, trim/2, trim/3, chomp/1, take/2, take/3,
         take/4, prefix/2, lexemes/2, nth_lexeme/3, split/2, split/3, replace/3, replace/4, find/2, find/3, len/1,
         concat/2, str/2, rstr/2, chr/2, rchr/2, span/2, cspan/2, substr/2, substr/3, tokens/2, join/2, chars/2,
         chars/3, copies/2, words/1, words/2, strip/1, strip/2, strip/3, left/2, left/3, right/2, right/3, centre/2,
         centre/3, sub_string/2, sub_string/3, to_upper/1, to_lower/1, list_to_integer/1, list_to_float/1,
         sub_word/2, sub_word/3]).

chars(S) ->
    try unicode:characters_to_list(S)
    catch error:_ -> error(function_clause)
    end.
text(S) -> unicode:characters_to_list(S).
like(B, L) when is_binary(B) -> unicode:characters_to_binary(L);
like(_, L) -> lists:flatten(L).

%% By clusters: what people take for one character.
gcs(S) ->
    try string:to_graphemes(S)
    catch error:badarg -> error(function_clause)
    end.

slice(S, Start) -> like(S, drop(Start, gcs(S))).
slice(S, Start, infinity) -> slice(S, Start);
slice(S, Start, N) when is_integer(N), N >= 0 -> like(S, lists:sublist(drop(Start, gcs(S)), N)).
drop(N, L) when is_integer(N), N > 0, L =/= [] -> drop(N - 1, tl(L));
drop(N, L) when is_integer(N), N >= 0 -> L.

pad(S, N) -> pad(S, N, trailing, $\s).
pad(S, N, Dir) -> pad(S, N, Dir, $\s).
pad(S, N, Dir, C) when is_integer(N) ->
    Missing = max(0, N - string:length(S)),
    case Dir of
        trailing -> [S | lists:duplicate(Missing, C)];
        leading -> [lists:duplicate(Missing, C), S];
        both ->
            L = Missing div 2,
            P = lists:duplicate(L, C),
            case Missing rem 2 of
                1 -> [P, S, P, C];
                0 -> [P, S, P]
            end
    end.

trim(S) -> trim(S, both, white()).
trim(S, Dir) -> trim(S, Dir, white()).
trim(S, Dir, Cs) ->
    L = gcs(S),
    like(S, case Dir of
                leading -> trim_left(L, Cs);
                trailing -> trim_right(L, Cs);
                both -> trim_right(trim_left(L, Cs), Cs)
            end).
white() -> [[$\r, $\n], $\t, $\n, 11, 12, $\r, $\s, 133, 8206, 8207, 8232, 8233].
trim_left([C | T] = L, Cs) ->
    case lists:member(C, Cs) of
        true -> trim_left(T, Cs);
        false -> L
    end;
trim_left([], _) -> [].
trim_right(L, Cs) -> lists:reverse(trim_left(lists:reverse(L), Cs)).
chomp(S) -> trim(S, trailing, [[$\r, $\n], $\n]).

take(S, Cs) -> take(S, Cs, false, leading).
take(S, Cs, Not) -> take(S, Cs, Not, leading).
take(S, Cs, Not, leading) ->
    {A, B} = lists:splitwith(fun(C) -> lists:member(C, Cs) =/= Not end, gcs(S)),
    {like(S, A), like(S, B)};
take(S, Cs, Not, trailing) ->
    {A, B} = lists:splitwith(fun(C) -> lists:member(C, Cs) =/= Not end, lists:reverse(gcs(S))),
    {like(S, lists:reverse(B)), like(S, lists:reverse(A))}.

prefix(S, P) ->
    Cs = text(P),
    L = text(S),
    case lists:prefix(Cs, L) of
        true -> like(S, lists:nthtail(erlang:length(Cs), L));
        false -> nomatch
    end.

lexemes([], _) -> [];
lexemes(S, []) -> [S];
lexemes(S, Seps) when is_list(Seps) -> [like(S, T) || T <- lexemes_1(gcs(S), Seps, [])].
lexemes_1([], _, []) -> [];
lexemes_1([], _, Acc) -> [lists:reverse(Acc)];
lexemes_1([C | T], Seps, Acc) ->
    case lists:member(C, Seps) of
        false -> lexemes_1(T, Seps, [C | Acc]);
        true when Acc =:= [] -> lexemes_1(T, Seps, []);
        true -> [lists:reverse(Acc) | lexemes_1(T, Seps, [])]
    end.
nth_lexeme(S, N, Seps) when is_integer(N), N > 0 ->
    case lists:nthtail(min(N - 1, erlang:length(lexemes(S, Seps))), lexemes(S, Seps)) of
        [L | _] -> L;
        [] -> like(S, [])
    end.

split(S, P) -> split(S, P, leading).
split(S, P, Where) ->
    case P =:= [] orelse P =:= <<>> of
        true -> [S];
        false -> [like(S, T) || T <- split_1(text(S), text(P), Where)]
    end.
split_1(L, P, leading) ->
    case cut(L, P, []) of
        none -> [L];
        {A, B} -> [A, B]
    end;
split_1(L, P, all) ->
    case cut(L, P, []) of
        none -> [L];
        {A, B} -> [A | split_1(B, P, all)]
    end;
split_1(L, P, trailing) ->
    case cut(lists:reverse(L), lists:reverse(P), []) of
        none -> [L];
        {A, B} -> [lists:reverse(B), lists:reverse(A)]
    end.
cut([], _, _) -> none;
cut([C | T] = L, P, Seen) ->
    case lists:prefix(P, L) of
        true -> {lists:reverse(Seen), lists:nthtail(erlang:length(P), L)};
        false -> cut(T, P, [C | Seen])
    end.

replace(S, P, R) -> lists:join(R, split(S, P)).
replace(S, P, R, Where) -> lists:join(R, split(S, P, Where)).

find(S, P) -> find(S, P, leading).
find(S, P, leading) ->
    case find_1(text(S), text(P)) of
        nomatch -> nomatch;
        L -> like(S, L)
    end;
find(S, P, trailing) ->
    case split_1(text(S), text(P), trailing) of
        [_] -> nomatch;
        [_, B] -> like(S, text(P) ++ B)
    end.
find_1([], []) -> [];
find_1([], _) -> nomatch;
find_1([_ | T] = L, P) ->
    case lists:prefix(P, L) of
        true -> L;
        false -> find_1(T, P)
    end.

len(S) -> erlang:length(S).
concat(A, B) -> A ++ B.
str(_, []) -> 0;
str(S, Sub) when is_list(Sub) -> str(S, Sub, 1).
str([_ | T] = L, Sub, N) ->
    case lists:prefix(Sub, L) of
        true -> N;
        false -> str(T, Sub, N + 1)
    end;
str([], _, _) -> 0.
rstr(_, []) -> 0;
rstr(S, Sub) when is_list(Sub) -> rstr(S, Sub, 1, 0).
rstr([_ | T] = L, Sub, N, Last) ->
    case lists:prefix(Sub, L) of
        true -> rstr(T, Sub, N + 1, N);
        false -> rstr(T, Sub, N + 1, Last)
    end;
rstr([], _, _, Last) -> Last.
chr(S, C) when is_integer(C) -> chr(S, C, 1).
chr([C | _], C, N) -> N;
chr([_ | T], C, N) -> chr(T, C, N + 1);
chr([], _, _) -> 0.
rchr(S, C) when is_integer(C) -> rchr(S, C, 1, 0).
rchr([C | T], C, N, _) -> rchr(T, C, N + 1, N);
rchr([_ | T], C, N, Last) -> rchr(T, C, N + 1, Last);
rchr([], _, _, Last) -> Last.
span(S, Cs) -> erlang:length(lists:takewhile(fun(C) -> lists:member(C, Cs) end, S)).
cspan(S, Cs) -> erlang:length(lists:takewhile(fun(C) -> not lists:member(C, Cs) end, S)).
substr(S, Start) -> lists:nthtail(Start - 1, S).
substr(S, Start, N) -> lists:sublist(lists:nthtail(Start - 1, S), N).
sub_string(S, Start) -> substr(S, Start).
sub_string(S, Start, Stop) -> substr(S, Start, Stop - Start + 1).
tokens(S, Seps) -> lexemes(S, Seps).
join([], Sep) when is_list(Sep) -> [];
join([H | T], Sep) -> H ++ lists:append([Sep ++ X || X <- T]).
chars(C, N) -> chars(C, N, []).
chars(C, N, Tail) when is_integer(C), is_integer(N), N >= 0 -> lists:duplicate(N, C) ++ Tail.
copies(S, N) when is_list(S), is_integer(N), N >= 0 -> lists:append(lists:duplicate(N, S)).
words(S) -> words(S, $\s).
words(S, C) when is_integer(C) -> max(1, erlang:length(lexemes(S, [C]))).
sub_word(S, N) -> sub_word(S, N, $\s).
sub_word(S, N, C) -> nth_lexeme(S, N, [C]).
strip(S) -> strip(S, both).
strip(S, left) -> strip(S, left, $\s);
strip(S, right) -> strip(S, right, $\s);
strip(S, both) -> strip(S, both, $\s).
strip(S, left, C) -> trim_left(S, [C]);
strip(S, right, C) -> trim_right(S, [C]);
strip(S, both, C) -> trim_right(trim_left(S, [C]), [C]).
left(S, N) -> left(S, N, $\s).
left(S, N, C) -> lists:sublist(S ++ lists:duplicate(max(0, N - erlang:length(S)), C), N).
right(S, N) -> right(S, N, $\s).
right(S, N, C) -> lists:reverse(left(lists:reverse(S), N, C)).
centre(S, N) -> centre(S, N, $\s).
centre(_, 0, _) -> [];
centre(S, N, C) ->
    case erlang:length(S) of
        L when L > N -> substr(S, (L - N) div 2 + 1, N);
        L when L < N ->
            A = (N - L) div 2,
            lists:duplicate(A, C) ++ S ++ lists:duplicate(N - L - A, C);
        _ -> S
    end.
to_upper(C) when is_integer(C) -> hd(to_upper([C]));
to_upper(S) -> [if C >= $a, C =< $z -> C - 32; C >= 16#E0, C =< 16#FE, C =/= 16#F7 -> C - 32; true -> C end || C <- S].
to_lower(C) when is_integer(C) -> hd(to_lower([C]));
to_lower(S) -> [if C >= $A, C =< $Z -> C + 32; C >= 16#C0, C =< 16#DE, C =/= 16#D7 -> C + 32; true -> C end || C <- S].
list_to_integer(S) -> string:to_integer(S).
list_to_float(S) -> string:to_float(S).
