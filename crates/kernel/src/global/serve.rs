//! What peers, tools and our own processes ask of `global_name_server` by `$gen_call`.

use term::{Atom, Map, Pid, Term};

use super::events::{Effect, Level};
use super::machine::Global;
use super::messages::{Op, Question, VERSION};
use super::sessions::Leave;

impl Global {
    pub(super) fn serve(&mut self, from: Term, caller: &Pid, request: &Term) {
        let Some(question) = Question::read(request) else {
            let text = format!(
                "The global_name_server received an unexpected message: handle_call({request:?}, {from:?}, _)"
            );
            return self.log(Level::Warning, text);
        };
        if let Some(reply) = self.not_for_us(caller, &question) {
            return self.effect(Effect::Reply { to: from, reply });
        }
        let reply = match question {
            Question::SetLock(id) => truth(self.take_lock(&id, caller)),
            Question::DelLock(id) => {
                self.give_lock(&id, caller);
                truth(true)
            }
            Question::Register(named) => {
                // Whoever has lost the process's node, as we may have, may be back with it, as we are not yet: no reason to refuse
                // the name. If that node is out of reach, the monitor takes the name away.
                let held = self.lock_held_by(caller);
                self.note_change(caller, Op::Insert(named.clone()));
                self.insert_name(named, None, held);
                Term::atom("yes")
            }
            Question::RegisterExternal(named, on) => {
                let held = self.lock_held_by(caller);
                let mark = super::messages::External { name: named.name.clone(), pid: named.pid.clone(), on };
                self.insert_name(named, Some(mark), held);
                Term::atom("yes")
            }
            Question::Unregister(name) => {
                self.note_change(caller, Op::Delete(name.clone()));
                self.delete_name(&name);
                Term::atom("ok")
            }
            Question::Known => Term::list(
                self.peers.known().map(|(node, version)| Term::tuple([node.clone().into(), count(version)])),
            ),
            Question::Synced => Term::list(self.synced().map(|node| node.clone().into())),
            Question::Version => count(VERSION),
            Question::ExternalNames => Term::list(self.names.external().map(|external| external.to_term())),
            Question::Sync(nodes) => return self.sync_call(from, nodes),
            Question::Info => self.info(),
            Question::Disconnect => self.disconnect_all(),
            Question::Trace => Term::atom("no_trace"),
            Question::Stop => {
                // OTP's stops here, and its supervisor with it. Names are not ours alone: we go when the node goes.
                self.log(Level::Warning, format!("global: {caller} asked global_name_server to stop"));
                Term::atom("stopped")
            }
        };
        self.effect(Effect::Reply { to: from, reply });
    }

    /// A name server that we do not know counts us as one of its partition (who could have told us died): its names are
    /// not ours, or we alone of our partition would have them. We meet it soon, and get them then.
    fn not_for_us(&mut self, caller: &Pid, question: &Question) -> Option<Term> {
        let reply = match question {
            Question::Register(_) | Question::RegisterExternal(..) => "yes",
            Question::Unregister(_) => "ok",
            _ => return None,
        };
        let node = caller.node.name();
        if self.is_of_us(node) {
            return None;
        }
        self.log(
            Level::Info,
            format!("global: {node} changes a name here and is not in our partition, ignored"),
        );
        Some(Term::atom(reply))
    }

    /// Whether it is of our partition, or was a moment ago.
    pub(super) fn is_of_us(&self, node: &Atom) -> bool {
        let leaving = self.peers.get(node).is_some_and(|peer| peer.removing.is_some());
        *node == self.me || self.peers.is_known(node) || leaving
    }

    /// OTP's `#state{}`, as far as there is something to say.
    fn info(&self) -> Term {
        let node = |node: &Atom| Term::from(node.clone());
        let pair = |word: &str, other: &Atom| Term::tuple([Term::atom(word), node(other)]);
        let mut known: Vec<(Term, Term)> =
            self.peers.known().map(|(other, version)| (node(other), count(version))).collect();
        for (other, peer) in self.peers.iter() {
            if let Some(his) = peer.pending() {
                known.push((pair("pending", other), count(his.version)));
            }
            if peer.removing.is_some() {
                known.push((pair("removing", other), Term::atom("yes")));
            }
        }
        let prevented = truth(self.overlap.is_prevented());
        Term::tuple([
            Term::atom("state"),
            Term::tuple([Term::atom("conf"), truth(self.config.connect_all), prevented]),
            Term::Map(known.into_iter().collect::<Map>()),
            Term::list(self.synced().map(node)),
            Term::NIL,
            Term::NIL,
            node(&self.me),
            Term::Pid(self.config.locker.clone()),
            Term::Pid(self.config.registrar.clone()),
            Term::atom("no_trace"),
            truth(self.global_lock_down),
        ])
    }

    /// `global:disconnect/0`: from everybody, without a word about it to anybody.
    fn disconnect_all(&mut self) -> Term {
        let nodes: Vec<Atom> =
            self.peers.iter().filter(|(_, peer)| peer.up.is_some()).map(|(node, _)| node.clone()).collect();
        for node in &nodes {
            self.leave(node, Leave::Remove);
            self.effect(Effect::Disconnect { node: node.clone() });
        }
        Term::list(nodes.into_iter().map(Term::from))
    }
}

fn truth(yes: bool) -> Term {
    Term::atom(if yes { "true" } else { "false" })
}

fn count(number: u64) -> Term {
    Term::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
