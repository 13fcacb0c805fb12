//! What became of a request that could move money: confirmed, rejected, denied here, or UNKNOWN.
//!
//! The distinction decides whether an order may be sent again, so it is made once, where the answer is
//! read, and carried by type. A timeout, a lost connection, a server error and an answer that cannot be
//! read are UNKNOWN: the venue may have executed the order. Nothing here turns an unknown into a refusal.

use super::order_types::{OrderReport, OtherWord};
use super::time::Mono;
use serde::{Deserialize, Serialize};

/// The outcome of a placement or a cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The venue answered that it was done.
    Confirmed(T),
    /// The venue answered that it was not done, and its answer is final.
    Rejected(Rejection),
    /// Never left this process.
    DeniedHere(Denial),
    /// It may or may not have been done. Query by client order id before anything else.
    Unknown(UnknownWhy),
}

/// A definite refusal by the venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The venue's error code.
    pub code: i64,
    /// The venue's words, bounded.
    pub reason: String,
    /// What kind of refusal it is.
    pub class: RejectClass,
}

/// Kinds of refusal that callers treat differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectClass {
    /// A rule of the instrument, named.
    Filter(OtherWord),
    /// Not enough free balance.
    InsufficientBalance,
    /// The client order id is in use among open orders: query it, it may be ours.
    DuplicateClientOrderId,
    /// The order that a cancel named is not open: query it, it may have filled.
    UnknownOrder,
    /// A maker-only order would have taken.
    WouldTake,
    /// A stop order would have triggered at once.
    WouldTrigger,
    /// The instrument does not trade now.
    MarketClosed,
    /// The account may not do this.
    NotPermitted,
    /// Too many orders; throttle.
    TooManyOrders,
    /// Too many requests, or a ban; the pacing gate is closed.
    RateLimited,
    /// The clock left the venue's window, even after a resync.
    ClockSkew,
    /// Key, signature or permission: stop trading and tell somebody.
    Authentication,
    /// The request itself was malformed: a bug of ours.
    Malformed,
    /// A replacement failed; both halves are in the answer.
    ReplaceFailed,
    /// Anything else that is definite.
    Other,
}

/// A refusal by this process before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The session has not finished comparing orders, fills and balances since it (re)connected.
    #[error("STREAM_RECONCILING: state={state}")]
    StreamReconciling {
        /// Connection state in words.
        state: &'static str,
    },
    /// No session.
    #[error("NOT_CONNECTED: state={state}")]
    NotConnected {
        /// Connection state in words.
        state: &'static str,
    },
    /// Pacing: the request would pass our share of the venue's limit.
    #[error("PACED: limit={limit}, used={used}, cap={cap}, retry_at_ms={}", retry_at.0)]
    Paced {
        /// Which limit.
        limit: &'static str,
        /// Spent in the window.
        used: u32,
        /// Our share.
        cap: u32,
        /// When to try again.
        retry_at: Mono,
    },
    /// The venue asked for silence (429 or 418) until this instant.
    #[error("VENUE_BACK_OFF: until_ms={}", until.0)]
    BackOff {
        /// When requests may go out again.
        until: Mono,
    },
    /// The outbound queue is full.
    #[error("QUEUE_FULL: limit={limit}")]
    QueueFull {
        /// Its bound.
        limit: usize,
    },
    /// It waited in the queue beyond its deadline and was dropped unsent.
    #[error("EXPIRED_UNSENT: waited_ms={waited_ms}")]
    ExpiredUnsent {
        /// How long it waited.
        waited_ms: u64,
    },
    /// The measured clock offset is beyond the trading limit.
    #[error("CLOCK_OFFSET: offset_ms={offset_ms}, limit_ms={limit_ms}")]
    ClockOffset {
        /// Venue minus local, milliseconds.
        offset_ms: i64,
        /// Limit.
        limit_ms: i64,
    },
    /// The venue does not offer what was asked.
    #[error("UNSUPPORTED: feature={feature}")]
    Unsupported {
        /// What was asked.
        feature: &'static str,
    },
    /// The kill switch is engaged; refused in the last hop before the socket.
    #[error("KILL_SWITCH: state=engaged")]
    KillSwitch,
    /// Nobody has judged lately whether what is known is true; refused in the last hop before the socket.
    #[error("TRUTH_LEASE_EXPIRED: judge=silent")]
    LeaseExpired,
}

/// Why the outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWhy {
    /// No answer in time.
    #[error("no answer within {after_ms} ms")]
    Timeout {
        /// How long was waited.
        after_ms: u64,
    },
    /// The connection ended after the request had gone out.
    #[error("the connection ended before the answer")]
    Disconnected,
    /// HTTP 5xx or its like.
    #[error("server error {status}")]
    ServerError {
        /// Status.
        status: u16,
    },
    /// A code by which the venue says that it does not know either.
    #[error("venue code {code}: {reason}")]
    VenueCode {
        /// The code.
        code: i64,
        /// The words, bounded.
        reason: String,
    },
    /// An answer that cannot be read.
    #[error("undecodable answer: {detail}")]
    Undecodable {
        /// What was wrong, bounded.
        detail: String,
    },
}

/// Why a read (query, snapshot, history) gave no answer. A read may simply be asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not sent.
    #[error("not sent: {0}")]
    Denied(#[from] Denial),
    /// The venue refused it.
    #[error("refused by the venue: code {}: {}", .0.code, .0.reason)]
    Refused(Rejection),
    /// No usable answer.
    #[error("no usable answer: {0}")]
    NoAnswer(#[from] UnknownWhy),
}

/// The answer to a query by client order id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The venue knows it.
    Found(Box<OrderReport>),
    /// The venue says it does not. Evidence of absence only after the visibility window.
    Absent,
}

/// Longest venue text that is kept in an error.
pub const MAX_REASON: usize = 200;

/// A bounded, printable copy of a venue's words.
#[must_use]
pub fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}
