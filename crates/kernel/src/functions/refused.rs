//! Modules that tools ask for and that cannot be here: tracing, and the shell's code. Whatever is called there, and with
//! whatever arguments, is `undef`, but for a few functions whose callers want another answer.

use term::Term;

use super::args::{self, error, ok, undefined};
use super::{Module, Near};

const NOTSUP: Near = |_, _| args::fail("notsup");

pub(super) const MODULES: &[Module] = &[
    // Nobody traces here.
    Module {
        name: "dbg",
        unfit: "badarg",
        near: &[
            ("start", 0, |_, _| Ok(error(Term::atom("notsup")))),
            ("tracer", 0, |_, _| Ok(error(Term::atom("notsup")))),
            ("tracer", 2, |_, _| Ok(error(Term::atom("notsup")))),
            ("p", 1, |_, _| Ok(error(Term::atom("notsup")))),
            ("p", 2, |_, _| Ok(error(Term::atom("notsup")))),
            ("get_tracer", 0, |_, _| Ok(error(Term::atom("not_started")))),
            ("stop", 0, |_, _| Ok(Term::atom("ok"))),
            // The tracer of who wants us traced waits for nothing else than these words; then it loses its relay.
            ("do_relay", 2, |ctx, a| {
                let parent = args::pid(&a[0])?;
                let me = Term::Pid(ctx.pid());
                ctx.send(parent, args::pair("started", me));
                Ok(Term::atom("ok"))
            }),
            // Since OTP 27 the name of a session comes first, and its handle is told.
            ("do_relay", 3, |ctx, a| {
                let parent = args::pid(&a[1])?;
                let session = Term::Ref(ctx.node().make_ref());
                let started = [Term::atom("started"), Term::Pid(ctx.pid()), session];
                ctx.send(parent, Term::tuple(started));
                Ok(Term::atom("ok"))
            }),
            ("stop_clear", 0, |_, _| Ok(Term::atom("ok"))),
        ],
        far: &[],
    },
    Module {
        name: "erlang",
        unfit: "badarg",
        near: &[
            ("trace", 3, NOTSUP),
            ("trace_pattern", 2, NOTSUP),
            ("trace_pattern", 3, NOTSUP),
            ("trace_info", 2, |_, a| {
                let item = args::atom(&a[1])?.as_str().to_owned();
                Ok(args::pair(&item, if item == "flags" { Term::NIL } else { undefined() }))
            }),
            ("open_port", 2, NOTSUP),
            ("load_nif", 2, |_, _| Ok(error(Term::tuple([Term::atom("notsup"), Term::string("no BEAM")])))),
            ("suspend_process", 1, NOTSUP),
            ("resume_process", 1, NOTSUP),
        ],
        far: &[],
    },
    Module {
        name: "seq_trace",
        unfit: "badarg",
        near: &[
            ("get_token", 0, |_, _| Ok(Term::NIL)),
            ("get_token", 1, |_, _| Ok(Term::NIL)),
            ("get_system_tracer", 0, |_, _| Ok(args::boolean(false))),
            ("set_system_tracer", 1, NOTSUP),
            ("reset_trace", 0, |_, _| Ok(args::boolean(true))),
        ],
        far: &[],
    },
    Module {
        name: "mnesia",
        unfit: "badarg",
        near: &[("system_info", 1, |_, a| match args::atom(&a[0])?.as_str() {
            "is_running" => Ok(Term::atom("no")),
            _ => Err(super::Fault::Exit(Term::tuple([
                Term::atom("aborted"),
                args::pair("node_not_running", Term::NIL),
            ]))),
        })],
        far: &[],
    },
    Module {
        name: "file",
        unfit: "function_clause",
        near: &[
            ("get_cwd", 0, |_, _| {
                Ok(match std::env::current_dir() {
                    Ok(folder) => ok(Term::string(&folder.to_string_lossy())),
                    Err(_) => error(Term::atom("enoent")),
                })
            }),
            ("read_file", 1, |_, _| Ok(error(Term::atom("enotsup")))),
            ("write_file", 2, |_, _| Ok(error(Term::atom("enotsup")))),
            ("list_dir", 1, |_, _| Ok(error(Term::atom("enotsup")))),
        ],
        far: &[],
    },
    Module {
        name: "c",
        unfit: "function_clause",
        near: &[
            ("memory", 0, |ctx, _| super::erlang::facts::all_memory(ctx)),
            ("memory", 1, |_, a| super::erlang::facts::memory_of(&a[0])),
        ],
        far: &[],
    },
];
