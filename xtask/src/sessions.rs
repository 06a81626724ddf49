//! The acceptance sessions: what people type into shells of several nodes, with `erl` and ours in every mixture.

use std::collections::VecDeque;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::setup;

/// Who plays in one run of a session.
#[derive(Clone, Debug, PartialEq)]
struct Run {
    session: String,
    /// Nodes that are `erl`; the others are ours.
    erl: Vec<String>,
}

impl Run {
    fn shown(&self) -> String {
        match self.erl.as_slice() {
            [] => format!("{} (all ours)", self.session),
            erl => format!("{} (erl: {})", self.session, erl.join(" ")),
        }
    }
}

/// How much of the matrix is run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Reach {
    /// Every session with our nodes alone, and a few mixtures.
    Pick,
    /// Besides, each node in turn `erl` among ours, and ours among `erl`s.
    Whole,
}

/// Mixtures that are run before every push: calls, failover, shells and names across the border, each way.
const PICK: [(&str, &[&str]); 6] = [
    ("ketchup-fries", &["fries"]),
    ("rpc", &["lovecraft", "minion1", "minion2", "minion3"]),
    ("remote-shell", &["mustard"]),
    ("global-conflict", &["hill"]),
    ("job-center", &["jc2"]),
    ("job-center", &["jc1", "jc2", "jc3"]),
];
/// Most of a session is waiting.
const SESSIONS_AT_ONCE: usize = 4;
const SESSION_SECONDS_MAX: u64 = 300;

/// Runs them; whether all are green. One that is not has a second try when nothing else runs: patience is counted in seconds,
/// and a machine may be slow.
pub(crate) fn run(root: &Path, reach: Reach) -> Result<bool> {
    let with_erl = setup::has("erl", &["+V"]);
    if !setup::has("python3", &["--version"]) {
        bail!("the sessions are replayed by tests/acceptance/run, which needs python3");
    }
    let place = Place { folder: root.join("tests/acceptance"), binary: binary(root)? };
    let mut runs = matrix(&place.sessions()?, reach);
    if !with_erl {
        println!("erl is not installed: only the runs without it");
        runs.retain(|run| run.erl.is_empty());
    }
    let red = place.play_all(runs, SESSIONS_AT_ONCE);
    if red.is_empty() {
        return Ok(true);
    }
    println!("once more, alone: {}", red.iter().map(Run::shown).collect::<Vec<_>>().join(", "));
    Ok(place.play_all(red, 1).is_empty())
}

/// The program that plays our nodes: `TRUNKLINE_BINARY`, or the release build.
fn binary(root: &Path) -> Result<PathBuf> {
    if let Some(said) = std::env::var_os("TRUNKLINE_BINARY") {
        return Ok(PathBuf::from(said));
    }
    let order = crate::steps::Order::cargo(root, "build --release -p trunkline-cli");
    if !order.run()? {
        bail!("the binary does not build");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/trunkline"))
}

/// Sessions with the names of their nodes.
type Sessions = Vec<(String, Vec<String>)>;

fn matrix(sessions: &Sessions, reach: Reach) -> Vec<Run> {
    let run = |session: &str, erl: Vec<String>| Run { session: session.to_owned(), erl };
    let mut runs: Vec<Run> = sessions.iter().map(|(session, _)| run(session, Vec::new())).collect();
    if reach == Reach::Pick {
        let owned = |nodes: &[&str]| nodes.iter().map(|node| (*node).to_owned()).collect();
        runs.extend(PICK.iter().map(|(session, erl)| run(session, owned(erl))));
        return longest_first(runs);
    }
    for (session, nodes) in sessions {
        for node in nodes {
            let others: Vec<String> = nodes.iter().filter(|other| *other != node).cloned().collect();
            runs.push(run(session, vec![node.clone()]));
            // With two nodes that is the same as the other one's turn.
            if nodes.len() > 2 {
                runs.push(run(session, others));
            }
        }
    }
    longest_first(runs)
}

/// Those that take long begin first, so that none of them is waited for at the end.
fn longest_first(mut runs: Vec<Run>) -> Vec<Run> {
    let long = ["job-center", "mandatory-missing", "remote-shell", "survivors", "rpc"];
    let rank = |run: &Run| long.iter().position(|name| *name == run.session).unwrap_or(long.len());
    runs.sort_by_key(rank);
    runs
}

/// Where the sessions are, and who plays.
struct Place {
    folder: PathBuf,
    binary: PathBuf,
}

impl Place {
    fn sessions(&self) -> Result<Sessions> {
        let mut sessions = Vec::new();
        for entry in fs::read_dir(&self.folder).context("tests/acceptance")? {
            let file = entry?.path();
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
            if let Some(session) = name.strip_suffix(".session") {
                sessions.push((session.to_owned(), nodes(&fs::read_to_string(&file)?)));
            }
        }
        sessions.sort();
        Ok(sessions)
    }

    /// Plays them, so many at once; those that are not green.
    fn play_all(&self, runs: Vec<Run>, at_once: usize) -> Vec<Run> {
        let queue = Mutex::new(VecDeque::from(runs));
        let red = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    loop {
                        // Taken in a line of its own: the lock is not held while it is played.
                        let next = lock(&queue).pop_front();
                        let Some(run) = next else { return };
                        let begun = now();
                        let (green, said) =
                            self.play(&run).unwrap_or_else(|error| (false, format!("{error:#}\n")));
                        let word = if green { "ok  " } else { "FAIL" };
                        println!("{word} {} in {:.1} s", run.shown(), begun.elapsed().as_secs_f64());
                        if !green {
                            print!("{said}");
                            lock(&red).push(run);
                        }
                    }
                });
            }
        });
        red.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays one, with a port mapper, a home and a directory of its own.
    fn play(&self, run: &Run) -> Result<(bool, String)> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = std::env::temp_dir().join(format!("sessions-{}-{port}", std::process::id()));
        fs::create_dir_all(&home)?;
        let ended = self.play_in(run, port, &home);
        let _ = fs::remove_dir_all(&home);
        ended
    }

    fn play_in(&self, run: &Run, port: u16, home: &Path) -> Result<(bool, String)> {
        let quiet = Stdio::null;
        let mut mapper = Command::new(&self.binary);
        mapper
            .arg("epmd")
            .env("ERL_EPMD_PORT", port.to_string())
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet());
        let _mapper = Ends(mapper.spawn().context("trunkline epmd")?);
        let ours = match run.session.as_str() {
            // Its modules are interpreted from their source.
            "job-center" => {
                format!("{} erl -pa {}", self.binary.display(), self.folder.join("job_center").display())
            }
            _ => format!("{} erl", self.binary.display()),
        };
        let mut command = Command::new("python3");
        command.arg(self.folder.join("run")).arg("--private-home").args(["--default", &ours]);
        for node in &run.erl {
            command.args(["--node", &format!("{node}=erl")]);
        }
        command.arg(self.folder.join(format!("{}.session", run.session)));
        command.current_dir(home).env("ERL_EPMD_PORT", port.to_string()).env("ERL_CRASH_DUMP", "/dev/null");
        command.env("TMPDIR", home).env("PATH", path_with(&self.binary));
        let log = home.join("said.log");
        let out = fs::File::create(&log)?;
        command.stdin(quiet()).stdout(out.try_clone()?).stderr(out);
        let mut child = Ends(command.spawn()?);
        let end = now() + Duration::from_secs(SESSION_SECONDS_MAX);
        let green = loop {
            match child.0.try_wait()? {
                Some(status) => break status.success(),
                None if now() > end => break false,
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        Ok((green, fs::read_to_string(&log).unwrap_or_default()))
    }
}

/// A session may call our binary by its name.
fn path_with(binary: &Path) -> std::ffi::OsString {
    let folder = binary.parent().map(Path::to_path_buf).unwrap_or_default();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&paths))).unwrap_or(paths)
}

/// A child that does not outlive us.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `node NAME: FLAGS`.
fn nodes(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.strip_prefix("node ")?.split_once(':'));
    named.map(|(name, _)| name.trim().to_owned()).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wall clock: a build tool has no node to ask.
#[expect(clippy::disallowed_methods, reason = "xtask runs outside of any node")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> Sessions {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        vec![("ping".to_owned(), names("a b")), ("job-center".to_owned(), names("jc1 jc2 jc3"))]
    }

    #[test]
    fn the_nodes_of_a_session_are_read() {
        assert_eq!(nodes("# x\nnode a: -sname a\nnode b:\nwithin 3\n"), ["a", "b"]);
    }

    #[test]
    fn the_whole_matrix_has_each_node_in_turn_alone_on_its_side() {
        let runs = matrix(&sessions(), Reach::Whole);
        let of = |session: &str| runs.iter().filter(|run| run.session == session).count();
        assert_eq!((of("ping"), of("job-center")), (3, 7));
        assert_eq!(runs[0].session, "job-center", "the long ones come first");
        let alone = Run { session: "job-center".to_owned(), erl: vec!["jc1".to_owned(), "jc3".to_owned()] };
        assert!(runs.contains(&alone));
    }

    #[test]
    fn the_pick_names_sessions_and_nodes_that_there_are() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/acceptance");
        let all = Place { folder, binary: PathBuf::new() }.sessions().unwrap();
        for (session, erl) in PICK {
            let (_, nodes) = all.iter().find(|(name, _)| name == session).expect(session);
            assert!(erl.iter().all(|node| nodes.iter().any(|name| name == node)), "{session}: {erl:?}");
        }
        assert_eq!(matrix(&all, Reach::Pick).len(), all.len() + PICK.len());
    }
}
