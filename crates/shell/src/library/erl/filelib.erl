%% filelib: questions about files, and names by patterns.
-module(filelib).
-export([is_file/1, is_dir/1, is_regular/1, file_size/1, last_modified/1, ensure_dir/1, ensure_path/1, fold_files/5,
         wildcard/1, wildcard/2, safe_relative_path/2, find_file/2, find_file/3, find_source/1, find_source/2]).

kind(F) ->
    case file:'-info'(F, follow) of
        {ok, I} -> element(3, I);
        _ -> none
    end.
is_file(F) -> lists:member(kind(F), [regular, directory, device, other]).
is_dir(F) -> kind(F) =:= directory.
is_regular(F) -> kind(F) =:= regular.
file_size(F) ->
    case file:'-info'(F, follow) of
        {ok, I} -> element(2, I);
        _ -> 0
    end.
last_modified(F) ->
    case file:read_file_info(F) of
        {ok, I} -> element(6, I);
        _ -> 0
    end.
ensure_dir("/") -> ok;
ensure_dir(F) ->
    D = filename:dirname(F),
    ensure_path(D).
ensure_path(D) ->
    case is_dir(D) of
        true -> ok;
        false ->
            case filename:dirname(D) of
                D -> {error, einval};
                Up ->
                    case ensure_path(Up) of
                        {error, eexist} -> {error, enotdir};
                        ok -> made(file:make_dir(D), D);
                        Error -> Error
                    end
            end
    end.
made({error, eexist}, D) ->
    case is_dir(D) of
        true -> ok;
        false -> {error, eexist}
    end;
made(R, _) -> R.

fold_files(Dir, RegExp, Recursive, F, A) ->
    case file:list_dir(Dir) of
        {ok, Names} ->
            lists:foldl(
                fun(N, Acc) ->
                    Full = filename:join(Dir, N),
                    case kind(Full) of
                        regular ->
                            case re:run(N, RegExp, [{capture, none}]) of
                                match -> F(Full, Acc);
                                nomatch -> Acc
                            end;
                        directory when Recursive -> fold_files(Full, RegExp, Recursive, F, Acc);
                        _ -> Acc
                    end
                end, A, Names);
        _ -> A
    end.

wildcard(P) -> wildcard(P, ".").
wildcard(P, Cwd) ->
    Parts = [compiled(X) || X <- filename:split(filename:flatten(P))],
    case Parts of
        [] -> [];
        [{exact, "/"} | Rest] -> lists:sort(found(Rest, "/", "/"));
        _ -> lists:sort(lists:usort(found(Parts, Cwd, "")))
    end.
%% What names fit the rest of the pattern below a directory; `Said` is what of it is to be seen.
found([], _, Said) -> [Said];
found([up | T], Dir, Said) -> found(T, filename:join(Dir, ".."), below(Said, ".."));
found([{exact, N} | T], Dir, Said) ->
    Full = filename:join(Dir, N),
    case file:'-info'(Full, case T of [] -> link; _ -> follow end) of
        {ok, _} -> found(T, Full, below(Said, N));
        _ -> []
    end;
found([deep | T], Dir, Said) ->
    Here = case T of
        [] -> [below(Said, N) || N <- names(Dir)];
        _ -> found(T, Dir, Said)
    end,
    Here ++ lists:append([found([deep | T], filename:join(Dir, N), below(Said, N))
                          || N <- names(Dir), is_dir(filename:join(Dir, N))]);
found([{pattern, P} | T], Dir, Said) ->
    Fits = [N || N <- names(Dir), fits(P, N)],
    case T of
        [] -> [below(Said, N) || N <- Fits];
        _ -> lists:append([found(T, filename:join(Dir, N), below(Said, N)) || N <- Fits, is_dir(filename:join(Dir, N))])
    end.
names(Dir) ->
    case file:list_dir(Dir) of
        {ok, Names} -> Names;
        _ -> []
    end.
below("", N) -> N;
below("/", N) -> "/" ++ N;
below(S, N) -> S ++ "/" ++ N.

compiled("**") -> deep;
compiled("..") -> up;
compiled(P) ->
    C = pattern(P),
    case lists:all(fun is_integer/1, C) of
        true -> {exact, C};
        false -> {pattern, C}
    end.
pattern([]) -> [];
pattern([$\\, C | T]) -> [C | pattern(T)];
pattern([$? | T]) -> [any | pattern(T)];
pattern([$*, $* | T]) -> pattern([$* | T]);
pattern([$* | T]) -> [many | pattern(T)];
pattern([$[ | T]) ->
    case class(T, []) of
        {Set, Rest} -> [{one_of, Set} | pattern(Rest)];
        none -> [$[ | pattern(T)]
    end;
pattern([${ | T]) ->
    case choices(T, 0, [], []) of
        {Alts, Rest} -> [{either, [pattern(A) || A <- Alts]} | pattern(Rest)];
        none -> [${ | pattern(T)]
    end;
pattern([C | T]) -> [C | pattern(T)].
class([], _) -> none;
class([$] | T], A) when A =/= [] -> {A, T};
class([From, $-, To | T], A) when To =/= $] -> class(T, [{From, To} | A]);
class([C | T], A) -> class(T, [C | A]).
choices([], _, _, _) -> none;
choices([$} | T], 0, A, Alts) -> {lists:reverse([lists:reverse(A) | Alts]), T};
choices([$, | T], 0, A, Alts) -> choices(T, 0, [], [lists:reverse(A) | Alts]);
choices([${ | T], D, A, Alts) -> choices(T, D + 1, [${ | A], Alts);
choices([$} | T], D, A, Alts) -> choices(T, D - 1, [$} | A], Alts);
choices([C | T], D, A, Alts) -> choices(T, D, [C | A], Alts).

fits([], []) -> true;
fits([many], _) -> true;
fits([many | T] = P, [_ | N] = All) -> fits(T, All) orelse fits(P, N);
fits([many | T], []) -> fits(T, []);
fits([{either, Alts} | T], N) -> lists:any(fun(A) -> fits(A ++ T, N) end, Alts);
fits([any | T], [_ | N]) -> fits(T, N);
fits([{one_of, Set} | T], [C | N]) ->
    lists:any(fun({A, B}) -> C >= A andalso C =< B; (X) -> X =:= C end, Set) andalso fits(T, N);
fits([C | T], [C | N]) -> fits(T, N);
fits(_, _) -> false.

safe_relative_path(P, _) -> filename:safe_relative_path(P).
find_file(F, Dir) -> find_file(F, Dir, []).
find_file(F, Dir, Rules) ->
    Try = [filename:join(Dir, F)]
        ++ [filename:join(lists:sublist(Dir, length(Dir) - length(From)) ++ To, F)
            || {From, To} <- Rules, lists:suffix(From, Dir)],
    case lists:filter(fun is_regular/1, Try) of
        [Found | _] -> {ok, Found};
        [] -> {error, not_found}
    end.
find_source(F) -> find_source(filename:basename(F), filename:dirname(F)).
find_source(F, Dir) -> find_file(filename:rootname(F) ++ ".erl", Dir, [{"ebin", "src"}, {"", ""}]).
