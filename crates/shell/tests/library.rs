//! What the library does with processes: tables and their owners, files and theirs, the ceiling of tables.

use trunkline_shell as shell;

use shell::session::Trouble;
use shell::{NodeWorld, Session, Vm, lexer, parser};

async fn told(lines: &'static [(&'static str, &'static str)]) {
    let (node, vm) = (trunkline::Builder::default().alone(), Vm::new());
    shell::node::export_funs(&node, &vm);
    node.run(move |ctx| async move {
        let mut world = NodeWorld::new(ctx, vm.clone());
        let mut session = Session::new(vm);
        for (line, wanted) in lines {
            let tokens = lexer::tokens(line, lexer::Loc::new(1, 1)).unwrap();
            let body = parser::exprs(&tokens).unwrap();
            let said = match session.evaluate(&body, &mut world).await {
                Ok(value) => session.show(&value, &world),
                Err(Trouble::Raised(raise)) => format!("{} {}", raise.class.as_str(), raise.reason),
                Err(other) => format!("{other:?}"),
            };
            assert_eq!(&said, wanted, "{line}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_belong_to_their_owners_and_go_to_their_heirs() {
    told(&[
        ("Me = self(), {P, M} = spawn_monitor(fun() -> ets:new(gone, [named_table]), Me ! made, receive stop -> ok end end), receive made -> ets:info(gone, owner) =:= P end.", "true"),
        ("ets:insert(gone, {a, 1}).", "error badarg"),
        ("ets:lookup(gone, a).", "[]"),
        ("P ! stop, receive {'DOWN', M, _, _, _} -> ets:info(gone) end.", "undefined"),
        ("ets:new(gone, [named_table]), ets:delete(gone).", "true"),
        ("{P1, M1} = spawn_monitor(fun() -> T = ets:new(left, [{heir, Me, data}]), ets:insert(T, {k, v}) end), receive {'DOWN', M1, _, _, _} -> ok end, receive {'ETS-TRANSFER', T1, P1, data} -> {ets:lookup(T1, k), ets:info(T1, owner) =:= self()} after 5000 -> late end.", "{[{k,v}],true}"),
        ("Q = spawn(fun() -> receive {'ETS-TRANSFER', T, From, What} -> From ! {got, What, ets:info(T, owner) =:= self(), ets:tab2list(T)}, receive stop -> ok end end end), ets:give_away(T1, Q, gift), receive {got, W, O, L} -> {W, O, L} after 5000 -> late end.", "{gift,true,[{k,v}]}"),
        ("ets:insert(T1, {x}).", "error badarg"),
        ("M2 = monitor(process, Q), Q ! stop, receive {'DOWN', M2, _, _, _} -> ets:info(T1, owner) =:= self() end.", "true"),
        ("receive {'ETS-TRANSFER', T1, Q, data} -> ets:delete(T1) after 5000 -> late end.", "true"),
        ("ets:new(private, [named_table, private]), spawn(fun() -> Me ! (catch ets:lookup(private, a)) end), receive {'EXIT', {R, _}} -> R after 5000 -> late end.", "badarg"),
        ("ets:new(shared, [named_table, public]), spawn(fun() -> Me ! ets:insert(shared, {a, 1}) end), receive true -> ets:lookup(shared, a) after 5000 -> late end.", "[{a,1}]"),
        ("{P3, M3} = spawn_monitor(fun() -> ets:new(killed, [named_table]), Me ! here, receive stop -> ok end end), receive here -> exit(P3, kill) end, receive {'DOWN', M3, _, _, K} -> {K, ets:whereis(killed)} end.", "{killed,undefined}"),
        ("exit(Q, kill), lists:member(killed, ets:all()).", "false"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_hold_no_more_than_their_ceiling() {
    told(&[
        ("T = ets:new(big, []), B = binary:copy(<<0>>, 1 bsl 20), L = lists:duplicate(1000, B), length(L).", "1000"),
        ("[ets:insert(T, {N, L}) || N <- [1, 2, 3]].", "[true,true,true]"),
        ("[ets:insert(T, {N, L}) || N <- [4, 5, 6]].", "error system_limit"),
        ("ets:delete(T, 1), ets:insert(T, {7, L}).", "true"),
        ("ets:delete(T), U = ets:new(big, []), ets:insert(U, {1, L}).", "true"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_system_takes_no_turn_from_others() {
    told(&[
        ("Me = self(), spawn(fun() -> Me ! {said, os:cmd(\"sleep 0.3; echo done\")} end), timer:sleep(1), ok.", "ok"),
        ("{T, _} = timer:tc(fun() -> [lists:seq(1, 1000) || _ <- lists:seq(1, 10)] end), T < 250000.", "true"),
        ("receive {said, Text} -> Text after 10000 -> late end.", "\"done\\n\""),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_global_runs_here_and_gives_its_lock_back() {
    told(&[
        ("Me = self(), global:trans({lock, Me}, fun() -> {self() =:= Me, global:set_lock({lock, other}, [node()], 0)} end, [node()]).", "{true,false}"),
        ("global:set_lock({lock, other}, [node()], 0), global:del_lock({lock, other}, [node()]).", "true"),
        ("catch global:trans({lock, Me}, fun() -> throw(over) end, [node()], 0).", "over"),
        ("global:set_lock({lock, other}, [node()], 0).", "true"),
        ("global:trans({lock, Me}, fun() -> never end, [node()], 0).", "aborted"),
    ])
    .await;
}
