//! Configurations: what is read, who wins, and what is said when it is wrong.

use super::*;
use term::read::read_term;

const SYS: &str = "[{kernel, [
  {distributed, [{job_center, 1000, [jc1@localhost, {jc2@localhost, jc3@localhost}, jc4@localhost]}]},
  {sync_nodes_mandatory, [jc1@localhost]}, {sync_nodes_timeout, 5000}]},
 {shop, [{colour, red}]}].";

#[test]
fn toml_says_the_same_as_a_sys_config() {
    let toml = r#"
        [kernel]
        sync_nodes_mandatory = ["jc1@localhost"]
        sync_nodes_timeout = 5000
        [kernel.distributed.job_center]
        wait = 1000
        nodes = ["jc1@localhost", ["jc2@localhost", "jc3@localhost"], "jc4@localhost"]
        [shop]
        colour = ":red"
    "#;
    let (one, other) = (Config::erlang(SYS).unwrap(), Config::toml(toml).unwrap());
    for (app, key) in [
        ("kernel", "distributed"),
        ("kernel", "sync_nodes_mandatory"),
        ("kernel", "sync_nodes_timeout"),
        ("shop", "colour"),
    ] {
        assert!(one.get(app, key).is_some(), "{app} {key}");
        assert_eq!(one.get(app, key), other.get(app, key), "{app} {key}");
    }
}

#[test]
fn the_command_line_wins_over_files_and_later_files_over_earlier_ones() {
    let arguments = "-sname a@h -shop colour blue size 3 -config_like -pa x y -- -kernel net_ticktime 4 -extra -shop colour x";
    let line = Config::command_line(arguments.split(' ').map(str::to_owned)).unwrap();
    assert_eq!(line.get("kernel", "net_ticktime"), Some(&Term::Int(4)));
    assert_eq!(line.get("pa", "x"), None);
    let config = line.with(Config::erlang(SYS).unwrap());
    let config = config.with(Config::erlang("[{shop,[{colour,green},{size,1}]}].").unwrap());
    assert_eq!(config.get("shop", "colour"), Some(&Term::atom("blue")));
    assert_eq!(config.get("shop", "size"), Some(&Term::Int(3)));
}

#[test]
fn files_may_name_files_and_their_extension_may_be_missing() {
    let folder = std::env::temp_dir().join(format!("trunkline-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("sys.config"), "[{shop,[{a,1},{b,1}]}, \"more\"].").unwrap();
    std::fs::write(folder.join("more.config"), "[{shop,[{b,2}]}].").unwrap();
    std::fs::write(folder.join("round.config"), "[\"round.config\"].").unwrap();
    let config = Config::file(folder.join("sys")).unwrap();
    assert_eq!(config.get("shop", "a"), Some(&Term::Int(1)));
    assert_eq!(config.get("shop", "b"), Some(&Term::Int(2)));
    assert!(matches!(Config::file(folder.join("round")), Err(ConfigError::TooManyFiles { .. })));
    let missing = Config::file(folder.join("none")).unwrap_err().to_string();
    assert!(missing.contains("none.config cannot be read"), "{missing}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_wrong_is_one_sentence() {
    let erlang = |text: &str| Config::erlang(text).unwrap_err().to_string();
    for (text, words) in [
        (
            "[{kernel, [{net_ticktime, soon}]}].",
            "kernel's parameter net_ticktime must be seconds, and is soon",
        ),
        (
            "[{kernel, [{distributed, [{a, soon, [b]}]}]}].",
            "kernel's parameter distributed must be a list of",
        ),
        ("[{kernel, [{sync_nodes_mandatory, a@h}]}].", "must be a list of node names, and is a@h"),
        ("[{kernel, [{inet_dist_listen_min, 70000}]}].", "must be a port"),
        ("[{\"kernel\", []}].", "application name must be an atom"),
        ("[{kernel, a}].", "application: kernel; parameters must be a list"),
        ("[{a, [{b, 1}, {b, 2}]}].", "application: a; duplicate parameter: b"),
        ("[{a, []}, {a, []}].", "duplicate application config: a"),
        ("[{a, [b]}].", "application: a; invalid parameter: b"),
        ("[{a, [{1, b}]}].", "application: a; invalid parameter name: 1"),
        ("[7].", "invalid application config: 7"),
        ("{a, []}.", "configuration must be a list ended by <dot><whitespace>"),
        ("[{a, []}]. [].", "configuration must be a list ended by <dot><whitespace>"),
        ("[{a, [}].", "1:"),
        ("[{a, []}]", "is not what a sys.config is"),
    ] {
        let said = erlang(text);
        assert!(said.contains(words), "{text}: {said}");
        assert!(!said.contains('\n'), "{said}");
    }
    assert!(Config::toml("a = 1").unwrap_err().to_string().contains("parameters must be a table"));
    assert!(Config::toml("[a").unwrap_err().to_string().contains("is no TOML"));
    let line = Config::command_line(["-shop", "colour", "[red"].map(str::to_owned));
    assert!(line.unwrap_err().to_string().starts_with("-shop colour [red: the value is no Erlang term"));
}

#[test]
fn a_parameter_that_nobody_knows_is_said_and_kept() {
    let config = Config::erlang("[{kernel, [{net_tiktime, 5}, {logger_level, info}]}].").unwrap();
    assert_eq!(config.warnings(), ["kernel has no parameter net_tiktime: it is kept, and changes nothing"]);
    assert_eq!(config.get("kernel", "net_tiktime"), Some(&read_term("5").unwrap()));
}
