//! A live `erl` says whether our terms are its terms: bytes, text, order.
//!
//! Without `erl` on the path the tests say so and pass; with `TRUNKLINE_REQUIRE_ERL=1` they fail instead.
//! `TRUNKLINE_SEED` repeats a run, `TRUNKLINE_TERMS` sets how many terms each test makes.

mod erl;
mod make;

use std::cmp::Ordering;

use erl::Erl;
use make::Maker;
use trunkline_term::print::{NodeNumbers, Printer};
use trunkline_term::{Bytes, NodeId, Numbers, Term, compare, decode, encode, equal_by_value, term};

const TERMS: usize = 3000;
const BATCH: usize = 50;

fn seed() -> u64 {
    let seed = std::env::var("TRUNKLINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
    println!("TRUNKLINE_SEED={seed}");
    seed
}

fn batches() -> usize {
    let terms = std::env::var("TRUNKLINE_TERMS").ok().and_then(|terms| terms.parse().ok()).unwrap_or(TERMS);
    terms.div_ceil(BATCH)
}

struct Numbered(Vec<(NodeId, u32)>);

impl NodeNumbers for Numbered {
    fn number(&self, node: &NodeId) -> Option<u32> {
        self.0.iter().find(|(known, _)| known == node).map(|(_, number)| *number)
    }
}

/// The numbers under which `erl` knows the nodes of the maker.
fn numbers(erl: &mut Erl, maker: &Maker) -> Numbered {
    let number = |node: &NodeId| {
        let pid = trunkline_term::Pid { node: node.clone(), id: 1, serial: 0 };
        let reply = erl.ask(&term!({write, [(Term::Pid(pid))]}));
        let text = erl::texts(&reply).remove(0);
        (node.clone(), text[1..text.find('.').unwrap()].parse().unwrap())
    };
    Numbered(maker.nodes.iter().map(number).collect())
}

#[test]
fn terms_go_to_erl_and_come_back_the_same() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    for _ in 0..batches() {
        let terms: Vec<Term> = (0..BATCH).map(|_| maker.term()).collect();
        let reply = erl.ask(&term!({bytes, (Term::list(terms.clone()))}));
        let back: Vec<Term> = reply.as_list().unwrap().iter().collect();
        assert_eq!(back.len(), terms.len());
        for (term, back) in terms.iter().zip(back) {
            let bytes = Bytes::copy_from_slice(back.as_binary().unwrap());
            assert_eq!(&decode(&bytes).unwrap(), term);
        }
        let pairs = terms.iter().map(|term| Term::tuple([term.clone(), Term::Binary(encode(term).into())]));
        assert_eq!(erl.ask(&term!({same, (Term::list(pairs))})), term!(true));
    }
}

#[test]
fn compressed_terms_of_erl_are_read() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    for _ in 0..batches() / 4 {
        let term = Term::list((0..BATCH).map(|_| maker.term()));
        let reply = erl.ask(&term!({compressed, (term.clone())}));
        let bytes = Bytes::copy_from_slice(reply.as_binary().unwrap());
        assert_eq!(bytes[1], 80);
        assert_eq!(decode(&bytes).unwrap(), term);
    }
}

#[test]
fn terms_print_as_erl_prints_them() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    let numbers = numbers(&mut erl, &maker);
    let plain = Printer::new(&numbers);
    for batch in 0..batches() {
        let terms: Vec<Term> =
            (0..BATCH).map(|_| if batch % 2 == 0 { maker.term() } else { maker.wide_term() }).collect();
        let mut compare = |what: &str, print: &dyn Fn(&Term) -> String| {
            let request = Term::tuple([Term::atom(what), Term::list(terms.clone())]);
            for (term, theirs) in terms.iter().zip(erl::texts(&erl.ask(&request))) {
                let ours = print(term);
                let same = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
                let part =
                    |text: &str| text.chars().skip(same.saturating_sub(200)).take(300).collect::<String>();
                assert!(ours == theirs, "{what}\nours:\n{}\ntheirs:\n{}", part(&ours), part(&theirs));
            }
        };
        compare("write", &|term| plain.write(term));
        compare("pretty", &|term| plain.pretty(term));
        compare("pretty_t", &|term| plain.unicode().pretty(term));
        compare("pretty_40", &|term| Printer { line_length: 40, ..plain }.pretty(term));
        compare("pretty_shell", &|term| {
            Printer { line_characters: Some(60), ..plain.unicode() }.pretty(term)
        });
    }
}

#[test]
fn terms_sort_as_erl_sorts_them() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    for _ in 0..batches() {
        let mut terms: Vec<Term> = (0..BATCH / 2).map(|_| maker.term()).collect();
        terms.extend((0..BATCH / 2).map(|_| maker.similar_term()));
        let reply = erl.ask(&term!({sort, (Term::list(terms.clone()))}));
        terms.sort();
        // Not a stable sort: 1 and 1.0 may change places.
        let mut theirs: Vec<Term> = reply.as_list().unwrap().iter().collect();
        for (ours, theirs) in terms.iter().zip(&theirs) {
            assert!(equal_by_value(ours, theirs), "ours:\n{ours:?}\ntheirs:\n{theirs:?}");
        }
        theirs.sort();
        assert_eq!(theirs, terms);

        let pairs = terms.windows(2).map(|pair| Term::tuple([pair[0].clone(), pair[1].clone()]));
        let reply = erl.ask(&term!({equal, (Term::list(pairs))}));
        for (pair, reply) in terms.windows(2).zip(reply.as_list().unwrap()) {
            let exact = compare(&pair[0], &pair[1], Numbers::Exact) == Ordering::Equal;
            let ours = term!({(exact), (equal_by_value(&pair[0], &pair[1]))});
            assert_eq!(ours, reply, "{pair:?}");
        }
    }
}

#[test]
fn text_is_read_as_erl_parse_reads_it() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    let names = trunkline_term::print::Names;
    for _ in 0..batches() {
        let mut texts = Vec::new();
        for _ in 0..BATCH / 2 {
            let term = maker.readable_term();
            texts.push(Printer::new(&names).unicode().pretty(&term));
            texts.push(maker.damaged(&Printer::new(&names).pretty(&term)));
        }
        let request = term!({parse, (Term::list(texts.iter().map(|text| Term::binary(text))))});
        for (text, theirs) in texts.iter().zip(erl.ask(&request).as_list().unwrap()) {
            let ours = match trunkline_term::read::read_term(text) {
                Ok(term) => term!({ok, (term)}),
                Err(_) => term!(error),
            };
            assert_eq!(ours, theirs, "{text}");
        }
    }
}

/// A format made of control sequences of every kind, and arguments that mostly go with it.
fn format_and_arguments(maker: &mut Maker) -> Term {
    let mut format = String::new();
    let mut arguments = Vec::new();
    for _ in 0..1 + maker.below(4) {
        format.push_str(maker.pick(&["", "", "x", "\n", "a\tb", "Ω", "some text that takes room: "]));
        format.push('~');
        let mut number = |maker: &mut Maker, format: &mut String| match maker.below(8) {
            0 => {
                format.push('*');
                arguments.push(Term::Int(maker.below(40) as i64));
            }
            1..=3 => format.push_str(&maker.below(30).to_string()),
            _ => {}
        };
        if maker.below(6) == 0 {
            format.push('-');
        }
        number(maker, &mut format);
        if maker.below(3) == 0 {
            format.push('.');
            number(maker, &mut format);
            if maker.below(3) == 0 {
                format.push('.');
                format.push(maker.pick(&['0', '*', 'x']));
                if format.ends_with('*') {
                    arguments.push(Term::Int(95));
                }
            }
        }
        format.push_str(maker.pick(&["", "", "", "t", "l", "tl"]));
        let control = maker.pick(&[
            'c', 'f', 'e', 'g', 's', 's', 'w', 'p', 'p', 'W', 'P', 'P', 'B', 'X', '#', 'b', 'x', '+', 'n',
            'i', '~', 'z',
        ]);
        format.push(control);
        let argument = match control {
            _ if maker.below(20) == 0 => maker.term(),
            'c' => Term::Int(maker.below(300) as i64),
            'f' | 'e' | 'g' => {
                let ten = 10_f64.powi(maker.below(20) as i32 - 10);
                Term::Float((maker.below(2_000_000) as f64 - 1e6) / 8.0 * ten)
            }
            's' => maker.characters(),
            'B' | 'X' | '#' | 'b' | 'x' | '+' => match maker.below(3) {
                0 => Term::from(
                    trunkline_term::BigInt::from(maker.below(1 << 40) as i64 - (1 << 39)) << maker.below(80),
                ),
                _ => Term::Int(maker.below(100_000) as i64 - 50_000),
            },
            'n' | '~' | 'z' => continue,
            _ => maker.wide_term(),
        };
        arguments.push(argument);
        match control {
            'W' | 'P' => arguments.push(Term::Int(maker.below(15) as i64 - 1)),
            'x' | 'X' if maker.below(2) == 0 => arguments.push(Term::string("0x")),
            'x' | 'X' => arguments.push(Term::atom("p")),
            _ => {}
        }
    }
    if maker.below(30) == 0 {
        arguments.pop();
    }
    Term::tuple([Term::string(&format), Term::list(arguments)])
}

#[test]
fn formats_print_as_erl_prints_them() {
    let Some(mut erl) = Erl::start() else { return };
    let mut maker = Maker::new(seed());
    let numbers = numbers(&mut erl, &maker);
    let formatter = trunkline_term::format::Formatter::new(&numbers);
    let mut refused = 0;
    for _ in 0..batches() {
        let pairs: Vec<Term> = (0..BATCH).map(|_| format_and_arguments(&mut maker)).collect();
        let request = term!({format, (Term::list(pairs.clone()))});
        for (pair, theirs) in pairs.iter().zip(erl.ask(&request).as_list().unwrap()) {
            let [format, arguments] = pair.as_tuple().unwrap() else { unreachable!() };
            let ours = match formatter.format(format, arguments) {
                Ok(text) => Term::binary(&text),
                Err(_) => Term::atom("badarg"),
            };
            refused += usize::from(theirs.is_atom("badarg"));
            let text = |term: &Term| match term.as_binary() {
                Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                None => term.to_string(),
            };
            assert!(ours == theirs, "{pair:?}\nours:\n{}\ntheirs:\n{}", text(&ours), text(&theirs));
        }
    }
    assert!(
        refused < batches() * BATCH / 2,
        "{refused} formats were refused: the maker makes too much nonsense"
    );
}
