//! Nodes whose ports are known beforehand: no EPMD, nobody to ask.

use std::collections::BTreeMap;

use carrier::{Address, BoxFuture};

use super::{Discovery, DiscoveryError, Registered, Registration};
use crate::names::split;

/// A fixed list of nodes and their addresses.
#[derive(Clone, Debug, Default)]
pub struct List(BTreeMap<String, Address>);

impl List {
    /// The nodes of this list: full names and addresses.
    pub fn new(nodes: impl IntoIterator<Item = (impl Into<String>, Address)>) -> List {
        List(nodes.into_iter().map(|(name, address)| (name.into(), address)).collect())
    }
}

impl Discovery for List {
    fn register<'a>(&'a self, _: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        nobody_to_tell()
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        Box::pin(async move {
            self.0.get(name).cloned().ok_or_else(|| not_found(name, "the fixed list of nodes"))
        })
    }

    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        Box::pin(async move {
            let of_host = self.0.iter().filter_map(|(name, address)| {
                split(name).filter(|(_, its)| *its == host).map(|(local, _)| (local.to_owned(), address.port))
            });
            Ok(of_host.collect())
        })
    }
}

/// The same port on every host, as OTP's `erl_epmd_port`.
#[derive(Clone, Copy, Debug)]
pub struct FixedPort(pub u16);

impl Discovery for FixedPort {
    fn register<'a>(&'a self, _: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        nobody_to_tell()
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        Box::pin(async move {
            let (_, host) = split(name).ok_or_else(|| not_found(name, "any host"))?;
            Ok(Address::new(host, self.0))
        })
    }

    fn names<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn nobody_to_tell<'a>() -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
    Box::pin(async { Ok(Registered { creation: None, keep: Box::pin(std::future::pending()) }) })
}

fn not_found(name: &str, place: &str) -> DiscoveryError {
    DiscoveryError::NotFound { name: name.to_owned(), place: place.to_owned() }
}
