%% crypto: random bytes, and digests that tell data apart.
-module(crypto).
-export([start/0, stop/0, hash_equals/2, hash_init/1, hash_update/2, hash_final/1, exor/2, rand_uniform/2,
         bytes_to_integer/1, mod_pow/3, supports/0, supports/1, mac/4]).

start() -> ok.
stop() -> ok.
hash_equals(A, B) when byte_size(A) =:= byte_size(B) -> A =:= B;
hash_equals(_, _) -> error(badarg).
hash_init(Type) ->
    _ = crypto:hash(Type, <<>>),
    {Type, []}.
hash_update({Type, Data}, More) -> {Type, [Data, More]}.
hash_final({Type, Data}) -> crypto:hash(Type, Data).
exor(A, B) ->
    X = iolist_to_binary(A),
    Y = iolist_to_binary(B),
    Size = byte_size(X) * 8,
    case byte_size(Y) * 8 of
        Size ->
            <<M:Size>> = X,
            <<N:Size>> = Y,
            <<(M bxor N):Size>>;
        _ -> error(badarg)
    end.
rand_uniform(From, To) when From < To -> From + rand:uniform(To - From) - 1.
bytes_to_integer(B) -> binary:decode_unsigned(B).
mod_pow(B, E, M) -> binary:encode_unsigned(pow(int(B), int(E), int(M), 1)).
int(B) when is_binary(B) -> binary:decode_unsigned(B);
int(N) -> N.
pow(_, 0, M, A) -> A rem M;
pow(B, E, M, A) when E band 1 =:= 1 -> pow(B * B rem M, E bsr 1, M, A * B rem M);
pow(B, E, M, A) -> pow(B * B rem M, E bsr 1, M, A).
supports() -> [{hashs, supports(hashs)}, {macs, [hmac]}].
supports(hashs) -> [sha, sha224, sha256, md5];
supports(macs) -> [hmac];
supports(_) -> [].
mac(hmac, Type, Key0, Data) ->
    Key1 = iolist_to_binary(Key0),
    Key = if byte_size(Key1) > 64 -> crypto:hash(Type, Key1); true -> Key1 end,
    Pad = <<Key/binary, 0:((64 - byte_size(Key)) * 8)>>,
    With = fun(X) -> << <<(B bxor X)>> || <<B>> <= Pad >> end,
    crypto:hash(Type, [With(16#5c), crypto:hash(Type, [With(16#36), Data])]).
