//! Cables pulled between hosts of their own: what a third node hears of a node of ours is what it hears of one of OTP's.

use std::process::Stdio;
use std::time::Duration;

use trunkline_tests::erl::{self, Erl};
use trunkline_tests::network::{Host, Network};
use trunkline_tests::peer::Peer;

/// Every host has an EPMD of its own at the usual place.
const EPMD: u16 = 4369;

const FLAGS: &[&str] = &[
    "-kernel",
    "net_ticktime",
    "2",
    "-kernel",
    "net_setuptime",
    "1",
    "-kernel",
    "prevent_overlapping_partitions",
    "false",
    "-kernel",
    "logger_level",
    "none",
];

/// An EPMD on a host. Killed when dropped.
struct Epmd(std::process::Child);

impl Epmd {
    fn start(host: &Host) -> Epmd {
        let mut command = host.command("epmd");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Epmd(command.env("ERL_EPMD_PORT", EPMD.to_string()).spawn().expect("epmd starts"))
    }
}

impl Drop for Epmd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whose cable is pulled.
enum Subject {
    Ours(Peer),
    Otp(Box<Erl>),
}

impl Subject {
    fn start(host: &Host, ours: bool) -> Subject {
        let name = format!("subject@{}", host.address());
        if ours {
            let flags = ["ticktime=2", "overlapping"];
            let command = host.command(env!("CARGO_BIN_EXE_peer"));
            return Subject::Ours(Peer::start_by(command, &name, EPMD, &flags));
        }
        let mut erl = Erl::start_by(host.command("erl"), &name, EPMD, FLAGS);
        erl.load_guest();
        Subject::Otp(Box::new(erl))
    }

    /// Whether it is connected with this node.
    fn sees(&mut self, node: &str) -> bool {
        match self {
            Subject::Ours(peer) => peer.say("nodes").split_whitespace().any(|name| name == node),
            Subject::Otp(erl) => erl.eval(&format!("lists:member('{node}', nodes())")) == "true",
        }
    }

    fn pings(&mut self, node: &str) -> bool {
        match self {
            Subject::Ours(peer) => peer.say(&format!("ping {node}")) == "pong",
            Subject::Otp(erl) => erl.eval(&format!("net_adm:ping('{node}')")) == "pong",
        }
    }

    fn until(&mut self, what: &str, mut so: impl FnMut(&mut Subject) -> bool) {
        for _ in 0..1500 {
            if so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("not in time: {what}");
    }
}

/// What an observer heard of the subject, one line for each time that its cable was pulled.
fn story(network: &mut Network, ours: bool) -> Option<Vec<String>> {
    let (near, far) = (network.host()?, network.host()?);
    let _epmds = [Epmd::start(&near), Epmd::start(&far)];
    for host in [&near, &far] {
        let answers =
            || host.command("epmd").arg("-names").output().is_ok_and(|output| output.status.success());
        assert!((0..500).any(|_| answers() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }));
    }
    let mut observer =
        Erl::start_by(near.command("erl"), &format!("observer@{}", near.address()), EPMD, FLAGS);
    observer.load_guest();
    let mut subject = Subject::start(&far, ours);
    let (us, them) = (format!("subject@{}", far.address()), format!("observer@{}", near.address()));
    let mut heard = Vec::new();
    subject.until("they meet", |subject| subject.pings(&them));
    observer.eval(&format!("Us = '{us}'"));
    observer.check("register(watcher, guest:trap(fun() -> net_kernel:monitor_nodes(true, [nodedown_reason]) end)), guest:seen(watcher)", "[]");
    let watch = "erlang:monitor(process, {echo, Us}), {echo, Us} ! {self(), there}, receive {echo, there} -> ok after 20000 -> lost end";
    let told = "receive {'DOWN', _, process, {echo, Us}, Why} -> Why after 20000 -> nothing end";

    // For a moment: what was said meanwhile arrives when the cable is in again.
    observer.check(watch, "ok");
    network.pull(&far);
    observer.check(
        "{echo, Us} ! {self(), meanwhile}, receive {echo, meanwhile} -> early after 20 -> ok end",
        "ok",
    );
    network.plug(&far);
    observer.check(
        "receive {echo, meanwhile} -> ok; {'DOWN', _, _, _, _} = D -> D after 20000 -> lost end",
        "ok",
    );
    heard.push(observer.eval("guest:seen(watcher)"));

    // For longer than a tick: both sides give up, and find each other again.
    network.pull(&far);
    observer.check(told, "noconnection");
    subject.until("it has lost the observer", |subject| !subject.sees(&them));
    // Who dials into the void is not kept for longer than a handshake may take.
    observer.check("{T, pang} = timer:tc(net_adm, ping, [Us]), T < 5000000", "true");
    network.plug(&far);
    subject.until("it is heard again", |subject| subject.pings(&them));
    observer.until("net_adm:ping(Us)", "pong");
    heard.push(observer.eval("guest:seen(watcher)"));

    // The subject hears nothing and is heard: it is the one to give up, and the other one does not keep half a connection.
    observer.check(watch, "ok");
    network.deafen(&far);
    subject.until("it has lost the observer", |subject| !subject.sees(&them));
    observer.check(told, "noconnection");
    network.undeafen(&far);
    observer.until("net_adm:ping(Us)", "pong");
    subject.until("they are connected", |subject| subject.sees(&them));
    let seen = observer.eval("guest:seen(watcher)");
    heard.push(seen);

    // And the other way round: here the observer is deaf.
    observer.check(watch, "ok");
    network.deafen(&near);
    observer.check(told, "noconnection");
    subject.until("it has lost the observer", |subject| !subject.sees(&them));
    network.undeafen(&near);
    subject.until("it is heard again", |subject| subject.pings(&them));
    heard.push(observer.eval("guest:seen(watcher)"));
    Some(heard.into_iter().map(|line| line.replace(&us, "SUBJECT")).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pulled_cables_and_deaf_hosts_are_noticed_and_got_over_as_otp_does() {
    if !erl::found() {
        return;
    }
    let stories = tokio::task::spawn_blocking(|| {
        let mut network = Network::new()?;
        Some([story(&mut network, false)?, story(&mut network, true)?])
    });
    let Some([theirs, ours]) = stories.await.expect("no panic") else {
        eprintln!("SKIPPED: no network namespaces here, so no cable was pulled");
        return;
    };
    println!("{theirs:#?}");
    assert_eq!(ours, theirs);
}
