//! How often the sessions of a venue were lost, by cause: one counter each, written by the connector, read by anybody.
//!
//! The causes are a closed list, so that they can be labels of a metric.

use super::connection::Why;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a session that was open is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossCause {
    /// The peer closed, or the socket broke.
    Closed,
    /// No frame at all.
    Silent,
    /// Frames, but no data.
    Mute,
    /// The peer broke the protocol or a size limit.
    Protocol,
    /// The comparison after a connect failed.
    SyncFailed,
    /// A step of the set-up took too long.
    SetupTimeout,
    /// The venue refused key, signature or permission.
    AuthRefused,
    /// The venue ended the session's life, or announced that it would.
    Renewal,
    /// Our own connector failed and was made anew.
    Restarted,
    /// Anything else.
    Other,
}

impl LossCause {
    /// Every cause.
    pub const ALL: [Self; 10] = [
        Self::Closed,
        Self::Silent,
        Self::Mute,
        Self::Protocol,
        Self::SyncFailed,
        Self::SetupTimeout,
        Self::AuthRefused,
        Self::Renewal,
        Self::Restarted,
        Self::Other,
    ];

    /// As it is printed and used as a label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Silent => "silent",
            Self::Mute => "mute",
            Self::Protocol => "protocol",
            Self::SyncFailed => "sync_failed",
            Self::SetupTimeout => "setup_timeout",
            Self::AuthRefused => "auth_refused",
            Self::Renewal => "renewal",
            Self::Restarted => "restarted",
            Self::Other => "other",
        }
    }

    /// The cause behind a session's change; `None` when we ended it ourselves.
    #[must_use]
    pub const fn of(why: Why) -> Option<Self> {
        Some(match why {
            Why::Asked => return None,
            Why::Closed => Self::Closed,
            Why::Silent => Self::Silent,
            Why::Mute => Self::Mute,
            Why::Protocol => Self::Protocol,
            Why::SyncFailed | Why::ContinuityLost => Self::SyncFailed,
            Why::SetupTimeout => Self::SetupTimeout,
            Why::AuthRefused => Self::AuthRefused,
            Why::Renewal => Self::Renewal,
            Why::DialFailed | Why::Progress | Why::DataAgain => Self::Other,
        })
    }
}

/// The counters. Clones are ends of the same ones.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<[AtomicU64; LossCause::ALL.len()]>);

impl Losses {
    /// Counts one.
    pub fn note(&self, cause: LossCause) {
        let at = LossCause::ALL.iter().position(|one| *one == cause);
        if let Some(counter) = at.and_then(|at| self.0.get(at)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// All of them; every cause is there.
    #[must_use]
    pub fn read(&self) -> BTreeMap<LossCause, u64> {
        LossCause::ALL.iter().zip(self.0.iter()).map(|(cause, n)| (*cause, n.load(Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_own_counter_and_word() {
        let losses = Losses::default();
        for (n, cause) in LossCause::ALL.iter().enumerate() {
            for _ in 0..=n {
                losses.clone().note(*cause);
            }
        }
        let counts: Vec<u64> = losses.read().into_values().collect();
        assert_eq!(counts, (1..=10).collect::<Vec<u64>>());
        let words: std::collections::BTreeSet<_> = LossCause::ALL.map(LossCause::word).into();
        assert_eq!(words.len(), LossCause::ALL.len());
    }

    #[test]
    fn what_we_end_ourselves_is_no_loss() {
        assert_eq!(LossCause::of(Why::Asked), None);
        assert_eq!(LossCause::of(Why::Closed), Some(LossCause::Closed));
    }
}
