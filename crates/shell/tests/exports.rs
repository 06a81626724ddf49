//! Which functions of OTP's library there are here, and which are not: the table of what is missing is exact.

use std::collections::BTreeMap;
use std::path::Path;

use trunkline::{Atom, Builder};
use trunkline_shell as shell;

/// `name function/arity …`, one module per line.
fn table(text: &str) -> BTreeMap<&str, Vec<(&str, u8)>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?;
            let functions = words.filter_map(|word| {
                let (function, arity) = word.rsplit_once('/')?;
                Some((function, arity.parse().ok()?))
            });
            Some((name, functions.collect()))
        })
        .collect()
}

fn missing() -> String {
    let node = Builder::default().alone();
    let vm = shell::Vm::new();
    shell::node::export_funs(&node, &vm);
    let mut text = String::from(
        "# What OTP exports and this library does not have. Written by `TRUNKLINE_WRITE=1 cargo test -p trunkline-shell --test exports`.\n",
    );
    for (name, functions) in table(include_str!("exports/otp.txt")) {
        let module = Atom::new(name);
        let is_here = |function: &str, arity: u8| {
            let bare = Atom::new(function.trim_matches('\''));
            vm.knows(&module, &bare, arity)
                || node.exported(&module, &bare, arity).is_some()
                || (name == "erlang" && shell::node::ASKED.contains(&(function, arity)))
        };
        let gone: Vec<String> = functions
            .iter()
            .filter(|(function, arity)| !is_here(function, *arity))
            .map(|(function, arity)| format!("{function}/{arity}"))
            .collect();
        if !gone.is_empty() {
            text.push_str(&format!("{name} {}\n", gone.join(" ")));
        }
    }
    text
}

#[tokio::test]
async fn the_table_of_what_is_missing_is_exact() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/library/missing.txt");
    let now = missing();
    if std::env::var_os("TRUNKLINE_WRITE").is_some() {
        std::fs::write(&path, &now).expect("our own file");
    }
    let told = std::fs::read_to_string(&path).unwrap_or_default();
    let (told, now): (Vec<_>, Vec<_>) = (told.lines().collect(), now.lines().collect());
    let gone: Vec<_> = now.iter().filter(|line| !told.contains(line)).collect();
    assert!(
        told == now,
        "library/missing.txt is not what is so; TRUNKLINE_WRITE=1 writes it anew: {gone:#?}"
    );
}
