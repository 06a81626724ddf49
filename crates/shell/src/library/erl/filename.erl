%% filename: names of files, taken apart and put together, as on Unix. Names are text (deep lists, atoms) or binaries.
-module(filename).
-export([absname/1, absname/2, absname_join/2, basename/1, basename/2, dirname/1, extension/1, flatten/1, join/1, join/2,
         append/2, nativename/1, pathtype/1, rootname/1, rootname/2, split/1, safe_relative_path/1, validate/1,
         basedir/2, basedir/3, find_src/1, find_src/2]).

flatten(N) when is_atom(N); is_list(N) -> text(N);
flatten(N) when is_binary(N) -> N.
text(A) when is_atom(A) -> atom_to_list(A);
text(L) when is_list(L) -> parts(L).
parts([]) -> [];
parts([H | T]) when is_list(H) -> parts(H) ++ parts(T);
parts([H | T]) when is_atom(H) -> atom_to_list(H) ++ parts(T);
parts([H | T]) -> [H | parts(T)];
parts(A) when is_atom(A) -> atom_to_list(A).

%% Everything is done on characters; what came as a binary goes as one.
with(N, F) when is_binary(N) ->
    case F(binary_to_list(N)) of
        L when is_list(L) -> list_to_binary(L);
        Other -> Other
    end;
with(N, F) -> F(text(N)).

absname(N) ->
    {ok, Cwd} = file:get_cwd(),
    absname(N, Cwd).
absname(N, Dir) ->
    case pathtype(N) of
        relative -> absname_join(Dir, N);
        absolute -> join([flatten(N)])
    end.
absname_join(Dir, N) -> join(Dir, flatten(N)).

basename(N) -> with(N, fun base/1).
base(N) ->
    case lists:reverse(strip(N)) of
        [] -> [];
        R -> lists:reverse(lists:takewhile(fun(C) -> C =/= $/ end, R))
    end.
%% Slashes at the end do not count.
strip(N) -> lists:reverse(lists:dropwhile(fun(C) -> C =:= $/ end, lists:reverse(N))).
basename(N, Ext) when is_binary(Ext), not is_binary(N) -> basename(list_to_binary(text(N)), Ext);
basename(N, Ext) ->
    E = case Ext of _ when is_binary(Ext) -> binary_to_list(Ext); _ -> text(Ext) end,
    with(N, fun(T) -> without(base(T), E) end).
without(B, E) ->
    case lists:suffix(E, B) of
        true -> lists:sublist(B, length(B) - length(E));
        false -> B
    end.

dirname(N) -> with(N, fun dir/1).
dir(N) ->
    case lists:dropwhile(fun(C) -> C =/= $/ end, lists:reverse(N)) of
        [] -> ".";
        R ->
            case lists:dropwhile(fun(C) -> C =:= $/ end, R) of
                [] -> "/";
                D -> squeeze(lists:reverse(D))
            end
    end.
squeeze([$/, $/ | T]) -> squeeze([$/ | T]);
squeeze([C | T]) -> [C | squeeze(T)];
squeeze([]) -> [].

extension(N) -> with(N, fun(T) -> ext(last(T)) end).
last(T) -> lists:reverse(lists:takewhile(fun(C) -> C =/= $/ end, lists:reverse(T))).
ext([]) -> [];
ext([C | Base]) when C =/= $. -> ext_in(Base);
ext([_ | Base]) -> ext_in(Base).
ext_in(Base) ->
    {E, Rest} = lists:splitwith(fun(C) -> C =/= $. end, lists:reverse(Base)),
    case Rest of
        [] -> [];
        _ -> [$. | lists:reverse(E)]
    end.
rootname(N) -> with(N, fun root/1).
root(T) ->
    case lists:splitwith(fun(C) -> C =/= $. andalso C =/= $/ end, lists:reverse(T)) of
        {_, [$. | R]} -> lists:reverse(R);
        _ -> T
    end.
rootname(N, Ext) when is_binary(Ext), not is_binary(N) -> rootname(list_to_binary(text(N)), Ext);
rootname(N, Ext) ->
    E = case Ext of _ when is_binary(Ext) -> binary_to_list(Ext); _ -> text(Ext) end,
    with(N, fun(T) -> without(T, E) end).

join([N]) -> norm(N);
join([A, B | T]) -> join([join(A, B) | T]).
join(A, B) when is_binary(A); is_binary(B) -> list_to_binary(joined(chars(A), chars(B)));
join(A, B) -> joined(text(A), text(B)).
chars(B) when is_binary(B) -> binary_to_list(B);
chars(N) -> binary_to_list(unicode:characters_to_binary(text(N))).
norm(N) -> with(N, fun normal/1).
joined(_, [$/ | _] = B) -> normal(B);
joined(A, [$., $/ | B]) -> joined(A, B);
joined([], B) -> normal([$/ | B]);
joined(A, []) -> normal(A);
joined(A, B) ->
    case normal(A) of
        "/" -> normal([$/ | B]);
        N -> normal(N ++ [$/ | B])
    end.
normal(N) ->
    S = squeeze(N),
    case S of
        "/" -> S;
        _ -> strip(S)
    end.
append(A, B) when is_binary(A); is_binary(B) -> list_to_binary([chars(A), $/, chars(B)]);
append(A, B) -> text(A) ++ [$/ | text(B)].

nativename(N) -> norm(N).
pathtype(<<$/, _/binary>>) -> absolute;
pathtype(B) when is_binary(B) -> relative;
pathtype(N) ->
    case text(N) of
        [$/ | _] -> absolute;
        _ -> relative
    end.
split(B) when is_binary(B) -> [list_to_binary(P) || P <- splitted(binary_to_list(B))];
split(N) -> splitted(text(N)).
splitted([$/ | T]) -> ["/" | pieces(T, [])];
splitted(T) -> pieces(T, []).
pieces([], []) -> [];
pieces([], A) -> [lists:reverse(A)];
pieces([$/ | T], []) -> pieces(T, []);
pieces([$/ | T], A) -> [lists:reverse(A) | pieces(T, [])];
pieces([C | T], A) -> pieces(T, [C | A]).

validate(N) when is_binary(N) -> true;
validate(N) ->
    try lists:all(fun(C) -> C =/= 0 end, text(N))
    catch _:_ -> false
    end.
safe_relative_path(P) ->
    case pathtype(P) of
        relative -> safe(split(P), []);
        absolute -> unsafe
    end.
safe([], []) -> [];
safe([], A) -> join(lists:reverse(A));
safe([D | T], A) when D =:= "."; D =:= <<".">> -> safe(T, A);
safe([D | T], A) when D =:= ".."; D =:= <<"..">> ->
    case A of
        [] -> unsafe;
        [_ | Up] -> safe(T, Up)
    end;
safe([D | T], A) -> safe(T, [D | A]).

basedir(Type, App) -> basedir(Type, App, #{}).
basedir(Type, App, Opts) ->
    Home = os:getenv("HOME", "/"),
    Env = fun(V, Else) -> os:getenv(V, Else) end,
    Dirs = fun(V, Else) -> [join(D, App) || D <- string:split(os:getenv(V, Else), ":", all)] end,
    In = fun(D) ->
        case Opts of
            #{version := V} -> join([D, App, V]);
            _ -> join(D, App)
        end
    end,
    case Type of
        user_data -> In(Env("XDG_DATA_HOME", join(Home, ".local/share")));
        user_config -> In(Env("XDG_CONFIG_HOME", join(Home, ".config")));
        user_cache -> In(Env("XDG_CACHE_HOME", join(Home, ".cache")));
        user_log -> join(In(Env("XDG_CACHE_HOME", join(Home, ".cache"))), "log");
        site_data -> Dirs("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        site_config -> Dirs("XDG_CONFIG_DIRS", "/etc/xdg")
    end.
find_src(_) -> {error, {preloaded, undefined}}.
find_src(M, _) -> find_src(M).
