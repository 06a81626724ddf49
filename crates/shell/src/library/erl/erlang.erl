%% erlang: what is made of other functions.
-module(erlang).
-export([spawn_request/1, spawn_request/2, spawn_request/3, spawn_request/4, spawn_request/5,
         spawn_request_abandon/1, display/1, display_nl/0, display_string/1, nif_error/2,
         posixtime_to_universaltime/1, universaltime_to_posixtime/1, pre_loaded/0, check_old_code/1,
         check_process_code/2, check_process_code/3, delete_module/1, purge_module/1, garbage_collect/2,
         send_nosuspend/3, system_monitor/0, system_monitor/1, system_monitor/2, system_profile/0,
         system_profile/2, seq_trace/2, seq_trace_info/1, seq_trace_print/1, seq_trace_print/2,
         process_flag/3, yield/0, decode_packet/3, cancel_timer/2, read_timer/2]).

spawn_request(F) when is_function(F, 0) -> spawn_request(erlang, apply, [F, []], []);
spawn_request(_) -> error(badarg).
spawn_request(F, Options) when is_function(F, 0) -> spawn_request(erlang, apply, [F, []], Options);
spawn_request(Node, F) when is_function(F, 0) -> spawn_request(Node, erlang, apply, [F, []], []);
spawn_request(_, _) -> error(badarg).
spawn_request(Node, F, Options) when is_function(F, 0) -> spawn_request(Node, erlang, apply, [F, []], Options);
spawn_request(M, F, Args) -> spawn_request(M, F, Args, []).
spawn_request(Node, M, F, Args) when is_atom(F) -> spawn_request(Node, M, F, Args, []);
spawn_request(M, F, Args, Options) -> spawn_request(node(), M, F, Args, Options).
spawn_request(Node, M, F, Args, Options) when is_atom(Node), is_atom(M), is_atom(F), is_list(Args), is_list(Options) ->
    Tag = proplists:get_value(reply_tag, Options, spawn_reply),
    Wanted = proplists:get_value(reply, Options, yes),
    try erlang:spawn_opt(Node, M, F, Args, [O || O <- Options, not answer(O)]) of
        {Pid, Ref} -> told(Tag, Ref, Wanted, ok, Pid);
        Pid -> told(Tag, make_ref(), Wanted, ok, Pid)
    catch
        error:Reason -> told(Tag, make_ref(), Wanted, error, Reason)
    end;
spawn_request(_, _, _, _, _) -> error(badarg).

answer({reply_tag, _}) -> true;
answer({reply, _}) -> true;
answer(_) -> false.

told(Tag, Ref, Wanted, How, What) ->
    case {Wanted, How} of
        {no, _} -> ok;
        {success_only, error} -> ok;
        {error_only, ok} -> ok;
        _ -> self() ! {Tag, Ref, How, What}
    end,
    Ref.

yield() -> receive after 0 -> true end.

spawn_request_abandon(Ref) when is_reference(Ref) -> false;
spawn_request_abandon(_) -> error(badarg).

display(Term) -> io:put_chars(user, io_lib:format("~0tp~n", [Term])), true.
display_nl() -> io:put_chars(user, "\n"), true.
display_string(Text) -> io:put_chars(user, Text), true.

nif_error(Reason, _) -> error(Reason).

posixtime_to_universaltime(Seconds) when is_integer(Seconds) ->
    calendar:gregorian_seconds_to_datetime(Seconds + 62167219200);
posixtime_to_universaltime(_) -> error(badarg).
universaltime_to_posixtime(Time) ->
    try calendar:datetime_to_gregorian_seconds(Time) - 62167219200
    catch error:_ -> error(badarg)
    end.

pre_loaded() -> [erlang].
check_old_code(Module) when is_atom(Module) -> false;
check_old_code(_) -> error(badarg).
check_process_code(Pid, Module) when is_pid(Pid), is_atom(Module) -> false;
check_process_code(_, _) -> error(badarg).
check_process_code(Pid, Module, Options) when is_list(Options) ->
    case proplists:get_value(async, Options, none) of
        none -> check_process_code(Pid, Module);
        Id -> self() ! {check_process_code, Id, false}, async
    end.
delete_module(Module) -> case code:delete(Module) of true -> true; false -> undefined end.
purge_module(Module) when is_atom(Module) -> error(badarg).
garbage_collect(Pid, Options) when is_pid(Pid), is_list(Options) ->
    case proplists:get_value(async, Options, none) of
        none -> true;
        Id -> self() ! {garbage_collect, Id, true}, async
    end.
send_nosuspend(To, Message, Options) -> erlang:send(To, Message, [nosuspend | Options]) =:= ok.
system_monitor() -> undefined.
system_monitor(_) -> undefined.
system_monitor(_, _) -> undefined.
system_profile() -> undefined.
system_profile(_, _) -> undefined.
seq_trace(_, _) -> false.
seq_trace_info(What) -> {What, []}.
seq_trace_print(_) -> false.
seq_trace_print(_, _) -> false.
process_flag(Pid, save_calls, N) when is_pid(Pid), is_integer(N), N >= 0 -> 0;
process_flag(_, _, _) -> error(badarg).

%% Texts in lines and packets with a length before them: what needs no protocol of its own.
decode_packet(Type, Bin, Options) when is_binary(Bin), is_list(Options) ->
    Max = proplists:get_value(packet_size, Options, 0),
    case Type of
        N when N =:= raw; N =:= 0 -> raw(Bin);
        1 -> counted(1, Bin, Max);
        2 -> counted(2, Bin, Max);
        4 -> counted(4, Bin, Max);
        line -> line(Bin, proplists:get_value(line_delimiter, Options, $\n), proplists:get_value(line_length, Options, 0), Max);
        _ -> error(badarg)
    end;
decode_packet(_, _, _) -> error(badarg).
raw(<<>>) -> {more, undefined};
raw(Bin) -> {ok, Bin, <<>>}.
counted(N, Bin, Max) ->
    Bits = N * 8,
    case Bin of
        <<Size:Bits, _/binary>> when Max > 0, Size > Max -> {error, invalid};
        <<Size:Bits, Packet:Size/binary, Rest/binary>> -> {ok, Packet, Rest};
        <<Size:Bits, _/binary>> -> {more, Size + N};
        _ -> {more, undefined}
    end.
line(Bin, Delimiter, Longest, Max) ->
    case binary:match(Bin, <<Delimiter>>) of
        {At, 1} when Max > 0, At + 1 > Max -> {error, invalid};
        {At, 1} when Longest =:= 0; At + 1 =< Longest ->
            <<Line:(At + 1)/binary, Rest/binary>> = Bin,
            {ok, Line, Rest};
        _ when Longest > 0, byte_size(Bin) >= Longest ->
            <<Line:Longest/binary, Rest/binary>> = Bin,
            {ok, Line, Rest};
        _ when Max > 0, byte_size(Bin) >= Max -> {error, invalid};
        _ -> {more, undefined}
    end.

cancel_timer(Timer, Options) -> looked_at(cancel_timer, Timer, erlang:cancel_timer(Timer), Options).
read_timer(Timer, Options) -> looked_at(read_timer, Timer, erlang:read_timer(Timer), Options).
looked_at(What, Timer, Left, Options) ->
    case {proplists:get_value(async, Options, false), proplists:get_value(info, Options, true)} of
        {true, true} -> self() ! {What, Timer, Left}, ok;
        {true, false} -> ok;
        {false, true} -> Left;
        {false, false} -> ok
    end.
