%% erl_pp: trees as text, in the layout erl gives them. A tree becomes lines; what follows hangs at the end of the last.
-module(erl_pp).
-export([expr/1, expr/2, expr/3, expr/4, exprs/1, exprs/2, exprs/3, guard/1, guard/2, form/1, form/2, function/1, function/2,
         attribute/1, attribute/2]).

-define(WIDTH, 72).

expr(E) -> expr(E, none).
expr(E, _) -> text(e(E, 0, 0)).
expr(E, Indent, Options) -> expr(E, Indent, 0, Options).
expr(E, Indent, Prec, _) -> text(e(E, Prec, max(Indent, 0))).
exprs(Es) -> exprs(Es, none).
exprs(Es, _) -> text(exprs_at(Es, 0)).
exprs(Es, Indent, _) -> text(exprs_at(Es, max(Indent, 0))).
guard(Gs) -> guard(Gs, none).
guard(Gs, _) -> [_ | Text] = string:split(text(guarded(Gs, 0)), "when "), lists:append(Text).
form(F) -> form(F, none).
form({attribute, _, _, _} = A, Options) -> attribute(A, Options);
form({function, _, _, _, _} = F, Options) -> function(F, Options);
form({eof, _}, _) -> "\n".
function(F) -> function(F, none).
function({function, _, Name, _, Clauses}, _) ->
    text(cat(clauses(Clauses, fun(C, At) -> function_clause(quoted(Name), C, At) end, 0), ".")) ++ "\n".
attribute(A) -> attribute(A, none).
attribute({attribute, _, Name, Data}, _) -> "-" ++ text(attribute_of(Name, Data)) ++ ".\n".

attribute_of(export, Fs) -> ["export(" ++ names(Fs) ++ ")"];
attribute_of(import, {M, Fs}) -> ["import(" ++ quoted(M) ++ ", " ++ names(Fs) ++ ")"];
attribute_of(record, {Name, Fields}) ->
    cat(cat("record(" ++ quoted(Name) ++ ",", braced("{", [fun(At) -> field(F, At) end || F <- Fields], "}", 9)), ")");
attribute_of(Name, _) when Name =:= spec; Name =:= callback; Name =:= type; Name =:= opaque ->
    error({types_are_not_printed_here, Name});
attribute_of(Name, Data) ->
    Start = quoted(Name) ++ "(",
    cat(cat(Start, e(erl_parse:abstract(Data), 0, length(Start))), ")").

names(Fs) -> "[" ++ lists:append(lists:join(",", [quoted(F) ++ "/" ++ integer_to_list(N) || {F, N} <- Fs])) ++ "]".

text(Lines) -> lists:append(lists:join("\n", Lines)).
quoted(A) -> latin1(io_lib:write_atom(A)).
string(S) -> latin1(io_lib:write_string(S)).
%% What is not of Latin-1 by its number.
latin1(Text) ->
    lists:flatmap(fun(C) when C > 255 -> "\\x{" ++ integer_to_list(C, 16) ++ "}";
                     (C) -> [C]
                  end, lists:flatten(Text)).

%% Lines side by side; text is one line.
cat([C | _] = Text, Lines) when is_integer(C) -> cat([Text], Lines);
cat([], Lines) when is_list(Lines) -> lines(Lines);
cat(Lines, Text) ->
    [First | Rest] = lines(Text),
    {Before, Last} = {lists:droplast(Lines), lists:last(Lines)},
    Pad = lists:duplicate(length(Last), $\s),
    Before ++ [Last ++ First | [Pad ++ L || L <- Rest]].
lines([]) -> [""];
lines([C | _] = Text) when is_integer(C) -> [Text];
lines(Lines) -> Lines.

by(N, Lines) -> [lists:duplicate(N, $\s) ++ L || L <- Lines].
after_last(Lines, Text) -> lists:droplast(Lines) ++ [lists:last(Lines) ++ Text].

%% On one line where they are all of one line and it is short enough.
one_line(Parts, At) ->
    case lists:all(fun(P) -> length(P) =:= 1 end, Parts) of
        true ->
            Line = lists:append(lists:join(", ", lists:append(Parts))),
            case At + length(Line) =< ?WIDTH of
                true -> {ok, Line};
                false -> false
            end;
        false -> false
    end.

exprs_at(Es, At) ->
    Parts = [e(E, 0, At) || E <- Es],
    case one_line(Parts, At) of
        {ok, Line} -> [Line];
        false -> each(Parts)
    end.
each([]) -> [""];
each([P]) -> P;
each([P | Ps]) -> after_last(P, ",") ++ each(Ps).
body(Es, At) -> each([e(E, 0, At) || E <- Es]).

%% Filled where each is of one line, one below the other where not.
braced(Open, Parts, Close, At0) ->
    At = At0 + length(Open),
    All = [P(At) || P <- Parts],
    Inside = case one_line(All, At + length(Close)) of
                 {ok, Line} -> [Line];
                 false ->
                     case lists:all(fun(P) -> length(P) =:= 1 end, All) of
                         true -> fill(lists:append(All), At);
                         false -> each(All)
                     end
             end,
    after_last(cat(Open, Inside), Close).
fill([Line], _) -> [Line];
fill([Line, Next | Rest], At) ->
    case At + length(Line) + length(Next) + 3 =< ?WIDTH of
        true -> fill([Line ++ ", " ++ Next | Rest], At);
        false -> [Line ++ "," | fill([Next | Rest], At)]
    end.

arguments(As, At) ->
    Parts = [e(A, 0, At + 1) || A <- As],
    Inside = case one_line(Parts, At + 2) of
                 {ok, Line} -> [Line];
                 false -> each(Parts)
             end,
    after_last(cat("(", Inside), ")").

paren(P, Prec, Make, At) when P < Prec -> after_last(cat("(", Make(At + 1)), ")");
paren(_, _, Make, At) -> Make(At).

e({var, _, V}, _, _) -> [atom_to_list(V)];
e({char, _, C}, _, _) -> [latin1(io_lib:write_char(C))];
e({integer, _, N}, _, _) -> [integer_to_list(N)];
e({float, _, N}, _, _) -> [lists:flatten(io_lib:write(N))];
e({atom, _, A}, _, _) -> [quoted(A)];
e({string, _, S}, _, _) -> [string(S)];
e({nil, _}, _, _) -> ["[]"];
e({cons, _, _, _} = List, _, At) -> list(List, [], At);
e({tuple, _, Es}, _, At) -> braced("{", [fun(A) -> e(E, 0, A) end || E <- Es], "}", At);
e({map, _, Fs}, Prec, At) ->
    paren(700, Prec, fun(A) -> braced("#{", [fun(B) -> field(F, B) end || F <- Fs], "}", A) end, At);
e({map, _, On, Fs}, Prec, At) -> on(On, "#{", Fs, Prec, At);
e({record, _, Name, Fs}, Prec, At) ->
    paren(700, Prec, fun(A) -> braced("#" ++ quoted(Name) ++ "{", [fun(B) -> field(F, B) end || F <- Fs], "}", A) end, At);
e({record, _, On, Name, Fs}, Prec, At) -> on(On, "#" ++ quoted(Name) ++ "{", Fs, Prec, At);
e({record_index, _, Name, F}, Prec, At) -> paren(700, Prec, fun(A) -> cat("#" ++ quoted(Name) ++ ".", e(F, 0, A)) end, At);
e({record_field, _, On, Name, F}, Prec, At) ->
    paren(700, Prec, fun(A) -> cat(cat(e(On, 800, A), "#" ++ quoted(Name) ++ "."), e(F, 0, A)) end, At);
e({bin, _, Es}, _, At) -> bits(Es, At);
e({lc, _, E, Qs}, _, At) -> ["[ "] ++ by(1, comprehension(E, Qs, At + 1)) ++ ["]"];
e({bc, _, E, Qs}, _, At) -> ["<< "] ++ by(2, comprehension(E, Qs, At + 2)) ++ [">>"];
e({mc, _, E, Qs}, _, At) -> ["#{ "] ++ by(2, comprehension(E, Qs, At + 2)) ++ ["}"];
e({block, _, [E]}, _, At) -> short(["begin", e(E, 0, At + 6), "end"], fun() -> ["begin"] ++ by(4, body([E], At + 4)) ++ ["end"] end, At);
e({block, _, Es}, _, At) -> ["begin"] ++ by(4, body(Es, At + 4)) ++ ["end"];
e({'if', _, Cs}, _, At) ->
    ["if"] ++ by(4, clauses(Cs, fun({clause, _, [], Gs, B}, A) -> headed([guard(Gs)], [], B, A) end, At + 4)) ++ ["end"];
e({'case', _, E, Cs}, _, At) -> cat(cat("case ", e(E, 0, At + 5)), " of") ++ by(4, patterns(Cs, At + 4)) ++ ["end"];
e({'receive', _, Cs}, _, At) -> ["receive"] ++ by(4, patterns(Cs, At + 4)) ++ ["end"];
e({'receive', _, Cs, Time, B}, _, At) -> timed(Cs, Time, B, At);
e({'fun', _, {function, F, N}}, _, _) -> ["fun " ++ quoted(F) ++ "/" ++ integer_to_list(N)];
e({'fun', _, {function, M, F, N}}, _, _) when is_atom(M) ->
    ["fun " ++ quoted(M) ++ ":" ++ quoted(F) ++ "/" ++ integer_to_list(N)];
e({'fun', _, {function, M, F, N}}, _, At) -> cat(cat(cat("fun ", e(M, 0, At)), ":"), cat(cat(e(F, 0, At), "/"), e(N, 0, At)));
e({'fun', _, {clauses, Cs}}, _, At) -> cat("fun", clauses(Cs, fun(C, A) -> function_clause("", C, A) end, At + 3)) ++ ["end"];
e({named_fun, _, Name, Cs}, _, At) ->
    cat("fun ", clauses(Cs, fun(C, A) -> function_clause(atom_to_list(Name), C, A) end, At + 4)) ++ ["end"];
e({call, _, F, As}, Prec, At) ->
    paren(700, Prec, fun(A) ->
                             Name = e(F, 800, A),
                             cat(Name, arguments(As, case Name of [One] -> A + length(One); _ -> A + 3 end))
                     end, At);
e({remote, _, M, F}, Prec, At) -> paren(800, Prec, fun(A) -> cat(cat(e(M, 900, A), ":"), e(F, 900, A)) end, At);
e({'try', _, Es, Of, Catch, After}, _, At) -> tried(Es, Of, Catch, After, At);
e({'catch', _, E}, Prec, At) -> paren(0, Prec, fun(A) -> cat("catch ", e(E, 100, A + 6)) end, At);
e({match, _, L, R}, Prec, At) -> paren(100, Prec, fun(A) -> matched(L, " =", R, A) end, At);
e({maybe_match, _, L, R}, Prec, At) -> paren(100, Prec, fun(A) -> matched(L, " ?=", R, A) end, At);
e({'maybe', _, [E]}, _, At) -> short(["maybe", e(E, 0, At + 6), "end"], fun() -> ["maybe"] ++ by(4, body([E], At + 4)) ++ ["end"] end, At);
e({'maybe', _, Es}, _, At) -> ["maybe"] ++ by(4, body(Es, At + 4)) ++ ["end"];
e({'maybe', _, Es, {'else', _, Cs}}, _, At) ->
    ["maybe"] ++ by(4, body(Es, At + 4)) ++ ["else"] ++ by(4, patterns(Cs, At + 4)) ++ ["end"];
e({op, _, Op, E}, Prec, At) ->
    Text = case lists:member(Op, ['+', '-']) of
               true -> atom_to_list(Op);
               false -> atom_to_list(Op) ++ " "
           end,
    paren(600, Prec, fun(A) -> cat(Text, e(E, 700, A + length(Text))) end, At);
e({op, _, Op, L, R}, Prec, At) ->
    {Left, P, Right} = prec(Op),
    paren(P, Prec, fun(A) -> operation(Op, e(L, Left, A), e(R, Right, A), A) end, At);
e({value, _, V}, _, At) -> e(erl_parse:abstract(V), 0, At);
e(Other, _, _) -> error({badarg, Other}).

operation(Op, L, R, At) ->
    case {L, R} of
        {[A], [B]} when Op =/= 'andalso', Op =/= 'orelse', At + length(A) + length(B) + 6 =< ?WIDTH ->
            [A ++ " " ++ atom_to_list(Op) ++ " " ++ B];
        _ -> L ++ [atom_to_list(Op)] ++ R
    end.

%% What takes more lines hangs only where that is no further than a step to the right.
matched(L, Sign, R, At) ->
    Left = after_last(e(L, 150, At), Sign),
    Wide = length(lists:last(Left)) + 1,
    case e(R, 100, At + Wide) of
        [_, _ | _] when Wide > 4, element(1, R) =/= call -> Left ++ by(4, e(R, 100, At + 4));
        Right -> cat(after_last(Left, " "), Right)
    end.

prec('!') -> {150, 100, 100};
prec('orelse') -> {160, 150, 150};
prec('andalso') -> {200, 160, 160};
prec(Op) when Op =:= '++'; Op =:= '--' -> {400, 300, 300};
prec(Op) ->
    case lists:member(Op, ['==', '/=', '=<', '<', '>=', '>', '=:=', '=/=']) of
        true -> {300, 200, 300};
        false ->
            case lists:member(Op, ['+', '-', 'bor', 'bxor', 'bsl', 'bsr', 'or', 'xor']) of
                true -> {400, 400, 500};
                false -> {500, 500, 600}
            end
    end.

list({cons, _, H, T}, Before, At) -> list(T, [fun(A) -> e(H, 0, A) end | Before], At);
list({nil, _}, Before, At) -> braced("[", lists:reverse(Before), "]", At);
list(Tail, [Last | Before], At) ->
    braced("[", lists:reverse([fun(A) -> cat(after_last(Last(A), " | "), e(Tail, 0, A)) end | Before]), "]", At).

on(On, Open, Fs, Prec, At) ->
    paren(700, Prec, fun(A) ->
                             Left = e(On, 800, A),
                             cat(Left, braced(Open, [fun(B) -> field(F, B) end || F <- Fs], "}", A + length(lists:last(Left))))
                     end, At).

field({map_field_assoc, _, K, V}, At) -> pair(K, " => ", V, At);
field({map_field_exact, _, K, V}, At) -> pair(K, " := ", V, At);
field({record_field, _, F}, At) -> e(F, 0, At);
field({record_field, _, F, V}, At) -> pair(F, " = ", V, At).
pair(K, Between, V, At) ->
    Key = after_last(e(K, 0, At), Between),
    cat(Key, e(V, 0, At + length(lists:last(Key)))).

bits([{bin_element, _, {string, _, S}, default, default}], _) -> ["<<" ++ string(S) ++ ">>"];
bits(Es, At) -> ["<<" ++ lists:append(lists:join(",", [text(element_of(E, At)) || E <- Es])) ++ ">>"].
element_of({bin_element, _, V, Size, Types}, At) ->
    Sized = case Size of
                default -> "";
                _ -> cat(":", e(Size, 900, At))
            end,
    Typed = case Types of
                default -> "";
                _ -> "/" ++ lists:append(lists:join("-", [type(T) || T <- Types]))
            end,
    cat(cat(e(V, 900, At), Sized), Typed).
type({T, N}) -> quoted(T) ++ ":" ++ integer_to_list(N);
type(T) -> quoted(T).

comprehension(E, Qs, At) ->
    Template = case element(1, E) of
                   map_field_assoc -> field(E, At);
                   _ -> e(E, 0, At)
               end,
    after_last(Template, " ||") ++ by(4, each([qualifier(Q, At + 4) || Q <- Qs])).
qualifier({generate, _, P, E}, At) -> generated(P, " <- ", E, At);
qualifier({b_generate, _, P, E}, At) -> generated(P, " <= ", E, At);
qualifier({m_generate, _, {map_field_exact, _, K, V}, E}, At) -> cat(pair(K, " := ", V, At), cat(" <- ", e(E, 0, At)));
qualifier(E, At) -> e(E, 0, At).
generated(P, Arrow, E, At) ->
    Left = after_last(e(P, 0, At), Arrow),
    cat(Left, e(E, 0, At + length(lists:last(Left)))).

%% Clauses.
clauses([C], Show, At) -> Show(C, At);
clauses([C | Cs], Show, At) -> after_last(Show(C, At), ";") ++ clauses(Cs, Show, At).
patterns([], _) -> [];
patterns(Cs, At) -> clauses(Cs, fun({clause, _, [P], Gs, B}, A) -> headed(e(P, 0, A), Gs, B, A) end, At).
function_clause(Name, {clause, _, As, Gs, B}, At) -> headed(cat(Name, arguments(As, At + length(Name))), Gs, B, At).
headed(Head, Gs, B, At) -> after_last(cat(Head, guarded(Gs, At)), " ->") ++ by(4, body(B, At + 4)).
guarded([], _) -> "";
guarded(Gs, At) ->
    [First | Rest] = [exprs_at(Tests, At + 5) || Tests <- Gs],
    cat(" when ", lists:foldl(fun(G, Before) -> cat(after_last(Before, "; "), G) end, First, Rest)).

short(Parts, Long, At) ->
    Lines = [case P of [[_ | _] = Line] -> Line; [C | _] when is_integer(C) -> P; _ -> long end || P <- Parts],
    case lists:member(long, Lines) of
        false ->
            Line = lists:append(lists:join(" ", Lines)),
            case At + length(Line) =< ?WIDTH of
                true -> [Line];
                false -> Long()
            end;
        true -> Long()
    end.

timed(Cs, Time, B, At) ->
    Timeout = after_last(e(Time, 0, At + 4), " ->"),
    Inside = fun() ->
                     case B of
                         [E] -> short([Timeout, e(E, 0, At + 8)], fun() -> Timeout ++ by(4, body(B, At + 8)) end, At + 4);
                         _ -> Timeout ++ by(4, body(B, At + 8))
                     end
             end,
    Long = fun() -> ["receive"] ++ by(4, patterns(Cs, At + 4)) ++ ["after"] ++ by(4, Inside()) ++ ["end"] end,
    case {Cs, B} of
        {[], [_]} -> short(["receive after", Inside(), "end"], Long, At);
        _ -> Long()
    end.

tried([E], [], [], [A], At) ->
    Long = fun() -> ["try"] ++ by(4, e(E, 0, At + 4)) ++ ["after"] ++ by(4, e(A, 0, At + 4)) ++ ["end"] end,
    short(["try", e(E, 0, At), "after", e(A, 0, At), "end"], Long, At);
tried(Es, Of, Catch, After, At) ->
    Start = case {Of, Es} of
                {[], _} -> ["try"] ++ by(4, body(Es, At + 4));
                {_, [E]} -> cat(cat("try ", e(E, 0, At + 4)), " of") ++ by(4, patterns(Of, At + 4));
                _ -> ["try"] ++ by(4, body(Es, At + 4)) ++ ["of"] ++ by(4, patterns(Of, At + 4))
            end,
    Caught = case Catch of
                 [] -> [];
                 _ -> ["catch"] ++ by(4, clauses(Catch, fun catch_clause/2, At + 4))
             end,
    Last = case After of
               [] -> [];
               _ -> ["after"] ++ by(4, body(After, At + 4))
           end,
    Start ++ Caught ++ Last ++ ["end"].

catch_clause({clause, _, [{tuple, _, [Class, Reason, Stack]}], Gs, B}, At) ->
    Head = cat(after_last(e(Class, 0, At), ":"), e(Reason, 0, At)),
    Full = case Stack of
               {var, _, '_'} -> Head;
               _ -> cat(after_last(Head, ":"), e(Stack, 0, At))
           end,
    headed(Full, Gs, B, At).
