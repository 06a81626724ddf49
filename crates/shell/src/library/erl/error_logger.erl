%% error_logger: the old way to log.
-module(error_logger).
-export([info_msg/1, info_msg/2, warning_msg/1, warning_msg/2, error_msg/1, error_msg/2, format/2,
         info_report/1, info_report/2, warning_report/1, warning_report/2, error_report/1, error_report/2,
         warning_map/0, tty/1, logfile/1]).

info_msg(Format) -> info_msg(Format, []).
info_msg(Format, As) -> logger:'$log'(notice, "INFO REPORT", {Format, As}).
warning_msg(Format) -> warning_msg(Format, []).
warning_msg(Format, As) -> logger:'$log'(warning, "WARNING REPORT", {Format, As}).
error_msg(Format) -> error_msg(Format, []).
error_msg(Format, As) -> logger:'$log'(error, "ERROR REPORT", {Format, As}).
format(Format, As) -> error_msg(Format, As).

info_report(Report) -> logger:'$log'(notice, "INFO REPORT", {report, Report}).
warning_report(Report) -> logger:'$log'(warning, "WARNING REPORT", {report, Report}).
error_report(Report) -> logger:'$log'(error, "ERROR REPORT", {report, Report}).

%% Only what is of the usual type is shown.
info_report(std_info, Report) -> info_report(Report);
info_report(_, _) -> ok.
warning_report(std_warning, Report) -> warning_report(Report);
warning_report(_, _) -> ok.
error_report(std_error, Report) -> error_report(Report);
error_report(_, _) -> ok.

warning_map() -> warning.
tty(_) -> ok.
logfile(_) -> {error, no_log_file}.
