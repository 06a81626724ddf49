//! What the parameters of `kernel` must be, and what they mean for a builder.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use term::{Atom, Term};

use super::{Config, ConfigError};
use crate::builder::Builder;
use crate::dist_ac::Ladder;
use crate::net_kernel::AutoConnect;

/// Whether a value is what it must be.
type Fits = fn(&Term) -> bool;

/// Key, what it must be, whether it is.
const KEYS: &[(&str, &str, Fits)] = &[
    ("distributed", "a list of {App, Nodes} or {App, Milliseconds | infinity, Nodes}", |term| {
        all(term, |item| Ladder::from_term(item).is_some())
    }),
    ("start_dist_ac", "true or false", boolean),
    ("permissions", "a list of {App, true | false}", |term| {
        all(term, |item| matches!(item.as_tuple(), Some([Term::Atom(_), allow]) if boolean(allow)))
    }),
    ("sync_nodes_mandatory", "a list of node names", names),
    ("sync_nodes_optional", "a list of node names", names),
    ("sync_nodes_timeout", "milliseconds, or infinity", |term| term.is_atom("infinity") || positive(term)),
    ("net_ticktime", "seconds", positive),
    ("net_tickintensity", "a number from 4 to 1000", |term| {
        number(term).is_some_and(|n| (4..=1000).contains(&n))
    }),
    ("net_setuptime", "seconds", positive),
    ("dist_auto_connect", "never or once", |term| term.is_atom("never") || term.is_atom("once")),
    ("connect_all", "true or false", boolean),
    ("prevent_overlapping_partitions", "true or false", boolean),
    ("inet_dist_listen_min", "a port", port),
    ("inet_dist_listen_max", "a port", port),
    ("inet_dist_use_interface", "an address such as {127,0,0,1}", |term| address(term).is_some()),
];

/// Those of OTP's that mean nothing here.
const OTHERS: &[&str] = &[
    "browser_cmd",
    "erl_epmd_node_listen_port",
    "error_logger",
    "global_groups",
    "inet_default_connect_options",
    "inet_default_listen_options",
    "inet_dist_connect_options",
    "inet_dist_listen_options",
    "inet_parse_error_log",
    "inetrc",
    "logger",
    "logger_level",
    "logger_metadata",
    "logger_sasl_compatible",
    "net_tickintensity",
    "shell_docs_ansi",
    "shell_history",
    "shell_history_drop",
    "shell_history_file_bytes",
    "shell_history_path",
    "shutdown_func",
    "shutdown_timeout",
    "source_search_rules",
    "standard_io_encoding",
    "start_boot_server",
    "boot_server_slaves",
    "start_disk_log",
    "start_distribution",
    "start_pg",
    "start_timer",
    "os_signal_handler",
    "dist_listen",
    "verbose",
];

/// The sentence about a key that nobody knows.
pub(super) fn unknown(key: &Atom) -> Option<String> {
    let key = key.as_str();
    let known = KEYS.iter().any(|(known, ..)| *known == key) || OTHERS.contains(&key);
    (!known).then(|| format!("kernel has no parameter {key}: it is kept, and changes nothing"))
}

/// Whether strings in a TOML file are names there.
pub(super) fn wants_names(key: &str) -> bool {
    KEYS.iter().any(|(known, ..)| *known == key)
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    for (key, wanted, fits) in KEYS {
        if let Some(value) = config.get("kernel", key)
            && !fits(value)
        {
            let value = value.to_string();
            return Err(ConfigError::Kernel { key: (*key).to_owned(), wanted, value });
        }
    }
    Ok(())
}

impl Builder {
    /// The parameters of applications, and what those of `kernel` say of this node: ports, tick time, ladders, nodes to wait
    /// for. What the builder is told later wins.
    ///
    /// # Errors
    /// When a parameter of `kernel` is not what it must be. One that nobody knows is only said in the log.
    pub fn config(mut self, config: &Config) -> Result<Builder, ConfigError> {
        check(config)?;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let get = |key: &str| config.get("kernel", key);
        let secs = |key: &str| get(key).and_then(number).map(|secs| Duration::from_secs(secs as u64));
        let truth = |key: &str| get(key).map(|so| so.is_atom("true"));
        let port = |key: &str| get(key).and_then(number).and_then(|port| u16::try_from(port).ok());
        if let Some(time) = secs("net_ticktime") {
            self = self.net_ticktime(time);
        }
        if let Some(ticks) = get("net_tickintensity").and_then(number) {
            self = self.net_tickintensity(ticks as u32);
        }
        if let Some(time) = secs("net_setuptime") {
            self = self.setup_time(time);
        }
        if let Some(all) = truth("connect_all") {
            self = self.connect_all(all);
        }
        if let Some(prevent) = truth("prevent_overlapping_partitions") {
            self = self.prevent_overlapping_partitions(prevent);
        }
        if let Some(policy) = get("dist_auto_connect") {
            let never = policy.is_atom("never");
            self = self.dist_auto_connect(if never { AutoConnect::Never } else { AutoConnect::Once });
        }
        if let Some(min) = port("inet_dist_listen_min") {
            // As in OTP, the lower one alone is both.
            self = self.ports(min..=port("inet_dist_listen_max").unwrap_or(min).max(min));
        }
        if let Some(interface) = get("inet_dist_use_interface").and_then(address) {
            self = self.interface(interface);
        }
        self.programs.files.extend(config.files.iter().cloned());
        self.programs.command_line.extend(config.command_line.iter().cloned());
        Ok(self)
    }
}

fn number(term: &Term) -> Option<i64> {
    term.as_int()
}

fn positive(term: &Term) -> bool {
    number(term).is_some_and(|number| number > 0)
}

fn port(term: &Term) -> bool {
    number(term).is_some_and(|port| u16::try_from(port).is_ok())
}

fn boolean(term: &Term) -> bool {
    term.is_atom("true") || term.is_atom("false")
}

fn names(term: &Term) -> bool {
    all(term, |item| item.as_atom().is_some())
}

fn all(term: &Term, fits: impl Fn(&Term) -> bool) -> bool {
    term.as_list().is_some_and(|list| list.improper_tail().is_none() && list.iter().all(|item| fits(&item)))
}

fn address(term: &Term) -> Option<IpAddr> {
    let octets: Vec<u8> =
        term.as_tuple()?.iter().map(|part| u8::try_from(part.as_int()?).ok()).collect::<Option<_>>()?;
    <[u8; 4]>::try_from(octets).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
}
