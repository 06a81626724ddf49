//! What releases after the oracle's have: map comprehensions, strict and zipped generators, sigils, triple quotes.

use trunkline_shell as shell;

use shell::session::Trouble;
use shell::{Alone, Session, Vm, lexer, parser};

#[tokio::test]
async fn the_language_of_later_releases_is_understood() {
    let told = [
        ("#{K => V * 2 || K := V <- #{a => 1, b => 2}}.", "#{a => 2,b => 4}"),
        ("#{X => X * X || X <- [1,2,3], X =/= 2}.", "#{1 => 1,3 => 9}"),
        ("[{K, V} || K := V <- #{a => 1}].", "[{a,1}]"),
        ("[K || K := V <- maps:iterator(#{a => 1, b => 2}), V > 1].", "[b]"),
        ("[K || K := 1 <- #{a => 1, b => 2}].", "[a]"),
        ("[X || X := _ <- [a]].", "error {bad_generator,[a]}"),
        ("[X || {X} <:- [{1},{2}]].", "[1,2]"),
        ("[X || {X} <:- [{1},2]].", "error {badmatch,2}"),
        ("[X || <<X:8>> <:= <<1,2>>].", "[1,2]"),
        ("[X || <<X:8>> <:= <<1,2:4>>].", "error {badmatch,<<2:4>>}"),
        ("[X || X := 1 <:- #{a => 2}].", "error {badmatch,{a,2}}"),
        ("[{X, Y} || X <- [1,2] && Y <- [a,b]].", "[{1,a},{2,b}]"),
        ("[{X + Y + Z} || X <- [1,2] && <<Y>> <= <<3,4>> && Z := _ <- #{5 => x, 6 => y}].", "[{9},{12}]"),
        ("[{X, Y} || X <- [1,2] && Y <- [a]].", "error {bad_generators,{[2],[]}}"),
        ("<< <<K, V>> || K := V <- #{1 => 2} >>.", "<<1,2>>"),
        ("~\"abå\" =:= <<\"abå\"/utf8>>.", "true"),
        ("~s\"a\\tb\".", "\"a\\tb\""),
        ("~S[a\\b] =:= \"a\\\\b\".", "true"),
        ("~B{a\"b} =:= <<\"a\\\"b\">>.", "true"),
        ("\"\"\"\n  one\n    two\n  \"\"\".", "\"one\\n  two\""),
        ("\"\"\"\"\n\"\"\"\n\"\"\"\".", "\"\\\"\\\"\\\"\""),
        ("~\"\"\"\n x\n \"\"\".", "<<\"x\">>"),
        ("maybe {ok, A} ?= {ok, 1}, {ok, B} ?= {error, A}, B else {error, E} -> {bad, E} end.", "{bad,1}"),
        ("\"\"\"\n x\n  \"\"\".", "refused 2:1: bad indentation in triple-quoted string"),
    ];
    let vm = Vm::new();
    for (line, wanted) in told {
        let mut session = Session::new(vm.clone());
        let mut world = Alone::default();
        let tokens = match lexer::tokens(line, lexer::Loc::new(1, 1)) {
            Ok(tokens) => tokens,
            Err(error) => {
                assert_eq!(format!("refused {error}"), wanted, "{line}");
                continue;
            }
        };
        let body = parser::exprs(&tokens).unwrap_or_else(|error| panic!("{line}: {error}"));
        let written = shell::abstract_form::write_exprs(&body);
        assert_eq!(shell::abstract_form::read_exprs(&written).unwrap(), body, "{line}");
        let said = match session.evaluate(&body, &mut world).await {
            Ok(value) => session.show(&value, &world),
            Err(Trouble::Raised(raise)) => format!("{} {}", raise.class.as_str(), raise.reason),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(said, wanted, "{line}");
    }
}
