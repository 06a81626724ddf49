//! `c:i/0` and `c:regs/0`: who lives on this node, as a shell lists it.

use trunkline::{Ctx, Node, Pid, io, runtime};

/// Processes that are listed.
const PROCESSES_LISTED_MAX: usize = 1000;

/// Exports them.
pub(super) fn install(node: &Node) {
    node.export_async("c", "i", |mut ctx: Ctx| async move {
        let text = processes(ctx.node());
        let _ = io::put_chars(&mut ctx, &text).await;
        trunkline::Atom::new("ok")
    });
    node.export_async("c", "regs", |mut ctx: Ctx| async move {
        let text = registered(ctx.node());
        let _ = io::put_chars(&mut ctx, &text).await;
        trunkline::Atom::new("ok")
    });
}

fn row(node: &runtime::Node, name: &str, pid: &Pid) -> Option<String> {
    let info = node.process_info(pid)?;
    let label: String = info.label.chars().take(40).collect();
    Some(format!("{name:<24}{:<16}{label:<42}{:>6}\n", node.show_pid(pid), info.message_queue_len))
}

fn registered(node: &runtime::Node) -> String {
    let mut names = node.registered();
    names.sort();
    let mut text = format!("\n** Registered procs on node {} **\n", node.name());
    text.push_str(&format!("{:<24}{:<16}{:<42}{:>6}\n", "Name", "Pid", "Label", "Msgs"));
    for name in names {
        text.extend(node.whereis(name.clone()).and_then(|pid| row(node, name.as_str(), &pid)));
    }
    text
}

fn processes(node: &runtime::Node) -> String {
    let names: Vec<(Pid, String)> = node
        .registered()
        .into_iter()
        .filter_map(|name| Some((node.whereis(name.clone())?, name.as_str().to_owned())))
        .collect();
    let mut text = format!("{:<24}{:<16}{:<42}{:>6}\n", "Registered", "Pid", "Label", "Msgs");
    let all = node.processes();
    for pid in all.iter().take(PROCESSES_LISTED_MAX) {
        let name = names.iter().find(|(named, _)| named == pid).map_or("", |(_, name)| name.as_str());
        text.extend(row(node, name, pid));
    }
    text.push_str(&format!("{} processes\n", all.len()));
    text
}
