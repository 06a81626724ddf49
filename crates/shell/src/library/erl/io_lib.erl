%% io_lib: reading by formats, and what is shorter in Erlang.
-module(io_lib).
-export([fread/2, fread/3, print/4, write/2, write/3, write/5, deep_char_list/1, deep_latin1_char_list/1,
         deep_unicode_char_list/1, unicode_char_list/1, indentation/2, format_prompt/1, format_prompt/2, write_char/1,
         write_latin1_char/1, write_char_as_latin1/1, write_string/2, write_latin1_string/1, write_latin1_string/2,
         write_string_as_latin1/1, write_atom_as_latin1/1, quote_atom/2, printable_unicode/1, char_list_text/1,
         collect_line/3, collect_line/4, get_until/3, collect_chars/3, fwrite/3, format/3, bformat/2, bfwrite/2]).

%% Reading: `{ok, Values, Rest}`, `{more, Format, Count, Values}` when the text ends first, or an error.

fread(Format, Text) -> read(chars(Format), Text, 0, []).
chars(F) when is_atom(F) -> atom_to_list(F);
chars(F) when is_binary(F) -> unicode:characters_to_list(F);
chars(F) -> F.

%% From a device: a continuation is the text so far.
fread([], Data, Format) -> go_on(chars(Format), [], 0, Data, []);
fread({Format, Text, N, Acc}, Data, _) -> go_on(Format, Text, N, Data, Acc).
go_on(_, [], N, eof, _) when N =:= 0 -> {done, eof, []};
go_on(Format, Text, _, eof, Acc) ->
    case read(Format, Text ++ eof, 0, Acc) of
        {ok, L, eof} -> {done, {ok, L}, eof};
        {ok, L, Rest} -> {done, {ok, L}, strip_eof(Rest)};
        {more, _, _, _} -> {done, {error, {fread, input}}, eof};
        {error, Why} -> {done, {error, Why}, []}
    end;
go_on(Format, Text, N, Data, Acc) ->
    All = Text ++ Data,
    case read(Format, All, N, Acc) of
        {ok, L, Rest} -> {done, {ok, L}, Rest};
        {more, Rest, M, Values} -> {more, {Rest, [], M, Values}};
        {error, Why} -> {done, {error, Why}, []}
    end.
strip_eof(L) -> [C || C <- proper(L)].
proper([C | T]) -> [C | proper(T)];
proper(_) -> [].

read([$~ | F0], In, N, Acc) ->
    {Suppress, F1} = case F0 of [$* | T] -> {true, T}; _ -> {false, F0} end,
    {Width, F2} = width(F1, none),
    {Unicode, F3} = case F2 of [$t | U] -> {true, U}; _ -> {false, F2} end,
    case F3 of
        [C | F] -> field(C, Width, Suppress, Unicode, F, [$~ | F0], In, N, Acc);
        [] -> {error, {fread, format}}
    end;
read([C | F], In, N, Acc) when C =:= $\s; C =:= $\t; C =:= $\r; C =:= $\n -> skip(F, In, N, Acc, [C | F]);
read([C | F], [C | In], N, Acc) -> read(F, In, N + 1, Acc);
read([_ | _] = F, [], N, Acc) -> {more, F, N, Acc};
read([_ | _], eof, _, _) -> {error, {fread, input}};
read([_ | _], _, _, _) -> {error, {fread, input}};
read([], In, _, Acc) -> {ok, lists:reverse(Acc), In}.

%% White space of the format stands for any of the input.
skip(F, [C | In], N, Acc, Whole) when C =:= $\s; C =:= $\t; C =:= $\r; C =:= $\n -> skip(F, In, N + 1, Acc, Whole);
skip(F, In, N, Acc, _) -> read(F, In, N, Acc).

width([C | T], none) when C >= $0, C =< $9 -> width(T, C - $0);
width([C | T], W) when C >= $0, C =< $9 -> width(T, W * 10 + C - $0);
width(T, W) -> {W, T}.

blank([C | T], N) when C =:= $\s; C =:= $\t; C =:= $\r; C =:= $\n -> blank(T, N + 1);
blank(T, N) -> {T, N}.

field($~, none, false, _, F, _, [$~ | In], N, Acc) -> read(F, In, N + 1, Acc);
field($~, none, false, _, _, Whole, [], N, Acc) -> {more, Whole, N, Acc};
field($~, _, _, _, _, _, _, _, _) -> {error, {fread, input}};
field($l, _, false, _, F, _, In, N, Acc) -> read(F, In, N, [N | Acc]);
field($l, _, true, _, F, _, In, N, Acc) -> read(F, In, N, Acc);
field($c, W, S, _, F, Whole, In, N, Acc) ->
    Count = case W of none -> 1; _ -> W end,
    case taken(Count, In, []) of
        {L, Rest} when length(L) =:= Count -> read(F, Rest, N + Count, kept(S, L, Acc));
        {L, eof} when L =/= [] -> read(F, eof, N + length(L), kept(S, L, Acc));
        {[], eof} -> {error, {fread, input}};
        {_, []} -> {more, Whole, N, Acc};
        _ -> {error, {fread, input}}
    end;
field(C, W, S, _, F, Whole, In0, N0, Acc) when C =:= $d; C =:= $u; C =:= $-; C =:= $#; C =:= $f; C =:= $s; C =:= $a ->
    {In, N} = blank(In0, N0),
    case run(C, W, In) of
        more -> {more, Whole, N, Acc};
        {"", _} -> {error, {fread, bad(C)}};
        {L, Rest} ->
            case value(C, L) of
                {ok, V} -> read(F, Rest, N + length(L), kept(S, V, Acc));
                error -> {error, {fread, bad(C)}}
            end
    end;
field(_, _, _, _, _, _, _, _, _) -> {error, {fread, format}}.

kept(true, _, Acc) -> Acc;
kept(false, V, Acc) -> [V | Acc].
taken(0, In, L) -> {lists:reverse(L), In};
taken(N, [C | T], L) -> taken(N - 1, T, [C | L]);
taken(_, In, L) -> {lists:reverse(L), In}.
bad($d) -> integer;
bad($u) -> unsigned;
bad($-) -> sign;
bad($#) -> based;
bad($f) -> float;
bad($s) -> string;
bad($a) -> atom.

%% The characters of a field.
run($-, _, [C | T]) when C =:= $-; C =:= $+ -> {[C], T};
run($-, _, []) -> more;
run($-, _, In) -> {none, In};
run(_, _, []) -> more;
run(_, _, eof) -> {"", eof};
run(C, W, In) when C =:= $s; C =:= $a -> word(fun not_blank/1, W, In);
run($u, W, In) -> word(fun digit/1, W, In);
run($d, W, In) -> signed(W, In, fun(V, T) -> word(fun digit/1, V, T) end);
run($#, W, In) -> signed(W, In, fun(V, T) -> word(fun based/1, V, T) end);
run($f, W, In) -> signed(W, In, fun(V, T) -> word(fun floating/1, V, T) end).
signed(W, [C | T], F) when C =:= $-; C =:= $+ ->
    case F(less(W), T) of
        {L, Rest} when L =/= "" -> {[C | L], Rest};
        Other -> Other
    end;
signed(W, In, F) -> F(W, In).
less(none) -> none;
less(W) -> W - 1.
word(Is, W, In) -> word(Is, W, In, []).
word(_, 0, In, L) -> {lists:reverse(L), In};
word(Is, W, [C | T], L) ->
    case Is(C) of
        true -> word(Is, less(W), T, [C | L]);
        false -> {lists:reverse(L), [C | T]}
    end;
word(_, _, In, L) -> {lists:reverse(L), In}.
not_blank(C) -> not (C =:= $\s orelse C =:= $\t orelse C =:= $\r orelse C =:= $\n).
digit(C) -> C >= $0 andalso C =< $9.
based(C) -> digit(C) orelse C =:= $# orelse (C >= $a andalso C =< $z) orelse (C >= $A andalso C =< $Z).
floating(C) -> digit(C) orelse C =:= $. orelse C =:= $e orelse C =:= $E orelse C =:= $- orelse C =:= $+.

value($s, L) -> {ok, L};
value($a, L) -> {ok, list_to_atom(L)};
value($-, none) -> {ok, 1};
value($-, "-") -> {ok, -1};
value($-, "+") -> {ok, 1};
value($#, L) ->
    {Sign, Digits} = case L of [$- | T] -> {-1, T}; [$+ | T] -> {1, T}; _ -> {1, L} end,
    case string:split(Digits, "#") of
        [Base, Number] -> attempt(fun() -> Sign * list_to_integer(Number, list_to_integer(Base)) end);
        _ -> error
    end;
value($f, L) -> attempt(fun() -> list_to_float(L) end);
value(_, L) -> attempt(fun() -> list_to_integer(L) end).
attempt(F) ->
    try {ok, F()}
    catch error:_ -> error
    end.

%% Writing.

print(T, Col, Length, -1) -> io_lib:format("~*.*p", [Length, Col, T]);
print(T, Col, Length, Depth) -> io_lib:format("~*.*P", [Length, Col, T, Depth]).
write(T, -1) -> io_lib:format("~w", [T]);
write(T, D) when is_integer(D) -> io_lib:format("~W", [T, D]);
write(T, Opts) when is_list(Opts) ->
    F = case proplists:get_value(encoding, Opts, unicode) of latin1 -> "~w"; _ -> "~tw" end,
    case proplists:get_value(depth, Opts, -1) of
        -1 -> io_lib:format(F, [T]);
        D -> io_lib:format(case F of "~w" -> "~W"; _ -> "~tW" end, [T, D])
    end.
write(T, D, true) -> print(T, 1, 80, D);
write(T, D, false) -> write(T, D).
write(T, D, E, _, _) -> write(T, [{depth, D}, {encoding, E}]).
format(F, As, _) -> io_lib:format(F, As).
fwrite(F, As, _) -> io_lib:format(F, As).
bformat(F, As) -> unicode:characters_to_binary(io_lib:format(F, As)).
bfwrite(F, As) -> bformat(F, As).

write_char(C) -> io_lib:format("~tp", [[C]]) =/= [] andalso quoted_char(C).
quoted_char(C) when C =:= $" -> "$\"";
quoted_char($') -> "$'";
quoted_char($\s) -> "$\\s";
quoted_char(C) when is_integer(C) ->
    [$" | T] = lists:flatten(io_lib:write_string([C])),
    [$$ | lists:droplast(T)].
write_latin1_char(C) -> quoted_char(C).
write_char_as_latin1(C) when C < 256 -> quoted_char(C);
write_char_as_latin1(C) -> "$\\x{" ++ integer_to_list(C, 16) ++ "}".
write_string(S, Q) when Q =:= $" -> io_lib:write_string(S);
write_string(S, Q) ->
    [_ | T] = lists:flatten(io_lib:write_string(S)),
    [Q | swapped(lists:droplast(T), Q)] ++ [Q].
swapped([$\\, $" | T], Q) -> [$" | swapped(T, Q)];
swapped([Q | T], Q) -> [$\\, Q | swapped(T, Q)];
swapped([C | T], Q) -> [C | swapped(T, Q)];
swapped([], _) -> [].
write_latin1_string(S) -> io_lib:write_string(S).
write_latin1_string(S, Q) -> write_string(S, Q).
write_string_as_latin1(S) -> escaped(lists:flatten(io_lib:write_string(S))).
write_atom_as_latin1(A) -> escaped(lists:flatten(io_lib:write_atom(A))).
escaped(S) -> lists:flatten([if C < 256 -> C; true -> "\\x{" ++ integer_to_list(C, 16) ++ "}" end || C <- S]).
quote_atom(A, _) -> hd(lists:flatten(io_lib:write_atom(A))) =:= $'.

deep_char_list(L) -> deep(L, 16#10ffff).
deep_unicode_char_list(L) -> deep(L, 16#10ffff).
deep_latin1_char_list(L) -> deep(L, 255).
unicode_char_list(L) -> is_list(L) andalso flat(L, 16#10ffff).
deep([H | T], Max) when is_list(H) -> deep(H, Max) andalso deep(T, Max);
deep([C | T], Max) when is_integer(C), C >= 0, C =< Max -> deep(T, Max);
deep([], _) -> true;
deep(_, _) -> false.
flat([C | T], Max) when is_integer(C), C >= 0, C =< Max -> flat(T, Max);
flat([], _) -> true;
flat(_, _) -> false.
printable_unicode(L) -> io_lib:printable_unicode_list(L).
char_list_text(L) -> unicode:characters_to_list(L).

indentation([C | T], I) when is_integer(C) -> indentation(T, step(C, I));
indentation([H | T], I) -> indentation(T, indentation(H, I));
indentation([], I) -> I.
step($\n, _) -> 0;
step($\t, I) -> (I div 8 + 1) * 8;
step(_, I) -> I + 1.

format_prompt(P) -> format_prompt(P, latin1).
format_prompt({format, F, As}, _) -> lists:flatten(io_lib:format(F, As));
format_prompt(P, _) when is_atom(P) -> atom_to_list(P);
format_prompt(P, E) ->
    case deep_char_list(P) of
        true -> lists:flatten(P);
        false when E =:= unicode -> lists:flatten(io_lib:format("~tp", [P]));
        false -> lists:flatten(io_lib:format("~p", [P]))
    end.

%% What devices call to collect input.
collect_line(Cont, Data, X) -> collect_line(Cont, Data, latin1, X).
collect_line(start, Data, E, X) -> collect_line([], Data, E, X);
collect_line([], eof, _, _) -> {stop, eof, eof};
collect_line(Acc, eof, _, _) -> {stop, Acc, eof};
collect_line(Acc, Data, E, _) ->
    L = chars_of(Data, E),
    case lists:splitwith(fun(C) -> C =/= $\n end, L) of
        {_, []} -> Acc ++ L;
        {Line, [_ | Rest]} -> {stop, Acc ++ Line ++ "\n", Rest}
    end.
chars_of(D, _) when is_list(D) -> D;
chars_of(D, E) -> unicode:characters_to_list(D, E).
collect_chars(Cont, Data, N) ->
    Acc = case Cont of start -> []; _ -> Cont end,
    case Data of
        eof when Acc =:= [] -> {stop, eof, eof};
        eof -> {stop, Acc, eof};
        _ ->
            All = Acc ++ chars_of(Data, latin1),
            case length(All) >= N of
                true ->
                    {L, Rest} = lists:split(N, All),
                    {stop, L, Rest};
                false -> All
            end
    end.
get_until(start, Data, X) -> get_until([], Data, X);
get_until(Cont, Data, {M, F, As}) ->
    case apply(M, F, [Cont, Data | As]) of
        {done, Result, Rest} -> {stop, Result, Rest};
        {more, Next} -> Next
    end.
