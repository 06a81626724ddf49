//! What formats make of their arguments. The oracle tests compare hundreds with a live `erl`.

use super::*;
use crate::print::Names;
use crate::{List, term};

fn format(text: &str, arguments: Term) -> Result<String, FormatError> {
    Formatter::new(&Names).format(&Term::string(text), &arguments)
}

#[test]
fn the_usual_formats_print_as_in_erlang() {
    let cases = [
        ("~w ~p~n", term!([{a, "hi"}, {a, (Term::string("hi"))}]), "{a,<<104,105>>} {a,\"hi\"}\n"),
        ("~s|~ts", term!([(Term::string("x")), "é"]), "x|é"),
        ("~5w|~-5s|~5.10.0B", term!([42, ab, 7]), "   42|ab   |00007"),
        ("~.16B ~.16# ~.16+ ~c~~", term!([255, 255, 255, 65]), "FF 16#FF 16#ff A~"),
        ("~W ~P", term!([[1, 2, 3], 2, {a, b, c}, 3]), "[1|...] {a,b,...}"),
        (
            "~6.2f|~e|~g|~g",
            term!([(3.1459), (1.5), (0.5), (1.0e10)]),
            "  3.15|1.50000e+0|0.500000|1.00000e+10",
        ),
        ("~x~X", term!([255, (Term::string("0x")), (-1), neg]), "0x255-neg1"),
    ];
    for (text, arguments, wanted) in cases {
        assert_eq!(format(text, arguments).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let cases = [
        ("~w", Term::NIL),
        ("", term!([1])),
        ("~", Term::NIL),
        ("~B", term!([x])),
        ("~f", term!([1])),
        ("~s", term!(["Ω", 3])),
        ("~-p", term!([1])),
        ("~z", term!([1])),
        ("~.*w", term!([(-3), 1])),
        ("~tc", term!([(0xd800)])),
        ("~w", Term::atom("no_list")),
        ("~w", List::with_tail(vec![Term::Int(1)], Term::Int(2))),
    ];
    for (text, arguments) in cases {
        assert_eq!(format(text, arguments), Err(FormatError::BadArgument), "{text}");
    }
}

#[test]
fn a_width_from_afar_takes_no_memory() {
    assert_eq!(format("~999999999999999999999c", term!([65])), Err(FormatError::TooLong));
    assert_eq!(format("~*s", term!([(i64::MAX), x])), Err(FormatError::TooLong));
    assert_eq!(format("~.*s", term!([(i64::MIN), x])), Err(FormatError::BadArgument));
    let wide = "~9999999c".repeat(4);
    assert_eq!(format(&wide, term!([65, 65, 65, 65])), Err(FormatError::TooLong));
    let deep = (0..100_000).fold(Term::NIL, |inner, _| Term::list([inner]));
    assert_eq!(format("~s", Term::list([deep])).as_deref(), Ok(""));
}
