//! What our nodes export: whole modules by attribute, functions that raise, serde's types, arguments that do not fit; as OTP's
//! callers see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trunkline::prelude::*;
use trunkline::rpc::Raise;
use trunkline::{Node, Serde};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::t;

#[derive(Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

/// Things for sale.
#[trunkline::module]
mod shop {
    use super::*;

    /// How much they cost.
    pub fn price(count: i64, each: i64) -> i64 {
        count * each
    }

    /// Of serde's types, there and back.
    pub fn twice(order: Serde<Order>) -> Serde<Order> {
        let Serde(Order { item, count }) = order;
        Serde(Order { item, count: count * 2 })
    }

    pub fn raw(anything: Term) -> Term {
        anything
    }

    pub fn result(fine: bool) -> Result<i64, String> {
        if fine { Ok(1) } else { Err("bad".to_owned()) }
    }

    pub fn raises(how: Atom) -> Result<(), Raise> {
        Err(match how.as_str() {
            "throw" => Raise::throw((how, 1)),
            "exit" => Raise::exit((how, 1)),
            "badarg" => Raise::badarg(),
            "stack" => Raise::Reraise { reason: Term::Atom(how), stack: t("[{deep, down, 3, [{line, 7}]}]") },
            _ => Raise::error((how, 1)),
        })
    }

    pub fn me(ctx: &mut Ctx) -> Pid {
        ctx.pid()
    }

    /// Asks the one who calls, and crashes with a reason of its own.
    pub async fn ask(ctx: &mut Ctx, whom: Pid, question: Term) -> Result<Term, Exit> {
        let me = ctx.pid();
        ctx.send(&whom, (me, question));
        let answer: Term = ctx.receive().await;
        if answer.is_atom("crash") { Err(Exit::from("crashed")) } else { Ok(answer) }
    }

    /// Owns its process.
    pub async fn own(mut ctx: Ctx, to: Pid) {
        let me = ctx.pid();
        ctx.send(&to, me);
        let () = ctx.receive().await;
    }

    pub async fn gone() -> i64 {
        tokio::task::yield_now().await;
        panic!("out of stock")
    }

    #[export(name = "open?")]
    pub fn is_open() -> bool {
        hidden()
    }

    #[export(skip)]
    pub fn generic<T: Into<i64>>(number: T) -> i64 {
        number.into()
    }

    fn hidden() -> bool {
        generic(1_i32) == 1
    }
}

#[trunkline::module(name = "Elixir.Stock")]
mod stock {
    pub fn count(items: Vec<String>) -> usize {
        items.len()
    }

    pub fn count2(items: std::collections::BTreeMap<String, i64>, more: Option<i64>) -> i64 {
        items.values().sum::<i64>() + more.unwrap_or(0)
    }
}

#[trunkline::module]
mod erlang {
    pub fn our_own(number: i64) -> i64 {
        number
    }
}

fn export(ours: &Node) {
    shop::export(ours);
    stock::export(ours);
    erlang::export(ours);
    ours.export("plain", "seven", |a: i64, _: i64, _: i64, _: i64, _: i64, _: i64, g: i64| a + g);
    ours.export("plain", "raise", |what: Term| -> Result<Term, Raise> { Err(Raise::Error(what)) });
    ours.export("plain", "exit", |what: Term| -> Result<Term, Exit> { Err(Exit(what)) });
    ours.export_async("plain", "ctx", |ctx: Ctx, number: i64| async move { (ctx.pid(), number) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_is_called_from_otp_function_by_function() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        let failed = |reason: &str, frame: &str| format!("{{badrpc,{{'EXIT',{{{reason},[{frame}]}}}}}}");
        for (call, value) in [
            ("shop, price, [3, 14]", "42".to_owned()),
            ("shop, twice, [#{item => <<\"tea\">>, count => 2}]", "#{count => 4,item => <<\"tea\">>}".to_owned()),
            ("shop, twice, [#{item => <<\"tea\">>}]", failed("function_clause", "{shop,twice,[#{item => <<\"tea\">>}],[]}")),
            ("shop, raw, [{a, [b|c], #{}}]", "{a,[b|c],#{}}".to_owned()),
            ("shop, result, [true]", "{ok,1}".to_owned()),
            ("shop, result, [false]", "{error,<<\"bad\">>}".to_owned()),
            ("shop, raises, [throw]", "{throw,1}".to_owned()),
            ("shop, raises, [exit]", "{badrpc,{'EXIT',{exit,1}}}".to_owned()),
            ("shop, raises, [other]", failed("{other,1}", "{shop,raises,1,[]}")),
            ("shop, raises, [badarg]", failed("badarg", "{shop,raises,[badarg],[]}")),
            ("shop, raises, [stack]", failed("stack", "{deep,down,3,[{line,7}]}")),
            ("shop, raises, [1]", failed("function_clause", "{shop,raises,[1],[]}")),
            ("shop, price, [1]", failed("undef", "{shop,price,[1],[]}")),
            ("shop, hidden, []", failed("undef", "{shop,hidden,[],[]}")),
            ("shop, generic, [1]", failed("undef", "{shop,generic,[1],[]}")),
            ("shop, gone, []", failed("{panic,<<\"out of stock\">>}", "{shop,gone,0,[{file,\"tests/tests/exports.rs\"},{line,74}]}")),
            ("shop, 'open?', []", "true".to_owned()),
            ("'Elixir.Stock', count, [[\"a\", <<\"b\">>]]", "2".to_owned()),
            ("'Elixir.Stock', count2, [#{<<\"a\">> => 1, \"b\" => 2}, undefined]", "3".to_owned()),
            ("erlang, our_own, [x]", failed("badarg", "{erlang,our_own,[x],[]}")),
            ("plain, seven, [1, 0, 0, 0, 0, 0, 7]", "8".to_owned()),
            ("plain, raise, [oops]", failed("oops", "{plain,raise,1,[]}")),
            ("plain, exit, [oops]", "{badrpc,{'EXIT',oops}}".to_owned()),
            ("shop, module_info, [module]", "shop".to_owned()),
            ("no_such_module, module_info, []", failed("undef", "{no_such_module,module_info,[],[]}")),
            ("shop, module_info, [what]", failed("badarg", "{erlang,get_module_info,[shop,what],[]}")),
        ] {
            erl.check(&format!("rpc:call(Us, {call})"), &value);
        }
        erl.check("node(rpc:call(Us, shop, me, [])) =:= Us", "true");
        erl.check("element(2, rpc:call(Us, plain, ctx, [7]))", "7");
        erl.check(
            "lists:sort(rpc:call(Us, shop, module_info, [exports]))",
            "[{ask,2},{gone,0},{me,0},{module_info,0},{module_info,1},{'open?',0},{own,1},{price,2},{raises,1},{raw,1},{result,1},{twice,1}]",
        );
        erl.check(
            "[K || {K, _} <- rpc:call(Us, 'Elixir.Stock', module_info, [])]",
            "[module,exports,attributes,compile,md5]",
        );
        // Functions that talk with their caller while they run.
        for (answer, value) in [("fine", "fine"), ("crash", "{badrpc,{'EXIT',crashed}}")] {
            let scene = format!(
                "K = rpc:async_call(Us, shop, ask, [self(), q]), receive {{P, q}} -> P ! {answer} ?WAIT end, rpc:yield(K)"
            );
            erl.scene(&scene, value);
        }
        // And that are spawned: what they raise is why they exit.
        erl.scene("P = spawn(Us, shop, own, [self()]), receive P -> P ! ok, ok ?WAIT end", "ok");
        for (how, reason) in [
            ("[exit]", "{exit,1}"),
            ("[throw]", "{{nocatch,{throw,1}},[{shop,raises,1,[]}]}"),
            ("[other]", "{{other,1},[{shop,raises,1,[]}]}"),
        ] {
            let scene = format!(
                "{{_, R}} = spawn_monitor(Us, shop, raises, {how}), receive {{'DOWN', R, _, _, Why}} -> Why ?WAIT end"
            );
            erl.scene(&scene, reason);
        }
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_module_is_called_on_its_own_node_too() {
    let node = Node::alone();
    export(&node);
    let here = node.name().clone();
    assert_eq!(node.call::<i64>(&here, "shop", "price", (6, 7)).await, Ok(42));
    let order = node.call::<Serde<BTreeMap<String, Term>>>(
        &here,
        "shop",
        "twice",
        (t("#{item => <<\"x\">>, count => 1}"),),
    );
    assert!(order.await.is_ok());
    assert_eq!(shop::price(6, 7), 42, "it is still a Rust function");
    let exports =
        node.call::<Vec<(Atom, i64)>>(&here, "shop", "module_info", (Atom::new("exports"),)).await.unwrap();
    assert!(exports.contains(&(Atom::new("open?"), 0)));
}
