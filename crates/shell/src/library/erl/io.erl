%% io: reading terms, expressions and fields from a device.
-module(io).
-export([read/1, read/2, read/3, read/4, fread/2, fread/3, scan_erl_exprs/1, scan_erl_exprs/2, scan_erl_exprs/3,
         scan_erl_exprs/4, scan_erl_form/1, scan_erl_form/2, scan_erl_form/3, parse_erl_exprs/1, parse_erl_exprs/2,
         parse_erl_exprs/3, parse_erl_exprs/4, parse_erl_form/1, parse_erl_form/2, parse_erl_form/3, requests/1,
         requests/2, request/1, get_password/0, get_password/1]).

request(What) -> io:request(group_leader(), What).
requests(L) -> requests(group_leader(), L).
requests(Dev, L) -> io:request(Dev, {requests, L}).
get_password() -> get_password(group_leader()).
get_password(Dev) -> io:request(Dev, {get_password, unicode}).

tokens(Dev, Prompt, At, Opts) -> io:request(Dev, {get_until, unicode, Prompt, erl_scan, tokens, [At | Opts]}).

read(Prompt) -> read(group_leader(), Prompt).
read(Dev, Prompt) ->
    case read(Dev, Prompt, 1) of
        {ok, T, _} -> {ok, T};
        {error, Why, _} -> {error, Why};
        {eof, _} -> eof;
        Other -> Other
    end.
read(Dev, Prompt, At) -> read(Dev, Prompt, At, []).
read(Dev, Prompt, At, Opts) -> parsed(tokens(Dev, Prompt, At, options(Opts)), fun erl_parse:parse_term/1).
options([]) -> [];
options(Opts) -> [Opts].

parsed({ok, Tokens, End}, Parse) ->
    case Parse(Tokens) of
        {ok, T} -> {ok, T, End};
        {error, Why} -> {error, Why, End}
    end;
parsed(Other, _) -> Other.

scan_erl_exprs(Prompt) -> scan_erl_exprs(group_leader(), Prompt).
scan_erl_exprs(Dev, Prompt) -> tokens(Dev, Prompt, 1, []).
scan_erl_exprs(Dev, Prompt, At) -> tokens(Dev, Prompt, At, []).
scan_erl_exprs(Dev, Prompt, At, Opts) -> tokens(Dev, Prompt, At, [Opts]).
scan_erl_form(Prompt) -> scan_erl_exprs(Prompt).
scan_erl_form(Dev, Prompt) -> scan_erl_exprs(Dev, Prompt).
scan_erl_form(Dev, Prompt, At) -> scan_erl_exprs(Dev, Prompt, At).

parse_erl_exprs(Prompt) -> parse_erl_exprs(group_leader(), Prompt).
parse_erl_exprs(Dev, Prompt) -> parse_erl_exprs(Dev, Prompt, 1).
parse_erl_exprs(Dev, Prompt, At) -> parsed(tokens(Dev, Prompt, At, []), fun erl_parse:parse_exprs/1).
parse_erl_exprs(Dev, Prompt, At, Opts) -> parsed(tokens(Dev, Prompt, At, [Opts]), fun erl_parse:parse_exprs/1).
parse_erl_form(Prompt) -> parse_erl_form(group_leader(), Prompt).
parse_erl_form(Dev, Prompt) -> parse_erl_form(Dev, Prompt, 1).
parse_erl_form(Dev, Prompt, At) -> parsed(tokens(Dev, Prompt, At, []), fun erl_parse:parse_form/1).

fread(Prompt, Format) -> fread(group_leader(), Prompt, Format).
fread(Dev, Prompt, Format) -> io:request(Dev, {get_until, unicode, Prompt, io_lib, fread, [Format]}).
