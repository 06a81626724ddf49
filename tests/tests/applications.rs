//! Applications of ours, as OTP's nodes see and move them; what their ends mean; boots that wait for nodes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use trunkline::application::{self, Application, ApplicationError, Kind, Spec, StartType};
use trunkline::dist_ac::{self, Ladder};
use trunkline::{Atom, Ctx, Exit, Node, Pid, Term};
use trunkline_tests::erl::{self, Erl, quoted};
use trunkline_tests::meeting::both_dialling;
use trunkline_tests::world::{self, t};

/// What has happened to an application, in order.
type Diary = Arc<Mutex<Vec<String>>>;

/// An application that writes down what happens to it, and whose top process ends as it is told.
#[derive(Clone)]
struct Noted {
    spec: Spec,
    diary: Diary,
}

impl Noted {
    fn new(spec: Spec) -> Noted {
        Noted { spec, diary: Diary::default() }
    }

    fn note(&self, what: impl Into<String>) {
        self.diary.lock().unwrap().push(what.into());
    }

    fn read(&self) -> Vec<String> {
        self.diary.lock().unwrap().clone()
    }
}

impl Application for Noted {
    fn spec(&self) -> Spec {
        self.spec.clone()
    }

    async fn start(&self, ctx: &mut Ctx, how: StartType) -> Result<Pid, Exit> {
        self.note(format!("start {}", how.to_term()));
        if self.spec.name() == &Atom::new("lame") {
            return Err(Exit::from("lame"));
        }
        let top = ctx.spawn_link(|mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([word, reason]) if word.is_atom("end") => Exit(reason.clone()),
                Some([_, _, reason]) => Exit(reason.clone()),
                _ => Exit::normal(),
            }
        });
        let name = format!("{}_top", self.spec.name());
        ctx.node().register(name.as_str(), &top).map_err(|_| Exit::from("name_taken"))?;
        Ok(top)
    }

    async fn start_phase(
        &self,
        _: &mut Ctx,
        phase: &Atom,
        how: &StartType,
        arguments: &Term,
    ) -> Result<(), Exit> {
        self.note(format!("phase {phase} {} {arguments}", how.to_term()));
        Ok(())
    }

    async fn prep_stop(&self, ctx: &mut Ctx) {
        let alive = ctx.whereis(format!("{}_top", self.spec.name()).as_str()).is_some();
        self.note(format!("prep_stop {alive}"));
    }

    async fn stop(&self, _: &mut Ctx) {
        self.note("stop");
    }
}

fn end_with(node: &Node, name: &str, reason: &str) {
    let top = node.whereis(format!("{name}_top").as_str()).expect("it runs");
    let reason = t(reason);
    node.spawn(move |mut ctx: Ctx| async move {
        ctx.send(&top, Term::tuple([Term::atom("end"), reason]));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_starts_stops_and_reads_our_applications_as_its_own() {
    both_dialling(async |meeting| {
        let ours = &meeting.ours;
        let shop = Spec::new("shop").describe("sells").vsn("1.2").needs(["kernel", "stdlib", "stock"]).env("till", t("1"));
        let shop = Noted::new(shop.registered(["shop_top"]).phase("open", t("[doors]")).phase("greet", Term::NIL));
        let stock = Noted::new(Spec::new("stock"));
        application::install(ours, shop.clone());
        application::install(ours, stock.clone());
        application::install(ours, Noted::new(Spec::new("lame")));
        application::install(ours, Noted::new(Spec::new("round").needs(["trip"])));
        application::install(ours, Noted::new(Spec::new("trip").needs(["round"])));
        let table = [
            ("application, start, [nothing]", "{error,{\"no such file or directory\",\"nothing.app\"}}"),
            ("application, start, [shop]", "{error,{not_started,stock}}"),
            ("application, get_env, [shop, till]", "{ok,1}"),
            ("application, ensure_all_started, [shop]", "{ok,[stock,shop]}"),
            ("application, ensure_all_started, [shop]", "{ok,[]}"),
            ("application, start, [shop]", "{error,{already_started,shop}}"),
            ("application, load, [shop]", "{error,{already_loaded,shop}}"),
            ("application, unload, [shop]", "{error,{running,shop}}"),
            ("application, start, [stock, forever]", "{error,{invalid_restart_type,forever}}"),
            ("application, get_key, [shop, vsn]", "{ok,\"1.2\"}"),
            ("application, get_key, [shop, applications]", "{ok,[kernel,stdlib,stock]}"),
            ("application, get_key, [shop, start_phases]", "{ok,[{open,[doors]},{greet,[]}]}"),
            ("application, get_key, [shop, colour]", "undefined"),
            ("application, set_env, [shop, till, 2]", "ok"),
            ("application, get_env, [shop, till]", "{ok,2}"),
            ("application, get_env, [shop, size, 7]", "7"),
            ("application, get_all_env, [shop]", "[{till,2}]"),
            ("application, unset_env, [shop, till]", "ok"),
            ("application, get_env, [shop, till]", "undefined"),
            ("application, stop, [shop]", "ok"),
            ("application, stop, [shop]", "{error,{not_started,shop}}"),
            ("application, unload, [shop]", "ok"),
            ("application, unload, [shop]", "{error,{not_loaded,shop}}"),
            ("application, get_key, [shop, vsn]", "undefined"),
            ("application, start, [lame]", "{error,{lame,{lame,start,[normal,[]]}}}"),
            ("application, ensure_all_started, [lame]", "{error,{lame,{lame,{lame,start,[normal,[]]}}}}"),
            ("application, ensure_all_started, [round]", "{error,{trip,{not_started,round}}}"),
            ("application, permit, [nobody, false]", "{error,{not_loaded,nobody}}"),
        ];
        for (call, value) in table {
            meeting.erl.check(&format!("rpc:call(Us, {call})"), value);
        }
        meeting.erl.check("[element(1, A) || A <- rpc:call(Us, application, which_applications, [])]", "[stock,trunkline,stdlib,kernel]");
        meeting.erl.check("gen_server:call({application_controller, Us}, which_applications) =:= rpc:call(Us, application, which_applications, [])", "true");
        let life = ["start normal", "phase open normal [doors]", "phase greet normal []", "prep_stop true", "stop"];
        assert_eq!(shop.read(), life);
        // Permitted by hand, without any ladder.
        meeting.erl.check("rpc:call(Us, application, permit, [stock, false])", "ok");
        assert!(ours.whereis("stock_top").is_none());
        meeting.erl.check("rpc:call(Us, application, permit, [stock, true])", "ok");
        let top = ours.whereis("stock_top").expect("it runs again");
        assert_eq!(application::get_application(ours, &top), Some(Atom::new("stock")));
        assert_eq!(stock.read(), ["start normal", "prep_stop true", "stop", "start normal"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_questions_neither_hang_nor_hurt_the_controllers() {
    both_dialling(async |meeting| {
        let ours = world::node(&world::unique("dac"), world::private_epmd())
            .distributed("shop", Ladder::first(["a@b"]));
        let lonely = ours.start().await.expect("it starts");
        lonely.shutdown().await;
        for question in [
            "x",
            "{}",
            "{start_application}",
            "{start_application, 1, 2}",
            "{load_application, {application, 1, []}}",
            "{set_env, x, y}",
            "[improper|list]",
            "{control_application, \"a\"}",
            "{permit_application, a}",
            "{is_running, 7}",
        ] {
            let answer = meeting
                .erl
                .eval(&format!("element(1, gen_server:call({{application_controller, Us}}, {question}))"));
            assert_eq!(answer, "error", "{question}");
        }
        for message in [
            "x",
            "{ac_change_application_req, a, b}",
            "{ac_start_application_reply, kernel, {takeover, 1}}",
            "{'EXIT', self(), kill}",
            "{ac_load_application_reply, shop, ok}",
            "{dist_ac_weight, a, b, c}",
        ] {
            meeting.erl.eval(&format!("{{application_controller, Us}} ! {message}"));
        }
        meeting.erl.check("gen_server:call({application_controller, Us}, {is_running, kernel})", "true");
    })
    .await;
}

/// A node of ours with one application of this kind.
async fn with_one(kind: Kind, epmd: u16) -> (Node, Noted) {
    let app = Noted::new(Spec::new("shop"));
    let builder = world::node(&world::unique("ours"), epmd).application(app.clone(), kind);
    (builder.start().await.expect("our node starts"), app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_application_is_the_end_of_its_node_if_it_must_be() {
    let epmd = world::private_epmd();
    let table = [
        (Kind::Permanent, "normal", true),
        (Kind::Permanent, "boom", true),
        (Kind::Transient, "normal", false),
        (Kind::Transient, "boom", true),
        (Kind::Transient, "shutdown", true),
        (Kind::Temporary, "boom", false),
    ];
    for (kind, reason, deadly) in table {
        let (node, app) = with_one(kind, epmd).await;
        end_with(&node, "shop", reason);
        world::eventually("it ends", async || app.read().contains(&"stop".to_owned())).await;
        let wanted = Term::tuple([Term::atom("application_terminated"), Term::atom("shop"), t(reason)]);
        if deadly {
            tokio::time::timeout(world::PATIENCE, node.until_stopped()).await.expect("the node stops");
            assert_eq!(application::end_reason(&node), Some(wanted), "{kind:?} {reason}");
        } else {
            world::eventually("it is over", async || {
                application::which_applications(&node).iter().all(|(name, ..)| *name != Atom::new("shop"))
            })
            .await;
            assert_eq!(application::end_reason(&node), None, "{kind:?} {reason}");
            assert!(!node.is_closing(), "{kind:?} {reason}");
            // It is started still, and can be started again.
            application::start(&node, "shop", kind).await.expect("it starts again");
            node.shutdown().await;
            assert_eq!(
                app.read().last().map(String::as_str),
                Some("stop"),
                "a node that stops stops its applications"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mandatory_node_that_is_missing_is_named_in_one_sentence() {
    let epmd = world::private_epmd();
    let (missing, here) = (world::unique("missing"), world::unique("here"));
    let there = world::node(&here, epmd).start().await.expect("a node that is there");
    let started = tokio::time::Instant::now();
    let builder = world::node(&world::unique("ours"), epmd);
    let builder = builder.sync_nodes([missing.as_str(), here.as_str()], Duration::from_millis(300));
    let said = builder.start().await.expect_err("it does not start").to_string();
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(
        said.starts_with(&format!("mandatory_nodes_down: {missing} must be up before this node starts")),
        "{said}"
    );
    assert!(!said.contains(&here) && !said.contains('\n'), "{said}");
    // One that is optional may be missing, and none is waited for when all are there.
    let builder = world::node(&world::unique("ours"), epmd);
    let builder = builder.sync_nodes([here.as_str()], world::PATIENCE);
    let ours = builder.start().await.expect("it starts");
    let builder = world::node(&world::unique("ours"), epmd);
    let optional = builder.sync_optional([missing.as_str()], Duration::from_millis(100)).start().await;
    optional.expect("it starts too").shutdown().await;
    ours.shutdown().await;
    there.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_does_not_start_is_the_end_of_the_start_of_its_node() {
    let epmd = world::private_epmd();
    let builder =
        world::node(&world::unique("ours"), epmd).application(Noted::new(Spec::new("lame")), Kind::Temporary);
    let said = builder.start().await.expect_err("it does not start").to_string();
    assert!(said.starts_with("the application lame does not start"), "{said}");
}

/// Of two equals the one with fewer applications runs it, whoever decides; permissions are heeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_equals_the_less_burdened_node_runs_it_as_otp_decides() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let (one, other) = (world::unique("equal"), world::unique("equal"));
    let ladder = Ladder::first([one.as_str(), other.as_str()]).wait(Duration::from_millis(200));
    // Kernel and stdlib there; kernel, stdlib, trunkline and one more here: OTP's has less to do.
    let shop = Noted::new(Spec::new("shop"));
    let builder = world::node(&one, epmd).distributed("shop", ladder.clone()).offer(shop.clone());
    let ours = builder
        .application(Noted::new(Spec::new("busy")), Kind::Permanent)
        .start()
        .await
        .expect("our node starts");
    let distributed = format!("[{}]", ladder.to_term(&Atom::new("shop")));
    let known = format!("[{}]", quoted(&one));
    let flags = [
        "-kernel",
        "distributed",
        &distributed,
        "-kernel",
        "sync_nodes_mandatory",
        &known,
        "-kernel",
        "sync_nodes_timeout",
        "10000",
    ];
    let mut erl = Erl::start(&other, epmd, &flags);
    // The Erlang form is a library without a module: a code-only application runs too.
    erl.check("application:load({application, shop, [{description, \"\"}, {vsn, \"1\"}, {modules, []}, {registered, []}, {applications, [kernel, stdlib]}]})", "ok");
    application::load(&ours, "shop").await.expect("loaded");
    erl.ask("application:start(shop)");
    let started = application::start(&ours, "shop", Kind::Temporary).await;
    assert_eq!(started, Ok(()));
    assert_eq!(erl.answer(), "ok");
    erl.check("lists:keymember(shop, 1, application:which_applications())", "true");
    assert_eq!(shop.read(), [""; 0], "it runs there");
    assert!(application::started(&ours, "shop"));
    assert_eq!(dist_ac::known_nodes(&ours).len(), 2);
    erl.until("length(dist_ac:get_known_nodes())", "2");
    // It is forbidden there, and moves here as a takeover; back, and it is taken over by hand.
    erl.check("application:permit(shop, false)", "ok");
    world::eventually("it runs here", async || ours.whereis("shop_top").is_some()).await;
    assert_eq!(shop.read(), [format!("start {{takeover,{other}}}")]);
    erl.check("application:permit(shop, true)", "ok");
    erl.check("application:takeover(shop, temporary)", "ok");
    world::eventually("it runs there", async || ours.whereis("shop_top").is_none()).await;
    let refused = dist_ac::permit(&ours, "nothing", true).await;
    assert_eq!(refused, Err(ApplicationError::Refused(t("{not_loaded, nothing}"))));
    // Its node is lost: after the wait it runs here.
    erl.kill();
    world::eventually("it runs here again", async || ours.whereis("shop_top").is_some()).await;
    ours.shutdown().await;
}

/// The connection is lost, both run it; when it is back, the better place keeps it, be it OTP's or ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_between_otp_and_us_ends_with_one_copy() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    for we_are_first in [true, false] {
        let (us, them) = (world::unique("ours"), world::unique("otps"));
        let (first, second) = if we_are_first { (&us, &them) } else { (&them, &us) };
        let ladder = Ladder::first([first.as_str()]).then([second.as_str()]).wait(Duration::from_millis(100));
        let shop = Noted::new(Spec::new("shop"));
        let builder = world::node(&us, epmd).distributed("shop", ladder.clone()).offer(shop.clone());
        let ours = builder.start().await.expect("our node starts");
        let distributed = format!("[{}]", ladder.to_term(&Atom::new("shop")));
        let known = format!("[{}]", quoted(&us));
        let flags = [
            "-kernel",
            "distributed",
            &distributed,
            "-kernel",
            "sync_nodes_mandatory",
            &known,
            "-kernel",
            "sync_nodes_timeout",
            "10000",
        ];
        let mut erl = Erl::start(&them, epmd, &flags);
        erl.check("application:load({application, shop, [{description, \"\"}, {vsn, \"1\"}, {modules, []}, {registered, []}, {applications, [kernel, stdlib]}]})", "ok");
        erl.ask("application:start(shop)");
        application::start(&ours, "shop", Kind::Temporary).await.expect("it runs somewhere");
        assert_eq!(erl.answer(), "ok");
        let runs_there = "lists:keymember(shop, 1, application:which_applications())";
        erl.check(runs_there, if we_are_first { "false" } else { "true" });
        // Without the right cookie nobody mends it too early.
        erl.check(&format!("erlang:set_cookie({}, wrong)", quoted(&us)), "true");
        erl.check(&format!("erlang:disconnect_node({})", quoted(&us)), "true");
        world::eventually("it runs here", async || ours.whereis("shop_top").is_some()).await;
        erl.until(runs_there, "true");
        erl.check(&format!("erlang:set_cookie({}, {})", quoted(&us), world::COOKIE), "true");
        erl.until(&format!("net_kernel:connect_node({})", quoted(&us)), "true");
        erl.until(runs_there, if we_are_first { "false" } else { "true" });
        world::eventually("one copy", async || ours.whereis("shop_top").is_some() == we_are_first).await;
        // And they know each other again: who is lost is followed by the other.
        if we_are_first {
            ours.shutdown().await;
            erl.until(runs_there, "true");
        } else {
            erl.kill();
            world::eventually("it runs here again", async || ours.whereis("shop_top").is_some()).await;
            ours.shutdown().await;
        }
    }
}
