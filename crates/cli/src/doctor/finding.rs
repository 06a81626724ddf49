//! What can be wrong between two nodes, what it means, and what to do. Pure.

use std::net::IpAddr;

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    BadName { why: String },
    MixedNames { why: String },
    Cookie { why: String },
    NoHost { host: String, why: String },
    OwnNameTaken { name: String, place: String },
    NoEpmd { host: String, port: u16 },
    EpmdSilent { host: String, port: u16 },
    NotEpmd { host: String, port: u16, why: String },
    NotRegistered { name: String, host: String, known: Vec<String> },
    PortClosed { ip: IpAddr, port: u16 },
    PortSilent { ip: IpAddr, port: u16 },
    NoConnection { ip: IpAddr, port: u16, why: String },
    HandshakeSilent { step: &'static str },
    HandshakeClosed,
    NotANode { why: String },
    WrongName { dialled: String, answered: String },
    MissingFlags { missing: String },
    NotAllowed,
    StillAlive { name: String },
    Busy,
    WrongCookie,
    NoAnswer { why: String },
}

impl Finding {
    /// One word, for machines; it stays as it is from version to version.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Finding::BadName { .. } => "bad_name",
            Finding::MixedNames { .. } => "mixed_names",
            Finding::Cookie { .. } => "cookie_unusable",
            Finding::NoHost { .. } => "no_host",
            Finding::OwnNameTaken { .. } | Finding::StillAlive { .. } => "name_clash",
            Finding::NoEpmd { .. } => "no_epmd",
            Finding::EpmdSilent { .. } => "epmd_silent",
            Finding::NotEpmd { .. } => "not_epmd",
            Finding::NotRegistered { .. } => "not_registered",
            Finding::PortClosed { .. } => "port_closed",
            Finding::PortSilent { .. } => "port_silent",
            Finding::NoConnection { .. } => "no_connection",
            Finding::HandshakeSilent { .. } => "handshake_silent",
            Finding::HandshakeClosed => "handshake_closed",
            Finding::NotANode { .. } => "not_a_node",
            Finding::WrongName { .. } => "wrong_name",
            Finding::MissingFlags { .. } => "missing_flags",
            Finding::NotAllowed => "not_allowed",
            Finding::Busy => "busy",
            Finding::WrongCookie => "wrong_cookie",
            Finding::NoAnswer { .. } => "no_answer",
        }
    }

    /// What was seen, in a few words.
    pub(super) fn seen(&self) -> String {
        match self {
            Finding::BadName { why } | Finding::MixedNames { why } | Finding::Cookie { why } => why.clone(),
            Finding::NoHost { host, why } => format!("{host} does not resolve: {why}"),
            Finding::OwnNameTaken { name, place } => {
                format!("our own name {name} is in use, registered at {place}")
            }
            Finding::NoEpmd { host, port } => format!("nothing listens on port {port} of {host}"),
            Finding::EpmdSilent { host, port } => format!("port {port} of {host} does not answer"),
            Finding::NotEpmd { host, port, why } => format!("port {port} of {host} is no EPMD: {why}"),
            Finding::NotRegistered { name, host, known } if known.is_empty() => {
                format!("EPMD on {host} does not know {name}, and nobody else")
            }
            Finding::NotRegistered { name, host, known } => {
                format!("EPMD on {host} does not know {name}; it knows {}", known.join(", "))
            }
            Finding::PortClosed { ip, port } => format!("port {port} of {ip} is closed"),
            Finding::PortSilent { ip, port } => format!("port {port} of {ip} does not answer"),
            Finding::NoConnection { ip, port, why } => format!("no connection to port {port} of {ip}: {why}"),
            Finding::HandshakeSilent { step } => format!("nothing came where {step} was due"),
            Finding::HandshakeClosed => "it closed the connection when it heard our name".to_owned(),
            Finding::NotANode { why } => why.clone(),
            Finding::WrongName { dialled, answered } => format!("dialled {dialled}, but {answered} answered"),
            Finding::MissingFlags { missing } => format!("it cannot speak: {missing}"),
            Finding::NotAllowed => "it answered not_allowed".to_owned(),
            Finding::StillAlive { name } => format!("it is connected with another node named {name}"),
            Finding::Busy => "it answered nok".to_owned(),
            Finding::WrongCookie => "it closed the connection after our answer to its challenge".to_owned(),
            Finding::NoAnswer { why } => why.clone(),
        }
    }

    /// What it means and what to do: one paragraph.
    pub(super) fn advice(&self) -> String {
        self.about_names().or_else(|| self.about_ports()).or_else(|| self.about_talk()).unwrap_or_default()
    }

    /// What goes wrong before anything is asked.
    fn about_names(&self) -> Option<String> {
        Some(match self {
            Finding::BadName { .. } => {
                "A node name has two halves with one '@' between: what the node calls itself, and the host that it is on, \
                 as in shop@localhost. Write it as the node itself prints it with `node().`"
                    .to_owned()
            }
            Finding::MixedNames { .. } => {
                "Nodes with short names (-sname, hosts without a dot) and nodes with long names (-name, hosts with a dot or \
                 IP numbers) never talk to each other. Start both sides with the same kind: give -name here if the other \
                 node has a long name, -sname if it has a short one."
                    .to_owned()
            }
            Finding::Cookie { .. } => {
                "The cookie is the password of a cluster. It lives in ~/.erlang.cookie, which must be readable for its \
                 owner only (chmod 400 ~/.erlang.cookie), in one line of printable characters. TRUNKLINE_COOKIE or \
                 -setcookie go before the file."
                    .to_owned()
            }
            Finding::NoHost { host, .. } => format!(
                "The name service of this machine does not know {host}. Check the spelling; `getent hosts {host}` asks the \
                 same question. Put it into DNS or /etc/hosts, or name the other node after its IP number (-name \
                 node@10.0.0.7)."
            ),
            Finding::OwnNameTaken { name, .. } => format!(
                "Two nodes of the same name cannot be in one cluster. Another node of this machine is {name} already: stop \
                 it, or leave out -sname and -name, and the doctor makes up a name that is free."
            ),
            _ => return None,
        })
    }

    /// What goes wrong on the way to the node.
    fn about_ports(&self) -> Option<String> {
        Some(match self {
            Finding::NoEpmd { host, port } => format!(
                "Every host with Erlang nodes runs EPMD, which knows their ports; the first node starts it. Either no node \
                 was ever started on {host}, or its EPMD uses another port than {port} (set ERL_EPMD_PORT to it, on all \
                 hosts), or it listens on the loopback interface only and we are asking from another machine \
                 (ERL_EPMD_ADDRESS, epmd -address), or a firewall refuses."
            ),
            Finding::EpmdSilent { host, port } => format!(
                "Packets to port {port} of {host} vanish: the host is down, or a firewall between here and there drops \
                 them. Open that port, and the ports of the nodes themselves (kernel parameters inet_dist_listen_min and \
                 inet_dist_listen_max keep those in a range)."
            ),
            Finding::NotEpmd { port, .. } => format!(
                "Another program has taken EPMD's port. Find it with `ss -ltnp sport = :{port}` over there; end it, or give \
                 EPMD another port with ERL_EPMD_PORT on all hosts."
            ),
            Finding::NotRegistered { name, known, .. } => {
                let like = known.iter().find(|other| other.eq_ignore_ascii_case(name));
                let hint = like.map(|other| format!(" Did you mean {other}?")).unwrap_or_default();
                format!(
                    "EPMD runs, so the host is right, but no node named {name} is registered: it has stopped, is written \
                     otherwise, was started without -name and -sname, or with `-start_epmd false` towards another \
                     EPMD.{hint}"
                )
            }
            Finding::PortClosed { port, .. } => format!(
                "EPMD knows the node, but nothing listens on its port {port} at this address. It is dying or starting; or \
                 it listens on another interface only (inet_dist_use_interface); or EPMD holds an old entry, which \
                 `epmd -stop` removes where its check is relaxed. Try again; if it stays so, restart that node."
            ),
            Finding::PortSilent { port, .. } => format!(
                "EPMD was reached, the node was not: a firewall drops packets to port {port}. Nodes choose any port unless \
                 they are told a range (`-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9110`, here: the builder's \
                 port range): fix a range and open it."
            ),
            Finding::NoConnection { .. } => {
                "The system refuses the connection. Check routes and limits.".to_owned()
            }
            _ => return None,
        })
    }

    /// What goes wrong between the two nodes.
    fn about_talk(&self) -> Option<String> {
        Some(match self {
            Finding::HandshakeSilent { .. } => {
                "The port is open, but who listens there says nothing: the node is stopped (a debugger, SIGSTOP, ^Z) or far \
                 too busy, or another program has the port and EPMD holds an old entry, or the node speaks TLS \
                 (-proto_dist inet_tls) and waits for us to begin with that."
                    .to_owned()
            }
            Finding::HandshakeClosed => {
                "It hung up without a word when it heard our name. OTP does so when a name is malformed, when another \
                 attempt of the same name is under way, or when it speaks TLS (-proto_dist inet_tls). Look into its log."
                    .to_owned()
            }
            Finding::NotANode { .. } => {
                "What answers on that port does not speak the distribution protocol: EPMD holds an old entry and another \
                 program has the port now, or the node speaks TLS (-proto_dist inet_tls)."
                    .to_owned()
            }
            Finding::WrongName { answered, .. } => format!(
                "A node must be called by the name it gave itself. This one is {answered}: use exactly that. If its host has \
                 a dot, it uses long names, and this side needs -name too."
            ),
            Finding::MissingFlags { .. } => {
                "The other node is too old, or a partial implementation: it does not announce what every OTP from 25 on \
                 does. Upgrade it."
                    .to_owned()
            }
            Finding::NotAllowed => {
                "The other node has a list of those that it lets in (net_kernel:allow/1), and our name is not on it; or it \
                 misses a capability that it requires, in which case its log says which. Add our name to the list, or run \
                 the doctor under a name that is on it (-sname)."
                    .to_owned()
            }
            Finding::StillAlive { name } => format!(
                "A node named {name} is connected there at this moment. A second of that name would throw the first one out, \
                 so the doctor stopped. Leave out -sname and -name, and it makes up a name that is free."
            ),
            Finding::Busy => {
                "It is dialling us, or believes that it is us: two nodes of one name, or a node that calls itself. Use \
                 another name (-sname)."
                    .to_owned()
            }
            Finding::WrongCookie => {
                "The two nodes have different cookies. Everything else is in order. Its cookie is what `erlang:get_cookie().` \
                 says there; ours is in TRUNKLINE_COOKIE or ~/.erlang.cookie of the user who runs this, unless -setcookie \
                 gives another. Its log says \"Connection attempt from node ... rejected. Invalid challenge reply.\""
                    .to_owned()
            }
            Finding::NoAnswer { .. } => {
                "The nodes are connected, but the one over there does not answer the question that net_adm:ping/1 asks: its \
                 net_kernel hangs or does not run. Look at it with a shell on that machine; if it does not react, restart \
                 it."
                    .to_owned()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_its_own_code_and_advice() {
        let (text, port) = (String::new, 1);
        let ip = IpAddr::from([127, 0, 0, 1]);
        let all = [
            Finding::BadName { why: text() },
            Finding::MixedNames { why: text() },
            Finding::Cookie { why: text() },
            Finding::NoHost { host: text(), why: text() },
            Finding::OwnNameTaken { name: text(), place: text() },
            Finding::NoEpmd { host: text(), port },
            Finding::EpmdSilent { host: text(), port },
            Finding::NotEpmd { host: text(), port, why: text() },
            Finding::NotRegistered { name: text(), host: text(), known: vec![] },
            Finding::PortClosed { ip, port },
            Finding::PortSilent { ip, port },
            Finding::NoConnection { ip, port, why: text() },
            Finding::HandshakeSilent { step: "" },
            Finding::HandshakeClosed,
            Finding::NotANode { why: text() },
            Finding::WrongName { dialled: text(), answered: text() },
            Finding::MissingFlags { missing: text() },
            Finding::NotAllowed,
            Finding::StillAlive { name: text() },
            Finding::Busy,
            Finding::WrongCookie,
            Finding::NoAnswer { why: text() },
        ];
        let mut codes: Vec<_> = all.iter().map(Finding::code).collect();
        let mut advice: Vec<_> = all.iter().map(Finding::advice).collect();
        assert!(advice.iter().all(|paragraph| paragraph.len() > 50));
        codes.sort_unstable();
        codes.dedup();
        advice.sort_unstable();
        advice.dedup();
        assert_eq!(codes.len(), all.len() - 1, "only the two clashes of names share a code");
        assert_eq!(advice.len(), all.len());
    }
}
