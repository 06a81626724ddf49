//! Monitors between our nodes and OTP's, in both directions, and the aliases that come with them.

use trunkline::{AliasMode, Atom, Ctx, Down, Pid, Term};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{self, PATIENCE, t};

/// A fresh process on our node, named `victim`.
fn victim(ours: &trunkline::Node) {
    let pid = world::echo_process(ours);
    ours.register("victim", &pid).expect("the last one is gone");
}

const FIND: &str = "V = erpc:call(Us, erlang, whereis, [victim])";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_hears_the_end_of_our_process_by_pid_and_by_name() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        for reason in ["normal", "boom", "{deep,[<<1,2>>]}"] {
            victim(ours);
            erl.scene(
                &format!(
                    "{FIND}, M = erlang:monitor(process, V), N = erlang:monitor(process, {{victim, Us}}), V ! {{stop, {reason}}}, \
                     {{receive {{'DOWN', M, process, V, R1}} -> R1 ?WAIT end, \
                       receive {{'DOWN', N, process, {{victim, Us}}, R2}} -> R2 ?WAIT end}}"
                ),
                &format!("{{{reason},{reason}}}"),
            );
        }
        erl.scene("M = erlang:monitor(process, {nobody, Us}), receive {'DOWN', M, process, {nobody, Us}, R} -> R ?WAIT end", "noproc");
        victim(ours);
        erl.scene(
            &format!(
                "{FIND}, M = erlang:monitor(process, V), N = erlang:monitor(process, V), V ! {{self(), alive}}, \
                 receive {{echo, alive}} -> ok end, D = demonitor(M, [info]), V ! {{stop, x}}, \
                 receive {{'DOWN', N, process, V, x}} -> ok end, receive {{'DOWN', M, _, _, _}} -> heard after 0 -> {{D, quiet}} end"
            ),
            "{true,quiet}",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_hear_the_end_of_otps_process_by_pid_and_by_name() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        for reason in ["normal", "boom", "{deep,[<<1,2>>]}"] {
            erl.eval("V = spawn(guest, echo, [loop]), register(victim, V), erlang:unlink(V), f");
            erl.forget();
            erl.eval(&format!("Us = {}", ours.name()));
            let them = Atom::new(&erl.name);
            let stop = Term::tuple([Term::atom("stop"), t(reason)]);
            let heard = ours.run(move |mut ctx: Ctx| async move {
                let place = (Atom::new("victim"), them.clone());
                let far: Pid = trunkline::rpc::call(
                    &ctx.node().clone(),
                    them.clone(),
                    "erlang",
                    "whereis",
                    (Atom::new("victim"),),
                )
                .await
                .expect("it is there");
                let by_pid = ctx.monitor(&far);
                let by_name = ctx.monitor(place.clone());
                let forgotten = ctx.monitor(&far);
                assert!(ctx.demonitor(&forgotten, true));
                ctx.send(place, stop);
                let mut downs: Vec<Down> = Vec::new();
                for _ in 0..2 {
                    downs.push(ctx.receive_within(PATIENCE).await.expect("a down"));
                }
                downs.sort_by_key(|down| down.reference != by_pid);
                let name = Term::tuple([Term::atom("victim"), Term::Atom(them)]);
                let who = downs[0].target == Term::Pid(far)
                    && downs[1].target == name
                    && downs[1].reference == by_name;
                (who, downs.remove(0).reason, downs.remove(0).reason, ctx.unread())
            });
            assert_eq!(heard.await, (true, t(reason), t(reason), vec![]), "{way}");
        }
        let them = erl.name.clone();
        let nobody = ours.run(move |mut ctx: Ctx| async move {
            ctx.monitor(("nobody", them.as_str()));
            let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
            (down.target == Term::tuple([Term::atom("nobody"), Term::atom(&them)]), down.reason)
        });
        assert_eq!(nobody.await, (true, t("noproc")), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_by_alias_arrive_once_and_take_the_monitor_back_on_both_sides() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        victim(ours);
        // After the reply the monitor is gone, and so is the alias.
        erl.scene(
            &format!(
                "{FIND}, M = erlang:monitor(process, V, [{{alias, reply_demonitor}}]), V ! {{M, one}}, V ! {{M, two}}, \
                 A = receive {{echo, X}} -> X ?WAIT end, V ! {{self(), last}}, B = receive {{echo, Y}} -> Y ?WAIT end, \
                 V ! {{stop, quietly}}, N = erlang:monitor(process, V), receive {{'DOWN', N, _, _, _}} -> ok end, \
                 {{A, B, receive {{'DOWN', M, _, _, _}} -> heard after 0 -> quiet end}}"
            ),
            "{one,last,quiet}",
        );
        // An alias that was given up.
        erl.scene("A = erlang:alias(), unalias(A), {echo, Us} ! {A, lost}, {echo, Us} ! {self(), found}, receive {echo, X} -> X ?WAIT end", "found");
        erl.scene("A = erlang:alias(), {echo, Us} ! {A, 1}, {echo, Us} ! {A, 2}, R = [receive {echo, X} -> X ?WAIT end || _ <- [1, 2]], unalias(A), R", "[1,2]");
        let them = erl.name.clone();
        let heard = ours.run(move |mut ctx: Ctx| async move {
            let echo = ("echo", them.as_str());
            let alias = ctx.monitor_with_alias(echo, AliasMode::ReplyDemonitor);
            let ask = |what: &str| Term::tuple([Term::Ref(alias.clone()), Term::atom(what)]);
            ctx.send(echo, ask("one"));
            ctx.send(echo, ask("two"));
            let first = world::message(&mut ctx).await;
            let me = ctx.pid();
            ctx.send(echo, (me, Atom::new("last")));
            let second = world::message(&mut ctx).await;
            (first, second, ctx.demonitor(&alias, true))
        });
        assert_eq!(heard.await, (t("{echo, one}"), t("{echo, last}"), false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_monitors_on_one_process_fire_once_each() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        victim(ours);
        erl.scene(
            &format!(
                "{FIND}, Ms = [erlang:monitor(process, V) || _ <- lists:seq(1, 10000)], V ! {{stop, all}}, \
                 Rs = [receive {{'DOWN', M, process, V, R}} -> R ?WAIT end || M <- Ms], \
                 {{lists:usort(Rs), receive {{'DOWN', _, _, _, _}} -> more after 0 -> no_more end}}"
            ),
            "{[all],no_more}",
        );
    })
    .await;
}
