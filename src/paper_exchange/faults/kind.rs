//! The kinds of fault, with their options, under their stable wire names.
//!
//! A kind says what goes wrong; whom it hits and for how long is in `spec`. Adding a kind means one
//! variant here, its options in `spec::FaultSpec::kind`, and the point in `points` that asks for it.

use serde::Serialize;

/// What goes wrong. Serialises as `{"kind": "...", ...options}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Market stream sessions hear nothing at all, not even pings.
    MuteMarketData,
    /// User-data events are not sent (and are lost).
    MuteUserData,
    /// Matching sessions are cut without a close frame.
    Disconnect,
    /// New connections are closed before a byte is read.
    RefuseConnections,
    /// Matching sessions stay open, but the exchange neither reads nor writes.
    HalfOpen,
    /// Answers come late.
    Delay {
        /// How late, in milliseconds.
        ms: u64,
    },
    /// The order is placed (or cancelled), the answer never comes.
    LoseResponse,
    /// The order is not placed (or cancelled), and no answer comes.
    LoseRequest,
    /// New orders are refused.
    RejectOrders {
        /// The venue's code, negative.
        code: i32,
    },
    /// Every request is answered 429.
    RateLimit {
        /// Seconds for `Retry-After`.
        retry_after: u64,
    },
    /// Every request is answered 418.
    Ban,
    /// Orders are answered 503 with -1007 (outcome unknown).
    ServerError {
        /// Did the order reach the book?
        placed: bool,
    },
    /// Each execution report is sent twice.
    DuplicateReports,
    /// Each second execution report overtakes the one before.
    ReorderReports,
    /// Execution reports are lost.
    DropReport,
    /// Queries answer as if orders did not exist.
    HideOrders {
        /// For how long, in seconds.
        seconds: u64,
    },
    /// The exchange's clock, as clients see it, is off.
    ClockSkew {
        /// By how much, in milliseconds; positive is ahead.
        ms: i64,
    },
    /// A depth update is left out.
    GapInDepth,
    /// No data of any kind; pings and answers go on.
    StaleButPinging,
}

impl FaultKind {
    /// The names of all kinds, as the control route accepts them.
    pub const NAMES: [&'static str; 19] = [
        "mute_market_data",
        "mute_user_data",
        "disconnect",
        "refuse_connections",
        "half_open",
        "delay",
        "lose_response",
        "lose_request",
        "reject_orders",
        "rate_limit",
        "ban",
        "server_error",
        "duplicate_reports",
        "reorder_reports",
        "drop_report",
        "hide_orders",
        "clock_skew",
        "gap_in_depth",
        "stale_but_pinging",
    ];

    /// Faults that strike once when neither a time nor a count was given; the others last until healed.
    #[must_use]
    pub fn strikes_once(&self) -> bool {
        matches!(self, Self::GapInDepth | Self::DropReport)
    }

    /// The seconds a fault lasts by its own options, when no `for_seconds` was given.
    #[must_use]
    pub fn own_duration_seconds(&self) -> Option<u64> {
        match self {
            Self::HideOrders { seconds } => Some(*seconds),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_beside_the_kind() {
        let json = serde_json::to_value(FaultKind::ServerError { placed: true }).unwrap();
        assert_eq!(json, serde_json::json!({"kind": "server_error", "placed": true}));
    }

    #[test]
    fn every_name_is_distinct() {
        let mut names = FaultKind::NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultKind::NAMES.len());
    }
}
