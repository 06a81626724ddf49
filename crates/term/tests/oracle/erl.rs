//! One `erl`, asked over its standard input and output: four bytes of length, then a term, both ways.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use trunkline_term::{Bytes, Term, decode, encode};

const SERVER: &str = r#"
Text = fun(Format) -> fun(T) -> unicode:characters_to_binary(io_lib:format(Format, [T])) end end,
Answer = fun
    ({bytes, Ts}) -> [term_to_binary(T) || T <- Ts];
    ({same, Ts}) -> lists:all(fun({T, B}) -> binary_to_term(B) =:= T end, Ts);
    ({compressed, T}) -> term_to_binary(T, [compressed]);
    ({write, Ts}) -> lists:map(Text("~w"), Ts);
    ({pretty, Ts}) -> lists:map(Text("~p"), Ts);
    ({pretty_t, Ts}) -> lists:map(Text("~tp"), Ts);
    ({pretty_40, Ts}) -> lists:map(Text("~40p"), Ts);
    ({pretty_shell, Ts}) ->
        Options = [{column, 1}, {line_length, 80}, {line_max_chars, 60}, {encoding, unicode}],
        [unicode:characters_to_binary(io_lib_pretty:print(T, Options)) || T <- Ts];
    ({format, Fs}) ->
        [try io_lib:format(F, As) of
             Chars -> case unicode:characters_to_binary(Chars) of B when is_binary(B) -> B; _ -> badarg end
         catch error:badarg -> badarg end || {F, As} <- Fs];
    ({sort, Ts}) -> lists:sort(Ts);
    ({equal, Ts}) -> [{A =:= B, A == B} || {A, B} <- Ts];
    ({parse, Ts}) ->
        [try
             {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(T) ++ "."),
             {ok, Term} = erl_parse:parse_term(Tokens),
             {ok, Term}
         catch _:_ -> error end || T <- Ts]
end,
ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
Loop = fun Loop() ->
    case file:read(standard_io, 4) of
        {ok, <<Size:32>>} ->
            {ok, Bytes} = file:read(standard_io, Size),
            Reply = term_to_binary(Answer(binary_to_term(Bytes))),
            ok = file:write(standard_io, [<<(byte_size(Reply)):32>>, Reply]),
            Loop();
        _ -> halt(0)
    end
end,
Loop().
"#;

pub(crate) struct Erl(Child);

impl Erl {
    /// `None`, loudly, where there is no `erl`.
    pub(crate) fn start() -> Option<Erl> {
        let started = Command::new("erl")
            .args(["-noshell", "-boot", "start_clean", "+pc", "latin1", "-eval", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        match started {
            Ok(child) => Some(Erl(child)),
            Err(error) if std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_some() => {
                panic!("TRUNKLINE_REQUIRE_ERL is set, but erl does not start: {error}")
            }
            Err(error) => {
                eprintln!("SKIPPED, NOTHING WAS COMPARED: erl does not start: {error}");
                None
            }
        }
    }

    pub(crate) fn ask(&mut self, request: &Term) -> Term {
        let bytes = encode(request);
        let stdin = self.0.stdin.as_mut().unwrap();
        stdin.write_all(&(bytes.len() as u32).to_be_bytes()).unwrap();
        stdin.write_all(&bytes).unwrap();
        stdin.flush().unwrap();
        let stdout = self.0.stdout.as_mut().unwrap();
        let mut size = [0; 4];
        stdout.read_exact(&mut size).unwrap_or_else(|error| panic!("erl gave up on {request:?}: {error}"));
        let mut reply = vec![0; u32::from_be_bytes(size) as usize];
        stdout.read_exact(&mut reply).unwrap();
        decode(&Bytes::from(reply)).unwrap()
    }
}

impl Drop for Erl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The texts of a reply that is a list of binaries.
pub(crate) fn texts(reply: &Term) -> Vec<String> {
    let text = |text: Term| String::from_utf8(text.as_binary().unwrap().to_vec()).unwrap();
    reply.as_list().unwrap().iter().map(text).collect()
}
