%% os: other programs.
-module(os).
-export([cmd/1, cmd/2, find_executable/1, find_executable/2, set_signal/2, perf_counter/1]).

cmd(Text) -> cmd(Text, #{}).
cmd(Text, Opts) ->
    Line = if is_atom(Text) -> atom_to_list(Text); true -> Text end,
    Said = wait(os:'-cmd'(Line), 1),
    Max = maps:get(max_size, Opts, infinity),
    B = if is_integer(Max), Max < byte_size(Said) -> binary:part(Said, 0, Max); true -> Said end,
    try unicode:characters_to_list(B) of
        L when is_list(L) -> L;
        _ -> binary_to_list(B)
    catch
        error:_ -> binary_to_list(B)
    end.
%% Asked again after a while, which grows.
wait(Id, T) ->
    case os:'-said'(Id) of
        {done, B} -> B;
        wait ->
            timer:sleep(T),
            wait(Id, min(T * 2, 20))
    end.

find_executable(Name) -> find_executable(Name, os:getenv("PATH", "")).
find_executable(Name, Path) ->
    case filename:pathtype(Name) of
        absolute -> case runs(Name) of true -> Name; false -> false end;
        relative ->
            case lists:member($/, Name) of
                true ->
                    Full = filename:absname(Name),
                    case runs(Full) of true -> Full; false -> false end;
                false -> first([filename:join(D, Name) || D <- string:split(Path, ":", all), D =/= ""])
            end
    end.
first([F | T]) ->
    case runs(F) of
        true -> F;
        false -> first(T)
    end;
first([]) -> false.
runs(F) ->
    case file:'-info'(F, follow) of
        {ok, I} -> element(3, I) =:= regular andalso element(8, I) band 8#111 =/= 0;
        _ -> false
    end.
set_signal(S, How) when is_atom(S), is_atom(How) -> error(notsup).
perf_counter(Unit) -> erlang:convert_time_unit(os:perf_counter(), perf_counter, Unit).
