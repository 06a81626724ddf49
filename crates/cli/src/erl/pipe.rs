//! A shell in a pipe: plain prompts, and lines as they come.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;
use trunkline::{Ctx, Node, SpawnOptions, Term};

use super::flags::Flags;
use super::group::{self, Face, Shown, Source, Typed};
use super::log::Pen;
use super::program::Program;

/// Lines that are read before they are wanted.
const LINES_AHEAD_MAX: usize = 64;

/// Standard output.
pub(super) fn face() -> Face {
    Arc::new(|shown| {
        let (Shown::Text(text) | Shown::Prompt { text, .. }) = shown;
        let mut out = io::stdout().lock();
        // Nobody may be reading any more.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    })
}

/// The same, for text.
pub(super) fn pen(face: &Face) -> Pen {
    let face = face.clone();
    Arc::new(move |text| face(Shown::Text(text.to_owned())))
}

/// Runs a shell until it ends, here or on the node of `-remsh`. A shell whose node is lost, or was never there, is a failure:
/// nobody is there to choose another.
pub(super) async fn run(flags: &Flags, node: &Node, program: &Arc<Program>, face: Face) -> ExitCode {
    let (tell_end, ended) = tokio::sync::oneshot::channel();
    // The end of our input is no reason for another node to end.
    let end = flags.remsh.is_some().then_some(tell_end);
    let leader = group::start(node, face.clone(), Source { typed: lines(), end }, None);
    let options =
        SpawnOptions { leader: Some(leader), label: Some("shell starter"), ..SpawnOptions::default() };
    let (program, remote) = (program.clone(), flags.remsh.clone());
    let (tell, over) = tokio::sync::oneshot::channel::<Term>();
    node.spawn_with(options, move |mut ctx: Ctx| async move {
        let reason = match remote {
            None => {
                let shell = program.start_shell(&ctx);
                super::group::until_gone(&mut ctx, &shell).await
            }
            Some(peer) => match crate::remsh::open(&mut ctx, &peer).await {
                Ok(shell) => super::group::until_gone(&mut ctx, &shell).await,
                Err(why) => Term::binary(&why),
            },
        };
        let _ = tell.send(reason);
    });
    let reason = tokio::select! {
        reason = over => reason.unwrap_or(Term::NIL),
        Ok(()) = ended => {
            face(Shown::Text("\n".to_owned()));
            return ExitCode::SUCCESS;
        }
    };
    let lost = reason.as_binary().is_some() || reason.is_atom("noconnection");
    let text = match (reason.as_binary(), &flags.remsh) {
        (Some(why), _) => String::from_utf8_lossy(why).into_owned() + "\n",
        (None, Some(peer)) if lost => format!("*** The connection to {peer} is lost ***\n"),
        (None, Some(peer)) => format!("*** The shell on {peer} is over: {reason} ***\n"),
        (None, None) if node.is_closing() => return ExitCode::SUCCESS,
        (None, None) => format!("*** Terminating erlang ({})\n", node.name()),
    };
    face(Shown::Text(text));
    match lost && flags.remsh.is_some() {
        true => ExitCode::from(crate::visit::NO_CONNECTION),
        false => ExitCode::SUCCESS,
    }
}

/// Standard input, line by line. A blocked read cannot be cancelled: the thread ends with the program.
fn lines() -> mpsc::Receiver<Typed> {
    let (give, lines) = mpsc::channel(LINES_AHEAD_MAX);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if give.blocking_send(Typed::Line(text)).is_err() {
                return;
            }
        }
    });
    lines
}
