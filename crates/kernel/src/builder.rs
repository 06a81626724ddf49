//! From a name to a running node.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrier::{BoxFuture, Carrier, ListenAt, Listener, Tcp};
use proto::handshake::Cookie;
use proto::{Flags, Misuse};
use runtime::NodeConfig;
use term::{Atom, Pid};
use tokio::runtime::Handle;

use crate::cookies::{CookieError, Cookies, Places};
use crate::discovery::{Discovery, DiscoveryError, Epmd, FixedPort, Registration};
use crate::limits::{
    NET_TICKINTENSITY_DEFAULT, NET_TICKTIME_SECS_DEFAULT, REGISTER_AGAIN_MAX, REGISTER_AGAIN_MILLIS,
    SETUP_MILLIS_DEFAULT, SETUP_MILLIS_MAX,
};
use crate::names::{self, Form, HostNames, NameError, NodeName};
use crate::net_kernel::{AutoConnect, Beginning, ConnectError, NetKernel, Setup};
use crate::node::Node;
use crate::{dist_ac, global, net_kernel, rpc, services};

/// A node to be. The defaults are Erlang's, but for one: it listens only where its name says it lives.
#[derive(Clone)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    name: String,
    form: Option<Form>,
    cookie: Option<String>,
    peer_cookies: Vec<(Atom, String)>,
    hidden: bool,
    listen: bool,
    ports: RangeInclusive<u16>,
    interface: Option<IpAddr>,
    carrier: Arc<dyn Carrier>,
    discovery: Option<Arc<dyn Discovery>>,
    ticktime: Duration,
    intensity: u32,
    connect_all: bool,
    prevent_overlapping: bool,
    auto_connect: AutoConnect,
    setup_time: Duration,
    seed: Option<u64>,
    allowed: Vec<Atom>,
    output: Option<services::Sink>,
    refuses_stop: bool,
    /// Taken by the first node that this builder makes.
    input: Arc<Mutex<Option<crate::io::Input>>>,
    /// Its applications.
    pub(crate) programs: dist_ac::Programs,
}

/// Why a node does not start, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its cookie was not found.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// Its cookie, or its name, cannot be used.
    #[error(transparent)]
    Unusable(#[from] Misuse),
    /// It cannot be made known.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The host in its name is not known.
    #[error("the host {host} of the node's name cannot be found: {source}; name an interface to listen on")]
    Host {
        /// The host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The node that shall name it cannot be connected with.
    #[error(transparent)]
    Join(#[from] ConnectError),
    /// It cannot listen.
    #[error("{0}")]
    Listen(io::Error),
    /// Nodes it needs are not there, or its applications do not start.
    #[error(transparent)]
    Boot(#[from] dist_ac::BootError),
    /// It has a name.
    #[error("the node has a name already; its net_kernel is {0}")]
    AlreadyStarted(Pid),
}

impl Builder {
    pub(crate) fn new(name: &str) -> Builder {
        Builder {
            name: name.to_owned(),
            form: None,
            cookie: None,
            peer_cookies: Vec::new(),
            hidden: false,
            listen: true,
            ports: 0..=0,
            interface: None,
            carrier: Arc::new(Tcp::new()),
            discovery: None,
            ticktime: Duration::from_secs(NET_TICKTIME_SECS_DEFAULT.into()),
            intensity: NET_TICKINTENSITY_DEFAULT,
            connect_all: true,
            prevent_overlapping: true,
            auto_connect: AutoConnect::default(),
            setup_time: Duration::from_millis(SETUP_MILLIS_DEFAULT),
            seed: None,
            allowed: Vec::new(),
            output: None,
            refuses_stop: false,
            input: Arc::default(),
            programs: dist_ac::Programs::default(),
        }
    }

    /// Short names (`-sname`). Without this and [`Builder::long_names`] the host in the name decides.
    pub fn short_names(mut self) -> Builder {
        self.form = Some(Form::Short);
        self
    }

    /// Long names (`-name`).
    pub fn long_names(mut self) -> Builder {
        self.form = Some(Form::Long);
        self
    }

    /// The cookie. Without one, `TRUNKLINE_COOKIE` and the cookie file are asked; see [`Places::find`].
    pub fn cookie(mut self, cookie: impl Into<String>) -> Builder {
        self.cookie = Some(cookie.into());
        self
    }

    /// The cookie for one peer, in both directions. (`-setcookie Node Cookie`.)
    pub fn cookie_of(mut self, peer: impl Into<Atom>, cookie: impl Into<String>) -> Builder {
        self.peer_cookies.push((peer.into(), cookie.into()));
        self
    }

    /// Not listed in the `nodes()` of others, and no part of the mesh. (`-hidden`.)
    pub fn hidden(mut self) -> Builder {
        self.hidden = true;
        self
    }

    /// Whether others can connect to this node. One that does not listen is hidden, and not made known. (`-dist_listen`.)
    pub fn dist_listen(mut self, listen: bool) -> Builder {
        self.listen = listen;
        self.hidden |= !listen;
        self
    }

    /// As [`Builder::hidden`], or not; who does not listen hides.
    pub(crate) fn hiding(mut self, hidden: bool) -> Builder {
        self.hidden = hidden || !self.listen;
        self
    }

    /// The same, under another name.
    pub(crate) fn named(mut self, name: &str, form: Option<Form>) -> Builder {
        name.clone_into(&mut self.name);
        self.form = form;
        self
    }

    /// The ports to try, upward. (`inet_dist_listen_min` and `_max`.) Without this the system chooses.
    pub fn ports(mut self, ports: RangeInclusive<u16>) -> Builder {
        self.ports = ports;
        self
    }

    /// The interface to listen on; the unspecified address means all. (`inet_dist_use_interface`.) Without this it is the
    /// address of the host in the node's name.
    pub fn interface(mut self, interface: IpAddr) -> Builder {
        self.interface = Some(interface);
        self
    }

    /// How bytes get to other hosts: [`Tcp`] when nothing is said.
    pub fn carrier(mut self, carrier: impl Carrier) -> Builder {
        self.carrier = Arc::new(carrier);
        self
    }

    /// How nodes are found: [`Epmd`] when nothing is said.
    pub fn discovery(mut self, discovery: impl Discovery) -> Builder {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// Finds nodes with the EPMDs at this port.
    pub fn epmd_port(self, port: u16) -> Builder {
        self.discovery(Epmd::at(port))
    }

    /// No EPMD: this node listens on `port`, and so does every other. (`erl_epmd_port`.)
    pub fn fixed_port(self, port: u16) -> Builder {
        self.ports(port..=port).discovery(FixedPort(port))
    }

    /// How long a peer may be silent. (`net_ticktime`, 60 s.)
    pub fn net_ticktime(mut self, time: Duration) -> Builder {
        self.ticktime = time;
        self
    }

    /// Ticks per tick time. (`net_tickintensity`, 4.)
    pub fn net_tickintensity(mut self, ticks: u32) -> Builder {
        self.intensity = ticks;
        self
    }

    /// Whether to connect to the nodes of our nodes. (`-connect_all`, true.)
    pub fn connect_all(mut self, connect_all: bool) -> Builder {
        self.connect_all = connect_all;
        self
    }

    /// Whether all nodes drop a node that one of them has lost, so that there are never two opinions of who is in the cluster;
    /// needs [`Builder::connect_all`]. (`prevent_overlapping_partitions`, true.) All nodes of a cluster must have it the
    /// same way.
    pub fn prevent_overlapping_partitions(mut self, prevent: bool) -> Builder {
        self.prevent_overlapping = prevent;
        self
    }

    /// When sending to a node connects to it. (`dist_auto_connect`.)
    pub fn dist_auto_connect(mut self, policy: AutoConnect) -> Builder {
        self.auto_connect = policy;
        self
    }

    /// Longest a handshake may take, at most 120 s. (`net_setuptime`, 7 s.)
    pub fn setup_time(mut self, time: Duration) -> Builder {
        self.setup_time = time.min(Duration::from_millis(SETUP_MILLIS_MAX));
        self
    }

    /// The seed of the node's dice; from the system's randomness when nothing is said.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// Lets only these nodes in and out. See [`net_kernel::allow`].
    pub fn allow(mut self, entries: impl IntoIterator<Item = impl Into<Atom>>) -> Builder {
        self.allowed.extend(entries.into_iter().map(Into::into));
        self
    }

    /// Where processes whose output comes here read from; without this they are told `eof`.
    pub fn input(mut self, input: impl Into<crate::io::Input>) -> Builder {
        self.input = Arc::new(Mutex::new(Some(input.into())));
        self
    }

    /// Where output goes that other nodes send here; to standard output when nothing is said.
    pub fn output(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Builder {
        self.output = Some(Arc::new(sink));
        self
    }

    /// Nobody ends this node from afar: `erlang:halt` and `init:stop` fail with `notsup`. Without this they end it, as they end
    /// an OTP node; the program goes on, and hears of it by [`Node::until_stopped`].
    pub fn refuse_stop(mut self) -> Builder {
        self.refuses_stop = true;
        self
    }

    /// Starts the node: listens, makes it known, and lets others in.
    ///
    /// # Errors
    /// When its name, cookie, port or registration cannot be had; the text says what to do.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel-safety
    /// Dropping the future takes everything back.
    pub async fn start(self) -> Result<Node, StartError> {
        let place = self.take_place(None).await?;
        let node = self.node(place.name(), place.creation);
        let net = NetKernel::install(&node, self.beginning(&place, false)?);
        let programs = self.programs.clone();
        self.furnish(&node, &net);
        place.open(&node, &net);
        Builder::boot(Node::new(node), &programs).await
    }

    /// A node without a name, `nonode@nohost`, that may be given one with [`net_kernel::start`]: it will do then what this
    /// builder says, which may have a name or none.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn alone(self) -> Node {
        let node = self.node(net_kernel::ALONE, 0);
        node.shelf_or(|| net_kernel::Template(self.clone()));
        self.settle(&node);
        Node::new(node)
    }

    /// Gives a name to a node that is there. Its name is not taken when this fails or is dropped.
    pub(crate) async fn start_in(mut self, node: &runtime::Node) -> Result<(), StartError> {
        if self.name == "undefined" || self.name.starts_with("undefined@") {
            return self.start_nameless(node);
        }
        let place = self.take_place(Some(node)).await?;
        let beginning = self.beginning(&place, true)?;
        net_kernel::rename(node, place.name(), place.creation);
        let net = NetKernel::install(node, beginning);
        net_kernel::allow(node, std::mem::take(&mut self.allowed));
        net_kernel::furnish(node, &net);
        place.open(node, &net);
        Ok(())
    }

    /// As `net_kernel:start(undefined, _)`: the first peer will name it.
    fn start_nameless(mut self, node: &runtime::Node) -> Result<(), StartError> {
        (self.hidden, self.listen) = (true, false);
        let name = names::complete(&self.name, self.form, &HostNames::of_system())?;
        let discovery = self.discovery.clone().unwrap_or_else(|| Arc::new(Epmd::new()));
        let setup = self.setup(&name, discovery);
        let beginning = Beginning { nameless: Some(name.host().to_owned()), ..self.begin(setup, true)? };
        let net = NetKernel::install(node, beginning);
        net_kernel::allow(node, std::mem::take(&mut self.allowed));
        net_kernel::furnish(node, &net);
        Ok(())
    }

    /// Has its name, its port and its registration, and can be dropped without harm. `again` is a node that had names before:
    /// EPMD may not yet know that it has given one of them back.
    async fn take_place(&self, again: Option<&runtime::Node>) -> Result<Place, StartError> {
        let name = names::complete(&self.name, self.form, &HostNames::of_system())?;
        // Before anything is taken.
        self.cookies()?;
        let discovery = self.discovery.clone().unwrap_or_else(|| Arc::new(Epmd::new()));
        let mut place = Place { name, creation: made_up(), discovery, door: None };
        if !self.listen {
            return Ok(place);
        }
        let listener = self.listen(&place.name).await?;
        let (port, interface) = (listener.local().port, listener.local().host.parse().ok());
        let registration = Registration { name: place.name.clone(), interface, port, hidden: self.hidden };
        let had = again.is_some_and(|node| net_kernel::has_had(node, &place.name()));
        let mut attempts = if had { REGISTER_AGAIN_MAX } else { 0 };
        let registered = loop {
            match place.discovery.register(registration.clone()).await {
                Err(DiscoveryError::NameTaken { .. }) if attempts > 0 => {
                    attempts -= 1;
                    tokio::time::sleep(Duration::from_millis(REGISTER_AGAIN_MILLIS)).await;
                }
                registered => break registered?,
            }
        };
        place.creation = registered.creation.unwrap_or(place.creation);
        place.door = Some((listener, registered.keep));
        Ok(place)
    }

    fn beginning(&self, place: &Place, may_stop: bool) -> Result<Beginning, StartError> {
        self.begin(self.setup(&place.name, place.discovery.clone()), may_stop)
    }

    fn begin(&self, setup: Setup, may_stop: bool) -> Result<Beginning, StartError> {
        Ok(Beginning {
            setup,
            cookies: self.cookies()?,
            policy: self.auto_connect,
            ticktime: self.ticktime,
            intensity: self.intensity,
            may_stop,
            nameless: None,
        })
    }

    fn cookies(&self) -> Result<Cookies, StartError> {
        let own = match &self.cookie {
            Some(text) => Cookie::new(text)?,
            None => Places::of_system().find()?,
        };
        let cookies = Cookies::new(own);
        for (peer, text) in &self.peer_cookies {
            cookies.set(peer.clone(), Cookie::new(text)?);
        }
        Ok(cookies)
    }

    /// Starts a node that is given its name by `peer`, as `erl -sname undefined` is. It is hidden, nobody can dial it, and
    /// without its first connection its name may be given to another. What stands before the `@` of the builder's name
    /// does not count; the host is where the name will be.
    ///
    /// # Errors
    /// When there is no cookie, or no connection with `peer`.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel-safety
    /// Dropping the future hangs up.
    pub async fn join(mut self, peer: impl Into<Atom>) -> Result<Node, StartError> {
        let peer = peer.into();
        let name = names::complete(&self.name, self.form, &HostNames::of_system())?;
        names::check_peer(peer.as_str(), name.form())?;
        self.hidden = true;
        let discovery = self.discovery.clone().unwrap_or_else(|| Arc::new(Epmd::new()));
        let beginning = self.begin(self.setup(&name, discovery), false)?;
        let cookie = beginning.cookies.of(&peer);
        let joined = net_kernel::ask_for_name(&beginning.setup, name.host(), &peer, cookie).await;
        let failed = |why| ConnectError::Failed { peer: peer.to_string(), why: Arc::new(why) };
        let joined = joined.map_err(failed)?;
        let granted = Atom::new(&joined.granted.name);
        let node = self.node(granted, joined.granted.creation);
        let net = NetKernel::install(&node, beginning);
        let programs = self.programs.clone();
        self.furnish(&node, &net);
        net_kernel::settle(&node, &peer, joined).map_err(failed)?;
        Builder::boot(Node::new(node), &programs).await
    }

    /// The last part of a start: nodes are waited for, applications start.
    async fn boot(node: Node, programs: &dist_ac::Programs) -> Result<Node, StartError> {
        match dist_ac::boot(&node, programs).await {
            Ok(()) => Ok(node),
            Err(why) => {
                node.shutdown().await;
                Err(why.into())
            }
        }
    }

    fn node(&self, name: Atom, creation: u32) -> runtime::Node {
        runtime::Node::new(NodeConfig { name, creation, handle: Handle::current(), seed: self.seed })
    }

    /// What a node has that is born with a name.
    fn furnish(mut self, node: &runtime::Node, net: &NetKernel) {
        net_kernel::allow(node, std::mem::take(&mut self.allowed));
        net_kernel::furnish(node, net);
        self.settle(node);
    }

    /// What every node has.
    fn settle(self, node: &runtime::Node) {
        node.shelf_or(|| global::Settings {
            connect_all: self.connect_all && !self.hidden,
            prevent_overlapping: self.prevent_overlapping,
        });
        if let Some(output) = self.output {
            node.shelf::<services::Output>().set(output);
        }
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(input) = input {
            node.shelf::<services::Output>().set_input(input);
        }
        if self.refuses_stop {
            crate::functions::refuse_stop(node);
        }
        rpc::install(node);
        net_kernel::install(node);
        dist_ac::prepare(node, &self.programs);
        services::start(node);
    }

    async fn listen(&self, name: &NodeName) -> Result<Box<dyn Listener>, StartError> {
        let interface = match self.interface {
            Some(interface) => interface,
            None => address_of(name.host()).await?,
        };
        let at = ListenAt::new(interface).ports(self.ports.clone());
        self.carrier.listen(&at).await.map_err(StartError::Listen)
    }

    fn setup(&self, name: &NodeName, discovery: Arc<dyn Discovery>) -> Setup {
        Setup {
            carrier: self.carrier.clone(),
            discovery,
            form: name.form(),
            flags: if self.hidden { Flags::OURS.hidden() } else { Flags::OURS },
            setup_time: self.setup_time,
            connect_all: self.connect_all && !self.hidden,
        }
    }
}

/// What a node takes from its host: a name, and a door that others find by it.
struct Place {
    name: NodeName,
    creation: u32,
    discovery: Arc<dyn Discovery>,
    door: Option<(Box<dyn Listener>, BoxFuture<'static, ()>)>,
}

impl Place {
    fn name(&self) -> Atom {
        Atom::new(&self.name.to_string())
    }

    /// Lets others in.
    fn open(self, node: &runtime::Node, net: &Arc<NetKernel>) {
        let port = self.door.as_ref().map_or(0, |(listener, _)| listener.local().port);
        if let Some((listener, registered)) = self.door {
            net.keep(node.spawn_task(registered));
            net.keep(node.spawn_task(net_kernel::keep_door(node.clone(), net.clone(), listener)));
        }
        tracing::info!(name = %self.name, port, "the node is up");
    }
}

fn made_up() -> u32 {
    rand::random::<u32>().max(CREATION_MIN)
}

/// 0 to 3 belong to times with two bits for a creation.
const CREATION_MIN: u32 = 4;

/// The address of the host; of several, one of IPv4, which is where OTP's nodes are looked for.
async fn address_of(host: &str) -> Result<IpAddr, StartError> {
    if let Ok(number) = host.parse() {
        return Ok(number);
    }
    let failed = |source| StartError::Host { host: host.to_owned(), source };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await.map_err(failed)?.collect();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen.map(SocketAddr::ip).ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))
}

impl Default for Builder {
    /// Of a node without a name.
    fn default() -> Builder {
        Builder::new("nonode@nohost")
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("hidden", &self.hidden)
            .finish_non_exhaustive()
    }
}
