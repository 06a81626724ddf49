//! Rust functions that other nodes, and this one, can call by module, name and number of arguments.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use runtime::{Exit, ExportedFn, Node};
use term::{Atom, FromTerm, IntoTerm, Mismatch, Term};

/// A function of up to six arguments, each of which can be read from a term, whose value is a term.
///
/// Implemented for closures and functions; nobody needs to implement it.
pub trait Function<Args>: Send + Sync + 'static {
    /// How many arguments it takes.
    const ARITY: u8;

    /// Calls it.
    ///
    /// # Errors
    /// When an argument does not read as what the function takes.
    fn call(&self, arguments: &[Term]) -> Result<Term, Mismatch>;
}

/// An async function of up to six arguments. See [`Function`].
pub trait AsyncFunction<Args>: Send + Sync + 'static {
    /// How many arguments it takes.
    const ARITY: u8;

    /// Calls it.
    ///
    /// # Errors
    /// When an argument does not read as what the function takes.
    fn call(&self, arguments: &[Term]) -> Result<Pin<Box<dyn Future<Output = Term> + Send>>, Mismatch>;
}

macro_rules! arities {
    ($($arity:literal: $($arg:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<F, R, $($arg),*> Function<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
            R: IntoTerm,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, arguments: &[Term]) -> Result<Term, Mismatch> {
                let [$($arg),*] = arguments else { return Err(Mismatch { expected: "another number of arguments" }) };
                $(let $arg = <$arg as FromTerm>::from_term($arg)?;)*
                Ok(self($($arg),*).into_term())
            }
        }

        #[allow(non_snake_case)]
        impl<F, Fut, $($arg),*> AsyncFunction<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoTerm,
            $($arg: FromTerm,)*
        {
            const ARITY: u8 = $arity;

            fn call(&self, arguments: &[Term]) -> Result<Pin<Box<dyn Future<Output = Term> + Send>>, Mismatch> {
                let [$($arg),*] = arguments else { return Err(Mismatch { expected: "another number of arguments" }) };
                $(let $arg = <$arg as FromTerm>::from_term($arg)?;)*
                let running = self($($arg),*);
                Ok(Box::pin(async move { running.await.into_term() }))
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
}

/// Lets other nodes call `function` as `module:name/N`: by `rpc:call`, `erpc:call`, or by spawning it.
///
/// A call with arguments that do not fit fails with `function_clause`, as it would in Erlang.
pub fn export<Args>(node: &Node, module: &str, name: &str, function: impl Function<Args>) {
    fn arity<Args, F: Function<Args>>(_: &F) -> u8 {
        F::ARITY
    }
    let arity = arity(&function);
    let (module, name) = (Atom::new(module), Atom::new(name));
    let function = Arc::new(function);
    let (m, f) = (module.clone(), name.clone());
    let body: ExportedFn = Arc::new(move |_ctx, arguments| {
        let (function, m, f) = (function.clone(), m.clone(), f.clone());
        // Called when the process runs, so that a panic is the end of that process.
        Box::pin(async move { function.call(&arguments).map_err(|_| function_clause(m, f, arguments)) })
    });
    node.export(module, name, Some(arity), body);
}

/// As [`export`], for an async function.
pub fn export_async<Args>(node: &Node, module: &str, name: &str, function: impl AsyncFunction<Args>) {
    fn arity<Args, F: AsyncFunction<Args>>(_: &F) -> u8 {
        F::ARITY
    }
    let arity = arity(&function);
    let (module, name) = (Atom::new(module), Atom::new(name));
    let function = Arc::new(function);
    let (m, f) = (module.clone(), name.clone());
    let body: ExportedFn = Arc::new(move |_ctx, arguments| {
        let (function, m, f) = (function.clone(), m.clone(), f.clone());
        Box::pin(async move {
            match function.call(&arguments) {
                Ok(running) => Ok(running.await),
                Err(_) => Err(function_clause(m, f, arguments)),
            }
        })
    });
    node.export(module, name, Some(arity), body);
}

/// `{function_clause, [{Module, Function, Arguments, []}]}`.
pub(super) fn function_clause(module: Atom, function: Atom, arguments: Vec<Term>) -> Exit {
    failure("function_clause", module, function, arguments)
}

/// `{Reason, [{Module, Function, Arguments, []}]}`: what a process exits with that met an error.
pub(crate) fn failure(reason: &str, module: Atom, function: Atom, arguments: Vec<Term>) -> Exit {
    let call = Term::tuple([Term::Atom(module), Term::Atom(function), Term::list(arguments), Term::NIL]);
    Exit(Term::tuple([Term::atom(reason), Term::list([call])]))
}
