//! Ladders with nodes of both kinds: the application's Erlang form on OTP's, its Rust form on ours, under one name.

#[path = "../../crates/trunkline/examples/job_center/jobs.rs"]
#[allow(dead_code, reason = "the example shows more than the tests use")]
mod jobs;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use jobs::JobCenter;
use trunkline::application::{self, Kind};
use trunkline::config::Config;
use trunkline::dist_ac::{self, Ladder};
use trunkline::{Atom, Node, Term, global, request};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, t};

const WAIT_MILLIS: u64 = 300;

/// Where the compiled Erlang form is. Compiled once: nodes of other tests of this program load it at any time.
fn compiled() -> String {
    static PLACE: OnceLock<String> = OnceLock::new();
    PLACE.get_or_init(compile).clone()
}

fn compile() -> String {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("job_center");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("erl");
    let sources =
        ["job_center", "job_center_app", "job_center_sup"].map(|name| source.join(format!("{name}.erl")));
    // Other programs may be loading theirs.
    let fresh = out.join(format!("fresh-{}", std::process::id()));
    std::fs::create_dir_all(&fresh).expect("a directory");
    let status = Command::new("erlc").arg("-o").arg(&fresh).args(&sources).status().expect("erlc runs");
    assert!(status.success());
    std::fs::copy(source.join("job_center.app"), fresh.join("job_center.app")).expect("the .app file");
    fresh.to_string_lossy().into_owned()
}

/// A node of either kind.
enum Member {
    Otp(Box<Erl>),
    Ours(Node),
}

/// A ladder and those of its nodes that are up.
struct World {
    epmd: u16,
    names: Vec<String>,
    /// Which of them are OTP's.
    otp: Vec<bool>,
    code: String,
    up: Vec<Option<Member>>,
}

impl World {
    /// `[n1, {n2, n3}, n4]`.
    fn new(epmd: u16, otp: &[bool]) -> World {
        let names: Vec<String> = (1..=4).map(|n| world::unique(&format!("jc{n}x"))).collect();
        let code = if otp.contains(&true) { compiled() } else { String::new() };
        World { epmd, names, otp: otp.to_vec(), code, up: vec![None, None, None, None] }
    }

    fn ladder(&self) -> Ladder {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| self.names[at].as_str());
        Ladder::first([a]).then([b, c]).then([d]).wait(Duration::from_millis(WAIT_MILLIS))
    }

    /// Starts a node, which knows all that are up before it does anything, and loads the application.
    async fn boot(&mut self, at: usize) {
        let others: Vec<String> =
            (0..4).filter(|other| self.up[*other].is_some()).map(|other| self.names[other].clone()).collect();
        let name = self.names[at].clone();
        let member = if self.otp[at] {
            let distributed = format!("[{}]", self.ladder().to_term(&Atom::new("job_center")));
            let others = format!("[{}]", others.join(","));
            let flags = [
                "-pa",
                &self.code,
                "-kernel",
                "distributed",
                &distributed,
                "-kernel",
                "sync_nodes_mandatory",
                &others,
                "-kernel",
                "sync_nodes_timeout",
                "10000",
                "-kernel",
                "start_dist_ac",
                "true",
            ];
            let mut erl = Erl::start(&name, self.epmd, &flags);
            erl.check("application:load(job_center)", "ok");
            // Else it may take over before it has heard of the name, and so of the queue: it does not wait by itself.
            erl.check("global:sync()", "ok");
            Member::Otp(Box::new(erl))
        } else {
            let builder = world::node(&name, self.epmd).distributed("job_center", self.ladder());
            let builder = builder
                .sync_nodes(others.iter().map(String::as_str), Duration::from_secs(10))
                .offer(JobCenter);
            let node = builder.start().await.expect("our node starts");
            application::load(&node, "job_center").await.expect("loaded");
            Member::Ours(node)
        };
        self.up[at] = Some(member);
    }

    /// `ensure_all_started` on these nodes at a time; all must say that it was started.
    async fn start(&mut self, nodes: &[usize]) {
        let mut ours = Vec::new();
        for at in nodes {
            match self.up[*at].as_mut().expect("it is up") {
                Member::Otp(erl) => erl.ask("application:ensure_all_started(job_center)"),
                Member::Ours(node) => {
                    let node = node.clone();
                    ours.push(tokio::spawn(async move {
                        application::ensure_all_started(&node, "job_center", Kind::Temporary).await
                    }));
                }
            }
        }
        for start in ours {
            let started =
                tokio::time::timeout(world::PATIENCE, start).await.expect("in time").expect("no panic");
            assert_eq!(started, Ok(vec![Atom::new("job_center")]));
        }
        for at in nodes {
            if let Some(Member::Otp(erl)) = self.up[*at].as_mut() {
                assert_eq!(erl.answer(), "{ok,[job_center]}");
            }
        }
    }

    async fn kill(&mut self, at: usize) {
        match self.up[at].take().expect("it is up") {
            Member::Otp(mut erl) => erl.kill(),
            Member::Ours(node) => node.shutdown().await,
        }
    }

    /// Whether its supervisor is on this node.
    fn has_it(&mut self, at: usize) -> bool {
        match self.up[at].as_mut() {
            Some(Member::Otp(erl)) => erl.eval("is_pid(whereis(job_center_sup))") == "true",
            Some(Member::Ours(node)) => node.whereis("job_center_sup").is_some(),
            None => false,
        }
    }

    /// The one that runs it, when all that are up agree.
    async fn runner(&mut self) -> Option<usize> {
        let having: Vec<usize> = (0..4).filter(|at| self.has_it(*at)).collect();
        let [one] = having[..] else { return None };
        let name = self.names[one].clone();
        for at in 0..4 {
            let there = match self.up[at].as_mut() {
                Some(Member::Otp(erl)) => erl.eval(
                    "(fun(undefined) -> undefined; (P) -> node(P) end)(global:whereis_name(job_center))",
                ),
                Some(Member::Ours(node)) => {
                    let pid = global::whereis(node, Atom::new("job_center"));
                    pid.map_or("undefined".to_owned(), |pid| pid.node.name().to_string())
                }
                None => continue,
            };
            if there.trim_matches('\'') != name {
                return None;
            }
        }
        Some(one)
    }

    /// Waits until one of these runs it and all agree.
    async fn until_runs(&mut self, wanted: &[usize]) -> usize {
        let until = tokio::time::Instant::now() + world::PATIENCE;
        loop {
            if let Some(one) = self.runner().await.filter(|one| wanted.contains(one)) {
                return one;
            }
            assert!(tokio::time::Instant::now() < until, "none of {wanted:?} runs it: {:?}", self.picture());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn picture(&mut self) -> Vec<(usize, bool)> {
        (0..4)
            .filter(|at| self.up[*at].is_some())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|at| (at, self.has_it(at)))
            .collect()
    }

    /// Asks the queue from a node.
    async fn ask(&mut self, at: usize, question: &str) -> Term {
        match self.up[at].as_mut().expect("it is up") {
            Member::Otp(erl) => t(&erl.eval(&format!("gen_server:call({{global, job_center}}, {question})"))),
            Member::Ours(node) => {
                let question = t(question);
                let node = node.clone();
                let asked = node.run(move |mut ctx: trunkline::Ctx| async move {
                    let pid = global::whereis(ctx.node(), Atom::new("job_center")).expect("somebody");
                    request::call(&mut ctx, &pid, question, Some(world::PATIENCE)).await
                });
                asked.await.expect("an answer")
            }
        }
    }

    async fn permit(&mut self, at: usize, allow: bool) {
        match self.up[at].as_mut().expect("it is up") {
            Member::Otp(erl) => erl.check(&format!("application:permit(job_center, {allow})"), "ok"),
            Member::Ours(node) => dist_ac::permit(node, "job_center", allow).await.expect("permitted"),
        }
    }

    async fn take_over(&mut self, at: usize) {
        match self.up[at].as_mut().expect("it is up") {
            Member::Otp(erl) => erl.check("application:takeover(job_center, temporary)", "ok"),
            Member::Ours(node) => {
                dist_ac::takeover(node, "job_center", Kind::Temporary).await.expect("taken over");
            }
        }
    }
}

/// Start, failover down the ladder, takeover with the queue, and moves by hand.
async fn whole_story(otp: &[bool]) {
    if otp.contains(&true) && !erl::found() {
        return;
    }
    println!("OTP's: {otp:?}");
    let mut world = World::new(world::private_epmd(), otp);
    for at in 0..4 {
        world.boot(at).await;
    }
    world.start(&[3, 2, 1, 0]).await;
    assert_eq!(world.until_runs(&[0]).await, 0);
    assert_eq!(world.ask(3, "{add_job, <<\"dig\">>}").await, t("1"));
    assert_eq!(world.ask(2, "work_wanted").await, t("{1, <<\"dig\">>}"));
    assert_eq!(world.ask(1, "start_type").await, t("normal"));
    // Down the ladder.
    world.kill(0).await;
    let second = world.until_runs(&[1, 2]).await;
    assert_eq!(world.ask(3, "start_type").await, t("normal"));
    world.kill(second).await;
    let third = 3 - second;
    assert_eq!(world.until_runs(&[third]).await, third);
    world.kill(third).await;
    world.until_runs(&[3]).await;
    assert_eq!(world.ask(3, "{add_job, <<\"fill\">>}").await, t("1"));
    assert_eq!(world.ask(3, "{add_job, <<\"rest\">>}").await, t("2"));
    // And back, with the queue.
    world.boot(0).await;
    world.start(&[0]).await;
    world.until_runs(&[0]).await;
    let from = |world: &World, at: usize| t(&format!("{{takeover, {}}}", erl::quoted(&world.names[at])));
    assert_eq!(world.ask(0, "start_type").await, from(&world, 3));
    assert_eq!(world.ask(3, "work_wanted").await, t("{1, <<\"fill\">>}"));
    // By hand: forbidden here it goes there, permitted it comes back.
    world.permit(0, false).await;
    world.until_runs(&[3]).await;
    assert_eq!(world.ask(3, "start_type").await, from(&world, 0));
    assert_eq!(world.ask(0, "statistics").await, t("{1, 1, 0}"));
    world.permit(0, true).await;
    world.until_runs(&[0]).await;
    world.take_over(3).await;
    world.until_runs(&[3]).await;
    assert_eq!(world.ask(0, "work_wanted").await, t("{2, <<\"rest\">>}"));
    for at in [0, 3] {
        world.kill(at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ladder_of_our_nodes_fails_over_and_is_taken_over() {
    whole_story(&[false; 4]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ladder_whose_first_and_third_are_otps_fails_over_and_is_taken_over() {
    whole_story(&[true, false, true, false]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ladder_whose_second_and_last_are_otps_fails_over_and_is_taken_over() {
    whole_story(&[false, true, false, true]).await;
}

/// All boot at the same time from one configuration, and wait for each other; then `ensure_all_started` on all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_both_kinds_boot_together_from_one_sys_config_and_run_one_copy() {
    if !erl::found() {
        return;
    }
    let mut world = World::new(world::private_epmd(), &[false, true, false, true]);
    let nodes = world.names.iter().map(|name| erl::quoted(name)).collect::<Vec<_>>();
    let ladder = world.ladder().to_term(&Atom::new("job_center"));
    let text = format!(
        "[{{kernel, [{{distributed, [{ladder}]}}, {{sync_nodes_mandatory, [{}]}}, {{sync_nodes_optional, [{}]}},\n \
         {{sync_nodes_timeout, 20000}}]}}].\n",
        nodes[0],
        nodes[1..].join(", ")
    );
    let file = Path::new(&world.code).join("sys.config");
    std::fs::write(&file, text).expect("a file");
    let path = file.to_string_lossy().into_owned();
    let mut booting = tokio::task::JoinSet::new();
    for at in 0..4 {
        let (name, epmd, path, code) =
            (world.names[at].clone(), world.epmd, path.clone(), world.code.clone());
        let otp = world.otp[at];
        booting.spawn(async move {
            if otp {
                let start = move || Erl::start(&name, epmd, &["-pa", &code, "-config", &path]);
                return (
                    at,
                    Member::Otp(Box::new(tokio::task::spawn_blocking(start).await.expect("erl starts"))),
                );
            }
            let config = Config::file(&path).expect("a configuration");
            let builder = world::node(&name, epmd).config(&config).expect("all is right");
            (at, Member::Ours(builder.offer(JobCenter).start().await.expect("our node starts")))
        });
    }
    while let Some(booted) = booting.join_next().await {
        let (at, member) = booted.expect("no panic");
        world.up[at] = Some(member);
    }
    world.start(&[3, 2, 1, 0]).await;
    assert_eq!(world.until_runs(&[0]).await, 0);
    assert_eq!(world.ask(3, "start_type").await, t("normal"));
    if let Some(Member::Ours(node)) = &world.up[0] {
        let expected = world.ladder().to_term(&Atom::new("job_center"));
        assert_eq!(application::get_env(node, "kernel", "distributed"), Some(Term::list([expected])));
    }
    malformed(&mut world).await;
    for at in 0..4 {
        world.kill(at).await;
    }
}

/// What no `dist_ac` would say neither ends ours nor moves anything.
async fn malformed(world: &mut World) {
    let us = erl::quoted(&world.names[0]);
    let Some(Member::Otp(erl)) = world.up[1].as_mut() else { panic!("it is OTP's") };
    for message in [
        "x",
        "{}",
        "{dist_ac_weight}",
        "{dist_ac_weight, job_center, heavy, node()}",
        "{dist_ac_weight, 1, 1, 1}",
        "{dist_ac_new_node, 1, node()}",
        "{dist_ac_new_node, 1, 7, [], []}",
        "{dist_ac_app_started, nobody@nowhere, job_center, ok}",
        "{dist_ac_app_stopped, \"job_center\"}",
        "{dist_ac_app_loaded, node(), job_center, [a|b], true, true}",
        "{dist_ac_new_permission, node(), no_app, false, true}",
        "{nodedown, node()}",
        "{go, self()}",
        "{told, node(), 1, {}}",
        "{introduce, [a]}",
        "{ac_application_stopped, job_center}",
        "{internal_restart_appl, job_center}",
        "{ac_start_application_req, no_app}",
    ] {
        erl.eval(&format!("{{dist_ac, {us}}} ! {message}"));
    }
    for question in [
        "x",
        "{}",
        "{permit_application}",
        "{permit_application, no_app, true, 1, started}",
        "{takeover_application, no_app, permanent}",
        "{takeover_application, job_center, permanent}",
        "{load_application, job_center, rubbish}",
        "{distribution_changed, 7}",
    ] {
        erl.check(&format!("element(1, gen_server:call({{dist_ac, {us}}}, {question}))"), "error");
    }
    erl.check(&format!("element(1, gen_server:call({{dist_ac, {us}}}, info))"), "state");
    erl.check(&format!("length(gen_server:call({{dist_ac, {us}}}, {{get_nodes, job_center}}))"), "4");
    assert_eq!(world.until_runs(&[0]).await, 0);
}
