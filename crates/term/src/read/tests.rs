//! What the reader takes and refuses. The oracle tests compare it with `erl_parse`.

use super::*;
use crate::term;

#[test]
fn a_config_file_is_read() {
    let text = "%% sys.config\n[{kernel, [{distributed, [{my_app, 5000, ['a@host', {'b@host', 'c@host'}]}]},\n\
                {sync_nodes_timeout, 30_000}]}, % that's it\n {app, #{key => <<\"v\">>, 16#ff => $a}}].\n";
    let expected = term!([
        {kernel, [
            {distributed, [{my_app, 5000, [(crate::Atom::new("a@host")),
                {(crate::Atom::new("b@host")), (crate::Atom::new("c@host"))}]}]},
            {sync_nodes_timeout, 30000}]},
        {app, #{key => "v", 255 => 97}}]);
    assert_eq!(read_terms(text), Ok(vec![expected]));
    assert_eq!(read_terms("a. b.% c.\n{1}."), Ok(vec![term!(a), term!(b), term!({ 1 })]));
    assert_eq!(read_terms(" % nothing\n"), Ok(vec![]));
}

#[test]
fn single_terms_are_read() {
    let read = |text: &str| read_term(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(read("[1,2|x]"), term!([1, 2 | x]));
    assert_eq!(read("\"ab\" \"c\\n\\x{3a9}\\101\""), Term::string("abc\nΩA"));
    assert_eq!(read("<<1,2:4,\"é\"/utf8,-1:4>>"), Term::Binary(vec![1, 0x2c, 0x3a, 0x9f].into()));
    assert_eq!(read("<<5:3>>").to_string(), "<<5:3>>");
    assert_eq!(read("- 9223372036854775808"), Term::Int(i64::MIN));
    assert_eq!(read("fun lists:map/2 .").to_string(), "fun lists:map/2");
    assert_eq!(read("1.5e3"), Term::Float(1500.0));
}

#[test]
fn errors_say_where() {
    let error = |text: &str| read_term(text).unwrap_err().to_string();
    assert_eq!(
        error("{a,\n  end}"),
        "2:3: expected a term, found the word end, which is an atom only in quotes"
    );
    assert_eq!(error("[1,2"), "1:5: expected ',', '|' or ']', found the end of the text");
    assert_eq!(error("{é, Var}"), "1:5: a variable has no value here");
    assert_eq!(error("\"abc"), "1:1: a quote that is never closed");
    for text in
        ["", "1 2", "<0.1.0>", "#Ref<0.1.2.3>", "1.e3", "<<1:99999>>", "17#z", "37#1", "a.b", "{,}", "[|a]"]
    {
        assert!(read_term(text).is_err(), "{text}");
    }
}

#[test]
fn deep_text_is_read_without_recursion() {
    let deep = 100_000;
    let text = format!("{}{}", "{[#{a=>".repeat(deep), "1");
    assert!(read_term(&text).is_err());
    let text = format!("{}1{}", "{".repeat(deep), "}".repeat(deep));
    assert_eq!(read_term(&text).map(|term| term.to_string()), Ok(text));
}
