%% c: what a shell knows without a module in front: the commands that have to do with modules, and those that look around.
-module(c).
-export([c/1, c/2, c/3, l/1, lm/0, lc/1, nc/1, nc/2, nl/1, m/0, m/1, mm/0]).
-export([bt/1, i/0, i/1, i/3, ni/0, nregs/0, regs/0, memory/0, memory/1, uptime/0, xm/1, y/1, y/2, h/1, h/2, h/3,
         pid/3, nodes/0, erlangrc/0]).

c(File) -> c(File, []).

c(File, Options) ->
    case code:'$compile'(File, Options) of
        {ok, Module, <<>>} -> {ok, Module};
        {ok, Module, Warnings} -> io:put_chars(Warnings), {ok, Module};
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

exports(All) when length(All) > 16 ->
    {Left, Right} = lists:split(length(All) div 2, All),
    beside(Left, Right);
exports(All) ->
    [io:format("         ~ts~n", [shown(One)]) || One <- All],
    ok.

beside([A | As], [B | Bs]) ->
    io:format("~-30ts~ts~n", [lists:flatten(shown(A)), shown(B)]),
    beside(As, Bs);
beside([], [B | Bs]) ->
    io:format("~-30ts~ts~n", [" ", shown(B)]),
    beside([], Bs);
beside([], []) ->
    ok.

shown({Name, Arity}) -> io_lib:format("~tw/~w", [Name, Arity]).

%% Looking around.

bt(Pid) ->
    try erlang:process_display(Pid, backtrace) of
        _ -> ok
    catch
        _:_ -> undefined
    end.

pid(X, Y, Z) ->
    Text = fun erlang:integer_to_list/1,
    list_to_pid("<" ++ Text(X) ++ "." ++ Text(Y) ++ "." ++ Text(Z) ++ ">").

nodes() -> erlang:nodes().

memory() -> erlang:memory().

memory(Kind) -> erlang:memory(Kind).

uptime() ->
    {Millis, _} = erlang:statistics(wall_clock),
    Seconds = Millis div 1000,
    {D, H, M} = {Seconds div 86400, Seconds div 3600 rem 24, Seconds div 60 rem 60},
    [io:format("~w days, ", [D]) || D > 0],
    [io:format("~w hours, ", [H]) || D + H > 0],
    [io:format("~w minutes and ", [M]) || D + H + M > 0],
    io:format("~w seconds~n", [Seconds rem 60]).

%% Who lives here.

i() -> i(processes()).

ni() -> i(lists:append([on(N, processes) || N <- everywhere()])).

i(X, Y, Z) -> info(pid(X, Y, Z)).

everywhere() ->
    case is_alive() of
        true -> [node() | erlang:nodes()];
        false -> [node()]
    end.

on(Node, Function) when Node =:= node() -> apply(erlang, Function, []);
on(Node, Function) ->
    case rpc:call(Node, erlang, Function, []) of
        List when is_list(List) -> List;
        _ -> []
    end.

info(Pid) when node(Pid) =:= node() -> process_info(Pid);
info(Pid) -> rpc:call(node(Pid), erlang, process_info, [Pid]).

i(Pids) ->
    row("Pid", "Initial Call", "Heap", "Reds", "Msgs"),
    row("Registered", "Current Function", "Stack", "", ""),
    Sums = lists:foldl(fun(Pid, Sums) -> add(Sums, tell(Pid)) end, {0, 0, 0, 0}, Pids),
    {Heap, Reds, Msgs, Stack} = Sums,
    row("Total", "", text(Heap), text(Reds), text(Msgs)),
    row("", "", text(Stack), "", "").

add({A, B, C, D}, {E, F, G, H}) -> {A + E, B + F, C + G, D + H}.

tell(Pid) ->
    case info(Pid) of
        Info when is_list(Info) ->
            Of = fun(Key) -> proplists:get_value(Key, Info, 0) end,
            {Heap, Reds, Msgs, Stack} = {Of(heap_size), Of(reductions), Of(message_queue_len), Of(stack_size)},
            row(text(Pid), call(first(Info)), text(Heap), text(Reds), text(Msgs)),
            Name = proplists:get_value(registered_name, Info, []),
            row(name(Name), call(Of(current_function)), text(Stack), "", ""),
            {Heap, Reds, Msgs, Stack};
        _ ->
            {0, 0, 0, 0}
    end.

%% What a process began with, as proc_lib remembers it.
first(Info) ->
    Call = proplists:get_value(initial_call, Info, 0),
    case {Call, proplists:get_value('$initial_call', proplists:get_value(dictionary, Info, []))} of
        {{proc_lib, init_p, _}, {_, _, _} = First} -> First;
        _ -> Call
    end.

call({M, F, A}) when is_list(A) -> call({M, F, length(A)});
call({M, F, A}) -> io_lib:format("~tw:~tw/~w", [M, F, A]);
call(_) -> "".

name([]) -> "";
name(Name) -> text(Name).

text(Term) -> io_lib:format("~tw", [Term]).

row(A, B, C, D, E) ->
    Cells = [cut(21, A), cut(33, B)],
    io:format("~-21ts ~-33ts ~8ts ~8ts ~4ts~n", Cells ++ [C, D, E]).

cut(Width, Text) -> lists:sublist(lists:flatten(Text), Width).

%% Names.

regs() -> names(node()).

nregs() -> lists:foreach(fun(Node) -> names(Node) end, everywhere()).

names(Node) ->
    io:format("~n** Registered procs on node ~w **~n", [Node]),
    named("Name", "Pid", "Initial Call", "Reds", "Msgs"),
    lists:foreach(fun(Name) -> named(Node, Name) end, lists:sort(on(Node, registered))),
    io:format("~n** Registered ports on node ~w **~n", [Node]),
    io:format("~-21s ~-17s ~-40s~n", ["Name", "Id", "Command"]).

named(Node, Name) ->
    Pid = case Node =:= node() of
        true -> whereis(Name);
        false -> rpc:call(Node, erlang, whereis, [Name])
    end,
    case is_pid(Pid) andalso info(Pid) of
        Info when is_list(Info) ->
            Of = fun(Key) -> text(proplists:get_value(Key, Info, 0)) end,
            named(text(Name), text(Pid), call(first(Info)), Of(reductions), Of(message_queue_len));
        _ ->
            ok
    end.

named(A, B, C, D, E) ->
    io:format("~-21ts ~-12ts ~-25ts ~12ts ~4ts~n", [cut(21, A), B, cut(25, C), D, E]).

xm(_) -> no("There is no cross reference tool here.").

y(File) -> y(File, []).

y(_, _) -> no("There is no parser generator here.").

h(_) -> no("There are no documentation chunks here.").

h(M, _) -> h(M).

h(M, _, _) -> h(M).

no(Why) ->
    io:format("~ts~n", [Why]),
    {error, notsup}.

erlangrc() -> {error, enoent}.
