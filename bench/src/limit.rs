//! What the machine allows: the bare primitives under our rows, measured in the same run. No Erlang in here.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::measure::{Measure, percentile};
use crate::ours::now;
use crate::side::Side;
use crate::table::Program;

/// The bare primitives, as a side of the table.
pub(crate) struct Limit {
    executable: PathBuf,
    address: String,
}

impl Limit {
    /// Picks a port that the kernel names free.
    pub(crate) fn prepare() -> Result<Limit> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(Limit { executable: std::env::current_exe()?, address: free.to_string() })
    }
}

impl Side for Limit {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn can(&self, program: &Program) -> bool {
        KNOWN.contains(&program.name)
    }

    fn driver(&self, program: &Program) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["limit", program.name]);
        command
    }

    fn peer(&self) -> (Command, String) {
        let mut command = Command::new(&self.executable);
        command.args(["limit-peer", &self.address]);
        (command, self.address.clone())
    }
}

/// Measures one primitive against a `limit-peer` in another OS process and prints its lines.
pub(crate) fn run(program: &str, size: &str, address: &str) -> Result<()> {
    let size: u64 = size.parse().context("SIZE is a number")?;
    let measures = Runtime::new()?.block_on(async {
        let wire = TcpStream::connect(address).await.with_context(|| format!("cannot dial {address}"))?;
        wire.set_nodelay(true)?;
        match program {
            "round_trip" => echo(wire, size, &[("round_trip_p50", 50.0), ("round_trip_p99", 99.0)]).await,
            "rpc_call" => echo(wire, size, &[("rpc_call_p50", 50.0)]).await,
            "binaries_1m" | "binaries_64m" => bulk(wire, size, program).await,
            _ => bail!("there is no bare primitive for {program:?}"),
        }
    })?;
    for measure in measures {
        println!("{} {} {}", measure.row, measure.value, measure.unit);
    }
    Ok(())
}

/// A message there and back, one after the other.
async fn echo(mut wire: TcpStream, size: u64, rows: &[(&str, f64)]) -> Result<Vec<Measure>> {
    wire.write_u8(ECHO).await?;
    let mut message = [7; MESSAGE_BYTES];
    let mut times = Vec::new();
    for round in 0..size + size / 10 {
        let begun = now();
        wire.write_all(&message).await?;
        wire.read_exact(&mut message).await?;
        if round >= size / 10 {
            times.push(micros(begun.elapsed()));
        }
    }
    let measures = rows.iter().filter_map(|(row, p)| Some(Measure::new(row, percentile(&times, *p)?, "us")));
    Ok(measures.collect())
}

/// `size` MiB one way, then one byte back.
async fn bulk(mut wire: TcpStream, size: u64, row: &str) -> Result<Vec<Measure>> {
    let piece = vec![b'x'; MIB];
    wire.write_u8(SINK).await?;
    wire.write_u64(size * MIB as u64).await?;
    let begun = now();
    for _ in 0..size {
        wire.write_all(&piece).await?;
    }
    wire.read_u8().await?;
    let rate = (size * MIB as u64) as f64 / begun.elapsed().as_secs_f64() / 1.0e9;
    Ok(vec![Measure::new(row, rate, "GB/s")])
}

/// The other process: echoes or swallows, as the first byte asks. Ends when it is killed.
pub(crate) fn peer(address: &str) -> Result<()> {
    Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("ready");
        loop {
            let (mut wire, _) = listener.accept().await?;
            wire.set_nodelay(true)?;
            tokio::spawn(async move {
                // A driver that has what it wanted hangs up.
                let _ = serve(&mut wire).await;
            });
        }
    })
}

async fn serve(wire: &mut TcpStream) -> Result<()> {
    if wire.read_u8().await? == ECHO {
        let mut message = [0; MESSAGE_BYTES];
        loop {
            wire.read_exact(&mut message).await?;
            wire.write_all(&message).await?;
        }
    }
    let mut left = wire.read_u64().await?;
    let mut buffer = vec![0; READ_BYTES];
    while left > 0 {
        match wire.read(&mut buffer).await? {
            0 => bail!("the driver hung up in the middle"),
            some => left = left.saturating_sub(some as u64),
        }
    }
    Ok(wire.write_u8(1).await?)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1.0e6
}

const KNOWN: [&str; 4] = ["round_trip", "rpc_call", "binaries_1m", "binaries_64m"];
const ECHO: u8 = b'e';
const SINK: u8 = b's';
const MESSAGE_BYTES: usize = 60;
const MIB: usize = 1024 * 1024;
const READ_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{PROGRAMS, Target};

    #[test]
    fn every_target_in_times_of_the_limit_has_a_limit_to_be_measured() {
        for program in PROGRAMS {
            for row in program.rows.iter().filter(|row| matches!(row.target, Target::TimesLimit(_))) {
                assert!(KNOWN.contains(&program.name), "{}", row.name);
            }
        }
    }
}
