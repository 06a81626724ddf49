//! What binds a process to others: links, monitors, aliases, watched nodes, and the lanes that these cross.

use std::collections::BTreeMap;
use std::sync::Arc;

use term::{Atom, Pid, Ref, Term};

use crate::exit::Exit;
use crate::few::Few;
use crate::lane::Lane;
use crate::message::Message;
use crate::node::Node;
use crate::requests::Replies;
use crate::table::Seat;

/// The ties of one process. A process that has none has no such block.
#[derive(Default)]
pub(crate) struct Ties {
    pub(crate) links: BTreeMap<Pid, Link>,
    /// Monitors of this process, by the counter in their reference.
    pub(crate) monitors: Few<Watch>,
    /// Monitors on this process from other nodes; those of this node are in its slot.
    pub(crate) watchers: BTreeMap<Ref, Watcher>,
    /// Aliases that do not end with a monitor.
    pub(crate) aliases: Few<AliasMode>,
    /// `monitor_node`, by lane: how many answers are due when it goes down.
    pub(crate) nodes: BTreeMap<u64, u32>,
    pub(crate) requests: BTreeMap<u64, Request>,
    /// What monitors say instead of `'DOWN'`, where that was asked for.
    pub(crate) down_tags: BTreeMap<u64, Term>,
    /// Every lane that this process is noted on.
    pub(crate) lanes: BTreeMap<u64, Arc<Lane>>,
    unlinks: u64,
    /// Messages that were taken out of the inbox on the way to a signal.
    pub(crate) fresh: Vec<Message>,
    /// The process is to end.
    pub(crate) doom: Option<Exit>,
}

/// A link as one end sees it (distribution protocol, "Link Protocol").
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    /// The lane it crosses; 0 for none.
    pub(crate) lane: u64,
    /// The unlink that waits for its acknowledgement: the link does not count any more.
    pub(crate) unlinking: Option<u64>,
}

/// A monitor of this process.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) target: Target,
    pub(crate) lane: u64,
    /// Its place among the watchers of a near process, where it is known.
    pub(crate) place: Option<u32>,
    /// Its reference is an alias that ends with it.
    pub(crate) alias: Option<AliasMode>,
}

impl Watch {
    pub(crate) fn new(target: Target, lane: u64) -> Watch {
        Watch { target, lane, place: None, alias: None }
    }
}

/// What a monitor watches.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A process of this node.
    Near(Seat),
    Pid(Pid),
    /// By name; the process that had the name, if it was near.
    Name {
        pid: Option<Pid>,
        name: Atom,
        node: Atom,
    },
}

impl Target {
    /// How a `'DOWN'` message names it.
    pub(crate) fn to_term(&self, here: &Node) -> Term {
        match self {
            Target::Near(seat) => Term::Pid(seat.pid(here)),
            Target::Pid(pid) => Term::Pid(pid.clone()),
            Target::Name { name, node, .. } => {
                Term::tuple([Term::Atom(name.clone()), Term::Atom(node.clone())])
            }
        }
    }
}

/// A monitor on this process.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) pid: Pid,
    /// As the watcher named us, when by name.
    pub(crate) name: Option<Atom>,
    pub(crate) lane: u64,
}

/// When an alias ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasMode {
    /// Only by `unalias`.
    Explicit,
    /// With the first message that comes by it.
    Reply,
    /// With the monitor of the same reference: when it fires or is taken back.
    Demonitor,
    /// As [`AliasMode::Demonitor`], and with the first message that comes by it, which takes back the monitor too.
    ReplyDemonitor,
}

/// A spawn request that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) lane: u64,
    /// What the answer begins with.
    pub(crate) tag: Term,
    pub(crate) replies: Replies,
    /// What the monitor shall say instead of `'DOWN'`.
    pub(crate) down_tag: Option<Term>,
}

impl Ties {
    /// The next number for an unlink of this process.
    pub(crate) fn next_unlink(&mut self) -> u64 {
        self.unlinks += 1;
        self.unlinks
    }

    /// Whether the reference of that number is an alias.
    pub(crate) fn has_alias(&self, counter: u64) -> bool {
        self.monitors.get(counter).is_some_and(|watch| watch.alias.is_some())
            || self.aliases.get(counter).is_some()
    }

    /// Takes an alias back; whether it was there.
    pub(crate) fn unalias(&mut self, counter: u64) -> bool {
        let with_monitor = self.monitors.get_mut(counter).and_then(|watch| watch.alias.take());
        with_monitor.is_some() || self.aliases.remove(counter).is_some()
    }

    /// Takes an alias back that ends with its monitor.
    pub(crate) fn end_alias(&mut self, counter: u64) {
        if matches!(self.aliases.get(counter), Some(AliasMode::Demonitor | AliasMode::ReplyDemonitor)) {
            self.aliases.remove(counter);
        }
    }

    /// Writes down a monitor, and its reference as an alias of that kind.
    pub(crate) fn note_watch(&mut self, counter: u64, mut watch: Watch, alias: Option<AliasMode>) {
        match alias {
            Some(AliasMode::Demonitor | AliasMode::ReplyDemonitor) => watch.alias = alias,
            Some(mode) => self.aliases.insert(counter, mode),
            None => {}
        }
        self.monitors.insert(counter, watch);
    }

    /// Notes the process on the lane; `false` when the lane is down.
    pub(crate) fn tie(&mut self, lane: &Arc<Lane>, seat: Seat) -> bool {
        if self.lanes.contains_key(&lane.id()) {
            return true;
        }
        let tied = lane.tie(seat);
        if tied {
            self.lanes.insert(lane.id(), lane.clone());
        }
        tied
    }

    /// Takes out everything that crosses the lane.
    pub(crate) fn cut(&mut self, lane: u64) -> Cut {
        self.lanes.remove(&lane);
        self.watchers.retain(|_, watcher| watcher.lane != lane);
        Cut {
            links: take_out(&mut self.links, |link| link.lane == lane),
            monitors: self.monitors.take_out(|watch| watch.lane == lane),
            nodedowns: self.nodes.remove(&lane).unwrap_or(0),
            requests: take_out(&mut self.requests, |request| request.lane == lane),
        }
    }
}

/// What a broken lane takes with it.
pub(crate) struct Cut {
    pub(crate) links: Vec<(Pid, Link)>,
    pub(crate) monitors: Vec<(u64, Watch)>,
    pub(crate) nodedowns: u32,
    pub(crate) requests: Vec<(u64, Request)>,
}

fn take_out<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, is_it: impl Fn(&V) -> bool) -> Vec<(K, V)> {
    let keys: Vec<K> = map.iter().filter(|(_, value)| is_it(value)).map(|(key, _)| key.clone()).collect();
    keys.into_iter().filter_map(|key| map.remove(&key).map(|value| (key, value))).collect()
}
