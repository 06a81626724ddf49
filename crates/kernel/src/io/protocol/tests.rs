//! Requests well-formed and not, and what is replied to them.

use term::print::Names;
use term::{NodeId, term};

use super::*;

fn me() -> Pid {
    Pid { node: NodeId::new(Atom::new("me@here"), 1), id: 1, serial: 0 }
}

fn t(text: &str) -> Term {
    term::read::read_term(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// What is written and replied.
fn said(effects: Vec<Effect>) -> (String, Vec<String>) {
    let (mut written, mut replies) = (String::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Write(text) => written.push_str(&text),
            Effect::Reply { reply, .. } => replies.push(format!("{reply:?}")),
            Effect::Apply { function, arguments, .. } => {
                let arguments = Term::list(arguments);
                replies.push(format!("apply {}:{} {arguments:?}", function.0, function.1));
            }
        }
    }
    (written, replies)
}

fn ask(machine: &mut Machine, request: &str) -> (String, Vec<String>) {
    said(machine.request(me(), Term::atom("r"), t(request), &Names))
}

#[test]
fn every_request_is_answered_as_by_group() {
    let cases = [
        ("{put_chars, unicode, [<<\"a\">>, $b, [16#3a9]]}", "abΩ", "ok"),
        ("{put_chars, unicode, <<195, 169>>}", "é", "ok"),
        ("{put_chars, unicode, [<<195>>, <<169>>]}", "é", "ok"),
        ("{put_chars, latin1, <<233>>}", "é", "ok"),
        ("{put_chars, [233]}", "é", "ok"),
        ("{put_chars, unicode, <<233>>}", "", "{error,{put_chars,unicode,<<\"é\">>}}"),
        ("{put_chars, latin1, [937]}", "", "{error,{put_chars,latin1,\"Ω\"}}"),
        ("{put_chars, unicode, abc}", "", "{error,{put_chars,unicode,abc}}"),
        ("{put_chars, unicode, [a | b]}", "", "{error,{put_chars,unicode,[a|b]}}"),
        ("{put_chars, unicode, io_lib, format, [\"~p~n\", [x]]}", "x\n", "ok"),
        ("{put_chars, io_lib, fwrite, [\"~w\", [x]]}", "x", "ok"),
        ("{put_chars, unicode, io_lib, format, [\"~p\", []]}", "", "{error,format}"),
        ("{put_chars, unicode, io_lib, format, x}", "", "{error,request}"),
        ("{put_chars, unicode, mine, text, [1]}", "", "apply mine:text [1]"),
        ("{requests, [{put_chars, unicode, \"a\"}, {put_chars, unicode, \"b\"}]}", "ab", "ok"),
        (
            "{requests, [{put_chars, unicode, \"a\"}, nonsense, {put_chars, unicode, \"b\"}]}",
            "a",
            "{error,request}",
        ),
        ("{requests, [getopts, {requests, [{put_chars, \"c\"}]}]}", "c", "ok"),
        ("{requests, []}", "", "ok"),
        ("{requests, x}", "", "{error,request}"),
        ("{requests, [a | b]}", "", "{error,request}"),
        ("getopts", "", "[{expand_fun,false},{echo,false},{binary,false},{encoding,unicode}]"),
        ("{setopts, [binary, {encoding, latin1}]}", "", "ok"),
        ("getopts", "", "[{expand_fun,false},{echo,false},{binary,true},{encoding,latin1}]"),
        ("{setopts, [list, unicode, {echo, true}]}", "", "ok"),
        ("{setopts, [{no_such, 1}]}", "", "{error,enotsup}"),
        ("{setopts, [{encoding, utf16}]}", "", "{error,enotsup}"),
        ("{setopts, [a | b]}", "", "{error,enotsup}"),
        ("{setopts, x}", "", "{error,request}"),
        ("{get_geometry, columns}", "", "80"),
        ("{get_geometry, rows}", "", "24"),
        ("{get_geometry, depth}", "", "{error,request}"),
        ("{put_ansi, [], []}", "", "{error,request}"),
        ("{get_chars, unicode, '', many}", "", "{error,request}"),
        ("{get_chars, unicode, '', -1}", "", "{error,request}"),
        ("{get_until, unicode, '', 1, 2, []}", "", "{error,request}"),
        ("{get_until, unicode, '', m, f, [x | y]}", "", "{error,request}"),
        ("{get_line}", "", "{error,request}"),
        ("{}", "", "{error,request}"),
        ("17", "", "{error,request}"),
        ("#{}", "", "{error,request}"),
        ("\"text\"", "", "{error,request}"),
    ];
    let mut machine = Machine::new(Some((80, 24)));
    for (request, written, reply) in cases {
        let (text, replies) = ask(&mut machine, request);
        assert_eq!((text.as_str(), replies.join(" ").as_str()), (written, reply), "{request}");
    }
}

#[test]
fn readers_are_served_in_their_order_and_output_does_not_wait_for_them() {
    let mut machine = Machine::new(None);
    assert_eq!(ask(&mut machine, "{get_line, unicode, \"1> \"}"), ("1> ".into(), vec![]));
    assert_eq!(
        ask(&mut machine, "{get_chars, unicode, {format, \"~w> \", [2]}, 3}"),
        (String::new(), vec![])
    );
    assert_eq!(
        ask(&mut machine, "{requests, [{get_line, ''}, {get_line, latin1, p}]}"),
        (String::new(), vec![])
    );
    assert_eq!(ask(&mut machine, "{put_chars, unicode, \"out\"}"), ("out".into(), vec!["ok".into()]));
    assert!(machine.wants_input());
    let first = said(machine.input("one\r\nabc", &Names));
    assert_eq!(first, ("2> ".into(), vec!["\"one\\n\"".into(), "\"abc\"".into()]));
    // The list of requests goes on behind its first line.
    assert_eq!(said(machine.input("x\nΩ\n", &Names)).1, ["{error,{no_translation,unicode,latin1}}"]);
    assert!(!machine.wants_input());
    ask(&mut machine, "{setopts, [binary]}");
    machine.input("bin\nrest", &Names);
    assert_eq!(ask(&mut machine, "{get_line, unicode, ''}").1, ["<<\"bin\\n\">>"]);
    assert_eq!(ask(&mut machine, "{get_line, unicode, ''}").1, [""; 0]);
    assert_eq!(said(machine.end_of_input(Term::atom("eof"), &Names)).1, ["<<\"rest\">>"]);
    assert_eq!(ask(&mut machine, "{get_line, unicode, ''}").1, ["eof"]);
    assert_eq!(ask(&mut machine, "{get_chars, '', 4}").1, ["eof"]);
    machine.input("", &Names);
    ask(&mut machine, "{get_password, unicode}");
    assert!(machine.wants_password());
    assert_eq!(said(machine.interrupt(&Names)).1, ["{error,interrupted}"]);
}

#[test]
fn a_function_reads_line_by_line_until_it_has_enough() {
    let mut machine = Machine::new(None);
    assert_eq!(ask(&mut machine, "{get_until, unicode, \"> \", m, f, [1]}"), ("> ".into(), vec![]));
    let applied = said(machine.input("one\ntwo\n", &Names)).1;
    assert_eq!(applied, ["apply m:f [[],\"one\\n\",1]"]);
    let token = |machine: &Machine| machine.tokens;
    let next = machine.applied(token(&machine), Some(term!({more, [cont]})), &Names);
    assert_eq!(said(next).1, ["apply m:f [[cont],\"two\\n\",1]"]);
    // Another one waits, and gets what is left over.
    ask(&mut machine, "{get_line, unicode, ''}");
    let rest = Term::tuple([Term::atom("done"), t("{ok, 2}"), Term::string("left\n")]);
    assert_eq!(said(machine.applied(token(&machine), Some(rest), &Names)).1, ["{ok,2}", "\"left\\n\""]);
    for answer in [None, Some(t("nonsense")), Some(t("{done, a, {no, text}}"))] {
        ask(&mut machine, "{get_until, unicode, '', m, f, []}");
        machine.input("x\n", &Names);
        assert_eq!(said(machine.applied(token(&machine), answer, &Names)).1, ["{error,f}"]);
    }
    ask(&mut machine, "{get_until, '', m, f, []}");
    assert_eq!(said(machine.end_of_input(Term::atom("eof"), &Names)).1, ["apply m:f [[],eof]"]);
    // A function that wants more than all there is would be asked for ever.
    assert_eq!(said(machine.applied(token(&machine), Some(t("{more, x}")), &Names)).1, ["{error,f}"]);
}

#[test]
fn functions_make_characters_and_nobody_waits_for_them_in_vain() {
    let mut machine = Machine::new(None);
    let cases = [
        (Some(t("[\"ab\", <<\"c\">>]")), "abc", "ok"),
        (Some(t("{no, text}")), "", "{error,f}"),
        (None, "", "{error,f}"),
    ];
    for (value, written, reply) in cases {
        ask(&mut machine, "{put_chars, unicode, m, f, []}");
        let token = machine.tokens;
        assert_eq!(said(machine.applied(token, value, &Names)), (written.into(), vec![reply.into()]));
        assert_eq!(said(machine.applied(token, Some(t("again")), &Names)), (String::new(), vec![]));
    }
}

#[test]
fn what_waits_has_a_ceiling() {
    let mut machine = Machine::new(None);
    for _ in 0..=IO_READERS_MAX {
        assert_eq!(ask(&mut machine, "{get_line, ''}").1, [""; 0]);
    }
    assert_eq!(ask(&mut machine, "{get_line, ''}").1, ["{error,system_limit}"]);
    let all = said(machine.end_of_input(Term::atom("eof"), &Names)).1;
    assert_eq!(all.len(), IO_READERS_MAX + 1);
    let many = Term::list((0..IO_REQUESTS_MAX + 10).map(|_| Term::atom("getopts")));
    let nested =
        Term::tuple([Term::atom("requests"), Term::list([Term::tuple([Term::atom("requests"), many])])]);
    assert_eq!(said(machine.request(me(), Term::NIL, nested, &Names)).1, ["{error,request}"]);
}
