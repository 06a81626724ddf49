//! Stories of two nodes, joined by a loop that carries parcels as a driver would.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use proto::Flags;
use proto::signal::{Arrival, Dest, Parcel, Payload, Signal};
use runtime::limits::SERVICE_MESSAGES_MAX;
use runtime::{
    AliasMode, Ctx, Down, Exit, ExitSignal, Gateway, Lane, LaneState, Node, NodeConfig, Pace, PeerEvent,
    PeerInfo, SendOptions, Sent, SpawnAt, SpawnError, SpawnOptions,
};
use term::wire::{Encoded, WireContext, WireTerm};
use term::{Atom, Pid, Term};
use tokio::runtime::{Builder, Handle};
use trunkline_runtime as runtime;

/// Nodes that can dial each other.
#[derive(Default)]
struct Net {
    nodes: Mutex<BTreeMap<Atom, Node>>,
    wires: Mutex<Vec<(Arc<Lane>, Arc<Lane>)>>,
    seen: Mutex<Vec<Signal>>,
}

struct Door(Arc<Net>, Atom);

impl Gateway for Door {
    fn dial(&self, peer: &Atom) {
        let nodes = self.0.nodes.lock().unwrap();
        let (here, there) = (nodes[&self.1].clone(), nodes.get(peer).cloned());
        let (net, peer) = (self.0.clone(), peer.clone());
        here.clone().spawn_task(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            match there {
                Some(there) => net.connect(&here, &there),
                None => here.lane_down(&here.lane(&peer).unwrap(), Term::atom("nxdomain")),
            }
        });
    }
}

impl Net {
    fn node(self: &Arc<Self>, name: &str) -> Node {
        let config =
            NodeConfig { name: Atom::new(name), creation: 7, handle: Handle::current(), seed: Some(1) };
        let node = Node::new(config);
        node.set_gateway(Arc::new(Door(self.clone(), Atom::new(name))));
        self.nodes.lock().unwrap().insert(Atom::new(name), node.clone());
        node
    }

    fn connect(self: &Arc<Self>, a: &Node, b: &Node) {
        let up = |node: &Node, peer: &Node| {
            let info = PeerInfo { id: peer.id().clone(), flags: Flags::ours(), visible: true };
            let lane = node.lane_up(info);
            node.tell_listeners();
            lane
        };
        let (to_b, to_a) = (up(a, b), up(b, a));
        self.carry(a, to_b.clone(), b, to_a.clone());
        self.carry(b, to_a.clone(), a, to_b.clone());
        self.wires.lock().unwrap().push((to_b, to_a));
    }

    fn carry(self: &Arc<Self>, from: &Node, out: Arc<Lane>, to: &Node, back: Arc<Lane>) {
        let (net, to) = (self.clone(), to.clone());
        from.spawn_task(async move {
            let mut parcels = Vec::new();
            while poll_fn(|cx| out.poll_take(cx, &mut parcels)).await {
                for parcel in parcels.drain(..) {
                    let bytes = Lane::parcel_bytes(&parcel);
                    net.seen.lock().unwrap().push(parcel.signal.clone());
                    let _ = to.deliver(&back, arrival(parcel));
                    out.consumed(bytes, Lane::small_bytes(bytes));
                }
            }
        });
    }

    fn cut(&self) {
        for (a, b) in self.wires.lock().unwrap().drain(..) {
            for (node, lane) in [(b.peer(), &a), (a.peer(), &b)] {
                let node = self.nodes.lock().unwrap()[node].clone();
                node.lane_down(lane, Term::atom("connection_closed"));
                node.tell_listeners();
            }
        }
    }
}

fn arrival(parcel: Parcel) -> Arrival {
    let payload = parcel.payload.map_or(Payload::None, |encoded| Payload::Wire(wire(encoded)));
    Arrival { signal: parcel.signal, payload }
}

fn wire(encoded: Encoded) -> WireTerm {
    let mut bytes = Vec::new();
    let mut at = 0;
    for (offset, splice) in &encoded.splices {
        bytes.extend_from_slice(&encoded.bytes[at..*offset]);
        bytes.extend_from_slice(splice);
        at = *offset;
    }
    bytes.extend_from_slice(&encoded.bytes[at..]);
    let context = WireContext { atoms: encoded.atoms, nodes: Vec::new() };
    WireTerm { bytes: Bytes::from(bytes), context: Arc::new(context) }
}

/// Runs the story in a process of `a@x`, with `b@x` within reach.
fn story<F, Fut>(body: F)
where
    F: FnOnce(Ctx, Node, Arc<Net>) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let executor = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    executor.block_on(async {
        let net = Arc::new(Net::default());
        let (a, b) = (net.node("a@x"), net.node("b@x"));
        let other = b.clone();
        a.run(move |ctx| body(ctx, other, net)).await;
        a.shutdown().await;
        b.shutdown().await;
    });
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Sends back what it gets, to the pid in front.
async fn echo(mut ctx: Ctx) {
    loop {
        let message: Term = ctx.receive().await;
        let Some([Term::Pid(from), _]) = message.as_tuple() else { return };
        let from = from.clone();
        ctx.send(from, message);
    }
}

fn resting(node: &Node) -> Pid {
    node.spawn(|mut ctx| async move {
        let why: Term = ctx.receive().await;
        Exit(why)
    })
}

#[test]
fn what_is_sent_while_dialling_arrives_in_order() {
    story(|mut ctx, b, _| async move {
        let pid = b.spawn(echo);
        b.register("echo", &pid).unwrap();
        for number in 0..100 {
            let message = Term::tuple([Term::Pid(ctx.pid()), Term::Int(number)]);
            if number % 2 == 0 { ctx.send(&pid, message) } else { ctx.send(("echo", "b@x"), message) }
        }
        assert_eq!(ctx.node().peers()[0].state, LaneState::Pending);
        for number in 0..100 {
            let answer: Term = ctx.receive().await;
            assert_eq!(answer, Term::tuple([Term::Pid(ctx.pid()), Term::Int(number)]));
        }
        assert_eq!(ctx.node().peers()[0].state, LaneState::Up);
        assert_eq!(ctx.node().peers()[0].queued_bytes, 0);
    });
}

#[test]
fn a_failed_dial_fires_every_tie_with_noconnection() {
    story(|mut ctx, _, _| async move {
        ctx.set_trap_exit(true);
        let far = Pid { node: term::NodeId::new(Atom::inline("c@x"), 1), id: 9, serial: 0 };
        ctx.monitor_node("c@x", true);
        ctx.spawn_request("c@x", "m", "f", vec![], SpawnAt::default());
        let monitor = ctx.monitor(("name", "c@x"));
        ctx.link(&far);
        // OTP's order for one process: links, monitors, nodes, spawn requests.
        let exit: ExitSignal = from_next(&mut ctx).await;
        assert_eq!((exit.from, exit.reason), (far, Term::atom("noconnection")));
        let down: Down = from_next(&mut ctx).await;
        assert_eq!((down.reference, down.reason), (monitor, Term::atom("noconnection")));
        assert_eq!(down.target, Term::tuple([Term::atom("name"), Term::atom("c@x")]));
        let nodedown: Term = ctx.receive().await;
        assert!(nodedown.as_tuple().unwrap()[0].is_atom("nodedown"));
        let reply: Term = ctx.receive().await;
        let reply = reply.as_tuple().unwrap();
        assert!(reply[0].is_atom("spawn_reply") && reply[3].is_atom("noconnection"));
        assert_eq!(ctx.receive_within::<Term>(secs(1)).await, None);
        assert!(ctx.node().peers().is_empty());
    });
}

/// The very next message, which must read as an `M`.
async fn from_next<M: term::FromTerm>(ctx: &mut Ctx) -> M {
    let next: Term = ctx.receive().await;
    M::from_term(&next).unwrap_or_else(|error| panic!("{error}, got {next:?}"))
}

#[test]
fn links_and_monitors_cross_and_fire_in_order() {
    story(|mut ctx, b, _| async move {
        ctx.set_trap_exit(true);
        let far = resting(&b);
        b.register("kitchen", &far).unwrap();
        let by_pid = ctx.monitor(&far);
        let by_name = ctx.monitor(("kitchen", "b@x"));
        ctx.link(&far);
        ctx.sleep(secs(1)).await;
        assert_eq!(b.process_info(&far).unwrap().links, [ctx.pid()]);
        assert_eq!(b.process_info(&far).unwrap().monitored_by.len(), 2);
        ctx.send(&far, Term::atom("boom"));
        let exit: ExitSignal = from_next(&mut ctx).await;
        assert_eq!((exit.from, exit.reason), (far.clone(), Term::atom("boom")));
        let first: Down = from_next(&mut ctx).await;
        assert_eq!((first.reference, first.target), (by_pid, Term::Pid(far)));
        let second: Down = from_next(&mut ctx).await;
        assert_eq!(second.reference, by_name);
        assert_eq!(second.target, Term::tuple([Term::atom("kitchen"), Term::atom("b@x")]));
    });
}

#[test]
fn the_dead_answer_across_the_border() {
    story(|mut ctx, b, net| async move {
        ctx.set_trap_exit(true);
        let far = b.spawn(|_| async {});
        ctx.sleep(secs(1)).await;
        ctx.link(&far);
        assert_eq!(from_next::<ExitSignal>(&mut ctx).await.reason, Term::atom("noproc"));
        ctx.monitor(&far);
        assert_eq!(from_next::<Down>(&mut ctx).await.reason, Term::atom("noproc"));
        ctx.monitor(("nobody", "b@x"));
        assert_eq!(from_next::<Down>(&mut ctx).await.reason, Term::atom("noproc"));
        // The name comes back as it was given: an atom.
        let seen = net.seen.lock().unwrap().clone();
        let named = |signal: &&Signal| matches!(signal, Signal::Down { from: Dest::Name(_), .. });
        assert_eq!(seen.iter().filter(named).count(), 1);
    });
}

#[test]
fn unlink_is_acknowledged_and_demonitor_is_heard() {
    story(|mut ctx, b, net| async move {
        let far = resting(&b);
        ctx.link(&far);
        ctx.unlink(&far);
        ctx.link(&far);
        ctx.unlink(&far);
        let monitor = ctx.monitor(&far);
        assert!(ctx.demonitor(&monitor, true));
        ctx.sleep(secs(1)).await;
        assert!(b.process_info(&far).unwrap().links.is_empty());
        assert!(b.process_info(&far).unwrap().monitored_by.is_empty());
        assert!(ctx.node().process_info(ctx.pid_ref()).unwrap().links.is_empty());
        let seen = net.seen.lock().unwrap().clone();
        let ids = |want_ack: bool| {
            let of = move |signal: &Signal| match signal {
                Signal::Unlink { id, .. } if !want_ack => Some(*id),
                Signal::UnlinkAck { id, .. } if want_ack => Some(*id),
                _ => None,
            };
            seen.iter().filter_map(of).collect::<Vec<u64>>()
        };
        assert_eq!((ids(false), ids(true)), (vec![1, 2], vec![1, 2]));
        // An unlink of a process that is gone is acknowledged too.
        let lane = b.lane(ctx.node().name()).unwrap();
        let gone = Pid { id: 999_999, ..far };
        let signal = Signal::Unlink { id: 9, from: ctx.pid(), to: gone };
        let _ = b.deliver(&lane, Arrival { signal, payload: Payload::None });
        ctx.sleep(secs(1)).await;
        let last = net.seen.lock().unwrap().last().cloned();
        assert!(matches!(last, Some(Signal::UnlinkAck { id: 9, .. })));
    });
}

#[test]
fn a_broken_wire_fires_everything_once_on_both_sides() {
    story(|mut ctx, b, net| async move {
        ctx.set_trap_exit(true);
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        ctx.node().on_peer(Arc::new(move |event| {
            heard.lock().unwrap().push(match event {
                PeerEvent::Up(lane, _) => format!("up {}", lane.peer()),
                PeerEvent::Down(lane, _, reason) => format!("down {} {reason:?}", lane.peer()),
            });
        }));
        let far = resting(&b);
        ctx.link(&far);
        let monitor = ctx.monitor(&far);
        ctx.monitor_node("b@x", true);
        ctx.monitor_node("b@x", true);
        ctx.sleep(secs(1)).await;
        net.cut();
        assert_eq!(from_next::<ExitSignal>(&mut ctx).await.reason, Term::atom("noconnection"));
        let down: Down = from_next(&mut ctx).await;
        assert_eq!((down.reference, down.reason), (monitor, Term::atom("noconnection")));
        let nodedown = Term::tuple([Term::atom("nodedown"), Term::atom("b@x")]);
        assert_eq!(ctx.receive::<Term>().await, nodedown);
        assert_eq!(ctx.receive::<Term>().await, nodedown);
        assert_eq!(ctx.receive_within::<Term>(secs(1)).await, None);
        assert!(!b.is_process_alive(&far), "the far end of the link heard it too");
        let mut heard = events.lock().unwrap().clone();
        assert_eq!(heard.remove(0), "up b@x");
        assert!(heard.remove(0).starts_with("down b@x"));
        assert!(heard.is_empty());
        // A new connection is not disturbed by the end of the old one.
        let far = resting(&b);
        ctx.link(&far);
        ctx.sleep(secs(1)).await;
        assert!(b.is_process_alive(&far));
    });
}

#[test]
fn exits_by_exit_2_and_aliases_cross() {
    story(|mut ctx, b, _| async move {
        let far = b.spawn(|mut ctx| async move {
            ctx.set_trap_exit(true);
            let exit: ExitSignal = ctx.receive().await;
            let Term::Ref(alias) = exit.reason else { panic!("an alias was sent") };
            ctx.send(&alias, Term::atom("first"));
            ctx.send(&alias, Term::atom("second"));
            ctx.sleep(secs(1_000)).await;
        });
        let monitor = ctx.monitor(&far);
        ctx.sleep(secs(1)).await;
        let alias = ctx.alias(AliasMode::Reply);
        ctx.exit(&far, Term::Ref(alias));
        assert!(ctx.receive::<Term>().await.is_atom("first"));
        assert_eq!(ctx.receive_within::<Term>(secs(1)).await, None);
        ctx.exit(&far, Exit::kill());
        let down: Down = ctx.receive().await;
        assert_eq!((down.reference, down.reason), (monitor, Term::atom("killed")));
    });
}

#[test]
fn functions_are_started_by_name_there_and_here() {
    story(|mut ctx, b, net| async move {
        ctx.set_trap_exit(true);
        b.export(
            "math",
            "tell",
            Some(2),
            Arc::new(|mut ctx, mut arguments| {
                Box::pin(async move {
                    let (number, to) = (arguments.pop().unwrap(), arguments.pop().unwrap());
                    ctx.send(to.as_pid().unwrap().clone(), number);
                    Ok(Term::Pid(ctx.group_leader()))
                })
            }),
        );
        let both = SpawnAt { link: true, monitor: true };
        let arguments = vec![Term::Pid(ctx.pid()), Term::Int(42)];
        let (pid, reference) = ctx.spawn_at("b@x", "math", "tell", arguments, both).await.unwrap();
        assert_eq!(ctx.receive::<i64>().await, 42);
        let exit: ExitSignal = from_next(&mut ctx).await;
        assert_eq!((exit.from, exit.reason), (pid.clone(), Term::atom("normal")));
        let down: Down = from_next(&mut ctx).await;
        assert_eq!((down.reference, down.target), (reference, Term::Pid(pid)));
        // What is not there exits with undef, as OTP says it.
        let monitor = SpawnAt { monitor: true, link: false };
        ctx.spawn_at("b@x", "no", "such", vec![Term::Int(1)], monitor).await.unwrap();
        let call = Term::tuple([Term::atom("no"), Term::atom("such"), Term::list([Term::Int(1)]), Term::NIL]);
        let undef = Term::tuple([Term::atom("undef"), Term::list([call])]);
        assert_eq!(ctx.receive::<Down>().await.reason, undef);
        ctx.spawn_at("a@x", "no", "such", vec![], monitor).await.unwrap();
        assert!(ctx.receive::<Down>().await.reason.as_tuple().is_some());
        let fun = vec![Term::Int(7), Term::NIL];
        ctx.spawn_at("b@x", "erlang", "apply", fun, monitor).await.unwrap();
        let badfun = Term::tuple([Term::atom("badfun"), Term::Int(7)]);
        assert_eq!(ctx.receive::<Down>().await.reason, badfun);
        let lost = ctx.spawn_at("c@x", "m", "f", vec![], monitor).await;
        assert_eq!(lost, Err(SpawnError::NoConnection));
        let reply_first =
            net.seen.lock().unwrap().iter().position(|s| matches!(s, Signal::SpawnReply { .. }));
        assert!(reply_first.is_some());
    });
}

#[test]
fn an_unknown_spawn_option_is_badopt() {
    story(|mut ctx, b, net| async move {
        ctx.send(("wake", "b@x"), 1_i64);
        ctx.sleep(secs(1)).await;
        let lane = b.lane(ctx.node().name()).unwrap();
        let signal = Signal::SpawnRequest {
            id: ctx.make_ref(),
            from: ctx.pid(),
            leader: ctx.pid(),
            module: Atom::inline("m"),
            function: Atom::inline("f"),
            arity: 0,
            options: Term::list([Term::atom("link"), Term::atom("fly")]),
            token: None,
        };
        let before = b.process_count();
        let _ = b.deliver(&lane, Arrival { signal, payload: Payload::Term(Term::NIL) });
        assert_eq!(b.process_count(), before);
        ctx.sleep(secs(1)).await;
        let seen = net.seen.lock().unwrap().clone();
        let Some(Signal::SpawnReply { result, linked: false, .. }) = seen.last() else { panic!("{seen:?}") };
        assert_eq!(*result, Err(Atom::inline("badopt")));
    });
}

#[test]
fn an_abandoned_request_tells_the_linked_child() {
    story(|mut ctx, b, _| async move {
        b.export(
            "m",
            "rest",
            None,
            Arc::new(|mut ctx, _| Box::pin(async move { Ok(ctx.receive::<Term>().await) })),
        );
        let how = SpawnAt { link: true, monitor: false };
        let wait = ctx.spawn_at("b@x", "m", "rest", vec![], how);
        assert!(tokio::time::timeout(Duration::from_millis(1), wait).await.is_err());
        ctx.sleep(secs(1)).await;
        assert_eq!(ctx.unread(), []);
        assert_eq!(b.process_count(), 0, "the child heard `abandoned`");
    });
}

#[test]
fn a_full_lane_pauses_its_senders_until_bytes_leave() {
    story(|mut ctx, b, _| async move {
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        let lane = ctx.node().lane_up(info);
        let me = ctx.pid();
        ctx.spawn(move |mut ctx| async move {
            while !ctx.node().lane(&Atom::inline("b@x")).unwrap().is_full() {
                ctx.send(("sink", "b@x"), Term::binary(&"x".repeat(100_000)));
            }
            ctx.send(&me, Term::atom("full"));
            let tried =
                ctx.send_with(("sink", "b@x"), 1_i64, SendOptions { nosuspend: true, noconnect: false });
            assert_eq!(tried, Sent::NoSuspend);
            ctx.breathe().await;
            ctx.send(&me, Term::atom("on"));
        });
        assert!(ctx.receive::<Term>().await.is_atom("full"));
        assert_eq!(ctx.receive_within::<Term>(secs(100)).await, None);
        let mut parcels = Vec::new();
        assert!(poll_fn(|cx| lane.poll_take(cx, &mut parcels)).await);
        assert_eq!(ctx.receive_within::<Term>(secs(1)).await, None, "with the driver is not yet away");
        let bytes = parcels.iter().map(Lane::parcel_bytes).sum();
        assert_eq!(lane.queued_bytes(), bytes);
        lane.consumed(bytes, 0);
        assert!(ctx.receive::<Term>().await.is_atom("on"));
        let refused = SendOptions { noconnect: true, nosuspend: false };
        assert_eq!(ctx.send_with(("x", "c@x"), 1_i64, refused), Sent::NoConnect);
        assert!(ctx.node().lane(&Atom::inline("c@x")).is_none());
    });
}

#[test]
fn a_message_that_cannot_be_decoded_is_dropped_and_counted() {
    story(|mut ctx, b, _| async move {
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        let lane = ctx.node().lane_up(info);
        let bad = WireTerm { bytes: Bytes::from_static(&[255, 0]), context: Arc::default() };
        let signal = Signal::Send { from: None, to: Dest::Pid(ctx.pid()), token: None, priority: false };
        let _ = ctx.node().deliver(&lane, Arrival { signal, payload: Payload::Wire(bad) });
        let me = ctx.pid();
        ctx.send(&me, Term::atom("good"));
        assert!(ctx.receive::<Term>().await.is_atom("good"));
        assert_eq!(ctx.node().dropped_messages(), 1);
    });
}

/// Who waits for such a signal must not wait for ever: the connection is to end, and then everything fires.
#[test]
fn an_exit_reason_that_cannot_be_decoded_ends_the_connection() {
    story(|mut ctx, b, _| async move {
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        let lane = ctx.node().lane_up(info);
        let (from, to) = (Pid { node: b.id().clone(), id: 5, serial: 0 }, ctx.pid());
        ctx.set_trap_exit(true);
        ctx.link(&from);
        let reference = ctx.monitor(&from);
        let (token, priority) = (None, false);
        for signal in [
            Signal::Exit { from: from.clone(), to: to.clone(), token: None },
            Signal::Exit2 { from: from.clone(), to: Dest::Pid(to.clone()), token, priority },
            Signal::Down { from: Dest::Pid(from.clone()), to, reference: reference.clone() },
        ] {
            let bad = WireTerm { bytes: Bytes::from_static(&[255, 0]), context: Arc::default() };
            let pace = ctx.node().deliver(&lane, Arrival { signal, payload: Payload::Wire(bad) });
            assert_eq!(pace, Pace::Garbled);
        }
        ctx.node().lane_down(&lane, Term::atom("connection_closed"));
        assert!(ctx.receive::<ExitSignal>().await.reason.is_atom("noconnection"));
        let down: Down = ctx.receive().await;
        assert!(down.reference == reference && down.reason.is_atom("noconnection"));
    });
}

/// Events come in their order, one after the other, to a listener that causes some itself; a listener that panics costs nobody
/// anything.
#[test]
fn listeners_are_told_in_order_whatever_they_do() {
    story(|ctx, b, _| async move {
        let (node, heard) = (ctx.node().clone(), Arc::new(Mutex::new(Vec::new())));
        let (inner, log) = (node.clone(), heard.clone());
        node.on_peer(Arc::new(move |event| match event {
            PeerEvent::Up(lane, _) => {
                log.lock().unwrap().push("up");
                inner.lane_down(lane, Term::atom("disliked"));
                inner.tell_listeners();
                log.lock().unwrap().push("up heard");
            }
            PeerEvent::Down(..) => log.lock().unwrap().push("down"),
        }));
        node.on_peer(Arc::new(|_| panic!("a listener of somebody")));
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        for _ in 0..2 {
            node.lane_up(info.clone());
            node.tell_listeners();
        }
        assert_eq!(*heard.lock().unwrap(), ["up", "up heard", "down", "up", "up heard", "down"]);
    });
}

/// The peer that buries a service is to be read more slowly, nobody else, and only until the service has heard it.
#[test]
fn who_buries_a_service_is_told_to_pause_and_nobody_else() {
    story(|mut ctx, b, _| async move {
        let node = ctx.node().clone();
        let here = node.clone();
        let lane_of =
            move |id: term::NodeId| here.lane_up(PeerInfo { id, flags: Flags::ours(), visible: true });
        let (loud, quiet) = (lane_of(b.id().clone()), lane_of(term::NodeId::new(Atom::inline("c@x"), 7)));
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let body = |mut ctx: Ctx| async move {
            let _ = wait.await;
            loop {
                let _: Term = ctx.receive().await;
            }
        };
        let service = ctx.node().spawn_with(SpawnOptions { service: true, ..SpawnOptions::default() }, body);
        let other = resting(ctx.node());
        let say = |lane: &Arc<Lane>, to: &Pid| {
            let small = WireTerm { bytes: Bytes::from_static(&[97, 1]), context: Arc::default() };
            let to = Dest::Pid(to.clone());
            let signal = Signal::Send { from: None, to, token: None, priority: false };
            node.deliver(lane, Arrival { signal, payload: Payload::Wire(small) })
        };
        for _ in 0..2 * SERVICE_MESSAGES_MAX {
            assert_eq!(say(&loud, &other), Pace::Go, "a process of the program has no such ceiling");
        }
        for _ in 0..SERVICE_MESSAGES_MAX {
            assert_eq!(say(&loud, &service), Pace::Go);
        }
        assert_eq!(say(&loud, &service), Pace::Pause);
        assert_eq!(say(&quiet, &service), Pace::Go);
        go.send(()).unwrap();
        ctx.sleep(secs(1)).await;
        assert!(!loud.piles_up());
        assert_eq!(say(&loud, &service), Pace::Go);
    });
}

/// Messages that take long to decode do not hold a worker: after each mebibyte others get their turn.
#[test]
fn who_decodes_much_lets_others_run_between() {
    story(|mut ctx, b, _| async move {
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        let (lane, me) = (ctx.node().lane_up(info), ctx.pid());
        let mut bytes = vec![109];
        bytes.extend_from_slice(&(300 * 1024_u32).to_be_bytes());
        bytes.resize(5 + 300 * 1024, 0);
        let bytes = Bytes::from(bytes);
        let node = ctx.node().clone();
        for _ in 0..40 {
            let payload = Payload::Wire(WireTerm { bytes: bytes.clone(), context: Arc::default() });
            let signal = Signal::Send { from: None, to: Dest::Pid(me.clone()), token: None, priority: false };
            let _ = node.deliver(&lane, Arrival { signal, payload });
        }
        let runs = Arc::new(Mutex::new(0));
        let count = runs.clone();
        node.spawn(move |mut ctx: Ctx| async move {
            for _ in 0..1_000 {
                *count.lock().unwrap() += 1;
                ctx.breathe().await;
            }
        });
        // One search through all of them, and none is taken.
        let mut seen = std::collections::BTreeSet::new();
        let look = |term: &Term| {
            seen.insert(*runs.lock().unwrap());
            term.as_atom().cloned()
        };
        let found = ctx.select_within(secs(1), look).await;
        assert_eq!(found, None);
        assert!(seen.len() >= 8, "12 MB were decoded, and others ran between only at {seen:?}");
        assert_eq!(ctx.unread().len(), 40, "nothing is lost");
    });
}

#[test]
fn pids_of_an_earlier_life_are_nobody() {
    story(|mut ctx, b, _| async move {
        ctx.set_trap_exit(true);
        let info = PeerInfo { id: b.id().clone(), flags: Flags::ours(), visible: true };
        let lane = ctx.node().lane_up(info);
        let mut old = ctx.pid();
        old.node = term::NodeId::new(Atom::inline("a@x"), 3);
        ctx.send(&old, 1_i64);
        ctx.monitor(&old);
        assert_eq!(ctx.receive_within::<i64>(secs(1)).await, None);
        let from = Pid { node: b.id().clone(), id: 5, serial: 0 };
        let signal = Signal::Exit { from: from.clone(), to: old.clone(), token: None };
        let _ = ctx.node().deliver(&lane, Arrival { signal, payload: Payload::Term(Term::atom("x")) });
        let signal = Signal::Link { from: from.clone(), to: old.clone() };
        let _ = ctx.node().deliver(&lane, Arrival { signal, payload: Payload::None });
        let mut parcels = Vec::new();
        assert!(poll_fn(|cx| lane.poll_take(cx, &mut parcels)).await);
        assert_eq!(parcels[0].signal, Signal::Exit { from: old, to: from, token: None });
        assert_eq!(ctx.receive_within::<ExitSignal>(secs(1)).await, None);
    });
}
