//! What behaviours know of the cluster: `{global, Name}`, and that a node with a name can ask.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use otp::place::{self, NameFuture, NameService};
use otp::request::Caller;
use otp::{Asker, CallError, ServerRef};
use term::{IntoTerm, Pid, Term};

use crate::global;

/// Makes `{global, Name}` work for servers of this node.
pub(crate) fn install(node: &runtime::Node) {
    place::install(node, "global", Arc::new(Global));
}

/// The cluster's names, as [`NameService`].
struct Global;

impl NameService for Global {
    fn whereis(&self, node: &runtime::Node, name: &Term) -> Option<Pid> {
        global::whereis(node, name.clone())
    }

    fn register<'a>(&'a self, node: &'a runtime::Node, name: &'a Term, pid: &'a Pid) -> NameFuture<'a, bool> {
        Box::pin(global::register(node, name.clone(), pid))
    }

    fn unregister<'a>(&'a self, node: &'a runtime::Node, name: &'a Term) -> NameFuture<'a, ()> {
        Box::pin(global::unregister(node, name.clone()))
    }
}

/// Asks from a process made for the purpose, as [`runtime::Node`] does.
impl Asker for &crate::Node {
    fn its_node(&self) -> runtime::Node {
        runtime::Node::clone(self)
    }

    fn its_pid(&self) -> Option<Pid> {
        None
    }

    fn ask<M>(
        self,
        to: ServerRef,
        question: impl FnOnce(Caller) -> M + Send + 'static,
        within: Option<Duration>,
    ) -> impl Future<Output = Result<Term, CallError>> + Send
    where
        M: IntoTerm + Send + 'static,
    {
        let node: &runtime::Node = self;
        node.ask(to, question, within)
    }

    fn tell(self, to: &ServerRef, message: impl IntoTerm + Send + 'static) {
        let node: &runtime::Node = self;
        node.tell(to, message);
    }
}
