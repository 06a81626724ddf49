%% erl_parse: trees of values, and the places that trees carry.
-module(erl_parse).
-export([abstract/1, abstract/2, map_anno/2, fold_anno/3, mapfold_anno/3, first_anno/1, new_anno/1, anno_to_term/1,
         anno_from_term/1, format_error/1, tokens/1, tokens/2]).

abstract(T) -> value(T, 0, text_of(utf8)).

abstract(T, Options) when is_list(Options) ->
    At = proplists:get_value(location, Options, undefined),
    Place = case At of
                undefined -> proplists:get_value(line, Options, 0);
                _ -> At
            end,
    value(T, Place, text_of(proplists:get_value(encoding, Options, utf8)));
abstract(T, Place) -> value(T, Place, text_of(utf8)).

%% Which numbers may stand in a string.
text_of(latin1) -> fun(C) -> C < 256 end;
text_of(Unicode) when Unicode =:= unicode; Unicode =:= utf8 ->
    fun(C) -> C < 16#D800 orelse C > 16#DFFF andalso C < 16#FFFE orelse C > 16#FFFF andalso C =< 16#10FFFF end;
text_of(none) -> fun(_) -> false end;
text_of(F) when is_function(F, 1) -> F;
text_of(Other) -> error({badarg, Other}).

value(T, A, _) when is_integer(T) -> {integer, A, T};
value(T, A, _) when is_float(T) -> {float, A, T};
value(T, A, _) when is_atom(T) -> {atom, A, T};
value([], A, _) -> {nil, A};
value(T, A, _) when is_bitstring(T) -> {bin, A, [byte_of(B, A) || B <- bitstring_to_list(T)]};
value(T, A, IsText) when is_list(T) -> list(T, [], A, IsText);
value(T, A, IsText) when is_tuple(T) -> {tuple, A, [value(E, A, IsText) || E <- tuple_to_list(T)]};
value(T, A, IsText) when is_map(T) ->
    {map, A, [{map_field_assoc, A, value(K, A, IsText), value(V, A, IsText)} || {K, V} <- maps:to_list(T)]};
value(T, A, IsText) when is_function(T) ->
    case erlang:fun_info(T, type) of
        {type, external} ->
            [{_, M}, {_, F}, {_, N}] = [erlang:fun_info(T, What) || What <- [module, name, arity]],
            {'fun', A, {function, value(M, A, IsText), value(F, A, IsText), value(N, A, IsText)}};
        _ -> error({case_clause, {type, local}})
    end;
value(_, _, _) -> error(function_clause).

%% What of a list is text before something else comes, is text only when nothing else comes.
list([H | T], Text, A, IsText) ->
    case is_integer(H) andalso H >= 0 andalso IsText(H) of
        true -> list(T, [H | Text], A, IsText);
        false -> consed(Text, {cons, A, value(H, A, IsText), value(T, A, IsText)}, A)
    end;
list([], Text, A, _) -> {string, A, lists:reverse(Text)};
list(T, Text, A, IsText) -> consed(Text, value(T, A, IsText), A).

consed(Text, Tail, A) -> lists:foldl(fun(C, Rest) -> {cons, A, {integer, A, C}, Rest} end, Tail, Text).

byte_of(B, A) when is_integer(B) -> {bin_element, A, {integer, A, B}, default, default};
byte_of(Bits, A) ->
    Size = bit_size(Bits),
    <<Value:Size>> = Bits,
    {bin_element, A, {integer, A, Value}, {integer, A, Size}, default}.

%% Places.
map_anno(F, Tree) ->
    {New, _} = mapfold_anno(fun(A, _) -> {F(A), ok} end, ok, Tree),
    New.

fold_anno(F, Acc, Tree) ->
    {_, New} = mapfold_anno(fun(A, Before) -> {A, F(A, Before)} end, Acc, Tree),
    New.

mapfold_anno(F, Acc, Tree) -> walk(Tree, Acc, F).

new_anno(Tree) -> map_anno(fun erl_anno:new/1, Tree).
anno_to_term(Tree) -> map_anno(fun erl_anno:to_term/1, Tree).
anno_from_term(Tree) -> map_anno(fun erl_anno:from_term/1, Tree).

%% The first of them in the text.
first_anno(Tree) ->
    {found, First} = fold_anno(fun first/2, none, Tree),
    First.

first(A, none) -> {found, A};
first(A, {found, B} = Old) ->
    case erl_anno:location(A) < erl_anno:location(B) of
        true -> {found, A};
        false -> Old
    end.

walk([H | T], Acc, F) ->
    {H1, Acc1} = walk(H, Acc, F),
    {T1, Acc2} = walk(T, Acc1, F),
    {[H1 | T1], Acc2};
walk({clauses, Cs}, Acc, F) -> under(clauses, Cs, Acc, F);
walk({typed_record_field, Field, Type}, Acc, F) ->
    {[Field1, Type1], Acc1} = walk([Field, Type], Acc, F),
    {{typed_record_field, Field1, Type1}, Acc1};
walk({function, _, _} = Local, Acc, _) -> {Local, Acc};
walk({function, M, N, As}, Acc, F) when is_tuple(M) ->
    {[M1, N1, As1], Acc1} = walk([M, N, As], Acc, F),
    {{function, M1, N1, As1}, Acc1};
walk({function, M, _, _} = Remote, Acc, _) when is_atom(M) -> {Remote, Acc};
walk({error, _} = Error, Acc, _) -> {Error, Acc};
walk({warning, _} = Warning, Acc, _) -> {Warning, Acc};
walk({bin_element, A, E, Size, Types}, Acc, F) ->
    {A1, Acc1} = F(A, Acc),
    {E1, Acc2} = walk(E, Acc1, F),
    {Size1, Acc3} = walk(Size, Acc2, F),
    {{bin_element, A1, E1, Size1, Types}, Acc3};
walk({attribute, A, Kind, Data}, Acc, F) ->
    {A1, Acc1} = F(A, Acc),
    {Data1, Acc2} = attribute(Kind, Data, Acc1, F),
    {{attribute, A1, Kind, Data1}, Acc2};
walk({Leaf, A, Value}, Acc, F)
  when Leaf =:= integer; Leaf =:= float; Leaf =:= atom; Leaf =:= char; Leaf =:= string; Leaf =:= var ->
    {A1, Acc1} = F(A, Acc),
    {{Leaf, A1, Value}, Acc1};
walk(Node, Acc, F) when is_tuple(Node), tuple_size(Node) >= 2 ->
    [Kind, A | Parts] = tuple_to_list(Node),
    {A1, Acc1} = F(A, Acc),
    {Parts1, Acc2} = walk(Parts, Acc1, F),
    {list_to_tuple([Kind, A1 | Parts1]), Acc2};
walk(Other, Acc, _) -> {Other, Acc}.

under(Kind, Parts, Acc, F) ->
    {Parts1, Acc1} = walk(Parts, Acc, F),
    {{Kind, Parts1}, Acc1}.

attribute(record, {Name, Fields}, Acc, F) -> under(Name, Fields, Acc, F);
attribute(Spec, {Name, Types}, Acc, F) when Spec =:= spec; Spec =:= callback -> under(Name, Types, Acc, F);
attribute(Type, {Name, T, As}, Acc, F) when Type =:= type; Type =:= opaque ->
    {[T1, As1], Acc1} = walk([T, As], Acc, F),
    {{Name, T1, As1}, Acc1};
attribute(_, Data, Acc, _) -> {Data, Acc}.

%% The tokens of a value's tree.
tokens(Tree) -> tokens(Tree, []).
tokens({char, A, C}, More) -> [{char, A, C} | More];
tokens({integer, A, N}, More) -> [{integer, A, N} | More];
tokens({float, A, N}, More) -> [{float, A, N} | More];
tokens({atom, A, N}, More) -> [{atom, A, N} | More];
tokens({var, A, V}, More) -> [{var, A, V} | More];
tokens({string, A, S}, More) -> [{string, A, S} | More];
tokens({nil, A}, More) -> [{'[', A}, {']', A} | More];
tokens({cons, A, H, T}, More) -> [{'[', A} | tokens(H, tail(T, More))];
tokens({tuple, A, []}, More) -> [{'{', A}, {'}', A} | More];
tokens({tuple, A, [E | Es]}, More) ->
    [{'{', A} | tokens(E, lists:foldr(fun(T, Rest) -> [{',', A} | tokens(T, Rest)] end, [{'}', A} | More], Es))].

tail({nil, A}, More) -> [{']', A} | More];
tail({cons, A, H, T}, More) -> [{',', A} | tokens(H, tail(T, More))];
tail(Other, More) ->
    A = element(2, Other),
    [{'|', A} | tokens(Other, [{']', A} | More])].

format_error(Message) ->
    case io_lib:deep_char_list(Message) of
        true -> Message;
        false -> io_lib:write(Message)
    end.
