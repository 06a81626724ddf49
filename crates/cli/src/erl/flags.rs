//! The flags of `erl`, read as `erl` reads them. Pure.

use std::collections::VecDeque;

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flags {
    /// The words that are no flags, and all behind `-extra`.
    pub(crate) plain: Vec<String>,
    /// `-sname` or `-name`.
    pub(crate) name: Option<(Naming, String)>,
    pub(crate) cookie: Option<String>,
    /// `-setcookie Node Cookie`.
    pub(crate) peer_cookies: Vec<(String, String)>,
    pub(crate) hidden: bool,
    pub(crate) connect_all: Option<bool>,
    pub(crate) dist_listen: Option<bool>,
    pub(crate) remsh: Option<String>,
    pub(crate) noshell: bool,
    pub(crate) noinput: bool,
    pub(crate) detached: bool,
    pub(crate) start_epmd: Option<bool>,
    pub(crate) erl_epmd_port: Option<u16>,
    pub(crate) proto_dist: Option<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) paths_behind: Vec<String>,
    /// `-eval`, `-run`, `-s`, in their order.
    pub(crate) todo: Vec<Todo>,
    pub(crate) help: bool,
    pub(crate) version: bool,
    /// The line without what `-args_file` stood for: for the readers of `-config` and `-App Key Value`.
    pub(crate) words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Naming {
    Short,
    Long,
}

/// What to do when the node is up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Todo {
    Eval(String),
    /// `-run Module [Function [Arguments]]`: the arguments are strings.
    Run(Vec<String>),
    /// `-s Module [Function [Arguments]]`: the arguments are atoms.
    Start(Vec<String>),
}

/// Flags without a meaning here: read, and left alone.
const IDLE: &[&str] = &[
    "boot",
    "boot_var",
    "code_path_cache",
    "emu_args",
    "emu_flavor",
    "emu_type",
    "enable-feature",
    "disable-feature",
    "env",
    "heart",
    "home",
    "hosts",
    "id",
    "init_debug",
    "loader",
    "mode",
    "nostick",
    "path",
    "profile_boot",
    "progname",
    "pz",
    "root",
    "rsh",
    "shutdown_time",
    "ssl_dist_opt",
    "ssl_dist_optfile",
    "epmd_module",
    "smp",
    "config",
    "configfd",
    "sbwt",
    "async_shell_start",
    "man",
    "extra",
];

const KNOWN: &[&str] = &[
    "sname",
    "name",
    "setcookie",
    "hidden",
    "connect_all",
    "dist_listen",
    "remsh",
    "noshell",
    "noinput",
    "detached",
    "start_epmd",
    "erl_epmd_port",
    "proto_dist",
    "pa",
    "pz",
    "args_file",
    "eval",
    "run",
    "s",
    "help",
    "version",
];

/// Files that may name files.
const ARGS_FILES_MAX: usize = 32;

/// Reads a command line; `read` gives the text of the files of `-args_file`.
///
/// # Errors
/// One sentence that says which flag is wrong, and how.
pub(crate) fn parse(
    words: Vec<String>,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Flags, String> {
    let words = with_files(words, read)?;
    let mut flags = Flags { words: words.clone(), ..Flags::default() };
    let mut rest: VecDeque<String> = words.into();
    while let Some(word) = rest.pop_front() {
        if word == "-extra" {
            flags.plain.extend(rest);
            break;
        }
        if let Some(emulator) = word.strip_prefix('+') {
            // Flags of a BEAM: most have one value behind them, some within them.
            if emulator.len() <= 2 && rest.front().is_some_and(|next| !next.starts_with(['-', '+'])) {
                rest.pop_front();
            }
            continue;
        }
        let Some(flag) =
            word.strip_prefix('-').filter(|flag| flag.starts_with(|c: char| c.is_ascii_lowercase()))
        else {
            flags.plain.extend((word != "--").then_some(word));
            continue;
        };
        let mut values = Vec::new();
        while rest.front().is_some_and(|next| !is_flag(next)) {
            let value = rest.pop_front().unwrap_or_default();
            if value == "--" {
                break;
            }
            values.push(value);
        }
        take(&mut flags, flag, values)?;
    }
    if flags.detached {
        (flags.noshell, flags.noinput) = (true, true);
    }
    flags.noshell |= flags.noinput;
    Ok(flags)
}

fn is_flag(word: &str) -> bool {
    let mut chars = word.chars();
    matches!(chars.next(), Some('-' | '+')) && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
}

fn take(flags: &mut Flags, flag: &str, values: Vec<String>) -> Result<(), String> {
    let one = || match &values[..] {
        [value] => Ok(value.clone()),
        _ => Err(format!("-{flag} takes one value, and was given {}", values.len())),
    };
    let truth = || match values.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["true"] => Ok(true),
        ["false"] => Ok(false),
        _ => Err(format!("-{flag} takes true or false")),
    };
    match flag {
        "sname" | "name" if flags.name.is_some() => {
            return Err("-sname and -name: one of them, once".to_owned());
        }
        "sname" => flags.name = Some((Naming::Short, one()?)),
        "name" => flags.name = Some((Naming::Long, one()?)),
        "setcookie" => match &values[..] {
            [cookie] => flags.cookie = Some(cookie.clone()),
            [node, cookie] => flags.peer_cookies.push((node.clone(), cookie.clone())),
            _ => return Err("-setcookie takes a cookie, or a node and its cookie".to_owned()),
        },
        "hidden" => flags.hidden = true,
        "connect_all" => flags.connect_all = Some(truth()?),
        "dist_listen" => flags.dist_listen = Some(truth()?),
        "start_epmd" => flags.start_epmd = Some(truth()?),
        "remsh" => flags.remsh = Some(one()?),
        "noshell" => flags.noshell = true,
        "noinput" => flags.noinput = true,
        "detached" => flags.detached = true,
        "erl_epmd_port" => {
            let port = one()?;
            flags.erl_epmd_port =
                Some(port.parse().map_err(|_| format!("-erl_epmd_port: {port} is no port"))?);
        }
        "proto_dist" => flags.proto_dist = Some(one()?),
        "pa" => flags.paths.extend(values),
        "pz" => flags.paths_behind.extend(values),
        "eval" => flags.todo.push(Todo::Eval(one()?)),
        "run" | "s" if values.is_empty() => return Err(format!("-{flag} takes a module")),
        "run" => flags.todo.push(Todo::Run(values)),
        "s" => flags.todo.push(Todo::Start(values)),
        "help" => flags.help = true,
        "version" => flags.version = true,
        _ if IDLE.contains(&flag) => {}
        // `-App Key Value ...`: the configuration of an application.
        _ if values.len() >= 2 && values.len().is_multiple_of(2) && nearest(flag).is_none() => {}
        _ => {
            let hint = nearest(flag).map_or_else(
                || "it is no flag of erl, and `-Application Key Value` has a key and a value".to_owned(),
                |near| format!("did you mean -{near}?"),
            );
            return Err(format!("unknown flag -{flag}: {hint}"));
        }
    }
    Ok(())
}

fn with_files(
    words: Vec<String>,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let (mut out, mut rest, mut files) = (Vec::new(), VecDeque::from(words), 0);
    while let Some(word) = rest.pop_front() {
        if word != "-args_file" {
            out.push(word);
            continue;
        }
        files += 1;
        if files > ARGS_FILES_MAX {
            return Err(format!("-args_file: more than {ARGS_FILES_MAX} files"));
        }
        let name = rest.pop_front().ok_or("-args_file takes the name of a file")?;
        for word in split(&read(&name)?).into_iter().rev() {
            rest.push_front(word);
        }
    }
    Ok(out)
}

/// The words of an `-args_file`: quotes and backslashes as in a shell, `#` begins a comment.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut begun, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('\''), c) => word.push(c),
            (_, '\\') => {
                word.extend(chars.next());
                begun = true;
            }
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '#') if !begun => while chars.next().is_some_and(|c| c != '\n') {},
            (None, c) if c.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The flag that was probably meant.
fn nearest(flag: &str) -> Option<&'static str> {
    let all = KNOWN.iter().chain(IDLE).map(|known| (distance(flag, known), *known));
    all.filter(|(far, known)| *far <= 1 + known.len() / 5 && known.len() > 2).min().map(|(_, known)| known)
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Flags, String> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(), &|name| {
            Ok(match name {
                "self" => "-args_file self".to_owned(),
                _ => "-sname 'in file' # not this\n-eval \"io:format(\\\"x\\\")\"".to_owned(),
            })
        })
    }

    #[test]
    fn flags_are_read_as_erl_reads_them() {
        let flags =
            read("-sname a@b -setcookie x -setcookie c@d y -kernel net_ticktime 5 -hidden +P 1000 -noinput")
                .unwrap();
        assert_eq!(flags.name, Some((Naming::Short, "a@b".to_owned())));
        assert_eq!(flags.cookie.as_deref(), Some("x"));
        assert_eq!(flags.peer_cookies, [("c@d".to_owned(), "y".to_owned())]);
        assert!(flags.hidden && flags.noshell && flags.noinput);
        let flags = read("one -noinput -- two -hidden -extra three -four").unwrap();
        assert_eq!(flags.plain, ["one", "two", "three", "-four"]);
        let flags = read("-connect_all false -run m f a b -s n -eval q().").unwrap();
        assert_eq!(flags.connect_all, Some(false));
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let todo =
            [Todo::Run(words(&["m", "f", "a", "b"])), Todo::Start(words(&["n"])), Todo::Eval("q().".into())];
        assert_eq!(flags.todo, todo);
    }

    #[test]
    fn what_is_no_flag_is_refused_with_the_nearest_that_is() {
        for (line, hint) in [
            ("-snam x", "did you mean -sname?"),
            ("-setcokie x", "did you mean -setcookie?"),
            ("-noimput", "did you mean -noinput?"),
            ("-zebra", "unknown flag -zebra"),
            ("-sname", "takes one value"),
            ("-sname a -name b", "one of them"),
            ("-erl_epmd_port x", "no port"),
            ("-connect_all maybe", "true or false"),
            ("-args_file self", "more than"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(hint), "{line}: {error}");
        }
    }

    #[test]
    fn an_args_file_stands_for_its_words() {
        let flags = read("-hidden -args_file f -noshell").unwrap();
        assert_eq!(flags.name, Some((Naming::Short, "in file".to_owned())));
        assert_eq!(flags.todo, [Todo::Eval("io:format(\"x\")".to_owned())]);
        assert!(flags.hidden && flags.noshell);
    }
}
