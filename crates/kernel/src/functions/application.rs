//! `application`: what `otp::application` does not export, because here it says nothing.

use runtime::Ctx;
use term::{Atom, Term};

use super::{Module, args};
use args::{atom, undefined};

fn own(ctx: &Ctx) -> Option<Atom> {
    otp::application::get_application(ctx.node(), ctx.pid_ref())
}

pub(super) const MODULE: Module = Module {
    name: "application",
    unfit: "function_clause",
    near: &[
        // They ask for the application of the process that runs this.
        ("get_env", 1, |ctx, a| {
            let key = atom(&a[0])?;
            let value = own(ctx).and_then(|name| otp::application::get_env(ctx.node(), name, key.as_str()));
            Ok(value.map_or_else(undefined, args::ok))
        }),
        ("get_all_env", 0, |ctx, _| {
            let all =
                own(ctx).map(|name| otp::application::get_all_env(ctx.node(), name)).unwrap_or_default();
            Ok(Term::list(all.into_iter().map(|(key, value)| Term::tuple([Term::Atom(key), value]))))
        }),
        ("get_key", 1, |ctx, a| {
            let key = atom(&a[0])?;
            let value = own(ctx).and_then(|name| otp::application::get_key(ctx.node(), name, key.as_str()));
            Ok(value.map_or_else(undefined, args::ok))
        }),
        ("get_all_key", 0, |_, _| Ok(Term::NIL)),
        ("get_application", 0, |ctx, _| {
            Ok(own(ctx).map_or_else(undefined, |name| args::ok(Term::Atom(name))))
        }),
        ("start_type", 0, |_, _| Ok(undefined())),
        ("get_supervisor", 1, |_, a| atom(&a[0]).map(|_| undefined())),
        ("get_application_module", 1, |_, a| atom(&a[0]).map(|_| undefined())),
        ("get_env", 3, |ctx, a| {
            let found = match (a[0].as_atom(), a[1].as_atom()) {
                (Some(name), Some(key)) => otp::application::get_env(ctx.node(), name.clone(), key.as_str()),
                _ => None,
            };
            Ok(found.unwrap_or_else(|| a[2].clone()))
        }),
    ],
    far: &[],
};
