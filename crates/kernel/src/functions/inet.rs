//! `inet` and `net`: hosts and addresses.

use std::net::IpAddr;

use term::Term;

use super::net_adm::text;
use super::{Answer, Fault, Module, args};
use crate::names::HostNames;
use args::{error, ok};

pub(super) const INET: Module = Module {
    name: "inet",
    unfit: "function_clause",
    near: &[
        ("gethostname", 0, |_, _| Ok(hostname())),
        ("get_rc", 0, |_, _| Ok(Term::NIL)),
        ("ntoa", 1, |_, a| {
            Ok(ip_of(&a[0]).map_or(error(Term::atom("einval")), |ip| Term::string(&ip.to_string())))
        }),
        ("parse_address", 1, |_, a| parse(&a[0], |_| true)),
        ("parse_strict_address", 1, |_, a| parse(&a[0], |_| true)),
        ("parse_ipv4_address", 1, |_, a| parse(&a[0], IpAddr::is_ipv4)),
        ("parse_ipv6_address", 1, |_, a| parse(&a[0], IpAddr::is_ipv6)),
    ],
    far: &[
        ("getaddr", 2, |_, a| {
            Box::pin(async move {
                let Some(found) = addresses(&a[0], &a[1]).await? else { return Ok(einval()) };
                Ok(found.first().map_or_else(nxdomain, |ip| ok(ip_term(ip))))
            })
        }),
        ("getaddrs", 2, |_, a| {
            Box::pin(async move {
                let Some(found) = addresses(&a[0], &a[1]).await? else { return Ok(einval()) };
                Ok(if found.is_empty() { nxdomain() } else { ok(Term::list(found.iter().map(ip_term))) })
            })
        }),
        ("gethostbyname", 1, |_, a| Box::pin(async move { hostent(&a[0], &Term::atom("inet")).await })),
        ("gethostbyname", 2, |_, a| Box::pin(async move { hostent(&a[0], &a[1]).await })),
    ],
};

pub(super) const NET: Module = Module {
    name: "net",
    unfit: "function_clause",
    near: &[("gethostname", 0, |_, _| Ok(hostname()))],
    far: &[],
};

fn hostname() -> Term {
    ok(Term::string(&HostNames::of_system().short))
}

fn einval() -> Term {
    error(Term::atom("einval"))
}

fn nxdomain() -> Term {
    error(Term::atom("nxdomain"))
}

/// The addresses of a host.
pub(super) async fn resolve(host: &str) -> Vec<IpAddr> {
    if host.is_empty() || host.contains('\0') {
        return Vec::new();
    }
    let found = tokio::net::lookup_host((host, 0)).await;
    let mut found: Vec<IpAddr> = found.map_or(Vec::new(), |found| found.map(|at| at.ip()).collect());
    found.dedup();
    found
}

/// Of a host's name or an address, those of the family `inet` or `inet6`; nothing for another family.
async fn addresses(host: &Term, family: &Term) -> Result<Option<Vec<IpAddr>>, Fault> {
    let wanted: fn(&IpAddr) -> bool = match args::atom(family)?.as_str() {
        "inet" => IpAddr::is_ipv4,
        "inet6" => IpAddr::is_ipv6,
        _ => return Ok(None),
    };
    let found = match ip_of(host) {
        Some(ip) => vec![ip],
        None => resolve(&text(host)?).await,
    };
    Ok(Some(found.into_iter().filter(wanted).collect()))
}

/// `{ok, {hostent, Name, Aliases, Family, Length, Addresses}}`.
async fn hostent(host: &Term, family: &Term) -> Answer {
    let Some(found) = addresses(host, family).await? else { return Ok(einval()) };
    if found.is_empty() {
        return Ok(nxdomain());
    }
    let length = if family.is_atom("inet") { 4 } else { 16 };
    let name = ip_of(host).map_or_else(|| text(host), |ip| Ok(ip.to_string()))?;
    Ok(ok(Term::tuple([
        Term::atom("hostent"),
        Term::string(&name),
        Term::NIL,
        family.clone(),
        Term::Int(length),
        Term::list(found.iter().map(ip_term)),
    ])))
}

fn ip_term(ip: &IpAddr) -> Term {
    Term::Tuple(match ip {
        IpAddr::V4(ip) => ip.octets().iter().map(|part| Term::Int((*part).into())).collect(),
        IpAddr::V6(ip) => ip.segments().iter().map(|part| Term::Int((*part).into())).collect(),
    })
}

/// `{127, 0, 0, 1}`, or eight numbers.
fn ip_of(term: &Term) -> Option<IpAddr> {
    let parts = term.as_tuple()?;
    let part = |part: &Term| u16::try_from(part.as_int()?).ok();
    let parts: Vec<u16> = parts.iter().map(part).collect::<Option<_>>()?;
    if let Ok(segments) = <[u16; 8]>::try_from(&parts[..]) {
        return Some(IpAddr::from(segments));
    }
    let octets: Vec<u8> = parts.into_iter().map(|part| u8::try_from(part).ok()).collect::<Option<_>>()?;
    <[u8; 4]>::try_from(&octets[..]).ok().map(IpAddr::from)
}

fn parse(address: &Term, wanted: fn(&IpAddr) -> bool) -> Answer {
    let ip = args::charlist(address).ok().and_then(|text| text.parse::<IpAddr>().ok()).filter(wanted);
    Ok(ip.map_or(error(Term::atom("einval")), |ip| ok(ip_term(&ip))))
}
