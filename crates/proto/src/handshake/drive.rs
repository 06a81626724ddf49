//! The handshake for a socket: bytes in, one step out. The loop around it is trivial.
//!
//! ```text
//! let mut step = machine.receive(&[])?;
//! loop {
//!     match step {
//!         Step::Send(bytes)         => write(bytes),                       // then receive(&[]) again
//!         Step::Ask(question)       => answer it with the method it names, // then receive(&[]) again
//!         Step::NeedMore            => step = machine.receive(read())?,
//!         Step::Done(peer, rest)    => break, // `rest` already belongs to the connection
//!         Step::Refused(why)        => close,
//!     }
//! }
//! ```

use super::acceptor::{
    Acceptor, AliveSent, Answered, Challenged, ComplementDue, Heard, Knock, Knocked, Verdict, Welcome,
};
use super::frames::FrameReader;
use super::initiator::{Asked, Initiator, Proved, StatusHeard, StillAlive, Told};
use super::{Cookie, Me, Peer, Refusal};
use crate::error::{Blame, Misuse};

/// What a handshake wants next. After every step but `NeedMore`, `Refused` and `Done`, call `receive(&[])` for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do until more bytes arrive.
    NeedMore,
    /// Write these bytes.
    Send(Vec<u8>),
    /// Somebody above has to decide.
    Ask(Question),
    /// No connection, and nobody's fault. Close.
    Refused(Refusal),
    /// The peer is known, and these bytes behind the handshake already belong to the connection.
    Done(Box<Peer>, Vec<u8>),
}

/// What the machine cannot decide alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A node knocks. Answer with [`Acceptance::answer`].
    Knock(Knock),
    /// The old connection of this (proved) name has to be gone first. Say so with [`Acceptance::release`].
    TearDown(String),
    /// The node that we dial believes it is still connected with us. Answer with [`Initiation::insist`].
    StillAlive,
}

/// The dialling side of a handshake.
#[derive(Debug)]
pub struct Initiation {
    reader: FrameReader,
    out: Vec<u8>,
    state: Dialling,
}

#[derive(Debug)]
enum Dialling {
    Told(Told),
    StillAlive(StillAlive),
    Asked(Asked),
    Proved(Proved),
    Refused(Refusal),
    Over,
}

impl Initiation {
    /// Dials `dialled`, the full name of the node at the other end; see [`Initiator::begin`].
    pub fn begin(me: Me, dialled: &str, cookie: Cookie, challenge: u32) -> Initiation {
        let (reader, mut out) = (FrameReader::new(me.framing), Vec::new());
        let state = Dialling::Told(Initiator::begin(me, dialled, cookie, challenge, &mut out));
        Initiation { reader, out, state }
    }

    /// Takes bytes from the peer (none to just go on), and says what is next.
    ///
    /// # Errors
    /// When the peer breaks the protocol or does not know the cookie. The machine is spent then; close the connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Step, Blame> {
        let step = self.reader.push(bytes).map_err(Blame::from).and_then(|()| self.go_on());
        if step.is_err() {
            self.state = Dialling::Over;
        }
        step
    }

    /// Answers [`Question::StillAlive`]: `true` when this attempt is still wanted.
    ///
    /// # Errors
    /// When that was not the question.
    pub fn insist(&mut self, insist: bool) -> Result<(), Misuse> {
        match std::mem::replace(&mut self.state, Dialling::Over) {
            Dialling::StillAlive(step) if insist => self.state = Dialling::Asked(step.insist(&mut self.out)),
            Dialling::StillAlive(step) => self.state = Dialling::Refused(step.give_up(&mut self.out)),
            other => {
                self.state = other;
                return Err(Misuse::OutOfOrder("insist"));
            }
        }
        Ok(())
    }

    fn go_on(&mut self) -> Result<Step, Blame> {
        loop {
            if !self.out.is_empty() {
                return Ok(Step::Send(std::mem::take(&mut self.out)));
            }
            match &self.state {
                Dialling::StillAlive(_) => return Ok(Step::Ask(Question::StillAlive)),
                Dialling::Refused(why) => return Ok(Step::Refused(*why)),
                Dialling::Over => return Err(Misuse::OutOfOrder("receive").into()),
                Dialling::Told(_) | Dialling::Asked(_) | Dialling::Proved(_) => {}
            }
            let Some(frame) = self.reader.next_frame()? else {
                return Ok(Step::NeedMore);
            };
            if let Some(peer) = self.heard(&frame)? {
                return Ok(Step::Done(Box::new(peer), std::mem::take(&mut self.reader).into_leftover()));
            }
        }
    }

    fn heard(&mut self, frame: &[u8]) -> Result<Option<Peer>, Blame> {
        self.state = match std::mem::replace(&mut self.state, Dialling::Over) {
            Dialling::Told(step) => match step.status(frame)? {
                StatusHeard::Asked(next) => Dialling::Asked(next),
                StatusHeard::StillAlive(next) => Dialling::StillAlive(next),
                StatusHeard::Refused(why) => Dialling::Refused(why),
            },
            Dialling::Asked(step) => Dialling::Proved(step.challenge(frame, &mut self.out)?),
            Dialling::Proved(step) => return step.ack(frame).map(Some),
            other => other,
        };
        Ok(None)
    }
}

/// The dialled side of a handshake.
#[derive(Debug)]
pub struct Acceptance {
    reader: FrameReader,
    out: Vec<u8>,
    state: Dialled,
}

#[derive(Debug)]
enum Dialled {
    Waiting(Acceptor),
    Knocked(Knocked),
    Alive(AliveSent),
    ComplementDue(ComplementDue),
    Challenged(Challenged),
    Heard(Heard),
    Done(Box<Peer>),
    Refused(Refusal),
    Failed(Blame),
    Over,
}

impl Acceptance {
    /// Waits for a peer to say its name, as `me`.
    ///
    /// # Errors
    /// When we have no name ourselves.
    pub fn begin(me: Me) -> Result<Acceptance, Misuse> {
        let reader = FrameReader::new(me.framing);
        Ok(Acceptance { reader, out: Vec::new(), state: Dialled::Waiting(Acceptor::begin(me)?) })
    }

    /// Takes bytes from the peer (none to just go on), and says what is next.
    ///
    /// # Errors
    /// When the peer breaks the protocol, lacks required flags (after `not_allowed` was sent) or does not know the cookie.
    /// The machine is spent then; close the connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Step, Blame> {
        let step = self.reader.push(bytes).map_err(Blame::from).and_then(|()| self.go_on());
        if step.is_err() {
            self.state = Dialled::Over;
        }
        step
    }

    /// Answers [`Question::Knock`].
    ///
    /// # Errors
    /// When that was not the question, or when the verdict does not fit to the knock (the machine is spent then).
    pub fn answer(&mut self, verdict: Verdict, welcome: Welcome) -> Result<(), Blame> {
        match std::mem::replace(&mut self.state, Dialled::Over) {
            Dialled::Knocked(step) => {
                let answered = step.answer(verdict, welcome, &mut self.out)?;
                self.state = Dialled::after(answered);
                Ok(())
            }
            other => {
                self.state = other;
                Err(Misuse::OutOfOrder("answer").into())
            }
        }
    }

    /// Answers [`Question::TearDown`]: the old connection is gone, the new one may begin.
    ///
    /// # Errors
    /// When that was not the question.
    pub fn release(&mut self) -> Result<(), Misuse> {
        match std::mem::replace(&mut self.state, Dialled::Over) {
            Dialled::Heard(step) => {
                self.state = Dialled::Done(Box::new(step.ack(&mut self.out)));
                Ok(())
            }
            other => {
                self.state = other;
                Err(Misuse::OutOfOrder("release"))
            }
        }
    }

    fn go_on(&mut self) -> Result<Step, Blame> {
        loop {
            if !self.out.is_empty() {
                return Ok(Step::Send(std::mem::take(&mut self.out)));
            }
            if let Some(step) = self.pending() {
                return step;
            }
            let Some(frame) = self.reader.next_frame()? else {
                return Ok(Step::NeedMore);
            };
            self.heard(&frame)?;
        }
    }

    /// What there is to say without another frame.
    fn pending(&mut self) -> Option<Result<Step, Blame>> {
        match std::mem::replace(&mut self.state, Dialled::Over) {
            Dialled::Done(peer) => {
                let leftover = std::mem::take(&mut self.reader).into_leftover();
                return Some(Ok(Step::Done(peer, leftover)));
            }
            Dialled::Failed(blame) => return Some(Err(blame)),
            Dialled::Over => return Some(Err(Misuse::OutOfOrder("receive").into())),
            other => self.state = other,
        }
        match &self.state {
            Dialled::Knocked(step) => Some(Ok(Step::Ask(Question::Knock(step.knock().clone())))),
            Dialled::Heard(step) => Some(Ok(Step::Ask(Question::TearDown(step.name().to_owned())))),
            Dialled::Refused(why) => Some(Ok(Step::Refused(*why))),
            _ => None,
        }
    }

    fn heard(&mut self, frame: &[u8]) -> Result<(), Blame> {
        self.state = match std::mem::replace(&mut self.state, Dialled::Over) {
            Dialled::Waiting(step) => {
                let knocked = step.name(frame)?;
                if knocked.knock().missing.is_empty() {
                    Dialled::Knocked(knocked)
                } else {
                    Dialled::Failed(knocked.refuse_missing(&mut self.out))
                }
            }
            Dialled::Alive(step) => Dialled::after(step.status_reply(frame, &mut self.out)?),
            Dialled::ComplementDue(step) => Dialled::Challenged(step.complement(frame)?),
            Dialled::Challenged(step) => {
                let heard = step.reply(frame)?;
                if heard.replaces_old() {
                    Dialled::Heard(heard)
                } else {
                    Dialled::Done(Box::new(heard.ack(&mut self.out)))
                }
            }
            other => other,
        };
        Ok(())
    }
}

impl Dialled {
    fn after(answered: Answered) -> Dialled {
        match answered {
            Answered::Challenged(next) => Dialled::Challenged(next),
            Answered::ComplementDue(next) => Dialled::ComplementDue(next),
            Answered::Alive(next) => Dialled::Alive(next),
            Answered::Refused(why) => Dialled::Refused(why),
        }
    }
}
