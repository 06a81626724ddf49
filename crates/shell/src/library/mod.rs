//! The library: functions by module, name and arity, in Rust where that pays, in Erlang where that is shorter.
//!
//! To add a function: a line in the table of its module, or a clause in its `erl/*.erl`.

mod args;
mod binary;
mod bits_text;
mod cells;
mod code;
mod convert;
mod erlang;
mod ets;
mod eval;
mod files;
mod graphemes;
mod identifiers;
mod io;
mod lists;
mod maps;
mod math;
mod names;
mod process;
mod re;
mod reports;
mod scan;
mod scan_on;
mod sha;
mod shelf;
mod string;
mod sums;
mod system;
mod types;
mod unicode;

use std::collections::BTreeMap;

/// The text of a header that applications of OTP bring along.
pub(crate) fn header(name: &str) -> Option<&'static str> {
    (name == "kernel/include/logger.hrl").then_some(include_str!("erl/logger.hrl"))
}

pub(crate) use args::{iodata, keyfind, text};
pub(crate) use bits_text::chars;
pub(crate) use cells::Cells;
pub(crate) use ets::Tables;
pub use eval::Shape;
pub(crate) use files::Files;
pub(crate) use names::is_auto_imported;
pub(crate) use system::System;
use trunkline::Atom;

use crate::machine::code::{Native, PureFn};

/// A row of a table: name, arity, function.
pub(crate) type Row = (&'static str, u8, Native);

/// What is written in Erlang.
const SOURCES: &[(&str, &str)] = &[
    ("erlang", include_str!("erl/erlang.erl")),
    ("lists", include_str!("erl/lists.erl")),
    ("maps", include_str!("erl/maps.erl")),
    ("proplists", include_str!("erl/proplists.erl")),
    ("queue", include_str!("erl/queue.erl")),
    ("ordsets", include_str!("erl/ordsets.erl")),
    ("orddict", include_str!("erl/orddict.erl")),
    ("sets", include_str!("erl/sets.erl")),
    ("dict", include_str!("erl/dict.erl")),
    ("string", include_str!("erl/string.erl")),
    ("binary", include_str!("erl/binary.erl")),
    ("timer", include_str!("erl/timer.erl")),
    ("calendar", include_str!("erl/calendar.erl")),
    ("erl_anno", include_str!("erl/erl_anno.erl")),
    ("erl_eval", include_str!("erl/erl_eval.erl")),
    ("erl_internal", include_str!("erl/erl_internal.erl")),
    ("erl_scan", include_str!("erl/erl_scan.erl")),
    ("rpc", include_str!("erl/rpc.erl")),
    ("erpc", include_str!("erl/erpc.erl")),
    ("c", include_str!("erl/c.erl")),
    ("proc_lib", include_str!("erl/proc_lib.erl")),
    ("gen", include_str!("erl/gen.erl")),
    ("sys", include_str!("erl/sys.erl")),
    ("gen_server", include_str!("erl/gen_server.erl")),
    ("supervisor", include_str!("erl/supervisor.erl")),
    ("gen_statem", include_str!("erl/gen_statem.erl")),
    ("gen_event", include_str!("erl/gen_event.erl")),
    ("logger", include_str!("erl/logger.erl")),
    ("error_logger", include_str!("erl/error_logger.erl")),
];

/// The functions there are.
pub(crate) struct Library {
    natives: BTreeMap<Atom, BTreeMap<(Atom, u8), Native>>,
    sources: BTreeMap<Atom, &'static str>,
    /// For expressions that know no records and import nothing.
    pub(crate) no_records: crate::compile::Records,
    pub(crate) no_imports: BTreeMap<(Atom, usize), Atom>,
}

impl Library {
    /// All of it.
    pub(crate) fn standard() -> Library {
        let tables: &[(&str, &[&[Row]])] = &[
            (
                "erlang",
                &[
                    types::TABLE,
                    erlang::TABLE,
                    erlang::OPERATORS,
                    convert::TABLE,
                    process::TABLE,
                    sums::TABLE,
                    identifiers::TABLE,
                ],
            ),
            ("lists", &[lists::TABLE]),
            ("maps", &[maps::TABLE]),
            ("math", &[math::TABLE]),
            ("binary", &[binary::TABLE]),
            ("unicode", &[unicode::UNICODE]),
            ("string", &[string::TABLE]),
            ("io_lib", &[io::IO_LIB]),
            ("io", &[io::IO]),
            ("erl_scan", &[scan::SCAN]),
            ("erl_parse", &[scan::PARSE]),
            ("os", &[process::OS]),
            ("erl_eval", &[eval::TABLE]),
            ("re", &[re::TABLE]),
        ];
        let mut natives: BTreeMap<Atom, BTreeMap<(Atom, u8), Native>> = BTreeMap::new();
        for (module, rows) in tables.iter().chain(shelf::NATIVES) {
            let module = natives.entry(Atom::new(module)).or_default();
            for (name, arity, native) in rows.iter().copied().flatten() {
                module.insert((Atom::new(name), *arity), *native);
            }
        }
        for (module, rows) in [
            ("timer", process::TIMER),
            ("code", code::TABLE),
            ("erl_error", reports::TABLE),
            ("erl_internal", names::TABLE),
        ] {
            let module = natives.entry(Atom::new(module)).or_default();
            for (name, arity, native) in rows {
                module.insert((Atom::new(name), *arity), *native);
            }
        }
        let sources = SOURCES.iter().chain(shelf::SOURCES).map(|(name, source)| (Atom::new(name), *source));
        Library {
            natives,
            sources: sources.collect(),
            no_records: BTreeMap::new(),
            no_imports: BTreeMap::new(),
        }
    }

    pub(crate) fn native(&self, module: &Atom, function: &Atom, arity: u8) -> Option<Native> {
        self.natives.get(module)?.get(&(function.clone(), arity)).copied()
    }

    pub(crate) fn pure(&self, module: &Atom, function: &Atom, arity: u8) -> Option<PureFn> {
        match self.native(module, function, arity)? {
            Native::Pure(f) => Some(f),
            _ => None,
        }
    }

    pub(crate) fn source(&self, module: &Atom) -> Option<&'static str> {
        self.sources.get(module).copied()
    }

    /// Whether a module belongs to the library.
    pub(crate) fn has(&self, module: &Atom) -> bool {
        self.natives.contains_key(module) || self.sources.contains_key(module)
    }

    /// The modules of the library.
    pub(crate) fn modules(&self) -> Vec<Atom> {
        let mut all: Vec<Atom> = self.natives.keys().chain(self.sources.keys()).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    pub(crate) fn functions(&self, module: &Atom) -> Vec<(Atom, u8)> {
        self.natives.get(module).map(|table| table.keys().cloned().collect()).unwrap_or_default()
    }
}

/// The function behind an operator.
pub(crate) fn operator(op: &str, arity: usize) -> Option<PureFn> {
    row(erlang::OPERATORS, op, arity)
}

/// A function that may stand in a guard.
pub(crate) fn guard_bif(name: &str, arity: usize) -> Option<PureFn> {
    row(types::TABLE, name, arity)
}

fn row(table: &[Row], name: &str, arity: usize) -> Option<PureFn> {
    let (.., native) = table.iter().find(|(this, count, _)| *this == name && usize::from(*count) == arity)?;
    match native {
        Native::Pure(f) => Some(*f),
        _ => None,
    }
}
