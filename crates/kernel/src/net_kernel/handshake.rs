//! The loop around a handshake: bytes between a wire and the machine that decides.

use carrier::Wire;
use proto::handshake::{Acceptance, Initiation, Knock, Peer, Question, Step, Verdict, Welcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::end::SetupFault;
use crate::limits::HANDSHAKE_READ_BYTES;

/// A peer that has proved itself, and the bytes behind the handshake that came with it.
pub(super) type Met = (Peer, Vec<u8>);

/// What the node says to those who knock.
pub(super) trait Doorkeeper {
    /// Judges a knock; nothing means: close without a word.
    fn judge(&mut self, knock: &Knock) -> Option<(Verdict, Welcome)>;
    /// Ends the old connection of the peer, and returns when it is gone.
    async fn tear_down(&mut self);
}

/// Shakes hands as the side that dialled. `insist` is asked when the peer believes that it is still connected.
pub(super) async fn initiate(
    wire: &mut dyn Wire,
    mut machine: Initiation,
    insist: impl Fn() -> bool,
) -> Result<Met, SetupFault> {
    let mut step = machine.receive(&[])?;
    loop {
        step = match step {
            Step::NeedMore => {
                let (bytes, length) = read(wire).await?;
                machine.receive(&bytes[..length])?
            }
            Step::Send(bytes) => {
                wire.write_all(&bytes).await?;
                machine.receive(&[])?
            }
            Step::Ask(Question::StillAlive) => {
                machine.insist(insist()).map_err(proto::error::Blame::from)?;
                machine.receive(&[])?
            }
            Step::Ask(_) => return Err(SetupFault::Abandoned),
            Step::Refused(why) => return Err(SetupFault::Refused(why)),
            Step::Done(peer, rest) => return Ok((*peer, rest)),
        }
    }
}

/// Shakes hands as the side that was dialled.
pub(super) async fn accept(
    wire: &mut dyn Wire,
    mut machine: Acceptance,
    door: &mut impl Doorkeeper,
) -> Result<Met, SetupFault> {
    let mut step = machine.receive(&[])?;
    loop {
        step = match step {
            Step::NeedMore => {
                let (bytes, length) = read(wire).await?;
                machine.receive(&bytes[..length])?
            }
            Step::Send(bytes) => {
                wire.write_all(&bytes).await?;
                machine.receive(&[])?
            }
            Step::Ask(Question::Knock(knock)) => {
                let (verdict, welcome) = door.judge(&knock).ok_or(SetupFault::Abandoned)?;
                machine.answer(verdict, welcome)?;
                machine.receive(&[])?
            }
            Step::Ask(Question::TearDown(_)) => {
                door.tear_down().await;
                machine.release().map_err(proto::error::Blame::from)?;
                machine.receive(&[])?
            }
            Step::Ask(Question::StillAlive) => return Err(SetupFault::Abandoned),
            Step::Refused(why) => return Err(SetupFault::Refused(why)),
            Step::Done(peer, rest) => return Ok((*peer, rest)),
        }
    }
}

async fn read(wire: &mut dyn Wire) -> Result<([u8; HANDSHAKE_READ_BYTES], usize), SetupFault> {
    let mut bytes = [0; HANDSHAKE_READ_BYTES];
    match wire.read(&mut bytes).await? {
        0 => Err(SetupFault::Closed),
        length => Ok((bytes, length)),
    }
}
