//! The functions that any node answers for: as OTP answers, for the same questions.

mod functions_table;

use std::time::Duration;

use functions_table::{KEYS, SAME, SHAPE};
use trunkline::{Node, Term, rpc};
use trunkline_tests::erl::Erl;
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{eventually, t};

/// `m:f(A, B)` as a tuple `{Mode, m, f, [A, B]}`.
fn entry(mode: &str, call: &str) -> String {
    let (name, arguments) = call.split_once('(').expect("a call");
    let (module, function) = name.split_once(':').expect("a module");
    let arguments = arguments.strip_suffix(')').expect("its end");
    format!("{{{mode}, {module}, {function}, [{arguments}]}}")
}

fn load_likeness(erl: &mut Erl) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/erl/likeness.erl");
    erl.check(
        &format!(
            "(fun() -> {{ok, M, B}} = compile:file({path:?}, [binary]), element(1, code:load_binary(M, {path:?}, B)) end)()"
        ),
        "module",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_of_the_table_answers_as_otps_does() {
    let first = std::sync::atomic::AtomicBool::new(true);
    both_dialling(async |meeting| {
        // Who dials makes no difference here.
        if !first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let Meeting { erl, .. } = meeting;
        load_likeness(erl);
        let mut wrong = Vec::new();
        for (mode, calls) in [("same", SAME), ("shape", SHAPE), ("keys", KEYS)] {
            for chunk in calls.chunks(40) {
                let table = chunk.iter().map(|call| entry(mode, call)).collect::<Vec<_>>().join(", ");
                let differences = erl.eval(&format!("likeness:differences(Us, [{table}])"));
                if differences != "[]" {
                    wrong.push(format!("{mode}: {differences}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// Functions that end the node, or that start processes under the very names that others wait for.
const NOT_FOR_JUNK: &[(&str, &str)] = &[("erlang", "halt"), ("init", "stop"), ("pg", "start")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_function_hangs_or_harms_whatever_it_is_given() {
    let node = Node::alone();
    let dead = node.spawn(async |_| {});
    eventually("it is dead", async || !node.is_process_alive(&dead)).await;
    let junk = [
        t("junk"),
        t("-1"),
        t("0"),
        t("3"),
        t("100000000000000000000000000"),
        t("1.5e300"),
        t("[]"),
        t("[improper | list]"),
        t("[1, 2.0, {a, b}, <<\"x\">>, [[]]]"),
        t("\"text\""),
        t("<<\"bytes\">>"),
        t("{}"),
        t("{a, 1, []}"),
        t("#{key => {value}}"),
        Term::Pid(dead),
        Term::Ref(node.make_ref()),
    ];
    let mut tried = 0;
    for (module, function, arity) in node.exports_list() {
        if NOT_FOR_JUNK.contains(&(module.as_str(), function.as_str())) {
            continue;
        }
        let arities = arity.map_or(0..=4, |arity| arity..=arity);
        for (turn, arity) in arities.flat_map(|arity| (0..junk.len()).map(move |turn| (turn, arity))) {
            let arguments: Vec<Term> = (0..usize::from(arity))
                .map(|place| junk[(turn * (place + 1) + place) % junk.len()].clone())
                .collect();
            let shown = format!("{module}:{function}({arguments:?})");
            let call = rpc::call_within::<Term>(
                &node,
                node.name().clone(),
                module.clone(),
                function.clone(),
                arguments,
                Duration::from_secs(5),
            );
            let answer = tokio::time::timeout(Duration::from_secs(10), call).await;
            let answer = answer.unwrap_or_else(|_| panic!("{shown} does not end"));
            let text = format!("{answer:?}");
            assert!(!text.contains("Timeout") && !text.contains("panic"), "{shown}: {text}");
            tried += 1;
            if arity == 0 {
                break;
            }
        }
    }
    assert!(tried > 4_000, "{tried}");
    assert_eq!(node.run(async |ctx| ctx.pid().node.name().clone()).await, *node.name());
}
