//! `erlang`: hashes and checksums, and what there is of code.

use term::{Export, Term};

use super::super::{Fault, Module, args};
use crate::io::Device;
use args::{atom, boolean, bytes, int, iodata, items};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("phash2", 1, |_, a| Ok(Term::Int((term::phash::phash2(&a[0]) & 0x7ff_ffff).into()))),
        ("phash2", 2, |_, a| Ok(Term::Int(i64::from(term::phash::phash2(&a[0])) % range(&a[1])?))),
        ("phash", 2, |_, a| Ok(Term::Int(1 + i64::from(term::phash::phash(&a[0])) % range(&a[1])?))),
        ("crc32", 2, |_, a| Ok(Term::Int(crc32(word(&a[0])?, &iodata(&a[1])?).into()))),
        ("adler32", 2, |_, a| Ok(Term::Int(adler32(word(&a[0])?, &iodata(&a[1])?).into()))),
        ("iolist_to_iovec", 1, |_, a| {
            let all = iodata(&a[0])?;
            Ok(if all.is_empty() { Term::NIL } else { Term::list([bytes(all)]) })
        }),
        ("term_to_iovec", 2, |_, a| {
            items(&a[1])?;
            Ok(Term::list([bytes(term::encode(&a[0]))]))
        }),
        ("make_fun", 3, |_, a| {
            let arity = u8::try_from(int(&a[2])?).map_err(|_| Fault::Unfit)?;
            let (module, function) = (atom(&a[0])?.clone(), atom(&a[1])?.clone());
            Ok(Term::Export(std::sync::Arc::new(Export { module, function, arity })))
        }),
        ("append", 2, |_, a| Ok(term::List::with_tail(items(&a[0])?, a[1].clone()))),
        ("subtract", 2, |_, a| super::super::lists::subtract(&a[0], &a[1])),
        ("pre_loaded", 0, |_, _| Ok(Term::list([Term::atom("erlang")]))),
        // The modules that something is exported of.
        ("loaded", 0, |ctx, _| {
            let mut names: Vec<_> =
                ctx.node().exports_list().into_iter().map(|(module, ..)| module).collect();
            names.sort();
            names.dedup();
            Ok(Term::list(names.into_iter().map(Term::Atom)))
        }),
        ("module_loaded", 1, |ctx, a| {
            let wanted = atom(&a[0])?;
            Ok(boolean(ctx.node().exports_list().iter().any(|(module, ..)| module == wanted)))
        }),
        // There is no old code where there is one program.
        ("check_old_code", 1, |_, a| atom(&a[0]).map(|_| boolean(false))),
        ("check_process_code", 2, |_, a| {
            args::pid(&a[0])?;
            atom(&a[1]).map(|_| boolean(false))
        }),
        ("system_monitor", 0, |_, _| Ok(args::undefined())),
        ("system_profile", 0, |_, _| Ok(args::undefined())),
    ],
    far: &[("display", 1, |mut ctx, a| {
        Box::pin(async move {
            let shown = format!("{}\n", a[0]);
            // Nobody hears of it where there is no `user`.
            let _ = Device::Name(term::Atom::new("user")).put_chars(&mut ctx, &shown).await;
            Ok(boolean(true))
        })
    })],
};

fn range(term: &Term) -> Result<i64, Fault> {
    int(term).ok().filter(|range| (1..=1 << 32).contains(range)).ok_or(Fault::Unfit)
}

fn word(term: &Term) -> Result<u32, Fault> {
    u32::try_from(int(term)?).map_err(|_| Fault::Unfit)
}

fn crc32(begin: u32, bytes: &[u8]) -> u32 {
    let mut crc = !begin;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

fn adler32(begin: u32, bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (begin & 0xffff, begin >> 16);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    high << 16 | low
}
