//! Somebody in a story: a node of OTP or of ours that does what the story says, with one process whose mailbox counts.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use trunkline::global::{self, Resolver};
use trunkline::net_kernel::{self, WatchOptions};
use trunkline::{Atom, Ctx, Node, Pid, Term};

use crate::erl::{Erl, quoted};
use crate::world::{self, t};

/// A node in a story.
pub struct Player {
    /// Its name.
    pub name: String,
    life: Life,
}

enum Life {
    Otp(Box<Erl>),
    Ours { node: Node, shell: Pid, mail: UnboundedReceiver<Term> },
}

/// How long a message may take that the story waits for.
const MAIL_TIME: Duration = Duration::from_secs(10);

impl Player {
    /// A node called `role` and something unique, of ours or of OTP's.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(role: &str, ours: bool, epmd: u16) -> Player {
        let name = world::unique(role);
        if !ours {
            let life = Life::Otp(Box::new(Erl::start(&name, epmd, &[])));
            return Player { name, life };
        }
        let node = world::node(&name, epmd).start().await.expect("our node starts");
        let (sender, mail) = unbounded_channel();
        let shell = node.spawn(move |mut ctx: Ctx| async move {
            loop {
                let message: Term = ctx.receive().await;
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Player { name, life: Life::Ours { node, shell, mail } }
    }

    /// Ends it as `kill -9` would, as far as others can tell.
    pub async fn end(self) {
        if let Life::Ours { node, .. } = self.life {
            node.shutdown().await;
        }
    }

    /// `net_kernel:connect_node(Peer)`.
    pub async fn connect(&mut self, peer: &str) -> bool {
        match &mut self.life {
            Life::Otp(erl) => erl.eval(&format!("net_kernel:connect_node({})", quoted(peer))) == "true",
            Life::Ours { node, .. } => node.connect(peer).await.is_ok(),
        }
    }

    /// `lists:sort(nodes())`.
    pub fn nodes(&mut self) -> Vec<String> {
        let mut names: Vec<String> = match &mut self.life {
            Life::Otp(erl) => {
                let list = t(&erl.eval("nodes()"));
                let list = list.as_list().expect("a list");
                list.iter().filter_map(|name| Some(name.as_atom()?.to_string())).collect()
            }
            Life::Ours { node, .. } => node.nodes().iter().map(ToString::to_string).collect(),
        };
        names.sort();
        names
    }

    /// `net_kernel:monitor_nodes(true)`.
    pub fn monitor_nodes(&mut self) {
        match &mut self.life {
            Life::Otp(erl) => erl.check("net_kernel:monitor_nodes(true)", "ok"),
            Life::Ours { node, shell, .. } => net_kernel::monitor_nodes(node, shell, WatchOptions::default()),
        }
    }

    /// `global:register_name(Name, self(), fun global:Method/3)`.
    pub async fn register(&mut self, name: &str, method: &str) -> bool {
        match &mut self.life {
            Life::Otp(erl) => {
                erl.eval(&format!("global:register_name({name}, self(), fun global:{method}/3)")) == "yes"
            }
            Life::Ours { node, shell, .. } => {
                global::register_with(node, t(name), shell, &resolver(method)).await
            }
        }
    }

    /// The same for a process that only waits for `stop`.
    pub async fn register_other(&mut self, name: &str, method: &str) -> bool {
        match &mut self.life {
            Life::Otp(erl) => {
                let waiter = "spawn(fun F() -> receive stop -> ok; _ -> F() end end)";
                erl.eval(&format!("global:register_name({name}, {waiter}, fun global:{method}/3)")) == "yes"
            }
            Life::Ours { node, .. } => {
                global::register_with(node, t(name), &waiter(node), &resolver(method)).await
            }
        }
    }

    /// The same, settled by a function of one's own: who lives on `favourite` stays.
    pub async fn register_favouring(&mut self, name: &str, favourite: &str) -> bool {
        match &mut self.life {
            Life::Otp(erl) => {
                let favourite = quoted(favourite);
                let method = format!("fun(_, P, _) when node(P) =:= {favourite} -> P; (_, _, P) -> P end");
                let waiter = "spawn(fun() -> receive stop -> ok end end)";
                erl.eval(&format!("global:register_name({name}, {waiter}, {method})")) == "yes"
            }
            Life::Ours { node, .. } => {
                let favourite = Atom::new(favourite);
                let method = Resolver::closure(node, "favour", move |_, theirs, ours| {
                    Some(if *theirs.node.name() == favourite { theirs } else { ours }.clone())
                });
                global::register_with(node, t(name), &waiter(node), &method).await
            }
        }
    }

    /// `global:re_register_name(Name, self())`.
    pub async fn re_register(&mut self, name: &str) {
        match &mut self.life {
            Life::Otp(erl) => erl.check(&format!("global:re_register_name({name}, self())"), "yes"),
            Life::Ours { node, shell, .. } => global::re_register(node, t(name), shell).await,
        }
    }

    /// `global:unregister_name(Name)`.
    pub async fn unregister(&mut self, name: &str) {
        match &mut self.life {
            Life::Otp(erl) => {
                erl.eval(&format!("global:unregister_name({name})"));
            }
            Life::Ours { node, .. } => global::unregister(node, t(name)).await,
        }
    }

    /// `node(global:whereis_name(Name))`, or `undefined`.
    pub fn home(&mut self, name: &str) -> String {
        match &mut self.life {
            Life::Otp(erl) => {
                let asked =
                    format!("(fun(undefined) -> undefined; (P) -> node(P) end)(global:whereis_name({name}))");
                t(&erl.eval(&asked)).as_atom().expect("an atom").to_string()
            }
            Life::Ours { node, .. } => match global::whereis(node, t(name)) {
                Some(pid) => pid.node.name().to_string(),
                None => "undefined".to_owned(),
            },
        }
    }

    /// `global:send(Name, Word)`.
    pub async fn send(&mut self, name: &str, word: &str) {
        match &mut self.life {
            Life::Otp(erl) => erl.check(&format!("global:send({name}, {word}), ok"), "ok"),
            Life::Ours { node, .. } => {
                let (name, word) = (t(name), t(word));
                let sent = node.run(|mut ctx| async move { global::send(&mut ctx, name, word) }).await;
                assert!(sent.is_some(), "somebody has the name");
            }
        }
    }

    /// `lists:sort(global:registered_names())`, printed.
    pub fn names(&mut self) -> String {
        match &mut self.life {
            Life::Otp(erl) => erl.eval("lists:sort(global:registered_names())"),
            Life::Ours { node, .. } => format!("{:?}", Term::list(global::registered_names(node))),
        }
    }

    /// The next message; `late` when none comes.
    pub async fn hears(&mut self) -> Term {
        match &mut self.life {
            Life::Otp(erl) => {
                let reduce = "fun({W, N, P}) when is_pid(P) -> {W, N, node(P)}; (M) -> M end";
                t(&erl.eval(&format!("({reduce})((fun() -> receive M -> M after 10000 -> late end end)())")))
            }
            Life::Ours { mail, .. } => {
                let message = tokio::time::timeout(MAIL_TIME, mail.recv()).await;
                let message = message.ok().flatten().unwrap_or_else(|| Term::atom("late"));
                match message.as_tuple() {
                    Some([word, name, Term::Pid(pid)]) => {
                        Term::tuple([word.clone(), name.clone(), Term::Atom(pid.node.name().clone())])
                    }
                    _ => message,
                }
            }
        }
    }
}

fn resolver(method: &str) -> Resolver {
    match method {
        "notify_all_name" => Resolver::notify_all(),
        "random_notify_name" => Resolver::random_notify(),
        _ => Resolver::random_exit(),
    }
}

/// Ends when it hears `stop`.
fn waiter(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move { while !ctx.receive::<Term>().await.is_atom("stop") {} })
}
