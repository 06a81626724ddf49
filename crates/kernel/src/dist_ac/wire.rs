//! The messages between the `dist_ac`s of nodes. (otp-protocols 11.2.)

use std::time::Duration;

use term::{Atom, Term};

use super::events::Standing;
use super::ladder::{Ladder, Rank, ranks_from, ranks_term, wait_term};

const VERSION: i64 = 1;

/// A message between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// `dist_ac_new_node`: an introduction, or the answer to one.
    NewNode { node: Atom, apps: Vec<Appl>, started: Vec<(Atom, Atom)> },
    /// `dist_ac_app_loaded`.
    Loaded { node: Atom, app: Atom, ranks: Vec<Rank>, permit: bool, knows_me: bool },
    /// `dist_ac_app_unloaded`.
    Unloaded { node: Atom, app: Atom },
    /// `dist_ac_app_started`.
    Started { node: Atom, app: Atom, result: Result<(), Term> },
    /// `dist_ac_app_stopped`.
    Stopped { app: Atom },
    /// `dist_ac_weight`.
    Weight { app: Atom, weight: i64, node: Atom },
    /// `dist_ac_new_permission`.
    NewPermission { node: Atom, app: Atom, allow: bool, is_his: bool },
}

/// What a node knows of an application: OTP's record `appl`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Appl {
    pub(crate) name: Atom,
    pub(crate) standing: Standing,
    pub(crate) wait: Option<Duration>,
    pub(crate) ranks: Vec<Rank>,
    /// Per node whether it may run there; nothing: not loaded there.
    pub(crate) run: Vec<(Atom, Option<bool>)>,
}

impl Message {
    /// The application it is about, when it is about one.
    pub(crate) fn app(&self) -> Option<&Atom> {
        match self {
            Message::NewNode { .. } => None,
            Message::Loaded { app, .. }
            | Message::Unloaded { app, .. }
            | Message::Started { app, .. }
            | Message::Stopped { app }
            | Message::Weight { app, .. }
            | Message::NewPermission { app, .. } => Some(app),
        }
    }

    /// Who speaks, when it says so.
    pub(crate) fn node(&self) -> Option<&Atom> {
        match self {
            Message::Stopped { .. } => None,
            Message::NewNode { node, .. }
            | Message::Loaded { node, .. }
            | Message::Unloaded { node, .. }
            | Message::Started { node, .. }
            | Message::Weight { node, .. }
            | Message::NewPermission { node, .. } => Some(node),
        }
    }

    /// Reads one; nothing when it is none, or malformed.
    pub(crate) fn read(term: &Term) -> Option<Message> {
        let (tag, rest) = term.as_tuple()?.split_first()?;
        match (tag.as_atom()?.as_str(), rest) {
            ("dist_ac_new_node", [_, Term::Atom(node), apps, started]) => Some(Message::NewNode {
                node: node.clone(),
                apps: items(apps)?.iter().filter_map(Appl::read).collect(),
                started: items(started)?.iter().filter_map(pair).collect(),
            }),
            ("dist_ac_app_loaded", [Term::Atom(node), Term::Atom(app), ranks, permit, knows_me]) => {
                Some(Message::Loaded {
                    node: node.clone(),
                    app: app.clone(),
                    ranks: ranks_from(ranks)?,
                    permit: boolean(permit)?,
                    knows_me: boolean(knows_me)?,
                })
            }
            ("dist_ac_app_unloaded", [Term::Atom(node), Term::Atom(app)]) => {
                Some(Message::Unloaded { node: node.clone(), app: app.clone() })
            }
            ("dist_ac_app_started", [Term::Atom(node), Term::Atom(app), result]) => {
                Some(Message::Started { node: node.clone(), app: app.clone(), result: outcome(result)? })
            }
            ("dist_ac_app_stopped", [Term::Atom(app)]) => Some(Message::Stopped { app: app.clone() }),
            ("dist_ac_weight", [Term::Atom(app), weight, Term::Atom(node)]) => {
                Some(Message::Weight { app: app.clone(), weight: weight.as_int()?, node: node.clone() })
            }
            ("dist_ac_new_permission", [Term::Atom(node), Term::Atom(app), allow, is_his]) => {
                Some(Message::NewPermission {
                    node: node.clone(),
                    app: app.clone(),
                    allow: boolean(allow)?,
                    is_his: boolean(is_his)?,
                })
            }
            _ => None,
        }
    }

    /// As it goes over the wire.
    pub(crate) fn to_term(&self) -> Term {
        let atom = |atom: &Atom| Term::Atom(atom.clone());
        let word = Term::atom;
        match self {
            Message::NewNode { node, apps, started } => Term::tuple([
                word("dist_ac_new_node"),
                Term::Int(VERSION),
                atom(node),
                Term::list(apps.iter().map(Appl::to_term)),
                Term::list(started.iter().map(|(node, app)| Term::tuple([atom(node), atom(app)]))),
            ]),
            Message::Loaded { node, app, ranks, permit, knows_me } => Term::tuple([
                word("dist_ac_app_loaded"),
                atom(node),
                atom(app),
                ranks_term(ranks),
                truth(*permit),
                truth(*knows_me),
            ]),
            Message::Unloaded { node, app } => {
                Term::tuple([word("dist_ac_app_unloaded"), atom(node), atom(app)])
            }
            Message::Started { node, app, result } => {
                Term::tuple([word("dist_ac_app_started"), atom(node), atom(app), outcome_term(result)])
            }
            Message::Stopped { app } => Term::tuple([word("dist_ac_app_stopped"), atom(app)]),
            Message::Weight { app, weight, node } => {
                Term::tuple([word("dist_ac_weight"), atom(app), Term::Int(*weight), atom(node)])
            }
            Message::NewPermission { node, app, allow, is_his } => Term::tuple([
                word("dist_ac_new_permission"),
                atom(node),
                atom(app),
                truth(*allow),
                truth(*is_his),
            ]),
        }
    }
}

impl Appl {
    pub(crate) fn read(term: &Term) -> Option<Appl> {
        let [tag, Term::Atom(name), standing, wait, ranks, run] = term.as_tuple()? else { return None };
        if !tag.is_atom("appl") {
            return None;
        }
        let spec = Term::tuple([Term::Atom(name.clone()), wait.clone(), ranks.clone()]);
        let (_, ladder) = Ladder::from_term(&spec)?;
        let run = items(run)?.iter().filter_map(permit_of).collect();
        Some(Appl {
            name: name.clone(),
            standing: Standing::read(standing),
            wait: ladder.patience(),
            ranks: ladder.ranks().to_vec(),
            run,
        })
    }

    pub(crate) fn to_term(&self) -> Term {
        let run = self.run.iter().map(|(node, permit)| {
            Term::tuple([Term::Atom(node.clone()), permit.map_or(Term::atom("undefined"), truth)])
        });
        Term::tuple([
            Term::atom("appl"),
            Term::Atom(self.name.clone()),
            self.standing.to_term(),
            wait_term(self.wait),
            ranks_term(&self.ranks),
            Term::list(run),
        ])
    }
}

impl Standing {
    /// What is not known to us does not count.
    fn read(term: &Term) -> Standing {
        match (term, term.as_tuple()) {
            (Term::Atom(word), _) => match word.as_str() {
                "local" => Standing::Local,
                "run_waiting" => Standing::RunWaiting,
                "takeover" => Standing::Takeover,
                _ => Standing::Undefined,
            },
            (_, Some([tag, Term::Atom(node)])) if tag.is_atom("distributed") => {
                Standing::Distributed(node.clone())
            }
            (_, Some([tag, Term::Atom(node)])) if tag.is_atom("failover") => Standing::Failover(node.clone()),
            _ => Standing::Undefined,
        }
    }

    pub(crate) fn to_term(&self) -> Term {
        let with = |tag, node: &Atom| Term::tuple([Term::atom(tag), Term::Atom(node.clone())]);
        match self {
            Standing::Undefined => Term::atom("undefined"),
            Standing::Local => Term::atom("local"),
            Standing::RunWaiting => Term::atom("run_waiting"),
            Standing::Takeover => Term::atom("takeover"),
            Standing::Distributed(node) => with("distributed", node),
            Standing::Failover(node) => with("failover", node),
        }
    }
}

fn items(term: &Term) -> Option<Vec<Term>> {
    let list = term.as_list().filter(|list| list.improper_tail().is_none())?;
    Some(list.iter().collect())
}

fn pair(term: &Term) -> Option<(Atom, Atom)> {
    match term.as_tuple()? {
        [Term::Atom(node), Term::Atom(app)] => Some((node.clone(), app.clone())),
        _ => None,
    }
}

fn permit_of(term: &Term) -> Option<(Atom, Option<bool>)> {
    match term.as_tuple()? {
        [Term::Atom(node), permit] => Some((node.clone(), boolean(permit))),
        _ => None,
    }
}

fn boolean(term: &Term) -> Option<bool> {
    match term.as_atom()?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn truth(so: bool) -> Term {
    Term::atom(if so { "true" } else { "false" })
}

fn outcome(term: &Term) -> Option<Result<(), Term>> {
    match term.as_tuple() {
        Some([tag, reason]) if tag.is_atom("error") => Some(Err(reason.clone())),
        None if term.is_atom("ok") => Some(Ok(())),
        _ => None,
    }
}

pub(crate) fn outcome_term(result: &Result<(), Term>) -> Term {
    match result {
        Ok(()) => Term::atom("ok"),
        Err(reason) => Term::tuple([Term::atom("error"), reason.clone()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use term::read::read_term;

    #[test]
    fn every_message_is_read_as_otp_writes_it_and_written_again() {
        for text in [
            "{dist_ac_new_node,1,a@h,[{appl,shop,undefined,1000,[a@h,{b@h,c@h}],[{a@h,true},{b@h,undefined}]}],[]}",
            "{dist_ac_new_node,1,a@h,[{appl,shop,{distributed,b@h},infinity,[a@h],[{a@h,false}]}],[{b@h,shop}]}",
            "{dist_ac_app_loaded,a@h,shop,[a@h,{b@h,c@h}],true,false}",
            "{dist_ac_app_unloaded,a@h,shop}",
            "{dist_ac_app_started,a@h,shop,ok}",
            "{dist_ac_app_started,a@h,shop,{error,boom}}",
            "{dist_ac_app_stopped,shop}",
            "{dist_ac_weight,shop,3,a@h}",
            "{dist_ac_new_permission,a@h,shop,false,true}",
        ] {
            let message = Message::read(&read_term(text).unwrap()).expect(text);
            assert_eq!(message.to_term().to_string(), text);
        }
    }

    #[test]
    fn what_is_malformed_is_no_message_and_what_is_half_right_keeps_its_right_half() {
        for text in [
            "dist_ac_weight",
            "{dist_ac_weight}",
            "{dist_ac_weight,shop,much,a}",
            "{dist_ac_weight,1,1,a}",
            "{dist_ac_weight,shop,1000000000000000000000,a}",
            "{dist_ac_app_loaded,a,shop,b,true,false}",
            "{dist_ac_app_loaded,a,shop,[b],maybe,false}",
            "{dist_ac_app_started,a,shop,yes}",
            "{dist_ac_new_node,1,a,nothing,[]}",
            "{dist_ac_new_node,1,a,[],[b|c]}",
            "{}",
            "{1}",
            "[]",
            "{dist_ac_app_stopped,\"shop\"}",
            "{dist_ac_new_permission,a,shop,1,2}",
        ] {
            assert_eq!(Message::read(&read_term(text).unwrap()), None, "{text}");
        }
        let half =
            "{dist_ac_new_node,9,a,[rubbish,{appl,s,odd,5,[a],[x,{a,7}]},{appl,s,u,soon,[],[]}],[1,{a,s}]}";
        let Some(Message::NewNode { apps, started, .. }) = Message::read(&read_term(half).unwrap()) else {
            panic!("not read")
        };
        assert_eq!((apps.len(), apps[0].run.len(), started.len()), (1, 1, 1));
    }
}
