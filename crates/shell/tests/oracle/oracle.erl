%% Evaluates a file of expressions, one per line; writes what came of each, one per line.
-module(oracle).
-export([run/2, parse/2]).

run(In, Out) -> each(In, Out, fun evaluated/1).

%% The abstract format of each, as terms in the external format in base64.
parse(In, Out) -> each(In, Out, fun(Line) -> base64:encode(term_to_binary(parsed(Line))) end).

each(In, Out, F) ->
    {ok, Text} = file:read_file(In),
    Lines = [unicode:characters_to_list(L) || L <- binary:split(Text, <<"\n">>, [global, trim_all])],
    ok = file:write_file(Out, [[unicode:characters_to_binary([F(L)]), $\n] || L <- Lines]),
    halt().

parsed(Line) ->
    case erl_scan:string(Line, {1, 1}) of
        {ok, Tokens, _} -> erl_parse:parse_exprs(Tokens);
        {error, What, _} -> {error, What}
    end.

evaluated(Line) ->
    case parsed(Line) of
        {ok, Exprs} -> evaluate(Exprs);
        {error, {Loc, Mod, What}} -> refused(Loc, Mod, What)
    end.

refused({L, C}, Mod, What) -> io_lib:format("refused ~w:~w: ~ts", [L, C, Mod:format_error(What)]);
refused(L, Mod, What) -> io_lib:format("refused ~w: ~ts", [L, Mod:format_error(What)]).

evaluate(Exprs) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({done, try_all(Exprs, [])}) end),
    receive
        {'DOWN', Ref, process, Pid, {done, Text}} -> Text;
        {'DOWN', Ref, process, Pid, Reason} -> io_lib:format("died ~0tp", [Reason])
    after 5000 ->
        exit(Pid, kill),
        "late"
    end.

try_all([E | Es], Bs) ->
    case erl_lint:exprs_opt([E], Bs, [bitlevel_binaries, binary_comprehension]) of
        {error, [{_, [{Loc, Mod, What} | _]}], _} -> refused(Loc, Mod, What);
        {ok, _} ->
            try erl_eval:expr(E, Bs, none) of
                {value, V, _} when Es =:= [] -> io_lib:format("value ~0tp", [V]);
                {value, _, Bs1} -> try_all(Es, Bs1)
            catch
                C:R -> io_lib:format("~w ~0tp", [C, R])
            end
    end.
