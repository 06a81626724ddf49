//! The commands of the shell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use trunkline::term::print::Printer;
use trunkline::{Atom, Term};

use super::{End, Session};
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
history(N) -- set how many previous commands to keep
results(N) -- set how many previous command results to keep
catch_exception(B) -- how exceptions are handled
v(N)       -- use the value of query <N>
rd(R,D)    -- define a record
rf()       -- remove all record information
rf(R)      -- remove record information about R
rl()       -- display all record information
rl(R)      -- display record information about R
rp(Term)   -- display Term using the shell's record information
rr(File)   -- read record information from File
rr(F,R)    -- read selected record information from File
** commands in module c **
bt(Pid)    -- stack backtrace for a process
c(Mod)     -- read, check and load module or file <Mod>
cd(Dir)    -- change working directory
flush()    -- flush any messages sent to the shell
help()     -- help info
i()        -- information about the system
ni()       -- information about the networked system
i(X,Y,Z)   -- information about pid <X,Y,Z>
l(Module)  -- load or reload module
lc([File]) -- read a list of Erlang modules
ls()       -- list files in the current directory
ls(Dir)    -- list files in directory <Dir>
m()        -- which modules are loaded
m(Mod)     -- information about module <Mod>
memory()   -- memory allocation information
memory(T)  -- memory allocation information of type <T>
nl(Module) -- load module on all nodes
nodes()    -- the nodes this one is connected to
pid(X,Y,Z) -- convert X,Y,Z to a Pid
pwd()      -- print working directory
q()        -- quit - shorthand for init:stop()
regs()     -- information about registered processes
nregs()    -- information about all registered processes
uptime()   -- print node uptime
";

/// What `c` and `shell` have that needs the memory of a shell: `c:flush()` is `flush()`.
pub(super) const OWN: &[(&str, &[&str])] = &[
    ("c", &["cd", "flush", "help", "ls", "pwd", "q"]),
    ("shell", &["catch_exception", "history", "prompt_func", "results", "strings"]),
];

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
                _ => Err(no_clause("f", 1)),
            },
            ("b", []) => self.say(world, |session, world| session.list_bindings(world)).await,
            ("h", []) => self.say(world, |session, world| session.list_history(world)).await,
            ("rl", [] | [_]) => {
                let text = self.session.list_records(arguments.first(), world.numbers());
                world.write(None, text).await
            }
            ("rf", []) => {
                self.session.records.clear();
                Ok(Term::NIL)
            }
            ("rf", [named]) => {
                self.session.forget_records(named);
                Ok(ok())
            }
            ("rp", [value]) => {
                let text = self.session.show_whole(value, world.numbers()) + "\n";
                world.write(None, text).await
            }
            ("rd", [_, _]) => Err(no_clause("rd", 2)),
            ("history" | "results" | "catch_exception" | "strings" | "prompt_func", [value]) => {
                self.set(name.as_str(), value)
            }
            ("help", []) => world.write(None, HELP.to_owned()).await.map(|_| Term::atom("true")),
            ("flush", []) => flush(world).await,
            ("q", []) => self.ends(End::Node),
            ("halt", []) => self.ends(End::Halt(0)),
            ("exit", []) => self.ends(End::Shell),
            ("pwd", []) => {
                let here = directory(std::env::current_dir())?;
                world.write(None, format!("{}\n", here.display())).await
            }
            ("cd", [to]) => {
                // As in erl, where one is now tells whether it was done.
                let _ = std::env::set_current_dir(file_name(to)?);
                let here = directory(std::env::current_dir())?;
                world.write(None, format!("{}\n", here.display())).await
            }
            ("ls", []) => list_files(world, Path::new(".")).await,
            ("ls", [place]) => list_files(world, &file_name(place)?).await,
            ("rr", [file]) => self.session.read_records(file, None),
            ("rr", [file, named] | [file, named, _]) => self.session.read_records(file, Some(named)),
            ("v", [_]) | ("e", [_]) => Err(no_command(&name, arguments.len())),
            _ => self.elsewhere(world, name, arguments).await,
        }
    }

    /// Functions of `user_default`, and what the node has under `shell_default` or `c`.
    async fn elsewhere(&mut self, world: &mut dyn World, name: Atom, arguments: Vec<Term>) -> Result<Term> {
        let arity = arguments.len().min(255) as u8;
        for module in ["user_default", "shell_default", "c"] {
            let module = Atom::new(module);
            let vm = &self.session.vm;
            if vm.knows(&module, &name, arity)
                || module == *"user_default"
                    && vm.ensure_loaded(&module).is_some_and(|it| it.exports.contains(&(name.clone(), arity)))
            {
                return self.session.call(world, module.as_str(), name.as_str(), arguments).await;
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

    /// Settings: what was set before is the value.
    fn set(&mut self, name: &str, value: &Term) -> Result<Term> {
        let session = &mut *self.session;
        let count = value.as_int().and_then(|count| usize::try_from(count).ok());
        let truth = |before: bool| Term::atom(if before { "true" } else { "false" });
        let on = value.is_atom("true");
        match (name, count) {
            ("history", Some(count)) => Ok(Term::Int(session.memory.keep_commands(count) as i64)),
            ("results", Some(count)) => Ok(Term::Int(session.memory.keep_values(count) as i64)),
            ("catch_exception", _) if on || value.is_atom("false") => {
                Ok(truth(std::mem::replace(&mut session.catches, on)))
            }
            ("strings", _) if on || value.is_atom("false") => {
                Ok(truth(std::mem::replace(&mut session.strings, on)))
            }
            ("prompt_func", _) => {
                let prompter = match value.as_tuple() {
                    Some([Term::Atom(module), Term::Atom(function)]) => {
                        Some((module.clone(), function.clone()))
                    }
                    _ if value.is_atom("default") => None,
                    _ => return Err(Raise::badarg()),
                };
                session.prompt = None;
                let before = std::mem::replace(&mut session.prompter, prompter);
                Ok(before.map_or(Term::atom("default"), |(module, function)| {
                    Term::tuple([Term::Atom(module), Term::Atom(function)])
                }))
            }
            _ => Err(no_clause(name, 1)),
        }
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
}

/// `function_clause` of a command: `call to f/1`.
fn no_clause(name: &str, arity: i64) -> Box<Raise> {
    let mut raise = Raise::named("function_clause");
    raise.trace.push(Term::tuple([Term::atom(name), Term::Int(arity)]));
    raise.traced = true;
    raise
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

pub(super) fn file_name(term: &Term) -> Result<PathBuf> {
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

/// `ls/0,1`: names side by side, in columns of erl's width.
async fn list_files(world: &mut dyn World, place: &Path) -> Result<Term> {
    let mut names: Vec<String> = match std::fs::read_dir(place) {
        Ok(entries) => {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Err(_) if place.exists() => vec![place.display().to_string()],
        Err(_) => return world.write(None, "no such file or directory\n".to_owned()).await,
    };
    names.sort();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(40) + 5;
    let (mut text, mut column) = (String::new(), 0);
    for name in &names {
        if column + width >= 80 {
            text.push('\n');
            column = 0;
        }
        text.push_str(&format!("{name:<width$}"));
        column += width;
    }
    text.push('\n');
    world.write(None, text).await
}
