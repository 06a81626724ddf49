//! Checks of bytes on a wire: order, pressure, ends, halves.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{Check, Failure, Ground, ensure, pattern};

/// More than any carrier should hold for a reader who does not read.
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

const BULK_BYTES: usize = 1_500_000;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a few bytes wait for their reader, who may take them one by one", |g| Box::pin(small_reads(g))),
    ("question and answer take turns", |g| Box::pin(turns(g))),
    ("bulk arrives unchanged both ways at once", |g| Box::pin(bulk_both_ways(g))),
    ("a writer nobody reads is held back and loses nothing", |g| Box::pin(back_pressure(g))),
    ("vectored writes are honoured and keep order", |g| Box::pin(vectored(g))),
    ("a dropped read loses no byte", |g| Box::pin(read_is_cancel_safe(g))),
    ("halves work in different tasks", |g| Box::pin(halves(g))),
    ("shutdown ends one direction and not the other", |g| Box::pin(half_close(g))),
    ("a dropped writing half is end of file at the peer", |g| Box::pin(dropped_half(g))),
    ("a dropped wire is end of file at the peer, after its bytes", |g| Box::pin(dropped_wire(g))),
    ("end of file stays end of file", |g| Box::pin(end_stays(g))),
    ("writing to a peer who has gone fails in the end", |g| Box::pin(peer_gone(g))),
];

async fn small_reads(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    ours.write_all(b"mike").await?;
    ours.flush().await?;
    for expected in *b"mike" {
        let read = theirs.read_u8().await?;
        ensure(read == expected, format!("{read} is not {expected}"))?;
    }
    Ok(())
}

async fn turns(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    let answering = tokio::spawn(async move {
        for _ in 0..200 {
            let n = theirs.read_u32().await?;
            theirs.write_all(&n.wrapping_mul(3).to_be_bytes()).await?;
        }
        Ok::<_, std::io::Error>(theirs)
    });
    for n in 0..200u32 {
        ours.write_all(&n.to_be_bytes()).await?;
        let answer = ours.read_u32().await?;
        ensure(answer == n.wrapping_mul(3), format!("asked {n}, heard {answer}"))?;
    }
    answering.await??;
    Ok(())
}

async fn bulk_both_ways(g: Arc<Ground>) -> Result<(), Failure> {
    let (ours, theirs) = g.wire().await?;
    let mut tasks = Vec::new();
    for (wire, says, hears) in [(ours, 1, 2), (theirs, 2, 1)] {
        let (mut read, mut write) = wire.split();
        tasks.push(tokio::spawn(async move {
            write.write_all(&pattern(BULK_BYTES, says)).await?;
            write.shutdown().await?;
            Ok::<_, Failure>(())
        }));
        tasks.push(tokio::spawn(async move {
            let mut heard = Vec::new();
            read.read_to_end(&mut heard).await?;
            ensure(heard == pattern(BULK_BYTES, hears), format!("{} bytes, not those sent", heard.len()))
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn back_pressure(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    let chunk = pattern(64 * 1024, 7);
    let mut sent = 0usize;
    // Each write starts where the chunk's pattern stands, so that the stream is the chunk over and over.
    while let Some(n) = write_once(&mut *ours, &chunk[sent % chunk.len()..]).await? {
        ensure(n > 0, "a write of nothing")?;
        sent += n;
        ensure(sent < HELD_BYTES_MAX, format!("{sent} bytes taken and nobody reads"))?;
    }
    let ending = tokio::spawn(async move { ours.shutdown().await.map(|()| ours) });
    let mut read = 0usize;
    let mut buf = vec![0; 32 * 1024];
    loop {
        let n = theirs.read(&mut buf).await?;
        if n == 0 {
            break;
        }
        for (i, byte) in buf[..n].iter().enumerate() {
            let at = read + i;
            if *byte != chunk[at % chunk.len()] {
                return Err(format!("byte {at} is wrong").into());
            }
        }
        read += n;
    }
    ending.await??;
    ensure(read == sent, format!("{sent} taken, {read} delivered"))
}

/// One poll of a write; `None` when it must wait.
async fn write_once(
    wire: &mut (dyn AsyncWrite + Unpin + Send),
    buf: &[u8],
) -> Result<Option<usize>, Failure> {
    std::future::poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *wire).poll_write(cx, buf) {
            Poll::Ready(taken) => taken.map(Some).map_err(Failure::from),
            Poll::Pending => Ok(None),
        })
    })
    .await
}

async fn vectored(g: Arc<Ground>) -> Result<(), Failure> {
    let (ours, mut theirs) = g.wire().await?;
    ensure(ours.is_write_vectored() && theirs.is_write_vectored(), "a wire is not vectored")?;
    let (_read, mut write) = ours.split();
    ensure(write.is_write_vectored(), "the writing half is not vectored")?;
    let mut left: &[u8] = b"heads and shoulders";
    while !left.is_empty() {
        let (head, tail) = left.split_at(left.len() / 3);
        let taken =
            write.write_vectored(&[IoSlice::new(head), IoSlice::new(&[]), IoSlice::new(tail)]).await?;
        ensure(taken > 0 && taken <= left.len(), format!("{taken} bytes of {}", left.len()))?;
        left = &left[taken..];
    }
    drop(write);
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).await?;
    ensure(heard == "heads and shoulders", heard)
}

/// Polls every read only once before it is dropped.
async fn read_is_cancel_safe(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    let expected = pattern(100_000, 5);
    let sent = expected.clone();
    let writing = tokio::spawn(async move {
        for piece in sent.chunks(777) {
            ours.write_all(piece).await?;
            ours.flush().await?;
            tokio::task::yield_now().await;
        }
        ours.shutdown().await?;
        Ok::<_, std::io::Error>(ours)
    });
    let mut heard = Vec::new();
    loop {
        let mut buf = [0; 500];
        match read_once(&mut *theirs, &mut buf).await? {
            Some(0) => break,
            Some(n) => heard.extend_from_slice(&buf[..n]),
            None => super::breathe().await,
        }
    }
    writing.await??;
    ensure(heard == expected, format!("{} bytes, not those sent", heard.len()))
}

/// One poll of a read; `None` when it must wait.
async fn read_once(
    wire: &mut (dyn AsyncRead + Unpin + Send),
    buf: &mut [u8],
) -> Result<Option<usize>, Failure> {
    let mut buf = ReadBuf::new(buf);
    std::future::poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *wire).poll_read(cx, &mut buf) {
            Poll::Ready(read) => read.map(|()| Some(buf.filled().len())).map_err(Failure::from),
            Poll::Pending if buf.filled().is_empty() => Ok(None),
            Poll::Pending => Err("a read that must wait has taken bytes".into()),
        })
    })
    .await
}

async fn halves(g: Arc<Ground>) -> Result<(), Failure> {
    let (ours, mut theirs) = g.wire().await?;
    let (mut read, mut write) = ours.split();
    // The reader waits before anything was written, in a task of its own.
    let reading = tokio::spawn(async move { read.read_u16().await.map(|n| (n, read)) });
    tokio::task::yield_now().await;
    let writing = tokio::spawn(async move { write.write_all(&[9, 8]).await.map(|()| write) });
    let echo = theirs.read_u16().await?;
    theirs.write_all(&echo.to_be_bytes()).await?;
    let (heard, _read) = reading.await??;
    let _write = writing.await??;
    ensure(heard == 0x0908, format!("{heard:#x}"))
}

async fn half_close(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    ours.write_all(b"last words").await?;
    ours.shutdown().await?;
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).await?;
    ensure(heard == "last words", heard)?;
    theirs.write_all(b"noted").await?;
    theirs.shutdown().await?;
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await?;
    ensure(answer == "noted", answer)
}

async fn dropped_half(g: Arc<Ground>) -> Result<(), Failure> {
    let (ours, mut theirs) = g.wire().await?;
    let (mut read, mut write) = ours.split();
    write.write_all(b"bye").await?;
    write.flush().await?;
    drop(write);
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).await?;
    ensure(heard == "bye", heard)?;
    theirs.write_all(&[1]).await?;
    theirs.flush().await?;
    ensure(read.read_u8().await? == 1, "the reading half is dead too")
}

async fn dropped_wire(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    ours.write_all(b"crash").await?;
    ours.flush().await?;
    drop(ours);
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).await?;
    ensure(heard == "crash", heard)
}

async fn end_stays(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, mut theirs) = g.wire().await?;
    ours.shutdown().await?;
    for _ in 0..3 {
        let n = theirs.read(&mut [0; 8]).await?;
        ensure(n == 0, format!("{n} bytes after the end"))?;
    }
    Ok(())
}

async fn peer_gone(g: Arc<Ground>) -> Result<(), Failure> {
    let (mut ours, theirs) = g.wire().await?;
    drop(theirs);
    let mut sent = 0;
    while ours.write_all(&[0; 1024]).await.is_ok() {
        sent += 1024;
        ensure(sent < HELD_BYTES_MAX, "nobody reads, nobody says so")?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
