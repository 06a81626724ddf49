//! Frozen and thawed, cut off and healed: a node of ours behaves to OTP as one of OTP's does, in the eyes of a third.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::{Atom, Ctx, Down, Pid, global};
use trunkline_tests::cable::Cable;
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::peer::Peer;
use trunkline_tests::world::{self, eventually};

/// The tick time in all nodes, and four ticks in it.
const TICKTIME: Duration = Duration::from_secs(1);

/// Whatever a busy machine needs.
const SLACK: Duration = Duration::from_millis(1500);

/// Who is frozen.
enum Subject {
    Ours(Peer),
    Otp(Box<Erl>),
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Subject::Ours(peer) => peer.name.clone(),
            Subject::Otp(erl) => erl.name.clone(),
        }
    }

    fn signal(&self, signal: &str) {
        match self {
            Subject::Ours(peer) => peer.signal(signal),
            Subject::Otp(erl) => erl.signal(signal),
        }
    }

    fn connects(&mut self, node: &str) {
        match self {
            Subject::Ours(peer) => assert_eq!(peer.say(&format!("connect {node}")), "ok"),
            Subject::Otp(erl) => erl.check(&format!("net_kernel:connect_node({node})"), "true"),
        }
    }

    /// Until it is answered: it may not know yet what it has lost.
    fn pings(&mut self, node: &str) {
        let deadline = Instant::now() + world::PATIENCE;
        match self {
            Subject::Ours(peer) => {
                while peer.say(&format!("ping {node}")) != "pong" {
                    assert!(Instant::now() < deadline, "no answer of {node}");
                }
            }
            Subject::Otp(erl) => erl.until(&format!("net_adm:ping({node})"), "pong"),
        }
    }

    fn registers(&mut self, name: &str) {
        match self {
            Subject::Ours(peer) => assert_eq!(peer.say(&format!("register {name}")), "true"),
            Subject::Otp(erl) => {
                erl.check(&format!("global:register_name({name}, spawn(guest, echo, [loop]))"), "yes")
            }
        }
    }

    fn whereis(&mut self, name: &str) -> String {
        match self {
            Subject::Ours(peer) => peer.say(&format!("whereis {name}")),
            Subject::Otp(erl) => erl.eval(&whereis(name)),
        }
    }

    /// Looks until it has as many peers.
    async fn until_peers(&mut self, count: usize) {
        let deadline = Instant::now() + world::PATIENCE;
        loop {
            let now = match self {
                Subject::Ours(peer) => peer.say("nodes").split_whitespace().count(),
                Subject::Otp(erl) => erl.eval("length(nodes(connected))").parse().unwrap(),
            };
            if now == count {
                return;
            }
            assert!(Instant::now() < deadline, "{now} peers, not {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn whereis(name: &str) -> String {
    format!(
        "(fun() -> case global:whereis_name({name}) of undefined -> undefined; Who -> node(Who) end end)()"
    )
}

fn start_erl(epmd: u16, prevent: bool) -> Erl {
    let prevent = if prevent { "true" } else { "false" };
    let flags = ["-kernel", "net_ticktime", "1", "-kernel", "prevent_overlapping_partitions", prevent];
    let flags = [&flags[..], &["-kernel", "logger_level", "none"]].concat();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &flags);
    erl.load_guest();
    erl
}

fn start_subject(epmd: u16, ours: bool, prevent: bool) -> Subject {
    if !ours {
        return Subject::Otp(Box::new(start_erl(epmd, prevent)));
    }
    let flags: &[&str] = if prevent { &["ticktime=1"] } else { &["ticktime=1", "overlapping"] };
    Subject::Ours(Peer::start(env!("CARGO_BIN_EXE_peer"), &world::unique("peer"), epmd, flags))
}

/// What the third node saw, in the order in which it saw it, with the subject's name replaced.
async fn story(epmd: u16, ours: bool, prevent: bool) -> Vec<String> {
    let (mut observer, mut friend) = (start_erl(epmd, prevent), start_erl(epmd, prevent));
    let mut subject = start_subject(epmd, ours, prevent);
    let (us, them, other) = (subject.name(), observer.name.clone(), friend.name.clone());
    observer.check(&format!("net_kernel:connect_node({other})"), "true");
    subject.connects(&them);
    for node in [&mut observer, &mut friend] {
        node.until("length(nodes())", "2");
    }
    subject.until_peers(2).await;
    subject.registers("subject");
    subject.registers("shared");
    observer.check("global:register_name(observer, spawn(guest, echo, [loop]))", "yes");
    for node in [&mut observer, &mut friend] {
        node.until(&whereis("subject"), &us);
    }
    observer.eval(
        "P = global:whereis_name(subject), register(watcher, guest:trap(fun() -> erlang:monitor(process, P), \
         net_kernel:monitor_nodes(true, [nodedown_reason]) end)), guest:seen(watcher)",
    );
    let mut seen = Vec::new();

    subject.signal("STOP");
    let stopped = Instant::now();
    observer.until(&format!("lists:member({us}, nodes())"), "false");
    let silence = stopped.elapsed();
    let least = TICKTIME - TICKTIME / 4 - Duration::from_millis(250);
    assert!(silence >= least && silence < TICKTIME + TICKTIME / 4 + SLACK, "given up after {silence:?}");
    for node in [&mut observer, &mut friend] {
        node.until(&whereis("subject"), "undefined");
        node.check(&whereis("observer"), &them);
    }
    observer.check("global:register_name(shared, spawn(guest, echo, [loop]))", "yes");
    // Who asks for it meanwhile does not wait for ever.
    observer.check(
        &format!("catch gen_server:call({{counter, {us}}}, x, 100) =:= ok"),
        "{'EXIT',{timeout,{gen_server,call,[{counter,SUBJECT},x,100]}}}".replace("SUBJECT", &us).as_str(),
    );
    seen.push(observer.eval("[M || M <- guest:seen(watcher), element(1, M) =/= nodeup]"));

    subject.signal("CONT");
    // It finds itself alone, and is let in again by whoever asks.
    subject.pings(&them);
    observer.until(&format!("net_adm:ping({us})"), "pong");
    for node in [&mut observer, &mut friend] {
        node.until("length(nodes())", "2");
        node.until(&whereis("subject"), &us);
    }
    subject.until_peers(2).await;
    // Two had the name: one of them has it now, for everybody.
    observer.check("global:sync()", "ok");
    let owner = observer.eval(&whereis("shared"));
    friend.until(&whereis("shared"), &owner);
    assert!(owner == us || owner == them || owner == "undefined", "{owner}");
    let deadline = Instant::now() + world::PATIENCE;
    while subject.whereis("shared") != owner {
        assert!(Instant::now() < deadline, "{} is not {owner}", subject.whereis("shared"));
    }
    seen.push(observer.eval("lists:sort(guest:seen(watcher))"));
    seen.iter().map(|seen| without_numbers(&seen.replace(&us, "SUBJECT"))).collect()
}

/// References and pids are never the same twice.
fn without_numbers(text: &str) -> String {
    let mut inside = false;
    let kept = text.chars().filter(|letter| {
        inside = (inside || *letter == '<') && *letter != '>';
        !inside
    });
    kept.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_and_thawed_node_of_ours_looks_to_a_third_node_as_one_of_otps_does() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let theirs = story(epmd, false, false).await;
    let ours = story(epmd, true, false).await;
    assert_eq!(ours, theirs);
    let first =
        "[{'DOWN',#Ref>,process,>,noconnection},{nodedown,SUBJECT,[{nodedown_reason,net_tick_timeout}]}]";
    assert_eq!(ours[0], first);
    assert!(ours[1].contains("{nodeup,SUBJECT,[]}"), "{}", ours[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_and_thawed_node_comes_back_where_overlapping_partitions_are_prevented() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    // Who loses it first tells the others, so the reason may be theirs; the end is the same.
    let seen = story(epmd, true, true).await;
    assert!(seen[0].contains("{nodedown,SUBJECT,") && seen[1].contains("{nodeup,SUBJECT,[]}"), "{seen:?}");
}

/// What stands on one side is lost to the other in the tick time, for both; what each side did meanwhile is known to all
/// when the cable is whole again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_ours_that_is_cut_off_is_lost_by_both_sides_and_comes_back_with_what_it_did() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let cable = Cable::default();
    let (mut observer, mut friend) = (start_erl(epmd, true), start_erl(epmd, true));
    let ours = world::node(&world::unique("ours"), epmd)
        .carrier(cable.clone())
        .net_ticktime(TICKTIME)
        .setup_time(Duration::from_millis(300))
        .start()
        .await
        .unwrap();
    let (us, them, other) = (ours.name().to_string(), observer.name.clone(), friend.name.clone());
    observer.check(&format!("net_kernel:connect_node({other})"), "true");
    ours.connect(them.as_str()).await.unwrap();
    let everybody = async |observer: &mut Erl, friend: &mut Erl| {
        observer.until("length(nodes())", "2");
        friend.until("length(nodes())", "2");
        eventually("all are there", async || ours.nodes().len() == 2).await;
    };
    everybody(&mut observer, &mut friend).await;
    observer.eval(&format!("G = spawn(guest, echo, [loop]), erlang:monitor(process, {{net_kernel, {us}}})"));
    let theirs: Pid = ours.call(them.as_str(), "erlang", "whereis", (Atom::new("echo"),)).await.unwrap();
    let heard = ours.spawn(move |mut ctx: Ctx| async move {
        ctx.monitor(&theirs);
        assert!(ctx.receive::<Down>().await.reason.is_atom("noconnection"));
    });

    cable.cut();
    let since = Instant::now();
    eventually("we lose both", async || ours.nodes().is_empty()).await;
    assert!(since.elapsed() < TICKTIME + TICKTIME / 4 + SLACK);
    observer.until(&format!("lists:member({us}, nodes())"), "false");
    observer.scene("receive {'DOWN', _, _, _, Why} -> Why ?WAIT end", "noconnection");
    eventually("ours has heard it too", async || !ours.is_process_alive(&heard)).await;
    // The whole of an attempt is bounded, also where no packet comes back.
    let since = Instant::now();
    assert!(ours.connect(them.as_str()).await.is_err());
    assert!(since.elapsed() < Duration::from_millis(300) + SLACK);
    let made = world::echo(&ours);
    assert!(global::register(&ours, Atom::new("made_alone"), &made).await);
    observer.check("global:register_name(made_there, G)", "yes");

    cable.heal();
    eventually("we are let in again", async || ours.ping(them.as_str()).await.is_ok()).await;
    everybody(&mut observer, &mut friend).await;
    for erl in [&mut observer, &mut friend] {
        erl.until(&whereis("made_alone"), &us);
        erl.until(&whereis("made_there"), &them);
    }
    let known = async || global::whereis(&ours, Atom::new("made_there")).is_some();
    eventually("we know theirs", known).await;
    ours.shutdown().await;
}
