//! Two kinds of time, kept apart by type: [`Mono`] decides, [`WallMs`] explains.
//!
//! Owns no clock. A shell reads `crate::clock` and passes the value in.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Monotonic milliseconds since an origin that the process chose once. Never compared across processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// The instant `ms` milliseconds later; saturates instead of wrapping.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; zero when `earlier` lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Wall-clock milliseconds since the UNIX epoch, as venues stamp their messages. Never orders a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct WallMs(pub i64);

impl WallMs {
    /// RFC 3339 in UTC with milliseconds, as the API prints times; `None` beyond the calendar.
    #[must_use]
    pub fn rfc3339(self) -> Option<String> {
        let at = DateTime::<Utc>::from_timestamp_millis(self.0)?;
        Some(at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_never_wrap() {
        assert_eq!(Mono(5).since(Mono(9)), 0);
        assert_eq!(Mono(9).since(Mono(5)), 4);
        assert_eq!(Mono(u64::MAX).plus(1), Mono(u64::MAX));
    }
}
