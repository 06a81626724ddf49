//! Names and ports: OTP's tools against our EPMD, our nodes against theirs.

use std::process::Command;

use trunkline::discovery::{Discovery, Epmd};
use trunkline::net_kernel::Kind;
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, RealEpmd, eventually};

fn local(name: &str) -> &str {
    name.split('@').next().expect("a name")
}

/// What `epmd -names` says of the EPMD at this port.
fn names_by_tool(port: u16) -> String {
    let output =
        Command::new("epmd").args(["-port", &port.to_string(), "-names"]).output().expect("epmd runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otps_tools_read_the_names_of_our_epmd() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    let (us, them) = (local(ours.name().as_str()).to_owned(), local(&erl.name).to_owned());
    erl.check("{ok, Names} = net_adm:names(), length(Names)", "2");
    erl.check(
        &format!("lists:sort([N || {{N, P}} <- Names, P > 1024]) =:= lists:sort([{us:?}, {them:?}])"),
        "true",
    );
    erl.check("{ok, Names} =:= net_adm:names(localhost)", "true");
    let said = names_by_tool(epmd);
    let (head, rest) = said.split_once('\n').unwrap();
    assert_eq!(head, format!("epmd: up and running on port {epmd} with data:"));
    let port = erl.eval(&format!("proplists:get_value({us:?}, Names)"));
    assert!(
        rest.contains(&format!("name {us} at port {port}\n"))
            && rest.contains(&format!("name {them} at port ")),
        "{said}"
    );
    // A node that ends is no name any more.
    erl.kill();
    eventually("its name is free", async || !names_by_tool(epmd).contains(&format!("name {them} "))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_nodes_live_with_otps_epmd() {
    if !erl::found() {
        return;
    }
    let epmd = RealEpmd::start();
    let mut erl = Erl::start(&world::unique("erl"), epmd.port, &[]);
    let ours = world::node(&world::unique("ours"), epmd.port).start().await.unwrap();
    let hidden = world::node(&world::unique("hidden"), epmd.port).hidden().start().await.unwrap();
    let mut names = Epmd::at(epmd.port).names("localhost").await.unwrap();
    names.sort();
    let found: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    let mut expected = [local(&erl.name), local(hidden.name().as_str()), local(ours.name().as_str())];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(names_by_tool(epmd.port).contains(&format!("name {} at port ", local(ours.name().as_str()))));
    ours.ping(erl.name.as_str()).await.unwrap();
    erl.check(&format!("net_adm:ping({})", hidden.name()), "pong");
    erl.check("{ok, Names} = net_adm:names(), length(Names)", "3");
    assert_eq!(ours.nodes(), [trunkline::Atom::new(&erl.name)]);
    let taken = world::node(&erl.name, epmd.port).start().await.unwrap_err().to_string();
    assert!(taken.contains("is in use by another node"), "{taken}");
    ours.shutdown().await;
    let gone = local(ours.name().as_str()).to_owned();
    eventually("its name is free", async || !names_by_tool(epmd.port).contains(&gone)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_world_without_one_of_its_epmds_registers_with_the_next() {
    if !erl::found() {
        return;
    }
    let first = RealEpmd::start();
    let port = first.port;
    let ours = world::node(&world::unique("ours"), port).start().await.unwrap();
    let erl = Erl::start(&world::unique("erl"), port, &[]);
    ours.ping(erl.name.as_str()).await.unwrap();
    drop(first);
    // Connections do not need EPMD.
    ours.ping(erl.name.as_str()).await.unwrap();
    let config = trunkline::epmd::EpmdConfig { port, ..trunkline::epmd::EpmdConfig::default() };
    // Our node may have started one itself in the meantime: then that one serves everybody.
    if let Ok(second) = trunkline::epmd::Epmd::bind(config) {
        tokio::spawn(second.run(|_| {}));
    }
    let names = async || Epmd::at(port).names("localhost").await.unwrap_or_default();
    for name in [local(ours.name().as_str()), local(&erl.name)] {
        eventually(&format!("{name} is known again"), async || {
            names().await.iter().any(|(known, _)| known == name)
        })
        .await;
    }
    let late = Erl::start(&world::unique("erl"), port, &[]);
    late_ping(late, &ours).await;
}

async fn late_ping(mut late: Erl, ours: &trunkline::Node) {
    late.check(&format!("net_adm:ping({})", ours.name()), "pong");
    let late_name = trunkline::Atom::new(&late.name);
    eventually("it is there", async || ours.nodes_of(Kind::Visible).contains(&late_name)).await;
}
