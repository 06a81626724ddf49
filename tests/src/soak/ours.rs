//! What a node of ours does in the soak: the same words as `erl/soaker.erl` knows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use trunkline::net_kernel::Kind;
use trunkline::{Atom, Ctx, Node, Pid, Term, global, pg, rpc};

/// A node and what it was told to do.
#[derive(Clone)]
pub struct Soaker {
    node: Node,
    outcomes: Arc<Mutex<BTreeMap<i64, Term>>>,
}

const CALL_TIME: Duration = Duration::from_secs(3);

impl Soaker {
    /// Exports what others call, and starts pg.
    ///
    /// # Panics
    /// When pg runs already.
    pub fn start(node: Node) -> Soaker {
        pg::start(&node, "pg").expect("pg starts");
        node.export_async("soaker", "nap", |millis: u64| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Term::atom("napped")
        });
        let home = node.clone();
        node.export("soaker", "sleeper", move || sleeper(&home));
        Soaker { node, outcomes: Arc::default() }
    }

    /// The value of `soaker:FUNCTION(ARGUMENTS).` or `node().`, printed.
    ///
    /// # Panics
    /// When it is anything else.
    pub fn answer(&self, line: &str) -> String {
        let line = line.trim().trim_end_matches('.');
        if line == "node()" {
            return crate::erl::quoted(self.node.name().as_str());
        }
        let call = line.strip_prefix("soaker:").and_then(|call| call.strip_suffix(')')?.split_once('('));
        let (function, arguments) = call.unwrap_or_else(|| panic!("{line:?} is no call of soaker"));
        let arguments = crate::world::t(&format!("[{arguments}]"));
        let arguments: Vec<Term> = arguments.as_list().map(|list| list.iter().collect()).unwrap_or_default();
        let value = match (function, &arguments[..]) {
            ("do", [Term::Int(id), what]) => self.begin(*id, what.clone()),
            ("outcomes", []) => Term::list(self.outcomes().values().cloned()),
            ("state", []) => self.state(),
            ("troubles", []) => Term::list(self.outcomes().values().filter(|done| is_waiting(done)).cloned()),
            _ => panic!("soaker has no {line:?}"),
        };
        format!("{value:?}")
    }

    fn outcomes(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Term>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: i64, what: Term) -> Term {
        self.outcomes().insert(id, Term::tuple([Term::Int(id), Term::atom("waiting"), what.clone()]));
        let soaker = self.clone();
        self.node.spawn(move |mut ctx: Ctx| async move {
            let begun = ctx.node().now();
            let result = soaker.op(&mut ctx, &what).await;
            let took = Term::Int((ctx.node().now() - begun).as_millis() as i64);
            soaker.outcomes().insert(id, Term::tuple([Term::Int(id), result, took]));
        });
        Term::atom("ok")
    }

    async fn op(&self, ctx: &mut Ctx, what: &Term) -> Term {
        let node = &self.node;
        let parts = what.as_tuple().expect("a tuple");
        let (word, name) = (parts[0].as_atom().expect("a word").as_str().to_owned(), parts[1].clone());
        let peer = || parts[1].as_atom().expect("a node").clone();
        let millis = || Duration::from_millis(parts[2].as_int().expect("milliseconds") as u64);
        match word.as_str() {
            "connect" => truth(node.connect(peer()).await.is_ok()),
            "disconnect" => truth(node.disconnect(peer()).await),
            "register" => self.register(name, sleeper(node)).await,
            "re_register" => {
                global::re_register(node, name, &sleeper(node)).await;
                Term::atom("yes")
            }
            "register_far" => {
                let far = parts[2].as_atom().expect("a node").clone();
                match rpc::call_within::<Pid>(node, far, "soaker", "sleeper", (), CALL_TIME).await {
                    Ok(pid) => self.register(name, pid).await,
                    Err(why) => Term::binary(&why.to_string()),
                }
            }
            "unregister" => {
                global::unregister(node, name).await;
                Term::atom("ok")
            }
            "kill" => match global::whereis(node, name) {
                Some(pid) => {
                    ctx.exit(&pid, Term::atom("kill"));
                    Term::atom("true")
                }
                None => Term::atom("undefined"),
            },
            "join" => truth(pg::join(node, name, sleeper(node)).is_ok()),
            "leave" => match pg::local_members(node, name.clone()).iter().next() {
                Some(pid) => truth(pg::leave(node, name, pid).is_ok()),
                None => Term::atom("nobody"),
            },
            "lock" => {
                let nodes: Vec<Atom> = std::iter::once(node.name().clone()).chain(node.nodes()).collect();
                let me = ctx.pid();
                if !global::set_lock(ctx, name.clone(), me.clone(), Some(&nodes), Some(3)).await {
                    return Term::atom("false");
                }
                tokio::time::sleep(millis()).await;
                global::del_lock(ctx, name, me, Some(&nodes)).await;
                Term::atom("true")
            }
            "call" | "erpc" => {
                let nap = (parts[2].clone(),);
                let answer = rpc::call_within::<Term>(node, peer(), "soaker", "nap", nap, CALL_TIME).await;
                answer.unwrap_or_else(|why| Term::binary(&why.to_string()))
            }
            "ask" => {
                let (me, reference) = (ctx.pid(), ctx.make_ref());
                let question = (Atom::new("ask"), me, reference.clone());
                if global::send(ctx, name, question).is_none() {
                    return Term::atom("nobody");
                }
                let answer = Term::tuple([Term::atom("answer"), Term::Ref(reference)]);
                let heard =
                    ctx.select_within(CALL_TIME, |message: &Term| (*message == answer).then_some(())).await;
                Term::atom(if heard.is_some() { "answered" } else { "silent" })
            }
            other => panic!("soaker does not know {other}"),
        }
    }

    async fn register(&self, name: Term, pid: Pid) -> Term {
        if global::register(&self.node, name, &pid).await {
            return Term::atom("yes");
        }
        self.node.run(move |ctx| async move { ctx.exit(&pid, Term::atom("kill")) }).await;
        Term::atom("no")
    }

    /// `{Nodes, Names, Groups}`, all sorted.
    fn state(&self) -> Term {
        let node = &self.node;
        let mut nodes = node.nodes_of(Kind::Visible);
        nodes.sort();
        let mut names: Vec<Term> = global::registered_names(node)
            .into_iter()
            .map(|name| {
                let pid = global::whereis(node, name.clone());
                Term::tuple([name, pid.map_or(Term::atom("undefined"), |pid| identity(&pid))])
            })
            .collect();
        names.sort_by(Term::cmp_exact);
        let mut groups: Vec<Term> = pg::which_groups(node)
            .into_iter()
            .map(|group| {
                let mut members: Vec<Term> = pg::members(node, group.clone()).iter().map(identity).collect();
                members.sort_by(Term::cmp_exact);
                Term::tuple([group, Term::list(members)])
            })
            .collect();
        groups.sort_by(Term::cmp_exact);
        Term::tuple([Term::list(nodes.into_iter().map(Term::Atom)), Term::list(names), Term::list(groups)])
    }
}

/// Whether this is an outcome that has not come yet.
fn is_waiting(outcome: &Term) -> bool {
    matches!(outcome.as_tuple(), Some([_, word, _]) if word.is_atom("waiting"))
}

/// Lives until it is killed, and answers who asks.
fn sleeper(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            if let Some([word, Term::Pid(from), reference]) = message.as_tuple()
                && word.is_atom("ask")
            {
                ctx.send(from, Term::tuple([Term::atom("answer"), reference.clone()]));
            }
        }
    })
}

/// A pid as all nodes write it.
fn identity(pid: &Pid) -> Term {
    Term::tuple([
        Term::Atom(pid.node.name().clone()),
        Term::Int(pid.id.into()),
        Term::Int(pid.serial.into()),
        Term::Int(pid.node.creation().into()),
    ])
}

fn truth(yes: bool) -> Term {
    Term::atom(if yes { "true" } else { "false" })
}
