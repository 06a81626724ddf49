//! Elixir programs and behaviours of ours: GenServer, DynamicSupervisor, Supervisor, both ways.

use std::process::{Command, Stdio};

use trunkline::gen_server::Start;
use trunkline::prelude::*;
use trunkline::supervisor::{Child, Supervisor, SupervisorRef};
use trunkline_tests::world::{self, COOKIE};

struct Till(i64);

#[derive(Request)]
enum Ask {
    Get(Reply<i64>),
    Add(i64, Reply<i64>),
    Crash(Reply<i64>),
}

#[derive(IntoTerm, FromTerm)]
enum Tell {
    Add(i64),
}

impl GenServer for Till {
    type Args = i64;
    type Call = Ask;
    type Cast = Tell;
    type Info = Nothing;

    async fn init(_: &mut Ctx, sum: i64) -> Result<Self, Exit> {
        Ok(Till(sum))
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::Get(reply) => reply.send(self.0),
            Ask::Add(n, reply) => {
                self.0 += n;
                reply.send(self.0);
            }
            Ask::Crash(_reply) => panic!("boom"),
        }
        Flow::Continue
    }

    async fn handle_cast(&mut self, _: &mut Ctx, Tell::Add(n): Tell) -> Flow {
        self.0 += n;
        Flow::Continue
    }

    fn state_term(&self) -> Term {
        self.0.into_term()
    }
}

/// Uses the servers of an Elixir node when it is asked to.
struct Asker;

#[derive(Request)]
enum UseIt {
    Use(Atom, Reply<(i64, i64, i64)>),
}

impl GenServer for Asker {
    type Args = ();
    type Call = UseIt;
    type Cast = Nothing;
    type Info = Nothing;

    async fn init(_: &mut Ctx, (): ()) -> Result<Self, Exit> {
        Ok(Asker)
    }

    async fn handle_call(&mut self, ctx: &mut Ctx, UseIt::Use(node, reply): UseIt) -> Flow {
        let answer = async {
            let theirs = Server::<Till>::at(("theirs", &node));
            let sum = theirs.call(&mut *ctx, |reply| Ask::Add(1, reply)).await?;
            theirs.cast(&mut *ctx, Tell::Add(1));
            let last = theirs.call(&mut *ctx, Ask::Get).await?;
            let pool = SupervisorRef::at(("their_pool", &node));
            let children = pool.which_children(&mut *ctx).await?;
            Ok::<_, Exit>((sum, last, children.len() as i64))
        };
        match answer.await {
            Ok(answer) => reply.send(answer),
            Err(exit) => return Flow::Stop(exit),
        }
        Flow::Continue
    }
}

fn found() -> bool {
    let version =
        Command::new("elixir").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = version.is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: no elixir was found");
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elixir_uses_behaviours_of_ours_and_lends_its_own() {
    if !found() {
        return;
    }
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.expect("our node starts");
    Start::<Till>::new(0).named("till").start(&ours).await.unwrap();
    Start::<Asker>::new(()).named("asker").start(&ours).await.unwrap();
    trunkline::gen_server::export::<Till>(&ours, "shop");
    Supervisor::dynamic().named("pool").start(&ours).await.unwrap();
    let shop = Supervisor::one_for_one().named("shop_sup").child(Child::server::<Till>("first", 1));
    shop.child(Child::server::<Till>("second", 2)).start(&ours).await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/erl/behaviours.exs");
    let told = tokio::process::Command::new("elixir")
        .args(["--sname", &world::unique("elixir"), "--cookie", COOKIE, "--erl", "-start_epmd false", script])
        .arg(ours.name().as_str())
        .env("ERL_EPMD_PORT", epmd.to_string())
        .output()
        .await
        .expect("elixir runs");
    let said = String::from_utf8_lossy(&told.stdout);
    let expected = [
        "call: 2",
        "cast: :ok",
        "call_again: 7",
        "state: 7",
        "multi_call: true",
        "reason: {:panic, \"boom\"}",
        "noproc: :noproc",
        "child: true",
        "children: true",
        "count: 1",
        "terminate: :ok",
        "shop: [:second, :first]",
        "counts: 2",
        "ours: {41, 42, 0}",
    ];
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines, expected, "{}", String::from_utf8_lossy(&told.stderr));
}
