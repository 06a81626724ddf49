//! `kernel_sup`: not a supervisor, but who asks for its children is told of the services of this node.

use runtime::{Ctx, Node};
use term::{Map, Pid, Term};

/// Name and module, the youngest first, as OTP lists them.
const CHILDREN: &[(&str, &str)] = &[
    ("logger_proxy", "logger_proxy"),
    ("user", "user"),
    ("error_logger", "error_logger"),
    ("global_group", "global_group"),
    ("net_kernel", "net_kernel"),
    ("auth", "auth"),
    ("erl_epmd", "erl_epmd"),
    ("global_name_server", "global"),
    ("rex", "rpc"),
    ("code_server", "code"),
];

fn alive(node: &Node) -> impl Iterator<Item = (&'static str, &'static str, Pid)> {
    CHILDREN.iter().filter_map(|(name, module)| Some((*name, *module, node.whereis(*name)?)))
}

/// The services that are there.
pub(crate) fn children(node: &Node) -> Vec<Pid> {
    alive(node).map(|(_, _, pid)| pid).collect()
}

/// What a supervisor would answer; a child that is asked to go stays.
pub(super) fn call(ctx: &Ctx, question: &Term) -> Option<Term> {
    let node = ctx.node();
    if question.is_atom("which_children") {
        return Some(Term::list(alive(node).map(|(name, module, pid)| {
            let modules = Term::list([Term::atom(module)]);
            Term::tuple([Term::atom(name), Term::Pid(pid), Term::atom("worker"), modules])
        })));
    }
    if question.is_atom("count_children") {
        let all = alive(node).count() as i64;
        let counts = [("specs", all), ("active", all), ("supervisors", 0), ("workers", all)];
        return Some(Term::list(
            counts.map(|(what, count)| Term::tuple([Term::atom(what), Term::Int(count)])),
        ));
    }
    let [word, id, ..] = question.as_tuple()? else { return None };
    let child = alive(node).find(|(name, _, _)| id.is_atom(name));
    let error = |why: &str| Term::tuple([Term::atom("error"), Term::atom(why)]);
    Some(match (word.as_atom()?.as_str(), child) {
        ("start_child", _) | ("terminate_child", Some(_)) => error("notsup"),
        ("restart_child" | "delete_child", Some(_)) => error("running"),
        ("get_childspec", Some((name, module, _))) => {
            Term::tuple([Term::atom("ok"), specification(name, module)])
        }
        ("restart_child" | "delete_child" | "terminate_child" | "get_childspec", None) => error("not_found"),
        _ => return None,
    })
}

fn specification(name: &str, module: &str) -> Term {
    let start = [Term::atom(module), Term::atom("start_link"), Term::NIL];
    let pairs = [
        ("id", Term::atom(name)),
        ("start", Term::tuple(start)),
        ("restart", Term::atom("permanent")),
        ("significant", Term::atom("false")),
        ("shutdown", Term::Int(2_000)),
        ("type", Term::atom("worker")),
        ("modules", Term::list([Term::atom(module)])),
    ];
    Term::Map(pairs.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
}
