//! Node names as a node's owner writes them: completed, checked, and kept apart into short and long.

use std::fmt;
use std::net::IpAddr;

use proto::handshake::is_node_name;

use crate::limits::NODE_NAME_CHARS_MAX;

/// The two worlds of node names. Nodes of one cannot talk to nodes of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Hosts without a dot (`erl -sname`): `ketchup@localhost`.
    Short,
    /// Hosts with a dot, or IP numbers (`erl -name`): `ketchup@10.0.0.7`.
    Long,
}

/// A node name that is complete and consistent: one `@`, a local part, a host of the right form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    local: String,
    host: String,
    form: Form,
}

impl NodeName {
    /// The part before the `@`: what EPMD registers.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Short or long.
    pub fn form(&self) -> Form {
        self.form
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

/// What this machine calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostNames {
    /// Without a dot.
    pub short: String,
    /// With its domain, where one is known.
    pub long: Option<String>,
}

/// Why a name cannot be used, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No local part, two `@`, nothing behind the `@`.
    #[error("{0:?} is no node name: write local@host, with one '@' and something on both sides")]
    Malformed(String),
    /// The local part has other characters than OTP allows for a node's own name.
    #[error("{0:?} cannot be a node's own name: only letters, digits, '_' and '-' may stand before the '@'")]
    Characters(String),
    /// Longer than an atom.
    #[error("the node name {0:?}... is longer than 255 characters")]
    TooLong(String),
    /// A dot where short names are wanted.
    #[error(
        "{name} is a long name and this node uses short names: use a host without dots, or start with long names"
    )]
    LongAmongShort {
        /// The name.
        name: String,
    },
    /// No dot where long names are wanted.
    #[error(
        "{name} is a short name and this node uses long names: use a full host name or an IP number after the '@', or \
         start with short names"
    )]
    ShortAmongLong {
        /// The name.
        name: String,
    },
    /// The machine does not know its domain.
    #[error(
        "{0}: this machine does not know its full host name; write the host after an '@' (an IP number will do), or use \
         short names"
    )]
    NoDomain(String),
}

/// Completes and checks a node's own name.
///
/// `ketchup` becomes `ketchup@` and the machine's name. Without a `form`, the host decides: a dot or an IP number makes it
/// long, anything else short.
///
/// # Errors
/// When the text is no node name, or its host is not of the `form` asked for.
pub fn complete(text: &str, form: Option<Form>, host: &HostNames) -> Result<NodeName, NameError> {
    let (local, given) = match text.split_once('@') {
        Some((local, host)) => (local, Some(host)),
        None => (text, None),
    };
    let host = match (given, form) {
        (Some(host), _) => host.to_owned(),
        (None, Some(Form::Long)) => host.long.clone().ok_or_else(|| NameError::NoDomain(text.to_owned()))?,
        (None, _) => host.short.clone(),
    };
    let name = format!("{local}@{host}");
    if !is_node_name(&name) {
        return Err(NameError::Malformed(text.to_owned()));
    }
    if !local.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Err(NameError::Characters(local.to_owned()));
    }
    if name.chars().count() > NODE_NAME_CHARS_MAX {
        return Err(NameError::TooLong(name.chars().take(40).collect()));
    }
    let form = form.unwrap_or(form_of_host(&host));
    check_form(&name, form)?;
    Ok(NodeName { local: local.to_owned(), host, form })
}

/// Whether a node with names of `ours` may talk to `peer`. (`net_kernel`: "Hostname ... is illegal".)
///
/// # Errors
/// When it is no node name, or one of the other form.
pub fn check_peer(peer: &str, ours: Form) -> Result<(), NameError> {
    if !is_node_name(peer) {
        return Err(NameError::Malformed(peer.to_owned()));
    }
    if peer.chars().count() > NODE_NAME_CHARS_MAX {
        return Err(NameError::TooLong(peer.chars().take(40).collect()));
    }
    check_form(peer, ours)
}

/// The two halves of a node name.
pub fn split(name: &str) -> Option<(&str, &str)> {
    if is_node_name(name) { name.split_once('@') } else { None }
}

fn check_form(name: &str, form: Form) -> Result<(), NameError> {
    let host = name.split_once('@').map_or("", |(_, host)| host);
    match (form, form_of_host(host)) {
        (Form::Short, Form::Long) => Err(NameError::LongAmongShort { name: name.to_owned() }),
        (Form::Long, Form::Short) => Err(NameError::ShortAmongLong { name: name.to_owned() }),
        _ => Ok(()),
    }
}

fn form_of_host(host: &str) -> Form {
    if host.contains('.') || host.parse::<IpAddr>().is_ok() { Form::Long } else { Form::Short }
}

impl HostNames {
    /// Asks the system. The domain, when the host name has none, is the one in `/etc/resolv.conf`, as OTP does it.
    pub fn of_system() -> HostNames {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .or_else(hostname_command)
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty() && !name.contains('@'))
            .unwrap_or_else(|| "localhost".to_owned());
        let resolver = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        HostNames::from_parts(&name, &resolver)
    }

    fn from_parts(name: &str, resolver: &str) -> HostNames {
        match name.split_once('.') {
            Some((short, _)) => HostNames { short: short.to_owned(), long: Some(name.to_owned()) },
            None => HostNames {
                short: name.to_owned(),
                long: domain(resolver).map(|domain| format!("{name}.{domain}")),
            },
        }
    }
}

fn domain(resolver: &str) -> Option<&str> {
    let words = |line: &'_ str| line.split_whitespace().next().map(str::to_owned);
    resolver
        .lines()
        .filter(|line| matches!(words(line).as_deref(), Some("domain" | "search")))
        .find_map(|line| line.split_whitespace().nth(1))
        .filter(|domain| *domain != ".")
}

fn hostname_command() -> Option<String> {
    let output = std::process::Command::new("hostname").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> HostNames {
        HostNames { short: "kitchen".into(), long: Some("kitchen.example.org".into()) }
    }

    #[test]
    fn a_missing_host_is_filled_in_from_the_system() {
        assert_eq!(complete("ketchup", None, &machine()).unwrap().to_string(), "ketchup@kitchen");
        let long = complete("ketchup", Some(Form::Long), &machine()).unwrap();
        assert_eq!(long.to_string(), "ketchup@kitchen.example.org");
        let homeless = HostNames { long: None, ..machine() };
        assert!(matches!(complete("ketchup", Some(Form::Long), &homeless), Err(NameError::NoDomain(_))));
    }

    #[test]
    fn the_host_decides_between_short_and_long() {
        assert_eq!(complete("a@localhost", None, &machine()).unwrap().form(), Form::Short);
        assert_eq!(complete("a@127.0.0.1", None, &machine()).unwrap().form(), Form::Long);
        assert_eq!(complete("a@::1", None, &machine()).unwrap().form(), Form::Long);
    }

    #[test]
    fn mixed_names_are_refused_with_advice() {
        let mixed = complete("a@localhost", Some(Form::Long), &machine()).unwrap_err();
        assert!(mixed.to_string().starts_with("a@localhost is a short name and this node uses long names: "));
        assert!(
            check_peer("b@10.0.0.1", Form::Short).unwrap_err().to_string().contains("start with long names")
        );
        assert_eq!(check_peer("b@localhost", Form::Short), Ok(()));
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in ["", "@", "a@", "@b", "a@b@c", "sp ace@h", "ké@h"] {
            assert!(complete(bad, None, &machine()).is_err(), "{bad:?}");
        }
        assert!(complete(&"a".repeat(300), None, &machine()).is_err());
    }

    #[test]
    fn the_domain_comes_from_the_host_name_or_the_resolver() {
        assert_eq!(HostNames::from_parts("a.b.c", "").long.as_deref(), Some("a.b.c"));
        let found = HostNames::from_parts("a", "nameserver 1.1.1.1\nsearch x.org y.org\n");
        assert_eq!(found.long.as_deref(), Some("a.x.org"));
        assert_eq!(HostNames::from_parts("a", "search .\n").long, None);
    }
}
