//! Messages and signals longer than a fragment, both ways, many at once.

use trunkline::{Atom, Ctx, Down, ExitSignal, SpawnAt, Term};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{self, PATIENCE, t};

/// Around the size of a fragment, beyond a few, beyond everything that is buffered.
const SIZES: [usize; 7] = [65_535, 65_536, 65_537, 131_072, 200_000, 1_000_003, 5 * 1024 * 1024];

/// Bytes that are different everywhere, so that a mix-up shows.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn binary(bytes: Vec<u8>) -> Term {
    Term::Binary(bytes.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_come_whole_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        for size in [200_000, 5 * 1024 * 1024] {
            erl.check(&format!("guest:there_and_back({{echo, Us}}, rand:bytes({size}))"), "true");
            let them = erl.name.clone();
            let whole = ours.run(move |mut ctx: Ctx| async move {
                let sent = noise(size, 7);
                ctx.send(("echo", them.as_str()), (ctx.pid(), binary(sent.clone())));
                let back = world::message(&mut ctx).await;
                back.as_tuple().and_then(|items| items[1].as_binary()) == Some(&sent[..])
            });
            assert!(whole.await, "{way}: {size} bytes");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_size_around_a_fragment_comes_whole_in_several_shapes() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.eval("P = erpc:call(Us, erlang, whereis, [echo])");
        for size in SIZES {
            erl.check(&format!("guest:there_and_back(P, rand:bytes({size}))"), "true");
        }
        // The header and the control message eat a part of the first fragment: try every length around its edge.
        for size in (65_300..65_560).step_by(13) {
            erl.check(&format!("guest:there_and_back(P, binary:copy(<<7>>, {size}))"), "true");
        }
        erl.check("guest:there_and_back(P, lists:seq(1, 200000))", "true");
        erl.check("guest:there_and_back(P, [{N, list_to_atom(\"long_\" ++ integer_to_list(N rem 3000)), rand:bytes(100)} || N <- lists:seq(1, 10000)])", "true");
        erl.check("guest:there_and_back(P, #{big => rand:bytes(300000), more => [rand:bytes(300000), rand:bytes(1)]})", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_senders_of_long_messages_do_not_mix_and_keep_their_order() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        // OTP's twenty, each four long messages and a short one between.
        erl.scene(
            "P = erpc:call(Us, erlang, whereis, [echo]), Me = self(), \
             Run = fun(S) -> Bs = [{S, N, rand:bytes(case N rem 2 of 0 -> 10; 1 -> 200000 end)} || N <- lists:seq(1, 8)], \
                     [P ! {self(), B} || B <- Bs], Back = [receive {echo, X} -> X ?WAIT end || _ <- Bs], Me ! {done, Back =:= Bs} end, \
             [spawn(fun() -> Run(S) end) || S <- lists:seq(1, 20)], \
             lists:usort([receive {done, R} -> R ?WAIT end || _ <- lists:seq(1, 20)])",
            "[true]",
        );
        // Ours.
        let mut running = Vec::new();
        for sender in 0..20_u64 {
            let (ours, them) = (ours.clone(), erl.name.clone());
            running.push(tokio::spawn(async move {
                ours.run(move |mut ctx: Ctx| async move {
                    let messages: Vec<Term> =
                        (0..8).map(|n| binary(noise(if n % 2 == 0 { 10 } else { 200_000 }, sender * 8 + n))).collect();
                    for message in &messages {
                        ctx.send(("echo", them.as_str()), (ctx.pid(), message.clone()));
                    }
                    for message in messages {
                        let back = world::message(&mut ctx).await;
                        assert!(back == Term::tuple([Term::atom("echo"), message]), "sender {sender}");
                    }
                })
                .await;
            }));
        }
        for sender in running {
            sender.await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_reasons_and_long_arguments_come_whole() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        let victim = world::echo_process(ours);
        ours.register("victim", &victim).unwrap();
        erl.scene(
            "V = erpc:call(Us, erlang, whereis, [victim]), B = rand:bytes(300000), link(V), M = erlang:monitor(process, V), \
             V ! {stop, B}, {receive {'EXIT', V, X} -> X =:= B ?WAIT end, receive {'DOWN', M, _, V, Y} -> Y =:= B ?WAIT end}",
            "{true,true}",
        );
        ours.export("tests", "same", |value: Term| value);
        erl.scene("B = rand:bytes(1000000), erpc:call(Us, tests, same, [B]) =:= B", "true");
        let long = noise(1_000_000, 3);
        let back: Term = ours.call(erl.name.as_str(), "lists", "reverse", (vec![binary(long.clone())],)).await.unwrap();
        assert!(back == Term::list([binary(long)]));
        let them = Atom::new(&erl.name);
        let heard = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let reason = binary(noise(300_000, 9));
            let how = SpawnAt { link: true, monitor: true };
            let (far, _) = ctx.spawn_at(them, "guest", "exit_after", vec![reason.clone()], how).await.unwrap();
            ctx.send(&far, t("go"));
            let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
            let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
            (exit.reason == reason, down.reason == reason)
        });
        assert_eq!(heard.await, (true, true));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_messages_overtake_the_long_ones_of_others() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        // 100 long messages are under way when a ping is asked for: it must not wait for all of them.
        let them = erl.name.clone();
        erl.eval("S = spawn(fun F() -> receive {Ping, Last, To} -> To ! {ping, Ping, Last}, F(); _ -> F() end end), register(sink, S), erlang:unlink(S)");
        let bulk = ours.spawn({
            let them = them.clone();
            move |mut ctx: Ctx| async move {
                for number in 0..100 {
                    ctx.send_paced(("sink", them.as_str()), binary(noise(1_000_000, number))).await;
                }
            }
        });
        ours.ping(them.as_str()).await.unwrap();
        world::eventually("the bulk is sent", async || !ours.is_process_alive(&bulk)).await;
        erl.check("exit(whereis(sink), kill)", "true");
    })
    .await;
}
