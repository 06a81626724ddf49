//! `maps`.

use runtime::Ctx;
use term::{Map, Term};

use super::erlang::terms::{bad_key, map_of};
use super::{Answer, Fault, Module, args, funs};
use args::{boolean, items, number, tuple};

pub(super) const MODULE: Module = Module {
    name: "maps",
    unfit: "badarg",
    near: &[
        ("new", 0, |_, _| Ok(Term::Map(Map::default()))),
        ("get", 2, |_, a| map_of(&a[1])?.get(&a[0]).cloned().ok_or_else(|| bad_key(&a[0]))),
        ("get", 3, |_, a| Ok(map_of(&a[1])?.get(&a[0]).unwrap_or(&a[2]).clone())),
        ("find", 2, |_, a| Ok(map_of(&a[1])?.get(&a[0]).cloned().map_or(Term::atom("error"), args::ok))),
        ("is_key", 2, |_, a| Ok(boolean(map_of(&a[1])?.get(&a[0]).is_some()))),
        ("size", 1, |_, a| Ok(number(map_of(&a[0])?.len()))),
        ("keys", 1, |_, a| Ok(Term::list(map_of(&a[0])?.pairs().iter().map(|(key, _)| key.clone())))),
        ("values", 1, |_, a| Ok(Term::list(map_of(&a[0])?.pairs().iter().map(|(_, value)| value.clone())))),
        ("to_list", 1, |_, a| Ok(Term::list(map_of(&a[0])?.pairs().iter().cloned().map(row)))),
        ("from_list", 1, |_, a| {
            let pairs = items(&a[0])?;
            let pairs = pairs.iter().map(|pair| match tuple(pair)? {
                [key, value] => Ok((key.clone(), value.clone())),
                _ => Err(Fault::Unfit),
            });
            Ok(Term::Map(pairs.collect::<Result<Map, Fault>>()?))
        }),
        ("from_keys", 2, |_, a| {
            Ok(Term::Map(items(&a[0])?.into_iter().map(|key| (key, a[1].clone())).collect()))
        }),
        ("put", 3, |_, a| changed(&a[2], |map| map.insert(a[0].clone(), a[1].clone()))),
        ("update", 3, |_, a| {
            map_of(&a[2])?.get(&a[0]).ok_or_else(|| bad_key(&a[0]))?;
            changed(&a[2], |map| map.insert(a[0].clone(), a[1].clone()))
        }),
        ("remove", 2, |_, a| changed(&a[1], |map| map.remove(&a[0]))),
        ("take", 2, |_, a| {
            let mut map = map_of(&a[1])?.clone();
            Ok(match map.remove(&a[0]) {
                Some(value) => Term::tuple([value, Term::Map(map)]),
                None => Term::atom("error"),
            })
        }),
        ("merge", 2, |_, a| {
            let (one, other) = (map_of(&a[0])?, map_of(&a[1])?);
            Ok(Term::Map(one.pairs().iter().chain(other.pairs()).cloned().collect()))
        }),
        ("with", 2, |_, a| select(&a[0], &a[1], true)),
        ("without", 2, |_, a| select(&a[0], &a[1], false)),
    ],
    far: &[
        ("map", 2, |ctx, a| Box::pin(map(ctx, a))),
        ("filter", 2, |ctx, a| Box::pin(filter(ctx, a))),
        ("fold", 3, |ctx, a| Box::pin(fold(ctx, a))),
    ],
};

fn row((key, value): (Term, Term)) -> Term {
    Term::tuple([key, value])
}

fn changed<T>(map: &Term, change: impl FnOnce(&mut Map) -> T) -> Answer {
    let mut map = map_of(map)?.clone();
    change(&mut map);
    Ok(Term::Map(map))
}

fn select(keys: &Term, map: &Term, with: bool) -> Answer {
    let (map, keys) = (map_of(map)?, items(keys)?);
    let keys: std::collections::BTreeSet<Term> = keys.into_iter().collect();
    Ok(Term::Map(map.pairs().iter().filter(|(key, _)| keys.contains(key) == with).cloned().collect()))
}

async fn map(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let pairs = map_of(&a[1])?;
    funs::check(&a[0], 2)?;
    let mut made = Vec::new();
    for (key, value) in pairs.pairs() {
        made.push((key.clone(), funs::call(&mut ctx, &a[0], vec![key.clone(), value.clone()]).await?));
    }
    Ok(Term::Map(made.into_iter().collect()))
}

async fn filter(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let pairs = map_of(&a[1])?;
    funs::check(&a[0], 2)?;
    let mut kept = Vec::new();
    for (key, value) in pairs.pairs() {
        let so = funs::call(&mut ctx, &a[0], vec![key.clone(), value.clone()]).await?;
        match args::truth(&so) {
            Ok(true) => kept.push((key.clone(), value.clone())),
            Ok(false) => {}
            Err(_) => return Err(Fault::Error(args::pair("case_clause", so))),
        }
    }
    Ok(Term::Map(kept.into_iter().collect()))
}

async fn fold(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let pairs = map_of(&a[2])?;
    funs::check(&a[0], 3)?;
    let mut value = a[1].clone();
    for (key, here) in pairs.pairs() {
        value = funs::call(&mut ctx, &a[0], vec![key.clone(), here.clone(), value]).await?;
    }
    Ok(value)
}
