//! Our rows of many nodes, each an OS process of its own; the same programs as `beam/bench_cluster.erl`.

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use carrier::MemoryNet;
use kernel::Node;
use kernel::discovery::MemoryNames;
use kernel::global;
use kernel::net_kernel::{self, WatchOptions};
use runtime::Ctx;
use term::{Atom, FromTerm, IntoTerm, Term};

use crate::measure::Measure;
use crate::ours::{Run, now};
use crate::side::Reaped;
use crate::station;

/// `size` nodes: all told at once to meet the first one; then names are registered; then one is killed.
pub(crate) fn mesh(run: &Run) -> Result<Vec<Measure>> {
    let size = run.size as usize;
    let mut members = (0..size).map(Member::start).collect::<Result<Vec<_>>>()?;
    members.iter_mut().try_for_each(|member| member.wait("ready").map(drop))?;
    let first = members.first().context("a mesh has members")?.name.clone();
    let begun = now();
    for member in &mut members {
        member.tell(&format!("meet {first} {}", size - 1))?;
    }
    members.iter_mut().try_for_each(|member| member.wait("met").map(drop))?;
    let met = begun.elapsed();
    let registrar = members.first_mut().context("a mesh has members")?;
    registrar.tell(&format!("register {REGISTERED_NAMES}"))?;
    let registered: f64 = registrar.wait("registered")?.parse()?;
    std::thread::sleep(Duration::from_millis(200));
    let mut victim = members.pop().context("a mesh has members")?;
    let begun = now();
    victim.child.0.kill()?;
    let told = format!("down {}", victim.name);
    members.iter_mut().try_for_each(|member| member.wait(&told).map(drop))?;
    let down = begun.elapsed();
    Ok(vec![
        Measure::new(&format!("mesh_{size}"), millis(met), "ms"),
        Measure::new(&format!("global_register_p50_{size}"), registered / 1000.0, "ms"),
        Measure::new(&format!("kill_{size}"), millis(down), "ms"),
    ])
}

/// A node of the mesh, as the driver sees it.
struct Member {
    name: String,
    child: Reaped,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Member {
    fn start(number: usize) -> Result<Member> {
        let name = format!("bench{}_{number}@127.0.0.1", std::process::id());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["member", &name]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Reaped(command.spawn().context("cannot start a member")?);
        let input = child.0.stdin.take().context("the member has no standard input")?;
        let output = child.0.stdout.take().context("the member has no standard output")?;
        Ok(Member { name, child, input, output: BufReader::new(output) })
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// The rest of the line that begins with `wanted`; other lines are dropped.
    fn wait(&mut self, wanted: &str) -> Result<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line)? > 0 {
            if let Some(rest) = line.trim_end().strip_prefix(wanted) {
                return Ok(rest.trim().to_owned());
            }
            line.clear();
        }
        bail!("{} ended before it said {wanted:?}", self.name)
    }
}

/// One node: does as it is told, line by line, and says who is down. Ends with its standard input.
pub(crate) fn member(name: &str) -> Result<()> {
    let executor = station::executor()?;
    let node = executor.block_on(station::node(name, net_kernel::AutoConnect::Always))?;
    let pid = node.spawn(obey);
    net_kernel::monitor_nodes(&node, &pid, WatchOptions::default());
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line?;
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["meet", first, others] => node.send(&pid, Meet(Atom::new(first), others.parse()?)),
            ["register", count] => node.send(&pid, Heard::Register { names: count.parse()? }),
            _ => {}
        }
    }
    Ok(())
}

#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
struct Meet(Atom, u64);

/// What a member hears once it was told whom to meet.
#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
enum Heard {
    Register { names: u64 },
    Nodeup(Atom),
    Nodedown(Atom),
}

async fn obey(mut ctx: Ctx) {
    let Meet(first, others) = ctx.receive().await;
    if first != *ctx.node().name()
        && let Err(error) = net_kernel::connect(ctx.node(), first).await
    {
        eprintln!("{}: {error}", ctx.node().name());
    }
    let mut met = false;
    loop {
        if !met && net_kernel::nodes(ctx.node(), net_kernel::Kind::Visible).len() as u64 >= others {
            met = true;
            // As BEAM's members: everybody's names are known.
            global::sync(ctx.node()).await;
            println!("met");
        }
        match ctx.receive::<Heard>().await {
            Heard::Register { names } => println!("registered {}", register(ctx.node().clone(), names).await),
            Heard::Nodeup(_) => {}
            Heard::Nodedown(who) => println!("down {who}"),
        }
    }
}

/// The median time to register a name with all nodes, in microseconds.
async fn register(node: runtime::Node, names: u64) -> u128 {
    let mut times = Vec::new();
    for name in 0..names {
        let pid = node.spawn(|mut ctx: Ctx| async move { while ctx.receive::<Term>().await != Term::NIL {} });
        let begun = now();
        assert!(global::register(&node, ("bench", name as i64), &pid).await, "the name is free");
        times.push(begun.elapsed().as_micros());
    }
    times.sort();
    times[times.len() / 2]
}

const REGISTERED_NAMES: u64 = 50;

/// `size` nodes in this OS process over the in-memory network, each connected by hand with the next few: how many are up
/// and see them, what one costs, and how long all of it takes.
pub(crate) fn nodes_in_process(run: &Run) -> Result<Vec<Measure>> {
    let size = run.size as usize;
    let before = station::rss_bytes()?;
    station::executor()?.block_on(async {
        let (net, names, begun) = (MemoryNet::new(), MemoryNames::default(), now());
        let mut nodes = Vec::new();
        for number in 0..size {
            let host = format!("h{number}");
            let builder = Node::builder(&format!("bench@{host}")).short_names().cookie("bench");
            let builder = builder.interface(Ipv4Addr::LOCALHOST.into()).carrier(net.host(host));
            nodes.push(builder.discovery(names.clone()).connect_all(false).start().await?);
        }
        for (number, node) in nodes.iter().enumerate() {
            for step in 1..=NEIGHBOURS.min(size - 1) {
                node.connect(nodes[(number + step) % size].name().clone()).await?;
            }
        }
        let time = begun.elapsed();
        let up = nodes.iter().filter(|node| node.nodes().len() >= NEIGHBOURS.min(size - 1)).count();
        let added = station::rss_bytes()?.saturating_sub(before) as f64 / size as f64;
        Ok(vec![
            Measure::new("nodes_in_process", up as f64, "nodes"),
            Measure::new("nodes_in_process_start", millis(time) / size as f64, "ms/node"),
            Measure::new("nodes_in_process_memory", added / 1024.0, "KiB/node"),
        ])
    })
}

/// Resident memory of a node that has just started.
pub(crate) fn node_memory(_: &Run) -> Result<Vec<Measure>> {
    station::executor()?.block_on(async {
        let _node: Node = station::node("bench_memory@127.0.0.1", net_kernel::AutoConnect::Always).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mib = station::rss_bytes()? as f64 / 1_048_576.0;
        Ok(vec![Measure::new("node_memory", mib, "MiB")])
    })
}

const NEIGHBOURS: usize = 4;

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1.0e3
}
