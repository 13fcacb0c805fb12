//! Declaring, starting, watching and ending a supervision tree.

use super::cell::{AnyCell, Cell};
use super::clock::{CoarseClock, TreeClock};
use super::context::Ctx;
use super::control::{AdminReply, Control};
use super::deadline::Deadlines;
use super::decl::SupervisorDecl;
use super::machine::{AdminError, AdminOutcome, AdminRequest, ChildCounts, ChildId, ChildStatus, Origin};
use super::overrides::{ChildOverride, OverrideError};
use super::panics;
pub use super::pulse::Fault;
use super::runtime::Runtime;
use super::snapshot::{Cards, Node};
use super::spec::SpecError;
use super::tasks::Tasks;
use super::watchdog::Watchdog;
use actix::Actor;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

/// Why a tree was not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A declaration contradicts itself.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An override cannot be applied.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// A thread could not be made.
    #[error("a thread could not be made: {0}")]
    Thread(String),
}

/// How watchdog and clock run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// A thread of its own, at this tick.
    Thread {
        /// Time between two looks.
        tick: Duration,
    },
    /// None: the test calls [`Tree::scan`], and background tasks run on the caller's thread.
    Manual,
}

/// Why the process must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emergency {
    /// The root's intensity was exceeded.
    Meltdown(String),
    /// A child that may not be replaced hung.
    ChildHung(String),
    /// The control loop gives no sign of life.
    ControlHung(Duration),
    /// The control loop panicked.
    ControlPanicked(String),
    /// More stuck threads were given up than is tolerated.
    TooManyAbandonedThreads(usize),
}

impl fmt::Display for Emergency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meltdown(why) => write!(f, "meltdown: {why}"),
            Self::ChildHung(why) => write!(f, "a child that may not be replaced hung: {why}"),
            Self::ControlHung(silent) => write!(f, "the control loop has been silent for {silent:?}"),
            Self::ControlPanicked(why) => write!(f, "the control loop panicked: {why}"),
            Self::TooManyAbandonedThreads(n) => write!(f, "{n} stuck threads were given up"),
        }
    }
}

/// Runs at once in an emergency, before anything is stopped: latch, then whatever must be told.
/// After [`Emergency::ControlHung`] it runs on the watchdog's thread and should end the process.
pub type EmergencyHandler = Arc<dyn Fn(&Emergency) + Send + Sync>;

/// How a tree is run.
#[derive(Clone)]
pub struct TreeOptions {
    /// Watchdog thread or test.
    pub watching: Watching,
    /// Longest silence of the control loop.
    pub control_hang: Duration,
    /// Stuck threads that may be given up before that is an emergency.
    pub abandoned_threads_max: usize,
    /// Background tasks that may run at once.
    pub background_tasks_max: usize,
    /// Feeds the jitter of every backoff.
    pub jitter_seed: u64,
    /// What operators set, by path below the root.
    pub overrides: BTreeMap<String, ChildOverride>,
    /// See [`EmergencyHandler`].
    pub on_emergency: EmergencyHandler,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self {
            watching: Watching::Thread { tick: Duration::from_millis(10) },
            control_hang: Duration::from_secs(5),
            abandoned_threads_max: 3,
            background_tasks_max: 256,
            jitter_seed: fastrand::u64(..),
            overrides: BTreeMap::new(),
            on_emergency: Arc::new(|_| {}),
        }
    }
}

/// How a tree ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// As asked, or because its significant children had ended. `forced` when time ran out.
    Shutdown {
        /// Something had to be fenced or aborted because the grace was over.
        forced: bool,
    },
    /// A child failed its first start.
    StartFailed(String),
    /// An emergency; the handler has run.
    Emergency(Emergency),
}

/// Where the tree stands, for those who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    Starting,
    Up,
    Ending,
    Ended(Ended),
}

/// What the control loop shares with everybody else.
pub(super) struct Shared {
    pub(super) clock: TreeClock,
    pub(super) coarse: CoarseClock,
    /// Absent under a paused clock.
    pub(super) deadlines: Option<Arc<Deadlines>>,
    pub(super) cards: Arc<Cards>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) watchdog: Arc<Watchdog>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) options: TreeOptions,
}

/// A running tree. Clones name the same tree; dropping them does not end it.
#[derive(Clone)]
pub struct Tree {
    shared: Arc<Shared>,
    control: UnboundedSender<Control>,
}

impl Tree {
    /// Builds and starts the tree on the current actix system; the control loop runs on this thread.
    ///
    /// # Errors
    /// [`BuildError`]; nothing was started.
    pub fn start(root: SupervisorDecl, options: TreeOptions) -> Result<Self, BuildError> {
        panics::install_hook();
        let (control, events) = unbounded_channel();
        let clock = TreeClock::start();
        let coarse = CoarseClock::default();
        let cards = Arc::new(Cards::default());
        let tasks = Tasks::new(&root.name, options.background_tasks_max, Arc::clone(&cards), clock);
        let handler = Arc::clone(&options.on_emergency);
        let on_control_hang = Box::new(move |silent| {
            let emergency = Emergency::ControlHung(silent);
            tracing::error!(event = "emergency", emergency = %emergency, "running the emergency handler");
            handler(&emergency);
        });
        let deadlines = (options.watching != Watching::Manual).then(Deadlines::new);
        let watchdog = Watchdog::new(
            control.clone(),
            options.control_hang,
            coarse.clone(),
            deadlines.clone(),
            on_control_hang,
        );
        let (progress, _) = watch::channel(Progress::Starting);
        let watching = options.watching;
        let shared = Arc::new(Shared { clock, coarse, deadlines, cards, tasks, watchdog, progress, options });
        let runtime = Runtime::build(root, Arc::clone(&shared), control.clone(), events)?;
        if let Watching::Thread { tick } = watching {
            let thread = |error: std::io::Error| BuildError::Thread(error.to_string());
            shared.tasks.use_thread().map_err(thread)?;
            shared.watchdog.spawn(tick, move || clock.now()).map_err(thread)?;
        }
        actix_rt::spawn(runtime.run());
        Ok(Self { shared, control })
    }

    /// Waits until every child was started, or the tree has ended.
    ///
    /// # Errors
    /// How it ended.
    pub async fn up(&self) -> Result<(), Ended> {
        let mut progress = self.shared.progress.subscribe();
        let reached = progress.wait_for(|p| matches!(p, Progress::Up | Progress::Ended(_))).await;
        match reached.as_deref() {
            Ok(Progress::Ended(ended)) => Err(ended.clone()),
            _ => Ok(()),
        }
    }

    /// Waits until the tree has ended.
    pub async fn ended(&self) -> Ended {
        let mut progress = self.shared.progress.subscribe();
        match progress.wait_for(|p| matches!(p, Progress::Ended(_))).await.as_deref() {
            Ok(Progress::Ended(ended)) => ended.clone(),
            // The sender lives in `shared`, which we hold.
            _ => Ended::Shutdown { forced: true },
        }
    }

    /// Ends the tree: children in reverse start order, each within its time, all within `grace`.
    /// What exceeds the grace is logged by path, metadata and state, then fenced.
    pub async fn shutdown(&self, grace: Duration) -> Ended {
        let _ = self.control.send(Control::Shutdown);
        match tokio::time::timeout(grace, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => {
                let _ = self.control.send(Control::Kill);
                self.ended().await
            }
        }
    }

    /// Every node, in start order, tasks last. Never waits for an actor or for the control loop.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Node> {
        self.shared.cards.nodes(&self.shared.clock)
    }

    /// Whether all children were started and the tree is not ending.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self.shared.progress.borrow() == Progress::Up
    }

    /// Background tasks.
    #[must_use]
    pub fn tasks(&self) -> &Arc<Tasks> {
        &self.shared.tasks
    }

    /// Adds a child to the supervisor at `path` and waits until it is up.
    ///
    /// # Errors
    /// [`AdminError`]; a child that did not come up is not kept.
    pub async fn start_child<A>(&self, path: &str, cell: Cell<A>) -> Result<AdminOutcome, AdminError>
    where
        A: Actor<Context = Ctx<A>>,
    {
        self.add(path, cell.erase(), Origin::Added).await
    }

    /// As [`Tree::start_child`], for one of many of a kind (OTP's simple_one_for_one): forgotten when it
    /// has ended for good. Names must be unique; number them.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn start_instance<A>(&self, path: &str, cell: Cell<A>) -> Result<AdminOutcome, AdminError>
    where
        A: Actor<Context = Ctx<A>>,
    {
        self.add(path, cell.erase(), Origin::Instance).await
    }

    async fn add(&self, path: &str, cell: AnyCell, origin: Origin) -> Result<AdminOutcome, AdminError> {
        let supervisor = path.to_owned();
        self.request(|reply| Control::StartChild { supervisor, cell, origin, reply }).await
    }

    /// Stops the child at `path`; its mailbox refuses mail until it is restarted.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn terminate_child(&self, path: &str) -> Result<AdminOutcome, AdminError> {
        self.admin(path, AdminRequest::TerminateChild).await
    }

    /// Starts the stopped child at `path` again.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn restart_child(&self, path: &str) -> Result<AdminOutcome, AdminError> {
        self.admin(path, AdminRequest::RestartChild).await
    }

    /// Forgets the stopped child at `path`.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn delete_child(&self, path: &str) -> Result<AdminOutcome, AdminError> {
        self.admin(path, AdminRequest::DeleteChild).await
    }

    /// The children of the supervisor at `path`, in start order, and their counts.
    pub async fn children(&self, path: &str) -> Option<(Vec<ChildStatus>, ChildCounts)> {
        let (reply, answer) = oneshot::channel();
        let _ = self.control.send(Control::Children { supervisor: path.to_owned(), reply });
        answer.await.ok().flatten()
    }

    /// Makes the actor at `path` fail on purpose; false when none lives there.
    pub async fn inject(&self, path: &str, fault: Fault) -> bool {
        let (reply, answer) = oneshot::channel();
        let _ = self.control.send(Control::Inject { path: path.to_owned(), fault, reply });
        answer.await.unwrap_or(false)
    }

    async fn admin(
        &self,
        path: &str,
        request: fn(ChildId) -> AdminRequest,
    ) -> Result<AdminOutcome, AdminError> {
        let path = path.to_owned();
        self.request(|reply| Control::Admin { path, request, reply }).await
    }

    async fn request(&self, make: impl FnOnce(AdminReply) -> Control) -> Result<AdminOutcome, AdminError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.control.send(make(reply));
        answer.await.unwrap_or(Err(AdminError::NotRunning))
    }

    /// One look of the watchdog, for trees under [`Watching::Manual`].
    pub fn scan(&self) {
        self.shared.watchdog.scan(self.shared.clock.now());
    }

    #[cfg(test)]
    pub(super) fn control(&self) -> &UnboundedSender<Control> {
        &self.control
    }
}
