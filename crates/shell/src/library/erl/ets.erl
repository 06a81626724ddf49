%% ets: what is shorter in Erlang, and the process that watches an owner.
-module(ets).
-export(['-watch'/2, '-keep'/1, fun2ms/1, foldl/3, foldr/3, i/0, i/1, tab2file/2, tab2file/3, file2tab/1, file2tab/2,
         tabfile_info/1, init_table/2, from_dets/2, to_dets/2]).

%% The tables of a process that ends go to their heirs, or away.
'-watch'(Value, Owner) ->
    catch spawn(ets, '-keep', [Owner]),
    Value.
'-keep'(Owner) ->
    M = erlang:monitor(process, Owner),
    receive
        {'DOWN', M, process, _, _} -> ets:'-gone'(Owner)
    end.

fun2ms(F) ->
    case ets:'-fun2ms'(F) of
        {ok, Spec} -> Spec;
        {error, Why} ->
            io:format("Error: ~ts~n", [Why]),
            {error, transform_error}
    end.

foldl(F, A, T) -> lists:foldl(F, A, ets:tab2list(T)).
foldr(F, A, T) -> lists:foldr(F, A, ets:tab2list(T)).

i() ->
    line("id", "name", "type", "size", "mem", "owner"),
    io:put_chars([" ", lists:duplicate(76, $-), "\n"]),
    lists:foreach(fun row/1, lists:sort(ets:all())),
    ok.
row(T) ->
    case ets:info(T) of
        undefined -> ok;
        Info ->
            [Name, Type, Size, Mem, Owner] = [proplists:get_value(K, Info) || K <- [name, type, size, memory, owner]],
            Id = if is_atom(T) -> T; true -> '-' end,
            line(text(Id), text(Name), text(Type), text(Size), text(Mem), owner(Owner))
    end.
owner(P) ->
    case process_info(P, registered_name) of
        {registered_name, N} when is_atom(N) -> text(N);
        _ -> text(P)
    end.
text(T) -> lists:flatten(io_lib:format("~tw", [T])).
line(Id, Name, Type, Size, Mem, Owner) ->
    io:format(" ~ts ~ts ~ts ~ts ~ts ~ts~n", [wide(Id, 15), wide(Name, 17), wide(Type, 5), wide(Size, 6), wide(Mem, 8), Owner]).
%% At least so wide; what is longer stays whole.
wide(S, N) -> S ++ lists:duplicate(max(0, N - length(S)), $\s).
i(T) ->
    lists:foreach(fun(O) -> io:format("~tp~n", [O]) end, ets:tab2list(T)).

%% The file holds one term: it is no file of OTP's.
tab2file(T, File) -> tab2file(T, File, []).
tab2file(T, File, _) ->
    case ets:info(T) of
        undefined -> {error, badtab};
        Info -> file:write_file(File, term_to_binary({trunkline_ets, 1, Info, ets:tab2list(T)}))
    end.
file2tab(File) -> file2tab(File, []).
file2tab(File, _) ->
    case read(File) of
        {ok, Info, Objects} ->
            V = fun(K) -> proplists:get_value(K, Info) end,
            Named = [named_table || V(named_table)],
            try ets:new(V(name), [V(type), V(protection), {keypos, V(keypos)} | Named]) of
                T ->
                    ets:insert(T, Objects),
                    {ok, T}
            catch
                error:badarg -> {error, cannot_create_table}
            end;
        Error -> Error
    end.
read(File) ->
    case file:read_file(File) of
        {ok, B} ->
            try binary_to_term(B) of
                {trunkline_ets, 1, Info, Objects} -> {ok, Info, Objects};
                _ -> {error, badfile}
            catch
                error:badarg -> {error, badfile}
            end;
        {error, Why} -> {error, {read_error, {file_error, File, Why}}}
    end.
tabfile_info(File) ->
    case read(File) of
        {ok, Info, _} -> {ok, [{K, proplists:get_value(K, Info)} || K <- [name, type, protection, named_table, keypos, size]]};
        Error -> Error
    end.

init_table(T, F) ->
    ets:delete_all_objects(T),
    fill(T, F(read)).
fill(_, end_of_input) -> true;
fill(T, {Objects, F}) ->
    ets:insert(T, Objects),
    fill(T, F(read)).
from_dets(_, _) -> error(badarg).
to_dets(_, _) -> error(badarg).
