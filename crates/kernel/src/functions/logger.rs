//! `logger`: what of it others ask. Which events are shown, the program decides by its subscriber of `tracing`; a primary level
//! that somebody sets holds for the reports of behaviours and of `logger` on top of that.

use otp::report::{primary_level, set_primary_level, severity};
use runtime::Node;
use term::{Atom, Map, Term};

use super::{Answer, Fault, Module, args};
use args::{atom, pair};

pub(super) const MODULE: Module = Module {
    name: "logger",
    unfit: "function_clause",
    near: &[
        ("get_primary_config", 0, |ctx, _| Ok(primary(ctx.node()))),
        ("set_primary_config", 1, |ctx, a| {
            let config = a[0].as_map().ok_or(Fault::Unfit)?;
            match config.get(&Term::atom("level")) {
                Some(level) => set(ctx.node(), "level", level),
                None => Ok(Term::atom("ok")),
            }
        }),
        ("set_primary_config", 2, |ctx, a| set(ctx.node(), atom(&a[0])?.as_str(), &a[1])),
        ("update_primary_config", 1, |_, a| a[0].as_map().map(|_| Term::atom("ok")).ok_or(Fault::Unfit)),
        ("get_config", 0, |ctx, _| {
            let none = || Term::NIL;
            let pairs = [("primary", primary(ctx.node())), ("handlers", none()), ("module_levels", none())];
            Ok(map(pairs.into_iter().chain([("proxy", map([]))])))
        }),
        ("get_handler_ids", 0, |_, _| Ok(Term::NIL)),
        ("get_handler_config", 0, |_, _| Ok(Term::NIL)),
        ("get_handler_config", 1, |_, a| atom(&a[0]).map(|_| not_found(&a[0]))),
        ("get_module_level", 0, |_, _| Ok(Term::NIL)),
        ("get_module_level", 1, |_, _| Ok(Term::NIL)),
        ("get_proxy_config", 0, |_, _| Ok(map([]))),
        ("compare_levels", 2, |_, a| {
            let (one, other) = (level_of(&a[0])?, level_of(&a[1])?);
            Ok(Term::atom(match other.cmp(&one) {
                std::cmp::Ordering::Less => "lt",
                std::cmp::Ordering::Equal => "eq",
                std::cmp::Ordering::Greater => "gt",
            }))
        }),
    ],
    far: &[],
};

fn primary(node: &Node) -> Term {
    let level = primary_level(node).unwrap_or(Atom::inline("notice"));
    map([
        ("filter_default", Term::atom("log")),
        ("filters", Term::NIL),
        ("level", Term::Atom(level)),
        ("metadata", map([])),
    ])
}

fn set(node: &Node, key: &str, value: &Term) -> Answer {
    match (key, value.as_atom()) {
        ("level", Some(level)) if severity(level).is_some() => {
            set_primary_level(node, level.clone());
            Ok(Term::atom("ok"))
        }
        ("level", _) => Ok(args::error(pair("invalid_level", value.clone()))),
        ("filters" | "filter_default" | "metadata", _) => Ok(Term::atom("ok")),
        _ => Ok(args::error(pair("invalid_config", Term::tuple([Term::atom(key), value.clone()])))),
    }
}

fn level_of(level: &Term) -> Result<i32, Fault> {
    severity(atom(level)?).ok_or(Fault::Unfit)
}

fn not_found(handler: &Term) -> Term {
    args::error(pair("not_found", handler.clone()))
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Term)>) -> Term {
    Term::Map(pairs.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
}
