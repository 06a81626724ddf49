//! Ten thousand senders at once, and ten nodes that dial each other at the same moment, again and again.

use std::time::Duration;

use trunkline::net_kernel::Kind;
use trunkline::{Atom, Ctx, Node, Pid, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, PATIENCE};

const SENDERS: i64 = 10_000;
const EACH: i64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_of_ten_thousand_senders_arrives_in_its_order() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        // OTP's to ours.
        let (done, result) = tokio::sync::oneshot::channel();
        let gatherer = ours.spawn(move |ctx: Ctx| async move {
            let _ = done.send(gather(ctx).await);
        });
        ours.register("gatherer", &gatherer).unwrap();
        erl.check(&format!("guest:burst({{gatherer, Us}}, {SENDERS}, {EACH})"), "ok");
        let result = tokio::time::timeout(PATIENCE, result).await.expect("in time").unwrap();
        assert_eq!(result, Ok(()), "{way}");
        // Ours to OTP's.
        erl.check(
            &format!("spawn(guest, collect, [{{gatherer, {SENDERS}, {EACH}, self()}}]), receive collecting -> ok end"),
            "ok",
        );
        let (start, _) = tokio::sync::broadcast::channel::<()>(1);
        for sender in 1..=SENDERS {
            let (mut start, them) = (start.subscribe(), Atom::new(&erl.name));
            ours.spawn(move |mut ctx: Ctx| async move {
                let _ = start.recv().await;
                for number in 1..=EACH {
                    ctx.send((Atom::new("gatherer"), them.clone()), (sender, number));
                }
            });
        }
        drop(start);
        erl.check("receive {collected, R} -> R after 60000 -> lost end", &format!("{{ok,{SENDERS}}}"));
    })
    .await;
}

async fn gather(mut ctx: Ctx) -> Result<(), String> {
    let mut last = vec![0; usize::try_from(SENDERS).expect("few") + 1];
    for _ in 0..SENDERS * EACH {
        let Some((sender, number)) = ctx.receive_within::<(i64, i64)>(PATIENCE).await else {
            return Err(format!("missing {}", last.iter().map(|seen| EACH - seen).sum::<i64>() - EACH));
        };
        let seen = &mut last[usize::try_from(sender).expect("a sender")];
        if number != *seen + 1 {
            return Err(format!("sender {sender}: {number} after {seen}"));
        }
        *seen = number;
    }
    Ok(())
}

/// How often everybody dials everybody; `TRUNKLINE_ROUNDS` says otherwise.
const ROUNDS: u32 = 100;
const ROUNDS_OF_MESH: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_dial_each_other_at_once_a_hundred_times_and_no_link_is_lost() {
    if !erl::found() {
        return;
    }
    let flags = ["-connect_all", "false", "-kernel", "prevent_overlapping_partitions", "false"];
    dial_again_and_again(rounds(ROUNDS), &flags, false).await;
}

/// The mesh dials too, and OTP's `global` has its say; only the guard against partitions is off, which would take our
/// disconnecting everybody for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_of_a_mesh_dial_each_other_at_once_and_no_link_is_lost() {
    if !erl::found() {
        return;
    }
    dial_again_and_again(
        rounds(ROUNDS_OF_MESH),
        &["-kernel", "prevent_overlapping_partitions", "false"],
        true,
    )
    .await;
}

fn rounds(default: u32) -> u32 {
    std::env::var("TRUNKLINE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Four nodes of OTP's and six of ours.
async fn dial_again_and_again(rounds: u32, flags: &[&str], mesh: bool) {
    let epmd = world::private_epmd();
    let mut erls: Vec<Erl> = (0..4).map(|_| Erl::start(&world::unique("erl"), epmd, flags)).collect();
    let mut ours: Vec<Node> = Vec::new();
    for _ in 0..6 {
        let builder = world::node(&world::unique("ours"), epmd);
        let builder = builder.connect_all(mesh).prevent_overlapping_partitions(false);
        ours.push(builder.start().await.unwrap());
    }
    for node in &ours {
        node.register("anchor", &anchor(node)).unwrap();
    }
    for erl in &mut erls {
        erl.load_guest();
        erl.check("register(anchor, guest:anchor())", "true");
    }
    let names: Vec<String> = ours
        .iter()
        .map(|node| node.name().to_string())
        .chain(erls.iter().map(|erl| erl.name.clone()))
        .collect();
    let anchors = find_anchors(&ours[0], &names).await;
    for erl in &mut erls {
        let finds: Vec<String> = names.iter().filter(|name| **name != erl.name).cloned().collect();
        erl.eval(&format!(
            "As = [erpc:call(N, erlang, whereis, [anchor]) || N <- [{}]], length(As)",
            finds.join(",")
        ));
    }
    disconnect_all(&ours, &mut erls).await;
    for round in 1..=rounds {
        everybody_dials(round, &ours, &mut erls, &anchors).await;
    }
}

/// A process that others link to, and that outlives them.
fn anchor(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        loop {
            let message: Term = ctx.receive().await;
            if let Some([Term::Pid(from), word]) = message.as_tuple() {
                ctx.send(from, Term::tuple([Term::atom("echo"), word.clone()]));
            }
        }
    })
}

async fn find_anchors(node: &Node, names: &[String]) -> Vec<Pid> {
    let mut anchors = Vec::new();
    for name in names {
        anchors.push(
            node.call(name.as_str(), "erlang", "whereis", (Atom::new("anchor"),)).await.expect("an anchor"),
        );
    }
    anchors
}

/// One round: at one moment everybody links to an anchor on everybody else; all links hold; then all connections end, and
/// every link is heard to break once.
async fn everybody_dials(round: u32, ours: &[Node], erls: &mut [Erl], anchors: &[Pid]) {
    for erl in erls.iter_mut() {
        erl.ask(&format!("put(dialer, guest:dialer(As)), {round}"));
    }
    for erl in erls.iter_mut() {
        assert_eq!(erl.answer(), round.to_string());
    }
    let moment = world::time_of_day() + Duration::from_millis(20);
    for erl in erls.iter_mut() {
        erl.ask(&format!("get(dialer) ! {{go, {}}}, ok", moment.as_millis()));
    }
    let dialers: Vec<Pid> = ours.iter().map(|node| dialer(node, anchors, moment)).collect();
    erls.iter_mut().for_each(|erl| assert_eq!(erl.answer(), "ok"));
    for erl in erls.iter_mut() {
        let tally = "(fun T(0) -> guest:tally(get(dialer)); T(N) -> case guest:tally(get(dialer)) of {9, _} = R -> R; _ -> timer:sleep(10), T(N - 1) end end)(2000)";
        erl.check(tally, "{9,[]}");
    }
    for (node, dialer) in ours.iter().zip(&dialers) {
        let mut last = (0, Vec::new());
        world::eventually("every greeting is answered", async || {
            last = tally(node, dialer).await;
            last.0 == 9 || !last.1.is_empty()
        })
        .await;
        assert_eq!(last, (9, vec![]), "round {round}: {} lost a link", node.name());
        assert_eq!(node.nodes_of(Kind::Connected).len(), 9, "round {round}: {}", node.name());
    }
    for erl in erls.iter_mut() {
        erl.check("{guest:tally(get(dialer)), length(nodes(connected))}", "{{9,[]},9}");
    }
    disconnect_all(ours, erls).await;
    for erl in erls.iter_mut() {
        erl.until(
            "(fun({9, Es}) -> {length(Es), lists:usort(Es)} end)(guest:tally(get(dialer)))",
            "{9,[noconnection]}",
        );
        erl.check("exit(get(dialer), kill)", "true");
    }
    for (node, dialer) in ours.iter().zip(&dialers) {
        world::eventually("every link is heard to break", async || tally(node, dialer).await.1.len() >= 9)
            .await;
        let (_, exits) = tally(node, dialer).await;
        assert!(
            exits.len() == 9 && exits.iter().all(|reason| reason.is_atom("noconnection")),
            "round {round}: {exits:?}"
        );
        node.spawn({
            let dialer = dialer.clone();
            move |ctx: Ctx| async move { ctx.exit(&dialer, trunkline::Exit::kill()) }
        });
    }
}

/// As `guest:dialer/1`.
fn dialer(node: &Node, anchors: &[Pid], moment: Duration) -> Pid {
    let others: Vec<Pid> = anchors.iter().filter(|pid| pid.node.name() != node.name()).cloned().collect();
    node.spawn(move |mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        ctx.sleep(moment.saturating_sub(world::time_of_day())).await;
        for anchor in &others {
            ctx.link(anchor);
        }
        for anchor in &others {
            ctx.send(anchor, (ctx.pid(), anchor.clone()));
        }
        let (mut echoes, mut exits) = (0_i64, Vec::new());
        loop {
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([word, Term::Pid(_)]) if word.is_atom("echo") => echoes += 1,
                Some([word, _, reason]) if word.is_atom("EXIT") => exits.push(reason.clone()),
                Some([_, Term::Pid(from)]) => ctx.send(from, (echoes, exits.clone())),
                _ => {}
            }
        }
    })
}

async fn tally(node: &Node, dialer: &Pid) -> (i64, Vec<Term>) {
    let dialer = dialer.clone();
    node.run(move |mut ctx: Ctx| async move {
        ctx.send(&dialer, (Atom::new("tally"), ctx.pid()));
        ctx.receive_within::<(i64, Vec<Term>)>(PATIENCE).await.expect("the dialer lives")
    })
    .await
}

/// Until nobody is connected: in a mesh, who still greets a node that is gone connects to it again.
async fn disconnect_all(ours: &[Node], erls: &mut [Erl]) {
    world::eventually("nobody is connected", async || {
        let mut quiet = true;
        for node in ours {
            for peer in node.nodes_of(Kind::Connected) {
                quiet = false;
                node.disconnect(peer).await;
            }
        }
        for erl in erls.iter_mut() {
            erl.ask("[erlang:disconnect_node(N) || N <- nodes(connected)]");
        }
        erls.iter_mut().for_each(|erl| quiet &= erl.answer() == "[]");
        quiet
    })
    .await;
}
