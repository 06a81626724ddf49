//! What printed terms look like. The oracle tests compare thousands with a live `erl`.

use super::*;
use crate::term;

struct Own;

impl NodeNumbers for Own {
    fn number(&self, node: &NodeId) -> Option<u32> {
        if node.name() == "me@here" { Some(0) } else { Some(9871) }
    }
}

#[test]
fn identifiers_show_the_number_of_their_node() {
    let pid = |name: &str| crate::Pid { node: NodeId::new(crate::Atom::new(name), 1), id: 84, serial: 0 };
    let printer = Printer::new(&Own);
    assert_eq!(printer.write(&Term::Pid(pid("me@here"))), "<0.84.0>");
    assert_eq!(printer.write(&Term::Pid(pid("you@there"))), "<9871.84.0>");
    assert_eq!(Term::Pid(pid("you@there")).to_string(), "<you@there.84.0>");
    let reference = crate::Ref::new(pid("me@here").node, &[3, 2, 1]).unwrap();
    assert_eq!(printer.write(&Term::Ref(reference)), "#Ref<0.1.2.3>");
    // One of ours carries the numbers of its process, and shows three as those of a BEAM; a peer's is shown as it is.
    let words = [5, 1, 0, 21, 1];
    let own = crate::Ref::new(pid("me@here").node, &words).unwrap();
    assert_eq!(printer.write(&Term::Ref(own)), "#Ref<0.4294967317.1.5>");
    let far = crate::Ref::new(pid("you@there").node, &words).unwrap();
    assert_eq!(printer.write(&Term::Ref(far)), "#Ref<9871.1.21.0.1.5>");
}

#[test]
fn one_line_is_written_as_erlang_writes_it() {
    let text = |term: Term| Printer::new(&Names).write(&term);
    assert_eq!(text(term!({ok, [1, 2 | x], #{a => 1, {} => []}})), "{ok,[1,2|x],#{a => 1,{} => []}}");
    assert_eq!(text(Term::string("ab")), "[97,98]");
    assert_eq!(text(Term::binary("ab")), "<<97,98>>");
    assert_eq!(text(Term::atom("hello world")), "'hello world'");
    assert_eq!(text(Term::atom("Ω")), "'\\x{3A9}'");
    assert_eq!(Term::atom("Ω").to_string(), "'Ω'");
    assert_eq!(
        text(term!([1.0e10, 0.1, 100.0, 0.0001, 0.00001, 1.5e300])),
        "[1.0e10,0.1,100.0,0.0001,1.0e-5,1.5e300]"
    );
}

#[test]
fn a_deep_term_prints_without_recursion() {
    let deep = (0..100_000).fold(Term::NIL, |inner, _| Term::tuple([inner]));
    assert_eq!(deep.to_string().len(), 200_002);
    assert_eq!(Printer::new(&Names).pretty(&deep).len(), 200_002);
    assert_eq!(format!("{deep:?}").len(), 200_002);
}
