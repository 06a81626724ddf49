//! The whole name server, without a socket: what clients do goes in, what to do about it comes out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::frames::{self, AliveReply, BadRequest, DIST_VERSION, Registration, Request};
use super::register::Register;
use crate::limits::{
    EPMD_CLIENTS_MAX_DEFAULT, EPMD_IDLE_SECS_DEFAULT, EPMD_PORT_DEFAULT, EPMD_REQUEST_BYTES_MAX,
};
use crate::time::Now;

/// How a server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The port it listens on: it tells it to whoever asks for names.
    pub port: u16,
    /// Whether names can be stopped, and the server killed while nodes are registered.
    pub relaxed_command_check: bool,
    /// Remembers only few of the dead, to be tested.
    pub debug: bool,
    /// How long a client may take to say its request. Only a complete request counts, not dripping bytes.
    pub idle_timeout: Duration,
    /// Clients at once; more are turned away.
    pub clients_max: usize,
    /// The time of day at [`Now::ZERO`], in seconds since 1970: where creations start.
    pub wall_clock_secs: u64,
}

impl Default for Config {
    /// As `epmd` without options, at the beginning of time: set `wall_clock_secs`.
    fn default() -> Config {
        Config {
            port: EPMD_PORT_DEFAULT,
            relaxed_command_check: false,
            debug: false,
            idle_timeout: Duration::from_secs(EPMD_IDLE_SECS_DEFAULT),
            clients_max: EPMD_CLIENTS_MAX_DEFAULT,
            wall_clock_secs: 0,
        }
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this to that client, in one piece: Erlang's client does not put pieces together.
    Reply(u64, Vec<u8>),
    /// Close the connection of that client, after what was replied. It is already forgotten here.
    Close(u64),
    /// End the program, with everything said and closed before.
    Exit,
    /// Print this line when the debug level (the number of `-d`) is at least this.
    Log(u8, String),
}

/// The server. Clients are numbered by the caller, who never uses a number twice.
#[derive(Debug)]
pub struct Server {
    config: Config,
    clients: BTreeMap<u64, Client>,
    deadlines: BTreeSet<(Now, u64)>,
    register: Register,
    effects: VecDeque<Effect>,
}

#[derive(Debug)]
struct Client {
    is_local: bool,
    unread: Vec<u8>,
    /// When it will have taken too long; none after it asked to be registered, even if that was refused.
    deadline: Option<Now>,
}

impl Server {
    /// A server that knows nobody.
    pub fn new(config: Config) -> Server {
        let register = Register::new(config.debug);
        let (clients, deadlines, effects) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
        Server { config, clients, deadlines, register, effects }
    }

    /// A client connected. `is_local`: from 127/8, from ::1, or from the very address that it connected to.
    pub fn connected(&mut self, id: u64, is_local: bool, now: Now) {
        if self.clients.len() >= self.config.clients_max {
            self.log(0, format!("failed opening connection on file descriptor {id}"));
            self.effects.push_back(Effect::Close(id));
            return;
        }
        self.log(2, if is_local { "Local peer connected" } else { "Non-local peer connected" });
        self.log(2, format!("opening connection on file descriptor {id}"));
        let deadline = now + self.config.idle_timeout;
        self.deadlines.insert((deadline, id));
        self.clients.insert(id, Client { is_local, unread: Vec::new(), deadline: Some(deadline) });
    }

    /// A client sent bytes.
    pub fn bytes(&mut self, id: u64, now: Now, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if bytes.is_empty() {
            return;
        }
        if client.deadline.is_none() {
            let got = bytes.len();
            self.log(1, format!("got more than expected on ALIVE socket {id} ({got})"));
            return self.close(id);
        }
        // A request is short. What goes beyond it is not kept, only counted as too much.
        let room = EPMD_REQUEST_BYTES_MAX + 1 - client.unread.len();
        client.unread.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let Some((length, rest)) = client.unread.split_first_chunk::<2>() else { return };
        let want = usize::from(u16::from_be_bytes(*length));
        if want == 0 || want + 2 > EPMD_REQUEST_BYTES_MAX {
            self.log(0, format!("invalid packet size ({want})"));
            return self.close(id);
        }
        if rest.len() > want {
            let got = rest.len();
            self.log(0, format!("got {got} bytes in packet, expected {want}"));
            return self.close(id);
        }
        if rest.len() == want {
            let body = rest.to_vec();
            self.request(id, now, &body);
        }
    }

    /// A client hung up.
    pub fn closed(&mut self, id: u64) {
        if let Some(client) = self.clients.get(&id) {
            if client.deadline.is_some() {
                let got = client.unread.len();
                self.log(1, format!("got partial packet only on file descriptor {id} ({got})"));
            }
            self.forget(id);
        }
    }

    /// Time passed: whoever took too long is closed.
    pub fn wake(&mut self, now: Now) {
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > now {
                return;
            }
            self.log(1, "closing because timed out on receive");
            self.close(id);
        }
    }

    /// The next thing to do. Drain this after every call.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`Server::wake`] next.
    pub fn poll_deadline(&self) -> Option<Now> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    fn request(&mut self, id: u64, now: Now, body: &[u8]) {
        let is_local = self.clients.get(&id).is_some_and(|client| client.is_local);
        // Strangers may ask where a node is and who is there, no more; a stranger's request is not even parsed.
        if let (Some(what), false) = (local_only(body), is_local) {
            self.log(0, format!("{what} from non local address"));
            return self.close(id);
        }
        match Request::from_body(body) {
            Ok(Request::Alive2(registration)) => return self.alive2(id, now, registration),
            Err(BadRequest::Refused { why, version_high }) => {
                self.log(0, why);
                self.keep(id);
                return self.reply(id, AliveReply::Refused.to_bytes(version_high));
            }
            Err(BadRequest::Ignored(why)) => self.log(0, why),
            Ok(Request::PortPlease2(name)) => self.port_please2(id, &name),
            Ok(Request::Names) => self.names(id),
            Ok(Request::Dump) => self.dump(id),
            Ok(Request::Kill) => return self.kill(id),
            Ok(Request::Stop(name)) => self.stop(id, &name),
        }
        self.close(id);
    }

    fn alive2(&mut self, id: u64, now: Now, registration: Registration) {
        self.log(1, "** got ALIVE2_REQ");
        let (name, version_high) = (registration.name.clone(), registration.version_high);
        let (port, node_type, protocol) = (registration.port, registration.node_type, registration.protocol);
        let version_low = registration.version_low;
        let time = self.config.wall_clock_secs.saturating_add(now.as_secs());
        let reply = match self.register.register(id, registration, time) {
            Some(counter) => {
                let creation = creation(counter, version_high);
                self.log(1, format!("registering '{name}:{creation}', port {port}"));
                let about = format!("type {node_type} proto {protocol}");
                self.log(1, format!("{about} highvsn {version_high} lowvsn {version_low}"));
                AliveReply::Registered { creation }
            }
            None => {
                self.log(0, format!("node name already occupied {name}"));
                AliveReply::Refused
            }
        };
        self.keep(id);
        self.reply(id, reply.to_bytes(version_high));
        self.log(1, format!("** sent ALIVE2_RESP for \"{name}\""));
    }

    fn port_please2(&mut self, id: u64, name: &str) {
        self.log(1, "** got PORT2_REQ");
        let found = self.register.find(name);
        let word = if found.is_some() { "ok" } else { "error" };
        let reply = frames::port_reply(found);
        self.reply(id, reply);
        self.log(1, format!("** sent PORT2_RESP ({word}) for \"{name}\""));
    }

    fn names(&mut self, id: u64) {
        self.log(1, "** got NAMES_REQ");
        let mut reply = u32::from(self.config.port).to_be_bytes().to_vec();
        for (node, _) in self.register.alive() {
            frames::write_name_line(node, &mut reply);
        }
        self.reply(id, reply);
        self.log(1, "** sent NAMES_RESP");
    }

    fn dump(&mut self, id: u64) {
        self.log(1, "** got DUMP_REQ");
        let mut reply = u32::from(self.config.port).to_be_bytes().to_vec();
        for (node, owner) in self.register.alive() {
            frames::write_active_line(node, owner, &mut reply);
        }
        for (name, port, owner) in self.register.dead() {
            frames::write_unused_line(name, port, owner, &mut reply);
        }
        self.reply(id, reply);
        self.log(1, "** sent DUMP_RESP");
    }

    fn kill(&mut self, id: u64) {
        self.log(1, "** got KILL_REQ");
        if !self.config.relaxed_command_check && !self.register.is_empty() {
            self.log(0, "Disallowed KILL_REQ, live nodes");
            self.reply(id, b"NO".to_vec());
            return self.close(id);
        }
        self.reply(id, b"OK".to_vec());
        self.log(1, "epmd killed");
        self.close(id);
        self.log(0, "got KILL_REQ - terminates normal");
        self.effects.push_back(Effect::Exit);
    }

    fn stop(&mut self, id: u64, name: &str) {
        self.log(1, "** got STOP_REQ");
        if !self.config.relaxed_command_check {
            return self.log(0, "Disallowed STOP_REQ, no relaxed_command_check");
        }
        let mut reply = Vec::new();
        if let Some(owner) = self.register.owner(name) {
            self.close(owner);
        } else {
            self.log(1, format!("trying to unregister node with unknown name {name}"));
            // Erlang's program goes on to say the other word too, and its clients read only the first.
            reply.extend_from_slice(b"NOEXIST");
        }
        reply.extend_from_slice(b"STOPPED");
        self.reply(id, reply);
        self.log(1, "** sent STOP_RESP STOPPED");
    }

    /// From now on the connection is a lease, or at least is left alone.
    fn keep(&mut self, id: u64) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.unread = Vec::new();
            if let Some(deadline) = client.deadline.take() {
                self.deadlines.remove(&(deadline, id));
            }
        }
    }

    fn close(&mut self, id: u64) {
        self.forget(id);
        self.log(2, format!("closing connection on file descriptor {id}"));
        self.effects.push_back(Effect::Close(id));
    }

    fn forget(&mut self, id: u64) {
        if let Some(Client { deadline: Some(deadline), .. }) = self.clients.remove(&id) {
            self.deadlines.remove(&(deadline, id));
        }
        if let Some(gone) = self.register.unregister(id) {
            let creation = creation(gone.counter, gone.version_high);
            self.log(1, format!("unregistering '{}:{creation}', port {}", gone.name, gone.port));
        }
    }

    fn reply(&mut self, id: u64, bytes: Vec<u8>) {
        self.effects.push_back(Effect::Reply(id, bytes));
    }

    fn log(&mut self, level: u8, line: impl Into<String>) {
        self.effects.push_back(Effect::Log(level, line.into()));
    }
}

/// What only clients of this host may ask for.
fn local_only(body: &[u8]) -> Option<&'static str> {
    match *body.first()? {
        frames::ALIVE2_REQ => Some("ALIVE2_REQ"),
        frames::DUMP_REQ => Some("DUMP_REQ"),
        frames::KILL_REQ => Some("KILL_REQ"),
        frames::STOP_REQ => Some("STOP_REQ"),
        _ => None,
    }
}

/// Nodes older than version 6 know only the creations 1 to 3.
fn creation(counter: u32, version_high: u16) -> u32 {
    if version_high >= DIST_VERSION { counter } else { counter % 3 + 1 }
}
