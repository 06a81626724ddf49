//! The commands of the shell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use trunkline::term::print::Printer;
use trunkline::{Atom, Term};

use super::{End, Session};
use crate::code::Near;
use crate::machine::{Entry, Machine, run};
use crate::raise::{Class, Raise, Result};
use crate::world::{Commands, Pending, World, no_command};

/// A session that takes orders from the command it runs.
pub(super) struct Ordered<'a> {
    pub(super) session: &'a mut Session,
    /// Names to forget when the command is done.
    pub(super) forget: Vec<Atom>,
    pub(super) forget_all: bool,
    pub(super) end: Option<End>,
}

const HELP: &str = "\
** shell internal commands **
b()        -- display all variable bindings
e(N)       -- repeat the expression in query <N>
exit()     -- terminate the shell instance
f()        -- forget all variable bindings
f(X)       -- forget the binding of variable X
h()        -- history
rd(R,D)    -- define a record
rl()       -- display all record information
rr(File)   -- read record information from File
v(N)       -- use the value of query <N>
** commands in module c **
c(Mod)     -- read, check and load module or file <Mod>
cd(Dir)    -- change working directory
flush()    -- flush any messages sent to the shell
help()     -- help info
i()        -- information about the system
l(Module)  -- load or reload module
ls()       -- list files in the current directory
ls(Dir)    -- list files in directory <Dir>
m()        -- which modules are loaded
nodes()    -- the nodes this one is connected to
pid(X,Y,Z) -- convert X,Y,Z to a Pid
pwd()      -- print working directory
q()        -- quit - shorthand for init:stop()
regs()     -- information about registered processes
";

impl Commands for Ordered<'_> {
    fn command<'a>(
        &'a mut self,
        world: &'a mut dyn World,
        name: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>> {
        Box::pin(self.order(world, name, arguments))
    }
}

fn ok() -> Term {
    Term::atom("ok")
}

impl Ordered<'_> {
    async fn order(&mut self, world: &mut dyn World, name: Atom, arguments: Vec<Term>) -> Result<Term> {
        match (name.as_str(), arguments.as_slice()) {
            ("f", []) => {
                self.forget_all = true;
                Ok(ok())
            }
            ("f", [var]) => match var.as_tuple() {
                Some([tag, Term::Atom(name)]) if tag.is_atom("var") => {
                    self.forget.push(name.clone());
                    Ok(ok())
                }
                _ => Err(Raise::named("function_clause").from_call(&Atom::new("shell"), &name, &arguments)),
            },
            ("b", []) => self.say(world, |session, world| session.list_bindings(world)).await,
            ("h", []) => self.say(world, |session, world| session.list_history(world)).await,
            ("rl", []) => self.say(world, |session, _| session.list_records()).await,
            ("rf", []) => {
                self.session.records.clear();
                Ok(Term::NIL)
            }
            ("help", []) => world.write(None, HELP.to_owned()).await.map(|_| Term::atom("true")),
            ("flush", []) => flush(world).await,
            ("q", []) => self.ends(End::Node),
            ("halt", []) => self.ends(End::Halt(0)),
            ("exit", []) => self.ends(End::Shell),
            ("pid", [a, b, c]) => pid(world, a, b, c),
            ("pwd", []) => {
                let here = directory(std::env::current_dir())?;
                world.write(None, format!("{}\n", here.display())).await
            }
            ("cd", [to]) => {
                let to = file_name(to)?;
                let there = std::env::set_current_dir(&to).is_ok();
                let here = directory(std::env::current_dir())?;
                let text =
                    if there { here.display().to_string() } else { "cannot change directory".to_owned() };
                world.write(None, text + "\n").await
            }
            ("ls", []) => list_files(world, Path::new(".")).await,
            ("ls", [place]) => list_files(world, &file_name(place)?).await,
            ("rr", [file]) => self.read_records(file),
            ("v", [_]) | ("e", [_]) => Err(no_command(&name, arguments.len())),
            _ => self.elsewhere(world, name, arguments).await,
        }
    }

    /// Functions of `user_default`, and what the node has under `shell_default` or `c`.
    async fn elsewhere(&mut self, world: &mut dyn World, name: Atom, arguments: Vec<Term>) -> Result<Term> {
        let arity = arguments.len().min(255) as u8;
        for module in ["user_default", "shell_default", "c"] {
            let module = Atom::new(module);
            let vm = self.session.vm.clone();
            if vm.knows(&module, &name, arity)
                || module == *"user_default"
                    && vm.ensure_loaded(&module).is_some_and(|it| it.exports.contains(&(name.clone(), arity)))
            {
                let mut machine = Machine::new(vm, world.pid(), world.node());
                machine.start(Entry::Mfa(module, name, arguments));
                return run(&mut machine, world).await;
            }
            if world.is_exported(&module, &name, arity) {
                return world.apply(module, name, arguments).await;
            }
        }
        Err(no_command(&name, arguments.len()))
    }

    fn ends(&mut self, end: End) -> Result<Term> {
        self.end = Some(end);
        Err(Raise::new(Class::Exit, Term::atom("normal")))
    }

    async fn say(
        &mut self,
        world: &mut dyn World,
        text: impl FnOnce(&Session, &dyn World) -> String,
    ) -> Result<Term> {
        let text = text(self.session, world);
        world.write(None, text).await
    }

    fn read_records(&mut self, file: &Term) -> Result<Term> {
        if let Term::Atom(name) = file
            && let Some(module) = self.session.vm.module(name)
        {
            self.session.records.extend(module.records.clone());
            return Ok(Term::list(module.records.keys().cloned().map(Term::Atom)));
        }
        let path = file_name(file)?;
        let Ok(source) = std::fs::read_to_string(&path) else {
            return Ok(Term::tuple([Term::atom("error"), Term::atom("nofile")]));
        };
        let beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut near = Near { beside, includes: Vec::new(), path: self.session.vm.code_path() };
        let forms = crate::preprocess::forms(&source, &mut near)
            .map_err(|error| Raise::error(Term::binary(&error.to_string())))?;
        let mut names = Vec::new();
        for tokens in forms {
            if let Ok(crate::parser::Form::Attribute(_, crate::parser::Attribute::Record(record))) =
                crate::parser::form(&tokens)
            {
                names.push(Term::Atom(record.name.clone()));
                self.session.records.insert(record.name.clone(), record);
            }
        }
        names.sort();
        Ok(Term::list(names))
    }
}

impl Session {
    fn list_bindings(&self, world: &dyn World) -> String {
        let mut text = String::new();
        for (name, value) in &self.bindings {
            let shown = self.show(value, world);
            text.push_str(&format!("{} = {shown}\n", name.as_str()));
        }
        text
    }

    fn list_history(&self, world: &dyn World) -> String {
        let mut text = String::new();
        for (number, (_, value)) in &self.history {
            text.push_str(&format!("{number}: -> {}\n", self.show(value, world)));
        }
        text
    }

    fn list_records(&self) -> String {
        let mut text = String::new();
        for record in self.records.values() {
            let fields: Vec<&str> = record.fields.iter().map(|(_, name, _)| name.as_str()).collect();
            text.push_str(&format!("-record({},{{{}}}).\n", record.name.as_str(), fields.join(",")));
        }
        text
    }
}

async fn flush(world: &mut dyn World) -> Result<Term> {
    loop {
        let mut message = None;
        let mut take = |this: &Term| {
            message = Some(this.clone());
            true
        };
        world.receive(&mut take, Some(Duration::ZERO)).await;
        let Some(message) = message else { return Ok(ok()) };
        let shown = Printer::new(world.numbers()).pretty(&message);
        world.write(None, format!("Shell got {shown}\n")).await?;
    }
}

fn pid(world: &mut dyn World, a: &Term, b: &Term, c: &Term) -> Result<Term> {
    let text =
        crate::lexer::characters(&format!("<{a}.{b}.{c}>").chars().map(|c| c as u32).collect::<Vec<_>>());
    let answer = world.ask(&Atom::new("erlang"), &Atom::new("list_to_pid"), &[text]);
    answer.unwrap_or_else(|| Err(Raise::badarg()))
}

fn file_name(term: &Term) -> Result<PathBuf> {
    match term {
        Term::Atom(name) => Ok(PathBuf::from(name.as_str())),
        Term::Binary(name) => {
            std::str::from_utf8(name.as_slice()).map(PathBuf::from).map_err(|_| Raise::badarg())
        }
        other => crate::library::text(other).map(PathBuf::from),
    }
}

fn directory(path: std::io::Result<PathBuf>) -> Result<PathBuf> {
    path.map_err(|_| Raise::named("enoent"))
}

async fn list_files(world: &mut dyn World, place: &Path) -> Result<Term> {
    let Ok(entries) = std::fs::read_dir(place) else {
        return world.write(None, format!("{}: no such directory\n", place.display())).await;
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 5;
    let per_line = (80 / width.max(1)).max(1);
    let mut text = String::new();
    for row in names.chunks(per_line) {
        let row: String = row.iter().map(|name| format!("{name:<width$}")).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    world.write(None, text).await
}
