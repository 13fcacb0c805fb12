//! The words of a session: where it stands, why it changed, and its times and limits.
//!
//! Plain data; the rules that use it are in `machine`.

use serde::{Deserialize, Serialize};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not wanted, or refused by the venue in a way that waiting cannot heal.
    Disconnected,
    /// Opening the socket.
    Connecting,
    /// Logging on and subscribing.
    Authenticating,
    /// Fetching snapshots and comparing.
    Syncing,
    /// Trusted.
    Live,
    /// Connected, but the data that should flow does not.
    Stale,
    /// Waiting for the next attempt.
    Backoff,
}

impl State {
    /// The state's name as it is printed everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Authenticating => "authenticating",
            Self::Syncing => "syncing",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Backoff => "backoff",
        }
    }

    /// Is there an open socket with a finished handshake?
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Authenticating | Self::Syncing | Self::Live | Self::Stale)
    }
}

/// Why a session ended or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Asked for by the owner.
    #[error("asked for")]
    Asked,
    /// The next step of a connection that goes well.
    #[error("progress")]
    Progress,
    /// The socket could not be opened.
    #[error("could not connect")]
    DialFailed,
    /// A step of the set-up took too long.
    #[error("set-up timed out")]
    SetupTimeout,
    /// The venue refused key, signature or permission.
    #[error("authentication refused")]
    AuthRefused,
    /// The peer closed, or the socket broke.
    #[error("connection lost")]
    Closed,
    /// No frame at all, not even a ping.
    #[error("no frame: the peer is gone")]
    Silent,
    /// Frames, but no data.
    #[error("no data, only pings")]
    Mute,
    /// Data again.
    #[error("data again")]
    DataAgain,
    /// The peer broke the protocol or a size limit.
    #[error("protocol violation")]
    Protocol,
    /// Snapshots or comparison failed.
    #[error("synchronising failed")]
    SyncFailed,
    /// What we hold can no longer be trusted; synchronise again.
    #[error("continuity lost")]
    ContinuityLost,
    /// The venue's lifetime for sessions, or its announced shutdown.
    #[error("renewal")]
    Renewal,
}

/// Times and limits of a session. All in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Longest time for each of connecting, authenticating and syncing.
    pub setup_timeout_ms: u64,
    /// Hang up when no frame came for so long. Binance pings every 20 s.
    pub dead_after_ms: u64,
    /// Stale when no data came for so long; `None` where silence is normal.
    pub stale_after_ms: Option<u64>,
    /// Hang up when stale for so long: a mute session is often healed by a new one. `None` waits for ever.
    pub stale_hangup_ms: Option<u64>,
    /// Replace the session at this age. Binance ends sessions at 24 h.
    pub renew_after_ms: u64,
    /// First back-off ceiling; doubles per failure.
    pub backoff_first_ms: u64,
    /// Highest back-off ceiling.
    pub backoff_max_ms: u64,
    /// Failures are forgotten after so long in `Live`; an accept-and-drop venue must not reset them.
    pub forgive_after_ms: u64,
    /// Most dials within the window.
    pub connect_cap: usize,
    /// The window.
    pub connect_window_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            setup_timeout_ms: 10_000,
            dead_after_ms: 30_000,
            stale_after_ms: None,
            stale_hangup_ms: Some(30_000),
            renew_after_ms: 23 * 3_600_000,
            backoff_first_ms: 500,
            backoff_max_ms: 30_000,
            forgive_after_ms: 10_000,
            connect_cap: 10,
            connect_window_ms: 30_000,
        }
    }
}
