//! An order, as the exchange keeps it from acceptance to the end of the run.
//!
//! Owns the venue's words for side, type, time in force, status and self-trade prevention, and the
//! record of one order. It promises `executed + prevented <= quantity`. It decides nothing.
//! Wire spellings are Binance's, through serde and `as_str`.

use super::ids::{AccountId, ClientOrderId, ListId, OrderId, Symbol};
use super::money::{Amount, Price, Qty};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The venue's spelling.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the venue's spelling; `None` for any other word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words!(
    /// Which way an order trades.
    Side {
        /// Pays quote, receives base.
        Buy = "BUY",
        /// Pays base, receives quote.
        Sell = "SELL",
    }
);

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

words!(
    /// The venue's order types.
    OrderType {
        /// Rests at its price or better.
        Limit = "LIMIT",
        /// Takes what is there.
        Market = "MARKET",
        /// Rests, or is refused if it would take.
        LimitMaker = "LIMIT_MAKER",
        /// A market order once the price has moved against it.
        StopLoss = "STOP_LOSS",
        /// A limit order once the price has moved against it.
        StopLossLimit = "STOP_LOSS_LIMIT",
        /// A market order once the price has moved in its favour.
        TakeProfit = "TAKE_PROFIT",
        /// A limit order once the price has moved in its favour.
        TakeProfitLimit = "TAKE_PROFIT_LIMIT",
    }
);

impl OrderType {
    /// The types `MAX_NUM_ALGO_ORDERS` counts: those with a stop price.
    #[must_use]
    pub const fn is_algo(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit | Self::TakeProfit | Self::TakeProfitLimit)
    }
}

words!(
    /// How long an order lives.
    TimeInForce {
        /// Until cancelled.
        Gtc = "GTC",
        /// Takes what it can, the rest expires.
        Ioc = "IOC",
        /// All or nothing, at once.
        Fok = "FOK",
    }
);

words!(
    /// An order's state.
    OrderStatus {
        /// Accepted, nothing filled (a stop order also while it waits).
        New = "NEW",
        /// Part filled, still open.
        PartiallyFilled = "PARTIALLY_FILLED",
        /// Done in full.
        Filled = "FILLED",
        /// Cancelled by its owner.
        Canceled = "CANCELED",
        /// Refused after acceptance: a stop that triggered without funds.
        Rejected = "REJECTED",
        /// Ended by the exchange: IOC, FOK and market remainders, the other leg of a list.
        Expired = "EXPIRED",
        /// Ended by self-trade prevention.
        ExpiredInMatch = "EXPIRED_IN_MATCH",
    }
);

impl OrderStatus {
    /// Whether the order can still trade.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

words!(
    /// What happens when an account's order meets another order of the same account. The taker's counts.
    StpMode {
        /// They trade.
        None = "NONE",
        /// The taker's rest expires.
        ExpireTaker = "EXPIRE_TAKER",
        /// The resting order expires.
        ExpireMaker = "EXPIRE_MAKER",
        /// Both expire.
        ExpireBoth = "EXPIRE_BOTH",
        /// Both lose the overlap; what has nothing left expires.
        Decrement = "DECREMENT",
    }
);

/// Where a resting order stands in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePlace {
    /// Time priority: rises with every order that starts to rest in the symbol.
    pub sequence: u64,
    /// Market quantity at the same price that trades before this order does.
    pub ahead: Qty,
}

/// One accepted order. Never deleted during a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The exchange's number.
    pub order_id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// The owner's id, generated when none was sent.
    pub client_order_id: ClientOrderId,
    /// The list it is a leg of.
    pub list_id: Option<ListId>,
    /// Buy or sell.
    pub side: Side,
    /// The type.
    pub kind: OrderType,
    /// Time in force; market orders print GTC, as on the venue.
    pub time_in_force: TimeInForce,
    /// The limit; `None` for market types.
    pub price: Option<Price>,
    /// The stop price of stop and take-profit types.
    pub stop_price: Option<Price>,
    /// Asked base quantity. For a market order in quote: what it executed.
    pub quantity: Qty,
    /// Asked quote amount of a market order in quote, else zero.
    pub quote_quantity: Amount,
    /// Base quantity traded.
    pub executed: Qty,
    /// Quote amount traded.
    pub executed_quote: Amount,
    /// Base quantity removed by self-trade prevention.
    pub prevented: Qty,
    /// Self-trade prevention mode.
    pub stp: StpMode,
    /// State.
    pub status: OrderStatus,
    /// Whether it ever worked on the book (false: a stop order that waits, or ended waiting).
    pub is_working: bool,
    /// Place in the queue while it rests.
    pub place: Option<QueuePlace>,
    /// What this order alone keeps locked; the legs of an undecided list lock through their list.
    pub locked: Amount,
    /// Acceptance, in milliseconds since the epoch.
    pub accepted_ms: i64,
    /// When it started to work, in milliseconds since the epoch.
    pub working_ms: Option<i64>,
    /// Last change, in milliseconds since the epoch.
    pub updated_ms: i64,
}

impl Order {
    /// Base quantity that can still trade.
    #[must_use]
    pub fn remaining(&self) -> Qty {
        self.quantity - self.executed - self.prevented
    }
}
