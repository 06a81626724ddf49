//! From flags to a node.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use shell::{Entry, NodeWorld, Reply, Session};
use trunkline::config::Config;
use trunkline::discovery::Epmd;
use trunkline::names::{Form, NodeName};
use trunkline::{Atom, Builder, Ctx, Node, SpawnOptions, StartError, Term};

use super::flags::{Flags, Naming, Todo};
use super::group::{Face, Shown};
use super::program::Program;
use shell::node::live;

/// How long to wait for an EPMD that was started.
const EPMD_STARTS_MILLIS: u64 = 2000;

/// Starts the node.
pub(super) async fn start(flags: &Flags, face: &Face) -> Result<(Node, Arc<Program>), String> {
    if let Some(proto) =
        flags.proto_dist.as_deref().filter(|proto| !matches!(*proto, "inet_tcp" | "inet6_tcp"))
    {
        return Err(format!("-proto_dist {proto}: there are inet_tcp and inet6_tcp"));
    }
    let config = Config::command_line(flags.words.clone()).map_err(|why| why.to_string())?;
    let program = Program::new();
    // The last one said comes first, as in erl.
    for path in &flags.paths {
        program.vm.add_code_path(Path::new(path), true);
    }
    for path in &flags.paths_behind {
        program.vm.add_code_path(Path::new(path), false);
    }
    let named = |name: &str| dress(Node::builder(name), flags, &config, face);
    let node = match (&flags.name, &flags.remsh) {
        (Some((naming, name)), remsh) if name == "undefined" || name.starts_with("undefined@") => {
            let builder = as_named(named(name)?, *naming);
            let peer =
                remsh.clone().ok_or("-sname undefined: the node that gives the name is said with -remsh")?;
            builder.join(full(&peer, name).as_str()).await.map_err(|why| told(name, &why))?
        }
        (Some((naming, name)), _) => {
            epmd(flags).await;
            let builder = as_named(named(name)?, *naming);
            builder.start().await.map_err(|why| told(name, &why))?
        }
        (None, Some(_)) => {
            let peer = flags.remsh_name()?;
            let builder = named(&format!("undefined@{}", peer.host()))?;
            let joined = match peer.form() {
                Form::Short => builder.short_names(),
                Form::Long => builder.long_names(),
            };
            joined.join(peer.to_string().as_str()).await.map_err(|why| told("undefined", &why))?
        }
        (None, None) => dress(Builder::default(), flags, &config, face)?.alone(),
    };
    trunkline::config::set_plain_arguments(&node, flags.plain.clone());
    program.install(&node);
    Ok((node, program))
}

impl Flags {
    /// The node of `-remsh`, with this machine's host where none was said.
    fn remsh_name(&self) -> Result<NodeName, String> {
        let text = self.remsh.clone().unwrap_or_default();
        crate::identity::peer_name(&text, Some(Form::Short)).map_err(|why| format!("-remsh {text}: {why}"))
    }
}

/// From now on the node of `-remsh` has its whole name.
pub(super) fn complete_remsh(flags: &mut Flags, node: &Node) {
    if let Some(peer) = flags.remsh.take() {
        let own = node.name().as_str().to_owned();
        flags.remsh = Some(full(&peer, &own));
    }
}

fn as_named(builder: Builder, naming: Naming) -> Builder {
    match naming {
        Naming::Short => builder.short_names(),
        Naming::Long => builder.long_names(),
    }
}

/// A peer's name with the host filled in from ours where it has none.
fn full(peer: &str, ours: &str) -> String {
    match (peer.contains('@'), ours.split_once('@')) {
        (false, Some((_, host))) => format!("{peer}@{host}"),
        _ => peer.to_owned(),
    }
}

fn dress(builder: Builder, flags: &Flags, config: &Config, face: &Face) -> Result<Builder, String> {
    let face = face.clone();
    let mut builder = builder.output(move |text| face(Shown::Text(text.to_owned())));
    builder = builder.config(config).map_err(|why| why.to_string())?;
    if let Some(cookie) = &flags.cookie {
        builder = builder.cookie(cookie.as_str());
    }
    for (peer, cookie) in &flags.peer_cookies {
        builder = builder.cookie_of(peer.as_str(), cookie.as_str());
    }
    if flags.hidden {
        builder = builder.hidden();
    }
    if let Some(all) = flags.connect_all {
        builder = builder.connect_all(all);
    }
    if flags.dist_listen == Some(false) {
        builder = builder.dist_listen(false);
    }
    Ok(match flags.erl_epmd_port {
        Some(port) => builder.fixed_port(port),
        None if flags.start_epmd == Some(false) => builder.discovery(Epmd::new().never_start()),
        None => builder,
    })
}

/// Why there is no node, in the words of those who know `erl`.
fn told(name: &str, why: &StartError) -> String {
    match why {
        StartError::Discovery(trunkline::discovery::DiscoveryError::NameTaken { .. }) => {
            format!("Protocol 'inet_tcp': the name {name} seems to be in use by another Erlang node\n{why}")
        }
        _ => format!("The node {name} does not start: {why}"),
    }
}

/// Has an EPMD run that outlives this node, as `erl` does.
async fn epmd(flags: &Flags) {
    if flags.start_epmd == Some(false) || flags.erl_epmd_port.is_some() {
        return;
    }
    let port = trunkline::epmd::port_from_environment();
    let answers = || async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() };
    if answers().await {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let quiet = Stdio::null;
    let started = Command::new(program)
        .args(["epmd", "-daemon"])
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .status();
    if started.is_err() {
        // The node brings one of its own.
        return;
    }
    for _ in 0..EPMD_STARTS_MILLIS / 20 {
        if answers().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts this program again, without `-detached` and without a terminal, and does not wait for it.
pub(super) fn detach() -> ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .map(|word| if word == "-detached" { "-noinput".into() } else { word })
        .collect();
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A terminal that hangs up does not end it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    match command.spawn() {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline erl: -detached: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what `-eval`, `-run` and `-s` say; whether one of them failed.
pub(super) async fn todo(flags: &Flags, node: &Node, program: &Arc<Program>, face: &Face) -> bool {
    for todo in &flags.todo {
        let failed = match todo {
            Todo::Eval(text) => evaluate(text, node, program, face).await,
            Todo::Run(words) => call(words, node, program, Term::string).await,
            Todo::Start(words) => call(words, node, program, Term::atom).await,
        };
        if failed {
            return true;
        }
    }
    false
}

async fn evaluate(text: &str, node: &Node, program: &Arc<Program>, face: &Face) -> bool {
    let (vm, text) = (program.vm.clone(), text.to_owned());
    let reply = node.try_run(move |ctx: Ctx| async move {
        let mut life = NodeWorld::new(ctx, vm.clone());
        let mut session = Session::new(vm);
        let mut rest = text;
        loop {
            match session.enter(&rest, true, &mut life).await {
                Reply::Value(_, _, taken) => rest = rest.chars().skip(taken).collect(),
                reply => return reply,
            }
        }
    });
    match reply.await {
        Some(Reply::Wrong(why, _)) => {
            face(Shown::Text(why));
            true
        }
        Some(Reply::End(shell::session::End::Halt(status))) => std::process::exit(status & 0xff),
        Some(Reply::End(_)) => {
            node.shutdown().await;
            false
        }
        // It ended by something it called: that was said.
        None => true,
        Some(_) => false,
    }
}

/// `-s` hands all arguments over in one list, if there are any.
async fn call(words: &[String], node: &Node, program: &Arc<Program>, argument: fn(&str) -> Term) -> bool {
    let module = Atom::new(&words[0]);
    let function = Atom::new(words.get(1).map_or("start", String::as_str));
    let arguments: Vec<Term> = words.iter().skip(2).map(|word| argument(word)).collect();
    let arguments = if arguments.is_empty() { Vec::new() } else { vec![Term::list(arguments)] };
    let vm = program.vm.clone();
    let options = SpawnOptions { label: Some("-s"), ..SpawnOptions::default() };
    let (tell, done) = tokio::sync::oneshot::channel();
    node.spawn_with(options, move |ctx: Ctx| async move {
        let ended = live(ctx, vm, Entry::Mfa(module, function, arguments)).await;
        let _ = tell.send(ended.is_err());
        ended
    });
    done.await.unwrap_or(true)
}
