%% The rows of the external term format. `dump` writes the same terms for the Rust side to read.
-module(bench_codec).
-export([codec_tuple/1, codec_list/1, codec_deep/1, codec_strings/1, dump/1]).
-import(bench_row, [print/3, took/1]).

%% Size terms of {ping, I, Pid} of about 60 bytes, a thousand different ones in turn.
codec_tuple(Size) ->
    Terms = tuples(),
    Bins = [term_to_binary(T) || T <- Terms],
    Rounds = Size div length(Terms),
    measure(Rounds, fun() -> encode_all(Terms) end, fun(S) ->
        print(codec_tuple_encode, Rounds * length(Terms) / S, "terms/s") end),
    measure(Rounds, fun() -> decode_all(Bins) end, fun(S) ->
        print(codec_tuple_decode, Rounds * length(Terms) / S, "terms/s") end).

%% For the rest Size is in kilobytes to be moved each way.
codec_list(Size) -> bulk("codec_list", Size, list()).
codec_deep(Size) -> bulk("codec_deep", Size, deep(10)).
codec_strings(Size) -> bulk("codec_strings", Size, strings()).

bulk(Name, Size, Term) ->
    Bin = term_to_binary(Term),
    Rounds = max(1, Size * 1000 div byte_size(Bin)),
    Mb = Rounds * byte_size(Bin) / 1.0e6,
    measure(Rounds, fun() -> term_to_binary(Term) end, fun(S) -> print(Name ++ "_encode", Mb / S, "MB/s") end),
    measure(Rounds, fun() -> binary_to_term(Bin) end, fun(S) -> print(Name ++ "_decode", Mb / S, "MB/s") end).

%% In a process of its own, so that no garbage is inherited.
measure(Rounds, Fun, Tell) ->
    {Pid, Ref} = spawn_monitor(fun() ->
        repeat(max(1, Rounds div 10), Fun),
        exit({took, took(fun() -> repeat(Rounds, Fun) end)})
    end),
    receive {'DOWN', Ref, process, Pid, {took, S}} -> Tell(S) end.

repeat(0, _) -> ok;
repeat(N, Fun) -> Fun(), repeat(N - 1, Fun).

%% The sums keep the compiler from leaving out what nobody looks at.
encode_all(Terms) -> encode_all(Terms, 0).
encode_all([], Bytes) -> Bytes;
encode_all([T | Ts], Bytes) -> encode_all(Ts, Bytes + byte_size(term_to_binary(T))).

decode_all(Bins) -> decode_all(Bins, 0).
decode_all([], Words) -> Words;
decode_all([B | Bs], Words) -> decode_all(Bs, Words + tuple_size(binary_to_term(B))).

tuples() -> [{ping, I * 12345, self()} || I <- lists:seq(1, 1000)].

list() -> [{item, I, I * 1.5, <<"a name of some length">>} || I <- lists:seq(1, 10000)].

deep(0) -> [];
deep(D) ->
    #{name => <<"node">>, depth => D, kids => [deep(D - 1), deep(D - 1)], meta => [D, [D, [D, {leaf, D * 1.5}]]]}.

strings() -> [lists:duplicate(1000, $a + I rem 26) || I <- lists:seq(1, 1000)].

%% -run bench_codec dump FOLDER
dump([Folder]) ->
    Write = fun(Name, Bin) -> ok = file:write_file(filename:join(Folder, Name), Bin) end,
    Framed = [begin B = term_to_binary(T), <<(byte_size(B)):32, B/binary>> end || T <- tuples()],
    Write("codec_tuple.etf", Framed),
    Write("codec_list.etf", term_to_binary(list())),
    Write("codec_deep.etf", term_to_binary(deep(10))),
    Write("codec_strings.etf", term_to_binary(strings())),
    halt(0).
