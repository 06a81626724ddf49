%% timer: what needs no server.
-module(timer).
-export([tc/1, tc/2, tc/3, send_after/2, send_after/3, apply_after/4, cancel/1]).

tc(F) ->
    T = erlang:monotonic_time(),
    V = F(),
    {erlang:convert_time_unit(erlang:monotonic_time() - T, native, microsecond), V}.
tc(F, As) when is_list(As) -> tc(fun() -> apply(F, As) end);
tc(F, Unit) ->
    T = erlang:monotonic_time(),
    V = F(),
    {erlang:convert_time_unit(erlang:monotonic_time() - T, native, Unit), V}.
tc(M, F, As) -> tc(fun() -> apply(M, F, As) end).

send_after(T, M) -> send_after(T, self(), M).
send_after(T, To, M) -> {ok, {once, spawn(fun() -> receive cancel -> ok after T -> To ! M end end)}}.
apply_after(T, M, F, As) -> {ok, {once, spawn(fun() -> receive cancel -> ok after T -> apply(M, F, As) end end)}}.
cancel({once, P}) -> P ! cancel, {ok, cancel};
cancel(_) -> {error, badarg}.
