//! `logger`: what of it others ask. Which events are shown, the program decides by its subscriber of `tracing`.

use std::sync::Mutex;

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
            let (one, other) = (severity(atom(&a[0])?)?, severity(atom(&a[1])?)?);
            Ok(Term::atom(match other.cmp(&one) {
                std::cmp::Ordering::Less => "lt",
                std::cmp::Ordering::Equal => "eq",
                std::cmp::Ordering::Greater => "gt",
            }))
        }),
    ],
    far: &[],
};

/// The level that somebody set last. It is kept and told; it hides nothing.
struct Level(Mutex<Atom>);

impl Default for Level {
    fn default() -> Level {
        Level(Mutex::new(Atom::inline("notice")))
    }
}

fn primary(node: &Node) -> Term {
    let level = node.shelf::<Level>().0.lock().unwrap_or_else(|e| e.into_inner()).clone();
    map([
        ("filter_default", Term::atom("log")),
        ("filters", Term::NIL),
        ("level", Term::Atom(level)),
        ("metadata", map([])),
    ])
}

fn set(node: &Node, key: &str, value: &Term) -> Answer {
    match (key, value.as_atom()) {
        ("level", Some(level)) if severity(level).is_ok() || matches!(level.as_str(), "all" | "none") => {
            *node.shelf::<Level>().0.lock().unwrap_or_else(|e| e.into_inner()) = level.clone();
            Ok(Term::atom("ok"))
        }
        ("level", _) => Ok(args::error(pair("invalid_level", value.clone()))),
        ("filters" | "filter_default" | "metadata", _) => Ok(Term::atom("ok")),
        _ => Ok(args::error(pair("invalid_config", Term::tuple([Term::atom(key), value.clone()])))),
    }
}

/// The worst is 0.
fn severity(level: &Atom) -> Result<usize, Fault> {
    const LEVELS: [&str; 8] =
        ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
    LEVELS.iter().position(|known| *level == **known).ok_or(Fault::Unfit)
}

fn not_found(handler: &Term) -> Term {
    args::error(pair("not_found", handler.clone()))
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Term)>) -> Term {
    Term::Map(pairs.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
}
