//! Malformed calls: what `erpc:execute_call` and `rex` make of them here is what they make of them in OTP, and nothing hangs.

use trunkline::Node;
use trunkline_tests::meeting::{Meeting, both_dialling};

fn export(ours: &Node) {
    ours.export("calc", "add", |a: i64, b: i64| a + b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_arguments_of_execute_call_are_answered_as_by_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        // The reason with which the process exits, its line numbers and what lies under erpc taken off the stack.
        erl.eval(
            "Run = fun(N, F, A) -> {_, R} = spawn_monitor(N, erpc, F, A), \
               receive {'DOWN', R, _, _, Why} -> Why after 20000 -> hangs end end",
        );
        erl.eval(
            "Bare = fun B({M, F, A, L}) when is_atom(M), is_atom(F), is_list(L), L =/= [] -> {M, F, A, []}; \
               B(T) when is_tuple(T) -> list_to_tuple([B(E) || E <- tuple_to_list(T)]); \
               B([H | T]) -> [B(H) | B(T)]; B(T) -> T end",
        );
        for arguments in [
            "[res, erlang, is_alive, []]",
            "[res, 'erlang', abs, [-1]]",
            "[{any, [term]}, erlang, abs, [-1]]",
            "[res, \"erlang\", abs, [-1]]",
            "[res, erlang, <<\"abs\">>, [-1]]",
            "[res, {erlang, x}, abs, [-1]]",
            "[res, erlang, abs, not_a_list]",
            "[res, erlang, abs, [-1 | tail]]",
            "[res, erlang, abs, #{}]",
            "[res, [], [], []]",
            "[res, no, such, [1]]",
            "[res, erlang, no_such_function, [1]]",
            "[res, erlang, apply, [erlang, abs, [-1]]]",
            "[res, erlang, apply, [no, such, [1]]]",
            "[res, no, such, lists:seq(1, 2000)]",
        ] {
            let same = format!(
                "(fun() -> case {{Bare(Run(node(), execute_call, {arguments})), Bare(Run(Us, execute_call, {arguments}))}} of \
                   {{X, X}} -> same; Differ -> Differ end end)()"
            );
            erl.check(&same, "same");
        }
        // Casts, and numbers of arguments that no function has: an end, whatever it is called.
        for (function, arguments) in [
            ("execute_cast", "[erlang, abs, x]"),
            ("execute_cast", "[1, 2, 3]"),
            ("execute_cast", "[no, such, []]"),
            ("execute_cast", "[no, such, [a | b]]"),
            ("execute_cast", "[]"),
            ("execute_call", "[]"),
            ("execute_call", "[res]"),
            ("execute_call", "[res, erlang, abs]"),
            ("execute_call", "[res, erlang, abs, [1], more]"),
            ("execute_call", "lists:seq(1, 255)"),
        ] {
            let ends = format!("case Run(Us, {function}, {arguments}) of hangs -> hangs; normal -> normal; _ -> fails end");
            erl.check(&ends, "fails");
        }
        erl.check("rpc:call(Us, calc, add, [1, 2])", "3");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_to_rex_are_answered_as_by_otp_or_ignored() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        // What comes back, on either node; of what is ignored, nothing before rex answers the next request.
        erl.eval(
            "Heard = fun(N, Time) -> {rex, N} ! {self(), features_request}, receive {features_reply, N, _} -> ok end, \
               receive {rex, N, {nonexisting_name, X}} -> {nonexisting, X}; {rex, N, N} -> delivered; \
               {rex, V} -> V after Time -> nothing end end",
        );
        erl.eval(
            "Bare = fun B({M, F, A, L}) when is_atom(M), is_atom(F), is_list(L), L =/= [] -> {M, F, A, []}; \
               B(T) when is_tuple(T) -> list_to_tuple([B(E) || E <- tuple_to_list(T)]); \
               B([H | T]) -> [B(H) | B(T)]; B(T) -> T end",
        );
        let answered = [
            "{self(), {call, calc, add, not_a_list, user}}",
            "{self(), {call, calc, add, [1 | 2], user}}",
            "{self(), {call, \"calc\", add, [1], user}}",
            "{self(), {call, no, such, [], group_leader()}}",
            "{self(), {call, no, such, [], send_stdout_to_caller}}",
            "{self(), {sbcast, no_such_name, m}}",
            "{self(), {sbcast, 7, m}}",
            "{self(), {sbcast, self(), m}}",
            "{self(), {sbcast, {nobody, node()}, m}}",
            "{self(), {send, no_such_name, m}}",
            "{self(), {send, [], m}}",
        ];
        let ignored = [
            "{self(), {call, a, b, c}}",
            "{self(), nonsense}",
            "{self(), {nonsense}}",
            "{self(), {block_call, erlang, node, [], user}}",
            "{self()}",
            "{}",
            "[]",
            "nonsense",
            "{'DOWN', make_ref(), process, self(), x}",
            "{'$gen_cast', {cast, a, b, c, d}}",
            "{'$gen_cast', nonsense}",
            "{'$gen_call', nonsense, x}",
            "{'$gen_call', {self(), tag}, nonsense}",
            "{'$gen_call', {self(), tag}, {call, a, b, c}}",
            "{'EXIT', self(), x}",
        ];
        let answered = answered.map(|message| (message, "20000"));
        for (message, time) in answered.into_iter().chain(ignored.map(|message| (message, "5"))) {
            let same = format!(
                "(fun() -> [A, B] = [begin {{rex, N}} ! {message}, Bare(Heard(N, {time})) end || N <- [node(), Us]], \
                   case A =:= B of true -> same; _ -> {{A, B}} end end)()"
            );
            erl.check(&same, "same");
            // What sbcast delivered to us.
            erl.check("(fun F() -> receive _ -> F() after 0 -> ok end end)()", "ok");
        }
        for request in [
            "{call, calc, add, not_a_list, group_leader()}",
            "{call, 1, 2, 3, group_leader()}",
            "{block_call, calc, add, [1 | 2], group_leader()}",
            "{block_call, 1, 2, [], group_leader()}",
            "{call, no, such, [], user}",
        ] {
            let same = format!(
                "(fun() -> [A, B] = [Bare(gen_server:call({{rex, N}}, {request}, 20000)) || N <- [node(), Us]], \
                   case A =:= B of true -> same; _ -> {{A, B}} end end)()"
            );
            erl.check(&same, "same");
        }
        // A group leader that is none: OTP's process crashes before it calls.
        for leader in ["nobody", "[]", "{send_stdout_to_caller, x}", "7"] {
            let failed = format!(
                "element(1, element(2, element(2, gen_server:call({{rex, Us}}, {{call, calc, add, [1, 2], {leader}}}, 20000))))"
            );
            erl.check(&failed, "function_clause");
        }
        // Somebody ends what a call runs, or the one who waits for it.
        ours.export_async("calc", "never", std::future::pending::<i64>);
        erl.check(
            "(fun() -> Before = rpc:call(Us, erlang, processes, []), {rex, Us} ! {self(), {call, calc, never, [], user}}, \
               (fun W() -> case rpc:call(Us, erlang, processes, []) -- Before of [] -> W(); New -> [exit(P, kill) || P <- New] end end)(), \
               receive {rex, _} -> ended after 500 -> ended end end)()",
            "ended",
        );
        erl.check("rpc:block_call(Us, calc, add, [1, 2], 20000)", "3");
        erl.check("rpc:call(Us, calc, add, [1, 2])", "3");
    })
    .await;
}
