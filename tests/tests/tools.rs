//! OTP's tools, pointed at a node of ours: etop, observer, appmon, ping, world, and those that cannot work here.

use trunkline::Node;
use trunkline_tests::erl::{Erl, quoted};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, eventually};

/// One of the two ways is enough where who dials makes no difference.
async fn meeting(story: impl AsyncFn(&mut Meeting<'_>)) {
    both_dialling(async |meeting| {
        if meeting.way.we_dial {
            story(meeting).await;
        }
    })
    .await;
}

/// Loads etop, from its source where OTP was packed without observer.
fn has_etop(erl: &mut Erl) -> bool {
    let found = erl.eval(
        "case code:ensure_loaded(etop) of {module, etop} -> found; _ -> \
         Compiled = [compile:file(F, [binary, {i, filename:dirname(F)}]) || M <- [\"etop\", \"etop_txt\"], \
         F <- filelib:wildcard(code:root_dir() ++ \"/lib/observer-*/src/\" ++ M ++ \".erl\")], \
         Loaded = [code:load_binary(M, \"etop\", B) || {ok, M, B} <- Compiled], \
         case length(Loaded) of 2 -> found; _ -> missing end end",
    );
    if found != "found" {
        eprintln!("SKIPPED: this OTP comes without observer");
    }
    found == "found"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etop_shows_our_processes_by_their_names() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        if !has_etop(erl) {
            return;
        }
        let start = "spawn(fun() -> etop:start([{node, Us}, {output, text}, {tracing, off}, {interval, 1}, {lines, 50}]) end)";
        erl.eval(start);
        let line = erl.until_printed(&["net_kernel", "{trunkline,net_kernel,0}"]);
        assert!(line.starts_with('<'), "{line}");
        erl.until_printed(&[" rex ", "{trunkline,rex,0}"]);
        erl.until_printed(&["counter"]);
        erl.until_printed(&["Load:", "cpu", "Memory:", "total"]);
        erl.check("etop:stop()", "stop");
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observer_finds_what_it_asks_for() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.check("rpc:call(Us, code, ensure_loaded, [observer_backend])", "{module,observer_backend}");
        let wanted = "[{sys_info, 0}, {get_port_list, 0}, {get_socket_list, 0}, {socket_info, 0}, {get_table_list, 2}, {get_table, 3}, \
                       {fetch_stats, 2}, {etop_collect, 1}, {procs_info, 1}]";
        erl.check(
            &format!("lists:all(fun({{F, A}}) -> rpc:call(Us, erlang, function_exported, [observer_backend, F, A]) end, {wanted})"),
            "true",
        );
        // observer_sys_wx: all of these are looked up.
        erl.check(
            "begin Info = rpc:call(Us, observer_backend, sys_info, []), \
             [K || K <- [uptime, run_queue, io_input, io_output, logical_processors, logical_processors_online, \
             logical_processors_available, schedulers, schedulers_online, schedulers_available, otp_release, version, \
             system_architecture, kernel_poll, smp_support, threads, thread_pool_size, wordsize_internal, wordsize_external, \
             process_count, process_limit, atom_count, atom_limit, port_count, port_limit, ets_count, ets_limit, \
             dist_buf_busy_limit, total, processes, processes_used, system, atom, atom_used, binary, code, ets], \
             not lists:keymember(K, 1, Info)] end",
            "[]",
        );
        erl.check("is_integer(list_to_integer(proplists:get_value(otp_release, Info)))", "true");
        erl.check("proplists:get_value(total, Info) > 1000000", "true");
        erl.check("proplists:get_value(uptime, Info) > 0", "true");
        // observer_pro_wx.
        erl.scene(
            "P = spawn_link(Us, observer_backend, etop_collect, [self()]), \
             {etop_info, {_, _, _}, N, _, Runtime, Queue, _, Memory, Processes} = receive {P, I} -> I ?WAIT end, \
             {N =:= length(Processes), is_list(Runtime), is_integer(Queue), [K || {K, V} <- Memory, is_integer(V)], \
              lists:all(fun({etop_proc_info, Q, M, R, _, _, {_, _, _}, L}) -> is_pid(Q) andalso is_integer(M) andalso is_integer(R) andalso is_integer(L) end, Processes), \
              lists:keymember(rex, 5, Processes)}",
            "{true,true,true,[total,processes,ets,atom,code,binary],true,true}",
        );
        erl.scene(
            "P = spawn_link(Us, observer_backend, procs_info, [self()]), \
             receive {procs_info, P, L} -> lists:keymember(counter, 5, L) ?WAIT end",
            "true",
        );
        // observer_perf_wx: again and again, until it hears anything.
        erl.scene(
            "process_flag(trap_exit, true), P = spawn_link(Us, observer_backend, fetch_stats, [self(), 20]), \
             Next = fun() -> receive {stats, 1, [{1, A, T} | _], {{input, _}, {output, _}}, M} -> {is_integer(A), T > 0, proplists:get_value(total, M) > 0} ?WAIT end end, \
             R = {Next(), Next()}, P ! stop, {R, receive {'EXIT', P, Why} -> Why ?WAIT end}",
            "{{{true,true,true},{true,true,true}},normal}",
        );
        // observer_port_wx, observer_sock_wx, observer_tv_wx.
        erl.check("[rpc:call(Us, observer_backend, F, A) || {F, A} <- [{get_port_list, []}, {get_socket_list, []}, {get_table_list, [ets, []]}]]", "[[],[],[]]");
        erl.scene(
            "P = rpc:call(Us, observer_backend, get_table, [self(), some_table, ets]), receive {P, End} -> End ?WAIT end",
            "'$end_of_table'",
        );
        erl.check("element(1, rpc:call(Us, observer_backend, get_table_list, [mnesia, []]))", "error");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observer_opens_one_of_our_processes() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.eval("C = rpc:call(Us, erlang, whereis, [counter])");
        let items = "[initial_call, current_function, registered_name, status, message_queue_len, group_leader, priority, trap_exit, \
                      reductions, binary, last_calls, catchlevel, trace, suspending, sequential_trace_token, error_handler, links, \
                      monitors, monitored_by, dictionary, memory, heap_size, stack_size, total_heap_size, min_heap_size, messages, \
                      current_stacktrace, backtrace, garbage_collection, garbage_collection_info, message_queue_data, parent, label, \
                      current_location, min_bin_vheap_size, fullsweep_after, max_heap_size]";
        erl.check(&format!("[K || {{K, _}} <- rpc:call(Us, erlang, process_info, [C, {items}])] =:= {items}"), "true");
        erl.check("rpc:call(Us, erlang, process_info, [C, registered_name])", "{registered_name,counter}");
        erl.check("rpc:call(Us, erlang, process_info, [C, [registered_name, message_queue_len]])", "[{registered_name,counter},{message_queue_len,0}]");
        erl.check("element(1, rpc:call(Us, erlang, process_info, [C, nonsense]))", "badrpc");
        erl.check("element(2, rpc:call(Us, erlang, process_info, [C, memory])) > 100", "true");
        erl.check("begin {reductions, R1} = rpc:call(Us, erlang, process_info, [C, reductions]), gen_server:call(C, {add, 1}), {reductions, R2} = rpc:call(Us, erlang, process_info, [C, reductions]), R2 > R1 end", "true");
        erl.check("element(1, rpc:call(Us, proc_lib, translate_initial_call, [C]))", "trunkline");
        erl.check("rpc:call(Us, erlang, garbage_collect, [C])", "true");
        // A process that knows no system messages is waited for as long as observer says.
        erl.scene("{badrpc, {'EXIT', {timeout, {sys, get_status, [C, 50]}}}} = rpc:call(Us, sys, get_status, [rpc:call(Us, erlang, whereis, [counter]), 50]), ok", "ok");
        erl.check("element(1, rpc:call(Us, sys, get_status, [rex, 200]))", "status");
        erl.check("element(1, sys:get_status({global_name_server, Us}))", "status");
        erl.check("sys:get_state({kernel_sup, Us})", "kernel_sup");
        erl.check("lists:member({reverse, 1}, rpc:call(Us, lists, module_info, [exports]))", "true");
        erl.check("rpc:call(Us, erlang, system_info, [dirty_cpu_schedulers])", "0");
        erl.check("rpc:block_call(Us, gen_event, which_handlers, [error_logger])", "[]");
        erl.check("rpc:block_call(Us, code, ensure_loaded, [rb])", "{error,nofile}");
        erl.check("is_list(rpc:block_call(Us, application, which_applications, []))", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appmon_delivers_applications_load_trees_and_processes() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.check("begin {ok, A} = appmon_info:start_link(Us, self(), []), node(A) =:= Us end", "true");
        erl.check("begin {ok, A2} = appmon_info:start_link(Us, self(), []), A2 =:= A end", "true");
        erl.check("rpc:call(Us, erlang, whereis, [appmon_info]) =:= A", "true");
        erl.check(
            "begin appmon_info:app_ctrl(A, Us, true, []), receive {delivery, A, app_ctrl, Us, [{K, kernel, {kernel, _, _}}]} -> is_pid(K) after 20000 -> no end end",
            "true",
        );
        erl.check(
            "begin appmon_info:app(A, kernel, true, []), receive {delivery, A, app, kernel, {Root, Ps, Links, []}} -> \
             {Root, lists:keymember(\"rex\", 2, Ps), lists:member({\"kernel_sup\", \"rex\"}, Links)} after 20000 -> no end end",
            "{\"kernel_sup\",true,true}",
        );
        erl.check("begin appmon_info:app(A, nonsense, true, []), receive {delivery, A, app, nonsense, T} -> T after 20000 -> no end end", "{[],[],[],[]}");
        erl.check("begin appmon_info:load(A, Us, true, [{timeout, 100}]), receive {delivery, A, load, Us, {L1, L2}} -> is_integer(L1 + L2) after 20000 -> no end end", "true");
        erl.check("begin appmon_info:pinfo(A, K, true, [{timeout, at_most_once}]), receive {delivery, A, pinfo, K, Text} -> lists:prefix(\"Node: \" ++ atom_to_list(Us), lists:flatten(Text)) after 20000 -> no end end", "true");
        // What it does not know, it does not do.
        erl.check("begin gen_server:cast(A, {self(), nonsense, x, true, []}), gen_server:cast(A, [improper | list]), A ! junk, gen_server:call(A, junk) end", "ok");
        erl.check("begin appmon_info:app_ctrl(A, Us, false, []), appmon_info:load(A, Us, false, []), ok end", "ok");
        // It ends with its starter.
        erl.check("begin M = erlang:monitor(process, A), unlink(A), exit(A, kill), receive {'DOWN', M, _, _, W} -> W after 20000 -> no end end", "killed");
        erl.scene(
            "S = spawn(fun() -> receive stop -> ok end end), {ok, B} = rpc:call(Us, appmon_info, start_link2, [S, S, []]), \
             N = erlang:monitor(process, B), ok = gen_server:call(B, junk), S ! stop, receive {'DOWN', N, _, _, V} -> V ?WAIT end",
            "normal",
        );
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_that_cannot_work_here_are_told_so_at_once() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        for (call, shown) in [
            ("rabbit, is_running, []", "undef"),
            ("rabbit, status, []", "undef"),
            ("rabbit_mnesia, status, []", "undef"),
            ("recon, proc_count, [memory, 3]", "undef"),
            ("observer_backend, ttb_init_node, [f, [], []]", "undef"),
            ("observer_backend, ttb_stop, [self()]", "undef"),
            ("erlang, trace, [all, true, [call]]", "notsup"),
            ("erlang, open_port, [{spawn, \"ls\"}, []]", "notsup"),
            ("os, cmd, [\"ls\"]", "notsup"),
            ("init, restart, []", "notsup"),
            ("ets, lookup, [no_table, key]", "badarg"),
        ] {
            erl.check(&format!("element(1, element(2, element(2, rpc:call(Us, {call}))))"), shown);
        }
        erl.check("rpc:call(Us, net_kernel, get_net_ticktime, [])", "60");
        erl.check("rpc:call(Us, ets, all, [])", "[]");
        erl.check("rpc:call(Us, erlang, ports, [])", "[]");
        erl.check("rpc:call(Us, dbg, p, [all])", "{error,notsup}");
        erl.check("rpc:call(Us, code, load_binary, [m, \"m.erl\", <<1, 2, 3>>])", "{error,badfile}");
        // dbg and ttb of the other side go through all they have, and come to an end.
        erl.eval("dbg:tracer()");
        erl.check("dbg:n(Us) =:= {ok, Us}", "true");
        erl.until("[R || R <- element(2, dbg:p(new_processes, call)), element(2, R) =:= Us]", "[]");
        erl.eval("dbg:stop_clear()");
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

/// The processes of OTP's kernel that are looked for by their names.
const STANDING: &str =
    "[init, kernel_sup, application_controller, code_server, error_logger, erl_epmd, global_group]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_processes_of_the_kernel_stand_and_answer_in_their_own_words() {
    meeting(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.eval(&format!("Pids = [rpc:call(Us, erlang, whereis, [N]) || N <- {STANDING}]"));
        erl.check("lists:all(fun erlang:is_pid/1, Pids)", "true");
        // init and code_server have words of their own.
        erl.scene("{init, Us} ! {self(), get_status}, receive {init, S} -> S ?WAIT end", "{started,started}");
        erl.scene("{init, Us} ! {self(), {get_argument, sname}}, receive {init, {ok, [[N]]}} -> list_to_atom(N) =:= Us ?WAIT end", "true");
        erl.scene("{init, Us} ! {self(), {get_argument, nonsense}}, receive {init, A} -> A ?WAIT end", "error");
        erl.scene("{code_server, Us} ! {code_call, self(), {is_loaded, lists}}, receive {code_server, A} -> A ?WAIT end", "{file,preloaded}");
        erl.scene("{code_server, Us} ! {code_call, self(), get_mode}, receive {code_server, A} -> A ?WAIT end", "embedded");
        erl.scene("{code_server, Us} ! {code_call, self(), {load_binary, m, \"m\", <<>>}}, receive {code_server, A} -> A ?WAIT end", "{error,badfile}");
        // Behaviours.
        erl.check("gen_event:which_handlers({error_logger, Us})", "[]");
        erl.check("gen_event:add_handler({error_logger, Us}, h, [])", "{error,notsup}");
        erl.check("gen_event:delete_handler({error_logger, Us}, h, [])", "{error,module_not_found}");
        erl.check("gen_event:call({error_logger, Us}, h, q)", "{error,bad_module}");
        erl.check("gen_event:sync_notify({error_logger, Us}, event)", "ok");
        erl.check("length(supervisor:which_children({kernel_sup, Us})) > 5", "true");
        erl.check("[supervisor:F({kernel_sup, Us}, nobody) || F <- [terminate_child, restart_child, delete_child, get_childspec]]", "[{error,not_found},{error,not_found},{error,not_found},{error,not_found}]");
        erl.check("[supervisor:F({kernel_sup, Us}, rex) || F <- [terminate_child, restart_child, delete_child]]", "[{error,notsup},{error,running},{error,running}]");
        erl.check("maps:get(id, element(2, supervisor:get_childspec({kernel_sup, Us}, rex)))", "rex");
        erl.check("gen_server:call({application_controller, Us}, which_applications) =:= rpc:call(Us, application, which_applications, [])", "true");
        erl.check("[gen_server:call({application_controller, Us}, {Q, kernel}) || Q <- [is_running, load_application, start_type]]", "[true,{error,{already_loaded,kernel}},local]");
        erl.check("begin {ok, {r4, Name, Port}} = gen_server:call({erl_epmd, Us}, client_info_req), {ok, L} = net_adm:names(localhost), lists:member({Name, Port}, L) end", "true");
        erl.check("[gen_server:call({global_group, Us}, Q) || Q <- [global_groups, nonsense]]", "[undefined,{illegal_message,nonsense}]");
        // What nobody understands is answered by those who answer at all.
        erl.check("[element(1, gen_server:call({N, Us}, {strange, [question | tail]}, 5000)) || N <- [kernel_sup, erl_epmd, error_logger, code_server, init]]", "[error,error,error,error,error]");
        erl.check("[sys:get_state({N, Us}, 5000) =:= N || N <- [kernel_sup, erl_epmd, error_logger, global_group, code_server, init, rex, net_kernel, auth, global_name_server]]", "[true,true,true,true,true,true,true,true,true,true]");
        erl.check("sys:suspend({rex, Us}), sys:resume({rex, Us}), rpc:call(Us, erlang, node, []) =:= Us", "true");
        erl.check("[catch sys:replace_state({rex, Us}, fun(S) -> S end) || _ <- [1]] =/= [rex]", "true");
        erl.check(
            "[begin P ! Q, gen_server:cast(P, Q), P ! {'$gen_call', Q, Q}, P ! {system, Q, Q}, P ! {self(), Q}, P ! {code_call, Q, Q}, P ! {code_call, self(), Q}, \
              P ! {self(), {self(), make_ref()}, Q}, P ! {system, {self(), make_ref()}, Q} end || P <- Pids, \
              Q <- [nonsense, {}, {a}, {a, b}, {get_argument}, {is_loaded, 1}, [improper | list], #{}, <<1:3>>, 1.5, {call}, {notify, x}, {'EXIT', self(), boo}]], ok",
            "ok",
        );
        erl.check(&format!("Pids =:= [rpc:call(Us, erlang, whereis, [N]) || N <- {STANDING}]"), "true");
        // Whoever kills one finds another.
        erl.check("exit(hd(Pids), kill)", "true");
        erl.until("begin I = rpc:call(Us, erlang, whereis, [init]), is_pid(I) andalso I =/= hd(Pids) end", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn world_finds_us_and_we_find_the_world() {
    meeting(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.check("lists:member(Us, net_adm:world_list([localhost]))", "true");
        erl.check("begin {ok, Names} = net_adm:names(localhost), lists:keymember(hd(string:lexemes(atom_to_list(Us), \"@\")), 1, Names) end", "true");
        erl.check("lists:sort(rpc:call(Us, net_adm, world, [])) =:= lists:sort([node(), Us])", "true");
        erl.check("begin {ok, N1} = rpc:call(Us, net_adm, names, []), {ok, N2} = net_adm:names(localhost), lists:sort(N1) =:= lists:sort(N2) end", "true");
        erl.check("rpc:call(Us, net_adm, ping, [node()])", "pong");
        assert_eq!(quoted(ours.name().as_str()), erl.eval("Us"));
    })
    .await;
}

/// A node of OTP's and one of ours that is asked to end.
async fn asked_to_end(refusing: bool) -> Option<(Erl, Node)> {
    if !trunkline_tests::erl::found() {
        return None;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let builder = world::node(&world::unique("ours"), epmd);
    let builder = if refusing { builder.refuse_stop() } else { builder };
    let ours = builder.start().await.expect("our node starts");
    erl.eval(&format!("Us = {}", quoted(ours.name().as_str())));
    erl.check("net_adm:ping(Us)", "pong");
    Some((erl, ours))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_stopped_from_afar_as_otps_is() {
    for (way, answer) in [
        ("rpc:call(Us, init, stop, [])", "ok"),
        ("rpc:block_call(Us, init, stop, [0])", "ok"),
        ("rpc:call(Us, erlang, halt, [])", "{badrpc,nodedown}"),
        ("rpc:call(Us, erlang, halt, [1, [{flush, false}]])", "{badrpc,nodedown}"),
        ("begin {init, Us} ! {stop, stop}, ok end", "ok"),
        ("begin rpc:cast(Us, init, stop, []), ok end", "ok"),
    ] {
        let Some((mut erl, ours)) = asked_to_end(false).await else { return };
        erl.check("monitor_node(Us, true)", "true");
        erl.check(way, answer);
        erl.check("receive {nodedown, Us} -> down after 20000 -> up end", "down");
        tokio::time::timeout(world::PATIENCE, ours.until_stopped()).await.unwrap_or_else(|_| panic!("{way}"));
        erl.check("net_adm:ping(Us)", "pang");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_refuses_is_not_stopped_from_afar() {
    let Some((mut erl, ours)) = asked_to_end(true).await else { return };
    erl.check("begin {badrpc, {'EXIT', {W1, _}}} = rpc:call(Us, init, stop, []), W1 end", "notsup");
    erl.check("begin {badrpc, {'EXIT', {W2, _}}} = rpc:call(Us, erlang, halt, [0]), W2 end", "notsup");
    erl.check("begin {init, Us} ! {stop, stop}, net_adm:ping(Us) end", "pong");
    eventually("it lives", async || ours.whereis("init").is_some()).await;
}
