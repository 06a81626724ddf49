%% logger: events of this process; what is kept of levels and handlers is the node's.
-module(logger).
-export([emergency/1, emergency/2, emergency/3, alert/1, alert/2, alert/3, critical/1, critical/2, critical/3,
         error/1, error/2, error/3, warning/1, warning/2, warning/3, notice/1, notice/2, notice/3,
         info/1, info/2, info/3, debug/1, debug/2, debug/3, log/2, log/3, log/4, allow/2, '$log'/3,
         set_process_metadata/1, update_process_metadata/1, get_process_metadata/0, unset_process_metadata/0,
         format_report/1, timestamp/0]).

emergency(What) -> log(emergency, What).
emergency(What, More) -> log(emergency, What, More).
emergency(What, As, Meta) -> log(emergency, What, As, Meta).
alert(What) -> log(alert, What).
alert(What, More) -> log(alert, What, More).
alert(What, As, Meta) -> log(alert, What, As, Meta).
critical(What) -> log(critical, What).
critical(What, More) -> log(critical, What, More).
critical(What, As, Meta) -> log(critical, What, As, Meta).
error(What) -> log(error, What).
error(What, More) -> log(error, What, More).
error(What, As, Meta) -> log(error, What, As, Meta).
warning(What) -> log(warning, What).
warning(What, More) -> log(warning, What, More).
warning(What, As, Meta) -> log(warning, What, As, Meta).
notice(What) -> log(notice, What).
notice(What, More) -> log(notice, What, More).
notice(What, As, Meta) -> log(notice, What, As, Meta).
info(What) -> log(info, What).
info(What, More) -> log(info, What, More).
info(What, As, Meta) -> log(info, What, As, Meta).
debug(What) -> log(debug, What).
debug(What, More) -> log(debug, What, More).
debug(What, As, Meta) -> log(debug, What, As, Meta).

log(Level, What) -> '$log'(Level, title(Level), event(What)).
log(Level, What, Meta) when is_map(Meta) -> log(Level, What);
log(Level, Format, As) -> '$log'(Level, title(Level), {Format, As}).
log(Level, F, Argument, _Meta) when is_function(F, 1) -> log(Level, F(Argument));
log(Level, Format, As, _Meta) -> '$log'(Level, title(Level), {Format, As}).

event(What) when is_map(What) -> {report, What};
event([{_, _} | _] = What) -> {report, What};
event(What) -> {"~ts", [What]}.

title(Level) -> string:uppercase(atom_to_list(Level)) ++ " REPORT".

'$log'(Level, Title, Event) ->
    case allow(Level, ?MODULE) of
        true -> logger:'$report'(loudness(Level), Title, kept(Event), text(Event));
        false -> ok
    end.

kept({report, Report}) when is_map(Report) -> Report;
kept({report, Report}) -> #{label => {error_logger, report}, report => Report};
kept({Format, As}) -> #{label => {error_logger, message}, report => [{format, Format}, {args, As}]}.

loudness(warning) -> warning;
loudness(Level) ->
    case severity(Level) < severity(warning) of
        true -> error;
        false -> notice
    end.

allow(Level, _Module) ->
    Primary = case logger:get_primary_config() of
                  #{level := Wanted} -> Wanted;
                  _ -> notice
              end,
    severity(Level) =< severity(Primary).

severity(none) -> -1;
severity(emergency) -> 0;
severity(alert) -> 1;
severity(critical) -> 2;
severity(error) -> 3;
severity(warning) -> 4;
severity(notice) -> 5;
severity(info) -> 6;
severity(debug) -> 7;
severity(all) -> 10.

text({report, Report}) -> format_report_text(Report);
text({Format, As}) ->
    try unicode:characters_to_list(io_lib:format(Format, As))
    catch _:_ -> io_lib:format("FORMAT ERROR: ~tp - ~tp", [Format, As])
    end.

format_report_text(Report) when is_map(Report) -> format_report_text(maps:to_list(Report));
format_report_text([{_, _} | _] = Pairs) ->
    lists:flatten(lists:join("\n", [case Pair of
                                        {Key, Value} -> io_lib:format("    ~ts: ~ts", [shown(Key), shown(Value)]);
                                        Other -> io_lib:format("    ~ts", [shown(Other)])
                                    end || Pair <- Pairs]));
format_report_text(Report) -> shown(Report).

shown(Term) ->
    case is_list(Term) andalso Term =/= [] andalso io_lib:printable_unicode_list(Term) of
        true -> Term;
        false -> io_lib:format("~tp", [Term])
    end.

format_report(Report) -> {"~ts", [format_report_text(Report)]}.

timestamp() -> os:system_time(microsecond).

set_process_metadata(Meta) -> put('$logger_metadata$', Meta), ok.
update_process_metadata(Meta) ->
    put('$logger_metadata$', maps:merge(case get_process_metadata() of undefined -> #{}; Old -> Old end, Meta)),
    ok.
get_process_metadata() -> get('$logger_metadata$').
unset_process_metadata() -> erase('$logger_metadata$'), ok.
