%% timer: things done later, once or again and again. A timer is a process that waits.
-module(timer).
-export([tc/1, tc/2, tc/3, tc/4, send_after/2, send_after/3, apply_after/2, apply_after/3, apply_after/4, send_interval/2,
         send_interval/3, apply_interval/2, apply_interval/3, apply_interval/4, apply_repeatedly/2, apply_repeatedly/3,
         apply_repeatedly/4, exit_after/2, exit_after/3, kill_after/1, kill_after/2, cancel/1, start/0, '-wait'/3]).

start() -> ok.

tc(F) -> timed(fun() -> F() end, microsecond).
tc(F, As) when is_list(As) -> timed(fun() -> apply(F, As) end, microsecond);
tc(F, Unit) -> timed(fun() -> F() end, Unit).
tc(F, As, Unit) when is_function(F) -> timed(fun() -> apply(F, As) end, Unit);
tc(M, F, As) -> timed(fun() -> apply(M, F, As) end, microsecond).
tc(M, F, As, Unit) -> timed(fun() -> apply(M, F, As) end, Unit).
timed(F, Unit) ->
    T = erlang:monotonic_time(),
    V = F(),
    {erlang:convert_time_unit(erlang:monotonic_time() - T, native, Unit), V}.

send_after(T, M) -> send_after(T, self(), M).
send_after(T, To, M) when is_pid(To); is_atom(To); tuple_size(To) =:= 2 -> once(T, {erlang, send, [To, M]});
send_after(_, _, _) -> {error, badarg}.
apply_after(T, F) when is_function(F, 0) -> once(T, {erlang, apply, [F, []]});
apply_after(_, _) -> {error, badarg}.
apply_after(T, F, As) when is_function(F, length(As)) -> once(T, {erlang, apply, [F, As]});
apply_after(_, _, _) -> {error, badarg}.
apply_after(T, M, F, As) when is_atom(M), is_atom(F), is_list(As) -> once(T, {M, F, As});
apply_after(_, _, _, _) -> {error, badarg}.
exit_after(T, Reason) -> exit_after(T, self(), Reason).
exit_after(T, P, Reason) -> once(T, {erlang, exit, [pid(P), Reason]}).
kill_after(T) -> kill_after(T, self()).
kill_after(T, P) -> exit_after(T, P, kill).
pid(P) when is_pid(P) -> P;
pid(Name) -> whereis(Name).

send_interval(T, M) -> send_interval(T, self(), M).
send_interval(T, To, M) when is_pid(To) -> again(T, To, {erlang, send, [To, M]});
send_interval(T, To, M) when is_atom(To); tuple_size(To) =:= 2 -> again(T, none, {erlang, send, [To, M]});
send_interval(_, _, _) -> {error, badarg}.
apply_interval(T, F) when is_function(F, 0) -> again(T, self(), {erlang, apply, [F, []]});
apply_interval(_, _) -> {error, badarg}.
apply_interval(T, F, As) when is_function(F, length(As)) -> again(T, self(), {erlang, apply, [F, As]});
apply_interval(_, _, _) -> {error, badarg}.
apply_interval(T, M, F, As) when is_atom(M), is_atom(F), is_list(As) -> again(T, self(), {M, F, As});
apply_interval(_, _, _, _) -> {error, badarg}.
apply_repeatedly(T, F) -> apply_interval(T, F).
apply_repeatedly(T, F, As) -> apply_interval(T, F, As).
apply_repeatedly(T, M, F, As) -> apply_interval(T, M, F, As).

once(T, What) when is_integer(T), T >= 0 ->
    {ok, {once, spawn(timer, '-wait', [T, none, {once, What}])}};
once(_, _) -> {error, badarg}.
%% An interval ends with the process that wanted it.
again(T, For, What) when is_integer(T), T >= 0 ->
    {ok, {interval, spawn(timer, '-wait', [T, For, {again, What}])}};
again(_, _, _) -> {error, badarg}.
cancel({Kind, P}) when is_pid(P), Kind =:= once orelse Kind =:= interval ->
    P ! {cancel, self()},
    {ok, cancel};
cancel(_) -> {error, badarg}.

'-wait'(T, none, {Kind, What}) -> wait(T, Kind, What, none, now_ms() + T);
'-wait'(T, For, {Kind, What}) -> wait(T, Kind, What, erlang:monitor(process, For), now_ms() + T).
now_ms() -> erlang:monotonic_time(millisecond).
wait(T, Kind, What, M, At) ->
    receive
        {cancel, _} -> ok;
        {'DOWN', M, process, _, _} -> ok
    after max(0, At - now_ms()) ->
        do(What),
        case Kind of
            once -> ok;
            again -> wait(T, Kind, What, M, At + T)
        end
    end.
do({erlang, send, [To, Message]}) -> catch To ! Message;
do({M, F, As}) -> spawn(M, F, As).
