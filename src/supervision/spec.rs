//! What an operator or a developer declares about a child or a supervisor, and what is refused.
//!
//! The vocabulary is that of OTP's `supervisor`. A spec is plain data: it is validated when the tree
//! is built, shown in the snapshot, and never changes while the child lives.

use std::time::Duration;

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// Only after an abnormal end (panic, hang, failed start).
    Transient,
    /// Never, not even as a bystander of a sibling's failure; its spec goes with it.
    Temporary,
}

/// How a child is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Asked to stop, then fenced when the time is over.
    Graceful(Duration),
    /// Fenced at once; no hook of the child runs.
    BrutalKill,
    /// Asked to stop and waited for. Only for supervisors, whose children carry the limits.
    Infinity,
}

/// Which siblings are restarted with a failed child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The failed child alone.
    OneForOne,
    /// Every child.
    OneForAll,
    /// The failed child and those started after it.
    RestForOne,
}

/// Whether a supervisor ends when its significant children have ended by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoShutdown {
    /// It does not.
    Never,
    /// It ends with the first of them.
    AnySignificant,
    /// It ends with the last of them.
    AllSignificant,
}

/// At most `max_restarts` within `period`; one more is a meltdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts tolerated within the period; 0 means that the first failure melts down.
    pub max_restarts: u32,
    /// Length of the sliding window.
    pub period: Duration,
}

impl Intensity {
    /// `max_restarts` within `period`.
    #[must_use]
    pub const fn new(max_restarts: u32, period: Duration) -> Self {
        Self { max_restarts, period }
    }
}

/// How the delay before a restart is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// The exact exponential series.
    None,
    /// Uniform between zero and the exponential value ("full jitter").
    Full,
}

/// Delay before the n-th consecutive restart: `min(cap, base * 2^(n-1))`, then jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Delay before the first restart; zero restarts at once, always.
    pub base: Duration,
    /// Upper bound of the delay.
    pub cap: Duration,
    /// A child that ran this long since its last start begins the series anew.
    pub reset_after: Duration,
    /// Spread of the delay.
    pub jitter: Jitter,
}

impl Backoff {
    /// Restart at once, always.
    pub const NONE: Self = Self {
        base: Duration::ZERO,
        cap: Duration::ZERO,
        reset_after: Duration::from_secs(60),
        jitter: Jitter::None,
    };

    /// Exponential from `base` to `cap` with full jitter, reset after one minute of good running.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self { base, cap, reset_after: Duration::from_secs(60), jitter: Jitter::Full }
    }

    /// The delay before the `attempt`-th consecutive restart (1 = first); `unit` is uniform in `0..=1`
    /// and used under [`Jitter::Full`] alone.
    #[must_use]
    pub fn delay(&self, attempt: u32, unit: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let full = self.base.saturating_mul(1_u32 << doublings).min(self.cap.max(self.base));
        match self.jitter {
            Jitter::None => full,
            Jitter::Full => full.mul_f64(unit.clamp(0.0, 1.0)),
        }
    }
}

/// What happens to a child that no longer makes progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHang {
    /// Fence it and start a fresh incarnation on the same mailbox (on a new thread if its thread is stuck).
    /// Only for children whose zombie can do no harm.
    Replace,
    /// Run the abort handler (latch) and end the process: for anything that moves orders, because a
    /// zombie that wakes may finish what it began.
    Abort,
}

/// Limits of one uninterrupted piece of a child's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HangLimits {
    /// Longest time inside one handler, hook or poll (the thread is stuck).
    pub handler: Duration,
    /// Longest time that one `ctx.wait` future may hold the mailbox (the thread is free).
    pub wait: Duration,
    /// What to do about it.
    pub action: OnHang,
}

/// Where a child's incarnations run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// An arbiter thread of its own; the default, because a stuck neighbour cannot hold it up.
    OwnThread,
    /// The named arbiter, shared by all children that name it. When one of them blocks it, all are moved.
    Shared(String),
    /// The supervisor's own thread: for deterministic tests under a paused clock.
    Local,
}

/// What a restart does with mail that was already queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRestart {
    /// All of it is served by the fresh value.
    Keep,
    /// All of it goes to the dead letters.
    Drop,
    /// What is younger than this when the new incarnation starts (after the backoff) is served; the rest
    /// goes to the dead letters.
    KeepYoungerThan(Duration),
}

/// Bounds and restart policy of a mailbox. A full mailbox refuses; it never blocks and never grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxPolicy {
    /// Messages that may wait, over all senders.
    pub capacity: usize,
    /// What a restart keeps.
    pub on_restart: OnRestart,
}

/// What a child is, for its supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildSpec {
    /// When it is started again.
    pub restart: Restart,
    /// Its own end may end the supervisor (see [`AutoShutdown`]); never for permanent children.
    pub significant: bool,
    /// Longest time from the start of the factory to the end of `started` and of what it awaits in
    /// `ctx.wait`. Exceeding it is a failed start.
    pub start_timeout: Duration,
    /// How it is asked to end.
    pub shutdown: Shutdown,
    /// Where it runs.
    pub placement: Placement,
    /// When it counts as hung, and what follows.
    pub hang: HangLimits,
    /// Its mailbox.
    pub mailbox: MailboxPolicy,
    /// Delay between its restarts.
    pub backoff: Backoff,
    /// A budget of its own besides the supervisor's, so that one child cannot use up its siblings'.
    pub intensity: Option<Intensity>,
    /// Free facts for the snapshot, such as `("workload", "order path")`.
    pub metadata: Vec<(String, String)>,
}

impl Default for ChildSpec {
    fn default() -> Self {
        Self {
            restart: Restart::Permanent,
            significant: false,
            start_timeout: Duration::from_secs(10),
            shutdown: Shutdown::Graceful(Duration::from_secs(5)),
            placement: Placement::OwnThread,
            hang: HangLimits {
                handler: Duration::from_secs(1),
                wait: Duration::from_secs(30),
                action: OnHang::Replace,
            },
            mailbox: MailboxPolicy { capacity: 4096, on_restart: OnRestart::Keep },
            backoff: Backoff::exponential(Duration::from_millis(50), Duration::from_secs(10)),
            intensity: None,
            metadata: Vec::new(),
        }
    }
}

/// What a supervisor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorSpec {
    /// Which siblings restart together.
    pub strategy: Strategy,
    /// How many restarts are tolerated.
    pub intensity: Intensity,
    /// Whether significant children end it.
    pub auto_shutdown: AutoShutdown,
    /// As a child of its parent: when it is restarted.
    pub restart: Restart,
    /// As a child of its parent: whether its own end may end the parent.
    pub significant: bool,
    /// As a child of its parent: delay between its restarts.
    pub backoff: Backoff,
    /// Upper bound on the children it may hold, dynamic ones included.
    pub children_max: usize,
}

impl Default for SupervisorSpec {
    fn default() -> Self {
        Self {
            strategy: Strategy::OneForOne,
            intensity: Intensity::new(3, Duration::from_secs(60)),
            auto_shutdown: AutoShutdown::Never,
            restart: Restart::Permanent,
            significant: false,
            backoff: Backoff::NONE,
            children_max: 10_000,
        }
    }
}

/// A spec that cannot mean what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Two children of one supervisor share a name.
    #[error("{supervisor}: two children are named {name:?}; names are unique within a supervisor")]
    DuplicateName {
        /// Path of the supervisor.
        supervisor: String,
        /// The name in question.
        name: String,
    },
    /// A name that would be ambiguous in a path.
    #[error("child name {name:?} must be 1 to 64 characters of letters, digits, '-', '_', '.', '#'")]
    BadName {
        /// The name in question.
        name: String,
    },
    /// Permanent and significant exclude each other: a permanent child never ends by itself.
    #[error("{path}: a permanent child cannot be significant; make it transient or temporary")]
    PermanentSignificant {
        /// Path of the child.
        path: String,
    },
    /// A significant child under a supervisor that never shuts down by itself.
    #[error("{path}: significant has no meaning under auto_shutdown = never")]
    SignificantWithoutAutoShutdown {
        /// Path of the child.
        path: String,
    },
    /// Waiting for ever for a worker would let it hold up the whole shutdown.
    #[error("{path}: shutdown = infinity is for supervisors; give a worker a time or brutal_kill")]
    InfiniteWorkerShutdown {
        /// Path of the child.
        path: String,
    },
    /// A limit that must be above zero is not.
    #[error("{path}: {what} must be greater than zero")]
    Zero {
        /// Path of the child or supervisor.
        path: String,
        /// The field.
        what: &'static str,
    },
    /// The supervisor holds as many children as it may.
    #[error("{path}: at most {max} children")]
    TooManyChildren {
        /// Path of the supervisor.
        path: String,
        /// Its limit.
        max: usize,
    },
}

/// Checks one name.
///
/// # Errors
/// [`SpecError::BadName`] when it is empty, longer than 64 bytes, or has other characters than
/// letters, digits, `-`, `_`, `.`, `#`.
pub fn check_name(name: &str) -> Result<(), SpecError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(SpecError::BadName { name: name.to_owned() });
    }
    Ok(())
}

impl ChildSpec {
    /// Checks the spec of the worker at `path` under a supervisor with `auto_shutdown`.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self, path: &str, auto_shutdown: AutoShutdown) -> Result<(), SpecError> {
        check_significance(path, self.restart, self.significant, auto_shutdown)?;
        if self.shutdown == Shutdown::Infinity {
            return Err(SpecError::InfiniteWorkerShutdown { path: path.to_owned() });
        }
        let positive = [
            ("start_timeout", self.start_timeout.is_zero()),
            ("hang.handler", self.hang.handler.is_zero()),
            ("hang.wait", self.hang.wait.is_zero()),
            ("mailbox.capacity", self.mailbox.capacity == 0),
            ("intensity.period", self.intensity.is_some_and(|i| i.period.is_zero())),
        ];
        refuse_zero(path, &positive)
    }
}

impl SupervisorSpec {
    /// Checks the spec of the supervisor at `path` under a parent with `parent_auto_shutdown`
    /// (`None` for the root).
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self, path: &str, parent_auto_shutdown: Option<AutoShutdown>) -> Result<(), SpecError> {
        if let Some(auto) = parent_auto_shutdown {
            check_significance(path, self.restart, self.significant, auto)?;
        }
        let positive =
            [("intensity.period", self.intensity.period.is_zero()), ("children_max", self.children_max == 0)];
        refuse_zero(path, &positive)
    }
}

fn check_significance(
    path: &str,
    restart: Restart,
    significant: bool,
    auto_shutdown: AutoShutdown,
) -> Result<(), SpecError> {
    match (significant, restart, auto_shutdown) {
        (true, Restart::Permanent, _) => Err(SpecError::PermanentSignificant { path: path.to_owned() }),
        (true, _, AutoShutdown::Never) => {
            Err(SpecError::SignificantWithoutAutoShutdown { path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

fn refuse_zero(path: &str, fields: &[(&'static str, bool)]) -> Result<(), SpecError> {
    match fields.iter().find(|(_, is_zero)| *is_zero) {
        Some((what, _)) => Err(SpecError::Zero { path: path.to_owned(), what }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_the_cap() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::exponential(ms(10), ms(100)) };
        let series: Vec<u128> = (1..=6).map(|n| backoff.delay(n, 0.5).as_millis()).collect();
        assert_eq!(series, [10, 20, 40, 80, 100, 100]);
        assert_eq!(backoff.delay(u32::MAX, 0.5), ms(100));
    }

    #[test]
    fn full_jitter_spans_zero_to_the_exponential_value() {
        let backoff = Backoff::exponential(ms(10), ms(100));
        assert_eq!(backoff.delay(3, 0.0), Duration::ZERO);
        assert_eq!(backoff.delay(3, 0.5), ms(20));
        assert_eq!(backoff.delay(3, 1.0), ms(40));
    }

    #[test]
    fn contradictions_are_refused() {
        let significant = ChildSpec { significant: true, ..ChildSpec::default() };
        assert!(matches!(
            significant.validate("r/a", AutoShutdown::AnySignificant),
            Err(SpecError::PermanentSignificant { .. })
        ));
        let transient = ChildSpec { restart: Restart::Transient, ..significant };
        assert!(transient.validate("r/a", AutoShutdown::AllSignificant).is_ok());
        assert!(matches!(
            transient.validate("r/a", AutoShutdown::Never),
            Err(SpecError::SignificantWithoutAutoShutdown { .. })
        ));
        let forever = ChildSpec { shutdown: Shutdown::Infinity, ..ChildSpec::default() };
        assert!(matches!(
            forever.validate("r/a", AutoShutdown::Never),
            Err(SpecError::InfiniteWorkerShutdown { .. })
        ));
        let mut zero = ChildSpec::default();
        zero.mailbox.capacity = 0;
        assert!(matches!(zero.validate("r/a", AutoShutdown::Never), Err(SpecError::Zero { .. })));
    }

    #[test]
    fn names_are_path_segments() {
        assert!(check_name("alert-router.2#1").is_ok());
        for bad in ["", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
