%% calendar: dates by arithmetic.
-module(calendar).
-export([is_leap_year/1, last_day_of_the_month/2, date_to_gregorian_days/1, date_to_gregorian_days/3,
         gregorian_days_to_date/1, datetime_to_gregorian_seconds/1, gregorian_seconds_to_datetime/1, time_to_seconds/1,
         seconds_to_time/1, seconds_to_daystime/1, day_of_the_week/1, day_of_the_week/3, valid_date/1, valid_date/3,
         universal_time/0, system_time_to_universal_time/2, now_to_universal_time/1, now_to_datetime/1]).

is_leap_year(Y) when Y rem 4 =:= 0, Y rem 100 > 0 -> true;
is_leap_year(Y) when Y rem 400 =:= 0 -> true;
is_leap_year(_) -> false.
last_day_of_the_month(_, 4) -> 30;
last_day_of_the_month(_, 6) -> 30;
last_day_of_the_month(_, 9) -> 30;
last_day_of_the_month(_, 11) -> 30;
last_day_of_the_month(Y, 2) ->
    case is_leap_year(Y) of
        true -> 29;
        _ -> 28
    end;
last_day_of_the_month(_, M) when is_integer(M), M > 0, M < 13 -> 31.
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
gregorian_days_to_date(Days) ->
    Y = find_year(Days div 366, Days),
    {M, D} = find_month(Y, 1, Days - year_days(Y)),
    {Y, M, D}.
find_year(Y, Days) ->
    case year_days(Y + 1) > Days of
        true -> Y;
        false -> find_year(Y + 1, Days)
    end.
find_month(Y, M, Days) ->
    case last_day_of_the_month(Y, M) of
        N when Days >= N -> find_month(Y, M + 1, Days - N);
        _ -> {M, Days + 1}
    end.
datetime_to_gregorian_seconds({Date, Time}) -> 86400 * date_to_gregorian_days(Date) + time_to_seconds(Time).
gregorian_seconds_to_datetime(S) -> {gregorian_days_to_date(S div 86400), seconds_to_time(S rem 86400)}.
time_to_seconds({H, M, S}) when is_integer(H), is_integer(M), is_integer(S) -> H * 3600 + M * 60 + S.
seconds_to_time(S) when S >= 0, S < 86400 -> {S div 3600, (S rem 3600) div 60, S rem 60}.
seconds_to_daystime(S) -> {S div 86400, seconds_to_time(S rem 86400)}.
day_of_the_week({Y, M, D}) -> day_of_the_week(Y, M, D).
day_of_the_week(Y, M, D) -> (date_to_gregorian_days(Y, M, D) + 5) rem 7 + 1.
valid_date({Y, M, D}) -> valid_date(Y, M, D).
valid_date(Y, M, D) when is_integer(Y), is_integer(M), is_integer(D), Y >= 0, M > 0, M < 13, D > 0 ->
    D =< last_day_of_the_month(Y, M);
valid_date(_, _, _) -> false.
system_time_to_universal_time(T, Unit) ->
    gregorian_seconds_to_datetime(erlang:convert_time_unit(T, Unit, second) + 62167219200).
universal_time() -> system_time_to_universal_time(erlang:system_time(second), second).
now_to_universal_time({Mega, S, _}) -> system_time_to_universal_time(Mega * 1000000 + S, second).
now_to_datetime(Now) -> now_to_universal_time(Now).
