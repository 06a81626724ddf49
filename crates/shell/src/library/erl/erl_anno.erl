%% erl_anno: where in a source something stands.
-module(erl_anno).
-export([new/1, is_anno/1, column/1, line/1, location/1, end_location/1, file/1, generated/1, record/1, text/1,
         set_file/2, set_generated/2, set_line/2, set_location/2, set_record/2, set_text/2, to_term/1, from_term/1]).

new(Line) when is_integer(Line), Line >= 0 -> Line;
new({Line, Column} = L) when is_integer(Line), Line >= 0, is_integer(Column), Column >= 1 -> L;
new(L) -> error(badarg, [L]).

is_anno(Line) when is_integer(Line) -> Line >= 0;
is_anno({Line, Column}) -> is_integer(Line) andalso Line >= 0 andalso is_integer(Column) andalso Column >= 1;
is_anno([_ | _] = A) -> lists:all(fun part/1, A) andalso lists:keymember(location, 1, A);
is_anno(_) -> false.
part({file, F}) -> is_list(F);
part({generated, G}) -> is_boolean(G);
part({location, L}) -> is_anno(L) andalso not is_list(L);
part({record, R}) -> is_boolean(R);
part({text, T}) -> is_list(T);
part(_) -> false.

line(A) ->
    case location(A) of
        {Line, _} -> Line;
        Line -> Line
    end.
column(A) ->
    case location(A) of
        {_, Column} -> Column;
        _ -> undefined
    end.
location(Line) when is_integer(Line) -> Line;
location({_, _} = L) -> L;
location(A) when is_list(A) -> found(location, A, undefined).

%% Where its text ends.
end_location(A) ->
    case text(A) of
        undefined ->
            case A of
                L when is_list(L) -> found(end_location, A, undefined);
                _ -> undefined
            end;
        Text ->
            case location(A) of
                {Line, Column} -> behind(Text, Line, Column);
                Line -> Line + length([C || C <- Text, C =:= $\n])
            end
    end.
behind([], Line, Column) -> {Line, Column};
behind([$\n | T], Line, _) -> behind(T, Line + 1, 1);
behind([_ | T], Line, Column) -> behind(T, Line, Column + 1).

file(A) -> of_list(file, A, undefined).
generated(A) -> of_list(generated, A, false).
record(A) -> of_list(record, A, false).
text(A) -> of_list(text, A, undefined).
of_list(K, A, Default) when is_list(A) -> found(K, A, Default);
of_list(_, _, Default) -> Default.
found(K, A, Default) ->
    case lists:keyfind(K, 1, A) of
        {_, V} -> V;
        false -> Default
    end.

set_file(F, A) -> set(file, F, A).
set_generated(G, A) -> set(generated, G, A).
set_record(R, A) -> set(record, R, A).
set_text(T, A) -> set(text, T, A).
set_location(L, A) when is_list(A) -> set(location, L, A);
set_location(L, _) -> L.
set_line(Line, A) ->
    case location(A) of
        {_, Column} -> set_location({Line, Column}, A);
        _ -> set_location(Line, A)
    end.
%% What is so by itself is not kept.
set(K, V, A) when is_list(A) ->
    Rest = lists:keydelete(K, 1, A),
    case V of
        false -> simple(Rest);
        _ -> simple(lists:sort([{K, V} | Rest]))
    end;
set(_, false, A) -> A;
set(K, V, A) -> lists:sort([{K, V}, {location, A}]).
simple([{location, L}]) -> L;
simple(A) -> A.

to_term(A) -> A.
from_term(L) when is_list(L) -> L;
from_term(Line) when is_integer(Line), Line < 0 -> set_generated(true, new(-Line));
from_term(T) -> T.
