%% c: the commands of a shell that have to do with modules. The others are the node's.
-module(c).
-export([c/1, c/2, c/3, l/1, lm/0, lc/1, nc/1, nc/2, nl/1, m/0, m/1, mm/0]).

c(File) -> c(File, []).

c(File, Options) ->
    case code:'$compile'(File, Options) of
        {ok, Module} -> {ok, Module};
        {error, Text} -> io:put_chars(Text), error;
        nofile when is_atom(File) -> {error, non_existing};
        nofile ->
            io:format("~ts: no such file or directory~n", [with_extension(File)]),
            error
    end.

c(File, Options, _Filter) -> c(File, Options).

with_extension(File) ->
    case lists:suffix(".erl", File) of
        true -> File;
        false -> File ++ ".erl"
    end.

l(Module) ->
    code:purge(Module),
    code:load_file(Module).

lm() -> [].

lc(Files) ->
    case [File || File <- Files, element(1, {c(File)}) =:= error] of
        [] -> ok;
        _ -> error
    end.

nc(File) -> nc(File, []).

nc(File, Options) ->
    case c(File, Options) of
        {ok, Module} ->
            Source = code:which(Module),
            [rpc:cast(Node, code, load_abs, [Source]) || Node <- nodes()],
            {ok, Module};
        Error -> Error
    end.

nl(Module) ->
    case code:which(Module) of
        File when is_list(File) ->
            [rpc:cast(Node, code, load_abs, [File]) || Node <- nodes()],
            l(Module);
        _ -> {error, nofile}
    end.

mm() -> [].

m() ->
    io:format("~-20s  ~s~n", ["Module", "File"]),
    Rows = lists:sort([{atom_to_list(Module), File} || {Module, File} <- code:all_loaded()]),
    [io:format("~-20.20s  ~ts~n", [Name, place(File)]) || {Name, File} <- Rows],
    ok.

place(File) when is_atom(File) -> atom_to_list(File);
place(File) -> File.

m(Module) ->
    Info = Module:module_info(),
    io:format("Module: ~w~n", [Module]),
    case proplists:get_value(md5, Info) of
        <<MD5:128>> -> io:format("MD5: ~32.16.0b~n", [MD5]);
        _ -> ok
    end,
    io:format("Object file: ~ts~n", [place(code:which(Module))]),
    io:format("Compiler options:  ~p~n", [[]]),
    io:format("Exports: ~n"),
    exports(lists:sort(proplists:get_value(exports, Info))).

exports(All) ->
    [io:format("         ~ts~n", [shown(One)]) || One <- All],
    ok.

shown({Name, Arity}) -> io_lib:format("~tw/~w", [Name, Arity]).
