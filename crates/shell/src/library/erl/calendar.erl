%% calendar: dates by arithmetic, times of day, weeks, RFC 3339, and this machine's clock.
-module(calendar).
-export([is_leap_year/1, last_day_of_the_month/2, date_to_gregorian_days/1, date_to_gregorian_days/3,
         gregorian_days_to_date/1, datetime_to_gregorian_seconds/1, gregorian_seconds_to_datetime/1, time_to_seconds/1,
         seconds_to_time/1, seconds_to_daystime/1, day_of_the_week/1, day_of_the_week/3, valid_date/1, valid_date/3,
         universal_time/0, system_time_to_universal_time/2, now_to_universal_time/1, now_to_datetime/1,
         system_time_to_local_time/2, universal_time_to_local_time/1, local_time_to_universal_time/1,
         local_time_to_universal_time/2, local_time_to_universal_time_dst/1, time_difference/2, iso_week_number/0,
         iso_week_number/1, system_time_to_rfc3339/1, system_time_to_rfc3339/2, rfc3339_to_system_time/1,
         rfc3339_to_system_time/2]).

-define(EPOCH, 62167219200).

is_leap_year(Y) when is_integer(Y), Y >= 0, Y rem 4 =:= 0, Y rem 100 > 0 -> true;
is_leap_year(Y) when is_integer(Y), Y >= 0 -> Y rem 400 =:= 0.
last_day_of_the_month(Y, M) when is_integer(Y), Y >= 0 -> last_day(Y, M).
last_day(_, 4) -> 30;
last_day(_, 6) -> 30;
last_day(_, 9) -> 30;
last_day(_, 11) -> 30;
last_day(Y, 2) ->
    case is_leap_year(Y) of
        true -> 29;
        _ -> 28
    end;
last_day(_, M) when is_integer(M), M > 0, M < 13 -> 31.
date_to_gregorian_days({Y, M, D}) -> date_to_gregorian_days(Y, M, D).
date_to_gregorian_days(Y, M, D) when is_integer(D), D > 0 ->
    Last = last_day_of_the_month(Y, M),
    if D =< Last -> year_days(Y) + month_days(Y, M - 1) + D - 1 end.
year_days(0) -> 0;
year_days(Y) ->
    P = Y - 1,
    Y * 365 + P div 4 - P div 100 + P div 400 + 1.
month_days(_, 0) -> 0;
month_days(Y, M) -> last_day_of_the_month(Y, M) + month_days(Y, M - 1).
gregorian_days_to_date(Days) when is_integer(Days), Days >= 0 ->
    Y = find_year(Days * 400 div 146097, Days),
    {M, D} = find_month(Y, 1, Days - year_days(Y)),
    {Y, M, D}.
%% The guess is a year off at most.
find_year(Y, Days) ->
    case {year_days(Y) > Days, year_days(Y + 1) > Days} of
        {true, _} -> find_year(Y - 1, Days);
        {_, true} -> Y;
        _ -> find_year(Y + 1, Days)
    end.
find_month(Y, M, Days) ->
    case last_day_of_the_month(Y, M) of
        N when Days >= N -> find_month(Y, M + 1, Days - N);
        _ -> {M, Days + 1}
    end.
datetime_to_gregorian_seconds({Date, Time}) -> 86400 * date_to_gregorian_days(Date) + time_to_seconds(Time).
gregorian_seconds_to_datetime(S) when S >= 0 -> {gregorian_days_to_date(S div 86400), seconds_to_time(S rem 86400)}.
time_to_seconds({H, M, S}) when is_integer(H), is_integer(M), is_integer(S) -> H * 3600 + M * 60 + S.
seconds_to_time(S) when is_integer(S), S >= 0, S < 86400 -> {S div 3600, (S rem 3600) div 60, S rem 60}.
seconds_to_daystime(S) ->
    {D, R} = case S rem 86400 of
        Left when Left < 0 -> {S div 86400 - 1, Left + 86400};
        Left -> {S div 86400, Left}
    end,
    {D, seconds_to_time(R)}.
day_of_the_week({Y, M, D}) -> day_of_the_week(Y, M, D).
day_of_the_week(Y, M, D) -> (date_to_gregorian_days(Y, M, D) + 5) rem 7 + 1.
valid_date({Y, M, D}) -> valid_date(Y, M, D).
valid_date(Y, M, D) when is_integer(Y), is_integer(M), is_integer(D), Y >= 0, M > 0, M < 13, D > 0 ->
    D =< last_day_of_the_month(Y, M);
valid_date(Y, M, D) when is_integer(Y), is_integer(M), is_integer(D) -> false.
time_difference({_, _} = A, {_, _} = B) ->
    seconds_to_daystime(datetime_to_gregorian_seconds(B) - datetime_to_gregorian_seconds(A)).

%% The week of a day is that of its Thursday.
iso_week_number() ->
    {Date, _} = calendar:local_time(),
    iso_week_number(Date).
iso_week_number({_, _, _} = Date) ->
    Days = date_to_gregorian_days(Date),
    Thursday = Days - ((Days + 5) rem 7) + 3,
    {Y, _, _} = gregorian_days_to_date(Thursday),
    {Y, (Thursday - date_to_gregorian_days(Y, 1, 1)) div 7 + 1}.

%% Clocks.

system_time_to_universal_time(T, Unit) ->
    gregorian_seconds_to_datetime(erlang:convert_time_unit(T, Unit, second) + ?EPOCH).
system_time_to_local_time(T, Unit) ->
    universal_time_to_local_time(system_time_to_universal_time(T, Unit)).
universal_time() -> system_time_to_universal_time(erlang:system_time(second), second).
now_to_universal_time({Mega, S, _}) -> system_time_to_universal_time(Mega * 1000000 + S, second).
now_to_datetime(Now) -> now_to_universal_time(Now).

universal_time_to_local_time(T) ->
    S = datetime_to_gregorian_seconds(T),
    gregorian_seconds_to_datetime(S + offset(S - ?EPOCH)).
%% Seconds that clocks here are ahead of UTC at this moment.
offset(S) when S >= 0 ->
    datetime_to_gregorian_seconds(calendar:now_to_local_time({S div 1000000, S rem 1000000, 0})) - ?EPOCH - S;
offset(_) -> offset(0).

%% None, one, or two moments have this time of day.
local_time_to_universal_time_dst(T) ->
    S = datetime_to_gregorian_seconds(T) - ?EPOCH,
    Offsets = lists:usort([offset(S - 86400), offset(S + 86400), offset(S)]),
    Fit = [gregorian_seconds_to_datetime(S - O + ?EPOCH) || O <- lists:reverse(Offsets), offset(S - O) =:= O],
    lists:sort(Fit).
local_time_to_universal_time(T) ->
    case local_time_to_universal_time_dst(T) of
        [U | _] -> U;
        [] -> error(badarg)
    end.
local_time_to_universal_time(T, Dst) ->
    case {local_time_to_universal_time_dst(T), Dst} of
        {[], _} -> error(badarg);
        {[U | _], true} -> U;
        {L, false} -> lists:last(L);
        {[U | _], undefined} -> U
    end.

%% RFC 3339.

system_time_to_rfc3339(T) -> system_time_to_rfc3339(T, []).
system_time_to_rfc3339(T, Opts) when is_list(Opts) ->
    Unit = proplists:get_value(unit, Opts, second),
    Delimiter = proplists:get_value(time_designator, Opts, $T),
    Per = erlang:convert_time_unit(1, second, Unit),
    Secs = floor_div(T, Per),
    Part = T - Secs * Per,
    Ahead = case proplists:get_value(offset, Opts, "") of
        "" -> offset(Secs);
        "Z" -> 0;
        Text when is_list(Text) -> said(Text);
        N when is_integer(N) -> erlang:convert_time_unit(N, Unit, second)
    end,
    Local = Secs + Ahead + ?EPOCH,
    if Local < 0; Local >= 315569520000 -> error({badarg, [T, Opts]}); true -> ok end,
    {{Y, Mo, D}, {H, Mi, S}} = gregorian_seconds_to_datetime(Local),
    Zone = case proplists:get_value(offset, Opts, "") of
        "Z" -> "Z";
        _ -> ahead(Ahead)
    end,
    lists:flatten(io_lib:format("~4.10.0B-~2.10.0B-~2.10.0B~c~2.10.0B:~2.10.0B:~2.10.0B~s~s",
                                [Y, Mo, D, Delimiter, H, Mi, S, fraction(Part, Per), Zone])).
floor_div(A, B) when A >= 0 -> A div B;
floor_div(A, B) -> -((-A + B - 1) div B).
fraction(_, 1) -> "";
fraction(Part, Per) ->
    Digits = length(integer_to_list(Per - 1)),
    [$. | lists:flatten(io_lib:format("~*.10.0B", [Digits, Part]))].
ahead(S) ->
    {Sign, A} = if S < 0 -> {$-, -S}; true -> {$+, S} end,
    io_lib:format("~c~2.10.0B:~2.10.0B", [Sign, A div 3600, A rem 3600 div 60]).
said([Z]) when Z =:= $Z; Z =:= $z -> 0;
said([Sign, H1, H2, $:, M1, M2]) when Sign =:= $+; Sign =:= $- ->
    S = list_to_integer([H1, H2]) * 3600 + list_to_integer([M1, M2]) * 60,
    if Sign =:= $- -> -S; true -> S end.

rfc3339_to_system_time(Text) -> rfc3339_to_system_time(Text, []).
rfc3339_to_system_time(Text, Opts) when is_list(Opts) ->
    Unit = proplists:get_value(unit, Opts, second),
    [Y1, Y2, Y3, Y4, $-, Mo1, Mo2, $-, D1, D2, _, H1, H2, $:, Mi1, Mi2, $:, S1, S2 | Rest] = chars(Text),
    Date = {list_to_integer([Y1, Y2, Y3, Y4]), list_to_integer([Mo1, Mo2]), list_to_integer([D1, D2])},
    Time = {list_to_integer([H1, H2]), list_to_integer([Mi1, Mi2]), list_to_integer([S1, S2])},
    {Fraction, Zone} = case Rest of
        [$. | T] -> lists:splitwith(fun(C) -> C >= $0 andalso C =< $9 end, T);
        _ -> {"", Rest}
    end,
    Secs = datetime_to_gregorian_seconds({Date, Time}) - ?EPOCH - said(Zone),
    Per = erlang:convert_time_unit(1, second, Unit),
    Part = case Fraction of
        "" -> 0;
        _ when Per =:= 1 -> 0;
        _ ->
            Scale = power(length(Fraction)),
            (list_to_integer(Fraction) * Per * 2 + Scale) div (Scale * 2)
    end,
    Secs * Per + Part.
power(0) -> 1;
power(N) -> 10 * power(N - 1).
chars(B) when is_binary(B) -> binary_to_list(B);
chars(L) -> L.
