//! The live erl: batches through one process.

use std::path::PathBuf;
use std::process::Command;

/// Runs a function of `oracle.erl` over these lines; `None` (told loudly) when there is no erl.
pub(crate) fn ask(function: &str, lines: &[String]) -> Option<Vec<String>> {
    let here = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-{function}-{}", lines.len()));
    std::fs::create_dir_all(&here).expect("a directory of our own");
    std::fs::write(here.join("oracle.erl"), include_str!("oracle.erl")).expect("the source");
    std::fs::write(here.join("in"), lines.join("\n")).expect("the questions");
    let order =
        format!("{{ok,oracle}}=compile:file(\"oracle.erl\",[report]),oracle:{function}(\"in\",\"out\").");
    let done = Command::new("erl")
        .args(["-noshell", "-enable-feature", "maybe_expr", "-eval", &order])
        .current_dir(&here)
        .output();
    match done {
        Ok(done) if done.status.success() => {
            let text = std::fs::read_to_string(here.join("out")).expect("the answers");
            Some(text.lines().map(str::to_owned).collect())
        }
        Ok(done) => {
            panic!("erl: {}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
        }
        Err(_) if std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_none() => {
            eprintln!("NOT TESTED: there is no erl");
            None
        }
        Err(error) => panic!("erl is required: {error}"),
    }
}
