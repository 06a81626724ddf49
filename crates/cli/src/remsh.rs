//! `trunkline remsh`: a shell on another node, and how one is opened there.

use std::process::ExitCode;

use trunkline::{Ctx, Exit, Pid, SpawnAt, Term};

/// Runs the verb: `trunkline remsh NODE`, which is `trunkline erl -hidden -remsh NODE`, under a name that NODE gives.
pub(crate) fn main(mut words: Vec<String>) -> ExitCode {
    if words.first().is_none_or(|word| word.starts_with('-')) {
        eprintln!(
            "usage: trunkline remsh NODE [FLAGS OF ERL]\nexample: trunkline remsh bill@localhost -setcookie COOKIE"
        );
        return ExitCode::from(crate::visit::USAGE);
    }
    words.splice(0..0, ["-hidden".to_owned(), "-remsh".to_owned()]);
    crate::erl::main(words)
}

/// Starts a shell on `peer` whose terminal is the group leader of this process.
///
/// As OTP does it: `erpc:execute_call` of `shell:start/0` with our leader, whose answer is the shell's pid ("Remote shell: who
/// runs where").
pub(crate) async fn open(ctx: &mut Ctx, peer: &str) -> Result<Pid, String> {
    if ctx.node().name().as_str() == "nonode@nohost" {
        return Err("*** this node has no name: it cannot reach others ***".to_owned());
    }
    let result = Term::Ref(ctx.make_ref());
    let arguments = vec![result.clone(), Term::atom("shell"), Term::atom("start"), Term::NIL];
    let at = SpawnAt { link: false, monitor: true };
    let started = ctx.spawn_at(peer, "erpc", "execute_call", arguments, at).await;
    let (_, monitor) = started.map_err(|why| format!("*** no shell on {peer}: {why} ***"))?;
    let reason = ctx
        .select(|message| {
            let down = <trunkline::Down as trunkline::FromTerm>::from_term(message).ok()?;
            (down.reference == monitor).then_some(down.reason)
        })
        .await;
    match reason.as_tuple() {
        Some([same, tag, Term::Pid(shell)]) if *same == result && tag.is_atom("return") => Ok(shell.clone()),
        _ => Err(format!("*** no shell on {peer}: {} ***", Exit(reason).reason())),
    }
}
