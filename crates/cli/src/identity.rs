//! Who this program is while it talks to nodes: its name, completed, and its cookie.

use std::process;

use trunkline::Builder;
use trunkline::cookies::{COOKIE_VARIABLE, CookieError, Places};
use trunkline::names::{Form, HostNames, NameError, NodeName, complete};
use trunkline::proto::Misuse;
use trunkline::proto::handshake::Cookie;

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
    #[arg(long, value_name = "COOKIE")]
    setcookie: Option<String>,
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
    pub(crate) fn dress(&self, builder: Builder) -> Builder {
        match &self.setcookie {
            Some(cookie) => builder.cookie(cookie.as_str()),
            None => builder,
        }
    }

    /// Where the cookie comes from.
    pub(crate) fn cookie_place(&self) -> &'static str {
        match (&self.setcookie, std::env::var_os(COOKIE_VARIABLE)) {
            (Some(_), _) => "from -setcookie",
            (None, Some(text)) if !text.is_empty() => "from TRUNKLINE_COOKIE",
            (None, _) => "from the cookie file, which only its owner can read",
        }
    }

    /// The cookie: given, from the environment, or from the file where Erlang keeps it.
    pub(crate) fn cookie(&self) -> Result<Cookie, BadCookie> {
        match &self.setcookie {
            Some(text) => Ok(Cookie::new(text)?),
            None => Ok(Places::of_system().find()?),
        }
    }
}

/// Why there is no cookie. Never shows one.
#[derive(Debug)]
pub(crate) enum BadCookie {
    Given(Misuse),
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
            BadCookie::Given(misuse) => write!(out, "-setcookie: {misuse}"),
            BadCookie::Found(error) => write!(out, "{error}"),
        }
    }
}

impl std::error::Error for BadCookie {}

/// The name of another node as the user wrote it: the host filled in where it is missing.
pub(crate) fn peer_name(text: &str, form: Option<Form>) -> Result<NodeName, NameError> {
    // A peer's own choice of characters is its own business; only what a name must have is checked.
    complete(text, if text.contains('@') { None } else { form }, &HostNames::of_system())
}

fn is_loopback(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
