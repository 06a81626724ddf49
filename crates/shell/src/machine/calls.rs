//! Calls: who is called, and how one comes back.

use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::{Term, Tuple};

use super::code::{After, Callee, Code, Native};
use super::funs::Closure;
use super::{Call, Machine, Module, Wait};
use crate::limits::{CALLS_DEEP_MAX, STACK_VALUES_MAX, TRACE_CALLS_MAX};
use crate::raise::{Class, Raise, Result};
use crate::world::World;

impl Machine {
    pub(super) fn call(
        &mut self,
        callee: &Callee,
        count: u8,
        tail: bool,
        world: &mut dyn World,
    ) -> Result<Option<Wait>> {
        match callee {
            Callee::Local(name) => {
                let module = self.now.module.clone();
                let found =
                    module.as_ref().and_then(|module| module.functions.get(&(name.clone(), count)).cloned());
                match found {
                    Some(code) => self.enter(code, module, count, tail).map(|()| None),
                    None => Err(Raise::undef(&self.now.code.module.clone(), name, &self.arguments(count))),
                }
            }
            Callee::Mfa(module, function) => self.call_mfa(module, function, count, tail, world),
            Callee::Remote => {
                let arguments = self.arguments(count);
                let (function, module) = (self.pop(), self.pop());
                self.stack.extend(arguments);
                match (&module, &function) {
                    (Term::Atom(module), Term::Atom(function)) => {
                        self.call_mfa(module, function, count, tail, world)
                    }
                    _ => Err(Raise::badarg().from_call(
                        &Atom::new("erlang"),
                        &Atom::new("apply"),
                        &[module, function, Term::list(self.arguments(count))],
                    )),
                }
            }
            Callee::Fun => {
                let arguments = self.arguments(count);
                let fun = self.pop();
                self.call_fun(fun, arguments, tail, world)
            }
        }
    }

    fn pop(&mut self) -> Term {
        self.stack.pop().unwrap_or(Term::NIL)
    }

    /// Takes the arguments off the stack.
    pub(super) fn arguments(&mut self, count: u8) -> Vec<Term> {
        let from = self.stack.len().saturating_sub(count.into());
        self.stack.split_off(from)
    }

    pub(super) fn call_fun(
        &mut self,
        fun: Term,
        arguments: Vec<Term>,
        tail: bool,
        world: &mut dyn World,
    ) -> Result<Option<Wait>> {
        match &fun {
            Term::Fun(inner) => {
                if usize::from(inner.arity) != arguments.len() {
                    let both = Term::Tuple(Tuple::from([fun.clone(), Term::list(arguments)]));
                    return Err(Raise::with("badarity", both));
                }
                let closure = self.closure(inner)?;
                let count = arguments.len() as u8;
                self.stack.extend(arguments);
                self.enter_closure(&closure, fun.clone(), count, tail)?;
                Ok(None)
            }
            Term::Export(export) => {
                if usize::from(export.arity) != arguments.len() {
                    let both = Term::Tuple(Tuple::from([fun.clone(), Term::list(arguments)]));
                    return Err(Raise::with("badarity", both));
                }
                let count = arguments.len() as u8;
                self.stack.extend(arguments);
                self.call_mfa(&export.module, &export.function, count, tail, world)
            }
            _ => Err(Raise::with("badfun", fun)),
        }
    }

    pub(super) fn call_mfa(
        &mut self,
        module: &Atom,
        function: &Atom,
        count: u8,
        tail: bool,
        world: &mut dyn World,
    ) -> Result<Option<Wait>> {
        let loaded = self.vm.module(module);
        if loaded.is_none()
            && let Some(native) = self.vm.library.native(module, function, count)
        {
            return self.call_native(native, module, function, count, tail, world);
        }
        if *function == *"module_info"
            && count <= 1
            && let Some(info) = loaded.as_ref().map(|module| info(module))
        {
            let arguments = self.arguments(count);
            let value = match arguments.first() {
                None => info,
                Some(key) => crate::library::keyfind(key, &info).ok_or_else(Raise::badarg)?,
            };
            self.stack.push(value);
            return Ok(None);
        }
        let known = loaded.is_some();
        if let Some(module) = loaded.or_else(|| self.vm.own(module)) {
            let key = (function.clone(), count);
            if let Some(code) = module.functions.get(&key).filter(|_| module.exports.contains(&key)) {
                return self.enter(code.clone(), Some(module.clone()), count, tail).map(|()| None);
            }
        }
        let arguments = self.arguments(count);
        if !known {
            if let Some(answer) = world.ask(module, function, &arguments) {
                match answer {
                    Ok(value) => self.stack.push(value),
                    Err(raise) => return Err(raise.from_call(module, function, &arguments)),
                }
                return Ok(None);
            }
            if world.is_exported(module, function, count) {
                return Ok(Some(Wait::Apply(module.clone(), function.clone(), arguments)));
            }
            // As OTP's error handler does: the first call of a module loads it.
            if let Some(module) = self.vm.find(module) {
                let key = (function.clone(), count);
                if let Some(code) = module.functions.get(&key).filter(|_| module.exports.contains(&key)) {
                    self.stack.extend(arguments);
                    return self.enter(code.clone(), Some(module.clone()), count, tail).map(|()| None);
                }
            }
        }
        Err(Raise::undef(module, function, &arguments))
    }

    fn call_native(
        &mut self,
        native: Native,
        module: &Atom,
        function: &Atom,
        count: u8,
        tail: bool,
        world: &mut dyn World,
    ) -> Result<Option<Wait>> {
        let from = self.stack.len().saturating_sub(count.into());
        let value = match native {
            Native::Pure(f) => f(&self.stack[from..]),
            Native::Process(f) => f(world, &self.stack[from..]),
            Native::Step(f) => {
                let arguments = self.arguments(count);
                let again = arguments.clone();
                return match f(self, world, arguments) {
                    Ok(after) => self.after(after, tail, world),
                    Err(raise) => Err(raise.from_call(module, function, &again)),
                };
            }
        };
        match value {
            Ok(value) => {
                self.stack.truncate(from);
                self.made(&value);
                self.stack.push(value);
                Ok(None)
            }
            Err(raise) => Err(raise.from_call(module, function, &self.stack[from..])),
        }
    }

    fn after(&mut self, after: After, tail: bool, world: &mut dyn World) -> Result<Option<Wait>> {
        match after {
            After::Value(value) => {
                self.stack.push(value);
                Ok(None)
            }
            After::Fun(fun, arguments) => {
                if arguments.len() > 255 {
                    return Err(Raise::badarg());
                }
                self.call_fun(fun, arguments, tail, world)
            }
            After::Mfa(module, function, arguments) => {
                let Ok(count) = u8::try_from(arguments.len()) else { return Err(Raise::badarg()) };
                self.stack.extend(arguments);
                self.call_mfa(&module, &function, count, tail, world)
            }
            After::Wait(wait) => Ok(Some(wait)),
        }
    }

    /// Begins a function whose arguments lie on the stack.
    pub(super) fn enter(
        &mut self,
        code: Arc<Code>,
        module: Option<Arc<Module>>,
        count: u8,
        tail: bool,
    ) -> Result<()> {
        if self.calls.len() >= CALLS_DEEP_MAX || self.slots.len() + self.stack.len() >= STACK_VALUES_MAX {
            return Err(Raise::named("system_limit"));
        }
        let base = if tail { self.now.base } else { self.slots.len() };
        self.slots.truncate(base);
        let from = self.stack.len() - usize::from(count);
        self.slots.extend(self.stack.drain(from..));
        self.slots.resize(base + code.slots as usize, Term::NIL);
        let call = Call { code, module, at: 0, base };
        let before = std::mem::replace(&mut self.now, call);
        if !tail {
            self.calls.push(before);
        }
        Ok(())
    }

    fn enter_closure(&mut self, closure: &Arc<Closure>, fun: Term, count: u8, tail: bool) -> Result<()> {
        let proto = &closure.proto;
        self.enter(proto.code.clone(), closure.module.clone(), count, tail)?;
        let base = self.now.base;
        for ((_, _, inside), value) in proto.captures.iter().zip(&closure.values) {
            self.slots[base + *inside as usize] = value.clone();
        }
        if let Some((_, own)) = &proto.name {
            self.slots[base + *own as usize] = fun;
        }
        Ok(())
    }

    /// Goes back to who called; `false` when there is nobody.
    pub(super) fn leave(&mut self) -> bool {
        let Some(before) = self.calls.pop() else { return false };
        self.slots.truncate(self.now.base);
        self.now = before;
        true
    }

    /// Goes on where somebody catches; what is raised when nobody does.
    pub(super) fn unwind(&mut self, mut raise: Box<Raise>) -> Option<Box<Raise>> {
        if !raise.traced {
            raise.traced = true;
            self.trace(&mut raise.trace);
        }
        let Some(handler) = self.handlers.pop() else { return Some(raise) };
        while self.calls.len() > handler.calls {
            self.leave();
        }
        self.stack.truncate(handler.stack);
        self.iters.truncate(handler.iters);
        self.gathers.truncate(handler.gathers);
        self.now.at = handler.label as usize;
        let Raise { class, reason, trace, .. } = *raise;
        self.stack.push(Term::atom(class.as_str()));
        self.stack.push(reason);
        self.stack.push(Term::list(trace));
        None
    }

    /// The calls there are, the latest first.
    pub(super) fn trace(&self, trace: &mut Vec<Term>) {
        for call in std::iter::once(&self.now).chain(self.calls.iter().rev()) {
            if trace.len() >= TRACE_CALLS_MAX {
                return;
            }
            let code = &call.code;
            if code.name == *"-entry-" || code.name == *"-shell-" || code.module == *"erl_eval" {
                continue;
            }
            let line = code.lines.get(call.at.saturating_sub(1)).copied().unwrap_or(0);
            let file = Term::string(&format!("{}.erl", code.module.as_str()));
            let info = Term::list([
                Term::tuple([Term::atom("file"), file]),
                Term::tuple([Term::atom("line"), Term::Int(line.into())]),
            ]);
            trace.push(Term::tuple([
                code.module.clone().into(),
                code.name.clone().into(),
                Term::Int(code.arity.into()),
                info,
            ]));
        }
    }

    /// What was caught, as `catch` gives it.
    pub(super) fn caught(&mut self) {
        let (trace, reason, class) = (self.pop(), self.pop(), self.pop());
        let exit = |reason| Term::tuple([Term::atom("EXIT"), reason]);
        let value = match Class::read(&class) {
            Some(Class::Throw) => reason,
            Some(Class::Exit) => exit(reason),
            _ => exit(Term::tuple([reason, trace])),
        };
        self.stack.push(value);
    }

    /// Raises what lies on the stack as `{Class, Reason, Trace}`.
    pub(super) fn reraise(&mut self) -> Box<Raise> {
        let three = self.pop();
        let Some([class, reason, trace]) = three.as_tuple() else { return Raise::badarg() };
        let trace = trace.as_list().map(|list| list.iter().collect()).unwrap_or_default();
        let class = Class::read(class).unwrap_or(Class::Error);
        Box::new(Raise { class, reason: reason.clone(), trace, traced: true, own: false, cause: None })
    }
}

fn source(file: &std::path::Path) -> Term {
    Term::tuple([Term::atom("source"), Term::string(&file.to_string_lossy())])
}

/// `module_info/0` of a loaded module.
fn info(module: &Module) -> Term {
    let own = [(Atom::new("module_info"), 0), (Atom::new("module_info"), 1)];
    let functions = module
        .exports
        .iter()
        .chain(&own)
        .map(|(name, arity)| Term::tuple([name.clone().into(), Term::Int((*arity).into())]));
    let attributes =
        module.attributes.iter().map(|(name, value)| Term::tuple([name.clone().into(), value.clone()]));
    let pair = |key: &str, value: Term| Term::tuple([Term::atom(key), value]);
    Term::list([
        pair("module", module.name.clone().into()),
        pair("exports", Term::list(functions)),
        pair("attributes", Term::list(attributes)),
        pair("compile", Term::list(module.file.as_deref().map(source))),
        pair("md5", Term::Binary(module.md5.to_vec().into())),
    ])
}
