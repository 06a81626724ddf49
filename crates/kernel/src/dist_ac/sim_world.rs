//! A world of machines for the simulation: wires that keep order, locks, a controller that starts and stops, and mishaps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use term::Atom;

use super::events::{Asked, Change, Event, Order, Standing};
use super::ladder::Ladder;
use super::machine::Machine;
use super::wire::{Appl, Message};

/// Dice from a seed (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What goes over a wire.
enum Letter {
    Message(Message),
    Question(u64),
    Answer(u64, Vec<Appl>),
}

/// One of the things that can happen.
type Choice = Box<dyn FnOnce(&mut World)>;

#[derive(Default)]
struct Controller {
    running: BTreeSet<Atom>,
    starting: BTreeSet<Atom>,
    /// What it will say, in this order.
    says: VecDeque<Event>,
}

struct Site {
    machine: Machine,
    controller: Controller,
    timers: Vec<Atom>,
    wants_to_meet: bool,
    /// Loaded and wanted, not yet asked for.
    to_start: Vec<Atom>,
    loaded: bool,
    /// Who introduces himself and therefore has, with others who do, the lock of this node.
    locks: BTreeSet<Atom>,
    /// Decisions of its own under way.
    deciding: BTreeSet<Atom>,
}

pub(super) struct World {
    pub(super) dice: Dice,
    ladders: Vec<(Atom, Ladder)>,
    names: Vec<Atom>,
    sites: BTreeMap<Atom, Site>,
    links: BTreeSet<(Atom, Atom)>,
    wires: BTreeMap<(Atom, Atom), VecDeque<Letter>>,
    cut: BTreeSet<(Atom, Atom)>,
    pub(super) log: Vec<String>,
}

fn key(a: &Atom, b: &Atom) -> (Atom, Atom) {
    if a < b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

impl World {
    pub(super) fn new(seed: u64, ladders: Vec<(Atom, Ladder)>, names: Vec<Atom>) -> World {
        World {
            dice: Dice::new(seed),
            ladders,
            names,
            sites: BTreeMap::new(),
            links: BTreeSet::new(),
            wires: BTreeMap::new(),
            cut: BTreeSet::new(),
            log: Vec::new(),
        }
    }

    // Mishaps.

    pub(super) fn boot(&mut self, name: &Atom) {
        if self.sites.contains_key(name) {
            return;
        }
        self.log.push(format!("boot {name}"));
        let site = Site {
            machine: Machine::new(name.clone(), self.ladders.clone(), BTreeMap::new()),
            controller: Controller::default(),
            timers: Vec::new(),
            wants_to_meet: true,
            to_start: self.ladders.iter().map(|(app, _)| app.clone()).collect(),
            loaded: false,
            locks: BTreeSet::new(),
            deciding: BTreeSet::new(),
        };
        self.sites.insert(name.clone(), site);
        self.connect_all();
    }

    pub(super) fn kill(&mut self, name: &Atom) {
        if self.sites.remove(name).is_none() {
            return;
        }
        self.log.push(format!("kill {name}"));
        for other in self.names.clone() {
            self.unlink(name, &other);
        }
    }

    /// The nodes that the dice choose lose the others.
    pub(super) fn split(&mut self) {
        let side: BTreeSet<Atom> = self.names.clone().into_iter().filter(|_| self.dice.chance(50)).collect();
        self.log.push(format!("split {side:?}"));
        for a in self.names.clone() {
            for b in self.names.clone() {
                if side.contains(&a) && !side.contains(&b) {
                    self.cut.insert(key(&a, &b));
                    self.unlink(&a, &b);
                }
            }
        }
    }

    pub(super) fn heal(&mut self) {
        self.log.push("heal".to_owned());
        self.cut.clear();
        self.connect_all();
    }

    fn connect_all(&mut self) {
        let up: Vec<Atom> = self.sites.keys().cloned().collect();
        for a in &up {
            for b in up.iter().filter(|b| a < *b) {
                if !self.cut.contains(&key(a, b)) && self.links.insert(key(a, b)) {
                    for name in [a, b] {
                        if let Some(site) = self.sites.get_mut(name) {
                            site.wants_to_meet = true;
                        }
                    }
                }
            }
        }
    }

    fn unlink(&mut self, a: &Atom, b: &Atom) {
        if !self.links.remove(&key(a, b)) {
            return;
        }
        for (from, to) in [(a, b), (b, a)] {
            self.wires.remove(&(from.clone(), to.clone()));
            if let Some(site) = self.sites.get_mut(to) {
                site.locks.remove(from);
                self.hear(to, Event::NodeDown(from.clone()));
            }
        }
    }

    // One thing after the other.

    /// Does one of the things that can happen; whether there was one.
    pub(super) fn step(&mut self) -> bool {
        let mut possible: Vec<Choice> = Vec::new();
        for (from, to) in self.wires.keys() {
            let (from, to) = (from.clone(), to.clone());
            possible.push(Box::new(move |world| world.deliver(&from, &to)));
        }
        for (name, site) in &self.sites {
            let name = name.clone();
            if !site.controller.says.is_empty() {
                let name = name.clone();
                possible.push(Box::new(move |world| world.let_controller_speak(&name)));
            }
            for at in 0..site.timers.len() {
                let name = name.clone();
                possible.push(Box::new(move |world| world.ring(&name, at)));
            }
            if site.wants_to_meet && self.can_lock_all(&name) {
                let name = name.clone();
                possible.push(Box::new(move |world| world.meet_everybody(&name)));
            }
            let met = site.machine.is_synced();
            if met && !site.loaded {
                let name = name.clone();
                possible.push(Box::new(move |world| world.load(&name)));
            }
            if met && site.loaded && !site.to_start.is_empty() && site.locks.is_empty() {
                possible.push(Box::new(move |world| world.start(&name)));
            }
        }
        if possible.is_empty() {
            return false;
        }
        let choice = self.dice.below(possible.len());
        possible.swap_remove(choice)(self);
        true
    }

    fn deliver(&mut self, from: &Atom, to: &Atom) {
        let wire = (from.clone(), to.clone());
        let Some(queue) = self.wires.get_mut(&wire) else { return };
        let letter = queue.pop_front();
        if queue.is_empty() {
            self.wires.remove(&wire);
        }
        match letter {
            Some(Letter::Message(message)) => self.hear(to, Event::Wire(message)),
            Some(Letter::Answer(ticket, apps)) => self.hear(to, Event::Told(from.clone(), ticket, apps)),
            Some(Letter::Question(ticket)) => {
                let apps = self.sites[to].machine.appls();
                self.post(to, from, Letter::Answer(ticket, apps));
            }
            None => {}
        }
    }

    fn post(&mut self, from: &Atom, to: &Atom, letter: Letter) {
        if self.links.contains(&key(from, to)) {
            self.wires.entry((from.clone(), to.clone())).or_default().push_back(letter);
        }
    }

    fn let_controller_speak(&mut self, name: &Atom) {
        let Some(site) = self.sites.get_mut(name) else { return };
        let Some(event) = site.controller.says.pop_front() else { return };
        if let Event::Ran(app, Ok(())) = &event {
            site.controller.starting.remove(app);
            site.controller.running.insert(app.clone());
        }
        self.hear(name, event);
    }

    fn ring(&mut self, name: &Atom, at: usize) {
        let Some(site) = self.sites.get_mut(name) else { return };
        let app = site.timers.remove(at);
        self.hear(name, Event::WaitOver(app));
    }

    fn others(&self, name: &Atom) -> Vec<Atom> {
        self.sites.keys().filter(|other| self.links.contains(&key(name, other))).cloned().collect()
    }

    fn can_lock_all(&self, name: &Atom) -> bool {
        let busy = |name: &Atom| self.sites.get(name).is_some_and(|site| !site.deciding.is_empty());
        !busy(name) && !self.others(name).iter().any(busy)
    }

    fn meet_everybody(&mut self, name: &Atom) {
        let others = self.others(name);
        for site in others.iter().chain([name]) {
            if let Some(site) = self.sites.get_mut(site) {
                site.locks.insert(name.clone());
            }
        }
        let Some(site) = self.sites.get_mut(name) else { return };
        site.wants_to_meet = false;
        self.log.push(format!("{name} introduces itself"));
        for order in site.machine.introduce(others) {
            self.obey(name, order);
        }
    }

    fn load(&mut self, name: &Atom) {
        if let Some(site) = self.sites.get_mut(name) {
            site.loaded = true;
        }
        for (app, _) in self.ladders.clone() {
            self.hear(name, Event::Load(app));
        }
    }

    fn start(&mut self, name: &Atom) {
        let choice = self.dice.below(self.sites[name].to_start.len());
        let Some(site) = self.sites.get_mut(name) else { return };
        let app = site.to_start.remove(choice);
        site.deciding.insert(app.clone());
        self.hear(name, Event::Start(app));
    }

    fn hear(&mut self, name: &Atom, event: Event) {
        let Some(site) = self.sites.get_mut(name) else { return };
        self.log.push(format!("{name} hears {event:?}"));
        let load = site.controller.running.len() as i64;
        for order in site.machine.handle(event, load) {
            self.obey(name, order);
        }
    }

    fn obey(&mut self, name: &Atom, order: Order) {
        self.log.push(format!("    {name}: {order:?}"));
        let Some(site) = self.sites.get_mut(name) else { return };
        match order {
            Order::Send(to, message) => {
                self.post(name, &to, Letter::Message(message));
            }
            Order::Ask(to, ticket) => self.post(name, &to, Letter::Question(ticket)),
            Order::Controller(asked, app, change) => site.obey(asked, app, change),
            Order::Wait(_, app) => site.timers.push(app),
            Order::Decided(app) => {
                site.deciding.remove(&app);
            }
            Order::Met => {
                for site in self.sites.values_mut() {
                    site.locks.remove(name);
                }
            }
            Order::Loaded(_) | Order::Answer(..) => {}
            Order::Mismatch { .. } => panic!("the ladders are the same"),
        }
    }

    // What must be so.

    pub(super) fn permit(&mut self, name: &Atom, app: &Atom, allow: bool) {
        self.log.push(format!("permit {name} {app} {allow}"));
        let event = Event::Permit { app: app.clone(), allow, only_loaded: false, ticket: 0 };
        self.hear(name, event);
    }

    pub(super) fn running(&self, app: &Atom) -> Vec<Atom> {
        let runs = |site: &Site| site.controller.running.contains(app);
        self.sites.iter().filter(|(_, site)| runs(site)).map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn standing(&self, name: &Atom, app: &Atom) -> Standing {
        self.sites[name].machine.standing(app).cloned().expect("in the ladder")
    }

    /// The groups of connected nodes.
    pub(super) fn groups(&self) -> Vec<Vec<Atom>> {
        let mut groups: Vec<Vec<Atom>> = Vec::new();
        for name in self.sites.keys() {
            match groups.iter_mut().find(|group| self.links.contains(&key(&group[0], name))) {
                Some(group) => group.push(name.clone()),
                None => groups.push(vec![name.clone()]),
            }
        }
        groups
    }

    /// Two that know each other run it only while one of them is being told to stop.
    pub(super) fn excuse_two_copies(&self, app: &Atom) -> Result<(), String> {
        let running = self.running(app);
        for a in &running {
            for b in running.iter().filter(|b| a < *b && self.links.contains(&key(a, b))) {
                let (one, other) = (&self.sites[a], &self.sites[b]);
                let met = one.machine.known().contains(b) && other.machine.known().contains(a);
                let told = self.wires.iter().any(|((_, to), queue)| {
                    (to == a || to == b)
                        && queue.iter().any(|message| match message {
                            Letter::Message(Message::Started { app: name, .. }) => name == app,
                            Letter::Message(Message::NewNode { .. }) => true,
                            _ => false,
                        })
                });
                if met
                    && !told
                    && self.standing(a, app) == Standing::Local
                    && self.standing(b, app) == Standing::Local
                {
                    return Err(format!("{a} and {b} both run {app}"));
                }
            }
        }
        Ok(())
    }
}

impl Site {
    fn obey(&mut self, asked: Asked, app: Atom, change: Change) {
        let controller = &mut self.controller;
        match change {
            Change::Start | Change::Takeover(..) | Change::Failover(_) => {
                if controller.running.contains(&app) || controller.starting.insert(app.clone()) {
                    controller.says.push_back(Event::Ran(app, Ok(())));
                }
            }
            Change::Started(_) => {
                controller.running.remove(&app);
            }
            Change::Stop => {
                controller.running.remove(&app);
                controller.says.push_back(Event::NotRun(app));
            }
            // Not all have loaded it yet: tried again.
            Change::Error(_) if asked == Asked::Reply => self.to_start.push(app),
            Change::Error(_) | Change::NotStarted | Change::NotRunning => {}
        }
    }
}
