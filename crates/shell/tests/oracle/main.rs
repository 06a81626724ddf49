//! Against the live erl: the same source gives the same trees, values and errors.

mod erl;
mod make;

use trunkline_shell as shell;

use shell::session::Trouble;
use shell::{Alone, NodeWorld, Session, Vm, World, lexer, parser};
use trunkline::term::print::Printer;
use trunkline::term::{NodeId, Term};

struct Zero;

impl trunkline::term::print::NodeNumbers for Zero {
    fn number(&self, _: &NodeId) -> Option<u32> {
        Some(0)
    }
}

fn corpus() -> Vec<String> {
    let all = include_str!("corpus.txt");
    all.lines().filter(|line| !line.is_empty() && !line.starts_with('%')).map(str::to_owned).collect()
}

/// The library's own corpora, one for each of its fields.
fn library() -> Vec<String> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut files: Vec<_> =
        std::fs::read_dir(&here).expect("the corpora").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let name = std::env::var("TRUNKLINE_CORPUS").unwrap_or_else(|_| "library_".to_owned());
    files.retain(|file| file.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name)));
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("a corpus"));
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| !line.is_empty() && !line.starts_with('%')).collect()
}

fn shown(term: &Term) -> String {
    let printer = Printer::new(&Zero).unicode();
    Printer { line_length: 0, ..printer }.pretty(term)
}

/// What we make of a line, in the words of `oracle.erl`.
async fn evaluated(vm: &std::sync::Arc<Vm>, line: &str, world: &mut dyn World) -> String {
    let tokens = match lexer::tokens(line, lexer::Loc::new(1, 1)) {
        Ok(tokens) => tokens,
        Err(error) => return format!("refused {error}"),
    };
    let body = match parser::exprs(&tokens) {
        Ok(body) => body,
        Err(error) => return format!("refused {error}"),
    };
    let mut session = Session::new(vm.clone());
    match session.evaluate(&body, world).await {
        Ok(value) => format!("value {}", shown(&value)),
        Err(Trouble::Refused(what)) => format!("refused {what}"),
        Err(Trouble::Raised(raise)) => format!("{} {}", raise.class.as_str(), shown(&raise.reason)),
        Err(Trouble::Ends(end)) => format!("ends {end:?}"),
    }
}

/// Local functions are commands in a shell, and undefined to `erl_eval`; the calls of a trace are each one's own.
fn same(theirs: &str, ours: &str) -> bool {
    let bare = |text: &str| match text.find("'EXIT'") {
        Some(at) => text[..at + text[at..].find(",[").unwrap_or(text.len() - at)].to_owned(),
        None => text.to_owned(),
    };
    bare(theirs) == bare(ours) || theirs == "error undef" && ours.starts_with("error {shell_undef,")
}

async fn compare(lines: Vec<String>, allowed: usize) {
    let Some(answers) = erl::ask("run", &lines) else { return };
    assert_eq!(answers.len(), lines.len());
    let vm = Vm::new();
    let mut wrong = 0;
    for (line, theirs) in lines.iter().zip(&answers) {
        let ours = evaluated(&vm, line, &mut Alone::default()).await;
        if !same(theirs, &ours) {
            wrong += 1;
            eprintln!("{line}\n    erl:  {theirs}\n    ours: {ours}");
        }
    }
    assert!(wrong <= allowed, "{wrong} of {} differ", lines.len());
}

#[tokio::test]
async fn the_corpus_gives_the_same_values_and_errors() {
    compare(corpus(), 0).await;
}

/// `TRUNKLINE_CORPUS=library_ets` takes one of them.
#[tokio::test]
async fn the_library_gives_the_same_values_and_errors() {
    let lines = library();
    let place = |side: &str| {
        let place = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("library-{side}"));
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).expect("a directory of our own");
        place.to_string_lossy().into_owned()
    };
    let (there, here) = (place("theirs"), place("ours"));
    let put = |dir: &str| lines.iter().map(|line| line.replace("$DIR", dir)).collect::<Vec<_>>();
    let Some(answers) = erl::ask("run", &put(&there)) else { return };
    assert_eq!(answers.len(), lines.len());
    // Each line in a process of its own, as the oracle has it.
    let (node, vm) = (trunkline::Builder::default().alone(), Vm::new());
    shell::node::export_funs(&node, &vm);
    let mut wrong = 0;
    for (line, theirs) in put(&here).iter().zip(&answers) {
        let (shared, text) = (vm.clone(), line.clone());
        let ours = node.run(move |ctx| async move {
            let mut world = NodeWorld::new(ctx, shared.clone());
            evaluated(&shared, &text, &mut world).await
        });
        let ours = tokio::time::timeout(std::time::Duration::from_secs(10), ours).await;
        let ours = ours.unwrap_or_else(|_| "late".to_owned());
        if !same(&theirs.replace(&there, "$DIR"), &ours.replace(&here, "$DIR")) {
            wrong += 1;
            eprintln!("{line}\n    erl:  {theirs}\n    ours: {ours}");
        }
    }
    assert_eq!(wrong, 0, "of {} differ", lines.len());
}

#[tokio::test]
async fn generated_expressions_give_the_same_values_and_errors() {
    let seed = std::env::var("TRUNKLINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(25);
    eprintln!("TRUNKLINE_SEED={seed}");
    compare(make::expressions(seed, 5000), 0).await;
}

#[test]
fn the_trees_are_the_same_and_survive_the_way_to_a_term_and_back() {
    let mut lines = corpus();
    lines.extend(make::expressions(26, 2000));
    let Some(answers) = erl::ask("parse", &lines) else { return };
    let mut wrong = 0;
    for (line, theirs) in lines.iter().zip(&answers) {
        let theirs = trunkline::term::decode(&base64(theirs).into()).expect("a term");
        let ours = match lexer::tokens(line, lexer::Loc::new(1, 1)) {
            Ok(tokens) => parser::exprs(&tokens).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let matches = match (theirs.as_tuple().expect("a pair"), &ours) {
            ([ok, trees], Ok(body)) if ok.is_atom("ok") => {
                let written = shell::abstract_form::write_exprs(body);
                let read = shell::abstract_form::read_exprs(&written).expect("our own");
                written == *trees && read == *body
            }
            ([error, _], Err(_)) => error.is_atom("error"),
            _ => false,
        };
        if !matches {
            wrong += 1;
            let ours = ours.map(|body| shell::abstract_form::write_exprs(&body));
            eprintln!("{line}\n    erl:  {theirs}\n    ours: {ours:?}");
        }
    }
    assert_eq!(wrong, 0, "of {}", lines.len());
}

fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0u32, |bits, c| bits << 6 | u32::from(value(*c)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
