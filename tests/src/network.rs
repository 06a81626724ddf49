//! Hosts of their own, each in a network namespace, with a cable to one router: cables are pulled, and packets are lost.
//!
//! Everything lives in a user namespace, so nobody has to be root; where the system forbids that, there is no network.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A router. Killed when dropped, and its network with it.
pub struct Network {
    router: Namespace,
    hosts: u32,
}

/// A host. Programs that were started there end when they are dropped themselves.
pub struct Host {
    namespace: Namespace,
    number: u32,
    router: u32,
}

/// A process that holds a network namespace open.
struct Namespace(Child);

impl Network {
    /// A router without hosts; nothing where namespaces are forbidden.
    pub fn new() -> Option<Network> {
        let router = Namespace::hold(Command::new("unshare").args(["--map-root-user", "--net"]))?;
        let network = Network { router, hosts: 0 };
        let forward =
            "echo 1 > /proc/sys/net/ipv4/ip_forward && ip link set lo up && ip route add blackhole default";
        network.router.run(&["sh", "-c", forward]).then_some(network)
    }

    /// One more host, with its cable in; nothing where that is forbidden.
    pub fn host(&mut self) -> Option<Host> {
        self.hosts += 1;
        let (number, router) = (self.hosts, self.router.0.id());
        let user = ["-t", &router.to_string(), "-U", "--preserve-credentials", "unshare", "--net"];
        let namespace = Namespace::hold(Command::new("nsenter").args(user))?;
        let holder = namespace.0.id();
        let here = format!(
            "ip link add v{number} type veth peer name eth0 netns {holder} && ip addr add 10.77.{number}.1/24 dev v{number} && \
             ip link set v{number} up"
        );
        let there = format!(
            "ip link set lo up && ip addr add 10.77.{number}.2/24 dev eth0 && ip link set eth0 up && \
             ip route add default via 10.77.{number}.1"
        );
        let stands = self.router.run(&["sh", "-c", &here]) && namespace.run(&["sh", "-c", &there]);
        stands.then_some(Host { namespace, number, router })
    }

    /// Pulls the cable of a host: what is on its way is lost, and nobody is told.
    ///
    /// # Panics
    /// When it can't be.
    pub fn pull(&self, host: &Host) {
        assert!(self.router.run(&["ip", "link", "set", &format!("v{}", host.number), "down"]));
    }

    /// Puts the cable in again.
    ///
    /// # Panics
    /// When it can't be.
    pub fn plug(&self, host: &Host) {
        assert!(self.router.run(&["ip", "link", "set", &format!("v{}", host.number), "up"]));
    }

    /// The host hears nothing any more; what it says is still heard.
    ///
    /// # Panics
    /// When it can't be made deaf.
    pub fn deafen(&self, host: &Host) {
        assert!(self.router.run(&["ip", "route", "add", "blackhole", &format!("{}/32", host.address())]));
    }

    /// The host hears again.
    ///
    /// # Panics
    /// When it was not deaf.
    pub fn undeafen(&self, host: &Host) {
        assert!(self.router.run(&["ip", "route", "del", "blackhole", &format!("{}/32", host.address())]));
    }
}

impl Host {
    /// Its address.
    pub fn address(&self) -> String {
        format!("10.77.{}.2", self.number)
    }

    /// A command that runs a program here.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let (user, net) = (self.router.to_string(), format!("--net=/proc/{}/ns/net", self.namespace.0.id()));
        command.args(["-t", &user, "-U", "--preserve-credentials", &net, program]);
        command
    }
}

impl Namespace {
    /// `command` enters a new namespace and runs what is behind it.
    fn hold(command: &mut Command) -> Option<Namespace> {
        let command = command.args(["sh", "-c", "echo ready; exec sleep 1000"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut namespace = Namespace(child);
        let mut line = String::new();
        BufReader::new(namespace.0.stdout.take()?).read_line(&mut line).ok()?;
        (line == "ready\n").then_some(namespace)
    }

    /// Runs a command inside; whether it did what it should.
    fn run(&self, command: &[&str]) -> bool {
        let enter = ["-t", &self.0.id().to_string(), "-U", "-n", "--preserve-credentials"];
        Command::new("nsenter").args(enter).args(command).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
