//! What is remembered of an order.

use super::request::OrderKind;
use crate::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, TradeId, VenueId, VenueOrderId};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// Counts the orders of one journal from 1, across restarts and cold starts; never reused once durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderNumber(pub u64);

/// Where an order stands, in the words that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The intent is taken; not sent yet.
    PendingSubmit,
    /// Sent; no answer yet.
    Submitted,
    /// The venue accepted it; nothing executed.
    Working,
    /// Partly executed, still working.
    PartiallyFilled,
    /// Fully executed.
    Filled,
    /// A cancel is under way; it may still execute.
    PendingCancel,
    /// Ended by a cancel.
    Cancelled,
    /// Refused by the venue.
    Rejected,
    /// Ended by its own rules or the exchange's.
    Expired,
    /// Refused here, never sent.
    Denied,
    /// Nobody here knows what became of it. Counted at worst case until the venue or an operator says.
    Unknown,
}

impl OrderState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::PendingSubmit,
        Self::Submitted,
        Self::Working,
        Self::PartiallyFilled,
        Self::Filled,
        Self::PendingCancel,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
        Self::Denied,
        Self::Unknown,
    ];

    /// Can it execute no more, as far as anybody knows?
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired | Self::Denied)
    }

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PendingSubmit => "pending_submit",
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::PendingCancel => "pending_cancel",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }
}

/// Whose doing an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Ours, by an intent in this journal.
    Intent,
    /// Found at the venue and taken under watch.
    Adopted,
}

/// One order, ours or adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number in this journal.
    pub number: OrderNumber,
    /// The caller's id.
    pub client_order_id: ClientOrderId,
    /// What the venue knows it by: derived from the journal's tag and the number, the same on every resend.
    pub venue_client_order_id: ClientOrderId,
    /// The venue's own id, once known.
    pub venue_order_id: Option<VenueOrderId>,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Kind.
    pub kind: OrderKind,
    /// Base quantity.
    pub quantity: Quantity,
    /// Limit price; `None` for market orders.
    pub price: Option<Price>,
    /// How long it rests; `None` where the kind forbids the field.
    pub time_in_force: Option<TimeInForce>,
    /// Where a loss would be cut.
    pub stop_loss: Option<Price>,
    /// May only make a position smaller.
    pub reduce_only: bool,
    /// Whose order it is.
    pub strategy: StrategyId,
    /// Ties it to its cause.
    pub correlation: Correlation,
    /// Ours or adopted.
    pub origin: Origin,
    /// Where it stands.
    pub state: OrderState,
    /// Executed base quantity by the venue's highest word.
    pub executed: Quantity,
    /// Base quantity of the fills booked here. Less than `executed` means that fills are missing.
    pub booked: Quantity,
    /// Quote amount of the fills booked here.
    pub booked_quote: Amount,
    /// Why it is in this state, where that needs saying: a refusal's code, a cause of doubt.
    pub reason: Option<String>,
    /// Times it was sent. 2 and more are resends after proof of absence.
    pub attempts: u32,
    /// A cancel was asked for.
    pub cancel_requested: bool,
    /// The order that this one replaces.
    pub replaces: Option<ClientOrderId>,
    /// What its side would have paid or got when it was decided on, where a fresh price was known: the yardstick of its
    /// fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_price: Option<Price>,
    /// The instrument's last known trade when the order was made: its own fills are all younger.
    pub fills_after: Option<TradeId>,
    /// When the intent was taken (wall clock).
    pub created_at: WallMs,
    /// When anything about it last changed (wall clock).
    pub updated_at: WallMs,
}

impl Order {
    /// Average price of the booked fills; `None` before the first.
    #[must_use]
    pub fn average_price(&self) -> Option<Price> {
        if self.booked.is_zero() { None } else { self.booked_quote.per(self.booked) }
    }

    /// Base quantity that may still execute.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        let executed = if self.executed > self.booked { self.executed } else { self.booked };
        self.quantity.checked_sub(executed).unwrap_or(Quantity::ZERO)
    }

    /// Is everything that the venue says was executed booked here?
    #[must_use]
    pub fn is_booked(&self) -> bool {
        self.booked >= self.executed
    }
}
