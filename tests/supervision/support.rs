//! A scripted actor, a log of what happened, and systems with real or paused time.

use actix::prelude::*;
use plimsoll::supervision::*;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happened, in order: `a+` started, `a-` stopped.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn push(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
    /// The events since the last call, joined by blanks.
    pub fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// What the next incarnations do when they start; an empty script starts well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Ok,
    Ignore,
    Fail,
    PanicInFactory,
    PanicInStarted,
    /// `started` holds the mailbox for this long.
    Slow(Duration),
}

#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<VecDeque<Start>>>);

impl Script {
    pub fn then(&self, starts: impl IntoIterator<Item = Start>) {
        self.0.lock().unwrap().extend(starts);
    }
    fn next(&self) -> Start {
        self.0.lock().unwrap().pop_front().unwrap_or(Start::Ok)
    }
}

/// How the probe behaves when it is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    Obey,
    /// Its closing hook panics.
    Panic,
}

/// An actor that does what it is told.
pub struct Probe {
    name: String,
    log: Log,
    on_stop: OnStop,
    slow: Option<Duration>,
    panics: bool,
    seen: u64,
    /// Panics when dropped, for guarded disposal.
    bomb: Option<Bomb>,
}

pub struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bomb");
    }
}

impl Actor for Probe {
    type Context = Ctx<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        assert!(!self.panics, "in started");
        self.log.push(format!("{}+", self.name));
        if let Some(slow) = self.slow {
            ctx.wait(tokio::time::sleep(slow).into_actor(self));
        }
    }
    fn stopped(&mut self, _: &mut Self::Context) {
        if self.on_stop == OnStop::Panic {
            panic!("in stopped");
        }
        self.log.push(format!("{}-", self.name));
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
pub struct Count;
#[derive(Message)]
#[rtype(result = "()")]
pub struct Panic;
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;
#[derive(Message)]
#[rtype(result = "()")]
pub struct ArmBomb;
#[derive(Message)]
#[rtype(result = "()")]
pub struct PanicInSpawn;
#[derive(Message)]
#[rtype(result = "()")]
pub struct PanicInWait;
/// Holds the mailbox in `ctx.wait` for ever.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wedge;
/// Blocks the thread.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Block(pub Duration);
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Epoch;

impl Handler<Count> for Probe {
    type Result = u64;
    fn handle(&mut self, _: Count, _: &mut Self::Context) -> u64 {
        self.seen += 1;
        self.seen
    }
}
impl Handler<Panic> for Probe {
    type Result = ();
    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("told to");
    }
}
impl Handler<Stop> for Probe {
    type Result = ();
    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
impl Handler<ArmBomb> for Probe {
    type Result = ();
    fn handle(&mut self, _: ArmBomb, _: &mut Self::Context) {
        self.bomb = Some(Bomb);
    }
}
impl Handler<PanicInSpawn> for Probe {
    type Result = ();
    fn handle(&mut self, _: PanicInSpawn, ctx: &mut Self::Context) {
        ctx.spawn(actix::fut::wrap_future(async { panic!("in spawn") }));
    }
}
impl Handler<PanicInWait> for Probe {
    type Result = ();
    fn handle(&mut self, _: PanicInWait, ctx: &mut Self::Context) {
        ctx.wait(actix::fut::wrap_future(async { panic!("in wait") }));
    }
}
impl Handler<Wedge> for Probe {
    type Result = ();
    fn handle(&mut self, _: Wedge, ctx: &mut Self::Context) {
        ctx.wait(actix::fut::wrap_future(std::future::pending()));
    }
}
impl Handler<Block> for Probe {
    type Result = u64;
    fn handle(&mut self, block: Block, ctx: &mut Self::Context) -> u64 {
        std::thread::sleep(block.0);
        ctx.epoch()
    }
}
impl Handler<Epoch> for Probe {
    type Result = u64;
    fn handle(&mut self, _: Epoch, ctx: &mut Self::Context) -> u64 {
        ctx.epoch()
    }
}

/// The spec most tests want: on the test's own thread, no delay.
pub fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Local,
        backoff: Backoff::NONE,
        shutdown: Shutdown::Graceful(Duration::from_secs(1)),
        start_timeout: Duration::from_secs(1),
        ..ChildSpec::default()
    }
}

/// A declared probe with its handle and script.
pub struct Declared {
    pub handle: Handle<Probe>,
    pub script: Script,
    pub cell: Cell<Probe>,
}

pub fn probe(name: &str, log: &Log, spec: ChildSpec) -> Declared {
    probe_with(name, log, spec, OnStop::Obey)
}

pub fn probe_with(name: &str, log: &Log, spec: ChildSpec, on_stop: OnStop) -> Declared {
    let script = Script::default();
    let (label, log, next) = (name.to_owned(), log.clone(), script.clone());
    let (handle, cell) = cell(name, spec, move |_ctx| {
        let (mut slow, mut panics) = (None, false);
        match next.next() {
            Start::Ok => {}
            Start::Ignore => return Err(StartFailure::Ignore),
            Start::Fail => return Err(StartFailure::Failed("scripted".into())),
            Start::PanicInFactory => panic!("in factory"),
            Start::PanicInStarted => panics = true,
            Start::Slow(time) => slow = Some(time),
        }
        Ok(Probe { name: label.clone(), log: log.clone(), on_stop, slow, panics, seen: 0, bomb: None })
    });
    Declared { handle, script, cell }
}

pub const ASK: Duration = Duration::from_secs(5);

/// Options under a paused clock.
pub fn manual() -> TreeOptions {
    TreeOptions { watching: Watching::Manual, jitter_seed: 7, ..TreeOptions::default() }
}

/// Options with the real watchdog.
pub fn watched() -> TreeOptions {
    TreeOptions { jitter_seed: 7, ..TreeOptions::default() }
}

/// Runs on an actix system whose time stands still but for timers.
pub fn paused<F: Future>(test: F) -> F::Output {
    actix_rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    })
    .block_on(test)
}

/// Runs on an actix system in real time.
pub fn real<F: Future>(test: F) -> F::Output {
    actix_rt::System::new().block_on(test)
}

/// Lets everything that is ready run; under a paused clock this takes no time.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub fn node(tree: &Tree, path: &str) -> Node {
    tree.snapshot().into_iter().find(|n| n.path == path).unwrap_or_else(|| panic!("no node {path}"))
}
