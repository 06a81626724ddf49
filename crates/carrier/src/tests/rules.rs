//! The in-memory network against its rules.

use std::future::Future;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::limits::PIPE_BYTES_MAX;
use crate::{Address, Carrier, Crossing, ListenAt, Listener, MemoryNet, Verdict, Wire};

const PORT: u16 = 4370;
const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

/// `a` has dialled `b`: the network, b's listener, a's end, b's end.
async fn a_to_b() -> (MemoryNet, Box<dyn Listener>, Box<dyn Wire>, Box<dyn Wire>) {
    let net = MemoryNet::new();
    let mut listener = net.host("b").listen(&ListenAt::loopback().port(PORT)).await.unwrap();
    let a = net.host("a").dial(&Address::new("b", PORT)).await.unwrap();
    let b = listener.accept().await.unwrap();
    (net, listener, a, b)
}

/// In virtual time: it would wait for ever.
async fn hangs<T>(future: impl Future<Output = T>) -> bool {
    timeout(HOUR, future).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn a_slow_way_is_slow_one_way_and_keeps_order() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    let start = Instant::now();
    let slow = net.slow("a", "b", 400 * MS);
    a.write_all(b"1").await.unwrap();
    drop(slow);
    a.write_all(b"23").await.unwrap();
    b.write_all(b"!").await.unwrap();
    assert_eq!(a.read_u8().await.unwrap(), b'!');
    assert_eq!(start.elapsed(), Duration::ZERO);
    let mut heard = [0; 3];
    b.read_exact(&mut heard).await.unwrap();
    assert_eq!((&heard, start.elapsed()), (b"123", 400 * MS));
    a.write_all(b"4").await.unwrap();
    assert_eq!(b.read_u8().await.unwrap(), b'4');
    assert_eq!(start.elapsed(), 400 * MS);
}

#[tokio::test(start_paused = true)]
async fn growing_and_shrinking_delays_never_reorder_bytes() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    let turn = Mutex::new(0u32);
    let _rule = net.rule(move |w| {
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        if w.bytes == 0 { Verdict::Pass } else { Verdict::Deliver((*turn * 37 % 11) * MS) }
    });
    let writing = tokio::spawn(async move {
        for n in 0..500u32 {
            a.write_u32(n).await.unwrap();
            tokio::time::sleep(MS).await;
        }
    });
    for n in 0..500 {
        assert_eq!(b.read_u32().await.unwrap(), n);
    }
    writing.await.unwrap();
    assert_eq!(b.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_silence_until_it_heals_and_then_nothing_is_missing() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    a.write_all(b"before,").await.unwrap();
    let split = net.partition(&["a"], &["b", "c"]);
    a.write_all(b"during,").await.unwrap();
    let mut heard = [0; 7];
    b.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"before,");
    assert!(hangs(b.read_u8()).await);
    assert!(hangs(net.host("c").dial(&Address::new("a", 1))).await, "a dial is not answered");
    drop(split);
    a.write_all(b"after").await.unwrap();
    drop(a);
    let mut heard = String::new();
    b.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "during,after");
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_dropped_byte_is_held_behind_it() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    // Loses one write only; a stream must not lose its middle.
    let rule = net.rule(|w| if w.bytes == 2 { Verdict::Drop } else { Verdict::Pass });
    a.write_all(b"1").await.unwrap();
    a.write_all(b"22").await.unwrap();
    a.write_all(b"333").await.unwrap();
    assert_eq!(b.read_u8().await.unwrap(), b'1');
    assert!(hangs(b.read_u8()).await);
    drop(rule);
    let mut heard = [0; 5];
    b.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"22333");
}

#[tokio::test(start_paused = true)]
async fn a_mute_is_one_way_and_hides_the_end_too() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    let mute = net.mute("a", "b");
    b.write_all(b"x").await.unwrap();
    assert_eq!(a.read_u8().await.unwrap(), b'x');
    drop(a);
    assert!(hangs(b.read_u8()).await, "the end of file is not heard either");
    b.write_all(b"are you there").await.unwrap();
    drop(mute);
    assert_eq!(b.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(b.write(b"?").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[tokio::test(start_paused = true)]
async fn silence_fills_the_pipe_and_then_the_writer_waits() {
    let (net, _listener, mut a, b) = a_to_b().await;
    let split = net.isolate("b");
    a.write_all(&[0; PIPE_BYTES_MAX]).await.unwrap();
    assert!(hangs(a.write_u8(1)).await);
    drop(b);
    assert!(hangs(a.write_u8(1)).await, "nobody told a that b has gone");
    let writing = tokio::spawn(async move { a.write_u8(1).await });
    tokio::task::yield_now().await;
    drop(split);
    assert_eq!(writing.await.unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[tokio::test(start_paused = true)]
async fn a_cut_resets_both_ends_at_once_and_refuses_dials() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    a.write_all(b"lost").await.unwrap();
    let waiting = tokio::spawn(async move { a.read_u8().await });
    tokio::task::yield_now().await;
    let cut = net.cut("b", "a");
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(b.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(b.write_u8(1).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let refused = net.host("a").dial(&Address::new("b", PORT)).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    drop(cut);
    net.host("a").dial(&Address::new("b", PORT)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rule_may_cut_by_what_crosses() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    let _rule = net.rule(|w| if w.bytes > 10 { Verdict::Cut } else { Verdict::Pass });
    a.write_all(b"short").await.unwrap();
    assert_eq!(a.write_all(b"much too long").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(b.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_dial_waits_for_the_network_to_heal_and_takes_its_time_both_ways() {
    let net = MemoryNet::new();
    let _listener = net.host("b").listen(&ListenAt::loopback().port(PORT)).await.unwrap();
    let a = net.host("a");
    let split = net.mute("b", "a");
    let dialling = tokio::spawn(async move { a.dial(&Address::new("b", PORT)).await.map(|_| ()) });
    tokio::time::sleep(HOUR).await;
    assert!(!dialling.is_finished());
    drop(split);
    dialling.await.unwrap().unwrap();

    let start = Instant::now();
    let _there = net.slow("a", "b", 30 * MS);
    let _back = net.slow("b", "a", 10 * MS);
    net.host("a").dial(&Address::new("b", PORT)).await.unwrap();
    assert_eq!(start.elapsed(), 40 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_a_reset_at_the_peers_after_what_was_said() {
    let (net, mut listener, mut a, mut b) = a_to_b().await;
    b.write_all(b"last").await.unwrap();
    net.crash("b");
    let mut heard = Vec::new();
    assert_eq!(a.read_to_end(&mut heard).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(heard, b"last");
    assert!(a.write_u8(1).await.is_err());
    assert_eq!(b.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(b.write_u8(1).await.is_err());
    let gone = listener.accept().await.map(|_| ()).unwrap_err();
    assert_eq!(crate::accept_pause(&gone), None);
    let refused = net.host("a").dial(&Address::new("b", PORT)).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    let again = net.host("b").listen(&ListenAt::loopback().port(PORT)).await.unwrap();
    drop(listener);
    net.host("a").dial(&again.local()).await.expect("the old listener's end must not take the new one along");
}

#[tokio::test(start_paused = true)]
async fn a_power_cut_is_a_crash_that_nobody_hears() {
    let (net, _listener, mut a, _b) = a_to_b().await;
    let dark = net.isolate("b");
    net.crash("b");
    assert!(hangs(a.read_u8()).await);
    a.write_all(b"anybody?").await.unwrap();
    drop(dark);
    assert_eq!(a.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_crash_resets_the_wires_that_wait_to_be_accepted() {
    let net = MemoryNet::new();
    let _listener = net.host("b").listen(&ListenAt::loopback().port(PORT).backlog(1)).await.unwrap();
    let a = net.host("a");
    let mut queued = a.dial(&Address::new("b", PORT)).await.unwrap();
    let waiting = tokio::spawn(async move { a.dial(&Address::new("b", PORT)).await.map(|_| ()) });
    tokio::time::sleep(HOUR).await;
    assert!(!waiting.is_finished(), "the backlog is full");
    net.crash("b");
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(queued.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_changes_its_mind_says_so() {
    let (net, _listener, mut a, mut b) = a_to_b().await;
    let closed = Arc::new(AtomicBool::new(true));
    let gate = closed.clone();
    net.rule(move |_| if gate.load(Ordering::Relaxed) { Verdict::Drop } else { Verdict::Pass }).forever();
    a.write_all(b"x").await.unwrap();
    assert!(hangs(b.read_u8()).await);
    closed.store(false, Ordering::Relaxed);
    net.rules_changed();
    assert_eq!(b.read_u8().await.unwrap(), b'x');
}

#[tokio::test(start_paused = true)]
async fn a_rule_sees_the_service_port_whichever_way_the_bytes_go() {
    let net = MemoryNet::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let book = seen.clone();
    let _rule = net.rule(move |w: &Crossing<'_>| {
        book.lock().unwrap().push((w.from.to_owned(), w.bytes, w.port, w.dial));
        Verdict::Pass
    });
    let mut listener = net.host("b").listen(&ListenAt::loopback().port(PORT)).await.unwrap();
    let mut a = net.host("a").dial(&Address::new("b", PORT)).await.unwrap();
    let mut b = listener.accept().await.unwrap();
    a.write_all(b"12").await.unwrap();
    b.write_all(b"3").await.unwrap();
    let crossing = |from: &str, bytes, dial| (from.to_owned(), bytes, PORT, dial);
    let expected =
        [crossing("a", 0, true), crossing("b", 0, true), crossing("a", 2, false), crossing("b", 1, false)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn the_hardest_verdict_counts() {
    use Verdict::*;
    assert_eq!(Pass.and(Deliver(MS)), Deliver(MS));
    assert_eq!(Deliver(3 * MS).and(Deliver(MS)), Deliver(3 * MS));
    assert_eq!(Deliver(MS).and(Drop), Drop);
    assert_eq!(Drop.and(Cut), Cut);
}

#[tokio::test(start_paused = true)]
async fn localhost_is_the_dialler_itself_and_closed_wires_are_forgotten() {
    let net = MemoryNet::new();
    let a = net.host("a");
    let mut listener = a.listen(&ListenAt::loopback().port(4369)).await.unwrap();
    let ours = a.dial(&Address::new("localhost", 4369)).await.unwrap();
    let theirs = listener.accept().await.unwrap();
    assert!(ours.is_local_peer() && theirs.is_local_peer());
    assert_eq!((ours.peer(), net.wires()), (Address::new("a", 4369), 1));
    drop(ours.split());
    assert_eq!(net.wires(), 1);
    drop(theirs);
    assert_eq!(net.wires(), 0);
}

/// Three hosts, delays that depend on everything, a partition, a crash: what everybody saw, and when.
async fn story() -> Vec<String> {
    let net = MemoryNet::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    net.rule(|w| Verdict::Deliver((w.bytes as u32 * 7 % 13 + w.from.len() as u32) * MS)).forever();
    let mut listener = net.host("hub").listen(&ListenAt::loopback().port(PORT)).await.unwrap();
    for name in ["a", "bb", "ccc"] {
        let (host, log) = (net.host(name), log.clone());
        tokio::spawn(async move {
            let mut wire = host.dial(&Address::new("hub", PORT)).await.unwrap();
            for n in 0..50 {
                let Ok(()) = wire.write_all(&vec![n; usize::from(n) + 1]).await else { break };
                let Ok(echo) = wire.read_u8().await else { break };
                log.lock().unwrap().push(format!("{:?} {name} {echo}", start.elapsed()));
            }
        });
    }
    for _ in 0..3 {
        let mut wire = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut buf = [0; 64];
            while let Ok(n @ 1..) = wire.read(&mut buf).await {
                if wire.write_all(&buf[n - 1..n]).await.is_err() {
                    break;
                }
            }
        });
    }
    tokio::time::sleep(200 * MS).await;
    let split = net.partition(&["hub"], &["a"]);
    tokio::time::sleep(200 * MS).await;
    drop(split);
    tokio::time::sleep(50 * MS).await;
    net.crash("bb");
    tokio::time::sleep(HOUR).await;
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn the_same_story_is_told_every_time() {
    let tell = || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(story())
    };
    let first = tell();
    assert!(first.len() > 110, "{first:#?}");
    for _ in 0..5 {
        assert_eq!(tell(), first);
    }
}
