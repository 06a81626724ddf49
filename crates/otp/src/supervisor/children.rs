//! Ending children, as a supervisor does it: kindly, then not, and always until they are gone.

use std::collections::BTreeMap;
use std::time::Duration;

use runtime::{Ctx, Down, Exit, ExitSignal, Mark};
use term::{FromTerm, Pid, Ref, Term};

use super::spec::{Child, Restart, Shutdown};

/// Ends one child and waits for its end. An error is a reason that was not wanted.
pub(super) async fn shutdown(ctx: &mut Ctx, child: &Child, pid: &Pid) -> Result<(), Term> {
    let mark = ctx.mark();
    let watch = ctx.monitor(pid);
    let wait = match child.shutdown {
        Shutdown::BrutalKill => None,
        Shutdown::Within(time) => Some(Some(time)),
        Shutdown::Infinity => Some(None),
    };
    let kindly = match wait {
        None => None,
        Some(time) => {
            ctx.exit(pid, Exit::shutdown());
            down(ctx, mark, &watch, time).await
        }
    };
    let reason = match kindly {
        Some(reason) => reason,
        None => {
            ctx.exit(pid, Exit::kill());
            down(ctx, mark, &watch, None).await.unwrap_or(Term::atom("killed"))
        }
    };
    // What it said with its exit signal is closer to the truth: the monitor may have come too late.
    let reason = unlink_flush(ctx, pid).unwrap_or(reason);
    judge(child, reason)
}

fn judge(child: &Child, reason: Term) -> Result<(), Term> {
    let wanted = if child.shutdown == Shutdown::BrutalKill { "killed" } else { "shutdown" };
    let orderly = crate::proc_lib::is_orderly(&Exit(reason.clone()));
    match reason.is_atom(wanted) || (orderly && child.restart != Restart::Permanent) {
        true => Ok(()),
        false => Err(reason),
    }
}

async fn down(ctx: &mut Ctx, mark: Mark, watch: &Ref, within: Option<Duration>) -> Option<Term> {
    let pick = |message: &Term| {
        Down::from_term(message).ok().filter(|down| down.reference == *watch).map(|down| down.reason)
    };
    match within {
        Some(time) => ctx.select_from_within(mark, time, pick).await,
        None => Some(ctx.select_from(mark, pick).await),
    }
}

/// Takes the link away; the exit signal that had come by it, if one had.
pub(super) fn unlink_flush(ctx: &mut Ctx, pid: &Pid) -> Option<Term> {
    ctx.unlink(pid);
    ctx.try_select(Mark::START, |message| {
        ExitSignal::from_term(message).ok().filter(|signal| signal.from == *pid).map(|signal| signal.reason)
    })
}

/// Ends many children of one kind at once. Gives back the reasons that were not wanted, and how many ended with each.
pub(super) async fn shutdown_all(
    ctx: &mut Ctx,
    children: impl IntoIterator<Item = (Pid, Child)>,
) -> Vec<(Child, Term, usize)> {
    let mark = ctx.mark();
    let mut waiting: BTreeMap<Ref, (Pid, Child)> = BTreeMap::new();
    let mut longest = Some(Duration::ZERO);
    for (pid, child) in children {
        let watch = ctx.monitor(&pid);
        match child.shutdown {
            Shutdown::BrutalKill => ctx.exit(&pid, Exit::kill()),
            _ => ctx.exit(&pid, Exit::shutdown()),
        }
        longest = match (child.shutdown, longest) {
            (Shutdown::Within(time), Some(longest)) => Some(longest.max(time)),
            (Shutdown::Infinity, _) | (_, None) => None,
            (Shutdown::BrutalKill, longest) => longest,
        };
        waiting.insert(watch, (pid, child));
    }
    let deadline = longest.map(|time| ctx.node().now() + time);
    let mut killed = longest == Some(Duration::ZERO);
    let mut odd: Vec<(Child, Term, usize)> = Vec::new();
    while !waiting.is_empty() {
        // Exit signals say the same once more: they are taken out, so that the mailbox stays short.
        let pick = |message: &Term| match Down::from_term(message) {
            Ok(down) => waiting.contains_key(&down.reference).then_some(Some(down)),
            Err(_) => ExitSignal::from_term(message).ok().map(|_| None),
        };
        let left = deadline.filter(|_| !killed).map(|deadline| deadline.since(ctx.node().now()));
        let ended = match left {
            Some(left) => ctx.select_from_within(mark, left, pick).await,
            None => Some(ctx.select_from(mark, pick).await),
        };
        let Some(ended) = ended else {
            waiting.values().for_each(|(pid, _)| ctx.exit(pid, Exit::kill()));
            killed = true;
            continue;
        };
        let Some(ended) = ended else { continue };
        let Some((pid, child)) = waiting.remove(&ended.reference) else { continue };
        ctx.unlink(&pid);
        if let Err(reason) = judge(&child, ended.reason) {
            match odd.iter_mut().find(|(_, seen, _)| *seen == reason) {
                Some((_, _, count)) => *count += 1,
                None => odd.push((child, reason, 1)),
            }
        }
    }
    odd
}
