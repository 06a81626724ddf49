//! `proc_lib`: what processes were started as.

use runtime::Ctx;
use term::Term;

use super::erlang::info;
use super::{Answer, Module, args};
use args::{mfa, pid};

pub(super) const MODULE: Module = Module {
    name: "proc_lib",
    unfit: "function_clause",
    near: &[
        ("translate_initial_call", 1, |ctx, a| translate(ctx, &a[0])),
        ("initial_call", 1, |ctx, a| {
            let who = pid(&a[0])?;
            let info = ctx.node().process_info(who);
            Ok(info.map_or(args::boolean(false), |info| {
                let call = info::call(&info, None);
                let parts = call.as_tuple().unwrap_or_default();
                Term::Tuple(parts.iter().take(2).cloned().chain([Term::NIL]).collect())
            }))
        }),
        ("get_label", 1, |_, a| pid(&a[0]).map(|_| args::undefined())),
    ],
    far: &[],
};

/// What a behaviour noted, or `{trunkline, Label, 0}`; of who is not here what OTP says then.
fn translate(ctx: &Ctx, who: &Term) -> Answer {
    let noted = otp::proc_lib::dictionary(ctx.node(), pid(who)?);
    if let Some((_, call)) = noted.into_iter().find(|(key, _)| key.is_atom("$initial_call")) {
        return Ok(call);
    }
    let info = ctx.node().process_info(pid(who)?);
    Ok(info.map_or(mfa("proc_lib", "init_p", 5), |info| info::call(&info, None)))
}
