//! The only crossroads on the way out: near goes to an inbox, far goes to a lane.

use std::sync::Arc;

use proto::signal::{Dest, Signal};
use term::encode::encode_wire;
use term::{Atom, Pid, Ref, Term};

use crate::address::To;
use crate::exit::NOPROC;
use crate::lane::{Lane, LaneState};
use crate::limits::PARCEL_BYTES;
use crate::mail::{Cause, Mail, Order};
use crate::message::Message;
use crate::node::{Node, owner_of};
use crate::sched::At;

/// How to send, as `erlang:send/3` has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendOptions {
    /// Rather not send than connect to the receiver's node.
    pub noconnect: bool,
    /// Rather not send than be paused later, because the lane to the receiver's node is full.
    pub nosuspend: bool,
}

/// What became of a message sent with [`SendOptions`]. Not an acknowledgement: `Ok` says it is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Sent {
    /// On its way, or dropped because nobody is there.
    Ok,
    /// Not sent: there is no connection.
    NoConnect,
    /// Not sent: the sender would have been paused.
    NoSuspend,
}

/// Who sends, and where it runs.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) pid: Option<&'a Pid>,
    pub(crate) at: At,
}

impl Sender<'_> {
    pub(crate) const NOBODY: Sender<'static> = Sender { pid: None, at: At::ELSEWHERE };
}

/// Where a message went.
pub(crate) enum Routed {
    Near,
    /// With the bytes it counts in the lane.
    Far(Arc<Lane>, usize),
    Refused(Sent),
}

impl Node {
    /// Sends from outside of any process. Never waits; whoever floods a slow peer this way has nothing to slow it down.
    pub fn send<'a>(&self, to: impl Into<To<'a>>, message: impl term::IntoTerm + Send + 'static) {
        self.route(Sender::NOBODY, to.into(), Message::new(message), SendOptions::default());
    }

    /// Answers from outside of any process: as [`crate::Ctx::answer`].
    pub fn answer<'a>(&self, to: impl Into<To<'a>>, message: impl term::IntoTerm + Send + 'static) {
        let options = SendOptions { noconnect: true, ..SendOptions::default() };
        if let Routed::Far(lane, bytes) =
            self.route(Sender::NOBODY, to.into(), Message::new(message), options)
        {
            lane.count_answer(bytes);
        }
    }

    /// Sends to a name at the other end of this very connection, in the name of the near process `from`; `false` when the
    /// connection is over. For services whose words mean something on one connection only, and nothing on the next.
    /// Never waits: whoever sends much this way has nothing to slow it down.
    pub fn send_over(&self, lane: &Lane, from: &Pid, to: Atom, message: &Term) -> bool {
        let signal =
            Signal::Send { from: Some(from.clone()), to: Dest::Name(to), token: None, priority: false };
        lane.push(signal, Some(encode_wire(message)))
    }

    pub(crate) fn route(
        &self,
        from: Sender<'_>,
        to: To<'_>,
        message: Message,
        options: SendOptions,
    ) -> Routed {
        match to {
            To::PidRef(pid) => self.route_to_pid(from, pid, message, options),
            To::Pid(pid) => self.route_to_pid(from, &pid, message, options),
            To::Alias(alias) => self.route_to_alias(from, &alias, message, options),
            To::AliasRef(alias) => self.route_to_alias(from, alias, message, options),
            To::Name(name) => self.route_to_name(from, &name, message),
            To::NameAt(name, node) if node == *self.name() => self.route_to_name(from, &name, message),
            To::NameAt(name, node) => self.route_far(from, &node, Dest::Name(name), message, options),
        }
    }

    fn route_to_pid(&self, from: Sender<'_>, to: &Pid, message: Message, options: SendOptions) -> Routed {
        if let Some(seat) = self.seat(to) {
            if self.post(seat, Mail::Message(message), from.at).is_err() {
                self.count_drop();
            }
            return Routed::Near;
        }
        self.route_far(from, to.node.name(), Dest::Pid(to.clone()), message, options)
    }

    fn route_to_name(&self, from: Sender<'_>, name: &Atom, message: Message) -> Routed {
        let seat = self.names().whereis(name).and_then(|pid| self.seat(&pid));
        let sent = seat.is_some_and(|seat| self.post(seat, Mail::Message(message), from.at).is_ok());
        if !sent {
            self.count_drop();
        }
        Routed::Near
    }

    fn route_to_alias(&self, from: Sender<'_>, to: &Ref, message: Message, options: SendOptions) -> Routed {
        if to.node() == self.id() {
            let sent = owner_of(to).is_some_and(|(seat, counter)| {
                self.post(seat, Mail::Aliased(counter, message), from.at).is_ok()
            });
            if !sent {
                self.count_drop();
            }
            return Routed::Near;
        }
        self.route_far(from, to.node().name(), Dest::Alias(to.clone()), message, options)
    }

    fn route_far(
        &self,
        from: Sender<'_>,
        peer: &Atom,
        to: Dest,
        message: Message,
        options: SendOptions,
    ) -> Routed {
        let lane = if options.noconnect {
            match self.lane(peer).filter(|lane| lane.state() == LaneState::Up) {
                Some(lane) => Some(lane),
                None => return Routed::Refused(Sent::NoConnect),
            }
        } else {
            self.lane_to(peer)
        };
        let Some(lane) = lane else {
            self.count_drop();
            return Routed::Near;
        };
        if options.nosuspend && lane.is_full() {
            return Routed::Refused(Sent::NoSuspend);
        }
        let mut bytes = 0;
        match message.into_term() {
            Ok(term) => {
                // To a name or an alias one sends in somebody's name (operations 6, `REG_SEND`, and 33, `ALIAS_SEND`):
                // <0.0.0> is nobody.
                let nobody = || Pid { node: self.id().clone(), id: 0, serial: 0 };
                let by_name = matches!(to, Dest::Name(_) | Dest::Alias(_));
                let from = from.pid.cloned().or_else(|| by_name.then(nobody));
                let signal = Signal::Send { from, to, token: None, priority: false };
                let payload = encode_wire(&term);
                bytes = PARCEL_BYTES + payload.len();
                lane.push(signal, Some(payload));
            }
            Err(_) => self.count_drop(),
        }
        Routed::Far(lane, bytes)
    }

    /// An exit signal to a near or far process; through `lane` if it is about a link that crosses it.
    pub(crate) fn send_exit(
        &self,
        from: &Pid,
        to: &Pid,
        lane: Option<&Arc<Lane>>,
        reason: &Term,
        cause: Cause,
    ) {
        if self.seat(to).is_some() {
            self.push(to, Mail::exit(from.clone(), reason.clone(), cause));
            return;
        }
        let (from, to) = (from.clone(), to.clone());
        let lane = match (lane, cause) {
            (Some(lane), _) => Some(lane.clone()),
            (None, Cause::Call) => self.lane_to(to.node.name()),
            (None, _) => None,
        };
        let signal = if cause == Cause::Call {
            Signal::Exit2 { from, to: Dest::Pid(to), token: None, priority: false }
        } else {
            Signal::Exit { from, to, token: None }
        };
        if let Some(lane) = lane {
            lane.push(signal, Some(encode_wire(reason)));
        }
    }

    /// Tells a watcher.
    pub(crate) fn send_down(
        &self,
        from: Dest,
        to: &Pid,
        lane: Option<&Arc<Lane>>,
        reference: Ref,
        reason: &Term,
    ) {
        if self.seat(to).is_some() {
            self.push(to, Mail::order(Order::Down { reference, reason: reason.clone() }));
        } else if let Some(lane) = lane {
            lane.push(Signal::Down { from, to: to.clone(), reference }, Some(encode_wire(reason)));
        }
    }

    /// Before any other signal to that process, as the link protocol demands: callers hold no others back.
    pub(crate) fn acknowledge_unlink(&self, id: u64, from: &Pid, to: &Pid, lane: Option<&Arc<Lane>>) {
        match lane {
            None => {
                self.push(to, Mail::order(Order::UnlinkAck { id, from: from.clone() }));
            }
            Some(lane) => {
                lane.push(Signal::UnlinkAck { id, from: from.clone(), to: to.clone() }, None);
            }
        }
    }

    /// Answers mail for a process that is not there.
    pub(crate) fn bounce(&self, dead: &Pid, mail: Mail) {
        let noproc = Term::Atom(NOPROC);
        match mail {
            Mail::Message(_) | Mail::Aliased(..) => self.count_drop(),
            Mail::Link(from) => self.send_exit(dead, &from, None, &noproc, Cause::Link),
            Mail::Monitor { from, reference } => {
                self.send_down(Dest::Pid(dead.clone()), &from, None, reference, &noproc);
            }
            Mail::Demonitor(_) => {}
            Mail::Order(order) => match *order {
                Order::LinkFar { from, lane } => {
                    self.send_exit(dead, &from, Some(&lane), &noproc, Cause::Link);
                }
                Order::MonitorFar { from, reference, name, lane } => {
                    let watched = name.map_or_else(|| Dest::Pid(dead.clone()), Dest::Name);
                    self.send_down(watched, &from, Some(&lane), reference, &noproc);
                }
                Order::Unlink { id, from, lane } => {
                    self.acknowledge_unlink(id, dead, &from, lane.as_ref());
                }
                Order::SpawnReply { id, lane, linked, monitored, result: Ok(child) } => {
                    if linked {
                        self.send_exit(dead, &child, lane.as_ref(), &noproc, Cause::Link);
                    }
                    if let (true, Some(lane)) = (monitored, lane) {
                        let to = Dest::Pid(child);
                        lane.push(Signal::Demonitor { from: dead.clone(), to, reference: id }, None);
                    }
                }
                _ => {}
            },
        }
    }
}
