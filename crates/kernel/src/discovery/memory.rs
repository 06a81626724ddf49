//! Names in memory, for many nodes in one program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use carrier::{Address, BoxFuture};

use super::{Discovery, DiscoveryError, Registered, Registration};
use crate::names::split;

/// An EPMD for all hosts of one program. Clones share the names.
#[derive(Clone, Debug, Default)]
pub struct MemoryNames(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    ports: BTreeMap<String, u16>,
    creations: BTreeMap<String, u32>,
}

/// EPMD never gives out 0 to 3 either: they belong to times with two bits for a creation.
const FIRST_CREATION: u32 = 4;

impl MemoryNames {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct Lease {
    names: MemoryNames,
    name: String,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.names.names().ports.remove(&self.name);
    }
}

impl Discovery for MemoryNames {
    fn register<'a>(&'a self, who: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        Box::pin(async move {
            let name = who.name.to_string();
            let mut names = self.names();
            if let Some(port) = names.ports.get(&name) {
                return Err(DiscoveryError::NameTaken {
                    name,
                    place: format!("port {port} of this program"),
                });
            }
            names.ports.insert(name.clone(), who.port);
            let creation = names.creations.entry(name.clone()).or_insert(FIRST_CREATION);
            *creation += 1;
            let lease = Lease { names: self.clone(), name };
            let keep = Box::pin(async move {
                let _lease = lease;
                std::future::pending().await
            });
            Ok(Registered { creation: Some(*creation), keep })
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        Box::pin(async move {
            let port = self.names().ports.get(name).copied();
            match (port, split(name)) {
                (Some(port), Some((_, host))) => Ok(Address::new(host, port)),
                _ => {
                    Err(DiscoveryError::NotFound { name: name.to_owned(), place: "this program".to_owned() })
                }
            }
        })
    }

    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        Box::pin(async move {
            let names = self.names();
            let of_host = names.ports.iter().filter_map(|(name, port)| {
                split(name).filter(|(_, its)| *its == host).map(|(local, _)| (local.to_owned(), *port))
            });
            Ok(of_host.collect())
        })
    }
}
