//! Rust functions that other nodes, and this one, can call by module, name and number of arguments.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, FromTerm, Term};

use super::raise::{Answer, Raise, read};

/// A function of up to eight arguments, each of which can be read from a term, whose value is a term. A `&mut Ctx` may stand
/// before them: the process in which the function runs, whose group leader is its caller's.
///
/// Implemented for closures and functions; nobody needs to implement it. `Kind` tells the shapes of functions apart, and is
/// always inferred. What a function may return: see [`Answer`].
pub trait Function<Kind>: Send + Sync + 'static {
    /// How many arguments it takes.
    const ARITY: u8;

    /// Calls it.
    ///
    /// # Errors
    /// What it raises; [`Raise::Unfit`] when an argument does not read as what the function takes.
    fn call(&self, ctx: &mut Ctx, arguments: &[Term]) -> Result<Term, Raise>;
}

/// An async function of up to eight arguments. A [`Ctx`] may stand before them. See [`Function`].
pub trait AsyncFunction<Kind>: Send + Sync + 'static {
    /// How many arguments it takes.
    const ARITY: u8;

    /// Calls it.
    ///
    /// # Errors
    /// As [`Function::call`].
    fn call(&self, ctx: Ctx, arguments: &[Term]) -> Result<Running, Raise>;
}

/// A function that was called, and runs.
pub type Running = Pin<Box<dyn Future<Output = Result<Term, Raise>> + Send>>;

/// The function takes the process it runs in, before its arguments.
pub enum WithCtx {}

macro_rules! arities {
    ($($arity:literal: $($arg:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<F, K, R, $($arg),*> Function<(K, ($($arg,)*))> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
            R: Answer<K>,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, _ctx: &mut Ctx, arguments: &[Term]) -> Result<Term, Raise> {
                let [$($arg),*] = arguments else { return Err(Raise::Unfit) };
                $(let $arg = read::<$arg>($arg)?;)*
                self($($arg),*).answer()
            }
        }

        #[allow(non_snake_case)]
        impl<F, K, R, $($arg),*> Function<(WithCtx, K, ($($arg,)*))> for F
        where
            F: Fn(&mut Ctx, $($arg),*) -> R + Send + Sync + 'static,
            R: Answer<K>,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, ctx: &mut Ctx, arguments: &[Term]) -> Result<Term, Raise> {
                let [$($arg),*] = arguments else { return Err(Raise::Unfit) };
                $(let $arg = read::<$arg>($arg)?;)*
                self(ctx, $($arg),*).answer()
            }
        }

        #[allow(non_snake_case)]
        impl<F, K, Fut, $($arg),*> AsyncFunction<(K, ($($arg,)*))> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: Answer<K>,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, ctx: Ctx, arguments: &[Term]) -> Result<Running, Raise> {
                let [$($arg),*] = arguments else { return Err(Raise::Unfit) };
                $(let $arg = read::<$arg>($arg)?;)*
                let running = self($($arg),*);
                Ok(Box::pin(async move {
                    let _ctx = ctx;
                    running.await.answer()
                }))
            }
        }

        #[allow(non_snake_case)]
        impl<F, K, Fut, $($arg),*> AsyncFunction<(WithCtx, K, ($($arg,)*))> for F
        where
            F: Fn(Ctx, $($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: Answer<K>,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, ctx: Ctx, arguments: &[Term]) -> Result<Running, Raise> {
                let [$($arg),*] = arguments else { return Err(Raise::Unfit) };
                $(let $arg = read::<$arg>($arg)?;)*
                let running = self(ctx, $($arg),*);
                Ok(Box::pin(async move { running.await.answer() }))
            }
        }
    )*};
}

arities! {
    0: ;
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E G;
    7: A B C D E G H;
    8: A B C D E G H I;
}

/// Lets other nodes call `function` as `module:name/N`: by `rpc:call`, `erpc:call`, or by spawning it.
///
/// The function runs in a process of its own, whose group leader is its caller's. Arguments that do not fit are the error
/// `function_clause`, as they would be in Erlang (`badarg` in the module `erlang`), another number of them is `undef`.
/// What it returns is its value; with a `Result<_, Raise>` it throws, exits or fails on purpose. A panic is the error
/// `{panic, <<"message">>}`, and its stack says in which file and line.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use trunkline_kernel as kernel;
/// use kernel::rpc::{self, Raise};
/// use runtime::Ctx;
///
/// let node = kernel::Node::alone();
/// rpc::export(&node, "math", "add", |a: i64, b: i64| a + b);
/// rpc::export(&node, "math", "half", |a: i64| if a % 2 == 0 { Ok(a / 2) } else { Err(Raise::error("odd")) });
/// rpc::export(&node, "who", "are_you", |ctx: &mut Ctx| ctx.pid());
/// assert_eq!(rpc::call::<i64>(&node, node.name(), "math", "half", (8,)).await, Ok(4));
/// # }
/// ```
pub fn export<Kind>(node: &Node, module: &str, name: &str, function: impl Function<Kind>) {
    fn arity<Kind, F: Function<Kind>>(_: &F) -> u8 {
        F::ARITY
    }
    let arity = arity(&function);
    // Called when the process runs, so that a panic is the end of that process.
    let function = Arc::new(function);
    export_running(node, module, name, arity, move |mut ctx, arguments| {
        let function = function.clone();
        Box::pin(async move { function.call(&mut ctx, &arguments) })
    });
}

/// As [`export`], for an async function. With a [`Ctx`] as its first argument it can receive, link and spawn.
pub fn export_async<Kind>(node: &Node, module: &str, name: &str, function: impl AsyncFunction<Kind>) {
    fn arity<Kind, F: AsyncFunction<Kind>>(_: &F) -> u8 {
        F::ARITY
    }
    let arity = arity(&function);
    let function = Arc::new(function);
    export_running(node, module, name, arity, move |ctx, arguments| {
        let function = function.clone();
        Box::pin(async move { function.call(ctx, &arguments)?.await })
    });
}

/// Exports what takes its process and its arguments as they come.
#[doc(hidden)]
pub fn export_running(
    node: &Node,
    module: &str,
    name: &str,
    arity: u8,
    body: impl Fn(Ctx, Vec<Term>) -> Running + Send + Sync + 'static,
) {
    let (module, name) = (Atom::new(module), Atom::new(name));
    let (m, f) = (module.clone(), name.clone());
    let body: ExportedFn = Arc::new(move |ctx, arguments| {
        let (m, f) = (m.clone(), f.clone());
        let running = body(ctx, arguments.clone());
        Box::pin(async move { running.await.map_err(|raise| raise.uncaught(m, f, arguments)) })
    });
    node.export(module, name, Some(arity), body);
}

/// `{Reason, [{Module, Function, Arguments, []}]}`: what a process exits with that met an error.
pub(crate) fn failure(reason: &str, module: Atom, function: Atom, arguments: Vec<Term>) -> Exit {
    Raise::Refuse(Term::atom(reason)).uncaught(module, function, arguments)
}
