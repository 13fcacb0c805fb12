//! What the order management is configured with: venues, strategies, patience, pacing and bounds.
//!
//! Names and defaults of the checks follow those that operators know from other systems; checks that are off
//! there by default are on here.

use crate::domain::ids::{Asset, StrategyId, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::money::Amount;
use crate::domain::order::Patience;
use crate::domain::risk::RiskSettings;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that the order management is told before its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The journal's tag: the beginning of every venue client order id.
    pub tag: String,
    /// Venues that orders can go to. All of them must have been compared once before any order is taken.
    pub venues: Vec<VenueSettings>,
    /// Strategies that orders can come from. `external` exists without being named.
    pub strategies: Vec<StrategySettings>,
    /// Intervals, thresholds and retries.
    pub knobs: Knobs,
    /// Bounds.
    pub limits: Limits,
    /// What becomes of resting orders when trading is stopped.
    pub controls: Controls,
    /// The limits.
    pub risk: RiskSettings,
    /// How far a balance may lie from the ledger's figure, per asset; zero where none is given.
    pub tolerance: BTreeMap<Asset, Amount>,
}

/// What is done with an order at the venue that this journal does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum External {
    /// Tracked, as the strategy `external`.
    #[default]
    Adopt,
    /// Tracked and cancelled.
    Cancel,
    /// Tracked, with an alert for the operator.
    Hold,
}

/// What becomes of resting orders when trading is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Controls {
    /// By a pause.
    pub on_pause: OnPause,
    /// By the kill switch.
    pub on_kill: OnKill,
}

/// Resting orders at a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPause {
    /// They go on working.
    #[default]
    Keep,
    /// Entries are cancelled; orders that only reduce go on working.
    Cancel,
}

/// Resting orders when the kill switch is engaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnKill {
    /// All of them are cancelled.
    #[default]
    CancelAll,
    /// They go on working.
    Keep,
    /// All of them are cancelled; after the reset, and before anybody resumes, positions are closed.
    Flatten,
}

/// One venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueSettings {
    /// Its name.
    pub id: VenueId,
    /// Rules of the instruments that may be traded; may be set later by
    /// [`super::Oms::set_instruments`], and until then no order is taken.
    pub instruments: Vec<Instrument>,
    /// Absence before this many milliseconds after the last sending proves nothing: how long a request may
    /// travel (receive window) plus how long the venue may hide what it accepted (visibility window).
    pub absence_proof_after_ms: u64,
    /// What is done with foreign orders.
    pub external: External,
    /// Is real money at stake? Research mode relaxes nothing there.
    pub live: bool,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategySettings {
    /// Its name.
    pub id: StrategyId,
    /// What becomes of its orders that the venue provably does not know.
    pub patience: Patience,
    /// May it trade, until it is switched at run time?
    pub enabled: bool,
    /// An order that waited longer than this is not sent any more, milliseconds.
    pub max_age_ms: u64,
    /// How far the market may have moved from a limit price for a second sending, as a fraction of the price.
    pub price_guard: Decimal,
}

/// Intervals, thresholds and retries. Milliseconds where the name says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knobs {
    /// A sent order without an answer for this long is in doubt.
    pub inflight_check_threshold_ms: u64,
    /// Questions about an order in doubt before an alert is raised. Asking never ends.
    pub inflight_check_retries: u32,
    /// How often all open orders are compared with the venue's list.
    pub open_check_interval_ms: u64,
    /// How often balances are compared.
    pub position_check_interval_ms: u64,
    /// Reads in a row that must agree before a difference is believed.
    pub position_check_retries: u32,
    /// Pause between those reads.
    pub position_recheck_ms: u64,
    /// Most single-order queries that go out at once per venue.
    pub max_single_order_queries_per_cycle: u32,
    /// One more may go out every so many milliseconds.
    pub single_order_query_delay_ms: u64,
    /// First question about an order in doubt.
    pub query_first_ms: u64,
    /// Second question; each further pause is twice the one before.
    pub query_base_ms: u64,
    /// Longest pause between questions.
    pub query_max_ms: u64,
    /// Least distance between two absent answers that count.
    pub absent_spacing_ms: u64,
    /// How long the stream may take to deliver a fill that a report announced, before fills are fetched.
    pub fill_grace_ms: u64,
    /// Fetches of missing fills at the quick pace, before the slow one.
    pub fill_fetch_retries: u32,
    /// The slow pace.
    pub fill_fetch_slow_ms: u64,
    /// A fetch without an answer for this long is made again.
    pub fetch_timeout_ms: u64,
    /// Pause before a cancel is sent again while the order stays open.
    pub cancel_retry_ms: u64,
    /// Cancels sent at that pace before the slow one (`query_max_ms`).
    pub cancel_retries: u32,
    /// Pause before an order that was not let out is tried again, where no instant is given.
    pub release_retry_ms: u64,
    /// A mark older than this is none.
    pub mark_max_age_ms: u64,
    /// How long a drain waits for working orders to end.
    pub drain_timeout_ms: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            inflight_check_threshold_ms: 5_000,
            inflight_check_retries: 5,
            open_check_interval_ms: 10_000,
            position_check_interval_ms: 60_000,
            position_check_retries: 3,
            position_recheck_ms: 300,
            max_single_order_queries_per_cycle: 10,
            single_order_query_delay_ms: 100,
            query_first_ms: 100,
            query_base_ms: 500,
            query_max_ms: 10_000,
            absent_spacing_ms: 1_000,
            fill_grace_ms: 500,
            fill_fetch_retries: 10,
            fill_fetch_slow_ms: 10_000,
            fetch_timeout_ms: 10_000,
            cancel_retry_ms: 1_000,
            cancel_retries: 5,
            release_retry_ms: 50,
            mark_max_age_ms: 5_000,
            drain_timeout_ms: 20_000,
        }
    }
}

/// Bounds on what is kept and taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most open orders.
    pub open_orders: usize,
    /// Most intents that wait for the disk.
    pub pending_intents: usize,
    /// Closed orders that are remembered.
    pub closed_orders: usize,
    /// They are remembered at least this long, milliseconds, as far as the next bound allows.
    pub closed_for_ms: i64,
    /// Most closed orders that are remembered whatever their age.
    pub closed_orders_max: usize,
    /// Fills that wait for an order to be identified, and fills that the database is asked about.
    pub parked_fills: usize,
    /// Rows between snapshots, at least.
    pub facts_per_snapshot: u64,
    /// As many rows between snapshots for each order that the books hold.
    pub facts_per_held_order: u64,
    /// Rows between snapshots, at most, however many orders there are: a start reads them back.
    pub facts_per_snapshot_max: u64,
    /// Rows per second that record refusals; those beyond are counted.
    pub denials_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_orders: 20_000,
            pending_intents: 4_096,
            closed_orders: 4_096,
            closed_for_ms: 600_000,
            closed_orders_max: 16_384,
            parked_fills: 4_096,
            facts_per_snapshot: 50_000,
            facts_per_held_order: 12,
            facts_per_snapshot_max: 200_000,
            denials_per_second: 50,
        }
    }
}
