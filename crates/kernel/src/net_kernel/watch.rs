//! Who wants to hear of nodes that come and go, and what exactly. Pure: events in, messages out.
//! (`net_kernel:monitor_nodes/2`; the shapes of the messages are those of OTP 25 to 29.)

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::Node;
use term::{Atom, Map, Pid, Term};

use super::table::ConnectionId;

/// Which nodes one wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum NodeType {
    /// Visible ones.
    #[default]
    Visible,
    /// Hidden ones.
    Hidden,
    /// Both.
    All,
}

/// What one wants to hear of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WatchOptions {
    /// Which nodes; when given, the messages say the type too.
    pub node_type: Option<NodeType>,
    /// Why it went down.
    pub nodedown_reason: bool,
    /// The number of the connection.
    pub connection_id: bool,
    /// The shape of what is told besides the name.
    pub shape: Shape,
}

/// The shape of what is told besides the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shape {
    /// `{nodeup, Node}`: no options were given.
    #[default]
    Plain,
    /// `{nodeup, Node, [{connection_id, 1}]}`: options were given as a list.
    List,
    /// `{nodeup, Node, #{connection_id => 1}}`: options were given as a map.
    Map,
}

impl WatchOptions {
    /// The options as Erlang code writes them: a list or a map. Nothing when OTP would refuse them.
    pub fn from_term(options: &Term) -> Option<WatchOptions> {
        match options {
            Term::List(list) => {
                list.iter().try_fold(WatchOptions::default(), |so_far, option| so_far.with_item(&option))
            }
            Term::Map(map) => {
                let start = WatchOptions { shape: Shape::Map, ..WatchOptions::default() };
                map.pairs().iter().try_fold(start, |so_far, (key, value)| so_far.with(key, value))
            }
            _ => None,
        }
    }

    /// What OTP says of options that it refuses.
    pub(super) fn refusal(options: &Term) -> Term {
        let error = |why: Term| Term::tuple([Term::atom("error"), why]);
        let bad_value = |option: Term| error(Term::tuple([Term::atom("bad_option_value"), option]));
        let unknown = |options: Term| error(Term::tuple([Term::atom("unknown_options"), options]));
        match options {
            Term::List(list) => {
                // Each option that it knows it takes out, and has the others the other way round then.
                let mut rest: Vec<Term> = list.iter().collect();
                let typed =
                    |option: &Term| matches!(option.as_tuple(), Some([key, _]) if key.is_atom("node_type"));
                if let Some(option) = rest.iter().find(|option| typed(option)).cloned() {
                    if WatchOptions::default().with_item(&option).is_none() {
                        return bad_value(option);
                    }
                    rest = rest.into_iter().filter(|option| !typed(option)).rev().collect();
                }
                if rest.iter().any(|option| option.is_atom("nodedown_reason")) {
                    rest =
                        rest.into_iter().filter(|option| !option.is_atom("nodedown_reason")).rev().collect();
                }
                if rest.is_empty() { error(Term::atom("internal_error")) } else { unknown(Term::list(rest)) }
            }
            Term::Map(map) => {
                let known = ["connection_id", "nodedown_reason", "node_type"];
                let is_known = |key: &Term| known.iter().any(|name| key.is_atom(name));
                let pair = |(key, value): &(Term, Term)| -> Map {
                    [(key.clone(), value.clone())].into_iter().collect()
                };
                let wrong = |(key, value): &&(Term, Term)| {
                    is_known(key) && WatchOptions::default().with(key, value).is_none()
                };
                match map.pairs().iter().find(wrong) {
                    Some(entry) => bad_value(Term::Map(pair(entry))),
                    None => {
                        let rest = map.pairs().iter().filter(|(key, _)| !is_known(key)).cloned();
                        unknown(Term::Map(rest.collect()))
                    }
                }
            }
            _ => error(Term::tuple([Term::atom("internal_error"), Term::atom("function_clause")])),
        }
    }

    fn with_item(self, option: &Term) -> Option<WatchOptions> {
        let listed = WatchOptions { shape: Shape::List, ..self };
        match option.as_tuple() {
            Some([key, value]) if key.is_atom("node_type") => listed.with(key, value),
            Some(_) => None,
            None => listed.with(option, &Term::atom("true")),
        }
    }

    fn with(mut self, key: &Term, value: &Term) -> Option<WatchOptions> {
        let flag = match value.as_atom()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        match key.as_atom()?.as_str() {
            "nodedown_reason" => self.nodedown_reason = flag?,
            "connection_id" => self.connection_id = flag?,
            "node_type" => self.node_type = Some(node_type(value)?),
            _ => return None,
        }
        Some(self)
    }

    fn wants(&self, visible: bool) -> bool {
        match self.node_type.unwrap_or_default() {
            NodeType::Visible => visible,
            NodeType::Hidden => !visible,
            NodeType::All => true,
        }
    }
}

fn node_type(term: &Term) -> Option<NodeType> {
    match term.as_atom()?.as_str() {
        "visible" => Some(NodeType::Visible),
        "hidden" => Some(NodeType::Hidden),
        "all" => Some(NodeType::All),
        _ => None,
    }
}

/// A node came or went.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) node: Atom,
    pub(super) visible: bool,
    /// Nothing for this node itself, which has none to itself.
    pub(super) connection: Option<ConnectionId>,
    /// Nothing: it came.
    pub(super) down: Option<Term>,
}

impl Change {
    fn message(&self, options: &WatchOptions) -> Term {
        let what = Term::atom(if self.down.is_some() { "nodedown" } else { "nodeup" });
        let node = Term::Atom(self.node.clone());
        let facts = self.facts(options);
        match options.shape {
            Shape::Plain => Term::tuple([what, node]),
            Shape::List => {
                let pairs = facts.into_iter().map(|(key, value)| Term::tuple([key, value]));
                Term::tuple([what, node, Term::list(pairs)])
            }
            Shape::Map => Term::tuple([what, node, Term::Map(facts.into_iter().collect::<Map>())]),
        }
    }

    /// In the order of their keys, which the list form keeps.
    fn facts(&self, options: &WatchOptions) -> Vec<(Term, Term)> {
        let mut facts = Vec::new();
        if options.connection_id {
            let number = self.connection.map_or(Term::atom("undefined"), |number| Term::Int(number as i64));
            facts.push((Term::atom("connection_id"), number));
        }
        if let (true, Some(reason)) = (options.nodedown_reason, &self.down) {
            facts.push((Term::atom("nodedown_reason"), reason.clone()));
        }
        if options.node_type.is_some() {
            let node_type = if self.visible { "visible" } else { "hidden" };
            facts.push((Term::atom("node_type"), Term::atom(node_type)));
        }
        facts
    }
}

/// The subscriptions: per process and options, how many.
#[derive(Debug, Default)]
pub(super) struct Watchers(BTreeMap<(Pid, WatchOptions), u32>);

impl Watchers {
    /// One more subscription.
    pub(super) fn add(&mut self, who: Pid, options: WatchOptions) {
        *self.0.entry((who, options)).or_insert(0) += 1;
    }

    /// Ends all subscriptions of the process with these options, as `monitor_nodes(false, Options)` does.
    pub(super) fn remove(&mut self, who: &Pid, options: WatchOptions) {
        self.0.remove(&(who.clone(), options));
    }

    /// Forgets those who are not alive.
    pub(super) fn retain(&mut self, mut alive: impl FnMut(&Pid) -> bool) {
        self.0.retain(|(who, _), _| alive(who));
    }

    /// Who hears what.
    pub(super) fn messages(&self, change: &Change) -> Vec<(Pid, Term)> {
        let mut messages = Vec::new();
        for ((who, options), count) in self.0.iter().filter(|((_, options), _)| options.wants(change.visible))
        {
            let message = change.message(options);
            messages.extend((0..*count).map(|_| (who.clone(), message.clone())));
        }
        messages
    }
}

/// The subscriptions of a node's processes, on its shelf: they are there before the node has a name, and after.
#[derive(Default)]
pub(super) struct Desk(Mutex<Watchers>);

impl Desk {
    pub(super) fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody who wants to hear it. Called in the order in which things happen.
pub(super) fn tell(node: &Node, change: &Change) {
    let desk = node.shelf::<Desk>();
    let mut watchers = desk.watchers();
    watchers.retain(|who| node.is_process_alive(who));
    for (who, message) in watchers.messages(change) {
        node.send(who, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use term::NodeId;

    fn pid() -> Pid {
        Pid { node: NodeId::new(Atom::new("a@h"), 1), id: 1, serial: 0 }
    }

    fn told(options: Term, down: Option<Term>) -> Vec<String> {
        let mut watchers = Watchers::default();
        watchers.add(pid(), WatchOptions::from_term(&options).unwrap());
        let change = Change { node: Atom::new("b@h"), visible: true, connection: Some(7), down };
        watchers.messages(&change).into_iter().map(|(_, message)| format!("{message:?}")).collect()
    }

    fn shown(items: impl IntoIterator<Item = Term>) -> Vec<String> {
        vec![format!("{:?}", Term::Tuple(items.into_iter().collect()))]
    }

    #[test]
    fn the_shape_of_the_news_is_that_of_the_options() {
        let (up, b) = (|| Term::atom("nodeup"), || Term::atom("b@h"));
        assert_eq!(told(Term::NIL, None), shown([up(), b()]));
        assert_eq!(told(Term::Map(Map::default()), None), shown([up(), b(), Term::Map(Map::default())]));
        assert_eq!(
            told(Term::list([Term::atom("nodedown_reason")]), None),
            shown([up(), b(), Term::NIL]),
            "a list with something in it makes a list, even an empty one"
        );
        let typed = Term::tuple([Term::atom("node_type"), Term::atom("all")]);
        let all = Term::list([Term::atom("nodedown_reason"), typed, Term::atom("connection_id")]);
        let pair = |key: &str, value: Term| Term::tuple([Term::atom(key), value]);
        let reason = Term::atom("connection_closed");
        assert_eq!(
            told(all, Some(reason.clone())),
            shown([
                Term::atom("nodedown"),
                b(),
                Term::list([
                    pair("connection_id", Term::Int(7)),
                    pair("nodedown_reason", reason),
                    pair("node_type", Term::atom("visible")),
                ])
            ])
        );
    }

    #[test]
    fn hidden_nodes_are_for_those_who_ask() {
        let mut watchers = Watchers::default();
        watchers.add(pid(), WatchOptions::default());
        let change = Change { node: Atom::new("b@h"), visible: false, connection: Some(1), down: None };
        assert!(watchers.messages(&change).is_empty());
        watchers.add(pid(), WatchOptions { node_type: Some(NodeType::All), ..WatchOptions::default() });
        assert_eq!(watchers.messages(&change).len(), 1);
    }

    #[test]
    fn subscriptions_stack_and_end_together() {
        let mut watchers = Watchers::default();
        watchers.add(pid(), WatchOptions::default());
        watchers.add(pid(), WatchOptions::default());
        let change = Change { node: Atom::new("b@h"), visible: true, connection: Some(1), down: None };
        assert_eq!(watchers.messages(&change).len(), 2);
        watchers.remove(&pid(), WatchOptions::default());
        assert!(watchers.messages(&change).is_empty());
    }

    #[test]
    fn options_that_otp_refuses_are_refused() {
        for bad in [Term::atom("x"), Term::list([Term::atom("x")]), Term::list([Term::Int(1)])] {
            assert_eq!(WatchOptions::from_term(&bad), None);
        }
    }
}
