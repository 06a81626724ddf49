//! The verb `top`: a live table of the processes of a node, BEAM or ours.

mod look;
mod picture;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use look::Looker;
use picture::{Order, as_json, picture};

use crate::call::seconds;
use crate::identity::Identity;
use crate::terminal::{Terminal, keys};
use crate::visit::{Trouble, Visit};

/// Watch the processes of a node: message queues, memory, reductions, what they are doing
///
/// Needs nothing on the node and leaves nothing there. One call per interval does a bounded amount of work: it examines at
/// most 5,500 processes, the 500 leaders so far and the next 5,000 on the way through all of them.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline top bill@localhost
  trunkline top bill@localhost -sort queue -interval 5
  trunkline top bill@localhost -once -rows 10
  trunkline top bill@localhost -once -json

Keys: r, m, l, n and p sort by reductions, memory, length of the message queue, name and pid; q quits.

Memory and reductions are a BEAM's; a node of ours counts messages received and sent as reductions.

Exit code: 0 when it was done, 1 when the node could not do it, 2 for a mistake in the command line, 3 when there is no \
connection, or no more; `trunkline doctor` says why.")]
pub(crate) struct Top {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// What the first rows have most of
    #[arg(long, value_enum, default_value = "reductions", value_name = "KEY")]
    sort: Order,
    /// How long from one look to the next
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    interval: Duration,
    /// Print one table and end; all processes are examined
    #[arg(long)]
    once: bool,
    /// How many processes to print; 500 at most where there are more than 5,000
    #[arg(long, value_name = "ROWS", default_value_t = 40)]
    rows: usize,
    /// For machines: one object a look, each on a line of its own
    #[arg(long)]
    json: bool,
}

impl Top {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        Ok(match self.watch().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(trouble) => trouble.tell(),
        })
    }

    async fn watch(&self) -> Result<(), Trouble> {
        let visit = Visit::to(&self.node, &self.identity, "top").await?;
        let looking = async {
            let mut looker = Looker::begin(&visit).await?;
            match self.once {
                true => self.once(&mut looker).await,
                false if self.json || !Terminal::is_there() => self.lines(&mut looker).await,
                false => self.live(&mut looker).await,
            }
        };
        let outcome = looking.await;
        visit.end().await;
        outcome
    }

    /// Looks until every process has been examined.
    async fn once(&self, looker: &mut Looker<'_>) -> Result<(), Trouble> {
        loop {
            looker.look(self.sort).await?;
            if looker.seen_all() {
                break;
            }
        }
        looker.learn_names(self.sort, self.rows).await?;
        self.print(looker);
        Ok(())
    }

    /// A table for each look, for whoever reads lines. Ends when nobody does.
    async fn lines(&self, looker: &mut Looker<'_>) -> Result<(), Trouble> {
        let mut ticks = self.ticks();
        loop {
            ticks.tick().await;
            looker.look(self.sort).await?;
            looker.learn_names(self.sort, self.rows).await?;
            if !self.print(looker) {
                return Ok(());
            }
        }
    }

    /// Whether somebody reads it.
    fn print(&self, looker: &Looker<'_>) -> bool {
        let scene = looker.scene();
        let mut text = match self.json {
            true => as_json(&scene, self.sort, self.rows).to_string(),
            false => picture(&scene, self.sort, self.rows, "").join("\n"),
        };
        text.push_str(if self.json || self.once { "\n" } else { "\n\n" });
        io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).is_ok()
    }

    async fn live(&self, looker: &mut Looker<'_>) -> Result<(), Trouble> {
        let terminal = Terminal::take()
            .map_err(|error| Trouble::failed(format!("cannot take the terminal: {error}")))?;
        let trouble = |error| Trouble::failed(format!("cannot follow the terminal: {error}"));
        let mut events = Events::new(self.sort).map_err(trouble)?;
        let mut ticks = self.ticks();
        loop {
            tokio::select! {
                biased;
                is_over = events.next() => if is_over { return Ok(()) },
                _ = ticks.tick() => {
                    // A node that does not answer must not keep anybody from leaving.
                    let sort = events.sort;
                    let look = async {
                        looker.look(sort).await?;
                        looker.learn_names(sort, self.rows).await
                    };
                    let mut look = std::pin::pin!(look);
                    loop {
                        tokio::select! {
                            biased;
                            is_over = events.next() => if is_over { return Ok(()) },
                            looked = &mut look => break looked?,
                        }
                    }
                }
            }
            let lines = picture(&looker.scene(), events.sort, self.rows, "r m l n p sort, q quits");
            terminal.draw(&lines).map_err(|error| Trouble::failed(format!("cannot draw: {error}")))?;
        }
    }

    fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }
}

/// What happens at the terminal meanwhile: keys, another size, the wish to end.
struct Events {
    keys: mpsc::Receiver<u8>,
    resized: Signal,
    hung_up: Signal,
    terminated: Signal,
    sort: Order,
}

impl Events {
    fn new(sort: Order) -> io::Result<Events> {
        Ok(Events {
            resized: signal(SignalKind::window_change())?,
            hung_up: signal(SignalKind::hangup())?,
            terminated: signal(SignalKind::terminate())?,
            keys: keys(),
            sort,
        })
    }

    /// Waits for what calls for another picture, or for the end of all: that is true.
    async fn next(&mut self) -> bool {
        loop {
            let key = tokio::select! {
                biased;
                key = self.keys.recv() => key,
                _ = self.resized.recv() => return false,
                _ = self.hung_up.recv() => return true,
                _ = self.terminated.recv() => return true,
                _ = tokio::signal::ctrl_c() => return true,
            };
            self.sort = match key {
                None | Some(b'q' | b'Q') => return true,
                Some(b'r') => Order::Reductions,
                Some(b'm') => Order::Memory,
                Some(b'l') => Order::Queue,
                Some(b'n') => Order::Name,
                Some(b'p') => Order::Pid,
                Some(_) => continue,
            };
            return false;
        }
    }
}
