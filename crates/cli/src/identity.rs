//! Who this program is while it talks to nodes: its name, completed, and its cookie.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process;

use trunkline::Builder;
use trunkline::cookies::{COOKIE_VARIABLE, CookieError, Places};
use trunkline::names::{Form, HostNames, NameError, NodeName, complete};
use trunkline::proto::Misuse;
use trunkline::proto::handshake::Cookie;

use crate::limits::COOKIE_FILE_BYTES_MAX;

/// The options that say who we are.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Identity {
    /// Our short node name (`me` or `me@host`, the host without a dot); made up when neither -sname nor -name is given
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    sname: Option<String>,
    /// Our long node name (`me@host.domain` or `me@10.0.0.1`)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The cookie. Others on this machine can see it here: prefer TRUNKLINE_COOKIE or ~/.erlang.cookie
    #[arg(long, value_name = "COOKIE", conflicts_with = "cookie_file")]
    setcookie: Option<String>,
    /// A file that holds the cookie, readable by its owner only
    #[arg(long, value_name = "FILE")]
    cookie_file: Option<PathBuf>,
}

impl Identity {
    /// The name that was given, completed; or one made up, on this machine, short or long as `peer` is.
    pub(crate) fn own_name(&self, role: &str, peer: &NodeName) -> Result<NodeName, NameError> {
        let machine = HostNames::of_system();
        match (&self.sname, &self.name) {
            (Some(name), _) => complete(name, Some(Form::Short), &machine),
            (None, Some(name)) => complete(name, Some(Form::Long), &machine),
            (None, None) => {
                let host = match peer.form() {
                    Form::Short if peer.host() == "localhost" => "localhost".to_owned(),
                    Form::Short => machine.short.clone(),
                    Form::Long if is_loopback(peer.host()) => peer.host().to_owned(),
                    Form::Long => machine.long.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
                };
                complete(&format!("trunkline_{role}_{}@{host}", process::id()), Some(peer.form()), &machine)
            }
        }
    }

    /// Whether the name was given rather than made up.
    pub(crate) fn is_named(&self) -> bool {
        self.sname.is_some() || self.name.is_some()
    }

    /// The kind of names that was asked for, if any.
    pub(crate) fn form(&self) -> Option<Form> {
        match (&self.sname, &self.name) {
            (Some(_), _) => Some(Form::Short),
            (None, Some(_)) => Some(Form::Long),
            (None, None) => None,
        }
    }

    /// A node to be, with the cookie that was given; without one it looks for it itself, in the same places.
    pub(crate) fn dress(&self, builder: Builder) -> Result<Builder, BadCookie> {
        Ok(match (&self.setcookie, &self.cookie_file) {
            (Some(cookie), _) => {
                Cookie::new(cookie)?;
                builder.cookie(cookie.as_str())
            }
            (None, Some(file)) => builder.cookie(read_cookie(file)?),
            (None, None) => builder,
        })
    }

    /// Says that a cookie on the command line is no secret, if there is one.
    pub(crate) fn warn_of_cookie(&self) {
        if self.setcookie.is_some() {
            eprintln!(
                "trunkline: others on this machine can see the cookie in -setcookie; -cookie-file and {COOKIE_VARIABLE} \
                 keep it to yourself"
            );
        }
    }

    /// Where the cookie comes from.
    pub(crate) fn cookie_place(&self) -> &'static str {
        match (&self.setcookie, &self.cookie_file, std::env::var_os(COOKIE_VARIABLE)) {
            (Some(_), _, _) => "from -setcookie",
            (None, Some(_), _) => "from -cookie-file",
            (None, None, Some(text)) if !text.is_empty() => "from TRUNKLINE_COOKIE",
            (None, None, _) => "from the cookie file, which only its owner can read",
        }
    }

    /// The cookie: given, from the environment, or from the file where Erlang keeps it.
    pub(crate) fn cookie(&self) -> Result<Cookie, BadCookie> {
        match (&self.setcookie, &self.cookie_file) {
            (Some(text), _) => Ok(Cookie::new(text)?),
            (None, Some(file)) => Ok(Cookie::new(&read_cookie(file)?)?),
            (None, None) => Ok(Places::of_system().find()?),
        }
    }
}

/// Why there is no cookie. Never shows one.
#[derive(Debug)]
pub(crate) enum BadCookie {
    Given(Misuse),
    File { path: PathBuf, why: String },
    Found(CookieError),
}

impl From<Misuse> for BadCookie {
    fn from(misuse: Misuse) -> BadCookie {
        BadCookie::Given(misuse)
    }
}

impl From<CookieError> for BadCookie {
    fn from(error: CookieError) -> BadCookie {
        BadCookie::Found(error)
    }
}

impl std::fmt::Display for BadCookie {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BadCookie::Given(misuse) => write!(out, "the cookie that was given: {misuse}"),
            BadCookie::File { path, why } => write!(out, "the cookie file {}: {why}", path.display()),
            BadCookie::Found(error) => write!(out, "{error}"),
        }
    }
}

impl std::error::Error for BadCookie {}

/// As Erlang reads its own cookie file: a regular file, nobody else's to read, line ends and spaces behind the cookie left
/// out.
fn read_cookie(path: &Path) -> Result<String, BadCookie> {
    let bad = |why: String| BadCookie::File { path: path.to_owned(), why };
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    let facts = file.metadata().map_err(|error| bad(error.to_string()))?;
    if !facts.is_file() {
        return Err(bad("is no regular file".to_owned()));
    }
    if std::os::unix::fs::MetadataExt::mode(&facts) & 0o077 != 0 {
        return Err(bad("can be read by others than its owner: chmod 400 it".to_owned()));
    }
    let mut text = String::new();
    file.take(COOKIE_FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    let cookie = text.trim_end_matches(['\n', '\r', ' ']);
    if cookie.is_empty() || !cookie.bytes().all(|byte| (32..=126).contains(&byte)) {
        return Err(bad("holds no cookie, which is one line of printable characters".to_owned()));
    }
    Ok(cookie.to_owned())
}

/// The name of another node as the user wrote it: the host filled in where it is missing.
pub(crate) fn peer_name(text: &str, form: Option<Form>) -> Result<NodeName, NameError> {
    // A peer's own choice of characters is its own business; only what a name must have is checked.
    complete(text, if text.contains('@') { None } else { form }, &HostNames::of_system())
}

fn is_loopback(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
