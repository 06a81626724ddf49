//! `application`: what `otp::application` does not export, because here it says nothing.

use term::Term;

use super::{Module, args};
use args::{atom, undefined};

pub(super) const MODULE: Module = Module {
    name: "application",
    unfit: "function_clause",
    near: &[
        // They ask for the application of the process that runs this: it has none.
        ("get_env", 1, |_, _| Ok(undefined())),
        ("get_all_env", 0, |_, _| Ok(Term::NIL)),
        ("get_key", 1, |_, _| Ok(undefined())),
        ("get_all_key", 0, |_, _| Ok(Term::NIL)),
        ("get_application", 0, |_, _| Ok(undefined())),
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
