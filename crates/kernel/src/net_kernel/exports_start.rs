//! `net_kernel:start/1,2`: what Erlang code may say, and what it is told.

use std::time::Duration;

use runtime::Ctx;
use term::{Map, Term, term};

use super::exports::{Outcome, Running, clause};
use super::life::{Options, start};
use crate::builder::StartError;

/// `[Name]`, `[Name, NameDomain]`, `[Name, NameDomain, TickMillis]`.
pub(super) fn start_1(ctx: Ctx, arguments: Vec<Term>) -> Running {
    Box::pin(async move {
        let list = arguments[0].as_list().filter(|list| list.improper_tail().is_none()).ok_or_else(clause)?;
        let items: Vec<Term> = list.iter().collect();
        let (name, domain, millis) = match &items[..] {
            [name] => (name, Term::atom("longnames"), 15_000),
            [name, domain] => (name, domain.clone(), 15_000),
            [name, domain, Term::Int(millis @ 1..)] => (name, domain.clone(), *millis),
            _ => return Err(clause()),
        };
        if name.as_atom().is_none() || domain.as_atom().is_none() {
            return Err(clause());
        }
        let seconds = (millis.saturating_mul(4) - 1) / 1000 + 1;
        let options = term!(#{name_domain => (domain), net_ticktime => (seconds), net_tickintensity => 4});
        begin(ctx, name, &options).await
    })
}

/// A name and a map of options.
pub(super) fn start_2(ctx: Ctx, arguments: Vec<Term>) -> Running {
    Box::pin(async move { begin(ctx, &arguments[0], &arguments[1]).await })
}

async fn begin(ctx: Ctx, name: &Term, options: &Term) -> Outcome {
    let Term::Map(map) = options else { return Err(Term::atom("invalid_options")) };
    let Term::Atom(word) = name else { return Err(Term::atom("invalid_name")) };
    let chosen = read(word.as_str(), map)?;
    Ok(match start(ctx.node(), chosen).await {
        Ok(pid) => term!({ok, (pid)}),
        Err(StartError::AlreadyStarted(pid)) => term!({error, {already_started, (pid)}}),
        Err(why) => {
            tracing::error!("the node was not given the name {word}: {why}");
            failed(name, map)
        }
    })
}

fn read(name: &str, map: &Map) -> Result<Options, Term> {
    // Long names unless something else is said, as in OTP.
    let mut options = Options::new(name).long_names();
    for (key, value) in map.pairs() {
        let number = || value.as_int().and_then(|number| u32::try_from(number).ok());
        let flag = || match value.as_atom()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        let given = options.clone();
        let taken = match key.as_atom().map_or("", |key| key.as_str()) {
            "name_domain" if value.is_atom("shortnames") => Some(given.short_names()),
            "name_domain" if value.is_atom("longnames") => Some(given.long_names()),
            "net_ticktime" => number()
                .filter(|seconds| *seconds > 0)
                .map(|seconds| given.net_ticktime(Duration::from_secs(seconds.into()))),
            "net_tickintensity" => number()
                .filter(|ticks| (4..=1000).contains(ticks))
                .map(|ticks| given.net_tickintensity(ticks)),
            "dist_listen" => flag().map(|listen| given.dist_listen(listen)),
            "hidden" => flag().map(|hidden| given.hidden(hidden)),
            _ => None,
        };
        let invalid = || term!({invalid_option, (key.clone()), (value.clone())});
        options = taken.ok_or_else(invalid)?;
    }
    Ok(options)
}

/// What OTP's supervisor says of a net_kernel that does not come up.
fn failed(name: &Term, options: &Map) -> Term {
    let mut pairs: Vec<(Term, Term)> = options.pairs().to_vec();
    pairs.push((Term::atom("name"), name.clone()));
    pairs.push((Term::atom("clean_halt"), Term::atom("false")));
    pairs.push((Term::atom("supervisor"), Term::atom("net_sup_dynamic")));
    let options = Term::Map(pairs.into_iter().collect::<Map>());
    term!({error, {
        {shutdown, {failed_to_start_child, net_kernel, {(Term::atom("EXIT")), nodistribution}}},
        {child, undefined, net_sup_dynamic, {erl_distribution, start_link, [(options)]},
            permanent, false, 1000, supervisor, [erl_distribution]}
    }})
}
