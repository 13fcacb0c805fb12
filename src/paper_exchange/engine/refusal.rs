//! Why the exchange refuses, with the venue's code and text.
//!
//! Owns the table of codes (the error codes of Binance Spot's public documentation). A refusal changes no
//! state but the count of refused duplicates. It is an outcome of a sound request, not a bug.

use serde::Serialize;
use std::borrow::Cow;

/// A filter by the venue's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Filter {
    /// Price bounds and tick.
    PriceFilter,
    /// Distance from the average price.
    PercentPriceBySide,
    /// Quantity bounds and step.
    LotSize,
    /// The same for market orders.
    MarketLotSize,
    /// Price times quantity.
    Notional,
    /// Open orders.
    MaxNumOrders,
    /// Open stop and take-profit orders.
    MaxNumAlgoOrders,
}

impl Filter {
    /// The venue's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PriceFilter => "PRICE_FILTER",
            Self::PercentPriceBySide => "PERCENT_PRICE_BY_SIDE",
            Self::LotSize => "LOT_SIZE",
            Self::MarketLotSize => "MARKET_LOT_SIZE",
            Self::Notional => "NOTIONAL",
            Self::MaxNumOrders => "MAX_NUM_ORDERS",
            Self::MaxNumAlgoOrders => "MAX_NUM_ALGO_ORDERS",
        }
    }
}

/// A refusal. `Display` prints `CODE: text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[error("{}: {}", self.code(), self.message())]
pub enum Refusal {
    /// No such account.
    UnknownAccount,
    /// No such symbol.
    UnknownSymbol,
    /// A price, quantity or amount that must be positive is not.
    NotPositive {
        /// The venue's parameter.
        parameter: &'static str,
    },
    /// A filter failed.
    Filter(Filter),
    /// The symbol is halted.
    MarketClosed,
    /// The account may not trade.
    TradingDisabled,
    /// Not enough free balance.
    InsufficientBalance,
    /// The client order id is in use by an open order of the account on the symbol.
    DuplicateOrder,
    /// A `LIMIT_MAKER` would take.
    WouldTake,
    /// A stop would trigger at once.
    WouldTrigger,
    /// The prices of a pair do not enclose the market.
    ListPrices,
    /// A cancel of an order that is not open.
    UnknownOrder,
    /// A cancel whose restriction the order's state does not meet.
    CancelRestricted,
    /// A query of an order that never was.
    NoSuchOrder,
    /// One half of a cancel-replace failed.
    CancelReplacePartlyFailed,
    /// Both halves of a cancel-replace failed.
    CancelReplaceFailed,
    /// The run's record of orders or trades is full (see `Limits`); nothing is ever forgotten instead.
    TruthFull,
    /// The account or symbol to create exists.
    AlreadyExists,
    /// More accounts or symbols than the limits allow.
    TooMany,
    /// An adjustment would overflow or take more than is free.
    BadAdjustment,
}

impl Refusal {
    /// The venue's code.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::UnknownAccount => -2015,
            Self::UnknownSymbol => -1121,
            Self::NotPositive { .. } | Self::Filter(_) => -1013,
            Self::MarketClosed
            | Self::TradingDisabled
            | Self::InsufficientBalance
            | Self::DuplicateOrder
            | Self::WouldTake
            | Self::WouldTrigger
            | Self::ListPrices => -2010,
            Self::UnknownOrder | Self::CancelRestricted => -2011,
            Self::NoSuchOrder => -2013,
            Self::CancelReplacePartlyFailed => -2021,
            Self::CancelReplaceFailed => -2022,
            Self::TruthFull => -1016,
            Self::AlreadyExists | Self::TooMany | Self::BadAdjustment => -1000,
        }
    }

    /// The text that goes with the code, as clients of the venue match it.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownAccount => "Invalid API-key, IP, or permissions for action.",
            Self::UnknownSymbol => "Invalid symbol.",
            Self::NotPositive { parameter } => return Cow::Owned(format!("Invalid {parameter}.")),
            Self::Filter(filter) => return Cow::Owned(format!("Filter failure: {}", filter.as_str())),
            Self::MarketClosed => "Market is closed.",
            Self::TradingDisabled => "This action is disabled on this account.",
            Self::InsufficientBalance => "Account has insufficient balance for requested action.",
            Self::DuplicateOrder => "Duplicate order sent.",
            Self::WouldTake => "Order would immediately match and take.",
            Self::WouldTrigger => "Order would trigger immediately.",
            Self::ListPrices => "The relationship of the prices for the orders is not correct.",
            Self::UnknownOrder => "Unknown order sent.",
            Self::CancelRestricted => "Order was not canceled due to cancel restrictions.",
            Self::NoSuchOrder => "Order does not exist.",
            Self::CancelReplacePartlyFailed => "Order cancel-replace partially failed.",
            Self::CancelReplaceFailed => "Order cancel-replace failed.",
            Self::TruthFull => {
                "The paper exchange keeps every order and trade of a run, and its record is full."
            }
            Self::AlreadyExists => "Account or symbol already exists.",
            Self::TooMany => "Too many accounts or symbols.",
            Self::BadAdjustment => "The balance cannot be adjusted by this amount.",
        })
    }
}
