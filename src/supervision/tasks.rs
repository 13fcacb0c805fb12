//! Ad-hoc supervised background tasks: named, described, bounded in number, gone when they end.
//!
//! A task that panics is logged and counted, never restarted. At shutdown each is asked to stop through
//! its token; what exceeds its time is logged by name, metadata and state, then aborted.

use super::clock::TreeClock;
use super::panics;
use super::snapshot::{Cards, NodeCard, NodeState};
use actix_rt::Arbiter;
use futures_util::future::{AbortHandle, Abortable};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Why a task was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// As many run as may.
    #[error("{name}: {max} background tasks run already")]
    TooMany {
        /// The task refused.
        name: String,
        /// The limit.
        max: usize,
    },
    /// The tree is ending.
    #[error("{name}: the tree is shutting down")]
    Closed {
        /// The task refused.
        name: String,
    },
}

/// A task to be started.
#[derive(Debug, Clone)]
pub struct TaskSpec {
    /// Its name; the snapshot adds a number.
    pub name: String,
    /// Free facts for the snapshot and the shutdown log.
    pub metadata: BTreeMap<String, String>,
    /// How long it may take to end when asked.
    pub shutdown: Duration,
}

struct Running {
    card: Arc<NodeCard>,
    token: CancellationToken,
    abort: AbortHandle,
    shutdown: Duration,
}

struct Book {
    next: u64,
    open: bool,
    running: BTreeMap<u64, Running>,
}

/// See the module's head.
pub struct Tasks {
    book: Mutex<Book>,
    max: usize,
    arbiter: Mutex<Option<Arbiter>>,
    prefix: String,
    cards: Arc<Cards>,
    clock: TreeClock,
    panicked: AtomicU64,
    ended: Notify,
}

impl Tasks {
    pub(super) fn new(root: &str, max: usize, cards: Arc<Cards>, clock: TreeClock) -> Arc<Self> {
        Arc::new(Self {
            book: Mutex::new(Book { next: 1, open: true, running: BTreeMap::new() }),
            max,
            arbiter: Mutex::new(None),
            prefix: format!("{root}/tasks"),
            cards,
            clock,
            panicked: AtomicU64::new(0),
            ended: Notify::new(),
        })
    }

    /// Gives the tasks their thread. Without it (under a paused clock) they run on the caller's.
    pub(super) fn use_thread(&self) -> std::io::Result<()> {
        *self.arbiter.lock() = Some(Arbiter::try_new()?);
        Ok(())
    }

    /// Starts a task; it should end soon after the token it is given is cancelled.
    ///
    /// # Errors
    /// [`TaskError`] when too many run or the tree is ending.
    pub fn spawn<F, Fut>(self: &Arc<Self>, spec: TaskSpec, body: F) -> Result<(), TaskError>
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let token = CancellationToken::new();
        let (abort, registration) = AbortHandle::new_pair();
        let id = self.enrol(&spec, token.clone(), abort)?;
        let guard = Enrolled { tasks: Arc::clone(self), id };
        let future = Supervised { inner: Box::pin(body(token)), name: spec.name, _guard: guard };
        let future = async move {
            // An abort is the shutdown's doing, and logged there.
            let _ = Abortable::new(future, registration).await;
        };
        match self.arbiter.lock().as_ref() {
            Some(arbiter) => {
                // False when the arbiter has stopped; the dropped future strikes its own record.
                arbiter.spawn(future);
            }
            None => {
                actix_rt::spawn(future);
            }
        }
        Ok(())
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.book.lock().running.len()
    }

    /// How many have panicked since the tree was built.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed)
    }

    fn enrol(&self, spec: &TaskSpec, token: CancellationToken, abort: AbortHandle) -> Result<u64, TaskError> {
        let mut book = self.book.lock();
        if !book.open {
            return Err(TaskError::Closed { name: spec.name.clone() });
        }
        if book.running.len() >= self.max {
            return Err(TaskError::TooMany { name: spec.name.clone(), max: self.max });
        }
        let id = book.next;
        book.next += 1;
        let path = format!("{}/{}#{id}", self.prefix, spec.name);
        let card = NodeCard::task(path, spec.metadata.clone(), spec.shutdown, self.clock.now());
        self.cards.add(Arc::clone(&card));
        book.running.insert(id, Running { card, token, abort, shutdown: spec.shutdown });
        Ok(id)
    }

    fn strike(&self, id: u64) {
        let struck = self.book.lock().running.remove(&id);
        if let Some(running) = struck {
            self.cards.remove(&running.card);
            self.ended.notify_waiters();
        }
    }

    /// Asks every task to end; later ones are refused.
    pub(super) fn cancel_all(&self) {
        let mut book = self.book.lock();
        book.open = false;
        for running in book.running.values() {
            running.card.moved(NodeState::Stopping, self.clock.now());
            running.token.cancel();
        }
    }

    /// The longest time that any running task may take to end.
    pub(super) fn longest_shutdown(&self) -> Duration {
        self.book.lock().running.values().map(|running| running.shutdown).max().unwrap_or_default()
    }

    /// Waits until no task runs.
    pub(super) async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.running() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Names and aborts what still runs, and ends the thread.
    pub(super) fn abort_rest(&self) {
        let rest = std::mem::take(&mut self.book.lock().running);
        for running in rest.into_values() {
            let card = &running.card;
            tracing::warn!(
                task.path = card.path(),
                task.metadata = ?card.metadata(),
                task.state = ?card.state(),
                task.age_seconds = card.node(self.clock.now()).age_seconds,
                "a background task did not end in time and was aborted"
            );
            self.cards.remove(card);
            running.abort.abort();
        }
        if let Some(arbiter) = self.arbiter.lock().take() {
            arbiter.stop();
        }
    }
}

/// Strikes the task from the book however it ends.
struct Enrolled {
    tasks: Arc<Tasks>,
    id: u64,
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.tasks.strike(self.id);
    }
}

/// The task's future under a guard.
struct Supervised<Fut> {
    inner: Pin<Box<Fut>>,
    name: String,
    _guard: Enrolled,
}

impl<Fut: Future<Output = ()>> Future for Supervised<Fut> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match panics::guarded(|| self.inner.as_mut().poll(cx)) {
            Ok(poll) => poll,
            Err(payload) => {
                let report = panics::report(payload, "task");
                self._guard.tasks.panicked.fetch_add(1, Ordering::Relaxed);
                tracing::error!(task.name = self.name, task.failure = %report, "a background task panicked");
                Poll::Ready(())
            }
        }
    }
}
