//! Checks of listening, dialling and accepting.

use std::io::ErrorKind;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Check, Failure, Ground, ensure};
use crate::{Listener, Wire};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a dial meets an accept", |g| Box::pin(dial_meets_accept(g))),
    ("a listener knows its real port", |g| Box::pin(real_port(g))),
    ("both ends agree who is who", |g| Box::pin(ends_agree(g))),
    ("a dial to nobody is refused, and says where", |g| Box::pin(nobody(g))),
    ("two listeners on one port are refused", |g| Box::pin(port_taken(g))),
    ("a taken port moves the listener up the range", |g| Box::pin(range_scanned(g))),
    ("an empty range is refused", |g| Box::pin(empty_range(g))),
    ("a dropped listener frees its port", |g| Box::pin(port_freed(g))),
    ("a wire outlives its listener", |g| Box::pin(outlives(g))),
    ("a dropped accept loses no wire", |g| Box::pin(accept_is_cancel_safe(g))),
    ("a dialler who gives up does not spoil the listener", |g| Box::pin(given_up(g))),
    ("many wires stay apart", |g| Box::pin(many_wires(g))),
];

async fn dial_meets_accept(g: Arc<Ground>) -> Result<(), Failure> {
    let mut listener = g.listener().await?;
    let (mut ours, mut theirs) = g.meet(&mut *listener).await?;
    talk(&mut *ours, &mut *theirs, 1).await?;
    let (mut more, mut others) = g.meet(&mut *listener).await?;
    talk(&mut *more, &mut *others, 2).await?;
    talk(&mut *ours, &mut *theirs, 3).await
}

async fn real_port(g: Arc<Ground>) -> Result<(), Failure> {
    let (one, two) = (g.listener().await?, g.listener().await?);
    ensure(one.local().port != 0 && two.local().port != 0, "port zero is nobody's")?;
    ensure(one.local() != two.local(), format!("two listeners at {}", one.local()))
}

async fn ends_agree(g: Arc<Ground>) -> Result<(), Failure> {
    let mut listener = g.listener().await?;
    let (ours, theirs) = g.meet(&mut *listener).await?;
    let at = listener.local();
    ensure(ours.peer() == at, format!("dialled {at}, peer says {}", ours.peer()))?;
    ensure(theirs.local() == at, format!("accepted at {at}, local says {}", theirs.local()))?;
    ensure(ours.local() == theirs.peer(), format!("{} or {}?", ours.local(), theirs.peer()))?;
    ensure(ours.is_local_peer() == theirs.is_local_peer(), "one end says local, the other far")
}

async fn nobody(g: Arc<Ground>) -> Result<(), Failure> {
    // Somebody else may take the port that was just freed: three tries.
    for _ in 0..3 {
        let at = g.listener().await?.local();
        let Err(error) = g.client.dial(&at).await else { continue };
        ensure(error.kind() == ErrorKind::ConnectionRefused, format!("{:?}: {error}", error.kind()))?;
        return ensure(error.to_string().contains(&at.to_string()), format!("does not say {at}: {error}"));
    }
    Err("every port without a listener answered".into())
}

async fn port_taken(g: Arc<Ground>) -> Result<(), Failure> {
    let first = g.listener().await?;
    let again = g.listen.clone().port(first.local().port);
    match g.server.listen(&again).await {
        Ok(_) => Err("both listen".into()),
        Err(error) => ensure(error.kind() == ErrorKind::AddrInUse, format!("{:?}: {error}", error.kind())),
    }
}

async fn range_scanned(g: Arc<Ground>) -> Result<(), Failure> {
    let first = g.listener().await?;
    let low = first.local().port;
    let range = low..=low.saturating_add(100);
    let mut second = g.server.listen(&g.listen.clone().ports(range.clone())).await?;
    let port = second.local().port;
    ensure(port != low && range.contains(&port), format!("{port} is not in {range:?} above {low}"))?;
    let (mut ours, mut theirs) = g.meet(&mut *second).await?;
    talk(&mut *ours, &mut *theirs, 1).await
}

async fn empty_range(g: Arc<Ground>) -> Result<(), Failure> {
    #[allow(clippy::reversed_empty_ranges, reason = "that is the point")]
    let at = g.listen.clone().ports(2..=1);
    match g.server.listen(&at).await {
        Ok(listener) => Err(format!("listens at {}", listener.local()).into()),
        Err(error) => ensure(error.kind() == ErrorKind::InvalidInput, format!("{:?}: {error}", error.kind())),
    }
}

async fn port_freed(g: Arc<Ground>) -> Result<(), Failure> {
    let mut listener = g.listener().await?;
    let port = listener.local().port;
    // A wire that is still open must not keep the port from its next owner.
    let (mut ours, mut theirs) = g.meet(&mut *listener).await?;
    drop(listener);
    let mut listener = g.server.listen(&g.listen.clone().port(port)).await?;
    let (mut more, mut others) = g.meet(&mut *listener).await?;
    talk(&mut *more, &mut *others, 1).await?;
    talk(&mut *ours, &mut *theirs, 2).await
}

async fn outlives(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    talk(&mut *ours, &mut *theirs, 1).await?;
    talk(&mut *theirs, &mut *ours, 2).await
}

/// Polls every accept only once before it is dropped.
async fn accept_is_cancel_safe(g: Arc<Ground>) -> Result<(), Failure> {
    const WIRES: u8 = 20;
    let mut listener = g.listener().await?;
    ensure(accept_once(&mut *listener).await?.is_none(), "accepted nobody")?;
    let (client, to) = (g.client.clone(), listener.local());
    let dialling = tokio::spawn(async move {
        let mut wires = Vec::new();
        for n in 0..WIRES {
            let mut wire = client.dial(&to).await?;
            wire.write_all(&[n]).await?;
            wires.push(wire);
        }
        Ok::<_, std::io::Error>(wires)
    });
    let mut seen = Vec::new();
    let mut accepted = Vec::new();
    while accepted.len() < usize::from(WIRES) {
        match accept_once(&mut *listener).await? {
            Some(wire) => accepted.push(wire),
            None => super::breathe().await,
        }
    }
    for wire in &mut accepted {
        seen.push(wire.read_u8().await?);
    }
    seen.sort_unstable();
    dialling.await??;
    ensure(seen == (0..WIRES).collect::<Vec<_>>(), format!("accepted {seen:?}"))
}

async fn accept_once(listener: &mut dyn Listener) -> Result<Option<Box<dyn Wire>>, Failure> {
    let mut accepting = listener.accept();
    std::future::poll_fn(|cx| {
        Poll::Ready(match accepting.as_mut().poll(cx) {
            Poll::Ready(wire) => wire.map(Some).map_err(Failure::from),
            Poll::Pending => Ok(None),
        })
    })
    .await
}

async fn given_up(g: Arc<Ground>) -> Result<(), Failure> {
    let mut listener = g.listener().await?;
    let to = listener.local();
    for _ in 0..5 {
        let mut dialling = g.client.dial(&to);
        std::future::poll_fn(|cx| {
            let _ = dialling.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
    }
    // Those who gave up may or may not be seen; the one who stays must be.
    let client = g.client.clone();
    let staying = tokio::spawn(async move {
        let mut wire = client.dial(&to).await?;
        wire.write_all(b"here").await?;
        Ok::<_, std::io::Error>(wire)
    });
    loop {
        let Ok(mut wire) = listener.accept().await else { continue };
        let mut said = [0; 4];
        if wire.read_exact(&mut said).await.is_ok() {
            staying.await??;
            return ensure(&said == b"here", format!("{said:?}"));
        }
    }
}

async fn many_wires(g: Arc<Ground>) -> Result<(), Failure> {
    const WIRES: u8 = 100;
    let mut listener = g.listener().await?;
    let to = listener.local();
    let mut diallers = Vec::new();
    for n in 0..WIRES {
        let (client, to) = (g.client.clone(), to.clone());
        diallers.push(tokio::spawn(async move {
            let mut wire = client.dial(&to).await?;
            wire.write_all(&[n]).await?;
            let answer = wire.read_u8().await?;
            ensure(answer == !n, format!("said {n}, heard {answer}"))
        }));
    }
    let mut wires = Vec::new();
    for _ in 0..WIRES {
        wires.push(listener.accept().await?);
    }
    for wire in wires.iter_mut().rev() {
        let n = wire.read_u8().await?;
        wire.write_all(&[!n]).await?;
    }
    for dialler in diallers {
        dialler.await??;
    }
    Ok(())
}

/// A word there and one back.
async fn talk(ours: &mut dyn Wire, theirs: &mut dyn Wire, word: u8) -> Result<(), Failure> {
    ours.write_all(&[word]).await?;
    ours.flush().await?;
    let there = theirs.read_u8().await?;
    theirs.write_all(&[word + 100]).await?;
    theirs.flush().await?;
    let back = ours.read_u8().await?;
    ensure(there == word && back == word + 100, format!("said {word}, heard {there}, answered {back}"))
}
