//! A scripted actor, a log of what happened, and systems with real or paused time.

pub use crate::extras::*;
use actix::prelude::*;
use plimsoll::supervision::machine::{AdminError, AdminOutcome};
use plimsoll::supervision::*;
use std::collections::{BTreeMap, VecDeque};
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
    /// `started` calls `ctx.stop()`.
    StopInStarted,
}

#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<VecDeque<Start>>>);

impl Script {
    pub fn then(&self, starts: impl IntoIterator<Item = Start>) {
        self.0.lock().unwrap().extend(starts);
    }
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
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
    /// `stopping` panics.
    PanicInStopping,
    /// `stopping` answers that it would rather go on.
    Veto,
}

/// An actor that does what it is told.
pub struct Probe {
    pub name: String,
    pub log: Log,
    on_stop: OnStop,
    slow: Option<Duration>,
    panics: bool,
    stops: bool,
    pub seen: u64,
    /// Panics when dropped, for guarded disposal.
    pub bomb: Option<Bomb>,
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
        if self.stops {
            ctx.stop();
        }
    }
    fn stopping(&mut self, _: &mut Self::Context) -> Running {
        match self.on_stop {
            OnStop::PanicInStopping => panic!("in stopping"),
            OnStop::Veto => Running::Continue,
            OnStop::Obey | OnStop::Panic => Running::Stop,
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
        let (mut slow, mut panics, mut stops) = (None, false, false);
        match next.next() {
            Start::Ok => {}
            Start::Ignore => return Err(StartFailure::Ignore),
            Start::Fail => return Err(StartFailure::Failed("scripted".into())),
            Start::PanicInFactory => panic!("in factory"),
            Start::PanicInStarted => panics = true,
            Start::Slow(time) => slow = Some(time),
            Start::StopInStarted => stops = true,
        }
        let (name, log) = (label.clone(), log.clone());
        Ok(Probe { name, log, on_stop, slow, panics, stops, seen: 0, bomb: None })
    });
    Declared { handle, script, cell }
}

/// A cast of probes by name, whose log, handles and scripts outlive their declaration.
#[derive(Default)]
pub struct Cast {
    pub log: Log,
    parts: BTreeMap<String, (Handle<Probe>, Script)>,
}

impl Cast {
    pub fn cell(&mut self, name: &str, spec: ChildSpec) -> Cell<Probe> {
        self.scripted(name, spec, [])
    }

    pub fn scripted<const N: usize>(
        &mut self,
        name: &str,
        spec: ChildSpec,
        starts: [Start; N],
    ) -> Cell<Probe> {
        let declared = probe(name, &self.log, spec);
        declared.script.then(starts);
        self.parts.insert(name.to_owned(), (declared.handle, declared.script));
        declared.cell
    }

    pub fn handle(&self, name: &str) -> &Handle<Probe> {
        &self.parts[name].0
    }

    pub fn script(&self, name: &str) -> &Script {
        &self.parts[name].1
    }

    /// Panics with the message in hand; the restart, if any at once, is done when this returns.
    pub async fn crash(&self, name: &str) {
        assert_eq!(self.handle(name).ask(Panic, ASK).await, Err(AskError::Lost), "{name} was to panic");
        settle().await;
    }

    /// Stops by itself.
    pub async fn leave(&self, name: &str) {
        assert_eq!(self.handle(name).ask(Stop, ASK).await, Ok(()), "{name} was to stop");
        settle().await;
    }

    pub async fn answers(&self, name: &str) -> bool {
        self.handle(name).ask(Epoch, ASK).await.is_ok()
    }
}

/// Starts a tree under a paused clock and waits until it is up.
pub async fn up(decl: SupervisorDecl) -> Tree {
    let tree = Tree::start(decl, manual()).unwrap();
    tree.up().await.unwrap();
    tree
}

/// `name:state` of each child of the root, in start order; what is gone is not in it.
pub async fn children(tree: &Tree) -> String {
    let (children, _) = tree.children("root").await.unwrap();
    let each: Vec<String> = children.iter().map(|c| format!("{}:{:?}", c.name, c.state)).collect();
    each.join(" ")
}

/// Specs, active, restarting.
pub async fn counts(tree: &Tree) -> (usize, usize, usize) {
    let (_, counts) = tree.children("root").await.unwrap();
    (counts.specs, counts.active, counts.restarting)
}

pub fn is_up(outcome: &Result<AdminOutcome, AdminError>) -> bool {
    matches!(outcome, Ok(AdminOutcome::Up(_)))
}

pub fn is_ignored(outcome: &Result<AdminOutcome, AdminError>) -> bool {
    matches!(outcome, Ok(AdminOutcome::Ignored(_)))
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// `spec()` with another restart kind.
pub fn with(restart: Restart) -> ChildSpec {
    ChildSpec { restart, ..spec() }
}

/// `spec()` that waits this long, exactly, before each restart.
pub fn delayed(delay: Duration) -> ChildSpec {
    let backoff = Backoff { base: delay, cap: delay, reset_after: seconds(3600), jitter: Jitter::None };
    ChildSpec { backoff, ..spec() }
}

pub const CLEAN: Ended = Ended::Shutdown { forced: false };
pub const GRACE: Duration = Duration::from_secs(30);

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

/// Waits, in real time and at most ten seconds, until `what` holds.
pub async fn until(what: impl Fn() -> bool) {
    let waited = tokio::time::timeout(seconds(10), async {
        while !what() {
            tokio::time::sleep(millis(1)).await;
        }
    });
    waited.await.expect("the awaited state did not come within ten seconds");
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
