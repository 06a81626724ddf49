//! The performance: takes the story step by step, does what each orders, and looks until it has come true.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::report::{Command, Report};
use super::stage::{Event, Stage, What};
use super::story::{Order, Progress, Step, VICTIM};
use super::view::picture;
use super::world::{Life, World};
use crate::epmd::client::names_of;
use crate::limits::{
    EPMD_TIMEOUT, MUTTERED_LINES_MAX, REDRAWS_PER_SECOND_MAX, SCENE_PAUSE, STAGE_CLOSE_TIMEOUT,
};
use crate::terminal::{Terminal, keys};

/// Who watches.
pub(super) enum Audience {
    /// Somebody who reads lines, later perhaps.
    Lines,
    /// Somebody at a terminal.
    Live { terminal: Terminal, keys: mpsc::Receiver<u8> },
}

impl Audience {
    pub(super) fn live() -> std::io::Result<Audience> {
        Ok(Audience::Live { terminal: Terminal::take()?, keys: keys() })
    }
}

/// How it ended. The lines are what a terminal showed and has forgotten.
pub(super) enum End {
    Good { lines: Vec<String> },
    Failed { lines: Vec<String>, step: &'static str, why: String, muttered: Vec<String> },
    Interrupted,
}

/// One performance.
pub(super) struct Play {
    stage: Stage,
    events: mpsc::Receiver<Event>,
    audience: Audience,
    epmd_port: u16,
    guest: bool,
    began: Instant,
    world: World,
    told: Vec<String>,
    muttered: VecDeque<String>,
    ticks: Interval,
    interrupt: Signal,
    terminate: Signal,
}

/// Why a step ends before it came true.
enum Stop {
    Failed { step: Step, why: String },
    Interrupted,
}

impl Play {
    pub(super) fn new(
        stage: Stage,
        events: mpsc::Receiver<Event>,
        audience: Audience,
        epmd_port: u16,
        guest: bool,
    ) -> std::io::Result<Play> {
        let mut ticks = interval(Duration::from_millis(1000 / REDRAWS_PER_SECOND_MAX));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Play {
            stage,
            events,
            audience,
            epmd_port,
            guest,
            began: clock(),
            world: World::default(),
            told: Vec::new(),
            muttered: VecDeque::new(),
            ticks,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The whole story; at a terminal it goes on until somebody ends it.
    pub(super) async fn perform(&mut self) -> End {
        self.tell("", &format!("EPMD listens on port {}, private to this run", self.epmd_port));
        if !self.guest {
            self.tell("", "no erl takes part: joe stays at home");
        }
        let outcome = self.story().await;
        let lines = match self.audience {
            Audience::Lines => Vec::new(),
            Audience::Live { .. } => self.told.clone(),
        };
        match outcome {
            Ok(()) => End::Good { lines },
            Err(Stop::Interrupted) => End::Interrupted,
            Err(Stop::Failed { step, why }) => {
                End::Failed { lines, step: step.name(), why, muttered: self.muttered.drain(..).collect() }
            }
        }
    }

    async fn story(&mut self) -> Result<(), Stop> {
        let live = matches!(self.audience, Audience::Live { .. });
        for step in Step::story(self.guest) {
            if live && step == Step::Leave {
                self.encore().await?;
            }
            self.step(step).await?;
            if live {
                self.pause(SCENE_PAUSE).await?;
            }
        }
        Ok(())
    }

    /// The story is over and the cluster lives on, until `q` or Ctrl-C; the death can be had again.
    async fn encore(&mut self) -> Result<(), Stop> {
        self.tell("", "the story is told; the cluster goes on");
        loop {
            match self.wait(None).await {
                Ok(Some(b'q')) | Err(Stop::Interrupted) => return Ok(()),
                Ok(Some(b'k')) if self.is_up(VICTIM) => {
                    self.step(Step::Watch).await?;
                    self.step(Step::Kill).await?;
                }
                Ok(Some(b'r')) if !self.is_up(VICTIM) => self.step(Step::Return).await?,
                Ok(_) => {}
                Err(failed) => return Err(failed),
            }
        }
    }

    async fn pause(&mut self, wait: Duration) -> Result<(), Stop> {
        let until = self.now() + wait;
        while self.now() < until {
            if self.wait(None).await? == Some(b'q') {
                return Err(Stop::Interrupted);
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), Stop> {
        self.tell(step.name(), step.announcement());
        let (began, mut true_since) = (self.now(), None);
        for order in step.orders(&self.world) {
            self.obey(step, order).await?;
        }
        loop {
            let now = self.now();
            match step.look(&self.world) {
                Progress::Broken(why) => return self.fail(step, why),
                Progress::Waiting(why) if now > began + step.limit() => {
                    return self.fail(step, format!("{why}, after {} s", step.limit().as_secs()));
                }
                Progress::Waiting(_) => true_since = None,
                Progress::True if now >= *true_since.get_or_insert(now) + step.settle() => break,
                Progress::True => {}
            }
            if self.wait(Some(step)).await? == Some(b'q') {
                return Err(Stop::Interrupted);
            }
        }
        for line in step.verdict(&self.world) {
            self.tell("ok", &line);
        }
        Ok(())
    }

    fn fail(&mut self, step: Step, why: String) -> Result<(), Stop> {
        self.tell("FAIL", &why);
        Err(Stop::Failed { step, why })
    }

    async fn obey(&mut self, step: Step, order: Order) -> Result<(), Stop> {
        match order {
            Order::Start(who) => {
                self.world.started(who);
                if let Err(error) = self.stage.start(who) {
                    return self.fail(step, format!("{who} cannot be started: {error}"));
                }
            }
            Order::Tell(who, command) => self.stage.tell(who, &command).await,
            Order::Kill(who) => {
                self.world.killed(who, self.began.elapsed());
                self.stage.kill(who);
            }
        }
        Ok(())
    }

    /// Waits for the next thing that happens, a tenth of a second at most; gives the key that was pressed.
    async fn wait(&mut self, step: Option<Step>) -> Result<Option<u8>, Stop> {
        let key = async {
            match &mut self.audience {
                Audience::Live { keys, .. } => keys.recv().await,
                Audience::Lines => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => return Err(Stop::Interrupted),
            _ = self.terminate.recv() => return Err(Stop::Interrupted),
            _ = self.ticks.tick() => {}
            key = key => return Ok(key),
            Some(event) = self.events.recv() => return self.on(step, event).await.map(|()| None),
        }
        if step.is_some_and(Step::asks_epmd) {
            let place = SocketAddr::from((Ipv4Addr::LOCALHOST, self.epmd_port));
            if let Ok(listing) = names_of(place, EPMD_TIMEOUT).await {
                self.world.registered = listing.nodes().into_iter().map(|node| node.name).collect();
            }
        }
        self.draw();
        Ok(None)
    }

    async fn on(&mut self, step: Option<Step>, event: Event) -> Result<(), Stop> {
        let (now, who) = (self.now(), event.who);
        if !self.stage.is_of_now(&event) {
            return Ok(());
        }
        match event.what {
            What::Said(report) => {
                let is_ready = matches!(report, Report::Ready { .. });
                if let Report::Note(text) = &report {
                    self.mutter(format!("{who}: {text}"));
                }
                self.world.heard(who, now, report);
                let orders = step.filter(|_| is_ready).map(|step| (step, step.orders_once_up(who)));
                for (step, order) in
                    orders.into_iter().flat_map(|(step, all)| all.into_iter().map(move |one| (step, one)))
                {
                    self.obey(step, order).await?;
                }
            }
            What::Muttered(text) => self.mutter(format!("{who}: {text}")),
            What::Ended { well } => self.world.ended(who, well),
        }
        Ok(())
    }

    /// Ends everybody: kindly, then not.
    pub(super) async fn close(&mut self) {
        let here: Vec<String> = self.present();
        for who in &here {
            self.stage.tell(who, &Command::Quit).await;
        }
        let all_gone = async {
            while !self.present().is_empty() {
                let Some(event) = self.events.recv().await else { return };
                if let (true, What::Ended { well }) = (self.stage.is_of_now(&event), &event.what) {
                    self.world.ended(event.who, *well);
                }
            }
        };
        if timeout(STAGE_CLOSE_TIMEOUT, all_gone).await.is_err() {
            self.present().iter().for_each(|who| self.stage.kill(who));
        }
    }

    fn present(&self) -> Vec<String> {
        let here =
            self.world.members().filter(|(_, member)| matches!(member.life, Life::Starting | Life::Up));
        here.map(|(who, _)| who.to_owned()).collect()
    }

    fn is_up(&self, who: &str) -> bool {
        self.world.member(who).is_some_and(|member| member.life == Life::Up)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn tell(&mut self, mark: &str, text: &str) {
        let line = format!("{:8.3} s  {mark:12}  {text}", self.now().as_secs_f64());
        if matches!(self.audience, Audience::Lines) {
            println!("{line}");
        }
        self.told.push(line);
        self.draw();
    }

    fn mutter(&mut self, line: String) {
        if self.muttered.len() == MUTTERED_LINES_MAX {
            self.muttered.pop_front();
        }
        self.muttered.push_back(line);
    }

    fn draw(&self) {
        if let Audience::Live { terminal, .. } = &self.audience {
            let keys = "q quits   k kills daryl, r brings him back (once the story is told)";
            // A terminal that has gone away ends us by a signal, not by this.
            let _ = terminal.draw(&picture(&self.world, self.now(), self.epmd_port, &self.told, keys));
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the story is told with times, and this is where they begin")]
fn clock() -> Instant {
    Instant::now()
}
