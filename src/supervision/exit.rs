//! Why an incarnation or a supervisor is down.

use std::fmt;

/// What is known about a caught panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicReport {
    /// The payload's text, or a note that it had none.
    pub message: String,
    /// `file:line:column`, when the panic hook saw it.
    pub location: Option<String>,
    /// What ran: a message's type name, `started`, `factory`, `ctx.wait`, `ctx.spawn`, a hook, or `drop`.
    pub during: &'static str,
}

impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked in {}: {}", self.during, self.message)?;
        match &self.location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

/// What a hung child was caught in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangKind {
    /// One handler, hook or poll did not return: the thread is stuck.
    Handler,
    /// One `ctx.wait` future did not resolve: the mailbox is held, the thread is free.
    Wait,
}

impl fmt::Display for HangKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handler => "handler",
            Self::Wait => "ctx.wait",
        })
    }
}

/// Why something is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// It stopped by itself.
    Normal,
    /// It was asked to stop and did.
    Shutdown,
    /// Its factory declined to start it ("ignore").
    Ignored,
    /// Its code panicked.
    Panic(PanicReport),
    /// Its factory refused, or the place it should run in is gone.
    StartFailed(String),
    /// It was not up within its start timeout.
    StartTimeout,
    /// It made no progress for longer than its limit.
    Hung(HangKind),
    /// It was fenced: brutal kill, or its shutdown time was over.
    Killed,
    /// Its arbiter was stopped under it.
    ThreadLost,
    /// It was moved to another thread, because a neighbour blocked the one they shared.
    Moved,
    /// A supervisor below gave up.
    Escalated(String),
}

impl ExitReason {
    /// Whether a transient child is restarted after it.
    #[must_use]
    pub const fn is_abnormal(&self) -> bool {
        !matches!(self, Self::Normal | Self::Shutdown | Self::Ignored)
    }

    /// Whether the restart that follows counts against the intensity; a bystander's does not.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self, Self::Moved)
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("stopped by itself"),
            Self::Shutdown => f.write_str("shut down"),
            Self::Ignored => f.write_str("declined to start"),
            Self::Panic(report) => report.fmt(f),
            Self::StartFailed(why) => write!(f, "could not start: {why}"),
            Self::StartTimeout => f.write_str("was not up within its start timeout"),
            Self::Hung(kind) => write!(f, "hung in {kind}"),
            Self::Killed => f.write_str("was killed"),
            Self::ThreadLost => f.write_str("lost its thread"),
            Self::Moved => f.write_str("was moved from a blocked thread"),
            Self::Escalated(why) => write!(f, "escalated: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_ends_are_normal() {
        for clean in [ExitReason::Normal, ExitReason::Shutdown, ExitReason::Ignored] {
            assert!(!clean.is_abnormal(), "{clean}");
        }
        for abnormal in [ExitReason::StartTimeout, ExitReason::Killed, ExitReason::Hung(HangKind::Wait)] {
            assert!(abnormal.is_abnormal(), "{abnormal}");
        }
        assert!(ExitReason::Moved.is_abnormal() && !ExitReason::Moved.counts());
        assert!(
            ExitReason::ThreadLost.counts(),
            "an actor that stops its own arbiter must not loop for free"
        );
    }
}
