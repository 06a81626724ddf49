//! `io_lib`: terms as text.

use term::Term;

use super::{Answer, Fault, Module, args};

pub(super) const MODULE: Module = Module {
    name: "io_lib",
    unfit: "badarg",
    near: &[
        ("format", 2, |ctx, a| format(ctx, &a[0], &a[1])),
        ("fwrite", 2, |ctx, a| format(ctx, &a[0], &a[1])),
        ("write", 1, |ctx, a| format(ctx, &Term::string("~w"), &Term::list([a[0].clone()]))),
        ("print", 1, |ctx, a| format(ctx, &Term::string("~p"), &Term::list([a[0].clone()]))),
        ("nl", 0, |_, _| Ok(Term::string("\n"))),
        ("char_list", 1, |_, a| Ok(args::boolean(args::charlist(&a[0]).is_ok()))),
        ("deep_char_list", 1, |_, a| {
            Ok(args::boolean(a[0].as_list().is_some() && args::chardata(&a[0]).is_ok()))
        }),
    ],
    far: &[],
};

fn format(ctx: &runtime::Ctx, format: &Term, arguments: &Term) -> Answer {
    let text = crate::io::format_on(ctx.node(), format, arguments).ok_or(Fault::Unfit)?;
    Ok(Term::string(&text))
}
