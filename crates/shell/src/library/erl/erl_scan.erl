%% erl_scan: what tokens are.
-module(erl_scan).
-export([category/1, symbol/1, line/1, column/1, location/1, end_location/1, text/1, f_reserved_word/1, string/3,
         format_error/1]).

category({Category, _, _}) -> Category;
category({Category, _}) -> Category;
category(T) -> error(badarg, [T]).
symbol({_, _, Symbol}) -> Symbol;
symbol({Category, _}) -> Category;
symbol(T) -> error(badarg, [T]).
line(T) -> erl_anno:line(anno(T)).
column(T) -> erl_anno:column(anno(T)).
location(T) -> erl_anno:location(anno(T)).
end_location(T) -> erl_anno:end_location(anno(T)).
text(T) -> erl_anno:text(anno(T)).
anno(T) when tuple_size(T) =:= 2; tuple_size(T) =:= 3 -> element(2, T);
anno(T) -> error(badarg, [T]).
f_reserved_word(Word) -> erl_scan:reserved_word(Word).
%% White space, comments and texts are not kept.
string(Text, Location, Options) when is_list(Options) -> erl_scan:string(Text, Location);
string(Text, Location, Option) when is_atom(Option) -> erl_scan:string(Text, Location).
format_error(Text) when is_list(Text) -> lists:flatten(Text).
