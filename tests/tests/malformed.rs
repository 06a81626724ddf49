//! Every service of a node of ours, asked what nobody understands: who asks is told or, where OTP is silent too, not answered; and
//! the service is the same process afterwards, and at work.

use trunkline_tests::meeting::{Meeting, both_dialling};

/// What a service makes of a `gen` call that it does not know.
#[derive(Clone, Copy, PartialEq)]
enum Unknown {
    /// It answers that it does not know it.
    Answered,
    /// As in OTP nobody answers.
    Silent,
    /// In OTP it breaks down, and its callers with it: here they hear the same and it lives on.
    Refused,
}

/// A service, what it makes of unknown calls, and something it does with its value: `S` is where it is.
const SERVICES: &[(&str, Unknown, &str, &str)] = &[
    ("net_kernel", Unknown::Silent, "gen_server:call(S, {is_auth, node()})", "yes"),
    ("rex", Unknown::Silent, "gen_server:call(S, {call, erlang, abs, [-1], group_leader()})", "1"),
    ("global_name_server", Unknown::Silent, "gen_server:call(S, get_protocol_version)", "8"),
    (
        "user",
        Unknown::Silent,
        "begin S ! {io_request, self(), r, {put_chars, unicode, \"x\"}}, receive {io_reply, r, V} -> V ?WAIT end end",
        "ok",
    ),
    ("auth", Unknown::Refused, "gen_server:call(S, echo)", "hello"),
    ("logger_proxy", Unknown::Answered, "element(1, sys:get_status(S))", "status"),
    ("application_controller", Unknown::Answered, "is_list(gen_server:call(S, which_applications))", "true"),
    ("kernel_sup", Unknown::Answered, "length(supervisor:count_children(S))", "4"),
    ("error_logger", Unknown::Answered, "gen_event:which_handlers(S)", "[]"),
    ("erl_epmd", Unknown::Answered, "element(1, sys:get_status(S))", "status"),
    ("global_group", Unknown::Answered, "element(1, sys:get_status(S))", "status"),
    (
        "init",
        Unknown::Answered,
        "begin S ! {self(), get_status}, receive {init, V} -> V ?WAIT end end",
        "{started,started}",
    ),
    (
        "code_server",
        Unknown::Answered,
        "begin S ! {code_call, self(), {is_loaded, lists}}, receive {code_server, V} -> V ?WAIT end end",
        "{file,preloaded}",
    ),
];

/// Calls that no service knows, and known ones gone wrong.
const CALLS: &str = "[nonsense, {}, [], 1, #{}, {nonsense, x}, {set_lock, x}, {set_lock, {a}}, {set_lock, {a, b, c}}, {set_lock, {l, [a | b]}, x}, \
     {del_lock, x}, {register, x}, {register, n, no_pid, m}, {register, n, no_pid, m, x}, {unregister}, {sync, [x | y]}, {add_node, 1}, {get_cookie, 1}, \
     {set_cookie, 1, 2}, {log, x}, {log, error, x, y, z}, {call, a, b, c}, {block_call, a, b, c}, {start_child, x}, {terminate_child, 1, 2}, \
     {load_application}, {start_application, 1, 2}, {permit_application, nope, perhaps}, {change_application_data, [x | y], z}, {config_change}, \
     {join_local, g, no_pid}, {join_local, g, [a | b]}, {leave_local, g, 7}, {monitor}, {demonitor, x}, {port_please, x}, {apply, 1, 2, 3}, \
     {connect, 1, 2}, {new_ticktime, a, b}, {allow, x}, {verbose, x, y}, {spawn, 1, 2, 3, 4}, {spawn_opt, 1, 2, 3, 4, 5, 6}, <<1:3>>, 1.5, make_ref(), self(), \
     fun erlang:abs/1, fun() -> ok end, {[a | b], self()}, list_to_tuple(lists:seq(1, 300)), lists:duplicate(1000, {x})]";

/// Anything else that comes to a mailbox.
const NOISE: &str = "[{'$gen_call', x, y}, {'$gen_call', {T, x}, y}, {'$gen_call', {T, [alias | x]}, y}, {'$gen_call', {T, [alias | make_ref()]}, y}, \
     {'$gen_call', {T}, y}, {'$gen_call'}, {'$gen_cast'}, {'$gen_cast', [a | b]}, {'$gen_cast', {init_connect, x, y, z}}, {'$gen_cast', {exchange, x, y, z, w}}, \
     {'$gen_cast', {resolved, x, y, z, w, v, u}}, {'$gen_cast', {lost_connection, a, b, c, d}}, {'$gen_cast', {print, x, y}}, {'$gen_cast', {cast, 1, 2, 3, 4}}, \
     {'$gen_cast', {async_disconnect, 1}}, {system, x, y}, {system, {T, t}, nonsense}, {system, {T, t}, {replace_state, 1}}, {'EXIT', T, x}, {'EXIT', x, y}, \
     {'DOWN', make_ref(), process, T, x}, {'DOWN', x, y, z, w}, {io_request, T, noise, x}, {io_request, x, y, z}, {io_request, T, noise, {put_chars, x, y, z}}, \
     {io_reply, x, y}, {log, x, y, z, w}, {log, error, \"~p ~s~999999999c\", [x], #{}}, {log, error, [x | y], z, #{}}, {notify, x}, {sync_notify, T, x}, \
     {T, x}, {T, {x}}, {T, make_ref(), x}, {x, {call, 1, 2, 3, 4}}, {T, {call, 1, 2, 3, 4}}, {code_call, T, x}, {code_call, x, {is_loaded, 1}}, \
     {nodeup, x}, {nodedown, x, y}, {nodeup, x, #{}}, {T, registered_send, 1, x}, {T, badcookie, net_kernel, x}, {dist_ac_took_control, x, y}, \
     {discover, x}, {discover, x, y}, {sync, x, y}, {sync, T, [a | b]}, {sync, T, [{g}]}, {join, x, y, z}, {join, T, g, [x]}, {leave, T, x, [a | b]}, \
     x, [], {}, 1, #{}, [a | b], <<>>, fun() -> ok end]";

/// Services of OTP whose code can be asked how it takes a call, and their callback modules.
const CALLBACKS: &str = "[{global_name_server, global}, {net_kernel, net_kernel}, {rex, rpc}, {auth, auth}]";

/// Calls with words that these know, in shapes that they may not know.
const SHAPES: &str = "[{set_lock, x}, {set_lock, {a}}, {set_lock, {a, b, c}}, {set_lock, [a]}, {set_lock, {a, b}}, {del_lock, x}, {del_lock, {a}}, \
     {del_lock, {a, b, c}}, {del_lock, {a, b}}, {register, n, no_pid, m}, {register, n, 7, m}, {register, n, {a, b}, m}, {register_ext, n, 7, m, 3}, \
     {register_ext, n, 7, m, node()}, {unregister, {a, b}}, {sync, [x | y]}, {sync, x}, {sync, 1}, get_known, get_synced, get_names_ext, \
     get_protocol_version, info, high_level_trace_get, {call, 1, 2, 3, 4}, {block_call, 1, 2, 3, 4}, {call, 1, 2, 3, user}, {block_call, 1, 2, [], user}, \
     {connect, normal, 7}, {connect, normal, \"x\"}, {connect, x, node()}, {connect, normal, a, b}, {new_ticktime, a, b}, {new_ticktime, -1, 1}, \
     {new_ticktime, 60, x}, {allow, x}, {allow, [1]}, {allow, [a | b]}, {verbose, x}, {spawn, 1, 2, 3}, {spawn, erlang, node, []}, {spawn_link, 1, 2, 3}, \
     {spawn_opt, 1, 2, 3, 4, 5, 6}, {spawn_opt, erlang, node, [], [x], no, self()}, {is_auth, 1}, longnames, ticktime, {disconnect, 1}, \
     {disconnect, nonode@nowhere}, {hidden, 1}, {publish_on_node, 1}, {publish_on_node, x}, {update_publish_nodes, x}, {update_publish_nodes, [x]}, \
     {setopts, x, y}, {setopts, new, x}, {setopts, new, [x]}, {setopts, x@y, [x]}, {getopts, x, y}, {getopts, x@y, [x]}, {getopts, x@y, x}, \
     {monitor_nodes, x}, {get_cookie, 1}, {set_cookie, 1, 2}, {set_cookie, a}, echo, sync_cookie]";

/// How OTP's process takes a call: its own code runs in it, with its state, which stays as it is even if that code fails.
const TAKES: &str = "Takes = fun(S, M, Q) -> Me = self(), Tag = make_ref(), \
     sys:replace_state(S, fun(State) -> Me ! {Tag, how, try element(1, M:handle_call(Q, {Me, Tag}, State)) of How -> How catch _:_ -> fails end}, State end), \
     receive {Tag, how, noreply} -> receive {Tag, _} -> answers after 5 -> silent end; {Tag, how, reply} -> answers; {Tag, how, fails} -> fails end end";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_service_is_hurt_by_what_it_does_not_understand() {
    both_dialling(async |meeting| {
        if !meeting.way.we_dial {
            return;
        }
        let Meeting { erl, .. } = meeting;
        erl.eval(&format!("T = self(), Calls = {CALLS}, Noise = {NOISE}"));
        // Clears what came back.
        erl.eval("Clear = fun F() -> receive _ -> F() after 0 -> ok end end");
        erl.eval("Out = fun(S, Q) -> try gen_server:call(S, Q, 40) of {error, _} -> answered; _ -> answered catch exit:{timeout, _} -> silent; exit:{{function_clause, _}, _} -> refused end end");
        for (service, unknown, question, value) in SERVICES {
            println!("{service}");
            let there = format!("{{{service}, Us}}");
            let whereis = format!("rpc:call(Us, erlang, whereis, [{service}])");
            let before = erl.eval(&whereis);
            let wanted = match unknown {
                Unknown::Answered => "[answered]",
                Unknown::Silent => "[silent]",
                Unknown::Refused => "[refused]",
            };
            erl.check(&format!("lists:usort([Out({there}, Q) || Q <- [nonsense, {{nonsense, x}}, 1]])"), wanted);
            let all = format!(
                "[gen_server:send_request({there}, Q) || Q <- Calls], [gen_server:cast({there}, Q) || Q <- Calls], \
                 [{there} ! M || M <- Calls ++ Noise], Clear()"
            );
            erl.check(&all, "ok");
            erl.scene(&question.replace("(S", &format!("({there}")).replace(" S !", &format!(" {there} !")), value);
            erl.check("Clear()", "ok");
            erl.check(&whereis, &before);
        }
        erl.eval(TAKES);
        // Where OTP answers, or fails and its callers with it, nobody is left waiting by us.
        let waiting = format!(
            "begin Asked = [{{gen_server:send_request({{S, Us}}, Q), S, Q, Takes(S, M, Q)}} || {{S, M}} <- {CALLBACKS}, Q <- {SHAPES}], \
               [{{S, Q, How}} || {{Id, S, Q, How}} <- Asked, How =/= silent, \
                  case gen_server:receive_response(Id, 2000) of {{reply, _}} -> false; timeout -> true; _ -> false end] end"
        );
        erl.check(&waiting, "[]");
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}
