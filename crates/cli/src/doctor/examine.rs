//! The examination: one step after the other, until one fails. Each step writes what it saw into the chart.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trunkline::names::{NameError, NodeName, check_peer};
use trunkline::proto::handshake::{Cookie, Initiation, Me, Question as Asked, Refusal, Step as Shake};
use trunkline::proto::{Blame, PeerFault};

use super::finding::Finding;
use super::is_auth::{FLAGS, Question};
use crate::epmd::client::{Trouble, addresses_of, names_of, port_of};
use crate::identity::{Identity, peer_name};
use crate::limits::{DIAL_TIMEOUT, DOCTOR_FRAME_BYTES_MAX, HANDSHAKE_STEP_TIMEOUT, IS_AUTH_TIMEOUT};

/// What was seen, step by step.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) lines: Vec<Line>,
}

/// One step.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) step: &'static str,
    pub(super) ok: bool,
    pub(super) seen: String,
}

/// The steps, in their order; the report shows those that were not reached.
pub(super) const STEPS: [&str; 7] = ["name", "cookie", "host", "epmd", "port", "handshake", "is_auth"];

impl Chart {
    fn note(&mut self, seen: String) {
        self.lines.push(Line { step: STEPS[self.lines.len().min(STEPS.len() - 1)], ok: true, seen });
    }

    fn fail(&mut self, seen: String) {
        self.note(seen);
        if let Some(line) = self.lines.last_mut() {
            line.ok = false;
        }
    }
}

/// Whom to examine, and as whom.
pub(super) struct Patient<'a> {
    pub(super) node: &'a str,
    pub(super) identity: &'a Identity,
    pub(super) epmd_port: u16,
    pub(super) patience: Patience,
}

/// How long things may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    dial: Duration,
    handshake: Duration,
    is_auth: Duration,
}

impl Patience {
    /// The same for every step, or what is usual for each.
    pub(super) fn of(seconds: Option<u64>) -> Patience {
        let usual =
            Patience { dial: DIAL_TIMEOUT, handshake: HANDSHAKE_STEP_TIMEOUT, is_auth: IS_AUTH_TIMEOUT };
        seconds.map(Duration::from_secs).map_or(usual, |each| Patience {
            dial: each,
            handshake: each,
            is_auth: each,
        })
    }
}

impl Patient<'_> {
    /// Examines until something is wrong.
    pub(super) async fn examine(&self, chart: &mut Chart) -> Result<(), Finding> {
        let outcome = self.steps(chart).await;
        if let Err(finding) = &outcome {
            chart.fail(finding.seen());
        }
        outcome
    }

    async fn steps(&self, chart: &mut Chart) -> Result<(), Finding> {
        let (peer, me) = self.names().await?;
        chart.note(format!("{peer}, asked by {me}"));
        let cookie = self.identity.cookie().map_err(|bad| Finding::Cookie { why: bad.to_string() })?;
        chart.note(self.identity.cookie_place().to_owned());
        let addresses = addresses(peer.host()).await?;
        chart.note(format!("{} is {}", peer.host(), join(&addresses)));
        let (ip, port) = self.epmd(&peer, &addresses).await?;
        chart.note(format!(
            "port {} of {ip} knows {}: it listens on port {port}",
            self.epmd_port,
            peer.local()
        ));
        let socket = dial(ip, port, self.patience.dial).await?;
        chart.note(format!("port {port} of {ip} is open"));
        let mut wire = handshake(socket, &me, &peer, cookie, self.patience.handshake).await?;
        chart.note(wire.about.clone());
        let took = wire.is_auth(&me, self.patience.is_auth).await?;
        chart.note(format!("yes, after {}", crate::cluster::duration_text(took)));
        Ok(())
    }

    /// The patient's name, and ours, which must be of the same kind and free.
    async fn names(&self) -> Result<(NodeName, NodeName), Finding> {
        let bad = |error: NameError| match error {
            NameError::LongAmongShort { .. } | NameError::ShortAmongLong { .. } => {
                Finding::MixedNames { why: error.to_string() }
            }
            other => Finding::BadName { why: other.to_string() },
        };
        let peer = peer_name(self.node, self.identity.form()).map_err(bad)?;
        let me = self.identity.own_name("doctor", &peer).map_err(bad)?;
        check_peer(&peer.to_string(), me.form()).map_err(bad)?;
        let ours = SocketAddr::from(([127, 0, 0, 1], self.epmd_port));
        if self.identity.is_named()
            && let Ok(Some(taken)) = port_of(ours, me.local(), self.patience.dial).await
        {
            let place = format!("port {} of the EPMD on port {}", taken.port, self.epmd_port);
            return Err(Finding::OwnNameTaken { name: me.to_string(), place });
        }
        Ok((peer, me))
    }

    /// Asks EPMD at each address until one answers.
    async fn epmd(&self, peer: &NodeName, addresses: &[IpAddr]) -> Result<(IpAddr, u16), Finding> {
        let (host, port) = (peer.host().to_owned(), self.epmd_port);
        let mut first = None;
        for &ip in addresses {
            let place = SocketAddr::new(ip, port);
            let finding = match port_of(place, peer.local(), self.patience.dial).await {
                Ok(Some(found)) => return Ok((ip, found.port)),
                Ok(None) => {
                    let listing = names_of(place, self.patience.dial).await.map(|listing| listing.nodes());
                    let mut known: Vec<_> =
                        listing.unwrap_or_default().into_iter().map(|node| node.name).collect();
                    known.sort();
                    return Err(Finding::NotRegistered { name: peer.local().to_owned(), host, known });
                }
                Err(Trouble::Refused) => Finding::NoEpmd { host: host.clone(), port },
                Err(Trouble::Silent) => Finding::EpmdSilent { host: host.clone(), port },
                Err(Trouble::NotEpmd(fault)) => {
                    Finding::NotEpmd { host: host.clone(), port, why: fault.to_string() }
                }
                Err(Trouble::BadName(misuse)) => Finding::BadName { why: misuse.to_string() },
                Err(Trouble::Io(error)) => Finding::NoConnection { ip, port, why: error.to_string() },
            };
            first.get_or_insert(finding);
        }
        Err(first.unwrap_or(Finding::NoEpmd { host, port }))
    }
}

async fn addresses(host: &str) -> Result<Vec<IpAddr>, Finding> {
    let none = |why: String| Finding::NoHost { host: host.to_owned(), why };
    let found = addresses_of(host).await.map_err(|error| none(error.to_string()))?;
    if found.is_empty() { Err(none("no address".to_owned())) } else { Ok(found) }
}

async fn dial(ip: IpAddr, port: u16, patience: Duration) -> Result<TcpStream, Finding> {
    let socket = match timeout(patience, TcpStream::connect((ip, port))).await {
        Err(_) => return Err(Finding::PortSilent { ip, port }),
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => {
            return Err(match error.kind() {
                io::ErrorKind::ConnectionRefused => Finding::PortClosed { ip, port },
                io::ErrorKind::TimedOut => Finding::PortSilent { ip, port },
                _ => Finding::NoConnection { ip, port, why: error.to_string() },
            });
        }
    };
    // The answer is small and wanted at once; a system that cannot do that answers later.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// A connection whose handshake is over.
struct Wire {
    socket: TcpStream,
    buffer: Vec<u8>,
    about: String,
}

/// Shakes hands. What the peer does at which point tells what is wrong.
async fn handshake(
    mut socket: TcpStream,
    me: &NodeName,
    peer: &NodeName,
    cookie: Cookie,
    patience: Duration,
) -> Result<Wire, Finding> {
    let name = me.to_string();
    let bad = |why: String| Finding::BadName { why };
    let ours = Me::new(&name, CREATION, FLAGS).map_err(|misuse| bad(misuse.to_string()))?;
    let mut machine = Initiation::begin(ours, &peer.to_string(), cookie, challenge());
    let (mut sent, mut bytes) = (0, Vec::new());
    loop {
        let step = machine.receive(&std::mem::take(&mut bytes)).map_err(blame)?;
        match step {
            Shake::Send(frames) => {
                sent += 1;
                socket.write_all(&frames).await.map_err(|_| closed_after(sent - 1))?;
            }
            Shake::NeedMore => bytes = hear(&mut socket, sent, patience).await?,
            Shake::Ask(Asked::StillAlive) => {
                machine.insist(false).map_err(|misuse| bad(misuse.to_string()))?
            }
            Shake::Ask(_) => return Err(Finding::NotANode { why: "an answer that fits nowhere".to_owned() }),
            Shake::Refused(Refusal::NotAllowed) => return Err(Finding::NotAllowed),
            Shake::Refused(Refusal::StillAlive) => return Err(Finding::StillAlive { name }),
            Shake::Refused(Refusal::Nok) => return Err(Finding::Busy),
            Shake::Done(peer, buffer) => {
                let missing = FLAGS.without(peer.negotiated).names();
                let less = if missing.is_empty() {
                    String::new()
                } else {
                    format!(", without {}", missing.join(", "))
                };
                let about = format!("both know the cookie; creation {}{less}", peer.creation);
                return Ok(Wire { socket, buffer, about });
            }
        }
    }
}

async fn hear(socket: &mut TcpStream, sent: u32, patience: Duration) -> Result<Vec<u8>, Finding> {
    let mut bytes = vec![0; 1024];
    match timeout(patience, socket.read(&mut bytes)).await {
        Err(_) if sent > 1 => Err(Finding::HandshakeSilent { step: "its answer to our challenge" }),
        Err(_) => Err(Finding::HandshakeSilent { step: "its status" }),
        Ok(Ok(0) | Err(_)) => Err(closed_after(sent)),
        Ok(Ok(count)) => {
            bytes.truncate(count);
            Ok(bytes)
        }
    }
}

/// Which message of ours it did not like: the first is our name, the second our answer to its challenge.
fn closed_after(sent: u32) -> Finding {
    if sent > 1 { Finding::WrongCookie } else { Finding::HandshakeClosed }
}

fn blame(blame: Blame) -> Finding {
    match blame {
        Blame::Peer(PeerFault::WrongName { dialled, answered }) => Finding::WrongName { dialled, answered },
        Blame::Peer(PeerFault::MissingFlags { missing, .. }) => {
            Finding::MissingFlags { missing: missing.names().join(", ") }
        }
        Blame::Peer(PeerFault::BadCookie { .. }) => Finding::WrongCookie,
        other => Finding::NotANode { why: other.to_string() },
    }
}

impl Wire {
    /// Asks whether it would talk to us, as `net_adm:ping/1` does; how long the answer took.
    async fn is_auth(&mut self, me: &NodeName, patience: Duration) -> Result<Duration, Finding> {
        let no_answer = |why: String| Finding::NoAnswer { why };
        let question =
            Question::new(&me.to_string(), CREATION).ok_or(no_answer("our name is too long".to_owned()))?;
        let started = now();
        self.socket.write_all(&question.packet()).await.map_err(|error| no_answer(error.to_string()))?;
        let answer = timeout(patience, self.answer(&question)).await;
        match answer {
            Err(_) => Err(no_answer(format!("no answer within {} s", patience.as_secs()))),
            Ok(Err(error)) => Err(no_answer(format!("it closed the connection: {error}"))),
            Ok(Ok(())) => Ok(started.elapsed()),
        }
    }

    async fn answer(&mut self, question: &Question) -> io::Result<()> {
        loop {
            while let Some(packet) = self.packet()? {
                if packet.is_empty() {
                    self.socket.write_all(&[0; 4]).await?; // a tick for a tick
                } else if question.answer(&packet).is_some_and(|answer| answer.is_atom("yes")) {
                    return Ok(());
                }
            }
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next whole packet of what was read. What a peer announces is not allocated, only what it sent is kept.
    fn packet(&mut self) -> io::Result<Option<Bytes>> {
        let Some(length) = self.buffer.first_chunk::<4>().map(|head| u32::from_be_bytes(*head) as usize)
        else {
            return Ok(None);
        };
        if length > DOCTOR_FRAME_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a packet of {length} bytes")));
        }
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        let rest = self.buffer.split_off(4 + length);
        let packet = std::mem::replace(&mut self.buffer, rest);
        Ok(Some(Bytes::from(packet).slice(4..)))
    }
}

fn join(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[allow(clippy::disallowed_methods, reason = "the doctor measures how long an answer takes")]
fn now() -> Instant {
    Instant::now()
}

/// Our challenge: the doctor proves its own knowledge, and believes a wrong proof no less if it could be replayed; still,
/// a number that was never used before costs nothing.
fn challenge() -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as u32
}

/// The doctor lives once and briefly; any number above OTP's old limit of 3 will do.
const CREATION: u32 = 0x0D0C;
