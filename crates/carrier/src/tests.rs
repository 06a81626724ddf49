//! Both carriers against the conformance suite, and the in-memory network against its rules.

mod rules;

use std::io;
use std::time::Duration;

use crate::conformance::{self, Ground};
use crate::{Address, Carrier, ListenAt, MemoryNet, Tcp, Trouble, accept_pause};

#[tokio::test]
async fn tcp_passes_the_conformance_suite() {
    conformance::all(|| Ground::one_host(Tcp::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_passes_the_conformance_suite_on_threads() {
    conformance::all(|| Ground::one_host(Tcp::new().keepalive(true).nodelay(false))).await;
}

#[tokio::test(start_paused = true)]
async fn memory_passes_the_conformance_suite_in_virtual_time() {
    conformance::all(|| Ground::one_host(MemoryNet::new().host("a"))).await;
}

fn two_hosts() -> Ground {
    let net = MemoryNet::new();
    Ground::two_hosts(net.host("server"), net.host("client"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_passes_the_conformance_suite_on_threads() {
    conformance::all(two_hosts).await;
}

#[tokio::test(start_paused = true)]
async fn memory_passes_the_conformance_suite_where_every_byte_is_late() {
    conformance::all(|| {
        let net = MemoryNet::new();
        net.slow("server", "client", Duration::from_millis(3)).forever();
        net.slow("client", "server", Duration::from_micros(1500)).forever();
        Ground::two_hosts(net.host("server"), net.host("client"))
    })
    .await;
}

#[test]
fn the_suite_has_about_twenty_checks_with_different_names() {
    let names: std::collections::BTreeSet<_> = conformance::names().collect();
    assert_eq!(names.len(), conformance::names().count());
    assert!(names.len() >= 20, "{}", names.len());
}

#[tokio::test]
async fn an_error_says_who_where_why_and_what_to_do() {
    let taken = Tcp::new().listen(&ListenAt::loopback()).await.unwrap();
    let port = taken.local().port;
    let error = Tcp::new().listen(&ListenAt::loopback().port(port)).await.map(|_| ()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("tcp: cannot listen at port {port} of 127.0.0.1: ")), "{text}");
    assert!(text.ends_with("choose other ports or a wider range"), "{text}");
    let trouble = error.get_ref().and_then(|e| e.downcast_ref::<Trouble>()).unwrap();
    assert!(trouble.system().raw_os_error().is_some());

    let error = MemoryNet::new().host("a").dial(&Address::new("b", 1)).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("memory: cannot dial b:1: the network has no host"), "{error}");
}

#[cfg(unix)]
#[test]
fn after_a_failed_accept_the_pause_fits_the_reason() {
    const EMFILE: i32 = 24;
    let pause = |e: io::Error| accept_pause(&e);
    assert!(pause(io::Error::from_raw_os_error(EMFILE)).unwrap() > Duration::ZERO);
    assert_eq!(pause(io::ErrorKind::ConnectionAborted.into()), Some(Duration::ZERO));
    assert_eq!(pause(io::ErrorKind::NotConnected.into()), None);
}

#[test]
fn addresses_print_as_people_write_them() {
    assert_eq!(Address::new("rick.example", 4369).to_string(), "rick.example:4369");
    assert_eq!(Address::new("::1", 4369).to_string(), "[::1]:4369");
    let mapped: std::net::SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
    assert_eq!(Address::from(mapped), Address::new("10.0.0.1", 80));
    assert_eq!(Address::new("rick.example", 1).socket_addr(), None);
}

#[tokio::test]
async fn a_name_is_resolved_when_dialled() {
    let mut listener = Tcp::new().listen(&ListenAt::loopback()).await.unwrap();
    let to = Address::new("localhost", listener.local().port);
    let ours = Tcp::new().dial(&to).await.unwrap();
    let theirs = listener.accept().await.unwrap();
    assert_eq!(ours.local(), theirs.peer());
    assert!(ours.is_local_peer() && theirs.is_local_peer());
}
