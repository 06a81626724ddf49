%% inet: what needs no socket; names and interfaces are the node's.
-module(inet).
-export([is_ip_address/1, is_ipv4_address/1, is_ipv6_address/1, ipv4_mapped_ipv6_address/1, parse_ipv4strict_address/1,
         parse_ipv6strict_address/1, getaddr/3, getaddrs/3, gethostbyname/3, format_error/1]).

is_ip_address(A) -> is_ipv4_address(A) orelse is_ipv6_address(A).
is_ipv4_address({_, _, _, _} = A) -> within(A, 255);
is_ipv4_address(_) -> false.
is_ipv6_address({_, _, _, _, _, _, _, _} = A) -> within(A, 65535);
is_ipv6_address(_) -> false.
within(A, Most) -> lists:all(fun(N) -> is_integer(N) andalso N >= 0 andalso N =< Most end, tuple_to_list(A)).

ipv4_mapped_ipv6_address({D1, D2, D3, D4} = A) ->
    case is_ipv4_address(A) of
        true -> {0, 0, 0, 0, 0, 16#ffff, (D1 bsl 8) bor D2, (D3 bsl 8) bor D4};
        false -> error(function_clause)
    end;
ipv4_mapped_ipv6_address({_, _, _, _, _, _, D7, D8} = A) ->
    case is_ipv6_address(A) of
        true -> {D7 bsr 8, D7 band 255, D8 bsr 8, D8 band 255};
        false -> error(function_clause)
    end.

%% Strict: all four parts of an address of version 4.
parse_ipv4strict_address(Text) ->
    case inet:parse_ipv4_address(Text) of
        {ok, A} ->
            case length(string:split(Text, ".", all)) of
                4 -> {ok, A};
                _ -> {error, einval}
            end;
        Error -> Error
    end.
parse_ipv6strict_address(Text) -> inet:parse_ipv6_address(Text).

%% The time that may pass is the resolver's own.
getaddr(Host, Family, _Time) -> inet:getaddr(Host, Family).
getaddrs(Host, Family, _Time) -> inet:getaddrs(Host, Family).
gethostbyname(Host, Family, _Time) -> inet:gethostbyname(Host, Family).

format_error(nxdomain) -> "non-existing domain";
format_error(exbadport) -> "inet_drv bad port state";
format_error(exbadseq) -> "inet_drv bad command sequence";
format_error(system_limit) -> "a system limit was hit, probably not enough ports";
format_error(Reason) ->
    Texts = #{econnrefused => "connection refused", econnreset => "connection reset by peer", eaddrinuse => "address already in use",
              eaddrnotavail => "cannot assign requested address", etimedout => "connection timed out",
              ehostunreach => "host is unreachable", enetunreach => "network is unreachable",
              enotconn => "socket is not connected", econnaborted => "software caused connection abort"},
    case Texts of
        #{Reason := Text} -> Text;
        _ -> file:format_error(Reason)
    end.
