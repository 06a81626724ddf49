%% file: over what the operating system does in one call: files that are open, reading terms, what is known of files.
-module(file).
-export([open/2, close/1, read/2, read_line/1, write/2, position/2, pread/2, pread/3, pwrite/2, pwrite/3, truncate/1,
         sync/1, datasync/1, advise/4, allocate/3, sendfile/2, sendfile/5, copy/2, copy/3, get_cwd/1, make_directory/1,
         read_file_info/1, read_file_info/2, read_link_info/1, read_link_info/2, write_file_info/2, write_file_info/3,
         change_mode/2, change_owner/2, change_owner/3, change_group/2, change_time/2, change_time/3, consult/1,
         path_consult/2, eval/1, eval/2, path_eval/2, script/1, script/2, path_script/2, path_script/3, path_open/3,
         native_name_encoding/0, format_error/1, pid2name/1, read_file/2, list_dir_pairs/1]).
-export(['-serve'/3, '-keep'/2]).

native_name_encoding() -> utf8.
make_directory(D) -> file:make_dir(D).
get_cwd(_) -> {error, enotsup}.
read_file(F, _) -> file:read_file(F).
pid2name(_) -> undefined.
list_dir_pairs(D) ->
    case file:list_dir(D) of
        {ok, Names} -> {ok, [{N, filelib:is_dir(filename:join(D, N))} || N <- Names]};
        Error -> Error
    end.

%% Files that are open: a process that speaks the I/O protocol, or with `raw` the file itself.

open(Name, Mode) when not is_list(Mode) -> open(Name, [Mode]);
open(Name, Modes) ->
    case lists:all(fun is_mode/1, Modes) of
        false -> {error, badarg};
        true ->
            case {lists:member(ram, Modes) orelse lists:member(compressed, Modes), lists:member(raw, Modes)} of
                {true, _} -> {error, enotsup};
                {_, true} -> open_raw(Name, Modes);
                _ -> open_served(Name, Modes)
            end
    end.
is_mode({encoding, E}) -> is_atom(E);
is_mode({delayed_write, A, B}) -> is_integer(A) andalso is_integer(B);
is_mode({read_ahead, A}) -> is_integer(A);
is_mode(M) ->
    lists:member(M, [read, write, append, exclusive, raw, binary, delayed_write, read_ahead, compressed, ram, sync,
                     directory, compressed_one]).
open_raw(Name, Modes) ->
    case file:'-open'(Name, Modes) of
        {ok, Id} ->
            Keeper = spawn(file, '-keep', [self(), Id]),
            {ok, {file_descriptor, prim_file, #{handle => Id, keeper => Keeper, binary => lists:member(binary, Modes)}}};
        Error -> Error
    end.
'-keep'(Owner, Id) ->
    M = erlang:monitor(process, Owner),
    receive
        {close, Id} -> ok;
        {'DOWN', M, process, _, _} -> file:'-close'(Id)
    end.
open_served(Name, Modes) ->
    Me = self(),
    {Pid, M} = spawn_monitor(file, '-serve', [Me, Name, Modes]),
    receive
        {Pid, Answer} ->
            erlang:demonitor(M, [flush]),
            Answer;
        {'DOWN', M, process, Pid, Reason} -> {error, Reason}
    end.

'-serve'(Owner, Name, Modes) ->
    case file:'-open'(Name, Modes) of
        {ok, Id} ->
            M = erlang:monitor(process, Owner),
            Owner ! {self(), {ok, self()}},
            serve(#{id => Id, owner => M, binary => lists:member(binary, Modes), ahead => [],
                    encoding => encoding(proplists:get_value(encoding, Modes, latin1))});
        Error -> Owner ! {self(), Error}
    end.
encoding(unicode) -> utf8;
encoding(E) -> E.

serve(#{id := Id, owner := Owner} = S) ->
    receive
        {file_request, From, As, close} ->
            From ! {file_reply, As, file:'-close'(Id)};
        {file_request, From, As, What} ->
            {Reply, Next} = asked(What, S),
            From ! {file_reply, As, Reply},
            serve(Next);
        {io_request, From, As, What} ->
            {Reply, Next} = io(What, S),
            From ! {io_reply, As, Reply},
            serve(Next);
        {'DOWN', Owner, process, _, _} -> file:'-close'(Id);
        _ -> serve(S)
    end.

asked({position, At}, #{id := Id} = S0) ->
    S = S0#{ahead := []},
    case {At, S0} of
        {{cur, By}, #{ahead := [_ | _] = Ahead}} ->
            {file:'-position'(Id, {cur, By - bytes(Ahead, S)}), S};
        _ -> {file:'-position'(Id, At), S}
    end;
asked({pread, At, N}, #{id := Id} = S) -> {shaped(file:'-pread'(Id, At, N), S), S};
asked({pread, L}, #{id := Id} = S) -> {each_read(Id, L, S, []), S};
asked({pwrite, At, Data}, #{id := Id} = S) -> {file:'-pwrite'(Id, At, Data), S};
asked({pwrite, L}, #{id := Id} = S) -> {each_write(Id, L, 0), S};
asked(truncate, #{id := Id} = S) -> {file:'-truncate'(Id), S};
asked(sync, #{id := Id} = S) -> {file:'-sync'(Id), S};
asked(_, S) -> {{error, request}, S}.

shaped({ok, B}, #{binary := false}) -> {ok, binary_to_list(B)};
shaped(R, _) -> R.
each_read(_, [], _, L) -> {ok, lists:reverse(L)};
each_read(Id, [{At, N} | T], S, L) ->
    case shaped(file:'-pread'(Id, At, N), S) of
        {ok, D} -> each_read(Id, T, S, [D | L]);
        eof -> each_read(Id, T, S, [eof | L]);
        Error -> Error
    end;
each_read(_, _, _, _) -> {error, badarg}.
each_write(_, [], _) -> ok;
each_write(Id, [{At, D} | T], N) ->
    case file:'-pwrite'(Id, At, D) of
        ok -> each_write(Id, T, N + 1);
        {error, Why} -> {error, {N, Why}}
    end;
each_write(_, _, _) -> {error, badarg}.

%% The I/O protocol. Characters that were read and not taken wait in `ahead`.

io({put_chars, Enc, M, F, As}, S) ->
    try apply(M, F, As) of
        Chars -> io({put_chars, Enc, Chars}, S)
    catch
        _:_ -> {{error, F}, S}
    end;
io({put_chars, Chars}, S) -> io({put_chars, latin1, Chars}, S);
io({put_chars, Enc, Chars}, #{id := Id, encoding := Own} = S0) ->
    S = back(S0),
    try unicode:characters_to_binary(Chars, Enc, Own) of
        B when is_binary(B) -> {file:'-write'(Id, B), S};
        _ -> {{error, {no_translation, Enc, Own}}, S}
    catch
        _:_ -> {{error, {no_translation, Enc, Own}}, S}
    end;
io({get_line, _}, S) -> line(latin1, S);
io({get_line, Enc, _}, S) -> line(Enc, S);
io({get_chars, _, N}, S) -> chars(latin1, N, S);
io({get_chars, Enc, _, N}, S) -> chars(Enc, N, S);
io({get_until, _, M, F, As}, S) -> until([], M, F, As, latin1, S);
io({get_until, Enc, _, M, F, As}, S) -> until([], M, F, As, Enc, S);
io({setopts, Opts}, S) -> setopts(Opts, S);
io(getopts, #{binary := B, encoding := E} = S) ->
    {[{binary, B}, {encoding, case E of utf8 -> unicode; _ -> E end}], S};
io({requests, L}, S) -> all(L, {error, request}, S);
io(_, S) -> {{error, request}, S}.

all([], R, S) -> {R, S};
all([R | Rs], _, S) ->
    case io(R, S) of
        {{error, _}, _} = Error -> Error;
        {Reply, Next} -> all(Rs, Reply, Next)
    end.
setopts([], S) -> {ok, S};
setopts([binary | T], S) -> setopts(T, S#{binary := true});
setopts([list | T], S) -> setopts(T, S#{binary := false});
setopts([{binary, B} | T], S) when is_boolean(B) -> setopts(T, S#{binary := B});
setopts([{encoding, E} | T], S) when E =:= latin1; E =:= unicode; E =:= utf8 -> setopts(T, S#{encoding := encoding(E)});
setopts(_, S) -> {{error, enotsup}, S}.

line(Enc, #{id := Id, ahead := []} = S) ->
    case file:'-read_line'(Id) of
        {ok, B} -> given(Enc, decoded(B, S), S);
        Other -> {Other, S}
    end;
line(Enc, #{ahead := Ahead} = S) ->
    case lists:splitwith(fun(C) -> C =/= $\n end, Ahead) of
        {L, [_ | Rest]} -> given(Enc, L ++ "\n", S#{ahead := Rest});
        {L, []} ->
            case more(S#{ahead := []}) of
                {ok, Chars, Next} -> line(Enc, Next#{ahead := L ++ Chars});
                {eof, Next} -> given(Enc, L, Next);
                {Error, Next} -> {Error, Next}
            end
    end.

more(#{id := Id} = S) ->
    case file:'-read_line'(Id) of
        {ok, B} ->
            case decoded(B, S) of
                Chars when is_list(Chars) -> {ok, Chars, S};
                Error -> {Error, S}
            end;
        eof -> {eof, S};
        Error -> {Error, S}
    end.

chars(Enc, 0, S) -> given(Enc, "", S);
chars(Enc, N, #{id := Id, encoding := latin1, ahead := []} = S) ->
    case file:'-read'(Id, N) of
        {ok, B} -> given(Enc, binary_to_list(B), S);
        Other -> {Other, S}
    end;
chars(Enc, N, #{ahead := Ahead} = S) when length(Ahead) >= N ->
    {L, Rest} = lists:split(N, Ahead),
    given(Enc, L, S#{ahead := Rest});
chars(Enc, N, #{ahead := Ahead} = S) ->
    case more(S) of
        {ok, Chars, Next} -> chars(Enc, N, Next#{ahead := Ahead ++ Chars});
        {eof, Next} when Ahead =:= [] -> {eof, Next};
        {eof, Next} -> given(Enc, Ahead, Next#{ahead := []});
        {Error, Next} -> {Error, Next}
    end.

until(Cont, M, F, As, Enc, #{ahead := Ahead} = S) ->
    case Ahead of
        [] ->
            case more(S) of
                {ok, Chars, Next} -> offered(Cont, Chars, M, F, As, Enc, Next);
                {eof, Next} -> offered(Cont, eof, M, F, As, Enc, Next);
                {Error, Next} -> {Error, Next}
            end;
        _ -> offered(Cont, Ahead, M, F, As, Enc, S#{ahead := []})
    end.
offered(Cont, Data, M, F, As, Enc, S) ->
    try apply(M, F, [Cont, Data | As]) of
        {done, Result, eof} -> {result(Enc, Result, S), S#{ahead := []}};
        {done, Result, Rest} -> {result(Enc, Result, S), S#{ahead := Rest}};
        {more, Next} when Data =/= eof -> until(Next, M, F, As, Enc, S);
        _ -> {{error, F}, S}
    catch
        _:_ -> {{error, F}, S}
    end.
result(Enc, Result, #{binary := true}) when is_list(Result) -> unicode:characters_to_binary(Result, unicode, Enc);
result(_, Result, _) -> Result.

given(_, {error, _} = Error, S) -> {Error, S};
given(Enc, Chars, #{binary := true} = S) ->
    try unicode:characters_to_binary(Chars, unicode, Enc) of
        B when is_binary(B) -> {B, S};
        _ -> {{error, {no_translation, unicode, Enc}}, S}
    catch
        _:_ -> {{error, {no_translation, unicode, Enc}}, S}
    end;
given(latin1, Chars, S) ->
    case lists:all(fun(C) -> C < 256 end, Chars) of
        true -> {Chars, S};
        false -> {{error, {no_translation, unicode, latin1}}, S}
    end;
given(_, Chars, S) -> {Chars, S}.

decoded(B, #{encoding := latin1}) -> binary_to_list(B);
decoded(B, #{encoding := E}) ->
    try unicode:characters_to_list(B, E) of
        L when is_list(L) -> L;
        _ -> {error, {no_translation, E, unicode}}
    catch
        _:_ -> {error, collect_line}
    end.
bytes(Chars, #{encoding := latin1}) -> length(Chars);
bytes(Chars, #{encoding := E}) -> byte_size(unicode:characters_to_binary(Chars, unicode, E)).
%% What was read ahead is given back before something is written.
back(#{ahead := []} = S) -> S;
back(#{ahead := Ahead, id := Id} = S) ->
    file:'-position'(Id, {cur, -bytes(Ahead, S)}),
    S#{ahead := []}.

%% What one does with a file that is open.

request(Pid, What) ->
    M = erlang:monitor(process, Pid),
    Pid ! {file_request, self(), M, What},
    receive
        {file_reply, M, Reply} ->
            erlang:demonitor(M, [flush]),
            Reply;
        {'DOWN', M, _, _, _} -> {error, terminated}
    end.
io_request(Name, What) when is_atom(Name) ->
    case whereis(Name) of
        undefined -> {error, arguments};
        Pid -> io_request(Pid, What)
    end;
io_request(Pid, What) ->
    M = erlang:monitor(process, Pid),
    Pid ! {io_request, self(), M, What},
    receive
        {io_reply, M, Reply} ->
            erlang:demonitor(M, [flush]),
            Reply;
        {'DOWN', M, _, _, _} -> {error, terminated}
    end.

close(P) when is_pid(P) ->
    case request(P, close) of
        {error, terminated} -> ok;
        Reply -> Reply
    end;
close({file_descriptor, prim_file, #{handle := Id, keeper := K}}) ->
    K ! {close, Id},
    file:'-close'(Id);
close(_) -> {error, badarg}.

read(P, N) when (is_pid(P) orelse is_atom(P)), is_integer(N), N >= 0 ->
    data(io_request(P, {get_chars, latin1, '', N}));
read({file_descriptor, prim_file, #{handle := Id} = S}, N) when is_integer(N), N >= 0 -> shaped(file:'-read'(Id, N), S);
read(_, _) -> {error, badarg}.
read_line(P) when is_pid(P); is_atom(P) -> data(io_request(P, {get_line, latin1, ''}));
read_line({file_descriptor, prim_file, #{handle := Id} = S}) -> shaped(file:'-read_line'(Id), S);
read_line(_) -> {error, badarg}.
data(D) when is_list(D); is_binary(D) -> {ok, D};
data(Other) -> Other.

write(P, Data) when is_pid(P); is_atom(P) ->
    try iolist_to_binary(Data) of
        B -> io_request(P, {put_chars, latin1, B})
    catch
        error:_ -> {error, badarg}
    end;
write({file_descriptor, prim_file, #{handle := Id}}, Data) -> file:'-write'(Id, Data);
write(_, _) -> {error, badarg}.

position(P, At) when is_pid(P) -> request(P, {position, At});
position({file_descriptor, prim_file, #{handle := Id}}, At) -> file:'-position'(Id, At);
position(_, _) -> {error, badarg}.
pread(P, L) when is_pid(P), is_list(L) -> request(P, {pread, L});
pread({file_descriptor, prim_file, #{handle := Id} = S}, L) when is_list(L) -> each_read(Id, L, S, []);
pread(_, _) -> {error, badarg}.
pread(P, At, N) when is_pid(P), is_integer(At), is_integer(N), N >= 0 -> request(P, {pread, At, N});
pread({file_descriptor, prim_file, #{handle := Id} = S}, At, N) when is_integer(N), N >= 0 ->
    shaped(file:'-pread'(Id, At, N), S);
pread(_, _, _) -> {error, badarg}.
pwrite(P, L) when is_pid(P), is_list(L) -> request(P, {pwrite, L});
pwrite({file_descriptor, prim_file, #{handle := Id}}, L) when is_list(L) -> each_write(Id, L, 0);
pwrite(_, _) -> {error, badarg}.
pwrite(P, At, D) when is_pid(P) -> request(P, {pwrite, At, D});
pwrite({file_descriptor, prim_file, #{handle := Id}}, At, D) -> file:'-pwrite'(Id, At, D);
pwrite(_, _, _) -> {error, badarg}.
truncate(P) when is_pid(P) -> request(P, truncate);
truncate({file_descriptor, prim_file, #{handle := Id}}) -> file:'-truncate'(Id);
truncate(_) -> {error, badarg}.
sync(P) when is_pid(P) -> request(P, sync);
sync({file_descriptor, prim_file, #{handle := Id}}) -> file:'-sync'(Id);
sync(_) -> {error, badarg}.
datasync(F) -> sync(F).
advise(_, _, _, _) -> ok.
allocate(_, _, _) -> {error, enotsup}.
sendfile(_, _) -> {error, enotsup}.
sendfile(_, _, _, _, _) -> {error, enotsup}.

copy(From, To) -> copy(From, To, infinity).
copy(From, To, infinity) when not is_tuple(From), not is_pid(From), not is_tuple(To), not is_pid(To) ->
    file:'-copy'(From, To);
copy(From, To, N) when N =:= infinity; is_integer(N), N >= 0 ->
    case source(From) of
        {ok, In} ->
            Result = case target(To) of
                {ok, Out} ->
                    R = copied(In, Out, N, 0),
                    if is_pid(To); element(1, To) =:= file_descriptor -> ok; true -> close(Out) end,
                    R;
                Error -> Error
            end,
            if is_pid(From); element(1, From) =:= file_descriptor -> ok; true -> close(In) end,
            Result;
        Error -> Error
    end;
copy(_, _, _) -> {error, badarg}.
source(F) when is_pid(F); element(1, F) =:= file_descriptor -> {ok, F};
source({Name, Modes}) -> open(Name, [read, binary | Modes]);
source(Name) -> open(Name, [read, raw, binary]).
target(F) when is_pid(F); element(1, F) =:= file_descriptor -> {ok, F};
target({Name, Modes}) -> open(Name, [write, binary | Modes]);
target(Name) -> open(Name, [write, raw, binary]).
copied(_, _, 0, Done) -> {ok, Done};
copied(In, Out, N, Done) ->
    case read(In, min(N, 65536)) of
        {ok, D} ->
            case write(Out, D) of
                ok ->
                    Size = iolist_size(D),
                    copied(In, Out, if is_integer(N) -> N - Size; true -> N end, Done + Size);
                Error -> Error
            end;
        eof -> {ok, Done};
        Error -> Error
    end.

%% What is known of a file.

read_file_info(F) -> info(F, follow, local).
read_file_info(F, Opts) -> info(F, follow, proplists:get_value(time, Opts, local)).
read_link_info(F) -> info(F, link, local).
read_link_info(F, Opts) -> info(F, link, proplists:get_value(time, Opts, local)).
info(F, How, Time) ->
    case file:'-info'(F, How) of
        {ok, I} ->
            At = fun(N, T) -> setelement(N, T, from_posix(element(N, T), Time)) end,
            {ok, lists:foldl(At, I, [5, 6, 7])};
        Error -> Error
    end.
from_posix(S, posix) -> S;
from_posix(S, universal) -> calendar:system_time_to_universal_time(S, second);
from_posix(S, _) -> calendar:system_time_to_local_time(S, second).
to_posix(undefined, Else) -> Else;
to_posix(S, _) when is_integer(S) -> S;
to_posix(T, _) ->
    [U | _] = calendar:local_time_to_universal_time_dst(T),
    calendar:datetime_to_gregorian_seconds(U) - 62167219200.

write_file_info(F, I) -> write_file_info(F, I, []).
write_file_info(F, I, Opts) ->
    case file:'-info'(F, follow) of
        {ok, Old} ->
            Given = fun(undefined, Else) -> Else; (V, _) -> V end,
            Time = fun(T, Else) ->
                case {T, proplists:get_value(time, Opts, local)} of
                    {{_, _}, universal} -> calendar:datetime_to_gregorian_seconds(T) - 62167219200;
                    _ -> to_posix(T, Else)
                end
            end,
            Steps = [fun() -> file:'-set_owner'(F, Given(element(13, I), -1), Given(element(14, I), -1)) end
                     || {element(13, I), element(14, I)} =/= {undefined, undefined}]
                ++ [fun() -> file:'-set_mode'(F, element(8, I)) end || element(8, I) =/= undefined]
                ++ [fun() -> file:'-set_times'(F, Time(element(5, I), element(5, Old)), Time(element(6, I), element(5, Old))) end
                    || {element(5, I), element(6, I)} =/= {undefined, undefined}],
            steps(Steps);
        Error -> Error
    end.
steps([]) -> ok;
steps([S | T]) ->
    case S() of
        ok -> steps(T);
        Error -> Error
    end.
change_mode(F, Mode) when is_integer(Mode) -> file:'-set_mode'(F, Mode);
change_mode(_, _) -> {error, badarg}.
change_owner(F, U) -> file:'-set_owner'(F, U, -1).
change_owner(F, U, G) -> file:'-set_owner'(F, U, G).
change_group(F, G) -> file:'-set_owner'(F, -1, G).
change_time(F, M) -> change_time(F, M, M).
change_time(F, A, M) -> file:'-set_times'(F, to_posix(A, 0), to_posix(M, 0)).

%% Files of terms and of expressions.

consult(F) ->
    case source_text(F) of
        {ok, Text} -> terms([], Text, 1, []);
        Error -> Error
    end.
source_text(F) ->
    case file:read_file(F) of
        {ok, B} ->
            try {ok, unicode:characters_to_list(B, coding(B))}
            catch _:_ -> {error, {1, file_io_server, invalid_unicode}}
            end;
        Error -> Error
    end.
%% The first two lines may say in which encoding the file is.
coding(B) ->
    Head = [C || <<C>> <= binary:part(B, 0, min(200, byte_size(B)))],
    Lines = lists:sublist(string:split(Head, "\n", all), 2),
    Says = fun(L) -> string:find(L, "coding") =/= nomatch andalso string:find(L, "latin-1") =/= nomatch end,
    case lists:any(Says, Lines) of
        true -> latin1;
        false -> utf8
    end.
form(Text, At) ->
    case erl_scan:tokens([], Text, At) of
        {more, Cont} -> erl_scan:tokens(Cont, eof, At);
        Done -> Done
    end.
terms(_, Text, At, L) ->
    case form(Text, At) of
        {done, {eof, _}, _} -> {ok, lists:reverse(L)};
        {done, {ok, Tokens, End}, Rest} ->
            case erl_parse:parse_term(Tokens) of
                {ok, T} when Rest =:= eof -> {ok, lists:reverse([T | L])};
                {ok, T} -> terms([], Rest, End, [T | L]);
                {error, Why} -> {error, Why}
            end;
        {done, {error, Why, _}, _} -> {error, Why}
    end.

eval(F) -> eval(F, []).
eval(F, Bs) ->
    case evaluated(F, Bs) of
        {ok, _} -> ok;
        Error -> Error
    end.
script(F) -> script(F, []).
script(F, Bs) -> evaluated(F, Bs).
evaluated(F, Bs) ->
    case source_text(F) of
        {ok, Text} -> exprs(Text, 1, Bs, undefined);
        Error -> Error
    end.
exprs(eof, _, _, V) -> {ok, V};
exprs(Text, At, Bs, V) ->
    case form(Text, At) of
        {done, {eof, _}, _} -> {ok, V};
        {done, {ok, Tokens, End}, Rest} ->
            case erl_parse:parse_exprs(Tokens) of
                {ok, Es} ->
                    try erl_eval:exprs(Es, Bs) of
                        {value, Next, Bs1} -> exprs(Rest, End, Bs1, Next)
                    catch
                        C:R:St -> {error, {line(End), file, {C, R, St}}}
                    end;
                {error, Why} -> {error, Why}
            end;
        {done, {error, Why, _}, _} -> {error, Why}
    end.
line({L, _}) -> L;
line(L) -> L.

path_open(Path, Name, Modes) -> on_path(Path, Name, fun(F) -> open(F, Modes) end, fun({ok, Fd}, F) -> {ok, Fd, F} end).
path_consult(Path, Name) -> on_path(Path, Name, fun consult/1, fun({ok, L}, F) -> {ok, L, F} end).
path_eval(Path, Name) -> on_path(Path, Name, fun eval/1, fun(ok, F) -> {ok, F} end).
path_script(Path, Name) -> path_script(Path, Name, []).
path_script(Path, Name, Bs) ->
    on_path(Path, Name, fun(F) -> script(F, Bs) end, fun({ok, V}, F) -> {ok, V, F} end).
on_path(Path, Name, Do, Done) ->
    case filename:pathtype(Name) of
        relative -> try_path(Path, Name, Do, Done);
        _ -> tried(Do(Name), Name, Done)
    end.
try_path([], _, _, _) -> {error, enoent};
try_path([D | Ds], Name, Do, Done) ->
    F = filename:join(D, Name),
    case Do(F) of
        {error, enoent} -> try_path(Ds, Name, Do, Done);
        Result -> tried(Result, F, Done)
    end.
tried({error, _} = Error, _, _) -> Error;
tried(Result, F, Done) -> Done(Result, F).

format_error(badarg) -> "bad argument";
format_error(terminated) -> "the file server process is terminated";
format_error(system_limit) -> "a system limit was hit, probably not enough ports";
format_error({Line, Mod, Reason}) -> [io_lib:format("~w", [Line]), $:, $\s, Mod:format_error(Reason)];
format_error({Line, _, Class, Reason, _}) -> lists:flatten(io_lib:format("~w: ~w: ~tp", [Line, Class, Reason]));
format_error(invalid_unicode) -> "cannot translate from UTF-8";
format_error(E) ->
    proplists:get_value(E, [
        {eperm, "not owner"}, {enoent, "no such file or directory"}, {eintr, "interrupted system call"},
        {eio, "I/O error"}, {ebadf, "bad file number"}, {eagain, "resource temporarily unavailable"},
        {enomem, "not enough memory"}, {eacces, "permission denied"}, {ebusy, "file busy"},
        {eexist, "file already exists"}, {exdev, "cross-domain link"}, {enotdir, "not a directory"},
        {eisdir, "illegal operation on a directory"}, {einval, "invalid argument"},
        {enfile, "file table overflow"}, {emfile, "too many open files"}, {etxtbsy, "text file or pseudo-device busy"},
        {efbig, "file too large"}, {enospc, "no space left on device"}, {espipe, "invalid seek"},
        {erofs, "read-only file system"}, {emlink, "too many links"}, {epipe, "broken pipe"},
        {enametoolong, "file name too long"}, {eloop, "too many levels of symbolic links"},
        {enotsup, "operation not supported"}, {edquot, "disk quota exceeded"},
        {estale, "stale remote file handle"}], "unknown POSIX error").
