//! `lists`: functions that call a fun for one element after the other, and stop where they know enough.

use runtime::Ctx;
use term::Term;

use super::funs::{call, check};
use super::{Answer, Fault, Module, args};
use args::{boolean, items};

pub(super) const MODULE: Module = Module {
    name: "lists",
    unfit: "function_clause",
    near: &[],
    far: &[
        ("sort", 2, |ctx, a| Box::pin(sort(ctx, a))),
        ("flatmap", 2, |mut ctx, a| {
            Box::pin(async move {
                check(&a[0], 1)?;
                let mut all = Vec::new();
                for item in items(&a[1])? {
                    all.extend(items(&call(&mut ctx, &a[0], vec![item]).await?)?);
                }
                Ok(Term::list(all))
            })
        }),
        ("search", 2, |mut ctx, a| {
            Box::pin(async move {
                let (at, all) = first(&mut ctx, &a, true).await?;
                let found = all.get(at).map(|item| args::pair("value", item.clone()));
                Ok(found.unwrap_or_else(|| boolean(false)))
            })
        }),
        ("takewhile", 2, |mut ctx, a| {
            Box::pin(async move {
                let (at, all) = first(&mut ctx, &a, false).await?;
                Ok(Term::list(all[..at].iter().cloned()))
            })
        }),
        ("dropwhile", 2, |mut ctx, a| {
            Box::pin(async move {
                let (at, all) = first(&mut ctx, &a, false).await?;
                Ok(Term::list(all[at..].iter().cloned()))
            })
        }),
        ("splitwith", 2, |mut ctx, a| {
            Box::pin(async move {
                let (at, all) = first(&mut ctx, &a, false).await?;
                let part = |part: &[Term]| Term::list(part.iter().cloned());
                Ok(Term::tuple([part(&all[..at]), part(&all[at..])]))
            })
        }),
    ],
};

/// The first element of which the fun says this, and all of them.
async fn first(ctx: &mut Ctx, a: &[Term], wanted: bool) -> Result<(usize, Vec<Term>), Fault> {
    check(&a[0], 1)?;
    let all = items(&a[1])?;
    for (at, item) in all.iter().enumerate() {
        let said = call(ctx, &a[0], vec![item.clone()]).await?;
        match args::truth(&said) {
            Ok(so) if so == wanted => return Ok((at, all)),
            Ok(_) => {}
            Err(_) => return Err(Fault::Error(args::pair("case_clause", said))),
        }
    }
    Ok((all.len(), all))
}

/// A merge sort, from short runs to long ones: the fun says whether its first argument may stand before the second.
async fn sort(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    check(&a[0], 2)?;
    let mut runs: Vec<Vec<Term>> = items(&a[1])?.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::new();
        let mut rest = runs.into_iter();
        while let Some(one) = rest.next() {
            merged.push(match rest.next() {
                Some(two) => merge(&mut ctx, &a[0], one, two).await?,
                None => one,
            });
        }
        runs = merged;
    }
    Ok(Term::list(runs.pop().unwrap_or_default()))
}

async fn merge(ctx: &mut Ctx, fun: &Term, one: Vec<Term>, two: Vec<Term>) -> Result<Vec<Term>, Fault> {
    let mut all = Vec::with_capacity(one.len() + two.len());
    let (mut one, mut two) = (one.into_iter().peekable(), two.into_iter().peekable());
    while let (Some(left), Some(right)) = (one.peek(), two.peek()) {
        let said = call(ctx, fun, vec![left.clone(), right.clone()]).await?;
        all.extend(if said.is_atom("true") { one.next() } else { two.next() });
    }
    all.extend(one);
    all.extend(two);
    Ok(all)
}
