//! `ets`: there are no tables here.

use term::Term;

use super::{Answer, Fault, Module, args};
use args::{atom, undefined};

pub(super) const MODULE: Module = Module {
    name: "ets",
    unfit: "badarg",
    near: &[
        ("all", 0, |_, _| Ok(Term::NIL)),
        ("i", 0, |_, _| Ok(Term::atom("ok"))),
        ("info", 1, |_, a| table(&a[0]).map(|()| undefined())),
        ("info", 2, |_, a| table(&a[0]).and_then(|()| atom(&a[1])).map(|_| undefined())),
        ("whereis", 1, |_, a| atom(&a[0]).map(|_| undefined())),
        ("new", 2, |_, a| atom(&a[0]).and_then(|_| args::fail("notsup"))),
        ("lookup", 2, none),
        ("lookup_element", 3, none),
        ("member", 2, none),
        ("insert", 2, none),
        ("insert_new", 2, none),
        ("delete", 1, none),
        ("delete", 2, none),
        ("delete_object", 2, none),
        ("delete_all_objects", 1, none),
        ("tab2list", 1, none),
        ("first", 1, none),
        ("last", 1, none),
        ("next", 2, none),
        ("prev", 2, none),
        ("match", 2, none),
        ("match_object", 2, none),
        ("select", 2, none),
        ("select", 3, none),
        ("select_count", 2, none),
        ("update_counter", 3, none),
    ],
    far: &[],
};

fn table(term: &Term) -> Result<(), Fault> {
    if let Term::Atom(_) | Term::Ref(_) = term { Ok(()) } else { Err(Fault::Unfit) }
}

/// Of a table that is not there everything is `badarg`.
fn none(_: &mut runtime::Ctx, _: &[Term]) -> Answer {
    Err(Fault::Unfit)
}
