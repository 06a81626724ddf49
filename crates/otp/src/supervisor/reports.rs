//! What supervisors report, in OTP's shapes.

use runtime::Ctx;
use term::{Pid, Term, term};

use super::spec::Child;
use crate::report::{self, Level, show};

/// `{supervisor, progress}`: a child was started.
pub(super) fn progress(ctx: &Ctx, supervisor: &Term, child: &Child, pid: &Pid) {
    let started = described(child, term!({pid, (pid.clone())}));
    let report = term!(#{
        label => {supervisor, progress},
        report => [{supervisor, (supervisor.clone())}, {started, (started.clone())}]
    });
    let text = format!("PROGRESS REPORT supervisor: {} started: {}", show(supervisor), show(&started));
    report::tell(ctx, Level::Info, report, text);
}

/// `{supervisor, start_error | child_terminated | shutdown | shutdown_error}`.
pub(super) fn error(
    ctx: &Ctx,
    supervisor: &Term,
    context: &'static str,
    reason: &Term,
    child: &Child,
    who: Who<'_>,
) {
    let who = match who {
        Who::Nobody => term!({pid, undefined}),
        Who::Pid(pid) => term!({pid, (pid.clone())}),
        Who::Restarting(pid) => term!({pid, {restarting, (pid.cloned())}}),
        Who::Many(count) => term!({nb_children, (count)}),
    };
    let offender = described(child, who);
    let report = term!(#{
        label => {supervisor, (Term::atom(context))},
        report => [
            {supervisor, (supervisor.clone())},
            {errorContext, (Term::atom(context))},
            {reason, (reason.clone())},
            {offender, (offender.clone())}
        ]
    });
    let text = format!(
        "SUPERVISOR REPORT supervisor: {} errorContext: {context} reason: {} offender: {}",
        show(supervisor),
        show(reason),
        show(&offender)
    );
    report::tell(ctx, Level::Error, report, text);
}

/// Whom a report is about.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    Nobody,
    Pid(&'a Pid),
    Restarting(Option<&'a Pid>),
    Many(usize),
}

fn described(child: &Child, who: Term) -> Term {
    term!([
        (who),
        {id, (child.id.clone())},
        {mfargs, (child.mfargs.clone())},
        {restart_type, (child.restart)},
        {significant, (child.significant)},
        {shutdown, (child.shutdown)},
        {child_type, (child.kind)}
    ])
}
