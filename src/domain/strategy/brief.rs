//! What a strategy is told, and what it can want.

use crate::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::ledger::BookedFill;
use crate::domain::market::{PublicTrade, Top};
use crate::domain::money::Amount;
use crate::domain::order::{Order, OrderRequest, ReplaceRequest};
use crate::domain::time::Mono;

/// Everything that a strategy must know before it decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Its name: stands on each of its orders.
    pub strategy: StrategyId,
    /// Where it trades.
    pub venue: VenueId,
    /// What it trades.
    pub symbol: Symbol,
    /// The instrument's rules.
    pub instrument: Instrument,
    /// Its orders that are not final, or whose fills are not all booked.
    pub orders: Vec<Order>,
    /// Its signed position, base units.
    pub position: Amount,
    /// Begins the correlation of each of its requests. Never used before, by this or an earlier process: an
    /// order of an earlier life must not be mistaken for one of this. At most 40 characters.
    pub prefix: String,
    /// May it trade now?
    pub enabled: bool,
}

/// What happens. Orders, fills and positions come in the order in which they were decided, with market data
/// and timers in between; any of them may come twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Top of the order book; `None` while the book is not in step: nothing may be quoted then.
    Top(Option<Top>),
    /// Somebody traded.
    Trade(Box<PublicTrade>),
    /// The latest state of an order of its own.
    Order(Box<Order>),
    /// A fill of its own was booked.
    Fill(Box<BookedFill>),
    /// Its position as the ledger has it, signed base units.
    Position(Amount),
    /// A request for a new order came to nothing, for certain: refused, or never handed over.
    Refused(Correlation),
    /// A timer that it armed is due.
    Timer(u64),
    /// It may trade.
    Enabled,
    /// It may not: no new orders, and its working ones are to be taken back.
    Disabled,
}

/// What a strategy wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A new order. It carries no client order id; its correlation finds it again.
    Submit(Box<OrderRequest>),
    /// Take an order back. Asking twice does no harm.
    Cancel(ClientOrderId),
    /// Take an order back and place another in its stead.
    Replace(Box<ReplaceRequest>),
    /// Say [`Input::Timer`] with this number at that time, once. Arming the same number again moves it.
    Timer {
        /// Its number.
        id: u64,
        /// When.
        at: Mono,
    },
}
