//! Sockets that systemd opened for us before it started us. (`sd_listen_fds(3)`.)

use std::net::TcpListener;

/// The sockets, in the order of the unit's `ListenStream=` lines.
#[cfg(target_os = "linux")]
pub(super) fn sockets() -> anyhow::Result<Vec<TcpListener>> {
    use anyhow::Context;
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    /// `SD_LISTEN_FDS_START`.
    const FIRST: i32 = 3;
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let count = number("LISTEN_FDS").filter(|_| number("LISTEN_PID") == Some(std::process::id()));
    let count =
        count.and_then(|count| i32::try_from(count).ok()).filter(|count| (1..=SOCKETS_MAX).contains(count));
    let count = count
        .context("systemd gave no sockets: -systemd is for a service that is started by a .socket unit")?;
    // A duplicate of each, by way of ourselves: a bare number could be anybody's.
    let me = pidfd_open(getpid(), PidfdFlags::empty()).context("cannot look at our own sockets")?;
    let socket = |fd| pidfd_getfd(&me, fd, PidfdGetfdFlags::empty()).map(TcpListener::from);
    (FIRST..FIRST + count).map(socket).collect::<Result<_, _>>().context("cannot take the sockets of systemd")
}

/// There is no systemd here.
#[cfg(not(target_os = "linux"))]
pub(super) fn sockets() -> anyhow::Result<Vec<TcpListener>> {
    anyhow::bail!("-systemd needs Linux")
}

#[cfg(target_os = "linux")]
const SOCKETS_MAX: i32 = 16;
