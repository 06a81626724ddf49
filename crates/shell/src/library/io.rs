//! `io_lib` and `io`: text from formats.

use trunkline::term::Term;
use trunkline::term::format::Formatter;
use trunkline::term::print::Printer;

use super::Row;
use super::args::boolean;
use super::convert::string;
use crate::machine::Wait;
use crate::machine::code::After;
use crate::machine::code::Native::{Process, Pure, Step};
use crate::raise::{Raise, Result};
use crate::world::World;

pub(super) const IO_LIB: &[Row] = &[
    ("format", 1, Process(|world, a| text(world, &a[0], &Term::NIL).map(|text| string(&text)))),
    ("format", 2, Process(|world, a| text(world, &a[0], &a[1]).map(|text| string(&text)))),
    ("fwrite", 1, Process(|world, a| text(world, &a[0], &Term::NIL).map(|text| string(&text)))),
    ("fwrite", 2, Process(|world, a| text(world, &a[0], &a[1]).map(|text| string(&text)))),
    ("print", 1, Process(|world, a| Ok(string(&Printer::new(world.numbers()).pretty(&a[0]))))),
    ("write", 1, Process(|world, a| Ok(string(&Printer::new(world.numbers()).write(&a[0]))))),
    ("write_atom", 1, Pure(|a| Ok(string(&crate::lexer::write_atom(super::args::atom(&a[0])?.as_str()))))),
    (
        "write_string",
        1,
        Pure(|a| {
            let chars: Vec<u32> = super::args::text(&a[0])?.chars().map(|c| c as u32).collect();
            Ok(string(&crate::lexer::write_string(&chars, '"')))
        }),
    ),
    ("nl", 0, Pure(|_| Ok(string("\n")))),
    ("char_list", 1, Pure(|a| Ok(boolean(super::args::text(&a[0]).is_ok())))),
    ("printable_list", 1, Pure(|a| Ok(boolean(printable(&a[0], 255))))),
    ("printable_unicode_list", 1, Pure(|a| Ok(boolean(printable(&a[0], 0x10_ffff))))),
    ("printable_latin1_list", 1, Pure(|a| Ok(boolean(printable(&a[0], 255))))),
    (
        "latin1_char_list",
        1,
        Pure(|a| {
            Ok(boolean(super::args::text(&a[0]).is_ok_and(|text| text.chars().all(|c| (c as u32) < 256))))
        }),
    ),
];

pub(super) const IO: &[Row] = &[
    ("format", 1, Step(|_, world, a| write(text(world, &a[0], &Term::NIL)?, None))),
    ("format", 2, Step(|_, world, a| write(text(world, &a[0], &a[1])?, None))),
    ("format", 3, Step(|_, world, a| write(text(world, &a[1], &a[2])?, Some(a[0].clone())))),
    ("fwrite", 1, Step(|_, world, a| write(text(world, &a[0], &Term::NIL)?, None))),
    ("fwrite", 2, Step(|_, world, a| write(text(world, &a[0], &a[1])?, None))),
    ("fwrite", 3, Step(|_, world, a| write(text(world, &a[1], &a[2])?, Some(a[0].clone())))),
    ("put_chars", 1, Step(|_, _, a| write(chars(&a[0])?, None))),
    ("put_chars", 2, Step(|_, _, a| write(chars(&a[1])?, Some(a[0].clone())))),
    ("nl", 0, Step(|_, _, _| write("\n".to_owned(), None))),
    ("nl", 1, Step(|_, _, a| write("\n".to_owned(), Some(a[0].clone())))),
    ("write", 1, Step(|_, world, a| write(Printer::new(world.numbers()).write(&a[0]), None))),
    ("write", 2, Step(|_, world, a| write(Printer::new(world.numbers()).write(&a[1]), Some(a[0].clone())))),
];

fn text(world: &mut dyn World, format: &Term, arguments: &Term) -> Result<String> {
    let formatted = Formatter::new(world.numbers()).format(format, arguments);
    formatted.map_err(|_| Raise::badarg())
}

fn chars(term: &Term) -> Result<String> {
    super::bits_text::chars(term).ok_or_else(Raise::badarg)
}

fn write(text: String, device: Option<Term>) -> Result<After> {
    Ok(After::Wait(Wait::Write(device, text)))
}

fn printable(term: &Term, top: u32) -> bool {
    super::args::text(term).is_ok_and(|text| {
        text.chars().all(|c| match c as u32 {
            8..=13 | 27 | 32..=126 => true,
            c => (0xa0..=top).contains(&c),
        })
    })
}
