//! Connectors to venues: one folder per venue, the same file names in each.
//!
//! [`Venue`] is everything the runtime knows about a venue. It promises: a placement or cancel ends in
//! exactly one [`Outcome`], and never in "rejected" when the venue did not say so; order events are never
//! lost in silence (a loss closes the gate and ends in [`OrderEvent::Reconciled`]); all queues are bounded.
//! Implementations live on one thread (a `LocalSet` or an actix arbiter) and are not `Send`.

pub mod binance;
pub mod mono;

use crate::domain::account_sync::{AccountSnapshot, Differences};
use crate::domain::connection::{State, Why};
use crate::domain::evidence::EvidenceView;
use crate::domain::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::market::{Level, MarketEvent};
use crate::domain::money::Amount;
use crate::domain::order_types::{Balance, CancelOrder, Fill, NewOrder, OrderReport, OtherWord};
pub use crate::domain::outcome::Lookup;
use crate::domain::outcome::{Outcome, ReadError};
use crate::domain::time::{Mono, WallMs};
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// A future on the venue's own thread.
pub type VenueFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A venue where orders can be placed.
pub trait Venue {
    /// Its configured name.
    fn id(&self) -> &VenueId;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Rules of the named instruments; an unknown name is a refusal.
    fn exchange_info<'a>(&'a self, symbols: &'a [Symbol])
    -> VenueFuture<'a, Result<ExchangeInfo, ReadError>>;

    /// Places an order. The same client order id on every resend.
    fn place(&self, order: NewOrder) -> VenueFuture<'_, Outcome<OrderReport>>;

    /// Cancels an order by the id we gave it. `Confirmed` carries the order's final report.
    fn cancel(&self, cancel: CancelOrder) -> VenueFuture<'_, Outcome<OrderReport>>;

    /// Asks what became of an order.
    fn query<'a>(
        &'a self,
        symbol: &'a Symbol,
        order: &'a ClientOrderId,
    ) -> VenueFuture<'a, Result<Lookup, ReadError>>;

    /// Every open order, of one instrument or of all configured ones.
    fn open_orders<'a>(
        &'a self,
        symbol: Option<&'a Symbol>,
    ) -> VenueFuture<'a, Result<Vec<OrderReport>, ReadError>>;

    /// Fills of an instrument after `after`, oldest first; the latest ones when `after` is `None`.
    fn fills_since<'a>(
        &'a self,
        symbol: &'a Symbol,
        after: Option<&'a TradeId>,
    ) -> VenueFuture<'a, Result<Vec<Fill>, ReadError>>;

    /// Every balance of the account.
    fn balances(&self) -> VenueFuture<'_, Result<Vec<Balance>, ReadError>>;

    /// The stream of order events. There is one; a second call answers `None`.
    fn take_order_events(&self) -> Option<mpsc::Receiver<OrderEvent>>;

    /// The stream of market events. There is one; a second call answers `None`.
    fn take_market_events(&self) -> Option<mpsc::Receiver<MarketEvent>>;

    /// The book we keep, best levels first, bids then asks; `None` while it is not in step.
    fn depth(&self, symbol: &Symbol, levels: usize) -> Option<(Vec<Level>, Vec<Level>)>;

    /// What the sessions last did.
    fn evidence(&self) -> VenueEvidence;

    /// Hangs up and connects anew, every session that this value runs. Requests under way end as they can.
    fn reconnect(&self);

    /// Ends both sessions. Requests under way end as they can; nothing reconnects.
    fn stop(&self);
}

/// What a venue can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Placement and cancel by client order id.
    pub client_order_ids: bool,
    /// Stop and take-profit kinds.
    pub stop_orders: bool,
    /// Fills can be asked for from a trade id on.
    pub fills_by_trade_id: bool,
    /// How long an accepted order may stay invisible to queries. Absence before that proves nothing.
    pub visibility_window_ms: u64,
}

/// Instruments and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeInfo {
    /// Rules per instrument, in the order asked for.
    pub instruments: Vec<Instrument>,
    /// Weight allowed per minute, as published.
    pub weight_per_minute: Option<u32>,
    /// Unfilled orders allowed per ten seconds, as published.
    pub orders_per_10s: Option<u32>,
    /// The venue's time of the answer.
    pub at: WallMs,
}

/// What an order session tells its owner, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// An order's state changed.
    Report(Box<OrderReport>),
    /// Balances that may have changed.
    Balances(Vec<Balance>),
    /// A deposit, withdrawal or transfer.
    BalanceMoved {
        /// Asset.
        asset: Asset,
        /// Change.
        delta: Amount,
    },
    /// The session's state changed.
    Session {
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// Cause.
        why: Why,
    },
    /// Orders, fills and balances were fetched and compared; orders may go out again.
    Reconciled(Box<Reconciliation>),
    /// A message of a kind that this version does not know.
    Unrecognised {
        /// Its name, bounded.
        kind: OtherWord,
    },
}

/// The result of the comparison after a (re)connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// Counts the sessions; rises with every comparison.
    pub epoch: u64,
    /// What the venue says.
    pub snapshot: AccountSnapshot,
    /// How that differs from what the connector had seen.
    pub differences: Differences,
}

/// What the sessions of a venue last did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueEvidence {
    /// Orders and user data.
    pub orders: EvidenceView,
    /// Market data.
    pub market: EvidenceView,
    /// Last data and book state per instrument.
    pub feeds: Vec<FeedView>,
    /// Venue clock minus ours, milliseconds; `None` before the first measurement.
    pub clock_offset_ms: Option<i64>,
    /// Round trip of that measurement, milliseconds.
    pub round_trip_ms: Option<u64>,
    /// Request weight spent in the running minute, as the venue counts it.
    pub used_weight: u32,
    /// Our share of the weight limit.
    pub weight_cap: u32,
    /// No request goes out before this instant.
    pub hold_until: Option<Mono>,
    /// Now, on the clock of all the instants above.
    pub now: Mono,
}

/// One instrument's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedView {
    /// Instrument.
    pub symbol: Symbol,
    /// Last data of this instrument.
    pub last_data: Option<Mono>,
    /// Is the book in step with the venue's?
    pub book_in_step: bool,
    /// Its last update.
    pub update_id: u64,
    /// Times the book was lost since the start.
    pub resyncs: u64,
}
