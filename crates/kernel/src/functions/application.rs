//! `application`: this node is one: `kernel` and `stdlib` for those who look for them, and `trunkline`.

use runtime::Node;
use term::{Pid, Term};

use super::{Answer, Fault, Module, args};
use args::{atom, error, ok, pair, undefined};

pub(super) const MODULE: Module = Module {
    name: "application",
    unfit: "function_clause",
    near: &[
        ("which_applications", 0, |_, _| Ok(running())),
        ("which_applications", 1, |_, a| args::timeout(&a[0]).map(|_| running())),
        ("loaded_applications", 0, |_, _| Ok(loaded())),
        ("info", 0, |ctx, _| Ok(info(ctx.node()))),
        // Nothing is configured in Erlang's way.
        ("get_env", 1, |_, _| Ok(undefined())),
        ("get_env", 2, |_, _| Ok(undefined())),
        ("get_env", 3, |_, a| Ok(a[2].clone())),
        ("get_all_env", 0, |_, _| Ok(Term::NIL)),
        ("get_all_env", 1, |_, _| Ok(Term::NIL)),
        ("get_key", 1, |_, _| Ok(undefined())),
        ("get_key", 2, |_, a| Ok(get_key(&a[0], &a[1]).map_or(undefined(), ok))),
        ("get_all_key", 0, |_, _| Ok(Term::NIL)),
        ("get_all_key", 1, |_, a| {
            let name = &a[0];
            atom(name)?;
            let pairs = KEYS.iter().filter_map(|key| Some(pair(key, get_key(name, &Term::atom(key))?)));
            let pairs: Vec<Term> = pairs.collect();
            Ok(if pairs.is_empty() { undefined() } else { ok(Term::list(pairs)) })
        }),
        ("get_application", 0, |_, _| Ok(undefined())),
        ("get_application", 1, |_, a| match &a[0] {
            Term::Pid(_) | Term::Atom(_) => Ok(undefined()),
            _ => Err(Fault::Unfit),
        }),
        ("get_supervisor", 1, |_, a| atom(&a[0]).map(|_| undefined())),
        ("get_application_module", 1, |_, a| atom(&a[0]).map(|_| undefined())),
        ("start_type", 0, |_, _| Ok(undefined())),
        ("load", 1, |_, a| Ok(load(&a[0]))),
        ("unload", 1, |_, a| atom(&a[0]).map(|_| not("not_loaded", &a[0], "running"))),
        ("start", 1, |_, a| atom(&a[0]).map(|_| start(&a[0]))),
        ("start", 2, |_, a| key(&a[0], &a[1]).map(|()| start(&a[0]))),
        ("ensure_started", 1, |_, a| atom(&a[0]).map(|_| ensure_started(&a[0]))),
        ("ensure_started", 2, |_, a| key(&a[0], &a[1]).map(|()| ensure_started(&a[0]))),
        ("ensure_all_started", 1, |_, a| ensure_all_started(&a[0])),
        ("ensure_all_started", 2, |_, a| ensure_all_started(&a[0])),
        ("ensure_loaded", 1, |_, a| {
            atom(&a[0]).map(|name| match find(name.as_str()) {
                Some(_) => Term::atom("ok"),
                None => nofile(&a[0]),
            })
        }),
        // They are a part of the program, and end with it.
        ("stop", 1, |_, a| atom(&a[0]).map(|_| not("not_started", &a[0], "not_stoppable"))),
        ("permit", 2, |_, a| {
            atom(&a[0])
                .and_then(|_| args::truth(&a[1]))
                .map(|_| not("not_loaded", &a[0], "distributed_application"))
        }),
        ("set_env", 3, |_, a| key(&a[0], &a[1]).and_then(|()| args::fail("notsup"))),
        ("set_env", 4, |_, a| key(&a[0], &a[1]).and_then(|()| args::fail("notsup"))),
        ("unset_env", 2, |_, a| key(&a[0], &a[1]).and_then(|()| args::fail("notsup"))),
    ],
    far: &[],
};

/// Name, description.
const APPLICATIONS: [(&str, &str); 3] =
    [("trunkline", "Trunkline"), ("stdlib", "ERTS  CXC 138 10"), ("kernel", "ERTS  CXC 138 10")];

const KEYS: [&str; 11] = [
    "description",
    "id",
    "vsn",
    "modules",
    "maxP",
    "maxT",
    "registered",
    "included_applications",
    "applications",
    "env",
    "mod",
];

fn find(name: &str) -> Option<&'static (&'static str, &'static str)> {
    APPLICATIONS.iter().find(|(known, _)| *known == name)
}

fn entries() -> impl Iterator<Item = Term> {
    APPLICATIONS.iter().map(|(name, what)| {
        Term::tuple([Term::atom(name), Term::string(what), Term::string(env!("CARGO_PKG_VERSION"))])
    })
}

/// `[{Name, Description, Version}]`.
pub(crate) fn running() -> Term {
    Term::list(entries())
}

/// The same: what is not running is not here.
pub(crate) fn loaded() -> Term {
    Term::list(entries())
}

/// The process at the top of an application.
pub(super) fn master(node: &Node, name: &Term) -> Option<Pid> {
    name.is_atom("kernel").then(|| node.whereis("kernel_sup")).flatten()
}

/// What is loaded, started, running.
pub(crate) fn info(node: &Node) -> Term {
    let started = APPLICATIONS.iter().map(|(name, _)| pair(name, Term::atom("permanent")));
    let running = APPLICATIONS
        .iter()
        .map(|(name, _)| pair(name, master(node, &Term::atom(name)).map_or(undefined(), Term::Pid)));
    Term::list([
        pair("loaded", loaded()),
        pair("loading", Term::NIL),
        pair("started", Term::list(started)),
        pair("start_p_false", Term::NIL),
        pair("running", Term::list(running)),
        pair("starting", Term::NIL),
    ])
}

fn key(application: &Term, key: &Term) -> Result<(), Fault> {
    atom(application).and_then(|_| atom(key)).map(|_| ())
}

fn get_key(application: &Term, key: &Term) -> Option<Term> {
    let (name, what) = find(application.as_atom()?.as_str())?;
    Some(match key.as_atom()?.as_str() {
        "description" => Term::string(what),
        "vsn" => Term::string(env!("CARGO_PKG_VERSION")),
        "id" | "modules" | "registered" | "included_applications" | "env" | "optional_applications" => {
            Term::NIL
        }
        "applications" => {
            Term::list(["kernel", "stdlib"].into_iter().filter(|_| *name == "trunkline").map(Term::atom))
        }
        "maxP" | "maxT" => Term::atom("infinity"),
        "mod" => Term::NIL,
        "start_phases" => undefined(),
        _ => return None,
    })
}

/// `{error, {Missing, Name}}` of what is not here, `{error, Otherwise}` of what is.
fn not(missing: &str, name: &Term, otherwise: &str) -> Term {
    let known = name.as_atom().and_then(|name| find(name.as_str()));
    error(Term::tuple([Term::atom(if known.is_some() { otherwise } else { missing }), name.clone()]))
}

/// `{error, {"no such file or directory", "name.app"}}`.
fn nofile(name: &Term) -> Term {
    let file = Term::string(&format!("{}.app", name.as_atom().map_or("", |name| name.as_str())));
    error(Term::tuple([Term::string("no such file or directory"), file]))
}

/// The name, or `{application, Name, Keys}`.
fn load(what: &Term) -> Term {
    match what {
        Term::Atom(name) if find(name.as_str()).is_some() => error(pair("already_loaded", what.clone())),
        Term::Atom(_) => nofile(what),
        _ => error(pair("bad_application", what.clone())),
    }
}

fn start(name: &Term) -> Term {
    match name.as_atom().and_then(|name| find(name.as_str())) {
        Some(_) => error(pair("already_started", name.clone())),
        None => nofile(name),
    }
}

fn ensure_started(name: &Term) -> Term {
    match name.as_atom().and_then(|name| find(name.as_str())) {
        Some(_) => Term::atom("ok"),
        None => nofile(name),
    }
}

/// What was started: nothing; or `{error, {Name, Reason}}`.
fn ensure_all_started(what: &Term) -> Answer {
    let names = if let Term::List(_) = what { args::items(what)? } else { vec![what.clone()] };
    for name in names {
        if find(atom(&name)?.as_str()).is_none() {
            let nofile = nofile(&name);
            let reason = nofile.as_tuple().and_then(|pair| pair.get(1).cloned()).unwrap_or(Term::NIL);
            return Ok(error(Term::tuple([name, reason])));
        }
    }
    Ok(ok(Term::NIL))
}
