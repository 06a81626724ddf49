//! Cookies: found where Erlang keeps them, one for everybody or one per peer, and never printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use proto::handshake::Cookie;
use rand::TryRng;
use rand::rngs::SysRng;
use term::Atom;

use crate::limits::{COOKIE_FILE_BYTES_MAX, COOKIE_LETTERS};

/// The environment variable that holds the cookie of a node that was given none. It goes before the cookie file.
pub const COOKIE_VARIABLE: &str = "TRUNKLINE_COOKIE";

/// The cookies of one node: its own, and those of peers that have another.
#[derive(Debug)]
pub struct Cookies(Mutex<Jar>);

#[derive(Debug)]
struct Jar {
    own: Cookie,
    peers: BTreeMap<Atom, Cookie>,
}

impl Cookies {
    /// One cookie for everybody.
    pub fn new(own: Cookie) -> Cookies {
        Cookies(Mutex::new(Jar { own, peers: BTreeMap::new() }))
    }

    /// Our own cookie, and the one for every peer without its own.
    pub fn own(&self) -> Cookie {
        self.jar().own.clone()
    }

    /// Changes our own cookie. Connections that are up stay up.
    pub fn set_own(&self, cookie: Cookie) {
        self.jar().own = cookie;
    }

    /// The cookie for `peer`, in both directions.
    pub fn of(&self, peer: &Atom) -> Cookie {
        let jar = self.jar();
        jar.peers.get(peer).unwrap_or(&jar.own).clone()
    }

    /// Gives `peer` a cookie of its own. (`erlang:set_cookie/2`.)
    pub fn set(&self, peer: Atom, cookie: Cookie) {
        self.jar().peers.insert(peer, cookie);
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, Jar> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Why no cookie was found, and what to do. Never shows one.
#[derive(Debug, thiserror::Error)]
pub enum CookieError {
    /// The file cannot be read or made.
    #[error("the cookie file {path} cannot be {doing}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file's mode lets others in.
    #[error("the cookie file {0} can be read by others than its owner: chmod 400 it")]
    Open(PathBuf),
    /// It is a directory, a socket, ...
    #[error("the cookie file {0} is no regular file")]
    NotAFile(PathBuf),
    /// What it says is no cookie.
    #[error("the cookie in {place} is unusable: {why}")]
    Content {
        /// The file or variable.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// There is no home directory in which to look.
    #[error(
        "no cookie was given and there is no home directory with a cookie file: give one, or set {COOKIE_VARIABLE}"
    )]
    Homeless,
}

/// Where to look for a cookie.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What [`COOKIE_VARIABLE`] says.
    pub variable: Option<String>,
    /// The home directory: `.erlang.cookie` is read and made here.
    pub home: Option<PathBuf>,
    /// The user's configuration directory: `erlang/.erlang.cookie` is read here when the home has none.
    pub config: Option<PathBuf>,
}

impl Places {
    /// As the environment has them: `TRUNKLINE_COOKIE`, `HOME`, `XDG_CONFIG_HOME`.
    pub fn of_system() -> Places {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = path("HOME");
        let config = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        Places { variable: std::env::var(COOKIE_VARIABLE).ok().filter(|text| !text.is_empty()), home, config }
    }

    /// Finds the cookie of a node that was given none, or makes one.
    ///
    /// The variable goes first, then the file in the home directory, then the one in the configuration directory; where
    /// there is none, twenty random letters are written to the home directory, readable for the owner only.
    ///
    /// # Errors
    /// When a file is there but unusable, or none can be made.
    pub fn find(&self) -> Result<Cookie, CookieError> {
        if let Some(text) = &self.variable {
            return check(text, || COOKIE_VARIABLE.to_owned());
        }
        let home = self.home.as_deref().ok_or(CookieError::Homeless)?.join(FILE_NAME);
        let config = self.config.as_deref().map(|config| config.join("erlang").join(FILE_NAME));
        for path in [Some(&home), config.as_ref()].into_iter().flatten() {
            if let Some(cookie) = read(path)? {
                return Ok(cookie);
            }
        }
        match make(&home) {
            // Another node of the same user was faster: its cookie is ours too.
            Err(CookieError::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                read(&home)?.ok_or(CookieError::Homeless)
            }
            made => made,
        }
    }
}

const FILE_NAME: &str = ".erlang.cookie";

fn read(path: &Path) -> Result<Option<Cookie>, CookieError> {
    let failed = |source| CookieError::File { path: path.to_owned(), doing: "read", source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(CookieError::NotAFile(path.to_owned()));
    }
    if is_open_to_others(&facts) {
        return Err(CookieError::Open(path.to_owned()));
    }
    let mut text = String::new();
    file.take(COOKIE_FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    check(&text, || path.display().to_string()).map(Some)
}

#[cfg(unix)]
fn is_open_to_others(facts: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    facts.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

fn check(text: &str, place: impl Fn() -> String) -> Result<Cookie, CookieError> {
    let refuse = |why: String| CookieError::Content { place: place(), why };
    let text = text.trim_end_matches(['\n', '\r', ' ']);
    if text.is_empty() {
        return Err(refuse("too short cookie string".into()));
    }
    if !text.bytes().all(|byte| (32..=126).contains(&byte)) {
        return Err(refuse("bad characters in cookie".into()));
    }
    Cookie::new(text).map_err(|misuse| refuse(misuse.to_string()))
}

fn make(path: &Path) -> Result<Cookie, CookieError> {
    let failed = |source| CookieError::File { path: path.to_owned(), doing: "written", source };
    let letters = random_letters().map_err(failed)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o400);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(letters.as_bytes()).map_err(failed)?;
    check(&letters, || path.display().to_string())
}

fn random_letters() -> io::Result<String> {
    let mut letters = String::with_capacity(COOKIE_LETTERS);
    let mut bytes = [0; 2 * COOKIE_LETTERS];
    while letters.len() < COOKIE_LETTERS {
        SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
        // Whole multiples of 26 only, so that every letter is equally likely.
        let fair = bytes.iter().filter(|byte| **byte < 9 * 26).map(|byte| char::from(b'A' + byte % 26));
        letters.extend(fair.take(COOKIE_LETTERS - letters.len()));
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Home(PathBuf);

    impl Home {
        fn new(name: &str) -> Home {
            let path = std::env::temp_dir().join(format!("trunkline-cookies-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("config/erlang")).unwrap();
            Home(path)
        }

        fn places(&self) -> Places {
            Places { variable: None, home: Some(self.0.clone()), config: Some(self.0.join("config")) }
        }

        fn put(&self, at: &str, text: &str, mode: u32) {
            let path = self.0.join(at);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_missing_cookie_is_made_for_the_owner_only_and_found_again() {
        let home = Home::new("made");
        let made = home.places().find().unwrap();
        let path = home.0.join(FILE_NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() == COOKIE_LETTERS && text.bytes().all(|byte| byte.is_ascii_uppercase()));
        assert_eq!(home.places().find().unwrap(), made);
    }

    #[test]
    fn a_cookie_that_others_can_read_is_refused() {
        let home = Home::new("open");
        home.put(FILE_NAME, "SECRET", 0o440);
        let refused = home.places().find().unwrap_err();
        assert!(matches!(refused, CookieError::Open(_)));
        assert!(!refused.to_string().contains("SECRET"));
    }

    #[test]
    fn line_ends_and_spaces_after_a_cookie_do_not_count() {
        let home = Home::new("newline");
        home.put(FILE_NAME, "SECRET \r\n", 0o400);
        assert_eq!(home.places().find().unwrap(), Cookie::new("SECRET").unwrap());
    }

    #[test]
    fn control_characters_and_emptiness_are_refused() {
        let home = Home::new("bad");
        home.put(FILE_NAME, "a\tb", 0o400);
        assert!(home.places().find().unwrap_err().to_string().contains("bad characters"));
        home.put("config/erlang/.erlang.cookie", "UNSEEN", 0o400);
        fs::remove_file(home.0.join(FILE_NAME)).unwrap();
        home.put(FILE_NAME, "\n", 0o400);
        assert!(home.places().find().unwrap_err().to_string().contains("too short"));
    }

    #[test]
    fn the_configuration_directory_is_the_second_place_and_the_variable_the_first() {
        let home = Home::new("places");
        home.put("config/erlang/.erlang.cookie", "FROM_CONFIG", 0o600);
        assert_eq!(home.places().find().unwrap(), Cookie::new("FROM_CONFIG").unwrap());
        let places = Places { variable: Some("FROM_ENV".into()), ..home.places() };
        assert_eq!(places.find().unwrap(), Cookie::new("FROM_ENV").unwrap());
    }

    #[test]
    fn a_peer_may_have_a_cookie_of_its_own() {
        let cookies = Cookies::new(Cookie::new("all").unwrap());
        cookies.set(Atom::new("b@h"), Cookie::new("b's").unwrap());
        assert_eq!(cookies.of(&Atom::new("b@h")), Cookie::new("b's").unwrap());
        assert_eq!(cookies.of(&Atom::new("c@h")), cookies.own());
        assert!(!format!("{cookies:?}").contains("all"));
    }
}
