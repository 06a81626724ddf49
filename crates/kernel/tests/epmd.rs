//! The EPMD daemon and its client, over sockets.

extern crate trunkline_kernel as kernel;

mod common;

use common::*;
use kernel::discovery::{Discovery, DiscoveryError, Epmd as Client};
use kernel::epmd::{Epmd, EpmdConfig};
use kernel::{Node, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A port on which nobody listens, most likely for long enough.
async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_an_epmd_where_none_runs_and_others_use_it() {
    let port = free_port().await;
    let first = node("first@localhost", port).start().await.unwrap();
    let second = node("second@localhost", port).start().await.unwrap();
    first.connect("second@localhost").await.unwrap();
    let mut names: Vec<String> =
        Client::at(port).names("localhost").await.unwrap().into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["first", "second"]);
    // The first takes its EPMD along; the second starts another and is known there within seconds.
    first.shutdown().await;
    eventually("second is registered again", async || {
        Client::at(port).resolve("second@localhost").await.is_ok()
    })
    .await;
    let third = node("third@localhost", port).start().await.unwrap();
    third.connect("second@localhost").await.unwrap();
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_may_be_started_the_error_says_who_was_asked() {
    let port = free_port().await;
    let refused =
        Node::builder("a@localhost").cookie("c").discovery(Client::at(port).never_start()).start().await;
    let error = refused.unwrap_err();
    assert!(matches!(&error, StartError::Discovery(DiscoveryError::Unreachable { .. })), "{error}");
    assert!(error.to_string().contains(&format!("EPMD 127.0.0.1:{port}")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_free_when_its_node_is_gone_and_the_creation_rises() {
    let epmd = private_epmd();
    let first = node("a@localhost", epmd).start().await.unwrap();
    let creation = first.id().creation();
    first.shutdown().await;
    eventually("the name is free", async || {
        matches!(Client::at(epmd).resolve("a@localhost").await, Err(DiscoveryError::NotFound { .. }))
    })
    .await;
    let second = node("a@localhost", epmd).start().await.unwrap();
    assert_eq!(second.id().creation(), creation + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_closed_and_the_daemon_serves_on() {
    let port = private_epmd();
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 0], &[0, 1, 99], &[255; 5000]] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.ok();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
    assert!(Client::at(port).names("localhost").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_ends_the_daemon_when_nobody_is_registered() {
    let epmd = Epmd::bind(EpmdConfig { port: 0, ..EpmdConfig::default() }).unwrap();
    let port = epmd.port();
    let running = tokio::spawn(epmd.run(|_| {}));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&[0, 1, 107]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"OK");
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_do_not_share_a_port() {
    let epmd = Epmd::bind(EpmdConfig { port: 0, ..EpmdConfig::default() }).unwrap();
    let second = Epmd::bind(EpmdConfig { port: epmd.port(), ..EpmdConfig::default() });
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_the_machine_s_own_name_is_found_on_this_machine() {
    let machine = kernel::names::HostNames::of_system().short;
    if tokio::net::lookup_host((machine.as_str(), 0)).await.is_err() {
        return println!("SKIPPED: this machine cannot resolve its own name, {machine}");
    }
    let port = free_port().await;
    let first = node("first", port).short_names().start().await.unwrap();
    let second = node("second", port).short_names().start().await.unwrap();
    assert_eq!(first.name().as_str(), format!("first@{machine}"));
    first.connect(second.name().clone()).await.unwrap();
    // An EPMD that serves loopback only is found by the machine's name too.
    let loopback = private_epmd();
    let third = node("third", loopback).short_names().start().await.unwrap();
    let found = Client::at(loopback).resolve(third.name().as_str()).await.unwrap();
    assert_ne!(found.port, 0);
}
