//! A network in memory: hosts by name, ports, wires, and rules about what crosses. A value; drop it and it is gone.

mod link;
mod listen;
mod pipe;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::error::{Doing, Trouble};
use crate::limits::EPHEMERAL_PORT_FIRST;
use crate::rule::{Crossing, RuleGuard, Rules, Verdict};
use crate::{Address, BoxFuture, Carrier, ListenAt, Listener, Wire};
use link::Link;
use listen::{Backlog, MemoryListener};
use wire::MemoryWire;

pub(crate) const NAME: &str = "memory";

/// A network in memory. Clones are handles to the same network.
///
/// Under a current-thread tokio runtime with paused time it is deterministic: nothing in it asks a clock but
/// tokio's, throws dice, or walks an unordered table. Time is only asked where a rule delays.
///
/// Rules are called without any lock held, so a rule may look at the network, but it is called often
/// (see [`Crossing::bytes`]) and should only judge.
#[derive(Clone, Default)]
pub struct MemoryNet {
    net: Arc<Net>,
}

impl MemoryNet {
    /// A network with no hosts and no rules.
    pub fn new() -> MemoryNet {
        MemoryNet::default()
    }

    /// The carrier of this host; the host is created when the name is new.
    pub fn host(&self, name: impl Into<String>) -> MemoryCarrier {
        let name = name.into();
        self.net.tables().hosts.entry(name.clone()).or_default();
        MemoryCarrier { net: self.net.clone(), host: name }
    }

    /// Installs a rule until its guard is dropped. Wires already open obey from now on:
    /// each is put before the rules at once, stalled ones with what they hold, idle ones with zero bytes.
    pub fn rule(&self, rule: impl Fn(&Crossing<'_>) -> Verdict + Send + Sync + 'static) -> RuleGuard {
        let mut id = 0;
        self.net.change_rules(|rules| {
            let (rules, new) = rules.with(Arc::new(rule));
            id = new;
            rules
        });
        RuleGuard { net: Arc::downgrade(&self.net), id }
    }

    /// Puts every wire before the rules again, for rules whose closure has changed its mind.
    pub fn rules_changed(&self) {
        self.net.change_rules(|rules| rules.clone());
    }

    /// No word between these and those, either way: silence, until the guard is dropped.
    pub fn partition(&self, these: &[&str], those: &[&str]) -> RuleGuard {
        let (these, those) = (owned(these), owned(those));
        self.rule(move |w| {
            let out = these.contains(w.from) && those.contains(w.to);
            let back = those.contains(w.from) && these.contains(w.to);
            if out || back { Verdict::Drop } else { Verdict::Pass }
        })
    }

    /// No word between this host and any other. With [`crash`](Self::crash) it is a power cut: nobody is told.
    pub fn isolate(&self, host: &str) -> RuleGuard {
        let host = host.to_owned();
        self.rule(move |w| if (w.from == host) != (w.to == host) { Verdict::Drop } else { Verdict::Pass })
    }

    /// One way only: what `from` says to `to` is not heard, what `to` says is. Dials need both ways.
    pub fn mute(&self, from: &str, to: &str) -> RuleGuard {
        self.one_way(from, to, Verdict::Drop)
    }

    /// Resets every wire from `from` to `to`, and so also what comes back on it, now and when one is dialled.
    pub fn cut(&self, from: &str, to: &str) -> RuleGuard {
        self.one_way(from, to, Verdict::Cut)
    }

    /// What `from` says to `to` arrives this much later.
    pub fn slow(&self, from: &str, to: &str, by: Duration) -> RuleGuard {
        self.one_way(from, to, Verdict::Deliver(by))
    }

    fn one_way(&self, from: &str, to: &str, verdict: Verdict) -> RuleGuard {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.rule(move |w| if w.from == from && w.to == to { verdict } else { Verdict::Pass })
    }

    /// The host dies without a goodbye: its listeners are gone, its own wires answer `ConnectionReset`, its peers
    /// read what was on the way and then `ConnectionReset`, as far as the rules let the news through.
    /// The host may listen and dial again afterwards, as the same host restarted.
    pub fn crash(&self, host: &str) {
        let listeners = match self.net.tables().hosts.get_mut(host) {
            Some(host) => std::mem::take(&mut host.listeners),
            None => return,
        };
        for backlog in listeners.into_values() {
            backlog.close();
        }
        for link in self.net.open_links() {
            link.crash(host);
        }
    }

    /// How many wires are open (an end of them is still held by somebody).
    pub fn wires(&self) -> usize {
        self.net.open_links().len()
    }
}

fn owned(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// One host's door to a [`MemoryNet`].
///
/// Dial other hosts by name, this one also as `localhost`, `127.0.0.1` or `::1`.
#[derive(Clone)]
pub struct MemoryCarrier {
    net: Arc<Net>,
    host: String,
}

impl MemoryCarrier {
    /// The host's name.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn listen_now(&self, at: &ListenAt) -> io::Result<MemoryListener> {
        let mut tables = self.net.tables();
        let host = tables.hosts.entry(self.host.clone()).or_default();
        let port = host.free_port(at)?;
        let backlog = Arc::new(Backlog::new(at.backlog));
        host.listeners.insert(port, backlog.clone());
        Ok(MemoryListener::new(self.net.clone(), Address::new(self.host.clone(), port), backlog))
    }

    /// As TCP shakes hands: the dial crosses, the listener's queue takes it, the answer crosses back.
    async fn dial_now(&self, to: &Address) -> io::Result<MemoryWire> {
        let host = match to.host.as_str() {
            "localhost" | "127.0.0.1" | "::1" => &self.host,
            name => name,
        };
        self.net.dial_crosses(&self.host, host, to.port).await?;
        let backlog = self.net.listener(host, to.port)?;
        let place = backlog.place().await?;
        let (mine, theirs) = self.net.connect(&self.host, host, to.port);
        backlog.put(theirs, place)?;
        self.net.dial_crosses(host, &self.host, to.port).await?;
        Ok(mine)
    }
}

impl Carrier for MemoryCarrier {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listen<'a>(&'a self, at: &'a ListenAt) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = self.listen_now(at).map_err(|e| Trouble::wrap(NAME, Doing::Listen, at, e))?;
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn dial<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let wire = self.dial_now(to).await.map_err(|e| Trouble::wrap(NAME, Doing::Dial, to, e))?;
            Ok(Box::new(wire) as Box<dyn Wire>)
        })
    }
}

/// What the handles share. Locks here are leaves: nothing else is locked or called while one is held.
#[derive(Default)]
pub(crate) struct Net {
    tables: Mutex<Tables>,
    rules: Mutex<Arc<Rules>>,
    /// Told whenever the rules change.
    changed: tokio::sync::Notify,
}

#[derive(Default)]
struct Tables {
    hosts: BTreeMap<String, Host>,
    links: BTreeMap<u64, Weak<Link>>,
    next_link: u64,
}

#[derive(Default)]
struct Host {
    listeners: BTreeMap<u16, Arc<Backlog>>,
    /// How many ports were allotted so far.
    allotted: u64,
}

impl Host {
    /// The first free port of the range; zero allots one.
    fn free_port(&mut self, at: &ListenAt) -> io::Result<u16> {
        if at.ports.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the port range is empty"));
        }
        if *at.ports.start() == 0 {
            return self.allot();
        }
        let free = at.ports.clone().find(|port| !self.listeners.contains_key(port));
        free.ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "every port of the range is taken"))
    }

    fn allot(&mut self) -> io::Result<u16> {
        let ports = u64::from(u16::MAX - EPHEMERAL_PORT_FIRST) + 1;
        for _ in 0..ports {
            // Below `ports`, so it fits.
            let port = EPHEMERAL_PORT_FIRST + (self.allotted % ports) as u16;
            self.allotted += 1;
            if !self.listeners.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "the host has no free port left"))
    }
}

impl Net {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        lock(&self.rules).clone()
    }

    /// Are these still the rules?
    pub(crate) fn are_rules(&self, rules: &Arc<Rules>) -> bool {
        Arc::ptr_eq(&lock(&self.rules), rules)
    }

    pub(crate) fn change_rules(&self, change: impl FnOnce(&Rules) -> Rules) {
        let old = {
            let mut rules = lock(&self.rules);
            let new = Arc::new(change(&rules));
            std::mem::replace(&mut *rules, new)
        };
        // The guest's closures may end here; no lock is held.
        drop(old);
        for link in self.open_links() {
            link.judge_again();
        }
        self.changed.notify_waiters();
    }

    fn open_links(&self) -> Vec<Arc<Link>> {
        let tables = self.tables();
        let links = tables.links.values().filter_map(Weak::upgrade).collect();
        drop(tables);
        links
    }

    fn forget_link(&self, id: u64) {
        self.tables().links.remove(&id);
    }

    fn forget_listener(&self, at: &Address, backlog: &Arc<Backlog>) {
        let mut tables = self.tables();
        let Some(host) = tables.hosts.get_mut(&at.host) else { return };
        // After a crash the port may be another listener's.
        if host.listeners.get(&at.port).is_some_and(|there| Arc::ptr_eq(there, backlog)) {
            host.listeners.remove(&at.port);
        }
    }

    fn listener(&self, host: &str, port: u16) -> io::Result<Arc<Backlog>> {
        let tables = self.tables();
        let host = tables
            .hosts
            .get(host)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the network has no host of this name"))?;
        host.listeners.get(&port).cloned().ok_or_else(refused)
    }

    /// A wire between two hosts: the dialler's end and the listener's.
    fn connect(self: &Arc<Net>, from: &str, to: &str, port: u16) -> (MemoryWire, MemoryWire) {
        let mut tables = self.tables();
        let id = tables.next_link;
        tables.next_link += 1;
        // Diallers' ports are for people to read; a host that has used up its ports dials all the same.
        let own =
            tables.hosts.get_mut(from).and_then(|host| host.allot().ok()).unwrap_or(EPHEMERAL_PORT_FIRST);
        let link = Arc::new(Link::new(id, self.clone(), [Address::new(from, own), Address::new(to, port)]));
        tables.links.insert(id, Arc::downgrade(&link));
        (MemoryWire::new(link.clone(), 0), MemoryWire::new(link, 1))
    }

    /// Lets one leg of a dial cross, waiting as long as a rule says `Drop`.
    async fn dial_crosses(&self, from: &str, to: &str, port: u16) -> io::Result<()> {
        loop {
            // Listen for changes before looking at the rules, so that none slips through between.
            let changed = self.changed.notified();
            match self.rules().judge(&Crossing { from, to, bytes: 0, port, dial: true }) {
                Verdict::Pass => return Ok(()),
                Verdict::Cut => return Err(refused()),
                Verdict::Deliver(after) => {
                    tokio::time::sleep(after).await;
                    return Ok(());
                }
                Verdict::Drop => changed.await,
            }
        }
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
}

/// No code that can panic runs under these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
