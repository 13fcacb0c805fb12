//! What goes into the machine and what comes out of it.

use crate::supervision::exit::{ExitReason, HangKind};
use crate::supervision::spec::{Backoff, ChildSpec, Intensity, OnHang, Restart, Shutdown, SupervisorSpec};
use std::fmt;
use std::time::Duration;

/// A child of one supervisor: never reused while the supervisor lives; rises in start order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(pub(crate) u64);

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which incarnation of a child; 1 is the first, 0 means never started.
pub type Epoch = u64;

/// Ties an answer to an administrative request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Where a child's declaration comes from, which decides what outlives its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Declared with the tree: comes back whenever the supervisor is started anew.
    Declared,
    /// Added at run time: kept until deleted, lost when the supervisor itself ends.
    Added,
    /// One of many made from a template (OTP's simple_one_for_one): forgotten at its final end.
    Instance,
}

/// What the machine must know about a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildRules {
    /// Unique within the supervisor.
    pub name: String,
    /// See [`Restart`].
    pub restart: Restart,
    /// See [`ChildSpec::significant`].
    pub significant: bool,
    /// Longest start; `None` for supervisors, whose children carry the limits.
    pub start_timeout: Option<Duration>,
    /// How it ends.
    pub shutdown: Shutdown,
    /// What a hang leads to.
    pub on_hang: OnHang,
    /// Delay between restarts.
    pub backoff: Backoff,
    /// The child's own budget.
    pub intensity: Option<Intensity>,
    /// Where its declaration comes from.
    pub origin: Origin,
}

impl ChildRules {
    /// The rules of a worker.
    #[must_use]
    pub fn worker(name: &str, spec: &ChildSpec, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            restart: spec.restart,
            significant: spec.significant,
            start_timeout: Some(spec.start_timeout),
            shutdown: spec.shutdown,
            on_hang: spec.hang.action,
            backoff: spec.backoff,
            intensity: spec.intensity,
            origin,
        }
    }

    /// The rules of a supervisor under a supervisor.
    #[must_use]
    pub fn supervisor(name: &str, spec: &SupervisorSpec) -> Self {
        Self {
            name: name.to_owned(),
            restart: spec.restart,
            significant: spec.significant,
            start_timeout: None,
            shutdown: Shutdown::Infinity,
            on_hang: OnHang::Replace,
            backoff: spec.backoff,
            intensity: None,
            origin: Origin::Declared,
        }
    }
}

/// What can happen to a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Start all children, left to right.
    Start,
    /// An incarnation is up: `started` returned and what it awaits has resolved.
    Up {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
    },
    /// An incarnation is down.
    Down {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
        /// Why.
        reason: ExitReason,
    },
    /// The watchdog found no progress.
    Hung {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
        /// In what.
        kind: HangKind,
    },
    /// Time has passed; see [`super::Machine::next_wake`].
    Tick,
    /// End in good order: children stop in reverse, each within its time.
    Shutdown,
    /// End at once: every child is fenced.
    Kill,
    /// An administrative request; its answer is [`Action::Answer`].
    Admin {
        /// Ties the answer to the request.
        ticket: Ticket,
        /// What is asked.
        request: AdminRequest,
    },
}

/// What may be asked of a running supervisor (OTP's start/terminate/restart/delete_child).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminRequest {
    /// Declare and start a child; its id was reserved with [`super::Machine::reserve`].
    StartChild(ChildId, ChildRules),
    /// Stop a child; a temporary child or an instance is forgotten with it.
    TerminateChild(ChildId),
    /// Start a stopped child again.
    RestartChild(ChildId),
    /// Forget a stopped child.
    DeleteChild(ChildId),
}

/// The good answers to an administrative request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminOutcome {
    /// The child is up.
    Up(ChildId),
    /// The child declined to start.
    Ignored(ChildId),
    /// Done.
    Done,
}

/// Why an administrative request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// No such child.
    #[error("no such child")]
    NotFound,
    /// The name is taken.
    #[error("a child named {0:?} exists already")]
    AlreadyPresent(String),
    /// The child must be stopped first.
    #[error("the child is running")]
    Running,
    /// The child waits for its restart.
    #[error("the child is being restarted")]
    Restarting,
    /// The supervisor is not running.
    #[error("the supervisor is not running")]
    NotRunning,
    /// The supervisor holds as many children as it may.
    #[error("the supervisor holds its maximum of {0} children")]
    TooMany(usize),
    /// The child did not come up.
    #[error("the child {0}")]
    StartFailed(ExitReason),
}

/// A fact worth a trace event and a counter; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A child is down for a reason of its own.
    ChildDown {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
        /// Why.
        reason: ExitReason,
    },
    /// A restart was decided.
    RestartScheduled {
        /// The child that failed.
        child: ChildId,
        /// Consecutive attempts, this one included.
        attempt: u32,
        /// Time until the group may start.
        delay: Duration,
    },
    /// A child did not stop within its time and was fenced.
    StopTimedOut {
        /// Which child.
        child: ChildId,
    },
    /// The intensity was exceeded.
    Meltdown {
        /// The last child that failed.
        child: ChildId,
        /// Restarts within the window.
        restarts: usize,
        /// The sentence for the operator.
        message: String,
    },
}

/// Why an incarnation is fenced. It tells the shell whether its thread is to be given up, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillWhy {
    /// It hung in this.
    Hung(HangKind),
    /// It did not come up within its start timeout.
    StartTimeout,
    /// It did not stop within its shutdown time.
    StopTimeout,
    /// Its rules, or the supervisor's own end, leave it no time.
    Brutal,
}

/// What the shell must do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start this incarnation.
    Start {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
    },
    /// Ask it to stop; its end comes back as [`Event::Down`].
    Stop {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
    },
    /// Fence it. No event comes back.
    Kill {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        epoch: Epoch,
        /// Why.
        why: KillWhy,
    },
    /// Refuse mail until a later start: the child is stopped, its queue goes to the dead letters.
    Close {
        /// Which child.
        child: ChildId,
    },
    /// The child is gone for good: its mailbox is dropped.
    Forget {
        /// Which child.
        child: ChildId,
    },
    /// Run the abort handler and end the process.
    Abort {
        /// Which child.
        child: ChildId,
        /// Why.
        reason: ExitReason,
    },
    /// Answer an administrative request.
    Answer {
        /// Which request.
        ticket: Ticket,
        /// The answer.
        result: Result<AdminOutcome, AdminError>,
    },
    /// Trace it.
    Note(Note),
    /// Tell the parent: all children are up.
    Up,
    /// Tell the parent: this supervisor is down, no child lives.
    Down(ExitReason),
}
